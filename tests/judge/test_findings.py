# SPDX-License-Identifier: Apache-2.0
"""
The table of section 8 of the format specification, row by row: a clean log has no finding, the smallest step off
it has exactly the one.
"""

import json
from decimal import Decimal

import pytest

from kit.world import (
    CODE,
    CRATE,
    GTIN,
    LOT,
    OTHER_GTIN,
    OTHER_LOT,
    PALLET,
    PLOT,
    PRODUCT,
    SECOND,
    SHED,
    THIRD,
    World,
    key,
    party,
)
from traceledger.core.claims.records import code_uri, roll_uri
from traceledger.core.judge.findings import SEVERITIES, Finding, Findings, findings_of
from traceledger.core.log.entry import Entry

ROLL = "farm/A"


def fold(world: World) -> Findings:
    """Findings of the whole log."""
    return findings_of(world.numbered, world.origin)


def found(world: World) -> list[tuple[str, int]]:
    """(code, index) of the findings of the whole log."""
    return [(finding.code, finding.index) for finding in fold(world).found]


def only(world: World) -> Finding:
    """The one finding of the whole log."""
    (finding,) = fold(world).found
    return finding


def last(world: World) -> int:
    """Index of the newest entry."""
    return len(world.entries) - 1


# --- the specification's own example


def test_the_worked_example_has_the_findings_it_says(shared) -> None:
    """Two entries under a product number without a record, and nothing else."""
    example = json.loads((shared / "design" / "example.json").read_text())
    entries = [(item["index"], Entry.parse(item["entry"].encode())) for item in example["log_entries"]]
    expected = [(finding["code"], finding["index"]) for finding in example["expected"]["findings"]]
    findings = findings_of(entries, example["origin"])
    assert [(finding.code, finding.index) for finding in findings.found] == expected
    assert len(entries) == 11
    lot = "https://id.gs1.org/01/09521234567899/10/XCL-2611A"
    assert findings.held("htx-ben-mau", lot, "KGM") == Decimal("1250.5")
    assert [finding.index for finding in findings.of(lot)] == [7]


def test_a_whole_journey_without_a_fault_has_no_finding(world: World) -> None:
    """Spray, harvest, packing, transport, sale, stamps and an index record: nothing to say."""
    world.code("office", "farm", max_kg=5000)
    world.certificate("office", [PRODUCT, PLOT], holder="farm")
    world.spray("farm", phi=7)
    world.later(7)
    world.harvest("farm", codes=[CODE])
    world.process("farm", {LOT: 400}, {SECOND: 380})
    world.pack("farm", PALLET, {SECOND: 380})
    world.dispatch("farm", [PALLET], to=["shop"])
    world.receive("shop", [PALLET])
    world.unpack("shop", PALLET)
    world.sell("shop", {SECOND: 380})
    world.issue("farm", "A")
    world.activate("farm", ROLL)
    world.step("lock", "farm", ROLL, reason="spill")
    world.step("unlock", "farm", ROLL, reason="dried")
    world.index_record()
    assert found(world) == []


# --- amounts


def test_mass_balance(world: World) -> None:
    """More may not be used than was created."""
    world.harvest("farm", kg=1000)
    world.process("farm", {LOT: 1000}, {SECOND: 900})
    assert found(world) == []
    world.process("farm", {LOT: Decimal("250.5")}, {THIRD: 200})
    assert found(world) == [("mass-balance", last(world)), ("holder-negative", last(world))] or found(
        world
    ) == [
        ("holder-negative", last(world)),
        ("mass-balance", last(world)),
    ]
    (finding,) = [f for f in fold(world).found if f.code == "mass-balance"]
    assert finding.sum == "1000 KGM created, 1250.5 KGM used"
    assert finding.args == {"created": Decimal(1000), "used": Decimal("1250.5"), "uom": "KGM"}
    assert (finding.severity, finding.subject) == ("red", LOT)


def test_mass_balance_is_kept_by_unit(world: World) -> None:
    """What was created in kilograms does not cover what is used in boxes, nor the other way round."""
    world.harvest("farm", kg=1000)
    boxes = [{"epcClass": LOT, "quantity": 1, "uom": "XBX"}]
    world.event("sell", "farm", action="DELETE", quantityList=boxes)
    assert sorted(found(world)) == [("holder-negative", last(world)), ("mass-balance", last(world))]


