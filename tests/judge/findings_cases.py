# SPDX-License-Identifier: Apache-2.0
"""
Vectors of the findings: small logs on one common beginning, each with the findings and gates it must give.

What must come out is written here by hand, entry by entry.  `PYTHONPATH=tests python -m judge.findings_cases`
writes them to docs/spec/findings.json for whoever computes findings with another program.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from kit.world import (
    CODE,
    LOT,
    OTHER_LOT,
    PALLET,
    PRODUCT,
    SECOND,
    THIRD,
    World,
    amounts,
    party,
)
from traceledger.core.claims.records import code_uri

FILE = Path(__file__).resolve().parents[2] / "docs" / "spec" / "findings.json"
FIRST = 13
"""Index of the first entry of each case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    One log.

    Attributes:
        findings: (code, index), sorted by index, then as text.

        gates: (lot, below, whether it is gated).
    """

    name: str
    build: Callable[[World], None]
    findings: list[tuple[str, int]]
    gates: list[tuple[str, int, bool]]

    def log(self) -> World:
        """Return the common beginning with the case's entries behind it."""
        world = beginning()
        self.build(world)
        return world


CASES: list[Case] = []


def beginning() -> World:
    """Return the log that every case begins with."""
    world = World()
    world.org("operator", roles=["operator"])
    world.org("office", roles=["authority"])
    world.org("farm")
    world.org("shop")
    world.org("packer")
    world.product("farm")
    return world


def case(
    *findings: tuple[str, int], gates: tuple[tuple[str, int, bool], ...] = ()
) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """Make a case of a function that appends entries; its docstring says what it shows."""

    def add(build: Callable[[World], None]) -> Callable[[World], None]:
        CASES.append(Case(name=build.__name__, build=build, findings=list(findings), gates=list(gates)))
        return build

    return add


# --- amounts


@case(("holder-negative", 14), ("mass-balance", 14), gates=((LOT, 14, False), (LOT, 15, True)))
def used_more_than_created(world: World) -> None:
    """More is used than was created; the gate closes behind the entry, not before it."""
    world.harvest("farm", kg=1000)
    world.process("farm", {LOT: Decimal("1250.5")}, {SECOND: 1000})


@case(("holder-negative", 14))
def created_later_mends_the_balance_only(world: World) -> None:
    """The balance is of totals; that somebody held less than nothing after an entry stays true."""
    world.harvest("farm", kg=100)
    world.sell("farm", {LOT: 150})
    world.harvest("farm", kg=50)


@case()
def a_tenth_and_two_tenths(world: World) -> None:
    """Sums are of decimals: 0.1 and 0.2 are 0.3."""
    world.harvest("farm", kg=Decimal("0.1"))
    world.harvest("farm", kg=Decimal("0.2"))
    world.sell("farm", {LOT: Decimal("0.3")})


@case(("holder-negative", 16))
def a_receipt_creates_nothing(world: World) -> None:
    """Of 102 received, the 100 on their way arrive: the rest was never held."""
    world.harvest("farm", kg=1000)
    world.dispatch("farm", {LOT: 100}, to=["shop"])
    world.receive("shop", {LOT: 102})
    world.dispatch("shop", {LOT: Decimal("100.5")}, to=["packer"])


@case(("receipt-differs", 15), ("receipt-differs", 16), ("holder-negative", 17))
def what_two_may_receive_arrives_once(world: World) -> None:
    """A dispatch that names two receivers is one amount: 60 to the first, the other 40 to the second."""
    world.harvest("farm", kg=100)
    sent = world.dispatch("farm", {LOT: 100}, to=["shop", "packer"])
    received = world.receive("shop", {LOT: 60})
    world.receive("packer", {LOT: 60}, prev=sorted([sent.id, received.id]))
    world.sell("packer", {LOT: 41})


@case(("holder-negative", 17))
def a_parent_carries_its_contents(world: World) -> None:
    """A pallet sent and received moves what is in it; packing makes the pallet's own piece."""
    world.harvest("farm", kg=100)
    world.pack("farm", PALLET, {LOT: 60})
    world.dispatch("farm", [PALLET], to=["shop"])
    world.receive("shop", [PALLET])
    world.dispatch("farm", {LOT: 41}, to=["packer"])


