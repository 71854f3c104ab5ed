# SPDX-License-Identifier: Apache-2.0
"""An empty, migrated database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from traceledger.store.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a database is not yet."""
    return tmp_path / "ledger.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    """Return a migrated database."""
    found = Database(f"sqlite:///{path}")
    found.create()
    yield found
    found.close()
