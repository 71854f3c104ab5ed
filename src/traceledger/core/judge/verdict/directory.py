# SPDX-License-Identifier: Apache-2.0
"""
Who is who behind a journey: names, roles and keys from the registry, and the records in force on a day.

A reading of statements for display.  Validity of entries, and authority to make them, are settled before
(`state.registry`, `judge.verify`); what is settled here is which of several records speaks: a record counts
only when its actor may make it (section 3), is not withdrawn, and is in force on the day asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from traceledger.core.claims import epcis
from traceledger.core.judge.verdict.view import (
    AuthorisationView,
    CertificateView,
    CodeView,
    RecallView,
    SiteView,
)
from traceledger.core.log.entry import Entry
from traceledger.core.state.registry import Registry
from traceledger.errors import TraceledgerError

Indexed = tuple[int, Entry]
CODE_PREFIX: Final = "urn:traceledger:v1:code:"


def text(value: Any) -> str:
    """*value* if it is a string, else the empty string: display never fails on a shape that SIGNED refuses."""
    return value if isinstance(value, str) else ""


def items(value: Any) -> list[Any]:
    """*value* if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def members(value: Any) -> dict[str, Any]:
    """*value* if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def decimal(value: Any) -> Decimal | None:
    """*value* as a Decimal if it is a JSON number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def readable(entries: Iterable[Indexed]) -> list[Indexed]:
    """Those of *entries* whose statement can be read; the others have failed SIGNED and cannot be shown."""
    kept = []
    for index, entry in entries:
        try:
            entry.statement  # noqa: B018 - reading it decodes and checks it
        except TraceledgerError:
            continue
        kept.append((index, entry))
    return kept


def in_force(data: Mapping[str, Any], day: str) -> bool:
    """Whether a dated record holds on *day* (``YYYY-MM-DD``); an end of null is open."""
    end = data.get("to")
    return bool(day) and text(data.get("from")) <= day and (end is None or day <= text(end))


