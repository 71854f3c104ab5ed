# SPDX-License-Identifier: Apache-2.0
"""
Rolls of stamps and their serials, and the memory of scans.

Serials and the roll's secret are not in the log: whoever loses this table cannot prove a stamp into its roll,
though stamps still resolve from the log's statements about the roll only with it.  Back it up with the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from traceledger.core.claims.digital_link import percent_encode
from traceledger.core.claims.records import roll_uri
from traceledger.errors import ConflictError, NotFoundError
from traceledger.store import log as stored
from traceledger.store.schema import rolls, scans, stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRoll:
    """What the issuer keeps of a roll; *scheme* and *host* make its links, *lot* is in them if it was known."""

    roll: str
    secret: bytes
    gtin: str
    first: int
    count: int
    scheme: str
    host: str
    lot: str | None = None

    def uri(self, serial: str) -> str:
        """Return the link of the stamp with *serial*, without ``s``."""
        lot = f"/10/{percent_encode(self.lot)}" if self.lot else ""
        return f"{self.scheme}://{self.host}/01/{self.gtin}{lot}/21/{serial}"

    def __repr__(self) -> str:
        return f"StoredRoll({self.roll}, {self.first}+{self.count})"


def add_roll(connection: Connection, roll: StoredRoll, serials: Sequence[str]) -> None:
    """
    Keep a roll and the serials of its numbers, in order.

    Raises:
        ConflictError: code ``roll-exists``.
    """
    if connection.execute(select(rolls.c.roll).where(rolls.c.roll == roll.roll)).first():
        raise ConflictError(f"roll {roll.roll} exists; choose another name", code="roll-exists")
    connection.execute(insert(rolls).values({name: getattr(roll, name) for name in StoredRoll.__slots__}))
    rows = [
        {"roll": roll.roll, "number": n, "serial": serial} for n, serial in enumerate(serials, roll.first)
    ]
    connection.execute(insert(stamps), rows)


def drop_roll(connection: Connection, name: str) -> None:
    """Forget a roll whose statement was refused."""
    connection.execute(delete(stamps).where(stamps.c.roll == name))
    connection.execute(delete(rolls).where(rolls.c.roll == name))


def find_roll(connection: Connection, name: str) -> StoredRoll | None:
    """Return a roll by its name, or None."""
    row = connection.execute(select(rolls).where(rolls.c.roll == name)).mappings().one_or_none()
    return None if row is None else StoredRoll(**row)


def read_roll(connection: Connection, name: str) -> StoredRoll:
    """Return a roll by its name; raises NotFoundError ``roll-unknown``."""
    found = find_roll(connection, name)
    if found is None:
        raise NotFoundError(f"no roll {name} was issued here", code="roll-unknown")
    return found


def by_short_name(connection: Connection, name: str) -> list[StoredRoll]:
    """Return the rolls called *name* by whatever issuer, oldest first."""
    query = select(rolls).where(rolls.c.roll.endswith(f"/{name}", autoescape=True)).order_by(rolls.c.roll)
    return [StoredRoll(**row) for row in connection.execute(query).mappings()]


def find_stamp(connection: Connection, serial: str) -> tuple[StoredRoll, int]:
    """Return (roll, number) of a serial; raises NotFoundError ``stamp-unknown``."""
    row = connection.execute(
        select(stamps.c.roll, stamps.c.number).where(stamps.c.serial == serial)
    ).one_or_none()
    if row is None:
        raise NotFoundError("no such stamp in this ledger", code="stamp-unknown")
    return read_roll(connection, row.roll), row.number


def serials(connection: Connection, roll: str) -> list[str]:
    """Return the serials of a roll in the order of their numbers."""
    query = select(stamps.c.serial).where(stamps.c.roll == roll).order_by(stamps.c.number)
    return list(connection.execute(query).scalars())


def issue_index(connection: Connection, roll: str) -> int:
    """Return the log index of a roll's ``issue`` statement; raises NotFoundError ``roll-unknown``."""
    size = stored.read_head(connection).size
    for index, entry in stored.touching(connection, roll_uri(roll), size):
        if entry.kind == "issue":
            return index
    raise NotFoundError(f"the log holds no issue of roll {roll}", code="roll-unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFacts:
    """How often a stamp was scanned, when first, and when last before by the same browser (Unix seconds)."""

    count: int
    first_at: int | None
    own_at: int | None


def record_scan(connection: Connection, serial: str, *, at: int, client: bytes) -> None:
    """Remember one scan; *client* is a salted hash that tells only the same browser apart."""
    connection.execute(insert(scans).values(serial=serial, at=at, client=client))


def scan_facts(connection: Connection, serial: str, client: bytes | None) -> ScanFacts:
    """Return what is remembered of a stamp's scans so far."""
    total = select(func.count(), func.min(scans.c.at)).where(scans.c.serial == serial)
    count, first_at = connection.execute(total).one()
    own_at = None
    if client is not None:
        own = select(func.max(scans.c.at)).where(scans.c.serial == serial, scans.c.client == client)
        own_at = connection.execute(own).scalar_one()
    return ScanFacts(count=count, first_at=first_at, own_at=own_at)
