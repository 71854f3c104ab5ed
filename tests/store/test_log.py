# SPDX-License-Identifier: Apache-2.0
"""The log's tables: what an append writes, and that tiles, stored or derived, are the naive tree's."""

import hashlib

import pytest

from housekit import naive_root, naive_tile
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from traceledger.core.log.tiles import tile_width
from traceledger.core.sign.envelope import Envelope, Signature
from traceledger.errors import NotFoundError
from traceledger.store import log as stored


def entry(number: int) -> Entry:
    """A small distinct entry; nobody asks here whether it is valid."""
    payload = b'{"kind":"flag","n":%d}' % number
    signature = Signature(kid="A" * 43, sig=bytes(64))
    made = Envelope(payload, "notice", (signature,))
    return Entry.make(made, reg=(0, bytes(32)), t=number)


def item(number: int, *subjects: str) -> stored.Appended:
    """Entry *number* at its index."""
    return stored.Appended(index=number, entry=entry(number), subjects=subjects)


def fill(database, size: int, step: int) -> list[bytes]:
    """Append *size* entries, *step* at a time; return their leaf hashes."""
    leaves = []
    with database.write() as connection:
        stored.create_head(connection)
    for start in range(0, size, step):
        items = [item(number) for number in range(start, min(size, start + step))]
        with database.write() as connection:
            stored.append(connection, stored.read_head(connection, lock=True), items)
        leaves += [one.entry.leaf for one in items]
    return leaves


@pytest.mark.parametrize("step", [1, 7, 255, 256, 257, 600])
def test_heads_follow_the_naive_tree(database, step):
    """However many entries one append writes, every head is the naive tree's, and so is the frontier."""
    with database.write() as connection:
        stored.create_head(connection)
    leaves: list[bytes] = []
    size = 40 if step == 1 else 600
    for start in range(0, size, step):
        items = [item(number) for number in range(start, min(size, start + step))]
        with database.write() as connection:
            new = stored.append(connection, stored.read_head(connection), items)
        leaves += [one.entry.leaf for one in items]
        assert (new.size, new.root, new.t) == (len(leaves), naive_root(leaves), len(leaves) - 1)
        with database.read() as connection:
            assert stored.read_head(connection) == new
            assert new.tree().root() == new.root


@pytest.mark.parametrize("step", [37, 256, 600])
def test_tiles_are_the_naive_trees(database, step):
    """Every tile of every width that 600 entries have is the naive one; none is there that should not be."""
    leaves = fill(database, 600, step)
    with database.read() as connection:
        for number in range(3):
            for width in range(1, tile_width(0, number, 600) + 1):
                found = stored.read_tile(connection, 0, number, width)
                assert list(found) == leaves[number * 256 : number * 256 + width]
        for width in (1, 2):
            assert list(stored.read_tile(connection, 1, 0, width)) == naive_tile(leaves, 1, 0, width)
        for level, number, width in ((0, 2, 89), (0, 3, 1), (1, 0, 3), (1, 1, 1), (2, 0, 1)):
            with pytest.raises(NotFoundError):
                stored.read_tile(connection, level, number, width)
        assert stored.count_tiles(connection) == 2
        assert stored.count_entries(connection) == 600


