# SPDX-License-Identifier: Apache-2.0
"""
What stands between and around the stamps of a sheet: crop marks, the 100 mm ruler, the margin note.

All as plain values in millimetres of the page; nothing here reaches into a cell.
"""

from collections.abc import Iterator, Sequence

from traceledger.printing.geometry import RULER_MM, RULER_TEXT, RULER_TEXT_GAP_MM, RULER_TICK_MM
from traceledger.printing.label import DEMO, StampLabel, normalise
from traceledger.printing.layout import Line
from traceledger.printing.sheet import SheetTemplate
from traceledger.printing.text import ascent_mm, fit

Segment = tuple[float, float, float, float]  # x1, y1, x2, y2


def crop_marks(template: SheetTemplate) -> tuple[Segment, ...]:
    """Return the marks: every cutting line outside the grid and, where a gap is wide enough, inside it."""
    grid, marks = template.grid, template.marks
    across = tuple(_edges(grid.left, count=grid.columns, size=grid.cell_width, gap=grid.gap_x))
    down = tuple(_edges(grid.top, count=grid.rows, size=grid.cell_height, gap=grid.gap_y))
    reach = marks.offset + marks.length
    columns = tuple(_spans(down, reach=reach, offset=marks.offset))
    rows = tuple(_spans(across, reach=reach, offset=marks.offset))
    return tuple(
        [(x, start, x, end) for x in sorted(set(across)) for start, end in columns]
        + [(start, y, end, y) for y in sorted(set(down)) for start, end in rows]
    )


def ruler_segments(template: SheetTemplate) -> tuple[Segment, ...]:
    """Return the base line of the ruler and a tick each ten millimetres, longer at 0, 50 and 100."""
    x, y = template.ruler.x, template.ruler.y
    ticks = [
        (x + at, y, x + at, y - (RULER_TICK_MM if at % 50 == 0 else RULER_TICK_MM / 2))
        for at in range(0, round(RULER_MM) + 1, 10)
    ]
    return ((x, y, x + RULER_MM, y), *ticks)


def ruler_line(template: SheetTemplate) -> Line:
    """Return the words beside the ruler."""
    ruler = template.ruler
    return Line(
        text=RULER_TEXT,
        weight="medium",
        size_pt=ruler.size_pt,
        x=ruler.x + RULER_MM + RULER_TEXT_GAP_MM,
        baseline=ruler.y,
    )


def note_line(template: SheetTemplate, *, sheet: int, stamps: Sequence[StampLabel]) -> Line:
    """
    Return the margin note of one sheet: roll, sheet, serial range, how many stamps, which template.

    Args:
        template: Of the sheet.

        sheet: Its number, from 1.

        stamps: On it, in order.
    """
    note, grid = template.note, template.grid
    demo = f" · {DEMO}" if any(stamp.is_demo for stamp in stamps) else ""
    first, last = stamps[0], stamps[-1]
    text = (
        f"Cuộn {first.roll} · Tờ {sheet} · {first.number_text} – {last.number_text} · "
        f"{len(stamps)} tem · {template.name}{demo}"
    )
    fitted = fit(
        normalise(text),
        weight="medium",
        size_pt=note.size_pt,
        width_mm=grid.right - note.x,
        max_lines=1,
        exact=False,
    )
    return Line(
        text=fitted.lines[0],
        weight="medium",
        size_pt=fitted.size_pt,
        x=note.x,
        baseline=note.y + ascent_mm(fitted.size_pt),
    )


def _edges(start: float, *, count: int, size: float, gap: float) -> Iterator[float]:
    """Yield both edges of each cell along one axis, in order."""
    for place in range(count):
        yield start + place * (size + gap)
        yield start + place * (size + gap) + size


def _spans(edges: tuple[float, ...], *, reach: float, offset: float) -> Iterator[tuple[float, float]]:
    """Yield where a cutting line is drawn along the other axis: before, in each gap, after."""
    yield edges[0] - reach, edges[0] - offset
    for end, start in zip(edges[1:-1:2], edges[2::2], strict=True):
        if start - end > 2 * offset + 0.5:
            yield end + offset, start - offset
    yield edges[-1] + offset, edges[-1] + reach
