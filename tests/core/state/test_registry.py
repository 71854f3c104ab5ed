# SPDX-License-Identifier: Apache-2.0
"""The registry: each rule of the table kept once and broken each way, and what void entries leave behind."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledgerkit import Ledger, founded
from core.statements import (
    ORIGIN,
    actor_key,
    anchor_place,
    grant,
    key,
    log_key,
    org,
    pk,
    policy,
    revoke,
    root,
    sealed,
    signed,
    witness_key,
    witness_line,
)
from traceledger.core.log.entry import CHAIN_START, Entry, next_chain
from traceledger.core.sign.encoding import b64u_encode
from traceledger.core.sign.envelope import Envelope, Signature
from traceledger.core.state.registry import Registry
from traceledger.errors import VerificationError

Json = dict[str, Any]


def state_of(registry: Registry) -> Json:
    """All that authority depends on."""
    names = ("root", "policy", "orgs", "keys", "grants", "roles")
    return {name: copy.deepcopy(getattr(registry, name)) for name in names}


def put(ledger: Ledger, statement: object, family: str, *names: str) -> str | None:
    """Log a statement; return the reason it is void, or None. A void one must change nothing but the chain."""
    before, head = state_of(ledger.registry), ledger.registry.head
    refused = admitted(ledger, signed(statement, family, *names))
    index = ledger.put(statement, family, *names)
    entry = ledger.entries[index]
    assert ledger.registry.head == (head[0] + 1, next_chain(head[1], entry.leaf))
    void = dict(ledger.registry.voids).get(index)
    assert void == refused, "admission must refuse exactly what the fold voids"
    assert void is None or state_of(ledger.registry) == before
    return void


def admitted(ledger: Ledger, envelope: Envelope) -> str | None:
    """Return the reason admission gives for refusing *envelope*, and check that refusing changes nothing."""
    registry = copy.deepcopy(ledger.registry)
    before, head = state_of(registry), registry.head
    entry = Entry.make(envelope, reg=head, t=0)
    try:
        registry.admit(ledger.size, entry)
    except VerificationError as error:
        assert (state_of(registry), registry.head, registry.voids) == (before, head, ledger.registry.voids)
        return error.code
    return None


def fresh(*roots: str, threshold: int = 1) -> Ledger:
    """A log with nothing but its genesis root."""
    ledger = Ledger()
    ledger.put(root(*roots, threshold=threshold), "root", *roots[:threshold])
    assert ledger.registry.voids == []
    return ledger


# --- genesis


def test_the_genesis_root() -> None:
    """Entry 0 founds the log: version 1, signed by its own threshold."""
    ledger = fresh("a", "b", "c", threshold=2)
    made = ledger.registry.root
    assert made is not None
    assert (made.version, made.threshold, set(made.keys)) == (1, 2, {key(n).kid for n in "abc"})
    assert ledger.registry.head == (1, next_chain(CHAIN_START, ledger.entries[0].leaf))


@pytest.mark.parametrize(
    ("statement", "family", "names", "code"),
    [
        (root("a", version=2), "root", "a", "version"),
        (root("a", version=0), "root", "a", "version"),
        (root("a", "b", threshold=2), "root", "a", "threshold"),
        (root("a", threshold=2), "root", "a", "threshold"),
        (root("a"), "root", "b", "registry-void"),
        (root("a"), "root", "ab", "registry-void"),
        (root("a") | {"log": "other.example"}, "root", "a", "wrong-log"),
        (root("a") | {"x": 1}, "root", "a", "statement-shape"),
        (root("a", "b") | {"keys": sorted([pk("a"), pk("b")])[::-1]}, "root", "a", "statement-shape"),
        (policy(), "policy", "a", "registry-void"),
        (org("farm"), "org", "a", "registry-void"),
        (revoke(org="farm"), "revoke", "a", "registry-void"),
    ],
)
def test_a_log_that_does_not_begin_well(statement: Json, family: str, names: str, code: str) -> None:
    """Anything else as entry 0 is void, and then nothing can ever be valid."""
    ledger = Ledger()
    assert put(ledger, statement, family, *names) == code
    assert put(ledger, root("a"), "root", "a") == "registry-void"
    assert put(ledger, policy(), "policy", "a") == "registry-void"
    assert ledger.registry.root is None


def test_a_root_below_a_first_entry_of_another_kind() -> None:
    """The genesis root is entry 0 of the log, not just the first root."""
    registry = Registry(ORIGIN)
    entry = Entry.make(signed(root("a"), "root", "a"), reg=(0, CHAIN_START), t=0)
    assert registry.apply(1, entry) == "registry-void"
    assert registry.root is None


# --- rotation of the root

ROTATIONS = [
    # old keys, old threshold, new keys, new threshold, signers, reason
    ("a", 1, "b", 1, "ab", None),
    ("a", 1, "b", 1, "b", "threshold"),
    ("a", 1, "b", 1, "a", "threshold"),
    ("a", 1, "ab", 2, "ab", None),
    ("a", 1, "ab", 2, "a", "threshold"),
    ("a", 1, "ab", 1, "a", None),
    ("ab", 2, "abc", 2, "ab", None),
    ("ab", 2, "abc", 2, "ac", "threshold"),
    ("ab", 2, "abc", 3, "ab", "threshold"),
    ("ab", 2, "abc", 3, "abc", None),
    ("ab", 2, "cd", 2, "abcd", None),
    ("ab", 2, "cd", 2, "acd", "threshold"),
    ("ab", 2, "cd", 2, "abc", "threshold"),
    ("abc", 2, "abd", 2, "ab", None),
    ("abc", 2, "abd", 2, "ac", "threshold"),
    ("abc", 2, "abd", 2, "cd", "threshold"),
    ("abc", 2, "abd", 2, "acd", None),
    ("abc", 2, "abc", 1, "ab", None),
    ("abc", 2, "abc", 1, "a", "threshold"),
    ("abc", 2, "abc", 2, "abe", "registry-void"),
    ("abc", 2, "a", 1, "abc", None),
]


@pytest.mark.parametrize(("old", "need", "new", "wanted", "signers", "code"), ROTATIONS)
def test_root_rotation(old: str, need: int, new: str, wanted: int, signers: str, code: str | None) -> None:
    """A new root needs its own threshold of new keys and the old threshold of old keys, and nobody else."""
    ledger = fresh(*old, threshold=need)
    assert put(ledger, root(*new, version=2, threshold=wanted), "root", *signers) == code
    made = ledger.registry.root
    assert made is not None
    assert made.version == (1 if code else 2)
    # what decides next is the root that stands
    deciders = (old, need) if code else (new, wanted)
    assert put(ledger, policy(), "policy", *deciders[0][: deciders[1]]) is None


@pytest.mark.parametrize("version", [0, 1, 3, 2**53 - 1])
def test_root_versions_go_up_by_one(version: int) -> None:
    """Neither back, nor the same again, nor a leap."""
    assert put(fresh("a"), root("a", version=version), "root", "a") == "version"


def test_an_old_root_key_decides_nothing_more_but_keeps_its_role() -> None:
    """A key once root may come back as root, never as an admin or actor."""
    ledger = fresh("a")
    assert put(ledger, root("b", version=2), "root", "a", "b") is None
    assert put(ledger, policy(), "policy", "a") == "registry-void"
    assert put(ledger, org("farm", "a"), "org", "a", "b") == "key-reused"
    assert put(ledger, root("a", version=3), "root", "a", "b") is None
    assert put(ledger, policy(), "policy", "a") is None


def test_a_point_that_is_no_key_cannot_be_root() -> None:
    """Small-order and malformed points are refused, though others would sign for the threshold."""
    for encoded in (bytes(32), b"\xff" * 32, (1).to_bytes(32, "little")):
        keys = sorted([pk("a"), b64u_encode(encoded)])
        assert put(Ledger(), root("a") | {"keys": keys}, "root", "a") == "signature-form"


# --- policy


def test_a_policy() -> None:
    """Log keys, witnesses and chains are taken over as stated."""
    ledger = fresh("a")
    statement = policy(
        anchors=[anchor_place()],
        witnesses=witness_line("w") + "quorum w\n",
        log_keys=[{"vkey": log_key("old").text(), "until": 10}, {"vkey": log_key().text()}],
        max_silence=60,
    )
    assert put(ledger, statement, "policy", "a") is None
    made = ledger.registry.policy
    assert made is not None
    assert made.keys_for(10) == [log_key("old"), log_key()]
    assert made.keys_for(11) == [log_key()]
    assert made.witnesses.quorum == "w"
    assert made.max_silence == 60
    (place,) = made.anchors
    assert f"0x{place.contract.hex()}" == anchor_place()["contract"]
    assert f"0x{place.signer.hex()}" == anchor_place()["signer"]


@pytest.mark.parametrize(
    ("change", "signers", "code"),
    [
        ({}, "a", "threshold"),
        ({}, "ax", "registry-void"),
        ({}, "x", "registry-void"),
        ({"version": 2}, "ab", "version"),
        ({"version": 0}, "ab", "version"),
        ({"log": "other.example"}, "ab", "wrong-log"),
        ({"log_keys": []}, "ab", "statement-shape"),
        ({"log_keys": [{"vkey": "nothing"}]}, "ab", "note-syntax"),
        ({"log_keys": [{"vkey": witness_key("w").text()}]}, "ab", "registry-void"),
        ({"witnesses": "quorum nobody"}, "ab", "note-syntax"),
        ({"anchors": [anchor_place() | {"chain": "ethereum"}]}, "ab", "statement-shape"),
    ],
)
def test_a_policy_that_is_void(change: Json, signers: str, code: str) -> None:
    """Each rule broken once; the policy before stays in force."""
    ledger = fresh("a", "b", threshold=2)
    assert put(ledger, policy() | change, "policy", *signers) == code
    assert put(ledger, policy(), "policy", "a", "b") is None


def test_policies_follow_each_other() -> None:
    """Version by version; the newest alone counts."""
    ledger = fresh("a")
    assert put(ledger, policy(), "policy", "a") is None
    assert put(ledger, policy(), "policy", "a") == "version"
    assert put(ledger, policy(version=3), "policy", "a") == "version"
    assert put(ledger, policy(version=2, max_silence=1), "policy", "a") is None
    assert ledger.registry.policy is not None
    assert ledger.registry.policy.max_silence == 1


# --- organisations


@pytest.mark.parametrize(
    ("statement", "signers", "code"),
    [
        (org("farm", "x"), ("a", "x"), "threshold"),
        (org("farm", "x"), ("a", "b"), "pop-missing"),
        (org("farm", "x", "y"), ("a", "b", "x"), "pop-missing"),
        (org("farm", "x"), ("x",), "threshold"),
        (org("farm", "x"), ("a", "b", "x", "y"), "registry-void"),
        (org("farm", "x", version=2), ("a", "b", "x"), "version"),
        (org("farm", "a"), ("a", "b"), "key-reused"),
        (org("farm", "x") | {"log": "other.example"}, ("a", "b", "x"), "wrong-log"),
        (org("farm", "x", roles=["king"]), ("a", "b", "x"), "statement-shape"),
        (org("farm", "x") | {"admins": [b64u_encode(bytes(32))]}, ("a", "b"), "signature-form"),
    ],
)
def test_an_organisation_that_is_void(statement: Json, signers: tuple[str, ...], code: str) -> None:
    """Root and each new admin sign, each proving its key; nobody else does."""
    ledger = fresh("a", "b", threshold=2)
    assert put(ledger, statement, "org", *signers) == code
    assert ledger.registry.orgs == {}
    assert put(ledger, org("farm", "x"), "org", "a", "b", "x") is None


def test_an_organisation_changes() -> None:
    """An admin that stays need not sign again and may not; one that comes must."""
    ledger = fresh("a")
    assert put(ledger, org("farm", "x", ids={"gs1": "952"}, roles=["authority"]), "org", "a", "x") is None
    assert put(ledger, org("farm", "x", version=1), "org", "a", "x") == "version"
    assert put(ledger, org("farm", "x", "y", version=2), "org", "a") == "pop-missing"
    assert put(ledger, org("farm", "x", "y", version=2), "org", "a", "x", "y") == "registry-void"
    assert put(ledger, org("farm", "x", "y", version=2), "org", "a", "y") is None
    made = ledger.registry.orgs["farm"]
    assert set(made.admins) == {key("x").kid, key("y").kid}
    assert (made.ids, made.roles, made.version) == ({}, (), 2)


def test_an_admin_let_go_manages_nothing_and_stays_an_admin_of_this_organisation() -> None:
    """Its role is taken for ever: another organisation cannot have the key, this one may take it back."""
    ledger = fresh("a")
    put(ledger, org("farm", "x", "y"), "org", "a", "x", "y")
    assert put(ledger, org("farm", "y", version=2), "org", "a") is None
    assert put(ledger, actor_key("farm", "k"), "key", "x", "k") == "registry-void"
    assert put(ledger, org("shop", "x"), "org", "a", "x") == "key-reused"
    assert put(ledger, actor_key("farm", "x"), "key", "y", "x") == "key-reused"
    assert put(ledger, org("farm", "x", "y", version=3), "org", "a") == "pop-missing"
    assert put(ledger, org("farm", "x", "y", version=3), "org", "a", "x") is None


# --- keys


@pytest.mark.parametrize(
    ("statement", "signers", "code"),
    [
        (actor_key("farm", "k"), ("farm admin", "k"), None),
        (actor_key("farm", "k"), ("root", "k"), None),
        (actor_key("farm", "k"), ("root", "farm admin", "k"), None),
        (actor_key("farm", "k"), ("farm admin",), "pop-missing"),
        (actor_key("farm", "k"), ("root",), "pop-missing"),
        (actor_key("farm", "k"), ("k",), "threshold"),
        (actor_key("farm", "k"), ("operator admin", "k"), "registry-void"),
        (actor_key("farm", "k"), ("farm", "k"), "registry-void"),
        (actor_key("farm", "k"), ("farm admin", "k", "z"), "registry-void"),
        (actor_key("nobody", "k"), ("root", "k"), "registry-void"),
        (actor_key("farm", "farm"), ("farm admin", "farm"), "key-reused"),
        (actor_key("operator", "farm"), ("operator admin", "farm"), "key-reused"),
        (actor_key("farm", "farm admin"), ("farm admin",), "key-reused"),
        (actor_key("farm", "root"), ("farm admin", "root"), "key-reused"),
        (actor_key("farm", "k") | {"log": "x.example"}, ("farm admin", "k"), "wrong-log"),
        (actor_key("farm", "k", acts=["everything"]), ("farm admin", "k"), "statement-shape"),
        (actor_key("farm", "k") | {"pk": b64u_encode(bytes(32))}, ("farm admin",), "signature-form"),
    ],
)
def test_registering_a_key(statement: Json, signers: tuple[str, ...], code: str | None) -> None:
    """An admin or root, and the key itself, sign; a key has one role and one registration for ever."""
    ledger = founded()
    assert put(ledger, statement, "key", *signers) == code
    if code is None:
        made = ledger.registry.signer(key("k").kid)
        assert (made.org, made.public, made.acts, made.sites) == ("farm", key("k").public, ("*",), ("*",))
        assert ledger.registry.is_active(made)
        assert put(ledger, statement, "key", *signers) == "key-reused"


def test_root_needs_its_threshold_to_register_a_key() -> None:
    """One of two root keys is not root; with an admin beside it, the admin is enough."""
    ledger = fresh("r1", "r2", threshold=2)
    assert put(ledger, org("farm", "x"), "org", "r1", "r2", "x") is None
    assert put(ledger, actor_key("farm", "k"), "key", "r1", "k") == "threshold"
    assert put(ledger, actor_key("farm", "k"), "key", "r1", "x", "k") is None
    assert put(ledger, actor_key("farm", "m"), "key", "r1", "r2", "m") is None


def test_an_unknown_signer_is_named() -> None:
    """A key id nobody registered is refused as unknown."""
    with pytest.raises(VerificationError) as caught:
        founded().registry.signer(key("stranger").kid)
    assert caught.value.code == "key-unknown"


# --- grants


@pytest.mark.parametrize(
    ("statement", "signers", "code"),
    [
        (grant("farm", "operator"), ("farm admin",), None),
        (grant("farm", "farm"), ("farm admin",), None),
        (grant("farm", "operator"), ("root",), "registry-void"),
        (grant("farm", "operator"), ("root", "farm admin"), "registry-void"),
        (grant("farm", "operator"), ("operator admin",), "registry-void"),
        (grant("farm", "operator"), ("farm",), "registry-void"),
        (grant("farm", "stranger"), ("farm admin",), "key-unknown"),
        (grant("farm", "farm admin"), ("farm admin",), "key-unknown"),
        (grant("nobody", "operator"), ("farm admin",), "registry-void"),
        (grant("farm", "operator") | {"log": "x.example"}, ("farm admin",), "wrong-log"),
        (grant("farm", "operator", acts=["x"]), ("farm admin",), "statement-shape"),
    ],
)
def test_granting(statement: Json, signers: tuple[str, ...], code: str | None) -> None:
    """An admin of the organisation lets a registered key of anyone speak for it; root cannot."""
    ledger = founded()
    assert put(ledger, statement, "grant", *signers) == code
    if code is None:
        made = ledger.registry.grants[ledger.id(ledger.size - 1)]
        assert (made.org, made.until, made.revoked) == ("farm", None, None)
        assert put(ledger, statement, "grant", *signers) == "statement-repeated"


# --- revocations


def enrolled() -> Ledger:
    """The founded log with a grant of farm to the operator's key as entry 6."""
    ledger = founded()
    assert put(ledger, grant("farm", "operator"), "grant", "farm admin") is None
    return ledger


