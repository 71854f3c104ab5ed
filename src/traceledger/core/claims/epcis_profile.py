# SPDX-License-Identifier: Apache-2.0
"""
The shape of an event statement of our profile: section 3 of the format specification.

The closed context, the names members may have, the `tl:` members and the table of kinds: what every verifier
asks of an event.  Whether the rest is a valid EPCIS 2.0.1 event is `epcis_schema.validate_epcis`, asked at
admission and never by a verifier.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from traceledger.core.claims.epcis_terms import CONTEXT_URL, PREFIXES, TERMS
from traceledger.errors import VerificationError

TL_IRI: Final = "urn:traceledger:v1:"

EVENT_KINDS: Final[dict[str, tuple[str, str | None] | None]] = {
    **dict.fromkeys(("harvest", "plant", "stock", "input"), ("ObjectEvent", "ADD")),
    **dict.fromkeys(
        (
            *("care", "fertilise", "spray", "feed", "treat-animal", "observe", "sensor", "dispatch"),
            *("receive", "treat", "test", "inspect", "store", "transport"),
        ),
        ("ObjectEvent", "OBSERVE"),
    ),
    "process": ("TransformationEvent", None),
    "pack": ("AggregationEvent", "ADD"),
    "unpack": ("AggregationEvent", "DELETE"),
    **dict.fromkeys(("sell", "destroy"), ("ObjectEvent", "DELETE")),
    "import": None,
}
"""Kind of event → (EPCIS type, action); None where any fits."""

PHI_KINDS: Final = frozenset({"spray", "fertilise"})


def _shape(message: str) -> VerificationError:
    return VerificationError(message, code="statement-shape")


def _open(message: str) -> VerificationError:
    return VerificationError(message, code="context-open")


_ORG = re.compile(r"[a-z0-9][a-z0-9-]{1,31}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_REF = re.compile(r"([^ ]+/)?[0-9a-f]{64}")
_B64H = re.compile(r"[A-Za-z0-9+/]{43}=")
_B64U32 = re.compile(r"[A-Za-z0-9_-]{43}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]*")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_LOCAL = re.compile(r"(?!//)[!-~]+")


def _text(value: object) -> bool:
    return isinstance(value, str)


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _uint(value: object) -> bool:
    return type(value) is int and value >= 0


def _list_of(item: Callable[[object], bool], *, least: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(item, value))


def _head(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and _uint(value[0]) and _matches(_B64H)(value[1])


def _private(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) > 0
        and all(map(_matches(_NAME), value))
        and all(map(_matches(_B64U32), value.values()))
    )


def _file(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"name", "sha256", "size", "type"}
        and _text(value["name"])
        and _matches(_HEX64)(value["sha256"])
        and _uint(value["size"])
        and _text(value["type"])
    )


_REQUIRED: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "eventID": (_text, "a URI"),
    "type": (_text, "an EPCIS event type"),
    "tl:log": (_text, "the origin of the log"),
    "tl:actor": (_matches(_ORG), "an organisation's short name"),
    "tl:kind": (lambda value: isinstance(value, str) and value in EVENT_KINDS, "a known kind of event"),
    "tl:prev": (_list_of(_matches(_REF), least=0), "a list of entry ids"),
    "tl:seen": (_head, "[size, root]"),
}

_OPTIONAL: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "tl:private": (_private, "an object of commitments"),
    "tl:evidence": (_list_of(_file, least=1), "a list of {name, sha256, size, type}"),
    "tl:for": (_text, "a text"),
    "tl:demo": (lambda value: value is True, "true"),
    "tl:codes": (_list_of(_text, least=1), "a list of codes"),
    "tl:phi": (_uint, "a whole number of days"),
}

TL_MEMBERS: Final = frozenset(name for name in (*_REQUIRED, *_OPTIONAL) if name.startswith("tl:"))
"""The eleven members of ours that an event may have, at its top level only."""

_CLOSED: Final = (TL_IRI, *PREFIXES.values())
_FOREIGN: Final = frozenset({"cbvmda", "gs1", "rdfs"})


def check_event(statement: object) -> None:
    """
    Check that *statement* has the shape of an event of our profile.

    Total and deterministic: any JSON value either passes or raises `VerificationError`.  Not asked here:
    EPCIS validity, the order of ``tl:prev``, the log's name, NFC.

    Raises:
        VerificationError: code ``context-open`` (the context, or a member name it does not pin),
            ``statement-shape`` (a missing or ill-formed member, ``recordTime``) or ``kind-mismatch``.
    """
    if not isinstance(statement, dict):
        raise _shape("expected an event object")
    prefixes = _check_context(statement.get("@context"))
    for name, (test, said) in _REQUIRED.items():
        if name not in statement:
            raise _shape(f"expected member {name}: {said}")
        if not test(statement[name]):
            raise _shape(f"expected {name} to be {said}")
    for name, (test, said) in _OPTIONAL.items():
        if name in statement and not test(statement[name]):
            raise _shape(f"expected {name} to be {said}")
    if "recordTime" in statement:
        raise _shape("recordTime is set by no signer; leave it out, the log keeps its own time")
    _check_names(statement, prefixes)
    _check_kind(statement)


def _check_context(context: object) -> set[str]:
    """The prefixes an event's own context declares, besides ``tl``."""
    if not isinstance(context, list) or len(context) != 2 or context[0] != CONTEXT_URL:
        raise _open(f"expected @context [{CONTEXT_URL}, prefixes], exactly two items")
    declared = context[1]
    if not isinstance(declared, dict) or declared.get("tl") != TL_IRI:
        raise _open(f'expected the second context item to hold "tl": "{TL_IRI}"')
    for prefix, iri in declared.items():
        if prefix != "tl":
            problem = prefix_problem(prefix, iri)
            if problem:
                raise _open(problem)
    return declared.keys() - {"tl"}


