# SPDX-License-Identifier: Apache-2.0
"""
Keys made from names, and statements of every family with one member after another to change.

All are well-formed as they come; tests break one thing.  Nothing here knows a log: see `ledgerkit`.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from eth_keys.datatypes import PrivateKey

from traceledger.core.claims.epcis import EVENT_KINDS
from traceledger.core.log.anchor import log_id
from traceledger.core.log.merkle import (
    inclusion_proof,
    node_hash,
    root_of,
)
from traceledger.core.log.note import (
    COSIGNATURE,
    ED25519,
    VerifierKey,
)
from traceledger.core.sign.encoding import b64encode, b64u_encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.stamps import roll_leaf, stamp_salt

Json = dict[str, Any]

ORIGIN = "log.example"
START = 1_800_000_000
GTIN = "09521234567899"
PRODUCT = f"https://id.gs1.org/01/{GTIN}"
FARM = "https://id.gs1.org/414/9521234000013"
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld"
CHAIN = "eip155:31337"
CONTRACT = bytes([0xC0]) * 20
ROLL = "farm/A-1"
ROLL_URI = f"urn:traceledger:v1:roll:{ROLL}"
ROLL_SECRET = hashlib.sha256(b"roll secret").digest()


def lot(number: str) -> str:
    """URI of a lot of the one product."""
    return f"{PRODUCT}/10/{number}"


LOT = lot("L1")


@cache
def key(name: str) -> SigningKey:
    """The key called *name*."""
    return SigningKey(hashlib.sha256(name.encode()).digest())


def pk(name: str) -> str:
    """Public key of *name* as statements carry it."""
    return b64u_encode(key(name).public)


@cache
def evm_key(name: str) -> PrivateKey:
    """The secp256k1 key called *name*."""
    return PrivateKey(hashlib.sha256(name.encode()).digest())


def address(name: str) -> bytes:
    """Address of the secp256k1 key called *name*."""
    return bytes(evm_key(name).public_key.to_canonical_address())


def signed(statement: object, family: str, *names: str) -> Envelope:
    """Sign *statement* with the keys called *names*."""
    return sign_envelope(statement, family, [key(name) for name in names])


def sealed(payload: bytes, family: str, *names: str) -> Envelope:
    """Sign bytes that need be no statement at all."""
    shell = signed({}, family, *names)
    blank = Envelope(payload, family, shell.signatures)
    made = {key(name).kid: key(name).sign(blank.pae) for name in names}
    signatures = [
        {"keyid": s.kid, "sig": b64encode(made[s.kid])} for s in sorted(shell.signatures, key=lambda s: s.kid)
    ]
    return Envelope.from_json({**blank.to_json(), "signatures": signatures})


# --- statements


def root(*names: str, version: int = 1, threshold: int = 1, **more: object) -> Json:
    """A root statement over the keys called *names*."""
    keys = sorted(pk(name) for name in names)
    return {"v": 1, "log": ORIGIN, "version": version, "threshold": threshold, "keys": keys, **more}


def witness_line(name: str) -> str:
    """The policy line of the witness called *name*."""
    return f"witness {name} {witness_key(name).text()}\n"


def witness_key(name: str) -> VerifierKey:
    """Verifier key of the witness called *name*."""
    return VerifierKey(name=f"{name}.example", kind=COSIGNATURE, public=key(name).public)


def log_key(name: str = "log") -> VerifierKey:
    """Verifier key of the log's note key called *name*."""
    return VerifierKey(name=ORIGIN, kind=ED25519, public=key(name).public)


def anchor_place(chain: str = CHAIN, contract: bytes = CONTRACT) -> Json:
    """A chain as a policy names it."""
    signer, guardian = address("anchor"), address("guardian")
    return {
        "chain": chain,
        "contract": f"0x{contract.hex()}",
        "log_id": f"0x{log_id(signer, guardian, ORIGIN).hex()}",
        "signer": f"0x{signer.hex()}",
        "guardian": f"0x{guardian.hex()}",
    }


def policy(*, version: int = 1, **more: object) -> Json:
    """A policy with the one log key, no witnesses and no chain."""
    base = {
        "v": 1,
        "log": ORIGIN,
        "version": version,
        "log_keys": [{"vkey": log_key().text()}],
        "witnesses": "",
        "anchors": [],
        "max_silence": 86400,
    }
    return base | more


