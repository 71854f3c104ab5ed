# SPDX-License-Identifier: Apache-2.0
"""
For whoever keeps the service running: is it alive, may it take traffic, what did it do, what can it be asked.

Counters are per process; several processes are told apart by the scraper's own label.
"""

import json
import threading
from collections import Counter
from typing import Final

from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue

from traceledger.errors import TraceledgerError
from traceledger.web.headers import NO_STORE
from traceledger.web.openapi import document
from traceledger.web.routes import data, described
from traceledger.web.services import services

ops = Blueprint("ops", __name__)

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = ("application/json",)


class Requests:
    """Answers given by this process, counted by route, method and status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def count(self, response: Response) -> Response:
        """Count one answer; an address that is no route is counted under one name."""
        rule = request.url_rule.rule if request.url_rule else "none"
        with self._lock:
            self._counts[rule, request.method, response.status_code] += 1
        return response

    def lines(self) -> list[str]:
        """The counters in Prometheus text form."""
        with self._lock:
            counts = sorted(self._counts.items())
        return [
            f'traceledger_http_requests_total{{route="{rule}",method="{method}",status="{status}"}} {count}'
            for (rule, method, status), count in counts
        ]


def register_counters(flask: Flask) -> None:
    """Count every answer of *flask*."""
    requests = Requests()
    flask.extensions["traceledger_requests"] = requests
    flask.after_request(requests.count)


@ops.get("/healthz")
@described({200: ("Alive", _JSON)}, tag="service")
def healthz() -> ResponseReturnValue:
    """The process answers; asks nothing of database or chain."""
    return data('{"ok":true}\n', "application/json", cache=NO_STORE)


@ops.get("/readyz")
@described({200: ("May take traffic", _JSON), 503: ("May not", _JSON)}, tag="service")
def readyz() -> ResponseReturnValue:
    """Whether log, database and chain are as they should be, each by name."""
    try:
        health = dict(services().health())
    except TraceledgerError as error:
        health = {"ok": False, "code": error.code}
    status = 200 if health.get("ok") else 503
    return data(
        json.dumps(health, ensure_ascii=False) + "\n", "application/json", cache=NO_STORE, status=status
    )


@ops.get("/metrics")
@described({200: ("Prometheus text", ("text/plain",))}, tag="service")
def metrics() -> ResponseReturnValue:
    """Counters and sizes in Prometheus text form."""
    requests: Requests = current_app.extensions["traceledger_requests"]
    health = services().health()
    anchor = health.get("anchor") or {}
    lines = [
        "# TYPE traceledger_log_size gauge",
        f"traceledger_log_size {services().log.size()}",
        "# TYPE traceledger_anchored_size gauge",
        f"traceledger_anchored_size {anchor.get('size', 0)}",
        "# TYPE traceledger_http_requests_total counter",
        *requests.lines(),
    ]
    return data("\n".join(lines) + "\n", _TEXT, cache=NO_STORE)


@ops.get("/openapi.json")
@described({200: ("OpenAPI 3.1", _JSON)}, tag="service")
def openapi() -> ResponseReturnValue:
    """This description, built from the routes themselves."""
    body = document(current_app, server=services().settings.public_url)
    return data(json.dumps(body, ensure_ascii=False) + "\n", "application/json", cache="public, max-age=300")
