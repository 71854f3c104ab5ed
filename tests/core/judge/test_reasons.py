# SPDX-License-Identifier: Apache-2.0
"""Every reason code that verification can give, from the smallest change to a good bundle."""

from collections.abc import Callable
from typing import Any

import pytest

from core.judge.conftest import World, judge, reasons
from core.ledgerkit import (
    CHAIN,
    FARM,
    LOT,
    ORIGIN,
    ROLL,
    Ledger,
    event,
    founded,
    grant,
    issue,
    key,
    log_key,
    lot,
    org,
    policy,
    quantities,
    revoke,
    signed,
    stamp_part,
)
from traceledger.core.judge.bundle import Trust
from traceledger.core.log.anchor import Observation
from traceledger.core.log.entry import Entry
from traceledger.core.reasons import REASONS
from traceledger.core.sign.encoding import b64decode, b64encode
from traceledger.errors import InputError, VerificationError

Json = dict[str, Any]
Case = Callable[[World], tuple[Json, Json]]
"""World → (bundle, options of the judge)."""

CASES: dict[str, tuple[str, str, Case]] = {}
"""Name → (rung, reason, case); a name begins with its reason."""


def case(rung: str, name: str) -> Callable[[Callable[[World], Any]], Callable[[World], Any]]:
    """Register a case that returns a bundle, or a bundle and options."""

    def register(make: Callable[[World], Any]) -> Callable[[World], Any]:
        def run(world: World) -> tuple[Json, Json]:
            made = make(world)
            return made if isinstance(made, tuple) else (made, {})

        assert name not in CASES
        CASES[name] = (rung, name.split(":")[0], run)
        return make

    return register


def with_entry(world: World, change: Callable[[Json], object]) -> Json:
    """The full bundle with the harvest's entry changed."""
    bundle = world.bundle()
    change(bundle["entries"][0]["entry"])
    return bundle


def log_of(*steps: Callable[[Ledger], object], index: bool = True) -> Json:
    """A bundle of a fresh log in which *steps* happened after the harvest."""
    ledger = founded()
    ledger.say("harvest", LOT)
    for step in steps:
        step(ledger)
    if index:
        ledger.index()
    return ledger.bundle()


def raw(payload: bytes) -> Callable[[Json], object]:
    """A change that puts other bytes into an entry's envelope."""
    return lambda entry: entry["env"].update(payload=b64encode(payload))


# --- SIGNED: what does not decode

for _name, _payload in {
    "json-syntax": b"{",
    "json-syntax: not UTF-8": b'{"a":"\xff"}',
    "json-duplicate": b'{"a":1,"a":1}',
    "json-number": b'{"a":1.0}',
    "json-surrogate": b'{"a":"\\ud800"}',
    "json-depth": b"[" * 40 + b"]" * 40,
    "not-canonical": b'{"b":1,"a":1}',
    "too-large": b" " * 16_385,
    "statement-shape: no object": b"[]",
}.items():
    case("SIGNED", _name)(lambda world, payload=_payload: with_entry(world, raw(payload)))

for _name, _change in {
    "envelope-shape": lambda entry: entry["env"].update(extra=1),
    "envelope-shape: two signatures": lambda entry: entry["env"].update(
        signatures=entry["env"]["signatures"] * 2
    ),
    "base64": lambda entry: entry["env"].update(payload="*"),
    "payload-type": lambda entry: entry["env"].update(payloadType="application/vnd.traceledger.wish.v1+json"),
    "signature-form: short": lambda entry: entry["env"]["signatures"][0].update(sig="AAAA"),
    "entry-shape": lambda entry: entry["adm"].update(extra=1),
    "entry-shape: reg": lambda entry: entry["adm"].update(reg=[1]),
}.items():
    case("SIGNED", _name)(lambda world, change=_change: with_entry(world, change))


