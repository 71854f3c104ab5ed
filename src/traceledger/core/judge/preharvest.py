# SPDX-License-Identifier: Apache-2.0
"""
Pre-harvest intervals: a harvest on a site before the days of a spray or fertiliser there have passed.

The rule ``phi`` of section 8 of the format specification, whichever of the two was logged first.
"""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field

MAX_DAY = 3_652_059
"""Ordinal of 9999-12-31: an interval that ends later ends there."""


@dataclass(slots=True)
class _Site:
    # (day, end of the interval, position), (day, position), both ascending; `reach` is the latest end up to each
    applied: list[tuple[int, int, int]] = field(default_factory=list)
    reach: list[int] = field(default_factory=list)
    harvested: list[tuple[int, int]] = field(default_factory=list)

    def measure(self, start: int) -> None:
        del self.reach[start:]
        for _, end, _ in self.applied[start:]:
            self.reach.append(max(end, self.reach[-1] if self.reach else 0))


class PreHarvest:
    """Applications and harvests per site; days are proleptic ordinals."""

    def __init__(self) -> None:
        self._sites: dict[str, _Site] = {}

    def applied(self, position: int, site: str, day: int, days: int) -> list[int]:
        """Add an application with an interval of *days*; return the positions of harvests within it."""
        place = self._sites.setdefault(site, _Site())
        end = min(day + days, MAX_DAY)
        item = (day, end, position)
        start = bisect_left(place.applied, item)
        place.applied.insert(start, item)
        place.measure(start)
        first = bisect_left(place.harvested, (day, -1))
        last = bisect_left(place.harvested, (end, -1))
        return [harvest for _, harvest in place.harvested[first:last]]

    def harvested(self, position: int, site: str, day: int) -> tuple[int, int] | None:
        """Add a harvest; return (position, first day free) of the application that forbids it longest, or None."""
        place = self._sites.setdefault(site, _Site())
        insort(place.harvested, (day, position))
        before = bisect_right(place.applied, (day, MAX_DAY + 1, 0))
        if not before or place.reach[before - 1] <= day:
            return None
        _, end, application = max(place.applied[:before], key=lambda item: item[1])
        return application, end

    def leave_out(self, position: int, site: str, day: int) -> None:
        """Leave out an application or harvest of that *day* declared wrong."""
        place = self._sites.get(site)
        if place is not None:
            place.harvested = [item for item in place.harvested if item != (day, position)]
            place.applied = [item for item in place.applied if item[2] != position]
            place.measure(0)
