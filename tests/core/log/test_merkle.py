# SPDX-License-Identifier: Apache-2.0
"""The tree: a naive twin over all small trees, published vectors, and every proof mutated."""

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.log.merkle import (
    EMPTY_ROOT,
    MAX_PROOF,
    PROOF_LENGTH,
    PROOF_NEW_ROOT,
    PROOF_OK,
    PROOF_OLD_ROOT,
    PROOF_ORDER,
    Frontier,
    check_consistency,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from traceledger.errors import VerificationError

LEAVES = tuple(leaf_hash(bytes([i])) for i in range(64))


# --- the slow twin: RFC 6962 section 2.1, word for word


@cache
def twin_root(leaves: tuple[bytes, ...]) -> bytes:
    """MTH(D[n])."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + twin_root(leaves[:k]) + twin_root(leaves[k:])).digest()


def split(n: int) -> int:
    """Largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def twin_path(m: int, leaves: tuple[bytes, ...]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*twin_path(m, leaves[:k]), twin_root(leaves[k:])]
    return [*twin_path(m - k, leaves[k:]), twin_root(leaves[:k])]


def twin_subproof(m: int, leaves: tuple[bytes, ...], complete: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if m == len(leaves):
        return [] if complete else [twin_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*twin_subproof(m, leaves[:k], complete), twin_root(leaves[k:])]
    return [*twin_subproof(m - k, leaves[k:], False), twin_root(leaves[:k])]


def node(level: int, index: int) -> bytes:
    """Hash of a perfect subtree of LEAVES."""
    width = 1 << level
    part = LEAVES[index * width : (index + 1) * width]
    assert len(part) == width, "a proof builder asked for a subtree that is not full"
    return twin_root(part)


def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether the proof is accepted; any other error than the expected one is the test's failure."""
    try:
        verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)
    except VerificationError as error:
        assert error.code == "inclusion"  # noqa: PT017
        return False
    return True


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether the proof is accepted, both as exception and as reason number."""
    reason = check_consistency(old, new, old_root, new_root, proof)
    try:
        verify_consistency(old_size=old, old_root=old_root, new_size=new, new_root=new_root, proof=proof)
    except VerificationError as error:
        assert error.code == "consistency"  # noqa: PT017
        assert reason != PROOF_OK
        return False
    assert reason == PROOF_OK
    return True


# --- small worlds, exhausted


def test_roots_of_all_small_trees() -> None:
    """Frontier, root_of and root_at give the twin's root for every size up to 64."""
    frontier = Frontier()
    for size in range(65):
        wanted = twin_root(LEAVES[:size])
        assert frontier.root() == root_of(LEAVES[:size]) == root_at(size, node) == wanted
        assert frontier.size == size
        assert len(frontier.hashes) == size.bit_count()
        again = Frontier(size, frontier.hashes)
        copy = frontier.copy()
        if size < 64:
            frontier.append(LEAVES[size])
            assert again.root() == copy.root() == wanted, "copies must not move"


def test_the_empty_tree() -> None:
    """The root of nothing is the hash of nothing, which is no leaf hash."""
    assert (
        root_of([])
        == EMPTY_ROOT
        == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    )
    assert leaf_hash(b"") != EMPTY_ROOT


def test_leaves_and_nodes_cannot_be_confused() -> None:
    """Prefixes 00 and 01 keep a node from being shown as an entry."""
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert node_hash(left, right) != node_hash(right, left)


@pytest.mark.parametrize(
    ("size", "hashes"), [(1, []), (0, [bytes(32)]), (3, [bytes(32)]), (4, [bytes(32)] * 2)]
)
def test_a_frontier_needs_its_hashes(size: int, hashes: list[bytes]) -> None:
    """As many hashes as the size has bits set, no more and no fewer."""
    with pytest.raises(ValueError, match="hashes for size"):
        Frontier(size, hashes)


def test_every_inclusion_proof_of_small_trees() -> None:
    """For each size up to 64 and each index the proof is the twin's, and holds for this index and leaf only."""
    for size in range(1, 65):
        leaves = LEAVES[:size]
        root = twin_root(leaves)
        for index in range(size):
            proof = inclusion_proof(index, size, node)
            assert proof == twin_path(index, leaves)
            assert included(LEAVES[index], index, size, proof, root)
            for other in range(0, size, 1 if size < 20 else 7):
                if other != index:
                    assert not included(LEAVES[index], other, size, proof, root)
                    assert not included(LEAVES[other], index, size, proof, root)


def test_every_consistency_proof_of_small_trees() -> None:
    """For each pair of sizes up to 64 the proof is the twin's and is accepted."""
    for new in range(1, 65):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, node)
            assert proof == twin_subproof(old, LEAVES[:new], True)
            assert consistent(old, new, twin_root(LEAVES[:old]), twin_root(LEAVES[:new]), proof)


