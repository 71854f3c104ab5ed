# SPDX-License-Identifier: Apache-2.0
"""Every printed stamp is read back by a decoder that did not make it."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from traceledger.errors import InputError
from traceledger.printing import template
from traceledger.printing.selfcheck import MAX_MISSES, check_sheet

from .conftest import LONG, SHIPPED, cell_of

Make = Callable[..., Any]
LARGE, MIDDLE = template.load("a4-50x40"), template.load("a4-40x30")


@pytest.mark.usefixtures("read_qr")
class TestCheck:
    @pytest.mark.parametrize("signed", [False, True], ids=["61-characters", "150-characters"])
    @pytest.mark.parametrize("names", [{}, LONG, {"demo": True}], ids=["short", "long", "demo"])
    @pytest.mark.parametrize("name", SHIPPED)
    def test_full_sheets_read_back(
        self, name: str, names: dict[str, Any], signed: bool, make_labels: Make, make_sheet: Make
    ) -> None:
        """Every stamp of full sheets is read by zbar at 300 dpi and is the link it should be."""
        sheet = template.load(name)
        labels = make_labels(2 * sheet.grid.cells, signed=signed, **names)
        seen: list[int] = []
        report = check_sheet(make_sheet(labels, sheet), labels, sheet, progress=seen.append)
        assert (report.result, report.checked, report.reason) == ("pass", len(labels), None)
        assert seen == [sheet.grid.cells, 2 * sheet.grid.cells]

    def test_reads_a_file_by_path_and_only_the_pages_asked_for(
        self, make_labels: Make, make_sheet: Make, tmp_path: Path
    ) -> None:
        """A reprint of one sheet is checked against that sheet's stamps."""
        labels = make_labels(60)
        path = tmp_path / "sheet.pdf"
        path.write_bytes(make_sheet(labels, LARGE, pages=range(2, 3)))
        assert check_sheet(path, iter(labels), LARGE, pages=range(2, 3)).result == "pass"
        assert check_sheet(path, labels, LARGE, pages=range(3, 4)).result == "fail"

    def test_one_wrong_stamp_is_named(self, make_labels: Make, make_sheet: Make) -> None:
        """A stamp with another's link fails the sheet, and the report says which and what was read."""
        labels = make_labels(32)
        printed = make_sheet(labels, MIDDLE)
        labels[7] = replace(labels[7], uri=labels[7].uri[:-1] + "0")
        report = check_sheet(printed, labels, MIDDLE)
        (miss,) = report.misses
        assert report.result == "fail"
        assert (miss.sheet, miss.slot, miss.number, miss.expected) == (1, 7, 8, labels[7].uri)
        assert miss.got == printed_link(make_labels, 7)

    def test_wrong_template_is_caught(self, make_labels: Make, make_sheet: Make) -> None:
        """A sheet cut as another template has it does not pass, and a long list of misses is kept short."""
        labels = make_labels(160)
        report = check_sheet(make_sheet(labels, MIDDLE), labels, template.load("a4-25x35"))
        assert report.result == "fail"
        assert len(report.misses) <= MAX_MISSES

    @pytest.mark.parametrize("count", [18, 54], ids=["too-few", "too-many"])
    def test_page_count_must_agree(self, count: int, make_labels: Make, make_sheet: Make) -> None:
        """A file with fewer or more sheets than stamps ask for fails, though each of its stamps reads."""
        report = check_sheet(make_sheet(make_labels(count), LARGE), make_labels(36), LARGE)
        assert report.result == "fail"
        assert "pages" in str(report.reason) or "page 2" in str(report.reason)

    def test_no_pdf_is_refused(self, make_labels: Make) -> None:
        """Bytes that are no PDF are the caller's mistake, not a failed check."""
        with pytest.raises(InputError):
            check_sheet(b"%PDF-nothing", make_labels(1), LARGE)


def printed_link(make_labels: Make, place: int) -> str:
    """Return the link that was printed at *place*."""
    link: str = make_labels(place + 1)[place].uri
    return link


@pytest.mark.parametrize("module", ["pyzbar.pyzbar", "pypdfium2"])
def test_absent_decoder_is_not_a_pass(
    module: str, make_labels: Make, make_sheet: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where zbar or PDFium cannot be loaded the answer is "not checked" and says what is missing."""
    printed = make_sheet(make_labels(1), LARGE)
    monkeypatch.setitem(sys.modules, module, None)
    report = check_sheet(printed, make_labels(1), LARGE)
    assert (report.result, report.checked) == ("not checked", 0)
    assert module in str(report.reason)


def _blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(1.5))


def _rotated(picture: Image.Image) -> Image.Image:
    return picture.rotate(11, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)


def _faded(picture: Image.Image) -> Image.Image:
    return picture.point([90 + value // 3 for value in range(256)])


def _tilted(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    corners = (0, 0, width * 0.06, height, width * 0.94, height, width, 0)
    return picture.transform(
        (width, height), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=255
    )


def _blotted(picture: Image.Image) -> Image.Image:
    stained = picture.copy()
    x, y = round(10 / 25.4 * 300), round(10 / 25.4 * 300)
    stained.paste(0, (x, y, x + 18, y + 18))
    return stained


@pytest.mark.parametrize("harm", [_blurred, _rotated, _faded, _tilted, _blotted])
@pytest.mark.parametrize("signed", [False, True], ids=["61-characters", "150-characters"])
def test_survives_what_prints_suffer(
    harm: Callable[[Image.Image], Image.Image],
    signed: bool,
    make_labels: Make,
    make_sheet: Make,
    render: Make,
    read_qr: Callable[[Image.Image], list[str]],
) -> None:
    """Blurred, turned, faded, tilted or blotted, a sample of stamps still reads as printed, and none reads wrong."""
    labels = make_labels(LARGE.grid.cells, signed=signed)
    picture = render(make_sheet(labels, LARGE))
    read = [read_qr(harm(cell_of(picture, LARGE, slot))) for slot in range(LARGE.grid.cells)]
    assert all(got in ([], [label.uri]) for got, label in zip(read, labels, strict=True))
    assert sum(got != [] for got in read) >= 0.9 * len(read)
