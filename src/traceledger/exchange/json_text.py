# SPDX-License-Identifier: Apache-2.0
"""
JSON that somebody else wrote, read leniently where nothing can be lost and refused where it could.

Numbers keep their exact decimal value (``200.0`` and ``1e2`` become 200 and 100); text becomes Unicode NFC and
the change is noted; a byte order mark is tolerated and noted.  Refused are other encodings, duplicate member
names, NaN and Infinity, deep or huge documents, and numbers our statements cannot hold.
"""

import json
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from traceledger.core.sign.canonical import number_text
from traceledger.errors import InputError, VerificationError

Json = Any

MAX_DOCUMENT: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 64

_OTHERS: Final = (
    (b"%PDF", "a PDF"),
    (b"PK", "a ZIP archive"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8", "a picture"),
)

_WORDS: Final = (b"true", b"false", b"null", b"NaN", b"Infinity")

_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{\]}]', re.DOTALL)


def read_json(data: bytes, *, limit: int = MAX_DOCUMENT) -> tuple[Json, list[str]]:
    """
    Parse a foreign JSON document; every number is a Decimal as written.

    Args:
        data: The file as received.

        limit: Greatest number of bytes taken; tested before anything else.

    Returns:
        The value, and notes about what was tolerated.

    Raises:
        InputError: code ``too-large``, ``json-syntax``, ``json-depth``, ``json-duplicate`` or
            ``json-number``.
    """
    notes = []
    if len(data) > limit:
        raise InputError(f"the file has {len(data)} bytes, expected at most {limit}", code="too-large")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:2]:
        raise InputError("the file is UTF-16; save it as UTF-8", code="json-syntax")
    if other := _other_format(data[:64].lstrip()):
        raise InputError(other, code="json-syntax")
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        notes.append("the file begins with a byte order mark, which JSON has not; it was passed over")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = (
            f"the file is not UTF-8: odd byte 0x{data[error.start]:02x} at {error.start}; save it as UTF-8"
        )
        raise InputError(message, code="json-syntax") from error
    _check_depth(text)
    try:
        return _DECODER.decode(text), notes
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        message = f"not JSON: {error.msg}"
        if error.msg == "Extra data":
            message = "a second JSON value follows the first; put several events into one list: [ …, … ]"
        elif error.pos >= len(text.rstrip()) - 1:
            message = "the file breaks off here; export or copy it again"
        raise InputError(message, code="json-syntax", where=where) from error


def _other_format(head: bytes) -> str | None:
    """Say what a file that begins with *head* is instead of JSON, and what to do; None if it may be JSON."""
    if not head:
        return "the file is empty"
    if head.startswith(b"<"):
        return "the file is XML or a web page; export it as EPCIS 2.0 JSON"
    for magic, name in _OTHERS:
        if head.startswith(magic):
            return f"the file is {name}, expected EPCIS 2.0 JSON or a diary saved as .xlsx"
    if head[:1] not in b'{[\xef"-0123456789' and not head.startswith(_WORDS):
        return "the file is some other text, such as CSV; expected EPCIS 2.0 JSON or a diary saved as .xlsx"
    return None


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _STRUCTURE.finditer(text):
        match token.group()[0]:
            case "[" | "{":
                depth += 1
                if depth > MAX_DEPTH:
                    message = f"the document nests deeper than {MAX_DEPTH}"
                    raise InputError(message, code="json-depth", where=f"character {token.start()}")
            case "]" | "}":
                depth -= 1


def _number(token: str) -> Decimal:
    try:
        return Decimal(token)
    except InvalidOperation:
        raise InputError(f"number {token[:40]} is out of all bounds", code="json-number") from None


def _constant(token: str) -> NoReturn:
    raise InputError(f"{token} is no JSON number; leave the member out instead", code="json-number")


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"member {twice[:80]!r} is given twice in one object; readers disagree which one counts"
        raise InputError(message, code="json-duplicate")
    return members


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_number, parse_int=_number, parse_constant=_constant
)


def to_profile(value: Json, path: str, notes: list[str]) -> Json:
    """
    The same value in the terms of our statements: exact int or Decimal, NFC text.

    Args:
        value: What `read_json` gave.

        path: Where it stands, for messages.

        notes: Takes a line for each text that had to be normalised.

    Raises:
        InputError: a number that no signed statement can hold exactly (code ``json-number``), or a lone
            surrogate (``json-surrogate``).
    """
    match value:
        case Decimal():
            return _exact(value, path)
        case str():
            return _nfc(value, path, notes)
        case list():
            return [to_profile(part, f"{path}[{i}]", notes) for i, part in enumerate(value)]
        case dict():
            members = {}
            for name, part in value.items():
                inner = f"{path}.{name}" if path else name
                members[_nfc(name, inner, notes)] = to_profile(part, inner, notes)
            if len(members) < len(value):
                raise InputError(
                    "two member names differ by Unicode form only", code="json-duplicate", where=path
                )
            return members
        case _:
            return value


def _nfc(text: str, path: str, notes: list[str]) -> str:
    if text.isascii():
        return text
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise InputError("the text holds half of a surrogate pair", code="json-surrogate", where=path)
    normal = unicodedata.normalize("NFC", text)
    if normal != text:
        notes.append(f"{path}: text was in another Unicode form and was brought to NFC")
    return normal


def exact_number(value: Decimal) -> int | Decimal | None:
    """*value* as statements hold it, exactly; None if they cannot."""
    if not value.is_finite():
        return None
    if not value:
        return 0
    digits = "".join(map(str, value.as_tuple().digits)).rstrip("0")
    if value.adjusted() > 16 or value.adjusted() < -7 or len(digits) > 17:
        return None
    plain = Decimal(format(value, "f"))
    number = int(plain) if plain == plain.to_integral_value() else plain.normalize()
    try:
        number_text(number)
    except VerificationError:
        return None
    return number


def _exact(value: Decimal, path: str) -> int | Decimal:
    number = exact_number(value)
    if number is None:
        shown = str(value) if len(str(value)) <= 40 else f"{str(value)[:40]}…"
        message = f"number {shown} cannot be held exactly; expected up to 2^53-1 with at most 15 to 17 digits"
        raise InputError(message, code="json-number", where=path)
    return number