def test_a_proof_fits_one_pair_of_sizes() -> None:
    """With the right roots of other sizes, a proof is refused."""
    for new in range(2, 20):
        for old in range(1, new):
            proof = consistency_proof(old, new, node)
            for other in range(1, new):
                if other != old:
                    roots = twin_root(LEAVES[:other]), twin_root(LEAVES[:new])
                    assert not consistent(other, new, *roots, proof), (old, other, new)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4), (5, 4)])
def test_builders_refuse_what_does_not_exist(index: int, size: int) -> None:
    """There is no proof of an entry outside the tree."""
    with pytest.raises(ValueError, match="index below"):
        inclusion_proof(index, size, node)
    assert not included(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(0, 4), (-1, 4), (5, 4), (0, 0)])
def test_sizes_out_of_order(old: int, new: int) -> None:
    """Nothing is consistent with the empty tree or with a shorter one."""
    with pytest.raises(ValueError, match="old size"):
        consistency_proof(old, new, node)
    assert check_consistency(old, new, LEAVES[0], LEAVES[0], []) == PROOF_ORDER


# --- mutations


def mutations(proof: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Yield every single change of a proof that does not leave it equal."""
    for at in range(len(proof)):
        for bit in (0, 7, 100, 255):
            flipped = bytearray(proof[at])
            flipped[bit // 8] ^= 1 << bit % 8
            yield f"bit {bit} of {at}", [*proof[:at], bytes(flipped), *proof[at + 1 :]]
        yield f"cut {at}", proof[:at] + proof[at + 1 :]
        yield f"twice {at}", [*proof[:at], proof[at], *proof[at:]]
        yield f"short {at}", [*proof[:at], proof[at][:-1], *proof[at + 1 :]]
        yield f"long {at}", [*proof[:at], proof[at] + b"\0", *proof[at + 1 :]]
        yield f"empty {at}", [*proof[:at], b"", *proof[at + 1 :]]
    for at in range(len(proof) - 1):
        swapped = proof.copy()
        swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
        yield f"swapped {at}", swapped
    yield "garbage in front", [bytes(32), *proof]
    yield "garbage behind", [*proof, bytes(32)]
    if len(proof) > 1:
        yield "reversed", proof[::-1]
    if proof:
        yield "none", []


def changed_sizes(size: int) -> set[int]:
    """Sizes near and far that are not *size*."""
    return {size - 1, size + 1, size ^ 2, size * 2, size // 2, 0, -1, 2**63, 2**64} - {size}


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 11, 16, 31, 33, 64])
def test_every_mutated_inclusion_proof_is_refused(size: int) -> None:
    """A proof with one hash changed, cut, doubled, moved or added is refused; so are other sizes and roots."""
    root = twin_root(LEAVES[:size])
    for index in range(size):
        leaf, proof = LEAVES[index], inclusion_proof(index, size, node)
        for name, mutated in mutations(proof):
            assert not included(leaf, index, size, mutated, root), name
        for other in {index - 1, index + 1, index ^ 1, size, -1, 2**64} - {index}:
            assert not included(leaf, other, size, proof, root)
        assert not included(leaf, index, size, proof, leaf_hash(root))
        assert not included(leaf[:-1], index, size, proof, root)
        assert not included(leaf, index, size, proof, root[:-1])
        assert not included(leaf, index, size, [*proof, root], root)


def test_a_size_is_part_of_what_is_proved() -> None:
    """With a root of size n, no size of another proof shape is accepted."""
    for size in range(1, 34):
        root = twin_root(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(index, size, node)
            for other in changed_sizes(size):
                # sizes whose path has the same shape cannot be told apart by a proof; the checkpoint names one
                same_shape = 0 <= index < other and _turns(index, other) == _turns(index, size)
                assert included(LEAVES[index], index, other, proof, root) == same_shape


def _turns(index: int, size: int) -> list[bool]:
    """For each hash of the path, whether it stands left."""
    if size == 1:
        return []
    k = split(size)
    return [*_turns(index, k), False] if index < k else [*_turns(index - k, size - k), True]


@pytest.mark.parametrize("new", [1, 2, 3, 4, 5, 7, 8, 11, 16, 31, 33, 64])
def test_every_mutated_consistency_proof_is_refused(new: int) -> None:
    """A proof with one hash changed, cut, doubled, moved or added is refused, as are swapped or other roots."""
    new_root = twin_root(LEAVES[:new])
    for old in range(1, new + 1):
        old_root = twin_root(LEAVES[:old])
        proof = consistency_proof(old, new, node)
        for name, mutated in mutations(proof):
            assert not consistent(old, new, old_root, new_root, mutated), name
        other = leaf_hash(old_root)
        assert not consistent(old, new, other, new_root, proof)
        assert not consistent(old, new, old_root, other, proof)
        assert not consistent(old, new, old_root[:-1], new_root, proof)
        assert not consistent(old, new, old_root, new_root[:-1], proof)
        if old != new:
            assert not consistent(old, new, new_root, old_root, proof)
            assert not consistent(new, old, new_root, old_root, proof)
            assert not consistent(old, new, new_root, new_root, proof)
            assert not consistent(old, new, old_root, old_root, proof)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, PROOF_OK),
        ({"old_size": 0}, PROOF_ORDER),
        ({"old_size": 12}, PROOF_ORDER),
        ({"proof": []}, PROOF_LENGTH),
        ({"proof": [bytes(32)] * (MAX_PROOF + 1)}, PROOF_LENGTH),
        ({"old_root": bytes(32)}, PROOF_OLD_ROOT),
        ({"old_root": bytes(32), "new_root": bytes(32)}, PROOF_OLD_ROOT),
        ({"new_root": bytes(32)}, PROOF_NEW_ROOT),
        ({"old_size": 11, "proof": []}, PROOF_NEW_ROOT),
        ({"old_size": 11, "proof": [bytes(32)]}, PROOF_LENGTH),
    ],
)
def test_reasons_are_numbered_as_the_contract_numbers_them(change: dict[str, Any], reason: int) -> None:
    """Order before length, length before the old root, the old root before the new."""
    valid = {
        "old_size": 6,
        "new_size": 11,
        "old_root": twin_root(LEAVES[:6]),
        "new_root": twin_root(LEAVES[:11]),
        "proof": consistency_proof(6, 11, node),
    }
    case = valid | change
    given_ = [case[name] for name in ("old_size", "new_size", "old_root", "new_root", "proof")]
    assert check_consistency(*given_) == reason


# --- published vectors


def _probes(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    return [
        (str(path.relative_to(folder)), json.loads(path.read_text()))
        for path in sorted(folder.rglob("*.json"))
    ]


def _hashes(items: Sequence[str] | None) -> list[bytes]:
    return [base64.b64decode(item) for item in items or []]


def test_published_inclusion_probes(shared: Path) -> None:
    """All 98 probes end as published."""
    probes = _probes(shared / "data/vectors/transparency-dev-merkle/testdata/inclusion")
    for name, probe in probes:
        leaf, root = _hashes([probe["leafHash"], probe["root"]])
        accepted = included(leaf, probe["leafIdx"], probe["treeSize"], _hashes(probe["proof"]), root)
        assert accepted != probe["wantErr"], name
    assert len(probes) == 98


NOT_HASHES = "additional/sizes-are-equal-one-and-proof-is-empty.json"


def test_published_consistency_probes(shared: Path) -> None:
    """All 98 probes end as published, but for one: equal roots of 12 bytes are no roots."""
    probes = _probes(shared / "data/vectors/transparency-dev-merkle/testdata/consistency")
    for name, probe in probes:
        old_root, new_root = _hashes([probe["root1"], probe["root2"]])
        accepted = consistent(probe["size1"], probe["size2"], old_root, new_root, _hashes(probe["proof"]))
        if name == NOT_HASHES:
            assert len(old_root) == 12
            assert not accepted
            assert not probe["wantErr"]
        else:
            assert accepted != probe["wantErr"], name
    assert len(probes) == 98


# --- large trees: with equal leaves a perfect subtree depends on its height only


PERFECT = [leaf_hash(b"")]
for _ in range(64):
    PERFECT.append(node_hash(PERFECT[-1], PERFECT[-1]))
SIZES = st.integers(1, 2**63)


def equal_node(level: int, index: int) -> bytes:
    """Hash of a perfect subtree of equal leaves."""
    assert index >= 0
    return PERFECT[level]


def equal_root(size: int) -> bytes:
    """Root over *size* equal leaves, by the twin's recursion."""
    if size & (size - 1) == 0:
        return PERFECT[size.bit_length() - 1]
    k = split(size)
    return node_hash(PERFECT[k.bit_length() - 1], equal_root(size - k))


@given(SIZES, st.data())
def test_inclusion_in_large_trees(size: int, data: st.DataObject) -> None:
    """Proofs in trees of up to 2^63 entries have at most 63 hashes and hold."""
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, equal_node)
    root = root_at(size, equal_node)
    assert root == equal_root(size)
    assert len(proof) <= 63
    assert included(PERFECT[0], index, size, proof, root)
    for name, mutated in mutations(proof):
        if mutated != proof and not (
            name.startswith(("swapped", "reversed")) and sorted(mutated) == sorted(proof)
        ):
            assert not included(PERFECT[0], index, size, mutated, root), name


