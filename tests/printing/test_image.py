# SPDX-License-Identifier: Apache-2.0
"""Single stamps as PNG and SVG."""

import io
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from traceledger.errors import InputError
from traceledger.printing import template
from traceledger.printing.image import label_png, label_svg, symbol_png, symbol_svg
from traceledger.printing.layout import lay_out
from traceledger.printing.qr import Symbol, encode

from .conftest import LONG, SHIPPED

Make = Callable[..., Any]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize(("dpi", "grey"), [(300, True), (600, False)])
@pytest.mark.parametrize("signed", [False, True], ids=["61-characters", "150-characters"])
def test_label_png_reads_back(
    name: str, dpi: int, grey: bool, signed: bool, make_labels: Make, read_qr: Make
) -> None:
    """A picture of a stamp has the size of its cell at its resolution, and zbar reads the link."""
    sheet = template.load(name)
    (label,) = make_labels(1, signed=signed, **LONG)
    picture = Image.open(io.BytesIO(label_png(label, sheet, dpi=dpi, grey=grey)))
    assert picture.mode == ("L" if grey else "1")
    assert picture.size == (
        round(sheet.grid.cell_width * dpi / 25.4),
        round(sheet.grid.cell_height * dpi / 25.4),
    )
    assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)
    assert read_qr(picture.convert("L")) == [label.uri]


def test_modules_of_a_png_are_whole_pixels(make_labels: Make) -> None:
    """Every module is a square of equal pixels: the picture reduced to one pixel a module is the symbol."""
    (label,) = make_labels(1)
    sheet = template.load("a4-40x30")
    symbol = lay_out(label, sheet).symbol
    picture = Image.open(io.BytesIO(label_png(label, sheet, dpi=600))).convert("L")
    module = int(sheet.qr.side * 600 / 25.4 / (symbol.size + 8))
    first = picture.crop((0, 0, picture.width // 2, picture.height // 2)).point([255] + [0] * 255).getbbox()
    assert first is not None
    cut = picture.crop((first[0], first[1], first[0] + symbol.size * module, first[1] + symbol.size * module))
    assert cut.reduce(module).tobytes() == symbol.modules


def test_picture_is_the_same_twice(make_labels: Make) -> None:
    """A picture made again is the same file."""
    (label,) = make_labels(1)
    sheet = template.load("a4-40x30")
    assert label_png(label, sheet) == label_png(label, sheet)
    assert label_svg(label, sheet) == label_svg(label, sheet)


def test_demo_picture_has_the_bar(make_labels: Make) -> None:
    """A demonstration stamp shows its black bar in PNG, and its words white on it in SVG."""
    (label,) = make_labels(1, demo=True)
    sheet = template.load("a4-40x30")
    (bar,) = lay_out(label, sheet).setting.bars
    picture = Image.open(io.BytesIO(label_png(label, sheet, dpi=600)))
    scale = 600 / 25.4
    assert picture.getpixel((round((bar.x + 0.2) * scale), round((bar.y + 0.2) * scale))) == 0
    drawing = label_svg(label, sheet)
    assert 'fill="#fff" d="M2' in drawing
    assert "BẢN THỬ · DEMO" in drawing


@pytest.mark.parametrize("name", SHIPPED)
def test_svg_is_self_contained_and_true_to_size(name: str, make_labels: Make) -> None:
    """An SVG is well-formed, in millimetres, without fonts, styles, scripts or links, and says its words to readers."""
    sheet = template.load(name)
    (label,) = make_labels(1, product='Xoài "cát" <chu> & ổi')
    root = ET.fromstring(label_svg(label, sheet).encode())
    assert root.get("width") == f"{sheet.grid.cell_width:g}mm"
    assert root.get("viewBox") == f"0 0 {sheet.grid.cell_width:g} {sheet.grid.cell_height:g}"
    assert {element.tag for element in root.iter()} == {
        f"{SVG}{tag}" for tag in ("svg", "title", "desc", "path")
    }
    assert root.findtext(f"{SVG}title") == f'Xoài "cát" <chu> & ổi, {label.number_text}'


def test_svg_path_is_the_symbol(make_labels: Make) -> None:
    """The one path of the symbol paints its dark modules and nothing else."""
    (label,) = make_labels(1, signed=True)
    sheet = template.load("a4-50x40")
    assert _painted(label_svg(label, sheet)) == lay_out(label, sheet).symbol.modules


def test_symbol_alone(make_labels: Make, read_qr: Make) -> None:
    """The symbol alone, as PNG and SVG, has its quiet zone and is the symbol."""
    (label,) = make_labels(1)
    symbol = encode(label.uri, level="Q")
    picture = Image.open(io.BytesIO(symbol_png(symbol, module_px=6)))
    assert picture.size == ((symbol.size + 8) * 6,) * 2
    assert read_qr(picture.convert("L")) == [label.uri]
    assert _painted(symbol_svg(symbol)) == symbol.modules


def _painted(drawing: str) -> bytes:
    """Return the matrix that the crisp path of *drawing* paints, by a reading of its own."""
    path = re.search(r'shape-rendering="crispEdges"[^>]* d="([^"]+)"', drawing)
    assert path is not None
    runs = [tuple(map(int, run)) for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path[1])]
    size = 1 + max(y for _, y, _ in runs)
    matrix = bytearray(b"\xff" * size * size)
    for x, y, length in runs:
        matrix[y * size + x : y * size + x + length] = bytes(length)
    return bytes(matrix)


@pytest.mark.parametrize("dpi", [100, 5000])
def test_odd_resolution_is_refused(dpi: int, make_labels: Make) -> None:
    """Resolutions no label printer has are refused."""
    with pytest.raises(InputError, match="dpi"):
        label_png(make_labels(1)[0], template.load("a4-40x30"), dpi=dpi)


def test_module_too_small_in_whole_pixels_is_refused(make_labels: Make) -> None:
    """Where a coarse printer would make modules too small the answer asks for a finer one or a larger template."""
    with pytest.raises(InputError, match="higher resolution"):
        label_png(make_labels(1, signed=True)[0], template.load("a4-25x35"), dpi=240)


@pytest.mark.parametrize("options", [{"module_px": 0}, {"quiet": 3}], ids=str)
def test_symbol_png_refuses(options: dict[str, int]) -> None:
    """A quiet zone under four modules, or no pixel, is refused."""
    with pytest.raises(InputError):
        symbol_png(_symbol(), **options)


@pytest.mark.parametrize("options", [{"module_mm": 0.2}, {"quiet": 3}], ids=str)
def test_symbol_svg_refuses(options: dict[str, Any]) -> None:
    """A quiet zone under four modules, or modules no phone reads, are refused."""
    with pytest.raises(InputError):
        symbol_svg(_symbol(), **options)


def _symbol() -> Symbol:
    return encode("https://id.sotem.example/01/09521234567899", level="M")
