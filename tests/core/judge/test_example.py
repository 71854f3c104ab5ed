# SPDX-License-Identifier: Apache-2.0
"""The worked example of the format specification, reproduced byte for byte in both directions."""

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey

from traceledger.core.claims import private
from traceledger.core.judge.bundle import Bundle, Trust, row_data
from traceledger.core.judge.findings import findings_of
from traceledger.core.judge.report import RUNGS
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.log import anchor, note
from traceledger.core.log.entry import CHAIN_START, Entry, next_chain
from traceledger.core.log.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from traceledger.core.sign.canonical import canonical_bytes, parse_canonical
from traceledger.core.sign.encoding import b64decode, b64encode, b64u_encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.sign.evm import recover_address, to_compact
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state import stamps
from traceledger.core.state.lineage import subjects_of
from traceledger.core.state.registry import Registry
from traceledger.errors import AccessError, InputError
from traceledger.keyring import files

Example = dict[str, Any]


@pytest.fixture(scope="module")
def example(shared: Path) -> Example:
    """The example, its numbers as Decimal."""
    return dict(json.loads((shared / "design/example.json").read_text(), parse_float=Decimal))


@pytest.fixture(scope="module")
def keys(example: Example) -> dict[str, SigningKey]:
    """The example's keys by name."""
    return {name: SigningKey(bytes.fromhex(key["seed"])) for name, key in example["keys"].items()}


@pytest.fixture(scope="module")
def entries(example: Example) -> list[Entry]:
    """The example's log."""
    return [Entry.parse(item["entry"].encode()) for item in example["log_entries"]]


def node_of(leaves: list[bytes]) -> Any:
    """Return a node function over *leaves*."""

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def test_keys(example: Example, keys: dict[str, SigningKey]) -> None:
    """Seeds are hashes of names; public keys and key ids follow."""
    for name, key in keys.items():
        given = example["keys"][name]
        assert hashlib.sha256(f"traceledger example {name}".encode()).hexdigest() == given["seed"]
        assert key.public.hex() == given["public_key"]
        assert key.kid == given["kid"]


def test_note_keys(example: Example, keys: dict[str, SigningKey]) -> None:
    """Verifier keys of log and witness are built from their keys and read back."""
    log = note.VerifierKey(name=example["origin"], kind=note.ED25519, public=keys["log"].public)
    witness = note.VerifierKey.parse(example["note_keys"]["witness"])
    assert log.text() == example["note_keys"]["log"]
    assert note.VerifierKey.parse(log.text()) == log
    assert (witness.kind, witness.public) == (note.COSIGNATURE, keys["witness1"].public)


def test_entries_are_built(example: Example, keys: dict[str, SigningKey]) -> None:
    """From statement and keys: payload, PAE, id, envelope, entry, leaf, registry chain and root, all as given."""
    registry, leaves = Registry(example["origin"]), []
    for item in example["log_entries"]:
        statement = json.loads(item["payload"], parse_float=Decimal)
        assert canonical_bytes(statement) == item["payload"].encode()
        envelope = sign_envelope(statement, item["family"], [keys[name] for name in item["signed_by"]])
        assert envelope.payload_type == item["payload_type"]
        assert (len(envelope.payload), len(envelope.pae)) == (item["payload_bytes"], item["pae_bytes"])
        assert envelope.id == item["id"]
        assert len(canonical_bytes(envelope.to_json())) == item["envelope_bytes"]
        time = 1795131060 if item["index"] <= 6 else 1795131660
        entry = Entry.make(envelope, reg=registry.head, t=time)
        assert entry.raw.decode() == item["entry"]
        assert len(entry.raw) == item["entry_bytes"]
        assert entry.leaf.hex() == item["leaf_hash"]
        if entry.is_registry:
            registry.admit(item["index"], entry)
        leaves.append(entry.leaf)
        assert registry.size == item["registry_size_after"]
        assert registry.chain.hex() == item["registry_chain_after"]
        assert root_of(leaves).hex() == item["log_root_after"]
    assert registry.voids == []


def test_entries_are_read(example: Example, entries: list[Entry], keys: dict[str, SigningKey]) -> None:
    """From the bytes of an entry: the same parts, by name, and the same bytes again."""
    chain = CHAIN_START
    for item, entry in zip(example["log_entries"], entries, strict=True):
        assert entry.id == item["id"]
        assert entry.family == item["family"]
        assert entry.envelope.payload.decode() == item["payload"]
        assert [s.kid for s in entry.envelope.signatures] == sorted(
            keys[name].kid for name in item["signed_by"]
        )
        assert list(subjects_of(entry)) == item["touches"]
        assert Entry.from_json(entry.to_json()).raw == entry.raw
        assert Envelope.from_json(entry.envelope.to_json()) == entry.envelope
        assert entry.reg[1] == chain
        if entry.is_registry:
            chain = next_chain(chain, entry.leaf)
        assert chain.hex() == item["registry_chain_after"]


