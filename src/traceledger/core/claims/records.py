# SPDX-License-Identifier: Apache-2.0
"""
Shapes of all statements but events: records by actor keys and statements of the registry.

Sections 3 to 5 of the format specification; `formats.cddl` says the same in CDDL.  A shape is a table from
member name to a test; a name ending in "?" may be absent, any name not listed is refused.  Whether the signer
may say it is `judge.admission`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from traceledger.core.claims.identifiers import gln_uri, gtin_uri
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64decode, b64u_decode
from traceledger.errors import InputError, VerificationError

Test = Callable[[Json], bool]
Shape = Mapping[str, Test]

ORG = re.compile(r"[a-z0-9][a-z0-9-]{1,31}")
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
ROLL = re.compile(r"([a-z0-9][a-z0-9-]{1,31})/[A-Z0-9-]{1,16}")
REF = re.compile(r"([^ ]+/)?[0-9a-f]{64}")
CUSTODIES: Final = ("device", "file", "custodial")
ROLES: Final = ("authority", "certifier", "operator")
CODE_PREFIX: Final = "urn:traceledger:v1:code:"
ROLL_PREFIX: Final = "urn:traceledger:v1:roll:"

_HEX64 = re.compile(r"[0-9a-f]{64}")
_CHAIN = re.compile(r"eip155:[1-9][0-9]*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ACT = re.compile(r"\*|stamp/sign|(event|masterdata|credential|notice|stamps|log)/(\*|[a-z][a-z0-9_-]{0,39})")


def text(value: Json) -> bool:
    """A string."""
    return isinstance(value, str)


def uint(value: Json) -> bool:
    """A whole number from 0."""
    return type(value) is int and value >= 0


def positive(value: Json) -> bool:
    """A whole number from 1."""
    return type(value) is int and value >= 1


def number(value: Json) -> bool:
    """A number that is not a truth value."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def is_date(value: Json) -> bool:
    """A date ``YYYY-MM-DD`` that exists."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_head(value: Json) -> bool:
    """``[size, base64 of 32 bytes]``."""
    return isinstance(value, list) and len(value) == 2 and uint(value[0]) and _b64(value[1], 32)


def is_refs(value: Json) -> bool:
    """A list of statement ids, each alone or behind ``<origin>/``."""
    return _list(_match(REF))(value)


def is_private(value: Json) -> bool:
    """Names to commitments, at least one."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(NAME.fullmatch(k) and _key(v) for k, v in value.items())
    )


def is_evidence(value: Json) -> bool:
    """A list of files by hash, at least one."""
    shape = {"name": text, "sha256": is_hex64, "size": uint, "type": text}
    return _list(lambda item: _fits(item, shape), least=1)(value)


def is_true(value: Json) -> bool:
    """The constant ``true``."""
    return value is True


def is_org(value: Json) -> bool:
    """An organisation's short name."""
    return isinstance(value, str) and ORG.fullmatch(value) is not None


def is_hex64(value: Json) -> bool:
    """Lower hex of 32 bytes."""
    return isinstance(value, str) and _HEX64.fullmatch(value) is not None


def is_name(value: Json) -> bool:
    """A kind or the name of a private part."""
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def is_chain(value: Json) -> bool:
    """A chain's CAIP-2 name, ``eip155:<n>``."""
    return isinstance(value, str) and _CHAIN.fullmatch(value) is not None


def is_tx(value: Json) -> bool:
    """A transaction hash, 0x and lower hex."""
    return isinstance(value, str) and value.startswith("0x") and is_hex64(value[2:])


def _match(pattern: re.Pattern[str]) -> Test:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _one_of(*choices: Json) -> Test:
    return lambda value: not isinstance(value, bool) and value in choices


def _or_null(test: Test) -> Test:
    return lambda value: value is None or test(value)


def _list(test: Test, least: int = 0, most: int = 1_000_000) -> Test:
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(test, value))


def _texts(value: Json) -> bool:
    return isinstance(value, dict) and all(map(text, value.values()))


def _b64(value: Json, size: int) -> bool:
    try:
        b64decode(value, size=size)
    except VerificationError:
        return False
    return True


def _key(value: Json) -> bool:
    try:
        b64u_decode(value, size=32)
    except VerificationError:
        return False
    return True


