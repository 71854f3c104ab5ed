# SPDX-License-Identifier: Apache-2.0
"""
Compose statements: fill in what a writer owes the log (its name, the newest entries followed, the head seen).

Section 3 of the format specification: writers name the newest entry they know for every subject.  Composing
signs nothing; the draft is shown, then signed, then submitted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from traceledger.core.claims import epcis, records
from traceledger.core.claims.epcis_terms import CONTEXT_URL
from traceledger.core.claims.identifiers import canonical
from traceledger.core.log.entry import Head
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64encode
from traceledger.store import log as stored
from traceledger.store.database import Database


def head_seen(database: Database) -> Head:
    """Return (size, root) as of now, for ``seen``."""
    with database.read() as connection:
        head = stored.read_head(connection)
    return head.size, head.root


def newest(database: Database, subjects: Sequence[str]) -> list[str]:
    """Return the ids of the newest entries that touch *subjects*, ascending, each once."""
    with database.read() as connection:
        return sorted(set(stored.newest_ids(connection, subjects).values()))


def record(
    database: Database,
    origin: str,
    *,
    family: str,
    kind: str,
    actor: str,
    about: Sequence[str],
    data: Mapping[str, Json],
    demo: bool = False,
    more: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """Compose a record; *more* gives ``private``, ``evidence`` or ``for``."""
    subjects = [canonical(subject) for subject in about]
    if family == "stamps" and kind != "open" and kind != "issue":
        subjects.append(records.roll_uri(str(data["roll"])))
    size, root = head_seen(database)
    prev = [] if kind in ("issue", "index") else newest(database, subjects)
    statement: dict[str, Json] = {
        "v": 1,
        "log": origin,
        "actor": actor,
        "kind": kind,
        "about": list(about),
        "prev": prev,
        "seen": [size, b64encode(root)],
        "data": dict(data),
        **(more or {}),
    }
    if demo:
        statement["demo"] = True
    return statement


def event(
    database: Database,
    origin: str,
    *,
    kind: str,
    actor: str,
    members: Mapping[str, Any],
    demo: bool = False,
    more: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """
    Compose an event from its EPCIS *members*.

    Args:
        more: Further ``tl:`` members by their short name, and ``@context`` for further prefixes.
    """
    extra = dict(more or {})
    prefixes = {"tl": epcis.TL_IRI, **extra.pop("@context", {})}
    size, root = head_seen(database)
    statement: dict[str, Json] = {
        "@context": [CONTEXT_URL, prefixes],
        **members,
        "tl:log": origin,
        "tl:actor": actor,
        "tl:kind": kind,
        "tl:prev": [],
        "tl:seen": [size, b64encode(root)],
        **{f"tl:{name}": value for name, value in extra.items()},
    }
    if demo:
        statement["tl:demo"] = True
    statement["tl:prev"] = newest(database, epcis.subjects(statement))
    return statement
