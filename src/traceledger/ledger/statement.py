# SPDX-License-Identifier: Apache-2.0
"""
Read a statement that somebody wrote by hand, and fill in what it leaves to the tools.
"""

import uuid

from traceledger.core.claims.identifiers import problems
from traceledger.core.claims.records import DATA
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.envelope import MAX_STATEMENT
from traceledger.errors import InputError
from traceledger.exchange.epcis_translate import check_identifiers
from traceledger.exchange.json_text import read_json, to_profile
from traceledger.ledger import compose
from traceledger.store.database import Database


def family_of(statement: dict[str, Json]) -> str:
    """Return the family of a statement by an actor key: event, or the one that has its kind."""
    if "type" in statement:
        return "event"
    for family, kinds in DATA.items():
        if statement.get("kind") in kinds:
            return family
    raise InputError(f"no family has the kind {statement.get('kind')!r}", code="kind-mismatch")


def _check_identifiers(value: dict[str, Json]) -> None:
    """What others sent may be wrong and is only warned of; what is signed here names nothing by a wrong number."""
    if "type" in value:
        check_identifiers(value, [], report=False)
    about = value.get("about")
    for name in about if isinstance(about, list) else []:
        for problem in problems(name) if isinstance(name, str) else []:
            raise InputError(f"{name[:120]}: {problem}", code="identifier", where="about")


def fill_in(
    database: Database, origin: str, data: bytes, *, actor: str, kind: str | None, demo: bool
) -> dict[str, Json]:
    """
    Return the complete statement in *data*.

    A complete one (it names its log) is returned as it is; an event without ``tl:`` members, or a record with
    kind, about and data only, gets log, actor, prev and seen, and an event without eventID a fresh one.

    Raises:
        InputError: not a JSON object, no kind is given, or ``identifier``: a wrong check digit or length.
    """
    value = to_profile(read_json(data, limit=MAX_STATEMENT)[0], "", [])
    if not isinstance(value, dict):
        raise InputError("expected a JSON object: an event or a record", code="statement-shape")
    _check_identifiers(value)
    if "tl:log" in value or "log" in value:
        return value
    if "type" in value:
        chosen = kind or value.pop("tl:kind", None)
        if not isinstance(chosen, str):
            raise InputError(
                "say what kind of event it is: --kind harvest, spray, dispatch, …", code="kind-mismatch"
            )
        extra = {name.removeprefix("tl:"): value.pop(name) for name in list(value) if name.startswith("tl:")}
        context = value.pop("@context", [])
        if isinstance(context, list) and len(context) == 2 and isinstance(context[1], dict):
            extra["@context"] = context[1]
        value.setdefault("eventID", f"urn:uuid:{uuid.uuid4()}")
        return compose.event(database, origin, kind=chosen, actor=actor, members=value, demo=demo, more=extra)
    if not {"kind", "about", "data"} <= value.keys():
        raise InputError(
            "expected an EPCIS event with type, or a record with kind, about and data", code="statement-shape"
        )
    more = {name: value[name] for name in ("private", "evidence", "for") if name in value}
    return compose.record(
        database,
        origin,
        family=family_of(value),
        kind=value["kind"],
        actor=actor,
        about=value["about"],
        data=value["data"],
        demo=demo,
        more=more,
    )
