# SPDX-License-Identifier: Apache-2.0
"""
The rules about what an event claims besides amounts: codes, product numbers, credentials, intervals.

Section 8 of the format specification: ``code-unauthorised``, ``product-foreign``, ``product-unowned``,
``credential-expired`` and ``phi``.  Records count as logged below the entry, on the entry's own day.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date

from traceledger.core.claims.records import code_uri
from traceledger.core.judge.findings.at import At
from traceledger.core.judge.findings.found import Arg
from traceledger.core.judge.findings.goods import Goods
from traceledger.core.judge.findings.past import Past
from traceledger.core.judge.findings.preharvest import Forbidden, PreHarvest
from traceledger.core.judge.findings.standing import Day, Record, Standing, product_of


class ClaimRules:
    """
    Those rules over one log; see `rules.Rules`.

    Args:
        is_shown: Says whether every record about a subject is given; what is not is not judged.
    """

    def __init__(self, past: Past, goods: Goods, standing: Standing, is_shown: Callable[[str], bool]) -> None:
        self._is_shown = is_shown
        self._past = past
        self._goods = goods
        self._standing = standing
        self._preharvest = PreHarvest()

    def judge(self, at: At, strange: Collection[int]) -> None:
        """Judge an event, whose actor is a stranger to the subjects *strange*."""
        self._codes(at, strange)
        made = {name: product for name in at.created if (product := product_of(name))}
        self.products(at, made, day=at.day, strange=strange)
        self._credentials(at)
        self._intervals(at, strange)

    def leave_out(self, at: At, position: int) -> None:
        """Leave out the event at *position*, which *at* declares wrong."""
        if at.site is not None and at.date is not None:
            for found in self._preharvest.leave_out(position, at.site, at.date.toordinal()):
                self._early(at, found)

    # --- codes

    def limits(self, at: At, code: str, product: str | None) -> list[Record]:
        """
        Return the records under which the actor may use *code* for goods of *product* on the event's day.

        Its own code record, or the authorisations by the code's owner; empty where it may not.
        """
        record = self._code(code, at.day)
        if record is None:
            return []
        owner = record.data["owner"]
        if owner == at.org:
            return [record]
        return list(
            self._standing.authorisations([code], by={owner}, who=at.org, product=product, day=at.day)
        )

    def _code(self, code: str, day: Day | None) -> Record | None:
        """The newest record of *code* in force; records about its site only are not of it."""
        records = [r for r in self._standing.in_force("code", code, day) if code_uri(r.data["code"]) == code]
        return records[-1] if records else None

    def _codes(self, at: At, strange: Collection[int]) -> None:
        for code in filter(self._is_shown, at.codes):
            record = self._code(code, at.day)
            owner = "" if record is None else record.data["owner"]
            for name in at.created or at.subjects or (code,):
                if not self.limits(at, code, product_of(name)):
                    odd = self._past.subjects.find(name) in strange
                    args = {"code": code, "owner": owner, "actor": at.org}
                    at.claim("code-unauthorised", name, args, strange=odd)

    # --- product numbers

    def products(
        self,
        at: At,
        made: Mapping[str, str],
        *,
        day: Day | None,
        strange: Collection[int] = (),
        also: tuple[str, ...] = (),
    ) -> None:
        """
        Judge what is *made* (subject → product URI) under product numbers.

        Args:
            day: Day or days that an authorisation must be in force on.

            also: Further subjects that an authorisation may be about.
        """
        bare: dict[str, str] = {}
        for name, product in made.items():
            if not self._is_shown(product):
                continue
            owner = self._standing.owner(product)
            if not self._standing.products(product):
                bare.setdefault(product, name)
            if owner is None or owner == at.org:
                continue
            allowed = self._standing.authorisations(
                dict.fromkeys((product, name, *also)),
                by={owner},
                who=at.org,
                product=product,
                day=day,
            )
            if not any(allowed):
                odd = self._past.subjects.find(name) in strange
                at.claim("product-foreign", name, {"product": product, "owner": owner}, strange=odd)
        for product, name in bare.items():
            at.claim("product-unowned", name, {"product": product})

    # --- credentials

    def _credentials(self, at: At) -> None:
        places = dict.fromkeys(product for name in at.subjects if (product := product_of(name)))
        for what in filter(self._is_shown, (*places, *([at.site] if at.site else []), *at.codes)):
            for kind in self._standing.kinds(what):
                if not self._standing.in_force(kind, what, at.day):
                    at.claim("credential-expired", at.first, {"kind": kind, "what": what})

    # --- intervals

    def _intervals(self, at: At, strange: Collection[int]) -> None:
        days = at.entry.statement.get("tl:phi")
        if (days is None and at.kind != "harvest") or at.site is None or at.date is None:
            return
        day = at.date.toordinal()
        if days is not None:
            for found in self._preharvest.applied(at.position, at.site, day, days):
                self._early(at, found)
            return
        forbidden = self._preharvest.harvested(at.position, at.site, day)
        if forbidden is not None:
            self._too_early(at, forbidden, at.numbers, strange)

    def _early(self, at: At, found: Forbidden) -> None:
        """Raise what *at* makes of a harvest logged before."""
        lots = self._past.touched(found.harvest)
        maker = self._past.actor[found.harvest]
        self._too_early(at, found, lots, [lot for lot in lots if self._goods.creator(lot) != maker])

    def _too_early(self, at: At, found: Forbidden, lots: Iterable[int], strange: Collection[int]) -> None:
        own = found.harvest == at.position
        first = date.fromordinal(found.free).isoformat()
        args: dict[str, Arg] = {
            "harvest": self._index(at, found.harvest),
            "application": self._index(at, found.application),
            "free": first,
            "site": at.site or "",
        }
        for lot in lots:
            at.book.add(
                "phi",
                index=at.index,
                subject=self._past.subjects[lot],
                actor=at.actor if own else self._past.actor[found.harvest],
                args=args,
                words=f"no harvest before {first}",
                strange=lot in strange,
                rests=(found.harvest, found.application),
            )

    def _index(self, at: At, position: int) -> int:
        return at.index if position == at.position else self._past.index[position]
