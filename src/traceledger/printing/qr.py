# SPDX-License-Identifier: Apache-2.0
"""
QR symbols (ISO/IEC 18004) of printed links, made by zxing-cpp as plain byte data without FNC1.

Policy: the highest of the levels Q, M, L whose modules are not smaller than the template's minimum in the
square at hand; never boosted beyond Q, so that links of one length look alike over a whole roll.  The same
link in the same square always gives the same symbol.  Where it is drawn is left to `layout`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, isqrt
from typing import Any

import zxingcpp

from traceledger.errors import InputError

LEVELS = ("Q", "M", "L")  # best first: Q survives a wet or scratched field label
MIN_MODULE_MM = 0.33  # below, cheap phones stop reading; GS1 asks 0.396 mm at the point of sale
QUIET_MODULES = 4  # ISO/IEC 18004: four modules on each side
MAX_LINK = 512

# Modules are drawn in whole dots of a 600 dpi printer (and so of 1200 dpi): every module comes out alike.
DOT_MM = 25.4 / 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """
    One QR symbol without its quiet zone.

    Args:
        size: Modules on a side.

        level: Error correction level, ``L``, ``M``, ``Q`` or ``H``.

        modules: Row by row from the top left, one byte a module: 0 dark, 255 light.
    """

    size: int
    level: str
    modules: bytes

    def row(self, y: int) -> bytes:
        """Return row number *y*, counted from the top."""
        return self.modules[y * self.size : (y + 1) * self.size]

    def runs(self, y: int) -> Iterator[tuple[int, int]]:
        """Yield first module and length of each dark run of row *y*."""
        return dark_runs(self.row(y))


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """
    The square a symbol has to fit in, quiet zone included.

    Args:
        side_mm: Side.

        quiet: Modules of quiet zone on each side, four at least.

        min_module_mm: Smallest module accepted.
    """

    side_mm: float
    quiet: int
    min_module_mm: float

    @property
    def modules(self) -> int:
        """Most modules a side may have, so that each is *min_module_mm* in whole printer dots."""
        dots = ceil(self.min_module_mm / DOT_MM - 1e-9)
        return int(self.side_mm / (dots * DOT_MM) + 1e-9) - 2 * self.quiet

    def module_mm(self, size: int) -> float:
        """Return the side of a module, in whole printer dots, when *size* of them stand on a side."""
        return int(self.side_mm / (size + 2 * self.quiet) / DOT_MM + 1e-9) * DOT_MM


def dark_runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Yield place and length of each run of dark modules in *row*."""
    at = 0
    while at < len(row):
        length = len(row) - at - len(row[at:].lstrip(b"\0"))
        if length:
            yield at, length
        at += length or 1


def encode(link: str, *, level: str) -> Symbol:
    """
    Return the symbol of *link* at *level*.

    Raises:
        InputError: If *link* is empty, too long or not ASCII.
    """
    if not link.isascii() or not link.isprintable() or not 0 < len(link) <= MAX_LINK:
        raise InputError(
            f"expected a link of 1 to {MAX_LINK} printable ASCII characters, got {link[:60]!r}", code="label"
        )
    barcode = zxingcpp.create_barcode(link, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    image: Any = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)  # a buffer, untyped
    modules = bytes(memoryview(image))
    return Symbol(size=isqrt(len(modules)), level=level, modules=modules)


def encode_within(link: str, square: Square) -> Symbol | None:
    """Return the symbol of *link* at the best level that fits *square*, or None where none does."""
    for level in LEVELS:
        if _too_long(link, level=level, most=square.modules):
            continue
        symbol = encode(link, level=level)
        if symbol.size <= square.modules:
            return symbol
    return None


# Data codewords of versions 1 to 40 (ISO/IEC 18004, table 7).
_CODEWORDS = {
    "Q": (
        *(13, 22, 34, 48, 62, 76, 88, 110, 132, 154, 180, 206, 244, 261, 295, 325, 367, 397, 445, 485),
        *(512, 568, 614, 664, 718, 754, 808, 871, 911, 985, 1033, 1115, 1171, 1231, 1286, 1354, 1426, 1502, 1582, 1666),
    ),
    "M": (
        *(16, 28, 44, 64, 86, 108, 124, 154, 182, 216, 254, 290, 334, 365, 415, 453, 507, 563, 627, 669),
        *(714, 782, 860, 914, 1000, 1062, 1128, 1193, 1267, 1373, 1455, 1541, 1631, 1725, 1812, 1914, 1992, 2102, 2216, 2334),
    ),
}  # fmt: skip
_COMPACT = re.compile(r"[0-9A-Z $%*+\-./:]+")


def _too_long(link: str, *, level: str, most: int) -> bool:
    """
    Tell where *link* surely needs more than *most* modules at *level*, without making the symbol.

    Bits are counted from below: eight a character, less what a change to the numeric or alphanumeric mode could
    save at best.  Between two changes, 25 bits of overhead, a stretch of five or fewer saves nothing.
    """
    if level not in _CODEWORDS or most < 21:
        return False
    bits = 12 + 8.0 * len(link)
    for match in _COMPACT.finditer(link):
        if len(match[0]) > 5 or match.start() == 0 or match.end() == len(link):
            digits = sum(char.isdigit() for char in match[0])
            bits -= digits * (8 - 10 / 3) + (len(match[0]) - digits) * (8 - 5.5)
    return bits > 8 * _CODEWORDS[level][min((most - 17) // 4, 40) - 1]
