# SPDX-License-Identifier: Apache-2.0
"""
Stamps: links, commitments and serials, and the life of a roll as a fold over its statements.

Sections 3 and 7 of the format specification.  A roll is a numbered run of stamps whose links are committed to
by one Merkle root before any is printed.  A step that is not allowed, or is by somebody else than issuer or
assignee, or activates for a gated lot, is kept as evidence and has no effect.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from traceledger.core.claims.identifiers import canonical
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import leaf_hash, verify_inclusion
from traceledger.core.sign import keys
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64decode, b64u_decode, b64u_encode
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import VerificationError

SERIAL_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SERIAL_LENGTH: Final = 12

_URI = re.compile(
    r"https?://(?P<host>[a-z0-9.:-]+)/01/(?P<gtin>[0-9]{14})(?:/10/(?P<lot>[^/?#]{1,60}))?"
    rf"/21/(?P<serial>[{SERIAL_ALPHABET}]{{{SERIAL_LENGTH}}})"
)
_SIGNED_PREFIX: Final = b"traceledger/stamp/v1\n"

Gate = Callable[[str, int], bool]
"""``gate(lot, index)``: whether *lot* is gated by what stands below *index*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampLink:
    """The parts of a stamp's link."""

    uri: str
    host: str
    gtin: str
    lot: str | None
    serial: str


def parse_link(uri: str) -> StampLink:
    """
    Parse a stamp's link without its query: ``https://<host>/01/<gtin>[/10/<lot>]/21/<serial>``.

    Plain http is a deployment's choice for its own machine; the link says which, and the host is compared
    with the roll's.

    Raises:
        VerificationError: code ``stamp-unknown``.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise VerificationError(f"expected a stamp link, got {uri[:120]!r}", code="stamp-unknown")
    return StampLink(
        uri=uri, host=match["host"], gtin=match["gtin"], lot=match["lot"], serial=match["serial"]
    )


def make_serial(random: bytes) -> str:
    """Return the 12-character serial that 8 random bytes stand for (their first 60 bits)."""
    number = int.from_bytes(random[:8]) >> 4
    return "".join(SERIAL_ALPHABET[number >> 5 * i & 31] for i in reversed(range(SERIAL_LENGTH)))


def stamp_salt(roll_secret: bytes, number: int) -> bytes:
    """Return HMAC-SHA256(roll secret, uint64 number)[:16]."""
    return hmac.digest(roll_secret, number.to_bytes(8), "sha256")[:16]


def commitment(salt: bytes, number: int, uri: str) -> bytes:
    """Return SHA-256(0x03 || salt16 || uint64 number || uri)."""
    return hashlib.sha256(b"\x03" + salt + number.to_bytes(8) + uri.encode()).digest()


def roll_leaf(salt: bytes, number: int, uri: str) -> bytes:
    """Return the leaf of a roll's tree: SHA-256(0x00 || commitment)."""
    return leaf_hash(commitment(salt, number, uri))


def sign_link(key: SigningKey, uri: str) -> str:
    """Return the value of ``s`` for a printed link: b64u of the stamp key's signature."""
    return b64u_encode(key.sign(_SIGNED_PREFIX + uri.encode()))


