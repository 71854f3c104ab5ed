# SPDX-License-Identifier: Apache-2.0
"""Each function of the contract: what it accepts, each error in its written order, and the events."""

from typing import Any

import pytest

from contract.conftest import OpenLog
from evmkit import (
    ANYONE,
    GROUP_ORDER,
    ZERO,
    AnchorEvm,
    Event,
    Key,
    Reverted,
    leaves,
    subproof,
    tree_head,
    word,
)
from traceledger.chain.contract import artifact, creation_code
from traceledger.core.log.anchor import checkpoint_digest, decode_head, log_id, origin_hash

TREE = leaves(20)
HEADS = [tree_head(TREE[:size]) for size in range(21)]
SUCCESSOR = bytes.fromhex("5c" * 32)
NO_SIGNATURE = (ZERO, ZERO)


def anchor(log: OpenLog, size: int, root: bytes | None = None, **changes: Any) -> None:
    """Offer a head of `TREE` that would be accepted but for *changes*: proof, signature, by, key."""
    root = HEADS[size] if root is None else root
    last = log.evm.head(log.id).size
    proof = subproof(last, TREE[:size]) if 0 < last < size else []
    key = changes.get("key", log.signer)
    signature = changes.get("signature") or key.sign(log.id, size, root)
    log.evm.send(
        "anchor", log.id, size, root, changes.get("proof", proof), *signature, by=changes.get("by", ANYONE)
    )


def refusal(call: Any, *arguments: Any, **options: Any) -> tuple[str, tuple[bytes, ...]]:
    """Return name and words of the custom error with which *call* reverts."""
    with pytest.raises(Reverted) as caught:
        call(*arguments, **options)
    return caught.value.name, caught.value.words


# --- open and head


def test_open_announces_the_log_once(evm: AnchorEvm) -> None:
    """Anyone opens a log; the id commits to signer, guardian and origin; a second time nothing happens."""
    signer, guardian, origin = Key("s").address, Key("g").address, origin_hash("trace.example")
    expected = log_id(signer, guardian, "trace.example")
    assert evm.send("open", signer, guardian, origin) == expected
    assert evm.events() == [Event("Opened", (expected,), (word(signer), word(guardian), origin))]
    head = evm.head(expected)
    assert (head.signer, head.guardian, head.size, head.seq) == (signer, guardian, 0, 0)
    assert evm.send("open", signer, guardian, origin, by=Key("other").address) == expected
    assert evm.events() == []
    assert evm.head(expected) == head


def test_open_demands_a_signer(evm: AnchorEvm) -> None:
    """The zero address cannot be a signer, since that is what a bad signature recovers to."""
    assert refusal(evm.send, "open", 0, Key("g").address, ZERO) == ("ZeroSigner", ())


def test_opening_again_restores_nothing(log: OpenLog) -> None:
    """After rotation and sealing, opening the log again brings back neither the old signer nor an open log."""
    anchor(log, 3)
    log.evm.send("rotate", log.id, Key("new").address, by=log.guardian.address)
    log.evm.send("seal", log.id, SUCCESSOR, by=log.guardian.address)
    before = log.evm.head(log.id)
    log.evm.send("open", log.signer.address, log.guardian.address, origin_hash("trace.example"))
    assert log.evm.head(log.id) == before


def test_each_argument_makes_another_log(evm: AnchorEvm) -> None:
    """Logs that differ in signer, guardian or origin share nothing."""
    a, b, origin = Key("a").address, Key("b").address, origin_hash("one.example")
    ids = {
        evm.send("open", *arguments)
        for arguments in ((a, b, origin), (b, a, origin), (a, a, origin), (a, b, origin_hash("two.example")))
    }
    assert len(ids) == 4


def test_head_of_an_unopened_log_is_zeros(evm: AnchorEvm) -> None:
    """`head` answers zeros for an id nobody opened."""
    assert evm.send("head", SUCCESSOR) == bytes(8 * 32)
    assert not decode_head(bytes(8 * 32)).is_open