@case("SIGNED", "json-syntax: a registry entry")
def _(world: World) -> Json:
    bundle = world.bundle()
    raw(b"no")(bundle["registry"]["whole"][3]["entry"])
    return bundle


@case("SIGNED", "json-syntax: the index record")
def _(world: World) -> Json:
    bundle = world.bundle()
    raw(b"no")(bundle["index"]["item"]["entry"])
    return bundle


# --- SIGNED: what decodes and is not valid

for _name, _statement in {
    "statement-shape": event("observe", quantityList=quantities(LOT)) | {"tl:seen": [1]},
    "context-open": event("observe", quantityList=quantities(LOT)) | {"mystery": 1},
    "kind-mismatch": event("observe", quantityList=quantities(LOT)) | {"action": "ADD"},
    "wrong-log": event("observe", quantityList=quantities(LOT)) | {"tl:log": "other.example"},
}.items():
    case("SIGNED", _name)(
        lambda world, statement=_statement: log_of(lambda ledger: ledger.put(statement, "event", "farm"))
    )


@case("SIGNED", "key-unknown")
def _(world: World) -> Json:
    return log_of(lambda ledger: ledger.say("observe", LOT, signer="stranger"))


@case("SIGNED", "key-unknown: registered only later")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.say("observe", LOT, actor="shop"),
        lambda ledger: ledger.enrol("shop"),
    )


@case("SIGNED", "key-unknown: an admin")
def _(world: World) -> Json:
    return log_of(lambda ledger: ledger.say("observe", LOT, signer="farm admin"))


@case("SIGNED", "key-unknown: its registration was void")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.put(org("shop"), "org", "shop admin"),
        lambda ledger: ledger.say("observe", LOT, actor="shop"),
    )


@case("SIGNED", "signature-invalid")
def _(world: World) -> Json:
    def change(entry: Json) -> None:
        entry["env"]["signatures"][0]["sig"] = b64encode(key("farm").sign(b"something else"))

    return with_entry(world, change)


@case("SIGNED", "signature-invalid: of another statement")
def _(world: World) -> Json:
    bundle = world.bundle()
    other = bundle["entries"][1]["entry"]["env"]["signatures"]
    bundle["entries"][0]["entry"]["env"]["signatures"] = other
    return bundle


@case("SIGNED", "signature-form")
def _(world: World) -> Json:
    def change(entry: Json) -> None:
        sig = bytearray(b64decode(entry["env"]["signatures"][0]["sig"]))
        sig[63] |= 0xF0
        entry["env"]["signatures"][0]["sig"] = b64encode(bytes(sig))

    return with_entry(world, change)


@case("SIGNED", "key-revoked")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.put(revoke(kid=key("farm").kid), "revoke", "farm admin"),
        lambda ledger: ledger.say("observe", LOT),
    )


@case("SIGNED", "key-revoked: its organisation")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.put(revoke(org="farm"), "revoke", "root"),
        lambda ledger: ledger.say("observe", LOT),
    )


@case("SIGNED", "key-revoked: the operator's")
def _(world: World) -> Json:
    return log_of(lambda ledger: ledger.put(revoke(org="operator"), "revoke", "root"))


@case("SIGNED", "act-denied")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("shop", acts=["event/receive", "notice/*"]),
        lambda ledger: ledger.say("observe", LOT, actor="shop"),
    )


@case("SIGNED", "act-denied: another family")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("shop", acts=["notice/*", "stamp/sign"]),
        lambda ledger: ledger.say("observe", LOT, actor="shop"),
    )


@case("SIGNED", "act-denied: a star by no authority")
def _(world: World) -> Json:
    star = {"stars": 5, "decision": "own", "from": "2026-01-01", "to": "2027-01-01"}
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.state("credential", "star", star, about=["https://id.gs1.org/01/09521234567899"])
    return ledger.bundle(only=[6, 7])


@case("SIGNED", "act-denied: an index record by no operator")
def _(world: World) -> Json:
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.put(org("operator", version=2), "org", "root")
    ledger.index()
    return ledger.bundle()