def targets(ledger: Ledger) -> dict[str, dict[str, str]]:
    """One target of each sort, all of the farm."""
    return {
        "kid": {"kid": key("farm").kid},
        "grant": {"grant": ledger.id(ledger.size - 1)},
        "org": {"org": "farm"},
    }


@pytest.mark.parametrize("sort", ["kid", "grant", "org"])
@pytest.mark.parametrize(
    ("signers", "code"),
    [
        (("farm admin",), None),
        (("root",), None),
        (("root", "farm admin"), None),
        (("operator admin",), "registry-void"),
        (("farm",), "registry-void"),
        (("farm admin", "operator admin"), "registry-void"),
    ],
)
def test_revoking(sort: str, signers: tuple[str, ...], code: str | None) -> None:
    """An admin of the target's organisation, or root; strangers and the key itself cannot."""
    ledger = enrolled()
    assert put(ledger, revoke(**targets(ledger)[sort]), "revoke", *signers) == code
    registry = ledger.registry
    farm, given_ = registry.keys[key("farm").kid], registry.grants[ledger.id(6)]
    assert registry.is_active(farm) == (code is not None or sort == "grant")
    assert (given_.revoked is None) == (code is not None or sort != "grant")
    assert (registry.orgs["farm"].revoked is None) == (code is not None or sort != "org")


