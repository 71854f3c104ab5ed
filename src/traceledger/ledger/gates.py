# SPDX-License-Identifier: Apache-2.0
"""
Gates and effects: whether a step of a stamp's life has an effect, given what the log holds about its lot.
"""

from sqlalchemy import Connection

from traceledger.core.claims.records import roll_uri
from traceledger.core.judge.findings import Findings, context_of, findings_of
from traceledger.core.log.entry import Entry
from traceledger.core.state.stamps import Gate, fold_rolls
from traceledger.ledger.lots import gather
from traceledger.store import log as stored


def findings_about(connection: Connection, origin: str, subject: str, size: int) -> Findings:
    """Return the findings that the entries about *subject* and what it was made from give, below *size*."""
    content = gather(connection, subject, size)
    related = stored.related(connection, content.entries.values(), size)
    entries = dict(stored.read_registry(connection, 0)) | related | content.entries
    # A stamp's step means nothing without the statement that issued its roll.
    for name in {e.statement["data"]["roll"] for e in content.entries.values() if e.family == "stamps"}:
        entries |= dict(stored.touching(connection, roll_uri(name), size))
    about = {*content.subjects}.union(*map(context_of, content.entries.values()))
    return findings_of(sorted((i, e) for i, e in entries.items() if i < size), origin, about=about)


def gate(connection: Connection, origin: str) -> Gate:
    """Return the gate over everything in the database."""

    def gated(lot: str, below: int) -> bool:
        return findings_about(connection, origin, lot, below).gated(lot, below)

    return gated


def effect(connection: Connection, origin: str, index: int, entry: Entry) -> str:
    """Return ``all``, ``some`` or ``none``: what of the statement at *index* has an effect."""
    if entry.family != "stamps":
        return "all"
    name = entry.statement["data"]["roll"]
    before = [(i, e) for i, e in stored.touching(connection, roll_uri(name), index) if e.family == "stamps"]
    rolls = fold_rolls(before)
    if entry.kind == "issue":
        return "none" if name in rolls else "all"
    return rolls[name].effect(index, entry, gate(connection, origin)) if name in rolls else "none"
