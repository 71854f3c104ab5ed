# SPDX-License-Identifier: Apache-2.0
"""
A small log in memory, and the mango lot told in it: real keys, signatures, proofs and an anchor's receipt.

Slow and obvious on purpose: every proof is made from the list of leaves.  All names are invented.
"""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import coincurve

from traceledger.core.claims.identifiers import gln_uri, gtin_uri, lot_uri
from traceledger.core.claims.records import code_uri, roll_uri
from traceledger.core.judge.bundle import Anchored, Bundle, Item, Row, StampProof, Trust, row_data
from traceledger.core.log import anchor as anchors
from traceledger.core.log.anchor import Observation, Receipt, ReceiptLog
from traceledger.core.log.entry import CHAIN_START, Entry, next_chain
from traceledger.core.log.merkle import inclusion_proof, leaf_hash, root_of
from traceledger.core.log.note import (
    ED25519,
    Checkpoint,
    VerifierKey,
    anchor_line,
    sign_checkpoint,
    with_lines,
)
from traceledger.core.sign.encoding import b64decode, b64encode, b64u_encode
from traceledger.core.sign.envelope import sign_envelope
from traceledger.core.sign.evm import address_of
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.lineage import subjects_of, upstream
from traceledger.core.state.stamps import roll_leaf, sign_link, stamp_salt

ORIGIN = "trace.example"
HOST = "trace.example"
GTIN = "09521234567899"
LOT = lot_uri(GTIN, "XCL-2611A")
PRODUCT = gtin_uri(GTIN)
PLOT = gln_uri("9521234000013")
SHED = gln_uri("9521234000020")
CODE = "VN-DTOR-0999"
ROLL = "htx-ben-mau/A"
SERIALS = ("4GTQJM1GKHZ7", "FW15R2V85TNK", "PXJWJ6J9VNCT", "7KM2V9QX3R5T")
FIRST = 123_456
CONTRACT = bytes.fromhex("c0" * 20)
START = int(datetime(2026, 11, 12, 1, 0, tzinfo=UTC).timestamp())
NOW = int(datetime(2026, 11, 25, 3, 0, tzinfo=UTC).timestamp())
CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld", {"tl": "urn:traceledger:v1:"}]


def key(name: str) -> SigningKey:
    """The Ed25519 key of *name*; it protects nothing."""
    return SigningKey(hashlib.sha256(f"story {name}".encode()).digest())


def wallet(name: str) -> tuple[coincurve.PrivateKey, bytes]:
    """A secp256k1 key and its address."""
    private = coincurve.PrivateKey(hashlib.sha256(f"story {name}".encode()).digest())
    return private, address_of(private.public_key.format(compressed=False)[1:])


def stamp_uri(number: int) -> str:
    """The link of stamp *number*."""
    return f"https://{HOST}/01/{GTIN}/21/{SERIALS[number - FIRST]}"


def signature(number: int) -> str:
    """What is printed behind ``?s=`` on stamp *number*."""
    return sign_link(key("stamp"), stamp_uri(number))


