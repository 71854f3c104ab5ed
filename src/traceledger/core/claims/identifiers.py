# SPDX-License-Identifier: Apache-2.0
"""
Identifiers of goods, places and parties: check digits, GS1 Digital Link, and the one canonical spelling.

Two readers, on purpose.  `parse_digital_link` is strict (GS1 Digital Link URI Syntax; GTIN of 14 digits) and
is for links we print and scan.  `canonical` is total: it turns EPC URNs and Digital Links of any host, age
and stem into the constrained canonical form `https://id.gs1.org/…` (CBV 2.0, finest level only, no query)
and returns everything else unchanged, so that two spellings of one lot are one subject.  Whether a number
is registered to anybody is not known here.
"""

import re
from functools import lru_cache

from traceledger.core.claims.digital_link import (
    CANONICAL_HOST,
    DigitalLink,
    canonical_link,
    format_digital_link,
    identifier_error,
    parse_digital_link,
    percent_encode,
)
from traceledger.core.claims.epc_urn import canonical_urn
from traceledger.core.claims.gs1_values import KEYS, check_digit, has_check_digit, value_problem
from traceledger.errors import InputError

__all__ = [
    "CANONICAL_HOST",
    "DigitalLink",
    "canonical",
    "check_digit",
    "format_digital_link",
    "gln",
    "gln_uri",
    "gtin",
    "gtin_uri",
    "is_lot",
    "lot_uri",
    "parse_digital_link",
    "problems",
    "sscc",
    "sscc_uri",
]

# --- plain numbers ------------------------------------------------------------------------------------


def gtin(value: str) -> str:
    """
    The 14 digits of a GTIN-8, -12, -13 or -14.

    Raises:
        InputError: *value* has another length, other characters or a wrong check digit.
    """
    if not re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", value):
        raise identifier_error(f"a GTIN has 8, 12, 13 or 14 digits, got {value!r}")
    return _checked("01", value.zfill(14), "GTIN")


def gln(value: str) -> str:
    """*value* itself if it is a GLN of 13 digits with its check digit; else `InputError`."""
    return _checked("414", value, "GLN")


def sscc(value: str) -> str:
    """*value* itself if it is an SSCC of 18 digits with its check digit; else `InputError`."""
    return _checked("00", value, "SSCC")


def _checked(ai: str, value: str, name: str) -> str:
    problem = value_problem(ai, value)
    if problem:
        raise identifier_error(f"{name}: {problem}")
    return value


def gtin_uri(gtin14: str) -> str:
    """Canonical URI of a product; *gtin14* may be shorter, see `gtin`."""
    return f"{CANONICAL_HOST}/01/{gtin(gtin14)}"


def lot_uri(gtin14: str, lot: str) -> str:
    """Canonical URI of a lot (AI 10: 1 to 20 characters of the GS1 set)."""
    return f"{gtin_uri(gtin14)}/10/{percent_encode(_checked('10', lot, 'lot'))}"


def gln_uri(gln13: str) -> str:
    """Canonical URI of a place (AI 414)."""
    return f"{CANONICAL_HOST}/414/{gln(gln13)}"


def sscc_uri(sscc18: str) -> str:
    """Canonical URI of a logistic unit (AI 00)."""
    return f"{CANONICAL_HOST}/00/{sscc(sscc18)}"


# --- canonical form ----------------------------------------------------------------------------------

_QUICK = re.compile(r"https://id\.gs1\.org/01/([0-9]{14})(?:/(?:10|21)/[-.0-9A-Z_a-z]{1,20})?")


@lru_cache(maxsize=1024)  # an event names its few identifiers several times
def canonical(identifier: str) -> str:
    """
    The one spelling of *identifier* under which its statements are found; total and idempotent.

    An EPC URN or a Digital Link (any host, stem, scheme, old alphabetic names, GTINs of 8, 12 or 13 digits)
    becomes ``https://id.gs1.org/…`` with the finest qualifier only and no query.  Anything else, a link
    with a wrong check digit included, is its own canonical form: `problems` says why.

    Example:
        >>> canonical("urn:epc:class:lgtin:4012345.012345.Lot987")
        'https://id.gs1.org/01/04012345123456/10/Lot987'
    """
    quick = _QUICK.fullmatch(identifier)
    if quick and has_check_digit(quick[1]):
        return identifier
    try:
        if identifier.startswith("urn:epc:"):
            return canonical_urn(identifier)
        if identifier[:4] in ("http", "HTTP"):
            return canonical_link(identifier)
    except InputError:
        pass
    return identifier


def problems(identifier: str) -> list[str]:
    """
    What is wrong with *identifier* as a GS1 identifier, in sentences; empty if nothing or if it is none.

    Example:
        >>> problems("https://id.gs1.org/414/1234567089453")
        ['identifier 414: check digit of 1234567089453 is 3, it should be 7 (1234567089457)']
    """
    try:
        if identifier.startswith("urn:epc:"):
            canonical_urn(identifier)
        elif identifier[:4] in ("http", "HTTP") and _claims_a_key(identifier):
            canonical_link(identifier)
    except InputError as error:
        return [error.message]
    return []


def _claims_a_key(identifier: str) -> bool:
    # A path of some other web address may hold "/00/" by chance: only a numeric key and a digit count.
    return re.search(rf"/(?:{'|'.join(KEYS)})/[0-9A-Z]", identifier) is not None


def is_lot(identifier: str) -> bool:
    """Tell whether a canonical *identifier* names a lot (01 with 10), not a product, item or place."""
    return (
        identifier.startswith(f"{CANONICAL_HOST}/01/")
        and identifier[len(CANONICAL_HOST) + 18 :][:4] == "/10/"
    )