@case("SIGNED", "act-denied: by the grant")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("clerk"),
        lambda ledger: ledger.put(grant("farm", "clerk", acts=["event/care"]), "grant", "farm admin"),
        lambda ledger: ledger.say("observe", LOT, signer="clerk"),
    )


@case("SIGNED", "site-denied")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("shop", sites=["https://id.gs1.org/414/9521234000020"]),
        lambda ledger: ledger.say("observe", LOT, actor="shop"),
    )


@case("SIGNED", "site-denied: no site at all")
def _(world: World) -> Json:
    def act(ledger: Ledger) -> None:
        statement = event("observe", actor="shop", quantityList=quantities(LOT))
        del statement["readPoint"]
        ledger.put(statement, "event", "shop")

    return log_of(lambda ledger: ledger.enrol("shop", sites=[FARM]), act)


@case("SIGNED", "site-denied: by the grant")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("clerk"),
        lambda ledger: ledger.put(grant("farm", "clerk", sites=["urn:x:1"]), "grant", "farm admin"),
        lambda ledger: ledger.say("observe", LOT, signer="clerk"),
    )


@case("SIGNED", "grant-missing")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("clerk"),
        lambda ledger: ledger.say("observe", LOT, signer="clerk"),
    )


@case("SIGNED", "grant-missing: taken back")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("clerk"),
        lambda ledger: ledger.put(grant("farm", "clerk"), "grant", "farm admin"),
        lambda ledger: ledger.put(revoke(grant=ledger.id(ledger.size - 1)), "revoke", "farm admin"),
        lambda ledger: ledger.say("observe", LOT, signer="clerk"),
    )


@case("SIGNED", "grant-missing: by a revoked organisation")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("clerk"),
        lambda ledger: ledger.put(grant("farm", "clerk"), "grant", "farm admin"),
        lambda ledger: ledger.put(revoke(org="farm"), "revoke", "root"),
        lambda ledger: ledger.say("observe", LOT, signer="clerk"),
    )


@case("SIGNED", "grant-expired")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.enrol("clerk"),
        lambda ledger: ledger.put(grant("farm", "clerk", until=ledger.time + 1), "grant", "farm admin"),
        lambda ledger: ledger.say("observe", LOT, signer="clerk"),
    )


@case("SIGNED", "statement-repeated")
def _(world: World) -> Json:
    return log_of(lambda ledger: ledger.append(ledger.entries[6].envelope))


@case("SIGNED", "index-position")
def _(world: World) -> Json:
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.index(size=6)
    return ledger.bundle()


@case("SIGNED", "private-mismatch")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["private"][0]["value"] = {"name": "somebody else"}
    return bundle


@case("SIGNED", "private-mismatch: of an entry not shown")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["private"][0]["index"] = 99
    return bundle


@case("SIGNED", "private-mismatch: of an entry without any")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["private"][0]["index"] = world.issued
    return bundle


# --- LINKED


def linked(prev: Callable[[Ledger], list[str]], *, of: Json | None = None, only: Any = None) -> Json:
    """A bundle whose last step names *prev*, written as it is."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.say("harvest", lot("L2"))
    statement = event("observe", number=99, quantityList=quantities(LOT), **(of or {}))
    ledger.put(statement | {"tl:prev": prev(ledger)}, "event", "farm")
    ledger.index()
    return ledger.bundle(only=only)


@case("LINKED", "prev-order")
def _(world: World) -> Json:
    return linked(lambda ledger: sorted([ledger.id(6), "f" * 64])[::-1])


@case("LINKED", "prev-order: twice")
def _(world: World) -> Json:
    return linked(lambda ledger: [ledger.id(6)] * 2)


@case("LINKED", "prev-order: own log by its long name")
def _(world: World) -> Json:
    return linked(lambda ledger: [f"{ORIGIN}/{ledger.id(6)}"])


@case("LINKED", "prev-unrelated")
def _(world: World) -> Json:
    return linked(lambda ledger: [ledger.id(7)], only=[6, 7, 8])


@case("LINKED", "prev-unrelated: a registry entry")
def _(world: World) -> Json:
    return linked(lambda ledger: [ledger.id(0)])


@case("LINKED", "prev-unknown")
def _(world: World) -> Json:
    ledger = founded()
    later = signed(event("observe", number=5, quantityList=quantities(LOT)), "event", "farm")
    ledger.put(event("harvest", quantityList=quantities(LOT), prev=[later.id]), "event", "farm")
    ledger.append(later)
    ledger.index()
    return ledger.bundle()


# --- LOGGED


def noted(world: World, change: Callable[[str], str]) -> Json:
    """The full bundle with its checkpoint's text changed."""
    bundle = world.bundle()
    bundle["checkpoint"] = change(bundle["checkpoint"])
    return bundle