@dataclass
class Story:
    """The log so far."""

    chain_id: int = 1
    demo: bool = False
    entries: list[Entry] = field(default_factory=list)
    reg: tuple[int, bytes] = (0, CHAIN_START)
    now: int = START
    roll_secret: bytes = hashlib.sha256(b"story roll").digest()

    # --- writing

    def put(self, statement: dict, family: str, *signers: str) -> Entry:
        """Append *statement*; return its entry."""
        entry = Entry.make(
            sign_envelope(statement, family, [key(name) for name in signers]), reg=self.reg, t=self.now
        )
        if entry.is_registry:
            self.reg = (self.reg[0] + 1, next_chain(self.reg[1], entry.leaf))
        self.entries.append(entry)
        return entry

    def head(self) -> list:
        """The head a signer saw: [size, root]."""
        return [len(self.entries), b64encode(root_of([entry.leaf for entry in self.entries]))]

    def record(
        self,
        family: str,
        kind: str,
        actor: str,
        data: dict,
        *,
        about: list = (),
        prev: list = (),
        by: str = "",
    ) -> Entry:
        """Append a record of *actor*."""
        statement = {
            "v": 1, "log": ORIGIN, "actor": actor, "kind": kind, "about": list(about), "data": data,
            "prev": sorted(entry.id for entry in prev), "seen": self.head(),
        }  # fmt: skip
        return self.put(statement | ({"demo": True} if self.demo else {}), family, by or actor)

    def event(
        self,
        kind: str,
        actor: str,
        when: str,
        *,
        action: str = "OBSERVE",
        kg: Decimal | int | None = None,
        site: str = PLOT,
        prev: list = (),
        lot: str = LOT,
        **more: object,
    ) -> Entry:
        """Append an ObjectEvent of *actor*; names in *more* that begin with tl_ become tl: members."""
        quantity = {"epcClass": lot} | ({"quantity": kg, "uom": "KGM"} if kg is not None else {})
        statement = {
            "@context": CONTEXT, "type": "ObjectEvent", "action": action, "eventTime": when,
            "eventTimeZoneOffset": "+07:00", "readPoint": {"id": site}, "quantityList": [quantity],
            "eventID": f"urn:uuid:00000000-0000-4000-8000-{len(self.entries):012}",
            "tl:actor": actor, "tl:kind": kind, "tl:log": ORIGIN, "tl:seen": self.head(),
            "tl:prev": sorted(entry.id for entry in prev),
        }  # fmt: skip
        statement |= {name.replace("tl_", "tl:"): value for name, value in more.items()}
        return self.put(statement | ({"tl:demo": True} if self.demo else {}), "event", actor)

    def organisation(
        self, org: str, name: str, *, roles: list = (), custody: str = "file", acts: list = ("*",)
    ) -> None:
        """Register *org* with one actor key of the same name."""
        statement = {"v": 1, "log": ORIGIN, "version": 1, "org": org, "name": name}
        statement["admins"] = [b64u_encode(key(f"{org} admin").public)]
        self.put(statement | ({"roles": list(roles)} if roles else {}), "org", "root", f"{org} admin")
        self.actor_key(org, org, custody=custody, acts=acts)

    def actor_key(self, org: str, name: str, *, custody: str, acts: list) -> None:
        """Register key *name* for *org*."""
        statement = {
            "v": 1,
            "log": ORIGIN,
            "org": org,
            "pk": b64u_encode(key(name).public),
            "custody": custody,
        }
        self.put(statement | {"acts": list(acts), "sites": ["*"]}, "key", f"{org} admin", name)

    # --- proving

    def node(self, level: int, index: int) -> bytes:
        """Hash of a perfect subtree."""
        width = 1 << level
        return root_of([entry.leaf for entry in self.entries[index * width : (index + 1) * width]])

    def touching(self, subject: str) -> list[int]:
        """Indexes of entries that touch *subject*."""
        return [i for i, entry in enumerate(self.entries) if subject in subjects_of(entry)]

    def item(self, index: int) -> Item:
        """An entry with its proof into the whole log."""
        proof = inclusion_proof(index, len(self.entries), self.node)
        return Item(index=index, entry=self.entries[index].to_json(), proof=tuple(proof))

    def index_record(self) -> tuple[Entry, list[tuple[str, int, int]]]:
        """Append the index record; return it with its rows."""
        subjects = sorted({s for entry in self.entries for s in subjects_of(entry)}, key=str.encode)
        rows = [(s, len(self.touching(s)), self.touching(s)[-1]) for s in subjects]
        root = root_of([leaf_hash(row_data(*row)) for row in rows])
        data = {"size": len(self.entries), "subjects": len(rows), "root": b64encode(root)}
        return self.record("log", "index", "van-hanh", data), rows

    def checkpoint(self) -> Checkpoint:
        """The signed head, with the anchor signer's line."""
        root = root_of([entry.leaf for entry in self.entries])
        note = sign_checkpoint(ORIGIN, len(self.entries), root, key("log"))
        private, address = wallet("anchor")
        digest = anchors.checkpoint_digest(self.log_id(), len(self.entries), root)
        signed = private.sign_recoverable(digest, hasher=None)
        line = anchor_line(ORIGIN, address, r=signed[:32], s=signed[32:64], v=27 + signed[64])
        return with_lines(note, [line])

    def log_id(self) -> bytes:
        """The log's id on its chain."""
        return anchors.log_id(wallet("anchor")[1], wallet("guardian")[1], ORIGIN)

    def bundle(self, subject: str = LOT, *, stamp: int | None = None, anchored: bool = True) -> Bundle:
        """Append an index record and return the bundle of *subject*."""
        _, rows = self.index_record()
        self.now += 600
        last = len(self.entries) - 1
        wanted = upstream(subject, lambda s: [self.entries[i] for i in self.touching(s)])
        wanted += [roll_uri(ROLL)] if stamp else []
        shown = sorted({i for s in wanted for i in self.touching(s)})
        leaves = [leaf_hash(row_data(*row)) for row in rows]

        def row_node(level: int, index: int) -> bytes:
            return root_of(leaves[index << level : (index + 1) << level])

        kept = [
            Row(
                subject=s,
                count=n,
                last=newest,
                position=p,
                proof=tuple(inclusion_proof(p, len(rows), row_node)),
            )
            for p, (s, n, newest) in enumerate(rows)
            if s in wanted
        ]
        chain = Anchored(chain=f"eip155:{self.chain_id}", tx="0x" + "ab" * 32, log=0, proof=())
        return Bundle(
            subject=subject,
            checkpoint=self.checkpoint().text(),
            entries=tuple(self.item(i) for i in shown),
            index_item=self.item(last),
            rows=tuple(kept),
            whole=tuple((i, e.to_json()) for i, e in enumerate(self.entries) if e.is_registry),
            stamp=self.stamp_proof(stamp) if stamp else None,
            anchors=(chain,) if anchored else (),
        )

    def stamp_proof(self, number: int) -> StampProof:
        """What proves stamp *number* into its roll."""
        leaves = self.roll_leaves()

        def node(level: int, index: int) -> bytes:
            return root_of(leaves[index << level : (index + 1) << level])

        issued = next(i for i, entry in enumerate(self.entries) if entry.kind == "issue")
        proof = inclusion_proof(number - FIRST, len(leaves), node)
        salt = stamp_salt(self.roll_secret, number)
        return StampProof(uri=stamp_uri(number), index=issued, number=number, salt=salt, proof=tuple(proof))

    def roll_leaves(self) -> list[bytes]:
        """Leaf hashes of the roll."""
        numbers = range(FIRST, FIRST + len(SERIALS))
        return [roll_leaf(stamp_salt(self.roll_secret, n), n, stamp_uri(n)) for n in numbers]

    def trust(self) -> Trust:
        """The trust file that pins this log."""
        return Trust(origin=ORIGIN, genesis=self.entries[0].id)

    def observations(self, *, final: bool = True, error: str | None = None) -> dict[int, list[Observation]]:
        """What two endpoints say of the anchor of the newest checkpoint."""
        if error:
            return {0: [Observation(endpoint=name, error=error) for name in ("a", "b")]}
        size, root = len(self.entries), root_of([entry.leaf for entry in self.entries])
        words = size.to_bytes(32) + root + bytes(64)
        log = ReceiptLog(
            address=CONTRACT,
            topics=(anchors.ANCHORED_TOPIC, self.log_id(), (1).to_bytes(32)),
            data=words,
            log_index=0,
        )
        receipt = Receipt(status=1, block_number=1_234_567, block_hash=b"\x07" * 32, logs=(log,))
        seen = Observation(
            endpoint="a",
            chain_id=self.chain_id,
            finalized=1_234_570 if final else 1_234_560,
            receipt=receipt,
            canonical=True,
        )
        return {0: [seen, replace(seen, endpoint="b")]}

    def related(self) -> list[tuple[int, Entry]]:
        """Masterdata, credentials and notices, as the house would look them up."""
        return [
            (i, e) for i, e in enumerate(self.entries) if e.family in ("masterdata", "credential", "notice")
        ]


