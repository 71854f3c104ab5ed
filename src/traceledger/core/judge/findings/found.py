# SPDX-License-Identifier: Apache-2.0
"""
Findings as values, and the book that holds them while a log is folded.

Section 8 of the format specification.  A finding is raised at an index and stands until an error declaration
or a later amount takes its ground away; the book remembers both ends, so that one fold of a whole log can
say what stood below any index.  Which rule raises what is `rules`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

Severity = Literal["red", "amber"]
Arg = str | int | Decimal

RED: Final = (
    "mass-balance",
    "holder-negative",
    "phi",
    "code-unauthorised",
    "code-over-ceiling",
    "product-foreign",
    "index-wrong",
)
AMBER: Final = (
    "product-unowned",
    "custody-stranger",
    "receipt-differs",
    "late",
    "credential-expired",
    "unlinked",
    "branch",
    "uncreated",
    "foreign-origin",
    "seen-foreign",
    "event-id-reused",
    "declaration-mismatch",
    "epcis-invalid",
    "not-nfc",
    "stamp-step",
    "stamp-gate",
    "key-suspect",
)
SEVERITIES: Final[Mapping[str, Severity]] = {
    **dict.fromkeys(RED, "red"),
    **dict.fromkeys(AMBER, "amber"),
}
"""Every code of a finding, with its severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One finding.

    Attributes:
        code: A key of `SEVERITIES`.

        index: The entry it was raised at.  It says what stands below the next index, never less.

        subject: What it is about: goods, a roll, a code, a site, or an organisation.

        args: What a sentence about it needs, by name.

        sum: Its arithmetic in plain text, empty where there is none.
    """

    code: str
    severity: Severity
    index: int
    subject: str
    args: Mapping[str, Arg]
    sum: str


@dataclass(slots=True, kw_only=True)
class Raised:
    """
    A finding in the book.

    Attributes:
        actor: Number of the organisation whose entry raised it.

        strange: Whether that organisation was a stranger to the subject; see `gates`.

        until: Index of the entry that took its ground away, or None while it stands.
    """

    finding: Finding
    actor: int
    strange: bool
    until: int | None = None

    def stood(self, below: int) -> bool:
        """Say whether it stood after the entries below index *below*."""
        return self.finding.index < below and (self.until is None or self.until >= below)


class Book:
    """All findings raised, by subject and by the events they rest on."""

    def __init__(self) -> None:
        self._all: list[Raised] = []
        self._by_subject: dict[str, list[Raised]] = {}
        self._resting: dict[int, list[Raised]] = {}

    def add(
        self,
        code: str,
        *,
        index: int,
        subject: str,
        actor: int,
        args: Mapping[str, Arg],
        words: str = "",
        strange: bool = False,
        rests: tuple[int, ...] = (),
    ) -> Raised:
        """
        Raise a finding.

        Args:
            words: Its arithmetic.

            rests: Positions of the events whose claims it rests on; it falls with any of them.
        """
        finding = Finding(
            code=code, severity=SEVERITIES[code], index=index, subject=subject, args=args, sum=words
        )
        raised = Raised(finding=finding, actor=actor, strange=strange)
        self._all.append(raised)
        self._by_subject.setdefault(subject, []).append(raised)
        for position in rests:
            self._resting.setdefault(position, []).append(raised)
        return raised

    def fall(self, position: int, index: int) -> None:
        """Let all that rests on the event at *position*, declared wrong at *index*, fall."""
        for raised in self._resting.pop(position, ()):
            if raised.until is None:
                raised.until = index

    def standing(self) -> Iterator[Finding]:
        """Findings that stand now, in the order they were raised."""
        return (raised.finding for raised in self._all if raised.until is None)

    def about(self, subject: str) -> list[Raised]:
        """Everything ever raised about *subject*."""
        return self._by_subject.get(subject, [])