@case("LOGGED", "note-syntax")
def _(world: World) -> Json:
    return noted(world, lambda text: text + "\n")


@case("LOGGED", "note-syntax: half a character")
def _(world: World) -> Json:
    return noted(world, lambda text: text.replace("\n\n", "\nx\n\n"))


@case("LOGGED", "note-origin")
def _(world: World) -> Json:
    return noted(world, lambda text: text.replace(ORIGIN, "other.example"))


@case("LOGGED", "note-signature")
def _(world: World) -> Json:
    return noted(world, lambda text: text.replace("\n10\n", "\n11\n"))


@case("LOGGED", "note-signature: by another key")
def _(world: World) -> Json:
    return world.bundle() | {"checkpoint": world.ledger.note(log="another")}


@case("LOGGED", "note-signature: no line by the anchor signer")
def _(world: World) -> Json:
    return world.bundle() | {"checkpoint": world.ledger.note(anchored=False, witnesses=["w1", "w2"])}


@case("LOGGED", "note-signature: by a log key of the past")
def _(world: World) -> Json:
    return log_of(
        lambda ledger: ledger.put(
            policy(version=2, log_keys=[{"vkey": log_key("new log").text()}]), "policy", "root"
        )
    )


@case("LOGGED", "note-signature: past the last size of the key")
def _(world: World) -> Json:
    keys = [{"vkey": log_key().text(), "until": 8}, {"vkey": log_key("new log").text()}]
    return log_of(lambda ledger: ledger.put(policy(version=2, log_keys=keys), "policy", "root"))


@case("LOGGED", "inclusion")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["entries"][0]["proof"][0] = b64encode(bytes(32))
    return bundle


@case("LOGGED", "inclusion: an entry never logged")
def _(world: World) -> Json:
    bundle = world.bundle()
    made = signed(event("observe", number=7, quantityList=quantities(LOT)), "event", "farm")
    bundle["entries"][2]["entry"]["env"] = made.to_json()
    return bundle | {"stamp": None}


@case("LOGGED", "inclusion: admission time changed")
def _(world: World) -> Json:
    return with_entry(world, lambda entry: entry["adm"].update(t=entry["adm"]["t"] + 1))


@case("LOGGED", "inclusion: a registry entry beyond the checkpoint")
def _(world: World) -> Json:
    return _with_a_later_registry_entry(index=99)