def _ranges(value: Json) -> bool:
    """Inclusive, ascending, disjoint [first, last] pairs, at least one."""
    end = -1
    if not isinstance(value, list) or not value:
        return False
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not (uint(pair[0]) and uint(pair[1])):
            return False
        if not end < pair[0] <= pair[1]:
            return False
        end = pair[1]
    return True


def _any_object(value: Json) -> bool:
    return isinstance(value, dict)


_gtin = _match(re.compile(r"[0-9]{14}"))
_gln = _match(re.compile(r"[0-9]{13}"))
_roll = _match(ROLL)
_root = lambda value: _b64(value, 32)  # noqa: E731 - a row of the tables below
_address = _match(re.compile(r"0x[0-9a-f]{40}"))
_acts = _list(_match(_ACT), least=1)
_span: Shape = {"from": is_date, "to": is_date}
_steps: Shape = {"roll": _roll, "ranges": _ranges}
_reasoned: Shape = {**_steps, "reason": text}

DATA: Final[Mapping[str, Mapping[str, Shape | None]]] = {
    "masterdata": {
        "product": {"gtin": _gtin, "name": text, "crop?": text, "net?": number, "uom?": text},
        "site": {"gln": _gln, "name": text, "place?": text, "area_ha?": number, "crop?": text},
        "party": None,
        "protocol": None,
    },
    "credential": {
        "code": {
            "code": text,
            "for": _one_of("growing", "packing", "pond"),
            "owner": is_org,
            "site": text,
            "crop": text,
            "from": is_date,
            "to": _or_null(is_date),
            "max_kg?": number,
        },
        "certificate": {"scheme": text, "number": text, "holder": is_org, **_span},
        "star": {"stars": _one_of(3, 4, 5), "decision": text, **_span},
        "authorisation": {"who": is_org, "crop": _or_null(text), **_span, "max_kg": _or_null(number)},
        "withdrawal": {"record": is_hex64, "reason": text},
    },
    "notice": {
        "recall-open": {"reason": text, "action": text},
        "recall-close": {"recall": is_hex64, "reason": text},
        "acknowledge": None,
        "flag": None,
    },
    "stamps": {
        "issue": {
            "roll": _roll,
            "gtin": _gtin,
            "host": text,
            "lot?": text,
            "first": uint,
            "count": positive,
            "root": _root,
            "key?": _key,
        },
        "print": {**_steps, "job": is_hex64},
        "assign": {**_steps, "to": is_org},
        "activate": _steps,
        "open": {"roll": _roll, "number": uint, "place": text},
        "lock": _reasoned,
        "unlock": _reasoned,
        "void": _reasoned,
    },
    "log": {"index": {"size": uint, "subjects": uint, "root": _root}},
}
"""Members of ``data`` per family and kind; None where any object will do."""

_RECORD: Final[Shape] = {
    "v": _one_of(1),
    "log": text,
    "actor": is_org,
    "kind": _match(NAME),
    "about": _list(text),
    "prev": is_refs,
    "seen": is_head,
    "data": _any_object,
    "private?": is_private,
    "evidence?": is_evidence,
    "for?": text,
    "demo?": is_true,
}

_ROOT_KEYS = _list(_key, least=1, most=16)
_TARGETS: Final[tuple[Shape, ...]] = ({"kid": _key}, {"grant": is_hex64}, {"org": is_org})

REGISTRY: Final[Mapping[str, Shape]] = {
    "root": {"v": _one_of(1), "log": text, "version": uint, "threshold": positive, "keys": _ROOT_KEYS},
    "policy": {
        "v": _one_of(1),
        "log": text,
        "version": uint,
        "witnesses": text,
        "max_silence": uint,
        "log_keys": _list(lambda item: _fits(item, {"vkey": text, "until?": uint}), least=1),
        "anchors": _list(
            lambda item: _fits(
                item,
                {
                    "chain": is_chain,
                    "contract": _address,
                    "log_id": _match(re.compile(r"0x[0-9a-f]{64}")),
                    "signer": _address,
                    "guardian": _address,
                },
            )
        ),
    },
    "org": {
        "v": _one_of(1),
        "log": text,
        "version": uint,
        "org": is_org,
        "name": text,
        "admins": _list(_key, least=1),
        "ids?": _texts,
        "roles?": _list(_one_of(*ROLES), least=1),
    },
    "key": {
        "v": _one_of(1),
        "log": text,
        "org": is_org,
        "pk": _key,
        "custody": _one_of(*CUSTODIES),
        "acts": _acts,
        "sites": _list(text),
    },
    "grant": {
        "v": _one_of(1),
        "log": text,
        "org": is_org,
        "to": _key,
        "acts": _acts,
        "sites": _list(text),
        "until": _or_null(uint),
    },
    "revoke": {
        "v": _one_of(1),
        "log": text,
        "target": lambda value: any(_fits(value, shape) for shape in _TARGETS),
        "reason": text,
        "suspect_from": _or_null(uint),
    },
}


