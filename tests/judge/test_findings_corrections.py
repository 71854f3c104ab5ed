# SPDX-License-Identifier: Apache-2.0
"""
Error declarations: what is declared wrong leaves all amounts, and the findings that rested on it fall; nothing
already decided below the declaration changes.
"""

from decimal import Decimal

import pytest

from kit.world import CODE, GTIN, LOT, PALLET, PRODUCT, SECOND, THIRD, World, amounts
from traceledger.core.judge.findings import Findings, findings_of

ROLL = "farm/A"


def fold(world: World) -> Findings:
    """Findings of the whole log."""
    return findings_of(world.numbered, world.origin)


def codes(world: World) -> list[str]:
    """Codes of the findings of the whole log."""
    return [finding.code for finding in fold(world).found]


def test_an_error_declaration_takes_the_event_out_of_all_amounts(world: World) -> None:
    """A harvest declared wrong was never held; the new one is."""
    wrong = world.harvest("farm", kg=200)
    world.declare_wrong(wrong)
    assert fold(world).held("farm", LOT, "KGM") == 0
    world.harvest("farm", kg=180)
    findings = fold(world)
    assert (findings.held("farm", LOT, "KGM"), findings.found) == (180, [])


def test_findings_fall_with_the_amount_they_rest_on(world: World) -> None:
    """Balance and holding are whole again once the excess is declared wrong."""
    world.harvest("farm", kg=1000)
    wrong = world.sell("farm", {LOT: 1250})
    assert codes(world) == ["holder-negative", "mass-balance"]
    world.declare_wrong(wrong)
    assert codes(world) == []
    world.sell("farm", {LOT: 125})
    assert codes(world) == []


def test_what_a_wrong_claim_hid_is_raised_where_it_is_declared(world: World) -> None:
    """Without the harvest, what was sold is too much: said at the declaration, naming the sale."""
    wrong = world.harvest("farm", kg=1000)
    sale = len(world.entries)
    world.sell("farm", {LOT: 400})
    world.declare_wrong(wrong)
    found = fold(world).found
    assert [(f.code, f.index) for f in found] == [("holder-negative", sale + 1), ("mass-balance", sale + 1)]
    assert found[0].args["entry"] == sale
    assert found[1].sum == "0 KGM created, 400 KGM used"


def test_a_corrected_dispatch_takes_its_receipt_along(world: World) -> None:
    """Nothing was on its way, so nothing arrived, and the comparison with the wrong amount falls."""
    world.harvest("farm", kg=1000)
    wrong = world.dispatch("farm", {LOT: 500}, to=["shop"])
    world.receive("shop", {LOT: 50})
    assert codes(world) == ["receipt-differs"]
    world.declare_wrong(wrong)
    findings = fold(world)
    assert (findings.found, findings.held("shop", LOT, "KGM"), findings.held("farm", LOT, "KGM")) == (
        [],
        0,
        1000,
    )


def test_a_wrong_pack_is_unpacked(world: World) -> None:
    """What a parent contains no longer counts it, and the parent is made by the next pack."""
    world.harvest("farm", kg=100)
    wrong = world.pack("farm", PALLET, {LOT: 90})
    world.declare_wrong(wrong)
    world.pack("farm", PALLET, {LOT: 60})
    world.dispatch("farm", [PALLET], to=["shop"])
    findings = fold(world)
    assert (findings.found, findings.held("farm", LOT, "KGM")) == ([], 40)


@pytest.mark.parametrize("verb", ["unpack", "sell"])
def test_what_was_emptied_wrongly_is_full_again(world: World, verb: str) -> None:
    """Declaring an unpacking or a sale of the parent wrong puts its contents back."""
    world.harvest("farm", kg=100)
    world.pack("farm", PALLET, {LOT: 60})
    wrong = world.unpack("farm", PALLET) if verb == "unpack" else world.sell("farm", [PALLET])
    world.declare_wrong(wrong)
    world.dispatch("farm", [PALLET], to=["shop"])
    findings = fold(world)
    assert (findings.found, findings.held("farm", LOT, "KGM")) == ([], 40)


