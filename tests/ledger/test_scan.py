# SPDX-License-Identifier: Apache-2.0
"""From a stamp to its evidence: bundles that verify anywhere, scans that never remember a good verdict too long."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import text

from housekit import COOP, GTIN, LOT, ORIGIN, PACKER, PLOT, Chained, House, as_bytes, move, open_house
from ledger.forgery import write
from ledger.spoiling import cell, flip, spoil
from traceledger.chain.rpc import observe
from traceledger.core.claims.identifiers import lot_uri, parse_digital_link
from traceledger.core.judge.bundle import Bundle
from traceledger.core.judge.findings import gate_of
from traceledger.core.judge.report import RUNGS
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.log.entry import Entry
from traceledger.core.sign.encoding import b64u_encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.state.stamps import sign_link
from traceledger.errors import ConflictError, InputError, NotFoundError, TemporaryError, TraceledgerError
from traceledger.ledger import compose, issue
from traceledger.ledger.activate import activate
from traceledger.ledger.describe import printed_words
from traceledger.ledger.target import find_target
from traceledger.store import rolls
from traceledger.store.log import alias_of

ROLL = f"{COOP}/A-1"
BAG = lot_uri(GTIN, "B1")


@dataclass
class Shop:
    """A lot packed from a harvest, stamped and anchored, and the links of its stamps."""

    chained: Chained
    links: list[str]

    @property
    def house(self) -> House:
        return self.chained.house

    def scan(self, link: str, *, signature: str | None = None, client: str | None = None):
        """Scan a printed link."""
        parsed = parse_digital_link(link.partition("?")[0])
        return self.house.app.resolver.stamp(parsed, signature, client)

    def judge(self, data: bytes, *, asked: bool = True):
        """Verify a bundle as a stranger does: pinned trust file, and an endpoint if *asked*."""
        bundle = Bundle.parse(data)
        trust = self.house.app.trust
        seen = {
            i: [observe(self.chained.chain.url, bytes.fromhex(a.tx[2:]))]
            for i, a in enumerate(bundle.anchors)
        }
        return verify_bundle(
            bundle, trust=trust, observations=seen if asked else None, gate=gate_of(bundle, trust.origin)
        )

    def index_of(self, kind: str) -> int:
        """Index of the newest entry of *kind*."""
        found = [i for i, raw in enumerate(self.house.raw()) if Entry.parse(raw).kind == kind]
        return found[-1]


def pack(house: House) -> None:
    """Harvest, then make a bagged lot of it."""
    house.submit(house.harvest(kg=100))
    members = {
        "type": "TransformationEvent",
        "eventID": house.event_id(),
        "eventTime": house.time(-1),
        "eventTimeZoneOffset": "+07:00",
        "readPoint": {"id": PLOT},
        "inputQuantityList": [{"epcClass": LOT, "quantity": 100, "uom": "KGM"}],
        "outputQuantityList": [{"epcClass": BAG, "quantity": 90, "uom": "KGM"}],
    }
    statement = compose.event(
        house.app.database, ORIGIN, kind="process", actor=COOP, members=members, demo=True
    )
    house.submit(sign_envelope(statement, "event", [house.keys[COOP]]))


def issue_roll(house: House, name: str = "A-1", **options):
    """Issue a roll of 20 stamps."""
    settings = house.app.settings
    return issue.issue(
        house.log,
        actor=COOP,
        name=name,
        gtin14=options.pop("gtin14", GTIN),
        count=options.pop("count", 20),
        scheme=settings.link_scheme,
        host=settings.link_host,
        key=options.pop("key", house.keys[COOP]),
        demo=True,
        **options,
    )


def links_of(house: House, roll: str = ROLL, **options) -> list[str]:
    """The links of a roll as they are printed."""
    words = printed_words(house.log, roll, product="", producer="", place="")
    return [label.uri for label in issue.labels(house.log, roll, words=words, demo=True, **options)]


def bind(house: House, lot: str = BAG, roll: str = ROLL, ranges=((1, 10),), org: str = COOP):
    """Activate stamps for a lot."""
    return activate(
        house.log,
        house.app.log,
        roll=roll,
        ranges=ranges,
        lot=lot,
        key=house.keys[org],
        demo=True,
    )


@pytest.fixture(scope="session")
def shop_folder(chained_folder, anvil_factory, tmp_path_factory):
    """Return folder and chain state of a shop, to copy."""
    source, state = chained_folder
    base = tmp_path_factory.mktemp("shop")
    shutil.copytree(source, base / "so")
    shutil.copyfile(state, base / "chain.json")
    chain = anvil_factory(base / "chain.json")
    house = open_house(base / "so")
    move(house, chain)
    pack(house)
    issue_roll(house)
    assert bind(house).effect == "all"
    Chained(house, chain).final()
    house.close()
    chain.stop()
    return base / "so", base / "chain.json"


@pytest.fixture
def shop(shop_folder, anvil_factory, tmp_path):
    """A shop of its own."""
    folder, state = shop_folder
    shutil.copytree(folder, tmp_path / "shop")
    shutil.copyfile(state, tmp_path / "chain.json")
    chain = anvil_factory(tmp_path / "chain.json")
    house = open_house(tmp_path / "shop")
    move(house, chain)
    found = Shop(Chained(house, chain), links_of(house))
    yield found
    found.house.close()
    chain.stop()


class TestBundle:
    """Evidence to take home."""

    def test_every_rung_passes(self, shop):
        """The bundle of an anchored, stamped lot passes every rung but WITNESSED, which asks for nobody."""
        serial = shop.links[0].rpartition("/")[2]
        report = shop.judge(shop.house.app.prover.bundle(BAG, serial))
        assert report.ok
        assert {name for name in RUNGS if report.rungs[name].result != "pass"} == {"WITNESSED"}
        assert report.exit_code == 0
        assert set(report.subjects) == {BAG, LOT}

    def test_upstream_comes_along(self, shop):
        """The bag's bundle holds its harvest; the harvest's bundle does not hold what was made of it."""
        kinds = [entry.kind for entry in shop.judge(shop.house.app.prover.bundle(BAG)).entries.values()]
        assert kinds[:2] == ["harvest", "process"]
        report = shop.judge(shop.house.app.prover.bundle(LOT))
        assert set(report.subjects) == {LOT}
        assert report.ok

    def test_the_stamp_is_proven_into_its_roll(self, shop):
        """Each activated stamp's own proof passes LABEL; without a stamp LABEL is not checked."""
        for link in (shop.links[0], shop.links[9]):
            data = shop.house.app.prover.bundle(BAG, link.rpartition("/")[2])
            assert Bundle.parse(data).stamp.uri == link
            assert shop.judge(data).rungs["LABEL"].result == "pass"
        assert shop.judge(shop.house.app.prover.bundle(BAG)).rungs["LABEL"].result == "not checked"

    def test_a_stamp_never_activated_fails_label(self, shop):
        """Number 11 was printed and never activated: LABEL fails by its state."""
        report = shop.judge(shop.house.app.prover.bundle(BAG, shop.links[10].rpartition("/")[2]))
        assert (report.rungs["LABEL"].result, report.rungs["LABEL"].reason) == ("fail", "stamp-state")

    def test_newer_than_the_anchor(self, shop):
        """As soon as something newer is known, the bundle shows it, and says that the anchor is pending."""
        shop.house.submit(shop.house.event(COOP, "inspect", BAG))
        report = shop.judge(shop.house.app.prover.bundle(BAG))
        assert report.ok
        assert (report.rungs["ANCHORED"].result, report.rungs["ANCHORED"].reason) == (
            "not checked",
            "anchor-pending",
        )
        assert report.rungs["COMPLETE"].reason == "index-missing"
        shop.chained.final()
        assert shop.judge(shop.house.app.prover.bundle(BAG)).rungs["ANCHORED"].result == "pass"

    def test_news_of_another_lot_changes_nothing(self, shop):
        """What is logged about other lots leaves this lot's bundle anchored as it was."""
        before = shop.house.app.prover.bundle(BAG)
        shop.house.submit(shop.house.harvest(lot_uri(GTIN, "L9")))
        assert shop.house.app.prover.bundle(BAG) == before

    def test_private_parts_stay_here(self, house):
        """A statement with a private part is proven by its commitment; salt and value are not in the bundle."""
        commitment = b64u_encode(bytes(range(32)))
        done = house.submit(house.harvest(more={"private": {"grower": commitment}}))
        data = house.app.prover.bundle(LOT)
        bundle = Bundle.parse(data)
        assert bundle.private == ()
        report = verify_bundle(bundle, trust=house.app.trust)
        assert report.ok
        assert report.entries[done.index].statement["tl:private"] == {"grower": commitment}

    def test_an_unknown_lot(self, shop):
        """A lot nobody recorded has no bundle, and neither has a stamp nobody issued."""
        for subject, serial, code in (
            (lot_uri(GTIN, "NONE"), None, "lot-unknown"),
            (BAG, "0" * 12, "stamp-unknown"),
        ):
            with pytest.raises(NotFoundError) as caught:
                shop.house.app.prover.bundle(subject, serial)
            assert caught.value.code == code

    def test_one_changed_byte_breaks_it(self, shop):
        """A changed kilogram in the file fails; the code says where."""
        value = json.loads(shop.house.app.prover.bundle(BAG))
        item = value["entries"][0]
        payload = item["entry"]["env"]["payload"]
        item["entry"]["env"]["payload"] = ("A" if payload[100] != "A" else "B").join(
            (payload[:100], payload[101:])
        )
        report = shop.judge(json.dumps(value).encode())
        assert not report.ok
        assert report.exit_code == 1

    def test_before_any_anchor(self, house):
        """A log that was never anchored gives bundles too: good, and pending."""
        house.submit(house.harvest())
        report = verify_bundle(Bundle.parse(house.app.prover.bundle(LOT)), trust=house.app.trust)
        assert report.ok
        assert report.rungs["ANCHORED"].reason == "anchor-pending"


