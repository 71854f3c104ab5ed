# SPDX-License-Identifier: Apache-2.0
"""
Gates: whether a lot may be activated on stamps, by the findings below an index.

Section 8 of the format specification: the lot, its roll or an upstream subject has a red finding, or a recall of
it or its product is open.  What a stranger's event raises on a lot does not gate that lot, or anybody could stop
anybody's goods; it gates what the stranger made of it.
"""

from traceledger.core.claims.records import roll_uri
from traceledger.core.judge.findings.found import Book
from traceledger.core.judge.findings.goods import Goods
from traceledger.core.judge.findings.past import Past
from traceledger.core.judge.findings.standing import Standing


class Gates:
    """The gate of every lot, at every index folded so far."""

    def __init__(self, past: Past, book: Book, goods: Goods, standing: Standing) -> None:
        self._past = past
        self._book = book
        self._goods = goods
        self._standing = standing
        self._rolls: dict[int, str] = {}

    def activation(self, index: int, roll: str) -> None:
        """Remember that the entry at *index* activates stamps of *roll*."""
        self._rolls[index] = roll

    def gated(self, lot: str, below: int, *, roll: str | None = None) -> bool:
        """
        Say whether *lot* is gated by the entries below *below*.

        Args:
            roll: Roll to be activated; that of the activation at index *below* where one was folded.
        """
        roll = roll or self._rolls.get(below)
        if self._standing.recalled(lot, below):
            return True
        if roll is not None and self._is_red(roll_uri(roll), below, None):
            return True
        return self._is_red(lot, below, None) or self._upstream_is_red(lot, below)

    def _upstream_is_red(self, lot: str, below: int) -> bool:
        start = self._past.subjects.find(lot)
        if start is None:
            return False
        met: set[tuple[int, int]] = set()
        walked = {start}
        pending = [start]
        while pending:
            made = pending.pop()
            for source, event, actor in self._goods.sources(made):
                if self._past.index[event] < below and (source, actor) not in met:
                    met.add((source, actor))
                    if self._is_red(self._past.subjects[source], below, actor):
                        return True
                    if source not in walked:
                        walked.add(source)
                        pending.append(source)
        return False

    def _is_red(self, subject: str, below: int, user: int | None) -> bool:
        """Whether *subject* gates itself, or what the organisation *user* made of it."""
        return any(
            raised.finding.severity == "red"
            and raised.stood(below)
            and (not raised.strange or raised.actor == user)
            for raised in self._book.about(subject)
        )
