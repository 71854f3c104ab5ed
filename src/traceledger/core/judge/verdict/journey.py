# SPDX-License-Identifier: Apache-2.0
"""
The journey of a lot, read out of its entries: steps in the order they happened, what they amount to, and what
was corrected.

Events and stamp activations are steps; a stranger's event is kept apart; an error declaration is told at the
step it declares wrong and is no step of its own.  Who is who comes from `directory`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Context, Decimal
from typing import Any, Final

from traceledger.core.claims import epcis
from traceledger.core.claims.identifiers import canonical
from traceledger.core.judge.verdict.directory import (
    Directory,
    Indexed,
    day_of,
    days_between,
    items,
    members,
    readable,
    text,
)
from traceledger.core.judge.verdict.view import (
    Amount,
    CorrectionView,
    Declared,
    SiteView,
    Spray,
    StepView,
    Tier,
)
from traceledger.core.log.entry import moment_of

#: Which list of an event says what a step is about.
_ROLES: Final = {"TransformationEvent": "output", "AggregationEvent": "child"}
_ON_THE_WAY: Final = frozenset({"transport", "store", "sensor", "observe"})
_PAPER_KINDS: Final = frozenset({"test", "inspect", "import"})
_EXACT: Final = Context(prec=100)


@dataclass(frozen=True, slots=True)
class Journey:
    """Steps in order, strangers' steps apart, and the corrections among them."""

    steps: tuple[StepView, ...]
    strangers: tuple[StepView, ...]
    corrections: tuple[CorrectionView, ...]

    def step_at(self, index: int | None) -> int | None:
        """The journey number of the step at log *index*, or None."""
        return next((step.number for step in self.steps if step.index == index), None)


def read_journey(
    entries: Iterable[Indexed],
    directory: Directory,
    *,
    lots: Iterable[str],
    strangers: Iterable[int] = (),
) -> Journey:
    """
    Read a journey.

    Args:
        entries: Entries that touch the lot and what it was made from.

        directory: Names, sites and keys.

        lots: The lot and what it was made from; stamps activated for others are no step of it.

        strangers: Log indexes of events by those who never held the lot.
    """
    apart = set(strangers)
    subjects = frozenset(lots)
    shown = [pair for pair in readable(entries) if pair[1].family == "event" or _activates(pair[1], subjects)]
    declared = _declared(shown, directory)
    both = _countersigned(shown)
    views = []
    for index, entry in shown:
        if "errorDeclaration" in entry.statement:
            continue
        step = _step(index, entry, directory, both=entry.id in both)
        views.append(replace(step, declared_wrong=declared.get(step.id), stranger=index in apart))
    views.sort(key=lambda step: (_instant(step), step.index))
    own = [step for step in views if not step.stranger]
    steps = tuple(replace(step, number=number) for number, step in enumerate(own, 1))
    return Journey(steps, tuple(s for s in views if s.stranger), _corrections(steps, shown))


def _activates(entry: Any, lots: frozenset[str]) -> bool:
    return entry.kind == "activate" and not lots.isdisjoint(
        map(canonical, map(text, items(entry.member("about"))))
    )


def _step(index: int, entry: Any, directory: Directory, *, both: bool) -> StepView:
    statement: Mapping[str, Any] = entry.statement
    site = epcis.site_of(dict(statement)) or ""
    known = directory.site(site, actor=entry.actor) if site else SiteView(uri="")
    evidence = tuple(members(item) for item in items(entry.member("evidence")))
    phi = entry.member("phi")
    return StepView(
        number=0,
        index=index,
        id=entry.id,
        kind=entry.kind,
        biz_step=text(statement.get("bizStep")),
        event_time=text(statement.get("eventTime")),
        event_offset=text(statement.get("eventTimeZoneOffset")),
        recorded_at=entry.t,
        actor=entry.actor,
        actor_name=directory.name(entry.actor),
        signed_by=tuple((s.kid, directory.custody(s.kid)) for s in entry.envelope.signatures),
        on_behalf_of=text(entry.member("for")) or None,
        site=site,
        site_name=known.name,
        place=known.place,
        geo=_geo(site),
        amounts=_amounts(statement),
        diary=epcis.diary_of(dict(statement)) if entry.family == "event" else {},
        codes=tuple(text(code) for code in items(entry.member("codes"))),
        phi=phi if isinstance(phi, int) else None,
        tier=_tier(entry, directory, both=both, evidence=bool(evidence)),
        evidence=evidence,
        statement=statement,
        leaf=entry.leaf.hex(),
    )


def _tier(entry: Any, directory: Directory, *, both: bool, evidence: bool) -> Tier:
    if directory.has_role(entry.actor, "authority", "certifier"):
        return "authority"
    if both:
        return "both"
    return "copy" if evidence and entry.kind in _PAPER_KINDS else "own"


def _countersigned(shown: Sequence[Indexed]) -> set[str]:
    """
    Ids of dispatches that another party received, and of those receipts.

    A receipt names the dispatch, or what happened to the goods on the way from it.
    """
    known = {entry.id: entry for _, entry in shown}
    both: set[str] = set()
    for _, entry in shown:
        if entry.kind != "receive":
            continue
        waiting = [text(ref) for ref in items(entry.member("prev"))]
        for ref in waiting:  # grows while it is walked
            step = known.get(ref)
            if step is not None and step.kind == "dispatch" and step.actor != entry.actor:
                both |= {ref, entry.id}
            elif step is not None and step.kind in _ON_THE_WAY:
                waiting.extend(new for new in map(text, items(step.member("prev"))) if new not in waiting)
    return both