def _with_a_later_registry_entry(index: int) -> Json:
    """A bundle of the harvest alone that shows one registry entry more than was logged before it."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.enrol("shop")
    ledger.say("observe", LOT)
    bundle = ledger.bundle(only=[6])
    bundle["registry"]["whole"] = bundle["registry"]["whole"][:6]
    bundle["registry"]["whole"].append({"index": index, "entry": ledger.entries[7].to_json()})
    return bundle


@case("LOGGED", "adm-time")
def _(world: World) -> Json:
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.append(signed(event("observe", number=9, quantityList=quantities(LOT)), "event", "farm"), t=5)
    return ledger.bundle()


@case("LOGGED", "adm-reg")
def _(world: World) -> Json:
    ledger = founded()
    made = signed(event("harvest", quantityList=quantities(LOT)), "event", "farm")
    ledger.append(made, reg=(6, bytes(32)))
    ledger.index()
    return ledger.bundle()


@case("LOGGED", "adm-reg: a registry entry left out")
def _(world: World) -> Json:
    ledger = founded()
    ledger.enrol("shop")
    ledger.say("harvest", LOT)
    ledger.index()
    bundle = ledger.bundle()
    del bundle["registry"]["whole"][6:8]
    return bundle


@case("LOGGED", "adm-reg: a registry entry moved")
def _(world: World) -> Json:
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.enrol("shop")
    ledger.index()
    bundle = ledger.bundle()
    bundle["registry"]["whole"][7]["index"] = 10
    return bundle


# --- KEYS


@case("KEYS", "registry-chain")
def _(world: World) -> Json:
    return _with_a_later_registry_entry(index=7)


@case("KEYS", "key-suspect")
def _(world: World) -> Json:
    return log_of(lambda ledger: ledger.put(revoke(6, kid=key("farm").kid), "revoke", "farm admin"))


@case("KEYS", "key-suspect: its organisation")
def _(world: World) -> Json:
    return log_of(lambda ledger: ledger.put(revoke(0, org="farm"), "revoke", "root"))


# --- ORIGIN


@case("ORIGIN", "genesis")
def _(world: World) -> Any:
    return world.bundle(), {"trust": Trust(origin=ORIGIN, genesis="a" * 64)}


# --- WITNESSED


@case("WITNESSED", "cosignature")
def _(world: World) -> Json:
    bundle = world.bundle()
    lines = bundle["checkpoint"].split("\n")
    at = next(i for i, line in enumerate(lines) if "w1.example" in line)
    head, _, text = lines[at].rpartition(" ")
    sig = bytearray(b64decode(text))
    sig[-1] ^= 1
    lines[at] = f"{head} {b64encode(bytes(sig))}"
    return bundle | {"checkpoint": "\n".join(lines)}


@case("WITNESSED", "quorum")
def _(world: World) -> Json:
    return world.bundle() | {"checkpoint": world.ledger.note(witnesses=["w1"])}


# --- ANCHORED (the chain's word is judged in test_chainword)

TX = "0x" + "a" * 64


@case("ANCHORED", "anchor-unlisted")
def _(world: World) -> Json:
    return world.bundle() | {"anchors": [{"chain": "eip155:1", "tx": TX, "log": 0, "proof": []}]}


@case("ANCHORED", "chain-id")
def _(world: World) -> Any:
    bundle = world.bundle() | {"anchors": [{"chain": CHAIN, "tx": TX, "log": 0, "proof": []}]}
    return bundle, {"observations": {0: [Observation(endpoint="a", chain_id=1, finalized=9)]}}


# --- COMPLETE


@case("COMPLETE", "index-record")
def _(world: World) -> Json:
    ledger = founded()
    ledger.say("harvest", LOT)
    at = ledger.index()
    ledger.say("observe", LOT)
    bundle = ledger.bundle(only=[6])
    bundle["index"] = {"item": ledger.item(at, ledger.size), "subjects": ledger.shown_rows(at, [LOT])}
    return bundle


@case("COMPLETE", "index-proof")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["index"]["subjects"][0]["proof"][0] = b64encode(bytes(32))
    return bundle


@case("COMPLETE", "index-proof: a row changed")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["index"]["subjects"][0]["count"] += 1
    return bundle


@case("COMPLETE", "complete-count")
def _(world: World) -> Json:
    ledger = founded()
    for number in range(3):
        ledger.say("observe" if number else "harvest", LOT)
    ledger.index()
    return ledger.bundle(only=[6, 7])


@case("COMPLETE", "complete-last")
def _(world: World) -> Json:
    ledger = founded()
    rows = ledger.rows
    ledger.rows = lambda size: [(s, count, last - 1) for s, count, last in rows(size)]  # type: ignore[method-assign]
    ledger.say("harvest", LOT)
    ledger.say("observe", LOT)
    ledger.index()
    return ledger.bundle()


# --- LABEL


@case("LABEL", "stamp-unknown")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["stamp"]["index"] = world.activated
    return bundle


@case("LABEL", "stamp-unknown: the link is none of ours")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["stamp"]["uri"] += "?x"
    return bundle


@case("LABEL", "stamp-commitment")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["stamp"]["number"] = 2
    return bundle


@case("LABEL", "stamp-commitment: another link")
def _(world: World) -> Json:
    bundle = world.bundle()
    bundle["stamp"]["uri"] = bundle["stamp"]["uri"].replace("shop.example", "shop.evil")
    return bundle


def stamped(*steps: tuple[str, Json], number: int = 1, about: str = LOT) -> Json:
    """A bundle with a stamp of a roll on which *steps* were taken."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.say("harvest", lot("L2"))
    at = ledger.state("stamps", "issue", issue())
    for kind, data in steps:
        subject = [about] if kind == "activate" else []
        ledger.state("stamps", kind, {"roll": ROLL, "ranges": [[1, 2]], **data}, about=subject)
    ledger.index()
    return ledger.bundle(stamp=stamp_part(at, number))