def payload(entry: dict) -> bytes:
    """The signed bytes of an entry's JSON."""
    return b64decode(entry["env"]["payload"])


def with_payload(entry: dict, old: bytes, new: bytes) -> dict:
    """The entry's JSON with *old* replaced by *new* in the signed bytes, the signature kept."""
    changed = payload(entry).replace(old, new)
    return entry | {"env": entry["env"] | {"payload": b64encode(changed)}}


def registered(*, chain_id: int = 1, demo: bool = False) -> Story:
    """A log with its registry, product, places, a growing-area code and a certificate."""
    story = Story(chain_id=chain_id, demo=demo)
    story.put(
        {"v": 1, "log": ORIGIN, "version": 1, "threshold": 1, "keys": [b64u_encode(key("root").public)]},
        "root",
        "root",
    )
    policy = {
        "v": 1, "log": ORIGIN, "version": 1, "witnesses": "", "max_silence": 86400,
        "log_keys": [{"vkey": VerifierKey(name=ORIGIN, kind=ED25519, public=key("log").public).text()}],
        "anchors": [{"chain": f"eip155:{chain_id}", "contract": f"0x{CONTRACT.hex()}", "log_id": f"0x{story.log_id().hex()}",
                     "signer": f"0x{wallet('anchor')[1].hex()}", "guardian": f"0x{wallet('guardian')[1].hex()}"}],
    }  # fmt: skip
    story.put(policy, "policy", "root")
    story.organisation("van-hanh", "Đơn vị vận hành mẫu", roles=["operator"])
    story.organisation("chi-cuc-mau", "Chi cục Trồng trọt Mẫu", roles=["authority"])
    story.organisation("phong-thu-mau", "Phòng thử nghiệm Mẫu", roles=["certifier"])
    story.organisation("htx-ben-mau", "HTX Xoài Bến Mẫu", custody="device")
    story.actor_key("htx-ben-mau", "stamp", custody="custodial", acts=["stamp/sign"])
    story.organisation("nha-dong-goi", "Nhà đóng gói Bờ Thử", custody="custodial")
    story.organisation("cua-hang-mau", "Cửa hàng Trái Cây Mẫu")
    story.record(
        "masterdata",
        "product",
        "htx-ben-mau",
        {"gtin": GTIN, "name": "Xoài cát chu", "crop": "xoài"},
        about=[PRODUCT],
    )
    site = {"gln": "9521234000013", "name": "Vườn số 3", "place": "Đồng Tháp", "area_ha": 2, "crop": "xoài"}
    story.record("masterdata", "site", "htx-ben-mau", site, about=[PLOT])
    shed = {"gln": "9521234000020", "name": "Kho Bờ Thử", "place": "Đồng Tháp"}
    story.record("masterdata", "site", "nha-dong-goi", shed, about=[SHED])
    code = {
        "code": CODE,
        "for": "growing",
        "owner": "htx-ben-mau",
        "site": PLOT,
        "crop": "xoài",
        "from": "2026-01-01",
        "to": None,
        "max_kg": 30000,
    }
    story.record("credential", "code", "chi-cuc-mau", code, about=[code_uri(CODE), PLOT])
    lent = {"who": "nha-dong-goi", "crop": None, "from": "2026-06-01", "to": "2027-05-31", "max_kg": 12000}
    story.record("credential", "authorisation", "htx-ben-mau", lent, about=[code_uri(CODE)])
    certificate = {
        "scheme": "VietGAP",
        "number": "VG-MAU-001",
        "holder": "htx-ben-mau",
        "from": "2026-02-01",
        "to": "2027-01-31",
    }
    story.record("credential", "certificate", "phong-thu-mau", certificate, about=[PLOT])
    lapsed = certificate | {"number": "VG-CU-000", "from": "2024-02-01", "to": "2025-01-31"}
    story.record("credential", "certificate", "phong-thu-mau", lapsed, about=[PLOT])
    return story