@pytest.mark.parametrize(
    "target",
    [
        {"kid": key("stranger").kid},
        {"kid": key("farm admin").kid},
        {"kid": key("root").kid},
        {"grant": "a" * 64},
        {"org": "nobody"},
    ],
)
def test_revoking_what_is_not_there(target: dict[str, str]) -> None:
    """Only registered actor keys, grants and organisations can be revoked."""
    assert put(enrolled(), revoke(**target), "revoke", "root") == "registry-void"


def test_half_a_root_revokes_nothing() -> None:
    """Root means its threshold."""
    ledger = fresh("r1", "r2", threshold=2)
    put(ledger, org("farm", "x"), "org", "r1", "r2", "x")
    assert put(ledger, revoke(org="farm"), "revoke", "r1") == "threshold"
    assert put(ledger, revoke(org="farm"), "revoke", "r1", "r2") is None


def test_a_revoked_organisation_is_inactive_with_all_it_has() -> None:
    """Its keys and roles lapse, its admins decide nothing more, and a new version does not bring it back."""
    ledger = founded()
    assert put(ledger, revoke(org="operator"), "revoke", "operator admin") is None
    registry = ledger.registry
    assert not registry.is_active(registry.keys[key("operator").kid])
    assert not registry.has_role("operator", "operator")
    assert put(ledger, actor_key("operator", "k"), "key", "operator admin", "k") == "registry-void"
    assert put(ledger, grant("operator", "farm"), "grant", "operator admin") == "registry-void"
    assert put(ledger, revoke(kid=key("operator").kid), "revoke", "operator admin") == "registry-void"
    assert put(ledger, org("operator", version=2, roles=["operator"]), "org", "root") is None
    assert not registry.has_role("operator", "operator")
    assert registry.is_active(registry.keys[key("farm").kid])


