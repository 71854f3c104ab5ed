# SPDX-License-Identifier: Apache-2.0
"""
Tiles and entry bundles as C2SP tlog-tiles names and encodes them.

A tile holds up to 256 hashes of tree level 8 * L; nodes between are recomputed.  Where tiles are kept, and
how partial ones are derived, is the caller's.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from traceledger.core.log.merkle import NodeReader, node_hash
from traceledger.errors import InputError

WIDTH: Final = 256
HEIGHT: Final = 8
_PATH = re.compile(r"((?:x[0-9]{3}/){0,7}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")

TileReader = Callable[[int, int], Sequence[bytes]]
"""``tile(level, n)``: the hashes known of that tile, full or partial."""


def tile_path(number: int, width: int = WIDTH) -> str:
    """Return the path part of tile *number*: ``x001/x234/067``, with ``.p/<width>`` for a partial one."""
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03}")
    path = "/".join(reversed(parts))
    return path if width == WIDTH else f"{path}.p/{width}"


def parse_tile_path(path: str) -> tuple[int, int]:
    """
    Parse what `tile_path` prints into (number, width).

    Raises:
        InputError: code ``tile-path``.
    """
    match = _PATH.fullmatch(path)
    if match:
        number = int(match[1].replace("x", "").replace("/", ""))
        width = int(match[2]) if match[2] else WIDTH
        if width <= WIDTH and tile_path(number, width) == path:
            return number, width
    raise InputError(f"expected a tile path like x001/234 or 067.p/12, got {path[:80]!r}", code="tile-path")


def tile_width(level: int, number: int, size: int) -> int:
    """Return how many hashes tile (*level*, *number*) holds in a log of *size*: 0 to 256."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - number * WIDTH))


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over *hashes*, whose number is a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def node_reader(tile: TileReader) -> NodeReader:
    """Return a node function for `merkle` over *tile*."""

    def node(level: int, index: int) -> bytes:
        tile_level, inner = divmod(level, HEIGHT)
        start = index << inner
        number, offset = divmod(start, WIDTH)
        return perfect_root(tile(tile_level, number)[offset : offset + (1 << inner)])

    return node


def encode_entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the entry bundle: each entry behind its uint16 length."""
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_entry_bundle(data: bytes) -> list[bytes]:
    """
    Split an entry bundle.

    Raises:
        InputError: code ``tile-mismatch``: it ends within an entry.
    """
    entries, position = [], 0
    while position < len(data):
        end = position + 2 + int.from_bytes(data[position : position + 2])
        if end > len(data) or position + 2 > len(data):
            raise InputError("the entry bundle ends within an entry", code="tile-mismatch")
        entries.append(data[position + 2 : end])
        position = end
    return entries
