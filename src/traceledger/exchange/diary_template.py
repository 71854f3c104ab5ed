# SPDX-License-Identifier: Apache-2.0
"""
The field diary to hand out: one sheet to fill in, one that explains each column, both in Vietnamese.

Built by `scripts/make_diary_template.py` into `templates/nhat-ky.xlsx`; the same cells give the same parts.
"""

import io
import re
import zipfile
from datetime import datetime
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from traceledger.exchange.diary_words import CHOICES, HEADERS

_ROWS: Final = 300
_FIRST: Final = 4
_WIDTHS: Final = {
    "date": 13, "activity": 18, "site": 18, "material": 26, "dose": 18, "phi": 14, "lot": 16, "kg": 14,
    "member": 18, "note": 30,
}  # fmt: skip
_NEEDED: Final = ("date", "activity")

_GUIDE: Final = (
    ("date", "Ngày làm việc, ngày trước tháng sau.", "25/11/2026", "Mọi dòng"),
    ("activity", "Chọn trong danh sách hoặc tự ghi: " + ", ".join(CHOICES) + ".", "Phun thuốc trừ rầy", "Mọi dòng"),
    ("site", "Tên thửa đã khai với hợp tác xã, hoặc mã GLN 13 số.", "Thửa 3", "Nên có"),
    ("material", "Tên thương mại và hoạt chất của phân, thuốc, giống, thức ăn.", "Thuốc mẫu 25WP (hoạt chất mẫu)", "Khi có dùng"),
    ("dose", "Lượng dùng, ghi cả đơn vị.", "20 g / bình 16 lít", "Khi có dùng"),
    ("phi", "Số ngày cách ly ghi trên nhãn. Ghi 0 nếu nhãn ghi không cần.", "14", "Bắt buộc khi phun thuốc"),
    ("lot", "Mã lô: chữ không dấu, số và . _ -, tối đa 20 ký tự.", "XCL-2611A", "Bắt buộc khi thu hoạch, bán"),
    ("kg", "Khối lượng bằng kg. Có thể ghi 1250,5 hoặc 1.250,5.", "1250,5", "Bắt buộc khi thu hoạch, bán"),
    ("member", "Mã số thành viên. Không ghi họ tên, số điện thoại: sổ này không xóa được.", "TV-012", "Nên có"),
    ("note", "Điều cần nhớ thêm. Không ghi tên người, số điện thoại.", "Trời mưa sau khi phun", "Nếu cần"),
)  # fmt: skip

_FONT: Final = "Calibri"
_WIDE: Final = 70
"""Width of the column that explains, in characters."""

_GREEN: Final = PatternFill("solid", fgColor="1E6B3A")
_PALE: Final = PatternFill("solid", fgColor="EAF3EC")
_SIDE: Final = Side(style="thin", color="B7C9BC")
_LINE: Final = Border(left=_SIDE, right=_SIDE, top=_SIDE, bottom=_SIDE)


def build_template() -> bytes:
    """The bytes of the template; equal on every run with one version of openpyxl and zlib."""
    book = Workbook()
    diary = book.active
    assert isinstance(diary, Worksheet)  # noqa: S101  a new workbook has one
    _fill_diary(diary)
    _fill_guide(book.create_sheet("Hướng dẫn"))
    stream = io.BytesIO()
    book.save(stream)
    return _timeless(stream.getvalue())


def _head(sheet: Worksheet, row: int, texts: list[str]) -> None:
    for column, text in enumerate(texts, start=1):
        cell = sheet.cell(row=row, column=column, value=text)
        cell.font = Font(name=_FONT, bold=True, color="FFFFFF")
        cell.fill = _GREEN
        cell.alignment = Alignment(wrap_text=True, horizontal="center", vertical="center")
        cell.border = _LINE


def _fill_diary(sheet: Worksheet) -> None:
    sheet.title = "Nhật ký"
    last = get_column_letter(len(HEADERS))
    sheet.merge_cells(f"A1:{last}1")
    sheet["A1"] = "NHẬT KÝ ĐỒNG RUỘNG"
    sheet["A1"].font = Font(name=_FONT, bold=True, size=16, color="1E6B3A")
    sheet.merge_cells(f"A2:{last}2")
    sheet["A2"] = (
        "Mỗi dòng một công việc. Cách ghi từng cột: xem trang Hướng dẫn. Không ghi họ tên, số điện thoại."
    )
    sheet["A2"].font = Font(name=_FONT, italic=True)
    _head(sheet, _FIRST - 1, list(HEADERS.values()))
    sheet.row_dimensions[_FIRST - 1].height = 48
    end = _FIRST + _ROWS - 1
    for column, field in enumerate(HEADERS, start=1):
        letter = get_column_letter(column)
        sheet.column_dimensions[letter].width = _WIDTHS[field]
        for row in range(_FIRST, end + 1):
            cell = sheet.cell(row=row, column=column)
            cell.border = _LINE
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if field in _NEEDED:
                cell.fill = _PALE
            if field == "date":
                cell.number_format = "dd/mm/yyyy"
            if field in ("lot", "member", "site"):
                cell.number_format = "@"
    choices = DataValidation(
        type="list", formula1=f'"{",".join(CHOICES)}"', allow_blank=True, showErrorMessage=False
    )
    sheet.add_data_validation(choices)
    choices.add(f"B{_FIRST}:B{end}")
    sheet.freeze_panes = f"A{_FIRST}"
    _fit_page(sheet)
    sheet.print_title_rows = f"{_FIRST - 1}:{_FIRST - 1}"


def _fit_page(sheet: Worksheet) -> None:
    """Print on A4, lying, all columns on one page."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _fill_guide(sheet: Worksheet) -> None:
    _head(sheet, 1, ["Tên cột", "Cách ghi", "Ví dụ", "Khi nào cần"])
    for row, (field, how, example, when) in enumerate(_GUIDE, start=2):
        for column, text in enumerate((HEADERS[field], how, example, when), start=1):
            cell = sheet.cell(row=row, column=column, value=text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.border = _LINE
        # not every program makes a row higher for a text that wraps
        sheet.row_dimensions[row].height = 16 * (1 + len(how) // (_WIDE - 6))
    for letter, width in zip("ABCD", (34, _WIDE, 34, 30), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    _fit_page(sheet)


def _timeless(data: bytes) -> bytes:
    """The same archive without the moment of its making."""
    moment = datetime(2026, 1, 1)  # noqa: DTZ001  a zip entry has no zone
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in sorted(source.namelist(), key=lambda part: (part != "[Content_Types].xml", part)):
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-01T00:00:00Z", content)
            entry = zipfile.ZipInfo(name, date_time=moment.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, content)
    return out.getvalue()