def test_mass_balance_falls_when_more_is_created(world: World) -> None:
    """It is about totals: a second harvest logged later covers what was used."""
    world.harvest("farm", kg=100)
    world.process("farm", {LOT: 150}, {SECOND: 100})
    used = last(world)
    world.harvest("farm", kg=50)
    assert found(world) == [("holder-negative", used)]


def test_holder_negative(world: World) -> None:
    """Nobody passes on more than it holds."""
    world.harvest("farm", kg=1000)
    world.dispatch("farm", {LOT: 400}, to=["shop"])
    world.receive("shop", {LOT: 400})
    world.dispatch("shop", {LOT: 400}, to=["packer"])
    assert found(world) == []
    world.dispatch("farm", {LOT: Decimal("600.000001")}, to=["shop"])
    finding = only(world)
    assert (finding.code, finding.severity, finding.index) == ("holder-negative", "red", last(world))
    assert finding.sum == f"farm holds -0.000001 KGM after entry {last(world)}"


def test_a_receipt_counts_no_more_than_what_is_on_its_way(world: World) -> None:
    """Receiving creates nothing: what nobody sent to the receiver is not held."""
    world.harvest("farm", kg=1000)
    world.dispatch("farm", {LOT: 400}, to=["shop"])
    world.receive("shop", {LOT: 401})
    world.receive("packer", {LOT: 10})
    findings = fold(world)
    assert findings.held("shop", LOT, "KGM") == 400
    assert findings.held("packer", LOT, "KGM") == 0
    assert [f.code for f in findings.found] == ["custody-stranger"]


def test_what_is_sent_to_two_receivers_arrives_once(world: World) -> None:
    """A dispatch that names two organisations is one amount, whoever receives it."""
    world.harvest("farm", kg=100)
    world.dispatch("farm", {LOT: 100}, to=["shop", "packer"])
    world.receive("shop", {LOT: 60}, prev=world.prev(LOT))
    world.receive("packer", {LOT: 60}, prev=world.prev(LOT))
    findings = fold(world)
    assert (findings.held("shop", LOT, "KGM"), findings.held("packer", LOT, "KGM")) == (60, 40)


def test_a_parent_carries_what_it_contains(world: World) -> None:
    """Sending a pallet sends the crates on it and the goods in them, unless the event states them itself."""
    world.harvest("farm", kg=100)
    world.pack("farm", CRATE, {LOT: 60})
    world.pack("farm", PALLET, [CRATE])
    world.event("dispatch", "farm", epcList=[PALLET], quantityList=[{"epcClass": LOT, "quantity": 60, "uom": "KGM"}], destinationList=[{"type": "possessing_party", "destination": party("shop")}])  # fmt: skip
    world.receive("shop", [PALLET])
    findings = fold(world)
    assert findings.found == []
    assert (findings.held("farm", LOT, "KGM"), findings.held("shop", LOT, "KGM")) == (40, 60)
    assert findings.held("shop", CRATE, None) == findings.held("shop", PALLET, None) == 1
    world.sell("shop", [PALLET])
    assert fold(world).held("shop", LOT, "KGM") == 0
    world.sell("shop", {LOT: 1})
    assert sorted(found(world)) == [("holder-negative", last(world))]


def test_what_is_unpacked_is_carried_no_more(world: World) -> None:
    """After unpacking, the parent travels without it."""
    world.harvest("farm", kg=100)
    world.pack("farm", PALLET, {LOT: 60})
    world.unpack("farm", PALLET, {LOT: 20})
    world.dispatch("farm", [PALLET], to=["shop"])
    assert fold(world).held("farm", LOT, "KGM") == 60


def test_a_parent_is_made_once(world: World) -> None:
    """Packing makes the parent's one piece only where nothing did before."""
    world.harvest("farm", kg=100)
    world.event("stock", "farm", action="ADD", epcList=[PALLET])
    world.pack("farm", PALLET, {LOT: 60})
    world.unpack("farm", PALLET)
    world.pack("farm", PALLET, {LOT: 60})
    assert fold(world).held("farm", PALLET, None) == 1


def test_a_parent_sold_is_empty(world: World) -> None:
    """What was in it is used once, though the parent be named again."""
    world.harvest("farm", kg=100)
    world.pack("farm", PALLET, {LOT: 60})
    world.sell("farm", [PALLET])
    world.sell("farm", [PALLET])
    assert fold(world).held("farm", LOT, "KGM") == 40


