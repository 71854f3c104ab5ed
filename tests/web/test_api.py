# SPDX-License-Identifier: Apache-2.0
"""The API: one statement or many, limits before parsing, and one error shape."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient

from traceledger.core.judge.bundle import Bundle
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import leaf_hash, root_of
from traceledger.core.log.note import parse_checkpoint
from traceledger.core.log.tiles import decode_entry_bundle
from traceledger.core.sign.envelope import sign_envelope
from traceledger.errors import TemporaryError, VerificationError
from web.fakes import FakeApp
from web.story import GTIN, LOT, SERIALS, key

ENTRIES = "/api/v1/entries"
NDJSON = "application/x-ndjson"


def envelope(number: int = 0) -> bytes:
    """A well-formed envelope."""
    return json.dumps(sign_envelope({"v": 1, "n": number}, "event", [key("x")]).to_json()).encode()


def unsigned() -> bytes:
    """An envelope whose signature is 64 zero bytes."""
    made = json.loads(envelope())
    made["signatures"][0]["sig"] = "A" * 86 + "=="
    return json.dumps(made).encode()


def problem(response: object, status: int, code: str) -> dict:
    """The problem document of *response*, checked for its one shape."""
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    body = json.loads(response.data)
    assert set(body) - {"where"} == {"type", "title", "status", "code", "detail"}
    assert (body["status"], body["code"], body["type"]) == (
        status,
        code,
        f"urn:traceledger:v1:problem:{code}",
    )
    assert response.headers["Cache-Control"] == "no-store"
    return body


class TestOne:
    def test_taken(self, client: FlaskClient, app: FakeApp) -> None:
        """A statement is taken once with 201 and its place; again it is 200 with the same place."""
        first = client.post(ENTRIES, data=envelope(), content_type="application/json")
        assert first.status_code == 201
        assert first.json is not None
        assert set(first.json) == {"index", "id", "effect"}
        assert first.headers["Location"] == f"{ENTRIES}/{first.json['index']}"
        again = client.post(ENTRIES, data=envelope(), content_type="application/json; charset=utf-8")
        assert again.status_code == 200
        assert again.json == first.json | {"repeated": True}

    @pytest.mark.parametrize(
        ("body", "kind", "status", "code"),
        [
            (b"", "application/json", 400, "empty"),
            (b"  \n", "application/json", 400, "empty"),
            (b"{", "application/json", 400, "json-syntax"),
            (b"\xff\xfe", "application/json", 400, "json-syntax"),
            (b'{"a":1,"a":2}', "application/json", 400, "json-duplicate"),
            (b"[" * 40 + b"]" * 40, "application/json", 400, "json-depth"),
            (b"{}", "application/json", 400, "envelope-shape"),
            (unsigned(), "application/json", 422, "signature-invalid"),
            (b" " * 32769, "application/json", 413, "too-large"),
            (envelope(), "text/plain", 415, "media-type"),
            (envelope(), "", 415, "media-type"),
            (envelope(), "application/vnd.dsse+json", 415, "media-type"),
        ],
    )  # fmt: skip
    def test_refused(
        self, client: FlaskClient, app: FakeApp, body: bytes, kind: str, status: int, code: str
    ) -> None:
        """Each mistake has its own code, and nothing is stored."""
        problem(client.post(ENTRIES, data=body, content_type=kind), status, code)
        assert app.log.taken == {}

    def test_size_is_checked_before_reading(self, client: FlaskClient) -> None:
        """A body announced as too large is refused by its announcement."""
        response = client.post(
            ENTRIES,
            data=b"{}",
            content_type="application/json",
            environ_overrides={"CONTENT_LENGTH": "40000"},
        )
        problem(response, 413, "too-large")

    def test_cut_short(self, client: FlaskClient) -> None:
        """A body shorter than announced is refused as cut, not as bad JSON."""
        response = client.post(
            ENTRIES, data=b"{}", content_type="application/json", environ_overrides={"CONTENT_LENGTH": "20"}
        )
        assert response.status_code == 400

    def test_encoded_body(self, client: FlaskClient) -> None:
        """A compressed body is not taken: its size could not be told before unpacking."""
        response = client.post(
            ENTRIES, data=b"x", content_type="application/json", headers={"Content-Encoding": "gzip"}
        )
        problem(response, 415, "media-type")

    def test_unavailable(self, client: FlaskClient, app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
        """A log that cannot write now says when to try again."""

        def busy(_: bytes) -> None:
            raise TemporaryError("the log is busy", where="head")

        monkeypatch.setattr(app.log, "submit", busy)
        response = client.post(ENTRIES, data=envelope(), content_type="application/json")
        assert problem(response, 503, "unavailable")["where"] == "head"
        assert response.headers["Retry-After"] == "30"


class TestMany:
    def post(self, client: FlaskClient, lines: list[bytes], end: bytes = b"\n") -> tuple[int, list[dict]]:
        """Status and result lines."""
        response = client.post(ENTRIES, data=b"\n".join(lines) + end, content_type=NDJSON)
        assert response.mimetype == NDJSON
        return response.status_code, [json.loads(line) for line in response.data.splitlines()]

    def test_all_taken(self, client: FlaskClient) -> None:
        """Every line has a result, in order, and all taken is 201."""
        status, results = self.post(client, [envelope(n) for n in range(5)])
        assert status == 201
        assert [result["line"] for result in results] == [1, 2, 3, 4, 5]
        assert [result["index"] for result in results] == sorted(result["index"] for result in results)

    def test_repeats_count_as_taken(self, client: FlaskClient) -> None:
        """A repeat is no failure."""
        self.post(client, [envelope(1)])
        status, (result,) = self.post(client, [envelope(1)], end=b"")
        assert (status, result["repeated"]) == (201, True)

    def test_a_bad_line_blocks_no_other(self, client: FlaskClient) -> None:
        """Some taken is 200, and each bad line is named with its code."""
        lines = [
            envelope(1),
            b"{",
            b"",
            envelope(2),
            b" " * 3 + b"x" * 40000,
            unsigned(),
            b"\xff",
            envelope(3),
        ]
        status, results = self.post(client, lines)
        assert status == 200
        assert [result.get("code", "taken") for result in results] == [
            "taken", "json-syntax", "empty", "taken", "too-large", "signature-invalid", "json-syntax", "taken",
        ]  # fmt: skip
        assert [result["line"] for result in results] == list(range(1, 9))

    def test_none_taken(self, client: FlaskClient) -> None:
        """No line taken is 422, still with a result each."""
        status, results = self.post(client, [b"{", b"[]"])
        assert (status, len(results)) == (422, 2)

    def test_ten_thousand_and_one(self, client: FlaskClient, app: FakeApp) -> None:
        """10,000 lines are read; one more is refused before any is parsed."""
        assert self.post(client, [b"{"] * 10_000)[0] == 422
        problem(client.post(ENTRIES, data=b"{\n" * 10_001, content_type=NDJSON), 413, "too-large")

    def test_sixty_four_mebibytes(self, client: FlaskClient) -> None:
        """A stream announced above 64 MiB is refused unread."""
        length = str(64 * 1024 * 1024 + 1)
        problem(
            client.post(
                ENTRIES, data=b"x", content_type=NDJSON, environ_overrides={"CONTENT_LENGTH": length}
            ),
            413,
            "too-large",
        )

    def test_windows_line_ends(self, client: FlaskClient) -> None:
        """Lines that end in CR LF are lines."""
        response = client.post(
            ENTRIES, data=envelope(1) + b"\r\n" + envelope(2) + b"\r\n", content_type=NDJSON
        )
        assert response.status_code == 201


class TestReads:
    def test_entry(self, client: FlaskClient, app: FakeApp) -> None:
        """An entry is the exact bytes of its leaf, and never changes."""
        response = client.get(f"{ENTRIES}/7")
        assert leaf_hash(response.data) == app.story.entries[7].leaf
        assert Entry.parse(response.data).id == app.story.entries[7].id
        assert "immutable" in response.headers["Cache-Control"]

    @pytest.mark.parametrize(
        ("index", "status", "code"),
        [
            ("99999", 404, "not-found"),
            ("007", 400, "index"),
            ("-1", 400, "index"),
            ("x", 400, "index"),
            ("9" * 20, 400, "index"),
        ],
    )
    def test_no_entry(self, client: FlaskClient, index: str, status: int, code: str) -> None:
        """What is beyond the log is 404, what is no index 400."""
        problem(client.get(f"{ENTRIES}/{index}"), status, code)

    def test_lot(self, client: FlaskClient) -> None:
        """A lot comes as JSON with exact numbers and the same lines as the page."""
        body = client.get(f"/api/v1/lots/{GTIN}/XCL-2611A").data
        assert b'"value":1250.5' in body
        lot = json.loads(body)
        assert (lot["subject"], lot["record"]["state"], lot["record"]["severity"]) == (
            LOT,
            "unchanged",
            "green",
        )

    def test_bundle(self, client: FlaskClient) -> None:
        """A bundle comes as a file that parses as one, with the stamp where one is named."""
        response = client.get(f"/api/v1/bundles/{GTIN}/XCL-2611A?stamp={SERIALS[0]}")
        assert Bundle.parse(response.data).stamp is not None
        assert (
            response.headers["Content-Disposition"] == f'attachment; filename="{GTIN}-XCL-2611A.bundle.json"'
        )
        assert Bundle.parse(client.get("/api/v1/bundles", query_string={"subject": LOT}).data).subject == LOT

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/api/v1/lots/09521234567898/A", 400, "identifier"),
            (f"/api/v1/lots/{GTIN}/NONE", 404, "lot-unknown"),
            (f"/api/v1/lots/{GTIN}/{'A' * 21}", 400, "identifier"),
            (f"/api/v1/bundles/{GTIN}/NONE", 404, "lot-unknown"),
            ("/api/v1/bundles", 400, "subject-missing"),
            ("/api/v1/nothing", 404, "not-found"),
            ("/log/nothing", 404, "not-found"),
            ("/log/tile/0/x", 400, "tile-path"),
            ("/log/tile/8/000", 400, "tile-path"),
            ("/log/tile/00/000", 400, "tile-path"),
            ("/log/tile/0/0", 400, "tile-path"),
            ("/log/tile/0/000", 404, "not-found"),
            ("/log/tile/0/000.p/256", 400, "tile-path"),
            ("/log/tile/0/000.p/0", 400, "tile-path"),
            ("/log/tile/entries/999", 404, "not-found"),
        ],
    )
    def test_error_shape(self, client: FlaskClient, path: str, status: int, code: str) -> None:
        """Every refusal of a program's route is a problem document with a stable code."""
        problem(client.get(path, headers={"Accept": "text/html"}), status, code)

    @pytest.mark.parametrize("path", [ENTRIES, "/log/checkpoint", "/healthz"])
    def test_method_not_allowed(self, client: FlaskClient, path: str) -> None:
        """A wrong method is named, with those that are right."""
        response = client.delete(path)
        problem(response, 405, "method-not-allowed")
        assert response.headers["Allow"]