@case()
def contents_stated_twice_count_once(world: World) -> None:
    """An event that names a parent and its contents means the same goods."""
    world.harvest("farm", kg=60)
    world.pack("farm", PALLET, {LOT: 60})
    places = [{"type": "possessing_party", "destination": party("shop")}]
    world.event("dispatch", "farm", **amounts([PALLET]), **amounts({LOT: 60}), destinationList=places)


@case(("code-over-ceiling", 15), gates=((LOT, 16, False), (SECOND, 16, True)))
def a_ceiling_is_of_kilograms_created_in_its_days(world: World) -> None:
    """What crosses the ceiling is named, not what came before it."""
    world.code("office", "farm", max_kg=1000)
    world.harvest("farm", kg=1000, codes=[CODE])
    world.harvest("farm", SECOND, kg=Decimal("0.001"), codes=[CODE])


# --- claims


@case(("code-unauthorised", 13))
def a_record_logged_later_does_not_heal(world: World) -> None:
    """Each entry is judged by the records below it, whatever dates they bear."""
    world.harvest("farm", codes=[CODE])
    world.code("office", "farm", since="2026-01-01")


@case()
def a_withdrawal_logged_later_does_not_spoil(world: World) -> None:
    """Nor does a record lose what was said under it."""
    code = world.code("office", "farm")
    world.harvest("farm", codes=[CODE])
    world.withdraw("office", code)


@case(("code-unauthorised", 16))
def an_authorisation_by_somebody_else(world: World) -> None:
    """Only the owner of a code lets others use it."""
    world.code("office", "packer")
    world.authorise("packer", "farm", [code_uri(CODE)], until="2026-11-19")
    world.authorise("shop", "farm", [code_uri(CODE)])
    world.harvest("farm", codes=[CODE])


@case(("phi", 14), gates=((LOT, 15, True), (SECOND, 15, False)))
def a_spray_logged_after_the_harvest(world: World) -> None:
    """The interval holds whichever was logged first; the harvested lot is gated."""
    world.harvest("farm")
    world.spray("farm", phi=1)


@case()
def the_first_day_free(world: World) -> None:
    """Three days after the spray, with an interval of three days, is free."""
    world.spray("farm", phi=3)
    world.later(3)
    world.harvest("farm")


@case(("product-foreign", 14), ("product-foreign", 15))
def another_organisations_number(world: World) -> None:
    """Lots and stamps alike."""
    world.harvest("farm")
    world.harvest("shop", SECOND)
    world.issue("shop", "A")


@case(("custody-stranger", 15), ("custody-stranger", 16))
def a_stranger_brings_in_nobody(world: World) -> None:
    """Whom a stranger names as receiver is a stranger too; the creator never becomes one."""
    world.harvest("farm", kg=10)
    world.sell("farm", {LOT: 10})
    world.dispatch("shop", {LOT: None}, to=["packer"])
    world.observe("packer")
    world.observe("farm")


# --- the log


@case()
def a_link_for_each_subject_is_no_branch(world: World) -> None:
    """Unpacking follows the pallet's last step and the lot's: that both stem from one entry is no fork."""
    world.harvest("farm", kg=100)
    world.pack("farm", PALLET, {LOT: 60})
    world.dispatch("farm", [PALLET], to=["shop"])
    world.receive("shop", [PALLET])
    world.unpack("shop", PALLET, {LOT: 60})


@case(("branch", 15))
def two_that_follow_one(world: World) -> None:
    """Two entries of a lot whose newest named one is the same."""
    first = world.harvest("farm")
    world.observe("farm")
    world.observe("farm", prev=[first.id])


@case(("uncreated", 14))
def met_before_it_was_made(world: World) -> None:
    """A record does not count as meeting; an event that does not create does."""
    world.authorise("farm", "packer", [SECOND])
    world.observe("farm", [LOT])
    world.harvest("farm")
    world.harvest("farm", SECOND)


