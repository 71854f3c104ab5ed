# SPDX-License-Identifier: Apache-2.0
"""Consistency proofs: the contract against third-party probes, the definition, and the Python twin."""

import base64
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evmkit import ZERO, AnchorEvm, leaves, subproof, tree_head
from traceledger.core.log.merkle import check_consistency, consistency_proof, node_hash, root_at

LARGEST = 2**64 - 1
GARBAGE = hashlib.sha256(b"garbage").digest()

# All leaves alike: the hash of a perfect subtree depends on its level only, so trees of any size cost nothing.
ALIKE = [hashlib.sha256(b"\0").digest()]
for _ in range(64):
    ALIKE.append(node_hash(ALIKE[-1], ALIKE[-1]))


def alike(level: int, index: int) -> bytes:
    """Return a node of a tree whose leaves are all the same."""
    del index
    return ALIKE[level]


def answers(
    verifier: AnchorEvm, m: int, n: int, old: bytes, new: bytes, proof: list[bytes]
) -> tuple[int, int]:
    """Return the contract's and the Python twin's answer."""
    return verifier.verify(m, n, old, new, proof), check_consistency(m, n, old, new, proof)


def test_third_party_probes(verifier: AnchorEvm, shared: Path) -> None:
    """Every expressible consistency probe of transparency-dev gets the verdict its authors demand."""
    folder = shared / "data" / "vectors" / "transparency-dev-merkle" / "testdata" / "consistency"
    expressible, elsewhere = 0, 0
    for path in sorted(folder.rglob("*.json")):
        probe = json.loads(path.read_text("utf-8"))
        old, new, *proof = (
            base64.b64decode(text or "") for text in (probe["root1"], probe["root2"], *(probe["proof"] or ()))
        )
        sizes = (probe["size1"], probe["size2"])
        if any(len(h) != 32 for h in (old, new, *proof)) or not all(0 <= size <= LARGEST for size in sizes):
            elsewhere += 1
            continue
        expressible += 1
        contract, python = answers(verifier, *sizes, old, new, proof)
        assert contract == python, path.name
        assert (contract != 0) == probe["wantErr"], path.name
    assert (expressible, elsewhere) == (71, 27)


Probe = tuple[int, int, bytes, bytes, list[bytes]]


def mutations(m: int, n: int, old: bytes, new: bytes, proof: list[bytes]) -> Iterator[Probe]:
    """Yield every change of the transparency-dev list, and some more, to one valid proof."""
    for size in {m - 1, m + 1, m ^ 2, 2 * m, m // 2, 0, n} - {m}:
        yield size, n, old, new, proof
    for size in {n - 1, n + 1, n ^ 2, 2 * n, n // 2, 0, m} - {n}:
        yield m, size, old, new, proof
    yield n, m, new, old, proof
    yield m, n, new, old, proof
    yield m, n, GARBAGE, new, proof
    yield m, n, old, GARBAGE, proof
    yield m, n, old, new, []
    yield m, n, old, new, proof[:-1]
    yield m, n, old, new, proof[1:]
    yield m, n, old, new, proof[::-1]
    for extra in (GARBAGE, old, new, ZERO):
        yield m, n, old, new, [extra, *proof]
        yield m, n, old, new, [*proof, extra]
    for at in range(len(proof)):
        flipped = bytes([proof[at][0] ^ 16]) + proof[at][1:]
        yield m, n, old, new, [*proof[:at], flipped, *proof[at + 1 :]]
        yield m, n, old, new, [*proof[:at], proof[at], *proof[at:]]


def test_all_small_trees(verifier: AnchorEvm) -> None:
    """For all m <= n <= 40 exactly the proof of the definition holds, and each mutation gets one reason from both."""
    every = leaves(40)
    heads = [tree_head(every[:n]) for n in range(41)]
    counts = [0] * 5
    for n in range(1, 41):
        for m in range(1, n + 1):
            proof = subproof(m, every[:n])
            assert answers(verifier, m, n, heads[m], heads[n], proof) == (0, 0)
            for mutated in mutations(m, n, heads[m], heads[n], proof):
                contract, python = answers(verifier, *mutated)
                assert contract == python, mutated
                counts[contract] += 1
                # a proof does not bind the sizes (the signature does), but between them it binds every hash
                if contract == 0 and mutated[:2] == (m, n):
                    assert mutated[2:] == (heads[m], heads[n], proof)
    assert min(counts[1:]) > 100


def test_wrong_lengths_are_found_before_wrong_roots(verifier: AnchorEvm) -> None:
    """Whatever the hashes, a proof of another length than the sizes demand is reason 2, up to 70 hashes."""
    for m, n in ((1, 2), (2, 4), (3, 7), (6, 8), (7, 11), (8, 9), (2**40, 2**40 + 1), (LARGEST - 2, LARGEST)):
        right = len(consistency_proof(m, n, alike))
        for length in range(71):
            contract, python = answers(verifier, m, n, ZERO, ZERO, [GARBAGE] * length)
            assert contract == python
            assert (contract == 2) == (length != right), (m, n, length)


@pytest.mark.parametrize(
    ("m", "n", "old", "new", "proof", "reason"),
    [
        (0, 0, ZERO, ZERO, [], 1),
        (0, 5, ZERO, ZERO, [], 1),
        (6, 5, ZERO, ZERO, [], 1),
        (LARGEST, 1, ZERO, ZERO, [GARBAGE] * 65, 1),
        (5, 5, GARBAGE, GARBAGE, [], 0),
        (5, 5, GARBAGE, GARBAGE, [GARBAGE], 2),
        (5, 5, GARBAGE, ZERO, [GARBAGE], 2),
        (5, 5, GARBAGE, ZERO, [], 4),
        (4, 5, GARBAGE, ZERO, [], 2),
        (LARGEST, LARGEST, ZERO, ZERO, [], 0),
    ],
)
def test_edges(
    verifier: AnchorEvm, m: int, n: int, old: bytes, new: bytes, proof: list[bytes], reason: int
) -> None:
    """Orders, equal sizes and empty proofs have the reasons the specification gives them."""
    assert answers(verifier, m, n, old, new, proof) == (reason, reason)


def test_sizes_beyond_64_bits_are_refused(verifier: AnchorEvm) -> None:
    """A size that does not fit reverts without a reason of ours instead of being cut."""
    with pytest.raises(Exception, match=r"^\(\)$"):
        verifier.send("verify", 2**64 + 1, 2**64 + 1, ZERO, ZERO, [])


@given(
    n=st.one_of(st.integers(1, 70), st.integers(1, LARGEST), st.integers(0, 63).map(lambda k: 2**k)),
    position=st.floats(0, 1),
    seed=st.integers(0, 2**32),
)
def test_random_sizes(n: int, position: float, seed: int) -> None:
    """At any sizes up to 2^64 - 1 the built proof holds, and a random change gets one reason from both."""
    verifier = _SHARED
    m = min(n, max(1, int(n * position)))
    old, new, proof = root_at(m, alike), root_at(n, alike), consistency_proof(m, n, alike)
    assert answers(verifier, m, n, old, new, proof) == (0, 0)
    choice = random.Random(seed)
    candidates = [
        c for c in mutations(m, n, old, new, proof) if max(c[0], c[1]) <= LARGEST and min(c[:2]) >= 0
    ]
    for mutated in choice.sample(candidates, min(8, len(candidates))):
        contract, python = answers(verifier, *mutated)
        assert contract == python, mutated


_SHARED = AnchorEvm()