@pytest.mark.parametrize(
    ("marks", "wanted"),
    [
        ([None], None),
        ([5], 5),
        ([5, 3], 3),
        ([3, 5], 3),
        ([None, 4], 4),
        ([4, None], 4),
        ([9, None, 7, 8], 7),
        ([0], 0),
    ],
)
def test_the_earliest_suspicion_counts(marks: list[int | None], wanted: int | None) -> None:
    """Of several revocations of a key the smallest suspect_from holds, and a later one cannot raise it."""
    ledger = founded()
    kid = key("farm").kid
    assert ledger.registry.suspect_from(kid) is None
    for number, mark in enumerate(marks):
        assert put(ledger, revoke(mark, kid=kid) | {"reason": str(number)}, "revoke", "root") is None
    assert ledger.registry.suspect_from(kid) == wanted
    assert ledger.registry.keys[kid].revoked is not None


def test_suspicion_of_an_organisation_is_that_of_its_keys() -> None:
    """The earlier of the key's and the organisation's counts."""
    ledger = founded()
    kid = key("farm").kid
    assert put(ledger, revoke(8, kid=kid), "revoke", "root") is None
    assert put(ledger, revoke(6, org="farm"), "revoke", "root") is None
    assert ledger.registry.suspect_from(kid) == 6
    assert ledger.registry.suspect_from(key("operator").kid) is None


