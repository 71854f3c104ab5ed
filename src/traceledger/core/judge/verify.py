# SPDX-License-Identifier: Apache-2.0
"""
Verification of a bundle: the rungs of section 7 of the format specification, each pass, fail or not checked.

Nothing is taken from a field that can be recomputed, and nothing is trusted for being in the bundle: the log's
name and genesis come from the reader's trust file, the chain's word from endpoints the reader chose.  What
those endpoints said comes in as `Observation`s, so this module asks nobody.

Order of work: decode everything (0), fold the registry and judge each entry by what stands before it (1
SIGNED), links (2 LINKED), the note and every inclusion proof (3 LOGGED), then the other rungs.
"""

from collections.abc import Callable, Mapping, Sequence

from traceledger.core.claims import private
from traceledger.core.claims.identifiers import canonical
from traceledger.core.judge import admission
from traceledger.core.judge.bundle import MAX_CONTENT, Bundle, Item, Row, Trust
from traceledger.core.judge.chainword import judge_anchors
from traceledger.core.judge.report import NOT_CHECKED, RUNGS, Report, Rung
from traceledger.core.log.anchor import Observation
from traceledger.core.log.entry import CHAIN_START, Entry, Head, next_chain
from traceledger.core.log.merkle import leaf_hash, verify_inclusion
from traceledger.core.log.note import (
    Checkpoint,
    WitnessPolicy,
    parse_checkpoint,
    verify_cosignatures,
    verify_log_signature,
)
from traceledger.core.sign.encoding import b64decode
from traceledger.core.state.lineage import subjects_of, upstream
from traceledger.core.state.registry import Registry, SignatureCheck, check_signature
from traceledger.core.state.stamps import Gate, fold_rolls
from traceledger.errors import InputError, VerificationError


def verify_bundle(
    bundle: Bundle,
    *,
    trust: Trust | None,
    observations: Mapping[int, Sequence[Observation]] | None = None,
    gate: Gate = lambda lot, index: False,
    check_signature: SignatureCheck = check_signature,
) -> Report:
    """
    Judge *bundle* against the reader's *trust* file.

    Args:
        bundle: The parsed bundle.

        trust: Whom the reader pins; without it ORIGIN is not checked and nothing is ok.

        observations: Per position in ``bundle.anchors``, what the reader's endpoints said; None if no
            endpoint was asked.

        gate: Says whether a lot is gated below an index by the findings on what is shown.

        check_signature: Verifies one signature; a cache by leaf hash may stand in.

    Raises:
        InputError: code ``subject-absent``, or ``note-syntax``/``note-origin`` for an unreadable checkpoint
            is *not* raised but fails LOGGED.
    """
    report = Report(asked=() if observations is None else ("ANCHORED",))
    work = _Work(bundle, trust, report, check_signature, gate)
    try:
        work.decode()
    except VerificationError as error:
        report.rungs = dict.fromkeys(RUNGS, NOT_CHECKED)
        report.rungs["SIGNED"] = _fail(error, work.at)
        return report
    work.require_subject()
    rungs = report.rungs
    rungs["SIGNED"] = work.rung(work.signed, "every statement is signed by a registered key")
    signed = rungs["SIGNED"].result == "pass"
    rungs["LINKED"] = work.linked() if signed else NOT_CHECKED
    rungs["LOGGED"] = work.rung(work.logged, "every statement stands in the log at its position")
    rungs["KEYS"] = work.keys()
    rungs["ORIGIN"] = work.origin()
    rungs["WITNESSED"] = work.witnessed()
    result, reason, detail = judge_anchors(
        bundle.anchors, work.policy_anchors(), report.checkpoint, observations
    )
    rungs["ANCHORED"] = Rung(result=result, reason=reason, detail=detail)
    rungs["COMPLETE"] = work.complete() if signed else NOT_CHECKED
    rungs["LABEL"] = work.label() if signed else NOT_CHECKED
    return report


