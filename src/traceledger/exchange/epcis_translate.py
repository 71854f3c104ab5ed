# SPDX-License-Identifier: Apache-2.0
"""
A foreign EPCIS event as an event statement of ours, of kind `import`.

What changes is only what our profile fixes: the context and the spelling of member names (`epcis_names`),
recordTime (the log keeps its own), a missing eventID.  Identifiers, amounts and extension values stay as they
came; the original file is named as hashed evidence.  A strict import refuses what is no valid EPCIS 2.0.1, a
report import also mends what can be mended without guessing and says so.  Nothing is signed here.
"""

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from traceledger.core.claims.epcis import TL_IRI, check_event, subjects, validate_epcis
from traceledger.core.claims.epcis_schema import is_time, is_uri, member_names
from traceledger.core.claims.epcis_terms import CONTEXT_URL
from traceledger.core.claims.identifiers import problems as identifier_problems
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.errors import InputError, VerificationError
from traceledger.exchange.epcis_json import ForeignEvent, ImportedDocument, Refusal
from traceledger.exchange.epcis_names import EXT_IRI, Names

MAX_STATEMENT: Final = 16_384

_IDS: Final = uuid.uuid5(uuid.NAMESPACE_URL, EXT_IRI)
_SEEN_BYTES: Final = 100
_REF_BYTES: Final = 67


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """
    What one foreign event becomes.

    Attributes:
        position: Its place in the document.

        drafts: Statements without ``tl:prev`` and ``tl:seen``, one unless a long list had to be split;
            `complete` adds the two when the draft is about to be signed.

        notes: What was changed, mended or is doubtful, in sentences.
    """

    position: int
    drafts: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A whole document translated: every event is in *taken* or in *refused*."""

    taken: tuple[Translation, ...]
    refused: tuple[Refusal, ...]
    problems: tuple[str, ...]


def evidence_of(name: str, data: bytes, media_type: str) -> dict[str, Any]:
    """The ``tl:evidence`` item that names the bytes of a file; *name* is brought to NFC, as some systems store NFD."""
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    return {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "type": media_type}


def complete(draft: dict[str, Any], *, prev: Sequence[str], seen: tuple[int, str]) -> dict[str, Any]:
    """
    The statement ready to sign.

    Args:
        draft: One of `Translation.drafts`.

        prev: Ids of the newest entries known for its subjects, any order.

        seen: Size and base64 root of the checkpoint last seen.
    """
    return {**draft, "tl:prev": sorted(set(prev)), "tl:seen": list(seen)}


def translate_document(
    document: ImportedDocument,
    *,
    log: str,
    actor: str,
    evidence: Sequence[dict[str, Any]],
    demo: bool = False,
    report: bool = False,
) -> Import:
    """
    Translate every event of *document*; those that cannot be are named among the refused.

    Arguments as for `translate`.
    """
    taken: list[Translation] = []
    refused = list(document.refused)
    for event in document.events:
        try:
            taken.append(translate(event, log=log, actor=actor, evidence=evidence, demo=demo, report=report))
        except InputError as error:
            refused.append(
                Refusal(position=event.position, event_id=event.event_id, code=error.code, message=str(error))
            )
    refused.sort(key=lambda refusal: refusal.position)
    return Import(taken=tuple(taken), refused=tuple(refused), problems=document.problems)


def translate(
    event: ForeignEvent,
    *,
    log: str,
    actor: str,
    evidence: Sequence[dict[str, Any]],
    demo: bool = False,
    report: bool = False,
) -> Translation:
    """
    Translate one foreign event.

    Args:
        event: As read by `read_document`.

        log: Origin of our log.

        actor: Short name of the organisation that will sign.

        evidence: ``tl:evidence`` items, the original file at least; may be empty.

        demo: True to tag the statements as demonstration data.

        report: True to mend and warn, False to take only valid EPCIS that our profile can express.

    Raises:
        InputError: code ``context-open``, ``epcis-invalid``, ``identifier``, ``event-id``, ``too-large`` or
            ``json-depth``; the message says what to mend.
    """
    notes = list(event.notes)
    data = dict(event.data)
    if report:
        _mend(data, notes)
    _drop_record_time(data, notes)
    _same_id(event, notes, report=report)
    names = Names(event.context, report=report)
    data = names.convert(data, "", allowed=_allowed(data, report=report))
    notes += names.notes
    _give_id(data, event, notes, report=report)
    check_identifiers(data, notes, report=report)
    data["@context"] = [CONTEXT_URL, {"tl": TL_IRI, **names.declared}]
    found = validate_epcis(data)
    if found:
        said = "; ".join(f"{problem.path or 'event'} {problem.message}" for problem in found[:5])
        raise InputError(f"not valid EPCIS 2.0.1: {said}", code="epcis-invalid")
    notes += [f"{p.path}: {p.message}" for p in validate_epcis(data, strict=True)]
    data |= {"tl:log": log, "tl:actor": actor, "tl:kind": "import"}
    if evidence:
        data["tl:evidence"] = list(evidence)
    if demo:
        data["tl:demo"] = True
    drafts = _split(data, notes)
    for draft in drafts:
        _check(draft)
    return Translation(position=event.position, drafts=tuple(drafts), notes=tuple(notes))


def _check(draft: dict[str, Any]) -> None:
    try:
        check_event(complete(draft, prev=(), seen=(0, "A" * 43 + "=")))
        canonical_bytes(draft)
    except VerificationError as error:
        raise InputError(error.message, code=error.code, where=error.where) from error


# --- mending ------------------------------------------------------------------------------------------

_OLD_WORDS: Final = re.compile(
    r"urn:epcglobal:cbv:(?:bizstep|disp|btt|sdt|er):(\w+)"
    r"|https?://ns\.gs1\.org/cbv/(?:BizStep|Disp|BTT|SDT|ER)-(\w+)"
    r"|(?:https?://ref\.gs1\.org/cbv/|cbv:)(?:BizStep|Disp|BTT|SDT|ER)-(\w+)"
)
_LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?")
_WITH_OFFSET = re.compile(r".*([+-][0-9]{2}:[0-9]{2})")
_OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}")
_MAY_BE_LEFT_OUT: Final = frozenset({"transformationID", "bizStep", "disposition", "eventID", "parentID"})


def _mend(data: dict[str, Any], notes: list[str]) -> None:
    """Mend, in a report import, what has one reading only; every change is noted."""
    for name in sorted(_MAY_BE_LEFT_OUT & data.keys()):
        if data[name] == "":
            del data[name]
            notes.append(f"{name}: was empty and was left out")
    _mend_time(data, notes)
    for name in ("bizStep", "disposition"):
        if name in data:
            data[name] = _bare_word(data[name], name, notes)
    for name in ("bizTransactionList", "sourceList", "destinationList"):
        items = data.get(name)
        if isinstance(items, list):
            data[name] = [
                {**item, "type": _bare_word(item["type"], f"{name}[{i}].type", notes)}
                if isinstance(item, dict) and "type" in item
                else item
                for i, item in enumerate(items)
            ]


def _bare_word(value: Any, path: str, notes: list[str]) -> Any:
    match = _OLD_WORDS.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return value
    word = match[1] or match[2] or match[3]
    notes.append(f"{path}: {value} is written {word} in EPCIS 2.0")
    return word


def _mend_time(data: dict[str, Any], notes: list[str]) -> None:
    time, offset = data.get("eventTime"), data.get("eventTimeZoneOffset")
    if not isinstance(time, str):
        return
    if _LOCAL_TIME.fullmatch(time) and isinstance(offset, str) and _OFFSET.fullmatch(offset):
        data["eventTime"] = time + offset
        notes.append(f"eventTime: had no offset; read in its eventTimeZoneOffset {offset}")
    elif offset is None and is_time(time):
        match = _WITH_OFFSET.fullmatch(time)
        data["eventTimeZoneOffset"] = match[1] if match else "+00:00"
        notes.append("eventTimeZoneOffset: was missing; taken from eventTime")


def _drop_record_time(data: dict[str, Any], notes: list[str]) -> None:
    if "recordTime" in data:
        notes.append(
            f"recordTime {str(data.pop('recordTime'))[:40]}: left out, it is another system's; see evidence"
        )


def _allowed(data: dict[str, Any], *, report: bool) -> frozenset[str] | None:
    allowed = member_names(data.get("type", data.get("@type")))
    if allowed is not None and report and data.get("type") == "ObjectEvent" and data.get("action") != "ADD":
        return allowed - {"ilmd"}  # EPCIS allows ilmd on ADD only; elsewhere it is kept as an extension
    return allowed


def _same_id(event: ForeignEvent, notes: list[str], *, report: bool) -> None:
    if event.same_id is None:
        return
    said = f"eventID is that of event {event.same_id} of the file, and this is no error declaration"
    if not report:
        raise InputError(said, code="event-id", where="eventID")
    notes.append(f"eventID: {said}")


def _give_id(data: dict[str, Any], event: ForeignEvent, notes: list[str], *, report: bool) -> None:
    name = data.get("eventID")
    if isinstance(name, str) and is_uri(name):
        return
    if name is not None and report:
        data.pop("eventID")
        mended = _as_uuid(name)
        notes.append(
            f"eventID {str(name)[:60]!r} is no URI; " + ("read as UUID" if mended else "a new one was made")
        )
        if mended:
            data["eventID"] = mended
            return
    elif name is not None:
        return  # the validator says what is wrong with it
    try:
        body = canonical_bytes(data)
    except VerificationError as error:
        raise InputError(error.message, code=error.code) from error
    # The same file imported again gives the same id; equal events within a file stay apart.
    seed = body.decode() + (f"#{event.repeat}" if event.repeat else "")
    data["eventID"] = f"urn:uuid:{uuid.uuid5(_IDS, seed)}"
    if name is None:
        notes.append("eventID: was missing; made from the event's own bytes")


def _as_uuid(name: object) -> str | None:
    if not isinstance(name, str) or not re.fullmatch(
        r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", name
    ):
        return None
    return f"urn:uuid:{name.lower()}"


# --- identifiers --------------------------------------------------------------------------------------

_GOODS_AND_PLACES: Final = frozenset(
    {
        *("epcList", "quantityList", "parentID", "childEPCs", "childQuantityList", "inputEPCList"),
        *("inputQuantityList", "outputEPCList", "outputQuantityList", "readPoint", "bizLocation"),
        *("sourceList", "destinationList"),
    }
)


def check_identifiers(data: dict[str, Any], notes: list[str], *, report: bool) -> None:
    """
    Warn about every malformed GS1 identifier of the event.

    A strict import refuses one that names goods, a place or a party; of others (devices, papers) it warns too.
    """

    def look(value: Any, path: str, *, essential: bool) -> None:
        if isinstance(value, dict):
            for name, part in value.items():
                look(part, f"{path}.{name}", essential=essential)
        elif isinstance(value, list):
            for i, part in enumerate(value):
                look(part, f"{path}[{i}]", essential=essential)
        elif isinstance(value, str):
            for problem in identifier_problems(value):
                if essential and not report:
                    raise InputError(f"{value[:120]}: {problem}", code="identifier", where=path)
                notes.append(f"{path}: {value[:120]}: {problem}")

    for name, part in data.items():
        look(part, name, essential=name in _GOODS_AND_PLACES)


# --- splitting ----------------------------------------------------------------------------------------

_SPLIT: Final = {
    "ObjectEvent": ("epcList", "quantityList"),
    "TransactionEvent": ("epcList", "quantityList"),
    "AggregationEvent": ("childEPCs", "childQuantityList"),
    "AssociationEvent": ("childEPCs", "childQuantityList"),
}


def _size(draft: dict[str, Any]) -> int:
    """Bytes of the statement when signed, the greatest ``tl:prev`` its writer may add included."""
    try:
        body = len(canonical_bytes(draft))
    except VerificationError as error:
        raise InputError(error.message, code=error.code) from error
    return body + _SEEN_BYTES + _REF_BYTES * len(subjects(draft))


def _split(data: dict[str, Any], notes: list[str]) -> list[dict[str, Any]]:
    """*data* itself, or several events whose lists add up to its lists."""
    size = _size(data)
    if size <= MAX_STATEMENT:
        return [data]
    kind = data["type"]
    lists = _SPLIT.get(kind, ())
    if not lists:
        message = (
            f"the event takes {size} bytes of {MAX_STATEMENT}, and a {kind} cannot be split without losing"
        )
        raise InputError(f"{message} which input went into which output", code="too-large")
    fixed = {name: part for name, part in data.items() if name not in lists}
    items = [(name, item) for name in lists for item in data.get(name, ())]
    parts, first = _fill(fixed, items, lists), data["eventID"]
    for number, part in enumerate(parts[1:], start=2):
        part["eventID"] = f"urn:uuid:{uuid.uuid5(_IDS, f'{first}#part{number}')}"
    notes.append(
        f"the event was too long for one statement and was split into {len(parts)}, each with its own id"
    )
    return parts


def _fill(
    fixed: dict[str, Any], items: list[tuple[str, Any]], lists: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Cut *items* into runs that fit beside the *fixed* members."""

    def build(run: list[tuple[str, Any]]) -> dict[str, Any]:
        grouped = {name: [item for of, item in run if of == name] for name in lists}
        return {**fixed, **{name: group for name, group in grouped.items() if group}}

    room = MAX_STATEMENT - _size(build([])) - 64  # names and brackets of two lists
    parts: list[dict[str, Any]] = []
    run: list[tuple[str, Any]] = []
    used = 0
    for entry in items:
        cost = len(canonical_bytes(entry[1])) + 1 + _REF_BYTES
        if cost > room:
            raise InputError("the event is too long even with one item of its list", code="too-large")
        if used + cost > room:
            parts.append(build(run))
            run, used = [], 0
        run.append(entry)
        used += cost
    parts.append(build(run))
    return parts
