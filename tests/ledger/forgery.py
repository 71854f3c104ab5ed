# SPDX-License-Identifier: Apache-2.0
"""
Operators who forge their own log with everything they have: the database, the log key, the anchor key, and the
keys of whoever colludes.  What they write passes their own start-up check.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

from housekit import House
from traceledger.app import open_evm_key
from traceledger.chain.sender import sign_checkpoint
from traceledger.core.log import note
from traceledger.core.log.entry import CHAIN_START, Entry, next_chain
from traceledger.core.log.merkle import Frontier
from traceledger.core.log.tiles import WIDTH
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.lineage import subjects_of
from traceledger.ledger.index import SubjectIndex
from traceledger.store import log as stored

Change = Callable[[int, dict[str, Any]], dict[str, Any] | None]
"""``change(index, statement)``: another statement to stand there, or None to leave it."""


def forge(house: House, change: Change, *, signers: Sequence[SigningKey] = ()) -> None:
    """
    Rewrite the log of *house*: changed statements, whatever names them, index records, hashes, head, checkpoints.

    Args:
        signers: Keys that collude: their statements are signed anew; those of others keep the old signature.
    """
    keys = {key.kid: key for key in (*signers, house.app.key("indexer"))}
    entries = [Entry.parse(raw) for raw in house.raw()]
    names: dict[str, str] = {}
    forged: list[Entry] = []
    tree = Frontier()
    roots = {0: tree.root()}
    counts: dict[str, tuple[int, int]] = {}
    registry = (0, CHAIN_START)
    for index, entry in enumerate(entries):
        envelope = entry.envelope
        if not entry.is_registry:
            statement = deepcopy(entry.statement)
            statement = change(index, statement) or statement
            _follow(statement, entry.family, names, roots)
            if entry.family == "log":
                rows = sorted(
                    ((name, n, last) for name, (n, last) in counts.items()), key=lambda row: row[0].encode()
                )
                statement["data"]["root"] = b64encode(SubjectIndex(rows).root)
            if canonical_bytes(statement) != envelope.payload:
                envelope = _signed(statement, envelope, keys)
        names[entry.id] = envelope.id
        made = Entry.make(envelope, reg=registry, t=entry.t)
        forged.append(made)
        if made.is_registry:
            registry = (registry[0] + 1, next_chain(registry[1], made.leaf))
        for name in subjects_of(made):
            counts[name] = (counts.get(name, (0, 0))[0] + 1, index)
        tree.append(made.leaf)
        roots[tree.size] = tree.root()
    write(house, forged)


def truncate(house: House, size: int) -> None:
    """Cut the log of *house* back to its first *size* entries, with everything that is derived from them."""
    entries = [Entry.parse(raw) for raw in house.raw()[:size]]
    with closing(sqlite3.connect(house.folder / "ledger.db")) as connection:
        connection.execute('delete from touches where "index" >= ?', (size,))
        connection.execute("delete from subjects where id not in (select subject from touches)")
        connection.execute('delete from entries where "index" >= ?', (size,))
        connection.execute("delete from checkpoints where size > ?", (size,))
        connection.commit()
    write(house, entries)


def write(house: House, entries: Sequence[Entry], *, reopen: bool = True) -> None:
    """
    Put *entries* in the place of the stored ones and derive all the rest from them, signed by the real keys.

    Args:
        reopen: Start all processes anew, so that nothing remembers what was there before.
    """
    tree = Frontier()
    tiles: list[bytes] = []
    roots: dict[int, bytes] = {}
    for entry in entries:
        tree.append(entry.leaf)
        roots[tree.size] = tree.root()
        if tree.size % WIDTH == 0:
            tiles.append(b"".join(one.leaf for one in entries[tree.size - WIDTH : tree.size]))
    head = (tree.size, tree.root(), b"".join(tree.hashes), entries[-1].t)
    with closing(sqlite3.connect(house.folder / "ledger.db")) as connection:
        for index, entry in enumerate(entries):
            kept = stored.derived(entry)
            connection.execute(
                'update entries set entry = ?, id = ?, leaf = ?, event = ? where "index" = ?',
                (entry.raw, kept["id"], kept["leaf"], kept["event"], index),
            )
        connection.execute("delete from tiles")
        connection.executemany("insert into tiles values (0, ?, ?)", enumerate(tiles))
        connection.execute("update head set size = ?, root = ?, frontier = ?, t = ?", head)
        for (size,) in connection.execute("select size from checkpoints").fetchall():
            text = _checkpoint(house, size, roots[size])
            connection.execute("update checkpoints set note = ? where size = ?", (text, size))
        connection.commit()
    if reopen:
        house.reopen()


def log_anyway(house: House, envelopes: Sequence[Envelope]) -> list[int]:
    """Append statements that admission would refuse, as an operator with another program would."""
    log, database = house.log, house.app.database
    with database.write() as connection:
        head = stored.read_head(connection, lock=True)
        registry = log.registry()
        reg = registry.head
        items = []
        for offset, envelope in enumerate(envelopes):
            entry = Entry.make(envelope, reg=reg, t=head.t)
            if entry.is_registry:
                reg = (reg[0] + 1, next_chain(reg[1], entry.leaf))
            items.append(stored.Appended(index=head.size + offset, entry=entry, subjects=subjects_of(entry)))
        stored.append(connection, head, items)
    house.reopen()
    return [item.index for item in items]


def copy_database(house: House, target: Path) -> None:
    """Copy the database as it stands now."""
    with (
        closing(sqlite3.connect(house.folder / "ledger.db")) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def _follow(statement: dict[str, Any], family: str, names: dict[str, str], roots: dict[int, bytes]) -> None:
    prefix = "tl:" if family == "event" else ""
    statement[f"{prefix}prev"] = sorted(names.get(ref, ref) for ref in statement[f"{prefix}prev"])
    size = statement[f"{prefix}seen"][0]
    statement[f"{prefix}seen"] = [size, b64encode(roots[size])]


def _signed(statement: dict[str, Any], old: Envelope, keys: dict[str, SigningKey]) -> Envelope:
    (signature,) = old.signatures
    if signature.kid in keys:
        return sign_envelope(statement, old.family, [keys[signature.kid]])
    return Envelope(canonical_bytes(statement), old.family, old.signatures)


def _checkpoint(house: House, size: int, root: bytes) -> str:
    settings = house.app.settings
    signed = note.sign_checkpoint(settings.origin, size, root, house.app.key("log"))
    anchor = open_evm_key(settings, "anchor")
    r, s, v = sign_checkpoint(anchor.secret, log_id=house.app.place.log_id, size=size, root=root)
    return note.with_lines(signed, [note.anchor_line(settings.origin, anchor.address, r=r, s=s, v=v)]).text()
