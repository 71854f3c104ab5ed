# SPDX-License-Identifier: Apache-2.0
"""
Gates and effects: whether a step of a stamp's life has an effect, given what the log holds about its lot.

Everything the log holds is weighed, however much that is: what decides about goods must not depend on how many
notices somebody put in front of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from traceledger.core.claims.records import roll_uri
from traceledger.core.judge.findings import Findings, context_of, findings_of
from traceledger.core.judge.findings.rollbook import RollBook
from traceledger.core.log.entry import Entry
from traceledger.core.state.registry import SignatureCheck, check_signature
from traceledger.core.state.stamps import Gate
from traceledger.ledger.lots import gather
from traceledger.store import log as stored


@dataclass(frozen=True, slots=True)
class Weighed:
    """Findings about a lot, and the records and notices about it, its product, places and codes, by index."""

    findings: Findings
    records: Mapping[int, Entry]


def weigh(
    connection: Connection, origin: str, subject: str, size: int, check: SignatureCheck = check_signature
) -> Weighed:
    """
    Weigh all entries below *size* about *subject* and what it was made from.

    Args:
        check: Verifies one signature; a cache by leaf hash may stand in.
    """
    content = gather(connection, subject, size)
    related = stored.related(connection, content.entries.values(), size)
    entries = dict(stored.read_registry(connection, 0)) | related | content.entries
    # A stamp's step means nothing without the statement that issued its roll.
    for name in {e.statement["data"]["roll"] for e in content.entries.values() if e.family == "stamps"}:
        entries |= dict(stored.touching(connection, roll_uri(name), size))
    about = {*content.subjects}.union(*map(context_of, content.entries.values()))
    shown = sorted((i, e) for i, e in entries.items() if i < size)
    return Weighed(
        findings_of(shown, origin, about=about, check=check),
        {i: e for i, e in shown if e.family in ("masterdata", "credential", "notice")},
    )


def findings_about(connection: Connection, origin: str, subject: str, size: int) -> Findings:
    """Return the findings that the entries about *subject* and what it was made from give, below *size*."""
    return weigh(connection, origin, subject, size).findings


def gate(connection: Connection, origin: str, check: SignatureCheck = check_signature) -> Gate:
    """Return the gate over everything in the database; each lot is weighed once, however often it is asked about."""
    size = stored.read_head(connection).size
    kept: dict[str, Findings] = {}

    def gated(lot: str, below: int) -> bool:
        if lot not in kept:
            kept[lot] = weigh(connection, origin, lot, size, check).findings
        return kept[lot].gated(lot, below)

    return gated


def effect(connection: Connection, origin: str, index: int, entry: Entry) -> str:
    """Return ``all``, ``some`` or ``none``: what of the statement at *index* has an effect."""
    if entry.family != "stamps":
        return "all"
    name = entry.statement["data"]["roll"]
    rolls = RollBook()
    weighing = gate(connection, origin)
    for i, e in stored.touching(connection, roll_uri(name), index):
        if e.kind == "issue":
            rolls.issue(i, e)
        elif e.family == "stamps":
            rolls.step(i, e, weighing)
    if entry.kind == "issue":
        return "all" if rolls.issue(index, entry) else "none"
    changed, named = rolls.step(index, entry, weighing)
    return "all" if changed == named else "some" if changed else "none"
