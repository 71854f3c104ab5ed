# SPDX-License-Identifier: Apache-2.0
"""
Small deployments on disk, as `init` makes them: real keys, real SQLite, and a real anvil where a chain is asked for.

`House` writes statements the way the tools do and submits them through the deployment's own use cases.  One
founded deployment is made per session and copied for each test, since founding draws and seals keys.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from traceledger.app import App, build, create_deployment, new_key, open_evm_key, set_up_chain
from traceledger.chain.devchain import CHAIN_ID, DevChain
from traceledger.core.claims.identifiers import gln_uri, gtin_uri, lot_uri
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import EMPTY_ROOT
from traceledger.core.log.note import parse_checkpoint
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.ledger import compose, enrol
from traceledger.ledger.admit import Outcome
from traceledger.ledger.sequence import Log
from traceledger.settings import check, load, write
from traceledger.store import log as stored
from traceledger.store.database import Database
from traceledger.store.schema import metadata

ORIGIN = "so.example/nhat-ky"
OPERATOR = "van-hanh-mau"
GTIN = "09521234567899"
COOP = "htx-mau"
PACKER = "dong-goi-mau"
AUTHORITY = "chi-cuc-mau"
PLOT = gln_uri("9521234000013")
SHED = gln_uri("9521234000020")
PARTIES = {
    COOP: "https://id.gs1.org/417/9521234000013",
    PACKER: "https://id.gs1.org/417/9521234000020",
}
LOT = lot_uri(GTIN, "L1")
FOUNDED = 4
"""Entries of a log that was only founded: root, policy, organisation, indexer's key."""


