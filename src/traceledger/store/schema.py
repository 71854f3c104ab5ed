# SPDX-License-Identifier: Apache-2.0
"""
Tables of a ledger's database.

What each holds and what losing it means is told in `docs/guide/operator.md`.  The log is `entries`; `head`,
`tiles`, `subjects` and `touches` are derived from it and checked against it at every start.  `private_parts`,
`rolls`, `stamps` and `attempts` are not in the log and cannot be rebuilt from it.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata: Final = MetaData()
_Big = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in an INTEGER PRIMARY KEY

entries: Final = Table(
    "entries",
    metadata,
    Column("index", _Big, primary_key=True, autoincrement=False),
    Column("id", LargeBinary(32), nullable=False, unique=True),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("registry", Integer, nullable=False),
    Column("event", LargeBinary(32), index=True),
    Column("entry", LargeBinary, nullable=False),
)
Index(
    "entries_registry",
    entries.c.index,
    sqlite_where=entries.c.registry == 1,
    postgresql_where=entries.c.registry == 1,
)

subjects: Final = Table(
    "subjects",
    metadata,
    Column("id", _Big, primary_key=True),
    Column("subject", Text(collation="C").with_variant(Text(), "sqlite"), nullable=False, unique=True),
    Column("alias", String(16), nullable=False, unique=True),
)

touches: Final = Table(
    "touches",
    metadata,
    Column("subject", _Big, ForeignKey("subjects.id"), primary_key=True),
    Column("index", _Big, ForeignKey("entries.index"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("touches_index", touches.c.index)

tiles: Final = Table(
    "tiles",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("number", _Big, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),
)

head: Final = Table(
    "head",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True),
    Column("size", _Big, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("t", _Big, nullable=False),
)

checkpoints: Final = Table(
    "checkpoints",
    metadata,
    Column("size", _Big, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

private_parts: Final = Table(
    "private_parts",
    metadata,
    Column("statement", LargeBinary(32), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("salt", LargeBinary(16), nullable=False),
    Column("value", LargeBinary, nullable=False),
)

attempts: Final = Table(
    "attempts",
    metadata,
    Column("id", _Big, primary_key=True),
    Column("chain", String(40), nullable=False),
    Column("contract", LargeBinary(20), nullable=False),
    Column("size", _Big, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("nonce", _Big, nullable=False),
    Column("tx", LargeBinary(32), nullable=False, unique=True),
    Column("raw", LargeBinary, nullable=False),
    Column("max_fee", String(40), nullable=False),
    Column("priority_fee", String(40), nullable=False),
    Column("state", String(12), nullable=False),
    Column("block", _Big),
    Column("block_hash", LargeBinary(32)),
    Column("block_time", _Big),
    Column("log", Integer),
    Column("created_at", _Big, nullable=False),
)

rolls: Final = Table(
    "rolls",
    metadata,
    Column("roll", String(49), primary_key=True),
    Column("secret", LargeBinary(32), nullable=False),
    Column("gtin", String(14), nullable=False),
    Column("first", _Big, nullable=False),
    Column("count", _Big, nullable=False),
    Column("scheme", String(5), nullable=False),
    Column("host", Text, nullable=False),
    Column("lot", Text),
)

stamps: Final = Table(
    "stamps",
    metadata,
    Column("roll", String(49), ForeignKey("rolls.roll"), primary_key=True),
    Column("number", _Big, primary_key=True),
    Column("serial", String(12), nullable=False),
    UniqueConstraint("serial"),
    sqlite_with_rowid=False,
)

scans: Final = Table(
    "scans",
    metadata,
    Column("id", _Big, primary_key=True),
    Column("serial", String(12), nullable=False),
    Column("at", _Big, nullable=False),
    Column("client", LargeBinary(16), nullable=False),
)
Index("scans_serial", scans.c.serial, scans.c.at)
