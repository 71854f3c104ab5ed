# SPDX-License-Identifier: Apache-2.0
"""Sheets as PDF: black only, the same twice, page 37 alone as in the whole, nothing over a quiet zone."""

import io
import shutil
import subprocess
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image, ImageChops

from traceledger.errors import InputError
from traceledger.printing import pdf, template
from traceledger.printing.label import StampLabel
from traceledger.printing.layout import lay_out
from traceledger.printing.pdf import SheetReport, write_sheet
from traceledger.printing.sheet import SheetTemplate

from .conftest import LONG, SHIPPED, cell_of, operators, page_contents

Make = Callable[..., Any]
_DRAWING = {"q", "Q", "cm", "re", "f", "m", "l", "S", "w", "k", "K", "BT", "ET", "Tf", "Td", "Tj"}
LARGE, MIDDLE, SMALL = (template.load(name) for name in ("a4-50x40", "a4-40x30", "a4-25x35"))


class TestBytes:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_same_labels_give_same_bytes(self, name: str, make_labels: Make, make_sheet: Make) -> None:
        """A file written twice is the same file."""
        sheet = template.load(name)
        assert make_sheet(make_labels(50), sheet) == make_sheet(make_labels(50), sheet)

    def test_one_page_is_the_same_alone_and_in_the_whole(self, make_labels: Make, make_sheet: Make) -> None:
        """Page 37 printed again is page 37 of the whole, byte for byte, from a list or from a stream."""
        labels = make_labels(40 * LARGE.grid.cells)
        whole = page_contents(make_sheet(labels, LARGE))
        for source in (labels, iter(labels)):
            alone = page_contents(make_sheet(source, LARGE, pages=range(37, 38)))
            assert alone == [whole[36]]

    def test_decomposed_names_print_as_composed(self, make_labels: Make, make_sheet: Make) -> None:
        """A name typed on a phone that decomposes accents gives the same file."""
        names = {"product": "Xoài cát Hòa Lộc", "producer": "HTX Mỹ Xương", "place": "Đồng Tháp"}
        apart = {key: unicodedata.normalize("NFD", value) for key, value in names.items()}
        assert make_sheet(make_labels(3, **names), MIDDLE) == make_sheet(make_labels(3, **apart), MIDDLE)

    def test_page_does_not_depend_on_what_was_printed_before(
        self, make_labels: Make, make_sheet: Make
    ) -> None:
        """A process that printed other rolls first writes the same bytes as a fresh one."""
        expected = make_sheet(make_labels(3), MIDDLE)
        make_sheet(make_labels(300, seed=9, product="Gạo ST25"), MIDDLE)
        assert make_sheet(make_labels(3), MIDDLE) == expected


