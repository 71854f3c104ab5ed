# SPDX-License-Identifier: Apache-2.0
"""
Gates: which lots may be activated on stamps, at any index of one fold, and who cannot close another's gate.
"""

import pytest

from kit.world import CODE, CRATE, LOT, OTHER_GTIN, OTHER_LOT, PALLET, PRODUCT, SECOND, THIRD, World
from traceledger.core.judge.findings import Findings, findings_of, gate_of
from traceledger.core.state.lineage import upstream

ROLL = "farm/A"


def fold(world: World) -> Findings:
    """Findings of the whole log."""
    return findings_of(world.numbered, world.origin)


def gated(world: World, lot: str = LOT) -> bool:
    """Whether *lot* is gated by the whole log."""
    return fold(world).gated(lot, len(world.entries))


def test_a_red_finding_gates_and_an_amber_one_does_not(world: World) -> None:
    """Only red closes."""
    world.harvest("farm", day="2026-11-01")
    assert (fold(world).found[0].code, gated(world)) == ("late", False)
    world.sell("farm", {LOT: 1001})
    assert gated(world)


def test_a_finding_upstream_gates_what_was_made_of_it(world: World) -> None:
    """Through transformations and aggregations, but not the other way."""
    world.harvest("farm")
    world.process("farm", {LOT: 100}, {SECOND: 100})
    world.pack("farm", PALLET, {SECOND: 100})
    world.harvest("farm", THIRD)
    world.sell("farm", {LOT: 901})
    assert [gated(world, lot) for lot in (LOT, SECOND, PALLET, THIRD)] == [True, True, True, False]
    clean = World.__new__(World)
    clean.__dict__ = world.__dict__ | {"entries": world.entries[:-1]}
    assert not gated(clean, PALLET)


def test_a_finding_downstream_does_not_gate(world: World) -> None:
    """What was made badly of a lot is no fault of the lot."""
    world.harvest("farm")
    world.process("farm", {LOT: 100}, {SECOND: 100})
    world.sell("farm", {SECOND: 101})
    assert (gated(world, SECOND), gated(world)) == (True, False)


def test_lineage_counts_from_its_own_entry_on(world: World) -> None:
    """A lot said to be made of bad goods was not gated before that was said."""
    world.harvest("farm", SECOND)
    world.sell("farm", {SECOND: 1001})
    world.harvest("farm")
    world.process("farm", {SECOND: 1}, {LOT: 1})
    size = len(world.entries)
    assert [fold(world).gated(LOT, below) for below in (size - 1, size)] == [False, True]


def test_a_red_roll_gates_its_own_activations_only(world: World) -> None:
    """Stamps issued under another's number activate for no lot; the lot takes other stamps."""
    world.product("shop", OTHER_GTIN)
    world.harvest("farm")
    world.issue("farm", "B", gtin=OTHER_GTIN)
    assert not gated(world)
    assert fold(world).gated(LOT, len(world.entries), roll="farm/B")
    world.activate("farm", "farm/B")
    at = len(world.entries) - 1
    findings = fold(world)
    assert ("stamp-gate", at) in [(f.code, f.index) for f in findings.found]
    assert findings.gated(LOT, at)  # the roll of the activation that stands there
    assert not findings.gated(LOT, at + 1)


@pytest.mark.parametrize(
    ("who", "about", "works"),
    [
        ("farm", LOT, True),
        ("farm", PRODUCT, True),
        ("office", LOT, True),
        ("office", PRODUCT, True),
        ("shop", LOT, False),
        ("shop", PRODUCT, False),
        ("farm", SECOND, False),
    ],
)
def test_a_recall_gates_its_lot_or_product(world: World, who: str, about: str, works: bool) -> None:
    """By creator, owner or authority, until it is closed."""
    world.harvest("farm")
    recall = world.recall(who, [about])
    opened = len(world.entries) - 1
    world.close_recall("packer", recall)
    assert gated(world) == works
    closed = len(world.entries)
    world.close_recall(who, recall)
    assert not gated(world)
    gates = [fold(world).gated(LOT, below) for below in range(len(world.entries) + 1)]
    assert gates == [works and opened < below <= closed for below in range(len(world.entries) + 1)]


