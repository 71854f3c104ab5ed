# SPDX-License-Identifier: Apache-2.0
"""Somebody at the other end of the wire: odd paths, headers, queries and bodies; an answer, never a 500."""

import json
import re
import socket
import threading
import time
from urllib.parse import quote

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from attacks.kit import PATH, path_of, sell, web
from housekit import COOP, GTIN, LOT, as_bytes, row_counts
from traceledger.web import create_app
from traceledger.web.api import MAX_READING, _reading

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{0}{{7*7}}\u202egnp.exe\u200b'


@pytest.fixture
def links(house):
    """Links of a sold lot's stamps."""
    return sell(house)


PATHS = [
    *(
        "/01/",
        "/01",
        "/01/x",
        f"/01/{GTIN}//21/A",
        f"/x/../01/{GTIN}",
        f"/01/{GTIN}/10/..%2f..",
        f"/01/{GTIN}/10/%00",
    ),
    *(f"/01/{GTIN}/10/%ff", f"/01/{GTIN}/10/%E2%80%AE", f"/01/{GTIN}/21/{'A' * 3000}", "/01/" + "0" * 5000),
    *(
        f"/01/{GTIN}?01=x",
        f"/01/{GTIN}?17=%00",
        f"/01/{GTIN}?s={'A' * 9000}",
        f"/01/{GTIN}?linkType={'x' * 3000}",
    ),
    *(
        "/lots/%00",
        "/lots/..%2f..",
        "/lots/" + "a" * 5000,
        "/lots/%EF%BC%A1-000 000 001",
        "/lots/A-999 999 999 999 999",
    ),
    *(
        "/log/tile/" + "9" * 5000 + "/000",
        "/log/tile/0/000.p/" + "9" * 5000,
        "/log/tile/0/../1",
        "/log/tile/-1/000",
    ),
    *("/log/tile/%D9%A0/000", "/log/tile/entries/x999/x999/x999/999", "/log/tile/7/" + "x999/" * 6 + "999"),
    *(
        "/api/v1/entries/" + "9" * 5000,
        "/api/v1/entries/%D9%A1",
        "/api/v1/lots/x/y",
        "/api/v1/bundles?subject=%00",
    ),
    *(
        "/check?subject=javascript:alert(1)",
        "/check?subject=http://[",
        "/report?of=http://[",
        "/static/..%2ffactory.py",
    ),
]


def test_odd_paths(house, links):
    """Whatever the path, the answer is a page or a problem with a code, in bounded size."""
    browser = web(house)
    for path in PATHS:
        answer = browser.get(path)
        assert (path[:80], answer.status_code < 500) == (path[:80], True)
        assert len(answer.data) < 100_000
        assert not re.search(rb'(?:href|src)="(?!/|https?:|geo:|#)', answer.data)


TYPED = [
    *(
        "http://[",
        "//[x",
        "http://x\u2100y/",
        "https:/\\evil.example",
        "http://evil.example:99999/",
        "//\u2100/a",
    ),
    *(
        "/\\evil.example",
        "//evil.example",
        "///evil.example/x",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:evil",
    ),
    *("127.0.0.1:8400/\\evil.example", "127.0.0.1:8400//evil.example", "http://127.0.0.1:8400@evil.example/"),
    *("127.0.0.1:8400/%0d%0aX:y", "x\r\nSet-Cookie: a=b", "\x00", "\u0660\u0669", "a" * 5000, ".", "?", "%"),
]


def test_the_box_leads_nowhere_else(house):
    """Whatever is typed into the box leads to a path of this site, or to a page that names the other site."""
    browser = web(house)
    for typed in TYPED:
        answer = browser.get("/find", query_string={"q": typed})
        assert (typed, answer.status_code in (303, 404)) == (typed, True)
        if answer.status_code == 303:
            assert re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", answer.headers["Location"]), typed
            assert "Set-Cookie" not in answer.headers


def test_odd_request_targets(house, links):
    """A request target that no browser sends is read as a path, and never stumbled over."""
    browser = web(house)
    for target in ("http://[/x", "*", "", "http://x/01/", "//evil/01/x", "?", "/check?subject=http://["):
        for path in (path_of(links[0]), "/", "/nothing"):
            answer = browser.get(path, environ_overrides={"RAW_URI": target})
            assert (target, answer.status_code < 500) == (target, True)


def test_odd_headers(house, links):
    """Content negotiation takes any header; cookies of others are not taken over, ours hold no more than a token."""
    browser = web(house)
    for name, value in [
        ("Accept", "text/html;q=nan"),
        ("Accept", "a/b," * 2000),
        ("Accept", "application/linkset+json;q=1e999"),
        ("Accept-Language", "x" * 5000 + ";q=zz"),
        ("Cookie", 'client=<script>; lang="></a>'),
        ("Sec-Purpose", "\xff"),
        ("Host", "evil.example"),
    ]:
        answer = browser.get(path_of(links[0]), headers={name: value})
        assert (name, answer.status_code) == (name, 200)
        assert b"evil.example" not in answer.data
        for cookie in answer.headers.getlist("Set-Cookie"):
            assert re.match(r"client=[A-Za-z0-9_-]{22};.*HttpOnly.*SameSite=Lax", cookie)
    assert web(house).get("/?lang=xx").headers.getlist("Set-Cookie") == []


