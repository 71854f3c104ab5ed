# SPDX-License-Identifier: Apache-2.0
"""Real input: documents that nobody here wrote, and a diary somebody filled in, taken, anchored, stamped, seen."""

import hashlib
import io
import json
import unicodedata
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from exchange.short_count import count
from housekit import COOP, GTIN, LOT, ORIGIN, PLOT, SHED, Chained, House, row_counts
from traceledger.core.claims.identifiers import lot_uri
from traceledger.core.log.entry import Entry
from traceledger.core.state.lineage import subjects_of
from traceledger.errors import InputError
from traceledger.exchange.counting import counts
from traceledger.exchange.sheets import diary_template
from traceledger.ledger import issue, statement
from traceledger.ledger.activate import activate
from traceledger.ledger.audit import audit
from traceledger.ledger.describe import printed_words
from traceledger.ledger.intake import IntakeReport, is_sheet, take_diary, take_epcis
from traceledger.store.log import alias_of
from traceledger.store.source import DatabaseSource
from traceledger.web import create_app

BIOFRESH = "openepcis__biofresh-test-01.json"
BEEF = "gtfbl__beef-leather-events.json"
GDST = "gdst__all_wholechain_events.jsonld"


def read(shared: Path, name: str) -> bytes:
    return (shared / "data/gs1/chains" / name).read_bytes()


def take(house: House, data: bytes, *, name: str = "source.json", **options) -> IntakeReport:
    """Import an EPCIS document as the cooperative."""
    found = take_epcis(
        house.log, house.app.evidence, data, name=name, actor=COOP, key=house.keys[COOP], demo=True, **options
    )
    assert found.total == len(found.taken) + len(found.refused)
    return found


def stamped(house: House, lot: str) -> str:
    """Issue a small roll for the product of *lot*, activate it, and return the first link."""
    gtin14 = lot.split("/")[4]
    settings, key = house.app.settings, house.keys[COOP]
    issue.issue(
        house.log,
        actor=COOP,
        name="IMPORT",
        gtin14=gtin14,
        count=3,
        scheme=settings.link_scheme,
        host=settings.link_host,
        key=key,
        demo=True,
    )
    roll = f"{COOP}/IMPORT"
    done = activate(house.log, house.app.log, roll=roll, ranges=[(1, 3)], lot=lot, key=key, demo=True)
    assert done.effect == "all"
    words = printed_words(house.log, roll, product="", producer="", place="")
    return next(iter(issue.labels(house.log, roll, words=words, demo=True))).uri


def page(house: House, link: str) -> str:
    """What the real web application shows behind *link*, in Vietnamese."""
    path = "/" + link.partition("://")[2].partition("/")[2] if "://" in link else link
    client = create_app(house.app).test_client()
    answer = client.get(path, headers={"Accept": "text/html", "Accept-Language": "vi"})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def holds(chained: Chained) -> None:
    """The log with its chain passes an audit."""
    house = chained.house
    source = DatabaseSource(house.app.database, house.log.checkpoint)
    report = audit(source, trust=house.app.trust, endpoints=[chained.chain.url])
    assert (report.bad, report.exit_code) == ([], 0)


