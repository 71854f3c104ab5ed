# SPDX-License-Identifier: Apache-2.0
"""
Rolls of stamps as a fold keeps them: stretches of numbers in one state, not the statements that led there.

What a step does to a stamp is `state.stamps`; here it is asked once for each stretch it touches.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from traceledger.core.log.entry import Entry
from traceledger.core.state.stamps import Gate, Roll, StampState, after_step, open_roll, ranges_of


@dataclass(slots=True)
class _Stretches:
    roll: Roll
    starts: list[int] = field(default_factory=list)
    states: list[StampState] = field(default_factory=list)

    def cut(self, number: int) -> int:
        """Let a stretch begin at *number*, if it is on the roll; return its place."""
        place = bisect_left(self.starts, number)
        if number <= self.roll.last and (place == len(self.starts) or self.starts[place] != number):
            self.starts.insert(place, number)
            self.states.insert(place, self.states[place - 1])
        return place

    def length(self, place: int) -> int:
        end = self.starts[place + 1] if place + 1 < len(self.starts) else self.roll.last + 1
        return end - self.starts[place]

    def join(self, first: int, last: int) -> None:
        """Join neighbours in equal states among the stretches at *first* to *last*."""
        for place in range(min(last, len(self.starts) - 1), max(first, 1) - 1, -1):
            if self.states[place] == self.states[place - 1]:
                del self.starts[place], self.states[place]


class RollBook:
    """Every roll issued so far."""

    def __init__(self) -> None:
        self._rolls: dict[str, _Stretches] = {}

    def issue(self, index: int, entry: Entry) -> bool:
        """Open the roll of *entry*; False where it was issued before."""
        roll = open_roll(index, entry)
        if roll.roll in self._rolls:
            return False
        state = StampState(step="issued", holder=roll.issuer, since=index)
        self._rolls[roll.roll] = _Stretches(roll, [roll.first], [state])
        return True

    def step(self, index: int, entry: Entry, gate: Gate) -> tuple[int, int]:
        """Apply the step *entry*; return how many stamps it changed, and how many it names."""
        data = entry.statement["data"]
        ranges = ranges_of(data)
        named = sum(last - first + 1 for first, last in ranges)
        found = self._rolls.get(data["roll"])
        if found is None:
            return 0, named
        return sum(_step(found, index, entry, gate, *pair) for pair in ranges), named


def _step(found: _Stretches, index: int, entry: Entry, gate: Gate, first: int, last: int) -> int:
    first, last = max(first, found.roll.first), min(last, found.roll.last)
    if first > last:
        return 0
    changed = 0
    start = found.cut(first)
    found.cut(last + 1)
    end = bisect_right(found.starts, last)
    for place in range(start, end):
        state = after_step(found.states[place], found.roll, index, entry, found.starts[place], gate)
        if state is not None:
            found.states[place] = state
            changed += found.length(place)
    found.join(start, end)
    return changed
