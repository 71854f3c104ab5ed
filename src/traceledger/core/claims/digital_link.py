# SPDX-License-Identifier: Apache-2.0
"""
GS1 Digital Link URIs, taken apart and put together (GS1 Digital Link URI Syntax).

`parse_digital_link` is strict and is for links we print and scan; `canonical_link` reads what others wrote:
any stem, old alphabetic names, shorter GTINs.  What a value may look like is in `gs1_values`.
"""

import ipaddress
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from traceledger.core.claims.gs1_values import KEYS, QUALIFIERS, value_problem
from traceledger.errors import InputError

CANONICAL_HOST: Final = "https://id.gs1.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalLink:
    """
    A GS1 Digital Link URI taken apart; values are decoded.

    Attributes:
        primary_ai: Application Identifier of the key, e.g. ``01``.

        primary: Its value.

        qualifiers: Pairs (AI, value) in path order.

        query: Pairs (name, value) of the query, in order; names of digits only are data attributes.

        origin: Scheme and authority, e.g. ``https://id.gs1.org``.

        stem: Path in front of the key, e.g. ``/tem``, or the empty string.
    """

    primary_ai: str
    primary: str
    qualifiers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    origin: str = CANONICAL_HOST
    stem: str = ""

    def get(self, ai: str) -> str | None:
        """Value of *ai* in the path, or None."""
        return dict(((self.primary_ai, self.primary), *self.qualifiers)).get(ai)


def identifier_error(message: str) -> InputError:
    """The error of every malformed identifier."""
    return InputError(message, code="identifier")


# --- writing ------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[-.0-9A-Z_a-z]*")
_SAFE: Final = frozenset("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")


def percent_encode(value: str) -> str:
    """Percent-encode all but unreserved characters."""
    if _PLAIN.fullmatch(value):
        return value
    return "".join(c if c in _SAFE else "".join(f"%{b:02X}" for b in c.encode()) for c in value)


def format_digital_link(link: DigitalLink) -> str:
    """
    The URI of *link*: origin, stem, key, qualifiers, query; every reserved character percent-encoded.

    The inverse of `parse_digital_link` but for the spelling of escapes.
    """
    path = "".join(
        f"/{ai}/{percent_encode(value)}" for ai, value in ((link.primary_ai, link.primary), *link.qualifiers)
    )
    query = "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in link.query)
    return f"{link.origin}{link.stem}{path}" + (f"?{query}" if query else "")


# --- reading Digital Links ----------------------------------------------------------------------------

_URI = re.compile(
    r"(https?|HTTPS?)://([^/?#]+)(/[^?#]*)?(?:\?([^#]*))?(?:#(.*))?",
)
_URI_CHARACTERS = re.compile(r"[-A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%]*")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[-A-Za-z0-9._]+)(:[0-9]{1,5})?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")

# Alphabetic names of Digital Link before version 1.3; read from others, never written.
_NAMES: Final = {
    "sscc": "00", "gtin": "01", "lot": "10", "ser": "21", "cpv": "22", "tpx": "235", "gdti": "253",
    "glnx": "254", "gcn": "255", "ginc": "401", "gsin": "402", "gln": "414", "party": "417",
    "grai": "8003", "giai": "8004", "itip": "8006", "cpid": "8010", "cpsn": "8011", "gsrnp": "8017",
    "gsrn": "8018", "srin": "8019",
}  # fmt: skip


def percent_decode(text: str) -> str:
    """Undo percent-encoding, one octet one character; a broken escape stays as written."""
    # One octet is one character: the GS1 sets are ASCII, so anything else fails the value test anyway, and
    # a broken escape stays as it is written (GS1 syntax engine).
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "%" in text else text


def _split(uri: str) -> tuple[str, list[str], str]:
    """Origin, path segments and raw query of a web URI."""
    match = _URI.fullmatch(uri)
    if not match or not _URI_CHARACTERS.fullmatch(uri):
        raise identifier_error(f"expected a web link of URI characters only, got {uri[:200]!r}")
    scheme, authority, path, query, _ = match.groups()
    host = _HOST.fullmatch(authority)
    if not host:
        raise identifier_error(f"host {authority!r} has characters that a host name cannot have")
    if authority[0] == "[":
        try:
            ipaddress.IPv6Address(host[1][1:-1])
        except ValueError:
            raise identifier_error(f"{host[1]} is no IPv6 address") from None
    return f"{scheme}://{authority}", (path or "").split("/")[1:], query or ""


def _key_position(segments: list[str], names: dict[str, str]) -> int | None:
    """Where the rightmost key stands, counting pairs from the end."""
    for position in range(len(segments) - 2, -1, -2):
        if names.get(segments[position], segments[position]) in KEYS:
            return position
    return None


