# SPDX-License-Identifier: Apache-2.0
"""
Issue a roll of stamps: draw its serials, commit to them in the log, and make its labels to print.

The serials are kept before the statement is submitted, so no statement can stand in the log whose stamps
nobody can print.
"""

import secrets
from collections.abc import Iterator, Sequence
from typing import Final

from traceledger.core.claims.identifiers import gtin
from traceledger.core.claims.records import ROLL, roll_uri
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.stamps import make_serial, sign_link
from traceledger.errors import ConflictError, InputError
from traceledger.ledger import compose
from traceledger.ledger.prove import roll_root
from traceledger.ledger.sequence import Admitted, Log
from traceledger.printing.label import StampLabel
from traceledger.store import log as stored
from traceledger.store import rolls
from traceledger.store.rolls import StoredRoll

MAX_ROLL: Final = 1_000_000


def issue(
    log: Log,
    *,
    actor: str,
    name: str,
    gtin14: str,
    count: int,
    scheme: str,
    host: str,
    key: SigningKey,
    first: int = 1,
    lot: str | None = None,
    stamp_key: str | None = None,
    demo: bool = False,
) -> Admitted:
    """
    Issue roll ``<actor>/<name>`` of *count* stamps for a product.

    Args:
        key: Signs the statement.

        lot: Lot to print in the links, where it is known already.

        stamp_key: Key id of the key that will sign the printed links, or None.

    Raises:
        InputError: a bad name, GTIN or count.
        ConflictError: the roll exists.
    """
    roll_name = f"{actor}/{name}"
    if not ROLL.fullmatch(roll_name):
        raise InputError(f"expected a roll name of A-Z, 0-9 and -, up to 16; got {name!r}", code="roll-name")
    if not 1 <= count <= MAX_ROLL:
        raise InputError(f"expected 1 to {MAX_ROLL} stamps on a roll, got {count}", code="roll-count")
    roll = StoredRoll(
        roll=roll_name,
        secret=secrets.token_bytes(32),
        gtin=gtin(gtin14),
        first=first,
        count=count,
        scheme=scheme,
        host=host,
        lot=lot,
    )
    serials = tuple(_draw(count))
    data: dict[str, Json] = {
        "roll": roll_name,
        "gtin": roll.gtin,
        "host": host,
        "first": first,
        "count": count,
        "root": b64encode(roll_root(roll, serials)),
    }
    if lot is not None:
        data["lot"] = lot
    if stamp_key is not None:
        data["key"] = stamp_key
    statement = compose.record(
        log.database, log.origin, family="stamps", kind="issue", actor=actor, about=[], data=data, demo=demo
    )
    envelope = sign_envelope(statement, "stamps", [key])
    with log.database.read() as connection:
        if stored.touching(connection, roll_uri(roll_name), stored.read_head(connection).size):
            raise ConflictError(
                f"roll {roll_name} is in the log already; choose another name", code="roll-exists"
            )
    with log.database.write() as connection:
        rolls.add_roll(connection, roll, serials)
    try:
        return log.submit_envelope(envelope)
    except Exception:
        with log.database.write() as connection:
            rolls.drop_roll(connection, roll_name)
        raise


def labels(
    log: Log,
    roll_name: str,
    *,
    numbers: tuple[int, int] | None = None,
    product: str,
    producer: str,
    place: str,
    demo: bool,
    key: SigningKey | None = None,
) -> Iterator[StampLabel]:
    """
    Yield the labels of a roll in the order of their numbers.

    Args:
        numbers: First and last number wanted, or None for all.

        key: Signs each link, where the roll names a key.
    """
    with log.database.read() as connection:
        roll = rolls.read_roll(connection, roll_name)
        serials: Sequence[str] = rolls.serials(connection, roll_name)
    first, last = numbers or (roll.first, roll.first + roll.count - 1)
    if not roll.first <= first <= last < roll.first + roll.count:
        raise InputError(
            f"roll {roll_name} has numbers {roll.first} to {roll.first + roll.count - 1}",
            code="stamp-numbers",
        )
    for number in range(first, last + 1):
        uri = roll.uri(serials[number - roll.first])
        yield StampLabel(
            uri=uri if key is None else f"{uri}?s={sign_link(key, uri)}",
            number=number,
            roll=roll_name.partition("/")[2],
            product=product,
            producer=producer,
            place=place,
            host=roll.host,
            demo=demo,
        )


def _draw(count: int) -> Iterator[str]:
    seen: set[str] = set()
    while len(seen) < count:
        serial = make_serial(secrets.token_bytes(8))
        if serial not in seen:
            seen.add(serial)
            yield serial
