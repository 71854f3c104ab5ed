# SPDX-License-Identifier: Apache-2.0
"""
The field diary as a spreadsheet: rows read tolerantly, every doubt told by sheet, row and column.

A row is taken as a whole or refused as a whole, and taken plus refused is what stood in the file.  Tolerated are
title rows, headers repeated on each page, other header spellings, other column orders, blank rows, texts for
dates, decimal comma and point; a cell merged over several rows counts for each of them, unless it is a weight.  A
number that reads two ways is never guessed.  Hidden rows are refused and names of people too: the ledger cannot
forget what its writer did not see.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import Any, Final

from traceledger.errors import InputError
from traceledger.exchange.diary_cells import MERGED, CellError, as_date, as_days, as_kilograms, as_text
from traceledger.exchange.diary_words import CHOICES, FIELDS, HEADERS, SAID, UNITS, fold, kind_of
from traceledger.exchange.xlsx import Sheet, open_workbook

__all__ = ["Diary", "DiaryProblem", "DiaryRow", "diary_template", "read_diary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryRow:
    """
    One activity.

    Attributes:
        sheet: Name of the worksheet.

        row: Row number, from 1.

        day: When it was done.

        kind: Kind of event.

        activity: The activity as written.

        site: Plot as written, or None.

        material: What was used, or None.

        dose: How much of it, as written, or None.

        phi: Pre-harvest interval in days, on spray and fertilise.

        lot: Lot number, or None.

        kilograms: Weight, exact, or None.

        member: Member number of who did it, or None.

        note: Free text, or None.
    """

    sheet: str
    row: int
    day: date
    kind: str
    activity: str
    site: str | None = None
    material: str | None = None
    dose: str | None = None
    phi: int | None = None
    lot: str | None = None
    kilograms: Decimal | None = None
    member: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryProblem:
    """
    What is wrong at one place, and what to write instead.

    Attributes:
        sheet: Name of the worksheet.

        row: Row number from 1, or None for the sheet.

        column: Header of the column, or None for the row.

        code: Key of `diary_words.SAID`.

        message: In Vietnamese.

        english: The same in English.
    """

    sheet: str
    row: int | None
    column: str | None
    code: str
    message: str
    english: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diary:
    """
    A diary read.

    Attributes:
        rows: Rows taken.

        problems: Why rows were refused, and by which cell; a row may have several.

        notes: What was not carried over without a row being refused: extra columns, other sheets.

        refused: (sheet, row) of each row not taken.
    """

    rows: tuple[DiaryRow, ...]
    problems: tuple[DiaryProblem, ...]
    notes: tuple[DiaryProblem, ...]
    refused: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Rows with anything in them below the header."""
        return len(self.rows) + len(self.refused)


def problem_at(sheet: str, row: int | None, field: str | None, code: str, **said: Any) -> DiaryProblem:
    """A `DiaryProblem` with its sentence in both languages; *field* names the column."""
    vietnamese, english = SAID[code]
    return DiaryProblem(
        sheet=sheet,
        row=row,
        column=HEADERS.get(field, field) if field else None,
        code=code,
        message=vietnamese.format(**said),
        english=english.format(**said),
    )


def diary_template() -> bytes:
    """The empty diary, an .xlsx file to hand out."""
    return resources.files("traceledger.exchange").joinpath("templates/nhat-ky.xlsx").read_bytes()


def read_diary(data: bytes, *, today: date | None = None) -> Diary:
    """
    Read a field diary.

    Args:
        data: An .xlsx file.

        today: If given, later dates are refused; they could not be taken back.

    Raises:
        InputError: the file as a whole cannot be read (code ``too-large`` or ``sheet``), or no sheet has the
            header row of a diary (``diary``).
    """
    rows: list[DiaryRow] = []
    problems: list[DiaryProblem] = []
    notes: list[DiaryProblem] = []
    refused: list[tuple[str, int]] = []
    found = False
    for sheet in open_workbook(data):
        header = None if sheet.hidden else _header(sheet)
        if header is None:
            if sheet.rows:
                code = "hidden-sheet" if sheet.hidden else "no-header"
                notes.append(problem_at(sheet.name, None, None, code))
            continue
        found = True
        notes += header.notes
        for number, cells in _below(sheet, header):
            row = _Row(sheet.name, number, cells, header)
            taken = row.read(today, hidden=number in sheet.hidden_rows)
            problems += row.problems
            if taken is None:
                refused.append((sheet.name, number))
            else:
                rows.append(taken)
    if not found:
        raise InputError("{} ({})".format(*SAID["no-diary"]), code="diary")
    return Diary(rows=tuple(rows), problems=tuple(problems), notes=tuple(notes), refused=tuple(refused))


