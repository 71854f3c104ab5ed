# SPDX-License-Identifier: Apache-2.0
"""What an entry touches, and what a lot was made from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledgerkit import Ledger, founded
from core.statements import (
    FARM,
    GTIN,
    LOT,
    PRODUCT,
    ROLL,
    ROLL_URI,
    event,
    issue,
    lot,
    quantities,
    record,
    root,
    signed,
)
from traceledger.core.log.entry import Entry
from traceledger.core.state.lineage import made_from, subjects_of, upstream

Json = dict[str, Any]
SSCC = "https://id.gs1.org/00/095212340000000018"


def entry_of(statement: Json, family: str) -> Entry:
    """A statement as an entry."""
    return Entry.make(signed(statement, family, "farm"), reg=(0, bytes(32)), t=0)


@pytest.mark.parametrize(
    ("statement", "family", "touched"),
    [
        (root("root"), "root", ()),
        (record("product", {}, about=[PRODUCT]), "masterdata", (PRODUCT,)),
        (record("flag", {}, about=[LOT, PRODUCT, LOT]), "notice", (PRODUCT, LOT)),
        (record("flag", {}, about=["b", "a"]), "notice", ("a", "b")),
        (record("party", {}), "masterdata", ()),
        (record("flag", {}, about=[f"urn:epc:class:lgtin:9521234.056789.{'L1'}"]), "notice", (LOT,)),
        (record("flag", {}, about=[f"https://shop.example/01/{GTIN}/10/L1?17=270101"]), "notice", (LOT,)),
        (record("issue", issue()), "stamps", (ROLL_URI,)),
        (record("activate", {"roll": ROLL, "ranges": [[1, 1]]}, about=[LOT]), "stamps", (LOT, ROLL_URI)),
        (record("lock", {"roll": ROLL, "ranges": [[1, 1]], "reason": ""}), "stamps", (ROLL_URI,)),
        (record("open", {"roll": ROLL, "number": 1, "place": ""}), "stamps", ()),
        (record("open", {"roll": ROLL, "number": 1, "place": ""}, about=[LOT]), "stamps", (LOT,)),
        (record("index", {"size": 1, "subjects": 0, "root": ""}), "log", ()),
        (event("harvest", quantityList=quantities(LOT), epcList=[PRODUCT]), "event", (PRODUCT, LOT)),
        (event("pack", parentID=SSCC, childQuantityList=quantities(LOT)), "event", (SSCC, LOT)),
        (
            event("process", inputQuantityList=quantities(LOT), outputEPCList=[lot("L2")]),
            "event",
            (LOT, lot("L2")),
        ),
        (event("observe"), "event", ()),
        (event("observe", bizLocation={"id": FARM}), "event", ()),
    ],
)
def test_what_an_entry_touches(statement: Json, family: str, touched: tuple[str, ...]) -> None:
    """Goods of an event, about of a record, the roll of a stamps statement but open; registry entries none."""
    assert subjects_of(entry_of(statement, family)) == touched


@pytest.mark.parametrize(
    ("statement", "made"),
    [
        (event("harvest", quantityList=quantities(LOT)), {LOT: ()}),
        (event("observe", quantityList=quantities(LOT)), {}),
        (event("sell", quantityList=quantities(LOT)), {}),
        (
            event("pack", parentID=SSCC, childQuantityList=quantities(LOT, lot("L2"))),
            {SSCC: (LOT, lot("L2"))},
        ),
        (event("unpack", parentID=SSCC, childQuantityList=quantities(LOT)), {}),
        (
            event(
                "process",
                inputQuantityList=quantities(LOT),
                outputQuantityList=quantities(lot("L2"), lot("L3")),
            ),
            {lot("L2"): (LOT,), lot("L3"): (LOT,)},
        ),
    ],
)
def test_what_a_lot_was_made_from(statement: Json, made: dict[str, tuple[str, ...]]) -> None:
    """Inputs of the transformation, children of the packing."""
    assert dict(made_from(entry_of(statement, "event"))) == made


@pytest.mark.parametrize(
    ("change", "family"),
    [
        ({"about": None}, "notice"),
        ({"about": 5}, "notice"),
        ({"about": [None]}, "notice"),
        ({"about": [[LOT]]}, "notice"),
        ({"data": None}, "stamps"),
        ({"data": {}}, "stamps"),
        ({"data": {"roll": 1}}, "stamps"),
    ],
)
def test_a_statement_of_another_shape_touches_nothing(change: Json, family: str) -> None:
    """What an operator logged though it is void cannot crash who reads the log."""
    assert subjects_of(entry_of(record("activate", {"roll": ROLL}, about=[LOT]) | change, family)) == ()


def test_a_record_makes_nothing() -> None:
    """Only events create goods."""
    assert made_from(entry_of(record("flag", {}, about=[LOT]), "notice")) == {}


def chain(edges: list[tuple[int, int]]) -> Ledger:
    """A log in which lot *made* was processed from lot *used*, edge by edge."""
    ledger = founded()
    for used, made in edges:
        lists = {
            "inputQuantityList": quantities(lot(f"N{used}")),
            "outputQuantityList": quantities(lot(f"N{made}")),
        }
        ledger.say("process", **lists)
    return ledger


def upstream_of(ledger: Ledger, subject: str) -> list[str]:
    """The set, by the code under test."""
    return upstream(subject, lambda found: [ledger.entries[i] for i in ledger.touching(found)])


def test_the_set_is_nearest_first() -> None:
    """Breadth first, each once, only what the lot was made from."""
    ledger = chain([(1, 2), (3, 2), (2, 4), (5, 4), (4, 6), (1, 7)])
    names = [subject[-1] for subject in upstream_of(ledger, lot("N4"))]
    assert names == ["4", "2", "5", "1", "3"]
    assert upstream_of(ledger, lot("N9")) == [lot("N9")]


def test_a_circle_of_lots_ends() -> None:
    """Statements may contradict each other; the walk still ends."""
    assert len(upstream_of(chain([(1, 2), (2, 3), (3, 1)]), lot("N1"))) == 3


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12))
def test_the_set_is_what_can_be_reached(edges: list[tuple[int, int]]) -> None:
    """Against reachability by matrix powers."""
    ledger = chain(edges)
    reach = {n: {n} for n in range(8)}
    for _ in range(8):
        for used, made in edges:
            reach[made] |= reach[used]
    for n in range(8):
        found = upstream_of(ledger, lot(f"N{n}"))
        assert len(found) == len(set(found))
        assert found[0] == lot(f"N{n}")
        assert {int(subject[-1]) for subject in found} == reach[n]
