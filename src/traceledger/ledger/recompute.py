# SPDX-License-Identifier: Apache-2.0
"""
Recompute: build everything the database derives from its entries once more, and compare.

Done before a process signs anything: at every start, and before each anchor.  It finds what a fault or a hand
in the database changed as long as the entries and what is derived from them do not agree; a whole log rewritten
with its keys agrees with itself, and only an old checkpoint, a bundle, a witness or the chain tells.
"""

from sqlalchemy import Connection

from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import Frontier
from traceledger.core.log.note import parse_checkpoint
from traceledger.core.log.tiles import WIDTH, perfect_root
from traceledger.core.state.lineage import subjects_of
from traceledger.core.state.registry import Registry
from traceledger.errors import LogIntegrityError, VerificationError
from traceledger.store import log as stored
from traceledger.store.database import Database


def recompute(database: Database, origin: str) -> Registry:
    """
    Recompute head, tiles, hashes, subjects and kept checkpoints from the stored entries.

    Returns:
        The registry folded over them.

    Raises:
        LogIntegrityError: the first difference: ``root-mismatch`` (an entry, its hashes, its place, the head or
            a kept checkpoint), ``tile-mismatch``, ``subjects-mismatch``, ``adm-reg``, or the code for which an
            entry does not decode; with the index where it is one entry's.
    """
    with database.read() as connection:
        work = _Recomputation(connection, origin)
        for index, raw, kept in stored.scan_entries(connection, work.head.size):
            entry = stored.decode_entry(index, raw)
            if index != work.tree.size:
                raise _differs(work.tree.size, "is missing", code="root-mismatch")
            if stored.derived(entry) != kept:
                raise _differs(index, "is not the one its hashes are of", code="root-mismatch")
            work.take(index, entry)
        work.compare_head()
    return work.registry


class _Recomputation:
    def __init__(self, connection: Connection, origin: str) -> None:
        self.connection = connection
        self.head = stored.read_head(connection)
        self.registry = Registry(origin)
        self.tree = Frontier()
        self.t = 0
        self.filling: list[list[bytes]] = [[]]
        self.full = [0]
        self.subjects: dict[int, tuple[str, ...]] = {}
        self.notes = stored.read_checkpoints(connection)

    def take(self, index: int, entry: Entry) -> None:
        if entry.reg != self.registry.head:
            raise _differs(index, "names another registry head", code="adm-reg")
        if entry.is_registry:
            self.registry.apply(index, entry)
        if index % WIDTH == 0:
            batch = range(index, min(index + WIDTH, self.head.size))
            self.subjects = stored.subjects_at(self.connection, batch)
        if tuple(sorted(self.subjects[index])) != subjects_of(entry):
            raise _differs(index, "stands in the tables under other subjects", code="subjects-mismatch")
        self.t = entry.t
        self.tree.append(entry.leaf)
        self._fill(0, entry.leaf)
        if (text := self.notes.pop(self.tree.size, None)) is not None:
            self._compare_note(text)

    def _fill(self, level: int, node: bytes) -> None:
        if level == len(self.filling):
            self.filling.append([])
            self.full.append(0)
        tile = self.filling[level]
        tile.append(node)
        if len(tile) < WIDTH:
            return
        if stored.read_full_tile(self.connection, level, self.full[level]) != b"".join(tile):
            raise LogIntegrityError(
                f"tile {level}/{self.full[level]} differs from its entries",
                code="tile-mismatch",
                index=self.tree.size - 1,
            )
        self.full[level] += 1
        root = perfect_root(tile)
        tile.clear()
        self._fill(level + 1, root)

    def _compare_note(self, text: str) -> None:
        try:
            checkpoint = parse_checkpoint(text)
        except VerificationError as error:
            raise LogIntegrityError(
                f"the checkpoint kept of size {self.tree.size} is none: {error.message}", code="root-mismatch"
            ) from error
        if (checkpoint.size, checkpoint.root) != (self.tree.size, self.tree.root()):
            raise LogIntegrityError(
                f"the checkpoint kept of size {self.tree.size} is of another log", code="root-mismatch"
            )

    def compare_head(self) -> None:
        mine = (self.tree.size, self.tree.root(), tuple(self.tree.hashes), self.t)
        head = self.head
        if mine != (head.size, head.root, head.frontier, head.t):
            raise LogIntegrityError(
                f"the stored head says size {head.size}, the entries say {self.tree.size}, or another root",
                code="root-mismatch",
            )
        if stored.count_entries(self.connection) != head.size or self.notes:
            raise LogIntegrityError(
                f"the database holds entries or checkpoints above the head's size {head.size}",
                code="root-mismatch",
            )
        if stored.count_tiles(self.connection) != sum(self.full):
            raise LogIntegrityError("the database holds tiles that are not full", code="tile-mismatch")


def _differs(index: int, what: str, *, code: str) -> LogIntegrityError:
    return LogIntegrityError(f"entry {index} {what}", code=code, index=index)
