# SPDX-License-Identifier: Apache-2.0
"""A hand in the database, past every check of its own."""

import sqlite3
from contextlib import closing
from pathlib import Path


def spoil(folder: Path, statement: str, *values: object) -> None:
    """Change the database in *folder* by one SQL statement, which must change something."""
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA ignore_check_constraints=ON")
        changed = connection.execute(statement, values).rowcount
        connection.commit()
    assert changed != 0


def cell(folder: Path, query: str) -> bytes:
    """Read one value."""
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        found: bytes = connection.execute(query).fetchone()[0]
        return found


def flip(data: bytes, bit: int) -> bytes:
    """Return *data* with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