@dataclass(frozen=True)
class Directory:
    """
    Names and records that a journey refers to.

    Attributes:
        registry: The fold that says who an organisation is, what roles it has, and how its keys are kept.

        records: Masterdata, credentials and notices in log order, without those withdrawn.
    """

    registry: Registry
    records: Sequence[Indexed] = ()

    @classmethod
    def read(cls, registry: Registry, entries: Iterable[Indexed]) -> "Directory":
        """Take the records among valid *entries*, in any order and of any family, repeats allowed."""
        records = {i: e for i, e in readable(entries) if e.family in ("masterdata", "credential", "notice")}
        bare = cls(registry, sorted(records.items()))
        return cls(registry, [pair for pair in bare.records if not bare.withdrawn(pair[1])])

    def name(self, org: str) -> str:
        """The organisation's registered name, else its short id."""
        found = self.registry.orgs.get(org)
        return found.name if found else org

    def custody(self, kid: str) -> str:
        """How the key is kept: ``device``, ``file``, ``custodial``, or "" where it is not registered."""
        found = self.registry.keys.get(kid)
        return found.custody if found else ""

    def has_role(self, org: str, *roles: str) -> bool:
        """Whether *org* is registered with one of *roles*."""
        return self.registry.has_role(org, *roles)

    def withdrawn(self, entry: Entry) -> bool:
        """Whether its actor or an authority has withdrawn *entry*."""
        return any(
            members(other.statement.get("data")).get("record") == entry.id
            and (other.actor == entry.actor or self.has_role(other.actor, "authority"))
            for _, other in self.of_kind("withdrawal")
        )

    def of_kind(self, *kinds: str) -> list[Indexed]:
        """Records of one of *kinds*, in log order."""
        return [(index, entry) for index, entry in self.records if entry.kind in kinds]

    def product(self, uri: str) -> tuple[str, Mapping[str, Any]]:
        """
        (owner, data) of the product at *uri*: whose GS1 company prefix its number has, else who first recorded it,
        and the owner's newest record, else the first recorder's; empty if there is none.
        """
        found = [entry for _, entry in self.of_kind("product") if uri in items(entry.statement.get("about"))]
        owner = self._prefix_owner(uri.rpartition("/01/")[2][1:])
        if not found:
            return owner, {}
        recorder = owner if any(entry.actor == owner for entry in found) else found[0].actor
        newest = [entry for entry in found if entry.actor == recorder][-1]
        return owner or recorder, members(newest.statement.get("data"))

    def _prefix_owner(self, digits: str) -> str:
        """The organisation that the root registered with the longest prefix of *digits*, or ""."""
        held = [
            (prefix, org.org)
            for org in self.registry.orgs.values()
            for prefix in org.ids.get("gs1", "").split()
            if digits.startswith(prefix)
        ]
        return max(held, key=lambda pair: len(pair[0]))[1] if held else ""

    def site(self, uri: str, *, actor: str) -> SiteView:
        """The place at *uri*, as *actor* recorded it, else as first recorded; bare where nobody did."""
        found = [e for _, e in self.of_kind("site") if uri in items(e.statement.get("about"))]
        own = [entry for entry in found if entry.actor == actor]
        chosen = own[-1:] or found[:1]
        data = members(chosen[0].statement.get("data")) if chosen else {}
        return SiteView(
            uri=uri,
            gln=text(data.get("gln")) or (uri.rsplit("/", 1)[-1] if "/414/" in uri else ""),
            name=text(data.get("name")),
            place=text(data.get("place")),
            area_ha=decimal(data.get("area_ha")),
            crop=text(data.get("crop")),
        )

    def certificates(self, about: Iterable[str], *, day: str) -> tuple[CertificateView, ...]:
        """Certificates and stars in force on *day* over any of the uris *about*; a lapsed one is not shown."""
        wanted = set(about)
        found = []
        for index, entry in self.of_kind("certificate", "star"):
            data = members(entry.statement.get("data"))
            roles = ("authority",) if entry.kind == "star" else ("authority", "certifier")
            covered = wanted.intersection(map(text, items(entry.statement.get("about"))))
            if not covered or not self.has_role(entry.actor, *roles) or not in_force(data, day):
                continue
            found.append(
                CertificateView(
                    kind=entry.kind,
                    index=index,
                    scheme=text(data.get("scheme")),
                    number=text(data.get("number")) or text(data.get("decision")),
                    holder=text(data.get("holder")),
                    holder_name=self.name(text(data.get("holder"))) if data.get("holder") else "",
                    issuer=entry.actor,
                    issuer_name=self.name(entry.actor),
                    start=text(data.get("from")),
                    end=text(data.get("to")),
                    stars=data["stars"] if isinstance(data.get("stars"), int) else None,
                )
            )
        return tuple(found)

    def code(self, code: str, *, day: str) -> CodeView:
        """The newest record by an authority for *code*, with what its owner authorised; in force on *day*?"""
        found = [
            (index, entry)
            for index, entry in self.of_kind("code")
            if members(entry.statement.get("data")).get("code") == code
            and self.has_role(entry.actor, "authority")
        ]
        if not found:
            return CodeView(code=code, known=False)
        index, entry = found[-1]
        data = members(entry.statement.get("data"))
        owner = text(data.get("owner"))
        end = data.get("to")
        return CodeView(
            code=code,
            known=True,
            purpose=text(data.get("for")),
            owner=owner,
            owner_name=self.name(owner),
            issuer_name=self.name(entry.actor),
            crop=text(data.get("crop")),
            start=text(data.get("from")),
            end=None if end is None else text(end),
            in_force=in_force(data, day),
            max_amount=decimal(data.get("max_kg")),
            index=index,
            authorisations=self._authorisations(items(entry.statement.get("about")), owner=owner, day=day),
        )

    def _authorisations(self, code_uris: list[Any], *, owner: str, day: str) -> tuple[AuthorisationView, ...]:
        codes = {uri for uri in map(text, code_uris) if uri.startswith(CODE_PREFIX)}
        found = []
        for index, entry in self.of_kind("authorisation"):
            if entry.actor != owner or not codes.intersection(map(text, items(entry.statement.get("about")))):
                continue
            data = members(entry.statement.get("data"))
            who = text(data.get("who"))
            found.append(
                AuthorisationView(
                    index=index,
                    who=who,
                    who_name=self.name(who),
                    by=owner,
                    by_name=self.name(owner),
                    start=text(data.get("from")),
                    end=text(data.get("to")),
                    in_force=in_force(data, day),
                    max_amount=decimal(data.get("max_kg")),
                )
            )
        return tuple(found)

    def recalls(self, about: Iterable[str], *, parties: Iterable[str]) -> tuple[RecallView, ...]:
        """
        Recalls open on any of the uris *about*.

        Args:
            about: The lot, what it was made from, and its product.

            parties: Who may open one besides an authority: creators, holders and the product's owner.
        """
        wanted, allowed = set(about), set(parties)
        closed = {
            (text(members(entry.statement.get("data")).get("recall")), entry.actor)
            for _, entry in self.of_kind("recall-close")
        }
        found = []
        for index, entry in self.of_kind("recall-open"):
            if entry.actor not in allowed and not self.has_role(entry.actor, "authority"):
                continue
            if not wanted.intersection(map(text, items(entry.statement.get("about")))):
                continue
            if any(id_ == entry.id and self._may_close(by, entry.actor) for id_, by in closed):
                continue
            data = members(entry.statement.get("data"))
            found.append(
                RecallView(
                    index=index,
                    by=entry.actor,
                    by_name=self.name(entry.actor),
                    reason=text(data.get("reason")),
                    action=text(data.get("action")),
                    opened_at=entry.t,
                )
            )
        return tuple(found)

    def _may_close(self, actor: str, opener: str) -> bool:
        return actor == opener or self.has_role(actor, "authority")


def day_of(statement: Mapping[str, Any]) -> str:
    """The date of an event where it happened, ``YYYY-MM-DD``; "" where it is missing or malformed."""
    day = epcis.event_date(dict(statement))
    return "" if day is None else day.isoformat()


def days_between(earlier: str, later: str) -> int | None:
    """Whole days from one ``YYYY-MM-DD`` to another, or None where either is no date."""
    try:
        return (date.fromisoformat(later) - date.fromisoformat(earlier)).days
    except ValueError:
        return None
