# SPDX-License-Identifier: Apache-2.0
"""Putting the web together: one Flask application over the use cases of one deployment."""

import hashlib
import re
from importlib import resources
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, Response, request, url_for

from traceledger.web.api import api
from traceledger.web.errors import register_errors
from traceledger.web.headers import IMMUTABLE, add_security_headers
from traceledger.web.links import raw_path
from traceledger.web.locale import remember_language
from traceledger.web.logfiles import logfiles
from traceledger.web.ops import ops, register_counters
from traceledger.web.pages import pages
from traceledger.web.services import Services
from traceledger.web.words import LANGUAGES, load_words

#: A body may be as large as a full NDJSON stream; each route checks its own, smaller limit first.
_MAX_BODY: Final = 64 * 1024 * 1024 + 1
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def create_app(app: Services) -> Flask:
    """
    Return the WSGI application over *app*.

    Raises:
        InputError: code ``words``; a sentence is missing in one of the languages.
    """
    for lang in LANGUAGES:
        load_words(lang)
    flask = Flask("traceledger.web")
    flask.config["MAX_CONTENT_LENGTH"] = _MAX_BODY
    flask.jinja_env.trim_blocks = True
    flask.jinja_env.lstrip_blocks = True
    flask.jinja_env.finalize = _seen
    flask.extensions["traceledger"] = app
    for blueprint in (pages, api, logfiles, ops):
        flask.register_blueprint(blueprint)
    register_errors(flask)
    register_counters(flask)
    versions = _static_versions()
    flask.jinja_env.globals["asset"] = lambda name: url_for("static", filename=name, v=versions[name])
    flask.jinja_env.filters["capitalize_first"] = lambda text: text[:1].upper() + text[1:]
    flask.jinja_env.globals["other_language"] = _other_language
    https = app.settings.public_url.startswith("https:")

    @flask.after_request
    def finish(response: Response) -> Response:
        remember_language(request, response)
        if request.endpoint == "static" and "v" in request.args:
            response.headers["Cache-Control"] = IMMUTABLE
        return add_security_headers(response, https=https)

    return flask


def _seen(value: Any) -> Any:
    """
    *value* without characters that nobody sees: other people's text must not turn our sentences around.
    """
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value


def _static_versions() -> dict[str, str]:
    """A short hash by style sheet, so that a new one is fetched and an old one may be kept for ever."""
    found = {}
    for item in resources.files("traceledger.web").joinpath("static").iterdir():
        if item.name.endswith(".css"):
            found[item.name] = hashlib.sha256(item.read_bytes()).hexdigest()[:12]
    return found


def _other_language(lang: str) -> str:
    """The address of this page in the other language, its other parameters kept."""
    other = next(code for code in LANGUAGES if code != lang)
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"{raw_path(request)}?{urlencode([*kept, ('lang', other)])}"
