# SPDX-License-Identifier: Apache-2.0
"""
Prove: put together the bundle of a lot, with or without one of its stamps.

A bundle is issued against the newest final anchored checkpoint if that covers everything known about the lot;
otherwise against the newest checkpoint, without an anchor, and says so by that rung.  Private parts stay
withheld.
"""

from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from traceledger.core.claims import records
from traceledger.core.judge.bundle import MAX_CONTENT, Anchored, Bundle, Item, StampProof
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import NodeReader, inclusion_proof, node_hash, root_of
from traceledger.core.log.note import parse_checkpoint
from traceledger.core.state import stamps as stamp_rules
from traceledger.errors import NotFoundError
from traceledger.ledger.index import IndexCache
from traceledger.ledger.lots import Content, gather
from traceledger.ledger.sequence import Log
from traceledger.store import anchors, rolls
from traceledger.store import log as stored
from traceledger.store.rolls import StoredRoll

MAX_ROWS: Final = 10_000
"""
Rows of the index record in a bundle: 500 entries can name 80,000 subjects, whose rows nobody could load.  Without a
row COMPLETE is not checked.
"""


class Prover:
    """Makes bundles from the database of *log*."""

    def __init__(self, log: Log) -> None:
        self.log: Final = log
        self._index = IndexCache()

    def bundle(self, subject: str, stamp: str | None = None) -> bytes:
        """
        Return the bundle of *subject* as bytes.

        Args:
            subject: Canonical identifier of a lot (or of anything an entry touches).

            stamp: Serial of one of its stamps, or None.

        Raises:
            NotFoundError: code ``lot-unknown`` or ``stamp-unknown``.
        """
        with self.log.database.read() as connection:
            return self.make(connection, subject, serial=stamp).encode()

    def make(self, connection: Connection, subject: str, *, serial: str | None = None) -> Bundle:
        """Return the bundle of *subject* within one snapshot of the database; errors as `bundle`."""
        found = None if serial is None else rolls.find_stamp(connection, serial)
        also = [] if found is None else [records.roll_uri(found[0].roll)]
        head = stored.read_head(connection)
        content = gather(connection, subject, head.size, also=also, most=MAX_CONTENT)
        if not any(subject in names for names in self._touched(connection, content).values()):
            raise NotFoundError(f"nothing is known here about {subject}", code="lot-unknown")
        size, text, attempts = self._checkpoint(connection, head.size, max(content.entries))
        entries = {index: entry for index, entry in content.entries.items() if index < size}
        node = stored.node_hashes(connection, size)
        last = stored.decode_entry(size - 1, stored.read_entry(connection, size - 1))
        indexed = last.family == "log"
        covered = size - 1 if indexed else max(entries)
        subject_index = self._index.at(connection, size - 1) if indexed else None
        named = content.subjects[:MAX_ROWS] if subject_index else ()
        rows = [row for name in named if subject_index and (row := subject_index.row(name))]
        return Bundle(
            subject=subject,
            checkpoint=text,
            entries=tuple(_item(index, entry, size, node) for index, entry in entries.items()),
            index_item=_item(size - 1, last, size, node) if indexed else None,
            rows=tuple(sorted(rows, key=lambda row: row.position)),
            whole=tuple(
                (i, entry.to_json()) for i, entry in stored.read_registry(connection, 0) if i < covered
            ),
            stamp=None if found is None else self._stamp(connection, *found),
            anchors=tuple(attempts),
        )

    def _touched(self, connection: Connection, content: Content) -> dict[int, tuple[str, ...]]:
        return stored.subjects_at(connection, list(content.entries))

    def _checkpoint(self, connection: Connection, size: int, newest: int) -> tuple[int, str, list[Anchored]]:
        final = [attempt for attempt in anchors.newest_final(connection) if attempt.size > newest]
        if final:
            best = max(final, key=lambda attempt: attempt.size)
            text = stored.read_checkpoint(connection, best.size)
            if text is not None:
                same = [attempt for attempt in final if attempt.size == best.size]
                return (
                    best.size,
                    text,
                    [Anchored(chain=a.chain, tx="0x" + a.tx.hex(), log=a.log or 0, proof=()) for a in same],
                )
        text = self.log.checkpoint_at(connection, size)
        return parse_checkpoint(text).size, text, []

    def _stamp(self, connection: Connection, roll: StoredRoll, number: int) -> StampProof:
        index = rolls.issue_index(connection, roll.roll)
        serials = tuple(rolls.serials(connection, roll.roll))
        levels = _roll_levels(roll, serials)
        uri = roll.uri(serials[number - roll.first])
        proof = inclusion_proof(number - roll.first, roll.count, lambda level, at: levels[level][at])
        salt = stamp_rules.stamp_salt(roll.secret, number)
        return StampProof(uri=uri, index=index, number=number, salt=salt, proof=tuple(proof))


@lru_cache(maxsize=8)
def _roll_levels(roll: StoredRoll, serials: tuple[str, ...]) -> list[list[bytes]]:
    """Hashes of the perfect subtrees over a roll's commitments, level by level."""
    level = [
        stamp_rules.roll_leaf(stamp_rules.stamp_salt(roll.secret, number), number, roll.uri(serial))
        for number, serial in enumerate(serials, roll.first)
    ]
    levels = [level]
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        levels.append(level)
    return levels


def roll_root(roll: StoredRoll, serials: tuple[str, ...]) -> bytes:
    """Return the root an ``issue`` statement commits to."""
    return root_of(_roll_levels(roll, serials)[0])


def _item(index: int, entry: Entry, size: int, node: NodeReader) -> Item:
    return Item(index=index, entry=entry.to_json(), proof=tuple(inclusion_proof(index, size, node)))