def test_a_parent_does_not_hold_less_than_nothing(world: World) -> None:
    """Taking out more than was put in leaves an empty parent that moves nothing."""
    world.harvest("farm", kg=100)
    world.pack("farm", PALLET, {LOT: 10})
    world.unpack("farm", PALLET, {LOT: 12})
    world.dispatch("farm", [PALLET], to=["shop"])
    assert fold(world).held("farm", LOT, "KGM") == 100


def test_what_is_for_one_receiver_alone_arrives_first(world: World) -> None:
    """A receiver takes its own dispatch before what others may take, whichever was sent first."""
    world.harvest("farm", kg=100)
    shared = world.dispatch("farm", {LOT: 10}, to=["shop", "packer"])
    world.dispatch("farm", {LOT: 10}, to=["shop"])
    world.receive("shop", {LOT: 10})
    world.receive("packer", {LOT: 10}, prev=sorted({shared.id, *world.prev(LOT)}))
    findings = fold(world)
    assert (findings.held("shop", LOT, "KGM"), findings.held("packer", LOT, "KGM")) == (10, 10)


def test_an_amount_below_nothing_is_none(world: World) -> None:
    """A negative quantity neither creates nor uses; that the event is no EPCIS is said."""
    world.harvest("farm", kg=100)
    world.event(
        "sell", "farm", action="DELETE", quantityList=[{"epcClass": LOT, "quantity": -50, "uom": "KGM"}]
    )
    findings = fold(world)
    assert findings.held("farm", LOT, "KGM") == 100


def test_receipt_differs(world: World) -> None:
    """Two per cent between sent and received are passed over, more is not."""
    world.harvest("farm", kg=1000)
    world.dispatch("farm", {LOT: 100}, to=["shop"])
    world.receive("shop", {LOT: 98})
    assert found(world) == []
    world.dispatch("farm", {LOT: 100}, to=["shop"])
    world.receive("shop", {LOT: Decimal("97.999")})
    finding = only(world)
    assert (finding.code, finding.index) == ("receipt-differs", last(world))
    assert finding.sum == "100 KGM dispatched, 97.999 KGM received"


def test_code_over_ceiling(world: World) -> None:
    """What the owner creates under a code, within its dates, stays under the record's ceiling."""
    world.code("office", "farm", max_kg=1500, since="2026-11-01")
    world.harvest("farm", kg=1000, codes=[CODE])
    world.harvest("farm", SECOND, kg=500, codes=[CODE])
    assert found(world) == []
    world.harvest("farm", THIRD, kg=Decimal("0.001"), codes=[CODE])
    finding = only(world)
    assert (finding.code, finding.severity, finding.subject) == ("code-over-ceiling", "red", THIRD)
    assert finding.sum == "1500.001 KGM created, 1500 KGM permitted"


def test_the_ceiling_of_an_authorisation_is_its_own(world: World) -> None:
    """What another creates under a code counts against its authorisation, not the owner's record."""
    world.code("office", "farm", max_kg=100)
    world.product("packer", OTHER_GTIN)
    world.authorise("farm", "packer", [code_uri(CODE)], max_kg=50)
    world.harvest("farm", kg=100, codes=[CODE])
    world.harvest("packer", OTHER_LOT, kg=50, codes=[CODE])
    assert found(world) == []
    world.harvest("packer", OTHER_LOT, kg=1, codes=[CODE])
    assert found(world) == [("code-over-ceiling", last(world))]


# --- codes, products, credentials, intervals


def test_phi(world: World) -> None:
    """A harvest on the first free day is fine, a day before it is not."""
    world.spray("farm", phi=7, day="2026-11-13")
    world.harvest("farm", day="2026-11-20")
    assert [code for code, _ in found(world)] == ["late"]
    world.harvest("farm", SECOND, day="2026-11-19")
    finding = fold(world).of(SECOND)[0]
    assert (finding.code, finding.severity, finding.index) == ("phi", "red", last(world))
    assert finding.sum == "no harvest before 2026-11-20"


