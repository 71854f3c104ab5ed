# SPDX-License-Identifier: Apache-2.0
"""
The rules about events as such: identity, error declarations, custody, delay, and lots nobody created.

Section 8 of the format specification.  An event declared wrong is left out of all amounts and of every rule about
what events claim; findings that rest on it fall.  An error declaration itself claims nothing and moves nothing.
What an event claims goes on to `claim_rules` and `amount_rules`.
"""

import hashlib
from collections.abc import Collection, Iterable
from typing import Final

from traceledger.core.claims import epcis
from traceledger.core.judge.findings.amount_rules import AmountRules
from traceledger.core.judge.findings.at import At
from traceledger.core.judge.findings.claim_rules import ClaimRules
from traceledger.core.judge.findings.columns import Digests
from traceledger.core.judge.findings.goods import Goods, Moves
from traceledger.core.judge.findings.past import Past
from traceledger.core.judge.findings.standing import Standing, product_of

LATE_S: Final = 72 * 3600

_KINDS: Final = (*epcis.EVENT_KINDS,)
_DECLARATION: Final = 255
_NO_EVENT: Final = 254
_PRINT: Final = 32


class EventRules:
    """
    Those rules over one log; see `rules.Rules`.

    Attributes:
        claims: The rules that stamps share.
    """

    def __init__(self, past: Past, goods: Goods, standing: Standing, about: Collection[str] | None) -> None:
        self.claims = ClaimRules(past, goods, standing, self.is_shown)
        self._amounts = AmountRules(past, goods, self.claims, self.is_shown)
        self._past = past
        self._goods = goods
        self._standing = standing
        self._about = about
        self._hidden: set[int] = set()
        self._prints = Digests(width=_PRINT, key=_PRINT // 2)
        self._kinds = bytearray()
        self._wrong: set[int] = set()

    def is_shown(self, subject: str) -> bool:
        """Say whether every entry about *subject* is given."""
        return self._about is None or subject in self._about

    def may_recall(self, at: At, subject: str, number: int) -> bool:
        """Say whether the actor made *subject*, owns its product number, or holds some of it."""
        product = product_of(subject)
        if self._goods.creator(number) == at.actor:
            return True
        if product is not None and self._standing.owner(product) == at.org:
            return True
        held = self._goods.movements.balance(number).held
        return any(org == at.actor and amount > 0 for (org, _), amount in held.items())

    def judge(self, at: At) -> None:
        """Judge an event, then take in what it claims."""
        self._identify(at)
        if at.declares:
            self._declare(at)
            return
        self._delay(at)
        self._arrivals(at)
        strange = self._strangers(at)
        self.claims.judge(at, strange)
        moves = self._goods.moves(at.entry.statement, self._past.subjects.number)
        if moves or at.kind == "dispatch":
            self._move(at, moves, strange)
        self._trace(at, strange)

    # --- identity and error declarations

    def _identify(self, at: At) -> None:
        statement = at.entry.statement
        said = {k: v for k, v in statement.items() if k[:3] != "tl:" and k != "errorDeclaration"}
        while len(self._kinds) < at.position:
            self._prints.skip(bytes(_PRINT))
            self._kinds.append(_NO_EVENT)
        # a parsed statement keeps the order of its JCS bytes, so its text is equal exactly where those are
        before = self._prints.add(_digest(f"{at.org} {statement['eventID']}") + _digest(repr(said)))
        self._kinds.append(_DECLARATION if at.declares else _KINDS.index(at.kind))
        if before is not None and not at.declares:
            at.finding("event-id-reused", entry=self._past.index[before], id=statement["eventID"])

    def _declare(self, at: At) -> None:
        own = self._prints[at.position]
        wrong = [p for p in at.named if self._is_event(p) and self._prints[p] == own]
        if not wrong:
            at.finding("declaration-mismatch")
        for position in wrong:
            if position not in self._wrong:
                self._wrong.add(position)
                self._leave_out(at, position)

    def _is_event(self, position: int) -> bool:
        return position < len(self._kinds) and self._kinds[position] < _NO_EVENT

    def _leave_out(self, at: At, position: int) -> None:
        # the declaration says everything the event said but for its tl: members
        statement = at.entry.statement | {"tl:kind": _KINDS[self._kinds[position]]}
        at.book.fall(position, at.index)
        self.claims.leave_out(at, position)
        self._goods.undo_packing(self._goods.moves(statement, self._past.subjects.number), position)
        self._amounts.leave_out(at, position, self._unknown(self._goods.movements.lots(position)))

    # --- delay and arrival

    def _delay(self, at: At) -> None:
        moment = epcis.event_time(at.entry.statement)
        delay = at.entry.t - int(moment.timestamp()) if moment else 0
        if delay > LATE_S:
            words = f"logged {delay} s after the event, {LATE_S} s allowed"
            at.claim("late", at.first, {"hours": delay // 3600}, words)

    def _arrivals(self, at: At) -> None:
        """Name subjects met for the first time in an event that does not create them."""
        loose = [
            name
            for name, number in zip(at.subjects, at.numbers, strict=True)
            if self._goods.meet(number) and name not in at.created and self.is_shown(name)
        ]
        if loose:
            at.finding("uncreated", loose[0], count=len(loose))

    # --- custody

    def _strangers(self, at: At) -> frozenset[int]:
        """Numbers of the subjects that the actor is a stranger to."""
        strange = []
        for name, number in zip(at.subjects, at.numbers, strict=True):
            if not self._goods.is_foreign(number, at.actor) or self._is_authorised(at, name, number):
                continue
            strange.append(number)  # or unknown: then it gates nothing either
            if self.is_shown(name) and number not in self._hidden:
                at.claim("custody-stranger", name, {"actor": at.org})
        return frozenset(strange)

    def _is_authorised(self, at: At, name: str, number: int) -> bool:
        """Whether one of the lot's circle or the owner of its product number lets the actor speak of it."""
        product = product_of(name)
        owners = {self._past.orgs[org] for org in self._goods.circle(number)}
        if product is not None:
            owners.add(self._standing.owner(product) or "")
        found = self._standing.authorisations([name], by=owners, who=at.org, product=product, day=at.day)
        return any(found)

    # --- goods

    def _move(self, at: At, moves: Moves, strange: frozenset[int]) -> None:
        kind = at.kind
        receivers: tuple[int, ...] = ()
        dispatches: list[int] = []
        if kind == "dispatch":
            named = self._standing.receivers(at.entry.statement)
            receivers = tuple(sorted(map(self._past.orgs.number, named)))
        elif kind == "receive":
            dispatches = [p for p in at.named if self._is_event(p) and p not in self._wrong]
            dispatches = [p for p in dispatches if _KINDS[self._kinds[p]] == "dispatch"]
        if moves.parent is not None:
            self._hide(moves.parent, set(at.numbers))
        inside = {m.lot for m in moves.movements}.difference(at.numbers)
        strange |= {lot for lot in inside if self._goods.is_foreign(lot, at.actor)}
        self._amounts.judge(
            at,
            moves,
            receivers=receivers,
            dispatches=dispatches,
            strange=strange,
            unknown=self._unknown(m.lot for m in moves.movements),
        )
        self._goods.repack(moves, at.position)
        if receivers:
            for lot in inside.union(at.numbers) - strange:
                self._goods.welcome(lot, receivers)

    def _hide(self, parent: int, packed: set[int]) -> None:
        """Remember what may move with a parent that not all is given about."""
        if parent in self._hidden or not self.is_shown(self._past.subjects[parent]):
            inside = {child for child, _ in self._goods.contents.within(packed)}
            self._hidden |= packed | inside

    def _unknown(self, lots: Iterable[int]) -> frozenset[int]:
        """Those of *lots* of which not all is given that moves them."""
        if self._about is None:
            return frozenset()
        return frozenset(
            lot for lot in lots if lot in self._hidden or not self.is_shown(self._past.subjects[lot])
        )

    def _trace(self, at: At, strange: frozenset[int]) -> None:
        number = self._past.subjects.number
        if not at.created:
            return
        for name in at.created:
            self._goods.create(number(name), at.actor)
        for made, sources in epcis.inputs_of(at.entry.statement).items():
            if number(made) not in strange:
                for source in sources:
                    self._goods.join(number(made), number(source), event=at.position, actor=at.actor)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[: _PRINT // 2]
