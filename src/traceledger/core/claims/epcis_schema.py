# SPDX-License-Identifier: Apache-2.0
"""
Whether an event is a valid EPCIS 2.0.1 event: our own reading of the standard, GS1's schema is the test oracle.

Beside what GS1's JSON schema says, four rules of the standard that the schema cannot or does not say are
asked for and marked `beyond_schema`: a parent for an aggregation that is added or deleted, no sensor member
given both for the element and for a report, times in order, and the shape of persistentDisposition
everywhere.  Identifiers are looked at as URIs only; check digits are the business of `identifiers`.
"""

import re
from decimal import Decimal
from typing import Any, Final

from traceledger.core.claims import epcis_words as words
from traceledger.core.claims.epcis_checks import (
    Check,
    Problem,
    array,
    either,
    instant,
    is_nfc,
    is_text_uri,
    is_time,
    is_uri,
    object_of,
    pattern,
    scalar,
)

__all__ = ["Problem", "is_nfc", "is_time", "is_uri", "member_names", "validate_epcis"]

_OLD_CBV = re.compile(r"urn:epcglobal:cbv|https?://ns\.gs1\.org/cbv/")
_GS1_VOC = re.compile(r"https?://(www\.)?gs1\.org/voc/")


def _vocabulary(known: frozenset[str], refused: re.Pattern[str], name: str) -> Check:
    def test(value: object) -> bool:
        return isinstance(value, str) and (value in known or (is_uri(value) and not refused.match(value)))

    return scalar(test, f"a bare word of {name}, or a URI outside GS1's own vocabulary")


