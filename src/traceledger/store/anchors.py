# SPDX-License-Identifier: Apache-2.0
"""
Attempts to anchor: one row per transaction, written before it is sent.

States: ``signed`` (stored, perhaps sent) → ``mined`` → ``final``; ``replaced`` by one with the same nonce;
``lost`` when its block left the chain.  Rows are hints: the chain's head decides what is anchored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select, update

from traceledger.store.schema import attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One transaction that carries checkpoint (*size*, *root*) to *contract* on *chain*; fees in wei."""

    chain: str
    contract: bytes
    size: int
    root: bytes
    nonce: int
    tx: bytes
    raw: bytes
    max_fee: int
    priority_fee: int
    state: str
    created_at: int
    block: int | None = None
    block_hash: bytes | None = None
    block_time: int | None = None
    log: int | None = None


def add(connection: Connection, attempt: Attempt) -> None:
    """Insert an attempt, or take up its row again: a chain that lost a transaction may get the very same anew."""
    values = {name: getattr(attempt, name) for name in Attempt.__slots__}
    values |= {"max_fee": str(attempt.max_fee), "priority_fee": str(attempt.priority_fee)}
    if connection.execute(update(attempts).where(attempts.c.tx == attempt.tx).values(values)).rowcount == 0:
        connection.execute(insert(attempts).values(values))


def settle(
    connection: Connection,
    tx: bytes,
    state: str,
    *,
    block: int | None = None,
    block_hash: bytes | None = None,
    block_time: int | None = None,
    log: int | None = None,
) -> None:
    """Move the attempt with transaction hash *tx* to *state*."""
    connection.execute(
        update(attempts)
        .where(attempts.c.tx == tx)
        .values(state=state, block=block, block_hash=block_hash, block_time=block_time, log=log)
    )


def by_state(connection: Connection, chain: str, states: Sequence[str]) -> list[Attempt]:
    """Return the attempts on *chain* in one of *states*, oldest first."""
    query = (
        select(attempts)
        .where(attempts.c.chain == chain, attempts.c.state.in_(states))
        .order_by(attempts.c.id)
    )
    return [_attempt(row) for row in connection.execute(query).mappings()]


def newest_final(connection: Connection) -> list[Attempt]:
    """Return per chain the final attempt with the greatest size."""
    query = select(attempts).where(attempts.c.state == "final").order_by(attempts.c.size)
    found = {row["chain"]: _attempt(row) for row in connection.execute(query).mappings()}
    return list(found.values())


def newest(connection: Connection) -> Attempt | None:
    """Return the newest attempt that is mined or final."""
    query = (
        select(attempts)
        .where(attempts.c.state.in_(("mined", "final")))
        .order_by(attempts.c.size.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _attempt(row)


def _attempt(row: RowMapping) -> Attempt:
    values = {name: row[name] for name in Attempt.__slots__}
    values |= {"max_fee": int(row["max_fee"]), "priority_fee": int(row["priority_fee"])}
    return Attempt(**values)
