# SPDX-License-Identifier: Apache-2.0
"""
The small fictional log that the pages of docs/spec show, made by the real code from fixed seeds and a fixed clock.

It is founded, enrolled, written to, indexed, signed and proven as a deployment does it; only the chain is
invented.  `make_examples` turns it into files.
"""

import hashlib
import uuid
from dataclasses import dataclass, replace
from decimal import Decimal

from traceledger.chain.sender import address_of_key, sign_checkpoint
from traceledger.core.claims import private
from traceledger.core.claims.gs1_values import check_digit
from traceledger.core.claims.identifiers import gln_uri, gtin_uri, lot_uri
from traceledger.core.claims.records import code_uri
from traceledger.core.judge.bundle import Anchored, Bundle, Opened
from traceledger.core.log import anchor, note
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state import stamps
from traceledger.core.state.registry import AnchorPlace
from traceledger.ledger import compose, enrol
from traceledger.ledger.index import build_record
from traceledger.ledger.prove import Prover, roll_root
from traceledger.ledger.sequence import Log
from traceledger.store import log as stored
from traceledger.store import rolls
from traceledger.store.database import Database
from traceledger.store.rolls import StoredRoll

ORIGIN = "so.example/nhat-ky"
CHAIN = "eip155:31337"
START = 1_796_086_800  # 2026-12-01 08:00 in Vietnam
HOST = "so.example"


def seed(name: str) -> bytes:
    """Return 32 fixed bytes for *name*: how every secret of the example is made."""
    return hashlib.sha256(f"{ORIGIN} example: {name}".encode()).digest()


def key(name: str) -> SigningKey:
    """Return the Ed25519 key called *name*."""
    return SigningKey(seed(name))


def number(body: str) -> str:
    """Return *body* with its check digit."""
    return body + check_digit(body)


FIELD = number("952197400100")
RAW, BAG = number("0952197400001"), number("0952197400002")
RAW_LOT, BAG_LOT = lot_uri(RAW, "HT-2612"), lot_uri(BAG, "TL-2612")
CODE = "VN-MAUOR-0007"
ROLL = "tht-hanh-mau/HT-01"
SALT = seed("salt of the grower")[:16]
GROWER: Json = {"name": "Trần Thị Mẫu", "phone": "0900000001"}
NAMES = (
    *("root-1", "root-2", "root-3", "operator-admin", "group-admin", "authority-admin"),
    *("indexer", "clerk", "stamps", "officer", "log", "witness"),
)
CONTRACT = hashlib.sha256(b"a contract address of the example").digest()[:20]


@dataclass(slots=True)
class World:
    """The log of the example while it is written; *clock* is what the log calls now."""

    log: Log
    clock: int = START

    @classmethod
    def of(cls, database: Database) -> "World":
        """Return the world whose log is stored in *database*."""
        world = cls(Log(database, ORIGIN, key("log"), now=lambda: float(world.clock)))
        return world

    @property
    def database(self) -> Database:
        """Where it is stored."""
        return self.log.database

    def put(self, *envelopes: Envelope, after: int = 0) -> None:
        """Append *envelopes*, the clock moved on by *after* seconds."""
        self.clock += after
        for envelope in envelopes:
            self.log.submit_envelope(envelope)

    def say(self, family: str, kind: str, actor: str, who: str, data: Json, *about: str) -> None:
        """Append a record of *actor*, signed by the key *who*, two minutes later."""
        statement = compose.record(
            self.database, ORIGIN, family=family, kind=kind, actor=actor, about=about, data=data, demo=True
        )
        self.put(sign_envelope(statement, family, [key(who)]), after=120)

    def tell(self, kind: str, members: Json, more: Json, *, after: int) -> None:
        """Append an event of the growers' group, signed by its clerk."""
        identity = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{ORIGIN} {kind}')}"
        statement = compose.event(
            self.database,
            ORIGIN,
            kind=kind,
            actor="tht-hanh-mau",
            members={**members, "eventID": identity},
            more=more,
            demo=True,
        )
        self.put(sign_envelope(statement, "event", [key("clerk")]), after=after)


def place() -> AnchorPlace:
    """Return where the policy of the example anchors."""
    signer, guardian = address_of_key(seed("anchor")), address_of_key(seed("guardian"))
    return AnchorPlace(
        chain=CHAIN,
        contract=CONTRACT,
        log_id=anchor.log_id(signer, guardian, ORIGIN),
        signer=signer,
        guardian=guardian,
    )


