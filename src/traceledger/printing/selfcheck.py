# SPDX-License-Identifier: Apache-2.0
"""
Reads printed sheets back: each page as a picture, each cell cut out, each symbol decoded by zbar.

The decoder must not be the one that made the symbols, or an error common to both would pass.  Where PDFium or
zbar is absent the answer is "not checked"; there is no second-best.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from PIL import Image

from traceledger.errors import InputError
from traceledger.printing.label import StampLabel
from traceledger.printing.pdf import sheets_of
from traceledger.printing.sheet import SheetTemplate

MAX_MISSES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """
    One stamp that did not read back.

    Args:
        sheet: Sheet number, from 1.

        slot: Place on the sheet, row by row from 0.

        number: Of the stamp.

        expected: Its link.

        got: What was read, or None where nothing was.
    """

    sheet: int
    slot: int
    number: int
    expected: str
    got: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """
    What the decoder saw.

    Args:
        result: ``pass`` only if every stamp of every sheet was read and equals its link.

        checked: Stamps looked at.

        misses: The first hundred that differ.

        reason: Why not ``pass``, in words; None where it is.
    """

    result: Literal["pass", "fail", "not checked"]
    checked: int
    misses: tuple[Miss, ...]
    reason: str | None


def check_sheet(
    pdf: Path | bytes,
    labels: Iterable[StampLabel],
    template: SheetTemplate,
    *,
    pages: range | None = None,
    dpi: int = 300,
    progress: Callable[[int], None] | None = None,
) -> CheckReport:
    """
    Compare every stamp in *pdf* with *labels*.

    Args:
        pdf: What `write_sheet` wrote, or the path of it.

        labels: The same labels as were printed.

        template: The same template.

        pages: The same sheet numbers.

        dpi: Resolution of the picture; 300 is what a cheap printer does.

        progress: Called after each sheet with the number of stamps checked so far.

    Raises:
        InputError: If *pdf* is no PDF.
    """
    try:
        pdfium = importlib.import_module("pypdfium2")
        zbar = importlib.import_module("pyzbar.pyzbar")
    except ImportError as error:
        return CheckReport(
            result="not checked", checked=0, misses=(), reason=f"no independent decoder here: {error}"
        )
    with closing(_Reader(pdfium, zbar, pdf, dpi=dpi)) as reader:
        return _check(reader, sheets_of(labels, template, pages=pages), template, progress)


def _check(
    reader: "_Reader",
    sheets: Iterable[tuple[int, Iterable[StampLabel]]],
    template: SheetTemplate,
    progress: Callable[[int], None] | None,
) -> CheckReport:
    checked = missed = place = 0
    misses: list[Miss] = []
    for place, (sheet, stamps) in enumerate(sheets, 1):
        if place > reader.pages:
            return _failed(
                checked, misses, f"expected sheet {sheet} on page {place}, the file has {reader.pages}"
            )
        for slot, (label, got) in enumerate(zip(stamps, reader.links(place - 1, template), strict=False)):
            checked += 1
            if got != label.uri:
                missed += 1
                miss = Miss(sheet=sheet, slot=slot, number=label.number, expected=label.uri, got=got)
                misses.extend([miss][: MAX_MISSES - len(misses)])
        if progress is not None:
            progress(checked)
    if place != reader.pages:
        return _failed(checked, misses, f"expected {place} pages, the file has {reader.pages}")
    if missed or not checked:
        return _failed(checked, misses, f"{missed} of {checked} stamps did not read back as printed")
    return CheckReport(result="pass", checked=checked, misses=(), reason=None)


def _failed(checked: int, misses: list[Miss], reason: str) -> CheckReport:
    return CheckReport(result="fail", checked=checked, misses=tuple(misses), reason=reason)


class _Reader:
    """Pages of one PDF as pictures, and the links zbar finds in their cells."""

    def __init__(self, pdfium: ModuleType, zbar: ModuleType, pdf: Path | bytes, *, dpi: int) -> None:
        self._zbar = zbar
        self._scale_mm = dpi / 25.4
        self._zoom = dpi / 72
        try:
            self._document: Any = pdfium.PdfDocument(pdf)
        except pdfium.PdfiumError as error:
            raise InputError(f"expected a PDF of stamp sheets: {error}", code="pdf") from None
        self.pages: int = len(self._document)

    def close(self) -> None:
        """Let the file go."""
        self._document.close()

    def links(self, page: int, template: SheetTemplate) -> Iterator[str | None]:
        """Yield for each cell of *page* the one link in it, or None."""
        picture = self._document[page].render(scale=self._zoom, grayscale=True).to_pil()
        for slot in range(template.grid.cells):
            x, y = template.grid.cell(slot)
            corners = (x, y, x + template.grid.cell_width, y + template.grid.cell_height)
            left, top, right, bottom = (round(mm * self._scale_mm) for mm in corners)
            yield self._read(picture.crop((left, top, right, bottom)))

    def _read(self, crop: Image.Image) -> str | None:
        found = self._zbar.decode(crop, symbols=[self._zbar.ZBarSymbol.QRCODE])
        return found[0].data.decode("utf-8", "replace") if len(found) == 1 else None
