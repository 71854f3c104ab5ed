# SPDX-License-Identifier: Apache-2.0
"""
Activate stamps: bind numbers of a roll to a lot, so that they may be sold.
"""

from collections.abc import Sequence

from traceledger.core.claims.records import ROLL
from traceledger.core.sign.envelope import sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import ConflictError, InputError, NotFoundError
from traceledger.ledger import compose, gates
from traceledger.ledger.admit import Intake, Outcome
from traceledger.ledger.sequence import Log
from traceledger.store import log as stored
from traceledger.store import rolls


def activate(
    log: Log,
    intake: Intake,
    *,
    roll: str,
    ranges: Sequence[tuple[int, int]],
    lot: str,
    key: SigningKey,
    demo: bool = False,
) -> Outcome:
    """
    Activate the numbers in *ranges* of *roll* for *lot* (a canonical identifier).

    Raises:
        NotFoundError: code ``roll-unknown`` or ``lot-unknown``.
        ConflictError: code ``lot-gated``: the lot has a red finding or an open recall; nothing is signed.
    """
    if not ROLL.fullmatch(roll):
        raise InputError(f"expected a roll as issuer/NAME, got {roll!r}", code="roll-name")
    with log.database.read() as connection:
        size = stored.read_head(connection).size
        rolls.read_roll(connection, roll)
        if not stored.touching(connection, lot, size):
            raise NotFoundError(
                f"the log holds nothing about {lot}; record its harvest or packing first", code="lot-unknown"
            )
        found = gates.findings_about(connection, log.origin, lot, size)
        if found.gated(lot, size):
            reasons = ", ".join(
                sorted({f"{f.code} at entry {f.index}" for f in found.found if f.severity == "red"})
            )
            raise ConflictError(f"the lot is blocked: {reasons or 'recalled'}", code="lot-gated")
    statement = compose.record(
        log.database,
        log.origin,
        family="stamps",
        kind="activate",
        actor=log.registry().signer(key.kid).org,
        about=[lot],
        data={"roll": roll, "ranges": [list(pair) for pair in sorted(ranges)]},
        demo=demo,
    )
    return intake.submit_envelope(sign_envelope(statement, "stamps", [key]))
