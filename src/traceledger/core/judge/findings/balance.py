# SPDX-License-Identifier: Apache-2.0
"""
Amounts: how much of each lot was created and used, who holds it, what is on its way, and what is packed in what.

Section 8 of the format specification, "Amounts".  Quantities are whole numbers of 10**-22, which every number
the format allows is a multiple of, so sums are exact.  Movements are rows; a lot's balance is what its rows say in
log order without those of events declared wrong, and is computed again when asked for and no longer kept.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Final, NamedTuple

from traceledger.core.judge.findings.columns import Threads

PLACES: Final = 22
ONE: Final = 10**PLACES
CREATE, MAKE, USE, DISPATCH, RECEIVE = range(5)

_STRANGE: Final = 8
_SHORT: Final = 10 ** (PLACES - 6)
_LONG: Final = -1
_KEPT: Final = 4_096
_EXACT: Final = Context(prec=100)

Shortfall = tuple[int, int, int]
"""(position of the event, organisation, unit): whose holding fell below nothing there."""


class Movement(NamedTuple):
    """A change of *quantity* in *unit* of *lot*; *role* is one of the five constants of this module."""

    lot: int
    unit: int
    quantity: int
    role: int


def whole(quantity: int | Decimal) -> int:
    """Return *quantity* in units of 10**-22."""
    if isinstance(quantity, int):
        return quantity * ONE
    return int(quantity.scaleb(PLACES, _EXACT))


def decimal(quantity: int) -> Decimal:
    """Return the exact number that *quantity* stands for."""
    return Decimal(plain(quantity))


def plain(quantity: int) -> str:
    """Return *quantity* as a plain decimal text, without needless zeros."""
    sign = "-" if quantity < 0 else ""
    units, rest = divmod(abs(quantity), ONE)
    return f"{sign}{units}.{rest:0{PLACES}}".rstrip("0").rstrip(".")


@dataclass(slots=True)
class Balance:
    """
    Where one lot stands; organisations and units by number, quantities in 10**-22.

    Attributes:
        created, used: Per unit.

        odd: Part of *used* that strangers to the lot used.

        held: Per organisation and unit.

        transit: Per unit and receivers named.
    """

    created: dict[int, int] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)
    odd: dict[int, int] = field(default_factory=dict)
    held: dict[tuple[int, int], int] = field(default_factory=dict)
    transit: dict[tuple[int, tuple[int, ...]], int] = field(default_factory=dict)

    def move(
        self, role: int, *, org: int, unit: int, quantity: int, receivers: tuple[int, ...], strange: bool
    ) -> None:
        """Apply one movement."""
        match role:
            case _ if role == CREATE or (role == MAKE and not self.created.get(unit)):
                self.created[unit] = self.created.get(unit, 0) + quantity
                self._hold(org, unit, quantity)
            case _ if role == USE:
                self.used[unit] = self.used.get(unit, 0) + quantity
                if strange:
                    self.odd[unit] = self.odd.get(unit, 0) + quantity
                self._hold(org, unit, -quantity)
            case _ if role == DISPATCH:
                self._hold(org, unit, -quantity)
                pool = (unit, receivers)
                self.transit[pool] = self.transit.get(pool, 0) + quantity
            case _ if role == RECEIVE:
                self._hold(org, unit, self._arrive(org, unit, quantity))

    def _hold(self, org: int, unit: int, change: int) -> None:
        self.held[org, unit] = self.held.get((org, unit), 0) + change

    def _arrive(self, org: int, unit: int, quantity: int) -> int:
        """Take up to *quantity* of what is in transit to *org*; return how much that was."""
        wanted = quantity
        # what is for this receiver alone before what others may take, so that the order of dispatches is nothing
        pools = sorted(
            (p for p in self.transit if p[0] == unit and org in p[1]), key=lambda p: (len(p[1]), p[1])
        )
        for pool in pools:
            taken = min(wanted, self.transit[pool])
            wanted -= taken
            self.transit[pool] -= taken
            if not self.transit[pool]:
                del self.transit[pool]
        return quantity - wanted


class Movements:
    """All movements of a log, and the balances that follow from them."""

    def __init__(self) -> None:
        self._lots = Threads()
        self._lot = array("I")
        self._unit = array("I")
        self._quantity = array("q")
        self._long: dict[int, int] = {}
        self._role = array("B")
        self._event = array("I")
        self._org = array("I")
        self._receivers: dict[int, tuple[int, ...]] = {}
        self._wrong: set[int] = set()
        self._balances: OrderedDict[int, Balance] = OrderedDict()

    def add(
        self,
        event: int,
        org: int,
        movements: Sequence[Movement],
        *,
        receivers: tuple[int, ...] = (),
        strange: Collection[int] = (),
    ) -> list[tuple[int, int]]:
        """
        Add the movements of the event at position *event*; positions ascend.

        Args:
            receivers: Organisations a dispatch names.

            strange: Lots that *org* is a stranger to.

        Returns:
            (lot, unit) of those of which *org* holds less than nothing from here on.
        """
        if receivers:
            self._receivers[event] = receivers
        before = {(m.lot, m.unit): self.held(org, m.lot, m.unit) for m in movements}
        for lot, unit, quantity, role in movements:
            balance = self.balance(lot)
            odd = lot in strange
            self._append(Movement(lot, unit, quantity, role), event, org, odd)
            balance.move(role, org=org, unit=unit, quantity=quantity, receivers=receivers, strange=odd)
        return [place for place, held in before.items() if held >= 0 > self.held(org, *place)]

    def _append(self, movement: Movement, event: int, org: int, odd: bool) -> None:
        row = self._lots.add(movement.lot)
        self._lot.append(movement.lot)
        self._unit.append(movement.unit)
        quantity, rest = divmod(movement.quantity, _SHORT)
        if rest or quantity >= 2**63:
            self._long[row] = movement.quantity
            quantity = _LONG
        self._quantity.append(quantity)
        self._role.append(movement.role | (_STRANGE if odd else 0))
        self._event.append(event)
        self._org.append(org)

    def balance(self, lot: int) -> Balance:
        """Return where *lot* stands now.  Kept for lots met lately; not to be changed."""
        kept = self._balances.get(lot)
        if kept is None:
            kept = self._balances[lot] = Balance()
            for row in self._rows(lot):
                self._apply(kept, row)
            if len(self._balances) > _KEPT:
                self._balances.popitem(last=False)
        else:
            self._balances.move_to_end(lot)
        return kept

    def held(self, org: int, lot: int, unit: int) -> int:
        """Return how much of *lot* in *unit* the organisation holds."""
        return self.balance(lot).held.get((org, unit), 0)

    def stated(self, event: int, role: int) -> dict[tuple[int, int], int]:
        """Return what the event at position *event* moved in *role*, by lot and unit."""
        first, last = bisect_left(self._event, event), bisect_right(self._event, event)
        found: dict[tuple[int, int], int] = {}
        for row in range(first, last):
            if self._role[row] & ~_STRANGE == role:
                place = self._lot[row], self._unit[row]
                found[place] = found.get(place, 0) + self._amount(row)
        return found

    def lots(self, event: int) -> set[int]:
        """Return the lots that the event at position *event* moved."""
        return set(self._lot[bisect_left(self._event, event) : bisect_right(self._event, event)])

    def leave_out(self, event: int) -> set[int]:
        """Leave out the movements of an event declared wrong; return the lots concerned."""
        self._wrong.add(event)
        lots = self.lots(event)
        for lot in lots:
            self._balances.pop(lot, None)
        return lots

    def shortfalls(self, lot: int) -> Mapping[Shortfall, int]:
        """Return each place where a holding of *lot* falls below nothing, with what is held after it."""
        found: dict[Shortfall, int] = {}
        balance = Balance()
        before: dict[tuple[int, int], int] = {}
        rows = list(self._rows(lot))
        events = [self._event[row] for row in rows]
        for row, event, following in zip(rows, events, [*events[1:], -1], strict=False):
            self._apply(balance, row)
            if following != event:  # an event is judged as a whole
                for (org, unit), held in balance.held.items():
                    if before.get((org, unit), 0) >= 0 > held:
                        found[event, org, unit] = held
                before = dict(balance.held)
        return found

    def _rows(self, lot: int) -> Iterator[int]:
        return (row for row in self._lots.oldest_first(lot) if self._event[row] not in self._wrong)

    def _amount(self, row: int) -> int:
        short = self._quantity[row]
        return self._long[row] if short == _LONG else short * _SHORT

    def _apply(self, balance: Balance, row: int) -> None:
        balance.move(
            self._role[row] & ~_STRANGE,
            org=self._org[row],
            unit=self._unit[row],
            quantity=self._amount(row),
            receivers=self._receivers.get(self._event[row], ()),
            strange=bool(self._role[row] & _STRANGE),
        )


Packed = dict[tuple[int, int], int]
"""(child, unit) → quantity."""


class Contents:
    """What each parent contains: pack adds, unpack takes away."""

    def __init__(self) -> None:
        self._inside: dict[int, Packed] = {}
        self._emptied: dict[int, list[tuple[int, Packed]]] = {}

    def add(self, parent: int, children: Mapping[tuple[int, int], int], sign: int = 1) -> None:
        """Put *children* in, or take them out with *sign* -1."""
        inside = self._inside.setdefault(parent, {})
        for place, quantity in children.items():
            inside[place] = inside.get(place, 0) + sign * quantity
            if not inside[place]:
                del inside[place]
        if not inside:
            del self._inside[parent]

    def empty(self, event: int, parent: int) -> None:
        """Take everything out, by the event at position *event*."""
        inside = self._inside.pop(parent, None)
        if inside:
            self._emptied.setdefault(event, []).append((parent, inside))

    def refill(self, event: int) -> None:
        """Put back what the event at position *event* emptied."""
        for parent, inside in self._emptied.pop(event, ()):
            self.add(parent, inside)

    def within(self, parents: Collection[int]) -> Packed:
        """Return everything inside *parents*, through all layers."""
        found: Packed = {}
        met = set(parents)
        pending = [*parents]
        while pending:
            for (child, unit), quantity in self._inside.get(pending.pop(), {}).items():
                if quantity > 0:
                    found[child, unit] = found.get((child, unit), 0) + quantity
                    if child not in met:
                        met.add(child)
                        pending.append(child)
        return found