@pytest.mark.parametrize("which", ["harvest", "spray"])
@pytest.mark.parametrize("first", ["harvest", "spray"])
def test_an_interval_falls_with_either_end(world: World, which: str, first: str) -> None:
    """A wrong date of harvest or spray can be taken back, whichever was logged first."""
    tree = {THIRD: None}
    world.event("plant", "farm", action="ADD", **amounts(tree))
    events = {}
    for name in (first, "harvest" if first == "spray" else "spray"):
        events[name] = world.harvest("farm") if name == "harvest" else world.spray("farm", goods=tree)
    assert codes(world) == ["phi"]
    world.declare_wrong(events[which])
    assert codes(world) == []
    world.harvest("farm", SECOND)
    assert codes(world) == ([] if which == "spray" else ["phi"])


def test_a_ceiling_is_measured_again(world: World) -> None:
    """Findings above a ceiling fall when the sum before them does."""
    world.code("office", "farm", max_kg=1000)
    wrong = world.harvest("farm", kg=900, codes=[CODE])
    world.harvest("farm", SECOND, kg=200, codes=[CODE])
    world.harvest("farm", THIRD, kg=700, codes=[CODE])
    assert codes(world) == ["code-over-ceiling"] * 2
    world.declare_wrong(wrong)
    assert codes(world) == []
    world.harvest("farm", THIRD, kg=100, codes=[CODE])
    assert codes(world) == []
    world.harvest("farm", THIRD, kg=Decimal("0.5"), codes=[CODE])
    assert codes(world) == ["code-over-ceiling"]


def test_each_lot_is_measured_by_what_stands_below_it(world: World) -> None:
    """Taking a harvest out clears the lot that was over only with it, not the one over without it."""
    world.code("office", "farm", max_kg=1000)
    wrong = world.harvest("farm", kg=900, codes=[CODE])
    world.harvest("farm", SECOND, kg=200, codes=[CODE])
    world.harvest("farm", THIRD, kg=5000, codes=[CODE])
    world.declare_wrong(wrong)
    assert [(f.code, f.subject) for f in fold(world).found] == [("code-over-ceiling", THIRD)]


def test_a_shortfall_is_said_with_its_new_sum(world: World) -> None:
    """When a correction makes it larger, the old finding gives way to one at the correction."""
    wrong = world.harvest("farm", kg=1000)
    world.sell("farm", {LOT: 1500})
    world.declare_wrong(wrong)
    sums = [(f.index, f.sum) for f in fold(world).found if f.code == "holder-negative"]
    assert sums == [(15, "farm holds -1500 KGM after entry 14")]


def test_a_dispatch_declared_wrong_is_no_measure(world: World) -> None:
    """A receipt that names it later is not compared with it."""
    world.harvest("farm", kg=1000)
    wrong = world.dispatch("farm", {LOT: 500}, to=["shop"])
    world.declare_wrong(wrong)
    world.receive("shop", {LOT: 50}, prev=sorted([wrong.id, world.entries[-1].id]))
    assert codes(world) == []


@pytest.mark.parametrize(
    ("act", "code"),
    [
        pytest.param(lambda world: world.harvest("farm", codes=[CODE]), "code-unauthorised", id="code"),
        pytest.param(lambda world: world.harvest("shop"), "product-foreign", id="product"),
        pytest.param(lambda world: world.harvest("farm", day="2026-11-01"), "late", id="late"),
    ],
)
def test_claims_fall_with_their_event(world: World, act, code: str) -> None:
    """What an event claimed without right is claimed no more once declared wrong."""
    wrong = act(world)
    assert codes(world) == [code]
    world.declare_wrong(wrong)
    assert codes(world) == []


def test_how_an_entry_stands_in_the_log_stays(world: World) -> None:
    """Declaring an event wrong does not mend its links, its form or its id."""
    world.harvest("farm", eventID="urn:x:1")
    wrong = world.observe("farm", eventID="urn:x:1", prev=[], bizStep="no-such-step")
    before = codes(world)
    assert sorted(before) == ["epcis-invalid", "event-id-reused", "unlinked"]
    world.declare_wrong(wrong)
    assert codes(world) == [*before, "epcis-invalid"]  # as the declaration itself is


