# SPDX-License-Identifier: Apache-2.0
"""
What a checkpoint looks like to the anchor contract, and what the contract's answers mean: section 6 of the
format specification.

Log ids, EIP-712 digests, the one event and the one call that a reader needs, and plain values for what an
endpoint said about a transaction.  Nothing is asked of a chain here: `chain.rpc` observes, `judge.verify`
decides.  Addresses are 20 bytes, hashes and ids 32; text forms with 0x stay at the edges.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from traceledger.core.sign.evm import keccak256
from traceledger.errors import VerificationError

DOMAIN_SEPARATOR: Final = keccak256(
    keccak256(b"EIP712Domain(string name,string version)") + keccak256(b"tlog checkpoint") + keccak256(b"1")
)
CHECKPOINT_TYPE: Final = keccak256(b"Checkpoint(bytes32 logId,uint64 size,bytes32 root)")
ANCHORED_TOPIC: Final = keccak256(b"Anchored(bytes32,uint64,uint64,bytes32,uint64,bytes32)")
HEAD_SELECTOR: Final = keccak256(b"head(bytes32)")[:4]

_HEAD_WORDS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLog:
    """One event record of a receipt; *log_index* is its position in the block."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a transaction: *status* 1 is success, 0 reverted."""

    status: int
    block_number: int
    block_hash: bytes
    logs: tuple[ReceiptLog, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """
    What one endpoint said about one transaction.

    Attributes:
        endpoint: Which endpoint, without secrets its address may hold.

        chain_id: The chain it serves.

        finalized: Number of its newest finalized block.

        receipt: The transaction's receipt; None if it knows none, then the transaction is pending or lost.

        canonical: Whether the block of the receipt is still the one at its height.

        error: Reason code if it could not be asked, then everything else may be missing.
    """

    endpoint: str
    chain_id: int | None = None
    finalized: int | None = None
    receipt: Receipt | None = None
    canonical: bool | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """The contract's event: head number *seq* of a log, and the head before it (zeros for the first)."""

    log_id: bytes
    seq: int
    size: int
    root: bytes
    prev_size: int
    prev_root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the contract knows of a log; a zero *signer* means never opened, *seq* 0 never anchored."""

    size: int
    root: bytes
    time: int
    seq: int
    signer: bytes
    guardian: bytes
    is_sealed: bool
    successor: bytes

    @property
    def is_open(self) -> bool:
        """Whether the log was opened on this chain."""
        return any(self.signer)


def log_id(signer: bytes, guardian: bytes, origin: str) -> bytes:
    """Return keccak256(abi.encode(signer, guardian, SHA-256(origin))): the id commits to all three."""
    if len(signer) != 20 or len(guardian) != 20:
        raise ValueError(f"expected 20-byte addresses, got {len(signer)} and {len(guardian)} bytes")
    return keccak256(bytes(12) + signer + bytes(12) + guardian + origin_hash(origin))


def origin_hash(origin: str) -> bytes:
    """Return SHA-256 of a log's *origin*, the form in which the contract is given it."""
    return hashlib.sha256(origin.encode("ascii")).digest()


def checkpoint_digest(log_id: bytes, size: int, root: bytes) -> bytes:
    """Return the EIP-712 digest an anchor signer signs; the same on every chain and contract."""
    if len(log_id) != 32 or len(root) != 32:
        raise ValueError(f"expected a 32-byte log id and root, got {len(log_id)} and {len(root)} bytes")
    struct_hash = keccak256(CHECKPOINT_TYPE + log_id + size.to_bytes(8, "big").rjust(32, b"\0") + root)
    return keccak256(b"\x19\x01" + DOMAIN_SEPARATOR + struct_hash)


def decode_anchored(log: ReceiptLog) -> Anchored:
    """
    Read an ``Anchored`` event strictly.

    Says nothing about who emitted it: compare *log.address* with the policy's contract.

    Raises:
        VerificationError: code ``anchor-mismatch``, if it is another event or its words are out of range.
    """
    if len(log.topics) != 3 or log.topics[0] != ANCHORED_TOPIC or len(log.data) != 4 * 32:
        raise VerificationError("expected the contract's Anchored event", code="anchor-mismatch")
    size, root, prev_size, prev_root = _words(log.data)
    return Anchored(
        log_id=log.topics[1],
        seq=_uint64(log.topics[2]),
        size=_uint64(size),
        root=root,
        prev_size=_uint64(prev_size),
        prev_root=prev_root,
    )


def head_call(log_id: bytes) -> bytes:
    """Return the call data of ``head(logId)``."""
    if len(log_id) != 32:
        raise ValueError(f"expected a 32-byte log id, got {len(log_id)} bytes")
    return HEAD_SELECTOR + log_id


def decode_head(data: bytes) -> Head:
    """
    Read the answer to ``head(logId)`` strictly.

    Raises:
        VerificationError: code ``anchor-mismatch``; whatever answered is not the anchor contract.
    """
    if len(data) != _HEAD_WORDS * 32:
        raise VerificationError(
            f"expected {_HEAD_WORDS} words of a head, got {len(data)} bytes", code="anchor-mismatch"
        )
    size, root, time, seq, signer, guardian, is_sealed, successor = _words(data)
    sealed = int.from_bytes(is_sealed, "big")
    if any(signer[:12]) or any(guardian[:12]) or sealed > 1:
        raise VerificationError("expected two addresses and a flag in a head", code="anchor-mismatch")
    return Head(
        size=_uint64(size),
        root=root,
        time=_uint64(time),
        seq=_uint64(seq),
        signer=signer[12:],
        guardian=guardian[12:],
        is_sealed=sealed == 1,
        successor=successor,
    )


def _words(data: bytes) -> list[bytes]:
    return [data[at : at + 32] for at in range(0, len(data), 32)]


def _uint64(word: bytes) -> int:
    value = int.from_bytes(word, "big")
    if len(word) != 32 or value >= 2**64:
        raise VerificationError("expected a 64-bit number in a 32-byte word", code="anchor-mismatch")
    return value
