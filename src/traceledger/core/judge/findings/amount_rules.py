# SPDX-License-Identifier: Apache-2.0
"""
The rules about amounts: what was created, used, held, received, and created under a code.

Section 8 of the format specification: ``mass-balance``, ``holder-negative``, ``receipt-differs`` and
``code-over-ceiling``.  When an event is declared wrong, the lots it moved are counted again without it:
findings whose ground is gone fall, and findings that only its claim had hidden are raised.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from traceledger.core.judge.findings.at import At
from traceledger.core.judge.findings.balance import (
    CREATE,
    DISPATCH,
    RECEIVE,
    Shortfall,
    decimal,
    plain,
    whole,
)
from traceledger.core.judge.findings.ceilings import Ceilings, Use
from traceledger.core.judge.findings.claim_rules import ClaimRules
from traceledger.core.judge.findings.found import Arg, Raised
from traceledger.core.judge.findings.goods import PIECES, Goods, Moves
from traceledger.core.judge.findings.past import Past
from traceledger.core.judge.findings.standing import Record, product_of


class AmountRules:
    """
    Those rules over one log; see `rules.Rules`.

    Args:
        is_shown: Says whether every entry about a subject is given; the balance of others is not weighed.
    """

    def __init__(self, past: Past, goods: Goods, claims: ClaimRules, is_shown: Callable[[str], bool]) -> None:
        self._is_shown = is_shown
        self._past = past
        self._goods = goods
        self._claims = claims
        self._ceilings = Ceilings()
        self._coded: dict[int, tuple[str, ...]] = {}
        self._code_sets: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._overused: dict[tuple[int, int], Raised] = {}
        self._short: dict[int, dict[Shortfall, tuple[int, Raised]]] = {}

    def judge(
        self,
        at: At,
        moves: Moves,
        *,
        receivers: tuple[int, ...],
        dispatches: Sequence[int],
        strange: Collection[int],
        unknown: Collection[int],
    ) -> None:
        """
        Count what an event moves, and judge what follows.

        Args:
            receivers: Organisations a dispatch names.

            dispatches: Positions of the dispatches a receipt names.

            strange: Lots the actor is a stranger to.

            unknown: Lots of which not all is given that moves them, so that nobody's holding is known.
        """
        movements = self._goods.movements
        short = movements.add(at.position, at.actor, moves.movements, receivers=receivers, strange=strange)
        for lot, unit in short:
            if lot not in unknown:
                held = movements.held(at.actor, lot, unit)
                self._shortfall(at, lot, (at.position, at.actor, unit), held, strange=lot in strange)
        for lot, unit in dict.fromkeys((m.lot, m.unit) for m in moves.movements):
            self._weigh(at, lot, unit)
        if dispatches:
            self._compare(at, dispatches)
        self._count_codes(at, moves, strange)

    def leave_out(self, at: At, position: int, unknown: Collection[int]) -> None:
        """Count again without the event at *position*, which *at* declares wrong."""
        for code in self._coded.pop(position, ()):
            for raised in self._ceilings.leave_out((code, at.org), position):
                raised.until = at.index
        for lot in sorted(self._goods.movements.leave_out(position)):
            self._recount(at, lot, {} if lot in unknown else self._goods.movements.shortfalls(lot))

    # --- balances

    def _weigh(self, at: At, lot: int, unit: int) -> None:
        """Raise, renew or let fall the mass balance of a lot."""
        subject = self._past.subjects[lot]
        if not self._is_shown(subject):
            return
        balance = self._goods.movements.balance(lot)
        created, used = balance.created.get(unit, 0), balance.used.get(unit, 0)
        standing = self._overused.get((lot, unit))
        if used <= created:
            if standing is not None:
                standing.until = at.index
                del self._overused[lot, unit]
            return
        # without what strangers used there may be enough: then only they are held up by it
        strange = used - balance.odd.get(unit, 0) <= created
        words = f"{self._said(created, unit)} created, {self._said(used, unit)} used"
        args: dict[str, Arg] = {"created": decimal(created), "used": decimal(used), "uom": self._uom(unit)}
        if standing is not None and standing.strange == strange:
            standing.finding = replace(standing.finding, args=args, sum=words)
            return
        if standing is not None:
            standing.until = at.index
        self._overused[lot, unit] = at.book.add(
            "mass-balance",
            index=at.index,
            subject=subject,
            actor=at.actor,
            args=args,
            words=words,
            strange=strange,
        )

    def _shortfall(self, at: At, lot: int, place: Shortfall, held: int, *, strange: bool) -> None:
        event, org, unit = place
        name = self._past.orgs[org]
        index = at.index if event == at.position else self._past.index[event]
        raised = at.book.add(
            "holder-negative",
            index=at.index,
            subject=self._past.subjects[lot],
            actor=org,
            args={"org": name, "held": decimal(held), "uom": self._uom(unit), "entry": index},
            words=f"{name} holds {self._said(held, unit)} after entry {index}",
            strange=strange,
        )
        self._short.setdefault(lot, {})[place] = held, raised

    def _recount(self, at: At, lot: int, fresh: Mapping[Shortfall, int]) -> None:
        known = self._short.get(lot, {})
        for place, (held, raised) in list(known.items()):
            if fresh.get(place) != held:
                raised.until = at.index
                del known[place]
        for place, held in fresh.items():
            if place not in known:
                strange = not self._goods.is_member(lot, place[1])
                self._shortfall(at, lot, place, held, strange=strange)
        units = {unit for weighed, unit in self._overused if weighed == lot}
        for unit in sorted(units | self._goods.movements.balance(lot).used.keys()):
            self._weigh(at, lot, unit)

    def _uom(self, unit: int) -> str:
        return self._goods.units[unit]

    def _said(self, quantity: int, unit: int) -> str:
        name = self._uom(unit)
        return f"{plain(quantity)} {'pieces' if name == PIECES else name}"

    # --- receipts

    def _compare(self, at: At, dispatches: Sequence[int]) -> None:
        sent: dict[tuple[int, int], int] = {}
        for dispatch in dispatches:
            for place, quantity in self._goods.movements.stated(dispatch, DISPATCH).items():
                sent[place] = sent.get(place, 0) + quantity
        for place, received in self._goods.movements.stated(at.position, RECEIVE).items():
            dispatched = sent.get(place)
            if dispatched is not None and 50 * abs(received - dispatched) > dispatched:
                lot, unit = place
                words = f"{self._said(dispatched, unit)} dispatched, {self._said(received, unit)} received"
                args: dict[str, Arg] = {
                    "dispatched": decimal(dispatched),
                    "received": decimal(received),
                    "uom": self._uom(unit),
                }
                at.claim("receipt-differs", self._past.subjects[lot], args, words, rests=tuple(dispatches))

    # --- codes

    def _count_codes(self, at: At, moves: Moves, strange: Collection[int]) -> None:
        kilograms = self._goods.units.number("KGM")
        made: dict[int, int] = {
            m.lot: m.quantity for m in moves.movements if m.role == CREATE and m.unit == kilograms
        }
        if not made or not at.codes or at.date is None:
            return
        self._coded[at.position] = self._code_sets.setdefault(at.codes, at.codes)
        for code in at.codes:
            use = code, at.org
            self._ceilings.add(
                use, position=at.position, day=at.date.isoformat(), quantity=sum(made.values())
            )
            products = dict.fromkeys(product_of(self._past.subjects[lot]) for lot in made)
            limits = {record.index: record for p in products for record in self._claims.limits(at, code, p)}
            for limit in limits.values():
                self._check_ceiling(at, use, limit, made, strange)

    def _check_ceiling(
        self, at: At, use: Use, limit: Record, made: Iterable[int], strange: Collection[int]
    ) -> None:
        if limit.max_kg is None:
            return
        total, ceiling = self._ceilings.total(use, limit), whole(limit.max_kg)
        if total <= ceiling:
            return
        words = f"{plain(total)} KGM created, {plain(ceiling)} KGM permitted"
        args: Mapping[str, Arg] = {"code": use[0], "total": decimal(total), "max_kg": decimal(ceiling)}
        for lot in made:
            subject = self._past.subjects[lot]
            raised = at.claim("code-over-ceiling", subject, args, words, strange=lot in strange)
            self._ceilings.breached(use, limit, position=at.position, raised=raised)
