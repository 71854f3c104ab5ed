# SPDX-License-Identifier: Apache-2.0
"""
The anchor contract in an EVM inside the test process, and an obvious twin of the tree it checks.

`AnchorEvm` speaks to the committed artifact, not to a fresh build, through an encoder written out here; one test
compares that encoder with an independent one.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import coincurve
import pyrevm

from traceledger.chain.contract import artifact, creation_code
from traceledger.core.log.anchor import Head, checkpoint_digest, decode_head
from traceledger.core.sign.evm import address_of, keccak256, to_compact

ANYONE = bytes.fromhex("a0" * 20)
ZERO = bytes(32)
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

Word = int | bytes


def word(value: Word) -> bytes:
    """Return one ABI word: numbers right-aligned, addresses too, 32 bytes as they are."""
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


@cache
def selector(function: str) -> bytes:
    """Return the selector of *function*, from the artifact's ABI."""
    (item,) = (i for i in artifact()["abi"] if i["type"] == "function" and i["name"] == function)
    return keccak256(f"{function}({','.join(i['type'] for i in item['inputs'])})".encode())[:4]


def calldata(function: str, *arguments: Word | Sequence[bytes]) -> bytes:
    """Return the call data of *function*; a list stands for ``bytes32[]``, at most one of them."""
    heads, tail = [], b""
    for argument in arguments:
        if isinstance(argument, int | bytes):
            heads.append(word(argument))
        else:
            heads.append(word(32 * len(arguments)))
            tail = word(len(argument)) + b"".join(argument)
    return selector(function) + b"".join(heads) + tail


class Reverted(Exception):  # noqa: N818
    """The call reverted with custom error *name* and *words*; name is empty for a bare revert."""

    def __init__(self, output: bytes) -> None:
        names = {
            keccak256(f"{i['name']}({','.join(a['type'] for a in i['inputs'])})".encode())[:4]: i["name"]
            for i in artifact()["abi"]
            if i["type"] == "error"
        }
        self.name = names.get(output[:4], "")
        self.words = tuple(output[at : at + 32] for at in range(4, len(output), 32))
        super().__init__(f"{self.name}{self.words}")


@dataclass(frozen=True)
class Event:
    """One event of a call: its name, indexed words after the topic, and data words."""

    name: str
    indexed: tuple[bytes, ...]
    data: tuple[bytes, ...]


class AnchorEvm:
    """The contract, deployed in a fresh EVM with Prague rules."""

    def __init__(self, *, code: bytes | None = None) -> None:
        self.evm = pyrevm.EVM(spec_id="PRAGUE")
        self.time = 1_795_000_000
        self.set_time(self.time)
        self.evm.set_balance(_text(ANYONE), 10**24)
        try:
            self.address = self.evm.deploy(_text(ANYONE), code if code is not None else creation_code())
        except RuntimeError as error:
            raise _reverted(error) from error
        self.gas = int(self.evm.result.gas_used)

    def set_time(self, seconds: int) -> None:
        """Set the time of the block the next calls are in."""
        self.time = seconds
        self.evm.set_block_env(pyrevm.BlockEnv(number=1, timestamp=seconds, gas_limit=2**63))

    def send(self, function: str, *arguments: Any, by: bytes = ANYONE) -> bytes:
        """Call *function* as account *by* and keep the state it leaves; raises `Reverted`."""
        return self.send_raw(calldata(function, *arguments), by=by)

    def send_raw(self, data: bytes, *, by: bytes = ANYONE) -> bytes:
        """Call with call data; `gas` is then what a transaction would have cost."""
        try:
            answer = bytes(self.evm.message_call(_text(by), self.address, calldata=data))
        except RuntimeError as error:
            raise _reverted(error) from error
        self.gas = int(self.evm.result.gas_used)
        return answer

    def events(self) -> list[Event]:
        """Return the events of the last successful call."""
        names = {
            keccak256(f"{i['name']}({','.join(a['type'] for a in i['inputs'])})".encode()): i["name"]
            for i in artifact()["abi"]
            if i["type"] == "event"
        }
        found = []
        for log in self.evm.result.logs:
            topics, data = log.data
            data = bytes(data)
            found.append(
                Event(
                    names[bytes(topics[0])],
                    tuple(bytes(topic) for topic in topics[1:]),
                    tuple(data[at : at + 32] for at in range(0, len(data), 32)),
                )
            )
        return found

    def head(self, log_id: bytes) -> Head:
        """Return the head of a log."""
        return decode_head(self.send("head", log_id))

    def verify(self, m: int, n: int, old: bytes, new: bytes, proof: Sequence[bytes]) -> int:
        """Return the contract's answer on a consistency proof."""
        return int.from_bytes(self.send("verify", m, n, old, new, list(proof)), "big")


def _text(address: bytes) -> str:
    return "0x" + address.hex()


def _reverted(error: RuntimeError) -> Exception:
    found = re.fullmatch(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*) \}", str(error))
    return Reverted(bytes.fromhex(found[1])) if found else error


class Key:
    """A secp256k1 key, by name or by its secret."""

    def __init__(self, name: str = "", *, secret: bytes | None = None) -> None:
        self.secret = hashlib.sha256(f"test key {name}".encode()).digest() if secret is None else secret
        self._key = coincurve.PrivateKey(self.secret)
        self.public = self._key.public_key.format(compressed=False)[1:]
        self.address = address_of(self.public)

    def sign(self, log_id: bytes, size: int, root: bytes) -> tuple[bytes, bytes]:
        """Return (r, vs) over a checkpoint."""
        return self.sign_digest(checkpoint_digest(log_id, size, root))

    def sign_digest(self, digest: bytes) -> tuple[bytes, bytes]:
        """Return (r, vs) over any digest."""
        made = self._key.sign_recoverable(digest, hasher=None)
        return to_compact(made[:32], made[32:64], 27 + made[64])


# --- the obvious twin: RFC 9162 sections 2.1.1 and 2.1.4.1 as they are written --------------------------------


def tree_head(leaves: Sequence[bytes]) -> bytes:
    """Return MTH of *leaves* (leaf hashes), by its recursive definition."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\1" + tree_head(leaves[:k]) + tree_head(leaves[k:])).digest()


def subproof(m: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """Return SUBPROOF(m, D, b), by its recursive definition; with *whole* it is PROOF(m, D)."""
    n = len(leaves)
    if m == n:
        return [] if whole else [tree_head(leaves)]
    k = split(n)
    if m <= k:
        return [*subproof(m, leaves[:k], whole), tree_head(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), tree_head(leaves[:k])]


def split(n: int) -> int:
    """Return the largest power of two smaller than *n*."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def leaves(count: int) -> list[bytes]:
    """Return *count* distinct leaf hashes."""
    return [hashlib.sha256(b"\0" + index.to_bytes(8, "big")).digest() for index in range(count)]
