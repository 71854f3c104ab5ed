# SPDX-License-Identifier: Apache-2.0
"""The schema a database is brought to, and the refusal to work on another."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.schema import CreateIndex, CreateTable

from traceledger.errors import ConflictError, InputError, LogIntegrityError, TemporaryError
from traceledger.store import log as stored
from traceledger.store.database import Database, durability
from traceledger.store.schema import metadata


def test_migrations_lead_to_the_schema(database):
    """Alembic finds no difference between the migrated database and the tables the program names."""
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_write_the_very_same_tables(database, path):
    """Statement by statement the migrated database is what the schema itself would create: checks, rowids, all."""
    other = create_engine("sqlite://")
    metadata.create_all(other)
    query = "select type, name, tbl_name, sql from sqlite_master where name not like 'sqlite_%' order by name"
    with other.connect() as connection:
        wanted = connection.execute(text(query)).all()
    other.dispose()
    with database.read() as connection:
        found = [row for row in connection.execute(text(query)) if row[1] != "alembic_version"]
    assert [tuple(row) for row in found] == [tuple(row) for row in wanted]
    assert len(wanted) == len(metadata.tables) + sum(len(t.indexes) for t in metadata.tables.values())


def test_the_first_revision_names_nothing_of_the_program():
    """A migration is history: it imports no table of today's schema, so a later change cannot rewrite it."""
    versions = Path(stored.__file__).parent / "migrations/versions"
    for revision in versions.glob("0*.py"):
        source = revision.read_text(encoding="utf-8")
        assert "import traceledger" not in source
        assert "from traceledger" not in source


def test_a_second_upgrade_changes_nothing(database, path):
    """Creating twice is creating once."""
    before = path.read_bytes()
    database.create()
    database.check_revision()
    assert len(path.read_bytes()) == len(before)


def test_an_unmigrated_database_is_refused(path):
    """A database without a schema, or with another program's, is refused with the command that mends it."""
    sqlite3.connect(path).close()
    database = Database(f"sqlite:///{path}")
    with pytest.raises(ConflictError, match="init --migrate") as caught:
        database.check_revision()
    assert caught.value.code == "database-schema"
    database.create()
    database.check_revision()
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ConflictError, match="schema 9999"):
        database.check_revision()
    database.close()


def test_a_missing_database_is_refused_and_not_made(path):
    """A mistyped path starts no database: it is refused, and no empty file is left behind."""
    database = Database(f"sqlite:///{path}")
    with pytest.raises(ConflictError) as caught:
        database.check_revision()
    assert caught.value.code == "database-schema"
    assert not path.exists()
    database.close()


def test_a_file_that_is_no_database_is_refused(path):
    """Any other file under the database's name stops the program by name, and is left as it was."""
    path.write_bytes(b"not a database " * 100)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(LogIntegrityError) as caught:
        database.check_revision()
    assert caught.value.code == "database-damaged"
    assert path.read_bytes() == b"not a database " * 100
    database.close()


def test_a_database_that_cannot_be_opened_is_asked_again(tmp_path):
    """A folder in the database's place is trouble that may pass: nothing is known of the log then."""
    database = Database(f"sqlite:///{tmp_path}")
    with pytest.raises(TemporaryError) as caught:
        database.check_revision()
    assert caught.value.code == "database-unavailable"
    database.close()


def test_a_database_without_a_log_is_refused(database):
    """Tables alone are no log: nothing but founding starts one."""
    with database.read() as connection:
        assert not stored.has_head(connection)
        with pytest.raises(LogIntegrityError) as caught:
            stored.read_head(connection)
    assert caught.value.code == "head-missing"


@pytest.mark.parametrize("url", ["", "ledger.db", "nosuch://x", "postgresql+nosuch://x/y"])
def test_a_bad_address_is_refused(url):
    """Something that is no database URL, or of no known kind, is refused as input."""
    with pytest.raises(InputError) as caught:
        Database(url)
    assert caught.value.code == "database-url"


def test_commits_are_durable(database, path):
    """Every connection runs in WAL mode with synchronous FULL and enforces its foreign keys."""
    for _ in range(3):
        with database.write() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
            assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
            assert durability(connection) == "synchronous=FULL"


def test_postgresql_takes_the_same_statements():
    """The schema compiles for PostgreSQL, with subjects compared byte by byte."""
    from sqlalchemy.dialects import postgresql

    dialect = postgresql.dialect()
    text_of = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    text_of += [
        str(CreateIndex(i).compile(dialect=dialect)) for t in metadata.sorted_tables for i in t.indexes
    ]
    whole = "\n".join(text_of)
    assert 'subject TEXT COLLATE "C" NOT NULL' in whole
    assert "entry BYTEA NOT NULL" in whole
    assert "WHERE registry = 1" in whole
