# SPDX-License-Identifier: Apache-2.0
"""
Findings as a fold: the same from scratch at every prefix, by time travel in one fold, and by a slow twin that
adds up fractions straight from the statements.
"""

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.world import CODE, LOT, OTHER_GTIN, OTHER_LOT, PALLET, PRODUCT, SECOND, World
from traceledger.core.judge.findings import SEVERITIES, Findings, findings_of
from traceledger.core.log.entry import Entry
from traceledger.core.state.lineage import upstream
from traceledger.core.state.registry import Registry

ORGS = ("farm", "shop", "packer")
LOTS = (LOT, SECOND, OTHER_LOT)
STEPS = (
    *("harvest", "process", "sell", "dispatch", "receive", "pack", "unpack", "spray", "observe", "declare"),
    *("recall", "close", "activate", "authorise", "code", "withdraw", "index", "revoke", "void"),
)
KILOGRAMS = (1, 3, Decimal("0.1"), Decimal("0.2"), Decimal("2.9999999999999996"))

steps = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.sampled_from(ORGS),
        st.sampled_from(LOTS),
        st.sampled_from(KILOGRAMS),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=14,
)
heavy = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def start() -> World:
    """A log in which anybody may say anything."""
    world = World()
    world.org("operator", roles=["operator"])
    world.org("office", roles=["authority"])
    for org in ORGS:
        world.org(org)
    world.product("farm")
    world.product("packer", OTHER_GTIN)
    world.issue("farm", "A")
    return world


def tell(told: list[tuple]) -> World:
    """The log that *told* steps make."""
    world = start()
    sprayed: list[Entry] = []
    gone: set[str] = set()  # what the revoked say is void, and so is what follows it
    for kind, org, lot, kg, pick in told:
        if org in gone:
            continue
        goods = {lot: kg}
        events = [e for e in world.entries if e.family == "event" and "errorDeclaration" not in e.statement]
        events = [e for e in events if e.actor not in gone]
        match kind:
            case "harvest":
                world.harvest(org, lot, kg, codes=[CODE] if pick == 0 else [])
            case "process":
                world.process(org, goods, {LOTS[pick % 3]: kg})
            case "dispatch":
                world.dispatch(org, goods if pick else [PALLET], to=[ORGS[pick % 3]])
            case "receive":
                world.receive(org, goods if pick else [PALLET])
            case "pack":
                world.pack(org, PALLET, goods)
            case "unpack":
                world.unpack(org, PALLET, goods if pick else [])
            case "sell":
                world.sell(org, goods if pick else [PALLET])
            case "spray":
                sprayed.append(world.spray(org, goods={lot: None}, phi=pick))
            case "observe":
                world.observe(org, [lot])
            case "declare" if events:
                world.declare_wrong(events[-1 - pick % len(events)])
            case "recall":
                world.recall(org, [lot if pick else PRODUCT])
            case "close" if opened := [e for e in world.entries if e.kind == "recall-open"]:
                world.close_recall(org, opened[pick % len(opened)])
            case "activate" if "farm" not in gone:
                world.activate("farm", "farm/A", lot, [(pick, pick + 1)])
            case "authorise":
                world.authorise(org, ORGS[pick % 3], [lot, PRODUCT])
            case "code":
                world.code("office", org, max_kg=pick)
            case "withdraw" if records := [e for e in world.entries if e.kind in ("code", "product")]:
                world.withdraw(org, records[pick % len(records)])
            case "index":
                world.index_record()
            case "revoke" if pick == 5:
                world.revoke(org=org, suspect_from=len(world.entries) - 2)
                gone.add(org)
            case "void":
                world.observe(org, [lot], by="nobody", prev=[])
                del world.newest[lot]  # what names a void entry is void too
        world.later(pick == 4)
    return world