class TestInk:
    @pytest.mark.parametrize("demo", [False, True])
    def test_black_is_k_only(self, demo: bool, make_labels: Make, make_sheet: Make) -> None:
        """The only colours are 100 % K, and paper white on a bar; no operator sets any other."""
        (content,) = page_contents(make_sheet(make_labels(32, demo=demo), MIDDLE))
        found = list(operators(content))
        assert {name for name, _ in found} == _DRAWING
        colours = {(name, *operands) for name, operands in found if name in "kK"}
        black, white = ("0", "0", "0", "1"), ("0", "0", "0", "0")
        assert colours == {("k", *black), ("K", *black)} | ({("k", *white)} if demo else set())

    @pytest.mark.parametrize("name", SHIPPED)
    @pytest.mark.parametrize("demo", [False, True])
    def test_quiet_zone_is_white(
        self, name: str, demo: bool, make_labels: Make, make_sheet: Make, render: Make
    ) -> None:
        """Around every symbol four modules are white at 300 dpi, with names as long as they get."""
        sheet = template.load(name)
        labels = make_labels(sheet.grid.cells, demo=demo, signed=True, **LONG)
        picture = render(make_sheet(labels, sheet))
        for slot, label in enumerate(labels):
            cell = cell_of(picture, sheet, slot)
            layout = lay_out(label, sheet)
            ring = _ring(layout.x, layout.y, layout.module_mm, size=layout.symbol.size)
            outside, inside = ([round(mm * 300 / 25.4) for mm in box] for box in ring)
            cell.paste(255, (inside[0] - 1, inside[1] - 1, inside[2] + 1, inside[3] + 1))
            quiet = cell.crop((outside[0] + 1, outside[1] + 1, outside[2] - 1, outside[3] - 1))
            assert quiet.getextrema() == (255, 255)

    @pytest.mark.parametrize("name", SHIPPED)
    def test_ink_keeps_off_the_cut(
        self, name: str, make_labels: Make, make_sheet: Make, render: Make
    ) -> None:
        """Nothing is printed within 0.7 mm of a stamp's edge, inside, so a blade may wander; nor a mark in a stamp."""
        sheet = template.load(name)
        picture = render(make_sheet(make_labels(sheet.grid.cells, demo=True, **LONG), sheet))
        edge = round(0.7 * 300 / 25.4)
        for slot in range(sheet.grid.cells):
            cell = cell_of(picture, sheet, slot)
            cell.paste(255, (edge, edge, cell.width - edge, cell.height - edge))
            assert cell.getextrema() == (255, 255)

    def test_lines_do_not_touch(self, make_labels: Make) -> None:
        """Baselines of one column stay a line pitch of the smaller type apart, long names or short."""
        for sheet in (SMALL, MIDDLE, LARGE):
            for names in (LONG, {}):
                (label,) = make_labels(1, **names)
                lines = sorted(lay_out(label, sheet).lines, key=lambda line: (line.x // 10, line.baseline))
                for one, other in pairwise(lines):
                    if other.baseline > one.baseline:
                        apart = (other.baseline - one.baseline) / (25.4 / 72)
                        assert apart >= min(one.size_pt, other.size_pt)


def _ring(x: float, y: float, module: float, *, size: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the boxes around and inside the four modules of quiet zone, mm."""
    side, quiet = size * module, 4 * module
    return (x - quiet, y - quiet, x + side + quiet, y + side + quiet), (x, y, x + side, y + side)


class TestWords:
    def test_every_stamp_says_what_it_must(self, make_labels: Make, make_sheet: Make) -> None:
        """Title, number, domain and names of every stamp stand in the text of the page, composed."""
        words = _text_of(make_sheet(make_labels(32), MIDDLE))
        for phrase in ("TEM TRUY XUẤT", "NGUỒN GỐC", "Xoài cát chu", "HTX Xoài Bến Mẫu", "Quét để xem hồ sơ"):
            assert words.count(phrase) == 32
        assert words.count("qr.htxsotem.example") == 32
        assert all(f"A-2611-000 000 {number:03}" in words for number in range(1, 33))
        assert "DEMO" not in words

    @pytest.mark.parametrize("name", SHIPPED)
    def test_demonstration_says_so_on_every_stamp(
        self, name: str, make_labels: Make, make_sheet: Make
    ) -> None:
        """Each demonstration stamp, and the sheet, says so; none carries the title of a real one."""
        sheet = template.load(name)
        words = _text_of(make_sheet(make_labels(sheet.grid.cells, demo=True), sheet))
        assert words.count("BẢN THỬ · DEMO") == sheet.grid.cells + 1
        assert "TRUY XUẤT" not in words

    def test_margin_tells_roll_sheet_and_range(self, make_labels: Make, make_sheet: Make) -> None:
        """The margin names roll, sheet, serial range, count and template, and how to check the scale."""
        words = _text_of(make_sheet(make_labels(40), MIDDLE), page=1)
        assert "Cuộn A-2611 · Tờ 2 · A-2611-000 000 033 – A-2611-000 000 040 · 8 tem · a4-40x30" in words
        assert "In 100 %, không co giãn: thước này dài đúng 100 mm" in words

    def test_all_numbers_of_a_roll_have_one_size(self, make_labels: Make) -> None:
        """Narrow digits do not make a number larger than its neighbour's."""
        for sheet in (SMALL, MIDDLE, LARGE):
            sizes = {
                lay_out(make_labels(1, first=number)[0], sheet).number.size_pt
                for number in (111111111, 444444444)
            }
            assert len(sizes) == 1

    def test_long_domain_that_does_not_fit_is_refused(self, make_labels: Make, make_sheet: Make) -> None:
        """A domain is never cut: the stamp is refused and a larger template named as the way out."""
        host = "truyxuatnguongocnongsan.sonongnghiepvamoitruong.dongthap.example"
        (label,) = make_labels(1)
        changed = StampLabel(
            **{name: getattr(label, name) for name in ("number", "roll", "product", "producer", "place")},
            uri=f"https://{host}/01/09521234567899/21/7K3QX9ZT4M2B",
            host=host,
        )
        with pytest.raises(InputError, match="larger template"):
            make_sheet([changed], SMALL)

    def test_link_too_long_for_the_square_names_a_larger_template(
        self, make_labels: Make, make_sheet: Make
    ) -> None:
        """A link whose modules would be too small is refused, and the answer says where it fits."""
        (label,) = make_labels(1, signed=True)
        (longer,) = make_labels(1, uri=label.uri.replace("/21/", "/10/LO-RAT-DAI-2611/21/") + "x" * 40)
        with pytest.raises(InputError, match="it fits a4-50x40") as caught:
            make_sheet([longer], SMALL)
        assert caught.value.code == "module-size"

    def test_link_too_long_for_all_says_so(self, make_labels: Make, make_sheet: Make) -> None:
        """Where no shipped template is large enough the answer does not send the reader around."""
        (label,) = make_labels(1)
        (longer,) = make_labels(1, uri=label.uri + "?x=" + "aB" * 200)
        with pytest.raises(InputError, match="shorten the link"):
            make_sheet([longer], SMALL)


def _text_of(data: bytes, *, page: int = 0) -> str:
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is absent")
    with pdfium.PdfDocument(data) as document:
        text: str = document[page].get_textpage().get_text_range()
        return text.replace("\r\n", "\n")


class TestFile:
    def test_report_counts(self, make_labels: Make) -> None:
        """The report says how many sheets and stamps, and the first and last number."""
        out = io.BytesIO()
        done: list[int] = []
        report = write_sheet(out, make_labels(40, first=100), LARGE, progress=done.append)
        assert report == SheetReport(pages=3, stamps=40, first=100, last=139)
        assert done == [18, 36, 40]

    def test_metadata_and_size(self, make_labels: Make, make_sheet: Make) -> None:
        """The file has a title with the range, asks for no scaling, carries no date, and is A4."""
        data = make_sheet(make_labels(2), LARGE)
        pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is absent")
        with pdfium.PdfDocument(data) as document:
            title = document.get_metadata_value("Title")
            assert title.startswith("Tem truy xuất nguồn gốc · A-2611-000 000 001")
            assert document.get_metadata_value("CreationDate") == ""
            assert document[0].get_size() == pytest.approx((210 / 25.4 * 72, 297 / 25.4 * 72), abs=0.01)
        assert b"/PrintScaling/None" in data
        assert b"Helvetica" not in data

    def test_every_page_is_reachable_in_a_long_file(self, make_labels: Make, make_sheet: Make) -> None:
        """A page tree of several branches keeps its pages in order."""
        data = make_sheet(make_labels(130 * LARGE.grid.cells), LARGE)
        pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is absent")
        with pdfium.PdfDocument(data) as document:
            assert len(document) == 130
            assert "Tờ 97 ·" in document[96].get_textpage().get_text_range()

    @pytest.mark.parametrize("pages", [range(5, 6), range(0), range(-3, 1)])
    def test_no_stamp_is_refused(self, pages: range, make_labels: Make, make_sheet: Make) -> None:
        """A sheet beyond the run, or an empty choice, is refused instead of giving an empty file."""
        labels = make_labels(20)
        for source in (labels, iter(labels)):
            with pytest.raises(InputError, match="at least one stamp"):
                make_sheet(source, LARGE, pages=pages)

    def test_only_wanted_stamps_of_a_sequence_are_made(self, make_labels: Make, make_sheet: Make) -> None:
        """Sheet 40,000 of a lazy roll costs one sheet."""
        made: list[int] = []

        class Roll(Sequence[StampLabel]):
            def __len__(self) -> int:
                return 1_000_000

            def __getitem__(self, place: Any) -> Any:
                first, last, _ = place.indices(len(self))
                made.append(last - first)
                return make_labels(last - first, first=first + 1)

        data = make_sheet(Roll(), LARGE, pages=range(40_000, 40_001))
        assert made == [LARGE.grid.cells]
        assert "Tờ 40000 · A-2611-000 719 983" in _text_of(data)

    def test_memory_does_not_grow_with_the_roll(self, make_labels: Make) -> None:
        """Three times the stamps take the same memory: pages leave as they are made."""

        def peak(count: int) -> int:
            labels: Iterator[StampLabel] = (
                make_labels(1, seed=number % 40, first=number)[0] for number in range(1, count)
            )
            tracemalloc.start()
            write_sheet(_Sink(), labels, SMALL)  # type: ignore[arg-type]
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        peak(100)  # fills the table of module runs: there are only forty links
        assert peak(1000) < peak(300) + 100_000

    def test_out_need_not_be_seekable(self, make_labels: Make) -> None:
        """A pipe will do."""
        sink = _Sink()
        write_sheet(sink, make_labels(2), LARGE)  # type: ignore[arg-type]
        assert sink.written > 1000


class _Sink:
    """Takes bytes and forgets them."""

    written = 0

    def write(self, data: bytes) -> int:
        self.written += len(data)
        return len(data)


def test_second_renderer_sees_the_same_page(
    make_labels: Make, make_sheet: Make, render: Make, tmp_path: Any
) -> None:
    """Poppler draws the page as PDFium does: the file is not written for one reader."""
    tool = shutil.which("pdftoppm")
    if tool is None:
        pytest.skip("pdftoppm is absent: install poppler-utils")
    data = make_sheet(make_labels(18, demo=True), LARGE)
    path = tmp_path / "sheet.pdf"
    path.write_bytes(data)
    command = [tool, "-r", "100", "-gray", "-singlefile", str(path), str(tmp_path / "page")]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert done.stderr == b""
    ours, theirs = render(data, dpi=100), Image.open(tmp_path / "page.pgm")
    assert abs(ours.width - theirs.width) <= 1
    box = (0, 0, min(ours.width, theirs.width), min(ours.height, theirs.height))
    difference = ImageChops.difference(ours.crop(box).reduce(8), theirs.crop(box).reduce(8))
    assert difference.getextrema()[1] < 80  # eighths of an inch alike up to smoothing


def test_symbol_path_covers_the_dark_modules(make_labels: Make) -> None:
    """Painting the rectangles of the path gives back the matrix, no module more or less."""
    (label,) = make_labels(1, signed=True)
    symbol = lay_out(label, LARGE).symbol
    painted = bytearray(b"\xff" * symbol.size**2)
    for rectangle in pdf.symbol_path(symbol).split(" re"):
        if rectangle.strip():
            x, y, width, height = map(int, rectangle.split())
            assert height == 1
            painted[y * symbol.size + x : y * symbol.size + x + width] = bytes(width)
    assert bytes(painted) == symbol.modules


def test_sheet_template_is_what_the_tests_say(make_labels: Make) -> None:
    """Links of the tests have the lengths their names promise."""
    assert len(make_labels(1)[0].uri) == 61
    assert len(make_labels(1, signed=True)[0].uri) == 150
    assert isinstance(SMALL, SheetTemplate)
