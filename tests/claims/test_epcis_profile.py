# SPDX-License-Identifier: Apache-2.0
"""The shape of event statements that every verifier asks for."""

import base64
import copy
import hashlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.claims.epcis import EVENT_KINDS, TL_MEMBERS, check_event
from traceledger.core.claims.epcis_terms import CONTEXT_SHA256, CONTEXT_URL, PREFIXES, TERMS
from traceledger.errors import VerificationError

ROOT = "A" * 43 + "="
COMMITMENT = "A" * 43
ID = "0" * 64


def event(**changes):
    """A harvest with every ``tl:`` member that may stand on it; *changes* replace, None removes."""
    value = {
        "@context": [CONTEXT_URL, {"tl": "urn:traceledger:v1:", "ex": "https://ex.example/ns#"}],
        "type": "ObjectEvent",
        "action": "ADD",
        "eventID": "urn:uuid:3f0c6f8e-7f0e-4c11-9a41-0a7d1b5f3c01",
        "eventTime": "2026-11-20T06:30:00+07:00",
        "eventTimeZoneOffset": "+07:00",
        "bizStep": "commissioning",
        "quantityList": [
            {
                "epcClass": "https://id.gs1.org/01/09521234567899/10/A",
                "quantity": Decimal("1.5"),
                "uom": "KGM",
            }
        ],
        "readPoint": {"id": "https://id.gs1.org/414/9521234000013"},
        "ilmd": {"cbvmda:lotNumber": "A", "ex:more": [{"gs1:x": {"rdfs:label": "á"}}]},
        "tl:log": "trace.example",
        "tl:actor": "htx-ben-mau",
        "tl:kind": "harvest",
        "tl:prev": [ID, f"other.example/{ID}"],
        "tl:seen": [7, ROOT],
        "tl:private": {"grower": COMMITMENT},
        "tl:evidence": [{"name": "a.jpg", "sha256": ID, "size": 1, "type": "image/jpeg"}],
        "tl:for": "TV-012",
        "tl:demo": True,
        "tl:codes": ["VN-ĐTOR-0001"],
    }
    for name, change in changes.items():
        if change is None:
            del value[name]
        else:
            value[name] = change
    return value


def code(statement) -> str | None:
    """Reason code with which *statement* is refused, or None."""
    try:
        check_event(statement)
    except VerificationError as error:
        return error.code
    return None


def test_the_worked_example_passes(shared):
    """The harvest of the worked example has the shape."""
    example = json.loads((shared / "design/example.json").read_text())
    payload = base64.b64decode(example["bundle"]["entries"][0]["entry"]["env"]["payload"])
    assert code(json.loads(payload, parse_float=Decimal)) is None


def test_a_full_event_passes_with_and_without_optional_members():
    """The full harvest passes, and so does each one with one optional member left out."""
    assert code(event()) is None
    for name in (
        "tl:private",
        "tl:evidence",
        "tl:for",
        "tl:demo",
        "tl:codes",
        "ilmd",
        "readPoint",
        "bizStep",
    ):
        assert code(event(**{name: None})) is None


def test_there_are_eleven_members_of_ours():
    """The closed list holds the eleven members of the format."""
    assert sorted(TL_MEMBERS) == sorted(
        f"tl:{name}"
        for name in (
            "log",
            "actor",
            "kind",
            "prev",
            "seen",
            "private",
            "evidence",
            "for",
            "demo",
            "codes",
            "phi",
        )
    )


def test_terms_are_those_of_the_context(shared):
    """The list of names equals what the shared context file defines, and names its hash."""
    raw = (shared / "data/gs1/epcis/schema/epcis-context.jsonld").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == CONTEXT_SHA256
    names = set()

    def walk(value):
        if isinstance(value, dict):
            names.update(name for name in value if not name.startswith("@"))
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    context = json.loads(raw)
    walk(context)
    assert names == TERMS
    plain = {name: iri for name, iri in context["@context"].items() if isinstance(iri, str)}
    assert {name: iri for name, iri in plain.items() if iri[-1] in "/#:" and ":" in iri} == PREFIXES


@pytest.mark.parametrize(
    "context",
    [
        None,
        CONTEXT_URL,
        [CONTEXT_URL],
        [{"tl": "urn:traceledger:v1:"}, CONTEXT_URL],
        [CONTEXT_URL, {"tl": "urn:traceledger:v1:"}, {}],
        ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"tl": "urn:traceledger:v1:"}],
        [CONTEXT_URL, {}],
        [CONTEXT_URL, {"tl": "urn:traceledger:v2:"}],
        [CONTEXT_URL, "https://evil.example/context.jsonld"],
        *(
            [CONTEXT_URL, {"tl": "urn:traceledger:v1:", prefix: iri}]
            for prefix, iri in (
                ("type", "https://ex.example/"),
                ("gs1", "https://ex.example/"),
                ("epcis", "https://ref.gs1.org/epcis/"),
                ("@vocab", "https://ex.example/"),
                ("@base", "https://ex.example/"),
                ("", "https://ex.example/"),
                ("a:b", "https://ex.example/"),
                ("_", "https://ex.example/"),
                ("p", ""),
                ("p", "not an iri"),
                ("p", 3),
                ("p", {"@id": "https://ex.example/"}),
                ("p", "urn:traceledger:v1:"),
                ("p", "urn:traceledger:v1:kind"),
                ("p", "urn:trace"),
                ("p", "urn:"),
                ("p", "https://ref.gs1.org/"),
                ("p", "https://ref.gs1.org/epcis/event"),
                ("p", "https://ref.gs1.org/cbv/"),
                ("p", "urn:epcglobal:cbv:mda:lotNumber"),
            )
        ),
    ],
)
def test_an_open_context_is_refused(context):
    """A context of another form, or a prefix that reaches into fixed names, is refused as open."""
    changed = event()
    if context is None:
        del changed["@context"]
    else:
        changed["@context"] = context
    assert code(changed) == "context-open"