class TestLogFiles:
    def test_log_rebuilds_from_files(self, client: FlaskClient, app: FakeApp) -> None:
        """Checkpoint, tile and entry bundle agree: the root is that of the hashes, the hashes those of the entries."""
        response = client.get("/log/checkpoint")
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"
        checkpoint = parse_checkpoint(response.text)
        tile = client.get(f"/log/tile/0/000.p/{checkpoint.size}")
        hashes = [tile.data[at : at + 32] for at in range(0, len(tile.data), 32)]
        assert root_of(hashes) == checkpoint.root
        bundle = client.get(f"/log/tile/entries/000.p/{checkpoint.size}")
        assert [leaf_hash(entry) for entry in decode_entry_bundle(bundle.data)] == hashes
        assert tile.mimetype == bundle.mimetype == "application/octet-stream"

    def test_full_tiles_are_kept(
        self, client: FlaskClient, app: FakeApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A full tile may be kept for ever, a partial one for a while; long numbers keep their form."""
        asked: list[tuple[int, int, int]] = []
        monkeypatch.setattr(app.log, "tile", lambda *wanted: asked.append(wanted) or b"")
        assert "immutable" in client.get("/log/tile/1/x001/x234/067").headers["Cache-Control"]
        assert "immutable" not in client.get("/log/tile/0/x001/x234/067.p/12").headers["Cache-Control"]
        assert asked == [(1, 1_234_067, 256), (0, 1_234_067, 12)]


class TestService:
    def test_alive_and_ready(self, client: FlaskClient, app: FakeApp) -> None:
        """Alive asks nothing; ready follows the application's health."""
        assert client.get("/healthz").json == {"ok": True}
        assert client.get("/readyz").status_code == 200
        app.ok = False
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200

    def test_not_ready_when_health_fails(
        self, client: FlaskClient, app: FakeApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A health check that raises is an answer, not an error."""

        def broken() -> None:
            raise VerificationError("head differs", code="root-mismatch")

        monkeypatch.setattr(app, "health", broken)
        response = client.get("/readyz")
        assert (response.status_code, response.json) == (503, {"ok": False, "code": "root-mismatch"})

    def test_metrics(self, client: FlaskClient, app: FakeApp) -> None:
        """Answers are counted by route, so that no scanned code ever becomes a label."""
        client.get(f"/01/{GTIN}/21/{SERIALS[0]}")
        said = client.get("/metrics").text
        assert f"traceledger_log_size {app.log.size()}\n" in said
        assert 'traceledger_http_requests_total{route="/01/<path:rest>",method="GET",status="200"} 1' in said
        assert SERIALS[0] not in said

    def test_openapi_covers_every_route(self, client: FlaskClient, flask: Flask) -> None:
        """Every route but the static files is described, with a summary and its errors."""
        document = client.get("/openapi.json").json
        assert document is not None
        assert document["openapi"] == "3.1.0"
        rules = {rule.rule for rule in flask.url_map.iter_rules() if rule.endpoint != "static"}
        assert len(document["paths"]) == len(rules)
        for path, operations in document["paths"].items():
            for operation in operations.values():
                assert operation["summary"], path
                assert operation["responses"], path

    def test_answers_are_described(self, client: FlaskClient, flask: Flask) -> None:
        """Each status the tests above meet on the entries route stands in the document."""
        document = client.get("/openapi.json").json
        assert document is not None
        told = document["paths"]["/api/v1/entries"]["post"]
        assert set(told["responses"]) == {"200", "201", "400", "413", "415", "422", "503"}
        assert set(told["requestBody"]["content"]) == {"application/json", NDJSON}

    def test_problem_schema_is_kept(self, client: FlaskClient) -> None:
        """Problem documents are what the document says they are."""
        document = client.get("/openapi.json").json
        assert document is not None
        schema = document["components"]["schemas"]["Problem"]
        jsonschema_rs.validator_for(schema).validate(client.get("/api/v1/nothing").get_json(force=True))


def test_words_of_a_problem_name_no_path(client: FlaskClient, root: Path) -> None:
    """No answer tells where the program lies."""
    assert str(root) not in client.get("/api/v1/nothing").text
