# SPDX-License-Identifier: Apache-2.0
"""
Issue a roll of stamps: draw its serials, commit to them in the log, and make its labels to print.

The serials are kept before the statement is submitted, so no statement can stand in the log whose stamps
nobody can print; where a crash came between, issuing the same roll again goes on with the same serials.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, overload

from sqlalchemy import Connection

from traceledger.core.claims.identifiers import gtin, lot_uri
from traceledger.core.claims.records import ROLL, roll_uri
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.stamps import make_serial, sign_link
from traceledger.errors import ConflictError, InputError, VerificationError
from traceledger.ledger import compose
from traceledger.ledger.describe import Words
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
        InputError: a bad name, GTIN, lot or count.
        ConflictError: the roll exists.
        TemporaryError: whether it is in the log is not known; issuing again finds out.
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
    if lot is not None:
        lot_uri(gtin14, lot)  # refuses what cannot stand in a link
    roll, serials = _keep(log, roll)
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
    try:
        return log.submit_envelope(envelope)
    except (InputError, VerificationError):  # refused for certain; after any other trouble the serials stay
        with log.database.write() as connection:
            if not _in_log(connection, roll_name):
                rolls.drop_roll(connection, roll_name)
        raise


def _keep(log: Log, roll: StoredRoll) -> tuple[StoredRoll, tuple[str, ...]]:
    """Keep *roll* with fresh serials, or take up the same roll that never got into the log."""
    with log.database.write() as connection:
        if _in_log(connection, roll.roll):
            raise ConflictError(
                f"roll {roll.roll} is in the log already; choose another name", code="roll-exists"
            )
        kept = rolls.find_roll(connection, roll.roll)
        if kept is not None:
            if replace(roll, secret=kept.secret) != kept:
                raise ConflictError(
                    f"roll {roll.roll} was begun with other numbers or another product; choose another name",
                    code="roll-exists",
                )
            return kept, tuple(rolls.serials(connection, roll.roll))
        serials = tuple(_draw(roll.count))
        rolls.add_roll(connection, roll, serials)
    return roll, serials


def _in_log(connection: Connection, name: str) -> bool:
    return stored.count_touching(connection, roll_uri(name), stored.read_head(connection).size) > 0


class Labels(Sequence[StampLabel]):
    """The labels of a roll, or of a run of its numbers, each made when it is asked for."""

    def __init__(
        self,
        roll: StoredRoll,
        serials: Sequence[str],
        first: int,
        words: Words,
        demo: bool,
        key: SigningKey | None,
    ) -> None:
        self._roll = roll
        self._serials = serials
        self._first = first
        self._words = words
        self._demo = demo
        self._key = key

    def __len__(self) -> int:
        return len(self._serials)

    @overload
    def __getitem__(self, position: int) -> StampLabel: ...
    @overload
    def __getitem__(self, position: slice) -> "Labels": ...
    def __getitem__(self, position: int | slice) -> "StampLabel | Labels":
        if isinstance(position, slice):
            start, _, _ = position.indices(len(self))
            return Labels(
                self._roll, self._serials[position], self._first + start, self._words, self._demo, self._key
            )
        position = range(len(self))[position]
        uri = self._roll.uri(self._serials[position])
        return StampLabel(
            uri=uri if self._key is None else f"{uri}?s={sign_link(self._key, uri)}",
            number=self._first + position,
            roll=self._roll.roll.partition("/")[2],
            product=self._words.product,
            producer=self._words.producer,
            place=self._words.place,
            host=self._roll.host,
            demo=self._demo,
        )


def labels(
    log: Log,
    roll_name: str,
    *,
    numbers: tuple[int, int] | None = None,
    words: Words,
    demo: bool,
    key: SigningKey | None = None,
) -> Labels:
    """
    Return the labels of a roll in the order of their numbers.

    Args:
        numbers: First and last number wanted, or None for all.

        key: Signs each link; the key that the roll names, where it names one.

    Raises:
        NotFoundError: code ``roll-unknown``.
        InputError: code ``stamp-numbers`` or ``stamp-key``.
    """
    with log.database.read() as connection:
        roll = rolls.read_roll(connection, roll_name)
        serials = rolls.serials(connection, roll_name)
        issued = stored.decode_entry(*_issue_entry(connection, roll_name))
    named = issued.statement["data"].get("key")
    if named != (key.kid if key else None):
        raise InputError(
            f"the links of {roll_name} are signed by key {named}"
            if named
            else f"roll {roll_name} names no stamp key",
            code="stamp-key",
        )
    first, last = numbers or (roll.first, roll.first + roll.count - 1)
    if not roll.first <= first <= last < roll.first + roll.count:
        raise InputError(
            f"roll {roll_name} has numbers {roll.first} to {roll.first + roll.count - 1}",
            code="stamp-numbers",
        )
    wanted = serials[first - roll.first : last - roll.first + 1]
    return Labels(roll, wanted, first, words, demo, key)


def _issue_entry(connection: Connection, roll_name: str) -> tuple[int, bytes]:
    index = rolls.issue_index(connection, roll_name)
    return index, stored.read_entry(connection, index)


def _draw(count: int) -> Iterator[str]:
    seen: set[str] = set()
    while len(seen) < count:
        serial = make_serial(secrets.token_bytes(8))
        if serial not in seen:
            seen.add(serial)
            yield serial