def mango(story: Story, *, spray: str = "2026-10-28", correct: bool = True) -> Story:
    """The lot's journey: sprayed, harvested, handed over, treated, tested, stamped."""
    story.now = START + 86_400
    sprayed = story.event("spray", "htx-ben-mau", f"{spray}T06:15:00+07:00", tl_phi=14, tl_for="TV-017")
    wrong = story.event(
        "harvest",
        "htx-ben-mau",
        "2026-11-12T06:30:00+07:00",
        action="ADD",
        kg=200,
        prev=[sprayed],
        tl_codes=[CODE],
    )
    last = wrong
    if correct:
        fixed = story.event(
            "harvest",
            "htx-ben-mau",
            "2026-11-12T06:30:00+07:00",
            action="ADD",
            kg=Decimal("1250.5"),
            prev=[wrong],
            tl_codes=[CODE],
            tl_for="TV-017",
        )
        declaration = {
            "declarationTime": "2026-11-12T09:05:00+07:00", "reason": "gõ nhầm số cân",
            "correctiveEventIDs": [fixed.statement["eventID"]],
        }  # fmt: skip
        statement = {k: v for k, v in wrong.statement.items() if k != "tl:codes"}
        statement |= {
            "errorDeclaration": declaration,
            "tl:prev": sorted([wrong.id, fixed.id]),
            "tl:seen": story.head(),
        }
        last = story.put(statement, "event", "htx-ben-mau")
    sent = story.event(
        "dispatch", "htx-ben-mau", "2026-11-12T10:00:00+07:00", kg=Decimal("1250.5"), prev=[last]
    )
    got = story.event(
        "receive", "nha-dong-goi", "2026-11-12T13:20:00+07:00", kg=Decimal("1250.5"), prev=[sent], site=SHED
    )
    treated = story.event("treat", "nha-dong-goi", "2026-11-12T15:00:00+07:00", prev=[got], site=SHED)
    paper = [{"name": "phieu-ket-qua.pdf", "sha256": "5a" * 32, "size": 48213, "type": "application/pdf"}]
    tested = story.event(
        "test", "phong-thu-mau", "2026-11-13T09:00:00+07:00", prev=[treated], site=SHED, tl_evidence=paper
    )
    root = b64encode(root_of(story.roll_leaves()))
    stamp_kid = key("stamp").kid
    issue = {
        "roll": ROLL,
        "gtin": GTIN,
        "host": HOST,
        "first": FIRST,
        "count": len(SERIALS),
        "root": root,
        "key": stamp_kid,
    }
    issued = story.record("stamps", "issue", "htx-ben-mau", issue)
    activate = {"roll": ROLL, "ranges": [[FIRST, FIRST + 2]]}
    story.now += 3600
    story.record("stamps", "activate", "htx-ben-mau", activate, about=[LOT], prev=[issued, tested])
    return story
