# SPDX-License-Identifier: Apache-2.0
"""
Workbooks from strangers, opened with limits: cells as Python values, formulas by their cached result.

The archive is judged by its directory before anything is unpacked; macros, encryption, document type
declarations and oversized parts are refused.  What the cells mean is the business of `sheets`.
"""

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from openpyxl import load_workbook

from traceledger.errors import InputError

MAX_FILE: Final = 8 * 1024 * 1024
MAX_UNPACKED: Final = 64 * 1024 * 1024
MAX_PARTS: Final = 1_000
MAX_ROWS: Final = 5_000
MAX_COLUMNS: Final = 60
MAX_CELL: Final = 2_000


class Uncached:
    """A formula whose result the file does not hold."""


UNCACHED: Final = Uncached()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One worksheet: its *name* and *rows*, each a row number (from 1) and its cells."""

    name: str
    rows: tuple[tuple[int, tuple[Any, ...]], ...]


def _refuse(message: str, code: str = "sheet") -> InputError:
    return InputError(message, code=code)


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
            return [
                Sheet(name=formula.title, rows=tuple(_rows(formula, value)))
                for formula, value in zip(formulas.worksheets, values.worksheets, strict=True)
            ]
    except InputError:
        raise
    except Exception as error:
        # openpyxl raises whatever its parts raise; a broken file must not look like a broken program.
        message = f"not a workbook that can be read ({type(error).__name__}); save it again as .xlsx"
        raise _refuse(message) from error


def _check_archive(data: bytes) -> None:
    if len(data) > MAX_FILE:
        raise _refuse(f"the file has {len(data)} bytes, expected at most {MAX_FILE}", "too-large")
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise _refuse("an old .xls file or one locked by a password; save it as .xlsx without password")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise _refuse("the workbook unpacks to more than a diary can hold", "too-large")
            for part in parts:
                _check_part(archive, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise _refuse("not an .xlsx file, or a damaged one; save it again as .xlsx") from error
    except Exception as error:
        if isinstance(error, InputError):
            raise
        raise _refuse("a damaged .xlsx file; save it again") from error


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    name = part.filename.lower()
    if "vbaproject" in name or "macrosheet" in name or name.endswith(".bin"):
        raise _refuse("the workbook holds macros or embedded programs; save it as .xlsx without them")
    if name.endswith((".xml", ".rels")):
        # zipfile reads no more than the directory declares, so this cannot outgrow the limit above
        text = archive.read(part)
        if b"<!DOCTYPE" in text or b"<!DOCTYPE" in text.replace(b"\0", b""):
            raise _refuse("the workbook holds a document type declaration; save it again as .xlsx")


def _rows(formulas: Any, values: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    limits = {"max_row": MAX_ROWS + 1, "max_col": MAX_COLUMNS}
    pairs = zip(formulas.iter_rows(**limits), values.iter_rows(**limits), strict=False)
    for number, (formula_row, value_row) in enumerate(pairs, start=1):
        cells = tuple(_cell(f, v) for f, v in zip(formula_row, value_row, strict=False))
        if any(cell is not None for cell in cells):
            if number > MAX_ROWS:
                raise _refuse(f"sheet {formulas.title} has more than {MAX_ROWS} rows; split it", "too-large")
            yield number, cells


def _cell(formula: Any, value: Any) -> Any:
    cached = value.value
    if formula.data_type == "f" and cached is None:
        return UNCACHED
    if isinstance(cached, str):
        cached = cached.strip()
        if len(cached) > MAX_CELL:
            raise _refuse(f"cell {formula.coordinate} holds {len(cached)} characters", "too-large")
        return cached or None
    return cached
