# SPDX-License-Identifier: Apache-2.0
"""The web over an application in memory, asked by Flask's own client or by a real browser."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from traceledger.web import create_app
from web.fakes import FakeApp


class Quiet(WSGIRequestHandler):
    """A request handler that prints nothing."""

    def log(self, *_: object) -> None:
        """Keep the terminal for the results."""


@pytest.fixture
def app() -> FakeApp:
    """The application in memory."""
    return FakeApp()


@pytest.fixture
def flask(app: FakeApp) -> Flask:
    """The web over it."""
    return create_app(app)


@pytest.fixture
def client(flask: Flask) -> FlaskClient:
    """A client without cookies of its own."""
    return flask.test_client()


@pytest.fixture(scope="session")
def site() -> Iterator[tuple[str, FakeApp]]:
    """The web on a port of this machine, and the application behind it."""
    app = FakeApp()
    server = make_server("127.0.0.1", 0, create_app(app), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", app
    server.shutdown()
    server.server_close()
    thread.join()
