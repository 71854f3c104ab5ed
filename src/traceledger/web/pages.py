# SPDX-License-Identifier: Apache-2.0
"""
Pages for people: the start page, what a scan shows, how to check it elsewhere, and whom to tell.

The scan page is also the resolver's default link (`links`); programs get a linkset from the same address.
Nothing here decides a verdict: facts come from the resolver, sentences from `present`.
"""

import json
import re
import secrets
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from traceledger.core.claims.identifiers import DigitalLink, parse_digital_link
from traceledger.core.judge.verdict.view import LotView
from traceledger.errors import InputError, NotFoundError
from traceledger.web import links
from traceledger.web.formats import format_moment
from traceledger.web.headers import NO_STORE
from traceledger.web.locale import words_for
from traceledger.web.present import Page
from traceledger.web.routes import data, described
from traceledger.web.services import services

pages = Blueprint("pages", __name__)

CLIENT: Final = "client"
_HALF_YEAR: Final = 180 * 24 * 3600
_HTML: Final = ("text/html",)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_FOUND: Final = {
    200: ("The page in Vietnamese or English, or the linkset", ("text/html", links.LINKSET)),
    303: ("To the link of the asked type", ()),
    400: ("No valid GS1 Digital Link", ("text/html", "application/problem+json")),
    404: ("Unknown here, or no link of that type", ("text/html", "application/problem+json")),
}
_LINK_QUERY: Final = {
    "lang": "vi or en",
    "linkType": "linkset, or a GS1 link type such as gs1:masterData",
    "s": "signature printed in the code of a stamp",
}


@pages.get("/")
@described({200: ("The start page", _HTML)}, tag="pages", query={"lang": "vi or en"})
def home() -> ResponseReturnValue:
    """What this ledger is, a box to look up a stamp or lot, and how far the log reaches."""
    words = words_for(request)
    health = services().health()
    anchor = health.get("anchor")
    anchored = words("home.anchored_none")
    if anchor:
        at = format_moment(anchor["time"], words.lang) if anchor.get("time") else ""
        key = f"chain.{anchor['chain'].partition(':')[2]}"
        chain = words(key) if key in words else anchor["name"]
        anchored = words("home.anchored_text", chain=chain, at=at, size=anchor["size"])
    return _page("home.html", 200, size=services().log.size(), anchored=anchored)


@pages.get("/find")
@described(
    {
        303: ("To the page of the stamp or lot", ()),
        404: ("Nothing by that name, or a link of another site", _HTML),
    },
    tag="pages",
    query={"q": "a link, a stamp number, a GTIN or an alias"},
)
def find() -> ResponseReturnValue:
    """Lead what was typed into the box to its page; a link of another site is named as such, not followed."""
    typed = request.args.get("q", "").strip()
    settings = services().settings
    if not typed:
        return redirect("/", 303)
    try:
        address = urlsplit(typed if "://" in typed else f"//{typed}")
    except ValueError:  # no host at all: a lone bracket, or letters that stand for a slash
        return redirect(f"/lots/{quote(typed, safe='')}", 303)
    if "/" in typed and address.netloc:
        if address.netloc.lower() != urlsplit(settings.public_url).netloc.lower():
            words = words_for(request)
            title = words("home.foreign", host=address.netloc[:80])
            text = words("home.foreign_do", own=urlsplit(settings.public_url).netloc)
            return _page("message.html", 404, title=title, text=text)
        return redirect(f"/{address.path.lstrip('/')}" + (f"?{address.query}" if address.query else ""), 303)
    if "/" in typed:
        # One slash in front, whatever was typed: two would name another site.
        return redirect("/" + quote(typed.lstrip("/"), safe="/%"), 303)
    digits = typed.replace(" ", "")
    if digits.isascii() and digits.isdigit() and len(digits) in (8, 12, 13, 14):
        return redirect(f"/01/{digits.zfill(14)}", 303)
    return redirect(f"/lots/{quote(typed, safe='')}", 303)


def _resolve(**_rest: str) -> ResponseReturnValue:
    """Resolve a GS1 Digital Link: the page of a lot, product, place or stamp, or the linkset of its links."""
    app = services()
    link = _link()
    kind = links.link_type(request)
    if kind == "linkset":
        return _linkset(link)
    if kind is not None and kind not in links.PAGE_TYPES:
        _look(link, None)
        target = links.redirect_target(link, kind, request, public_url=app.settings.public_url)
        return _as_resolver(redirect(target, 303), link)
    counted = request.method == "GET" and link.get("21") is not None
    token = _client_token() if counted else None
    view = _look(link, token)
    response = _lot_page(view, status=404 if view.goods.state == "unknown" else 200)
    if token is not None and request.cookies.get(CLIENT) != token:
        response.set_cookie(
            CLIENT, token, max_age=_HALF_YEAR, secure=request.is_secure, httponly=True, samesite="Lax"
        )
    return _as_resolver(response, link)


def _add_resolver_routes() -> None:
    for key in links.KEYS:
        view = described(_FOUND, tag="resolver", query=_LINK_QUERY)(_resolve)
        rule = f"/{key}/<path:rest>"
        pages.add_url_rule(rule, endpoint=f"resolve_{key}", view_func=view, methods=["GET"])


_add_resolver_routes()


@pages.get("/lots/<alias>")
@described(
    {200: ("The page of the lot", _HTML), 404: ("No lot by that alias", _HTML)},
    tag="pages",
    query={"lang": "vi or en"},
)
def lot_by_alias(alias: str) -> ResponseReturnValue:
    """The page of a lot that has no GTIN, or whose short name was typed."""
    return _lot_page(services().resolver.alias(alias), status=200)


