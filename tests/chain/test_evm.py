# SPDX-License-Identifier: Apache-2.0
"""Keccak and signer recovery, against independent implementations and third-party vectors."""

import hashlib
import json
from pathlib import Path
from typing import Any

import coincurve
import pytest
from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.backends.native.ecdsa import ecdsa_raw_recover
from hypothesis import given
from hypothesis import strategies as st

from evmkit import GROUP_ORDER, word
from traceledger.chain.sender import address_of_key, sign_checkpoint
from traceledger.core.log.anchor import (
    ANCHORED_TOPIC,
    CHECKPOINT_TYPE,
    DOMAIN_SEPARATOR,
    Anchored,
    ReceiptLog,
    checkpoint_digest,
    decode_anchored,
    decode_head,
    log_id,
    origin_hash,
)
from traceledger.core.sign.evm import address_of, keccak256, recover_address, to_compact
from traceledger.errors import VerificationError

HALF = GROUP_ORDER // 2


@given(st.binary(max_size=500))
def test_keccak_of_anything(data: bytes) -> None:
    """Any bytes hash as an independent implementation hashes them."""
    assert keccak256(data) == keccak(data)


def test_keccak_around_block_borders() -> None:
    """Lengths just below, at and above one and two blocks are padded right."""
    for length in (0, 1, 134, 135, 136, 137, 271, 272, 273):
        assert keccak256(b"\xa5" * length) == keccak(b"\xa5" * length)


@given(secret=st.integers(1, GROUP_ORDER - 1), digest=st.binary(min_size=32, max_size=32))
def test_signers_are_recovered(secret: int, digest: bytes) -> None:
    """Whatever libsecp256k1 signs is recovered to its key, and to another one with the other parity."""
    key = coincurve.PrivateKey(word(secret))
    made = key.sign_recoverable(digest, hasher=None)
    r, s, v = made[:32], made[32:64], 27 + made[64]
    expected = address_of(key.public_key.format(compressed=False)[1:])
    assert recover_address(digest, r, s, v) == expected
    assert _recovered(digest, r, s, 55 - v) != expected


def _recovered(digest: bytes, r: bytes, s: bytes, v: int) -> bytes | None:
    try:
        return recover_address(digest, r, s, v)
    except VerificationError:
        return None


@pytest.mark.parametrize(
    ("r", "s", "v", "code"),
    [
        (word(0), word(1), 27, "signature-form"),
        (word(1), word(0), 27, "signature-form"),
        (word(GROUP_ORDER), word(1), 27, "signature-form"),
        (word(1), word(HALF + 1), 27, "signature-form"),
        (word(1), word(1), 0, "signature-form"),
        (word(1), word(1), 29, "signature-form"),
        (word(1)[1:], word(1), 27, "signature-form"),
        (word(1), word(1) + b"\0", 27, "signature-form"),
        (word(5), word(1), 27, "signature-invalid"),
    ],
)
def test_values_out_of_range_are_refused(r: bytes, s: bytes, v: int, code: str) -> None:
    """Zero, the group order, a high s, another v, another length and an r off the curve are refused."""
    with pytest.raises(VerificationError) as caught:
        recover_address(bytes(31) + b"\1", r, s, v)
    assert caught.value.code == code


def test_the_largest_s_is_accepted() -> None:
    """s = (n - 1) / 2 is the last low one."""
    assert len(recover_address(word(1), word(1), word(HALF), 27)) == 20


def test_a_signature_without_a_key_is_refused() -> None:
    """Values that lead to the point at infinity have no signer."""
    # R = G and s = z make Q = r^-1 (s R - z G) vanish
    nonce = coincurve.PrivateKey(word(1)).public_key.format(compressed=False)
    x, parity = nonce[1:33], nonce[64] & 1
    with pytest.raises(VerificationError) as caught:
        recover_address(word(7), x, word(7), 27 + parity)
    assert caught.value.code == "signature-invalid"


def test_wycheproof(shared: Path) -> None:
    """Of each third-party secp256k1 signature, the key is recovered exactly where it is valid and low."""
    path = shared / "data/vectors/c2sp-wycheproof/testvectors_v1/ecdsa_secp256k1_sha256_p1363_test.json"
    recovered, refused = 0, 0
    for group in json.loads(path.read_text("utf-8"))["testGroups"]:
        address = address_of(bytes.fromhex(group["publicKey"]["uncompressed"])[1:])
        for test in group["tests"]:
            digest = hashlib.sha256(bytes.fromhex(test["msg"])).digest()
            signature = bytes.fromhex(test["sig"])
            r, s = signature[:32], signature[32:]
            found = [v for v in (27, 28) if _recovered(digest, r, s, v) == address]
            low = len(signature) == 64 and int.from_bytes(s, "big") <= HALF
            if test["result"] == "valid" and low and _fits(digest, r, s):
                assert len(found) == 1, test
                recovered += 1
            else:
                assert not found, test
                refused += 1
    assert recovered > 80
    assert refused > 80


