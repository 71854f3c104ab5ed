# SPDX-License-Identifier: Apache-2.0
"""
Columns: the small tables in which a fold over a million entries fits in memory.

Plain arrays of numbers in place of objects: names, digests and rows get a number in order of first
appearance, and everything else refers to that number.
"""

from array import array
from collections.abc import Iterator


class Names:
    """Texts, each with the number of its first appearance."""

    __slots__ = ("numbers", "texts")

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.texts: list[str] = []

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, number: int) -> str:
        return self.texts[number]

    def number(self, text: str) -> int:
        """Return the number of *text*, a new one if it has none."""
        found = self.numbers.get(text)
        if found is None:
            found = len(self.texts)
            self.numbers[text] = found
            self.texts.append(text)
        return found

    def find(self, text: str) -> int | None:
        """Return the number of *text*, or None."""
        return self.numbers.get(text)


class Digests:
    """
    Rows of *width* bytes that begin with a digest of *key* bytes, found by it: open addressing over 32-bit slots.

    Takes width + 8 to 16 bytes a row, a tenth of a dictionary.
    """

    __slots__ = ("_count", "_data", "_found", "_key", "_slots", "_width")

    def __init__(self, *, width: int, key: int) -> None:
        self._width = width
        self._key = key
        self._data = bytearray()
        self._slots = array("I", bytes(4 * 64))
        self._found = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> bytes:
        return bytes(self._data[row * self._width : (row + 1) * self._width])

    def find(self, digest: bytes) -> int | None:
        """Return the first row that begins with *digest*, or None."""
        row = self._slots[self._slot(digest)]
        return row - 1 if row else None

    def add(self, row: bytes) -> int | None:
        """Append *row*; return the row found by the same digest before it, or None."""
        slot = self._slot(row[: self._key])
        before = self._slots[slot]
        self.skip(row)
        if before:
            return before - 1
        self._slots[slot] = self._count
        self._found += 1
        if self._found * 2 > len(self._slots):
            self._grow()
        return None

    def skip(self, row: bytes) -> None:
        """Append *row* without making it findable."""
        self._data += row
        self._count += 1

    def _slot(self, digest: bytes) -> int:
        slots, data, width = self._slots, self._data, self._width
        mask = len(slots) - 1
        slot = int.from_bytes(digest[:8], "little") & mask
        while row := slots[slot]:
            start = (row - 1) * width
            if data[start : start + len(digest)] == digest:
                break
            slot = slot + 1 & mask
        return slot

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("I", bytes(4 * 2 * len(old)))
        for row in old:
            if row:
                start = (row - 1) * self._width
                self._slots[self._slot(bytes(self._data[start : start + self._key]))] = row


class Threads:
    """Rows threaded by a key: each row knows the row before it under the same key."""

    __slots__ = ("_newest", "_older")

    def __init__(self) -> None:
        self._newest = array("I")
        self._older = array("I")

    def __len__(self) -> int:
        return len(self._older)

    def add(self, key: int) -> int:
        """Append a row under *key*; return its number."""
        if key >= len(self._newest):
            self._newest.extend([0] * (key + 1 - len(self._newest)))
        self._older.append(self._newest[key])
        self._newest[key] = len(self._older)
        return len(self._older) - 1

    def newest_first(self, key: int) -> Iterator[int]:
        """Rows under *key*, from the newest."""
        row = self._newest[key] if key < len(self._newest) else 0
        while row:
            yield row - 1
            row = self._older[row - 1]

    def oldest_first(self, key: int) -> list[int]:
        """Rows under *key*, from the oldest."""
        return [*self.newest_first(key)][::-1]