class TestBioFresh:
    """A valid EPCIS chain from elsewhere: taken strictly, anchored, stamped, scanned."""

    def test_from_file_to_scan(self, shared, chained):
        """All 23 events are taken; the last lot made is activated, anchored, and its page shows the journey."""
        house = chained.house
        data = read(shared, BIOFRESH)
        found = take(house, data)
        assert (found.total, found.refused, found.exit_code) == (23, [], 0)
        lots = {item["epcClass"] for s in found.statements for item in s.get("quantityList", [])}
        lot = max(lots, key=lambda one: house.app.resolver.lot(one).steps.__len__())
        link = stamped(house, lot)
        chained.final()
        text = page(house, link)
        assert lot.rpartition("/")[2] in text
        view = house.app.resolver.lot(lot)
        assert view.rungs["ANCHORED"].result == "pass"
        assert view.rungs["COMPLETE"].result == "pass"
        assert len(view.steps) >= 3
        holds(chained)

    def test_counts_are_the_short_scripts(self, shared, house):
        """Events, lots, edges and kilograms in the log equal an independent short script's over the file."""
        data = read(shared, BIOFRESH)
        take(house, data)
        logged = [Entry.parse(raw).statement for raw in house.raw()]
        got = counts([one for one in logged if one.get("tl:evidence")])
        assert (got.events, got.lots, got.edges, got.kilograms) == count(data.decode("utf-8-sig"))

    def test_each_event_follows_the_newest(self, shared, house):
        """Every statement names exactly the newest earlier entry of each thing it touches, those of its own file too."""
        take(house, read(shared, BIOFRESH))
        newest: dict[str, str] = {}
        for raw in house.raw():
            entry = Entry.parse(raw)
            touched = subjects_of(entry)
            if entry.family == "event":
                wanted = sorted({newest[name] for name in touched if name in newest})
                assert entry.statement["tl:prev"] == wanted
            newest |= dict.fromkeys(touched, entry.id)

    def test_the_original_is_kept(self, shared, house):
        """The file's very bytes are kept by their hash, and every statement names it."""
        data = read(shared, BIOFRESH)
        found = take(house, data, name="biofresh.json")
        digest = hashlib.sha256(data).hexdigest()
        assert house.app.evidence.read(digest) == data
        for taken in found.statements:
            (item,) = taken["tl:evidence"]
            assert item == {
                "name": "biofresh.json",
                "sha256": digest,
                "size": len(data),
                "type": "application/ld+json",
            }

    def test_a_second_import_adds_nothing(self, shared, house):
        """The same file again: all taken, all repeats, at the same indexes, also after a restart and other news."""
        data = read(shared, BIOFRESH)
        first = take(house, data)
        house.submit(house.harvest())
        before = row_counts(house.app.database)
        house.reopen()
        again = take(house, data, name="renamed.json")
        assert row_counts(house.app.database) == before
        assert [i for _, i in again.taken] == [i for _, i in first.taken]
        assert sum(note.code == "repeated" for note in again.notes) >= 23

    def test_a_dry_run_stores_nothing(self, shared, house):
        """A rehearsal says what would be taken, and leaves log and evidence as they were."""
        before = row_counts(house.app.database)
        found = take(house, read(shared, BIOFRESH), dry_run=True)
        assert (len(found.taken), found.refused) == (23, [])
        assert {tuple(indexes) for _, indexes in found.taken} == {()}
        assert row_counts(house.app.database) == before
        assert not house.app.settings.evidence.exists()

    def test_a_dry_run_refuses_what_the_log_would(self, shared, house):
        """A key that may not: the rehearsal refuses event by event what the import itself refuses."""
        house.keys[COOP] = house.add_key(COOP, "may-2", acts=["event/harvest"])
        rehearsed = take(house, read(shared, BIOFRESH), dry_run=True)
        real = take(house, read(shared, BIOFRESH))
        assert [(p.name, p.code) for p in rehearsed.refused] == [(p.name, p.code) for p in real.refused]
        assert {p.code for p in real.refused} == {"act-denied"}

    def test_a_revoked_key(self, shared, house):
        """A revoked key takes nothing, each event named."""
        house.log.submit_envelope(house.revocation(COOP, house.keys[COOP].kid))
        size = house.size()
        found = take(house, read(shared, BIOFRESH))
        assert (len(found.taken), {p.code for p in found.refused}) == (0, {"key-revoked"})
        assert found.exit_code == 2
        assert house.size() == size


