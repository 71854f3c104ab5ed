# SPDX-License-Identifier: Apache-2.0
"""
EPCIS 2.0 JSON that nobody here wrote: documents, query documents, bare events and lists of them.

Reads without judging: each event is taken as data or refused with its position and the reason, and the two
add up to what stood in the file.  What an event becomes in our log is the business of `epcis_translate`.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from traceledger.core.claims.epcis import TL_IRI
from traceledger.core.claims.epcis_schema import is_time, is_uri
from traceledger.core.claims.epcis_terms import CONTEXT_URL, PREFIXES
from traceledger.errors import InputError
from traceledger.exchange.json_text import MAX_DOCUMENT, Json, read_json, to_profile

__all__ = ["Context", "ForeignEvent", "ImportedDocument", "MasterData", "Refusal", "read_document"]

CONTEXT_URLS: Final = frozenset(
    {
        CONTEXT_URL,
        "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "https://gs1.github.io/EPCIS/epcis-context.jsonld",
    }
)
"""Addresses under which the EPCIS context is known; none is ever fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """
    What a document says about its names.

    Attributes:
        prefixes: Name → IRI, for prefixes and for terms alike.

        unknown: Context addresses that are not EPCIS's; names they define cannot be looked up here.
    """

    prefixes: dict[str, str]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An event that was not taken: its *position* in the list, its id if it has one, and why."""

    position: int
    event_id: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignEvent:
    """
    One event as received, numbers exact and text in NFC.

    Attributes:
        position: Place in the event list, from 0.

        data: The event, its own ``@context`` taken out.

        context: The document's context with the event's own added.

        repeat: How many events before it in the file are equal to it.

        same_id: Position of an earlier event with the same eventID that this one is no declaration of.

        notes: What was changed in reading.
    """

    position: int
    data: dict[str, Any]
    context: Context
    repeat: int = 0
    same_id: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def event_id(self) -> str | None:
        """The eventID, if it is a text."""
        value = self.data.get("eventID")
        return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterData:
    """One element of a document's master data: vocabulary *kind*, *id* and attributes by id."""

    kind: str
    id: str
    attributes: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedDocument:
    """
    A file taken apart.

    Attributes:
        kind: ``EPCISDocument``, ``EPCISQueryDocument``, ``event`` or ``list``.

        context: Names declared for all its events.

        events: Events taken, in order.

        refused: Events not taken.

        problems: Faults of the document around the events, and what was tolerated.

        master_data: Elements of the header's vocabularies.
    """

    kind: str
    context: Context
    events: tuple[ForeignEvent, ...]
    refused: tuple[Refusal, ...]
    problems: tuple[str, ...]
    master_data: tuple[MasterData, ...]

    @property
    def total(self) -> int:
        """Number of events that stood in the file."""
        return len(self.events) + len(self.refused)


def read_document(data: bytes, *, limit: int = MAX_DOCUMENT) -> ImportedDocument:
    """
    Read a file of EPCIS 2.0 JSON.

    Args:
        data: The file as received.

        limit: Greatest number of bytes taken.

    Raises:
        InputError: the file as a whole cannot be read: the codes of `json_text.read_json`, and
            ``epcis-document`` where it holds no event list.
    """
    value, problems = read_json(data, limit=limit)
    kind, raw_events, raw_context, header = _take_apart(value, problems)
    context = _context(raw_context, Context(prefixes={}), problems)
    events, refused = _events(raw_events, context)
    return ImportedDocument(
        kind=kind,
        context=context,
        events=tuple(events),
        refused=tuple(refused),
        problems=tuple(problems),
        master_data=tuple(_master_data(header, problems)),
    )


def _document_error(message: str) -> InputError:
    return InputError(message, code="epcis-document")


def _take_apart(value: Json, problems: list[str]) -> tuple[str, list[Json], Json, Json]:
    """Kind, event list, context and header of a document in any of its four shapes."""
    if isinstance(value, list):
        return "list", value, None, None
    if not isinstance(value, dict):
        raise _document_error("expected an EPCIS document, an event or a list of events")
    kind = value.get("type", value.get("@type"))
    if "epcisBody" not in value:
        if kind in ("EPCISDocument", "EPCISQueryDocument"):
            raise _document_error(f"the {kind} has no epcisBody")
        if not isinstance(kind, str) or not (value.keys() & {"eventTime", "action", "eventID"}):
            raise _document_error("found neither epcisBody nor an event; is this EPCIS 2.0 JSON?")
        return "event", [value], value.get("@context"), None
    if kind not in ("EPCISDocument", "EPCISQueryDocument"):
        raise _document_error(f"type is {str(kind)[:40]!r}, expected EPCISDocument or EPCISQueryDocument")
    _envelope(value, kind, problems)
    body: Json = value["epcisBody"]
    if kind == "EPCISQueryDocument":
        results = body.get("queryResults") if isinstance(body, dict) else None
        body = results.get("resultsBody") if isinstance(results, dict) else None
    events = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(events, list):
        raise _document_error(f"the {kind} has no eventList")
    return kind, events, value.get("@context"), value.get("epcisHeader")


