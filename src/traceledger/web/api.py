# SPDX-License-Identifier: Apache-2.0
"""
The API for programs: hand in signed statements, read entries, lots and bundles back.

Sizes are checked before anything is parsed, and nothing is stored of what is refused.  In a stream of many
statements a bad line blocks no other: each line gets its own answer, in order.
"""

import json
import threading
from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from traceledger.core.claims.identifiers import lot_uri
from traceledger.errors import InputError, TemporaryError, TraceledgerError
from traceledger.web.headers import IMMUTABLE, NO_STORE
from traceledger.web.lotjson import lot_json
from traceledger.web.routes import data, described
from traceledger.web.services import Admitted, services

api = Blueprint("api", __name__, url_prefix="/api/v1")

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
PROBLEM: Final = "application/problem+json"
BUNDLE: Final = "application/vnd.traceledger.bundle.v1+json"
MAX_ENVELOPE: Final = 32 * 1024
MAX_BODY: Final = 64 * 1024 * 1024
MAX_LINES: Final = 10_000
MAX_READING: Final = 48
"""Bodies read at a time: of the 64 threads that serve, senders who never finish must leave some for pages."""

_reading = threading.BoundedSemaphore(MAX_READING)


class TooLargeError(InputError):
    """Send less: the body, a line, or the number of lines is above its limit."""

    code = "too-large"
    http_status = 413


class MediaTypeError(InputError):
    """Send another media type."""

    code = "media-type"
    http_status = 415


@api.post("/entries")
@described(
    {
        200: ("One: it stood in the log before; many: some lines were taken", (JSON, NDJSON)),
        201: ("One: `{index, id, effect}`; many: every line was taken", (JSON, NDJSON)),
        400: ("No JSON, not an envelope, or no line at all", (PROBLEM,)),
        413: ("Above 32 KiB for one, 64 MiB or 10,000 lines for many", (PROBLEM,)),
        415: ("Neither of the two media types", (PROBLEM,)),
        422: ("One: the evidence does not hold; many: no line was taken", (PROBLEM, NDJSON)),
        503: ("Try again later", (PROBLEM,)),
    },
    tag="log",
    takes=(JSON, NDJSON),
)
def submit() -> ResponseReturnValue:
    """Submit one DSSE envelope as JSON, or up to 10,000 as NDJSON, a result line per line."""
    if request.content_encoding:
        raise MediaTypeError(f"expected no content encoding, got {request.content_encoding[:40]!r}")
    if request.mimetype == NDJSON:
        return _submit_many(_body(MAX_BODY))
    if request.mimetype == JSON:
        return _submit_one(_body(MAX_ENVELOPE))
    raise MediaTypeError(f"expected {JSON} or {NDJSON}, got {request.mimetype[:60]!r}")


def _body(limit: int) -> bytes:
    """The request body, read no further than one byte past *limit*."""
    declared = request.content_length
    if declared is not None and declared > limit:
        raise TooLargeError(f"expected at most {limit} bytes, got {declared}")
    if not _reading.acquire(blocking=False):
        raise TemporaryError("too many bodies are being sent; send again in a moment", code="busy")
    try:
        body = request.stream.read(limit + 1)
    finally:
        _reading.release()
    if len(body) > limit:
        raise TooLargeError(f"expected at most {limit} bytes, got more")
    if declared is not None and len(body) < declared:
        raise InputError(
            f"expected {declared} bytes, got {len(body)}: the body was cut short", code="truncated"
        )
    if not body.strip():
        raise InputError("expected an envelope, got an empty body", code="empty")
    return body


def _submit_one(body: bytes) -> Response:
    admitted = services().log.submit(body)
    status = 200 if admitted.repeated else 201
    response = data(_json(_taken(admitted)), JSON, cache=NO_STORE, status=status)
    response.headers["Location"] = f"/api/v1/entries/{admitted.index}"
    return response


