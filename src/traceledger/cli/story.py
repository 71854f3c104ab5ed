# SPDX-License-Identifier: Apache-2.0
"""
The demonstration's story: one lot of mangoes from plot to shop, each step signed by its own actor's key.

Everyone and everything in it is invented, tagged demo, and carries GS1's example prefix 952.  It plays in the
two days before it is told, so that nothing in it is recorded late.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from traceledger.app import App, build_from, new_key
from traceledger.core.claims.epcis import DIARY_IRI
from traceledger.core.claims.gs1_values import check_digit
from traceledger.core.claims.identifiers import gln_uri, gtin_uri, lot_uri, sscc_uri
from traceledger.core.claims.records import code_uri, roll_uri
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.envelope import sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.ledger import compose, enrol, issue
from traceledger.ledger.activate import activate
from traceledger.ledger.admit import Outcome
from traceledger.settings import FILE_NAME
from traceledger.store import log as stored

PREFIX: Final = "9521234"
FRESH: Final = f"0{PREFIX}00101" + check_digit(f"0{PREFIX}00101")
BAG: Final = f"0{PREFIX}00202" + check_digit(f"0{PREFIX}00202")
GROWING_CODE: Final = "VN-DTOR-0952"
PACKING_CODE: Final = "VN-DTPH-0952"
ROLL: Final = "XCC-A"
STAMPS: Final = 48
ACTIVATED: Final = 40
VIETNAM: Final = timezone(timedelta(hours=7))
PALLET: Final = f"0{PREFIX}000000001" + check_digit(f"0{PREFIX}000000001")


def _gln(number: int) -> str:
    body = f"{PREFIX}{number:05}"
    return body + check_digit(body)


@dataclass(frozen=True, slots=True)
class Actor:
    """One organisation of the story: short name, full name, place, what its key may state, its own role."""

    org: str
    title: str
    place: str
    number: int
    acts: tuple[str, ...]
    custody: str = "file"
    roles: tuple[str, ...] = ()

    @property
    def site(self) -> str:
        """URI of its place."""
        return gln_uri(_gln(self.number))

    @property
    def party(self) -> str:
        """URI of the organisation as a party."""
        return f"https://id.gs1.org/417/{_gln(self.number)}"


AUTHORITY: Final = Actor(
    "chi-cuc-mau", "Chi cục Trồng trọt Mẫu (bản thử)", "Đồng Tháp", 1, ("credential/*",), roles=("authority",)
)
COOPERATIVE: Final = Actor(
    "htx-ben-mau",
    "HTX Xoài Bến Mẫu",
    "Cao Lãnh, Đồng Tháp",
    2,
    ("masterdata/*", "credential/authorisation", "stamps/*"),
)
GROWER: Final = Actor(
    "ho-trong-017",
    "Hộ trồng số 017 (xã viên)",
    "Cao Lãnh, Đồng Tháp",
    3,
    ("event/*", "masterdata/site"),
    custody="device",
)
PACKER: Final = Actor(
    "dong-goi-mau", "Nhà đóng gói Bến Mẫu", "Cao Lãnh, Đồng Tháp", 4, ("event/*", "masterdata/*")
)
LABORATORY: Final = Actor(
    "kiem-nghiem-mau",
    "Phòng kiểm nghiệm Mẫu",
    "Cần Thơ",
    5,
    ("event/test", "masterdata/site"),
    roles=("certifier",),
)
CARRIER: Final = Actor(
    "xe-lanh-mau", "Vận tải lạnh Mẫu", "Đồng Tháp", 6, ("event/transport", "masterdata/site")
)
SHOP: Final = Actor(
    "cua-hang-mau", "Cửa hàng Nông sản Mẫu", "Thành phố Hồ Chí Minh", 7, ("event/*", "masterdata/site")
)
INTAKE: Final = Actor(
    "nhap-lieu-mau", "Đơn vị nhập liệu Mẫu (bản thử)", "Đồng Tháp", 8, ("event/*", "masterdata/*", "stamps/*")
)
ACTORS: Final = (AUTHORITY, COOPERATIVE, GROWER, PACKER, LABORATORY, CARRIER, SHOP, INTAKE)

Step = Callable[[str, Callable[[], Any]], Any]
"""``step(name, act)``: run *act*, tell the reader, return its result."""


@dataclass(slots=True)
class Story:
    """
    The story as it is told into *app*'s log.

    Attributes:
        now: When it is told; every event lies in the two days before.

        outcomes: What became of each statement, in order.
    """

    app: App
    now: datetime
    keys: dict[str, SigningKey] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def harvest_lot(self) -> str:
        """The lot on the tree and in the crate."""
        return lot_uri(FRESH, f"V017-{self.now:%y%m%d}")

    @property
    def shop_lot(self) -> str:
        """The lot in the bag that a shopper holds."""
        return lot_uri(BAG, f"XCC-{self.now:%y%m%d}")

    def tell(self, step: Step) -> None:
        """Tell the whole story, step by step."""
        step("organisations and keys", self.enrol)
        step("products, places and codes", self.describe)
        step("season: opened, bagged, fertilised, sprayed", self.grow)
        step("harvest, dispatch and receipt", self.gather)
        step("washed, treated with hot water, tested, packed", self.prepare)
        step("transport and shop", self.deliver)
        step(f"{STAMPS} stamps issued, {ACTIVATED} activated", self.stamp)

    # --- the registry

    def enrol(self) -> None:
        """Register each organisation, its admin's key, and the key that signs its steps."""
        root = self.app.key("root")
        for actor in ACTORS:
            admin = new_key(self.app.settings, f"{actor.org}-admin")
            signer = new_key(self.app.settings, actor.org, custody=actor.custody)
            ids = {"party": actor.party} | ({"gs1": PREFIX} if actor is COOPERATIVE else {})
            self._registry(
                enrol.organisation(
                    self.app.sequencer.registry(),
                    org=actor.org,
                    name=actor.title,
                    admins=[admin],
                    root_keys=[root],
                    ids=ids,
                    roles=actor.roles,
                )
            )
            self._registry(
                enrol.actor_key(
                    self.app.settings.origin,
                    org=actor.org,
                    key=signer,
                    admin=admin,
                    custody=actor.custody,
                    acts=actor.acts,
                    sites=["*"],
                )
            )
            self.keys[actor.org] = signer

    # --- masterdata and credentials

    def describe(self) -> None:
        """State products and places, grant the codes, and let others use them."""
        start, end = (
            f"{self.now - timedelta(days=200):%Y-%m-%d}",
            f"{self.now + timedelta(days=300):%Y-%m-%d}",
        )
        products = ((FRESH, "Xoài cát chu tươi", 1), (BAG, "Xoài cát chu, túi 1 kg", 1))
        for gtin, name, net in products:
            data = {"gtin": gtin, "name": name, "crop": "xoài", "net": net, "uom": "KGM"}
            self._record(COOPERATIVE, "masterdata", "product", [gtin_uri(gtin)], data)
        for actor in (COOPERATIVE, GROWER, PACKER, LABORATORY, CARRIER, SHOP):
            names = {GROWER.org: "Vườn 017, ấp Mẫu"}
            data = {
                "gln": _gln(actor.number),
                "name": names.get(actor.org, actor.title),
                "place": actor.place,
            }
            if actor is GROWER:
                data |= {"crop": "xoài"}
            self._record(actor, "masterdata", "site", [actor.site], data)
        for code, purpose, owner, site in (
            (GROWING_CODE, "growing", COOPERATIVE, GROWER.site),
            (PACKING_CODE, "packing", PACKER, PACKER.site),
        ):
            data = {
                "code": code,
                "for": purpose,
                "owner": owner.org,
                "site": site,
                "crop": "xoài",
                "from": start,
                "to": None,
                "max_kg": 15_000,
            }
            self._record(AUTHORITY, "credential", "code", [code_uri(code), site], data)
        permit = {"crop": "xoài", "from": start, "to": end}
        for who, about, most in (
            (GROWER, [code_uri(GROWING_CODE), gtin_uri(FRESH)], 3_000),
            (PACKER, [gtin_uri(BAG)], None),
            (LABORATORY, [self.shop_lot], None),
            (CARRIER, [self.shop_lot], None),
        ):
            data = {"who": who.org, **permit, "max_kg": most}
            self._record(COOPERATIVE, "credential", "authorisation", about, data)
        protocol = {"name": "Nước nóng 47 °C, 20 phút (tham số của bản thử)", "celsius": 47, "minutes": 20}
        self._record(PACKER, "masterdata", "protocol", [self.shop_lot], protocol)

    # --- events

    def grow(self) -> None:
        """Open the season's lot, and record what was done on the plot."""
        here = {"epcClass": self.harvest_lot}
        self._event(
            GROWER,
            "plant",
            "2 06:30",
            "ADD",
            "commissioning",
            [here],
            disposition="active",
            said={"note": "Mở vụ trên cây 8 năm tuổi"},
        )
        self._event(GROWER, "care", "2 08:00", "OBSERVE", None, [here], said={"note": "Bao trái"})
        self._event(
            GROWER,
            "fertilise",
            "2 10:00",
            "OBSERVE",
            None,
            [here],
            said={"material": "Phân hữu cơ", "dose": "5 kg mỗi cây"},
        )
        self._event(
            GROWER,
            "spray",
            "2 16:30",
            "OBSERVE",
            None,
            [here],
            said={"material": "Chế phẩm Bacillus subtilis trừ thán thư", "dose": "2 g/lít"},
            phi=1,
        )
        self._event(
            GROWER,
            "observe",
            "1 05:30",
            "OBSERVE",
            "inspecting",
            [here],
            said={"note": "Bẫy ruồi đục quả: 0 con"},
        )

    def gather(self) -> None:
        """Harvest under the growing-area code, hand over, and take over: two signatures for one hand-over."""
        load = self._kilograms(self.harvest_lot, "1250.5")
        self._event(
            GROWER,
            "harvest",
            "1 06:30",
            "ADD",
            "commissioning",
            [load],
            disposition="active",
            codes=[GROWING_CODE],
        )
        self._event(
            GROWER, "dispatch", "1 08:30", "OBSERVE", "shipping", [load], disposition="in_transit", to=PACKER
        )
        self._event(PACKER, "receive", "1 09:00", "OBSERVE", "receiving", [load], disposition="in_progress")

    def prepare(self) -> None:
        """Wash and grade, treat with hot water, test, and pack on a pallet."""
        members = self._members("TransformationEvent", "1 10:00", PACKER, "commissioning", "active")
        members |= {
            "inputQuantityList": [self._kilograms(self.harvest_lot, "1250.5")],
            "outputQuantityList": [self._kilograms(self.shop_lot, "1180")],
        }
        self._submit_event(PACKER, "process", members, {"codes": [PACKING_CODE]})
        load = [self._kilograms(self.shop_lot, "1180")]
        reports = [{"type": "Temperature", "value": 47, "uom": "CEL"}]
        sensor = [{"sensorMetadata": {"time": self._time("1 12:00")}, "sensorReport": reports}]
        self._event(
            PACKER,
            "treat",
            "1 12:00",
            "OBSERVE",
            None,
            load,
            said={"note": "Nước nóng 47 °C, 20 phút"},
            more={"sensorElementList": sensor},
        )
        self._event(
            LABORATORY,
            "test",
            "1 14:00",
            "OBSERVE",
            "inspecting",
            load,
            disposition="conformant",
            said={"note": "Dư lượng 3 hoạt chất: không phát hiện"},
        )
        members = self._members("AggregationEvent", "1 15:30", PACKER, "packing", "in_progress")
        members |= {"action": "ADD", "parentID": sscc_uri(PALLET), "childQuantityList": load}
        self._submit_event(PACKER, "pack", members, {})

    def deliver(self) -> None:
        """Send the pallet to the shop."""
        load = [self._kilograms(self.shop_lot, "1180")]
        pallet = {"epcList": [sscc_uri(PALLET)]}
        self._event(
            PACKER,
            "dispatch",
            "1 17:00",
            "OBSERVE",
            "shipping",
            load,
            disposition="in_transit",
            to=SHOP,
            more=pallet,
        )
        self._event(
            CARRIER,
            "transport",
            "1 20:00",
            "OBSERVE",
            "transporting",
            load,
            disposition="in_transit",
            said={"note": "Xe lạnh 12 °C"},
        )
        self._event(
            SHOP,
            "receive",
            "1 22:30",
            "OBSERVE",
            "receiving",
            load,
            disposition="sellable_accessible",
            more=pallet,
        )

    def stamp(self) -> None:
        """Issue a roll for the bags and activate most of it for the lot."""
        app, key = self.app, self.keys[COOPERATIVE.org]
        issue.issue(
            app.sequencer,
            actor=COOPERATIVE.org,
            name=ROLL,
            gtin14=BAG,
            count=STAMPS,
            scheme=app.settings.link_scheme,
            host=app.settings.link_host,
            key=key,
            demo=True,
        )
        done = activate(
            app.sequencer,
            app.log,
            roll=f"{COOPERATIVE.org}/{ROLL}",
            ranges=[(1, ACTIVATED)],
            lot=self.shop_lot,
            key=key,
            demo=True,
        )
        self.outcomes.append(done)

    # --- how statements are made

    def _registry(self, envelope: Any) -> None:
        self.outcomes.append(self.app.log.submit_envelope(envelope))

    def _record(
        self, actor: Actor, family: str, kind: str, about: Sequence[str], data: Mapping[str, Json]
    ) -> None:
        statement = compose.record(
            self.app.database,
            self.app.settings.origin,
            family=family,
            kind=kind,
            actor=actor.org,
            about=about,
            data=data,
            demo=True,
        )
        self.outcomes.append(
            self.app.log.submit_envelope(sign_envelope(statement, family, [self.keys[actor.org]]))
        )

    def _event(
        self,
        actor: Actor,
        kind: str,
        when: str,
        action: str,
        biz_step: str | None,
        load: list[dict[str, Any]],
        *,
        disposition: str | None = None,
        to: Actor | None = None,
        said: Mapping[str, str] | None = None,
        phi: int | None = None,
        codes: Sequence[str] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        members = self._members("ObjectEvent", when, actor, biz_step, disposition)
        members |= {"action": action, "quantityList": load, **(more or {})}
        if to is not None:
            members["sourceList"] = [{"type": "possessing_party", "source": actor.party}]
            members["destinationList"] = [{"type": "possessing_party", "destination": to.party}]
        extra: dict[str, Any] = {}
        if said:
            members |= {f"diary:{name}": text for name, text in said.items()}
            extra["@context"] = {"diary": DIARY_IRI}
        if phi is not None:
            extra["phi"] = phi
        if codes:
            extra["codes"] = list(codes)
        self._submit_event(actor, kind, members, extra)

    def _submit_event(self, actor: Actor, kind: str, members: dict[str, Any], extra: dict[str, Any]) -> None:
        statement = compose.event(
            self.app.database,
            self.app.settings.origin,
            kind=kind,
            actor=actor.org,
            members=members,
            demo=True,
            more=extra,
        )
        self.outcomes.append(
            self.app.log.submit_envelope(sign_envelope(statement, "event", [self.keys[actor.org]]))
        )

    def _members(
        self, sort: str, when: str, actor: Actor, biz_step: str | None, disposition: str | None
    ) -> dict[str, Any]:
        members: dict[str, Any] = {
            "type": sort,
            "eventID": f"urn:uuid:{uuid4()}",
            "eventTime": self._time(when),
            "eventTimeZoneOffset": "+07:00",
            "readPoint": {"id": actor.site},
        }
        if biz_step:
            members["bizStep"] = biz_step
        if disposition:
            members["disposition"] = disposition
        return members

    def _time(self, when: str) -> str:
        """The moment "DAYS HH:MM" before today, by the clock of Viet Nam."""
        days, clock = when.split()
        day = self.now.astimezone(VIETNAM).date() - timedelta(days=int(days))
        return f"{day.isoformat()}T{clock}:00+07:00"

    @staticmethod
    def _kilograms(lot: str, amount: str) -> dict[str, Any]:
        number = Decimal(amount)
        return {
            "epcClass": lot,
            "quantity": int(number) if number == number.to_integral() else number,
            "uom": "KGM",
        }


def told(app: App) -> bool:
    """Say whether the story stands in the log already, to its last step."""
    with app.database.read() as connection:
        size = stored.read_head(connection).size
        steps = stored.touching(connection, roll_uri(f"{COOPERATIVE.org}/{ROLL}"), size)
    return any(entry.kind == "activate" for _, entry in steps)


def is_told_in(folder: Path) -> bool:
    """Say whether *folder* holds a ledger with the whole story."""
    if not (folder / FILE_NAME).exists():
        return False
    app = build_from(folder, sign=False)
    try:
        return told(app)
    finally:
        app.close()


def start(app: App) -> Story:
    """Return the story, to be told now."""
    return Story(app, datetime.now(UTC))