def _envelope(value: dict[str, Json], kind: str, problems: list[str]) -> None:
    """Faults of the members around the event list; none keeps an event out."""
    if "@context" not in value:
        problems.append("the document has no @context")
    version = value.get("schemaVersion")
    if isinstance(version, str) and not version.startswith("2."):
        problems.append(f"schemaVersion is {version[:20]}, read as EPCIS 2.0")
    for name, needed in (
        ("schemaVersion", kind == "EPCISDocument"),
        ("creationDate", kind == "EPCISDocument"),
    ):
        if needed and name not in value:
            problems.append(f"the document has no {name}")
    if "creationDate" in value and not is_time(value["creationDate"]):
        problems.append("creationDate is no date and time with offset")
    if kind == "EPCISQueryDocument" and "epcisHeader" in value:
        problems.append("an EPCISQueryDocument has no epcisHeader by the standard; it was read all the same")
    known = {
        "@context",
        "id",
        "type",
        "@type",
        "schemaVersion",
        "creationDate",
        "instanceIdentifier",
        "sender",
    }
    known |= {"receiver", "epcisHeader", "epcisBody"}
    problems += [
        f"member {name[:80]!r} of the document is not EPCIS's and is not carried over"
        for name in value
        if name not in known
    ]


def _context(raw: Json, outer: Context, problems: list[str]) -> Context:
    """*outer* with the declarations of *raw* added; what cannot be looked up is said."""
    prefixes, unknown = dict(outer.prefixes), list(outer.unknown)
    for item in raw if isinstance(raw, list) else [] if raw is None else [raw]:
        if isinstance(item, str):
            if item not in CONTEXT_URLS and item not in unknown:
                unknown.append(item)
                problems.append(
                    f"context {item[:120]} is not fetched; names that only it explains have no meaning here"
                )
        elif isinstance(item, dict):
            for name, iri in item.items():
                target = iri.get("@id") if isinstance(iri, dict) else iri
                if isinstance(target, str) and not name.startswith("@"):
                    prefixes[name] = _expand(target, prefixes)
                else:
                    problems.append(f"context entry {name[:40]!r} is no plain prefix and is not carried over")
    return Context(prefixes=prefixes, unknown=tuple(unknown))


def _expand(target: str, prefixes: dict[str, str]) -> str:
    prefix, colon, local = target.partition(":")
    known = prefixes.get(prefix) or PREFIXES.get(prefix)
    return known + local if colon and known and not local.startswith("//") else target


def _events(raw: list[Json], context: Context) -> tuple[list[ForeignEvent], list[Refusal]]:
    events: list[ForeignEvent] = []
    refused: list[Refusal] = []
    equal: Counter[str] = Counter()
    first_with: dict[str, int] = {}
    for position, item in enumerate(raw):
        notes: list[str] = []
        try:
            if not isinstance(item, dict):
                raise InputError("expected an object", code="epcis-invalid")
            own = {name: part for name, part in item.items() if name != "@context"}
            data = to_profile(own, "", notes)
            mine = _context(to_profile(item.get("@context"), "@context", notes), context, notes)
        except InputError as error:
            event_id = item.get("eventID") if isinstance(item, dict) else None
            name = event_id if isinstance(event_id, str) else None
            refused.append(Refusal(position=position, event_id=name, code=error.code, message=str(error)))
            continue
        text = json.dumps(data, sort_keys=True, default=str)
        name = data.get("eventID")
        same = first_with.get(name) if isinstance(name, str) and "errorDeclaration" not in data else None
        if isinstance(name, str):
            first_with.setdefault(name, position)
        events.append(
            ForeignEvent(
                position=position,
                data=data,
                context=mine,
                repeat=equal[text],
                same_id=same,
                notes=tuple(notes),
            )
        )
        equal[text] += 1
    return events, refused


def _master_data(header: Json, problems: list[str]) -> list[MasterData]:
    found: list[MasterData] = []
    inner = header.get("epcisMasterData") if isinstance(header, dict) else None
    vocabularies = inner.get("vocabularyList") if isinstance(inner, dict) else None
    for vocabulary in vocabularies if isinstance(vocabularies, list) else ():
        kind = vocabulary.get("type") if isinstance(vocabulary, dict) else None
        elements = vocabulary.get("vocabularyElementList") if isinstance(vocabulary, dict) else None
        for element in elements if isinstance(elements, list) else ():
            name = element.get("id") if isinstance(element, dict) else None
            if not isinstance(kind, str) or not isinstance(name, str) or not is_uri(name):
                problems.append("a master data element has no type or id and was passed over")
                continue
            found.append(MasterData(kind=kind, id=name, attributes=_attributes(element, problems)))
    return found


def _attributes(element: dict[str, Json], problems: list[str]) -> dict[str, Json]:
    attributes: dict[str, Json] = {}
    listed = element.get("attributes")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            try:
                attributes[item["id"]] = to_profile(item.get("attribute"), item["id"], problems)
            except InputError as error:
                problems.append(f"master data: {error}")
    return attributes


def is_ours(name: str, context: Context) -> bool:
    """Tell whether a member *name* is one of ours, which no foreign event may bring along."""
    prefix = name.partition(":")[0]
    declared = context.prefixes.get(prefix)
    return (prefix == "tl" and declared in (None, TL_IRI)) or declared == TL_IRI or name.startswith(TL_IRI)
