# SPDX-License-Identifier: Apache-2.0
"""
One stamp as a picture: PNG for label printers and previews, SVG for print shops, of the label or the symbol alone.

Draws what `layout` says.  In a PNG a module is a whole number of pixels; in an SVG the symbol is one path and text
is outlines, so nobody needs the typeface.
"""

import io
from functools import lru_cache
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from traceledger.errors import InputError
from traceledger.printing.fonts import Weight, face
from traceledger.printing.label import DEMO, TITLE, StampLabel
from traceledger.printing.layout import Line, lay_out
from traceledger.printing.qr import MIN_MODULE_MM, QUIET_MODULES, Symbol
from traceledger.printing.sheet import SheetTemplate
from traceledger.printing.text import PT_MM

_INCH_MM = 25.4
_BLACK, _WHITE = 0, 255


def label_png(label: StampLabel, template: SheetTemplate, *, dpi: int = 600, grey: bool = False) -> bytes:
    """
    Return *label*, as large as a cell of *template*, as PNG.

    Args:
        label: What it says.

        template: Whose cell.

        dpi: Resolution, 203 to 2400; recorded in the file.

        grey: Eight bits a pixel with smooth letters, for screens; else one bit, for printers.

    Raises:
        InputError: If the label does not fit, or a module of whole pixels would be too small at *dpi*.
    """
    if not 203 <= dpi <= 2400:
        raise InputError(f"expected 203 to 2400 dpi, got {dpi}", code="label")
    cell = lay_out(label, template)
    scale = dpi / _INCH_MM
    size = round(template.grid.cell_width * scale), round(template.grid.cell_height * scale)
    image = Image.new("L", size, _WHITE)
    draw = ImageDraw.Draw(image)
    for bar in cell.setting.bars:
        left, top = round(bar.x * scale), round(bar.y * scale)
        right, bottom = round((bar.x + bar.width) * scale), round((bar.y + bar.height) * scale)
        draw.rectangle((left, top, right - 1, bottom - 1), fill=_BLACK)
    for line in cell.lines:
        _draw_line(draw, line, scale=scale)
    if not grey:
        image = image.point([_BLACK] * 128 + [_WHITE] * 128)
    _paste_symbol(image, cell.symbol, template, dpi=dpi)
    return _png(image if grey else image.convert("1", dither=Image.Dither.NONE), dpi=dpi)


def symbol_png(symbol: Symbol, *, module_px: int = 10, quiet: int = QUIET_MODULES, dpi: int = 600) -> bytes:
    """
    Return *symbol* alone as one-bit PNG.

    Args:
        symbol: The QR symbol.

        module_px: Pixels to a module.

        quiet: Modules of white around it, four at least.

        dpi: Recorded in the file; with *module_px* it sets the printed size.

    Raises:
        InputError: If a number is out of range.
    """
    if not 1 <= module_px <= 200 or not QUIET_MODULES <= quiet <= 50:
        raise InputError(
            f"expected 1 to 200 pixels a module and {QUIET_MODULES} to 50 quiet modules, got {module_px} and {quiet}",
            code="label",
        )
    side = (symbol.size + 2 * quiet) * module_px
    image = Image.new("L", (side, side), _WHITE)
    image.paste(_symbol_image(symbol, module_px=module_px), (quiet * module_px, quiet * module_px))
    return _png(image.convert("1", dither=Image.Dither.NONE), dpi=dpi)


def label_svg(label: StampLabel, template: SheetTemplate) -> str:
    """
    Return *label*, as large as a cell of *template*, as SVG in millimetres.

    Raises:
        InputError: If the label does not fit.
    """
    cell = lay_out(label, template)
    width, height = template.grid.cell_width, template.grid.cell_height
    black = [
        f"M{_n(bar.x)} {_n(bar.y)}h{_n(bar.width)}v{_n(bar.height)}h-{_n(bar.width)}z"
        for bar in cell.setting.bars
    ]
    body = [f'<path d="{"".join(black)}"/>'] if black else []
    body.append(f'<path d="{"".join(_outline(line) for line in cell.lines if not line.inverse)}"/>')
    inverse = "".join(_outline(line) for line in cell.lines if line.inverse)
    if inverse:
        body.append(f'<path fill="#fff" d="{inverse}"/>')
    body.append(_symbol_path(cell.symbol, x=cell.x, y=cell.y, module=cell.module_mm))
    name = ", ".join(part for part in (label.product, label.number_text) if part)
    return _svg(width, height, title=name, description=_spoken(label), body=body)


