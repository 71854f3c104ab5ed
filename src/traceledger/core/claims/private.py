# SPDX-License-Identifier: Apache-2.0
"""
Private parts of a statement: salted commitments in the log, values outside it.

Section 3 of the format specification.  Value and salt are erased together; every proof stays intact.
"""

import hashlib

from traceledger.core.sign.canonical import Json, canonical_bytes
from traceledger.core.sign.encoding import b64u_encode
from traceledger.errors import VerificationError


def commitment(salt: bytes, value: Json) -> str:
    """Return b64u(SHA-256(0x02 || salt16 || JCS(value)))."""
    if len(salt) != 16:
        raise VerificationError("expected a salt of 16 bytes", code="private-mismatch")
    return b64u_encode(hashlib.sha256(b"\x02" + salt + canonical_bytes(value)).digest())


def check(committed: Json, *, name: str, salt: bytes, value: Json) -> None:
    """
    Check an opened private part against the ``private`` member *committed* of its statement.

    Raises:
        VerificationError: code ``private-mismatch``.
    """
    if not isinstance(committed, dict) or committed.get(name) != commitment(salt, value):
        raise VerificationError(
            f"the private part {name!r} is not the one committed to", code="private-mismatch"
        )
