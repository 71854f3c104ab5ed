# SPDX-License-Identifier: Apache-2.0
"""
Ceilings of growing-area and packing codes: kilograms created under a code against what its record permits.

The rule ``code-over-ceiling`` of section 8 of the format specification.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from traceledger.core.judge.findings.balance import whole
from traceledger.core.judge.findings.found import Raised
from traceledger.core.judge.findings.standing import Record

Use = tuple[str, str]
"""(code uri, organisation)."""


@dataclass(slots=True, kw_only=True)
class _Breach:
    raised: Raised
    limit: Record
    position: int


@dataclass(slots=True)
class _Usage:
    rows: list[tuple[int, str, int]] = field(default_factory=list)  # (position, day, quantity)
    sums: dict[int, tuple[int, int]] = field(default_factory=dict)  # record index → (rows seen, sum)
    breaches: list[_Breach] = field(default_factory=list)


class Ceilings:
    """What each organisation created under each code; quantities in 10**-22 kilograms."""

    def __init__(self) -> None:
        self._usage: dict[Use, _Usage] = {}

    def add(self, use: Use, *, position: int, day: str, quantity: int) -> None:
        """Add what the event at *position* created under a code."""
        self._usage.setdefault(use, _Usage()).rows.append((position, day, quantity))

    def total(self, use: Use, limit: Record) -> int:
        """Return what was created on the days that *limit* is for."""
        usage = self._usage.setdefault(use, _Usage())
        seen, total = usage.sums.get(limit.index, (0, 0))
        total += sum(quantity for _, day, quantity in usage.rows[seen:] if limit_covers(limit, day))
        usage.sums[limit.index] = len(usage.rows), total
        return total

    def breached(self, use: Use, limit: Record, *, position: int, raised: Raised) -> None:
        """Remember a finding, so that it falls when the sum before it does."""
        self._usage[use].breaches.append(_Breach(raised=raised, limit=limit, position=position))

    def leave_out(self, use: Use, position: int) -> Iterator[Raised]:
        """Leave out an event declared wrong; yield the findings whose sum is now within its ceiling."""
        usage = self._usage.get(use)
        if usage is None:
            return
        usage.rows = [row for row in usage.rows if row[0] != position]
        usage.sums.clear()
        for breach in usage.breaches:
            limit = breach.limit
            total = sum(
                quantity
                for at, day, quantity in usage.rows
                if at <= breach.position and limit_covers(limit, day)
            )
            if breach.raised.until is None and total <= whole(limit.max_kg or 0):
                yield breach.raised


def limit_covers(limit: Record, day: str) -> bool:
    """Say whether *day* is one of those that *limit* is for."""
    return (limit.start or "") <= day and (limit.end is None or day <= limit.end)
