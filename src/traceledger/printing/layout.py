# SPDX-License-Identifier: Apache-2.0
"""
One stamp set into its cell: which symbol at which module, which lines of text where.

PDF, PNG and SVG draw what stands here and decide nothing themselves, so they cannot differ.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from traceledger.errors import InputError
from traceledger.printing import template as templates
from traceledger.printing.fonts import Weight, face
from traceledger.printing.geometry import BAR_PAD_MM, column_box
from traceledger.printing.label import DEMO, PROMPT, TITLE, StampLabel
from traceledger.printing.qr import Symbol, encode_within
from traceledger.printing.sheet import Column, SheetTemplate, TextBox
from traceledger.printing.text import PT_MM, ascent_mm, descent_mm, fit, pitch_mm

_CAP_EM = 0.74  # height of capitals
_WIDEST = str.maketrans("0123456789", "4" * 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of text; *x* of its left end and *baseline* in mm of the cell; *inverse* is white, on a bar."""

    text: str
    weight: Weight
    size_pt: float
    x: float
    baseline: float
    inverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A black rectangle under inverse text, mm of the cell."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """
    What all stamps of a roll share: every text of the cell but the number, for which *number* keeps the place.

    Compared by identity: equal labels get the same object, so that writers may remember what they made of it.
    """

    lines: tuple[Line, ...]
    bars: tuple[Bar, ...]
    number: Line
    number_box: TextBox


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLayout:
    """
    Everything in one cell.

    Args:
        symbol: The QR symbol.

        module_mm: Side of a module, whole dots at 600 dpi.

        x: Left edge of the symbol without its quiet zone, mm of the cell.

        y: Its upper edge.

        setting: Texts and bars that do not change from stamp to stamp; bars lie under texts.

        number: The line with the number.
    """

    symbol: Symbol
    module_mm: float
    x: float
    y: float
    setting: Setting
    number: Line

    @property
    def lines(self) -> tuple[Line, ...]:
        """All texts."""
        return (*self.setting.lines, self.number)


def lay_out(label: StampLabel, template: SheetTemplate) -> CellLayout:
    """
    Set *label* into a cell of *template*.

    Raises:
        InputError: If the link needs modules smaller than the template allows (the message names templates that
            are large enough), or number or host do not fit.
    """
    number = label.number_text
    setting = _setting(
        template,
        number.translate(_WIDEST),
        label.is_demo,
        (label.product, label.producer, label.place, label.host),
    )
    symbol = symbol_for(label.uri, template)
    qr = template.qr
    module = qr.square.module_mm(symbol.size)
    inset = (qr.side - symbol.size * module) / 2
    box, place = setting.number_box, setting.number
    return CellLayout(
        symbol=symbol,
        module_mm=module,
        x=qr.x + inset,
        y=qr.y + inset,
        setting=setting,
        number=Line(
            text=number,
            weight=place.weight,
            size_pt=place.size_pt,
            x=box.x + _indent(number, box, size_pt=place.size_pt),
            baseline=place.baseline,
        ),
    )


def symbol_for(link: str, template: SheetTemplate) -> Symbol:
    """
    Return the symbol of *link* for *template*.

    Raises:
        InputError: If it does not fit; names shipped templates where it does.
    """
    symbol = encode_within(link, template.qr.square)
    if symbol is None:
        raise InputError(
            f"expected modules of {template.qr.min_module:g} mm at least, a link of {len(link)} characters is too long "
            f"for the {template.qr.side:g} mm square of {template.name}; {_larger(link)}",
            code="module-size",
        )
    return symbol


def _larger(link: str) -> str:
    fitting = [
        name for name in templates.names() if encode_within(link, templates.load(name).qr.square) is not None
    ]
    return (
        f"it fits {', '.join(fitting)}"
        if fitting
        else "no shipped template is large enough, shorten the link"
    )


@lru_cache(maxsize=1024)
def _setting(
    template: SheetTemplate, number: str, is_demo: bool, names: tuple[str, str, str, str]
) -> Setting:
    """Set all texts; *number* has the widest digit throughout, so that all stamps of a roll show one size."""
    texts = dict(zip(("product", "producer", "place", "host"), names, strict=True))
    texts |= {"title": TITLE, "prompt": PROMPT, "number": number}
    lines: list[Line] = []
    bars: list[Bar] = []
    number_line: Line | None = None
    for column in template.columns:
        for box, line in _set_column(column, texts, is_demo=is_demo, bars=bars):
            if box.field == "number":
                number_line = line
            else:
                lines.append(line)
    if number_line is None:
        raise InputError(f"expected {template.name} to show the number", code="template")
    number_box = next(box for box in template.texts if box.field == "number")
    return Setting(lines=tuple(lines), bars=tuple(bars), number=number_line, number_box=number_box)


def _set_column(
    column: Column, texts: dict[str, str], *, is_demo: bool, bars: list[Bar]
) -> list[tuple[TextBox, Line]]:
    """Set the texts of *column* under one another, then move them as its *valign* says."""
    lines: list[tuple[TextBox, Line]] = []
    own_bars: list[Bar] = []
    space = column_box(column)
    baseline: float | None = None
    descent = 0.0
    for box in column:
        if box.field == "title" and is_demo:
            bar, inside = _demo_bar(box, top=space.top)
            own_bars.append(bar)
            lines.append((box, inside))
            baseline, descent = bar.y + bar.height, 0.0
            continue
        fitted = fit(
            texts[box.field],
            weight=box.weight,
            size_pt=box.size_pt,
            width_mm=box.width,
            max_lines=box.max_lines,
            exact=box.exact,
        )
        for place, text in enumerate(fitted.lines):
            if baseline is None:
                baseline = space.top + ascent_mm(fitted.size_pt, exact=box.exact)
            else:
                baseline += pitch_mm(fitted.size_pt) + (0 if place else box.gap)
            x = box.x + _indent(text, box, size_pt=fitted.size_pt)
            line = Line(text=text, weight=box.weight, size_pt=fitted.size_pt, x=x, baseline=baseline)
            lines.append((box, line))
            descent = descent_mm(fitted.size_pt)
    spare = space.bottom - (space.top if baseline is None else baseline + descent)
    shift = {"top": 0.0, "middle": spare / 2, "bottom": spare}[column[0].valign]
    bars.extend(replace(bar, y=bar.y + shift) for bar in own_bars)
    return [(box, replace(line, baseline=line.baseline + shift)) for box, line in lines]


def _demo_bar(box: TextBox, *, top: float) -> tuple[Bar, Line]:
    """A demonstration never carries the title of a real stamp: a black bar says what it is, in its place."""
    height = ascent_mm(box.size_pt) + (box.max_lines - 1) * pitch_mm(box.size_pt)
    width = box.width - 2 * BAR_PAD_MM
    fitted = fit(DEMO, weight="bold", size_pt=box.size_pt, width_mm=width, max_lines=1, exact=False)
    em = fitted.size_pt * PT_MM
    line = Line(
        text=DEMO,
        weight="bold",
        size_pt=fitted.size_pt,
        x=box.x + (box.width - face("bold").width_em(DEMO) * em) / 2,
        baseline=top + (height + _CAP_EM * em) / 2,
        inverse=True,
    )
    return Bar(x=box.x, y=top, width=box.width, height=height), line


def _indent(line: str, box: TextBox, *, size_pt: float) -> float:
    if box.align == "left":
        return 0.0
    room = box.width - face(box.weight).width_em(line) * size_pt * PT_MM
    return room / 2 if box.align == "center" else room