def enrol_all(world: World) -> None:
    """Found the log: root, policy, organisations, keys, one grant and its revocation."""
    roots = [key(f"root-{i}") for i in (1, 2, 3)]
    world.put(enrol.root(ORIGIN, version=1, threshold=2, keys=roots))
    witness = note.VerifierKey(
        name="chung.example/lam-chung", kind=note.COSIGNATURE, public=key("witness").public
    )
    world.put(
        enrol.policy(
            ORIGIN,
            version=1,
            log_keys=[key("log").public],
            anchors=[place()],
            witnesses=f"witness lam-chung {witness.text()}\nquorum lam-chung\n",
            max_silence=172_800,
            root_keys=roots[:2],
        )
    )
    orgs: tuple[tuple[str, str, str, dict[str, str], tuple[str, ...]], ...] = (
        ("so-mau", "Đơn vị giữ sổ (hư cấu)", "operator-admin", {}, ("operator",)),
        ("tht-hanh-mau", "Tổ hợp tác Hành Mẫu (hư cấu)", "group-admin", {"gs1": "9521974"}, ()),
        ("chi-cuc-mau", "Chi cục Mẫu (hư cấu)", "authority-admin", {}, ("authority",)),
    )
    for org, name, admin, ids, roles in orgs:
        world.put(
            enrol.organisation(
                world.log.registry(),
                org=org,
                name=name,
                admins=[key(admin)],
                root_keys=roots[1:],
                ids=ids,
                roles=roles,
            )
        )
    keys = (
        ("so-mau", "indexer", "operator-admin", "file", ["log/index"]),
        ("tht-hanh-mau", "clerk", "group-admin", "device", ["event/*", "masterdata/*"]),
        ("tht-hanh-mau", "stamps", "group-admin", "file", ["stamps/*", "stamp/sign"]),
        ("chi-cuc-mau", "officer", "authority-admin", "device", ["credential/*"]),
    )
    for org, name, admin, custody, acts in keys:
        world.put(
            enrol.actor_key(
                ORIGIN, org=org, key=key(name), admin=key(admin), custody=custody, acts=acts, sites=["*"]
            )
        )
    lent = enrol.grant(
        ORIGIN,
        org="tht-hanh-mau",
        to=key("officer").kid,
        admin=key("group-admin"),
        acts=["event/test"],
        sites=[gln_uri(FIELD)],
        until=START + 90 * 86_400,
    )
    world.put(lent, after=60)
    world.put(
        enrol.revoke(
            ORIGIN,
            target={"grant": lent.id},
            reason="tổ tự lấy mẫu",
            suspect_from=None,
            signers=[key("group-admin")],
        ),
        after=60,
    )


def live(world: World) -> None:
    """Write the life of one lot of shallots: field, product, code, harvest, sorting."""
    about_field = {"gln": FIELD, "name": "Giồng Mẫu", "place": "xã Mẫu", "area_ha": Decimal("1.2")}
    world.say("masterdata", "site", "tht-hanh-mau", "clerk", about_field, gln_uri(FIELD))
    for gtin, name in ((RAW, "Hành tím tươi"), (BAG, "Hành tím túi lưới")):
        about = {"gtin": gtin, "name": name, "crop": "hành tím"}
        world.say("masterdata", "product", "tht-hanh-mau", "clerk", about, gtin_uri(gtin))
    code = {
        "code": CODE,
        "for": "growing",
        "owner": "tht-hanh-mau",
        "site": gln_uri(FIELD),
        "crop": "hành tím",
        "from": "2026-01-15",
        "to": None,
        "max_kg": 15000,
    }
    world.say("credential", "code", "chi-cuc-mau", "officer", code, code_uri(CODE), gln_uri(FIELD))
    here = {"eventTimeZoneOffset": "+07:00", "readPoint": {"id": gln_uri(FIELD)}}
    harvest = {
        **here,
        "type": "ObjectEvent",
        "eventTime": "2026-12-01T06:30:00+07:00",
        "action": "ADD",
        "bizStep": "commissioning",
        "quantityList": [{"epcClass": RAW_LOT, "quantity": Decimal("812.5"), "uom": "KGM"}],
    }
    committed = {"grower": private.commitment(SALT, GROWER)}
    world.tell("harvest", harvest, {"codes": [CODE], "for": "TV-007", "private": committed}, after=600)
    sorting = {
        **here,
        "type": "TransformationEvent",
        "eventTime": "2026-12-01T14:00:00+07:00",
        "bizStep": "repackaging",
        "inputQuantityList": [{"epcClass": RAW_LOT, "quantity": Decimal("812.5"), "uom": "KGM"}],
        "outputQuantityList": [{"epcClass": BAG_LOT, "quantity": 780, "uom": "KGM"}],
    }
    world.tell("process", sorting, {}, after=28_800)


