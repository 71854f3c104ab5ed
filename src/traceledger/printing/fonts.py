# SPDX-License-Identifier: Apache-2.0
"""
The typeface of every stamp: Be Vietnam Pro, read once and measured exactly.

One *Face* answers how wide a text is, which glyphs draw it, how they look as a path, and hands out a subset
for embedding, so that PDF, PNG and SVG agree to a hundredth of a millimetre.  Where lines break and how large
they are set is left to `text`.
"""

import hashlib
import io
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Literal

from fontTools import subset
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

from traceledger.errors import InputError, NotFoundError

Weight = Literal["regular", "medium", "semibold", "bold"]

_FILES: dict[Weight, str] = {
    "regular": "BeVietnamPro-Regular",
    "medium": "BeVietnamPro-Medium",
    "semibold": "BeVietnamPro-SemiBold",
    "bold": "BeVietnamPro-Bold",
}
WEIGHTS: tuple[Weight, ...] = tuple(_FILES)

# How far ink reaches above and below the baseline, in em, over all four weights: over every letter the typeface
# has ("Ẳ" upwards, "ç" downwards), and over what numbers and domains are made of.  No ink leaves a box built on these.
INK = (1.23, 0.27)
INK_ASCII = (0.80, 0.25)


class Face:
    """One weight of the typeface."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data
        self._font = TTFont(io.BytesIO(data), recalcTimestamp=False)
        self._units: int = self._font["head"].unitsPerEm
        order = {glyph: gid for gid, glyph in enumerate(self._font.getGlyphOrder())}
        names: dict[int, str] = self._font.getBestCmap()
        self._gids = {chr(code): order[glyph] for code, glyph in names.items()}
        self._advances = {char: self._font["hmtx"][names[ord(char)]][0] for char in self._gids}
        self._chars = {gid: char for char, gid in reversed(self._gids.items())}

    def width_em(self, text: str) -> float:
        """
        Return the width of *text* in em, without kerning.

        Raises:
            InputError: If the typeface lacks one of its characters.
        """
        try:
            return float(sum(self._advances[char] for char in text)) / self._units
        except KeyError as error:
            char = str(error.args[0])
            raise InputError(
                f"cannot print U+{ord(char):04X} in {text[:40]!r}: the stamp font has Latin and Vietnamese letters; "
                "write the name in these",
                code="label",
            ) from None

    def gids(self, text: str) -> list[int]:
        """Return the glyph numbers that draw *text*, measured before by `width_em`."""
        return [self._gids[char] for char in text]

    def char(self, gid: int) -> str:
        """Return a character that glyph number *gid* draws."""
        return self._chars[gid]

    def advance_1000(self, gid: int) -> int:
        """Return the advance of glyph number *gid* in thousandths of an em, the unit of PDF width arrays."""
        return int(self._advances[self._chars[gid]] * 1000 / self._units + 0.5)

    def outline(self, text: str, *, x: float, baseline: float, em: float) -> str:
        """Return *text* as SVG path data, starting at *x* on *baseline*, *em* drawing units to the em, y downwards."""
        glyphs = self._font.getGlyphSet()
        pen = SVGPathPen(glyphs, ntos=lambda value: f"{value:.3f}".rstrip("0").rstrip("."))
        scale = em / self._units
        for char in text:
            glyphs[self._font.getGlyphName(self._gids[char])].draw(
                TransformPen(pen, (scale, 0, 0, -scale, x, baseline))
            )
            x += self._advances[char] * scale
        return str(pen.getCommands())

    def subset(self, gids: Iterable[int]) -> tuple[str, bytes]:
        """
        Return a PostScript name with subset tag and a TrueType file with only *gids*, glyph numbers unchanged.

        Equal sets give equal bytes, whatever came before.
        """
        wanted = sorted(gids)
        options = subset.Options(
            retain_gids=True,
            hinting=False,
            layout_features=[],
            name_IDs=[],
            glyph_names=False,
            notdef_outline=True,
        )
        font = TTFont(io.BytesIO(self.data), recalcTimestamp=False)
        worker = subset.Subsetter(options)
        worker.populate(gids=wanted)
        worker.subset(font)
        out = io.BytesIO()
        font.save(out)
        digest = hashlib.sha256(repr(wanted).encode()).digest()
        tag = "".join(chr(ord("A") + byte % 26) for byte in digest[:6])
        return f"{tag}+{self.name}", out.getvalue()


@cache
def face(weight: Weight) -> Face:
    """
    Return the face of *weight*, read at first use.

    Raises:
        NotFoundError: If the fonts were not fetched into this installation.
    """
    name = _FILES[weight]
    file = resources.files("traceledger.printing") / "fonts" / f"{name}.ttf"
    if not file.is_file():
        raise NotFoundError(
            f"expected the stamp font {name}.ttf in the installed package; run `make setup`", code="font"
        )
    return Face(name, file.read_bytes())