def _in_order(ai: str, qualifiers: list[str]) -> bool:
    for order in KEYS[ai]:
        positions = [order.index(q) if q in order else -1 for q in qualifiers]
        if -1 not in positions and all(a < b for a, b in pairwise(positions)):
            return True
    return False


def _pairs(segments: list[str], position: int, names: dict[str, str]) -> list[tuple[str, str]]:
    pairs = [
        (names.get(segments[i], segments[i]), percent_decode(segments[i + 1]))
        for i in range(position, len(segments), 2)
    ]
    key, qualifiers = pairs[0][0], [ai for ai, _ in pairs[1:]]
    if not _in_order(key, qualifiers):
        allowed = " or ".join("/".join(order) or "nothing" for order in KEYS[key])
        raise identifier_error(
            f"after key {key} the path may go on with {allowed}, got {'/'.join(qualifiers)[:80]}"
        )
    return pairs


def _query(text: str) -> list[tuple[str, str]]:
    found = []
    for part in re.split(r"[&;]", text):
        name, _, value = part.partition("=")
        if name:
            found.append((percent_decode(name.replace("+", " ")), percent_decode(value.replace("+", " "))))
    return found


def _check_query(query: list[tuple[str, str]], path_ais: list[str]) -> None:
    seen = set(path_ais)
    for name, value in query:
        if not re.fullmatch(r"[0-9]+", name):
            continue
        if name in seen:
            raise identifier_error(f"identifier {name} is given twice")
        seen.add(name)
        if name in QUALIFIERS:
            raise identifier_error(f"identifier {name} belongs into the path, not into the query")
        problem = value_problem(name, value)
        if problem:
            raise identifier_error(f"query parameter {name}: {problem}")


def parse_digital_link(uri: str) -> DigitalLink:
    """
    Take a GS1 Digital Link apart, strictly.

    Refused are: another scheme than http or https, GTINs not of 14 digits, alphabetic names, qualifiers out
    of order or in the query, a repeated or unknown numeric identifier, a wrong length, character or check
    digit, an impossible date, a trailing slash.  A fragment is ignored.  Not tested: company prefixes and
    rules that join two identifiers.

    Raises:
        InputError: with code ``identifier`` and a sentence naming the first fault.

    Example:
        >>> parse_digital_link("https://tem.example/01/09521234567899/10/XCL-2611A?s=x").qualifiers
        (('10', 'XCL-2611A'),)
    """
    origin, segments, query_text = _split(uri)
    position = _key_position(segments, {})
    if position is None:
        raise identifier_error("no GS1 key followed by a value in the path of the link")
    pairs = _pairs(segments, position, {})
    for ai, value in pairs:
        problem = value_problem(ai, value)
        if problem:
            raise identifier_error(f"identifier {ai}: {problem}")
    query = _query(query_text)
    _check_query(query, [ai for ai, _ in pairs])
    return DigitalLink(
        primary_ai=pairs[0][0],
        primary=pairs[0][1],
        qualifiers=tuple(pairs[1:]),
        query=tuple(query),
        origin=origin,
        stem="".join(f"/{segment}" for segment in segments[:position]),
    )


# The one qualifier kept, finest first (CBV 2.0, constrained GS1 Digital Link URI).
_KEPT: Final = {"01": ("21", "10", "235"), "414": ("254",), "8006": ("21", "10"), "8010": ("8011",)}


def constrained(key: str, value: str, qualifiers: dict[str, str]) -> str:
    """Constrained GS1 Digital Link of a key, with the finest qualifier that the CBV keeps."""
    base = f"{CANONICAL_HOST}/{key}/{percent_encode(value)}"
    for ai in _KEPT.get(key, ()):
        if ai in qualifiers:
            return f"{base}/{ai}/{percent_encode(qualifiers[ai])}"
    return base


def canonical_link(identifier: str) -> str:
    """Constrained canonical form of a Digital Link of any host; `InputError` if it is none."""
    _, segments, query_text = _split(identifier)
    position = _key_position(segments, _NAMES)
    if position is None:
        raise identifier_error("no GS1 key in the path")
    pairs = _pairs(segments, position, _NAMES)
    if any(name in QUALIFIERS for name, _ in _query(query_text)):
        # Dropping it would silently merge lots under their product.
        raise identifier_error("a qualifier stands in the query; write it into the path")
    key, value = pairs[0]
    if key == "01" and len(value) in (8, 12, 13):
        value = value.zfill(14)
    for ai, text in ((key, value), *pairs[1:]):
        problem = value_problem(ai, text)
        if problem:
            raise identifier_error(f"identifier {ai}: {problem}")
    return constrained(key, value, dict(pairs[1:]))