def prefix_problem(prefix: object, iri: object) -> str | None:
    """Say why *prefix* may not be declared for *iri* in an event's context, or None."""
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix):
        return f"prefix {str(prefix)[:40]!r} is no plain name"
    if prefix in TERMS or prefix == "tl":
        return f"prefix {prefix} is a term of the EPCIS context"
    return iri_problem(iri)


def iri_problem(iri: object) -> str | None:
    """Say why no prefix at all may be declared for *iri*, or None."""
    if not isinstance(iri, str) or not _IRI.fullmatch(iri):
        return f"expected a prefix to stand for an absolute IRI, got {str(iri)[:80]!r}"
    for closed in _CLOSED:
        if iri.startswith(closed) or closed.startswith(iri):
            return f"a prefix reaches into {closed}, whose names are fixed"
    return None


def _check_names(statement: dict[str, Any], prefixes: set[str]) -> None:
    known = prefixes | _FOREIGN
    pending: list[object] = []
    for name, value in statement.items():
        if name == "@context":
            continue
        if name[:3] == "tl:":
            if name not in TL_MEMBERS:
                raise _open(f"member {name[:80]!r} is none of the tl: members")
            continue
        if name not in TERMS:
            _check_prefixed(name, known)
        if isinstance(value, dict | list):
            pending.append(value)
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            for name in value:
                if name not in TERMS:
                    _check_prefixed(name, known)
            value = list(value.values())
        pending.extend(part for part in value if isinstance(part, dict | list))


def _check_prefixed(name: object, known: set[str]) -> None:
    prefix, colon, local = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not colon or prefix not in known or not _LOCAL.fullmatch(local):
        raise _open(f"member name {str(name)[:80]!r} is neither a term of EPCIS nor under a declared prefix")


def _check_kind(statement: dict[str, Any]) -> None:
    kind = statement["tl:kind"]
    if "tl:phi" in statement and kind not in PHI_KINDS:
        raise VerificationError(f"tl:phi belongs on spray and fertilise, not on {kind}", code="kind-mismatch")
    expected = EVENT_KINDS[kind]
    if expected is None:
        return
    got = (statement["type"], statement.get("action"))
    if got != expected:
        want = " ".join(filter(None, expected))
        found = " ".join(str(part) for part in got if part is not None)[:80]
        raise VerificationError(f"kind {kind} is an {want}, got {found}", code="kind-mismatch")