def check_record(statement: dict[str, Json], family: str) -> None:
    """
    Check the shape of a record of *family* (masterdata, credential, notice, stamps, log).

    Raises:
        VerificationError: code ``statement-shape``, naming the member; ``kind-mismatch`` for a kind that
            the family does not have.
    """
    require(statement, _RECORD, "record")
    kinds = DATA[family]
    kind = statement["kind"]
    if kind not in kinds:
        raise VerificationError(
            f"expected a kind of {family}: {', '.join(kinds)}; got {kind}", code="kind-mismatch"
        )
    shape = kinds[kind]
    data = statement["data"]
    if shape is not None:
        require(data, shape, "data")
    _check_subjects(kind, statement, data)


def check_registry(statement: dict[str, Json], family: str) -> None:
    """
    Check the shape of a registry statement.

    Raises:
        VerificationError: code ``statement-shape``, naming the member.
    """
    require(statement, REGISTRY[family], family)
    if family == "root":
        keys = statement["keys"]
        if sorted(set(keys)) != keys:
            raise _shape("keys ascending, each once", "root")
    if family == "org" and len(set(statement["admins"])) != len(statement["admins"]):
        raise _shape("each admin once", "org")


def code_uri(code: str) -> str:
    """Return the URI of a growing-area, packing-house or pond code: upper-case text, percent-encoded UTF-8."""
    kept = "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or chr(byte) in "-._~" else f"%{byte:02X}"
        for byte in code.encode()
    )
    return CODE_PREFIX + kept


def roll_uri(roll: str) -> str:
    """Return the URI of a roll of stamps."""
    return ROLL_PREFIX + roll


def _check_subjects(kind: str, statement: dict[str, Json], data: dict[str, Json]) -> None:
    about = statement["about"]
    match kind:
        case "product":
            wanted = [_uri(gtin_uri, data["gtin"])]
        case "site":
            wanted = [_uri(gln_uri, data["gln"])]
        case "code":
            wanted = [code_uri(data["code"]), data["site"]]
        case "index" | "issue":
            wanted = []
        case "activate" if len(about) != 1 or not statement["prev"]:
            raise _shape("about one lot, with the entries it follows in prev", kind)
        case "star" if len(about) != 1 or about[0] != _uri(gtin_uri, about[0][-14:]):
            raise _shape("about one product", kind)
        case "certificate" | "authorisation" | "recall-open" if not about:
            raise _shape("what it is about", kind)
        case _:
            wanted = about
    if about != wanted:
        raise _shape(f"about {wanted}", kind)
    if kind == "index" and statement["prev"]:
        raise _shape("prev to be empty", kind)
    if kind == "issue" and data["roll"].split("/")[0] != statement["actor"]:
        raise _shape("a roll that begins with the name of its actor", kind)


def _uri(build: Callable[[str], str], value: str) -> str:
    try:
        return build(value)
    except InputError as error:
        raise VerificationError(error.message, code="statement-shape") from error


def require(value: Json, shape: Shape, where: str) -> None:
    """
    Require *value* to be an object with the members of *shape* and no other.

    Raises:
        VerificationError: code ``statement-shape``.
    """
    if not isinstance(value, dict):
        raise _shape("an object", where)
    tests = {name.rstrip("?"): test for name, test in shape.items()}
    for name in shape:
        if not name.endswith("?") and name not in value:
            raise _shape(f"the member {name!r}", where)
    for name, part in value.items():
        if name not in tests:
            raise _shape(f"no member {name!r}", where)
        if not tests[name](part):
            raise _shape(f"a well-formed {name!r}, got {part!r:.80}", where)


def _fits(value: Json, shape: Shape) -> bool:
    try:
        require(value, shape, "")
    except VerificationError:
        return False
    return True


def _shape(expected: str, where: str) -> VerificationError:
    return VerificationError(f"expected {expected} in {where}", code="statement-shape")