def roll_of_stamps() -> tuple[StoredRoll, tuple[str, ...]]:
    """Return the roll with its five serials."""
    roll = StoredRoll(
        roll=ROLL,
        secret=seed("roll"),
        gtin=BAG,
        first=1,
        count=5,
        scheme="https",
        host=HOST,
        lot="TL-2612",
    )
    return roll, tuple(stamps.make_serial(seed(f"serial {i}")) for i in range(1, 6))


def stamp(world: World) -> None:
    """Issue the roll and activate three of its stamps for the bagged lot."""
    roll, serials = roll_of_stamps()
    with world.database.write() as connection:
        rolls.add_roll(connection, roll, serials)
    issue = {
        "roll": ROLL,
        "gtin": BAG,
        "host": HOST,
        "lot": "TL-2612",
        "first": 1,
        "count": 5,
        "root": b64encode(roll_root(roll, serials)),
        "key": key("stamps").kid,
    }
    world.say("stamps", "issue", "tht-hanh-mau", "stamps", issue)
    activated = {"roll": ROLL, "ranges": [[1, 3]]}
    world.say("stamps", "activate", "tht-hanh-mau", "stamps", activated, BAG_LOT)


def seal(world: World) -> note.Checkpoint:
    """Append the index record and sign the checkpoint that ends in it, with anchor signer and witness."""
    world.clock += 300
    world.log.submit_built(
        lambda connection, size, root: build_record(
            connection, size, root, origin=ORIGIN, operator="so-mau", key=key("indexer"), demo=True
        )
    )
    with world.database.read() as connection:
        head = stored.read_head(connection)
    r, s, v = sign_checkpoint(seed("anchor"), log_id=place().log_id, size=head.size, root=head.root)
    message = f"cosignature/v1\ntime {world.clock + 5}\n{note.checkpoint_body(ORIGIN, head.size, head.root)}"
    witness = note.VerifierKey(
        name="chung.example/lam-chung", kind=note.COSIGNATURE, public=key("witness").public
    )
    cosigned = note.NoteSignature(
        name=witness.name,
        key_id=witness.key_id,
        sig=(world.clock + 5).to_bytes(8) + key("witness").sign(message.encode()),
    )
    line = note.anchor_line(ORIGIN, place().signer, r=r, s=s, v=v)
    return world.log.sign_anchored(head.size, head.root, [line, cosigned])


def receipt_of(checkpoint: note.Checkpoint) -> anchor.Receipt:
    """Return the receipt the contract's event gives for the first anchor of *checkpoint*; no chain was run."""
    words = (checkpoint.size.to_bytes(32), checkpoint.root, bytes(32), bytes(32))
    log = anchor.ReceiptLog(
        address=CONTRACT,
        topics=(anchor.ANCHORED_TOPIC, place().log_id, (1).to_bytes(32)),
        data=b"".join(words),
        log_index=0,
    )
    return anchor.Receipt(status=1, block_number=1_204, block_hash=seed("block"), logs=(log,))


def observed(receipt: anchor.Receipt) -> dict[int, list[anchor.Observation]]:
    """Return what two endpoints that agree would say of the bundle's one anchor."""
    names = ("https://rpc-a.example", "https://rpc-b.example")
    return {
        0: [
            anchor.Observation(
                endpoint=name, chain_id=31337, finalized=1_300, receipt=receipt, canonical=True
            )
            for name in names
        ]
    }


def prove(world: World) -> Bundle:
    """Return the bundle of the bagged lot with stamp 2, the grower's private part opened, and the anchor."""
    serial = roll_of_stamps()[1][1]
    with world.database.read() as connection:
        bundle = Prover(world.log).make(connection, BAG_LOT, serial=serial)
        found = next(
            i for i, e in stored.touching(connection, RAW_LOT, world.log.size()) if e.kind == "harvest"
        )
    opened = Opened(index=found, name="grower", salt=SALT, value=GROWER)
    anchored = Anchored(chain=CHAIN, tx="0x" + seed("transaction").hex(), log=0, proof=())
    return replace(bundle, private=(opened,), anchors=(anchored,))