BODIES: dict[str, tuple[str, bytes, int]] = {
    "another type": ("text/plain", b"{}", 415),
    "a form": ("application/x-www-form-urlencoded", b"a=b", 415),
    "a look-alike type": ("application/jsоn".encode().decode("latin-1"), b"{}", 415),
    "nothing": ("application/json", b"", 400),
    "spaces": ("application/json", b"  ", 400),
    "deep": ("application/json", b"[" * 30_000, 400),
    "a number without end": ("application/json", b"9" * 30_000, 400),
    "a huge envelope": ("application/json", b'{"payload":"' + b"A" * 32_768, 413),
    "half a character": ("application/json", b'{"payload":"\\ud800"}', 400),
    "no UTF-8": ("application/json", b"\xff\xfe", 400),
    "10,001 lines": ("application/x-ndjson", b"{}\n" * 10_001, 413),
    "64 MiB and one": ("application/x-ndjson", b"x" * (64 * 2**20 + 1), 413),
    "10,000 bad lines": ("application/x-ndjson", b"[" * 2_000 + b"\n" + b"{\n" * 9_999, 422),
}


def test_odd_bodies(house):
    """A body that is no envelope is refused with a code, and leaves the database as it was."""
    browser, before = web(house), row_counts(house.app.database)
    for name, (kind, body, status) in BODIES.items():
        answer = browser.post("/api/v1/entries", data=body, content_type=kind)
        assert (name, answer.status_code) == (name, status)
    assert row_counts(house.app.database) == before
    assert (
        browser.post("/api/v1/entries", data=b"{}", headers={"Content-Encoding": "gzip"}).status_code == 415
    )


def test_a_bad_line_blocks_no_other(house):
    """Between lines too long, too deep and empty, the good one is taken."""
    good = as_bytes(house.harvest())
    body = b"\n".join([b"x" * 40_000, b"[" * 30_000, b"", good, b"\xff", b'{"a":1,"a":2}'])
    answer = web(house).post("/api/v1/entries", data=body, content_type="application/x-ndjson")
    lines = [json.loads(line) for line in answer.data.splitlines()]
    assert [line.get("code") for line in lines] == [
        *("too-large", "json-depth", "empty", None, "json-syntax", "json-duplicate")
    ]
    assert answer.status_code == 200


def test_senders_who_never_finish(house):
    """Bodies that never end take their share of the threads and no more: pages answer, and writers come again."""
    server = make_server("127.0.0.1", 0, create_app(house.app), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    head = b"POST /api/v1/entries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    stalled = [
        socket.create_connection(("127.0.0.1", server.server_port), timeout=5) for _ in range(MAX_READING)
    ]
    try:
        for one in stalled:
            one.sendall(head)
        deadline = time.monotonic() + 5
        while _reading._value and time.monotonic() < deadline:
            time.sleep(0.01)
        browser = web(house)
        assert browser.get("/").status_code == 200
        refused = browser.post("/api/v1/entries", data=b"{}", content_type="application/json")
        assert (refused.status_code, refused.get_json()["code"]) == (503, "busy")
    finally:
        for one in stalled:
            one.close()
        server.shutdown()
        server.server_close()
        thread.join()
    again = browser.post("/api/v1/entries", data=b"{}", content_type="application/json")
    assert again.status_code == 400


class Quiet(WSGIRequestHandler):
    """A request handler that prints nothing."""

    def log(self, *_: object) -> None:
        """Keep the terminal for the results."""


def test_signed_text_is_text(house):
    """
    Names, reasons, codes and file names of others reach page, JSON and linkset as text: no tag, no template, and
    no sign that turns the direction of our own words around.
    """
    data = {"gtin": GTIN, "name": EVIL, "crop": EVIL}
    house.submit(house.record(COOP, "masterdata", "product", [f"https://id.gs1.org/01/{GTIN}"], data))
    file = {"name": EVIL, "sha256": "0" * 64, "size": 1, "type": "text/html"}
    house.submit(house.harvest(more={"codes": [EVIL], "for": EVIL, "evidence": [file]}))
    house.submit(house.event(COOP, "test", more={"evidence": [file]}))
    house.submit(house.record(COOP, "notice", "recall-open", [LOT], {"reason": EVIL, "action": EVIL}))
    browser = web(house)
    for page in (PATH, f"{PATH}?lang=en", f"/check?subject={quote(EVIL)}", f"/report?of={quote(EVIL)}"):
        text = browser.get(page).get_data(as_text=True)
        assert "<script" not in text
        assert "<img" not in text
        assert ">49<" not in text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", text)
        assert page != PATH or "&lt;script&gt;" in text
    linkset = browser.get(PATH, headers={"Accept": "application/linkset+json"})
    assert linkset.content_type == "application/linkset+json"
    assert json.loads(linkset.data)["linkset"][0]["description"] == EVIL
    for answer in (linkset, browser.get(f"/api/v1/lots/{GTIN}/L1")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        json.loads(answer.data)
