# SPDX-License-Identifier: Apache-2.0
"""
Strict base64 and base64url, RFC 4648 sections 4 and 5.

A decoder that accepts two texts for one value lets a bundle change without its meaning changing, so every
decoder here re-encodes what it read and refuses anything that does not come back the same.
"""

import base64
import binascii

from traceledger.errors import VerificationError


def b64encode(data: bytes) -> str:
    """Return RFC 4648 section 4 base64, padded, of *data*."""
    return base64.b64encode(data).decode("ascii")


def b64decode(text: object, *, size: int | None = None) -> bytes:
    """
    Decode canonical padded base64.

    Args:
        text: The text; anything but a canonical string is refused.

        size: Number of bytes it must decode to, where the format fixes one.

    Raises:
        VerificationError: code ``base64``.
    """
    if isinstance(text, str) and text.isascii():
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            data = None
        if data is not None and b64encode(data) == text and (size is None or len(data) == size):
            return data
    raise VerificationError(f"expected canonical base64{_of(size)}", code="base64")


def b64u_encode(data: bytes) -> str:
    """Return RFC 4648 section 5 base64url, without padding, of *data*."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64u_decode(text: object, *, size: int | None = None) -> bytes:
    """
    Decode canonical unpadded base64url.

    Raises:
        VerificationError: code ``base64``.
    """
    if isinstance(text, str) and text.isascii() and "+" not in text and "/" not in text and "=" not in text:
        try:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            data = None
        if data is not None and b64u_encode(data) == text and (size is None or len(data) == size):
            return data
    raise VerificationError(f"expected canonical unpadded base64url{_of(size)}", code="base64")


def _of(size: int | None) -> str:
    return "" if size is None else f" of {size} bytes"