@case(("index-wrong", 14))
def an_index_record_that_counts_wrongly(world: World) -> None:
    """Three subjects are claimed, two are there: the product and the lot."""
    world.harvest("farm")
    world.index_record(subjects=3)


@case(("key-suspect", 14))
def signed_after_the_key_was_lost(world: World) -> None:
    """Named at the entries signed, once the revocation is logged."""
    world.harvest("farm")
    world.harvest("farm", SECOND)
    world.revoke(kid="farm", suspect_from=14)


# --- corrections


@case(gates=((LOT, 15, True), (LOT, 16, False)))
def an_error_declaration_takes_amounts_out(world: World) -> None:
    """What was used by mistake was not used: the gate opens behind the declaration."""
    world.harvest("farm", kg=1000)
    wrong = world.sell("farm", {LOT: 2000})
    world.declare_wrong(wrong)


@case(("holder-negative", 15), ("mass-balance", 15), gates=((LOT, 15, False), (LOT, 16, True)))
def what_a_mistake_had_hidden(world: World) -> None:
    """Without the harvest the sale is too much: raised at the declaration, never before it."""
    wrong = world.harvest("farm", kg=1000)
    world.sell("farm", {LOT: 400})
    world.declare_wrong(wrong)


@case(("declaration-mismatch", 14))
def a_declaration_with_other_amounts(world: World) -> None:
    """It has no effect, and claims nothing itself."""
    wrong = world.harvest("farm", kg=200)
    world.declare_wrong(wrong, **amounts({LOT: 199}))


# --- stamps and gates


@case(("stamp-step", 15), ("stamp-step", 16))
def steps_without_effect(world: World) -> None:
    """By somebody else, and on numbers that are not on the roll."""
    world.harvest("farm")
    world.issue("farm", "A", count=10)
    world.activate("shop", "farm/A", ranges=[(1, 5)])
    world.activate("farm", "farm/A", ranges=[(1, 11)])


@case(("holder-negative", 15), ("mass-balance", 15), ("stamp-gate", 16))
def an_activation_on_a_gated_lot(world: World) -> None:
    """Kept as evidence, without effect; after the correction the same stamps activate."""
    world.harvest("farm", kg=10)
    world.issue("farm", "A")
    world.sell("farm", {LOT: 11})
    world.activate("farm", "farm/A")


@case(
    ("custody-stranger", 14),
    ("holder-negative", 14),
    ("mass-balance", 14),
    ("product-unowned", 14),
    gates=((LOT, 16, False), (OTHER_LOT, 16, True), (THIRD, 17, False)),
)
def a_stranger_closes_no_gate_but_its_own(world: World) -> None:
    """What a stranger claims to use of a lot gates what it makes of it, not the lot nor its holder's goods."""
    world.harvest("farm", kg=1000)
    world.process("shop", {LOT: 1001}, {OTHER_LOT: 1000})
    world.process("farm", {LOT: 1000}, {THIRD: 1000})


@case(gates=((LOT, 15, True), (LOT, 16, True), (LOT, 17, False)))
def a_recall_until_it_is_closed(world: World) -> None:
    """By who made it; another organisation's word closes nothing."""
    world.harvest("farm")
    recall = world.recall("farm", [PRODUCT])
    world.close_recall("shop", recall)
    world.close_recall("farm", recall)


def vectors() -> dict[str, object]:
    """Return the file's content."""
    return {
        "note": "Findings, section by section: entries of each case follow those of `beginning`; `below` is an index.",
        "origin": beginning().origin,
        "beginning": [raw.decode() for raw in beginning().raw],
        "cases": [
            {
                "name": one.name,
                "shows": " ".join((one.build.__doc__ or "").split()),
                "entries": [raw.decode() for raw in one.log().raw[FIRST:]],
                "findings": [{"code": code, "index": index} for code, index in one.findings],
                "gates": [{"lot": lot, "below": below, "gated": gated} for lot, below, gated in one.gates],
            }
            for one in CASES
        ],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")