class TestScan:
    """What a scan shows, and what is remembered of it."""

    def test_an_activated_stamp(self, shop):
        """Its lot, its journey with the harvest upstream, for sale, and a test chain that is never green."""
        view = shop.scan(shop.links[0], client="browser one")
        assert view.subject == BAG
        assert [step.kind for step in view.steps] == ["harvest", "process", "activate"]
        assert (view.goods.state, view.record.state, view.label.state) == ("for-sale", "test-chain", "none")
        assert view.record.severity != "green"
        assert view.product_name == "Xoài mẫu"
        assert view.stamp.number == 1
        assert all(view.rungs[name].result == "pass" for name in RUNGS if name != "WITNESSED")

    def test_a_stamp_not_activated(self, shop):
        """A printed stamp without a lot says so, and shows no journey."""
        view = shop.scan(shop.links[15])
        assert view.goods.state == "not-activated"
        assert view.steps == ()

    @pytest.mark.parametrize(
        "change",
        [
            lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"),
            lambda link: link.replace(GTIN, "09521234000105"),
            lambda link: link.replace("/21/", "/10/WRONG/21/"),
        ],
        ids=["another serial", "another product", "another lot"],
    )
    def test_a_stamp_nobody_issued(self, shop, change):
        """An unknown serial, or a known one under another product or lot, is unknown: grey, and not counted."""
        view = shop.scan(change(shop.links[0]), client="browser one")
        assert (view.goods.state, view.record.state) == ("unknown", "no-data")
        assert view.steps == ()
        with shop.house.app.database.read() as connection:
            assert connection.execute(text("select count(*) from scans")).scalar_one() == 0

    def test_scans_are_counted(self, shop):
        """How often before this one, since when, and whether by this browser; asking without a token counts nothing."""
        clock = [1_900_000_000]
        shop.house.app.resolver._now = lambda: clock[0]
        seen = []
        for client in ("one", None, "two", "one", "one"):
            stamp = shop.scan(shop.links[0], client=client).stamp
            seen.append((stamp.scans, stamp.first_scan_at, stamp.own_rescan_at))
            clock[0] += 100
        start = 1_900_000_000
        assert seen == [
            (0, None, None),
            (1, start, None),
            (1, start, None),
            (2, start, start),
            (3, start, start + 300),
        ]
        assert shop.scan(shop.links[1]).stamp.scans == 0

    def test_browser_tokens_are_not_kept(self, shop):
        """The database holds no token of a browser, only what this deployment's pepper made of it."""
        shop.scan(shop.links[0], client="a-secret-token")
        with closing(sqlite3.connect(shop.house.folder / "ledger.db")) as connection:
            (client,) = connection.execute("select client from scans").fetchone()
        assert len(client) == 16
        assert b"secret" not in client

    def test_the_chain_out_of_reach(self, shop):
        """When no endpoint answers the record is unchecked there, never altered and never green."""
        shop.chained.chain.stop()
        view = shop.scan(shop.links[0])
        assert view.record.state == "chain-unreachable"
        assert view.record.severity == "grey"

    def test_something_newer_than_the_anchor(self, shop):
        """A fresh statement about the lot shows at once, and the anchor as pending."""
        shop.house.submit(shop.house.event(COOP, "inspect", BAG))
        view = shop.scan(shop.links[0])
        assert view.record.state == "anchor-pending"
        assert "inspect" in [step.kind for step in view.steps]

    def test_a_recalled_lot(self, shop):
        """A recall shows on the goods line with its reason, whatever else is good."""
        data = {"reason": "dư lượng", "action": "trả lại"}
        shop.house.submit(shop.house.record(COOP, "notice", "recall-open", [BAG], data))
        view = shop.scan(shop.links[0])
        assert view.goods.state == "recalled"
        assert view.recalls[0].reason == "dư lượng"

    def test_by_alias_and_by_number(self, shop):
        """The lot's short name, and the number printed beside the symbol, lead to the same lot."""
        assert shop.house.app.resolver.alias(alias_of(BAG)).subject == BAG
        with pytest.raises(NotFoundError) as caught:
            shop.house.app.resolver.alias("nothing")
        assert caught.value.code == "lot-unknown"

    def test_find_target(self, shop):
        """A lot by link, by GTIN/LOT, a stamp by its link or serial."""
        serial = shop.links[0].rpartition("/")[2]
        log = shop.house.log
        assert find_target(log, BAG) == (BAG, None)
        assert find_target(log, f"{GTIN}/B1") == (BAG, None)
        assert find_target(log, f"{GTIN[1:]}/B1") == (BAG, None)
        assert find_target(log, serial) == (BAG, serial)
        assert find_target(log, shop.links[0]) == (BAG, serial)
        assert find_target(log, "urn:example:x") == ("urn:example:x", None)
        for bad, code in ((shop.links[10], "stamp-state"), ("0" * 12, "stamp-unknown")):
            with pytest.raises(NotFoundError) as caught:
                find_target(log, bad)
            assert caught.value.code == code