@dataclass
class House:
    """One deployment, the keys of its actors, and short ways to write into it."""

    app: App
    keys: dict[str, SigningKey] = field(default_factory=dict)
    serial: int = 0

    @property
    def folder(self) -> Path:
        """Where it lives."""
        return self.app.settings.folder

    @property
    def log(self) -> Log:
        """The log itself."""
        return self.app.sequencer

    # --- the registry

    def enrol(
        self,
        org: str,
        *,
        acts: Sequence[str] = ("*",),
        sites: Sequence[str] = ("*",),
        roles: Sequence[str] = (),
        ids: Mapping[str, str] | None = None,
    ) -> SigningKey:
        """Register *org*, its admin's key, and the key that signs for it."""
        admin = new_key(self.app.settings, f"{org}-admin")
        self.log.submit_envelope(
            enrol.organisation(
                self.log.registry(),
                org=org,
                name=f"Tổ chức {org}",
                admins=[admin],
                root_keys=[self.app.key("root")],
                roles=roles,
                ids=ids or ({"party": PARTIES[org]} if org in PARTIES else None),
            )
        )
        self.keys[org] = self.add_key(org, org, acts=acts, sites=sites)
        return self.keys[org]

    def add_key(
        self, org: str, name: str, *, acts: Sequence[str] = ("*",), sites: Sequence[str] = ("*",)
    ) -> SigningKey:
        """Make key file *name* and register it for *org*."""
        made = new_key(self.app.settings, name)
        self.log.submit_envelope(self.key_statement(org, made, acts=acts, sites=sites))
        return made

    def key_statement(
        self, org: str, made: SigningKey, *, acts: Sequence[str] = ("*",), sites: Sequence[str] = ("*",)
    ) -> Envelope:
        """State that *made* signs for *org*."""
        return enrol.actor_key(
            self.log.origin,
            org=org,
            key=made,
            admin=self.app.key(f"{org}-admin"),
            custody="file",
            acts=acts,
            sites=sites,
        )

    def revocation(self, org: str, kid: str, *, suspect_from: int | None = None) -> Envelope:
        """State that key *kid* of *org* is revoked."""
        return enrol.revoke(
            self.log.origin,
            target={"kid": kid},
            reason="mất máy",
            suspect_from=suspect_from,
            signers=[self.app.key(f"{org}-admin")],
        )

    # --- statements

    def event(
        self,
        org: str,
        kind: str,
        lot: str = LOT,
        *,
        kg: int | None = None,
        action: str = "OBSERVE",
        key: SigningKey | None = None,
        more: Mapping[str, Any] | None = None,
        change: Mapping[str, Any] | None = None,
        **members: Any,
    ) -> Envelope:
        """Compose and sign an ObjectEvent about *lot*; *change* overrides members of the finished statement."""
        self.serial += 1
        item: dict[str, Any] = {"epcClass": lot}
        if kg is not None:
            item |= {"quantity": kg, "uom": "KGM"}
        full = {
            "type": "ObjectEvent",
            "eventID": self.event_id(),
            "eventTime": self.time(),
            "eventTimeZoneOffset": "+07:00",
            "action": action,
            "quantityList": [item],
            "readPoint": {"id": PLOT},
            **members,
        }
        statement = compose.event(
            self.app.database, self.log.origin, kind=kind, actor=org, members=full, demo=True, more=more
        )
        return sign_envelope(statement | dict(change or {}), "event", [key or self.keys[org]])

    @staticmethod
    def time(hours: int = -2) -> str:
        """A moment *hours* from now, as events say it: nothing here is recorded late."""
        moment = datetime.now(timezone(timedelta(hours=7))) + timedelta(hours=hours)
        return moment.replace(microsecond=0).isoformat()

    def event_id(self) -> str:
        """A fresh event id, the same in every run."""
        self.serial += 1
        digest = hashlib.sha256(f"event {self.serial}".encode()).hexdigest()
        return f"urn:uuid:{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    def harvest(self, lot: str = LOT, kg: int = 100, **options: Any) -> Envelope:
        """Compose and sign a harvest of *lot* by the cooperative."""
        return self.event(COOP, "harvest", lot, kg=kg, action="ADD", bizStep="commissioning", **options)

    def record(
        self,
        org: str,
        family: str,
        kind: str,
        about: Sequence[str],
        data: Mapping[str, Any],
        *,
        key: SigningKey | None = None,
        change: Mapping[str, Any] | None = None,
    ) -> Envelope:
        """Compose and sign a record; *change* overrides members of the finished statement."""
        statement = compose.record(
            self.app.database,
            self.log.origin,
            family=family,
            kind=kind,
            actor=org,
            about=about,
            data=data,
            demo=True,
        )
        return sign_envelope(statement | dict(change or {}), family, [key or self.keys[org]])

    def note(self, text: str, *, about: Sequence[str] = (LOT,), org: str = COOP) -> Envelope:
        """Sign a short notice without looking anything up; the same *text* is the same statement."""
        return flag(self.log.origin, org, self.keys[org], text, about=about)

    def submit(self, envelope: Envelope) -> Outcome:
        """Submit as a client does, by bytes."""
        return self.app.log.submit(as_bytes(envelope))

    # --- reading

    def leaves(self) -> list[bytes]:
        """Leaf hashes of all entries, from their bytes."""
        return [Entry.parse(raw).leaf for raw in self.raw()]

    def raw(self) -> list[bytes]:
        """Bytes of all entries."""
        with self.app.database.read() as connection:
            return stored.read_entries(connection, 0, stored.read_head(connection).size)

    def size(self) -> int:
        """Number of entries."""
        return self.log.size()

    def reopen(self) -> "House":
        """Close everything and build it anew from the folder, as a restart does."""
        self.close()
        self.app = build(load(self.folder))
        return self

    def close(self) -> None:
        """Close the deployment."""
        self.app.close()


def flag(
    origin: str, org: str, key: SigningKey, text: str, *, about: Sequence[str] = (LOT,), **change: Any
) -> Envelope:
    """Sign a notice that leans on nothing: no prev, an empty log seen."""
    statement = {
        "v": 1,
        "log": origin,
        "actor": org,
        "kind": "flag",
        "about": list(about),
        "prev": [],
        "seen": [0, b64encode(EMPTY_ROOT)],
        "data": {"note": text},
        "demo": True,
    }
    return sign_envelope(statement | change, "notice", [key])


def as_bytes(envelope: Envelope) -> bytes:
    """Return what a client sends."""
    return json.dumps(envelope.to_json()).encode()


