# SPDX-License-Identifier: Apache-2.0
"""Manners of a GS1-conformant resolver: what is a link, what is unknown, and the linkset."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from flask.testing import FlaskClient

from traceledger.core.judge.verdict.view import LotView
from traceledger.errors import NotFoundError
from web.fakes import FakeApp
from web.scenes import scenes
from web.story import GTIN, SERIALS

PRODUCT = f"/01/{GTIN}"
LOT = f"{PRODUCT}/10/XCL-2611A"
STAMP = f"{PRODUCT}/21/{SERIALS[0]}"
VOC = "https://ref.gs1.org/voc/"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/01/09521234567898",
        "/01/9521234567899",
        f"{PRODUCT}/foo",
        f"{PRODUCT}/21/S1/10/L1",
        f"{PRODUCT}/17/261231",
        f"{LOT}?21=X",
        f"{PRODUCT}/10/",
        f"{PRODUCT}/10/{'A' * 21}",
        "/00/095212345678901234",
        "/414/9521234000010",
        f"{PRODUCT}?0001=x",
    ],
)
def test_invalid_links(client: FlaskClient, method: str, path: str) -> None:
    """A wrong check digit, length, order, place or AI is 400, with a page or a problem document."""
    response = client.open(path, method=method)
    assert response.status_code == 400
    problem = client.get(path, headers={"Accept": "application/json"})
    assert problem.mimetype == "application/problem+json"
    assert problem.json is not None
    assert problem.json["code"] == "identifier"


@pytest.mark.parametrize(
    "path", [f"{PRODUCT}/10/NONE", "/01/00012345678905", "/414/9521234000013", "/00/095212345678901235"]
)
def test_valid_but_unknown(client: FlaskClient, path: str) -> None:
    """A right link to what is not here is 404, and its linkset is that of the level above, if any."""
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", [PRODUCT, LOT, STAMP])
def test_trailing_slash(client: FlaskClient, path: str) -> None:
    """One slash more changes nothing."""
    assert client.get(f"{path}/").status_code == client.get(path).status_code == 200


@pytest.mark.parametrize("path", [PRODUCT, LOT, STAMP])
@pytest.mark.parametrize("ask", ["?linkType=linkset", "?linkType=all", ""])
def test_linkset(client: FlaskClient, path: str, ask: str, shared: Path) -> None:
    """By parameter or Accept, the linkset is valid, without redirect, one anchor a level, one default each."""
    response = client.get(path + ask, headers={} if ask else {"Accept": "application/linkset+json"})
    assert response.status_code == 200
    assert response.mimetype == "application/linkset+json"
    assert "http://www.w3.org/ns/json-ld#context" in response.headers["Link"]
    schema = json.loads(
        (shared / "data/gs1/resolver/schema/linkset-schema-1.2.json").read_text(encoding="utf-8")
    )
    body = json.loads(response.data)
    jsonschema_rs.validator_for(schema).validate(body)
    assert [member["anchor"] for member in body["linkset"]][-1] == f"https://trace.example{PRODUCT}"
    assert len(body["linkset"]) == 1 + path.count("/10/") + path.count("/21/")
    for member in body["linkset"]:
        (default,) = member[f"{VOC}defaultLink"]
        assert set(default) == {"href", "title"}
        assert any(default["href"] == link[0]["href"] for name, link in member.items() if name == f"{VOC}pip")


@pytest.mark.parametrize("path", [f"{PRODUCT}/10/NONE", f"{PRODUCT}/21/NONE"])
def test_linkset_walks_up(client: FlaskClient, path: str) -> None:
    """An unknown lot or serial is answered from the product, inside the server."""
    body = client.get(f"{path}?linkType=linkset").json
    assert body is not None
    assert [member["anchor"] for member in body["linkset"]] == [f"https://trace.example{PRODUCT}"]


@pytest.mark.parametrize(
    "name",
    [
        "gs1:masterData",
        "masterData",
        f"{VOC}masterData",
        "https://gs1.org/voc/masterData",
        "https://www.gs1.org/voc/masterData",
    ],
)
def test_link_type_in_every_form(client: FlaskClient, name: str) -> None:
    """A link type leads to its target, with the query handed on as it was sent."""
    response = client.get(LOT, query_string=f"linkType={name}&17=261231;x=%41")
    assert response.status_code == 303
    assert response.headers["Location"] == (
        f"https://trace.example/api/v1/lots/{GTIN}/XCL-2611A?linkType={name}&17=261231;x=%41"
    )


@pytest.mark.parametrize("name", ["gs1:pip", "gs1:defaultLink", "gs1:traceability"])
def test_page_types_are_served_in_place(client: FlaskClient, name: str) -> None:
    """A type whose target is this page is answered by it, without a loop."""
    assert client.get(f"{LOT}?linkType={name}").status_code == 200


def test_missing_link_type(client: FlaskClient) -> None:
    """A type that is not there is 404, never the default."""
    assert client.get(f"{LOT}?linkType=gs1:jws").status_code == 404


def test_link_header_and_cors(client: FlaskClient) -> None:
    """Every answer names its linkset and may be read from any origin."""
    headers = client.get(STAMP, headers={"Origin": "https://other.example"}).headers
    assert f'<https://trace.example{STAMP}?linkType=linkset>; rel="linkset"' in headers["Link"]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "Link" in headers["Access-Control-Expose-Headers"]


def test_options(client: FlaskClient) -> None:
    """OPTIONS says what may be asked."""
    response = client.options(
        PRODUCT, headers={"Origin": "https://x.example", "Access-Control-Request-Method": "GET"}
    )
    assert response.status_code == 200
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"


def test_description_file(client: FlaskClient, shared: Path) -> None:
    """The description file is valid and names root and keys."""
    schema = json.loads(
        (shared / "data/gs1/resolver/schema/description-file-schema-1.2.0.json").read_text(encoding="utf-8")
    )
    body = client.get("/.well-known/gs1resolver").json
    jsonschema_rs.validator_for(schema).validate(body)
    assert body is not None
    assert body["resolverRoot"] == "https://trace.example"
    assert body["supportedPrimaryKeys"] == ["00", "01", "414"]


def test_escaped_slash_stays_in_the_lot(client: FlaskClient) -> None:
    """An escaped slash belongs to the lot number; the link is valid and merely unknown."""
    assert client.get(f"{PRODUCT}/10/A%2FB").status_code == 404
    assert client.get(f"{PRODUCT}/10/A/B").status_code == 400


def test_slash_decoded_on_the_way(client: FlaskClient, app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a server that decodes it, a known lot with a slash is found; an unknown one is still no link."""
    bare = {"RAW_URI": "", "REQUEST_URI": ""}
    known = lambda subject: scenes()["lot"] if subject.endswith("/10/A%2FB") else _unknown(subject)  # noqa: E731
    monkeypatch.setattr(app.resolver, "lot", known)
    assert client.get(f"{PRODUCT}/10/A%2FB", environ_overrides=bare).status_code == 200
    assert client.get(f"{PRODUCT}/10/A%2FC", environ_overrides=bare).status_code == 400
    assert client.get(f"{PRODUCT}/10/A%2FB/21/S1", environ_overrides=bare).status_code == 400


def _unknown(subject: str) -> LotView:
    raise NotFoundError(f"no lot {subject}", code="lot-unknown")
