# SPDX-License-Identifier: Apache-2.0
"""
The words of the pages: `words.toml`, both languages side by side, and nothing else.

A key that lacks a language, or whose sentences do not fill the same places, is refused when the file is read,
so a page can never show half a translation.  Which language a visitor gets is decided in `locale`.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any, Final

from traceledger.errors import InputError

LANGUAGES: Final = ("vi", "en")


class Words:
    """
    The sentences of one language.

    Args:
        lang: ``vi`` or ``en``.

        table: Sentences by dotted key, each a mapping from language to text.
    """

    def __init__(self, lang: str, table: Mapping[str, Mapping[str, str]]) -> None:
        self.lang = lang
        self._table = table

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def __call__(self, key: str, **places: Any) -> str:
        """
        The sentence at *key* with its *places* filled.

        Raises:
            KeyError: no such key, or a place is not filled: both are mistakes of ours, never of a visitor.
        """
        return self._table[key][self.lang].format(**places)


def parse_words(source: str) -> dict[str, dict[str, str]]:
    """
    Read a table of words.

    Raises:
        InputError: code ``words``; a key lacks a language, has a foreign one, is empty, or the places differ.
    """
    table: dict[str, dict[str, str]] = {}
    for section, entries in tomllib.loads(source).items():
        for name, texts in entries.items():
            key = f"{section}.{name}"
            if not isinstance(texts, dict) or set(texts) != set(LANGUAGES):
                raise InputError(f"expected {' and '.join(LANGUAGES)} at {key}", code="words", where=key)
            if not all(isinstance(text, str) and text.strip() for text in texts.values()):
                raise InputError(f"expected a sentence in each language at {key}", code="words", where=key)
            if len({places(text) for text in texts.values()}) != 1:
                raise InputError(
                    f"expected the same places in both languages at {key}", code="words", where=key
                )
            table[key] = texts
    return table


def places(text: str) -> frozenset[str]:
    """The names in curly brackets of *text*."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


@cache
def load_words(lang: str) -> Words:
    """The words of *lang*, read once."""
    return Words(lang, _table())


@cache
def _table() -> dict[str, dict[str, str]]:
    return parse_words(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