def test_landmarks(entries: list[Entry]) -> None:
    """The hashes printed in the text are those of the example."""
    assert entries[0].id == "58712c4960351fe9b94c7779323531d7757cc69556e0d8ac0162d4b40b966d26"
    harvest = entries[7]
    assert harvest.id == "fbd4a38041f31126fa8bfa3f844464084ab9cd6d6316193dc005bcf5f8844155"
    assert harvest.leaf.hex() == "41b4e3c4913b4e2c436bc5aa09046f7a92247dd8361ded8db7f231ddda73cfec"
    assert [len(harvest.envelope.payload), len(harvest.envelope.pae), len(harvest.raw)] == [721, 777, 1298]
    assert entries[1].reg[1].hex() == "ee2d9bcdad1e5e2b8efb49086d4c7581ea7d8518e9a556a6fa641e1accbae6f8"
    assert entries[7].reg[1].hex().startswith("0763aa77334d9589bdd0a0a08f45ba30")
    root = "d968540fa9dc1c372d181802927daff6f679e63f61d6c5eb12d169bfbb5df2a4"
    assert root_of([entry.leaf for entry in entries]).hex() == root


def test_the_private_part(example: Example, entries: list[Entry]) -> None:
    """Salt and value give the commitment that the harvest carries."""
    part = example["private_part"]
    value, salt = json.loads(part["value_jcs"]), bytes.fromhex(part["salt"])
    assert private.commitment(salt, value) == part["commitment"]
    committed = entries[part["index"]].member("private")
    private.check(committed, name=part["name"], salt=salt, value=value)


def test_the_roll(example: Example, entries: list[Entry], keys: dict[str, SigningKey]) -> None:
    """Salts, commitments, leaves, root, printed signatures and proofs of the three stamps."""
    given = example["stamp_roll"]
    secret = bytes.fromhex(given["secret"])
    roll = stamps.open_roll(8, entries[8])
    leaves = []
    for stamp in given["stamps"]:
        number, uri = stamp["number"], stamp["uri"]
        salt = stamps.stamp_salt(secret, number)
        assert salt.hex() == stamp["salt"]
        assert stamps.commitment(salt, number, uri).hex() == stamp["commitment"]
        assert stamps.roll_leaf(salt, number, uri).hex() == stamp["roll_leaf_hash"]
        signature = stamps.sign_link(keys["stamp"], uri)
        assert f"{uri}?s={signature}" == stamp["printed"]
        stamps.verify_link(keys["stamp"].public, uri, signature)
        leaves.append(bytes.fromhex(stamp["roll_leaf_hash"]))
    assert root_of(leaves).hex() == given["root"] == roll.root.hex()
    assert (roll.roll, roll.first, roll.count) == (given["roll"], given["first"], given["count"])
    assert (roll.key, roll.issuer) == (given["key"], "htx-ben-mau")
    for position, stamp in enumerate(given["stamps"]):
        proof = inclusion_proof(position, 3, node_of(leaves))
        roll.check(stamp["uri"], number=stamp["number"], salt=bytes.fromhex(stamp["salt"]), proof=proof)
    assert example["bundle"]["stamp"]["proof"] == [
        b64encode(h) for h in inclusion_proof(0, 3, node_of(leaves))
    ]


def test_stamp_states(entries: list[Entry]) -> None:
    """The statements shown activate stamps 1 and 2 for the lot and leave stamp 3 issued."""
    (roll,) = stamps.fold_rolls([(8, entries[8]), (9, entries[9])]).values()
    states = [roll.state(number, lambda lot, index: False) for number in (1, 2, 3)]
    assert [state.step for state in states] == ["active", "active", "issued"]
    assert states[0].lot == "https://id.gs1.org/01/09521234567899/10/XCL-2611A"


def test_the_index_record(example: Example, entries: list[Entry]) -> None:
    """Rows counted from the entries give the leaves, hashes and root of the index record."""
    given = example["subject_index"]
    touched: dict[str, list[int]] = {}
    for index, entry in enumerate(entries[: given["size"]]):
        for subject in subjects_of(entry):
            touched.setdefault(subject, []).append(index)
    rows = sorted(touched.items(), key=lambda row: row[0].encode())
    data = [row_data(subject, len(indexes), indexes[-1]) for subject, indexes in rows]
    assert [row.decode() for row in data] == given["leaf_data"]
    leaves = [leaf_hash(row) for row in data]
    assert [leaf.hex() for leaf in leaves] == given["leaf_hashes"]
    assert root_of(leaves).hex() == given["root"]
    statement = entries[10].statement
    assert statement["data"] == {"size": 10, "subjects": 2, "root": b64encode(root_of(leaves))}
    assert statement["seen"] == [10, b64encode(root_of([entry.leaf for entry in entries[:10]]))]
    for position, row in enumerate(example["bundle"]["index"]["subjects"]):
        assert row["proof"] == [b64encode(h) for h in inclusion_proof(position, 2, node_of(leaves))]


