# SPDX-License-Identifier: Apache-2.0
"""The WSGI application of the deployment that TRACELEDGER_DIR names; what a web server loads."""

import atexit
import os
from pathlib import Path

from flask import Flask

from traceledger.app import build_from
from traceledger.web.factory import create_app


def from_environment() -> Flask:
    """Build the application; each web process builds its own."""
    app = build_from(Path(os.environ["TRACELEDGER_DIR"]))
    atexit.register(app.close)
    return create_app(app)
