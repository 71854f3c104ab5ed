# SPDX-License-Identifier: Apache-2.0
"""
A small log in memory that signs whatever it is told to, valid or not.

Keys are made from names.  Nothing is admitted or refused here: every statement becomes an entry, so tests can
log what an honest operator would not.  Bundles are built by plain loops over the entries, apart from the code
under test.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from eth_keys.datatypes import PrivateKey

from traceledger.core.claims.epcis import EVENT_KINDS
from traceledger.core.log.anchor import checkpoint_digest, log_id
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)
from traceledger.core.log.note import (
    COSIGNATURE,
    ED25519,
    NoteSignature,
    VerifierKey,
    anchor_line,
    sign_checkpoint,
    with_lines,
)
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.core.sign.encoding import b64encode, b64u_encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.lineage import made_from, subjects_of
from traceledger.core.state.registry import Registry
from traceledger.core.state.stamps import commitment, roll_leaf, stamp_salt

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


# --- the log


class Ledger:
    """Entries of one log, in order, with what is needed to prove them."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.registry = Registry(ORIGIN)
        self.time = START

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.entries)

    def id(self, index: int) -> str:
        """Statement id of the entry at *index*."""
        return self.entries[index].id

    def append(
        self, envelope: Envelope, *, t: int | None = None, reg: tuple[int, bytes] | None = None
    ) -> int:
        """Log *envelope* and return its index; *t* and *reg* may be wrong."""
        self.time += 1
        entry = Entry.make(
            envelope, reg=self.registry.head if reg is None else reg, t=self.time if t is None else t
        )
        self.entries.append(entry)
        if entry.is_registry:
            self.registry.apply(self.size - 1, entry)
        return self.size - 1

    def put(self, statement: object, family: str, *names: str, t: int | None = None) -> int:
        """Sign and log *statement*."""
        return self.append(signed(statement, family, *names), t=t)

    def enrol(
        self,
        name: str,
        *,
        roles: Iterable[str] = (),
        acts: Iterable[str] = ("*",),
        sites: Iterable[str] = ("*",),
    ) -> None:
        """Register the organisation *name* with a key of the same name."""
        more = {"roles": list(roles)} if roles else {}
        self.put(org(name, **more), "org", "root", f"{name} admin")
        self.put(actor_key(name, name, acts=acts, sites=sites), "key", f"{name} admin", name)

    def say(
        self,
        kind: str,
        *uris: str,
        actor: str = "farm",
        signer: str | None = None,
        link: bool = True,
        **more: object,
    ) -> int:
        """Log an event on *uris* that follows the newest entry of each; return its index."""
        place = "childQuantityList" if kind in ("pack", "unpack") else "quantityList"
        lists = {} if kind == "process" else {place: quantities(*uris)}
        statement = event(kind, actor=actor, number=self.size, **{**lists, **more})
        return self.append_linked(statement, "event", signer or actor, link=link)

    def state(
        self,
        family: str,
        kind: str,
        data: Json,
        *,
        about: Iterable[str] = (),
        actor: str = "farm",
        signer: str | None = None,
        link: bool = True,
        **more: object,
    ) -> int:
        """Log a record that follows the newest entry of each subject; return its index."""
        return self.append_linked(
            record(kind, data, actor=actor, about=about, **more), family, signer or actor, link=link
        )

    def append_linked(self, statement: Json, family: str, signer: str, *, link: bool) -> int:
        """Log *statement* with prev filled in, unless *link* is false."""
        name = "tl:prev" if family == "event" else "prev"
        if link and not statement[name]:
            draft = Entry.make(signed(statement, family, signer), reg=(0, bytes(32)), t=0)
            newest = [self.touching(subject)[-1:] for subject in subjects_of(draft)]
            statement = statement | {name: sorted({self.id(index) for found in newest for index in found})}
        return self.put(statement, family, signer)

    def touching(self, subject: str) -> list[int]:
        """Indexes of the entries that touch *subject*."""
        return [index for index, entry in enumerate(self.entries) if subject in subjects_of(entry)]

    def index(
        self,
        *,
        signer: str = "operator",
        size: int | None = None,
        drop: Callable[[str], bool] = lambda subject: False,
    ) -> int:
        """Log an index record; *size* may be wrong, and *drop* leaves subjects out."""
        rows = [row for row in self.rows(self.size) if not drop(row[0])]
        leaves = [leaf_hash(canonical_bytes(list(row))) for row in rows]
        data = {
            "size": self.size if size is None else size,
            "subjects": len(rows),
            "root": b64encode(root_of(leaves)),
        }
        seen = [self.size, b64encode(root_of([entry.leaf for entry in self.entries]))]
        statement = record("index", data, actor="operator") | {"seen": seen}
        return self.put(statement, "log", signer)

    def rows(self, size: int) -> list[tuple[str, int, int]]:
        """(subject, count, last) below *size*, by UTF-8 bytes."""
        found: dict[str, list[int]] = {}
        for index, entry in enumerate(self.entries[:size]):
            for subject in subjects_of(entry):
                found.setdefault(subject, []).append(index)
        return sorted(((s, len(i), i[-1]) for s, i in found.items()), key=lambda row: row[0].encode())

    # --- proofs

    def leaves(self, size: int | None = None) -> list[bytes]:
        """Leaf hashes of the first *size* entries."""
        return [entry.leaf for entry in self.entries[:size]]

    def proof(self, index: int, size: int) -> list[str]:
        """Inclusion proof of *index* in the tree of *size*."""
        return [b64encode(h) for h in inclusion_proof(index, size, tree(self.leaves(size)))]

    def prefix(self, old: int, new: int) -> list[str]:
        """Consistency proof between two sizes."""
        return [b64encode(h) for h in consistency_proof(old, new, tree(self.leaves(new)))]

    def note(
        self,
        size: int | None = None,
        *,
        log: str = "log",
        witnesses: Iterable[str] = (),
        anchored: bool | None = None,
    ) -> str:
        """The checkpoint of *size* with the lines of log key, anchor signer and witnesses."""
        size = self.size if size is None else size
        root_hash = root_of(self.leaves(size))
        checkpoint = sign_checkpoint(ORIGIN, size, root_hash, key(log))
        lines = []
        anchors = self.registry.policy.anchors if self.registry.policy else ()
        if anchored if anchored is not None else anchors and self.entries[size - 1].family == "log":
            made = evm_key("anchor").sign_msg_hash(checkpoint_digest(anchors[0].log_id, size, root_hash))
            lines.append(
                anchor_line(
                    ORIGIN, address("anchor"), r=made.r.to_bytes(32), s=made.s.to_bytes(32), v=made.v + 27
                )
            )
        for name in witnesses:
            message = f"cosignature/v1\ntime {self.time}\n{checkpoint.body}".encode()
            sig = self.time.to_bytes(8) + key(name).sign(message)
            lines.append(NoteSignature(name=f"{name}.example", key_id=witness_key(name).key_id, sig=sig))
        return with_lines(checkpoint, lines).text()

    def item(self, index: int, size: int) -> Json:
        """An entry with its proof."""
        return {"index": index, "entry": self.entries[index].to_json(), "proof": self.proof(index, size)}

    def bundle(
        self,
        subject: str = LOT,
        *,
        size: int | None = None,
        stamp: Json | None = None,
        only: Iterable[int] | None = None,
        slice_of: Iterable[int] | None = None,
        **note: Any,
    ) -> Json:
        """
        A bundle about *subject* below *size*.

        Args:
            only: Content indexes; all that touch the set where None.

            slice_of: Registry indexes for a slice; None shows the whole registry.
        """
        size = self.size if size is None else size
        wanted = self.set_of(subject) + ([ROLL_URI] if stamp else [])
        last = self.entries[size - 1]
        indexed = last.family == "log"
        below = size - 1 if indexed else size
        content = (
            sorted({i for s in wanted for i in self.touching(s) if i < below})
            if only is None
            else sorted(only)
        )
        relied = self.entries[size - 1] if indexed else self.entries[content[-1]]
        registry = [i for i, entry in enumerate(self.entries) if entry.is_registry][: relied.reg[0]]
        return {
            "v": 1,
            "subject": subject,
            "checkpoint": self.note(size, **note),
            "entries": [self.item(i, size) for i in content],
            "index": {"item": self.item(size - 1, size), "subjects": self.shown_rows(size - 1, wanted)}
            if indexed
            else None,
            "registry": {"whole": [{"index": i, "entry": self.entries[i].to_json()} for i in registry]}
            if slice_of is None
            else {"slice": [self.item(i, size) for i in slice_of]},
            "private": [],
            "stamp": stamp,
            "anchors": [],
        }

    def set_of(self, subject: str) -> list[str]:
        """The subject and all it was made from."""
        found = [subject]
        for current in found:
            for index in self.touching(current):
                found += [
                    source
                    for source in made_from(self.entries[index]).get(current, ())
                    if source not in found
                ]
        return found

    def shown_rows(self, size: int, wanted: Iterable[str]) -> list[Json]:
        """Rows of the index record at *size* for the subjects *wanted*."""
        rows = self.rows(size)
        leaves = [leaf_hash(canonical_bytes(list(row))) for row in rows]
        return [
            {
                "subject": subject,
                "count": count,
                "last": last,
                "position": position,
                "proof": [b64encode(h) for h in inclusion_proof(position, len(rows), tree(leaves))],
            }
            for position, (subject, count, last) in enumerate(rows)
            if subject in set(wanted)
        ]


def tree(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    """Return a node function over *leaves*."""

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def founded(
    *, witnesses: str = "", anchors: Iterable[Json] = (), threshold: int = 1, roots: Iterable[str] = ("root",)
) -> Ledger:
    """A log with root, policy, an operator and a farm: entries 0 to 5."""
    ledger = Ledger()
    ledger.put(root(*roots, threshold=threshold), "root", *roots)
    ledger.put(policy(witnesses=witnesses, anchors=list(anchors)), "policy", *roots)
    ledger.enrol("operator", roles=["operator"], acts=["log/index"], sites=[])
    ledger.enrol("farm")
    return ledger


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


def stamp_hash(number: int) -> bytes:
    """Commitment of one stamp."""
    return commitment(stamp_salt(ROLL_SECRET, number), number, stamp_uri(number))
