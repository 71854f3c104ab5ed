# SPDX-License-Identifier: Apache-2.0
"""
Sheets of stamps as PDF: vector symbols, embedded type, black only (CMYK 0 0 0 1), one page at a time.

The content of a page depends on its labels, its number and the template alone, so page 37 printed again is page
37 of the whole.  Memory does not grow with the roll.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import BinaryIO

from traceledger.errors import InputError
from traceledger.printing.fonts import WEIGHTS, Weight, face
from traceledger.printing.label import StampLabel
from traceledger.printing.layout import CellLayout, Line, Setting, lay_out
from traceledger.printing.marks import crop_marks, note_line, ruler_line, ruler_segments
from traceledger.printing.pdffile import PdfFile, number_text
from traceledger.printing.qr import DOT_MM, Symbol, dark_runs
from traceledger.printing.sheet import SheetTemplate
from traceledger.printing.text import PT_MM

_BLACK, _WHITE = "0 0 0 1 k", "0 0 0 0 k"
_CHUNK = 8
_MAX_SETTINGS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReport:
    """
    What was written.

    Args:
        pages: Sheets.

        stamps: Stamps on them.

        first: Number of the first stamp.

        last: Number of the last.
    """

    pages: int
    stamps: int
    first: int
    last: int


def write_sheet(
    out: BinaryIO,
    labels: Iterable[StampLabel],
    template: SheetTemplate,
    *,
    progress: Callable[[int], None] | None = None,
    pages: range | None = None,
) -> SheetReport:
    """
    Write *labels*, row by row, as sheets of *template* to *out*.

    On an error *out* holds part of a file: write to a temporary name and rename.

    Args:
        out: Binary stream; need not be seekable.

        labels: All stamps of the run in order.  Of a sequence only those on wanted sheets are touched.

        template: The sheet.

        progress: Called after each sheet with the number of stamps written so far.

        pages: Sheet numbers to write, the first sheet being 1; all where omitted.

    Raises:
        InputError: If there is no stamp on these sheets, or one does not fit the template.
    """
    writer = _SheetWriter(out, template)
    first = last = None
    for sheet, stamps in sheets_of(labels, template, pages=pages):
        writer.write_page(sheet, stamps)
        first = first or stamps[0]
        last = stamps[-1]
        if progress is not None:
            progress(writer.stamps)
    if first is None or last is None:
        raise InputError("expected at least one stamp on the sheets asked for, got none", code="label")
    writer.finish(first, last)
    return SheetReport(pages=writer.pages, stamps=writer.stamps, first=first.number, last=last.number)


def sheets_of(
    labels: Iterable[StampLabel], template: SheetTemplate, *, pages: range | None = None
) -> Iterator[tuple[int, Sequence[StampLabel]]]:
    """Yield number and stamps of each wanted sheet, in order; a sequence is sliced, anything else read through."""
    each = template.grid.cells
    if isinstance(labels, Sequence):
        for sheet in range(1, -(-len(labels) // each) + 1) if pages is None else sorted(pages):
            if sheet >= 1 and (stamps := labels[(sheet - 1) * each : sheet * each]):
                yield sheet, stamps
        return
    source, sheet = iter(labels), 0
    while stamps := tuple(islice(source, each)):
        sheet += 1
        if pages is None or sheet in pages:
            yield sheet, stamps
        if pages is not None and sheet >= max(pages, default=0):
            return


class _SheetWriter:
    """A file being filled with sheets; remembers only which glyphs were used."""

    def __init__(self, out: BinaryIO, template: SheetTemplate) -> None:
        self._template = template
        self._file = PdfFile(out)
        self._resources = self._file.reserve()
        self._gids: dict[Weight, set[int]] = {}
        self._height_pt = template.page.height / PT_MM
        self._settings: dict[Setting, str] = {}
        self._frame = self._frame_ops()
        self.pages = 0
        self.stamps = 0

    def write_page(self, sheet: int, stamps: Sequence[StampLabel]) -> None:
        template = self._template
        note = note_line(template, sheet=sheet, stamps=stamps)
        ops = [self._frame, self._line_op(note, origin_pt=self._height_pt)]
        ops.extend(self._stamp_op(slot, lay_out(label, template)) for slot, label in enumerate(stamps))
        self._file.add_page(
            "\n".join(ops),
            width_pt=template.page.width / PT_MM,
            height_pt=self._height_pt,
            resources=self._resources,
        )
        self.pages += 1
        self.stamps += len(stamps)

    def finish(self, first: StampLabel, last: StampLabel) -> None:
        fonts = []
        for weight, gids in sorted(self._gids.items()):
            number = self._file.reserve()
            self._file.add_font(face(weight), gids, number=number)
            fonts.append(f"/{_font_name(weight)} {number} 0 R")
        self._file.add(f"<</Font<<{''.join(fonts)}>>>>", number=self._resources)
        span = first.number_text if first is last else f"{first.number_text} – {last.number_text}"
        self._file.finish(title=f"Tem truy xuất nguồn gốc · {span} · {self._template.name}", language="vi-VN")

    def _frame_ops(self) -> str:
        """Return what every sheet has: crop marks, ruler and its words."""
        template = self._template
        lines = (*crop_marks(template), *ruler_segments(template))
        moves = "\n".join(f"{self._point(x1, y1)} m {self._point(x2, y2)} l" for x1, y1, x2, y2 in lines)
        stroke = f"q 0 0 0 1 K {number_text(template.marks.line_pt)} w\n{moves} S Q"
        return f"{stroke}\n{_BLACK}\n{self._line_op(ruler_line(template), origin_pt=self._height_pt)}"

    def _stamp_op(self, slot: int, cell: CellLayout) -> str:
        setting = self._settings.get(cell.setting)
        if setting is None:
            setting = self._settings[cell.setting] = self._setting_ops(cell.setting)
        return "\n".join(
            (
                f"q 1 0 0 1 {self._point(*self._template.grid.cell(slot))} cm",
                setting,
                self._line_op(cell.number, origin_pt=0),
                f"{self._symbol_place(slot, cell)} {symbol_path(cell.symbol)}f Q",
            )
        )

    def _setting_ops(self, setting: Setting) -> str:
        """Return what all stamps of a roll share, relative to the upper left corner of a cell."""
        if len(self._settings) >= _MAX_SETTINGS:
            self._settings.clear()
        ops = []
        for bar in setting.bars:
            sides = (bar.x, -bar.y - bar.height, bar.width, bar.height)
            ops.append(" ".join(number_text(side / PT_MM) for side in sides) + " re f")
        for line in setting.lines:
            op = self._line_op(line, origin_pt=0)
            ops.append(f"{_WHITE} {op} {_BLACK}" if line.inverse else op)
        return "\n".join(ops)

    def _symbol_place(self, slot: int, cell: CellLayout) -> str:
        """Return the matrix from modules to the cell, the symbol's corner on a whole printer dot of the page."""
        left, top = self._template.grid.cell(slot)
        x, y = (round((edge + at) / DOT_MM) * DOT_MM - edge for edge, at in ((left, cell.x), (top, cell.y)))
        unit = f"{cell.module_mm / PT_MM:.4f}"
        return f"{unit} 0 0 -{unit} {number_text(x / PT_MM)} {number_text(-y / PT_MM)} cm"

    def _line_op(self, line: Line, *, origin_pt: float) -> str:
        gids = face(line.weight).gids(line.text)
        self._gids.setdefault(line.weight, set()).update(gids)
        digits = "".join([f"{gid:04X}" for gid in gids])
        point = f"{number_text(line.x / PT_MM)} {number_text(origin_pt - line.baseline / PT_MM)}"
        return f"BT /{_font_name(line.weight)} {number_text(line.size_pt)} Tf {point} Td <{digits}> Tj ET"

    def _point(self, x_mm: float, y_mm: float) -> str:
        return f"{number_text(x_mm / PT_MM)} {number_text(self._height_pt - y_mm / PT_MM)}"


def _font_name(weight: Weight) -> str:
    return f"F{WEIGHTS.index(weight) + 1}"


def symbol_path(symbol: Symbol) -> str:
    """Return the dark modules of *symbol* as PDF rectangles, one unit to the module, y downwards."""
    modules = symbol.modules
    return "".join([_RUNS[x, y, modules[start:end]] for x, y, start, end in _chunks(symbol.size)])


@lru_cache(maxsize=40)
def _chunks(size: int) -> tuple[tuple[int, int, int, int], ...]:
    """Return column, row, start and end of each stretch of eight modules in a symbol of *size*."""
    return tuple(
        (x, y, y * size + x, y * size + min(x + _CHUNK, size))
        for y in range(size)
        for x in range(0, size, _CHUNK)
    )


class _Runs(dict[tuple[int, int, bytes], str]):
    """
    Rectangles for the dark runs of eight modules at a place, made once.

    There are few (256 patterns for each of some 200 places), so a roll of any length fills the table only once.
    """

    def __missing__(self, key: tuple[int, int, bytes]) -> str:
        x, y, row = key
        text = "".join(f"{x + at} {y} {length} 1 re " for at, length in dark_runs(row))
        self[key] = text
        return text


_RUNS = _Runs()
