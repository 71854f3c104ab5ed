# SPDX-License-Identifier: Apache-2.0
"""
The entry under judgement: what the rules of section 8 of the format specification ask of it, read once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from traceledger.core.claims import epcis
from traceledger.core.claims.records import code_uri
from traceledger.core.judge.findings.found import Arg, Book, Raised
from traceledger.core.judge.findings.standing import Day
from traceledger.core.log.entry import Entry


@dataclass(slots=True, kw_only=True)
class At:
    """
    A valid entry of an actor key, at *index* of the log and *position* among such entries.

    Attributes:
        book: Where its findings go.

        actor, org: Organisation it speaks for, by number and name.

        subjects, numbers: What it touches, sorted, and the numbers of that.

        named: Positions of the entries of this log that it names in ``prev``.

        declares: Whether it is an error declaration.

        site: Where an event happened.

        codes: URIs of the codes an event claims, each once.

        created: Subjects an event makes.
    """

    book: Book
    index: int
    position: int
    entry: Entry
    kind: str
    actor: int
    org: str
    subjects: tuple[str, ...]
    numbers: list[int]
    named: list[int]
    declares: bool = False
    site: str | None = None
    codes: tuple[str, ...] = ()
    created: tuple[str, ...] = ()
    _date: tuple[date | None, ...] = ()

    def read_event(self) -> None:
        """Read what only events have."""
        event = self.entry.statement
        self.declares = "errorDeclaration" in event
        self.site = epcis.site_of(event)
        self.codes = tuple(dict.fromkeys(map(code_uri, event.get("tl:codes", ()))))
        self.created = epcis.created(event)

    @property
    def date(self) -> date | None:
        """The day of an event, by its own clock."""
        if not self._date:  # few events are asked, and reading a time is not cheap
            self._date = (epcis.event_date(self.entry.statement),)
        return self._date[0]

    @property
    def day(self) -> Day | None:
        """The day of an event, as records compare it."""
        return None if self.date is None else (self.date.isoformat(), self.date.isoformat())

    @property
    def first(self) -> str:
        """What a finding about the entry as a whole is about."""
        return self.subjects[0] if self.subjects else self.site or self.org

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
