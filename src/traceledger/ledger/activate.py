# SPDX-License-Identifier: Apache-2.0
"""
Activate stamps: bind numbers of a roll to a lot, so that they may be sold.
"""

from collections.abc import Sequence

from traceledger.core.claims.digital_link import parse_digital_link
from traceledger.core.claims.records import ROLL
from traceledger.core.sign.envelope import sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import ConflictError, InputError, NotFoundError
from traceledger.ledger import compose, gates
from traceledger.ledger.admit import Intake, Outcome
from traceledger.ledger.sequence import Log
from traceledger.store import log as stored
from traceledger.store import rolls
from traceledger.store.rolls import StoredRoll


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
        ConflictError: code ``lot-gated``: the lot or the roll has a red finding, or a recall is open; or
            ``lot-product``: the roll was issued for another product or lot.  Nothing is signed.
    """
    if not ROLL.fullmatch(roll):
        raise InputError(f"expected a roll as issuer/NAME, got {roll!r}", code="roll-name")
    with log.database.read() as connection:
        size = stored.read_head(connection).size
        _check_product(rolls.read_roll(connection, roll), lot)
        if not stored.touching(connection, lot, size):
            raise NotFoundError(
                f"the log holds nothing about {lot}; record its harvest or packing first", code="lot-unknown"
            )
        found = gates.findings_about(connection, log.origin, lot, size)
        if found.gated(lot, size, roll=roll):
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


def _check_product(roll: StoredRoll, lot: str) -> None:
    """A stamp's link names a product, and perhaps a lot: it must not lead to the goods of another."""
    try:
        link = parse_digital_link(lot)
    except InputError:
        return  # no GS1 identifier: nothing in the link to contradict it
    named, wanted = (link.get("01"), link.get("10")), (roll.gtin, roll.lot)
    if named[0] is not None and (named[0] != wanted[0] or (wanted[1] is not None and named[1] != wanted[1])):
        raise ConflictError(
            f"roll {roll.roll} was issued for product {roll.gtin}{f' lot {roll.lot}' if roll.lot else ''}, "
            f"the lot is {lot}: issue a roll for it",
            code="lot-product",
        )