@pytest.mark.parametrize(
    ("site", "day", "phi", "red"),
    [(PLOT, "2026-11-20", 7, True), (SHED, "2026-11-20", 7, False), (PLOT, "2026-11-21", 7, False), (PLOT, "2026-11-20", None, False)],
)  # fmt: skip
def test_phi_holds_whichever_was_logged_first(
    world: World, site: str, day: str, phi: int | None, red: bool
) -> None:
    """A spray logged after the harvest forbids it too: same site, not after the harvest, with an interval."""
    world.harvest("farm")
    world.later(1)
    world.spray("farm", phi=phi, site=site, day=day)
    assert found(world) == ([("phi", last(world))] if red else [])


def test_phi_of_a_fertiliser(world: World) -> None:
    """Fertilisers have intervals too."""
    world.event("fertilise", "farm", epcList=[], tl_phi=1)
    world.harvest("farm")
    assert found(world) == [("phi", last(world))]


@pytest.mark.parametrize(
    ("say", "ok"),
    [
        pytest.param(lambda world: world.code("office", "farm"), True, id="own"),
        pytest.param(lambda world: None, False, id="none"),
        pytest.param(lambda world: world.code("office", "farm", until="2026-11-19"), False, id="lapsed"),
        pytest.param(lambda world: world.code("office", "farm", since="2026-11-21"), False, id="not yet"),
        pytest.param(
            lambda world: world.code("office", "farm", since="2026-11-20", until="2026-11-20"),
            True,
            id="one day",
        ),
        pytest.param(lambda world: world.code("office", "farm", until=None), True, id="without end"),
        pytest.param(
            lambda world: world.withdraw("office", world.code("office", "farm")), False, id="withdrawn"
        ),
        pytest.param(
            lambda world: world.withdraw("shop", world.code("office", "farm")), True, id="withdrawn by anyone"
        ),
        pytest.param(lambda world: world.code("office", "packer"), False, id="another's"),
        pytest.param(
            lambda world: world.code("office", "farm", code="VN-DTOR-0998"), False, id="another code"
        ),
    ],
)
def test_code_unauthorised_without_a_record_in_force(world: World, say, ok: bool) -> None:
    """A code needs a record in force on the event's day whose owner is the actor."""
    say(world)
    world.harvest("farm", codes=[CODE])
    codes = [(f.code, f.subject) for f in fold(world).found if f.code == "code-unauthorised"]
    assert codes == ([] if ok else [("code-unauthorised", LOT)])


def test_the_newest_record_of_a_code_names_its_owner(world: World) -> None:
    """A code handed on belongs to the new owner; a record of another code about its uri as a site does not count."""
    world.code("office", "packer")
    world.code("office", "farm")
    world.code("office", "shop", code="VN-DTOR-0998", site=code_uri(CODE))
    world.harvest("farm", codes=[CODE])
    assert found(world) == []


def test_a_code_is_claimed_for_what_is_made(world: World) -> None:
    """Inputs of a transformation are not blamed for the code on what was made of them."""
    world.harvest("farm")
    world.process("farm", {LOT: 10}, {SECOND: 10}, codes=[CODE])
    assert [(f.code, f.subject) for f in fold(world).found] == [("code-unauthorised", SECOND)]


@pytest.mark.parametrize(
    ("by", "members", "ok"),
    [
        ("packer", {}, True),
        ("office", {}, False),
        ("packer", {"who": "shop"}, False),
        ("packer", {"crop": "mango"}, True),
        ("packer", {"crop": "durian"}, False),
        ("packer", {"until": "2026-11-19"}, False),
        ("packer", {"about": [code_uri("VN-DTOR-0998")]}, False),
    ],
)
def test_code_unauthorised_without_the_owners_word(world: World, by: str, members: dict, ok: bool) -> None:
    """Another's code needs an authorisation in force: by the owner, for the actor, for the product's crop."""
    world.code("office", "packer")
    members = {"who": "farm", "about": [code_uri(CODE)]} | members
    world.authorise(by, **members)
    world.harvest("farm", codes=[CODE])
    assert found(world) == ([] if ok else [("code-unauthorised", last(world))])


def test_product_foreign(world: World) -> None:
    """A lot or stamps under another's product number need its owner's authorisation."""
    world.authorise("farm", "packer", [PRODUCT])
    world.harvest("packer")
    world.issue("packer", "A")
    assert found(world) == []
    world.harvest("shop", SECOND)
    world.issue("shop", "A")
    findings = fold(world)
    assert [(f.code, f.subject) for f in findings.found] == [
        ("product-foreign", SECOND),
        ("product-foreign", roll_uri("shop/A")),
    ]
    assert {f.severity for f in findings.found} == {"red"}


