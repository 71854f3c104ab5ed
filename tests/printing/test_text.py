# SPDX-License-Identifier: Apache-2.0
"""Fitting of texts: wrap, shrink, cut; and what the typeface says of itself."""

import io
import unicodedata

import pytest
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from traceledger.errors import InputError
from traceledger.printing.fonts import INK, INK_ASCII, WEIGHTS, Weight, face
from traceledger.printing.label import normalise
from traceledger.printing.text import MIN_PT, PT_MM, Fitted, fit

VOWELS = "aăâeêioôơuưy"
CONSONANTS = "bcdđghklmnpqrstvx"
TONES = ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")


def set_in(
    text: str, *, width_mm: float = 16, size_pt: float = 7, max_lines: int = 2, exact: bool = False
) -> Fitted:
    return fit(text, weight="bold", size_pt=size_pt, width_mm=width_mm, max_lines=max_lines, exact=exact)


class TestFit:
    def test_short_text_keeps_its_size(self) -> None:
        """A text that fits is one line at the size asked for."""
        assert set_in("Xoài") == Fitted(size_pt=7, lines=("Xoài",))

    def test_lines_are_balanced(self) -> None:
        """A wrapped text breaks into lines of nearly equal length, not into one full and one short."""
        assert set_in("Mỹ Xương, Đồng Tháp", size_pt=5, width_mm=16.4).lines == ("Mỹ Xương,", "Đồng Tháp")

    def test_long_text_shrinks_before_it_is_cut(self) -> None:
        """A text too long at full size is set smaller, with more lines in the same height, and loses nothing."""
        text = "Xoài cát Hòa Lộc sấy dẻo không đường"
        fitted = set_in(text, width_mm=22)
        assert MIN_PT <= fitted.size_pt < 7
        assert " ".join(fitted.lines) == text

    def test_too_long_text_ends_in_an_ellipsis(self) -> None:
        """What does not fit at 5 pt is cut at the end, visibly."""
        text = "Liên hiệp Hợp tác xã Nông nghiệp Dịch vụ Thương mại Sản xuất Xoài Bến Mẫu"
        fitted = set_in(text)
        assert fitted.size_pt == MIN_PT
        assert fitted.lines[-1].endswith("…")
        assert text.startswith(" ".join(fitted.lines).removesuffix("…"))

    def test_cut_falls_between_words(self) -> None:
        """The ellipsis follows a whole word: half a Vietnamese word is another word."""
        text = "Xoài cát Hòa Lộc sấy dẻo không đường đóng gói hút chân không"
        for width_mm in range(14, 30):
            kept = " ".join(set_in(text, width_mm=width_mm).lines)
            assert kept == text or kept.removesuffix("…") + " " in text

    def test_word_wider_than_the_line_is_broken(self) -> None:
        """One endless word fills its lines and is cut; it never runs over the edge."""
        fitted = set_in("W" * 60)
        assert len(fitted.lines) == 2
        assert fitted.lines[-1].endswith("…")

    def test_exact_text_is_never_cut(self) -> None:
        """A domain that does not fit is refused: half an address is a wrong address."""
        with pytest.raises(InputError, match="larger template"):
            set_in("truyxuatnguongoc.dongthap.example", max_lines=1, exact=True)

    def test_exact_text_breaks_behind_a_dot(self) -> None:
        """A long domain may stand on two lines, the dot telling that it goes on."""
        fitted = set_in("truyxuat.dongthap.example", size_pt=5, width_mm=20, exact=True)
        assert fitted.lines == ("truyxuat.", "dongthap.example")

    @given(
        st.text(alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyẴỄỘỰ W.-", max_size=120).map(normalise),
        st.floats(8, 40),
        st.floats(5, 12),
        st.integers(1, 4),
    )
    def test_no_line_is_wider_than_its_box(
        self, text: str, width_mm: float, size_pt: float, max_lines: int
    ) -> None:
        """Whatever the text, lines stay within width and height, and only an ellipsis loses letters."""
        fitted = set_in(text, width_mm=width_mm, size_pt=size_pt, max_lines=max_lines)
        for line in fitted.lines:
            assert face("bold").width_em(line) * fitted.size_pt * PT_MM <= width_mm + 1e-6 or len(line) <= 2
        assert len(fitted.lines) * fitted.size_pt <= max_lines * size_pt + 1e-6
        if not fitted.lines or not fitted.lines[-1].endswith("…"):
            assert "".join(fitted.lines).replace(" ", "") == text.replace(" ", "")


class TestFace:
    def test_has_all_vietnamese_letters(self) -> None:
        """Every letter of the alphabet in every tone, both cases, and the đồng sign can be printed."""
        toned = unicodedata.normalize("NFC", "".join(vowel + tone for vowel in VOWELS for tone in TONES))
        assert len(toned) == 72
        text = toned + CONSONANTS + "₫"
        for weight in WEIGHTS:
            assert face(weight).width_em(text + text.upper()) > 0

    @pytest.mark.parametrize("weight", WEIGHTS)
    def test_ink_stays_within_the_stated_reach(self, weight: Weight) -> None:
        """No glyph reaches above or below what boxes are built on, and no letter of a domain more than stated."""
        font = TTFont(io.BytesIO(face(weight).data))
        glyphs, units = font.getGlyphSet(), font["head"].unitsPerEm
        ascii_letters = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._: ")
        for code, name in font.getBestCmap().items():
            pen = BoundsPen(glyphs)
            glyphs[name].draw(pen)
            above, below = INK_ASCII if chr(code) in ascii_letters else INK
            if pen.bounds is not None:
                assert -below * units <= pen.bounds[1]
                assert pen.bounds[3] <= above * units

    def test_unknown_character_is_refused_by_name(self) -> None:
        """A character the typeface lacks is refused, not printed as an empty box."""
        with pytest.raises(InputError, match=r"U\+6930"):
            face("bold").width_em("Xoài 椰")

    def test_subset_does_not_depend_on_order(self) -> None:
        """The same glyphs give the same font file, however they were collected."""
        gids = face("bold").gids("Xoài cát chu")
        assert face("bold").subset(gids) == face("bold").subset(reversed(gids))