# --- signatures and entries that say something else


@pytest.mark.parametrize("family", ["root", "policy", "org", "key", "grant", "revoke"])
def test_every_signature_of_a_registry_statement_must_verify(family: str) -> None:
    """One bad signature among good ones makes the statement void."""
    cases: dict[str, tuple[Json, tuple[str, ...]]] = {
        "root": (root("root", "r2", version=2), ("root", "r2")),
        "policy": (policy(version=2), ("root",)),
        "org": (org("shop", "x"), ("root", "x")),
        "key": (actor_key("farm", "k"), ("farm admin", "k")),
        "grant": (grant("farm", "operator"), ("farm admin",)),
        "revoke": (revoke(org="farm"), ("root", "farm admin")),
    }
    statement, names = cases[family]
    good = signed(statement, family, *names)
    assert admitted(founded(), good) is None
    for at in range(len(names)):
        signatures = list(good.signatures)
        bad = bytearray(signatures[at].sig)
        bad[0] ^= 1
        signatures[at] = Signature(kid=signatures[at].kid, sig=bytes(bad))
        ledger = founded()
        index = ledger.append(Envelope(good.payload, family, tuple(signatures)))
        assert dict(ledger.registry.voids)[index] in ("signature-invalid", "signature-form")


def test_signatures_of_another_family_do_not_count() -> None:
    """The payload type is signed: a grant cannot be passed off as a revocation."""
    good = signed(revoke(org="farm"), "revoke", "root")
    ledger = founded()
    index = ledger.append(Envelope(good.payload, "grant", good.signatures))
    assert dict(ledger.registry.voids)[index] == "statement-shape"
    index = ledger.append(
        Envelope(signed(policy(version=2), "root", "root").payload, "policy", good.signatures)
    )
    assert dict(ledger.registry.voids)[index] in ("signature-invalid", "signature-form")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'{"a":1} ', b'{"b":1,"a":1}', b'{"a":"\\ud800"}'])
