# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI 3.1 document, built from the route table, the docstrings and what each route says of itself."""

import inspect
import re
from typing import Any, Final

from flask import Flask
from werkzeug.routing import Rule

from traceledger import __version__
from traceledger.web.routes import Described, described_of

_PLACE: Final = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_PROBLEM_TYPE: Final = "application/problem+json"
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable reason, see the reference of codes"},
        "detail": {"type": "string"},
        "where": {"type": "string"},
    },
}


def document(flask: Flask, *, server: str) -> dict[str, Any]:
    """The document for *flask* as reached at *server*."""
    paths: dict[str, Any] = {}
    for rule in sorted(flask.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = flask.view_functions[rule.endpoint]
        told = described_of(view)
        if told is None:
            continue
        path = _PLACE.sub(r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(rule, view, told)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "traceledger",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": {"Problem": _PROBLEM}},
    }


def _operation(rule: Rule, view: Any, told: Described) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": (inspect.getdoc(view) or "").partition("\n")[0],
        "tags": [told.tag],
        "responses": {str(status): _answer(*answer) for status, answer in sorted(told.answers.items())},
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACE.findall(rule.rule)
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "description": meaning, "schema": {"type": "string"}}
        for name, meaning in told.query.items()
    ]
    if parameters:
        operation["parameters"] = parameters
    if told.takes:
        content = {
            kind: {"schema": {"type": "object"} if kind == "application/json" else {}} for kind in told.takes
        }
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _answer(sentence: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": sentence}
    if kinds:
        answer["content"] = {kind: _schema(kind) for kind in kinds}
    return answer


def _schema(kind: str) -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/Problem"}} if kind == _PROBLEM_TYPE else {}
