# SPDX-License-Identifier: Apache-2.0
"""
Whether a template can be printed: everything on the paper, nothing over a quiet zone, nothing too small to read.

Texts are judged at their full height, as if every line were used, so no label can break what holds here.  The
size of modules depends on the link and is judged when a symbol is made (`layout`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from traceledger.errors import InputError
from traceledger.printing.fonts import face
from traceledger.printing.label import DEMO, PROMPT, TITLE
from traceledger.printing.qr import MIN_MODULE_MM, QUIET_MODULES
from traceledger.printing.sheet import REQUIRED, Column, SheetTemplate, TextBox
from traceledger.printing.text import MIN_PT, PT_MM, ascent_mm, descent_mm, fit, pitch_mm

SAFE_MM = 0.8  # between ink and the cut: guillotines wander half a millimetre
UNPRINTABLE_MM = 4.0  # office printers leave this much of the paper white
BAR_PAD_MM = 0.6  # black beside the words of a demonstration bar
RULER_MM = 100.0
RULER_TICK_MM = 2.5
RULER_TEXT = "In 100 %, không co giãn: thước này dài đúng 100 mm"
RULER_TEXT_GAP_MM = 2.0
_EPS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle, mm, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def inside(self, other: "Box") -> bool:
        """Whether this lies wholly in *other*."""
        return (
            self.left >= other.left - _EPS
            and self.top >= other.top - _EPS
            and self.right <= other.right + _EPS
            and self.bottom <= other.bottom + _EPS
        )

    def meets(self, other: "Box") -> bool:
        """Whether this and *other* share more than an edge."""
        return (
            self.left < other.right - _EPS
            and other.left < self.right - _EPS
            and self.top < other.bottom - _EPS
            and other.top < self.bottom - _EPS
        )

    def shrunk(self, by: float) -> "Box":
        """Return the box with *by* mm taken off each side; negative grows it."""
        return Box(left=self.left + by, top=self.top + by, right=self.right - by, bottom=self.bottom - by)


def check(template: SheetTemplate, *, where: str) -> None:
    """
    Refuse *template* where its geometry does not hold.

    Args:
        template: What was read.

        where: Its file, for the message.

    Raises:
        InputError: With the first thing wrong, naming *where* and the key.
    """
    for key, message in _faults(template):
        raise InputError(message, code="template", where=f"{where}: {key}")


def column_box(column: Column) -> Box:
    """Return what *column* covers in its cell when every line is used, ink included."""
    head, *followers = column
    height = ascent_mm(head.size_pt, exact=head.exact) + (head.max_lines - 1) * pitch_mm(head.size_pt)
    height += sum(text.gap + text.max_lines * pitch_mm(text.size_pt) for text in followers)
    height += descent_mm(max(text.size_pt for text in column))
    top = head.y or 0.0
    return Box(
        left=min(text.x for text in column),
        top=top,
        right=max(text.x + text.width for text in column),
        bottom=top + height,
    )


def ruler_box(template: SheetTemplate) -> Box:
    """Return what the ruler and its words cover on the page."""
    ruler = template.ruler
    words = face("medium").width_em(RULER_TEXT) * ruler.size_pt * PT_MM
    return Box(
        left=ruler.x,
        top=ruler.y - max(RULER_TICK_MM, ascent_mm(ruler.size_pt)),
        right=ruler.x + RULER_MM + RULER_TEXT_GAP_MM + words,
        bottom=ruler.y + descent_mm(ruler.size_pt),
    )


def _faults(template: SheetTemplate) -> Iterator[tuple[str, str]]:
    yield from _grid_faults(template)
    yield from _qr_faults(template)
    for place, text in enumerate(template.texts):
        yield from _text_faults(text, first=place == 0, key=f"text[{place}]")
    fields = [text.field for text in template.texts]
    for field in REQUIRED:
        if field not in fields:
            yield "text", f"expected a text for {field}: every stamp shows it"
    for field in fields:
        if fields.count(field) > 1:
            yield "text", f"expected {field} once, found it {fields.count(field)} times"
    yield from _cell_faults(template)
    yield from _margin_faults(template)


def _grid_faults(template: SheetTemplate) -> Iterator[tuple[str, str]]:
    page, grid = template.page, template.grid
    if not (grid.cell_width > 0 and grid.cell_height > 0):
        yield "grid.cell_width", "expected cells with a width and a height"
    if grid.right > page.width + _EPS:
        yield (
            "grid.columns",
            f"expected the cells on a page {page.width:g} mm wide, they end at {grid.right:g} mm",
        )
    if grid.bottom > page.height + _EPS:
        yield (
            "grid.rows",
            f"expected the cells on a page {page.height:g} mm high, they end at {grid.bottom:g} mm",
        )


def _qr_faults(template: SheetTemplate) -> Iterator[tuple[str, str]]:
    qr = template.qr
    if qr.quiet_modules < QUIET_MODULES:
        yield "qr.quiet_modules", f"expected {QUIET_MODULES} at least (ISO/IEC 18004), got {qr.quiet_modules}"
    if qr.min_module < MIN_MODULE_MM - _EPS:
        yield (
            "qr.min_module",
            f"expected {MIN_MODULE_MM} mm at least, got {qr.min_module:g}: phones would not read it",
        )
    if not _qr_box(template).inside(_cell_box(template)):
        yield "qr.side", f"expected the symbol and its quiet zone, {qr.side:g} mm, inside the cell"


def _text_faults(text: TextBox, *, first: bool, key: str) -> Iterator[tuple[str, str]]:
    if not MIN_PT <= text.size_pt <= 40:
        yield f"{key}.size_pt", f"expected {MIN_PT:g} to 40 pt, got {text.size_pt:g}"
        return
    if first and text.y is None:
        yield f"{key}.gap", "expected y: there is no text before this one"
    if text.field == "title" and text.y is None:
        yield f"{key}.gap", "expected y: the title opens a column, a demonstration puts a bar in its place"
    fixed: list[tuple[str, TextBox]] = []
    if text.field == "title":
        bar = replace(text, weight="bold", width=text.width - 2 * BAR_PAD_MM, max_lines=1)
        fixed = [(TITLE, text), (DEMO, bar)]
    elif text.field == "prompt":
        fixed = [(PROMPT, text)]
    for words, box in fixed:
        if not _holds(box, words):
            yield f"{key}.width", f"expected room for {words!r} at {MIN_PT:g} pt, got {text.width:g} mm"


def _holds(box: TextBox, words: str) -> bool:
    fitted = fit(
        words,
        weight=box.weight,
        size_pt=box.size_pt,
        width_mm=max(box.width, 0.1),
        max_lines=box.max_lines,
        exact=False,
    )
    return " ".join(fitted.lines) == words


def _cell_faults(template: SheetTemplate) -> Iterator[tuple[str, str]]:
    safe = _cell_box(template).shrunk(SAFE_MM)
    columns = [
        (f"text ({', '.join(text.field for text in column)})", column_box(column))
        for column in template.columns
    ]
    for key, box in columns:
        if not box.inside(safe):
            yield (
                key,
                f"expected the text {SAFE_MM} mm inside the cell, it covers {_show(box)} of {_show(safe)}",
            )
        if box.meets(_qr_box(template)):
            yield (
                key,
                f"expected the quiet zone free, the text covers {_show(box)}, the symbol {_show(_qr_box(template))}",
            )
    for (_, one), (key, other) in combinations(columns, 2):
        if one.meets(other):
            yield key, f"expected texts apart, {_show(other)} overlaps {_show(one)}"


def _margin_faults(template: SheetTemplate) -> Iterator[tuple[str, str]]:
    page, grid, marks, note = template.page, template.grid, template.marks, template.note
    paper = Box(left=0, top=0, right=page.width, bottom=page.height).shrunk(UNPRINTABLE_MM)
    stamps = Box(left=grid.left, top=grid.top, right=grid.right, bottom=grid.bottom)
    marked = stamps.shrunk(-marks.offset - marks.length)
    if not 0.1 <= marks.line_pt <= 1:
        yield "marks.line_pt", f"expected 0.1 to 1 pt, got {marks.line_pt:g}"
    if marks.offset < 0.3:
        yield "marks.offset", f"expected 0.3 mm at least, got {marks.offset:g}: marks must not reach a stamp"
    if not marked.inside(paper):
        yield (
            "marks.length",
            f"expected the crop marks {UNPRINTABLE_MM:g} mm inside the paper, they reach {_show(marked)}",
        )
    for key, size_pt in (("note.size_pt", note.size_pt), ("ruler.size_pt", template.ruler.size_pt)):
        if not MIN_PT <= size_pt <= 12:
            yield key, f"expected {MIN_PT:g} to 12 pt, got {size_pt:g}"
    line = Box(
        left=note.x,
        top=note.y,
        right=grid.right,
        bottom=note.y + ascent_mm(note.size_pt) + descent_mm(note.size_pt),
    )
    for key, box in (("note.y", line), ("ruler.y", ruler_box(template))):
        if not box.inside(paper):
            yield key, f"expected it {UNPRINTABLE_MM:g} mm inside the paper, it covers {_show(box)}"
        if box.meets(marked):
            yield key, f"expected it clear of stamps and crop marks, {_show(box)} meets {_show(marked)}"
    if line.meets(ruler_box(template)):
        yield "ruler.y", "expected the ruler clear of the note"


def _cell_box(template: SheetTemplate) -> Box:
    return Box(left=0, top=0, right=template.grid.cell_width, bottom=template.grid.cell_height)


def _qr_box(template: SheetTemplate) -> Box:
    qr = template.qr
    return Box(left=qr.x, top=qr.y, right=qr.x + qr.side, bottom=qr.y + qr.side)


def _show(box: Box) -> str:
    return f"x {box.left:.1f}-{box.right:.1f}, y {box.top:.1f}-{box.bottom:.1f} mm"