def _submit_many(body: bytes) -> Response:
    lines = body.split(b"\n")
    if lines[-1] in (b"", b"\r"):
        lines.pop()
    if len(lines) > MAX_LINES:
        raise TooLargeError(f"expected at most {MAX_LINES} lines, got {len(lines)}")
    fit = [number for number, line in enumerate(lines) if line.strip() and len(line) <= MAX_ENVELOPE]
    results: dict[int, Admitted | TraceledgerError] = {}
    if fit:
        answers: Sequence[Admitted | TraceledgerError] = services().log.submit_many([lines[n] for n in fit])
        results = dict(zip(fit, answers, strict=True))
    said = [_line(number, lines[number], results.get(number)) for number in range(len(lines))]
    good = sum("index" in result for result in said)
    status = 201 if good == len(lines) else 200 if good else 422
    return data("".join(_json(result) for result in said), NDJSON, cache=NO_STORE, status=status)


def _line(number: int, line: bytes, result: Admitted | TraceledgerError | None) -> dict[str, Any]:
    if result is None:
        if line.strip():
            result = TooLargeError(f"expected at most {MAX_ENVELOPE} bytes in a line, got {len(line)}")
        else:
            result = InputError("expected an envelope, got an empty line", code="empty")
    if isinstance(result, TraceledgerError):
        refused = {"line": number + 1, "code": result.code, "detail": result.message}
        return refused | ({"where": result.where} if result.where else {})
    return {"line": number + 1, **_taken(result)}


def _taken(admitted: Admitted) -> dict[str, Any]:
    taken: dict[str, Any] = {"index": admitted.index, "id": admitted.id, "effect": admitted.effect}
    return taken | ({"repeated": True} if admitted.repeated else {})


@api.get("/entries/<index>")
@described(
    {
        200: ("The entry's exact bytes", (JSON,)),
        400: ("No index", (PROBLEM,)),
        404: ("Not in the log yet", (PROBLEM,)),
    },
    tag="log",
)
def entry(index: str) -> ResponseReturnValue:
    """One entry of the log, byte for byte as its leaf hash covers it."""
    return data(services().log.entry(_number(index)), JSON, cache=IMMUTABLE)


@api.get("/lots/<gtin>/<path:lot>")
@described(
    {200: ("The lot", (JSON,)), 400: ("A wrong number", (PROBLEM,)), 404: ("No such lot", (PROBLEM,))},
    tag="lots",
)
def lot_data(gtin: str, lot: str) -> ResponseReturnValue:
    """Everything the consumer page says about a lot, as JSON."""
    view = services().resolver.lot(lot_uri(gtin, lot))
    return data(lot_json(view), JSON, cache=NO_STORE)


@api.get("/bundles/<gtin>/<path:lot>")
@described(
    {200: ("The bundle", (BUNDLE,)), 400: ("A wrong number", (PROBLEM,)), 404: ("No such lot", (PROBLEM,))},
    tag="lots",
    query={"stamp": "serial of a stamp to prove along with the lot"},
)
def lot_bundle(gtin: str, lot: str) -> ResponseReturnValue:
    """The evidence bundle of a lot, to verify anywhere without this server."""
    return _bundle(lot_uri(gtin, lot), name=f"{gtin}-{lot}")


@api.get("/bundles")
@described(
    {200: ("The bundle", (BUNDLE,)), 400: ("No subject", (PROBLEM,)), 404: ("No such lot", (PROBLEM,))},
    tag="lots",
    query={"subject": "subject URI of the lot", "stamp": "serial of a stamp to prove along with the lot"},
)
def subject_bundle() -> ResponseReturnValue:
    """The evidence bundle of a lot without a GTIN, by its subject."""
    subject = request.args.get("subject", "")
    if not subject:
        raise InputError("expected ?subject= with the lot's URI", code="subject-missing")
    return _bundle(subject, name=subject.rsplit("/", 1)[-1].rsplit(":", 1)[-1])


def _bundle(subject: str, *, name: str) -> Response:
    response = data(services().prover.bundle(subject, request.args.get("stamp")), BUNDLE, cache=NO_STORE)
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)[:80]
    response.headers["Content-Disposition"] = f'attachment; filename="{safe}.bundle.json"'
    return response


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15 or str(int(text)) != text:
        raise InputError(f"expected an index such as 0 or 12345, got {text[:40]!r}", code="index")
    return int(text)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
