# SPDX-License-Identifier: Apache-2.0
"""
The example of the specification, computed a second time from its pages: plain hashlib, recursive trees, other
people's curves.  Then the program's verifier is given it whole, and broken in one place at a time.
"""

import base64
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from traceledger.core.judge.bundle import Bundle, Trust
from traceledger.core.judge.findings import findings_of
from traceledger.core.judge.report import Report
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.log.anchor import Observation, Receipt, ReceiptLog
from traceledger.core.log.entry import Entry
from traceledger.core.sign.canonical import parse
from traceledger.errors import InputError

REGISTRY = {"root", "policy", "org", "key", "grant", "revoke"}


def h(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def b64u(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jcs(value: Any) -> bytes:
    """Canonical JSON of the values that the example holds."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is written there, over leaf hashes."""
    if not leaves:
        return h(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return h(b"\x01" + tree(leaves[:k]) + tree(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1: the audit path of leaf *m*."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m < k:
        return [*path(m, leaves[:k]), tree(leaves[k:])]
    return [*path(m - k, leaves[k:]), tree(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2: SUBPROOF."""
    if m == len(leaves):
        return [] if whole else [tree(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m <= k:
        return [*subproof(m, leaves[:k], whole), tree(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), tree(leaves[:k])]


@pytest.fixture(scope="module")
def example(root: Path) -> Any:
    """Return docs/spec/example.json."""
    return json.loads((root / "docs" / "spec" / "example.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def leaves(example: Any) -> list[bytes]:
    """Return the leaf hashes of all entries."""
    return [h(b"\x00" + jcs(item["entry"])) for item in example["entries"]]


def test_keys_come_from_their_seeds(example: Any) -> None:
    """Every key is the one of its seed, its kid the hash of it, its seed the hash of its name."""
    for name, key in example["keys"].items():
        seed = h(f"{example['origin']} example: {name}".encode())
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        assert (key["seed"], key["public"], key["kid"]) == (
            seed.hex(),
            b64u(public),
            b64u(h(b"\x01" + public)),
        )


def test_entries_hash_and_verify(example: Any, leaves: list[bytes]) -> None:
    """Payloads are canonical; id, leaf and every signature follow from the entry alone."""
    publics = {key["kid"]: unb64u(key["public"]) for key in example["keys"].values()}
    for item, leaf in zip(example["entries"], leaves, strict=True):
        envelope = item["entry"]["env"]
        payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
        assert payload == jcs(json.loads(payload))
        assert kind == f"application/vnd.traceledger.{item['family']}.v1+json"
        pae = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
        assert (item["id"], item["leaf"], item["pae_bytes"]) == (h(pae).hex(), leaf.hex(), len(pae))
        for signature in envelope["signatures"]:
            key = Ed25519PublicKey.from_public_bytes(publics[signature["keyid"]])
            key.verify(base64.b64decode(signature["sig"]), pae)


def test_registry_chain_runs_through_all_entries(example: Any, leaves: list[bytes]) -> None:
    """Each entry names the number of registry entries below it and the chain over their leaves."""
    chain, count, values = bytes(32), 0, [bytes(32).hex()]
    for item, leaf in zip(example["entries"], leaves, strict=True):
        assert item["entry"]["adm"]["reg"] == [count, base64.b64encode(chain).decode()]
        if item["family"] in REGISTRY:
            chain, count = h(b"\x04" + chain + leaf), count + 1
            values.append(chain.hex())
    assert example["registry_chain"] == values


def test_tree_and_proofs(example: Any, leaves: list[bytes]) -> None:
    """The checkpoint's root, every inclusion proof and the consistency proof are those of RFC 6962."""
    bundle, consistency = example["bundle"], example["consistency"]
    lines = example["checkpoint"].split("\n")
    assert lines[:3] == [example["origin"], str(len(leaves)), base64.b64encode(tree(leaves)).decode()]
    for item in [*bundle["entries"], bundle["index"]["item"]]:
        assert [base64.b64decode(p) for p in item["proof"]] == path(item["index"], leaves)
    old = consistency["old_size"]
    assert consistency["old_root"] == tree(leaves[:old]).hex()
    assert [bytes.fromhex(p) for p in consistency["proof"]] == subproof(old, leaves, True)


def test_checkpoint_lines(example: Any) -> None:
    """The log's and the witness's lines verify over the three lines; key ids follow from name and key."""
    body, _, tail = example["checkpoint"].partition("\n\n")
    signed = {
        line.split(" ")[1]: base64.b64decode(line.split(" ")[2]) for line in reversed(tail.split("\n")[:3])
    }
    for name, key, kind in (
        (example["origin"], "log", b"\x01"),
        ("chung.example/lam-chung", "witness", b"\x04"),
    ):
        public = unb64u(example["keys"][key]["public"])
        line = signed[name]
        assert line[:4] == h(name.encode() + b"\n" + kind + public)[:4]
        message, sig = f"{body}\n", line[4:]
        if kind == b"\x04":
            message, sig = f"cosignature/v1\ntime {int.from_bytes(sig[:8])}\n{message}", sig[8:]
        Ed25519PublicKey.from_public_bytes(public).verify(sig, message.encode())


def test_contract_values(example: Any, leaves: list[bytes]) -> None:
    """Log id, domain, digest and the anchor signer's line are what Ethereum's own libraries make of them."""
    eth_account = pytest.importorskip("eth_account")
    from eth_hash.auto import keccak

    said = {name: bytes.fromhex(v[2:]) for name, v in example["contract"].items() if str(v).startswith("0x")}
    assert said["origin_hash"] == h(example["origin"].encode())
    assert said["log_id"] == keccak(
        bytes(12) + said["signer"] + bytes(12) + said["guardian"] + said["origin_hash"]
    )
    domain = {"name": "tlog checkpoint", "version": "1"}
    kinds = {"Checkpoint": [("logId", "bytes32"), ("size", "uint64"), ("root", "bytes32")]}
    signable = eth_account.messages.encode_typed_data(
        domain,
        {name: [{"name": n, "type": t} for n, t in members] for name, members in kinds.items()},
        {"logId": said["log_id"], "size": len(leaves), "root": tree(leaves)},
    )
    assert said["domain_separator"] == signable.header
    assert said["digest"] == keccak(b"\x19\x01" + signable.header + signable.body)
    parity, s = said["vs"][0] >> 7, int.from_bytes(said["vs"]) & (1 << 255) - 1
    signer = eth_account.Account.recover_message(signable, vrs=(27 + parity, int.from_bytes(said["r"]), s))
    assert signer.lower() == example["contract"]["signer"]
    line = base64.b64decode(example["checkpoint"].split("\n")[5].split(" ")[2])
    name = example["origin"].encode() + b"\n\xffeip712-secp256k1/v1" + said["signer"]
    assert line == h(name)[:4] + said["r"] + s.to_bytes(32) + bytes([27 + parity])


def test_index_rows(example: Any) -> None:
    """Rows count what the entries below the record touch; their tree is sorted by subject."""
    counted: dict[str, list[int]] = {}
    for item in example["entries"][:-1]:
        for subject in item["subjects"]:
            counted.setdefault(subject, []).append(item["index"])
    rows = [[subject, len(found), found[-1]] for subject, found in sorted(counted.items())]
    hashes = [h(b"\x00" + jcs(row)) for row in rows]
    index = example["index"]
    assert (index["rows"], index["leaves"]) == (rows, [leaf.hex() for leaf in hashes])
    assert index["root"] == tree(hashes).hex()
    for row in example["bundle"]["index"]["subjects"]:
        assert [base64.b64decode(p) for p in row["proof"]] == path(row["position"], hashes)


def test_private_part(example: Any) -> None:
    """The commitment is the salted hash of the value's canonical form."""
    part = example["private"]
    assert part["commitment"] == b64u(h(b"\x02" + unb64u(part["salt"]) + jcs(part["value"])))


def test_stamps(example: Any) -> None:
    """Salts, commitments, root and printed signatures of the roll follow from secret, numbers and links."""
    roll = example["stamps"]
    hashes = []
    key = Ed25519PublicKey.from_public_bytes(unb64u(example["keys"]["stamps"]["public"]))
    for stamp in roll["stamps"]:
        counter = stamp["number"].to_bytes(8)
        salt = hmac.digest(bytes.fromhex(roll["secret"]), counter, "sha256")[:16]
        committed = h(b"\x03" + salt + counter + stamp["uri"].encode())
        assert (stamp["salt"], stamp["commitment"]) == (b64u(salt), committed.hex())
        hashes.append(h(b"\x00" + committed))
        key.verify(unb64u(stamp["s"]), b"traceledger/stamp/v1\n" + stamp["uri"].encode())
    assert roll["root"] == tree(hashes).hex()
    shown = example["bundle"]["stamp"]
    assert [base64.b64decode(p) for p in shown["proof"]] == path(shown["number"] - 1, hashes)


def test_key_file_opens(example: Any) -> None:
    """scrypt of the password opens the sealed seed, with the rest of the file as associated data."""
    file = example["key_file"]["file"]
    kdf = file["kdf"]
    key = hashlib.scrypt(
        unicodedata.normalize("NFC", example["key_file"]["password"]).encode(),
        salt=unb64u(kdf["salt"]), n=kdf["n"], r=8, p=kdf["p"], maxmem=1 << 26, dklen=32,
    )  # fmt: skip
    header = jcs({name: part for name, part in file.items() if name != "secret"})
    seed = ChaCha20Poly1305(key).decrypt(unb64u(file["cipher"]["nonce"]), unb64u(file["secret"]), header)
    assert seed.hex() == example["keys"]["clerk"]["seed"]


# --- the whole bundle


def judge(example: Any, *, trust: bool = True, other: bool = False) -> Report:
    """Verify the bundle of *example* with two endpoints; *other* makes the second see another block."""
    said = example["contract"]["event"]
    log = ReceiptLog(
        address=bytes.fromhex(said["address"][2:]),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in said["topics"]),
        data=bytes.fromhex(said["data"][2:]),
        log_index=0,
    )
    receipt = Receipt(status=1, block_number=100, block_hash=b"\x01" * 32, logs=(log,))
    seen = Observation(endpoint="a", chain_id=31337, finalized=200, receipt=receipt, canonical=True)
    twin = replace(seen, endpoint="b")
    if other:
        twin = replace(twin, receipt=replace(receipt, block_hash=b"\x02" * 32))
    pinned = Trust.parse(jcs(example["trust"])) if trust else None
    return verify_bundle(Bundle.parse(jcs(example["bundle"])), trust=pinned, observations={0: [seen, twin]})


def test_whole_example_passes(example: Any) -> None:
    """Every rung of the example passes, as it says itself."""
    report = judge(example)
    rungs = {name: {"result": r.result, "reason": r.reason} for name, r in report.rungs.items()}
    assert {"ok": report.ok, "exit": report.exit_code, "rungs": rungs} == example["expected"]
    assert all(rung.result == "pass" for rung in report.rungs.values())


def flip(text: str, position: int) -> str:
    """Return *text* with one character of base64 replaced."""
    return text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1 :]


def rewrite(bundle: Any) -> None:
    """Make the harvest 100 kg heavier, as an operator would who holds no key."""
    env = bundle["entries"][0]["entry"]["env"]
    payload = base64.b64decode(env["payload"]).replace(b"812.5", b"912.5")
    env["payload"] = base64.b64encode(payload).decode()


def drop_harvest(bundle: Any) -> None:
    """Leave out the harvest and its private part."""
    bundle["entries"].pop(0)
    bundle["private"] = []


def put(*names: str | int, value: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Return a change that replaces the part of a bundle at *names*."""

    def change(bundle: Any) -> None:
        for name in names[:-1]:
            bundle = bundle[name]
        bundle[names[-1]] = value(bundle[names[-1]])

    return change


BROKEN: list[tuple[str, Callable[[Any], None], str, str]] = [
    ("a weight", rewrite, "SIGNED", "signature-invalid"),
    ("a missing step", drop_harvest, "COMPLETE", "complete-count"),
    ("a signature", put("entries", 1, "entry", "env", "signatures", 0, "sig", value=lambda t: flip(t, 4)),
     "SIGNED", "signature-invalid"),
    ("a private value", put("private", 0, "value", "name", value=lambda _: "Người khác"), "SIGNED", "private-mismatch"),
    ("a proof", put("entries", 0, "proof", 0, value=lambda t: flip(t, 9)), "LOGGED", "inclusion"),
    ("the admission time", put("entries", 2, "entry", "adm", "t", value=lambda t: t + 60), "LOGGED", "inclusion"),
    ("the root", put("checkpoint", value=lambda t: t.replace("\n20\n", "\n21\n")), "LOGGED", "note-signature"),
    ("the witness's line", put("checkpoint", value=lambda t: flip(t, len(t) - 8)), "WITNESSED", "cosignature"),
    ("a registry entry left out", put("registry", "whole", value=lambda w: w[:-1]), "LOGGED", "adm-reg"),
    ("a count", put("index", "subjects", 0, "count", value=lambda n: n + 1), "COMPLETE", "index-proof"),
    ("the stamp's number", put("stamp", "number", value=lambda n: n + 1), "LABEL", "stamp-commitment"),
    ("the stamp's link", put("stamp", "uri", value=lambda t: t.replace("so.example", "s0.example")),
     "LABEL", "stamp-commitment"),
    ("the place of the event", put("anchors", 0, "log", value=lambda n: n + 1), "ANCHORED", "anchor-mismatch"),
    ("the chain", put("anchors", 0, "chain", value=lambda _: "eip155:1"), "ANCHORED", "anchor-unlisted"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "rung", "code"), BROKEN, ids=[item[0] for item in BROKEN])
def test_one_change_fails_its_rung(
    example: Any, what: str, change: Callable[[Any], None], rung: str, code: str
) -> None:
    """Break one thing in the bundle, and the rung it belongs to fails with its code."""
    broken = deepcopy(example)
    change(broken["bundle"])
    report = judge(broken)
    assert (report.rungs[rung].result, report.rungs[rung].reason) == ("fail", code), what
    assert not report.ok
    assert report.exit_code == 1


def test_another_genesis_fails_origin(example: Any) -> None:
    """A trust file of another log fails ORIGIN."""
    other = deepcopy(example)
    other["trust"]["genesis"] = other["entries"][1]["id"]
    report = judge(other)
    assert (report.rungs["ORIGIN"].result, report.reason, report.exit_code) == ("fail", "genesis", 1)


def test_without_trust_nothing_is_ok(example: Any) -> None:
    """Without a trust file ORIGIN is not checked, nothing fails, and the exit code is 4."""
    report = judge(example, trust=False)
    assert (report.ok, report.reason, report.exit_code) == (False, "trust-missing", 4)


def test_endpoints_that_differ_leave_it_unchecked(example: Any) -> None:
    """Two endpoints that see different blocks make ANCHORED not checked: ok, and exit code 4."""
    report = judge(example, other=True)
    rung = report.rungs["ANCHORED"]
    assert (rung.result, rung.reason, report.ok, report.exit_code) == (
        "not checked",
        "chain-disagree",
        True,
        4,
    )


def test_malformed_is_not_a_verdict(example: Any) -> None:
    """A member that the format does not have makes the bundle malformed, with no verdict at all."""
    odd = deepcopy(example)
    odd["bundle"]["comment"] = "xin chào"
    with pytest.raises(InputError) as caught:
        judge(odd)
    assert (caught.value.code, caught.value.exit_code) == ("bundle-shape", 2)


def test_example_has_no_findings(root: Path) -> None:
    """The example's sums add up, its code is its own, and every entry is linked and in time."""
    example = parse((root / "docs" / "spec" / "example.json").read_bytes(), limit=1 << 20)
    entries = [(item["index"], Entry.from_json(item["entry"])) for item in example["entries"]]
    assert findings_of(entries, example["origin"]).found == []