# --- anchor


def test_heads_follow_each_other(log: OpenLog) -> None:
    """Each accepted head is stored with its block's time and announced with its number and the head before."""
    previous = (0, ZERO)
    for seq, size in enumerate((1, 2, 7, 8, 20), start=1):
        log.evm.set_time(log.evm.time + 60)
        anchor(log, size, by=Key(f"relay {seq}").address)
        (event,) = log.evm.events()
        assert event == Event(
            "Anchored",
            (log.id, word(seq)),
            (word(size), HEADS[size], word(previous[0]), previous[1]),
        )
        head = log.evm.head(log.id)
        assert (head.size, head.root, head.time, head.seq) == (size, HEADS[size], log.evm.time, seq)
        previous = (size, HEADS[size])


def test_relaying_again_is_quiet(log: OpenLog) -> None:
    """The very head again returns without event or change, whatever proof and signature come with it."""
    anchor(log, 7)
    before = log.evm.head(log.id)
    log.evm.set_time(log.evm.time + 60)
    anchor(log, 7)
    assert log.evm.events() == []
    anchor(log, 7, proof=[SUCCESSOR] * 3, signature=NO_SIGNATURE)
    assert log.evm.events() == []
    assert log.evm.head(log.id) == before


def test_anchor_errors_come_in_their_written_order(log: OpenLog) -> None:
    """A call that breaks every rule from the k-th on is refused for the k-th."""
    bad: dict[str, Any] = {"proof": [SUCCESSOR] * 3, "signature": NO_SIGNATURE}

    unopened = log._replace(id=SUCCESSOR)
    assert refusal(anchor, unopened, 0, ZERO, **bad) == ("Unopened", ())

    # before the first head: size 0 is refused even with the zero root that storage holds
    assert refusal(anchor, log, 0, ZERO, **bad) == ("Conflict", (word(0), ZERO))
    assert refusal(anchor, log, 0, HEADS[0]) == ("Conflict", (word(0), ZERO))
    assert refusal(anchor, log, 5, **bad) == ("BadProof", (word(2),))
    assert refusal(anchor, log, 5, signature=NO_SIGNATURE) == ("BadSignature", ())
    anchor(log, 5)

    assert refusal(anchor, log, 4, **bad) == ("Stale", (word(5), HEADS[5]))
    assert refusal(anchor, log, 0, ZERO, **bad) == ("Stale", (word(5), HEADS[5]))
    assert refusal(anchor, log, 5, SUCCESSOR, **bad) == ("Conflict", (word(5), HEADS[5]))
    assert refusal(anchor, log, 5, SUCCESSOR) == ("Conflict", (word(5), HEADS[5]))
    assert refusal(anchor, log, 9, **bad) == ("BadProof", (word(2),))
    assert refusal(anchor, log, 9, signature=NO_SIGNATURE) == ("BadSignature", ())

    log.evm.send("seal", log.id, SUCCESSOR, by=log.guardian.address)
    for size in (0, 4, 5, 9):
        assert refusal(anchor, log, size, **bad) == ("Sealed", (SUCCESSOR,))
        assert refusal(anchor, log, size, proof=[]) == ("Sealed", (SUCCESSOR,))


def test_bad_proofs_carry_their_reason(log: OpenLog) -> None:
    """A proof of wrong length is 2, one that misses the stored root 3, one that misses the new root 4."""
    anchor(log, 6)
    proof = subproof(6, TREE[:11])
    assert refusal(anchor, log, 11, proof=proof[:-1]) == ("BadProof", (word(2),))
    assert refusal(anchor, log, 11, proof=[*proof, ZERO]) == ("BadProof", (word(2),))
    assert refusal(anchor, log, 11, proof=[]) == ("BadProof", (word(2),))
    assert refusal(anchor, log, 11, proof=[SUCCESSOR, *proof[1:]]) == ("BadProof", (word(3),))
    assert refusal(anchor, log, 11, SUCCESSOR, proof=proof) == ("BadProof", (word(4),))
    anchor(log, 11)


