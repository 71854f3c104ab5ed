# SPDX-License-Identifier: Apache-2.0
"""
Log entries: an envelope with the log's admission note, and the chain that joins registry entries.

Section 2 of the format specification.  Decoding an entry checks its form only; whether it is valid, and what
it changes, is decided by `judge.admission` and the folds of `state`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from traceledger.core.log.merkle import leaf_hash
from traceledger.core.sign.canonical import Json, canonical_bytes, parse, parse_canonical
from traceledger.core.sign.encoding import b64decode, b64encode
from traceledger.core.sign.envelope import MAX_ENVELOPE, MAX_STATEMENT, REGISTRY_FAMILIES, Envelope
from traceledger.errors import VerificationError

MAX_ENTRY: Final = 65_535
CHAIN_START: Final = bytes(32)
LAST_MOMENT: Final = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())

Head = tuple[int, bytes]
"""A count and a 32-byte hash: (size, root), or (registry entries, chain value)."""


@dataclass(frozen=True)
class Entry:
    """
    One entry of the log.

    Attributes:
        raw: The JCS bytes that the leaf hash covers.

        envelope: The signed statement.

        reg: (n, r_n): registry entries before this one and the chain value over them.

        t: Unix seconds at which the log admitted it.
    """

    raw: bytes
    envelope: Envelope
    reg: Head
    t: int

    @classmethod
    def make(cls, envelope: Envelope, *, reg: Head, t: int) -> "Entry":
        """Build the entry the log appends for *envelope*."""
        value = {"adm": {"reg": [reg[0], b64encode(reg[1])], "t": t}, "env": envelope.to_json(), "v": 1}
        raw = canonical_bytes(value)
        if len(raw) > MAX_ENTRY:
            raise VerificationError(
                f"expected an entry up to {MAX_ENTRY} bytes, got {len(raw)}", code="too-large"
            )
        return cls(raw, envelope, reg, t)

    @classmethod
    def parse(cls, raw: bytes) -> "Entry":
        """
        Decode the bytes of an entry.

        Raises:
            VerificationError: the codes of `canonical.parse_canonical` and `Envelope.from_json`, and
                ``entry-shape``.
        """
        return cls._of(parse_canonical(raw, limit=MAX_ENTRY), raw)

    @classmethod
    def from_json(cls, value: Json) -> "Entry":
        """Decode an entry given as a JSON object, e.g. inside a bundle; codes as `parse`."""
        raw = canonical_bytes(value)
        if len(raw) > MAX_ENTRY:
            raise VerificationError(
                f"expected an entry up to {MAX_ENTRY} bytes, got {len(raw)}", code="too-large"
            )
        return cls._of(value, raw)

    @classmethod
    def _of(cls, value: Json, raw: bytes) -> "Entry":
        shape = VerificationError("expected adm, env and v = 1", code="entry-shape")
        if not isinstance(value, dict) or value.keys() != {"adm", "env", "v"} or not _is_one(value["v"]):
            raise shape
        adm = value["adm"]
        if not isinstance(adm, dict) or adm.keys() != {"reg", "t"} or not _is_uint(adm["t"]):
            raise shape
        if len(raw) > MAX_ENVELOPE and len(canonical_bytes(value["env"])) > MAX_ENVELOPE:
            raise VerificationError(f"expected an envelope up to {MAX_ENVELOPE} bytes", code="too-large")
        return cls(
            raw, Envelope.from_json(value["env"]), parse_head(adm["reg"], code="entry-shape"), adm["t"]
        )

    def to_json(self) -> Json:
        """Return the entry as a JSON object."""
        return parse(self.raw, limit=MAX_ENTRY)

    @cached_property
    def statement(self) -> dict[str, Json]:
        """
        The signed statement.

        Raises:
            VerificationError: the payload is not the JCS form of a JSON object.
        """
        value = parse_canonical(self.envelope.payload, limit=MAX_STATEMENT)
        if not isinstance(value, dict):
            raise VerificationError("expected a JSON object as statement", code="statement-shape")
        return value

    @cached_property
    def leaf(self) -> bytes:
        """Leaf hash, SHA-256 over 0x00 and the entry's bytes."""
        return leaf_hash(self.raw)

    @property
    def id(self) -> str:
        """Statement id, hex."""
        return self.envelope.id

    @property
    def family(self) -> str:
        """The statement's family."""
        return self.envelope.family

    @property
    def is_registry(self) -> bool:
        """Whether the entry belongs to the registry chain, void or not."""
        return self.family in REGISTRY_FAMILIES

    @property
    def kind(self) -> str:
        """The statement's kind; the family's name for registry statements."""
        if self.is_registry:
            return self.family
        return str(self.statement.get("tl:kind" if self.family == "event" else "kind", ""))

    @property
    def actor(self) -> str:
        """The organisation the statement speaks for; empty for registry statements without one."""
        name = "tl:actor" if self.family == "event" else "org" if self.is_registry else "actor"
        return str(self.statement.get(name, ""))

    def member(self, name: str) -> Json:
        """Return a statement member by its record name: ``prev``, ``seen``, ``private``, … or None."""
        return self.statement.get(f"tl:{name}" if self.family == "event" else name)


def moment_of(seconds: int) -> datetime:
    """
    Return Unix *seconds* as a moment in UTC, for people and calendars.

    The format lets an operator write any number; what lies beyond the calendar is told as its last days.
    """
    return datetime.fromtimestamp(min(seconds, LAST_MOMENT), UTC)


def next_chain(chain: bytes, leaf: bytes) -> bytes:
    """Return r_k = SHA-256(0x04 || r_{k-1} || leaf hash of the k-th registry entry)."""
    return hashlib.sha256(b"\x04" + chain + leaf).digest()


def parse_head(value: Json, *, code: str) -> Head:
    """
    Read ``[uint, base64 of 32 bytes]``.

    Raises:
        VerificationError: *code*.
    """
    if not isinstance(value, list) or len(value) != 2 or not _is_uint(value[0]):
        raise VerificationError("expected [number, base64 of 32 bytes]", code=code)
    try:
        return value[0], b64decode(value[1], size=32)
    except VerificationError as error:
        raise VerificationError("expected base64 of 32 bytes in a head", code=code) from error


def _is_uint(value: Json) -> bool:
    return type(value) is int and value >= 0


def _is_one(value: Json) -> bool:
    return type(value) is int and value == 1
