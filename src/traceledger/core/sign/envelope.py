# SPDX-License-Identifier: Apache-2.0
"""
DSSE envelopes: the exact bytes an actor signs, and the signatures over them.

Implements DSSE v1 (PAE) with the closed JSON shape of section 2 of the format specification.  An envelope
says nothing of authority: which key may sign what is `judge.admission` over `state.registry`.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from traceledger.core.sign.canonical import Json, canonical_bytes
from traceledger.core.sign.encoding import b64decode, b64encode, b64u_decode
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import VerificationError

ACTOR_FAMILIES: Final = ("event", "masterdata", "credential", "notice", "stamps", "log")
REGISTRY_FAMILIES: Final = ("root", "policy", "org", "key", "grant", "revoke")
FAMILIES: Final = ACTOR_FAMILIES + REGISTRY_FAMILIES
MAX_STATEMENT: Final = 16_384
MAX_ENVELOPE: Final = 32 * 1024

_TYPE = re.compile(r"application/vnd\.traceledger\.([a-z]+)\.v1\+json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature: *kid* of the key that made it, and its 64 bytes."""

    kid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """
    A statement's bytes with the signatures over them.

    Attributes:
        payload: JCS bytes of the statement.

        family: The statement's family; the payload type is derived from it.

        signatures: Ascending by key id, distinct; one, or 1 to 16 on registry statements.
    """

    payload: bytes
    family: str
    signatures: tuple[Signature, ...]

    @property
    def payload_type(self) -> str:
        """The DSSE payload type, ``application/vnd.traceledger.<family>.v1+json``."""
        return payload_type(self.family)

    @cached_property
    def pae(self) -> bytes:
        """The bytes that are signed."""
        return pae(self.payload_type, self.payload)

    @cached_property
    def id(self) -> str:
        """Statement id: hex SHA-256 of the PAE; covers neither signature nor key id."""
        return hashlib.sha256(self.pae).hexdigest()

    def to_json(self) -> dict[str, Json]:
        """Return the envelope's JSON object."""
        return {
            "payload": b64encode(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{"keyid": s.kid, "sig": b64encode(s.sig)} for s in self.signatures],
        }

    @classmethod
    def from_json(cls, value: Json) -> "Envelope":
        """
        Read an envelope's JSON object.

        Raises:
            VerificationError: code ``envelope-shape``, ``payload-type``, ``base64``, ``signature-form`` or
                ``too-large``.
        """
        if not isinstance(value, dict) or value.keys() != {"payload", "payloadType", "signatures"}:
            raise VerificationError("expected payload, payloadType and signatures", code="envelope-shape")
        named = value["payloadType"]
        match = _TYPE.fullmatch(named) if isinstance(named, str) else None
        if match is None or match[1] not in FAMILIES:
            raise VerificationError(
                f"expected a traceledger payload type, got {named!r:.80}", code="payload-type"
            )
        family = match[1]
        payload = b64decode(value["payload"])
        if len(payload) > MAX_STATEMENT:
            raise VerificationError(
                f"expected a statement up to {MAX_STATEMENT} bytes, got {len(payload)}", code="too-large"
            )
        signatures = _signatures(value["signatures"])
        if family in ACTOR_FAMILIES and len(signatures) != 1:
            raise VerificationError("expected exactly one signature", code="envelope-shape")
        return cls(payload, family, signatures)


def payload_type(family: str) -> str:
    """Return the DSSE payload type of *family*."""
    return f"application/vnd.traceledger.{family}.v1+json"


def pae(kind: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding of *payload* under payload type *kind*."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def sign_envelope(statement: Json, family: str, keys: Iterable[SigningKey]) -> Envelope:
    """
    Sign *statement* with each of *keys*.

    Raises:
        VerificationError: code ``too-large``, or the codes of `canonical.canonical_bytes`.
    """
    payload = canonical_bytes(statement)
    if len(payload) > MAX_STATEMENT:
        raise VerificationError(
            f"expected a statement up to {MAX_STATEMENT} bytes, got {len(payload)}", code="too-large"
        )
    message = pae(payload_type(family), payload)
    made = sorted((Signature(kid=key.kid, sig=key.sign(message)) for key in keys), key=lambda s: s.kid)
    return Envelope(payload, family, tuple(made))


def _signatures(value: Json) -> tuple[Signature, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 16:
        raise VerificationError("expected 1 to 16 signatures", code="envelope-shape")
    found = []
    for item in value:
        if (
            not isinstance(item, dict)
            or item.keys() != {"keyid", "sig"}
            or not isinstance(item["keyid"], str)
        ):
            raise VerificationError("expected keyid and sig", code="envelope-shape")
        b64u_decode(item["keyid"], size=32)
        try:
            sig = b64decode(item["sig"], size=64)
        except VerificationError as error:
            raise VerificationError(
                "expected base64 of a 64-byte signature", code="signature-form"
            ) from error
        found.append(Signature(kid=item["keyid"], sig=sig))
    if any(a.kid >= b.kid for a, b in pairwise(found)):
        raise VerificationError(
            "expected signatures ascending by keyid, each key once", code="envelope-shape"
        )
    return tuple(found)