def test_consistency(example: Example, entries: list[Entry]) -> None:
    """The proof from size 7 to 11 is built and accepted."""
    given = example["consistency"]
    old, new = bytes.fromhex(given["old_root"]), bytes.fromhex(given["new_root"])
    leaves = [entry.leaf for entry in entries]
    proof = consistency_proof(given["old_size"], given["new_size"], node_of(leaves))
    assert [h.hex() for h in proof] == given["proof"]
    verify_consistency(
        old_size=given["old_size"], old_root=old, new_size=given["new_size"], new_root=new, proof=proof
    )


def test_what_the_contract_sees(example: Example) -> None:
    """Log id, domain, type, digests, topic and signatures, built and recovered."""
    given = example["contract"]
    signer, guardian = (bytes.fromhex(given[name][2:]) for name in ("signer", "guardian"))
    log_id = anchor.log_id(signer, guardian, example["origin"])
    assert anchor.origin_hash(example["origin"]).hex() == given["origin_hash"]
    assert log_id.hex() == given["log_id"]
    assert anchor.DOMAIN_SEPARATOR.hex() == given["domain_separator"]
    assert anchor.CHECKPOINT_TYPE.hex() == given["type_hash"]
    assert anchor.ANCHORED_TOPIC.hex() == given["anchored_topic"]
    key = PrivateKey(hashlib.sha256(b"traceledger example anchor").digest())
    assert key.public_key.to_canonical_address() == signer
    for head in (given["first_anchor"], given["second_anchor"]):
        digest = anchor.checkpoint_digest(log_id, head["size"], bytes.fromhex(head["root"]))
        assert digest.hex() == head["digest"]
        made = key.sign_msg_hash(digest)
        r, s, v = made.r.to_bytes(32), made.s.to_bytes(32), made.v + 27
        assert (r.hex(), s.hex(), v) == (head["r"], head["s"], head["v"])
        assert to_compact(r, s, v)[1].hex() == head["vs"]
        assert recover_address(digest, r=r, s=s, v=v) == signer


def test_the_checkpoint(example: Example, keys: dict[str, SigningKey]) -> None:
    """All three signature lines are made and read back."""
    given, origin = example["checkpoint"], example["origin"]
    head = example["contract"]["second_anchor"]
    root = bytes.fromhex(head["root"])
    signed = note.sign_checkpoint(origin, 11, root, keys["log"])
    assert signed.body == given["signed_text"]
    signer = bytes.fromhex(example["contract"]["signer"][2:])
    anchored = note.anchor_line(
        origin, signer, r=bytes.fromhex(head["r"]), s=bytes.fromhex(head["s"]), v=head["v"]
    )
    witness = note.VerifierKey.parse(example["note_keys"]["witness"])
    time = given["witness_time"]
    message = f"cosignature/v1\ntime {time}\n{signed.body}"
    assert message == given["witness_signed_text"]
    cosigned = note.NoteSignature(
        name=witness.name,
        key_id=witness.key_id,
        sig=time.to_bytes(8) + keys["witness1"].sign(message.encode()),
    )
    whole = note.with_lines(signed, [anchored, cosigned])
    assert whole.text() == given["text"]
    assert len(whole.text().encode()) == given["bytes"]
    parsed = note.parse_checkpoint(given["text"])
    assert parsed == whole
    log_key = note.VerifierKey.parse(example["note_keys"]["log"])
    log_id = bytes.fromhex(example["contract"]["log_id"])
    note.verify_log_signature(parsed, [log_key], [(log_id, signer)], anchored=True)
    policy = note.WitnessPolicy.parse(f"witness w1 {witness.text()}\nquorum w1\n")
    assert note.verify_cosignatures(parsed, policy) == {"w1"}


def test_inclusion_proofs(example: Example, entries: list[Entry]) -> None:
    """The proofs of the bundle are built from the log and hold."""
    leaves = [entry.leaf for entry in entries]
    root = root_of(leaves)
    for item in [*example["bundle"]["entries"], example["bundle"]["index"]["item"]]:
        proof = inclusion_proof(item["index"], 11, node_of(leaves))
        assert [b64encode(h) for h in proof] == item["proof"]
        assert canonical_bytes(item["entry"]) == entries[item["index"]].raw
        verify_inclusion(leaves[item["index"]], index=item["index"], size=11, proof=proof, root=root)