@given(steps)
@heavy
def test_one_fold_says_what_a_fold_from_scratch_says_at_every_prefix(told: list[tuple]) -> None:
    """Entries applied one by one give, after each, what the entries so far give at once; and one fold remembers."""
    world = tell(told)
    registry, growing = Registry(world.origin), Findings(world.origin)
    whole = findings_of(world.numbered, world.origin)
    for size, entry in enumerate(world.entries):
        scratch = findings_of(world.numbered[:size], world.origin)
        assert growing.found == scratch.found
        for lot in LOTS:
            gate = scratch.gated(lot, size, roll="farm/A")
            assert growing.gated(lot, size, roll="farm/A") == whole.gated(lot, size, roll="farm/A") == gate
            assert [growing.held(org, lot, "KGM") for org in ORGS] == [
                scratch.held(org, lot, "KGM") for org in ORGS
            ]
        if entry.is_registry:
            assert registry.apply(size, entry) is None
        valid = entry.is_registry or whole.lookup(entry.id) is not None
        growing.apply(size, entry, registry, valid)
    assert growing.found == whole.found


@given(steps)
@heavy
def test_a_bundle_accuses_of_nothing_that_the_whole_log_does_not(told: list[tuple]) -> None:
    """Red findings and closed gates by the entries of a bundle are those of the whole log, too."""
    world = tell(told)
    whole = findings_of(world.numbered, world.origin)
    size = len(world.entries)
    red = {(f.code, f.index, f.subject) for f in whole.found if f.severity == "red"}
    for subject in (*LOTS, PALLET):
        if not world.touching(subject):
            continue
        about = upstream(subject, lambda name: [world.entries[index] for index in world.touching(name)])
        shown = {index for name in about for index in world.touching(name)}
        entries = [(i, e) for i, e in world.numbered if e.is_registry or i in shown]
        part = findings_of(entries, world.origin, about=about)
        assert {(f.code, f.index, f.subject) for f in part.found if f.severity == "red"} <= red
        for below in range(size + 1):
            assert not part.gated(subject, below) or whole.gated(subject, below)


@given(steps)
@heavy
def test_amounts_are_those_of_a_slow_twin(told: list[tuple]) -> None:
    """Created, used and held, straight from the statements: events declared wrong left out, nothing packed."""
    told = [step for step in told if step[0] not in ("pack", "unpack", "revoke")]
    told = [(kind, org, lot, kg, pick or 1) for kind, org, lot, kg, pick in told]
    world = tell(told)
    findings = findings_of(world.numbered, world.origin)
    created, used, held = twin([e for e in world.entries if findings.lookup(e.id)])
    for lot in LOTS:
        for org in ORGS:
            assert Fraction(findings.held(org, lot, "KGM")) == held[org, lot]
        over = [f for f in findings.of(lot) if f.code == "mass-balance"]
        assert bool(over) == (used[lot] > created[lot])
        for finding in over:
            assert (Fraction(finding.args["created"]), Fraction(finding.args["used"])) == (
                created[lot],
                used[lot],
            )
        short = {f.args["org"] for f in findings.of(lot) if f.code == "holder-negative"}
        assert {org for org in ORGS if held[org, lot] < 0} <= short


def twin(entries: list[Entry]) -> tuple[Counter, Counter, Counter]:
    """(created, used, held) of *entries*, by the text of the specification."""
    events = [e for e in entries if e.family == "event"]
    wrong = {
        ref
        for e in events
        if "errorDeclaration" in e.statement
        for ref in e.statement["tl:prev"]
        if any(o.id == ref and o.statement["eventID"] == e.statement["eventID"] for o in events)
    }
    created, used, held, transit = Counter(), Counter(), Counter(), Counter()
    for event in events:
        said = event.statement
        if event.id in wrong or "errorDeclaration" in said:
            continue
        org, receiver = event.actor, ""
        if event.kind == "dispatch":
            receiver = said["destinationList"][0]["destination"].rpartition("/")[2]
        lists = [(said.get("quantityList", []), said.get("action"), event.kind)]
        lists += [
            (said.get("inputQuantityList", []), "DELETE", ""),
            (said.get("outputQuantityList", []), "ADD", ""),
        ]
        for items, action, kind in lists:
            for item in items:
                lot, quantity = item["epcClass"], Fraction(item.get("quantity", 0))
                if action == "ADD":
                    created[lot] += quantity
                    held[org, lot] += quantity
                elif action == "DELETE":
                    used[lot] += quantity
                    held[org, lot] -= quantity
                elif kind == "dispatch":
                    held[org, lot] -= quantity
                    transit[receiver, lot] += quantity
                elif kind == "receive":
                    arrived = min(quantity, transit[org, lot])
                    transit[org, lot] -= arrived
                    held[org, lot] += arrived
    return created, used, held


