# SPDX-License-Identifier: Apache-2.0
"""
Merkle tree hashing and proofs, as RFC 6962 section 2 and RFC 9162 section 2.1 define them.

Pure functions over 32-byte hashes: nothing here reads a clock, a database or a key.  Proof builders take a
*node* function, so the same code serves a list, a database and a folder of tiles.  Signatures over tree
heads live in `note`.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from traceledger.errors import VerificationError

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
MAX_PROOF: Final = 65  # between trees of 64-bit sizes

NodeReader = Callable[[int, int], bytes]
"""``node(level, index)``: hash of the perfect subtree of 2**level leaves starting at leaf index * 2**level."""

PROOF_OK, PROOF_ORDER, PROOF_LENGTH, PROOF_OLD_ROOT, PROOF_NEW_ROOT = range(5)


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || *entry*)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || *left* || *right*)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of the tree over *leaves* (leaf hashes); SHA-256 of nothing for none."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


class Frontier:
    """
    The right edge of a growing tree: hashes of the perfect subtrees that make it up, left to right.

    Appending costs O(1) amortised and the root O(log n), whatever the size.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(f"expected {size.bit_count()} hashes for size {size}, got {len(hashes)}")
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        rest = self.size
        while rest & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            rest >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        if not self.hashes:
            return EMPTY_ROOT
        result = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            result = node_hash(left, result)
        return result

    def copy(self) -> "Frontier":
        """Return an independent copy."""
        return Frontier(self.size, self.hashes)


def root_at(size: int, node: NodeReader) -> bytes:
    """Return the root of the first *size* leaves."""
    return _subtree(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """
    Return the RFC 9162 2.1.3.1 path of leaf *index* in the tree of *size*.

    Raises:
        ValueError: *index* is not below *size*.
    """
    if not 0 <= index < size:
        raise ValueError(f"expected an index below {size}, got {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _largest_power_below(end - start)
        if index < split:
            path.append(_subtree(split, end, node))
            end = split
        else:
            path.append(_subtree(start, split, node))
            start = split
    return path[::-1]


def consistency_proof(old_size: int, new_size: int, node: NodeReader) -> list[bytes]:
    """
    Return the RFC 9162 2.1.4.1 proof that the tree of *old_size* is a prefix of that of *new_size*.

    Raises:
        ValueError: not 0 < old_size <= new_size.
    """
    if not 0 < old_size <= new_size:
        raise ValueError(f"expected 0 < old size <= new size, got {old_size} and {new_size}")
    path: list[bytes] = []
    start, end = 0, new_size
    whole = True  # the old tree's part of this range is a complete subtree known to the verifier
    while old_size != end:
        split = start + _largest_power_below(end - start)
        if old_size <= split:
            path.append(_subtree(split, end, node))
            end = split
        else:
            path.append(_subtree(start, split, node))
            start = split
            whole = False
    if not whole:
        path.append(_subtree(start, end, node))
    return path[::-1]


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """
    Verify that *leaf* is entry number *index* of the tree of *size* with *root*: RFC 9162 2.1.3.2.

    Says nothing about who published *root*: verify the checkpoint first.

    Raises:
        VerificationError: code ``inclusion``.
    """
    if not 0 <= index < size or any(len(h) != 32 for h in (leaf, root, *proof)):
        raise VerificationError(f"expected an index below size {size} and 32-byte hashes", code="inclusion")
    # `inner` siblings where the path still branches inside the tree, `border` ones along its right edge
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    if len(proof) != inner + border:
        raise VerificationError(f"expected {inner + border} proof hashes, got {len(proof)}", code="inclusion")
    result = leaf
    for height, sibling in enumerate(proof):
        if height < inner and not index >> height & 1:
            result = node_hash(result, sibling)
        else:
            result = node_hash(sibling, result)
    if result != root:
        raise VerificationError(f"entry {index} does not lead to the root", code="inclusion")


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """
    Verify that the tree (*old_size*, *old_root*) is a prefix of (*new_size*, *new_root*).

    Raises:
        VerificationError: code ``consistency``.
    """
    reason = check_consistency(old_size, new_size, old_root, new_root, proof)
    if reason:
        words = (
            "",
            "sizes out of order",
            "proof of the wrong length",
            "old root differs",
            "new root differs",
        )
        raise VerificationError(f"not a prefix: {words[reason]}", code="consistency")


def check_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> int:
    """
    Return the contract's reason number: 0 ok, 1 order (old size 0 or above new), 2 proof length, 3 old root,
    4 new root.  RFC 9162 2.1.4.2, and the same steps as ``verify`` of the contract.
    """
    if old_size <= 0 or old_size > new_size:
        return PROOF_ORDER
    if len(proof) > MAX_PROOF or any(len(h) != 32 for h in (old_root, new_root, *proof)):
        return PROOF_LENGTH
    if old_size == new_size:
        if proof:
            return PROOF_LENGTH
        return PROOF_OK if old_root == new_root else PROOF_NEW_ROOT
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return PROOF_LENGTH
    first, last = old_size - 1, new_size - 1
    while first & 1:
        first >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return PROOF_LENGTH
        if first & 1 or first == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while first and not first & 1:
                first >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        first >>= 1
        last >>= 1
    if last:
        return PROOF_LENGTH
    if old != old_root:
        return PROOF_OLD_ROOT
    return PROOF_OK if new == new_root else PROOF_NEW_ROOT


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def _subtree(start: int, end: int, node: NodeReader) -> bytes:
    """Hash of leaves start..end, where start is a multiple of a power of two not below end - start."""
    parts: list[bytes] = []
    while start < end:
        level = min((end - start).bit_length() - 1, (start & -start).bit_length() - 1 if start else 64)
        parts.append(node(level, start >> level))
        start += 1 << level
    result = parts.pop()
    while parts:
        result = node_hash(parts.pop(), result)
    return result
