# SPDX-License-Identifier: Apache-2.0
"""
The log in the database: reading entries, subjects and tiles, and appending under the head's lock.

Entries, subjects, full tiles and head of one append are one transaction.  Partial tiles are never stored:
they are derived from leaf hashes and full tiles below them.

Rows are fetched before they are decoded: an error halfway would leave its cursor open, and with it an old
snapshot, on a connection that the next reader gets from the pool.
"""

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, func, insert, select, update

from traceledger.core.claims import epcis
from traceledger.core.claims.identifiers import gtin_uri
from traceledger.core.claims.records import code_uri
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import Frontier, NodeReader
from traceledger.core.log.tiles import HEIGHT, WIDTH, node_reader, perfect_root, tile_width
from traceledger.core.sign.canonical import Json
from traceledger.errors import LogIntegrityError, NotFoundError, VerificationError
from traceledger.store.schema import checkpoints, entries, head, subjects, tiles, touches

_CHUNK = 500
_SCAN = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """The head row: size, root, right edge of the tree, and the admission time of the last entry."""

    size: int
    root: bytes
    frontier: tuple[bytes, ...]
    t: int

    def tree(self) -> Frontier:
        """Return the growing tree at this head."""
        return Frontier(self.size, self.frontier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """An entry to append, with the subjects it touches."""

    index: int
    entry: Entry
    subjects: tuple[str, ...]


def alias_of(subject: str) -> str:
    """Return the short name under ``/lots/`` of *subject*: base32 of the first 10 bytes of its SHA-256."""
    return b32encode(hashlib.sha256(subject.encode()).digest()[:10]).decode("ascii").lower()


def create_head(connection: Connection) -> None:
    """Insert the head row of an empty log."""
    tree = Frontier()
    connection.execute(insert(head).values(one=1, size=0, root=tree.root(), frontier=b"", t=0))


def has_head(connection: Connection) -> bool:
    """Say whether the database holds a log."""
    return connection.execute(select(head.c.one)).first() is not None


def read_head(connection: Connection, *, lock: bool = False) -> StoredHead:
    """
    Read the head row; with *lock*, hold it until the transaction ends.

    Raises:
        LogIntegrityError: there is no head row.
    """
    query = select(head.c.size, head.c.root, head.c.frontier, head.c.t)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise LogIntegrityError("the database holds no log; a mistyped path?", code="head-missing")
    size, root, edge, t = row[0], _blob(row[1]), _blob(row[2]), row[3]
    frontier = tuple(edge[i : i + 32] for i in range(0, len(edge), 32))
    return StoredHead(size=size, root=root, frontier=frontier, t=t)


def append(connection: Connection, old: StoredHead, items: Sequence[Appended]) -> StoredHead:
    """
    Write *items*, the tiles they fill and the new head.

    Raises:
        LogIntegrityError: the head row is not *old* any more, though it was locked.
    """
    tree = old.tree()
    for item in items:
        tree.append(item.entry.leaf)
    rows = [derived(item.entry) | {"index": item.index, "entry": item.entry.raw} for item in items]
    connection.execute(insert(entries), rows)
    _touch(connection, items)
    _fill_tiles(connection, old.size, tree.size)
    new = StoredHead(size=tree.size, root=tree.root(), frontier=tuple(tree.hashes), t=items[-1].entry.t)
    changed = connection.execute(
        update(head)
        .where(head.c.one == 1, head.c.size == old.size, head.c.root == old.root)
        .values(size=new.size, root=new.root, frontier=b"".join(new.frontier), t=new.t)
    )
    if changed.rowcount != 1:
        raise LogIntegrityError("the head changed under its own lock", code="head-fork")
    return new


def read_entry(connection: Connection, index: int) -> bytes:
    """Return the entry's bytes; raises NotFoundError."""
    raw = connection.execute(select(entries.c.entry).where(entries.c.index == index)).scalar_one_or_none()
    if raw is None:
        raise NotFoundError(f"the log has no entry {index}", code="entry-unknown")
    return _blob(raw)


def decode_entry(index: int, raw: bytes) -> Entry:
    """
    Decode a stored entry, its statement included.

    Raises:
        LogIntegrityError: what is stored was never admitted in this form; names the *index*.
    """
    try:
        entry = Entry.parse(raw)
        entry.statement  # noqa: B018 - decoding is the test
    except VerificationError as error:
        raise LogIntegrityError(
            f"entry {index} does not decode: {error.message}", code=error.code, index=index
        ) from error
    return entry


def count_touching(connection: Connection, subject: str, below: int) -> int:
    """Return how many entries below index *below* touch *subject*, without reading them."""
    query = (
        select(func.count())
        .select_from(touches.join(subjects, subjects.c.id == touches.c.subject))
        .where(subjects.c.subject == subject, touches.c.index < below)
    )
    return int(connection.execute(query).scalar_one())


def missing_entry(connection: Connection, size: int) -> LogIntegrityError:
    """Return the error that names the first of *size* entries that is not there; the last if only tiles are not."""
    at = 0
    query = select(entries.c.index).where(entries.c.index < size).order_by(entries.c.index)
    for index in connection.execute(query).scalars().all():
        if index != at:
            break
        at += 1
    at = min(at, size - 1)
    return LogIntegrityError(
        f"entry {at} of {size}, or a hash over it, is missing", code="entry-missing", index=at
    )


def count_entries(connection: Connection) -> int:
    """Return how many entries are stored, wherever the head is."""
    return int(connection.execute(select(func.count()).select_from(entries)).scalar_one())


def read_entries(connection: Connection, start: int, end: int) -> list[bytes]:
    """Return the entries start..end-1, as far as they exist."""
    query = (
        select(entries.c.entry)
        .where(entries.c.index >= start, entries.c.index < end)
        .order_by(entries.c.index)
    )
    return [_blob(raw) for raw in connection.execute(query).scalars()]


def scan_entries(connection: Connection, size: int) -> Iterator[tuple[int, bytes, dict[str, object]]]:
    """Yield (index, entry, what is kept beside it, as of `derived`) for the first *size* entries, in flat memory."""
    for start in range(0, size, _SCAN):
        query = select(entries).where(entries.c.index >= start, entries.c.index < min(size, start + _SCAN))
        for row in connection.execute(query.order_by(entries.c.index)).mappings().all():
            kept = dict(row)
            yield kept.pop("index"), _blob(kept.pop("entry")), kept


def derived(entry: Entry) -> dict[str, object]:
    """Return what the table of entries keeps of *entry* beside its bytes, to look it up by."""
    is_event = entry.family == "event"
    return {
        "id": bytes.fromhex(entry.id),
        "leaf": entry.leaf,
        "registry": int(entry.is_registry),
        "event": event_key(entry.actor, entry.statement) if is_event else None,
    }


def read_registry(connection: Connection, start: int) -> list[tuple[int, Entry]]:
    """Return the registry entries from index *start* on."""
    query = (
        select(entries.c.index, entries.c.entry)
        .where(entries.c.registry == 1, entries.c.index >= start)
        .order_by(entries.c.index)
    )
    return [(index, decode_entry(index, _blob(raw))) for index, raw in connection.execute(query).all()]


def event_key(actor: str, statement: Mapping[str, Json]) -> bytes:
    """Return what events are looked up by: SHA-256 of the actor and the eventID it gave."""
    return hashlib.sha256(f"{actor}\n{statement.get('eventID')}".encode()).digest()


def find_event(connection: Connection, actor: str, statement: Mapping[str, Json]) -> list[tuple[int, Entry]]:
    """Return the entries of *actor* whose event has the eventID of *statement*, oldest first."""
    query = select(entries.c.index, entries.c.entry).where(entries.c.event == event_key(actor, statement))
    rows = connection.execute(query.order_by(entries.c.index)).all()
    return [(index, decode_entry(index, _blob(raw))) for index, raw in rows]


def find_ids(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Return the log index of each statement id that stands in the log."""
    found: dict[str, int] = {}
    for start in range(0, len(ids), _CHUNK):
        wanted = [bytes.fromhex(one) for one in ids[start : start + _CHUNK]]
        query = select(entries.c.id, entries.c.index).where(entries.c.id.in_(wanted))
        found.update((bytes(identity).hex(), index) for identity, index in connection.execute(query))
    return found


def subjects_at(connection: Connection, indexes: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return the subjects that the entries at *indexes* touch."""
    found: dict[int, list[str]] = {index: [] for index in indexes}
    for start in range(0, len(indexes), _CHUNK):
        query = (
            select(touches.c.index, subjects.c.subject)
            .join(subjects, subjects.c.id == touches.c.subject)
            .where(touches.c.index.in_(indexes[start : start + _CHUNK]))
        )
        for index, subject in connection.execute(query):
            found[index].append(subject)
    return {index: tuple(names) for index, names in found.items()}


def touching(connection: Connection, subject: str, size: int) -> list[tuple[int, Entry]]:
    """Return the entries below *size* that touch *subject*, in index order."""
    query = (
        select(entries.c.index, entries.c.entry, entries.c.leaf)
        .join(touches, touches.c.index == entries.c.index)
        .join(subjects, subjects.c.id == touches.c.subject)
        .where(subjects.c.subject == subject, entries.c.index < size)
        .order_by(entries.c.index)
    )
    rows = connection.execute(query).all()
    return [(index, _in_tree(connection, index, _blob(raw), _blob(leaf))) for index, raw, leaf in rows]


def touching_each(connection: Connection, names: Sequence[str], size: int) -> dict[str, list[int]]:
    """Return for each of *names* the indexes below *size* of the entries that touch it, ascending."""
    found: dict[str, list[int]] = {name: [] for name in names}
    for start in range(0, len(names), _CHUNK):
        query = (
            select(subjects.c.subject, touches.c.index)
            .join(subjects, subjects.c.id == touches.c.subject)
            .where(subjects.c.subject.in_(names[start : start + _CHUNK]), touches.c.index < size)
            .order_by(touches.c.index)
        )
        for name, index in connection.execute(query).all():
            found[name].append(index)
    return found


def read_at(connection: Connection, indexes: Sequence[int]) -> dict[int, Entry]:
    """
    Return the entries at *indexes*, each held against its hashes.

    Raises:
        LogIntegrityError: one is not there, or is not what its hashes are of.
    """
    found: dict[int, Entry] = {}
    for start in range(0, len(indexes), _CHUNK):
        query = select(entries.c.index, entries.c.entry, entries.c.leaf).where(
            entries.c.index.in_(indexes[start : start + _CHUNK])
        )
        for index, raw, leaf in connection.execute(query).all():
            found[index] = _in_tree(connection, index, _blob(raw), _blob(leaf))
    for index in indexes:
        if index not in found:
            raise LogIntegrityError(f"entry {index} is missing", code="entry-missing", index=index)
    return found


def _in_tree(connection: Connection, index: int, raw: bytes, leaf: bytes) -> Entry:
    """
    Decode a stored entry and hold it against its leaf hash, and against the tile where that is full.

    A bundle proves the entries of its lot; what else a page weighs, a grant or a recall, is proven by nothing but
    this.  Below a tile that is not full, a changed leaf hash changes every root.
    """
    entry = decode_entry(index, raw)
    tile = read_full_tile(connection, 0, index // WIDTH)
    place = index % WIDTH * 32
    if entry.leaf != leaf or (tile is not None and tile[place : place + 32] != leaf):
        raise LogIntegrityError(
            f"entry {index} is not the one its hashes are of", code="root-mismatch", index=index
        )
    return entry


def related(connection: Connection, shown: Iterable[Entry], size: int) -> dict[int, Entry]:
    """
    Return the masterdata, credentials and notices about the products, sites and codes that *shown* entries name.
    """
    wanted: set[str] = set()
    for entry in shown:
        if entry.family == "event":
            wanted.update(_products(epcis.subjects(entry.statement)))
            wanted.update(code_uri(code) for code in entry.member("codes") or ())
            places = (entry.statement.get("readPoint"), entry.statement.get("bizLocation"))
            wanted.update(
                place["id"]
                for place in places
                if isinstance(place, dict) and isinstance(place.get("id"), str)
            )
        elif entry.kind == "issue":
            wanted.add(gtin_uri(entry.statement["data"]["gtin"]))
    return {
        index: entry
        for subject in sorted(wanted)
        for index, entry in touching(connection, subject, size)
        if entry.family != "event"
    }


def _products(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name.startswith("https://id.gs1.org/01/"):
            yield "/".join(name.split("/")[:5])


def newest_ids(connection: Connection, wanted: Sequence[str]) -> dict[str, str]:
    """Return for each of the *wanted* subjects the statement id of the newest entry that touches it."""
    newest: dict[str, str] = {}
    for subject in wanted:
        query = (
            select(entries.c.id)
            .join(touches, touches.c.index == entries.c.index)
            .join(subjects, subjects.c.id == touches.c.subject)
            .where(subjects.c.subject == subject)
            .order_by(entries.c.index.desc())
            .limit(1)
        )
        found = connection.execute(query).scalar_one_or_none()
        if found is not None:
            newest[subject] = bytes(found).hex()
    return newest


def subject_rows(connection: Connection, size: int) -> list[tuple[str, int, int]]:
    """Return (subject, count, last) over the entries below *size*, by the UTF-8 bytes of the subject."""
    query = (
        select(subjects.c.subject, func.count(), func.max(touches.c.index))
        .join(touches, touches.c.subject == subjects.c.id)
        .where(touches.c.index < size)
        .group_by(subjects.c.subject)
    )
    return sorted(((r[0], r[1], r[2]) for r in connection.execute(query)), key=lambda row: row[0].encode())


def subject_by_alias(connection: Connection, alias: str) -> str:
    """Return the subject with that short name; raises NotFoundError."""
    found = connection.execute(
        select(subjects.c.subject).where(subjects.c.alias == alias)
    ).scalar_one_or_none()
    if found is None:
        raise NotFoundError(f"nothing here is called {alias}", code="lot-unknown")
    return str(found)


def node_hashes(connection: Connection, size: int) -> NodeReader:
    """Return a node function over the first *size* entries, which the log must have; each tile is read once."""

    @lru_cache(maxsize=64)
    def tile(level: int, number: int) -> tuple[bytes, ...]:
        try:
            return read_tile(connection, level, number, tile_width(level, number, size))
        except NotFoundError as error:
            raise missing_entry(connection, size) from error

    return node_reader(tile)


def read_tile(connection: Connection, level: int, number: int, width: int) -> tuple[bytes, ...]:
    """
    Return the first *width* hashes of a tile; full tiles are stored, others derived.

    Raises:
        NotFoundError: the log is not that large.
    """
    data = read_full_tile(connection, level, number)
    if data is not None:
        return tuple(data[i : i + 32] for i in range(0, width * 32, 32))
    first = number * WIDTH
    if level == 0:
        query = select(entries.c.leaf).where(entries.c.index >= first, entries.c.index < first + width)
        hashes = tuple(_blob(leaf) for leaf in connection.execute(query.order_by(entries.c.index)).scalars())
    else:
        below = select(tiles.c.hashes).where(
            tiles.c.level == level - 1, tiles.c.number >= first, tiles.c.number < first + width
        )
        rows = map(_blob, connection.execute(below.order_by(tiles.c.number)).scalars().all())
        hashes = tuple(perfect_root([row[i : i + 32] for i in range(0, WIDTH * 32, 32)]) for row in rows)
    if len(hashes) != width:
        raise NotFoundError(f"the log has no tile {level}/{number} of width {width}", code="tile-unknown")
    return hashes


def read_full_tile(connection: Connection, level: int, number: int) -> bytes | None:
    """Return the hashes of a full tile as they are stored, or None where it is not."""
    query = select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.number == number)
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else _blob(found)


def count_tiles(connection: Connection) -> int:
    """Return how many full tiles are stored."""
    return int(connection.execute(select(func.count()).select_from(tiles)).scalar_one())


def save_checkpoint(connection: Connection, size: int, note: str) -> None:
    """Keep the note of a checkpoint that carries more than the log key's line."""
    if (
        connection.execute(update(checkpoints).where(checkpoints.c.size == size).values(note=note)).rowcount
        == 0
    ):
        connection.execute(insert(checkpoints).values(size=size, note=note))


def read_checkpoint(connection: Connection, size: int) -> str | None:
    """Return the kept note of the checkpoint at *size*."""
    return connection.execute(
        select(checkpoints.c.note).where(checkpoints.c.size == size)
    ).scalar_one_or_none()


def read_checkpoints(connection: Connection) -> dict[int, str]:
    """Return every kept note by its size."""
    return {row.size: row.note for row in connection.execute(select(checkpoints.c.size, checkpoints.c.note))}


def _touch(connection: Connection, items: Sequence[Appended]) -> None:
    wanted = sorted({subject for item in items for subject in item.subjects})
    if not wanted:
        return
    known: dict[str, int] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = select(subjects.c.subject, subjects.c.id).where(
            subjects.c.subject.in_(wanted[start : start + _CHUNK])
        )
        known.update((row.subject, row.id) for row in connection.execute(query))
    fresh = [subject for subject in wanted if subject not in known]
    if fresh:
        top = connection.execute(select(func.max(subjects.c.id))).scalar_one() or 0
        known.update((subject, top + 1 + i) for i, subject in enumerate(fresh))
        connection.execute(
            insert(subjects), [{"id": known[one], "subject": one, "alias": alias_of(one)} for one in fresh]
        )
    rows = [{"subject": known[one], "index": item.index} for item in items for one in item.subjects]
    connection.execute(insert(touches), rows)


def _fill_tiles(connection: Connection, old_size: int, new_size: int) -> None:
    level = 0
    while new_size >> HEIGHT * (level + 1):
        for number in range(old_size >> HEIGHT * (level + 1), new_size >> HEIGHT * (level + 1)):
            hashes = read_tile(connection, level, number, WIDTH)
            connection.execute(insert(tiles).values(level=level, number=number, hashes=b"".join(hashes)))
        level += 1


def _blob(value: object) -> bytes:
    """Bytes of a cell, of whatever type a hand in the database has made it: SQLite keeps what it is given."""
    return (
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode("utf-8", "surrogatepass")
    )
