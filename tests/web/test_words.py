# SPDX-License-Identifier: Apache-2.0
"""The table of words, and dates and numbers in both languages."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from traceledger.core.judge.verdict.view import Amount
from traceledger.core.log.entry import Entry
from traceledger.core.reasons import REASONS
from traceledger.errors import InputError
from traceledger.web import formats
from traceledger.web.present import Page
from traceledger.web.words import LANGUAGES, load_words, parse_words
from web import scenes as shown

GOOD = '[a]\nb = { vi = "số {n}", en = "number {n}" }\n'


def table(root: Path) -> dict[str, dict[str, str]]:
    """The real table."""
    return parse_words((root / "src/traceledger/web/words.toml").read_text(encoding="utf-8"))


class TestTable:
    def test_takes_both_languages(self) -> None:
        """A key with both languages and the same places is read."""
        assert parse_words(GOOD) == {"a.b": {"vi": "số {n}", "en": "number {n}"}}

    @pytest.mark.parametrize(
        "bad",
        [
            GOOD.replace(', en = "number {n}"', ""),
            GOOD.replace('"số {n}"', '" "'),
            GOOD.replace("số {n}", "số {m}"),
            GOOD.replace("en =", "fr ="),
            GOOD.replace('{ vi = "số {n}", en = "number {n}" }', '"số"'),
        ],
        ids=["language-missing", "empty", "places-differ", "foreign-language", "no-table"],
    )
    def test_refuses_half_translations(self, bad: str) -> None:
        """A key that lacks a language, or fills other places in one, is refused and named."""
        with pytest.raises(InputError) as caught:
            parse_words(bad)
        assert caught.value.code == "words"
        assert caught.value.where == "a.b"

    def test_every_key_speaks_both_languages(self, root: Path) -> None:
        """The table that ships is whole."""
        assert all(set(texts) == set(LANGUAGES) for texts in table(root).values())

    def test_every_key_used_in_pages_exists(self, root: Path) -> None:
        """Every literal key of templates and code stands in the table."""
        known = table(root)
        sources = [
            *(root / "src/traceledger/web").rglob("*.html"),
            *(root / "src/traceledger/web").glob("*.py"),
        ]
        used = {
            key
            for path in sources
            for key in re.findall(
                r'\bw(?:ords)?\("([a-z_]+\.[A-Za-z0-9_-]+)"', path.read_text(encoding="utf-8")
            )
        }
        assert len(used) > 60
        assert used <= known.keys()

    def test_no_word_claims_too_much(self, root: Path) -> None:
        """Nothing on a page calls goods genuine, compliant or up to a standard."""
        said = " ".join(text for texts in table(root).values() for text in texts.values()).lower()
        for word in (
            "hàng thật",
            "chính hãng",
            "đạt chuẩn",
            "genuine",
            "authentic",
            "compliant",
            "guarantee",
            "bảo đảm",
        ):
            assert word not in said

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_every_scene_has_its_sentences(self, lang: str) -> None:
        """Every state of a scan can be said in both languages, without a place left open."""
        for name, view in shown.scenes().items():
            page = Page(view, load_words(lang))
            for line in (page.goods(), page.record(), page.label()):
                said = " ".join((line.title, line.todo, *line.notes))
                assert line.title, name
                assert "{" not in said, name

    def test_reasons_are_told_in_both_languages(self) -> None:
        """A reason code is a sentence on the page, an unknown one is itself."""
        view = shown.scenes()["unchanged"]
        for code, (_, english, vietnamese) in REASONS.items():
            assert Page(view, load_words("vi")).reason(code) == vietnamese
            assert Page(view, load_words("en")).reason(code) == english
        assert Page(view, load_words("en")).reason("never-heard") == "never-heard"


class TestFormats:
    @pytest.mark.parametrize(("lang", "said"), [("vi", "22/11/2026"), ("en", "22 Nov 2026")])
    def test_date(self, lang: str, said: str) -> None:
        """A day is written as its readers write it."""
        assert formats.format_date("2026-11-22", lang) == said

    @pytest.mark.parametrize(
        ("lang", "said"), [("vi", "22/11/2026 06:30"), ("en", "22 Nov 2026 06:30 (UTC+7)")]
    )
    def test_moment(self, lang: str, said: str) -> None:
        """A moment is told in Vietnamese time, and abroad with its offset."""
        assert formats.format_moment(1795303800, lang) == said

    def test_short_form_drops_this_year_only(self) -> None:
        """The year is left out only where it is the reader's own."""
        assert formats.format_short(1795303800, "vi", now=1795400000) == "22/11 06:30"
        assert formats.format_short(1795303800, "vi", now=1830000000) == "22/11/2026 06:30"

    @pytest.mark.parametrize(
        ("time", "offset", "lang", "said"),
        [
            ("2026-11-12T06:30:00+07:00", "+07:00", "vi", "12/11/2026 06:30"),
            ("2026-11-12T06:30:00Z", "+07:00", "vi", "12/11/2026 13:30"),
            ("2026-11-12T06:30:00.000Z", "+09:00", "vi", "12/11/2026 15:30 (UTC+9)"),
            ("2026-11-12T06:30:00Z", "-03:30", "en", "12 Nov 2026 03:00 (UTC−3:30)"),
            ("2026-11-12T06:30:00Z", "+00:00", "en", "12 Nov 2026 06:30 (UTC)"),
            ("yesterday", "+07:00", "vi", "yesterday"),
            ("2026-11-12T06:30:00Z", "x", "vi", "2026-11-12T06:30:00Z"),
        ],
    )
    def test_event_time(self, time: str, offset: str, lang: str, said: str) -> None:
        """An event keeps its own offset, named where it is not the reader's; the unreadable stays as written."""
        assert formats.format_event_time(time, offset, lang) == said

    @pytest.mark.parametrize(
        ("value", "vi", "en"),
        [
            ("1250.5", "1.250,5", "1,250.5"),
            ("1000000", "1.000.000", "1,000,000"),
            ("0.10", "0,1", "0.1"),
            ("1E+3", "1.000", "1,000"),
        ],
    )
    def test_number(self, value: str, vi: str, en: str) -> None:
        """Separators follow the language and no digit is lost."""
        assert formats.format_number(Decimal(value), "vi") == vi
        assert formats.format_number(Decimal(value), "en") == en

    def test_amounts(self) -> None:
        """Known units have a word, unknown ones show their code, pieces are pieces."""
        amounts = (
            Amount(value=Decimal("1250.5"), uom="KGM"),
            Amount(value=Decimal(3), uom="XQ"),
            Amount(value=Decimal(2)),
        )
        assert formats.format_amounts(amounts, load_words("vi")) == "1.250,5 kg, 3 XQ, 2 đơn vị"
        assert formats.format_amounts(amounts, load_words("en")) == "1,250.5 kg, 3 XQ, 2 pcs"


def test_scenes_are_real() -> None:
    """The scenes come from entries that parse byte for byte, not from made-up views."""
    step = shown.scenes()["unchanged"].steps[0]
    told = shown.mango(shown.registered())
    assert Entry.parse(told.entries[step.index].raw).id == step.id