class TestSignedLinks:
    """A roll whose printed links carry a signature."""

    @pytest.fixture
    def signed(self, house):
        """A roll that names its signing key, and its links."""
        house.submit(house.harvest(BAG))
        key = house.add_key(COOP, "in-tem", acts=["stamp/sign"])
        issue_roll(house, stamp_key=key.kid)
        bind(house)
        return house, key, links_of(house, key=key)

    def test_the_signature_counts(self, signed):
        """With the printed signature the label is quiet; without it, or with another, a copy is suspected."""
        house, key, links = signed
        uri, _, signature = links[0].partition("?s=")
        link = parse_digital_link(uri)
        assert house.app.resolver.stamp(link, signature, None).stamp.signature_ok is True
        other = links[1].partition("?s=")[2]
        for wrong in (None, "", other, "A" * 86, signature[:-2]):
            view = house.app.resolver.stamp(link, wrong, None)
            assert view.stamp.signature_ok is False
            assert (view.label.state, view.label.args["reason"]) == ("copy-suspected", "stamp-signature")
        assert sign_link(key, uri) == signature

    def test_a_roll_without_a_key_asks_for_none(self, shop):
        """Where the roll names no key, a signature behind the link is neither good nor bad."""
        assert shop.scan(shop.links[0], signature="x").stamp.signature_ok is None