ROW: Final = "dòng"
"""What a row is called where a place in the file is told."""

# --- header -------------------------------------------------------------------------------------------

_BY_SPELLING: Final = {spelling: field for field, spellings in FIELDS.items() for spelling in spellings}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    row: int
    columns: dict[str, int]
    factor: int
    notes: tuple[DiaryProblem, ...]


def _field(text: str) -> tuple[str | None, int]:
    """Field that a header cell names, and kilograms per unit it states."""
    folded = fold(text)
    factor = 1
    for unit, kilograms in UNITS.items():
        if folded.endswith(f" {unit}") and unit != "kg":
            folded, factor = folded.removesuffix(f" {unit}"), kilograms
    field = _BY_SPELLING.get(folded) or _BY_SPELLING.get(fold(re.sub(r"\([^)]*\)", " ", text)))
    return field, factor if field == "kg" else 1


def _named(cells: tuple[Any, ...]) -> dict[int, tuple[str | None, int]] | None:
    """Column → what it is called, if *cells* are the header row of a diary."""
    named = {i: _field(cell) for i, cell in enumerate(cells) if isinstance(cell, str)}
    fields = {field for field, _ in named.values() if field}
    return named if {"date", "activity"} <= fields and len(fields) >= 3 else None


def _header(sheet: Sheet) -> _Header | None:
    for number, cells in sheet.rows[:30]:
        named = _named(cells)
        if named is None:
            continue
        fields = [field for field, _ in named.values() if field]
        twice = next((field for field in fields if fields.count(field) > 1), None)
        if twice:
            said = problem_at(sheet.name, number, twice, "twice", got=HEADERS[twice])
            message = f"{said.message} ({said.english})"
            raise InputError(message, code="diary", where=f"{sheet.name}, {ROW} {number}")
        columns = {field: i for i, (field, _) in named.items() if field}
        extra = [
            str(cell) for i, cell in enumerate(cells) if cell is not None and not named.get(i, (None, 1))[0]
        ]
        quoted = ", ".join(f"“{name[:40]}”" for name in extra)
        notes = (problem_at(sheet.name, number, ", ".join(extra), "extra", got=quoted),) if extra else ()
        factor = next((factor for field, factor in named.values() if field == "kg"), 1)
        return _Header(row=number, columns=columns, factor=factor, notes=notes)
    return None