@case("LABEL", "stamp-state")
def _(world: World) -> Json:
    return stamped()


@case("LABEL", "stamp-state: another number was activated")
def _(world: World) -> Json:
    return stamped(("activate", {}), number=3)


@case("LABEL", "stamp-state: locked")
def _(world: World) -> Json:
    return stamped(("activate", {}), ("lock", {"reason": "lost"}))


@case("LABEL", "stamp-state: void")
def _(world: World) -> Json:
    return stamped(("activate", {}), ("void", {"reason": "lost"}))


@case("LABEL", "stamp-state: for another lot")
def _(world: World) -> Json:
    return stamped(("activate", {}), about=lot("L2"))


@case("LABEL", "stamp-state: the lot is gated")
def _(world: World) -> Any:
    return world.bundle(), {"gate": lambda lot, index: lot == LOT and index == world.activated}


# --- the table


def outcome(world: World, name: str) -> tuple[str, str]:
    """(rung, reason) of the first failure of a case."""
    _, _, make = CASES[name]
    bundle, options = make(world)
    if "trust" not in options and bundle["registry"].get("whole"):
        first = genesis_of(bundle)
        options = {"trust": Trust(origin=ORIGIN, genesis=first), **options}
    report = judge(bundle, **options)
    assert report.exit_code == 1
    assert not report.ok
    assert report.failed is not None
    rung = next(rung for rung, found in report.rungs.items() if found.result == "fail")
    assert report.reason == report.rungs[rung].reason
    return rung, str(report.reason)


def genesis_of(bundle: Json) -> str:
    """Id of the bundle's entry 0, or nothing that exists."""
    try:
        return Entry.from_json(bundle["registry"]["whole"][0]["entry"]).id
    except VerificationError:
        return "0" * 64


@pytest.mark.parametrize("name", CASES)
def test_the_smallest_change_and_its_reason(world: World, name: str) -> None:
    """Each case fails its rung, with its reason, as the first failure."""
    rung, reason, _ = CASES[name]
    assert outcome(world, name) == (rung, reason)


def test_the_good_bundle(world: World) -> None:
    """What the cases start from passes every rung but the chain's."""
    report = world.judge(world.bundle())
    assert reasons(report) == {"ANCHORED": ("not checked", "anchor-pending")}
    assert (report.ok, report.exit_code, report.reason) == (True, 0, None)