@pytest.mark.parametrize(
    "name",
    [
        "comments",
        "epcis:eventTime",
        "cbv:x",
        "https://ex.example/ns#a",
        "ex:",
        "ex://a",
        "no:x",
        "@type",
        "@id",
        "",
        "@context",
        "tl:kind",
        "tl:x",
        "xsd:x",
        "owl:x",
        "dcterms:x",
        "_:b0",
        "ex:a b",
        "ex:á",
        "exa",
    ],
)
def test_a_member_name_nobody_pinned_is_refused(name):
    """At the top, in ilmd and in a list of objects: a name outside the closed set is refused as open."""
    if name not in ("@context", "tl:kind"):
        assert code(event(**{name: "1"})) == "context-open"
    assert code(event(ilmd={name: "1"})) == "context-open"
    assert code(event(ilmd={"ex:a": [[{"type": {name: "1"}}]]})) == "context-open"


@pytest.mark.parametrize(
    "name", ["ex:a", "cbvmda:b", "gs1:c", "rdfs:label", "value", "ex:a:b", "ex:a//b", "x"]
)
def test_a_pinned_member_name_is_taken_everywhere(name):
    """A term of EPCIS or a name under a declared prefix may stand at any depth."""
    assert code(event(**{name: {name: [{name: 1}]}})) is None


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(
            (name, None)
            for name in ("eventID", "type", "tl:log", "tl:actor", "tl:kind", "tl:prev", "tl:seen")
        ),
        *(("recordTime", value) for value in ("2026-11-20T06:30:00+07:00", False)),
        *(("eventID", value) for value in (1, [], {})),
        *(("tl:actor", value) for value in ("A", "a", "-ab", "a" * 33, "htx\n", 1)),
        *(("tl:kind", value) for value in ("sowing", "index", 1, ["harvest"], {})),
        *(
            ("tl:prev", value)
            for value in ({}, ID, [ID[:-1]], [ID.replace("0", "A")], [f" /{ID}"], [f"/{ID}"], [1])
        ),
        *(
            ("tl:seen", value)
            for value in ([], [7], [7, ROOT, 1], [-1, ROOT], [True, ROOT], [7, ROOT[:-1]], ["7", ROOT])
        ),
        ("tl:seen", [Decimal("7"), ROOT]),
        *(
            ("tl:private", value)
            for value in ({}, {"Grower": COMMITMENT}, {"a": COMMITMENT + "="}, {"a": 1}, [])
        ),
        *(("tl:evidence", value) for value in ([], {}, [{}], [{"name": "a", "sha256": ID, "size": 1}])),
        ("tl:evidence", [{"name": "a", "sha256": ID, "size": 1, "type": "b", "url": "c"}]),
        ("tl:evidence", [{"name": "a", "sha256": ID.upper().replace("0", "A"), "size": 1, "type": "b"}]),
        ("tl:evidence", [{"name": "a", "sha256": ID, "size": -1, "type": "b"}]),
        ("tl:for", 1),
        *(("tl:demo", value) for value in (False, 1, "true")),
        *(("tl:codes", value) for value in ([], "a", [1])),
    ],
)
def test_a_member_of_the_wrong_shape_is_refused(name, bad):
    """Each member missing or ill-formed is refused by its shape."""
    assert code(event(**{name: bad})) == "statement-shape"


@pytest.mark.parametrize("bad", [-1, True, "7", Decimal("7.5"), None])
def test_phi_is_a_whole_number_of_days(bad):
    """A pre-harvest interval that is no whole number of days is refused by its shape."""
    spray = event(action="OBSERVE", ilmd=None) | {"tl:kind": "spray", "tl:phi": 7}
    assert code(spray) is None
    assert code(spray | {"tl:phi": bad}) == "statement-shape"


def test_kinds_fit_their_event_types():
    """Of all kinds, types and actions exactly the pairs of the table are taken; import takes any."""
    types = (
        "ObjectEvent",
        "AggregationEvent",
        "TransformationEvent",
        "TransactionEvent",
        "AssociationEvent",
        "x:y",
    )
    table = dict.fromkeys(EVENT_KINDS, 0)
    for kind in EVENT_KINDS:
        for of in types:
            for action in ("ADD", "OBSERVE", "DELETE", None):
                statement = event(type=of, action=action) | {"tl:kind": kind}
                got = code(statement)
                assert got in (None, "kind-mismatch")
                table[kind] += got is None
    assert table.pop("import") == 24
    assert set(table.values()) == {1}
    assert len(table) == 23


def test_phi_elsewhere_is_refused():
    """A pre-harvest interval on a harvest does not fit its kind."""
    assert code(event() | {"tl:phi": 7}) == "kind-mismatch"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=9), part, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_json_value_is_taken_or_refused(value):
    """Nothing outside the error tree ever leaves the check, whatever the statement is."""
    code(value)


@given(st.sampled_from(sorted(event())), JSON)
def test_any_json_value_in_any_member_is_taken_or_refused(name, value):
    """The same with one member of a valid event replaced; the verdict is the same twice."""
    changed = copy.deepcopy(event())
    changed[name] = value
    assert code(changed) == code(changed)


def test_deep_nesting_is_no_trouble():
    """A statement nested far deeper than any limit is walked without recursion."""
    value: object = 1
    for _ in range(5000):
        value = [{"ex:a": value}]
    assert code(event(ilmd={"ex:a": value})) is None
