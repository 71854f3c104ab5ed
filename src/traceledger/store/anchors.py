# SPDX-License-Identifier: Apache-2.0
"""
Attempts to anchor: one row per transaction, written before it is sent.

States: ``signed`` (stored, perhaps sent) → ``mined`` → ``final``; ``replaced`` by one with the same nonce;
``lost`` when its block left the chain.  Rows are hints: the chain's head decides what is anchored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, func, insert, select, update

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


def final_above(connection: Connection, chain: str, size: int) -> list[Attempt]:
    """Return the final attempts on *chain* above *size*, oldest first."""
    query = (
        select(attempts)
        .where(attempts.c.chain == chain, attempts.c.state == "final", attempts.c.size > size)
        .order_by(attempts.c.id)
    )
    return [_attempt(row) for row in connection.execute(query).mappings()]


def final_size(connection: Connection, chain: str) -> int:
    """Return the greatest final size on *chain*, 0 for none."""
    query = select(func.max(attempts.c.size)).where(attempts.c.chain == chain, attempts.c.state == "final")
    return connection.execute(query).scalar_one() or 0


def has_head(connection: Connection, chain: str, size: int, root: bytes) -> bool:
    """Say whether an attempt that is under way, mined or final carries this head."""
    query = select(attempts.c.id).where(
        attempts.c.chain == chain,
        attempts.c.size == size,
        attempts.c.root == root,
        attempts.c.state.in_(("signed", "mined", "final")),
    )
    return connection.execute(query).first() is not None


def newest_final(connection: Connection) -> list[Attempt]:
    """Return per chain the final attempt with the greatest size."""
    final = attempts.c.state == "final"
    top = select(attempts.c.chain, func.max(attempts.c.size).label("size")).where(final)
    best = top.group_by(attempts.c.chain).subquery()
    at_best = (best.c.chain == attempts.c.chain) & (best.c.size == attempts.c.size)
    query = select(attempts).join(best, at_best).where(final).order_by(attempts.c.id)
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
