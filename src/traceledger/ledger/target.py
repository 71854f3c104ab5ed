# SPDX-License-Identifier: Apache-2.0
"""
Find what people mean by a lot or a stamp: a link, a serial, ``GTIN/LOT``, or any identifier.
"""

import re
from typing import Final

from traceledger.core.claims.digital_link import parse_digital_link
from traceledger.core.claims.identifiers import canonical, lot_uri
from traceledger.core.claims.records import roll_uri
from traceledger.core.state.stamps import SERIAL_ALPHABET, SERIAL_LENGTH, fold_rolls
from traceledger.errors import InputError, NotFoundError
from traceledger.ledger import gates
from traceledger.ledger.sequence import Log
from traceledger.store import log as stored
from traceledger.store import rolls

_SERIAL: Final = re.compile(rf"[{SERIAL_ALPHABET}]{{{SERIAL_LENGTH}}}")
_SHORT: Final = re.compile(r"([0-9]{8}|[0-9]{12,14})/(.{1,20})")


def find_target(log: Log, what: str) -> tuple[str, str | None]:
    """
    Return (subject, serial or None) for *what*.

    Raises:
        NotFoundError: code ``stamp-unknown`` or ``stamp-state``: no such stamp, or not activated for a lot.
    """
    if short := _SHORT.fullmatch(what):
        return lot_uri(short[1].zfill(14), short[2]), None
    serial = what if _SERIAL.fullmatch(what) else None
    if serial is None:
        try:
            serial = parse_digital_link(what).get("21")
        except InputError:
            return canonical(what), None
    if serial is None:
        return canonical(what), None
    with log.database.read() as connection:
        roll, number = rolls.find_stamp(connection, serial)
        steps = stored.touching(connection, roll_uri(roll.roll), stored.read_head(connection).size)
        folded = fold_rolls([(i, e) for i, e in steps if e.family == "stamps"])[roll.roll]
        state = folded.state(number, gates.gate(connection, log.origin))
    if state.lot is None:
        raise NotFoundError("the stamp is not activated for a lot", code="stamp-state")
    return state.lot, serial
