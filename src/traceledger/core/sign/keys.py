# SPDX-License-Identifier: Apache-2.0
"""
Ed25519 keys, key ids and strict signature verification: section 2 of the format specification.

Libraries disagree on malformed signatures (RFC 8032 leaves room).  The pre-check here, together with any
cofactorless library, makes all of them accept the same set, so a signature good in one verifier is good in
every other.
"""

import hashlib
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from traceledger.core.sign.encoding import b64u_encode
from traceledger.errors import VerificationError

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_Y8: Final = int.from_bytes(
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
)
_SMALL_ORDER: Final = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


def kid(public_key: bytes) -> str:
    """Return the key id of a 32-byte *public_key*: b64u(SHA-256(0x01 || key)), 43 characters."""
    return b64u_encode(hashlib.sha256(b"\x01" + public_key).digest())


def check_public_key(public_key: bytes) -> None:
    """
    Check that *public_key* is a canonical point encoding outside the small-order set.

    Raises:
        VerificationError: code ``signature-form``.
    """
    if len(public_key) != 32 or not _is_plain_point(public_key):
        raise VerificationError("expected a canonical Ed25519 public key", code="signature-form")
    # The library decodes a key only when it verifies with it, so the curve's equation is tested here:
    # x^2 = (y^2 - 1) / (d y^2 + 1) has a root (RFC 8032 section 5.1.3)
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(x_squared, (_P - 1) // 2, _P) != 1:
        raise VerificationError("expected a point of the Ed25519 curve", code="signature-form")


def verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """
    Verify an Ed25519 *signature* strictly: 64 bytes, S below the order, A and R canonical and not of small
    order, cofactorless equation.

    Raises:
        VerificationError: code ``signature-form`` or ``signature-invalid``.
    """
    if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= _ORDER:
        raise VerificationError("expected a 64-byte signature with S below the order", code="signature-form")
    if len(public_key) != 32 or not (_is_plain_point(public_key) and _is_plain_point(signature[:32])):
        raise VerificationError("expected canonical points of large order", code="signature-form")
    try:
        _public_key(public_key).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise VerificationError(
            "the signature does not match these bytes and key", code="signature-invalid"
        ) from error


class SigningKey:
    """An Ed25519 key that can sign; built from its 32-byte seed (RFC 8032 section 5.1.5)."""

    __slots__ = ("_private", "kid", "public")

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: Final = self._private.public_key().public_bytes_raw()
        self.kid: Final = kid(self.public)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over *message*."""
        return self._private.sign(message)

    def seed(self) -> bytes:
        """Return the 32-byte secret seed, for the keyring to seal."""
        return self._private.private_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"


def _is_plain_point(encoded: bytes) -> bool:
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    return y < _P and y not in _SMALL_ORDER


@lru_cache(maxsize=4096)
def _public_key(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)