def test_an_authorisation_may_be_about_one_lot(world: World) -> None:
    """The owner may let another make one lot only."""
    world.authorise("farm", "packer", [LOT])
    world.harvest("packer")
    world.harvest("packer", SECOND)
    assert [(f.code, f.subject) for f in fold(world).found] == [("product-foreign", SECOND)]


def test_the_owner_of_a_gs1_prefix_owns_its_numbers(world: World) -> None:
    """A company prefix signed by the root beats whoever recorded the product first; the longest prefix wins."""
    world.org("farm", version=2, gs1="952")
    world.org("shop", version=2, gs1="9521234 9529999")
    world.harvest("shop")
    assert found(world) == []
    world.harvest("farm", SECOND)
    assert found(world) == [("product-foreign", last(world))]


def test_a_withdrawn_product_record_gives_no_ownership(world: World) -> None:
    """Ownership passes to the next record that is not withdrawn."""
    world.product("shop", GTIN)
    world.harvest("farm")
    assert found(world) == []
    world.withdraw("farm", world.entries[12])
    world.harvest("shop", SECOND)
    assert found(world) == []
    world.harvest("farm", THIRD)
    assert found(world) == [("product-foreign", last(world))]


def test_product_unowned(world: World) -> None:
    """A product number needs a product record before a lot or stamps are made under it."""
    world.harvest("farm")
    world.issue("farm", "A")
    assert found(world) == []
    world.harvest("farm", OTHER_LOT)
    world.issue("farm", "B", gtin=OTHER_GTIN)
    assert found(world) == [("product-unowned", last(world) - 1), ("product-unowned", last(world))]


def test_stamps_under_a_number_with_a_wrong_check_digit(world: World) -> None:
    """No product record can be about such a number, and no lot is of it."""
    world.issue("farm", "A", gtin="09521234567890", lot="L1")
    assert found(world) == [("product-unowned", last(world))]


def test_stamps_for_one_lot_may_be_authorised_by_lot(world: World) -> None:
    """A roll for one lot needs no more than the owner's word about that lot."""
    world.authorise("farm", "packer", [LOT])
    world.issue("packer", "A", lot="L1")
    assert found(world) == []
    world.issue("packer", "B", lot="L2")
    assert found(world) == [("product-foreign", last(world))]


@pytest.mark.parametrize("what", [[PRODUCT], [PLOT], [code_uri(CODE)]])
def test_credential_expired(world: World, what: list[str]) -> None:
    """Where a product, site or code ever had a certificate, one must be in force on the day."""
    world.code("office", "farm")
    world.harvest("farm", codes=[CODE])
    world.certificate("office", what, holder="farm", until="2026-11-19")
    renewed = world.certificate("office", what, holder="farm")
    world.harvest("farm", codes=[CODE])
    assert found(world) == []
    world.withdraw("office", renewed)
    world.harvest("farm", codes=[CODE])
    finding = only(world)
    assert (finding.code, finding.severity) == ("credential-expired", "amber")
    assert finding.args == {"kind": "certificate", "what": what[0]}


# --- custody


def test_custody_stranger(world: World) -> None:
    """Only creator, holders, named receivers and those authorised speak of a lot."""
    world.harvest("farm")
    world.authorise("farm", "packer", [LOT])
    world.observe("packer")
    world.dispatch("farm", {LOT: 1000}, to=["shop"])
    world.observe("farm")
    world.observe("shop")
    assert found(world) == []
    world.observe("office")
    finding = only(world)
    assert (finding.code, finding.subject, finding.args) == ("custody-stranger", LOT, {"actor": "office"})


def test_only_the_lots_own_circle_lets_others_speak_of_it(world: World) -> None:
    """An authorisation by another stranger, for another lot, or lapsed is none."""
    world.harvest("farm")
    world.authorise("shop", "packer", [LOT])
    world.authorise("farm", "packer", [SECOND])
    world.authorise("farm", "packer", [LOT], until="2026-11-19")
    world.observe("packer")
    assert found(world) == [("custody-stranger", last(world))]


