# SPDX-License-Identifier: Apache-2.0
"""
A small log in memory: real keys, signatures and proofs, built one readable call at a time.

Keys come from SHA-256 of their name, times from the day the world stands at, `prev` from what the log holds: the
same calls always give the same bytes.  Each verb appends one signed entry and returns it; `prev=`, `seen=` and
further members of the statement may be given to break one thing.  Slow and obvious on purpose.

    world = World()
    world.org("farm", party=PARTY)
    harvest = world.harvest("farm", LOT, 1000)
    world.dispatch("farm", LOT, 400, to=SHOP)
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from traceledger.core.claims.identifiers import gln_uri, gtin_uri, lot_uri, sscc_uri
from traceledger.core.claims.records import code_uri, roll_uri
from traceledger.core.judge.bundle import Bundle, Item, Row, Trust, row_data
from traceledger.core.log.entry import CHAIN_START, Entry, next_chain
from traceledger.core.log.merkle import inclusion_proof, leaf_hash, root_of
from traceledger.core.log.note import ED25519, VerifierKey, sign_checkpoint
from traceledger.core.sign.encoding import b64encode, b64u_encode
from traceledger.core.sign.envelope import sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.lineage import subjects_of, upstream

ORIGIN = "world.example"
GTIN, OTHER_GTIN = "09521234567899", "09521234567882"
LOT, SECOND, THIRD = (lot_uri(GTIN, name) for name in ("L1", "L2", "L3"))
OTHER_LOT = lot_uri(OTHER_GTIN, "M1")
PRODUCT = gtin_uri(GTIN)
PLOT, SHED = gln_uri("9521234000013"), gln_uri("9521234000020")
PALLET, CRATE = sscc_uri("095212345000000018"), sscc_uri("095212345000000025")
CODE = "VN-DTOR-0999"
FIRST_DAY = "2026-11-20"
CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld", {"tl": "urn:traceledger:v1:"}]

Kilograms = Mapping[str, int | Decimal | None]
"""Subject → kilograms; None says nothing of how much."""


def key(name: str) -> SigningKey:
    """Return the Ed25519 key of *name*; it protects nothing."""
    return SigningKey(hashlib.sha256(name.encode()).digest())


def party(org: str) -> str:
    """Return the party uri that `World.org` gives to *org*."""
    return f"https://id.gs1.org/417/{org}"


def amounts(kilograms: Kilograms | Iterable[str], prefix: str = "") -> dict[str, Any]:
    """
    Return the EPCIS list members for *kilograms* by lot, or for a plain list of EPCs.

    Args:
        prefix: ``""`` for objects, else ``child``, ``input`` or ``output``.
    """
    if not isinstance(kilograms, Mapping):
        name = {"": "epcList", "child": "childEPCs"}.get(prefix, f"{prefix}EPCList")
        return {name: list(kilograms)}
    name = f"{prefix}QuantityList" if prefix else "quantityList"
    stated = [
        {"epcClass": lot} | ({} if kg is None else {"quantity": kg, "uom": "KGM"})
        for lot, kg in kilograms.items()
    ]
    return {name: stated}


@dataclass
class World:
    """
    The log so far; begins with a genesis root and a policy.

    Attributes:
        day: Day of new events, ``YYYY-MM-DD``; entries are logged at 10:00 of it in Vietnam.
    """

    origin: str = ORIGIN
    day: str = FIRST_DAY
    entries: list[Entry] = field(default_factory=list)
    reg: tuple[int, bytes] = (0, CHAIN_START)
    newest: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Log the root and the policy."""
        log_key = VerifierKey(name=self.origin, kind=ED25519, public=key("log").public)
        self.registry("root", "root", version=1, threshold=1, keys=[b64u_encode(key("root").public)])
        self.registry(
            "policy",
            "root",
            version=1,
            log_keys=[{"vkey": log_key.text()}],
            witnesses="",
            anchors=[],
            max_silence=86_400,
        )

    # --- the log

    @property
    def now(self) -> int:
        """Unix seconds at which the next entry is logged."""
        return int(datetime.fromisoformat(f"{self.day}T10:00:00+07:00").timestamp())

    def later(self, days: int = 1) -> str:
        """Move *days* forward; return the new day."""
        self.day = (datetime.fromisoformat(self.day) + timedelta(days=days)).date().isoformat()
        return self.day

    @property
    def raw(self) -> list[bytes]:
        """Bytes of every entry."""
        return [entry.raw for entry in self.entries]

    @property
    def numbered(self) -> list[tuple[int, Entry]]:
        """Every entry with its index."""
        return list(enumerate(self.entries))

    @property
    def root(self) -> bytes:
        """Root over the entries so far."""
        return root_of([entry.leaf for entry in self.entries])

    def head(self) -> list[Any]:
        """Return what a signer sees: [size, root]."""
        return [len(self.entries), b64encode(self.root)]

    def put(self, statement: dict[str, Any], family: str, *signers: str) -> Entry:
        """Sign *statement* by the keys named *signers* and append it."""
        envelope = sign_envelope(statement, family, [key(name) for name in signers])
        return self.append(Entry.make(envelope, reg=self.reg, t=self.now))

    def append(self, entry: Entry) -> Entry:
        """Append *entry* as it is."""
        if entry.is_registry:
            self.reg = (self.reg[0] + 1, next_chain(self.reg[1], entry.leaf))
        for subject in subjects_of(entry):
            self.newest[subject] = entry.id
        self.entries.append(entry)
        return entry

    def prev(self, *subjects: str) -> list[str]:
        """Return the newest entry of each of *subjects*: what a careful writer names."""
        return sorted({self.newest[subject] for subject in subjects if subject in self.newest})

    # --- registry

    def registry(self, family: str, *signers: str, **members: Any) -> Entry:
        """Append a registry statement."""
        return self.put({"v": 1, "log": self.origin} | members, family, *signers)

    def org(
        self,
        org: str,
        *,
        version: int = 1,
        roles: Sequence[str] = (),
        gs1: str = "",
        acts: Sequence[str] = ("*",),
    ) -> Entry:
        """Register *org*, reachable at `party(org)`, with one actor key of its own name."""
        ids = {"party": party(org)} | ({"gs1": gs1} if gs1 else {})
        members = {"roles": list(roles)} if roles else {}
        admins = [b64u_encode(key(f"{org} admin").public)]
        signers = ["root", f"{org} admin"] if version == 1 else ["root"]
        entry = self.registry(
            "org",
            *signers,
            version=version,
            org=org,
            name=org.title(),
            admins=admins,
            ids=ids,
            **members,
        )
        if version == 1:
            self.actor_key(org, org, acts=acts)
        return entry

    def actor_key(self, org: str, name: str, *, acts: Sequence[str] = ("*",)) -> Entry:
        """Register the key *name* for *org*."""
        public = b64u_encode(key(name).public)
        return self.registry(
            "key", f"{org} admin", name, org=org, pk=public, custody="device", acts=list(acts), sites=["*"]
        )

    def revoke(self, *, suspect_from: int | None, kid: str = "", org: str = "", by: str = "root") -> Entry:
        """Revoke the key named *kid*, or the organisation *org*."""
        target = {"kid": key(kid).kid} if kid else {"org": org}
        return self.registry("revoke", by, target=target, reason="lost", suspect_from=suspect_from)

    # --- records

    def record(
        self,
        family: str,
        kind: str,
        actor: str,
        data: dict[str, Any],
        *,
        about: Sequence[str] = (),
        by: str = "",
        touching: Sequence[str] = (),
        **members: Any,
    ) -> Entry:
        """Append a record; *touching* names subjects besides *about*, *by* a key other than the actor's."""
        statement = {
            "v": 1,
            "log": self.origin,
            "actor": actor,
            "kind": kind,
            "about": list(about),
            "prev": self.prev(*about, *touching),
            "seen": self.head(),
            "data": data,
        }
        return self.put(statement | members, family, by or actor)

    def product(self, actor: str, gtin: str = GTIN, *, crop: str = "mango", **members: Any) -> Entry:
        """Append a product record."""
        data = {"gtin": gtin, "name": "Mango", "crop": crop}
        return self.record("masterdata", "product", actor, data, about=[gtin_uri(gtin)], **members)

    def code(
        self, authority: str, owner: str, *, code: str = CODE, site: str = PLOT, since: str = "2026-01-01",
        until: str | None = "2026-12-31", max_kg: int | Decimal | None = None, **members: Any,
    ) -> Entry:  # fmt: skip
        """Append the record of a growing-area code."""
        data = {
            "code": code,
            "for": "growing",
            "owner": owner,
            "site": site,
            "crop": "mango",
            "from": since,
            "to": until,
        }
        data |= {} if max_kg is None else {"max_kg": max_kg}
        return self.record("credential", "code", authority, data, about=[code_uri(code), site], **members)

    def certificate(
        self,
        actor: str,
        about: Sequence[str],
        *,
        holder: str,
        since: str = "2026-01-01",
        until: str = "2026-12-31",
    ) -> Entry:
        """Append a certificate about *about*."""
        data = {"scheme": "VietGAP", "number": "1", "holder": holder, "from": since, "to": until}
        return self.record("credential", "certificate", actor, data, about=about)

    def authorise(
        self, actor: str, who: str, about: Sequence[str], *, crop: str | None = None, since: str = "2026-01-01",
        until: str = "2026-12-31", max_kg: int | Decimal | None = None,
    ) -> Entry:  # fmt: skip
        """Append an authorisation of *who* by *actor*."""
        data = {"who": who, "crop": crop, "from": since, "to": until, "max_kg": max_kg}
        return self.record("credential", "authorisation", actor, data, about=about)

    def withdraw(self, actor: str, record: Entry) -> Entry:
        """Withdraw *record*."""
        about = subjects_of(record)
        return self.record(
            "credential", "withdrawal", actor, {"record": record.id, "reason": "lapsed"}, about=about
        )

    def recall(self, actor: str, about: Sequence[str]) -> Entry:
        """Open a recall."""
        return self.record(
            "notice", "recall-open", actor, {"reason": "residues", "action": "return"}, about=about
        )

    def close_recall(self, actor: str, recall: Entry) -> Entry:
        """Close *recall*."""
        about = subjects_of(recall)
        return self.record(
            "notice", "recall-close", actor, {"recall": recall.id, "reason": "done"}, about=about
        )

    # --- events

    def event(
        self,
        kind: str,
        actor: str,
        *,
        sort: str = "ObjectEvent",
        action: str | None = "OBSERVE",
        site: str | None = PLOT,
        day: str = "",
        by: str = "",
        prev: Sequence[str] | None = None,
        codes: Sequence[str] = (),
        **members: Any,
    ) -> Entry:
        """
        Append an event; *members* are those of the statement, with ``tl_`` for ``tl:``.

        Args:
            sort: Type of the event.

            day: The day it happened, at 06:30 in Vietnam; that of the world where omitted.

            by: Name of the signing key, where it is not the actor's own.
        """
        statement: dict[str, Any] = {
            "@context": CONTEXT,
            "type": sort,
            "eventID": f"urn:uuid:00000000-0000-4000-8000-{len(self.entries):012}",
            "eventTime": f"{day or self.day}T06:30:00+07:00",
            "eventTimeZoneOffset": "+07:00",
            "tl:log": self.origin,
            "tl:actor": actor,
            "tl:kind": kind,
            "tl:prev": [],
            "tl:seen": self.head(),
        }
        statement |= {"action": action} if action else {}
        statement |= {"readPoint": {"id": site}} if site else {}
        statement |= {"tl:codes": list(codes)} if codes else {}
        statement |= {name.replace("tl_", "tl:"): value for name, value in members.items()}
        touched = subjects_of(
            Entry.make(sign_envelope(statement, "event", [key("draft")]), reg=self.reg, t=self.now)
        )
        statement["tl:prev"] = self.prev(*touched) if prev is None else list(prev)
        return self.put(statement, "event", by or actor)

    def harvest(self, actor: str, lot: str = LOT, kg: int | Decimal | None = 1000, **members: Any) -> Entry:
        """Harvest *kg* of *lot*."""
        return self.event("harvest", actor, action="ADD", **amounts({lot: kg}), **members)

    def spray(
        self, actor: str, *, phi: int | None = 7, goods: Kilograms | Iterable[str] = (), **members: Any
    ) -> Entry:
        """Spray a site with a pre-harvest interval of *phi* days."""
        members |= {} if phi is None else {"tl_phi": phi}
        return self.event("spray", actor, **amounts(goods), **members)

    def observe(self, actor: str, goods: Kilograms | Iterable[str] = (LOT,), **members: Any) -> Entry:
        """Look at goods."""
        return self.event("observe", actor, **amounts(goods), **members)

    def dispatch(
        self, actor: str, goods: Kilograms | Iterable[str], *, to: Sequence[str] = (), **members: Any
    ) -> Entry:
        """Send goods to the organisations *to*."""
        places = [{"type": "possessing_party", "destination": party(org)} for org in to]
        members |= {"destinationList": places} if places else {}
        return self.event("dispatch", actor, **amounts(goods), **members)

    def receive(self, actor: str, goods: Kilograms | Iterable[str], **members: Any) -> Entry:
        """Receive goods."""
        return self.event("receive", actor, site=members.pop("site", SHED), **amounts(goods), **members)

    def process(self, actor: str, used: Kilograms, made: Kilograms, **members: Any) -> Entry:
        """Make goods from others."""
        lists = amounts(used, "input") | amounts(made, "output")
        return self.event("process", actor, sort="TransformationEvent", action=None, **lists, **members)

    def pack(self, actor: str, parent: str, goods: Kilograms | Iterable[str], **members: Any) -> Entry:
        """Pack goods in *parent*."""
        lists = {"parentID": parent} | amounts(goods, "child")
        return self.event("pack", actor, sort="AggregationEvent", action="ADD", **lists, **members)

    def unpack(self, actor: str, parent: str, goods: Kilograms | Iterable[str] = (), **members: Any) -> Entry:
        """Take goods out of *parent*; all of them where none are named."""
        lists = {"parentID": parent} | amounts(goods, "child")
        return self.event("unpack", actor, sort="AggregationEvent", action="DELETE", **lists, **members)

    def sell(self, actor: str, goods: Kilograms | Iterable[str], **members: Any) -> Entry:
        """Sell goods to somebody outside the log."""
        return self.event("sell", actor, action="DELETE", **amounts(goods), **members)

    def declare_wrong(self, wrong: Entry, **members: Any) -> Entry:
        """Declare the event *wrong* to be so; *members* that differ break the declaration."""
        statement = wrong.statement | {
            "errorDeclaration": {"declarationTime": f"{self.day}T08:00:00+07:00"},
            "tl:prev": sorted({wrong.id, *self.prev(*subjects_of(wrong))}),
            "tl:seen": self.head(),
        }
        statement |= {name.replace("tl_", "tl:"): value for name, value in members.items()}
        return self.put(statement, "event", statement["tl:actor"])

    # --- stamps

    def issue(
        self,
        actor: str,
        roll: str,
        *,
        gtin: str = GTIN,
        count: int = 100,
        lot: str | None = None,
        first: int = 1,
    ) -> Entry:
        """Issue the roll *actor*/*roll*."""
        data = {"roll": f"{actor}/{roll}", "gtin": gtin, "host": self.origin, "first": first, "count": count}
        data |= {"root": b64encode(hashlib.sha256(roll.encode()).digest())} | ({"lot": lot} if lot else {})
        return self.record("stamps", "issue", actor, data, touching=[roll_uri(data["roll"])])

    def step(
        self, kind: str, actor: str, roll: str, ranges: Sequence[tuple[int, int]] = ((1, 10),), **data: Any
    ) -> Entry:
        """Append a step of the stamps *ranges* of *roll* (its full name)."""
        data |= {"roll": roll, "ranges": [list(pair) for pair in ranges]}
        return self.record("stamps", kind, actor, data, touching=[roll_uri(roll)])

    def activate(
        self, actor: str, roll: str, lot: str = LOT, ranges: Sequence[tuple[int, int]] = ((1, 10),)
    ) -> Entry:
        """Activate the stamps *ranges* of *roll* (its full name) for *lot*."""
        data = {"roll": roll, "ranges": [list(pair) for pair in ranges]}
        return self.record("stamps", "activate", actor, data, about=[lot], touching=[roll_uri(roll)])

    # --- proving

    def touching(self, subject: str) -> list[int]:
        """Indexes of the entries that touch *subject*."""
        return [index for index, entry in self.numbered if subject in subjects_of(entry)]

    def rows(self) -> list[tuple[str, int, int]]:
        """Rows of an index record over the entries so far."""
        names = sorted({name for entry in self.entries for name in subjects_of(entry)}, key=str.encode)
        return [(name, len(self.touching(name)), self.touching(name)[-1]) for name in names]

    def index_record(self, actor: str = "operator", *, seen: list[Any] | None = None, **wrong: Any) -> Entry:
        """Append an index record by *actor*; *wrong* replaces parts of its data."""
        rows = self.rows()
        root = root_of([leaf_hash(row_data(*row)) for row in rows])
        data = {"size": len(self.entries), "subjects": len(rows), "root": b64encode(root)} | wrong
        return self.record("log", "index", actor, data, seen=seen or self.head())

    def item(self, index: int) -> Item:
        """Return an entry with its proof into the whole log."""
        leaves = [entry.leaf for entry in self.entries]
        return Item(index=index, entry=self.entries[index].to_json(), proof=_proof(leaves, index))

    def bundle(self, subject: str = LOT) -> Bundle:
        """Return the bundle of *subject* at this size; `Bundle.encode` gives its bytes."""
        wanted = upstream(subject, lambda name: [self.entries[index] for index in self.touching(name)])
        shown = sorted({index for name in wanted for index in self.touching(name)})
        last = len(self.entries) - 1
        record = self.entries[last].family == "log"
        return Bundle(
            subject=subject,
            checkpoint=sign_checkpoint(self.origin, last + 1, self.root, key("log")).text(),
            entries=tuple(self.item(index) for index in shown),
            index_item=self.item(last) if record else None,
            rows=tuple(self._proven_rows(last, wanted)) if record else (),
            whole=tuple((index, entry.to_json()) for index, entry in self.numbered if entry.is_registry),
        )

    def _proven_rows(self, size: int, wanted: Sequence[str]) -> Iterable[Row]:
        earlier = World.__new__(World)
        earlier.entries = self.entries[:size]
        rows = earlier.rows()
        leaves = [leaf_hash(row_data(*row)) for row in rows]
        for position, (name, count, newest) in enumerate(rows):
            if name in wanted:
                proof = _proof(leaves, position)
                yield Row(subject=name, count=count, last=newest, position=position, proof=proof)

    def trust(self) -> Trust:
        """Return the trust file that pins this log."""
        return Trust(origin=self.origin, genesis=self.entries[0].id)


def _proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    def node(level: int, place: int) -> bytes:
        return root_of(leaves[place << level : place + 1 << level])

    return tuple(inclusion_proof(index, len(leaves), node))
