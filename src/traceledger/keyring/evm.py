# SPDX-License-Identifier: Apache-2.0
"""
secp256k1 keys of the anchor signer, the guardian and the relaying account: Web3 Secret Storage v3.

eth_account is imported where it is used: it takes over a second, and only the worker needs it.
"""

import json
import secrets
from pathlib import Path
from typing import Final

from traceledger.errors import AccessError, InputError, NotFoundError
from traceledger.keyring.files import write_secret

_DEMO_N: Final = 2**12


class EvmKey:
    """A secp256k1 key: its 32 secret bytes and 20-byte *address*."""

    __slots__ = ("address", "secret")

    def __init__(self, secret: bytes) -> None:
        from eth_account import Account

        self.secret: Final = secret
        self.address: Final = bytes.fromhex(Account.from_key(secret).address[2:])

    @classmethod
    def new(cls) -> "EvmKey":
        """Return a fresh random key."""
        return cls(secrets.token_bytes(32))

    def __repr__(self) -> str:
        return f"EvmKey(0x{self.address.hex()})"


def save(path: Path, key: EvmKey, password: str, *, demo: bool = False) -> None:
    """Write a V3 keystore, mode 0600, never over another file; *demo* makes it quick to open."""
    from eth_account import Account

    value = Account.encrypt(key.secret, password, iterations=_DEMO_N if demo else None)
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
    from eth_account import Account

    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except FileNotFoundError as error:
        raise NotFoundError(f"no key file {path}", code="key-missing") from error
    if mode & 0o077:
        raise AccessError(f"others may read {path}: run chmod 600 {path}", code="key-mode")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"{path} is not a Web3 keystore", code="key-file") from error
    try:
        return EvmKey(bytes(Account.decrypt(value, password)))
    except ValueError as error:
        raise AccessError(f"the password does not open {path}", code="password") from error
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} is not a Web3 keystore", code="key-file") from error