def symbol_svg(
    symbol: Symbol, *, module_mm: float = 0.5, quiet: int = QUIET_MODULES, title: str = "QR"
) -> str:
    """
    Return *symbol* alone as SVG in millimetres.

    Args:
        symbol: The QR symbol.

        module_mm: Side of a module.

        quiet: Modules of white around it, four at least.

        title: What screen readers say.

    Raises:
        InputError: If the module or the quiet zone is too small.
    """
    if not MIN_MODULE_MM <= module_mm <= 50 or not QUIET_MODULES <= quiet <= 50:
        raise InputError(
            f"expected modules of {MIN_MODULE_MM} to 50 mm and {QUIET_MODULES} to 50 quiet ones, "
            f"got {module_mm:g} and {quiet}",
            code="label",
        )
    side = (symbol.size + 2 * quiet) * module_mm
    inset = quiet * module_mm
    return _svg(side, side, title=title, body=[_symbol_path(symbol, x=inset, y=inset, module=module_mm)])


def _draw_line(draw: ImageDraw.ImageDraw, line: Line, *, scale: float) -> None:
    """Draw letter by letter at exact places; a whole string would add up FreeType's rounded advances."""
    em = line.size_pt * PT_MM * scale
    font = _font(line.weight, round(em * 64))
    measure = face(line.weight).width_em
    x = line.x * scale
    for char in line.text:
        place = (round(x), round(line.baseline * scale))
        draw.text(place, char, font=font, fill=_WHITE if line.inverse else _BLACK, anchor="ls")
        x += measure(char) * em


@lru_cache(maxsize=64)
def _font(weight: Weight, size_64: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        io.BytesIO(face(weight).data), size=size_64 / 64, layout_engine=ImageFont.Layout.BASIC
    )


def _paste_symbol(image: Image.Image, symbol: Symbol, template: SheetTemplate, *, dpi: int) -> None:
    qr = template.qr
    scale = dpi / _INCH_MM
    module_px = int(qr.side * scale / (symbol.size + 2 * qr.quiet_modules) + 1e-9)
    if module_px / scale < MIN_MODULE_MM:
        raise InputError(
            f"expected modules of {MIN_MODULE_MM} mm at least, whole pixels at {dpi} dpi give {module_px / scale:.3f}; "
            "take a higher resolution or a larger template",
            code="module-size",
        )
    inset = (qr.side * scale - symbol.size * module_px) / 2
    corner = round(qr.x * scale + inset), round(qr.y * scale + inset)
    image.paste(_symbol_image(symbol, module_px=module_px), corner)


def _symbol_image(symbol: Symbol, *, module_px: int) -> Image.Image:
    side = symbol.size * module_px
    plain = Image.frombytes("L", (symbol.size, symbol.size), symbol.modules)
    return plain.resize((side, side), Image.Resampling.NEAREST)


def _png(image: Image.Image, *, dpi: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(dpi, dpi), optimize=True)
    return out.getvalue()


def _outline(line: Line) -> str:
    return face(line.weight).outline(line.text, x=line.x, baseline=line.baseline, em=line.size_pt * PT_MM)


def _symbol_path(symbol: Symbol, *, x: float, y: float, module: float) -> str:
    path = "".join(
        f"M{start} {row}h{length}v1h-{length}z"
        for row in range(symbol.size)
        for start, length in symbol.runs(row)
    )
    return f'<path shape-rendering="crispEdges" transform="translate({_n(x)} {_n(y)}) scale({module:.6f})" d="{path}"/>'


def _spoken(label: StampLabel) -> str:
    head = DEMO if label.is_demo else TITLE
    return " · ".join(part for part in (head, label.producer, label.place, label.host) if part)


def _svg(width: float, height: float, *, title: str, body: list[str], description: str = "") -> str:
    spoken = f"<title>{escape(title)}</title>" + (
        f"<desc>{escape(description)}</desc>" if description else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}mm" height="{_n(height)}mm" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img">{spoken}\n'
        f'<path fill="#fff" d="M0 0h{_n(width)}v{_n(height)}h-{_n(width)}z"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _n(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