def test_a_stranger_does_not_bring_in_others(world: World) -> None:
    """Being named by a stranger does not make a receiver."""
    world.harvest("farm")
    world.dispatch("shop", {LOT: None}, to=["packer"])
    world.observe("packer")
    assert found(world) == [("custody-stranger", last(world) - 1), ("custody-stranger", last(world))]


def test_late(world: World) -> None:
    """An event is logged within 72 hours."""
    world.harvest("farm", eventTime="2026-11-17T10:00:00+07:00")
    assert found(world) == []
    world.harvest("farm", eventTime="2026-11-17T09:59:59+07:00")
    assert found(world) == [("late", last(world))]
    assert only(world).sum == "logged 259201 s after the event, 259200 s allowed"


# --- the log itself


def test_unlinked(world: World) -> None:
    """An entry names one of each subject's earlier entries."""
    first = world.harvest("farm")
    world.observe("farm")
    world.observe("farm", prev=sorted([first.id, world.entries[-1].id]))
    assert found(world) == []
    world.observe("farm", prev=[])
    assert found(world) == [("unlinked", last(world))]


def test_unlinked_by_one_subject_of_several(world: World) -> None:
    """Each subject needs its own link."""
    first = world.harvest("farm")
    world.harvest("farm", SECOND)
    world.process("farm", {LOT: 1, SECOND: 1}, {THIRD: 2}, prev=[first.id])
    assert (only(world).code, only(world).subject) == ("unlinked", SECOND)


def test_branch(world: World) -> None:
    """Two entries of a subject that follow the same one must know of each other."""
    first = world.harvest("farm")
    second = world.observe("farm")
    world.observe("farm", prev=sorted([first.id, second.id]))
    assert found(world) == []
    world.observe("farm", prev=[first.id])
    finding = only(world)
    assert (finding.code, finding.index) == ("branch", last(world))
    assert finding.args == {"entry": last(world) - 3, "other": last(world) - 2}


def test_entries_of_different_subjects_do_not_branch(world: World) -> None:
    """One entry about two lots may be followed once for each of them."""
    world.event("harvest", "farm", action="ADD", quantityList=[{"epcClass": LOT}, {"epcClass": SECOND}])
    world.observe("farm", [LOT])
    world.observe("farm", [SECOND])
    assert found(world) == []


def test_uncreated(world: World) -> None:
    """A lot is first met in an event that makes it."""
    world.authorise("farm", "packer", [LOT])
    world.harvest("farm")
    world.pack("farm", PALLET, {LOT: 1})
    assert found(world) == []
    world.observe("farm", [SECOND])
    world.observe("farm", [SECOND])
    assert found(world) == [("uncreated", last(world) - 1)]


def test_foreign_origin(world: World) -> None:
    """What another log holds is never checked here, and that is said."""
    world.harvest("farm", prev=["other.example/" + "0" * 64])
    assert found(world) == [("foreign-origin", last(world))]
    assert only(world).args == {"origin": "other.example", "count": 1}


@pytest.mark.parametrize(
    ("size", "ok"),
    [(0, True), (1, True), (13, True), (14, False), (2**53 - 1, False)],
)
def test_seen_foreign(world: World, size: int, ok: bool) -> None:
    """The head seen is one of this log, up to the entry's own index."""
    seen = world.head() if size >= 13 else _head(world, size)
    world.harvest("farm", tl_seen=[size, seen[1]])
    assert (len(world.entries) - 1, found(world)) == (13, [] if ok else [("seen-foreign", 13)])


def _head(world: World, size: int) -> list:
    earlier = World()
    earlier.entries = world.entries[:size]
    return earlier.head()


def test_seen_foreign_by_another_root(world: World) -> None:
    """A head of the right size with another root is another log's."""
    world.harvest("farm", tl_seen=[5, world.head()[1]])
    assert found(world) == [("seen-foreign", last(world))]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, ""),
        ({"subjects": 3}, "3 subjects recorded, 2 counted"),
        ({"root": "A" * 43 + "="}, "the root over the subjects differs"),
        ({"seen": [13, "A" * 43 + "="]}, "the head seen is not the one it stands on"),
    ],
)
def test_index_wrong(world: World, wrong: dict, said: str) -> None:
    """An index record says what the entries say; if not, its operator is named."""
    world.harvest("farm")
    world.index_record(**wrong)
    assert found(world) == ([("index-wrong", last(world))] if said else [])
    if said:
        assert (only(world).sum, only(world).subject, only(world).severity) == (said, "operator", "red")


