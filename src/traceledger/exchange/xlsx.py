# SPDX-License-Identifier: Apache-2.0
"""
Workbooks from strangers, opened with limits: cells as Python values, formulas by their cached result.

The archive is judged by its directory before anything is unpacked; macros, encryption, document type
declarations and oversized parts are refused.  What the cells mean is the business of `sheets`.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string

from traceledger.errors import InputError

MAX_FILE: Final = 8 * 1024 * 1024
MAX_UNPACKED: Final = 64 * 1024 * 1024
MAX_PARTS: Final = 1_000
MAX_ROWS: Final = 5_000
MAX_COLUMNS: Final = 60
MAX_CELL: Final = 2_000
MAX_MERGES: Final = 20_000


_LAST_ROW: Final = 1_048_576
OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How .xls files begin, and .xlsx files locked by a password."""


class Uncached:
    """A formula whose result the file does not hold."""


UNCACHED: Final = Uncached()


class Overlong:
    """A text longer than `MAX_CELL`."""


OVERLONG: Final = Overlong()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """
    One worksheet.

    Attributes:
        name: Its title.

        rows: Each a row number (from 1) and its cells; blank rows left out.

        hidden: True if nobody sees the sheet.

        hidden_rows: Numbers of rows that nobody sees, by hand or by a filter.

        merged: (row, column from 0) of each cell merged with others above or below it → row of the topmost.
    """

    name: str
    rows: tuple[tuple[int, tuple[Any, ...]], ...]
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    merged: Mapping[tuple[int, int], int]


def _refuse(vietnamese: str, english: str, code: str = "sheet") -> InputError:
    return InputError(f"{vietnamese} ({english})", code=code)


def open_workbook(data: bytes) -> list[Sheet]:
    """
    The worksheets of an .xlsx file, blank rows left out.

    Args:
        data: The file as received, at most 8 MiB.

    Returns:
        Sheets in order; a cell is None, text, int, float, bool, date, time, or `UNCACHED`.

    Raises:
        InputError: code ``too-large`` or ``sheet``; the message says how to save the file instead.
    """
    _check_archive(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns about decorations it does not keep
            formulas = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            values = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            sheets = zip(formulas.worksheets, values.worksheets, strict=True)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return [
                    _sheet(archive, f, v) for f, v in sheets if hasattr(f, "iter_rows")
                ]  # a chart has no rows
    except InputError:
        raise
    except Exception as error:
        # openpyxl raises whatever its parts raise; a broken file must not look like a broken program.
        raise _refuse(
            "không đọc được bảng tính này; hãy mở bằng Excel hoặc LibreOffice rồi lưu lại thành .xlsx",
            f"no workbook that can be read ({type(error).__name__}); open it and save it again as .xlsx",
        ) from error


def _sheet(archive: zipfile.ZipFile, formulas: Any, values: Any) -> Sheet:
    # openpyxl tells neither hidden rows nor merged cells of a sheet that it streams; the part itself does
    part = archive.read(formulas._worksheet_path.removeprefix("/"))  # noqa: SLF001 - told nowhere else
    hidden = {
        int(number[1])
        for row in _ROW.findall(part)
        if _HIDDEN.search(row) and (number := _NUMBER.search(row))
    }
    return Sheet(
        name=formulas.title,
        rows=tuple(_rows(formulas, values)),
        hidden=formulas.sheet_state != "visible",
        hidden_rows=frozenset(hidden),
        merged=_merged(part, formulas.title),
    )


_ROW: Final = re.compile(rb"<(?:\w+:)?row\s([^>]*)>")
_NUMBER: Final = re.compile(rb"\br=[\"']([0-9]{1,7})[\"']")
_HIDDEN: Final = re.compile(rb"\bhidden=[\"'](?:1|true)[\"']")
_MERGE: Final = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*ref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']"
)


def _merged(part: bytes, title: str) -> dict[tuple[int, int], int]:
    """Cells that are merged downwards within their column; a title across columns is nobody's value."""
    found: dict[tuple[int, int], int] = {}
    for count, (left, top, right, bottom) in enumerate(match.groups() for match in _MERGE.finditer(part)):
        if count == MAX_MERGES:
            raise _refuse(
                f"trang {title} có quá nhiều ô gộp; hãy bỏ gộp ô",
                f"sheet {title} has more than {MAX_MERGES} merged cells; take them apart",
                "too-large",
            )
        column = column_index_from_string(left.decode()) - 1
        if left != right or column >= MAX_COLUMNS:
            continue
        for row in range(int(top), min(int(bottom), MAX_ROWS) + 1):
            if (row, column) in found:
                break
            found[row, column] = int(top)
    return found


