# SPDX-License-Identifier: Apache-2.0
"""Tiles: names both ways, widths, nodes read through tiles, entry bundles."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.log.merkle import (
    Frontier,
    check_consistency,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_inclusion,
)
from traceledger.core.log.tiles import (
    HEIGHT,
    WIDTH,
    decode_entry_bundle,
    encode_entry_bundle,
    node_reader,
    parse_tile_path,
    perfect_root,
    tile_path,
    tile_width,
)
from traceledger.errors import InputError


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        (0, 256, "000"),
        (7, 256, "007"),
        (999, 256, "999"),
        (1000, 256, "x001/000"),
        (1234067, 256, "x001/x234/067"),
        (273, 112, "273.p/112"),
        (0, 1, "000.p/1"),
        (10**23, 256, "x100/" + "x000/" * 6 + "000"),
    ],
)
def test_tile_names(number: int, width: int, path: str) -> None:
    """Numbers are written in groups of three digits, partial tiles with their width."""
    assert tile_path(number, width) == path
    assert parse_tile_path(path) == (number, width)


@given(st.integers(0, 10**24 - 1), st.integers(1, 256))
def test_tile_names_come_back(number: int, width: int) -> None:
    """Parsing a tile's path gives its number and width."""
    assert parse_tile_path(tile_path(number, width)) == (number, width)


@pytest.mark.parametrize(
    "path",
    [
        "", "0", "00", "0000", "67", "x067", "1000", "001/234", "x001/x234", "x000/067", "x1/067", "X001/067",
        "x001/067/", "/067", "067/", "067.p", "067.p/", "067.p/0", "067.p/256", "067.p/257", "067.p/012",
        "067.p/1000", "067.p/-1", "067p/1", "067.P/1", " 067", "067 ", "067\n", "-67", "../067", "\u0660\u0660\u0660",
        "x001/" * 8 + "000",
    ],
)  # fmt: skip
def test_what_names_no_tile(path: str) -> None:
    """Every other spelling is refused: a tile has one address, and no path leads elsewhere."""
    with pytest.raises(InputError) as caught:
        parse_tile_path(path)
    assert caught.value.code == "tile-path"


@given(st.text(st.sampled_from("x0123456789/.p"), max_size=20))
def test_a_path_is_refused_or_is_the_only_one(path: str) -> None:
    """No two paths name one tile."""
    try:
        number, width = parse_tile_path(path)
    except InputError:
        return
    assert tile_path(number, width) == path


def test_published_names_and_counts(shared: Path) -> None:
    """Paths and tile counts are those of the tlog-tiles text."""
    examples = json.loads((shared / "data/vectors/c2sp-spec-examples/examples.json").read_text())
    for item in examples["tile_paths"]:
        assert tile_path(item["index"]) == item["path"]
    for item in examples["tile_counts"]:
        for level in range(3):
            full = item.get(f"full_level{level}", 0)
            assert all(tile_width(level, n, item["size"]) == 256 for n in range(full))
            assert tile_width(level, full, item["size"]) == item.get(f"partial_level{level}", 0)
            assert tile_width(level, full + 1, item["size"]) == 0


# --- nodes


class Tiles:
    """Tiles of a log of *size* leaves, kept as lists."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.levels = [list(leaves)]
        while len(self.levels[-1]) >= WIDTH:
            row = self.levels[-1]
            whole = range(0, len(row) - WIDTH + 1, WIDTH)
            self.levels.append([perfect_root(row[at : at + WIDTH]) for at in whole])

    def tile(self, level: int, number: int) -> list[bytes]:
        """Hashes of one tile, checked for its width."""
        found = self.levels[level][number * WIDTH : (number + 1) * WIDTH]
        assert len(found) == tile_width(level, number, len(self.levels[0]))
        return found


def _leaf(index: int) -> bytes:
    return leaf_hash(index.to_bytes(4))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 1000])
def test_every_node_is_that_of_the_leaves(size: int) -> None:
    """A node read through tiles is the root over its leaves, at every level and place."""
    leaves = [_leaf(i) for i in range(size)]
    node = node_reader(Tiles(leaves).tile)
    for level in range(size.bit_length()):
        for index in range(size >> level):
            assert node(level, index) == perfect_root(leaves[index << level : (index + 1) << level])


@pytest.fixture(scope="module")
def large() -> Tiles:
    """Tiles over 70,000 leaves: three levels, the last tile partial in each."""
    return Tiles([_leaf(i) for i in range(70_000)])


def test_roots_of_a_large_log(large: Tiles) -> None:
    """Roots read through tiles are those of a frontier, on both sides of every tile's edge."""
    node = node_reader(large.tile)
    wanted = {0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 65_792, 69_999, 70_000}
    frontier = Frontier()
    for size in range(70_001):
        if size in wanted:
            assert root_at(size, node) == frontier.root()
        if size < 70_000:
            frontier.append(large.levels[0][size])


@given(st.integers(1, 70_000), st.integers(1, 70_000))
def test_proofs_of_a_large_log(large: Tiles, one: int, two: int) -> None:
    """Proofs built through tiles are accepted."""
    old, new = sorted((one, two))
    node = node_reader(large.tile)
    root = root_at(new, node)
    verify_inclusion(
        large.levels[0][old - 1],
        index=old - 1,
        size=new,
        proof=inclusion_proof(old - 1, new, node),
        root=root,
    )
    assert check_consistency(old, new, root_at(old, node), root, consistency_proof(old, new, node)) == 0


def test_nodes_high_up_come_from_high_tiles() -> None:
    """A node of level 8 L + i needs 2^i hashes of one tile of level L, whatever the size of the log."""
    asked: list[tuple[int, int]] = []

    def tile(level: int, number: int) -> list[bytes]:
        asked.append((level, number))
        return [leaf_hash(bytes([level]))] * WIDTH

    node_reader(tile)(3 * HEIGHT + 2, 1_000_000)
    assert asked == [(3, 1_000_000 * 4 // WIDTH)]


# --- entry bundles


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_entry_bundles_come_back(entries: list[bytes]) -> None:
    """Splitting a bundle gives the entries."""
    assert decode_entry_bundle(encode_entry_bundle(entries)) == entries


def test_the_largest_entry_fits() -> None:
    """Lengths are two bytes: 65,535 is the most."""
    entries = [b"x" * 65_535, b"", b"y"]
    assert decode_entry_bundle(encode_entry_bundle(entries)) == entries
    with pytest.raises(OverflowError):
        encode_entry_bundle([b"x" * 65_536])


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=5), st.integers(1, 60))
def test_a_cut_bundle_is_refused(entries: list[bytes], cut: int) -> None:
    """A bundle that ends within an entry is refused; one that ends between two has fewer entries."""
    data = encode_entry_bundle(entries)
    short = data[: max(0, len(data) - cut)]
    try:
        assert decode_entry_bundle(short) == entries[: len(decode_entry_bundle(short))]
        assert encode_entry_bundle(decode_entry_bundle(short)) == short
    except InputError as error:
        assert error.code == "tile-mismatch"  # noqa: PT017


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\2a", b"\0\1ab", b"\0\1a\0"])
def test_bundles_that_end_within_an_entry(data: bytes) -> None:
    """A length without its bytes, or half a length, is refused."""
    with pytest.raises(InputError):
        decode_entry_bundle(data)
