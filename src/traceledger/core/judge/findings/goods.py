# SPDX-License-Identifier: Apache-2.0
"""
Goods: who made each lot, who belongs to its journey, what it was made of, and what an event moves.

Section 8 of the format specification, "Amounts" and custody.  The *circle* of a lot is its creator and every
organisation that a dispatch by one of the circle names as receiver; whoever else speaks of the lot without
the authorisation of its owner is a stranger to it.
"""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from traceledger.core.claims import epcis
from traceledger.core.judge.findings.balance import (
    CREATE,
    DISPATCH,
    MAKE,
    RECEIVE,
    USE,
    Contents,
    Movement,
    Movements,
    Packed,
    whole,
)
from traceledger.core.judge.findings.columns import Names, Threads
from traceledger.core.sign.canonical import Json

PIECES = ""
"""Name of the unit of amounts stated without one."""

_MOVING = {"dispatch": DISPATCH, "receive": RECEIVE}


@dataclass(slots=True, kw_only=True)
class Moves:
    """
    What one event moves.

    Attributes:
        movements: Changes of balances, contents of parents included.

        parent: Of an aggregation, with what is *packed* in it, or taken out where *sign* is -1.

        emptied: Parents that hold nothing from here on.
    """

    movements: list[Movement] = field(default_factory=list)
    parent: int | None = None
    packed: Packed = field(default_factory=dict)
    sign: int = 1
    emptied: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether it changes anything."""
        return bool(self.movements or self.emptied or self.parent is not None)


class Goods:
    """Goods met so far; subjects and organisations by number."""

    def __init__(self) -> None:
        self.units = Names()
        self.movements = Movements()
        self.contents = Contents()
        self._creator = array("I")
        self._met = bytearray()
        self._circle: dict[int, frozenset[int]] = {}
        self._shared: dict[frozenset[int], frozenset[int]] = {}
        self._edges = Threads()
        self._source = array("I")
        self._event = array("I")
        self._edge_actor = array("I")

    # --- creators and circles

    def creator(self, subject: int) -> int | None:
        """Return who made *subject* first, or None where nobody has yet."""
        found = self._creator[subject] if subject < len(self._creator) else 0
        return found - 1 if found else None

    def create(self, subject: int, org: int) -> None:
        """Say that *org* made *subject*; the first to do so is its creator."""
        if subject >= len(self._creator):
            self._creator.extend([0] * (subject + 1 - len(self._creator)))
        if not self._creator[subject]:
            self._creator[subject] = org + 1
            self.welcome(subject, (org,))

    def meet(self, subject: int) -> bool:
        """Say whether no event met *subject* before, and that one has now."""
        if subject >= len(self._met):
            self._met.extend(bytes(subject + 1 - len(self._met)))
        before, self._met[subject] = self._met[subject], 1
        return not before

    def circle(self, subject: int) -> frozenset[int]:
        """Return the organisations of the circle of *subject*."""
        return self._circle.get(subject, frozenset())

    def is_member(self, subject: int, org: int) -> bool:
        """Say whether *org* belongs to the circle of *subject*."""
        return org in self.circle(subject)

    def is_foreign(self, subject: int, org: int) -> bool:
        """Say whether *subject* has been created and *org* does not belong to its circle."""
        return self.creator(subject) is not None and not self.is_member(subject, org)

    def welcome(self, subject: int, orgs: tuple[int, ...]) -> None:
        """Take *orgs* into the circle of *subject*."""
        circle = self.circle(subject) | frozenset(orgs)
        self._circle[subject] = self._shared.setdefault(circle, circle)

    # --- lineage

    def join(self, made: int, source: int, *, event: int, actor: int) -> None:
        """Say that the event at position *event* made *made* from *source*."""
        self._edges.add(made)
        self._source.append(source)
        self._event.append(event)
        self._edge_actor.append(actor)

    def sources(self, made: int) -> Iterator[tuple[int, int, int]]:
        """Yield (source, event, actor) of what *made* was made from."""
        for row in self._edges.newest_first(made):
            yield self._source[row], self._event[row], self._edge_actor[row]

    # --- what an event moves

    def moves(self, event: dict[str, Json], number: Callable[[str], int]) -> Moves:
        """
        Return what *event* moves, by what stands before it.

        An amount below nothing is none.  What a parent contains counts as stated unless the event states it itself.

        Args:
            number: Gives the number of a subject.
        """
        match event["type"], event.get("action"):
            case "TransformationEvent", _:
                moves = Moves()
                stated = self._stated(event, number)
                self._count(moves, USE, stated.get("input", {}))
                self._count(moves, CREATE, stated.get("output", {}))
                return moves
            case "AggregationEvent", "ADD" | "DELETE" as action:
                return self._packing(action, self._stated(event, number))
            case "ObjectEvent", "ADD":
                role = CREATE
            case "ObjectEvent", "DELETE":
                role = USE
            case _:
                role = _MOVING.get(event["tl:kind"], -1)
        moves = Moves()
        if role >= 0:
            self._count(moves, role, self._stated(event, number).get("object", {}))
        return moves

    def _stated(self, event: dict[str, Json], number: Callable[[str], int]) -> dict[str, Packed]:
        """What *event* states, by the list it stands in."""
        stated: dict[str, Packed] = {}
        for amount in epcis.amounts(event):
            if amount.quantity > 0:
                place = number(amount.subject), self.units.number(amount.uom or PIECES)
                amounts = stated.setdefault(amount.role, {})
                amounts[place] = amounts.get(place, 0) + whole(amount.quantity)
        return stated

    def _count(self, moves: Moves, role: int, stated: Packed) -> None:
        moves.movements += [Movement(*place, quantity, role) for place, quantity in stated.items()]
        if role != CREATE:
            parents = dict.fromkeys(lot for lot, _ in stated)
            inside = self.contents.within(parents)
            moves.movements += [
                Movement(*place, quantity, role) for place, quantity in inside.items() if place not in stated
            ]
            if role == USE:
                moves.emptied += parents

    def _packing(self, action: str, stated: dict[str, Packed]) -> Moves:
        moves = Moves(packed=stated.get("child", {}), sign=1 if action == "ADD" else -1)
        for (parent, unit), quantity in stated.get("parent", {}).items():
            moves.parent = parent
            if action == "ADD":
                moves.movements.append(Movement(parent, unit, quantity, MAKE))
            elif not moves.packed:
                moves.emptied.append(parent)
        return moves

    def repack(self, moves: Moves, event: int) -> None:
        """Change what parents contain by what the event at position *event* moves."""
        if moves.parent is not None:
            self.contents.add(moves.parent, moves.packed, moves.sign)
        for parent in moves.emptied:
            self.contents.empty(event, parent)

    def undo_packing(self, moves: Moves, event: int) -> None:
        """Undo `repack` of an event declared wrong, given what it moved."""
        if moves.parent is not None:
            self.contents.add(moves.parent, moves.packed, -moves.sign)
        self.contents.refill(event)
