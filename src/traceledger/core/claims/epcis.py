# SPDX-License-Identifier: Apache-2.0
"""
Event statements: what an event says about goods, place and day.

Reads EPCIS 2.0 events of any shape and passes over what it cannot read: a verifier asks only for the shape of
our profile (`check_event`), while EPCIS validity is asked at admission (`validate_epcis`).  Both are offered
here under one name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from traceledger.core.claims.epcis_profile import EVENT_KINDS, TL_IRI, TL_MEMBERS, check_event
from traceledger.core.claims.epcis_schema import Problem, is_nfc, validate_epcis
from traceledger.core.claims.identifiers import canonical

DIARY_IRI: Final = "urn:traceledger:diary:"
"""Namespace of what a field diary adds: activity, material, dose, member, note, kilograms, precision."""

__all__ = [
    "DIARY_IRI",
    "EVENT_KINDS",
    "TL_IRI",
    "TL_MEMBERS",
    "Amount",
    "Problem",
    "amounts",
    "check_event",
    "created",
    "diary_of",
    "event_date",
    "event_time",
    "inputs_of",
    "is_nfc",
    "site_of",
    "subjects",
    "validate_epcis",
]

Role = Literal["object", "input", "output", "child", "parent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """
    How much of one subject an event speaks of.

    Attributes:
        subject: Canonical identifier.

        quantity: Exact amount; 1 for an EPC.

        uom: UN/ECE Rec 20 code such as ``KGM``; None means pieces.

        role: The list it stands in.
    """

    subject: str
    quantity: Decimal
    uom: str | None
    role: Role


# --- what an event says -------------------------------------------------------------------------------


def _texts(statement: Mapping[str, Any], name: str) -> Iterator[str]:
    value = statement.get(name)
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _elements(statement: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    value = statement.get(name)
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and isinstance(item.get("epcClass"), str):
                yield item


def _classes(statement: Mapping[str, Any], name: str) -> Iterator[str]:
    return (item["epcClass"] for item in _elements(statement, name))


_LISTS: Final[tuple[tuple[str, str, Role], ...]] = (
    ("epcList", "quantityList", "object"),
    ("childEPCs", "childQuantityList", "child"),
    ("inputEPCList", "inputQuantityList", "input"),
    ("outputEPCList", "outputQuantityList", "output"),
)


def _identified(statement: Mapping[str, Any], *roles: Role) -> Iterator[str]:
    for epcs, quantities, role in _LISTS:
        if role in roles:
            yield from map(canonical, _texts(statement, epcs))
            yield from map(canonical, _classes(statement, quantities))


def _parent(statement: Mapping[str, Any]) -> tuple[str, ...]:
    value = statement.get("parentID")
    return (canonical(value),) if isinstance(value, str) else ()


def subjects(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """
    Canonical identifiers of the goods an event touches, each once, in order of first appearance.

    From parentID and the object, child, input and output lists; members of another shape are passed over.
    """
    found = [*_parent(statement), *_identified(statement, "object", "child", "input", "output")]
    return tuple(dict.fromkeys(found))


def created(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """Subjects the event makes: of an ObjectEvent ADD, outputs of a transformation, a parent packed."""
    kind, action = statement.get("type"), statement.get("action")
    if kind == "ObjectEvent" and action == "ADD":
        return tuple(dict.fromkeys(_identified(statement, "object")))
    if kind == "TransformationEvent":
        return tuple(dict.fromkeys(_identified(statement, "output")))
    if kind == "AggregationEvent" and action == "ADD":
        return _parent(statement)
    return ()


def inputs_of(statement: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """
    Created subject → what it was made of: inputs of the transformation, children of the aggregation.

    A lot that goes in and comes out again is upstream of itself, and events can form longer rings.
    """
    kind = statement.get("type")
    if kind == "TransformationEvent":
        upstream = tuple(dict.fromkeys(_identified(statement, "input")))
    elif kind == "AggregationEvent":
        upstream = tuple(dict.fromkeys(_identified(statement, "child")))
    else:
        upstream = ()
    return dict.fromkeys(created(statement), upstream)


def amounts(statement: Mapping[str, Any]) -> list[Amount]:
    """
    Every amount an event states, in document order of the lists; an EPC, a parent too, is one piece.

    A quantity element without a quantity states no amount.
    """
    found = [
        Amount(subject=subject, quantity=Decimal(1), uom=None, role="parent")
        for subject in _parent(statement)
    ]
    for epcs, quantities, role in _LISTS:
        found += [
            Amount(subject=canonical(epc), quantity=Decimal(1), uom=None, role=role)
            for epc in _texts(statement, epcs)
        ]
        for element in _elements(statement, quantities):
            quantity, uom = element.get("quantity"), element.get("uom")
            if isinstance(quantity, int | Decimal) and not isinstance(quantity, bool):
                found.append(
                    Amount(
                        subject=canonical(element["epcClass"]),
                        quantity=Decimal(quantity),
                        uom=uom if isinstance(uom, str) else None,
                        role=role,
                    )
                )
    return found


def site_of(statement: Mapping[str, Any]) -> str | None:
    """Where it happened, canonical: readPoint, else bizLocation, else None."""
    for name in ("readPoint", "bizLocation"):
        place = statement.get(name)
        if isinstance(place, dict) and isinstance(place.get("id"), str):
            return canonical(place["id"])
    return None


_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")


def event_time(statement: Mapping[str, Any]) -> datetime | None:
    """Event time in UTC, to the second (a leap second is the one before); None where it is none."""
    text = statement.get("eventTime")
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if not match:
        return None
    day, clock, sign, hours, minutes = match.groups()
    if clock.endswith(":60"):
        clock = clock[:6] + "59"
    shift = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        local = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)
        return local + shift if sign == "-" else local - shift
    except (ValueError, OverflowError):
        return None


def event_date(statement: Mapping[str, Any]) -> date | None:
    """The calendar day of eventTime in eventTimeZoneOffset; None where either is missing or malformed."""
    moment, offset = event_time(statement), statement.get("eventTimeZoneOffset")
    match = _OFFSET.fullmatch(offset) if isinstance(offset, str) else None
    if moment is None or not match:
        return None
    shift = timedelta(hours=int(match[2]), minutes=int(match[3]))
    try:
        return (moment - shift if match[1] == "-" else moment + shift).date()
    except OverflowError:
        return None


def diary_of(statement: dict[str, Any]) -> dict[str, str]:
    """Return the diary's texts of an event by their local name, under whatever prefix it declares for them."""
    context = statement.get("@context")
    prefixes = context[1] if isinstance(context, list) and len(context) == 2 else None
    if not isinstance(prefixes, dict):
        return {}
    own = {f"{prefix}:" for prefix, iri in prefixes.items() if iri == DIARY_IRI}
    return {
        name.partition(":")[2]: value
        for name, value in statement.items()
        if isinstance(value, str) and f"{name.partition(':')[0]}:" in own
    }