def test_a_holder_may_recall(world: World) -> None:
    """Whoever holds some of a lot may recall it; who has passed it all on may not, but its creator may."""
    world.harvest("farm")
    world.dispatch("farm", {LOT: 10}, to=["shop"])
    world.recall("shop", [LOT])
    assert not gated(world)
    world.receive("shop", {LOT: 10})
    world.recall("shop", [LOT])
    assert gated(world)


def test_a_recall_is_closed_once(world: World) -> None:
    """Closing it again does not move its end."""
    world.harvest("farm")
    recall = world.recall("farm", [LOT])
    world.close_recall("farm", recall)
    world.close_recall("farm", recall)
    size = len(world.entries)
    assert [fold(world).gated(LOT, below) for below in (size - 2, size - 1)] == [True, False]


def test_an_authority_may_close_any_recall(world: World) -> None:
    """The opener may be gone."""
    world.harvest("farm")
    recall = world.recall("farm", [LOT])
    world.close_recall("office", recall)
    assert not gated(world)


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(lambda world: world.sell("shop", {LOT: 1}), id="use"),
        pytest.param(lambda world: world.sell("shop", {LOT: 1001}), id="use more than there is"),
        pytest.param(lambda world: world.dispatch("shop", {LOT: 1}, to=["packer"]), id="dispatch"),
        pytest.param(lambda world: world.harvest("shop"), id="create under another's number"),
        pytest.param(lambda world: world.observe("shop", codes=[CODE]), id="borrow a code"),
        pytest.param(
            lambda world: [world.harvest("shop", kg=1), world.sell("shop", {LOT: 5})], id="create, then use"
        ),
        pytest.param(
            lambda world: [
                world.product("shop", OTHER_GTIN),
                world.sell("shop", {OTHER_LOT: 1}),
                world.process("shop", {OTHER_LOT: 1}, {LOT: 1}),
            ],
            id="make it of something bad",
        ),
    ],
)
def test_a_stranger_cannot_close_the_gate_of_a_lot(world: World, attack) -> None:
    """Red findings of a stranger's event stand, and are seen; the lot they are about is not held up by them."""
    world.harvest("farm")
    world.issue("farm", "A")
    attack(world)
    codes = {f.code for f in fold(world).found if f.severity == "red"}
    assert codes
    assert not gated(world)
    world.sell("farm", {LOT: 1000})
    world.activate("farm", ROLL)
    assert "stamp-gate" not in [f.code for f in fold(world).found]
    world.sell("farm", {LOT: 1})
    assert gated(world)


def test_a_strangers_excess_does_not_hide_a_members(world: World) -> None:
    """A balance that a stranger broke is raised anew when it is broken without the stranger, too."""
    world.harvest("farm", kg=1000)
    world.sell("shop", {LOT: 1001})
    world.dispatch("shop", {LOT: 500}, to=["farm"])
    world.receive("farm", {LOT: 500})
    assert not gated(world)
    world.sell("farm", {LOT: 1500})
    balances = [f for f in fold(world).found if f.code == "mass-balance"]
    assert [f.index for f in balances] == [len(world.entries) - 1]
    assert gated(world)


def test_what_a_stranger_makes_of_a_lot_is_gated(world: World) -> None:
    """Goods said to be made of a lot nobody gave away carry its findings; those of its holder do not."""
    world.product("shop", OTHER_GTIN)
    world.harvest("farm")
    world.process("shop", {LOT: 500}, {OTHER_LOT: 500})
    world.process("farm", {LOT: 500}, {SECOND: 500})
    assert [gated(world, lot) for lot in (OTHER_LOT, SECOND, LOT)] == [True, False, False]


# --- folds of a part of the log


