# SPDX-License-Identifier: Apache-2.0
"""
Fits a text into its share of a stamp: wrapped at spaces, then shrunk, and cut with an ellipsis as a last resort.

Numbers and domains are *exact*: ASCII that a reader compares letter by letter, so one that does not fit is
refused instead of cut.  Nothing here draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from traceledger.errors import InputError
from traceledger.printing.fonts import INK, INK_ASCII, Weight, face

PT_MM = 25.4 / 72  # millimetres in a point
MIN_PT = 5.0  # nothing smaller is legible on a label printer
PITCH = 1.22  # baseline to baseline, in em
_STEP_PT = 0.25
_ELLIPSIS = "…"


def ascent_mm(size_pt: float, *, exact: bool = False) -> float:
    """Return how far ink of that size reaches above its baseline."""
    return (INK_ASCII if exact else INK)[0] * size_pt * PT_MM


def descent_mm(size_pt: float) -> float:
    """Return how far ink of that size reaches below its baseline."""
    return INK[1] * size_pt * PT_MM


def pitch_mm(size_pt: float) -> float:
    """Return the distance between baselines of that size."""
    return PITCH * size_pt * PT_MM


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Lines of a text and the size they are set in."""

    size_pt: float
    lines: tuple[str, ...]


@lru_cache(maxsize=4096)
def fit(text: str, *, weight: Weight, size_pt: float, width_mm: float, max_lines: int, exact: bool) -> Fitted:
    """
    Set *text*, already normalised, at most *width_mm* wide in the height of *max_lines* lines of *size_pt*.

    Args:
        text: What to set; may be empty.

        weight: Which face.

        size_pt: Largest size.

        width_mm: Width at hand.

        max_lines: Lines at the largest size; a smaller size gets as many as the same height holds, unless *exact*.

        exact: ASCII that is refused instead of cut; it may break only behind a dot.

    Raises:
        InputError: If an *exact* text does not fit at 5 pt, or the font lacks a character.
    """
    size = size_pt
    while True:
        em = width_mm / (size * PT_MM)
        room = max_lines if exact else int(max_lines * size_pt / size + 1e-9)
        lines = _wrap(text, weight=weight, em=em, exact=exact)
        if lines is not None and len(lines) <= room:
            return Fitted(size_pt=size, lines=_balanced(lines, text, weight=weight, em=em, exact=exact))
        if size <= MIN_PT:
            break
        size = max(MIN_PT, size - _STEP_PT)
    if exact:
        raise InputError(
            f"expected {text!r} to fit {width_mm:g} mm in {room} line(s) at {MIN_PT:g} pt; take a larger template",
            code="label",
        )
    return Fitted(size_pt=MIN_PT, lines=tuple(_cut(text, weight=weight, em=em, room=room)))


def _wrap(text: str, *, weight: Weight, em: float, exact: bool) -> list[str] | None:
    """Return the lines of *text* at most *em* wide, or None where a single piece is wider."""
    measure = face(weight).width_em
    if measure(text) <= em:
        return [text] if text else []
    lines = [""]
    for piece, gap in _pieces(text, exact=exact):
        joined = lines[-1] + gap + piece if lines[-1] else piece
        if measure(joined) <= em:
            lines[-1] = joined
        elif measure(piece) <= em:
            lines.append(piece)
        else:
            return None
    return [line for line in lines if line]


def _pieces(text: str, *, exact: bool) -> Iterator[tuple[str, str]]:
    """Yield what may stand on one line, each with the gap before it."""
    if not exact:
        yield from ((word, " ") for word in text.split(" "))
    elif " " in text:
        yield text, ""
    else:
        *heads, last = text.split(".")
        yield from ((head + ".", "") for head in heads)
        yield last, ""


def _balanced(lines: list[str], text: str, *, weight: Weight, em: float, exact: bool) -> tuple[str, ...]:
    """Return as many lines of nearly equal length: the narrowest column that takes no more of them."""
    low, high = 0.0, em
    for _ in range(12 if len(lines) > 1 else 0):
        middle = (low + high) / 2
        narrower = _wrap(text, weight=weight, em=middle, exact=exact)
        if narrower is not None and len(narrower) == len(lines):
            lines, high = narrower, middle
        else:
            low = middle
    return tuple(lines)


def _cut(text: str, *, weight: Weight, em: float, room: int) -> list[str]:
    """Fill *room* lines and end the last with an ellipsis; only a word wider than half a line is broken."""
    measure = face(weight).width_em
    lines: list[str] = []
    rest = text
    while rest and len(lines) < room:
        if measure(rest) <= em:
            return [*lines, rest]
        last = len(lines) == room - 1
        tail = _ELLIPSIS if last else ""
        end = len(rest)
        while end > 1 and measure(rest[:end].rstrip() + tail) > em:
            end -= 1
        space = rest.rfind(" ", 1, end + 1)
        if space > 0 and (not last or space >= end // 2):
            end = space
        lines.append(rest[:end].rstrip() + tail)
        rest = rest[end:].lstrip()
    return lines