def head_of(note: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint note."""
    found = parse_checkpoint(note)
    return found.size, found.root


def found_house(folder: Path, **settings: Any) -> House:
    """Found a deployment in *folder* with an authority, a cooperative, a packer and a product."""
    values = {
        "origin": ORIGIN,
        "public_url": "http://127.0.0.1:8400",
        "operator": OPERATOR,
        "password_file": "keys/password",
        "demo": True,
        "anchor_every": 1,
        **settings,
    }
    chosen = check(folder, values)
    create_deployment(chosen, operator_name="Nhà vận hành Mẫu")
    house = House(build(chosen))
    house.enrol(AUTHORITY, roles=["authority"])
    house.enrol(COOP)
    house.enrol(PACKER)
    data = {"gtin": GTIN, "name": "Xoài mẫu", "crop": "xoài", "net": 1, "uom": "KGM"}
    house.submit(house.record(COOP, "masterdata", "product", [gtin_uri(GTIN)], data))
    return house


def open_house(folder: Path) -> House:
    """Open the deployment in *folder* with the keys of its actors."""
    app = build(load(folder))
    return House(app, {org: app.key(org) for org in (AUTHORITY, COOP, PACKER)})


HouseFactory = Callable[..., House]


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a founded deployment, to copy."""
    folder = tmp_path_factory.mktemp("founded") / "so"
    house = found_house(folder)
    house.close()
    return folder


@pytest.fixture
def new_house(founded: Path, tmp_path: Path) -> Iterator[HouseFactory]:
    """Return a function that opens a fresh copy of the founded deployment, closed after the test."""
    houses: list[House] = []

    def make(name: str = "so") -> House:
        shutil.copytree(founded, tmp_path / name)
        houses.append(open_house(tmp_path / name))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


@pytest.fixture
def house(new_house: HouseFactory) -> House:
    """Return a fresh deployment without a chain."""
    return new_house()


@dataclass
class Chained:
    """A deployment on a development chain."""

    house: House
    chain: DevChain

    def final(self) -> int:
        """Anchor until all is final, as the worker does; return the size."""
        anchorer = self.house.app.anchorer()
        state = anchorer.step()
        for _ in range(10):
            if state.settled:
                return state.size
            self.chain.mine(1)
            state = anchorer.step(send=state.anchored < state.size)
        raise AssertionError(f"not final: {state}")


@pytest.fixture(scope="session")
def chained_folder(
    founded: Path, anvil_factory: Callable[..., DevChain], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Return the folder of a deployment set up on a chain, and that chain's state file, both to copy."""
    folder = tmp_path_factory.mktemp("chained")
    shutil.copytree(founded, folder / "so")
    chain = anvil_factory(folder / "chain.json")
    house = open_house(folder / "so")
    connect(house, chain)
    house.close()
    chain.stop()
    return folder / "so", folder / "chain.json"


def connect(house: House, chain: DevChain) -> None:
    """Point *house* at *chain*, give its account money, and set the log up there."""
    settings = check(house.folder, _values(house) | {"rpc": [chain.url], "chain_id": CHAIN_ID})
    chain.fund(open_evm_key(settings, "account").address)
    house.app.close()
    house.app = build(settings)
    house.app = _rebuilt(house.app, set_up_chain(house.app))


def move(house: House, chain: DevChain) -> None:
    """Tell *house* that its chain is at another port now."""
    settings = check(house.folder, _values(house) | {"rpc": [chain.url]})
    house.app = _rebuilt(house.app, settings)


def _rebuilt(old: App, settings: Any) -> App:
    write(settings)
    old.close()
    return build(load(settings.folder))


def _values(house: House) -> dict[str, Any]:
    settings = house.app.settings
    return {name: getattr(settings, name) for name in settings.__slots__ if name != "folder"}


@pytest.fixture
def new_chained(
    chained_folder: tuple[Path, Path], anvil_factory: Callable[..., DevChain], tmp_path: Path
) -> Iterator[Callable[..., Chained]]:
    """Return a function that opens a copy of a deployment on a copy of its chain, a node of its own."""
    made: list[Chained] = []

    def make(name: str = "chained") -> Chained:
        folder, state = chained_folder
        shutil.copytree(folder, tmp_path / name)
        shutil.copyfile(state, tmp_path / f"{name}.json")
        chain = anvil_factory(tmp_path / f"{name}.json")
        house = open_house(tmp_path / name)
        move(house, chain)
        made.append(Chained(house, chain))
        return made[-1]

    yield make
    for one in made:
        one.house.close()
        one.chain.stop()


@pytest.fixture
def chained(new_chained: Callable[..., Chained]) -> Chained:
    """Return a fresh deployment on a chain of its own."""
    return new_chained()


# --- the obvious twin: RFC 9162 section 2.1.1 as it is written


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """Return MTH of *leaves* (leaf hashes), by its recursive definition."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_tile(leaves: Sequence[bytes], level: int, number: int, width: int) -> list[bytes]:
    """Return the hashes of a tile, each the root over its own leaves."""
    span = 256**level
    first = number * 256
    return [naive_root(leaves[i * span : (i + 1) * span]) for i in range(first, first + width)]


def row_counts(database: Database) -> dict[str, int]:
    """Return how many rows each table has: what is refused must leave them as they were."""
    with database.read() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }
