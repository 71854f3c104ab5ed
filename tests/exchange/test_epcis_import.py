# SPDX-License-Identifier: Apache-2.0
"""Foreign EPCIS JSON: what is tolerated, what is refused, and what an event becomes."""

import copy
import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from traceledger.core.claims.epcis import amounts, check_event, subjects
from traceledger.core.claims.epcis_terms import CONTEXT_URL
from traceledger.core.sign.canonical import canonical_bytes, number_text
from traceledger.errors import InputError
from traceledger.exchange.counting import counts
from traceledger.exchange.epcis_json import read_document
from traceledger.exchange.epcis_translate import complete, evidence_of, translate, translate_document
from traceledger.exchange.json_text import exact_number, read_json

LOT = "https://id.gs1.org/01/09521234567899/10/A1"
EVENT = {
    "type": "ObjectEvent",
    "action": "ADD",
    "eventID": "urn:uuid:3f0c6f8e-7f0e-4c11-9a41-0a7d1b5f3c01",
    "eventTime": "2026-11-20T06:30:00+07:00",
    "eventTimeZoneOffset": "+07:00",
    "bizStep": "commissioning",
    "quantityList": [{"epcClass": LOT, "quantity": 200.5, "uom": "KGM"}],
    "readPoint": {"id": "https://id.gs1.org/414/9521234000013"},
}


def document(*events, context=(), kind="EPCISDocument"):
    """Bytes of a document with *events* and, after EPCIS's own, *context*."""
    body = {"eventList": list(events)}
    if kind == "EPCISQueryDocument":
        body = {"queryResults": {"queryName": "q", "resultsBody": body}}
    value = {
        "@context": [CONTEXT_URL, *context],
        "type": kind,
        "schemaVersion": "2.0",
        "creationDate": "2026-11-20T06:30:00Z",
        "epcisBody": body,
    }
    return json.dumps(value).encode()


def one(data, *, report=False):
    """The only translation of *data*."""
    (event,) = read_document(data).events
    return translate(event, log="trace.example", actor="htx-ben-mau", evidence=[], report=report)


def statement(data, *, report=False):
    """The only statement of *data*, checked."""
    (draft,) = one(data, report=report).drafts
    check_event(complete(draft, prev=(), seen=(0, "A" * 43 + "=")))
    return draft


def refused(data, *, report=False) -> str:
    """Code with which the only event of *data* is refused."""
    read = read_document(data)
    result = translate_document(read, log="trace.example", actor="htx-ben-mau", evidence=[], report=report)
    (refusal,) = result.refused
    assert result.taken == ()
    return refusal.code


# --- documents ----------------------------------------------------------------------------------------


def test_four_shapes_of_document_are_read():
    """Document, query document, bare event and list of events give the same event."""
    bare = json.dumps({"@context": CONTEXT_URL, **EVENT}).encode()
    shapes = [document(EVENT), document(EVENT, kind="EPCISQueryDocument"), bare, json.dumps([EVENT]).encode()]
    read = [read_document(data) for data in shapes]
    assert [d.kind for d in read] == ["EPCISDocument", "EPCISQueryDocument", "event", "list"]
    assert len({json.dumps(d.events[0].data, default=str) for d in read}) == 1


def test_a_byte_order_mark_is_tolerated_and_noted():
    """A file that begins with a byte order mark is read, and the mark is named."""
    read = read_document(b"\xef\xbb\xbf" + document(EVENT))
    assert read.total == 1
    assert "byte order mark" in read.problems[0]


GOOD = document(EVENT)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json-syntax"),
        (GOOD[:-1], "json-syntax"),
        (GOOD + b"}", "json-syntax"),
        (GOOD.decode().encode("utf-16"), "json-syntax"),
        (GOOD.replace(b"A1", b"\xe9"), "json-syntax"),
        (GOOD.replace(b"200.5", b"NaN"), "json-number"),
        (GOOD.replace(b"200.5", b"-Infinity"), "json-number"),
        (GOOD.replace(b"200.5", b"1e99999999999999999999"), "json-number"),
        (GOOD.replace(b'"uom"', b'"quantity"'), "json-duplicate"),
        (GOOD.replace(b"200.5", b"[" * 100 + b"]" * 100), "json-depth"),
        (b"[" * 200_000, "json-depth"),
        (b" " * (16 * 1024 * 1024 + 1), "too-large"),
        (b"7", "epcis-document"),
        (b"{}", "epcis-document"),
        (b'{"type": "EPCISDocument"}', "epcis-document"),
        (b'{"type": "EPCISDocument", "epcisBody": []}', "epcis-document"),
        (b'{"type": "Invoice", "epcisBody": {"eventList": []}}', "epcis-document"),
        (GOOD.replace(b'"eventList"', b'"events"'), "epcis-document"),
    ],
)
def test_a_broken_file_is_refused_with_a_code(data, code):
    """A file with one thing broken is refused as a whole, by a stable code."""
    assert read_document(GOOD).total == 1
    with pytest.raises(InputError) as caught:
        read_document(data)
    assert caught.value.code == code


def test_one_bad_event_does_not_keep_the_others_out():
    """A number nobody can hold, half a surrogate and a non-event refuse their own events, by position."""
    bad = copy.deepcopy(EVENT)
    bad["quantityList"][0]["quantity"] = 777777
    huge = json.dumps(bad).replace("777777", "1e400")
    text = (
        f"[{json.dumps(EVENT)}, 7, {json.dumps(EVENT | {'ex:a': chr(0xD800)})}, {huge}, {json.dumps(EVENT)}]"
    )
    read = read_document(text.encode())
    assert [event.position for event in read.events] == [0, 4]
    assert [(r.position, r.code) for r in read.refused] == [
        (1, "epcis-invalid"),
        (2, "json-surrogate"),
        (3, "json-number"),
    ]
    assert read.total == 5


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("200.0", 200),
        ("1e2", 100),
        ("1E-3", Decimal("0.001")),
        ("0.10", Decimal("0.1")),
        ("-0.0", 0),
        ("9007199254740991", 2**53 - 1),
        ("9007199254740992", None),
        ("0.1234567890123456789", None),
        ("12345678901234567.5", None),
        ("1e400", None),
        ("1e-9", None),
        ("0.000001", Decimal("0.000001")),
        ("1000000000000000000000e-20", 10),
    ],
)
def test_numbers_keep_their_exact_value_or_are_refused(token, expected):
    """A number is brought to the profile with its exact decimal value, or not at all."""
    got = exact_number(Decimal(token))
    assert got == expected
    if got is not None:
        assert Decimal(number_text(got)) == Decimal(token)


@given(st.decimals(allow_nan=False, allow_infinity=False))
@example(Decimal("1E+999999999999999999"))
@example(Decimal("1E-999999999999999999"))
def test_any_decimal_is_held_exactly_or_refused(value):
    """For any decimal: what comes out prints, and equals what went in."""
    got = exact_number(value)
    if got is not None:
        assert Decimal(number_text(got)) == value


def test_text_is_brought_to_nfc_and_noted():
    """Decomposed Vietnamese text becomes composed, with a note that names the member."""
    data = document(EVENT | {"ex:name": "Xoa\u0300i"}, context=[{"ex": "https://ex.example/"}])
    assert statement(data)["ex:name"] == "Xoài"
    assert any("ex:name" in note and "NFC" in note for note in one(data).notes)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'<?xml version="1.0"?><epcis:EPCISDocument/>', "XML"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04", "ZIP"),
        ("Ngày;Công việc\n1/1/2026;Tưới".encode(), "CSV"),
        ('{"a":1}'.encode("utf-16-le"), "UTF-16"),
        (b'{"a":1}\n{"a":2}\n', "one list"),
        (b'{"type":"EPCISDocument","epcisBody":{"eventList":[', "breaks off"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(data, said):
    """Whoever picked the wrong file, or an export that broke off, learns so, and what to do."""
    with pytest.raises(InputError, match=said) as caught:
        read_json(data)
    assert caught.value.code == "json-syntax"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_readers_never_raise_outside_the_tree(data):
    """Any bytes are read or refused with an input error."""
    try:
        read_json(data)
        read_document(data)
    except InputError:
        pass


PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(LOT),
    lambda p: (
        st.lists(p, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "@type", "ex:a", "tl:x", "id", "bar", "é", "http://a/b", "x:"]), p
        )
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from([*EVENT, "ilmd", "epcList", "recordTime", "@context", "foo"]), PARTS, max_size=4
    ),
    PARTS,
    st.booleans(),
)
def test_translation_never_raises_outside_the_tree(changes, context, report):
    """Any members and any context: each event is taken as a sound statement, or refused by position."""
    value = {"@context": context, "type": "EPCISDocument", "epcisBody": {"eventList": [EVENT | changes]}}
    try:
        read = read_document(json.dumps(value).encode())
    except InputError:
        return
    result = translate_document(read, log="trace.example", actor="htx-ben-mau", evidence=[], report=report)
    assert len(result.taken) + len(result.refused) == 1
    for taken in result.taken:
        for draft in taken.drafts:
            check_event(complete(draft, prev=(), seen=(0, "A" * 43 + "=")))


# --- names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "name", "expected", "declared"),
    [
        ({"ex": "https://ex.example/"}, "ex:a", "ex:a", {"ex": "https://ex.example/"}),
        ({"type": "https://ex.example/"}, "type:a", "type2:a", {"type2": "https://ex.example/"}),
        ({"gs1": "http://gs1.org/voc/"}, "gs1:a", "gs12:a", {"gs12": "http://gs1.org/voc/"}),
        ({"tl": "https://line.example/"}, "tl:a", "tl2:a", {"tl2": "https://line.example/"}),
        ({"g": "https://gs1.org/voc/"}, "g:a", "gs1:a", {}),
        ({"ext": "https://ex.example/"}, "ext:a", "ext2:a", {"ext2": "https://ex.example/"}),
        ({}, "cbvmda:a", "cbvmda:a", {}),
        ({}, "foo:a", "foo:a", {"foo": "foo:"}),
        ({}, "https://ex.example/ns#a", "ns:a", {"ns": "https://ex.example/ns#"}),
        ({}, "https://gs1.org/voc/a", "gs1:a", {}),
        ({}, "urn:x:y:a", "ns:a", {"ns": "urn:x:y:"}),
        ({"a": "https://ex.example/a"}, "a", "ns:a", {"ns": "https://ex.example/"}),
        ({"a": {"@id": "https://ex.example/a", "@type": "@id"}}, "a", "ns:a", {"ns": "https://ex.example/"}),
    ],
)
def test_names_keep_their_meaning(context, name, expected, declared):
    """A prefix is declared again, a clashing one renamed, an IRI given one; the expansion stays the same."""
    got = statement(document(EVENT | {name: 1}, context=[context]))
    assert got[expected] == 1
    assert got["@context"][1] == {"tl": "urn:traceledger:v1:"} | declared


@pytest.mark.parametrize("name", ["tl:kind", "tl:anything", "me:log", "urn:traceledger:v1:kind"])
def test_members_of_ours_are_refused(name):
    """A foreign event that brings tl: members, under any prefix, is refused in both modes."""
    data = document(EVENT | {name: "x"}, context=[{"me": "urn:traceledger:v1:"}])
    assert refused(data) == "context-open"
    assert refused(data, report=True) == "context-open"


@pytest.mark.parametrize(
    ("place", "name", "expected"),
    [
        ("top", "captain", "ext:captain"),
        ("top", "ghi chú", "ext:ghi%20ch%C3%BA"),
        ("top", "value", "ext:value"),
        ("ilmd", "harvestDate", "ext:harvestDate"),
        ("ilmd", "type", "ext:type"),
        ("deep", "kind", "ext:kind"),
        ("top", "epcis:foo", "ext:epcis%3Afoo"),
    ],
)
def test_names_without_namespace_need_a_report(place, name, expected):
    """A name without namespace is refused strictly, and kept under the import prefix in a report import."""
    added = {"top": {name: 1}, "ilmd": {"ilmd": {name: 1}}, "deep": {"ex:a": [{name: 1}]}}[place]
    data = document(EVENT | added, context=[{"ex": "https://ex.example/"}])
    assert refused(data) == "context-open"
    got = statement(data, report=True)
    assert {"top": got, "ilmd": got.get("ilmd"), "deep": got.get("ex:a", [0])[0]}[place][expected] == 1


def test_ilmd_off_add_needs_a_report():
    """ilmd on an observation is refused strictly, and kept as an extension in a report import."""
    data = document(EVENT | {"action": "OBSERVE", "ilmd": {"cbvmda:lotNumber": "0012345678"}})
    assert refused(data) == "epcis-invalid"
    assert statement(data, report=True)["ext:ilmd"] == {"cbvmda:lotNumber": "0012345678"}


def test_prefixes_used_in_values_are_declared():
    """A prefix that only a value uses is declared too, so that the value can still be expanded."""
    data = document(
        EVENT | {"bizStep": "ex:landing"}, context=[{"ex": "https://ex.example/", "no": "https://n.example/"}]
    )
    assert statement(data)["@context"][1] == {"tl": "urn:traceledger:v1:", "ex": "https://ex.example/"}


# --- mending ------------------------------------------------------------------------------------------


def test_record_time_is_left_out_and_named():
    """recordTime is another system's: left out, with a note that keeps its value."""
    translation = one(document(EVENT | {"recordTime": "2026-11-21T00:00:00Z"}))
    assert "recordTime" not in translation.drafts[0]
    assert any("2026-11-21T00:00:00Z" in note for note in translation.notes)


def test_missing_ids_are_deterministic_and_distinct():
    """Equal events of a file get different ids, the same in every import, whatever the member order."""
    event = {name: part for name, part in EVENT.items() if name != "eventID"}
    turned = dict(reversed(event.items()))

    def ids(*events):
        read = read_document(document(*events))
        result = translate_document(read, log="trace.example", actor="htx-ben-mau", evidence=[])
        return [taken.drafts[0]["eventID"] for taken in result.taken]

    assert ids(event, event) == ids(turned, event)
    assert len(set(ids(event, event))) == 2
    assert ids(event)[0] == ids(event, event)[0]


@pytest.mark.parametrize(
    ("change", "mended"),
    [
        ({"eventTime": "2026-11-20T06:30:00"}, {"eventTime": "2026-11-20T06:30:00+07:00"}),
        ({"eventTimeZoneOffset": None}, {"eventTimeZoneOffset": "+07:00"}),
        ({"bizStep": "urn:epcglobal:cbv:bizstep:shipping"}, {"bizStep": "shipping"}),
        ({"disposition": "https://ns.gs1.org/cbv/Disp-active"}, {"disposition": "active"}),
        ({"disposition": ""}, {"disposition": None}),
        (
            {"sourceList": [{"type": "urn:epcglobal:cbv:sdt:location", "source": "urn:x:1"}]},
            {"sourceList": [{"type": "location", "source": "urn:x:1"}]},
        ),
        (
            {"eventID": "3F0C6F8E-7F0E-4C11-9A41-0A7D1B5F3C01"},
            {"eventID": "urn:uuid:3f0c6f8e-7f0e-4c11-9a41-0a7d1b5f3c01"},
        ),
    ],
)
def test_what_reads_one_way_only_is_mended_in_a_report(change, mended):
    """Refused strictly, mended and noted in a report import."""
    event = {name: part for name, part in (EVENT | change).items() if part is not None}
    data = document(event)
    assert refused(data) == "epcis-invalid"
    got = statement(data, report=True)
    assert {name: got.get(name) for name in mended} == mended
    assert one(data, report=True).notes


@pytest.mark.parametrize(
    "change",
    [
        {"action": "SHIP"},
        {"quantityList": [{"epcClass": LOT, "quantity": "5"}]},
        {"quantityList": [{"epcClass": LOT, "quantity": 5, "colour": "red"}]},
        {"eventTime": "yesterday"},
        {"bizStep": "harvesting"},
        {"type": None},
    ],
)
def test_what_cannot_be_mended_is_refused_with_its_member(change):
    """An event that no mending makes valid is refused in both modes, naming the member."""
    data = document(EVENT | change)
    name = next(iter(change))
    for report in (False, True):
        read = read_document(data)
        (refusal,) = translate_document(
            read, log="trace.example", actor="htx-ben-mau", evidence=[], report=report
        ).refused
        assert refusal.code in ("epcis-invalid", "context-open")
        assert name in refusal.message


def test_wrong_check_digits_are_refused_on_goods_and_places_only():
    """Strictly, a wrong check digit of a lot, place or party is refused, one of a device or paper is a note."""
    wrong = "https://id.gs1.org/414/9521234000010"
    sound = {"bizTransactionList": [{"type": "po", "bizTransaction": wrong}]}
    assert any("should be 3" in note for note in one(document(EVENT | sound)).notes)
    for change in (
        {"readPoint": {"id": wrong}},
        {"sourceList": [{"type": "location", "source": wrong}]},
        {"epcList": ["https://id.gs1.org/01/09521234567898/21/1"]},
    ):
        assert refused(document(EVENT | change)) == "identifier"
        assert any("should be" in note for note in one(document(EVENT | change), report=True).notes)


# --- splitting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ObjectEvent", "AggregationEvent"])
def test_a_long_list_is_split_and_the_totals_hold(kind):
    """Several hundred items become statements of at most 16,384 bytes whose lists add up to the source's."""
    epcs = [f"https://id.gs1.org/01/09521234567899/21/S{n:05d}" for n in range(400)]
    lots = [{"epcClass": f"{LOT}x{n}", "quantity": 0.1 * n, "uom": "KGM"} for n in range(100)]
    names = ("epcList", "quantityList") if kind == "ObjectEvent" else ("childEPCs", "childQuantityList")
    event = {name: part for name, part in EVENT.items() if name != "quantityList"}
    event |= {"type": kind, names[0]: epcs, names[1]: json.loads(json.dumps(lots, default=str))}
    for lot in event[names[1]]:
        lot["quantity"] = round(lot["quantity"], 1)
    if kind == "AggregationEvent":
        event |= {"parentID": "https://id.gs1.org/00/340123451111111111"}
    translation = one(document(event))
    assert len(translation.drafts) > 2
    assert any("split" in note for note in translation.notes)
    got_epcs, got_lots = [], []
    for draft in translation.drafts:
        full = complete(
            draft, prev=[f"{n:064x}" for n in range(len(subjects(draft)))], seen=(10**9, "A" * 43 + "=")
        )
        check_event(full)
        assert len(canonical_bytes(full)) <= 16_384
        got_epcs += draft.get(names[0], [])
        got_lots += [item["epcClass"] for item in draft.get(names[1], [])]
    assert got_epcs == epcs
    assert got_lots == [lot["epcClass"] for lot in lots]
    assert len({draft["eventID"] for draft in translation.drafts}) == len(translation.drafts)
    if kind == "ObjectEvent":
        assert counts(translation.drafts).kilograms == sum(Decimal(n) / 10 for n in range(100))


def test_a_long_transformation_is_refused():
    """A transformation too long for one statement is refused: splitting would lose which went into which."""
    event = {name: part for name, part in EVENT.items() if name not in ("quantityList", "action")}
    event |= {"type": "TransformationEvent", "outputEPCList": ["urn:x:1"]}
    event |= {"inputEPCList": [f"https://id.gs1.org/01/09521234567899/21/S{n:05d}" for n in range(400)]}
    assert refused(document(event), report=True) == "too-large"


def test_an_event_too_long_for_its_other_members_is_refused():
    """A text of twenty thousand characters fits no statement and is refused by size."""
    assert refused(document(EVENT | {"ex:a": "x" * 20_000})) == "too-large"


# --- published breaks of other systems ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("one_value", "other_value"),
    [
        ("0012345678", "12345678"),
        ("900719925474099301", "900719925474099302"),
        ("12345678901234567", "12345678901234568"),
        ("1E5", "100000"),
    ],
)
def test_lot_numbers_in_ilmd_stay_apart(one_value, other_value):
    """Lot numbers that a published event hash confuses give different statements."""
    first, second = (
        statement(document(EVENT | {"ilmd": {"cbvmda:lotNumber": value}}))
        for value in (one_value, other_value)
    )
    assert canonical_bytes(first) != canonical_bytes(second)
    assert first["ilmd"]["cbvmda:lotNumber"] == one_value


def test_extension_text_cannot_forge_another_member():
    """Text that spells out a second member does not equal an event that has it."""
    context = [{"ex": "http://ns.example.com/epcis/"}]
    first = statement(document(EVENT | {"ex:a": "x{http://ns.example.com/epcis/}b=y"}, context=context))
    second = statement(document(EVENT | {"ex:a": "x", "ex:b": "y"}, context=context))
    assert canonical_bytes(first) != canonical_bytes(second)


@pytest.mark.parametrize("time", ["2026-11-20T06:30:00.9996Z", "2026-11-20T06:30:00.0005Z"])
def test_fractions_of_a_second_are_kept(time):
    """A fraction that other software rounds or drops the event for is kept as written."""
    assert statement(document(EVENT | {"eventTime": time}))["eventTime"] == time


@pytest.mark.parametrize("text", ["inf", "INFINITY", "1e400", "nan"])
def test_text_that_looks_like_a_number_is_text(text):
    """An extension value such as "inf" is a text and stays one."""
    data = document(EVENT | {"ex:a": text}, context=[{"ex": "https://ex.example/"}])
    assert statement(data)["ex:a"] == text


def test_vietnamese_words_stay_apart():
    """Words that differ by an accent are different statements, and both Unicode forms of one are one."""
    context = [{"ex": "https://ex.example/"}]

    def make(word):
        return canonical_bytes(statement(document(EVENT | {"ex:a": word}, context=context)))

    assert len({make(word) for word in ("có", "cò", "tết", "tệt", "Đồng", "Đổng")}) == 6
    assert make("Xoài") == make("Xoa\u0300i")


def test_member_order_does_not_matter():
    """The same event with its members in another order gives the same bytes."""
    turned = dict(reversed(EVENT.items()))
    assert canonical_bytes(statement(document(EVENT))) == canonical_bytes(statement(document(turned)))


def test_amounts_are_carried_exactly():
    """0.1 + 0.2 as amounts are 0.3 kilograms, and 200.0 is 200."""
    text = document(EVENT).replace(b"200.5", b"200.0")
    (amount,) = amounts(statement(text))
    assert amount.quantity == 200
    three = [copy.deepcopy(EVENT) | {"eventID": f"urn:x:{n}"} for n in range(2)]
    three[0]["quantityList"][0]["quantity"], three[1]["quantityList"][0]["quantity"] = 0.1, 0.2
    result = translate_document(
        read_document(document(*three)), log="trace.example", actor="htx-ben-mau", evidence=[]
    )
    assert counts(draft for taken in result.taken for draft in taken.drafts).kilograms == Decimal("0.3")


def test_evidence_names_the_bytes():
    """Evidence holds size and SHA-256 of the file; a name in another Unicode form, or undecodable, can be signed."""
    item = evidence_of("xoa\u0300i\udcff.json", b"abc", "application/json")
    assert item == {
        "name": "xoài?.json",
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "size": 3,
        "type": "application/json",
    }
    canonical_bytes(item)
