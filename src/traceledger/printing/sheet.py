# SPDX-License-Identifier: Apache-2.0
"""
The shapes of a sheet of stamps: page, grid, cell, margin; millimetres from the top left, y downwards.

Values only.  `template` reads them from a file, `geometry` says whether they hold, `layout` fills a cell.
"""

from dataclasses import dataclass
from typing import Literal

from traceledger.printing.fonts import Weight
from traceledger.printing.qr import Square

Align = Literal["left", "center", "right"]
Valign = Literal["top", "middle", "bottom"]
Field = Literal["title", "product", "producer", "place", "prompt", "number", "host"]

FIELDS: tuple[Field, ...] = ("title", "product", "producer", "place", "prompt", "number", "host")
REQUIRED: tuple[Field, ...] = ("title", "number", "host")
EXACT: tuple[Field, ...] = ("number", "host")  # compared letter by letter: never cut, ASCII
ALIGNS: tuple[Align, ...] = ("left", "center", "right")
VALIGNS: tuple[Valign, ...] = ("top", "middle", "bottom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Size of the paper, mm."""

    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Cells on the page: *columns* × *rows* of *cell_width* × *cell_height* mm, the first at (*left*, *top*)."""

    columns: int
    rows: int
    left: float
    top: float
    cell_width: float
    cell_height: float
    gap_x: float
    gap_y: float

    @property
    def cells(self) -> int:
        """Stamps on a sheet."""
        return self.columns * self.rows

    @property
    def right(self) -> float:
        """Right edge of the last column, mm."""
        return self.left + self.columns * self.cell_width + (self.columns - 1) * self.gap_x

    @property
    def bottom(self) -> float:
        """Lower edge of the last row, mm."""
        return self.top + self.rows * self.cell_height + (self.rows - 1) * self.gap_y

    def cell(self, slot: int) -> tuple[float, float]:
        """Return the top left corner of cell number *slot*, counted row by row from 0."""
        row, column = divmod(slot, self.columns)
        return self.left + column * (self.cell_width + self.gap_x), self.top + row * (
            self.cell_height + self.gap_y
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QrBox:
    """Where the symbol stands in the cell, *quiet_modules* of white inside *side* included."""

    x: float
    y: float
    side: float
    quiet_modules: int
    min_module: float

    @property
    def square(self) -> Square:
        """The same as the encoder asks for it."""
        return Square(side_mm=self.side, quiet=self.quiet_modules, min_module_mm=self.min_module)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBox:
    """
    One text of the cell.  With *y* it opens a column; with *gap* it follows the text before.

    Args:
        field: Which text.

        x: Left edge, mm in the cell.

        width: Width at hand, mm.

        size_pt: Largest size; a long text shrinks to 5 pt.

        weight: Face.

        align: Of its lines.

        max_lines: Lines at *size_pt*.

        y: Top of the column, mm in the cell.

        valign: Where the column puts the room its texts leave.

        gap: Or: mm added to the line pitch after the text before.
    """

    field: Field
    x: float
    width: float
    size_pt: float
    weight: Weight
    align: Align
    max_lines: int
    y: float | None = None
    valign: Valign = "top"
    gap: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether the text is ASCII that is never cut."""
        return self.field in EXACT


Column = tuple[TextBox, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Crop marks: *offset* mm away from the cells, *length* mm long outside the grid, *line_pt* thick."""

    length: float
    offset: float
    line_pt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Margin line with roll, sheet and serial range: its left end and upper edge on the page, mm."""

    x: float
    y: float
    size_pt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """Margin ruler of exactly 100 mm: its left end and base line on the page, mm."""

    x: float
    y: float
    size_pt: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SheetTemplate:
    """A checked sheet of stamps.  Compared by identity, so that settings of its cells can be remembered."""

    name: str
    title: str
    page: Page
    grid: Grid
    qr: QrBox
    texts: tuple[TextBox, ...]
    marks: Marks
    note: Note
    ruler: Ruler

    @property
    def columns(self) -> tuple[Column, ...]:
        """The texts by column, each run that follows a *y*."""
        columns: list[Column] = []
        for text in self.texts:
            if text.y is not None or not columns:
                columns.append((text,))
            else:
                columns[-1] += (text,)
        return tuple(columns)