class TestAltered:
    """A changed byte in the database can never show a remembered good verdict."""

    @pytest.mark.parametrize("kind", ["harvest", "process", "issue", "activate"])
    @pytest.mark.parametrize("at", ["start", "payload", "signature", "end"])
    def test_a_changed_byte_shows_altered(self, shop, kind, at):
        """Scanned good a moment ago, changed in the database, scanned again: altered, and good again once mended."""
        good = shop.scan(shop.links[0])
        assert good.record.state == "test-chain"
        index = shop.index_of(kind)
        data = cell(shop.house.folder, f'select entry from entries where "index" = {index}')
        position = {
            "start": 2,
            "payload": data.index(b'"payload":"') + 60,
            "signature": data.index(b'"sig":"') + 20,
            "end": len(data) - 2,
        }[at]
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        spoil(shop.house.folder, 'update entries set entry = ? where "index" = ?', changed, index)
        view = shop.scan(shop.links[0])
        assert (view.record.state, view.record.severity) == ("altered", "red")
        spoil(shop.house.folder, 'update entries set entry = ? where "index" = ?', data, index)
        assert shop.scan(shop.links[0]).record.state == "test-chain"

    @pytest.mark.parametrize("column", ["leaf"])
    def test_a_changed_hash_shows_altered(self, shop, column):
        """A changed leaf hash of any entry breaks the proofs of every lot."""
        index = shop.index_of("harvest") + 1
        data = cell(shop.house.folder, f'select {column} from entries where "index" = {index}')
        spoil(shop.house.folder, f'update entries set {column} = ? where "index" = ?', flip(data, 3), index)
        assert shop.scan(shop.links[0]).record.state == "altered"

    def test_a_removed_entry_shows_altered(self, shop):
        """A step taken out of the database is missed."""
        spoil(shop.house.folder, 'delete from entries where "index" = ?', shop.index_of("harvest"))
        assert shop.scan(shop.links[0]).record.state == "altered"

    def test_a_hidden_entry_shows_altered(self, shop):
        """A step that only the tables of subjects no longer name is missed, by the operator's own index record."""
        index = shop.index_of("harvest")
        spoil(shop.house.folder, 'delete from touches where "index" = ?', index)
        view = shop.scan(shop.links[0])
        assert view.record.state == "altered"

    @pytest.mark.parametrize("kind", ["harvest", "activate"])
    def test_a_remembered_signature_is_of_these_bytes(self, shop, kind):
        """
        A signature verified a moment ago is no verdict on another: with every hash rebuilt around a broken one, the
        same process says so.
        """
        assert shop.scan(shop.links[0]).rungs["SIGNED"].result == "pass"
        entries = [Entry.parse(raw) for raw in shop.house.raw()]
        index = shop.index_of(kind)
        old = entries[index]
        (good,) = old.envelope.signatures
        broken = replace(good, sig=bytes([good.sig[0] ^ 1, *good.sig[1:]]))
        envelope = Envelope(old.envelope.payload, old.family, (broken,))
        entries[index] = Entry.make(envelope, reg=old.reg, t=old.t)
        assert entries[index].id == old.id
        write(shop.house, entries, reopen=False)
        view = shop.scan(shop.links[0])
        assert (view.record.state, view.rungs["SIGNED"].result) == ("altered", "fail")

    def test_text_in_the_place_of_bytes(self, shop):
        """An entry changed by a database tool's text functions is altered as well, not an error page."""
        index = shop.index_of("harvest")
        spoil(
            shop.house.folder,
            "update entries set entry = replace(cast(entry as text), 'payload', 'paylode') where \"index\" = ?",
            index,
        )
        assert shop.scan(shop.links[0]).record.state == "altered"