def test_a_bundle_shows_the_gate_of_its_lot(world: World) -> None:
    """From the entries of a bundle alone: its lot's balance and custody, and no rule that needs the rest."""
    world.harvest("farm")
    world.harvest("farm", SECOND)
    world.process("farm", {LOT: 100, SECOND: 100}, {THIRD: 200})
    world.pack("farm", PALLET, {LOT: 100})
    world.dispatch("farm", [PALLET], to=["shop"])
    world.receive("shop", [PALLET])
    world.unpack("shop", PALLET, {LOT: 100})
    world.sell("shop", {LOT: 100})
    assert fold(world).found == []
    for subject in (LOT, THIRD, PALLET):
        assert _shown(world, subject).found == []
        assert not gate_of(world.bundle(subject), world.origin)(subject, len(world.entries))
    world.process("farm", {LOT: 901}, {SECOND: 1})
    assert gate_of(world.bundle(), world.origin)(LOT, len(world.entries))
    assert not gate_of(world.bundle(), world.origin)(LOT, len(world.entries) - 1)


def test_what_travels_in_a_parent_not_shown_is_nobodys_shortfall(world: World) -> None:
    """A lot in a crate on a pallet changes hands with the pallet: the crate's bundle does not show that."""
    world.harvest("farm")
    world.pack("farm", CRATE, {LOT: 100})
    world.pack("farm", PALLET, [CRATE])
    world.dispatch("farm", [PALLET], to=["shop"])
    world.receive("shop", [PALLET])
    world.unpack("shop", PALLET, [CRATE])
    world.unpack("shop", CRATE, {LOT: 100})
    world.sell("shop", {LOT: 100})
    assert fold(world).found == _shown(world, CRATE).found == []


def test_a_bundle_that_does_not_decode_has_an_open_gate(world: World) -> None:
    """Verification fails there for its own reason."""
    world.harvest("farm")
    world.sell("farm", {LOT: 2000})
    value = world.bundle().to_json()
    value["entries"][0]["entry"]["env"]["payload"] = "AAAA"
    bundle = type(world.bundle()).from_json(value)
    assert not gate_of(bundle, world.origin)(LOT, len(world.entries))


def test_an_entry_shown_without_those_before_it_counts(world: World) -> None:
    """Right behind a gap, an entry whose ``prev`` is not given is taken as valid."""
    world.harvest("farm")
    world.process("farm", {LOT: 10}, {SECOND: 10})
    shown = [(index, entry) for index, entry in world.numbered if entry.is_registry or index == 14]
    assert findings_of(shown, world.origin, about={SECOND}).held("farm", SECOND, "KGM") == 10
    assert findings_of(world.numbered[:13], world.origin).lookup(world.entries[14].id) is None


def test_what_is_not_shown_is_not_judged(world: World) -> None:
    """Entries without those they follow give no finding about links, heads or other lots."""
    world.harvest("farm")
    world.observe("farm")
    world.process("farm", {LOT: 100}, {SECOND: 100})
    world.sell("farm", {SECOND: 50})
    assert _shown(world, SECOND).found == []
    world.process("farm", {LOT: 2000, SECOND: 51}, {THIRD: 10})
    assert {f.subject for f in fold(world).found} == {LOT, SECOND}
    assert {f.subject for f in _shown(world, SECOND).found} == {LOT, SECOND}  # what it was made of, too
    shown = [(i, e) for i, e in world.numbered if e.is_registry or i in world.touching(SECOND)]
    assert {f.subject for f in findings_of(shown, world.origin, about={SECOND}).found} == {SECOND}


def _shown(world: World, subject: str) -> Findings:
    bundle = world.bundle(subject)
    indexes = {item.index for item in bundle.entries}
    shown = [(i, e) for i, e in world.numbered if e.is_registry or i in indexes]
    about = upstream(subject, lambda name: [world.entries[i] for i in world.touching(name)])
    return findings_of(shown, world.origin, about=about)
