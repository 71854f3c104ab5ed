# SPDX-License-Identifier: Apache-2.0
"""What an event says: subjects, what it makes of what, amounts, place and day."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.claims.epcis import (
    Amount,
    amounts,
    created,
    event_date,
    event_time,
    inputs_of,
    site_of,
    subjects,
)

GTIN = "https://id.gs1.org/01/09521234567899"
A, B, C = (f"{GTIN}/10/{lot}" for lot in "ABC")
PALLET = "https://id.gs1.org/00/340123451111111111"

HARVEST = {
    "type": "ObjectEvent",
    "action": "ADD",
    "epcList": ["urn:epc:id:sgtin:9521234.056789.1"],
    "quantityList": [
        {"epcClass": "https://tem.example/01/09521234567899/10/A?x=1", "quantity": 5, "uom": "KGM"}
    ],
    "bizLocation": {"id": "urn:epc:id:sgln:9521234.00001.0"},
}
PROCESS = {
    "type": "TransformationEvent",
    "inputQuantityList": [
        {"epcClass": A, "quantity": Decimal("1.5"), "uom": "KGM"},
        {"epcClass": B, "quantity": 2, "uom": "KGM"},
    ],
    "outputQuantityList": [{"epcClass": C, "quantity": 3, "uom": "KGM"}],
}
PACK = {
    "type": "AggregationEvent",
    "action": "ADD",
    "parentID": PALLET,
    "childEPCs": ["urn:x:1"],
    "childQuantityList": [{"epcClass": C, "quantity": 3}, {"epcClass": A}],
}


def test_subjects_are_canonical_distinct_and_in_order():
    """URN, foreign host and repeats of one lot are one subject, in order of first appearance."""
    assert subjects(HARVEST | {"parentID": A}) == (A, f"{GTIN}/21/1")
    assert subjects(PROCESS) == (A, B, C)
    assert subjects(PACK) == (PALLET, "urn:x:1", C, A)


def test_what_an_event_makes():
    """ObjectEvent ADD, outputs of a transformation and the parent packed are made; nothing else is."""
    assert created(HARVEST) == (f"{GTIN}/21/1", A)
    assert created(PROCESS) == (C,)
    assert created(PACK) == (PALLET,)
    for changed in (
        HARVEST | {"action": "OBSERVE"},
        PACK | {"action": "DELETE"},
        PACK | {"type": "AssociationEvent"},
    ):
        assert created(changed) == ()
        assert inputs_of(changed) == {}


def test_upstream_of_what_is_made():
    """A transformation's output comes from its inputs, a parent from its children, a harvest from nothing."""
    assert inputs_of(PROCESS) == {C: (A, B)}
    assert inputs_of(PACK) == {PALLET: ("urn:x:1", C, A)}
    assert inputs_of(HARVEST) == {A: (), f"{GTIN}/21/1": ()}
    assert inputs_of(PROCESS | {"outputQuantityList": [{"epcClass": A}]}) == {A: (A, B)}


def test_amounts_are_exact_and_an_epc_is_one_piece():
    """Amounts are Decimals with unit and role; a class without quantity states none."""
    assert amounts(PACK) == [
        Amount(subject=PALLET, quantity=Decimal(1), uom=None, role="parent"),
        Amount(subject="urn:x:1", quantity=Decimal(1), uom=None, role="child"),
        Amount(subject=C, quantity=Decimal(3), uom=None, role="child"),
    ]
    assert [(a.quantity, a.uom, a.role) for a in amounts(PROCESS)] == [
        (Decimal("1.5"), "KGM", "input"),
        (Decimal(2), "KGM", "input"),
        (Decimal(3), "KGM", "output"),
    ]


def test_the_site_is_the_read_point_else_the_location():
    """readPoint wins over bizLocation; an unreadable one is passed over; both in canonical form."""
    assert site_of(HARVEST) == "https://id.gs1.org/414/9521234000013"
    assert site_of(HARVEST | {"readPoint": {"id": "urn:x:gate"}}) == "urn:x:gate"
    assert site_of(HARVEST | {"readPoint": []}) == "https://id.gs1.org/414/9521234000013"
    assert site_of({}) is None


@pytest.mark.parametrize(
    ("time", "offset", "expected"),
    [
        ("2026-11-20T06:30:00+07:00", "+07:00", date(2026, 11, 20)),
        ("2026-11-19T23:30:00Z", "+07:00", date(2026, 11, 20)),
        ("2026-11-20T06:30:00+07:00", "-05:00", date(2026, 11, 19)),
        ("2026-11-20T00:00:00.9996Z", "+00:00", date(2026, 11, 20)),
        ("2016-12-31T23:59:60Z", "+00:00", date(2016, 12, 31)),
        ("2026-11-20T06:30:00", "+07:00", None),
        ("2026-02-30T06:30:00Z", "+07:00", None),
        ("2026-11-20T06:30:00Z", "7", None),
        ("9999-12-31T23:59:59Z", "+07:00", None),
        ("0001-01-01T00:00:00+07:00", "+07:00", None),
        (5, "+07:00", None),
    ],
)
def test_the_day_is_that_of_the_time_zone(time, offset, expected):
    """The day of an event is its time seen in its own time zone; what is no time has no day."""
    assert event_date({"eventTime": time, "eventTimeZoneOffset": offset}) == expected


def test_event_time_is_utc():
    """Event time is turned into UTC."""
    assert event_time({"eventTime": "2026-11-20T06:30:00+07:00"}) == datetime(
        2026, 11, 19, 23, 30, tzinfo=UTC
    )


NAMES = sorted({*HARVEST, *PROCESS, *PACK, "readPoint", "eventTime", "eventTimeZoneOffset", "inputEPCList"})
PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=9),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "epcClass", "quantity", "uom"]), part, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(NAMES), PARTS, max_size=5), st.sampled_from([HARVEST, PROCESS, PACK]))
def test_any_shape_is_borne(changes, base):
    """Members of any shape make no reader raise, and what is made and used is among the subjects."""
    statement = base | changes
    found = set(subjects(statement))
    assert set(created(statement)) <= found
    assert {a.subject for a in amounts(statement)} <= found
    for made, sources in inputs_of(statement).items():
        assert {made, *sources} <= found
    site_of(statement)
    event_date(statement)