@pages.get("/check")
@described(
    {200: ("How to verify the lot elsewhere", _HTML)},
    tag="pages",
    query={"subject": "subject URI of the lot", "stamp": "serial of the stamp, optional"},
)
def check() -> ResponseReturnValue:
    """How to verify a lot on one's own machine: the bundle, the command, and where to get the trust file."""
    subject, stamp = request.args.get("subject", ""), request.args.get("stamp", "")
    return _page(
        "check.html", 200, subject=subject, bundle=bundle_address(subject, stamp), back=_own_path(subject)
    )


@pages.get("/report")
@described({200: ("Whom to tell", _HTML)}, tag="pages", query={"of": "link of the stamp or lot it is about"})
def report() -> ResponseReturnValue:
    """Whom to tell about a suspicious stamp; this version takes no reports itself."""
    # Names and numbers come from the ledger, never from the address: nobody may put words on this page.
    try:
        view = _look(parse_digital_link(request.args.get("of", "")), None)
    except (InputError, NotFoundError):
        view = None
    stamp = view.stamp if view else None
    number = stamp.number_text if stamp else view.lot if view else ""
    return _page("report.html", 200, number=number, producer=view.producer_name if view else "")


@pages.get("/.well-known/gs1resolver")
@described({200: ("GS1 resolver description file", ("application/json",))}, tag="resolver")
def description() -> ResponseReturnValue:
    """The GS1 resolver description file: which identification keys are answered for."""
    settings = services().settings
    body = {
        "name": settings.origin,
        "resolverRoot": settings.public_url,
        "supportedPrimaryKeys": list(links.KEYS),
        "supportedLinkType": [{"namespace": links.VOCABULARY, "prefix": "gs1:"}],
        "linkTypeDefaultCanBeLinkset": False,
    }
    return data(_json(body), "application/json", cache="public, max-age=3600")


def bundle_address(subject: str, serial: str = "") -> str:
    """Local address of a lot's bundle, with a stamp where *serial* is given; empty where nothing was named."""
    if not subject:
        return ""
    query = {"stamp": serial} if serial else {}
    try:
        link = parse_digital_link(subject)
    except InputError:
        link = None
    number, lot = (link.get("01"), link.get("10")) if link else (None, None)
    if number and lot:
        tail = f"?{urlencode(query)}" if query else ""
        return f"/api/v1/bundles/{number}/{quote(lot, safe='')}{tail}"
    return f"/api/v1/bundles?{urlencode({'subject': subject} | query)}"


def _own_path(subject: str) -> str:
    """Local page of *subject*; its start page where it has none by address."""
    try:
        return urlsplit(links.subject_of(parse_digital_link(subject))).path
    except InputError:
        return "/"


def _link() -> DigitalLink:
    """The link asked for; see `links.rejoined` for the second reading, which only a known lot can win."""
    public_url = services().settings.public_url
    try:
        return links.read_link(request, public_url)
    except InputError:
        link = links.rejoined(request, public_url)
        if link is None or not _is_known(link):
            raise
        return link


def _is_known(link: DigitalLink) -> bool:
    try:
        return _look(link, None).goods.state != "unknown"
    except NotFoundError:
        return False


def _look(link: DigitalLink, client_token: str | None) -> LotView:
    resolver = services().resolver
    if link.get("21") is not None:
        return resolver.stamp(link, request.args.get("s"), client_token)
    return resolver.lot(links.subject_of(link))


def _linkset(link: DigitalLink) -> Response:
    """The linkset of the nearest known level: an unknown serial or lot is answered from the level above."""
    view = None
    for count in range(len(link.qualifiers), -1, -1):
        link = DigitalLink(
            primary_ai=link.primary_ai, primary=link.primary, qualifiers=link.qualifiers[:count]
        )
        try:
            view = _look(link, None)
        except NotFoundError:
            continue
        if view.goods.state != "unknown":
            break
    else:
        raise NotFoundError("nothing is known of this number here", code="not-found")
    body = links.linkset(
        link, public_url=services().settings.public_url, description=view.product_name if view else ""
    )
    response = data(_json(body), links.LINKSET, cache=NO_STORE)
    response.headers["Link"] = links.CONTEXT
    response.headers["Vary"] = "Accept, Accept-Language, Cookie"
    return response


def _as_resolver(response: ResponseReturnValue, link: DigitalLink) -> Response:
    made = make_response(response)
    page = links.targets(link, public_url=services().settings.public_url, subject="")["defaultLink"][0]
    made.headers["Link"] = f'<{page}?linkType=linkset>; rel="linkset"; type="{links.LINKSET}"'
    return made


def _client_token() -> str | None:
    """The browser's own random token; a prefetch is no scan."""
    if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        return None
    kept = request.cookies.get(CLIENT, "")
    return kept if _TOKEN.fullmatch(kept) else secrets.token_urlsafe(16)


def _lot_page(view: LotView, *, status: int) -> Response:
    words = words_for(request)
    serial = view.stamp.uri.rpartition("/21/")[2] if view.stamp else ""
    return _page(
        "lot.html",
        status,
        page=Page(view, words),
        view=view,
        bundle=bundle_address(view.subject, serial) if view.steps else "",
        check=f"/check?{urlencode({'subject': view.subject, 'stamp': serial})}",
        report=f"/report?{urlencode({'of': view.stamp.uri if view.stamp else view.subject})}",
    )


def _page(template: str, status: int, **context: object) -> Response:
    settings = services().settings
    words = words_for(request)
    response = make_response(render_template(template, w=words, settings=settings, **context), status)
    response.headers["Cache-Control"] = NO_STORE
    response.headers["Vary"] = "Accept, Accept-Language, Cookie"
    response.headers["Content-Language"] = words.lang
    return response


def _json(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")) + "\n"
