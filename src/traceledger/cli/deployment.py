# SPDX-License-Identifier: Apache-2.0
"""Opening the deployment a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from traceledger.app import App, build_from


@contextmanager
def opened(folder: Path, *, sign: bool = True) -> Iterator[App]:
    """Build the deployment's use cases, and close them afterwards."""
    app = build_from(folder, sign=sign)
    try:
        yield app
    finally:
        app.close()