_uri: Final = scalar(is_text_uri, "a URI")
_time: Final = scalar(is_time, "a date and time with offset such as 2026-11-20T06:30:00+07:00")
_number: Final = scalar(lambda v: isinstance(v, int | Decimal) and not isinstance(v, bool), "a number")
_text: Final = scalar(lambda v: isinstance(v, str), "a text")
_boolean: Final = scalar(lambda v: isinstance(v, bool), "true or false")
_offset: Final = scalar(pattern(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)"), "an offset such as +07:00")
_uom: Final = scalar(pattern(r"[A-Z0-9]{2,3}"), "a unit of UN/ECE Rec 20 such as KGM")
_hex: Final = scalar(pattern(r"[0-9A-Fa-f]+"), "hexadecimal digits")
_action: Final = scalar(lambda v: v in ("ADD", "OBSERVE", "DELETE"), "ADD, OBSERVE or DELETE")
_biz_step: Final = _vocabulary(words.BIZ_STEPS, _OLD_CBV, "the business steps")
_disposition: Final = _vocabulary(words.DISPOSITIONS, _OLD_CBV, "the dispositions")
_transaction: Final = _vocabulary(words.TRANSACTION_TYPES, _OLD_CBV, "the transaction types")
_party: Final = _vocabulary(words.PARTY_TYPES, _OLD_CBV, "the source and destination types")
_reason: Final = _vocabulary(words.ERROR_REASONS, _OLD_CBV, "the error reasons")
_component: Final = _vocabulary(words.COMPONENTS, _OLD_CBV, "the components")
_measurement: Final = _vocabulary(words.MEASUREMENTS, _GS1_VOC, "the measurement types")
_alert: Final = _vocabulary(words.SENSOR_ALERTS, _GS1_VOC, "the sensor alerts")


_anything: Final = scalar(lambda _: True, "anything")
_uris: Final = array(_uri)
_certification: Final = either(lambda v: isinstance(v, list), _uris, _uri)
_context_item: Final = either(lambda v: isinstance(v, dict), _anything, _uri)
_context: Final = either(lambda v: isinstance(v, list), array(_context_item, unique=True), _context_item)
_quantities: Final = array(object_of({"epcClass": _uri, "quantity": _number, "uom": _uom}, ("epcClass",)))
_transactions: Final = array(object_of({"type": _transaction, "bizTransaction": _uri}, ("bizTransaction",)))
_place: Final = object_of({"id": _uri}, ("id",), others="any")
_persistent_list: Final = array(_disposition, least=1, unique=True)
_persistent_members: Final = object_of({"set": _persistent_list, "unset": _persistent_list})

_SHARED_SENSOR: Final[dict[str, Check]] = {
    "time": _time,
    **dict.fromkeys(("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"), _uri),
}
_metadata: Final = object_of({**_SHARED_SENSOR, "startTime": _time, "endTime": _time}, others="uri")
_report: Final = object_of(
    {
        **_SHARED_SENSOR,
        **dict.fromkeys(
            ("microorganism", "chemicalSubstance", "coordinateReferenceSystem", "uriValue"), _uri
        ),
        **dict.fromkeys(
            ("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), _number
        ),
        "type": _measurement,
        "exception": _alert,
        "component": _component,
        "stringValue": _text,
        "booleanValue": _boolean,
        "hexBinaryValue": _hex,
        "uom": _text,
    },
    ("type",),
    others="uri",
)
_sensor_members: Final = object_of(
    {"sensorMetadata": _metadata, "sensorReport": array(_report, least=1)}, ("sensorReport",), others="uri"
)


def _persistent(value: object, path: str, found: list[Problem]) -> None:
    _persistent_members(value, path, found)
    if isinstance(value, dict) and not value.keys() & {"set", "unset"}:
        found.append(Problem(path=path, message="expected set, unset or both"))


def _persistent_elsewhere(value: object, path: str, found: list[Problem]) -> None:
    mine: list[Problem] = []
    _persistent(value, path, mine)
    found += [Problem(path=p.path, message=p.message, beyond_schema=True) for p in mine]


def _sensor(value: object, path: str, found: list[Problem]) -> None:
    _sensor_members(value, path, found)
    if not isinstance(value, dict) or not isinstance(value.get("sensorMetadata"), dict):
        return
    metadata, reports = value["sensorMetadata"], value.get("sensorReport")
    # EPCIS 2.0 sensorReport: what holds for all reports stands in the metadata, else in each report
    for position, report in enumerate(reports if isinstance(reports, list) else ()):
        for name in (
            _SHARED_SENSOR.keys() & metadata.keys() & (report if isinstance(report, dict) else {}).keys()
        ):
            where = f"{path}.sensorReport[{position}].{name}"
            message = "stands in sensorMetadata already; keep one of the two"
            found.append(Problem(path=where, message=message, beyond_schema=True))
    start, end = instant(metadata.get("startTime")), instant(metadata.get("endTime"))
    if start is not None and end is not None and start > end:
        where = f"{path}.sensorMetadata.endTime"
        found.append(Problem(path=where, message="ends before startTime", beyond_schema=True))


# --- events -------------------------------------------------------------------------------------------

_COMMON: Final[dict[str, Check]] = {
    "@context": _context,
    "eventTime": _time,
    "recordTime": _time,
    "eventTimeZoneOffset": _offset,
    "eventID": _uri,
    "certificationInfo": _certification,
    "errorDeclaration": object_of(
        {"declarationTime": _time, "reason": _reason, "correctiveEventIDs": _uris},
        ("declarationTime",),
        others="uri",
    ),
}
_BUSINESS: Final[dict[str, Check]] = {
    **_COMMON,
    "type": _anything,
    "bizStep": _biz_step,
    "disposition": _disposition,
    "readPoint": _place,
    "bizLocation": _place,
    "bizTransactionList": _transactions,
    "sourceList": array(object_of({"type": _party, "source": _uri}, ("type", "source"))),
    "destinationList": array(object_of({"type": _party, "destination": _uri}, ("type", "destination"))),
    "sensorElementList": array(_sensor),
}


def _ilmd(value: object, path: str, found: list[Problem]) -> None:
    object_of({}, others="uri")(value, path, found)


_CHILDREN: Final[dict[str, Check]] = {"parentID": _uri, "childEPCs": _uris, "childQuantityList": _quantities}
_TIMED: Final = ("eventTime", "eventTimeZoneOffset")

_MEMBERS: Final[dict[str, tuple[dict[str, Check], tuple[str, ...]]]] = {
    "ObjectEvent": (
        {
            **_BUSINESS,
            "action": _action,
            "epcList": array(_uri, unique=True),
            "quantityList": _quantities,
            "persistentDisposition": _persistent,
            "ilmd": _ilmd,
        },
        ("action",),
    ),
    "AggregationEvent": (
        {**_BUSINESS, **_CHILDREN, "action": _action, "persistentDisposition": _persistent_elsewhere},
        ("action",),
    ),
    "AssociationEvent": (
        {**_BUSINESS, **_CHILDREN, "action": _action, "persistentDisposition": _persistent_elsewhere},
        ("action", "parentID"),
    ),
    "TransactionEvent": (
        {
            **_BUSINESS,
            "action": _action,
            "parentID": _uri,
            "epcList": _uris,
            "quantityList": _quantities,
            "persistentDisposition": _persistent_elsewhere,
        },
        ("action", "bizTransactionList"),
    ),
    "TransformationEvent": (
        {
            **_BUSINESS,
            "inputEPCList": array(_uri, unique=True),
            "inputQuantityList": _quantities,
            "outputEPCList": array(_uri, unique=True),
            "outputQuantityList": _quantities,
            "transformationID": _uri,
            "persistentDisposition": _persistent,
            "ilmd": _ilmd,
        },
        (),
    ),
}
_EVENTS: Final = {
    kind: object_of(members, (*required, *_TIMED), others="uri")
    for kind, (members, required) in _MEMBERS.items()
}
_extended: Final = object_of({**_COMMON, "type": _uri}, ("type", *_TIMED), others="any")


def member_names(kind: object) -> frozenset[str] | None:
    """Bare names that an event of type *kind* may have at its top level; None for a type not EPCIS's own."""
    known = _MEMBERS.get(kind) if isinstance(kind, str) else None
    return frozenset(known[0]) if known else None


def _filled(event: dict[str, Any], *names: str) -> bool:
    return any(isinstance(event.get(name), list) and event[name] for name in names)


def _what(event: dict[str, Any], found: list[Problem]) -> None:
    """The rules across members: which goods an event of each type must name."""
    action = event.get("action")

    def say(path: str, message: str, *, beyond: bool = False) -> None:
        found.append(Problem(path=path, message=message, beyond_schema=beyond))

    match event.get("type"):
        case "ObjectEvent":
            sensed = _filled(event, "sensorElementList") and "readPoint" in event
            if "epcList" not in event and not _filled(event, "quantityList") and not sensed:
                say("", "expected epcList, quantityList, or sensorElementList with readPoint")
            if "ilmd" in event and action != "ADD":
                say("ilmd", "is allowed with action ADD only")
        case "AggregationEvent" | "AssociationEvent" as kind:
            if action != "DELETE" and not _filled(event, "childEPCs", "childQuantityList"):
                say("", "expected childEPCs or childQuantityList")
            if kind == "AggregationEvent" and action in ("ADD", "DELETE") and "parentID" not in event:
                say(
                    "parentID",
                    f"is missing; an aggregation with action {action} names its parent",
                    beyond=True,
                )
        case "TransactionEvent":
            if "bizTransactionList" in event and not _filled(event, "bizTransactionList"):
                say("bizTransactionList", "expected at least 1")
            if action != "DELETE" and "epcList" not in event and not _filled(event, "quantityList"):
                say("", "expected epcList or quantityList")
        case "TransformationEvent":
            inputs = _filled(event, "inputEPCList", "inputQuantityList")
            outputs = _filled(event, "outputEPCList", "outputQuantityList")
            if not (inputs and outputs) and not ("transformationID" in event and (inputs or outputs)):
                say("", "expected inputs and outputs, or a transformationID with one of them")


def validate_epcis(event: object, *, bare: bool = True, strict: bool = False) -> list[Problem]:
    """
    List what keeps *event* from being a valid EPCIS 2.0.1 event; empty if nothing.

    Our ``tl:`` members are extensions like any other and are not looked into.

    Args:
        event: The event; numbers are int or Decimal.

        bare: True for an event on its own, which needs its ``@context``; False inside a document.

        strict: True to add the faults marked `Problem.beyond_schema`.  GS1's own examples commit some of
            them, so admission does not ask for these; our own forms do.
    """
    if not isinstance(event, dict):
        return [Problem(path="", message="expected an object")]
    found: list[Problem] = []
    kind = event.get("type")
    if bare and "@context" not in event:
        found.append(Problem(path="@context", message="is missing"))
    test = _EVENTS.get(kind) if isinstance(kind, str) else None
    (test or _extended)(event, "", found)
    if test:
        _what(event, found)
    return found if strict else [problem for problem in found if not problem.beyond_schema]
