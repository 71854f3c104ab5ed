# SPDX-License-Identifier: Apache-2.0
"""
secp256k1 keys of the anchor signer, the guardian and the relaying account: Web3 Secret Storage v3.

The keystore's library is imported where it is used: it is heavy, and only the worker needs it.
"""

import json
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from traceledger.core.sign.evm import address_of
from traceledger.errors import AccessError, InputError, NotFoundError
from traceledger.heavy import load as load_module
from traceledger.keyring.files import write_secret

_N: Final = 2**18
_DEMO_N: Final = 2**12


class EvmKey:
    """A secp256k1 key: its 32 secret bytes and 20-byte *address*."""

    __slots__ = ("address", "secret")

    def __init__(self, secret: bytes) -> None:
        numbers = ec.derive_private_key(int.from_bytes(secret), ec.SECP256K1()).public_key().public_numbers()
        self.secret: Final = secret
        self.address: Final = address_of(numbers.x.to_bytes(32) + numbers.y.to_bytes(32))

    @classmethod
    def new(cls) -> "EvmKey":
        """Return a fresh random key."""
        return cls(secrets.token_bytes(32))

    def __repr__(self) -> str:
        return f"EvmKey(0x{self.address.hex()})"


def save(path: Path, key: EvmKey, password: str, *, demo: bool = False) -> None:
    """Write a V3 keystore, mode 0600, never over another file; *demo* makes it quick to open."""
    create = load_module("eth_keyfile").create_keyfile_json
    value = create(key.secret, password.encode(), kdf="scrypt", iterations=_DEMO_N if demo else _N)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(path, json.dumps(value, indent=2).encode() + b"\n")


def load(path: Path, password: str) -> EvmKey:
    """
    Open the V3 keystore at *path*.

    Raises:
        NotFoundError: code ``key-missing``.
        AccessError: code ``password`` or ``key-mode``.
        InputError: code ``key-file``.
    """
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"no key file {path}", code="key-missing") from error
    if mode & 0o077:
        raise AccessError(f"others may read {path}: run chmod 600 {path}", code="key-mode")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a Web3 keystore", code="key-file") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} is not a Web3 keystore", code="key-file")
    try:
        return EvmKey(bytes(load_module("eth_keyfile").decode_keyfile_json(value, password.encode())))
    except ValueError as error:
        raise AccessError(f"the password does not open {path}", code="password") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a Web3 keystore", code="key-file") from error
