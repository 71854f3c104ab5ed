# SPDX-License-Identifier: Apache-2.0
"""
The entry under judgement: what the rules of section 8 of the format specification ask of it, read once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from traceledger.core.claims import epcis
from traceledger.core.claims.records import code_uri
from traceledger.core.judge.found import Arg, Book, Raised
from traceledger.core.judge.standing import Day
from traceledger.core.log.entry import Entry


@dataclass(kw_only=True)
class At:
    """
    A valid entry of an actor key, at *index* of the log and *position* among such entries.

    Attributes:
        book: Where its findings go.

        actor: Number of the organisation it speaks for.

        subjects, numbers: What it touches, sorted, and the numbers of that.

        named: Positions of the entries of this log that it names in ``prev``.

        declares: Whether it is an error declaration.
    """

    book: Book
    index: int
    position: int
    entry: Entry
    actor: int
    subjects: tuple[str, ...]
    numbers: list[int]
    named: list[int]
    declares: bool

    def finding(self, code: str, subject: str | None = None, words: str = "", **args: Arg) -> Raised:
        """Raise a finding about how the entry stands in the log; it never falls."""
        return self.book.add(
            code, index=self.index, subject=subject or self.first, actor=self.actor, args=args, words=words
        )

    def claim(
        self,
        code: str,
        subject: str,
        args: Mapping[str, Arg],
        words: str = "",
        *,
        strange: bool = False,
        rests: tuple[int, ...] = (),
    ) -> Raised:
        """Raise a finding about what the entry claims; it falls with the entry and with what it *rests* on."""
        return self.book.add(
            code,
            index=self.index,
            subject=subject,
            actor=self.actor,
            args=args,
            words=words,
            strange=strange,
            rests=(self.position, *rests),
        )

    @property
    def first(self) -> str:
        """What a finding about the entry as a whole is about."""
        return self.subjects[0] if self.subjects else self.site or self.entry.actor

    @cached_property
    def site(self) -> str | None:
        """Where an event happened."""
        return epcis.site_of(self.entry.statement) if self.entry.family == "event" else None

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """URIs of the codes an event claims, each once."""
        return tuple(dict.fromkeys(map(code_uri, self.entry.member("codes") or ())))

    @cached_property
    def moment(self) -> datetime | None:
        """When an event happened."""
        return epcis.event_time(self.entry.statement)

    @cached_property
    def date(self) -> date | None:
        """The day of an event, by its own clock."""
        return epcis.event_date(self.entry.statement)

    @cached_property
    def day(self) -> Day | None:
        """The day of an event, as records compare it."""
        return None if self.date is None else (self.date.isoformat(),) * 2

    @cached_property
    def created(self) -> tuple[str, ...]:
        """Subjects an event makes."""
        return epcis.created(self.entry.statement)