@given(SIZES, SIZES)
def test_consistency_of_large_trees(one: int, two: int) -> None:
    """Proofs between trees of up to 2^63 entries have at most 65 hashes and hold one way only."""
    old, new = sorted((one, two))
    proof = consistency_proof(old, new, equal_node)
    old_root, new_root = equal_root(old), equal_root(new)
    assert len(proof) <= MAX_PROOF
    assert consistent(old, new, old_root, new_root, proof)
    if old != new:
        assert not consistent(new, old, new_root, old_root, proof)
        assert not consistent(old, new, new_root, old_root, proof)
    for at in range(len(proof)):
        assert not consistent(old, new, old_root, new_root, proof[:at] + proof[at + 1 :])


@given(st.integers(0, 2**64), st.integers(0, 2**64), st.lists(st.binary(max_size=33), max_size=70))
def test_random_proofs_are_refused(one: int, two: int, proof: list[bytes]) -> None:
    """Whatever the sizes and hashes, a made-up proof is refused and nothing crashes."""
    roots = leaf_hash(b"old"), leaf_hash(b"new")
    assert not consistent(one, two, *roots, proof)
    assert not included(roots[0], one, two, proof, roots[1])


@given(st.lists(st.integers(1, 2**40), min_size=2, max_size=6).map(sorted))
def test_consistency_is_transitive(sizes: list[int]) -> None:
    """A chain of heads, each proved from the one before, proves the last from the first."""
    for old, new in [*pairwise(sizes), (sizes[0], sizes[-1])]:
        proof = consistency_proof(old, new, equal_node)
        assert consistent(old, new, equal_root(old), equal_root(new), proof)
