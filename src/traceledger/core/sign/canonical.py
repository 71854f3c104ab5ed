# SPDX-License-Identifier: Apache-2.0
"""
Strict JSON in, RFC 8785 (JCS) bytes out: section 1 of the format specification.

Numbers are read from their token as ``int`` or ``Decimal``, never as a float: a kilogram that was signed as
0.1 is summed as 0.1.  A token is taken only if it is exactly what ECMAScript prints for that number, so one
value has one text.  Duplicate member names, lone surrogates, byte order marks, deep nesting and anything
behind the document are refused, because parsers disagree about each of them.

NFC is not tested here: verifiers never ask for it, `judge.admission` does.
"""

import json
import re
from decimal import Decimal
from typing import Any, Final

from traceledger.errors import VerificationError

Json = Any
"""A JSON value: dict, list, str, bool, None, int or Decimal."""

MAX_DEPTH: Final = 32
MAX_NUMBER: Final = 2**53 - 1

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{\]}]', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONGEST = len("-0.0000012345678901234567")  # 17 digits behind the longest run of zeros


def parse(data: bytes, *, limit: int) -> Json:
    """
    Parse strict JSON that need not be canonical.

    Args:
        data: The document, UTF-8.

        limit: Greatest number of bytes accepted; tested before anything else.

    Raises:
        VerificationError: code ``too-large``, ``json-syntax``, ``json-depth``, ``json-duplicate``,
            ``json-number`` or ``json-surrogate``.
    """
    if len(data) > limit:
        raise VerificationError(f"expected at most {limit} bytes, got {len(data)}", code="too-large")
    _check_depth(data)
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise VerificationError(
            f"expected UTF-8, got an odd byte at {error.start}", code="json-syntax"
        ) from error
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"expected a JSON document: {error}", code="json-syntax") from error
    if _SURROGATE.search(data):
        _dump(value)  # raises where an escape left half a character behind
    return value


def parse_canonical(data: bytes, *, limit: int) -> Json:
    """
    Parse JSON that equals, byte for byte, its RFC 8785 form.

    Raises:
        VerificationError: as `parse`, and code ``not-canonical``.
    """
    value = parse(data, limit=limit)
    if _dump(value) != data:
        raise VerificationError("expected the RFC 8785 form of the document", code="not-canonical")
    return value


def canonical_bytes(value: Json) -> bytes:
    """
    Return the RFC 8785 form of *value*.

    Raises:
        VerificationError: a float, a non-ASCII or repeated member name, a number out of range, a lone
            surrogate, or nesting deeper than 32: the codes of `parse`.
    """
    _check_value(value, 1)
    return _dump(value)


def number_text(value: int | Decimal) -> str:
    """
    Return what ECMAScript ``String(Number)`` prints for *value*.

    Raises:
        VerificationError: code ``json-number`` where no double prints as exactly this value, or |value|
            exceeds 2**53 - 1.
    """
    finite = isinstance(value, int) or value.is_finite()
    if not finite or not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise VerificationError("expected a number between -(2^53-1) and 2^53-1", code="json-number")
    if isinstance(value, int):
        return str(value)
    # repr() is the shortest text that reads back as the double, as in ECMAScript; only its layout differs
    text = format(Decimal(repr(float(value))), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if Decimal(text) != value or (value != 0 and abs(value) < Decimal("1e-6")):
        raise VerificationError(f"expected a number a double holds exactly, got {value}", code="json-number")
    return "0" if text == "-0" else text


def _check_depth(data: bytes) -> None:
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _STRUCTURE.finditer(data):
        match token.group()[:1]:
            case b"[" | b"{":
                depth += 1
                if depth > MAX_DEPTH:
                    raise VerificationError(f"expected nesting up to {MAX_DEPTH}", code="json-depth")
            case b"]" | b"}":
                depth -= 1


def _check_value(value: Json, depth: int) -> None:
    match value:
        case None | bool() | str():
            return
        case int() | Decimal():
            number_text(value)
            return
        case dict() | list():
            if depth > MAX_DEPTH:
                raise VerificationError(f"expected nesting up to {MAX_DEPTH}", code="json-depth")
            if isinstance(value, dict):
                for name in value:
                    if not isinstance(name, str) or not name.isascii():
                        raise VerificationError(
                            f"expected ASCII member names, got {name!r}", code="json-syntax"
                        )
            for part in value.values() if isinstance(value, dict) else value:
                _check_value(part, depth + 1)
        case _:
            raise VerificationError(
                f"expected JSON without floats, got {type(value).__name__}", code="json-number"
            )


def _dump(value: Json) -> bytes:
    # The C encoder sorts by code point, which for ASCII names is the UTF-16 order of RFC 8785 3.2.3, and
    # escapes exactly what 3.2.2.2 escapes.  A Decimal reaches `_as_float`, whose repr is its ES text but for
    # numbers that Python prints with an exponent; those few take the slow way.
    try:
        text = _ENCODER.encode(value)
    except _NeedsSlowError:
        text = _slow_dump(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise VerificationError("expected no lone surrogate", code="json-surrogate") from error


class _NeedsSlowError(Exception):
    pass


def _as_float(value: object) -> float | int:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    number = float(value)
    if number.is_integer():
        return int(number)
    if "e" in repr(number):
        raise _NeedsSlowError
    return number


def _slow_dump(value: Json) -> str:
    match value:
        case Decimal():
            return number_text(value)
        case dict():
            return "{" + ",".join(f"{_ENCODER.encode(k)}:{_slow_dump(value[k])}" for k in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(_slow_dump, value)) + "]"
        case _:
            return _ENCODER.encode(value)


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise VerificationError("expected every member name once", code="json-duplicate")
    for name in members:
        if not name.isascii():
            raise VerificationError(f"expected ASCII member names, got {name!r}", code="json-syntax")
    return members


def _number(token: str) -> int | Decimal:
    if len(token) > _LONGEST or not _NUMBER.fullmatch(token):
        raise VerificationError(f"expected a plain decimal number, got {token[:40]}", code="json-number")
    value: int | Decimal = Decimal(token) if "." in token else int(token)
    if number_text(value) != token:
        raise VerificationError(f"expected the shortest text of the number, got {token}", code="json-number")
    return value


def _constant(token: str) -> Json:
    raise VerificationError(f"expected a number, got {token}", code="json-number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_number, parse_float=_number, parse_constant=_constant
)
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False,
    check_circular=False,
    allow_nan=False,
    sort_keys=True,
    separators=(",", ":"),
    default=_as_float,
)