class _Work:
    """One verification under way: what was decoded, and where the current step stands."""

    def __init__(
        self, bundle: Bundle, trust: Trust | None, report: Report, check_signature: SignatureCheck, gate: Gate
    ) -> None:
        self.bundle = bundle
        self.trust = trust
        self.report = report
        self.check_signature = check_signature
        self.gate = gate
        self.at: int | None = None
        self.registry_entries: list[tuple[int, Entry]] = []
        self.index_record: Entry | None = None
        self.note_error: VerificationError | None = None
        self.valid: dict[int, Entry] = {}
        self.touched: dict[int, frozenset[str]] = {}
        self.by_subject: dict[str, list[int]] = {}

    # --- (0) decode

    def decode(self) -> None:
        bundle = self.bundle
        for index, value in bundle.whole or [(item.index, item.entry) for item in bundle.slice or ()]:
            self.at = index
            self.registry_entries.append((index, Entry.from_json(value)))
        for item in bundle.entries:
            self.at = item.index
            self.report.entries[item.index] = Entry.from_json(item.entry)
        if bundle.index_item is not None:
            self.at = bundle.index_item.index
            self.index_record = Entry.from_json(bundle.index_item.entry)
        for index, entry in [*self.registry_entries, *self.report.entries.items()]:
            self.at = index
            entry.statement  # noqa: B018 - decoding is the test
        for index, entry in self.report.entries.items():
            self.at = index
            self.touched[self.at] = frozenset(subjects_of(entry))
        if self.index_record is not None:
            self.at = bundle.index_item.index if bundle.index_item else None
            self.index_record.statement  # noqa: B018
        try:
            self.report.checkpoint = parse_checkpoint(bundle.checkpoint)
        except VerificationError as error:
            self.note_error = error

    def require_subject(self) -> None:
        # In the one form subjects have: a bundle about any other spelling would be about nothing
        if not any(self.bundle.subject in touched for touched in self.touched.values()):
            raise InputError("no entry of the bundle touches its subject", code="subject-absent")

    @property
    def origin_name(self) -> str:
        if self.trust is not None:
            return self.trust.origin
        if self.report.checkpoint is not None:
            return self.report.checkpoint.origin
        # An unreadable checkpoint is LOGGED's failure; what was signed is still judged by the log it names
        return str(self.registry_entries[0][1].statement.get("log", ""))

    # --- (1) SIGNED

    def signed(self) -> None:
        """Fold the registry once, to its end, and judge each entry by what stands before it."""
        registry = Registry(self.origin_name, check=self.check_signature)
        self.report.registry = registry
        content = dict(self.report.entries)
        if self.index_record is not None and self.bundle.index_item is not None:
            content[self.bundle.index_item.index] = self.index_record
        failure: tuple[int, VerificationError] | None = None
        for index, entry in sorted([*self.registry_entries, *content.items()], key=lambda pair: pair[0]):
            if index not in content:
                registry.apply(index, entry)
            elif failure is None:
                try:
                    self._judge(index, entry, registry)
                except VerificationError as error:
                    failure = (index, error)
        if failure is not None:
            self.at = failure[0]
            raise failure[1]
        for part in self.bundle.private:
            self.at = part.index
            entry_of = self.report.entries.get(part.index)
            if entry_of is None:
                raise VerificationError("a private part of an entry not shown", code="private-mismatch")
            private.check(entry_of.member("private"), name=part.name, salt=part.salt, value=part.value)
        self.report.subjects = tuple(upstream(self.bundle.subject, self._touching))

    def _judge(self, index: int, entry: Entry, registry: Registry) -> None:
        if any(entry.id == other.id for other in self.valid.values()):
            raise VerificationError("the statement stands twice in the bundle", code="statement-repeated")
        admission.check_entry(entry, index, registry)
        if index in self.report.entries:
            self.valid[index] = entry
            for subject in self.touched[index]:
                self.by_subject.setdefault(subject, []).append(index)

    def _touching(self, subject: str) -> list[Entry]:
        return [self.valid[index] for index in self.by_subject.get(subject, ())]

    # --- (2) LINKED

    def linked(self) -> Rung:
        known: dict[str, int] = {}
        later = {entry.id for entry in self.valid.values()}
        # Registry entries and index records touch nothing, so no step can follow them
        apart = {entry.id for _, entry in self.registry_entries}
        apart |= {self.index_record.id} if self.index_record is not None else set()
        outside = None
        inside = set(self.report.subjects) | self._rolls()
        for index, entry in sorted(self.valid.items()):
            self.at = index
            try:
                refs = admission.check_prev_form(entry, self.origin_name)
                for ref in refs:
                    if ref in known:
                        if self.touched[self.at].isdisjoint(self.touched[known[ref]]):
                            raise VerificationError(
                                "prev names an entry sharing no subject", code="prev-unrelated"
                            )
                    elif ref in apart:
                        raise VerificationError(
                            "prev names an entry that touches nothing", code="prev-unrelated"
                        )
                    elif ref in later:
                        raise VerificationError(
                            "prev names an entry that is not earlier", code="prev-unknown"
                        )
                    elif self.touched[self.at] <= inside:
                        outside = outside if outside is not None else self.at
            except VerificationError as error:
                return _fail(error, self.at)
            known[entry.id] = self.at
        if outside is not None:
            return Rung(
                result="not checked",
                reason="prev-unknown",
                where=outside,
                detail="an entry that a step follows is not in the bundle",
            )
        return Rung(result="pass", detail="each step names the entries it follows")

    def _rolls(self) -> set[str]:
        stamp = self.bundle.stamp
        entry = self.valid.get(stamp.index) if stamp else None
        return set(subjects_of(entry)) if entry is not None and entry.kind == "issue" else set()

    # --- (3) LOGGED

    def logged(self) -> None:
        self.at = None
        if self.note_error is not None:
            raise self.note_error
        checkpoint, registry = self.report.checkpoint, self.report.registry
        if checkpoint is None or registry is None or checkpoint.origin != self.origin_name:
            raise VerificationError(f"expected a checkpoint of {self.origin_name}", code="note-origin")
        if registry.policy is None:
            raise VerificationError(
                "the registry shown holds no policy, so no log key", code="note-signature"
            )
        last = self.bundle.index_item
        verify_log_signature(
            checkpoint,
            registry.policy.keys_for(checkpoint.size),
            [(place.log_id, place.signer) for place in registry.policy.anchors],
            anchored=last is not None and last.index == checkpoint.size - 1,
        )
        for item, entry in self._items():
            self.at = item.index
            verify_inclusion(
                entry.leaf, index=item.index, size=checkpoint.size, proof=item.proof, root=checkpoint.root
            )
        self._check_admission_notes(checkpoint)

    def _items(self) -> list[tuple[Item, Entry]]:
        shown = [(item, self.report.entries[item.index]) for item in self.bundle.entries]
        if self.bundle.index_item is not None and self.index_record is not None:
            shown.append((self.bundle.index_item, self.index_record))
        if self.bundle.slice is not None:
            shown += list(zip(self.bundle.slice, (entry for _, entry in self.registry_entries), strict=True))
        return shown

    def _check_admission_notes(self, checkpoint: Checkpoint) -> None:
        everything = dict(self.registry_entries) | {item.index: entry for item, entry in self._items()}
        whole = self.bundle.whole is not None
        head: Head = (0, CHAIN_START)
        earlier = 0
        for index, entry in sorted(everything.items()):
            self.at = index
            if index >= checkpoint.size:
                raise VerificationError("an entry beyond the checkpoint", code="inclusion")
            if entry.t < earlier:
                raise VerificationError("admission times fall back", code="adm-time")
            earlier = entry.t
            if whole and entry.reg != head:
                raise VerificationError("the registry head it was admitted under is another", code="adm-reg")
            if entry.is_registry:
                head = (head[0] + 1, next_chain(head[1], entry.leaf))

    # --- the other rungs

    def keys(self) -> Rung:
        registry = self.report.registry
        if registry is None or self.bundle.whole is None:
            return Rung(
                result="not checked",
                reason="registry-slice",
                detail="only the part of the registry relied on is shown; compare with a copy of your own",
            )
        last = self.index_record or self.report.entries[max(self.report.entries)]
        if last.reg != registry.head:
            return Rung(
                result="fail", reason="registry-chain", detail="the registry shown is not the one logged"
            )
        shown = dict(self.report.entries)
        if self.index_record is not None and self.bundle.index_item is not None:
            shown[self.bundle.index_item.index] = self.index_record
        for index, entry in shown.items():
            self.at = index
            kid = entry.envelope.signatures[0].kid
            suspect = registry.suspect_from(kid) if kid in registry.keys else None
            if suspect is not None and self.at >= suspect:
                return Rung(
                    result="fail",
                    reason="key-suspect",
                    where=self.at,
                    detail=f"key {kid} was revoked and is doubtful from entry {suspect} on",
                )
        return Rung(result="pass", detail=f"all {registry.size} registry entries; no key shown is doubtful")

    def origin(self) -> Rung:
        if self.trust is None:
            return Rung(
                result="not checked",
                reason="trust-missing",
                detail="no trust file: nothing says that this log is the one you mean",
            )
        first = next((entry for index, entry in self.registry_entries if index == 0), None)
        if first is None or first.id != self.trust.genesis:
            return Rung(
                result="fail",
                reason="genesis",
                detail="the log does not begin with the pinned genesis",
                where=0,
            )
        return Rung(result="pass", detail=f"the log is {self.trust.origin}, pinned by its genesis")

    def witnessed(self) -> Rung:
        registry, checkpoint = self.report.registry, self.report.checkpoint
        if checkpoint is None or registry is None or registry.policy is None:
            return NOT_CHECKED
        try:
            own = self.trust.witnesses if self.trust else None
            policy = registry.policy.witnesses if own is None else WitnessPolicy.parse(own)
            present = verify_cosignatures(checkpoint, policy)
        except VerificationError as error:
            return _fail(error, None)
        names = ", ".join(policy.witnesses[name].name for name in sorted(present))
        if policy.quorum is None:
            return Rung(
                result="not checked",
                reason="quorum",
                detail=names or "the policy names no quorum of witnesses",
            )
        if not policy.met_by(present):
            return Rung(result="fail", reason="quorum", detail=f"{len(present)} witnesses signed, not enough")
        return Rung(result="pass", detail=f"{len(present)} witnesses: {names}")

    def policy_anchors(self) -> list[tuple[str, bytes, bytes]]:
        registry = self.report.registry
        if registry is None or registry.policy is None:
            return []
        return [(place.chain, place.contract, place.log_id) for place in registry.policy.anchors]

    def complete(self) -> Rung:
        record, item, checkpoint = self.index_record, self.bundle.index_item, self.report.checkpoint
        if record is None or item is None or checkpoint is None:
            return Rung(
                result="not checked",
                reason="index-missing",
                detail="no index record: a step at the end could be missing",
            )
        if item.index != checkpoint.size - 1:
            return Rung(
                result="fail",
                reason="index-record",
                where=item.index,
                detail="the index record is not the last entry of the checkpoint",
            )
        data = record.statement["data"]
        for row in self.bundle.rows:
            try:
                verify_inclusion(
                    leaf_hash(row.data),
                    index=row.position,
                    size=data["subjects"],
                    proof=row.proof,
                    root=b64decode(data["root"], size=32),
                )
            except VerificationError:
                return Rung(
                    result="fail", reason="index-proof", detail=f"row of {row.subject}", where=item.index
                )
        return self._counts({row.subject: row for row in self.bundle.rows})

    def _counts(self, rows: Mapping[str, Row]) -> Rung:
        for subject in [*self.report.subjects, *sorted(self._rolls())]:
            row = rows.get(subject)
            if row is None:
                return Rung(result="not checked", reason="index-missing", detail=f"no row for {subject}")
            shown = self.by_subject.get(subject, [])
            if (len(shown), shown[-1] if shown else -1) == (row.count, row.last):
                continue
            if len(self.bundle.entries) >= MAX_CONTENT and len(shown) < row.count:
                return Rung(
                    result="not checked", reason="upstream-cut", detail=f"{subject} is cut at {MAX_CONTENT}"
                )
            reason = "complete-count" if len(shown) != row.count else "complete-last"
            return Rung(
                result="fail",
                reason=reason,
                where=row.last,
                detail=f"the index names {row.count} entries of {subject} up to {row.last}, {len(shown)} are shown",
            )
        return Rung(result="pass", detail="every step, as the operator committed; recomputed by audits")

    def label(self) -> Rung:
        stamp = self.bundle.stamp
        if stamp is None:
            return Rung(result="not checked", reason="stamp-unknown", detail="no stamp in the bundle")
        statements = [(i, entry) for i, entry in sorted(self.valid.items()) if entry.family == "stamps"]
        rolls = fold_rolls(statements)
        roll = next((roll for roll in rolls.values() if roll.index == stamp.index), None)
        if roll is None:
            return Rung(
                result="fail", reason="stamp-unknown", where=stamp.index, detail="no such issue statement"
            )
        try:
            roll.check(stamp.uri, number=stamp.number, salt=stamp.salt, proof=list(stamp.proof))
        except VerificationError as error:
            return _fail(error, stamp.index)
        state = roll.state(stamp.number, self.gate)
        self.report.stamp = state
        if (
            state.step not in ("active", "opened")
            or state.locked
            or state.lot != canonical(self.bundle.subject)
        ):
            return Rung(
                result="fail", reason="stamp-state", where=state.since, detail=f"the stamp is {state.step}"
            )
        return Rung(result="pass", detail="the stamp belongs to this lot; says nothing of copies")

    def rung(self, step: Callable[[], None], detail: str) -> Rung:
        """Run *step*; its error is the rung's failure."""
        try:
            step()
        except VerificationError as error:
            return _fail(error, self.at)
        return Rung(result="pass", detail=detail)


def _fail(error: VerificationError, where: int | None) -> Rung:
    return Rung(result="fail", reason=error.code, detail=error.message, where=where)