def verify_link(public: bytes, uri: str, signature: str) -> None:
    """
    Verify the ``s`` of a printed link.

    Raises:
        VerificationError: code ``stamp-signature``.
    """
    try:
        keys.verify(public, b64u_decode(signature, size=64), _SIGNED_PREFIX + uri.encode())
    except VerificationError as error:
        raise VerificationError(
            "the signature on the stamp is not by its roll's key", code="stamp-signature"
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class StampState:
    """
    State of one stamp.

    Attributes:
        step: ``issued``, ``printed``, ``assigned``, ``active``, ``opened`` or ``void``.

        locked: Whether it is locked now; *reason* says why (or why it is void).

        lot: Subject it was activated for.

        holder: Organisation it was assigned to, else the issuer.
    """

    step: str
    holder: str
    locked: bool = False
    lot: str | None = None
    reason: str = ""
    since: int = 0


@dataclass(slots=True)
class Roll:
    """A roll as its ``issue`` statement made it, with the steps that followed."""

    roll: str
    issuer: str
    gtin: str
    host: str
    lot: str | None
    first: int
    count: int
    root: bytes
    key: str | None
    index: int
    steps: list[Entry] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)

    @property
    def last(self) -> int:
        """Greatest number on the roll."""
        return self.first + self.count - 1

    def check(self, uri: str, *, number: int, salt: bytes, proof: list[bytes]) -> None:
        """
        Check that *uri* is stamp *number* of this roll.

        Raises:
            VerificationError: code ``stamp-commitment``.
        """
        link = parse_link(uri)
        if (link.host, link.gtin) != (self.host, self.gtin) or not self.first <= number <= self.last:
            raise VerificationError(
                "the stamp is not of this roll's host, product or numbers", code="stamp-commitment"
            )
        try:
            verify_inclusion(
                roll_leaf(salt, number, uri),
                index=number - self.first,
                size=self.count,
                proof=proof,
                root=self.root,
            )
        except VerificationError as error:
            raise VerificationError(
                "the roll's root does not hold this stamp", code="stamp-commitment"
            ) from error

    def state(self, number: int, gate: Gate) -> StampState:
        """Return the state of stamp *number* after every step so far."""
        state = StampState(step="issued", holder=self.issuer, since=self.index)
        for index, entry in zip(self.indexes, self.steps, strict=True):
            state = after_step(state, self, index, entry, number, gate) or state
        return state

    def add(self, index: int, entry: Entry) -> None:
        """Add the next step."""
        self.indexes.append(index)
        self.steps.append(entry)


def ranges_of(data: dict[str, Json]) -> list[tuple[int, int]]:
    """Return the inclusive number ranges a step names; its one number for ``open``."""
    if "number" in data:
        return [(data["number"], data["number"])]
    return [(first, last) for first, last in data["ranges"]]


def open_roll(index: int, entry: Entry) -> Roll:
    """Return the roll that the ``issue`` statement *entry* opens."""
    data = entry.statement["data"]
    return Roll(
        roll=data["roll"],
        issuer=entry.actor,
        gtin=data["gtin"],
        host=data["host"],
        lot=data.get("lot"),
        first=data["first"],
        count=data["count"],
        root=b64decode(data["root"], size=32),
        key=data.get("key"),
        index=index,
    )


def fold_rolls(entries: list[tuple[int, Entry]]) -> dict[str, Roll]:
    """Return the rolls of valid stamps statements *entries*, given in index order; a second issue has no effect."""
    rolls: dict[str, Roll] = {}
    for index, entry in entries:
        name = entry.statement["data"]["roll"]
        if entry.kind == "issue":
            if name not in rolls:
                rolls[name] = open_roll(index, entry)
        elif name in rolls:
            rolls[name].add(index, entry)
    return rolls


def after_step(
    state: StampState, roll: Roll, index: int, entry: Entry, number: int, gate: Gate
) -> StampState | None:
    """State after the step, or None where it has no effect on this stamp."""
    data = entry.statement["data"]
    covered = any(first <= number <= last for first, last in ranges_of(data))
    if not covered or not roll.first <= number <= roll.last or state.step == "void":
        return None
    if entry.actor not in (roll.issuer, state.holder):
        return None
    fresh = state.step in ("issued", "printed", "assigned")
    match entry.kind:
        case "print" if state.step == "issued":
            return replace(state, step="printed", since=index)
        case "assign" if fresh:
            return replace(state, step="assigned", holder=data["to"], since=index)
        case "activate" if fresh and not state.locked:
            lot = canonical(entry.statement["about"][0])
            return None if gate(lot, index) else replace(state, step="active", lot=lot, since=index)
        case "open" if state.step == "active" and not state.locked:
            return replace(state, step="opened", since=index)
        case "lock" if not state.locked:
            return replace(state, locked=True, reason=data["reason"], since=index)
        case "unlock" if state.locked:
            return replace(state, locked=False, reason="", since=index)
        case "void":
            return replace(state, step="void", reason=data["reason"], since=index)
    return None
