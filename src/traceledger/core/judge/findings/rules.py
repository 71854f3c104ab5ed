# SPDX-License-Identifier: Apache-2.0
"""
The rules of section 8 of the format specification, each entry judged by what stands below it.

`Rules` takes the valid entries of actor keys in index order and raises findings in its `Book`: first by the rules
about the log itself, then by those of the entry's family.  Rules about events are `event_rules`.  Where the
specification leaves a choice, docs/adr says which was taken and why.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta

from traceledger.core.claims import epcis
from traceledger.core.claims.identifiers import canonical, lot_uri
from traceledger.core.claims.records import roll_uri
from traceledger.core.judge.findings.at import At
from traceledger.core.judge.findings.columns import Threads
from traceledger.core.judge.findings.event_rules import EventRules
from traceledger.core.judge.findings.found import Book
from traceledger.core.judge.findings.gating import Gates
from traceledger.core.judge.findings.goods import Goods
from traceledger.core.judge.findings.past import Past
from traceledger.core.judge.findings.rollbook import RollBook
from traceledger.core.judge.findings.standing import Day, Standing, product_uri
from traceledger.core.log.entry import Entry, moment_of, parse_head
from traceledger.core.sign.encoding import b64decode
from traceledger.core.state.lineage import subjects_of
from traceledger.core.state.registry import Registry
from traceledger.errors import InputError


def flaws_of(entry: Entry) -> tuple[str, ...]:
    """
    Return the codes of what admission alone asks and *entry* fails: ``not-nfc``, ``epcis-invalid``.

    Needs the entry alone: an audit may ask it in another process.
    """
    flaws: tuple[str, ...] = () if epcis.is_nfc(entry.statement) else ("not-nfc",)
    if entry.family == "event" and epcis.validate_epcis(entry.statement):
        flaws += ("epcis-invalid",)
    return flaws


class Rules:
    """
    All rules over one log.

    Args:
        about: Subjects whose every entry is given; None where all entries are given.
    """

    def __init__(self, about: Collection[str] | None) -> None:
        self.past = Past()
        self.book = Book()
        self.goods = Goods()
        self.standing = Standing()
        self.gates = Gates(self.past, self.book, self.goods, self.standing)
        self._rolls = RollBook()
        self._events = EventRules(self.past, self.goods, self.standing, about)
        self._by_key = Threads()
        self._keys: dict[str, int] = {}
        self._suspect: dict[str, int] = {}

    # --- entries

    def registry(self, index: int, entry: Entry, registry: Registry, flaws: Sequence[str]) -> None:
        """Take a valid registry entry; *registry* may be from before or after it."""
        statement = entry.statement
        if entry.family == "org":
            self.standing.organisation(statement["org"], statement.get("ids", {}))
        elif entry.family == "revoke" and statement["suspect_from"] is not None:
            target = statement["target"]
            kids = [target["kid"]] if "kid" in target else []
            kids += [kid for kid, key in registry.keys.items() if key.org == target.get("org")]
            for kid in kids:
                self._suspects(kid, statement["suspect_from"], index)
        actor = self.past.orgs.number(entry.actor)
        for code in flaws:
            self.book.add(code, index=index, subject=entry.actor or entry.family, actor=actor, args={})

    def entry(self, index: int, entry: Entry, registry: Registry, flaws: Sequence[str]) -> None:
        """Take a valid entry of an actor key; *registry* is the one before it."""
        at = self._at(index, entry)
        followed = self._threads(at)
        self._seen(at)
        for code in flaws:
            at.finding(code)
        match entry.family:
            case "event":
                self._events.judge(at)
            case "masterdata" | "credential":
                self._record(at, registry)
            case "notice":
                self._notice(at, registry)
            case "stamps":
                self._stamps(at)
        self.past.add(index, entry.id, actor=at.actor, subjects=at.numbers, followed=followed)
        kid = entry.envelope.signatures[0].kid
        self._by_key.add(self._keys.setdefault(kid, len(self._keys)))

    def _at(self, index: int, entry: Entry) -> At:
        subjects = subjects_of(entry)
        named = [self.past.position(ref) for ref in entry.member("prev") if "/" not in ref]
        org = entry.actor
        at = At(
            book=self.book,
            index=index,
            position=len(self.past.index),
            entry=entry,
            kind=entry.kind,
            actor=self.past.orgs.number(org),
            org=org,
            subjects=subjects,
            numbers=[self.past.subjects.number(subject) for subject in subjects],
            named=[position for position in named if position is not None],
        )
        if entry.family == "event":
            at.read_event()
        return at

    # --- the log itself

    def _threads(self, at: At) -> Collection[int]:
        """Judge what the entry names; return the touches it follows."""
        refs = at.entry.member("prev")
        foreign = [ref.rpartition("/")[0] for ref in refs if "/" in ref]
        if foreign:
            at.finding("foreign-origin", origin=foreign[0], count=len(foreign))
        tips = self.past.tips(at.named, at.numbers)
        loose = [
            name
            for name, number in zip(at.subjects, at.numbers, strict=True)
            if number not in tips and self.past.count(number) and self._events.is_shown(name)
        ]
        if loose:
            at.finding("unlinked", loose[0], count=len(loose))
        if at.declares:  # it names the wrong event by duty, however much has followed that
            return ()
        for number, touch in tips.items():
            other = self.past.follower(touch)
            if other is not None:
                entry = self.past.index[self.past.toucher(touch)]
                at.finding("branch", self.past.subjects[number], entry=entry, other=self.past.index[other])
                break
        return tips.values()

    def _seen(self, at: At) -> None:
        if not self.past.whole:
            return
        size, root = parse_head(at.entry.member("seen"), code="statement-shape")
        foreign = size > at.index or root != self.past.root(size)
        if at.entry.family == "log":
            self._index_record(at, foreign or size != at.index)
        elif foreign:
            at.finding("seen-foreign", size=size)

    def _index_record(self, at: At, seen_differs: bool) -> None:
        data = at.entry.statement["data"]
        counted = len(self.past.subjects)
        wrong = []
        if data["subjects"] != counted:
            wrong.append(f"{data['subjects']} subjects recorded, {counted} counted")
        if b64decode(data["root"], size=32) != self.past.index_root():
            wrong.append("the root over the subjects differs")
        if seen_differs:
            wrong.append("the head seen is not the one it stands on")
        if wrong:
            at.finding("index-wrong", at.org, "; ".join(wrong), operator=at.org)

    def _suspects(self, kid: str, start: int, index: int) -> None:
        end = self._suspect.get(kid, index)
        self._suspect[kid] = min(start, end)
        positions = []
        for position in self._signed_by(kid):
            if self.past.index[position] < start:
                break
            if self.past.index[position] < end:
                positions.append(position)
        for position in reversed(positions):
            touched = self.past.touched(position)
            actor = self.past.actor[position]
            subject = self.past.subjects[touched[0]] if touched else self.past.orgs[actor]
            self.book.add(
                "key-suspect",
                index=self.past.index[position],
                subject=subject,
                actor=actor,
                args={"key": kid, "revoked": index},
            )

    def _signed_by(self, kid: str) -> Sequence[int]:
        number = self._keys.get(kid)
        return [] if number is None else [*self._by_key.newest_first(number)]

    # --- records

    def _record(self, at: At, registry: Registry) -> None:
        if at.kind == "withdrawal":
            self.standing.withdraw(at.entry, authority=registry.has_role(at.org, "authority"))
        elif at.entry.family == "credential" or at.kind == "product":
            self.standing.add(at.index, at.entry)

    def _notice(self, at: At, registry: Registry) -> None:
        authority = registry.has_role(at.org, "authority")
        if at.kind == "recall-close":
            self.standing.close_recall(at.index, at.entry, authority=authority)
        elif at.kind == "recall-open":
            pairs = zip(at.subjects, at.numbers, strict=True)
            mine = tuple(s for s, number in pairs if authority or self._events.may_recall(at, s, number))
            self.standing.open_recall(at.index, at.entry, mine)

    # --- stamps

    def _stamps(self, at: At) -> None:
        entry = at.entry
        data = entry.statement["data"]
        roll = roll_uri(data["roll"])
        if entry.kind == "issue":
            if not self._rolls.issue(at.index, entry):
                at.finding("stamp-step", roll, "the roll was issued before", step="issue")
            self._issued(at, roll)
            return
        if entry.kind == "activate":
            self.gates.activation(at.index, data["roll"])
        blocked: list[bool] = []

        def gate(lot: str, below: int) -> bool:
            if not blocked:
                blocked.append(self.gates.gated(lot, below, roll=data["roll"]))
            return blocked[0]

        changed, named = self._rolls.step(at.index, entry, gate)
        words = f"{changed} of {named} stamps changed"
        if any(blocked):
            lot = canonical(entry.statement["about"][0])
            at.finding("stamp-gate", lot, words, roll=data["roll"])
        elif changed < named:
            at.finding("stamp-step", roll, words, step=entry.kind, changed=changed, named=named)

    def _issued(self, at: At, roll: str) -> None:
        data = at.entry.statement["data"]
        lots: tuple[str, ...] = ()
        if "lot" in data:
            with suppress(InputError):  # under a number with a wrong check digit no lot is authorised
                lots = (lot_uri(data["gtin"], data["lot"]),)
        self._events.claims.products(at, {roll: product_uri(data["gtin"])}, day=_days(at.entry.t), also=lots)


def _days(moment: int) -> Day:
    """First and last calendar day that Unix second *moment* falls on anywhere on earth: UTC-12 to UTC+14."""
    here = moment_of(moment)
    return (here - timedelta(hours=12)).date().isoformat(), (here + timedelta(hours=14)).date().isoformat()