class TestBeef:
    """A document whose GLNs have wrong check digits."""

    def test_strictly_it_is_refused(self, shared, house):
        """Without a report every event is refused by its identifier, and nothing is stored."""
        size = house.size()
        found = take(house, read(shared, BEEF))
        assert (found.taken, {p.code for p in found.refused}) == ([], {"identifier"})
        assert house.size() == size

    def test_with_a_report_it_is_warned_of_and_stamped(self, shared, chained):
        """With a report the check digits are warned of, the lot is stamped, anchored and seen."""
        house = chained.house
        found = take(house, read(shared, BEEF), report=True)
        assert (found.total, found.refused) == (8, [])
        assert any("it should be" in note.message for note in found.notes)
        lots = [item["epcClass"] for s in found.statements for item in s.get("quantityList", [])]
        lot = next(one for one in lots if one.startswith("https://id.gs1.org/01/"))
        link = stamped(house, lot)
        chained.final()
        assert lot.rpartition("/")[2] in page(house, link)
        assert house.app.resolver.lot(lot).rungs["ANCHORED"].result == "pass"
        holds(chained)

    @pytest.mark.parametrize("name", ["readPoint", "quantityList", "sourceList", "about"])
    def test_our_own_statement_is_refused(self, house, name):
        """A wrong check digit in a statement of ours is refused before it is signed, wherever it stands."""
        wrong = "https://id.gs1.org/414/1234567089451"
        event = {
            "type": "ObjectEvent",
            "action": "OBSERVE",
            "eventTime": house.time(),
            "eventTimeZoneOffset": "+07:00",
            "readPoint": {"id": PLOT},
            "quantityList": [{"epcClass": LOT}],
        }
        bad = {
            "readPoint": event | {"readPoint": {"id": wrong}},
            "quantityList": event | {"quantityList": [{"epcClass": LOT.replace("567899", "567890")}]},
            "sourceList": event | {"sourceList": [{"type": "location", "source": wrong}]},
            "about": {"kind": "flag", "about": [wrong], "data": {}},
        }[name]

        def fill(value):
            return statement.fill_in(
                house.app.database, ORIGIN, json.dumps(value).encode(), actor=COOP, kind="care", demo=True
            )

        assert fill(event)["tl:kind"] == "care"
        with pytest.raises(InputError, match="check digit") as caught:
            fill(bad)
        assert caught.value.code == "identifier"


class TestGdst:
    """A seafood chain without a single GTIN of ours: whole, traced back, seen under its lot's short name."""

    def test_the_whole_chain(self, shared, chained):
        """All 31 events are taken; the last lot's bundle holds its whole upstream, and its page is at /lots/."""
        house = chained.house
        data = read(shared, GDST)
        found = take(house, data, report=True)
        assert (found.total, found.refused) == (31, [])
        got = counts(found.statements)
        assert (got.events, got.lots, got.edges, got.kilograms) == count(data.decode("utf-8-sig"))
        chained.final()
        made = [item["epcClass"] for s in found.statements for item in s.get("outputQuantityList", [])]
        lot = made[-1]
        view = house.app.resolver.lot(lot)
        assert view.rungs["ANCHORED"].result == "pass"
        assert view.rungs["LINKED"].result == "pass"
        assert len(view.steps) > 5
        text = page(house, f"/lots/{alias_of(lot)}")
        assert lot in text
        assert house.app.resolver.alias(alias_of(lot)).subject == lot
        holds(chained)

    def test_tracing_back(self, shared, house):
        """The upstream set of the last lot is what a plain walk over the file's own transformations gives."""
        from traceledger.ledger.lots import gather

        found = take(house, read(shared, GDST), report=True)
        inputs: dict[str, set[str]] = {}
        for event in found.statements:
            sources = {i["epcClass"] for i in event.get("inputQuantityList", [])}
            sources |= set(event.get("inputEPCList", []))
            for out in event.get("outputQuantityList", []):
                inputs.setdefault(out["epcClass"], set()).update(sources)
            if event["type"] == "AggregationEvent" and event["action"] == "ADD" and event.get("parentID"):
                children = {i["epcClass"] for i in event.get("childQuantityList", [])}
                inputs.setdefault(event["parentID"], set()).update(children, event.get("childEPCs", []))
        lot = [i["epcClass"] for s in found.statements for i in s.get("outputQuantityList", [])][-1]
        wanted, waiting = set(), [lot]
        while waiting:
            one = waiting.pop()
            if one not in wanted:
                wanted.add(one)
                waiting += inputs.get(one, ())
        with house.app.database.read() as connection:
            assert set(gather(connection, lot, house.size()).subjects) == wanted


