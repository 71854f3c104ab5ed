# SPDX-License-Identifier: Apache-2.0
"""Statements of any content, well signed and logged: the verdict is a verdict, never a crash."""

import copy
import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.ledgerkit import Ledger, founded
from core.statements import (
    CONTEXT,
    FARM,
    GTIN,
    LOT,
    ORIGIN,
    PRODUCT,
    ROLL,
    event,
    issue,
    quantities,
    record,
    signed,
    stamp_part,
)
from traceledger.core.claims.epcis import EVENT_KINDS
from traceledger.core.judge.bundle import Bundle, Trust
from traceledger.core.judge.report import RUNGS, Report
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.reasons import REASONS
from traceledger.core.sign.envelope import FAMILIES
from traceledger.errors import TraceledgerError, VerificationError

Json = Any

NAMES = [
    *("type", "action", "eventID", "epcList", "quantityList", "parentID", "childEPCs", "inputQuantityList"),
    *(
        "outputQuantityList",
        "readPoint",
        "bizLocation",
        "@context",
        "errorDeclaration",
        "epcClass",
        "quantity",
    ),
    *(
        "tl:log",
        "tl:actor",
        "tl:kind",
        "tl:prev",
        "tl:seen",
        "tl:private",
        "tl:codes",
        "tl:phi",
        "tl:for",
        "id",
    ),
    *(
        "v",
        "log",
        "actor",
        "kind",
        "about",
        "prev",
        "seen",
        "data",
        "private",
        "roll",
        "ranges",
        "number",
        "size",
    ),
]
ODD = (
    "urn:epc:class:lgtin:9521234.056789.L1",
    "urn:epc:",
    "http://[",
    "https://id.gs1.org/01/",
    f"https://x/01/{GTIN}/10/%zz",
)
WORDS = (
    "ObjectEvent",
    "TransformationEvent",
    "AggregationEvent",
    "ADD",
    "harvest",
    "process",
    "index",
    "farm",
    "*",
    "x",
    "",
)
PLAIN = (None, True, False, 0, 1, -1, 2**53 - 1, Decimal("0.5"), "a" * 64)
LEAVES = st.sampled_from([*PLAIN, *ODD, *WORDS, LOT, PRODUCT, FARM, ROLL, ORIGIN, CONTEXT])
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)
KINDS = [*EVENT_KINDS, "product", "code", "star", "flag", "issue", "activate", "open", "lock", "index"]


def judged(ledger: Ledger, index: int) -> Report | None:
    """Judge the bundle that shows the harvest and the entry at *index*; None if it is malformed."""
    is_registry = ledger.entries[index].is_registry
    bundle = ledger.bundle(only=[6] if is_registry else [6, index])
    if is_registry:
        bundle["registry"]["whole"].append({"index": index, "entry": ledger.entries[index].to_json()})
    try:
        report = verify_bundle(
            Bundle.parse(json.dumps(bundle, default=float).encode()),
            trust=Trust(origin=ORIGIN, genesis=ledger.id(0)),
        )
    except TraceledgerError:
        return None
    assert set(report.rungs) == set(RUNGS)
    assert all(rung.reason is None or rung.reason in REASONS for rung in report.rungs.values())
    return report


def harvested() -> Ledger:
    """A log with a harvest at index 6."""
    ledger = founded()
    ledger.say("harvest", LOT)
    return ledger


HARVESTED = harvested()


def logged(statement: Json, family: str) -> Report | None:
    """Log *statement* behind the harvest and judge it."""
    ledger = copy.deepcopy(HARVESTED)
    try:
        index = ledger.append(signed(statement, family, "farm"))
        return judged(ledger, index)
    except VerificationError:
        return None  # not JSON of our profile, or no object


@given(st.sampled_from(FAMILIES), ANY)
def test_any_json_as_statement(family: str, statement: Json) -> None:
    """Whatever was signed under whatever family."""
    report = logged(statement, family)
    assert report is None or not report.ok or family not in ("event", "masterdata", "credential", "log")


@given(st.sampled_from(sorted(EVENT_KINDS)), st.dictionaries(st.sampled_from(NAMES), ANY, max_size=3))
def test_events_with_anything_in_any_member(kind: str, members: dict[str, Json]) -> None:
    """Events whose members hold anything; those of the right shape count what they touch."""
    logged(event(kind, number=7) | members, "event")


@given(
    st.sampled_from(KINDS), ANY, st.lists(st.sampled_from([LOT, PRODUCT, "", "x", "http://["]), max_size=2)
)
def test_records_with_anything_in_their_data(kind: str, data: Json, about: list[str]) -> None:
    """Records whose data hold anything, under every family that has such a kind."""
    for family in ("masterdata", "credential", "notice", "stamps", "log"):
        logged(record(kind, data, about=about, prev=["a" * 64]), family)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["activate", "open", "lock", "void", "assign"]), st.integers(0, 5), st.integers(0, 5)), max_size=6))  # fmt: skip
def test_stamps_with_any_steps(steps: list[tuple[str, int, int]]) -> None:
    """Any history of a roll leads to a verdict of LABEL, and to the state the roll says."""
    ledger = copy.deepcopy(HARVESTED)
    at = ledger.state("stamps", "issue", issue())
    for kind, one, two in steps:
        first, last = sorted((one, two))
        data: dict[str, Json] = {"roll": ROLL, "ranges": [[first, last]]}
        match kind:
            case "open":
                data = {"roll": ROLL, "number": first, "place": ""}
            case "assign":
                data["to"] = "shop"
            case "lock" | "void":
                data["reason"] = ""
        ledger.state("stamps", kind, data, about=[LOT] if kind == "activate" else [])
    ledger.index()
    bundle = ledger.bundle(stamp=stamp_part(at))
    report = verify_bundle(Bundle.from_json(bundle), trust=Trust(origin=ORIGIN, genesis=ledger.id(0)))
    rung, state = report.rungs["LABEL"], report.stamp
    assert state is not None
    assert (rung.result == "pass") == (state.step in ("active", "opened") and not state.locked)
    assert report.rungs["COMPLETE"].result == "pass"
    assert report.rungs["LINKED"].result == "pass"


def test_a_statement_of_the_right_shape_passes() -> None:
    """The harness can tell: a plain observation is good."""
    good = event("observe", quantityList=quantities(LOT), prev=[HARVESTED.id(6)])
    report = logged(good, "event")
    assert report is not None
    assert report.ok