class TestIssue:
    """Rolls."""

    def test_a_roll_is_issued_once(self, house):
        """A second roll of the name is refused; nothing of the first changes."""
        issue_roll(house)
        links = links_of(house)
        with pytest.raises(ConflictError) as caught:
            issue_roll(house)
        assert caught.value.code == "roll-exists"
        assert links_of(house) == links
        assert len(set(links)) == 20

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"name": "a b"}, "roll-name"),
            ({"name": "A" * 17}, "roll-name"),
            ({"count": 0}, "roll-count"),
            ({"count": 1_000_001}, "roll-count"),
            ({"gtin14": "09521234567890"}, "identifier"),
            ({"gtin14": "x"}, "identifier"),
            ({"lot": "A B"}, "identifier"),
            ({"lot": "A" * 21}, "identifier"),
        ],
        ids=lambda value: str(value)[:24],
    )
    def test_bad_input_stores_nothing(self, house, change, code):
        """A wrong name, count, check digit or lot is refused, and neither log nor tables have anything of it."""
        before = house.size()
        with pytest.raises(InputError) as caught:
            issue_roll(house, **change)
        assert caught.value.code == code
        assert house.size() == before
        with house.app.database.read() as connection:
            assert connection.execute(text("select count(*) from rolls")).scalar_one() == 0

    def test_a_refused_issue_leaves_no_roll(self, house):
        """A key that may not issue: refused, and the name stays free."""
        key = house.add_key(COOP, "may-2", acts=["event/*"])
        with pytest.raises(TraceledgerError) as caught:
            issue_roll(house, key=key)
        assert caught.value.code == "act-denied"
        with house.app.database.read() as connection:
            assert connection.execute(text("select count(*) from rolls")).scalar_one() == 0
            assert connection.execute(text("select count(*) from stamps")).scalar_one() == 0
        issue_roll(house)

    def test_a_crash_between_serials_and_log(self, house, monkeypatch):
        """Serials kept and then a crash: the same roll issued again goes on with the very same serials."""

        class Crash(BaseException):
            pass

        def die(_envelope):
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(house.log, "submit_envelope", die)
            with pytest.raises(Crash):
                issue_roll(house)
        with house.app.database.read() as connection:
            kept = rolls.serials(connection, ROLL)
        with pytest.raises(ConflictError, match="other numbers"):
            issue_roll(house, count=21)
        issue_roll(house)
        assert [link.rpartition("/")[2] for link in links_of(house)] == kept

    def test_a_lost_answer_keeps_the_serials(self, house, monkeypatch):
        """Stored, but the answer was lost: the serials stay, for what stands in the log must be printable."""
        submit = house.log.submit_envelope

        def lose(envelope):
            submit(envelope)
            raise TemporaryError("the answer was lost", code="not-stored")

        with monkeypatch.context() as patch:
            patch.setattr(house.log, "submit_envelope", lose)
            with pytest.raises(TemporaryError):
                issue_roll(house)
        assert len(links_of(house)) == 20
        with pytest.raises(ConflictError, match="in the log already"):
            issue_roll(house)

    def test_numbers_of_a_roll(self, house):
        """Labels come in the order of their numbers; numbers outside the roll are refused."""
        issue_roll(house, first=100)
        assert links_of(house, numbers=(105, 107)) == links_of(house)[5:8]
        for bad in ((99, 101), (119, 120), (107, 105)):
            with pytest.raises(InputError) as caught:
                links_of(house, numbers=bad)
            assert caught.value.code == "stamp-numbers"

    def test_a_lot_printed_in_the_link(self, house):
        """Where the lot is known at printing it stands in the link, escaped, and the stamp resolves by it."""
        lot = "L/1%+"
        house.submit(house.harvest(lot_uri(GTIN, lot)))
        issue_roll(house, lot=lot)
        (link, *_) = links_of(house)
        assert "/10/L%2F1%25" in link
        bind(house, lot=lot_uri(GTIN, lot))
        view = house.app.resolver.stamp(parse_digital_link(link), None, None)
        assert (view.subject, view.goods.state) == (lot_uri(GTIN, lot), "for-sale")
        serial = link.rpartition("/")[2]
        report = verify_bundle(
            Bundle.parse(house.app.prover.bundle(view.subject, serial)), trust=house.app.trust
        )
        assert report.rungs["LABEL"].result == "pass"

    def test_printed_words(self, house):
        """What the printer does not say comes from the records in the log."""
        issue_roll(house)
        words = printed_words(house.log, ROLL, product="", producer="", place="Cao Lãnh")
        assert (words.product, words.place) == ("Xoài mẫu", "Cao Lãnh")
        assert words.producer == f"Tổ chức {COOP}"
        assert printed_words(house.log, ROLL, product="X", producer="Y", place="").producer == "Y"


