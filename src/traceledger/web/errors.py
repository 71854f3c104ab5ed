# SPDX-License-Identifier: Apache-2.0
"""
Errors, in one shape for programs (problem+json, RFC 9457, with a stable ``code``) and one page for people.

Asked for a verdict, a failed check is an answer and never comes here.  What nobody foresaw is logged, told as
``internal`` without a trace, and leaves the service running.
"""

import json
import logging
from typing import Any, Final

from flask import Flask, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from traceledger.errors import TemporaryError, TraceledgerError
from traceledger.web.headers import NO_STORE
from traceledger.web.locale import words_for
from traceledger.web.services import services

PROBLEM: Final = "application/problem+json"
#: Paths only programs ask for: they get a problem document whatever they accept.
PROGRAM_PATHS: Final = ("/api/", "/log/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/.well-known/")
CODES: Final = {
    400: "malformed",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "media-type",
    500: "internal",
}
RETRY_AFTER_S: Final = 30
_log = logging.getLogger(__name__)


def problem(status: int, code: str, detail: str, *, where: str | None = None) -> Response:
    """A problem document."""
    body: dict[str, Any] = {
        "type": f"urn:traceledger:v1:problem:{code}",
        "title": code.replace("-", " "),
        "status": status,
        "code": code,
        "detail": detail,
    }
    if where:
        body["where"] = where
    response = Response(json.dumps(body, ensure_ascii=False) + "\n", status=status, content_type=PROBLEM)
    response.headers["Cache-Control"] = NO_STORE
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def wants_problem() -> bool:
    """Whether the caller is a program: by its path, or because it accepts JSON rather than a page."""
    if request.path.startswith(PROGRAM_PATHS):
        return True
    accepted = request.accept_mimetypes
    best = accepted.best_match(["text/html", "application/json", PROBLEM, "application/linkset+json"])
    return best is not None and best != "text/html" and accepted[best] > accepted["text/html"]


def answer(status: int, code: str, detail: str, *, where: str | None = None) -> Response:
    """The error in the shape the caller reads."""
    if wants_problem():
        return problem(status, code, detail, where=where)
    words = words_for(request)
    shown = status if f"error.title_{status}" in words else 500 if status >= 500 else 400
    page = render_template(
        "error.html",
        w=words,
        title=words(f"error.title_{shown}"),
        text=words(f"error.text_{shown}"),
        show_detail=shown == 400,
        detail=detail,
        code=code,
        settings=services().settings,
    )
    response = make_response(page, status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def register_errors(flask: Flask) -> None:
    """Answer every error of *flask* in one of the two shapes."""
    flask.register_error_handler(TraceledgerError, _ours)
    flask.register_error_handler(HTTPException, _http)
    flask.register_error_handler(Exception, _unforeseen)


def _ours(error: TraceledgerError) -> Response:
    if error.http_status >= 500 and not isinstance(error, TemporaryError):
        _log.error("%s: %s", error.code, error)
    return answer(error.http_status, error.code, error.message, where=error.where)


def _http(error: HTTPException) -> Response:
    if error.code is not None and error.code < 400:
        return make_response(error.get_response())
    status = error.code or 500
    code = CODES.get(status, CODES[500] if status >= 500 else CODES[400])
    response = answer(status, code, error.description or code)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _unforeseen(error: Exception) -> Response:
    _log.error("unforeseen error at %s", request.path, exc_info=error)
    return answer(500, CODES[500], "something failed that nobody foresaw; it was recorded")