def test_an_index_record_counts_valid_entries_only(world: World) -> None:
    """What is void touches nothing, and an older record's head is not the one to see."""
    world.harvest("farm")
    before = world.head()
    world.index_record()
    world.harvest("farm", SECOND, by="nobody")  # an unregistered key
    rows = World.rows(world)
    assert len(rows) == 3
    world.index_record(subjects=2)
    assert [f.sum for f in fold(world).found] == ["the root over the subjects differs"]
    world.index_record(seen=before)
    assert "the head seen" in fold(world).found[-1].sum


def test_event_id_reused(world: World) -> None:
    """An actor gives each event its own id; another actor's ids are its own."""
    world.harvest("farm", eventID="urn:x:1")
    world.harvest("farm", SECOND, eventID="urn:x:2")
    world.observe("shop", [], eventID="urn:x:1")
    assert found(world) == []
    world.harvest("farm", THIRD, eventID="urn:x:1")
    assert found(world) == [("event-id-reused", last(world))]


def test_epcis_invalid(world: World) -> None:
    """An event that was admitted though it is no EPCIS is named."""
    world.harvest("farm", bizStep="commissioning")
    assert found(world) == []
    world.harvest("farm", bizStep="planting-mangoes")
    assert found(world) == [("epcis-invalid", last(world))]


def test_not_nfc(world: World) -> None:
    """Text is in NFC, in statements and in the registry."""
    world.product("farm", OTHER_GTIN, crop="xo\u00e0i")
    assert found(world) == []
    world.product("farm", OTHER_GTIN, crop="xoa\u0300i")
    assert found(world) == [("not-nfc", last(world))]


def test_key_suspect(world: World) -> None:
    """A revocation makes doubtful what its key signed from an index on, and nothing else."""
    world.harvest("farm")
    world.harvest("farm", SECOND)
    world.observe("shop", [])
    world.revoke(kid="farm", suspect_from=None)
    assert found(world) == []
    world.revoke(kid="farm", suspect_from=14)
    assert found(world) == [("key-suspect", 14)]
    assert only(world).args == {"key": key("farm").kid, "revoked": last(world)}
    world.revoke(org="farm", suspect_from=13)
    assert found(world) == [("key-suspect", 13), ("key-suspect", 14)]


# --- stamps


def test_stamp_step(world: World) -> None:
    """A step that changes nothing, or not all it names, is named."""
    world.harvest("farm")
    world.issue("farm", "A", count=20)
    world.step("print", "farm", ROLL, job="0" * 64)
    world.step("assign", "farm", ROLL, to="shop")
    world.activate("shop", ROLL)
    world.step("void", "farm", ROLL, [(11, 20)], reason="torn")
    assert found(world) == []
    world.activate("farm", ROLL)
    world.step("lock", "packer", ROLL, reason="whim")
    world.activate("farm", ROLL, ranges=[(20, 21)])
    world.issue("farm", "A")
    codes = [(f.code, f.subject, f.sum) for f in fold(world).found]
    assert codes == [
        ("stamp-step", roll_uri(ROLL), "0 of 10 stamps changed"),
        ("stamp-step", roll_uri(ROLL), "0 of 10 stamps changed"),
        ("stamp-step", roll_uri(ROLL), "0 of 2 stamps changed"),
        ("stamp-step", roll_uri(ROLL), "the roll was issued before"),
    ]


def test_stamp_gate(world: World) -> None:
    """An activation for a lot with a red finding has no effect, and says so."""
    world.harvest("farm")
    world.issue("farm", "A")
    world.activate("farm", ROLL)
    assert found(world) == []
    world.sell("farm", {LOT: 1001})
    world.activate("farm", ROLL, ranges=[(11, 20)])
    gate = [f for f in fold(world).found if f.code == "stamp-gate"]
    assert [(f.index, f.subject, f.args) for f in gate] == [(last(world), LOT, {"roll": ROLL})]
    assert "stamp-step" not in [code for code, _ in found(world)]


def test_every_code_has_been_met_above() -> None:
    """The table of severities is the table of the specification: 7 red codes, 17 amber."""
    assert sorted(SEVERITIES.values()) == ["amber"] * 17 + ["red"] * 7