@given(st.permutations(range(8)))
@settings(max_examples=30)
def test_lots_that_never_meet_do_not_disturb_each_other(order: list[int]) -> None:
    """However two lots' entries are interleaved, each lot's findings are its own."""
    lines = {LOT: iter(range(4)), OTHER_LOT: iter(range(4))}
    world = start()
    for number in order:
        lot, org = (LOT, "farm") if number % 2 else (OTHER_LOT, "packer")
        match next(lines[lot]):
            case 0:
                world.harvest(org, lot, Decimal("0.3"))
            case 1:
                world.dispatch(org, {lot: Decimal("0.2")}, to=["shop"])
            case 2:
                world.receive("shop", {lot: Decimal("0.1")})
            case 3:
                world.sell(org, {lot: Decimal("0.4")})
    findings = findings_of(world.numbered, world.origin)
    for lot in lines:
        said = [
            (f.code, f.args.get("held"), f.args.get("used"), f.args.get("received")) for f in findings.of(lot)
        ]
        assert said == [
            ("receipt-differs", None, None, Decimal("0.1")),
            ("holder-negative", Decimal("-0.3"), None, None),
            ("mass-balance", None, Decimal("0.4"), None),
        ]


@pytest.mark.parametrize(("used", "red"), [("0.3", False), ("0.30000000000000004", True)])
def test_decimals_are_exact(used: str, red: bool) -> None:
    """0.1 and 0.2 are 0.3, not what a float makes of them."""
    world = start()
    world.harvest("farm", kg=Decimal("0.1"))
    world.harvest("farm", kg=Decimal("0.2"))
    world.sell("farm", {LOT: Decimal(used)})
    assert bool(findings_of(world.numbered, world.origin).found) == red


def test_void_entries_change_nothing_but_the_roots() -> None:
    """An entry without authority is counted in the tree and nowhere else."""
    world = start()
    world.harvest("farm")
    clean = findings_of(world.numbered, world.origin)
    world.sell("farm", {LOT: 5000}, by="nobody")
    world.newest[LOT] = world.entries[-2].id
    world.registry("key", "nobody", org="farm", pk="A" * 43, custody="device", acts=["*"], sites=[])
    world.observe("farm")
    dirty = findings_of(world.numbered, world.origin)
    assert (dirty.found, dirty.held("farm", LOT, "KGM")) == (clean.found, clean.held("farm", LOT, "KGM"))


junk = st.recursive(
    st.sampled_from(
        [
            None,
            True,
            0,
            -1,
            Decimal("0.5"),
            2**53 - 1,
            "",
            "x",
            LOT,
            PALLET,
            "KGM",
            "2026-11-20T06:30:00+07:00",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["epcClass", "quantity", "uom", "id", "destination", "type"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
members = st.dictionaries(
    st.sampled_from(
        [
            *("eventTime", "eventTimeZoneOffset", "quantityList", "epcList", "parentID", "childEPCs"),
            *(
                "childQuantityList",
                "inputEPCList",
                "inputQuantityList",
                "outputEPCList",
                "outputQuantityList",
            ),
            *("destinationList", "readPoint", "bizLocation", "errorDeclaration", "action", "bizStep"),
        ]
    ),
    junk,
    max_size=6,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(["ObjectEvent", "AggregationEvent", "TransformationEvent", "x"]), members),
        min_size=1,
        max_size=4,
    )
)
@heavy
def test_no_event_of_the_profile_breaks_the_fold(told: list[tuple[str, dict]]) -> None:
    """Verifiers ask for the profile only: whatever stands in the EPCIS members, there is an answer."""
    world = start()
    world.code("office", "farm")
    for sort, more in told:
        for action in ("ADD", "DELETE"):
            statement = {"action": action} | more
            action = statement.pop("action")
            world.event("import", "farm", sort=sort, action=action, codes=[CODE], **statement)
    findings = findings_of(world.numbered, world.origin)
    assert {f.code for f in findings.found} <= SEVERITIES.keys()
    assert findings.gated(LOT, len(world.entries)) in (True, False)
