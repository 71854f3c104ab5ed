# SPDX-License-Identifier: Apache-2.0
"""Bad bundles whose log, registry, witnesses, anchors, index record or stamp are not as they should be."""

from collections.abc import Callable
from typing import Any

from core.judge.cases import TX, Cases, Json, into, log_of, with_entry
from core.judge.smallworld import World
from core.ledgerkit import founded
from core.statements import (
    CHAIN,
    LOT,
    ORIGIN,
    ROLL,
    event,
    issue,
    key,
    log_key,
    lot,
    policy,
    quantities,
    revoke,
    signed,
    stamp_part,
)
from traceledger.core.judge.bundle import Trust
from traceledger.core.log.anchor import Observation
from traceledger.core.sign.encoding import b64decode, b64encode

CASES: Cases = {}
case = into(CASES)

# --- LOGGED


def noted(world: World, change: Callable[[str], str]) -> Json:
    """The full bundle with its checkpoint's text changed."""
    bundle = world.bundle()
    bundle["checkpoint"] = change(bundle["checkpoint"])
    return bundle


@case("LOGGED", "note-syntax")
def _(world: World) -> Json:
    return noted(world, lambda text: text + "\n")


@case("LOGGED", "note-syntax: an extension line")
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