class TestDocuments:
    """What is no document."""

    @pytest.mark.parametrize("data", [b"", b"{", b'"x"', b"\xff\xfe", b'{"a": 1}', b"<xml/>", b"[" * 10_000])
    def test_it_is_refused_whole(self, house, data):
        """A file that is no EPCIS document is refused as such, nothing is kept of it."""
        with pytest.raises(InputError):
            take(house, data)
        assert not house.app.settings.evidence.exists()

    def test_a_broken_event_blocks_no_other(self, shared, house):
        """One event spoiled: it is named, the others are taken."""
        document = json.loads(read(shared, BIOFRESH))
        document["epcisBody"]["eventList"][4]["eventTime"] = "yesterday"
        found = take(house, json.dumps(document).encode())
        assert len(found.taken) == 22
        assert [p.name for p in found.refused] == ["event 5"]


# --- the diary ----------------------------------------------------------------------------------------------

ROWS = [
    (date(2026, 3, 2), "Bón phân", "Thửa 3", "Phân hữu cơ", "5 kg/cây", None, None, None, "TV-012", None),
    (date(2026, 4, 1), "Phun thuốc", "Thửa 3", "Thuốc mẫu 25WP", "20 g/bình", 14, None, None, "TV-012", None),
    (date(2026, 4, 20), "Thu hoạch", "Thửa 3", None, None, None, "XCL-1", 1250.5, "TV-012", "nắng"),
    (date(2026, 4, 21), "Thu hoạch", "Thửa 3", None, None, None, "XCL-2", "700,25", "TV-012", None),
    (date(2026, 4, 22), "Bán", "Thửa 3", None, None, None, "XCL-1", 200, "TV-012", None),
    # bad ones: no date and no activity; a lot needs its weight; nobody's plot; no date that exists
    (None, None, "Thửa 3", None, None, None, "XCL-3", 5, None, None),
    (date(2026, 4, 23), "Thu hoạch", "Thửa 3", None, None, None, "XCL-4", None, None, None),
    (date(2026, 4, 24), "Thu hoạch", "Thửa 9", None, None, None, "XCL-5", 10, None, None),
    ("31/02/2026", "Bón phân", "Thửa 3", "Phân", None, None, None, None, None, None),
]
GOOD = 5


def filled(rows=ROWS) -> bytes:
    """The shipped template, filled in by openpyxl as by any spreadsheet program."""
    book = load_workbook(io.BytesIO(diary_template()))
    sheet = book["Nhật ký"]
    for number, row in enumerate(rows, start=4):
        for column, value in enumerate(row, start=1):
            if value is not None:
                sheet.cell(row=number, column=column, value=value)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def fill_in(house: House, data: bytes, *, name: str = "nhat-ky.xlsx", **options) -> IntakeReport:
    """Import a diary as the cooperative."""
    found = take_diary(
        house.log,
        house.app.evidence,
        data,
        name=name,
        actor=COOP,
        key=house.keys[COOP],
        gtin=options.pop("gtin", GTIN),
        sites=options.pop("sites", {"thua 3": PLOT}),
        default_site=options.pop("default_site", None),
        demo=True,
        **options,
    )
    assert found.total == len(found.taken) + len(found.refused)
    return found


