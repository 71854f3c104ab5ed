# SPDX-License-Identifier: Apache-2.0
"""
Dates, times and numbers as people here write them.

Vietnamese: ``22/11/2026 06:30`` and ``1.250,5 kg``; English: ``22 Nov 2026 06:30 (UTC+7)`` and ``1,250.5 kg``.
Moments without an offset of their own (admission, blocks, scans) are told in Vietnamese time, UTC+7; the time of
an event in the offset its signer wrote, named wherever it is another one.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from traceledger.core.judge.verdict.view import Amount
from traceledger.core.log.entry import moment_of
from traceledger.web.words import Words

LOCAL: Final = timezone(timedelta(hours=7))
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_date(day: str, lang: str, *, year: bool = True) -> str:
    """``2026-11-22`` as 22/11/2026 or 22 Nov 2026; without *year* 22/11 or 22 Nov.  What is no date stays as it is."""
    try:
        value = date.fromisoformat(day)
    except ValueError:
        return day
    return _day(value, lang, year=year)


def format_moment(seconds: int, lang: str, *, year: bool = True) -> str:
    """Unix *seconds* in Vietnamese time."""
    return _moment(moment_of(seconds).astimezone(LOCAL), lang, year=year)


def format_short(seconds: int, lang: str, *, now: int) -> str:
    """Unix *seconds*, without the year where it is that of *now*."""
    years = {moment_of(s).astimezone(LOCAL).year for s in (seconds, now)}
    return format_moment(seconds, lang, year=len(years) > 1)


def format_event_time(time: str, offset: str, lang: str) -> str:
    """An event's own time (ISO 8601) in its own *offset*; what cannot be read stays as it is written."""
    try:
        when = datetime.fromisoformat(time)
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo if offset else when.tzinfo
        return time if zone is None else _moment(when.astimezone(zone), lang, year=True)
    except (ValueError, OverflowError):
        return time


def format_number(value: Decimal, lang: str) -> str:
    """A number with the separators of *lang*, exactly, without trailing zeros after the point."""
    text = f"{value:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text


def format_amounts(amounts: Sequence[Amount], words: Words) -> str:
    """Amounts with their units, joined by a comma; a unit without a word of its own is shown as its code."""
    return ", ".join(_amount(amount, words) for amount in amounts)


def _amount(amount: Amount, words: Words) -> str:
    key = f"unit.{amount.uom or 'pieces'}"
    unit = words(key) if key in words else amount.uom
    return f"{format_number(amount.value, words.lang)} {unit}"


def _day(value: date, lang: str, *, year: bool) -> str:
    if lang == "vi":
        return f"{value.day:02}/{value.month:02}" + (f"/{value.year}" if year else "")
    return f"{value.day} {_MONTHS[value.month - 1]}" + (f" {value.year}" if year else "")


def _moment(when: datetime, lang: str, *, year: bool) -> str:
    text = f"{_day(when.date(), lang, year=year)} {when:%H:%M}"
    at_home = when.utcoffset() == LOCAL.utcoffset(None)
    return text if lang == "vi" and at_home else f"{text} ({_zone(when)})"


def _zone(when: datetime) -> str:
    minutes = int((when.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "−" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"