def org(name: str, *admins: str, version: int = 1, **more: object) -> Json:
    """An organisation whose admins are the keys called *admins*."""
    keys = [pk(admin) for admin in admins or (f"{name} admin",)]
    return {
        "v": 1,
        "log": ORIGIN,
        "version": version,
        "org": name,
        "name": name.title(),
        "admins": keys,
        **more,
    }


def actor_key(
    of: str, name: str, *, acts: Iterable[str] = ("*",), sites: Iterable[str] = ("*",), **more: object
) -> Json:
    """The registration of the key called *name* for the organisation *of*."""
    base = {"v": 1, "log": ORIGIN, "org": of, "pk": pk(name), "custody": "device"}
    return {**base, "acts": list(acts), "sites": list(sites), **more}


def grant(
    by: str,
    to: str,
    *,
    until: int | None = None,
    acts: Iterable[str] = ("*",),
    sites: Iterable[str] = ("*",),
    **more: object,
) -> Json:
    """A grant of the organisation *by* to the key called *to*."""
    base = {"v": 1, "log": ORIGIN, "org": by, "to": key(to).kid, "until": until}
    return {**base, "acts": list(acts), "sites": list(sites), **more}


def revoke(suspect_from: int | None = None, **target: str) -> Json:
    """A revocation of ``kid=``, ``grant=`` or ``org=``."""
    return {"v": 1, "log": ORIGIN, "target": target, "reason": "lost", "suspect_from": suspect_from}


SEEN = [0, b64encode(hashlib.sha256(b"").digest())]


def record(
    kind: str,
    data: Json,
    *,
    actor: str = "farm",
    about: Iterable[str] = (),
    prev: Iterable[str] = (),
    **more: object,
) -> Json:
    """A record of any family."""
    base: Json = {"v": 1, "log": ORIGIN, "actor": actor, "kind": kind, "data": data, "seen": SEEN}
    return {**base, "about": list(about), "prev": sorted(prev), **more}


def event(
    kind: str, *, actor: str = "farm", prev: Iterable[str] = (), number: int = 0, **more: object
) -> Json:
    """An event of *kind*; its type and action are those the kind wants."""
    kind_type, action = EVENT_KINDS[kind] or ("ObjectEvent", "OBSERVE")
    base: Json = {
        "@context": [CONTEXT, {"tl": "urn:traceledger:v1:"}],
        "type": kind_type,
        "eventID": f"urn:uuid:00000000-0000-4000-8000-{number:012}",
        "eventTime": "2027-01-15T06:30:00+07:00",
        "eventTimeZoneOffset": "+07:00",
        "readPoint": {"id": FARM},
        "tl:log": ORIGIN,
        "tl:actor": actor,
        "tl:kind": kind,
        "tl:prev": sorted(prev),
        "tl:seen": SEEN,
    }
    return base | ({} if action is None else {"action": action}) | more


def quantities(*uris: str) -> list[Json]:
    """A quantity list of one kilogram each."""
    return [{"epcClass": uri, "quantity": 1, "uom": "KGM"} for uri in uris]


def tree(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    """Return a node function over *leaves*."""

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


# --- stamps


def stamp_uri(number: int) -> str:
    """Link of stamp *number* of the one roll."""
    return f"https://shop.example/01/{GTIN}/21/{number:012}"


def issue(count: int = 3, *, first: int = 1, **more: object) -> Json:
    """Data of the roll's issue statement."""
    data = {"roll": ROLL, "gtin": GTIN, "host": "shop.example", "first": first, "count": count}
    return {**data, "root": b64encode(root_of(roll_leaves(count, first))), **more}


def roll_leaves(count: int, first: int = 1) -> list[bytes]:
    """Leaf hashes of the roll's tree."""
    numbers = range(first, first + count)
    return [roll_leaf(stamp_salt(ROLL_SECRET, n), n, stamp_uri(n)) for n in numbers]


def stamp_part(index: int, number: int = 1, *, count: int = 3) -> Json:
    """The bundle's stamp member for stamp *number* of the roll issued at *index*."""
    leaves = roll_leaves(count)
    return {
        "uri": stamp_uri(number),
        "index": index,
        "number": number,
        "salt": b64u_encode(stamp_salt(ROLL_SECRET, number)),
        "proof": [b64encode(h) for h in inclusion_proof(number - 1, count, tree(leaves))],
    }