@pytest.mark.parametrize(
    "broken",
    [
        {"eventTime": "2026-11-20T06:31:00+07:00"},
        {"eventID": "urn:x:1"},
        {"tl_prev": []},
        {"quantityList": [{"epcClass": LOT, "quantity": 199, "uom": "KGM"}]},
        {"disposition": "active"},
    ],
)
def test_a_declaration_that_breaks_its_rule_has_no_effect(world: World, broken: dict) -> None:
    """Same actor, same id, same content, and the wrong one's id in prev; else it is only evidence."""
    wrong = world.harvest("farm", kg=200)
    world.declare_wrong(wrong, **broken)
    findings = fold(world)
    assert findings.held("farm", LOT, "KGM") == 200
    assert "declaration-mismatch" in [finding.code for finding in findings.found]


def test_nobody_declares_anothers_event_wrong(world: World) -> None:
    """Same content by another actor is no declaration."""
    wrong = world.harvest("farm", kg=200)
    world.declare_wrong(wrong, tl_actor="shop")
    findings = fold(world)
    assert [finding.code for finding in findings.found] == ["declaration-mismatch"]
    assert findings.held("farm", LOT, "KGM") == 200


def test_a_declaration_may_change_what_is_ours(world: World) -> None:
    """The tl: members are no part of the comparison; what the event was, the event itself says."""
    world.harvest("farm", kg=1000)
    wrong = world.dispatch("farm", {LOT: 400}, to=["shop"])
    world.declare_wrong(wrong, tl_kind="receive", tl_demo=True)
    findings = fold(world)
    assert (findings.found, findings.held("farm", LOT, "KGM")) == ([], 1000)


def test_declaring_twice_changes_nothing_more(world: World) -> None:
    """A declaration is no event that could itself be declared wrong."""
    wrong = world.harvest("farm", kg=200)
    declared = world.declare_wrong(wrong)
    world.declare_wrong(wrong, tl_demo=True)
    assert (codes(world), fold(world).held("farm", LOT, "KGM")) == ([], 0)
    world.declare_wrong(declared, tl_for="x", tl_prev=[world.entries[-1].id])
    assert codes(world) == ["declaration-mismatch"]


def test_a_declaration_claims_nothing(world: World) -> None:
    """Neither its time, its product nor its place in the line of events is judged."""
    wrong = world.harvest("farm")
    world.observe("farm")
    world.later(30)
    world.declare_wrong(wrong, tl_prev=[wrong.id])
    assert codes(world) == []


def test_a_gate_decided_before_a_correction_stays(world: World) -> None:
    """An activation is judged by what stood below it: a correction opens the gate for later ones only."""
    world.harvest("farm", kg=1000)
    world.issue("farm", "A")
    wrong = world.sell("farm", {LOT: 2000})
    blocked = len(world.entries)
    world.activate("farm", ROLL)
    declared = len(world.entries)
    world.declare_wrong(wrong)
    findings = fold(world)
    assert [(f.code, f.index) for f in findings.found] == [("stamp-gate", blocked)]
    gates = [findings.gated(LOT, below) for below in range(len(world.entries) + 1)]
    assert gates == [blocked <= below <= declared for below in range(len(world.entries) + 1)]
    world.activate("farm", ROLL)
    assert codes(world) == ["stamp-gate"]


def test_a_product_made_known_later_does_not_heal(world: World) -> None:
    """Each entry is judged by the records below it; declaring it wrong and saying it again is the way."""
    world.entries.pop()  # the product record, which nothing has named yet
    world.newest.pop(PRODUCT)
    wrong = world.harvest("farm")
    world.product("farm", GTIN)
    assert codes(world) == ["product-unowned"]
    world.declare_wrong(wrong)
    world.harvest("farm")
    assert codes(world) == []