def test_what_is_no_statement_is_void(payload: bytes) -> None:
    """Bytes that decode to nothing stay in the chain and change nothing."""
    ledger = founded()
    before, head = state_of(ledger.registry), ledger.registry.head
    index = ledger.append(sealed(payload, "policy", "root"))
    assert [i for i, _ in ledger.registry.voids] == [index]
    assert state_of(ledger.registry) == before
    assert ledger.registry.head == (head[0] + 1, next_chain(head[1], ledger.entries[index].leaf))


# --- random histories

_NAMES = ["root", "r2", "farm admin", "shop admin", "farm", "shop", "k1", "k2", "operator"]
_STATEMENTS: list[tuple[Json, str]] = [
    (root("root", version=2), "root"),
    (root("root", "r2", version=2, threshold=2), "root"),
    (root("r2", version=3), "root"),
    (policy(version=2), "policy"),
    (policy(version=3), "policy"),
    (org("shop"), "org"),
    (org("shop", "shop admin", "farm admin", version=2), "org"),
    (org("farm", "farm admin", "k2", version=2), "org"),
    (actor_key("shop", "shop"), "key"),
    (actor_key("farm", "k1"), "key"),
    (actor_key("shop", "k1"), "key"),
    (grant("farm", "shop"), "grant"),
    (grant("shop", "k1"), "grant"),
    (revoke(3, org="farm"), "revoke"),
    (revoke(kid=key("k1").kid), "revoke"),
    (revoke(kid=key("farm").kid), "revoke"),
]


@given(st.lists(st.tuples(st.sampled_from(range(len(_STATEMENTS))), st.sets(st.sampled_from(_NAMES), min_size=1, max_size=3)), max_size=14))  # fmt: skip
def test_histories(steps: list[tuple[int, set[str]]]) -> None:
    """In any history each entry is valid or void, voids change nothing, and a fold over all gives the same state."""
    ledger = founded()
    for number, names in steps:
        statement, family = _STATEMENTS[number]
        put(ledger, statement, family, *sorted(names))
    again = Registry(ORIGIN)
    for index, entry in enumerate(ledger.entries):
        assert entry.reg == again.head
        again.apply(index, entry)
    assert state_of(again) == state_of(ledger.registry)
    assert again.voids == ledger.registry.voids
    roles = [set(again.root.keys) if again.root else set(), set(again.keys)]
    roles += [set(found.admins) for found in again.orgs.values()]
    assert sum(map(len, roles)) == len(set().union(*roles)), "a key has one role"
