# SPDX-License-Identifier: Apache-2.0
"""QR symbols: level, size, and that others can read them."""

import random
from collections.abc import Callable

import pytest
import zxingcpp
from PIL import Image
from qrcode import base, constants

from traceledger.errors import InputError
from traceledger.printing import qr
from traceledger.printing.qr import LEVELS, Square, Symbol, encode, encode_within

LINK = "https://qr.htxsotem.example/01/09521234567899/21/7K3QX9ZT4M2B"


def picture(symbol: Symbol, *, module_px: int = 4) -> Image.Image:
    side = symbol.size + 8
    image = Image.new("L", (side, side), 255)
    image.paste(Image.frombytes("L", (symbol.size, symbol.size), symbol.modules), (4, 4))
    return image.resize((side * module_px, side * module_px), Image.Resampling.NEAREST)


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_level_is_the_one_asked_for(level: str, read_qr: Callable[[Image.Image], list[str]]) -> None:
    """A symbol carries the level asked for, never a boosted one, and zbar reads the link back."""
    symbol = encode(LINK, level=level)
    (found,) = zxingcpp.read_barcodes(picture(symbol))
    assert found.ec_level == level
    assert read_qr(picture(symbol)) == [LINK]


def test_symbol_is_plain_byte_data() -> None:
    """There is no FNC1 in front (that would be element strings, not a link)."""
    (found,) = zxingcpp.read_barcodes(picture(encode(LINK, level="Q")))
    assert found.symbology_identifier == "]Q1"


@pytest.mark.parametrize(
    "link", ["", "https://sổ.example/01/1", "https://a.example/\n", "x" * 513], ids=ascii
)
def test_refuses_what_is_no_link(link: str) -> None:
    """Nothing but a short line of printable ASCII becomes a symbol."""
    with pytest.raises(InputError):
        encode(link, level="Q")


def test_level_falls_before_the_module_does() -> None:
    """In ever smaller squares the level goes Q, M, L, the module never under the minimum, and then comes a refusal."""
    seen = []
    for tenth in range(300, 90, -1):
        square = Square(side_mm=tenth / 10, quiet=4, min_module_mm=0.38)
        symbol = encode_within(LINK, square)
        if symbol is not None:
            assert square.module_mm(symbol.size) >= 0.38
            assert (symbol.size + 8) * square.module_mm(symbol.size) <= square.side_mm + 1e-9
        level = symbol.level if symbol else None
        if not seen or seen[-1] != level:
            seen.append(level)
    assert seen == ["Q", "M", "L", None]


def test_modules_are_whole_printer_dots() -> None:
    """A module is a whole number of dots at 600 dpi, so a printer makes them all alike."""
    for size in range(21, 80, 4):
        dots = Square(side_mm=29, quiet=4, min_module_mm=0.33).module_mm(size) / 25.4 * 600
        assert dots == pytest.approx(round(dots))


def test_shortcut_changes_nothing() -> None:
    """Levels passed over without a try would not have fitted: the answer is that of trying each in turn."""
    dice = random.Random(5)
    alphabets = ("0123456789", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-./:", "abcdefghij0123456789ABCDEF-_=?&/")
    for _ in range(400):
        link = "".join(
            "".join(dice.choices(dice.choice(alphabets), k=dice.randint(1, 20)))
            for _ in range(dice.randint(1, 9))
        )
        square = Square(side_mm=dice.uniform(8, 30), quiet=4, min_module_mm=dice.uniform(0.33, 0.5))
        tried = (encode(link, level=level) for level in LEVELS)
        expected = next(
            (symbol for symbol in tried if square.module_mm(symbol.size) >= square.min_module_mm), None
        )
        assert encode_within(link, square) == expected


def test_capacities_are_those_of_another_library() -> None:
    """The table of data codewords agrees with the one of an independent encoder."""
    for level, correction in (("Q", constants.ERROR_CORRECT_Q), ("M", constants.ERROR_CORRECT_M)):
        others = tuple(
            sum(block.data_count for block in base.rs_blocks(version, correction)) for version in range(1, 41)
        )
        assert qr._CODEWORDS[level] == others
