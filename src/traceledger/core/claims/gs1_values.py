# SPDX-License-Identifier: Apache-2.0
"""
What a value behind a GS1 Application Identifier may look like: lengths, characters, check digits, dates.

A compact table of the identifiers a Digital Link may carry, after the GS1 Barcode Syntax Dictionary; keys
and their qualifiers are told apart here, the order they stand in is the business of `identifiers`.  Left
out on purpose: company-prefix registers, country and currency lists, and rules across two identifiers.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final

CSET_82: Final = "!\"%&'()*+,-./0-9:;<=>?A-Z_a-z"
"""Character set 82 of the GS1 General Specifications, as the inside of a regular expression class."""

KEYS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "00": ((),),
    "01": (("22", "10", "21"), ("235",)),
    "253": ((),),
    "255": ((),),
    "401": ((),),
    "402": ((),),
    "414": (("254",), ("7040",)),
    "417": (("7040",),),
    "8003": ((),),
    "8004": (("7040",),),
    "8006": (("22", "10", "21"),),
    "8010": (("8011",),),
    "8017": (("8019",),),
    "8018": (("8019",),),
}
"""Primary keys read here, each with the orders its qualifiers may follow (any of them may be left out)."""

QUALIFIERS: Final = frozenset(ai for orders in KEYS.values() for order in orders for ai in order)


def check_digit(body: str) -> str:
    """
    The GS1 check digit of *body*: modulo 10, weights 3 and 1 from the right.

    Args:
        body: ASCII digits without the check digit.

    Example:
        >>> check_digit("952123456789")
        '9'
    """
    total = 3 * sum(map(int, body[::-2])) + sum(map(int, body[-2::-2]))
    return str(-total % 10)


def has_check_digit(digits: str) -> bool:
    """Tell whether the last of *digits* is the check digit of those before it."""
    return digits.isascii() and digits.isdigit() and check_digit(digits[:-1]) == digits[-1]


def _csum(length: int) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        body, got = value[: length - 1], value[length - 1]
        right = check_digit(body)
        if right == got:
            return None
        return f"check digit of {value[:length]} is {got}, it should be {right} ({body}{right})"

    return check


def _day(value: str, *, zero: bool) -> str | None:
    year, month, day = 2000 + int(value[:2]), int(value[2:4]), int(value[4:6])
    if zero and day == 0:
        day = 1
    try:
        date(year, month, day)
    except ValueError:
        return f"{value[:6]} is no date written YYMMDD"
    return None


def _yymmd0(value: str) -> str | None:
    return _day(value, zero=True)


def _yymmdd(value: str) -> str | None:
    return _day(value, zero=False)


def _harvest(value: str) -> str | None:
    return _yymmdd(value) or (_yymmdd(value[6:]) if len(value) > 6 else None)


def _hhmm(value: str) -> str | None:
    hour, minute = int(value[6:8]), int(value[8:10])
    return _yymmdd(value) or (None if hour < 24 and minute < 60 else f"{value[6:10]} is no time HHMM")


def _grai(value: str) -> str | None:
    return _csum(14)(value) if value[0] == "0" else "a GRAI begins with 0"


def _piece(value: str) -> str | None:
    piece, total = value[14:16], value[16:18]
    if piece == "00" or total == "00" or piece > total:
        return f"{piece} of {total} is no piece of a total"
    return _csum(14)(value)


_N18 = (re.compile(r"[0-9]{18}"), "18 digits", _csum(18))
_N17 = (re.compile(r"[0-9]{17}"), "17 digits", _csum(17))
_N14 = (re.compile(r"[0-9]{14}"), "14 digits", _csum(14))
_N13 = (re.compile(r"[0-9]{13}"), "13 digits", _csum(13))
_DATE = (re.compile(r"[0-9]{6}"), "a date written YYMMDD", _yymmd0)

Rule = tuple[re.Pattern[str], str, Callable[[str], str | None] | None]


def _text(longest: int, *, shortest: int = 1) -> Rule:
    pattern = rf"[{CSET_82}]{{{shortest},{longest}}}"
    return re.compile(pattern), f"{shortest} to {longest} characters of the GS1 set", None


def _number(longest: int, *, shortest: int = 1) -> Rule:
    said = f"{longest} digits" if shortest == longest else f"{shortest} to {longest} digits"
    return re.compile(rf"[0-9]{{{shortest},{longest}}}"), said, None


RULES: Final[dict[str, Rule]] = {
    "00": _N18,
    "01": _N14,
    "10": _text(20),
    "21": _text(20),
    "22": _text(20),
    "235": _text(28),
    "253": (re.compile(rf"[0-9]{{13}}[{CSET_82}]{{0,17}}"), "13 digits and up to 17 characters", _csum(13)),
    "254": _text(20),
    "255": (re.compile(r"[0-9]{13,25}"), "13 to 25 digits", _csum(13)),
    "401": (
        re.compile(rf"[0-9]{{4}}[{CSET_82}]{{0,26}}"),
        "a company prefix and at most 30 characters",
        None,
    ),
    "402": _N17,
    "414": _N13,
    "417": _N13,
    "7040": (re.compile(rf"[0-9][{CSET_82}]{{2}}[-0-9A-Z_a-z]"), "a digit and three characters", None),
    "8003": (re.compile(rf"[0-9]{{14}}[{CSET_82}]{{0,16}}"), "14 digits and up to 16 characters", _grai),
    "8004": (
        re.compile(rf"[0-9]{{4}}[{CSET_82}]{{0,26}}"),
        "a company prefix and at most 30 characters",
        None,
    ),
    "8006": (re.compile(r"[0-9]{18}"), "18 digits", _piece),
    "8010": (
        re.compile(r"[0-9]{4}[#\-/0-9A-Z]{0,26}"),
        "a company prefix and at most 30 of # - / 0-9 A-Z",
        None,
    ),
    "8011": (re.compile(r"[1-9][0-9]{0,11}"), "1 to 12 digits without a leading zero", None),
    "8017": _N18,
    "8018": _N18,
    "8019": _number(10),
}
"""Keys and qualifiers: pattern, the same in words, and a further test that answers a complaint or None."""


def _attributes() -> dict[str, Rule]:
    rules: dict[str, Rule] = {
        "02": _N14, "03": _N14, "20": _number(2, shortest=2), "30": _number(8), "37": _number(8),
        "240": _text(30), "241": _text(30), "242": _number(6), "243": _text(20), "250": _text(30),
        "251": _text(30), "400": _text(30), "403": _text(30), "420": _text(20), "427": _text(3),
        "422": _number(3, shortest=3), "424": _number(3, shortest=3), "426": _number(3, shortest=3),
        "423": (re.compile(r"([0-9]{3}){1,5}"), "1 to 5 countries of 3 digits", None),
        "425": (re.compile(r"([0-9]{3}){1,5}"), "1 to 5 countries of 3 digits", None),
        "421": (re.compile(rf"[0-9]{{3}}[{CSET_82}]{{1,9}}"), "a country of 3 digits and a post code", None),
        "7001": _number(13, shortest=13), "7002": _text(30), "7004": _number(4), "7005": _text(12),
        "7003": (re.compile(r"[0-9]{10}"), "a date and time YYMMDDHHMM", _hhmm),
        "7006": (re.compile(r"[0-9]{6}"), "a date written YYMMDD", _yymmdd),
        "7007": (re.compile(r"[0-9]{6}([0-9]{6})?"), "one or two dates written YYMMDD", _harvest),
        "7008": _text(3), "7009": _text(10), "7010": _text(2), "7020": _text(20), "7021": _text(20),
        "7022": _text(20), "7023": _text(30), "7240": _text(20), "7242": _text(25),
        "8001": _number(14, shortest=14), "8002": _text(20), "8005": _number(6, shortest=6),
        "8008": _number(12, shortest=8), "8009": _text(50), "8012": _text(20), "8020": _text(25),
        "8026": (re.compile(r"[0-9]{18}"), "18 digits", _piece), "8111": _number(4, shortest=4),
        "8200": _text(70), "90": _text(30),
    }  # fmt: skip
    rules |= dict.fromkeys(("11", "12", "13", "15", "16", "17"), _DATE)
    rules |= dict.fromkeys(("410", "411", "412", "413", "415", "416"), _N13)
    rules |= {str(ai): _text(90) for ai in range(91, 100)}
    weights = [*range(3100, 3170, 10), *range(3200, 3380, 10), *range(3400, 3580, 10), *range(3600, 3700, 10)]
    rules |= {str(ai + place): _number(6, shortest=6) for ai in weights for place in range(6)}
    rules |= {str(ai): _number(15) for ai in [*range(3900, 3910), *range(3920, 3930)]}
    rules |= {str(ai): _number(18, shortest=4) for ai in [*range(3910, 3920), *range(3930, 3940)]}
    rules |= {str(ai): _number(4, shortest=4) for ai in range(3940, 3944)}
    rules |= {str(ai): _number(6, shortest=6) for ai in range(3950, 3956)}
    rules |= {str(ai): _text(30, shortest=4) for ai in range(7030, 7040)}
    rules |= {str(ai): _text(30, shortest=3) for ai in range(7230, 7240)}
    rules |= {str(ai): _text(20) for ai in range(710, 718)}
    return rules


ATTRIBUTES: Final[dict[str, Rule]] = _attributes()
"""Data attributes that may stand in the query of a Digital Link beside its key."""


def value_problem(ai: str, value: str) -> str | None:
    """
    Say what is wrong with *value* under the Application Identifier *ai*, or None.

    Example:
        >>> value_problem("414", "9521234000010")
        'check digit of 9521234000010 is 0, it should be 3 (9521234000013)'
    """
    rule = RULES.get(ai) or ATTRIBUTES.get(ai)
    if rule is None:
        return f"unknown application identifier {ai}"
    pattern, said, test = rule
    if not pattern.fullmatch(value):
        return f"expected {said}, got {value!r} ({len(value)} characters)"
    return test(value) if test else None