def test_key_files(example: Example, keys: dict[str, SigningKey]) -> None:
    """The sealed key file opens with its password only, the open one without; each public member is sealed in."""
    given = example["key_file"]
    opened = files.unseal(given["sealed"], lambda: given["password"])
    assert opened.seed() == keys["farmer"].seed()
    assert files.unseal(given["open"], lambda: pytest.fail("no password is needed")).seed() == opened.seed()
    header = {name: part for name, part in given["sealed"].items() if name != "secret"}
    assert canonical_bytes(header).decode() == given["associated_data"]
    with pytest.raises(AccessError):
        files.unseal(given["sealed"], lambda: given["password"] + " ")
    with pytest.raises(AccessError):
        files.unseal(given["sealed"] | {"custody": "device"}, lambda: given["password"])
    assert files.seal(opened, custody="file", password=None) == given["open"]
    for mixed in (given["open"] | {"kdf": given["sealed"]["kdf"]}, given["sealed"] | {"cipher": None}):
        with pytest.raises(InputError):
            files.unseal(mixed, lambda: given["password"])


def test_a_sealed_key_file_is_made_the_same(
    example: Example, keys: dict[str, SigningKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the example's salt and nonce, sealing gives the example's file."""
    sealed = example["key_file"]["sealed"]
    parts = [files.b64u_decode(sealed["kdf"]["salt"]), files.b64u_decode(sealed["cipher"]["nonce"])]
    monkeypatch.setattr(files.secrets, "token_bytes", lambda size: parts.pop(0))
    made = files.seal(
        keys["farmer"], custody="file", password=example["key_file"]["password"], n=sealed["kdf"]["n"]
    )
    assert made == sealed


def test_the_bundle_comes_back(example: Example) -> None:
    """Reading the bundle and writing it again gives its canonical bytes."""
    data = canonical_bytes(example["bundle"])
    for text in (data, json.dumps(example["bundle"], default=float, indent=1).encode()):
        assert Bundle.parse(text).encode() == data
    assert Bundle.parse(data).to_json() == example["bundle"] == parse_canonical(data, limit=1 << 20)


def test_the_trust_file_comes_back(example: Example) -> None:
    """The trust file pins origin and genesis."""
    trust = Trust.parse(json.dumps(example["trust"]).encode())
    assert (trust.origin, trust.genesis) == (example["origin"], example["log_entries"][0]["id"])
    assert json.loads(trust.encode()) == example["trust"]


def test_expected_rungs(example: Example) -> None:
    """Each rung is as expected, and so are ok and the exit code."""
    report = verify_bundle(
        Bundle.parse(canonical_bytes(example["bundle"])),
        trust=Trust.parse(json.dumps(example["trust"]).encode()),
    )
    assert {name: rung.result for name, rung in report.rungs.items()} == example["expected"]["rungs"]
    assert tuple(report.rungs) == RUNGS
    assert (report.ok, report.exit_code) == (example["expected"]["ok"], example["expected"]["exit"])
    assert report.reason is None
    assert list(report.subjects) == [example["bundle"]["subject"]]


def test_asking_for_the_chain_without_an_anchor(example: Example) -> None:
    """The bundle has no anchor: who asks an endpoint cannot be told, exit 4; ok stays true."""
    report = verify_bundle(
        Bundle.parse(canonical_bytes(example["bundle"])),
        trust=Trust.parse(json.dumps(example["trust"]).encode()),
        observations={},
    )
    assert (report.ok, report.exit_code) == (True, 4)
    assert report.rungs["ANCHORED"].reason == "anchor-pending"


def test_expected_findings(example: Example, entries: list[Entry]) -> None:
    """The log yields the expected findings and no other."""
    found = findings_of(enumerate(entries), example["origin"]).found
    assert [{"code": item.code, "index": item.index} for item in found] == example["expected"]["findings"]


def test_a_bundle_that_is_none(example: Example) -> None:
    """The example without one member is malformed."""
    for name in example["bundle"]:
        short = {key: part for key, part in example["bundle"].items() if key != name}
        with pytest.raises(InputError) as caught:
            Bundle.parse(canonical_bytes(short))
        assert caught.value.code == "bundle-shape"


def test_kid_text(example: Example, keys: dict[str, SigningKey]) -> None:
    """Keys in statements are the base64url text of the public key."""
    farmer = json.loads(example["log_entries"][3]["payload"])
    assert farmer["pk"] == b64u_encode(keys["farmer"].public)
    assert b64decode(example["bundle"]["entries"][0]["entry"]["adm"]["reg"][1]) == bytes.fromhex(
        example["log_entries"][6]["registry_chain_after"]
    )