def test_proofs_of_every_kind(database):
    """Inclusion of each entry, and consistency from each older size, verify by proofs read from tiles."""
    leaves = fill(database, 520, 130)
    roots = {size: naive_root(leaves[:size]) for size in (*range(1, 20), 255, 256, 257, 511, 512, 513, 520)}
    with database.read() as connection:
        for size, root in roots.items():
            node = stored.node_hashes(connection, size)
            assert root_at(size, node) == root
            for index in {0, size // 2, size - 1}:
                proof = inclusion_proof(index, size, node)
                verify_inclusion(leaves[index], index=index, size=size, proof=proof, root=root)
            for old in (other for other in roots if other <= size):
                verify_consistency(
                    old_size=old,
                    old_root=roots[old],
                    new_size=size,
                    new_root=root,
                    proof=consistency_proof(old, size, node),
                )


def test_a_second_level_of_tiles(database):
    """Past 65,536 entries the first tile of level 1 is stored whole and level 2 begins."""
    size = 65_536 + 300
    leaves = fill(database, size, 16_459)
    level1 = [naive_root(leaves[i : i + 256]) for i in range(0, 65_536, 256)]
    with database.read() as connection:
        assert stored.read_full_tile(connection, 1, 0) == b"".join(level1)
        assert stored.read_tile(connection, 1, 1, 1) == (naive_root(leaves[65_536 : 65_536 + 256]),)
        assert stored.read_tile(connection, 2, 0, 1) == (naive_root(level1),)
        assert stored.read_tile(connection, 0, 255, 256) == tuple(leaves[65_280:65_536])
        assert stored.count_tiles(connection) == 258
        assert stored.read_head(connection).root == naive_root(leaves)
        node = stored.node_hashes(connection, size)
        for index in (0, 65_535, 65_536, size - 1):
            verify_inclusion(
                leaves[index],
                index=index,
                size=size,
                proof=inclusion_proof(index, size, node),
                root=naive_root(leaves),
            )


def test_subjects_are_found_again(database):
    """Entries are found by each subject they touch, newest ids and counts below any size included."""
    with database.write() as connection:
        stored.create_head(connection)
        rows = [item(0, "urn:a"), item(1, "urn:a", "urn:b"), item(2, "urn:b"), item(3)]
        stored.append(connection, stored.read_head(connection), rows)
    with database.write() as connection:
        stored.append(connection, stored.read_head(connection), [item(4, "urn:a", "urn:é")])
    with database.read() as connection:
        assert [i for i, _ in stored.touching(connection, "urn:a", 5)] == [0, 1, 4]
        assert [i for i, _ in stored.touching(connection, "urn:a", 4)] == [0, 1]
        assert stored.touching(connection, "urn:A", 5) == []
        assert stored.count_touching(connection, "urn:a", 4) == 2
        assert stored.newest_ids(connection, ["urn:a", "urn:b", "urn:c"]) == {
            "urn:a": entry(4).id,
            "urn:b": entry(2).id,
        }
        assert stored.subjects_at(connection, [1, 3]) == {1: ("urn:a", "urn:b"), 3: ()}
        assert stored.subject_rows(connection, 4) == [("urn:a", 2, 1), ("urn:b", 2, 2)]
        assert stored.subject_rows(connection, 5)[-1] == ("urn:é", 1, 4)
        assert stored.find_ids(connection, [entry(2).id, "0" * 64]) == {entry(2).id: 2}


def test_an_alias_names_one_subject(database):
    """A subject's short name is a digest of it, and leads back to it alone."""
    with database.write() as connection:
        stored.create_head(connection)
        stored.append(connection, stored.read_head(connection), [item(0, "urn:a")])
    alias = stored.alias_of("urn:a")
    assert len(alias) == 16
    with database.read() as connection:
        assert stored.subject_by_alias(connection, alias) == "urn:a"
        with pytest.raises(NotFoundError) as caught:
            stored.subject_by_alias(connection, stored.alias_of("urn:b"))
    assert caught.value.code == "lot-unknown"


def test_subjects_sort_by_their_bytes(database):
    """The rows of an index record are in the order of UTF-8 bytes, not of any locale."""
    names = ["urn:z", "urn:Z", "urn:é", "urn:\U0001f96d", "urn:\uff5e", "urn:a"]
    with database.write() as connection:
        stored.create_head(connection)
        stored.append(connection, stored.read_head(connection), [item(0, *names)])
    with database.read() as connection:
        found = [name for name, _, _ in stored.subject_rows(connection, 1)]
    assert found == sorted(names, key=str.encode)


def test_entries_read_back(database):
    """Entries come back byte for byte, in order, as far as they exist."""
    leaves = fill(database, 10, 10)
    with database.read() as connection:
        raw = stored.read_entries(connection, 0, 99)
        assert [leaf_hash(one) for one in raw] == leaves
        assert stored.read_entries(connection, 4, 6) == raw[4:6]
        assert [index for index, _, _ in stored.scan_entries(connection, 7)] == list(range(7))
        with pytest.raises(NotFoundError) as caught:
            stored.read_entry(connection, 10)
    assert caught.value.code == "entry-unknown"


def test_an_append_that_fails_writes_nothing(database):
    """An entry whose id stands in the log already undoes its whole group: entries, subjects, head."""
    from sqlalchemy.exc import IntegrityError

    fill(database, 3, 3)
    again = stored.Appended(index=4, entry=entry(1), subjects=("urn:b",))
    with pytest.raises(IntegrityError), database.write() as connection:
        stored.append(connection, stored.read_head(connection), [item(3, "urn:a"), again])
    with database.read() as connection:
        assert stored.count_entries(connection) == 3
        assert stored.read_head(connection).size == 3


def test_checkpoints_are_kept_by_size(database):
    """A kept note is replaced by a newer one of the same size and found by its size."""
    with database.write() as connection:
        stored.save_checkpoint(connection, 5, "one")
        stored.save_checkpoint(connection, 5, "two")
        stored.save_checkpoint(connection, 7, "three")
    with database.read() as connection:
        assert stored.read_checkpoint(connection, 5) == "two"
        assert stored.read_checkpoint(connection, 6) is None
        assert stored.read_checkpoints(connection) == {5: "two", 7: "three"}


def test_the_empty_log(database):
    """A log of no entries has the root of nothing."""
    with database.write() as connection:
        stored.create_head(connection)
    with database.read() as connection:
        head = stored.read_head(connection)
    assert (head.size, head.root, head.frontier) == (0, hashlib.sha256(b"").digest(), ())
