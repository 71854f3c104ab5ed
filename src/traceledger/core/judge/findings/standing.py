# SPDX-License-Identifier: Apache-2.0
"""
Records in force: products and their owners, codes, certificates, stars, authorisations, withdrawals, recalls.

Sections 3 and 8 of the format specification.  Each question is answered by the records added so far: a record
logged later neither heals nor spoils what was logged before it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from traceledger.core.claims import epcis
from traceledger.core.claims.identifiers import CANONICAL_HOST, canonical
from traceledger.core.claims.records import code_uri
from traceledger.core.log.entry import Entry
from traceledger.core.sign.canonical import Json

Day = tuple[str, str]
"""First and last calendar day that a moment falls on, ``YYYY-MM-DD``: one for events, up to two for records."""

DATED: Final = ("certificate", "star", "code")
_PRODUCT_PREFIX: Final = f"{CANONICAL_HOST}/01/"
_GTIN_END: Final = len(_PRODUCT_PREFIX) + 14


def product_of(subject: str) -> str | None:
    """Return the canonical URI of the product that *subject* is a lot or item of (itself for a product), or None."""
    return subject[:_GTIN_END] if subject.startswith(_PRODUCT_PREFIX) else None


def product_uri(gtin14: str) -> str:
    """Return the URI of a product whether or not its check digit is right, as `product_of` does."""
    return _PRODUCT_PREFIX + gtin14


def context_of(entry: Entry) -> frozenset[str]:
    """
    Return the products, sites and codes whose records the rules ask about *entry*: what to give with it where not
    all of a log is given.
    """
    if entry.kind == "issue":
        return frozenset({product_uri(entry.statement["data"]["gtin"])})
    if entry.family != "event":
        return frozenset()
    found = {product for name in epcis.subjects(entry.statement) if (product := product_of(name))}
    found.update(map(code_uri, entry.member("codes") or ()))
    site = epcis.site_of(entry.statement)
    return frozenset(found | ({site} if site else set()))


@dataclass(slots=True, kw_only=True)
class Record:
    """
    A product record or credential.

    Attributes:
        start, end: First and last day in force; None for without limit.

        withdrawn: Whether a withdrawal has been logged.
    """

    kind: str
    actor: str
    index: int
    data: Mapping[str, Json]
    about: frozenset[str]
    start: str | None
    end: str | None
    withdrawn: bool = False

    def in_force(self, day: Day | None) -> bool:
        """Say whether it is in force on *day*."""
        if self.withdrawn or day is None:
            return False
        return (self.start or "") <= day[1] and (self.end is None or day[0] <= self.end)

    @property
    def max_kg(self) -> int | Decimal | None:
        """The ceiling it sets, in kilograms."""
        value = self.data.get("max_kg")
        return value if isinstance(value, int | Decimal) else None


@dataclass(slots=True, kw_only=True)
class Recall:
    """A recall of some *subjects*, open from index *start* until *end*."""

    actor: str
    subjects: tuple[str, ...]
    start: int
    end: int | None = None

    def open(self, below: int) -> bool:
        """Say whether it is open by the entries below *below*."""
        return self.start < below and (self.end is None or self.end >= below)


class Standing:
    """The records logged so far."""

    def __init__(self) -> None:
        self._by_id: dict[str, Record] = {}
        self._about: dict[str, dict[str, list[Record]]] = {}
        self._recalls: dict[str, Recall] = {}
        self._recalled: dict[str, list[Recall]] = {}
        self._prefixes: dict[str, str] = {}
        self._parties: dict[str, str] = {}
        self._ids: dict[str, tuple[str, list[str]]] = {}
        self._owners: dict[str, str | None] = {}

    # --- organisations

    def organisation(self, org: str, ids: Mapping[str, str]) -> None:
        """Take the newest ``ids`` of *org*; a prefix or party stays with who had it first."""
        party, prefixes = self._ids.get(org, ("", []))
        if self._parties.get(party) == org:
            del self._parties[party]
        for prefix in prefixes:
            if self._prefixes.get(prefix) == org:
                del self._prefixes[prefix]
        party, prefixes = canonical(ids.get("party", "")), ids.get("gs1", "").split()
        self._ids[org] = party, prefixes
        if party:
            self._parties.setdefault(party, org)
        for prefix in prefixes:
            self._prefixes.setdefault(prefix, org)
        self._owners.clear()

    def receivers(self, event: Mapping[str, Json]) -> tuple[str, ...]:
        """Return the organisations that the destinationList of *event* names, sorted."""
        found = set()
        places = event.get("destinationList")
        for item in places if isinstance(places, list) else ():
            place = item.get("destination") if isinstance(item, dict) else None
            org = self._parties.get(canonical(place)) if isinstance(place, str) else None
            if org is not None:
                found.add(org)
        return tuple(sorted(found))

    # --- records

    def add(self, index: int, entry: Entry) -> None:
        """Add a valid masterdata or credential record."""
        data = entry.statement["data"]
        record = Record(
            kind=entry.kind,
            actor=entry.actor,
            index=index,
            data=data,
            about=frozenset(map(canonical, entry.statement["about"])),
            start=data.get("from") if entry.family == "credential" else None,
            end=data.get("to") if entry.family == "credential" else None,
        )
        self._by_id[entry.id] = record
        for subject in record.about:
            self._about.setdefault(subject, {}).setdefault(record.kind, []).append(record)
        if record.kind == "product":
            self._owners.clear()

    def withdraw(self, entry: Entry, *, authority: bool) -> None:
        """Withdraw the record that *entry* names, if its actor made it or is an *authority*."""
        record = self._by_id.get(entry.statement["data"]["record"])
        if record is not None and (authority or record.actor == entry.actor):
            record.withdrawn = True
            self._owners.clear()

    def kinds(self, subject: str) -> list[str]:
        """Return which kinds of certificate, star and code about *subject* were ever logged."""
        about = self._about.get(subject)
        return [] if about is None else [kind for kind in DATED if kind in about]

    def in_force(self, kind: str, subject: str, day: Day | None) -> list[Record]:
        """Return the records of *kind* about *subject* in force on *day*, oldest first."""
        about = self._about.get(subject)
        return [] if about is None else [r for r in about.get(kind, ()) if r.in_force(day)]

    def products(self, product: str) -> list[Record]:
        """Return the product records about *product* that are not withdrawn, oldest first."""
        return [r for r in self._about.get(product, {}).get("product", ()) if not r.withdrawn]

    def owner(self, product: str) -> str | None:
        """Return the owner of a GTIN, given as its product URI: by longest GS1 prefix, else by first record."""
        if product not in self._owners:
            digits = product[_GTIN_END - 13 : _GTIN_END]
            lengths = range(len(digits), 0, -1)
            found = next((self._prefixes[digits[:n]] for n in lengths if digits[:n] in self._prefixes), None)
            records = self.products(product)
            self._owners[product] = found or (records[0].actor if records else None)
        return self._owners[product]

    def crop(self, product: str | None) -> str | None:
        """Return the crop that the owner's newest record of *product* states, else the newest record's."""
        records = self.products(product) if product else []
        owner = self.owner(product) if product else None
        own = [r for r in records if r.actor == owner] or records
        value = own[-1].data.get("crop") if own else None
        return value if isinstance(value, str) else None

    def authorisations(
        self, about: Iterable[str], *, by: Collection[str], who: str, product: str | None, day: Day | None
    ) -> Iterator[Record]:
        """
        Yield the authorisations of *who* in force on *day*, about one of *about*, by one of *by*.

        One limited to a crop counts only where *product* is of that crop.
        """
        for subject in about:
            for record in self.in_force("authorisation", subject, day):
                if record.actor in by and record.data["who"] == who:
                    crop = record.data["crop"]
                    if crop is None or crop == self.crop(product):
                        yield record

    # --- recalls

    def open_recall(self, index: int, entry: Entry, subjects: tuple[str, ...]) -> None:
        """Open a recall of those *subjects* that the actor of *entry* may recall."""
        recall = Recall(actor=entry.actor, subjects=subjects, start=index)
        self._recalls[entry.id] = recall
        for subject in subjects:
            self._recalled.setdefault(subject, []).append(recall)

    def close_recall(self, index: int, entry: Entry, *, authority: bool) -> None:
        """Close the recall that *entry* names, if its actor opened it or is an *authority*."""
        recall = self._recalls.get(entry.statement["data"]["recall"])
        if recall is not None and recall.end is None and (authority or recall.actor == entry.actor):
            recall.end = index

    def recalled(self, subject: str, below: int) -> bool:
        """Say whether a recall of *subject* or its product is open by the entries below *below*."""
        names = {subject, product_of(subject) or subject}
        return any(recall.open(below) for name in names for recall in self._recalled.get(name, ()))
