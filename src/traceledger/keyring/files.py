# SPDX-License-Identifier: Apache-2.0
"""
Key files: section 7 of the format specification, mode 0600.

An Ed25519 seed is sealed by scrypt and ChaCha20-Poly1305 with everything else in the file as associated data,
so no public field can be exchanged.  Unsealed files exist for demonstrations only.  A password never comes
from an argument; who asks for it is the caller's `Passwords`.
"""

import hashlib
import json
import os
import secrets
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from traceledger.core.claims import records
from traceledger.core.sign.canonical import Json, canonical_bytes, parse
from traceledger.core.sign.encoding import b64u_decode, b64u_encode
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import AccessError, ConflictError, InputError, NotFoundError, VerificationError

SCRYPT_N: Final = 2**15
_SCRYPT_R: Final = 8
_MAX_FILE: Final = 16 * 1024

Passwords = Callable[[str], str]
"""``ask(name)``: the password of the key file called *name*."""


def seal(key: SigningKey, *, custody: str, password: str | None, n: int = SCRYPT_N) -> dict[str, Json]:
    """
    Return the key file's object for *key*.

    Args:
        custody: ``device``, ``file`` or ``custodial``.

        password: What opens it; None leaves the seed unsealed (demonstrations only).

        n: scrypt's cost, a power of two from 2**14 to 2**20.
    """
    value: dict[str, Json] = {
        "v": 1,
        "alg": "ed25519",
        "kid": key.kid,
        "public": b64u_encode(key.public),
        "custody": custody,
        "kdf": None,
        "cipher": None,
    }
    if password is None:
        return {**value, "secret": b64u_encode(key.seed())}
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    value["kdf"] = {"name": "scrypt", "n": n, "r": _SCRYPT_R, "p": 1, "salt": b64u_encode(salt)}
    value["cipher"] = {"name": "chacha20-poly1305", "nonce": b64u_encode(nonce)}
    sealed = ChaCha20Poly1305(_derive(password, salt, n, 1)).encrypt(
        nonce, key.seed(), canonical_bytes(value)
    )
    return {**value, "secret": b64u_encode(sealed)}


def unseal(value: Json, password: Callable[[], str]) -> SigningKey:
    """
    Return the key of a key file's object.

    Raises:
        InputError: code ``key-file``: not a key file.
        AccessError: code ``password``: the password does not open it.
    """
    try:
        records.require(value, _SHAPE, "key file")
        public = b64u_decode(value["public"], size=32)
        if (value["kdf"] is None) != (value["cipher"] is None):
            raise VerificationError("expected kdf and cipher, or neither")
        if value["cipher"] is None:
            seed = b64u_decode(value["secret"], size=32)
        else:
            records.require(value["kdf"], _KDF, "kdf")
            records.require(value["cipher"], _CIPHER, "cipher")
            sealed = b64u_decode(value["secret"], size=48)
            salt, nonce = (
                b64u_decode(value["kdf"]["salt"], size=16),
                b64u_decode(value["cipher"]["nonce"], size=12),
            )
            derived = _derive(password(), salt, value["kdf"]["n"], value["kdf"]["p"])
            header = canonical_bytes({name: part for name, part in value.items() if name != "secret"})
            seed = ChaCha20Poly1305(derived).decrypt(nonce, sealed, header)
    except VerificationError as error:
        raise InputError(f"not a key file: {error.message}", code="key-file") from error
    except InvalidTag as error:
        raise AccessError("the password does not open this key file", code="password") from error
    key = SigningKey(seed)
    if key.public != public or key.kid != value["kid"]:
        raise InputError("not a key file: its secret is of another key", code="key-file")
    return key


def save(path: Path, value: dict[str, Json]) -> None:
    """
    Write a key file, mode 0600, never over another.

    Raises:
        ConflictError: code ``key-exists``.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = json.dumps(value, indent=2).encode() + b"\n"
    write_secret(path, data)


def write_secret(path: Path, data: bytes) -> None:
    """Write *data* durably to the new file *path*, mode 0600; raises ConflictError if it exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConflictError(f"{path} exists; choose another name", code="key-exists") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> dict[str, Json]:
    """
    Read a key file's object.

    Raises:
        NotFoundError: code ``key-missing``.
        AccessError: code ``key-mode``: others may read it.
        InputError: code ``key-file``.
    """
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()[: _MAX_FILE + 1]
    except FileNotFoundError as error:
        raise NotFoundError(f"no key file {path}", code="key-missing") from error
    if mode & 0o077:
        raise AccessError(f"others may read {path}: run chmod 600 {path}", code="key-mode")
    try:
        value = parse(data, limit=_MAX_FILE)
    except VerificationError as error:
        raise InputError(f"{path} is not a key file: {error.message}", code="key-file") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} is not a key file", code="key-file")
    return value


def load(path: Path, passwords: Passwords) -> SigningKey:
    """Read and open the key file at *path*; errors as `read` and `unseal`."""
    return unseal(read(path), lambda: passwords(path.stem))


def _derive(password: str, salt: bytes, n: int, p: int) -> bytes:
    secret = unicodedata.normalize("NFC", password).encode()
    return hashlib.scrypt(secret, salt=salt, n=n, r=_SCRYPT_R, p=p, maxmem=256 * n * _SCRYPT_R, dklen=32)


def _cost(value: Json) -> bool:
    return type(value) is int and 2**14 <= value <= 2**20 and value & (value - 1) == 0


def _object_or_none(value: Json) -> bool:
    return value is None or isinstance(value, dict)


_SHAPE: Final[records.Shape] = {
    "v": lambda v: type(v) is int and v == 1,
    "alg": lambda v: v == "ed25519",
    "kid": records.text,
    "public": records.text,
    "custody": lambda v: v in records.CUSTODIES,
    "kdf": _object_or_none,
    "cipher": _object_or_none,
    "secret": records.text,
}
_KDF: Final[records.Shape] = {
    "name": lambda v: v == "scrypt",
    "n": _cost,
    "r": lambda v: v == _SCRYPT_R,
    "p": lambda v: type(v) is int and 1 <= v <= 4,
    "salt": records.text,
}
_CIPHER: Final[records.Shape] = {"name": lambda v: v == "chacha20-poly1305", "nonce": records.text}