class TestDiary:
    """The field diary with Vietnamese headers."""

    def test_good_rows_are_taken_and_bad_ones_named(self, house):
        """Five of nine rows are taken; each of the other four is named once, by sheet and row, with its reasons."""
        found = fill_in(house, filled())
        assert (found.total, len(found.taken), found.exit_code) == (9, GOOD, 2)
        assert [p.name for p in found.refused] == [f"Nhật ký, dòng {n}" for n in (9, 10, 11, 12)]
        assert all(p.message for p in found.refused)
        (both,) = (p for p in found.refused if p.name == "Nhật ký, dòng 9")
        assert both.message.count(": ") >= 2
        assert [s["tl:kind"] for s in found.statements] == [
            "fertilise",
            "spray",
            "harvest",
            "harvest",
            "sell",
        ]

    def test_counts_are_a_short_scripts(self, house):
        """Rows, lots and kilograms harvested in the log equal what a short reading of the sheet gives."""
        data = filled()
        found = fill_in(house, data)
        sheet = load_workbook(io.BytesIO(data))["Nhật ký"]
        wanted, lots = Decimal(0), set()
        for row in sheet.iter_rows(min_row=4, max_row=3 + GOOD, values_only=True):
            if row[6]:
                lots.add(row[6])
            if row[1] == "Thu hoạch":
                wanted += Decimal(str(row[7]).replace(",", "."))
        got = counts(found.statements)
        assert (got.events, got.lots, got.kilograms) == (GOOD, len(lots), wanted)
        assert wanted == Decimal("1950.75")

    def test_the_file_is_kept(self, house):
        """The workbook's very bytes are kept, and named by every row's statement."""
        data = filled()
        found = fill_in(house, data)
        digest = hashlib.sha256(data).hexdigest()
        assert house.app.evidence.read(digest) == data
        assert {s["tl:evidence"][0]["sha256"] for s in found.statements} == {digest}

    def test_a_second_import_adds_nothing(self, house):
        """The same workbook again adds no entry; one corrected row more adds one."""
        first = fill_in(house, filled())
        before = row_counts(house.app.database)
        again = fill_in(house, filled())
        assert row_counts(house.app.database)["entries"] == before["entries"]
        assert [i for _, i in again.taken] == [i for _, i in first.taken]
        mended = [*ROWS]
        mended[6] = (*ROWS[6][:7], 80, *ROWS[6][8:])
        third = fill_in(house, filled(mended))
        assert len(third.taken) == GOOD + 1
        assert row_counts(house.app.database)["entries"] == before["entries"] + 1

    def test_a_decomposed_file_name(self, house):
        """A name as some systems keep it, accents apart, is no reason to refuse."""
        found = fill_in(house, filled(ROWS[:GOOD]), name=unicodedata.normalize("NFD", "Nhật ký.xlsx"))
        assert found.refused == []
        assert found.statements[0]["tl:evidence"][0]["name"] == "Nhật ký.xlsx"

    def test_to_a_stamp(self, chained):
        """A harvest from the diary is stamped, anchored and seen with its pre-harvest interval."""
        house = chained.house
        fill_in(house, filled(ROWS[:GOOD]))
        link = stamped(house, lot_uri(GTIN, "XCL-1"))
        chained.final()
        text = page(house, link)
        assert "XCL-1" in text
        assert "Xoài mẫu" in text
        holds(chained)

    def test_an_empty_template(self, house):
        """Handed in as it is, the template holds nothing: nothing is taken, nothing refused."""
        found = fill_in(house, diary_template())
        assert (found.total, found.exit_code) == (0, 0)

    @pytest.mark.parametrize(
        ("options", "data"),
        [
            ({"gtin": "1"}, None),
            ({"sites": {"thua 3": "x y"}}, None),
            ({}, b"PK\x03\x04 no zip"),
        ],
        ids=["gtin", "place", "no workbook"],
    )
    def test_it_is_refused_whole(self, house, options, data):
        """A wrong GTIN, a place that is none, or a broken workbook: refused as a whole, nothing stored."""
        before = row_counts(house.app.database)
        with pytest.raises(InputError):
            fill_in(house, data or filled(ROWS[:GOOD]), **options)
        assert row_counts(house.app.database) == before

    def test_another_workbook(self, house):
        """A workbook without a diary says so, sheet by sheet, and takes nothing."""
        book = Workbook()
        book.active.append(["Ngày", "Tiền"])
        stream = io.BytesIO()
        book.save(stream)
        try:
            found = fill_in(house, stream.getvalue())
        except InputError:
            return
        assert found.total == 0
        assert found.notes

    def test_sheets_are_told_from_documents(self, shared):
        """A workbook is known by its first bytes, not by its name."""
        assert is_sheet(filled())
        assert not is_sheet(read(shared, BIOFRESH))


def test_the_default_place(house):
    """Rows that name no plot are at the default place."""
    rows = [(date(2026, 4, 20), "Thu hoạch", None, None, None, None, "A1", 5, None, None)]
    found = fill_in(house, filled(rows), default_site=SHED)
    assert found.statements[0]["readPoint"]["id"] == SHED