class TestActivate:
    """Binding stamps to lots, and what stops it."""

    @pytest.fixture
    def rolled(self, house):
        """A harvest and a roll."""
        house.submit(house.harvest(kg=100))
        issue_roll(house)
        return house

    def test_effects(self, rolled):
        """All, some, none: a second activation of a number has no effect, and is kept as evidence."""
        house = rolled
        assert bind(house, LOT, ranges=[(1, 10)]).effect == "all"
        assert bind(house, LOT, ranges=[(10, 12)]).effect == "some"
        again = bind(house, LOT, ranges=[(1, 5)])
        assert again.effect == "none"
        assert house.size() == again.index + 1

    def test_another_holders_stamps(self, rolled):
        """Stamps of another issuer: admitted, and without effect."""
        assert bind(rolled, LOT, org=PACKER).effect == "none"

    def test_nothing_known(self, rolled):
        """An unknown roll or lot, or a name that is no roll, is refused before anything is signed."""
        before = rolled.size()
        for options, code in (
            ({"roll": f"{COOP}/NO"}, "roll-unknown"),
            ({"lot": lot_uri(GTIN, "NONE")}, "lot-unknown"),
            ({"roll": "no roll"}, "roll-name"),
        ):
            with pytest.raises(TraceledgerError) as caught:
                bind(rolled, **({"lot": LOT} | options))
            assert caught.value.code == code
        assert rolled.size() == before

    def test_a_gated_lot(self, rolled):
        """A lot sold beyond its harvest is red: the tool refuses before signing."""
        rolled.submit(rolled.event(COOP, "sell", kg=500, action="DELETE"))
        before = rolled.size()
        with pytest.raises(ConflictError, match="mass-balance") as caught:
            bind(rolled, LOT)
        assert caught.value.code == "lot-gated"
        assert rolled.size() == before

    def test_a_gated_lot_by_another_program(self, rolled):
        """The same activation signed elsewhere is admitted, has no effect, and the scan says not activated."""
        rolled.submit(rolled.event(COOP, "sell", kg=500, action="DELETE"))
        envelope = rolled.record(COOP, "stamps", "activate", [LOT], {"roll": ROLL, "ranges": [[1, 5]]})
        assert rolled.app.log.submit(as_bytes(envelope)).effect == "none"
        (link, *_) = links_of(rolled)
        assert rolled.app.resolver.stamp(parse_digital_link(link), None, None).goods.state == "not-activated"

    def test_locked_and_void(self, rolled):
        """Locking and voiding show on the goods line with their reason."""
        bind(rolled, LOT)
        links = links_of(rolled)
        for kind, number in (("lock", 1), ("void", 2)):
            data = {"roll": ROLL, "ranges": [[number, number]], "reason": "rách"}
            rolled.submit(rolled.record(COOP, "stamps", kind, [], data))
            goods = rolled.app.resolver.stamp(parse_digital_link(links[number - 1]), None, None).goods
            assert (goods.state, goods.args["reason"]) == ("locked", "rách")