def test_history_cannot_be_replaced(log: OpenLog) -> None:
    """A longer tree that is not an extension of the head is refused, though its own signer signed it."""
    anchor(log, 6)
    rewritten = [*TREE[:3], SUCCESSOR, *TREE[4:]]
    root, proof = tree_head(rewritten[:11]), subproof(6, rewritten[:11])
    assert refusal(anchor, log, 11, root, proof=proof) == ("BadProof", (word(3),))


def test_signatures_of_others_are_refused(log: OpenLog) -> None:
    """Only the log's own signer counts: not a stranger, the guardian, or the signer for another log or size."""
    elsewhere = log_id(log.signer.address, log.guardian.address, "other.example")
    for signature in (
        Key("stranger").sign(log.id, 5, HEADS[5]),
        log.guardian.sign(log.id, 5, HEADS[5]),
        log.signer.sign(elsewhere, 5, HEADS[5]),
        log.signer.sign(log.id, 4, HEADS[5]),
        log.signer.sign(log.id, 5, HEADS[4]),
    ):
        assert refusal(anchor, log, 5, signature=signature) == ("BadSignature", ())


def test_signatures_have_one_form(log: OpenLog) -> None:
    """The other parity, zeros, halves exchanged and values out of range are refused."""
    r, vs = log.signer.sign(log.id, 5, HEADS[5])
    parity, s = int.from_bytes(vs, "big") >> 255, int.from_bytes(vs, "big") & (2**255 - 1)
    candidates = [
        (r, ((1 - parity) << 255 | s).to_bytes(32, "big")),
        (r, (parity << 255).to_bytes(32, "big")),
        (r, (parity << 255 | (GROUP_ORDER // 2 + 1)).to_bytes(32, "big")),
        (ZERO, vs),
        (word(GROUP_ORDER), vs),
        (b"\xff" * 32, vs),
        (vs, r),
    ]
    for signature in candidates:
        assert refusal(anchor, log, 5, signature=signature) == ("BadSignature", ())
    anchor(log, 5, signature=(r, vs))


@pytest.mark.parametrize(("s", "accepted"), [(GROUP_ORDER // 2, True), (GROUP_ORDER // 2 + 1, False)])
def test_s_may_reach_half_the_order_and_no_more(log: OpenLog, s: int, accepted: bool) -> None:
    """A valid signature with s = (n - 1) / 2 is accepted; with one more it is refused, though it fits 255 bits."""
    # solve s = (z + r d) / k for the key d that makes this very signature, and let the guardian appoint it
    nonce = Key("nonce")
    z = int.from_bytes(checkpoint_digest(log.id, 5, HEADS[5]), "big")
    k = int.from_bytes(nonce.secret, "big")
    x, y = (int.from_bytes(half, "big") for half in (nonce.public[:32], nonce.public[32:]))
    r = x % GROUP_ORDER
    d = (s * k - z) * pow(r, -1, GROUP_ORDER) % GROUP_ORDER
    crafted = Key(secret=word(d))
    log.evm.send("rotate", log.id, crafted.address, by=log.guardian.address)
    signature = word(r), word((y & 1) << 255 | s)
    if accepted:
        anchor(log, 5, signature=signature)
        return
    assert refusal(anchor, log, 5, signature=signature) == ("BadSignature", ())
    twin = word(r), word((1 - (y & 1)) << 255 | (GROUP_ORDER - s))
    anchor(log, 5, signature=twin)


# --- rotate, seal


def test_rotation_changes_the_signer_and_nothing_else(log: OpenLog) -> None:
    """After rotation the new key signs and the old one does not; id, head and history stay."""
    anchor(log, 5)
    before = log.evm.head(log.id)
    new = Key("new signer")
    log.evm.send("rotate", log.id, new.address, by=log.guardian.address)
    assert log.evm.events() == [Event("Rotated", (log.id,), (word(log.signer.address), word(new.address)))]
    after = log.evm.head(log.id)
    assert after.signer == new.address
    assert (after.size, after.root, after.time, after.seq) == (
        before.size,
        before.root,
        before.time,
        before.seq,
    )
    assert refusal(anchor, log, 9) == ("BadSignature", ())
    anchor(log, 9, key=new)


def test_rotate_errors_come_in_their_written_order(log: OpenLog) -> None:
    """Unopened, then NotGuardian, then Sealed, then ZeroSigner."""
    guardian, stranger = log.guardian.address, Key("stranger").address
    assert refusal(log.evm.send, "rotate", SUCCESSOR, 0, by=stranger) == ("Unopened", ())
    assert refusal(log.evm.send, "rotate", log.id, 0, by=stranger) == ("NotGuardian", ())
    assert refusal(log.evm.send, "rotate", log.id, 0, by=log.signer.address) == ("NotGuardian", ())
    assert refusal(log.evm.send, "rotate", log.id, 0, by=guardian) == ("ZeroSigner", ())
    log.evm.send("seal", log.id, SUCCESSOR, by=guardian)
    assert refusal(log.evm.send, "rotate", log.id, 0, by=stranger) == ("NotGuardian", ())
    assert refusal(log.evm.send, "rotate", log.id, 0, by=guardian) == ("Sealed", (SUCCESSOR,))
    assert refusal(log.evm.send, "rotate", log.id, stranger, by=guardian) == ("Sealed", (SUCCESSOR,))


def test_sealing_is_final(log: OpenLog) -> None:
    """A sealed log keeps its last head and its successor; nobody anchors, rotates or seals it again."""
    anchor(log, 5)
    before = log.evm.head(log.id)
    log.evm.send("seal", log.id, SUCCESSOR, by=log.guardian.address)
    assert log.evm.events() == [Event("LogSealed", (log.id,), (SUCCESSOR,))]
    after = log.evm.head(log.id)
    assert after.is_sealed
    assert after.successor == SUCCESSOR
    assert (after.size, after.root, after.time, after.seq) == (
        before.size,
        before.root,
        before.time,
        before.seq,
    )
    assert refusal(anchor, log, 9) == ("Sealed", (SUCCESSOR,))
    assert refusal(log.evm.send, "seal", log.id, ZERO, by=log.guardian.address) == ("Sealed", (SUCCESSOR,))


def test_seal_errors_come_in_their_written_order(log: OpenLog) -> None:
    """Unopened, then NotGuardian, then Sealed; a successor is not needed."""
    stranger = Key("stranger").address
    assert refusal(log.evm.send, "seal", SUCCESSOR, ZERO, by=stranger) == ("Unopened", ())
    assert refusal(log.evm.send, "seal", log.id, ZERO, by=stranger) == ("NotGuardian", ())
    log.evm.send("seal", log.id, ZERO, by=log.guardian.address)
    assert log.evm.head(log.id).is_sealed
    assert refusal(log.evm.send, "seal", log.id, ZERO, by=stranger) == ("NotGuardian", ())
    assert refusal(log.evm.send, "seal", log.id, SUCCESSOR, by=log.guardian.address) == ("Sealed", (ZERO,))


def test_a_log_without_guardian_is_nobodys(evm: AnchorEvm) -> None:
    """Opened with the zero guardian, a log can neither be rotated nor sealed by any account."""
    signer = Key("signer").address
    log = evm.send("open", signer, 0, ZERO)
    for account in (signer, ANYONE):
        assert refusal(evm.send, "rotate", log, signer, by=account) == ("NotGuardian", ())
        assert refusal(evm.send, "seal", log, ZERO, by=account) == ("NotGuardian", ())


def test_a_guardian_rules_its_own_log_only(log: OpenLog) -> None:
    """The guardian of one log is a stranger to another with the same signer."""
    other = log.evm.send("open", log.signer.address, Key("other").address, ZERO)
    assert refusal(log.evm.send, "seal", other, ZERO, by=log.guardian.address) == ("NotGuardian", ())


# --- reportFork


def report(
    log: OpenLog, size: int, a: bytes, b: bytes, *, key_a: Key | None = None, key_b: Key | None = None
) -> None:
    """Report a fork at *size* between roots *a* and *b*."""
    signer = log.signer
    first = (key_a or signer).sign(log.id, size, a)
    second = (key_b or signer).sign(log.id, size, b)
    log.evm.send("reportFork", log.id, size, a, *first, b, *second)


def test_a_fork_is_announced_and_changes_nothing(log: OpenLog) -> None:
    """Two signed roots of one size are announced to all, at any size, below or above the head, even sealed."""
    anchor(log, 5)
    before = log.evm.head(log.id)
    for size in (0, 3, 5, 2**64 - 1):
        report(log, size, HEADS[3], SUCCESSOR)
        assert log.evm.events() == [
            Event("Fork", (log.id, word(log.signer.address)), (word(size), HEADS[3], SUCCESSOR))
        ]
    assert log.evm.head(log.id) == before
    anchor(log, 6)
    log.evm.send("seal", log.id, ZERO, by=log.guardian.address)
    report(log, 7, SUCCESSOR, HEADS[3])
    assert [event.name for event in log.evm.events()] == ["Fork"]


def test_fork_errors_come_in_their_written_order(log: OpenLog) -> None:
    """Unopened, then NotAFork, then BadSignature of the first or the second."""
    stranger = Key("stranger")
    assert refusal(report, log._replace(id=SUCCESSOR), 5, ZERO, ZERO, key_a=stranger) == ("Unopened", ())
    assert refusal(report, log, 5, ZERO, ZERO, key_a=stranger) == ("NotAFork", ())
    assert refusal(report, log, 5, ZERO, ZERO) == ("NotAFork", ())
    assert refusal(report, log, 5, HEADS[5], SUCCESSOR, key_a=stranger) == ("BadSignature", ())
    assert refusal(report, log, 5, HEADS[5], SUCCESSOR, key_b=stranger) == ("BadSignature", ())


def test_signatures_at_two_sizes_are_no_fork(log: OpenLog) -> None:
    """Roots of different sizes differ rightly: a signature made for another size does not count."""
    signatures = (*log.signer.sign(log.id, 5, HEADS[5]),), (*log.signer.sign(log.id, 6, HEADS[6]),)
    arguments = (log.id, 5, HEADS[5], *signatures[0], HEADS[6], *signatures[1])
    assert refusal(log.evm.send, "reportFork", *arguments) == ("BadSignature", ())


def test_a_fork_of_a_former_signer_does_not_count(log: OpenLog) -> None:
    """After rotation only the current signer can fork: a stolen old key cannot defame the log."""
    new = Key("new")
    log.evm.send("rotate", log.id, new.address, by=log.guardian.address)
    assert refusal(report, log, 5, HEADS[5], SUCCESSOR) == ("BadSignature", ())
    report(log, 5, HEADS[5], SUCCESSOR, key_a=new, key_b=new)


# --- deployment, interface, example


def test_deployment_tries_the_chains_sha256() -> None:
    """Were SHA-256 to answer anything else than the constants say, creation would be refused."""
    code = creation_code()
    for constant in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    ):
        value = bytes.fromhex(constant)
        assert code.count(value) == 1
        with pytest.raises(Reverted) as caught:
            AnchorEvm(code=code.replace(value, value[::-1]))
        assert caught.value.name == "UnsoundChain"


def test_the_interface_is_that_of_the_specification() -> None:
    """Names, types, order, mutability and indexed members are those of the format specification."""

    def types(items: list[dict[str, Any]]) -> str:
        return ",".join(i["type"] + (" indexed" if i.get("indexed") else "") + f" {i['name']}" for i in items)

    found = {
        f"{i['type']} {i['name']}({types(i['inputs'])})"
        + (f" {i['stateMutability']} ({types(i['outputs'])})" if i["type"] == "function" else "")
        for i in artifact()["abi"]
        if i["type"] != "constructor"
    }
    assert found == {
        "function open(address signer,address guardian,bytes32 originHash) nonpayable (bytes32 logId)",
        "function anchor(bytes32 logId,uint64 size,bytes32 root,bytes32[] proof,bytes32 r,bytes32 vs) nonpayable ()",
        "function rotate(bytes32 logId,address newSigner) nonpayable ()",
        "function seal(bytes32 logId,bytes32 successor) nonpayable ()",
        (
            "function reportFork(bytes32 logId,uint64 size,bytes32 rootA,bytes32 rA,bytes32 vsA,bytes32 rootB,bytes32 rB,"
            "bytes32 vsB) nonpayable ()"
        ),
        (
            "function head(bytes32 logId) view (uint64 size,bytes32 root,uint64 time,uint64 seq,address signer,"
            "address guardian,bool isSealed,bytes32 successor)"
        ),
        "function verify(uint64 m,uint64 n,bytes32 oldRoot,bytes32 newRoot,bytes32[] proof) view (uint8 )",
        "event Opened(bytes32 indexed logId,address signer,address guardian,bytes32 originHash)",
        "event Rotated(bytes32 indexed logId,address oldSigner,address newSigner)",
        (
            "event Anchored(bytes32 indexed logId,uint64 indexed seq,uint64 size,bytes32 root,uint64 prevSize,"
            "bytes32 prevRoot)"
        ),
        "event LogSealed(bytes32 indexed logId,bytes32 successor)",
        "event Fork(bytes32 indexed logId,address indexed signer,uint64 size,bytes32 rootA,bytes32 rootB)",
        "error Unopened()",
        "error ZeroSigner()",
        "error NotGuardian()",
        "error Sealed(bytes32 successor)",
        "error Stale(uint64 size,bytes32 root)",
        "error Conflict(uint64 size,bytes32 root)",
        "error BadProof(uint8 reason)",
        "error BadSignature()",
        "error NotAFork()",
        "error UnsoundChain()",
    }


def test_the_contract_takes_no_money_and_no_unknown_call(evm: AnchorEvm) -> None:
    """There is no fallback: an unknown selector and empty call data revert."""
    for data in (b"", b"\x12\x34\x56\x78", bytes(64)):
        with pytest.raises(Reverted):
            evm.send_raw(data)


def test_the_worked_example_is_accepted(evm: AnchorEvm, example: dict[str, Any]) -> None:
    """Ids, digests and signatures of the specification's example open a log and anchor its two heads."""
    contract, steps = example["contract"], example["consistency"]
    signer, guardian = bytes.fromhex(contract["signer"][2:]), bytes.fromhex(contract["guardian"][2:])
    log = evm.send("open", signer, guardian, bytes.fromhex(contract["origin_hash"]))
    assert log.hex() == contract["log_id"]
    proofs: list[list[bytes]] = [[], [bytes.fromhex(h) for h in steps["proof"]]]
    for name, proof in zip(("first_anchor", "second_anchor"), proofs, strict=True):
        step = contract[name]
        root = bytes.fromhex(step["root"])
        assert checkpoint_digest(log, step["size"], root).hex() == step["digest"]
        evm.send(
            "anchor", log, step["size"], root, proof, bytes.fromhex(step["r"]), bytes.fromhex(step["vs"])
        )
    assert (evm.head(log).size, evm.head(log).root.hex(), evm.head(log).seq) == (11, steps["new_root"], 2)