def _fits(digest: bytes, r: bytes, s: bytes) -> bool:
    """Return whether v of 27 or 28 can name the point at all: its abscissa is r, not r + n."""
    numbers = int.from_bytes(r, "big"), int.from_bytes(s, "big")
    for parity in (0, 1):
        try:
            ecdsa_raw_recover(digest, (parity, *numbers))
        except Exception:
            continue
        return True
    return False


def test_the_worked_example(example: dict[str, Any], example_key: bytes) -> None:
    """Log id, domain, type, topic, digests and both signatures of the specification are reproduced."""
    contract = example["contract"]
    signer, guardian = bytes.fromhex(contract["signer"][2:]), bytes.fromhex(contract["guardian"][2:])
    assert address_of_key(example_key) == signer
    assert origin_hash(example["origin"]).hex() == contract["origin_hash"]
    log = log_id(signer, guardian, example["origin"])
    assert log.hex() == contract["log_id"]
    assert DOMAIN_SEPARATOR.hex() == contract["domain_separator"]
    assert CHECKPOINT_TYPE.hex() == contract["type_hash"]
    assert ANCHORED_TOPIC.hex() == contract["anchored_topic"]
    for name in ("first_anchor", "second_anchor"):
        step = contract[name]
        root = bytes.fromhex(step["root"])
        digest = checkpoint_digest(log, step["size"], root)
        assert digest.hex() == step["digest"]
        r, s, v = sign_checkpoint(example_key, log_id=log, size=step["size"], root=root)
        assert (r.hex(), s.hex(), v) == (step["r"], step["s"], step["v"])
        assert to_compact(r, s, v) == (r, bytes.fromhex(step["vs"]))
        assert recover_address(digest, r, s, v) == signer


@given(
    log=st.binary(min_size=32, max_size=32),
    size=st.integers(0, 2**64 - 1),
    root=st.binary(min_size=32, max_size=32),
)
def test_digests_are_eip712(log: bytes, size: int, root: bytes) -> None:
    """Our digest is what a general EIP-712 implementation signs for the same typed data."""
    key = b"\x11" * 32
    typed = Account.sign_typed_data(
        key,
        {"name": "tlog checkpoint", "version": "1"},
        {
            "Checkpoint": [
                {"name": "logId", "type": "bytes32"},
                {"name": "size", "type": "uint64"},
                {"name": "root", "type": "bytes32"},
            ]
        },
        {"logId": log, "size": size, "root": root},
    )
    r, s, v = sign_checkpoint(key, log_id=log, size=size, root=root)
    assert (int.from_bytes(r, "big"), int.from_bytes(s, "big"), v) == (typed.r, typed.s, typed.v)


EVENT = ReceiptLog(
    address=bytes(20),
    topics=(ANCHORED_TOPIC, b"\1" * 32, word(3)),
    data=word(11) + b"\2" * 32 + word(7) + b"\3" * 32,
    log_index=0,
)


def test_anchored_events_are_read() -> None:
    """Each word of the event lands in its place."""
    assert decode_anchored(EVENT) == Anchored(
        log_id=b"\1" * 32, seq=3, size=11, root=b"\2" * 32, prev_size=7, prev_root=b"\3" * 32
    )


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ((), EVENT.data),
        ((bytes(32), *EVENT.topics[1:]), EVENT.data),
        (EVENT.topics[:2], EVENT.data),
        ((*EVENT.topics, bytes(32)), EVENT.data),
        ((*EVENT.topics[:2], word(2**64)), EVENT.data),
        ((*EVENT.topics[:2], b"\1"), EVENT.data),
        (EVENT.topics, EVENT.data[:-1]),
        (EVENT.topics, EVENT.data + bytes(32)),
        (EVENT.topics, word(2**64) + EVENT.data[32:]),
        (EVENT.topics, EVENT.data[:64] + word(2**64) + EVENT.data[96:]),
    ],
)
def test_other_events_are_refused(topics: tuple[bytes, ...], data: bytes) -> None:
    """Another topic, a word too few or many, and numbers beyond 64 bits are a mismatch."""
    with pytest.raises(VerificationError) as caught:
        decode_anchored(ReceiptLog(address=bytes(20), topics=topics, data=data, log_index=0))
    assert caught.value.code == "anchor-mismatch"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(7 * 32),
        bytes(9 * 32),
        word(2**64) + bytes(7 * 32),
        bytes(4 * 32) + word(2**160) + bytes(3 * 32),
        bytes(5 * 32) + word(2**160) + bytes(2 * 32),
        bytes(6 * 32) + word(2) + bytes(32),
    ],
)
def test_answers_that_are_no_head_are_refused(data: bytes) -> None:
    """An answer of another length, or with words out of range, did not come from the contract."""
    with pytest.raises(VerificationError) as caught:
        decode_head(data)
    assert caught.value.code == "anchor-mismatch"