def _geo(uri: str) -> tuple[float, float] | None:
    """Coordinates of a ``geo:`` URI (RFC 5870), or None."""
    if not uri.startswith("geo:"):
        return None
    try:
        latitude, longitude = (float(part) for part in uri[4:].partition(";")[0].split(",")[:2])
    except ValueError:
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def distance_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance in kilometres between two (latitude, longitude) pairs in degrees."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, point)) for point in (a, b))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * 6371.0 * math.asin(math.sqrt(half))


def _amounts(statement: Mapping[str, Any], *, only: str | None = None) -> tuple[Amount, ...]:
    """What an event counts, one amount per unit; of *only* one subject where it is given."""
    role = _ROLES.get(text(statement.get("type")), "object")
    totals: dict[str | None, Decimal] = {}
    for amount in epcis.amounts(dict(statement)):
        if amount.role == role and only in (None, amount.subject):
            totals[amount.uom] = _EXACT.add(totals.get(amount.uom, Decimal(0)), amount.quantity)
    return tuple(Amount(value=value, uom=unit) for unit, value in totals.items())


def _instant(step: StepView) -> datetime:
    return epcis.event_time(dict(step.statement)) or moment_of(step.recorded_at)


def _declared(shown: Sequence[Indexed], directory: Directory) -> dict[str, Declared]:
    """Error declarations by the id of the event they declare wrong (section 3)."""
    originals = {e.id: e for _, e in shown if e.family == "event" and "errorDeclaration" not in e.statement}
    found = {}
    for index, entry in shown:
        error = members(entry.statement.get("errorDeclaration"))
        if not error:
            continue
        for ref in items(entry.member("prev")):
            wrong = originals.get(text(ref))
            if wrong is None or wrong.actor != entry.actor:
                continue
            if _without_tl(wrong.statement) != _without_tl(entry.statement):
                continue
            found[wrong.id] = Declared(
                by=entry.actor,
                by_name=directory.name(entry.actor),
                reason=text(error.get("reason")),
                time=text(error.get("declarationTime")),
                index=index,
            )
    return found


def _without_tl(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in statement.items() if not k.startswith("tl:") and k != "errorDeclaration"}


def _corrections(steps: Sequence[StepView], shown: Sequence[Indexed]) -> tuple[CorrectionView, ...]:
    by_index = {index: entry.statement for index, entry in shown}
    by_event = {text(step.statement.get("eventID")): step for step in steps}
    found = []
    for step in steps:
        wrong = step.declared_wrong
        if wrong is None:
            continue
        error = members(by_index[wrong.index].get("errorDeclaration"))
        corrective = [by_event[i] for i in map(text, items(error.get("correctiveEventIDs"))) if i in by_event]
        found.append(
            CorrectionView(
                step=step.number,
                index=step.index,
                kind=step.kind,
                before=step.amounts,
                after=corrective[0].amounts if corrective else (),
                declared=wrong,
            )
        )
    return tuple(found)


# --- what the steps amount to ---------------------------------------------------------------------------


def standing(journey: Journey) -> list[StepView]:
    """Steps that were not declared wrong."""
    return [step for step in journey.steps if step.declared_wrong is None]


def created_amounts(journey: Journey, subject: str) -> tuple[Amount, ...]:
    """Amounts with which the *subject* itself was created, one per unit."""
    totals: dict[str | None, Decimal] = {}
    for step in standing(journey):
        if subject in epcis.created(dict(step.statement)):
            for amount in _amounts(step.statement, only=subject):
                totals[amount.uom] = _EXACT.add(totals.get(amount.uom, Decimal(0)), amount.value)
    return tuple(Amount(value=value, uom=unit) for unit, value in totals.items())


def creator(journey: Journey, subject: str) -> StepView | None:
    """The step that created *subject*, or None."""
    return next((step for step in standing(journey) if subject in epcis.created(dict(step.statement))), None)


def harvests(journey: Journey) -> list[StepView]:
    """Harvest steps, in order."""
    return [step for step in standing(journey) if step.kind == "harvest"]


def last_spray(journey: Journey) -> Spray | None:
    """
    The application to name beside the harvest: the one that breaks its interval worst, else the latest.

    An application and a harvest belong together where they share a site; its days are counted to the first
    harvest on or after it.
    """
    gathered = [(step.site, day_of(step.statement)) for step in harvests(journey)]
    found: list[tuple[int, str, Spray]] = []
    for step in standing(journey):
        if step.kind not in ("spray", "fertilise") or step.phi is None:
            continue
        day = day_of(step.statement)
        waits = [days_between(day, then) for site, then in gathered if site == step.site]
        kept = [wait for wait in waits if wait is not None and wait >= 0]
        days = min(kept, default=None)
        short = 0 if days is None else max(0, step.phi - days)
        spray = Spray(
            date=day, phi=step.phi, days=days, ok=short == 0, tier=step.tier, actor_name=step.actor_name
        )
        found.append((short, day, spray))
    return max(found, key=lambda item: item[:2])[2] if found else None


def contributing_sites(journey: Journey, directory: Directory) -> tuple[SiteView, ...]:
    """Places where something was grown, tended or harvested for the lot, in the order they first appear."""
    growing = {"harvest", "plant", "stock", "care", "fertilise", "spray", "feed", "treat-animal", "input"}
    found: dict[str, SiteView] = {}
    for step in standing(journey):
        if step.kind not in growing or not step.site:
            continue
        site = found.get(step.site) or directory.site(step.site, actor=step.actor)
        found[step.site] = replace(site, actors=tuple(dict.fromkeys((*site.actors, step.actor_name))))
    return tuple(found.values())