def _check_archive(data: bytes) -> None:
    if len(data) > MAX_FILE:
        raise _refuse(
            f"tệp nặng {len(data)} byte, tối đa {MAX_FILE}; hãy bỏ hình ảnh hoặc chia nhỏ",
            f"the file has {len(data)} bytes, expected at most {MAX_FILE}; take pictures out or split it",
            "too-large",
        )
    if data.startswith(OLD_WORKBOOK):
        raise _refuse(
            "tệp .xls đời cũ hoặc tệp có mật khẩu; hãy lưu lại thành .xlsx, không mật khẩu",
            "an old .xls file or one locked by a password; save it as .xlsx without password",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise _refuse(
                    "tệp bung ra quá lớn so với một sổ nhật ký; hãy chia nhỏ",
                    "the workbook unpacks to more than a diary can hold; split it",
                    "too-large",
                )
            _check_names([part.filename.lower() for part in parts])
            for part in parts:
                _check_part(archive, part)
    except InputError:
        raise
    except Exception as error:
        # zipfile raises whatever a damaged archive makes its parts raise
        raise _refuse(
            "không phải tệp .xlsx, hoặc tệp bị hỏng; hãy lưu lại thành .xlsx",
            "not an .xlsx file, or a damaged one; save it again as .xlsx",
        ) from error


def _check_names(names: list[str]) -> None:
    if not any(name.startswith("xl/") for name in names) or "xl/workbook.bin" in names:
        raise _refuse(
            "tệp này không phải .xlsx (có thể là .ods, .xlsb, .docx hoặc .zip); hãy lưu lại thành .xlsx",
            "no .xlsx file, perhaps .ods, .xlsb, .docx or .zip; save it as .xlsx",
        )
    # printer settings are .bin too, and stand in every workbook that was ever printed
    if any(
        "vbaproject" in n or "macrosheet" in n or n.startswith(("xl/activex", "xl/embeddings")) for n in names
    ):
        raise _refuse(
            "tệp có macro hoặc chương trình nhúng; hãy lưu lại thành .xlsx, không macro",
            "the workbook holds macros or embedded programs; save it as .xlsx without them",
        )


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    if part.filename.lower().endswith((".xml", ".rels")):
        # zipfile reads no more than the directory declares, so this cannot outgrow the limit above
        text = archive.read(part)
        if b"<!DOCTYPE" in text or b"<!DOCTYPE" in text.replace(b"\0", b""):
            raise _refuse(
                "tệp có phần lạ (DOCTYPE); hãy lưu lại thành .xlsx",
                "the workbook holds a document type declaration; save it again as .xlsx",
            )


def _rows(formulas: Any, values: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    limits = {"max_row": MAX_ROWS, "max_col": MAX_COLUMNS}
    pairs = zip(formulas.iter_rows(**limits), values.iter_rows(**limits), strict=False)
    for number, (formula_row, value_row) in enumerate(pairs, start=1):
        cells = tuple(_cell(f, v) for f, v in zip(formula_row, value_row, strict=False))
        if any(cell is not None for cell in cells):
            yield number, cells
    rest = formulas.iter_rows(min_row=MAX_ROWS + 1, max_row=_LAST_ROW, max_col=MAX_COLUMNS, values_only=True)
    if any(value is not None for row in rest for value in row):
        raise _refuse(
            f"trang {formulas.title} có dữ liệu dưới dòng {MAX_ROWS}; hãy chia thành nhiều tệp",
            f"sheet {formulas.title} has something below row {MAX_ROWS}; split it",
            "too-large",
        )


def _cell(formula: Any, value: Any) -> Any:
    cached = value.value
    if formula.data_type == "f" and cached is None:
        return UNCACHED
    if isinstance(cached, str):
        cached = cached.strip()
        return OVERLONG if len(cached) > MAX_CELL else cached or None
    return cached