UNCHECKED: dict[str, tuple[str, str, Case]] = {
    "trust-missing": ("ORIGIN", "trust-missing", lambda world: (world.bundle(), {"trust": None})),
    "registry-slice": (
        "KEYS",
        "registry-slice",
        lambda world: (world.ledger.bundle(slice_of=range(6), witnesses=["w1", "w2"]), {}),
    ),
    "quorum": ("WITNESSED", "quorum", lambda world: (log_of(), {})),
    "anchor-pending": ("ANCHORED", "anchor-pending", lambda world: (world.bundle(), {})),
    "chain-unreachable": (
        "ANCHORED",
        "chain-unreachable",
        lambda world: (world.bundle() | {"anchors": [{"chain": CHAIN, "tx": TX, "log": 0, "proof": []}]}, {}),
    ),
    "index-missing": ("COMPLETE", "index-missing", lambda world: (log_of(index=False), {})),
    "prev-unknown": ("LINKED", "prev-unknown", lambda world: (linked(lambda ledger: ["a" * 64]), {})),
}


@pytest.mark.parametrize("name", UNCHECKED)
def test_what_could_not_be_checked_says_why(world: World, name: str) -> None:
    """Not checked is no failure; it has a reason of its own, and without ORIGIN and LINKED nothing is ok."""
    rung, reason, make = UNCHECKED[name]
    bundle, options = make(world)
    options = {
        "trust": Trust(
            origin=ORIGIN, genesis=genesis_of(bundle) if "whole" in bundle["registry"] else world.ledger.id(0)
        ),
        **options,
    }
    report = judge(bundle, **options)
    assert report.rungs[rung].result == "not checked"
    assert report.rungs[rung].reason == reason
    assert report.failed is None
    needed = rung in ("ORIGIN", "LINKED")
    assert report.ok != needed
    assert report.exit_code == (4 if needed else 0)


MALFORMED: dict[str, Callable[[World], object]] = {
    "bundle-shape": lambda world: world.bundle() | {"extra": 1},
    "subject-absent": lambda world: world.bundle() | {"subject": lot("L9")},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed(world: World, name: str) -> None:
    """Nothing is judged of what is no bundle."""
    with pytest.raises(InputError) as caught:
        world.judge(MALFORMED[name](world))
    assert caught.value.code == name
    assert caught.value.exit_code == 2


ELSEWHERE = {
    "not-nfc": "asked at admission only",
    "consistency": "between heads: audits, monitors, witnesses; in a bundle it is anchor-mismatch",
    "root-mismatch": "recomputed by audits and at start",
    "tile-mismatch": "recomputed by audits",
    "head-rollback": "monitors and the anchoring worker",
    "head-fork": "monitors and the anchoring worker",
    "registry-void": "audits; in a bundle a void registry entry just has no effect",
    "threshold": "as registry-void",
    "version": "as registry-void",
    "pop-missing": "as registry-void",
    "key-reused": "as registry-void",
    "anchor-not-final": "test_chainword",
    "anchor-mismatch": "test_chainword",
    "chain-disagree": "test_chainword",
    "anchor-ahead": "the anchoring worker",
    "upstream-cut": "test_verify",
    "stamp-signature": "a scan's query, which no bundle has",
}


def test_every_reason_has_a_case() -> None:
    """The closed list is covered: by the table, or by who else gives the reason."""
    covered = {reason for _, reason, _ in CASES.values()} | UNCHECKED.keys() | MALFORMED.keys()
    assert covered | ELSEWHERE.keys() == REASONS.keys()
    assert not covered & ELSEWHERE.keys()


def test_reasons_of_the_table_belong_to_their_rung() -> None:
    """A rung fails for a reason of its own; entry-shape alone shows where decoding stops, in SIGNED."""
    for rung, reason, _ in [*CASES.values(), *UNCHECKED.values()]:
        assert REASONS[reason][0] == rung or reason == "entry-shape"
    for rung, english, vietnamese in REASONS.values():
        assert english.endswith(".")
        assert vietnamese.endswith(".")
        assert rung
