# SPDX-License-Identifier: Apache-2.0
"""Bad bundles whose statements are not signed, or not linked, as they should be."""

from core.judge.cases import Cases, Json, into, linked, log_of, raw, with_entry
from core.judge.smallworld import World
from core.ledgerkit import Ledger, founded
from core.statements import (
    FARM,
    LOT,
    ORIGIN,
    event,
    grant,
    key,
    org,
    quantities,
    revoke,
    signed,
)
from traceledger.core.sign.encoding import b64decode, b64encode

CASES: Cases = {}
case = into(CASES)

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
