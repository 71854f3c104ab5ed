# SPDX-License-Identifier: Apache-2.0
"""
EPC URNs (`urn:epc:id:…`, `urn:epc:class:lgtin:…`, `urn:epc:idpat:…`) as constrained GS1 Digital Link URIs.

After the EPC Tag Data Standard and the CBV 2.0 table of corresponding forms.  A URN has no check digit; it is
computed.
"""

import re
from typing import Final

from traceledger.core.claims.digital_link import CANONICAL_HOST, constrained, identifier_error, percent_decode
from traceledger.core.claims.gs1_values import check_digit, value_problem

_URN_TEXT = r"((?:[-!'()*+,.0-9:;=A-Z_a-z]|%[0-9A-Fa-f]{2})+)"
_URN_ID = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):(.+)", re.DOTALL)
_GTIN_URN = re.compile(r"([0-9]{6,12})\.([0-9])([0-9]{0,6})")
# scheme -> key, digits in front of the check digit, what follows (None: nothing, "": serial glued to the
# key, else the AI of the serial)
_NUMBERED: Final = {
    "sgln": ("414", 12, "254"),
    "pgln": ("417", 12, None),
    "grai": ("8003", 12, ""),
    "gdti": ("253", 12, ""),
    "sgcn": ("255", 12, ""),
    "gsrn": ("8018", 17, None),
    "gsrnp": ("8017", 17, None),
    "gsin": ("402", 16, None),
}
_ASSETS: Final = {"giai": "8004", "ginc": "401"}


def _urn_gtin(kind: str, scheme: str, rest: str) -> str:
    """sgtin, lgtin, itip, upui: a GTIN whose first digit was moved behind the company prefix."""
    prefix, _, tail = rest.partition(".")
    reference, _, tail = tail.partition(".")
    match = _GTIN_URN.fullmatch(f"{prefix}.{reference}")
    if not match or len(prefix) + len(reference) != 13:
        raise identifier_error("expected company prefix and reference of 13 digits together")
    body = match[2] + prefix + match[3]
    number = body + check_digit(body)
    if scheme == "itip":
        piece, _, tail = tail.partition(".")
        total, _, tail = tail.partition(".")
        return _urn_end(kind, "8006", number + piece + total, "21", tail)
    return _urn_end(kind, "01", number, {"sgtin": "21", "lgtin": "10", "upui": "235"}[scheme], tail)


def _urn_end(kind: str, key: str, value: str, serial_ai: str, tail: str) -> str:
    qualifiers = {}
    if kind == "idpat":
        if tail != "*":
            raise identifier_error("only a pattern ending in * names a class")
    else:
        if not re.fullmatch(_URN_TEXT, tail):
            raise identifier_error(
                "a serial or lot is missing, or has characters that must be percent-encoded"
            )
        qualifiers[serial_ai] = percent_decode(tail)
    for ai, text in ((key, value), *qualifiers.items()):
        problem = value_problem(ai, text)
        if problem:
            raise identifier_error(f"identifier {ai}: {problem}")
    return constrained(key, value, qualifiers)


def _urn_number(kind: str, scheme: str, rest: str) -> str:
    """Keys with a check digit after company prefix and reference."""
    key, length, serial_ai = _NUMBERED[scheme]
    parts = rest.split(".", 2)
    digits = "".join(parts[:2])
    if len(parts) < 2 or not re.fullmatch(r"[0-9]+", digits) or len(digits) != length:
        raise identifier_error(f"expected company prefix and reference of {length} digits together")
    value = digits + check_digit(digits)
    if key == "8003":
        value = "0" + value
    tail = parts[2] if len(parts) == 3 else None
    if serial_ai is None:
        if tail:
            raise identifier_error("nothing may follow the reference")
        return constrained(key, value, {})
    if tail is None:
        raise identifier_error("the part after the reference is missing")
    if serial_ai == "254":
        # Extension 0 says that there is none (EPC Tag Data Standard, SGLN).
        if tail == "0" or (kind == "idpat" and tail == "*"):
            return constrained(key, value, {})
        return _urn_end(kind, key, value, serial_ai, tail)
    if kind == "idpat" and tail == "*":
        return constrained(key, value, {})
    if not re.fullmatch(_URN_TEXT, tail):
        raise identifier_error("the serial has characters that must be percent-encoded")
    problem = value_problem(key, value + percent_decode(tail))
    if problem:
        raise identifier_error(f"identifier {key}: {problem}")
    return constrained(key, value + percent_decode(tail), {})


def _urn_other(kind: str, scheme: str, rest: str) -> str:
    prefix, _, tail = rest.partition(".")
    if not re.fullmatch(r"[0-9]{6,12}", prefix):
        raise identifier_error("expected a company prefix of 6 to 12 digits")
    if scheme == "sscc":
        if not re.fullmatch(r"[0-9]+", tail) or len(prefix) + len(tail) != 17:
            raise identifier_error("expected company prefix and reference of 17 digits together")
        body = tail[0] + prefix + tail[1:]
        return f"{CANONICAL_HOST}/00/{body}{check_digit(body)}"
    if scheme == "cpi":
        part, _, serial = tail.rpartition(".")
        if not re.fullmatch(_URN_TEXT, part):
            raise identifier_error("the part number is missing")
        return _urn_end(kind, "8010", prefix + percent_decode(part), "8011", serial)
    if not re.fullmatch(_URN_TEXT, tail):
        raise identifier_error("the reference is missing, or has characters that must be percent-encoded")
    key, value = _ASSETS[scheme], prefix + percent_decode(tail)
    problem = value_problem(key, value)
    if problem:
        raise identifier_error(f"identifier {key}: {problem}")
    return constrained(key, value, {})


def canonical_urn(identifier: str) -> str:
    """Constrained canonical form of an EPC URN; `InputError` if it has none."""
    match = _URN_ID.fullmatch(identifier)
    if not match:
        raise identifier_error("not an EPC URN of an identity, class or pattern")
    kind, scheme, rest = match.groups()
    if (kind == "class") != (scheme == "lgtin"):
        raise identifier_error(f"urn:epc:{kind}:{scheme} is no known EPC URN")
    if scheme in ("sgtin", "lgtin", "itip", "upui"):
        return _urn_gtin(kind, scheme, rest)
    if scheme in _NUMBERED and (kind == "id" or scheme in ("grai", "gdti", "sgcn", "sgln")):
        return _urn_number(kind, scheme, rest)
    if (kind == "id" and scheme in ("sscc", *_ASSETS)) or scheme == "cpi":
        return _urn_other(kind, scheme, rest)
    raise identifier_error(f"urn:epc:{kind}:{scheme} has no canonical GS1 Digital Link")
