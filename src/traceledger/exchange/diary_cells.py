# SPDX-License-Identifier: Apache-2.0
"""
Single cells of a diary: dates, weights, days and texts as people in Vietnam type them.

Each reader takes a cell value and returns what it means, or raises `CellError` with a code of
`diary_words.SAID`.  Nothing ambiguous is guessed.
"""

import re
import unicodedata
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from traceledger.exchange.diary_words import UNITS, fold
from traceledger.exchange.xlsx import OVERLONG, UNCACHED


class Merged:
    """One weight for several rows: whose it is, nobody can tell."""


MERGED: Final = Merged()


class CellError(Exception):
    """A cell that cannot be read: *code* of the sentence, *said* to fill it."""

    def __init__(self, code: str, **said: Any) -> None:
        super().__init__(code)
        self.code = code
        self.said = said


def _plain(value: Any) -> Any:
    if value is UNCACHED:
        raise CellError("formula")
    if value is MERGED:
        raise CellError("merged")
    if value is OVERLONG:
        raise CellError("long")
    if isinstance(value, str) and re.fullmatch(r"#[A-Z/0]+[!?]?", value):
        raise CellError("error-cell", got=value)
    if isinstance(value, bool):
        raise CellError("kind-of-cell", got="TRUE" if value else "FALSE")
    return value


def as_text(value: Any) -> str:
    """Text in NFC, inner spaces collapsed; a whole number as its digits."""
    value = _plain(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        value = int(value)
    if isinstance(value, datetime | date | time):
        raise CellError("kind-of-cell", got=str(value))
    text = " ".join(unicodedata.normalize("NFC", str(value)).split())
    if any(not c.isprintable() for c in text):
        raise CellError("kind-of-cell", got=repr(text[:40]))
    return text


_CLOCK = r"(?:[ T]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4}|\d{2})" + _CLOCK, re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})" + _CLOCK, re.ASCII)
_SPOKEN = re.compile(r"(?:ngay )?(\d{1,2}) thang (\d{1,2}) nam (\d{4})", re.ASCII)


def as_date(value: Any) -> date:
    """
    A date cell, or a text: 25/11/2026, 25-11-26, 2026-11-25, ngày 25 tháng 11 năm 2026; day before month.

    A time of day behind it is passed over.  Before 2000 a date is a slip: 5 in a cell of dates is 05/01/1900.
    """
    day = _date(_plain(value))
    if day.year < 2000:
        raise CellError("past", got=f"{day.day:02}/{day.month:02}/{day.year:04}")
    return day


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise CellError("date-number", got=str(value)[:20])
    if match := _DAY_FIRST.fullmatch(value):
        day, month, year = match.groups()
    elif match := _YEAR_FIRST.fullmatch(value):
        year, month, day = match.groups()
    elif match := _SPOKEN.fullmatch(fold(value)):
        day, month, year = match.groups()
    else:
        raise CellError("date", got=value[:40])
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        raise CellError("date", got=value[:40]) from None


def as_days(value: Any) -> int:
    """A whole number of days, 0 to 3650; "7 ngày" too."""
    value = _plain(value)
    if isinstance(value, str):
        match = re.fullmatch(r"([0-9]{1,4})( ngay)?", fold(value)) if "-" not in value else None
        if not match:
            raise CellError("days", got=value[:40])
        value = int(match[1])
    if not isinstance(value, int | float) or not 0 <= value <= 3650 or value != int(value):
        raise CellError("days", got=str(value)[:40])
    return int(value)


def as_kilograms(value: Any, *, factor: int = 1) -> Decimal:
    """
    A weight in kilograms, exact, more than 0, at most 3 decimals.

    Args:
        value: A number, or a text with decimal comma or point and perhaps a unit (kg, yến, tạ, tấn).

        factor: Kilograms per unit of the column, for a cell without a unit of its own.
    """
    value = _plain(value)
    if isinstance(value, str):
        amount, unit = _with_unit(value)
        number = _decimal(amount, value) * (unit or factor)
    elif isinstance(value, int):
        number = Decimal(value) * factor
    elif isinstance(value, float):
        # 15 digits are what the sheet shows; further ones are dust of binary arithmetic
        number = Decimal(f"{value:.15g}") * factor
    else:
        raise CellError("number", got=str(value)[:40])
    if not number.is_finite() or number > 10**9:
        raise CellError("number", got=str(number)[:40])
    if number <= 0:
        raise CellError("positive", got=str(number)[:40])
    if number != number.quantize(Decimal("0.001")):
        raise CellError("precise", got=str(number)[:40])
    return number.normalize() if number != number.to_integral_value() else Decimal(int(number))


def _with_unit(text: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"([-+0-9.,\s]+?)\s*([^\W\d_]+)?\.?", text)
    if not match:
        raise CellError("number", got=text[:40])
    if match[2] is None:
        return match[1], None
    unit = UNITS.get(fold(match[2]))
    if unit is None:
        raise CellError("number", got=text[:40])
    return match[1], unit


def _decimal(text: str, shown: str) -> Decimal:
    """A number with Vietnamese or English marks; refused where it reads two ways."""
    if re.search(r"\s", text) and not re.fullmatch(r"[-+]?[0-9]{1,3}(\s[0-9]{3})+([.,][0-9]+)?", text):
        raise CellError("number", got=shown[:40])
    body = re.sub(r"\s", "", text)
    sign = -1 if body.startswith("-") else 1
    body = body.lstrip("+-")
    if re.fullmatch(r"[0-9]+", body):
        return Decimal(body) * sign
    for thousands, mark in ((".", ","), (",", ".")):
        grouped = rf"[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+"
        if re.fullmatch(rf"{grouped}{re.escape(mark)}[0-9]+", body):
            return Decimal(body.replace(thousands, "").replace(mark, ".")) * sign
        if re.fullmatch(rf"{grouped}", body) and body.count(thousands) > 1:
            return Decimal(body.replace(thousands, "")) * sign
    if re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", body):
        one, other = body.replace(".", "").replace(",", ""), body.replace(".", ",")
        raise CellError("two-ways", got=shown[:40], one=one, other=other)
    if re.fullmatch(r"[0-9]+[.,][0-9]+", body):
        return Decimal(body.replace(",", ".")) * sign
    raise CellError("number", got=shown[:40])
