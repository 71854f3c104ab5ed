# SPDX-License-Identifier: Apache-2.0
"""
What a fold remembers of the valid entries behind it: ids, subjects, who followed whom, and the log's roots.

For the rules about the log itself: ``prev`` (section 3 of the format specification), ``seen``, and index
records (section 4).  Takes about 150 bytes an entry, 32 of them for the root at every size, whatever the
entries' own length; goods and their amounts are `balance`.
"""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence

from traceledger.core.judge.bundle import row_data
from traceledger.core.judge.findings.columns import Digests, Names
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_of


class Past:
    """
    Valid entries of actor keys, each at the *position* of its order; log indexes may have gaps.

    Each subject an entry touches is one *touch*, numbered in order.

    Attributes:
        subjects, orgs: Numbers of the texts met so far.

        whole: Whether every entry from index 0 has been given.
    """

    def __init__(self) -> None:
        self.subjects = Names()
        self.orgs = Names()
        self.index = array("Q")
        self.actor = array("I")
        self.whole = True
        self._ids = Digests(width=32, key=32)
        self._starts = array("Q", [0])
        self._touched = array("I")
        self._follower = array("I")
        self._counts = array("I")
        self._lasts = array("Q")
        self._tree = Frontier()
        self._roots = bytearray(EMPTY_ROOT)
        self._sorted: list[str] = []
        self._leaves: list[bytes | None] = []

    # --- the log

    def grow(self, index: int, entry: Entry) -> None:
        """Take the entry at *index*, void or not, into the tree; after a gap there are no roots."""
        self.whole = self.is_whole(index)
        if self.whole:
            self._tree.append(entry.leaf)
            self._roots += self._tree.root()

    def is_whole(self, size: int) -> bool:
        """Say whether the entries given are those below *size*."""
        return self.whole and self._tree.size == size

    def root(self, size: int) -> bytes:
        """Return the root of the first *size* entries; only of a whole log, up to its size."""
        return bytes(self._roots[32 * size : 32 * size + 32])

    def index_root(self) -> bytes:
        """Return the root of an index record over the entries so far."""
        if len(self._sorted) < len(self.subjects):
            self._sorted += self.subjects.texts[len(self._sorted) :]
            self._sorted.sort()  # by code point, which is the order of UTF-8 bytes
            self._leaves += [None] * (len(self._sorted) - len(self._leaves))
        return root_of([self._row_leaf(subject) for subject in self._sorted])

    def _row_leaf(self, subject: str) -> bytes:
        number = self.subjects.numbers[subject]
        leaf = self._leaves[number]
        if leaf is None:
            leaf = leaf_hash(row_data(subject, self._counts[number], self._lasts[number]))
            self._leaves[number] = leaf
        return leaf

    # --- entries

    def position(self, ref: str) -> int | None:
        """Return the position of the valid entry with statement id *ref* (hex), or None."""
        return self._ids.find(bytes.fromhex(ref))

    def touched(self, position: int) -> Sequence[int]:
        """Numbers of the subjects touched by the entry at *position*."""
        return self._touched[self._starts[position] : self._starts[position + 1]]

    def count(self, subject: int) -> int:
        """How many entries so far touch *subject*."""
        return self._counts[subject] if subject < len(self._counts) else 0

    def tips(self, named: Sequence[int], subjects: Collection[int]) -> dict[int, int]:
        """Return for each of *subjects* the touch of the newest of the *named* positions that touches it."""
        found: dict[int, int] = {}
        for position in sorted(named):
            for touch in range(self._starts[position], self._starts[position + 1]):
                if self._touched[touch] in subjects:
                    found[self._touched[touch]] = touch
        return found

    def toucher(self, touch: int) -> int:
        """Return the position of the entry that *touch* is of."""
        return bisect_right(self._starts, touch) - 1

    def follower(self, touch: int) -> int | None:
        """Return the position of the first entry that followed *touch* as its subject's newest, or None."""
        return self._follower[touch] - 1 if self._follower[touch] else None

    def add(
        self, index: int, ref: str, *, actor: int, subjects: Iterable[int], followed: Iterable[int]
    ) -> None:
        """
        Remember a valid entry with statement id *ref* (hex).

        Args:
            followed: Touches that it follows.
        """
        position = len(self.index)
        self._ids.add(bytes.fromhex(ref))
        self.index.append(index)
        self.actor.append(actor)
        for subject in subjects:
            self._touched.append(subject)
            self._follower.append(0)
            if subject >= len(self._counts):
                missing = [0] * (subject + 1 - len(self._counts))
                self._counts.extend(missing)
                self._lasts.extend(missing)
            self._counts[subject] += 1
            self._lasts[subject] = index
            if subject < len(self._leaves):
                self._leaves[subject] = None
        self._starts.append(len(self._touched))
        for touch in followed:
            if not self._follower[touch]:
                self._follower[touch] = position + 1
