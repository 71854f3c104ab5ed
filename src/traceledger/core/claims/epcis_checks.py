# SPDX-License-Identifier: Apache-2.0
"""
Building blocks of the EPCIS validator: texts, URIs, times, and checks of lists and objects made of checks.

A check looks at one value and adds `Problem`s to a list; it never raises.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    One fault of an event.

    Attributes:
        path: The member, e.g. ``quantityList[0].uom``; empty for the event itself.

        message: What is expected there.

        beyond_schema: True if the standard asks for it but GS1's JSON schema does not.
    """

    path: str
    message: str
    beyond_schema: bool = False


Check = Callable[[object, str, list[Problem]], None]

# --- scalars ------------------------------------------------------------------------------------------

_PCHAR = r"(?:[-A-Za-z0-9._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*"
_URI = re.compile(
    r"[A-Za-z][-A-Za-z0-9+.]*:"
    r"(?://(?:(?:[-A-Za-z0-9._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?"
    r"(?:\[([^\]]*)\]|(?:[-A-Za-z0-9._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?(?![^/?#]))?"
    rf"{_PCHAR}(?:\?(?:{_PCHAR}|\?)*)?(?:\#(?:{_PCHAR}|\?)*)?",
    re.ASCII,
)
_IP_FUTURE = re.compile(r"[vV][0-9A-Fa-f]+\.[-A-Za-z0-9._~!$&'()*+,;=:]+")


@lru_cache(maxsize=8192)
def is_uri(text: str) -> bool:
    """Tell whether *text* is an absolute URI (RFC 3986): ASCII, with a scheme."""
    match = _URI.fullmatch(text)
    if not match:
        return False
    literal = match[1]
    if literal is None or _IP_FUTURE.fullmatch(literal):
        return True
    try:
        ipaddress.IPv6Address(literal)
    except ValueError:
        return False
    return "%" not in literal


_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def instant(text: object) -> Decimal | None:
    """Seconds since year 1 of an RFC 3339 time, exact; None if *text* is none."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    hours, minutes = int(match[9] or 0), int(match[10] or 0)
    if hours > 23 or minutes > 59 or second > 60:
        return None
    try:
        # Year 0 is a leap year of RFC 3339 that datetime lacks; its 400-year twin has the same calendar.
        moment = datetime(year or 400, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
    except ValueError:
        return None
    seconds = (moment - datetime(1, 1, 1)) // timedelta(seconds=1)  # noqa: DTZ001
    if year == 0:
        seconds -= 146_097 * 86_400
    seconds -= (hours * 3600 + minutes * 60) * (-1 if match[8] == "-" else 1)
    if second == 60 and seconds % 86_400 != 86_399:
        return None  # a leap second ends a day of UTC
    return Decimal(seconds + (second == 60)) + Decimal("0" + (match[7] or ".0"))


def is_time(text: object) -> bool:
    """Tell whether *text* is a date and time with offset (RFC 3339)."""
    return instant(text) is not None


def scalar(test: Callable[[Any], bool], said: str) -> Check:
    """Check that *test* holds; *said* is what was expected."""

    def check(value: object, path: str, found: list[Problem]) -> None:
        if not test(value):
            found.append(Problem(path=path, message=f"expected {said}, got {_short(value)}"))

    return check


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else type(value).__name__ if value is not None else "null"
    return text if len(text) <= 80 else f"{text[:77]}…"


def is_text_uri(value: object) -> bool:
    """Tell whether *value* is a text and an absolute URI."""
    return isinstance(value, str) and is_uri(value)


def pattern(expression: str) -> Callable[[object], bool]:
    """Test that a value is a text that matches *expression* as a whole."""
    compiled = re.compile(expression)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


# --- arrays and objects -------------------------------------------------------------------------------


def array(item: Check, *, least: int = 0, unique: bool = False) -> Check:
    """Check a list of at least *least* items, each by *item*, and none twice where *unique*."""

    def check(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, list):
            found.append(Problem(path=path, message=f"expected a list, got {_short(value)}"))
            return
        if len(value) < least:
            found.append(Problem(path=path, message=f"expected at least {least}, got {len(value)}"))
        if unique and len({_key(part) for part in value}) < len(value):
            found.append(Problem(path=path, message="expected each item once"))
        for position, part in enumerate(value):
            item(part, f"{path}[{position}]", found)

    return check


def _key(value: object) -> str:
    return f"{type(value).__name__} {value!r}"


def object_of(members: dict[str, Check], required: tuple[str, ...] = (), *, others: str = "none") -> Check:
    """
    An object; *others* says which further names it may have: ``none``, ``uri`` (extensions) or ``any``.
    """

    def check(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, dict):
            found.append(Problem(path=path, message=f"expected an object, got {_short(value)}"))
            return
        found.extend(
            Problem(path=_join(path, name), message="is missing") for name in required if name not in value
        )
        for name, part in value.items():
            test = members.get(name)
            if test:
                test(part, _join(path, name), found)
            elif others == "none" or (others == "uri" and not is_uri(name)):
                message = "is no member of EPCIS 2.0.1 here; an extension needs a prefix"
                found.append(Problem(path=_join(path, name), message=message))

    return check


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def either(first: Callable[[object], bool], one: Check, other: Check) -> Check:
    """Check by *one* where *first* holds, else by *other*."""

    def check(value: object, path: str, found: list[Problem]) -> None:
        (one if first(value) else other)(value, path, found)

    return check


def is_nfc(value: object) -> bool:
    """Tell whether every text and member name inside *value* is in Unicode normal form C."""
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            if not part.isascii() and not unicodedata.is_normalized("NFC", part):
                return False
        elif isinstance(part, dict):
            pending.extend(part)
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return True
