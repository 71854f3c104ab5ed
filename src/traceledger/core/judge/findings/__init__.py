# SPDX-License-Identifier: Apache-2.0
"""
Findings: what anybody can recompute from a log below a size, and that refuses nothing.

Section 8 of the format specification, as a fold over the log's entries in index order.  A finding never changes a
verdict or an exit code; a red one closes the gate of a lot's stamps.  The rules are in `rules` and below it.

Takes about 200 bytes an entry and 500 a lot, whatever the entries' own length: bytes of statements are not kept.
"""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from operator import itemgetter

from traceledger.core.judge import admission
from traceledger.core.judge.bundle import Bundle
from traceledger.core.judge.findings.balance import decimal
from traceledger.core.judge.findings.found import AMBER, RED, SEVERITIES, Finding, Severity
from traceledger.core.judge.findings.goods import PIECES
from traceledger.core.judge.findings.rules import Rules, flaws_of
from traceledger.core.judge.findings.standing import context_of
from traceledger.core.log.entry import Entry
from traceledger.core.state.lineage import subjects_of, upstream
from traceledger.core.state.registry import Registry, SignatureCheck, check_signature
from traceledger.core.state.stamps import Gate
from traceledger.errors import VerificationError

__all__ = [
    "AMBER",
    "RED",
    "SEVERITIES",
    "Finding",
    "Findings",
    "Severity",
    "context_of",
    "findings_of",
    "flaws_of",
    "gate_of",
]


class Findings:
    """
    The findings of the log *origin* after the entries applied so far.

    Args:
        about: Subjects whose every entry (for products, sites and codes: every record) will be given, where not
            all of the log is: rules that need other entries are then left out; see `context_of`.  None for the
            whole log.
    """

    def __init__(self, origin: str, *, about: Collection[str] | None = None) -> None:
        self.origin = origin
        self._rules = Rules(about)

    def apply(
        self, index: int, entry: Entry, registry: Registry, valid: bool, *, flaws: Sequence[str] | None = None
    ) -> None:
        """
        Take the next entry, void ones and those of the registry too.

        Args:
            registry: State of the registry before the entry; of a registry entry, before or after it.

            valid: Whether the entry is valid; a void one only lengthens the log.

            flaws: What `flaws_of` says of it, where that was computed elsewhere.
        """
        self._rules.past.grow(index, entry)
        if not valid:
            return
        found = flaws_of(entry) if flaws is None else flaws
        if entry.is_registry:
            self._rules.registry(index, entry, registry, found)
        else:
            self._rules.entry(index, entry, registry, found)

    @property
    def found(self) -> list[Finding]:
        """The findings that stand, by index; at one index in the order of the rules."""
        return sorted(self._rules.book.standing(), key=lambda finding: finding.index)

    def of(self, subject: str) -> list[Finding]:
        """Return the findings about *subject*."""
        about = self._rules.book.about(subject)
        return sorted((r.finding for r in about if r.until is None), key=lambda finding: finding.index)

    def gated(self, lot: str, below: int, *, roll: str | None = None) -> bool:
        """
        Say whether stamps may not be activated for *lot*, by the entries below *below*.

        Args:
            roll: Name of the roll to be activated; needed only before the activation itself has been applied.
        """
        return self._rules.gates.gated(lot, below, roll=roll)

    def held(self, org: str, lot: str, uom: str | None) -> Decimal:
        """Return how much of *lot* the organisation holds, in *uom* or, with None, in pieces."""
        rules = self._rules
        numbers = (
            rules.past.orgs.find(org),
            rules.past.subjects.find(lot),
            rules.goods.units.find(uom or PIECES),
        )
        holder, subject, unit = numbers
        if holder is None or subject is None or unit is None:
            return Decimal(0)
        return decimal(rules.goods.movements.held(holder, subject, unit))

    def lookup(self, ref: str) -> tuple[int, tuple[str, ...]] | None:
        """Return (index, subjects) of the valid entry with statement id *ref*: an `admission.Lookup`."""
        past = self._rules.past
        found = past.position(ref)
        if found is None:
            return None
        return past.index[found], tuple(past.subjects[number] for number in past.touched(found))

    def is_whole(self, below: int) -> bool:
        """Say whether every entry below *below*, and no other, has been applied."""
        return self._rules.past.is_whole(below)


def findings_of(
    entries: Iterable[tuple[int, Entry]],
    origin: str,
    *,
    about: Collection[str] | None = None,
    check: SignatureCheck = check_signature,
) -> Findings:
    """
    Return the findings of *entries* (log index, entry), in index order; void entries have no effect.

    Where entries are missing, ids in ``prev`` that are not given are passed over.

    Args:
        about: As of `Findings`.

        check: Verifies one signature; a cache by leaf hash may stand in.
    """
    findings = Findings(origin, about=about)
    registry = Registry(origin, check=check)
    for index, entry in entries:
        if entry.is_registry:
            valid = registry.apply(index, entry) is None
        else:
            valid = _is_valid(index, entry, registry, findings)
        findings.apply(index, entry, registry, valid)
    return findings


def gate_of(bundle: Bundle, origin: str) -> Gate:
    """
    Return the gate of stamps by what *bundle* shows.

    What does not decode gives no findings: verification fails there for its own reason.
    """
    try:
        shown = [(item.index, Entry.from_json(item.entry)) for item in bundle.entries]
        content = {index: (entry, frozenset(subjects_of(entry))) for index, entry in shown}
        chain = bundle.whole or [(item.index, item.entry) for item in bundle.slice or ()]
        registry = [(index, Entry.from_json(value)) for index, value in chain]
    except (VerificationError, KeyError, TypeError):
        return lambda lot, below: False

    def touching(subject: str) -> list[Entry]:
        return [entry for entry, touched in content.values() if subject in touched]

    about = set(upstream(bundle.subject, touching))
    return findings_of(sorted([*registry, *shown], key=itemgetter(0)), origin, about=about).gated


def _is_valid(index: int, entry: Entry, registry: Registry, findings: Findings) -> bool:
    try:
        admission.check_entry(entry, index, registry)
        if findings.lookup(entry.id) is not None:
            raise VerificationError("the statement stands in the log already", code="statement-repeated")
        admission.check_prev(entry, registry.origin, findings.lookup)
    except VerificationError as error:
        return error.code == "prev-unknown" and not findings.is_whole(index)
    return True