def _below(sheet: Sheet, header: _Header) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Rows with anything in a column of ours, each with the value of cells that are merged into it."""
    ours = set(header.columns.values())
    rows = [
        (number, cells)
        for number, cells in sheet.rows
        if number > header.row
        and any(_is_filled(cell) for i, cell in enumerate(cells) if i in ours)
        and _named(cells) is None
    ]
    weight = header.columns.get("kg", -1)
    sharing = Counter(sheet.merged.get((number, weight)) for number, _ in rows)
    all_cells = dict(sheet.rows)
    for number, cells in rows:
        whole = list(cells)
        for column in ours & set(range(len(cells))):
            top = sheet.merged.get((number, column))
            if top is None or top <= header.row:
                continue
            value = all_cells[top][column] if top in all_cells else None
            whole[column] = MERGED if column == weight and value is not None and sharing[top] > 1 else value
        yield number, tuple(whole)


def _is_filled(cell: Any) -> bool:
    """A dash in a cell is how people write that there is nothing."""
    return cell is not None and not (isinstance(cell, str) and set(cell) <= set("-–—"))


# --- rows ---------------------------------------------------------------------------------------------

_LOT = re.compile(r"[-.0-9A-Z_a-z]{1,20}")
MEMBER: Final = re.compile(r"[A-Za-z]{0,5}[ ./_-]?[0-9]{1,6}")
"""A member number: what a person is called in the ledger."""
_PRIVATE = re.compile(
    r"(?<![0-9])(?:\+?84|0)[ .-]?[0-9](?:[ .-]?[0-9]){7,9}(?![0-9])|(?<![0-9])[0-9]{12}(?![0-9])"
)


class _Row:
    """Reads one row, collecting the problems of all its cells before it is refused."""

    def __init__(self, sheet: str, number: int, cells: tuple[Any, ...], header: _Header) -> None:
        self.problems: list[DiaryProblem] = []
        self._sheet, self._number, self._cells, self._header = sheet, number, cells, header

    def _say(self, field: str | None, code: str, **said: Any) -> None:
        self.problems.append(problem_at(self._sheet, self._number, field, code, **said))

    def _raw(self, field: str) -> Any:
        column = self._header.columns.get(field)
        cell = self._cells[column] if column is not None and column < len(self._cells) else None
        return cell if _is_filled(cell) else None

    def _get(self, field: str, reader: Any, **options: Any) -> Any:
        value = self._raw(field)
        if value is None:
            return None
        try:
            return reader(value, **options)
        except CellError as error:
            self._say(field, error.code, **error.said)
            return None

    def read(self, today: date | None, *, hidden: bool) -> DiaryRow | None:
        """The row, or None where `problems` says why not."""
        if hidden:
            self._say(None, "hidden-row")
            return None
        first = next((cell for cell in self._cells if isinstance(cell, str)), "")
        if fold(first).startswith(("tong cong", "tong so", "tong")) and self._raw("activity") in (
            None,
            first,
        ):
            self._say(None, "total-row")
            return None
        day = self._get("date", as_date)
        activity = self._get("activity", as_text)
        texts = {
            field: self._get(field, as_text)
            for field in ("site", "material", "dose", "lot", "member", "note")
        }
        kilograms = self._get("kg", as_kilograms, factor=self._header.factor)
        phi = self._get("phi", as_days)
        kind = self._kind(activity)
        self._check_date(day, today)
        self._check_texts(texts)
        if kind:
            self._check_kind(kind, phi=phi, lot=texts["lot"], kilograms=kilograms)
        if self.problems or day is None or kind is None or activity is None:
            return None
        return DiaryRow(
            sheet=self._sheet,
            row=self._number,
            day=day,
            kind=kind,
            activity=activity,
            phi=phi,
            kilograms=kilograms,
            **texts,
        )

    def _kind(self, activity: str | None) -> str | None:
        if activity is None:
            if self._raw("activity") is None:
                self._say("activity", "missing", what=HEADERS["activity"])
            return None
        kind = kind_of(activity)
        if kind is None:
            self._say("activity", "activity", got=activity[:60], choices=", ".join(CHOICES))
        return kind

    def _check_date(self, day: date | None, today: date | None) -> None:
        if self._raw("date") is None:
            self._say("date", "missing", what=HEADERS["date"])
        elif day and today and day > today:
            self._say("date", "future", got=f"{day:%d/%m/%Y}")

    def _check_texts(self, texts: dict[str, str | None]) -> None:
        lot, member = texts["lot"], texts["member"]
        if lot and not _LOT.fullmatch(lot):
            self._say("lot", "lot", got=lot[:40])
        if member and not MEMBER.fullmatch(member):
            self._say("member", "member")
        for field in ("activity", "material", "dose", "note"):
            value = self._raw(field)
            if isinstance(value, str) and _PRIVATE.search(value):
                self._say(field, "phone")

    def _check_kind(self, kind: str, *, phi: int | None, lot: str | None, kilograms: Decimal | None) -> None:
        if kind == "spray" and self._raw("phi") is None:
            self._say("phi", "phi-missing")
        if phi is not None and kind not in ("spray", "fertilise"):
            self._say("phi", "phi-elsewhere")
        if kind in ("harvest", "sell"):
            if lot is None and self._raw("lot") is None:
                self._say("lot", "missing", what=HEADERS["lot"])
            if kilograms is None and self._raw("kg") is None:
                self._say("kg", "missing", what=HEADERS["kg"])
