# SPDX-License-Identifier: Apache-2.0
"""
Connections to the ledger's database: SQLite in WAL mode with ``synchronous=FULL``, or PostgreSQL.

One place opens engines, sets what durability needs, runs migrations, and turns the driver's exceptions into
the error tree.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.engine import make_url

from traceledger.errors import ConflictError, InputError, LogIntegrityError, TemporaryError

BUSY_S: Final = 30
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Database:
    """
    The database of one ledger.

    Args:
        url: SQLAlchemy URL, ``sqlite:///path`` or ``postgresql+psycopg://…``.
    """

    def __init__(self, url: str) -> None:
        try:
            self.is_sqlite: Final = make_url(url).get_backend_name() == "sqlite"
            self.engine: Final = _sqlite(url) if self.is_sqlite else create_engine(url, pool_pre_ping=True)
        except (exc.ArgumentError, exc.NoSuchModuleError) as error:
            raise InputError(
                f"expected a database URL such as sqlite:///ledger.db: {error}", code="database-url"
            ) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a snapshot to read from."""
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock from its start (SQLite) or takes row locks (PostgreSQL)."""
        with (
            _translated(),
            self.engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            yield connection

    def create(self) -> None:
        """Create all tables, or bring an older database to the current schema."""
        with _translated(), self.engine.connect() as connection, connection.begin():
            command.upgrade(self._alembic(connection), "head")

    def check_revision(self) -> None:
        """
        Check that the database exists and has the current schema.

        Raises:
            ConflictError: code ``database-schema``.
        """
        if self.file is not None and not self.file.exists():  # connecting would make an empty one
            raise ConflictError(
                f"no database at {self.file}: check the setting `database`", code="database-schema"
            )
        with self.read() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            wanted = ScriptDirectory.from_config(self._alembic(connection)).get_current_head()
        if found != wanted:
            raise ConflictError(
                f"the database has schema {found}, this program needs {wanted}: run `traceledger init --migrate`",
                code="database-schema",
            )

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @property
    def file(self) -> Path | None:
        """Where SQLite keeps it; None for a server's or one in memory."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def _alembic(self, connection: Connection) -> Config:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        return config


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, by their real statement
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exc.OperationalError as error:
        raise TemporaryError(
            f"the database does not answer: {error.orig}", code="database-unavailable"
        ) from error
    except exc.DatabaseError as error:
        if type(error) is exc.DatabaseError:  # its subclasses are mistakes of this program
            raise LogIntegrityError(
                f"the database file is damaged, or none: {error.orig}", code="database-damaged"
            ) from error
        raise


def durability(connection: Connection) -> str:
    """Say in a word how durable a commit is, for reports: SQLite's synchronous level, PostgreSQL's fsync."""
    if connection.dialect.name == "sqlite":
        level = connection.execute(text("PRAGMA synchronous")).scalar_one()
        return f"synchronous={('OFF', 'NORMAL', 'FULL', 'EXTRA')[level]}"
    return f"fsync={connection.execute(text('SHOW fsync')).scalar_one()}"
