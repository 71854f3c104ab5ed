# SPDX-License-Identifier: Apache-2.0
"""
Pre-harvest intervals: a harvest on a site before the days of a spray or fertiliser there have passed.

The rule ``phi`` of section 8 of the format specification, whichever of the two was logged first.  A harvest is
forbidden once, however many applications forbid it: the first found stands for all, and another takes its place
if it is declared wrong.
"""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MAX_DAY: Final = 3_652_059
"""Ordinal of 9999-12-31: an interval that ends later ends there."""


class Forbidden(NamedTuple):
    """
    A harvest too early.

    Attributes:
        harvest, application: Positions of the two events.

        free: First day without an interval, an ordinal.
    """

    harvest: int
    application: int
    free: int


@dataclass(slots=True)
class _Site:
    """
    One place; all lists ascend.

    Attributes:
        applied: (day, end of the interval, position).

        reach: (latest end, position) of the applications up to each.

        allowed: (day, position) of the harvests that nothing forbids.

        forbidden: Per application, the harvests it forbids.
    """

    applied: list[tuple[int, int, int]] = field(default_factory=list)
    reach: list[tuple[int, int]] = field(default_factory=list)
    allowed: list[tuple[int, int]] = field(default_factory=list)
    forbidden: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def measure(self, start: int) -> None:
        del self.reach[start:]
        for _, end, position in self.applied[start:]:
            self.reach.append(max((end, position), self.reach[-1] if self.reach else (0, 0)))

    def judge(self, day: int, harvest: int) -> Forbidden | None:
        before = bisect_right(self.applied, (day, MAX_DAY + 1, 0))
        end, application = self.reach[before - 1] if before else (0, 0)
        if end <= day:
            insort(self.allowed, (day, harvest))
            return None
        self.forbidden.setdefault(application, []).append((day, harvest))
        return Forbidden(harvest, application, end)


class PreHarvest:
    """Applications and harvests per site; days are proleptic ordinals."""

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}

    def applied(self, position: int, site: str, day: int, days: int) -> list[Forbidden]:
        """Add an application with an interval of *days*; return the harvests that it makes too early."""
        place = self._sites.setdefault(site, _Site())
        end = min(day + days, MAX_DAY)
        item = (day, end, position)
        start = bisect_left(place.applied, item)
        place.applied.insert(start, item)
        place.measure(start)
        first, last = bisect_left(place.allowed, (day, -1)), bisect_left(place.allowed, (end, -1))
        if first >= last:
            return []
        early = place.allowed[first:last]
        del place.allowed[first:last]
        place.forbidden.setdefault(position, []).extend(early)
        return [Forbidden(harvest, position, end) for _, harvest in early]

    def harvested(self, position: int, site: str, day: int) -> Forbidden | None:
        """Add a harvest; say what forbids it longest, if anything does."""
        return self._sites.setdefault(site, _Site()).judge(day, position)

    def leave_out(self, position: int, site: str, day: int) -> list[Forbidden]:
        """
        Leave out an application or harvest of that *day*, declared wrong.

        Returns:
            Harvests that it forbade and something else forbids as well.
        """
        place = self._sites.get(site)
        if place is None:
            return []
        for harvests in (place.allowed, *place.forbidden.values()):
            if (day, position) in harvests:
                harvests.remove((day, position))
        place.applied = [item for item in place.applied if item[2] != position]
        place.measure(0)
        again = [place.judge(*harvest) for harvest in place.forbidden.pop(position, ())]
        return [found for found in again if found is not None]
