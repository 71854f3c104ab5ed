# SPDX-License-Identifier: Apache-2.0
"""What a template prints of a line, a place and a rung: words, and the names of colours and signs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from traceledger.core.judge.verdict.view import StepView

ICONS: Final[Mapping[str, str]] = {
    "recalled": "cross", "locked": "cross", "not-activated": "bang", "unknown": "dash", "for-sale": "dot",
    "altered": "cross", "no-data": "dash", "chain-unreachable": "question", "anchor-pending": "clock",
    "test-chain": "clock", "finding": "bang", "unchanged": "tick",
    "copy-suspected": "bang", "opened-before": "bang", "none": "dot",
}  # fmt: skip


#: Signs of an unchanged record where something else takes its green away.
WEAK_ICONS: Final[Mapping[str, str]] = {"amber": "bang", "grey": "dash"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineText:
    """A line ready to print: colour, icon, sentence, what to do, and smaller remarks below it."""

    severity: str
    icon: str
    title: str
    todo: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceText:
    """A place of the journey with the steps taken there one after another."""

    title: str
    geo: tuple[float, float] | None
    distance: str
    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RungText:
    """A rung ready to print."""

    name: str
    title: str
    result: str
    result_text: str
    sentence: str
    code: str
