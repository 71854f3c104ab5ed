# SPDX-License-Identifier: Apache-2.0
"""
The first schema.

Written out, and never edited: the schema grows by further revisions, so that a database made by any release
can be brought to the newest one.  What the tables hold is told in `store.schema`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of the first release."""
    _create_log()
    _create_chain()
    _create_stamps()


def _create_log() -> None:
    op.create_table(
        "entries",
        sa.Column("index", _Big, primary_key=True, autoincrement=False),
        sa.Column("id", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("leaf", sa.LargeBinary(32), nullable=False),
        sa.Column("registry", sa.Integer, nullable=False),
        sa.Column("event", sa.LargeBinary(32)),
        sa.Column("entry", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_entries_event", "entries", ["event"])
    registered = sa.text("registry = 1")
    op.create_index(
        "entries_registry", "entries", ["index"], sqlite_where=registered, postgresql_where=registered
    )
    op.create_table(
        "subjects",
        sa.Column("id", _Big, primary_key=True),
        sa.Column(
            "subject", sa.Text(collation="C").with_variant(sa.Text(), "sqlite"), nullable=False, unique=True
        ),
        sa.Column("alias", sa.String(16), nullable=False, unique=True),
    )
    op.create_table(
        "touches",
        sa.Column("subject", _Big, sa.ForeignKey("subjects.id"), primary_key=True),
        sa.Column("index", _Big, sa.ForeignKey("entries.index"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("touches_index", "touches", ["index"])
    op.create_table(
        "tiles",
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("number", _Big, primary_key=True),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "head",
        sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),
        sa.Column("size", _Big, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("t", _Big, nullable=False),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", _Big, primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "private_parts",
        sa.Column("statement", sa.LargeBinary(32), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )


def _create_chain() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", _Big, primary_key=True),
        sa.Column("chain", sa.String(40), nullable=False),
        sa.Column("contract", sa.LargeBinary(20), nullable=False),
        sa.Column("size", _Big, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("nonce", _Big, nullable=False),
        sa.Column("tx", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("max_fee", sa.String(40), nullable=False),
        sa.Column("priority_fee", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("block", _Big),
        sa.Column("block_hash", sa.LargeBinary(32)),
        sa.Column("block_time", _Big),
        sa.Column("log", sa.Integer),
        sa.Column("created_at", _Big, nullable=False),
    )


def _create_stamps() -> None:
    op.create_table(
        "rolls",
        sa.Column("roll", sa.String(49), primary_key=True),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("first", _Big, nullable=False),
        sa.Column("count", _Big, nullable=False),
        sa.Column("scheme", sa.String(5), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("lot", sa.Text),
    )
    op.create_table(
        "stamps",
        sa.Column("roll", sa.String(49), sa.ForeignKey("rolls.roll"), primary_key=True),
        sa.Column("number", _Big, primary_key=True),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.UniqueConstraint("serial"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scans",
        sa.Column("id", _Big, primary_key=True),
        sa.Column("serial", sa.String(12), nullable=False),
        sa.Column("at", _Big, nullable=False),
        sa.Column("client", sa.LargeBinary(16), nullable=False),
    )
    op.create_index("scans_serial", "scans", ["serial", "at"])
