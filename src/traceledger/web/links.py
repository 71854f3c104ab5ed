# SPDX-License-Identifier: Apache-2.0
"""
GS1-Conformant Resolver manners: reading the scanned link, and the linkset that says where it leads.

Follows GS1 Digital Link URI Syntax for what is a link (else 400) and GS1-Conformant Resolver 1.2 for answers:
the consumer page is the default link and is served in place, ``linkType`` picks another, ``linkset`` or
``Accept: application/linkset+json`` gives them all (RFC 9264), with the levels above a lot or serial.
"""

import re
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from flask import Request

from traceledger.core.claims.identifiers import DigitalLink, format_digital_link, parse_digital_link
from traceledger.errors import InputError, NotFoundError

LINKSET: Final = "application/linkset+json"
CONTEXT: Final = (
    '<https://ref.gs1.org/standards/resolver/linkset-context>; rel="http://www.w3.org/ns/json-ld#context"; '
    'type="application/ld+json"'
)
VOCABULARY: Final = "https://ref.gs1.org/voc/"
_PREFIXES: Final = ("gs1:", VOCABULARY, "https://gs1.org/voc/", "https://www.gs1.org/voc/")
#: Link types whose target is the consumer page itself.
PAGE_TYPES: Final = frozenset({"defaultLink", "pip", "traceability", "recallStatus"})
_SPLIT_LOT: Final = re.compile(r"(/01/\d{14}(?:/22/[^/]+)?/10/)([^/]+/.+?)(/21/[^/]+)?/?")
#: Primary keys this resolver answers for.
KEYS: Final = ("00", "01", "414")


def raw_path(request: Request) -> str:
    """The path as it was sent, escapes kept: a decoded ``%2F`` would cut a lot number in two."""
    for name in ("RAW_URI", "REQUEST_URI"):
        sent = request.environ.get(name)
        if isinstance(sent, str) and sent:
            path = sent.partition("?")[0]
            # the absolute form of a request target (RFC 9112, 3.2.2) names scheme and host in front
            return path if path.startswith("/") else "/" + path.partition("://")[2].partition("/")[2]
    return quote(request.path, safe="/!$&'()*+,;=:@-._~")


def read_link(request: Request, public_url: str) -> DigitalLink:
    """
    The Digital Link that *request* asks for; one trailing slash is forgiven.

    Raises:
        InputError: it is none, or an identifier in it is wrong.
    """
    query = request.query_string.decode("latin-1")
    path = raw_path(request).removesuffix("/")
    link = parse_digital_link(f"{public_url}{path}" + (f"?{query}" if query else ""))
    if link.primary_ai not in KEYS or link.stem:
        raise InputError(
            f"expected a link with one of {', '.join(KEYS)} first, got {path[:120]!r}", code="identifier"
        )
    return link


def rejoined(request: Request, public_url: str) -> DigitalLink | None:
    """
    The link of *request* if its lot number holds a slash that the server decoded on the way; else None.

    Some WSGI servers hand on ``A%2FB`` as ``A/B`` and nothing else.  It reads as two segments then, so whoever
    takes this for the link must know the lot: it is a guess.
    """
    if request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI"):
        return None
    match = _SPLIT_LOT.fullmatch(request.path)
    if match is None:
        return None
    head, lot, tail = match.groups()
    try:
        return parse_digital_link(f"{public_url}{head}{quote(lot, safe='')}{tail or ''}")
    except InputError:
        return None


def subject_of(link: DigitalLink) -> str:
    """The canonical URI of the lot, product, place or unit of *link*, without a serial number."""
    kept = tuple(pair for pair in link.qualifiers if pair[0] != "21")
    return format_digital_link(DigitalLink(primary_ai=link.primary_ai, primary=link.primary, qualifiers=kept))


def link_type(request: Request) -> str | None:
    """The short name of the asked link type; ``linkset`` also for the old ``all`` and for Accept."""
    asked = request.args.get("linkType")
    if asked is None:
        accepted = request.accept_mimetypes
        best = accepted.best_match(["text/html", LINKSET, "application/json"])
        return (
            "linkset"
            if best in (LINKSET, "application/json") and accepted[best] > accepted["text/html"]
            else None
        )
    for prefix in _PREFIXES:
        asked = asked.removeprefix(prefix)
    return "linkset" if asked == "all" else asked


def targets(link: DigitalLink, *, public_url: str, subject: str) -> dict[str, tuple[str, str, str, str]]:
    """Link types at this level: name to (href, title, media type, language); an empty type is left out."""
    page = format_digital_link(replace(link, origin=public_url, query=(), stem=""))
    found = {
        "defaultLink": (page, "Hồ sơ lô hàng", "", ""),
        "pip": (page, "Hồ sơ lô hàng", "text/html", "vi"),
        "traceability": (page, "Đường đi của lô hàng", "text/html", "vi"),
    }
    number, lot = link.get("01"), link.get("10")
    if number and lot:
        place = f"{quote(number)}/{quote(lot, safe='')}"
        found["masterData"] = (f"{public_url}/api/v1/lots/{place}", "Lot data", "application/json", "en")
        found["verificationService"] = (
            f"{public_url}/check?{urlencode({'subject': subject})}",
            "Kiểm tra lại trên máy tôi",
            "text/html",
            "vi",
        )
    return found


def redirect_target(link: DigitalLink, kind: str, request: Request, *, public_url: str) -> str:
    """
    Where link type *kind* leads, with the query handed on as it was sent.

    Raises:
        NotFoundError: code ``link-type``; there is no such link.
    """
    found = targets(link, public_url=public_url, subject=subject_of(link))
    if kind not in found:
        raise NotFoundError(f"no link of type {kind[:60]!r} here; ask for linkType=linkset", code="link-type")
    href = found[kind][0]
    query = request.query_string.decode("latin-1")
    return f"{href}{'&' if '?' in href else '?'}{query}"


def linkset(link: DigitalLink, *, public_url: str, description: str) -> dict[str, Any]:
    """The linkset of *link*: one member for it and one for each level above, each with its own anchor."""
    levels = [
        replace(link, qualifiers=link.qualifiers[:count], query=())
        for count in range(len(link.qualifiers), -1, -1)
    ]
    return {"linkset": [_level(level, public_url=public_url, description=description) for level in levels]}


def _level(link: DigitalLink, *, public_url: str, description: str) -> dict[str, Any]:
    found = targets(link, public_url=public_url, subject=subject_of(link))
    member: dict[str, Any] = {"anchor": found["defaultLink"][0]}
    if description:
        member["description"] = description
    for name, (href, title, kind, language) in found.items():
        target: dict[str, Any] = {"href": href, "title": title}
        if kind:
            target |= {"type": kind, "hreflang": [language]}
        member[f"{VOCABULARY}{name}"] = [target]
    return member
