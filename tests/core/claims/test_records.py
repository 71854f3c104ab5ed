# SPDX-License-Identifier: Apache-2.0
"""Shapes of records and registry statements: every kind valid once, and every member broken once."""

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.statements import (
    CHAIN,
    FARM,
    GTIN,
    LOT,
    ORIGIN,
    PRODUCT,
    ROLL,
    actor_key,
    anchor_place,
    grant,
    issue,
    org,
    pk,
    policy,
    record,
    revoke,
    root,
)
from traceledger.core.claims import records
from traceledger.core.claims.records import check_record, check_registry, code_uri, roll_uri
from traceledger.core.sign.encoding import b64encode
from traceledger.errors import VerificationError

Json = dict[str, Any]

ID = "a" * 64
CODE = "VN-ĐTOR-0123"
SPAN = {"from": "2026-01-01", "to": "2026-12-31"}
RANGES = {"roll": ROLL, "ranges": [[1, 2], [4, 4]]}

DATA: dict[str, dict[str, tuple[Json, list[str]]]] = {
    "masterdata": {
        "product": (
            {"gtin": GTIN, "name": "Xoài", "crop": "mango", "net": Decimal("2.5"), "uom": "KGM"},
            [PRODUCT],
        ),
        "site": (
            {
                "gln": "9521234000013",
                "name": "Vườn",
                "place": "Cao Lãnh",
                "area_ha": Decimal("1.2"),
                "crop": "mango",
            },
            [FARM],
        ),
        "party": ({"anything": [1]}, []),
        "protocol": ({}, ["urn:x"]),
    },
    "credential": {
        "code": (
            {
                "code": CODE,
                "for": "growing",
                "owner": "farm",
                "site": FARM,
                "crop": "mango",
                "max_kg": 100,
                **SPAN,
            },
            [code_uri(CODE), FARM],
        ),
        "certificate": ({"scheme": "VietGAP", "number": "7", "holder": "farm", **SPAN}, [FARM]),
        "star": ({"stars": 4, "decision": "12/QĐ", **SPAN}, [PRODUCT]),
        "authorisation": ({"who": "farm", "crop": None, "max_kg": None, **SPAN}, [code_uri(CODE)]),
        "withdrawal": ({"record": ID, "reason": "lapsed"}, []),
    },
    "notice": {
        "recall-open": ({"reason": "residue", "action": "return"}, [LOT]),
        "recall-close": ({"recall": ID, "reason": "done"}, []),
        "acknowledge": ({"recall": ID}, []),
        "flag": ({"text": "odd"}, [LOT]),
    },
    "stamps": {
        "issue": (issue(lot="L1", key="A" * 43), []),
        "print": ({**RANGES, "job": ID}, []),
        "assign": ({**RANGES, "to": "shop"}, []),
        "activate": (RANGES, [LOT]),
        "open": ({"roll": ROLL, "number": 1, "place": "Hà Nội"}, []),
        "lock": ({**RANGES, "reason": "lost"}, []),
        "unlock": ({**RANGES, "reason": "found"}, []),
        "void": ({**RANGES, "reason": "misprint"}, []),
    },
    "log": {"index": ({"size": 7, "subjects": 2, "root": b64encode(bytes(32))}, [])},
}
CASES = [(family, kind) for family, kinds in DATA.items() for kind in kinds]
FREE = ("party", "protocol", "acknowledge", "flag")
OPTIONAL = {
    "product": {"crop", "net", "uom"},
    "site": {"place", "area_ha", "crop"},
    "code": {"max_kg"},
    "issue": {"lot", "key"},
}


def valid(family: str, kind: str) -> Json:
    """A record of that kind with every member it may have."""
    data, about = DATA[family][kind]
    prev = [] if kind in ("index", "issue") else [ID, f"other.example/{ID}"]
    more = {
        "private": {"grower": "A" * 43},
        "evidence": [{"name": "scan.pdf", "sha256": ID, "size": 9, "type": "application/pdf"}],
        "for": "member 12",
        "demo": True,
    }
    return copy.deepcopy(record(kind, data, about=about, prev=prev, **more))


def code_of(statement: object, family: str) -> str | None:
    """Return the reason code for which a statement is refused, or None."""
    check = check_registry if family in records.REGISTRY else check_record
    try:
        check(statement, family)  # type: ignore[arg-type]
    except VerificationError as error:
        return error.code
    return None


# Values that fit nowhere, then ones that fit some members: a test names those it must refuse
WRONG: list[Any] = [Decimal("1.5"), -1, True, False, [None], [[]], {"x": 1}, "", "no such", 10**9, None]


@pytest.mark.parametrize(("family", "kind"), CASES)
def test_each_kind_is_valid_with_and_without_its_optional_members(family: str, kind: str) -> None:
    """The full record passes, and so does the barest."""
    full = valid(family, kind)
    assert code_of(full, family) is None
    bare = {name: part for name, part in full.items() if name not in ("private", "evidence", "for", "demo")}
    bare["data"] = {name: part for name, part in full["data"].items() if name not in OPTIONAL.get(kind, ())}
    assert code_of(bare, family) is None


@pytest.mark.parametrize(("family", "kind"), CASES)
def test_no_member_can_be_left_out_or_added(family: str, kind: str) -> None:
    """Objects are closed: a required member missing or an unlisted one present is refused."""
    full = valid(family, kind)
    for name in ("v", "log", "actor", "kind", "about", "prev", "seen", "data"):
        assert (
            code_of({key: part for key, part in full.items() if key != name}, family) == "statement-shape"
        ), name
    assert code_of(full | {"extra": 1}, family) == "statement-shape"
    assert code_of(full | {"tl:log": ORIGIN}, family) == "statement-shape"
    if kind in FREE:
        return
    assert code_of(full | {"data": full["data"] | {"extra": 1}}, family) == "statement-shape"
    for name in full["data"].keys() - OPTIONAL.get(kind, set()):
        short = {key: part for key, part in full["data"].items() if key != name}
        assert code_of(full | {"data": short}, family) == "statement-shape", name


RECORD_WRONG: dict[str, list[Any]] = {
    "v": [0, 2, True, "1", None, Decimal("1.5")],
    "log": [None, 1, [], True],
    "actor": ["", "a", "A", "-farm", "farm_1", "a" * 33, None, 1, "farm\n", "fárm"],
    "kind": ["", "Product", "1x", "a" * 41, None, 1, "pro duct"],
    "about": [None, "x", {}, [1], [None], [LOT, 1]],
    "prev": [None, "x", [1], ["x"], [ID.upper()], [ID[:-1]], [ID + "a"], [f"/{ID}"], [f"a b/{ID}"], [f"{ID} "]],
    "seen": [None, [], [1], [1, "x"], [-1, b64encode(bytes(32))], [True, b64encode(bytes(32))], [1, b64encode(bytes(31))], {}],
    "data": [None, [], "x", 1],
    "private": [None, {}, [], {"Grower": "A" * 43}, {"a": "A" * 42}, {"a": "A" * 44}, {"a": None}, {"a": "A" * 42 + "B"}],
    "evidence": [None, [], {}, [{}], [{"name": "a", "sha256": ID, "size": 1}], [{"name": "a", "sha256": ID, "size": -1, "type": "t"}], [{"name": "a", "sha256": "x", "size": 1, "type": "t"}], [{"name": "a", "sha256": ID, "size": 1, "type": "t", "x": 1}]],
    "for": [None, 1, []],
    "demo": [None, False, 1, "true"],
}  # fmt: skip


@pytest.mark.parametrize("name", RECORD_WRONG)
def test_each_member_of_a_record_broken(name: str) -> None:
    """Each wrong value of each common member is refused, in a kind that checks nothing else."""
    for value in RECORD_WRONG[name]:
        assert code_of(valid("masterdata", "party") | {name: value}, "masterdata") == "statement-shape", value


_TEXT = [None, 1, True, [], {}]
_UINT = [None, -1, True, "1", Decimal("1.5"), []]
_DATE = [
    None,
    "",
    "2026-1-1",
    "2026-13-01",
    "2026-02-30",
    "26-01-01",
    "2026-01-01T00:00",
    "2026-01-01\n",
    "0000-01-01",
    20260101,
    "２０２６-01-01",
]
_ORG = ["", "a", "A", "-a", None, 1]
_NUMBER = ["1", True, [], "x"]
_ROLL = ["", "farm", "farm/", "/A-1", "farm/a", "farm/" + "A" * 17, "FARM/A", "farm/A/B", None, 1]
_RANGES = [
    None,
    [],
    {},
    [[]],
    [[1]],
    [[1, 2, 3]],
    [[2, 1]],
    [[1, 2], [2, 3]],
    [[3, 4], [1, 2]],
    [[-1, 2]],
    [["1", 2]],
    [[1, True]],
    [1, 2],
    [[1, 2], None],
]
_HEX = ["", ID[:-1], ID + "a", ID.upper(), "g" * 64, None, 1]
_B64 = ["", None, 1, b64encode(bytes(31)), b64encode(bytes(33)), b64encode(bytes(32))[:-1], "-" * 43 + "="]
_STEPS = {"roll": _ROLL, "ranges": _RANGES}
DATA_WRONG: dict[str, dict[str, list[Any]]] = {
    "product": {"gtin": ["", GTIN[1:], "0" + GTIN, "09521234567898", None, 1], "name": _TEXT, "crop": _TEXT, "net": [*_NUMBER, None], "uom": _TEXT},
    "site": {"gln": ["", "952123400001", "9521234000014", None], "name": _TEXT, "place": _TEXT, "area_ha": [*_NUMBER, None], "crop": _TEXT},
    "code": {"code": [*_TEXT, "other"], "for": ["", "farming", None, 1, []], "owner": _ORG, "site": [*_TEXT, "other"], "crop": _TEXT, "from": _DATE, "to": _DATE[1:], "max_kg": [*_NUMBER, None]},
    "certificate": {"scheme": _TEXT, "number": _TEXT, "holder": _ORG, "from": _DATE, "to": _DATE},
    "star": {"stars": [2, 6, None, "4", True, Decimal("3.5")], "decision": _TEXT, "from": _DATE, "to": _DATE},
    "authorisation": {"who": _ORG, "crop": _TEXT[1:], "from": _DATE, "to": _DATE, "max_kg": _NUMBER},
    "withdrawal": {"record": _HEX, "reason": _TEXT},
    "recall-open": {"reason": _TEXT, "action": _TEXT},
    "recall-close": {"recall": _HEX, "reason": _TEXT},
    "issue": {"roll": [*_ROLL, "shop/A-1"], "gtin": ["", GTIN[1:], None], "host": _TEXT, "lot": _TEXT, "first": _UINT, "count": [*_UINT, 0], "root": _B64, "key": ["", "A" * 42, "A" * 42 + "B", "A" * 44, None, 1]},
    "print": {**_STEPS, "job": _HEX},
    "assign": {**_STEPS, "to": _ORG},
    "activate": _STEPS,
    "open": {"roll": _ROLL, "number": _UINT, "place": _TEXT},
    "lock": {**_STEPS, "reason": _TEXT},
    "unlock": {**_STEPS, "reason": _TEXT},
    "void": {**_STEPS, "reason": _TEXT},
    "index": {"size": _UINT, "subjects": _UINT, "root": _B64},
}  # fmt: skip


@pytest.mark.parametrize(("family", "kind"), [case for case in CASES if case[1] not in FREE])
def test_each_member_of_data_broken(family: str, kind: str) -> None:
    """Each wrong value of each member of each kind is refused."""
    full = valid(family, kind)
    assert DATA_WRONG[kind].keys() == full["data"].keys()
    for name, values in DATA_WRONG[kind].items():
        for value in values:
            broken = full | {"data": full["data"] | {name: value}}
            assert code_of(broken, family) == "statement-shape", (name, value)


@pytest.mark.parametrize(
    ("family", "kind", "change"),
    [
        ("masterdata", "product", {"about": []}),
        ("masterdata", "product", {"about": [FARM]}),
        ("masterdata", "product", {"about": [PRODUCT, PRODUCT]}),
        ("masterdata", "product", {"about": [f"https://trace.example/01/{GTIN}"]}),
        ("masterdata", "site", {"about": []}),
        ("masterdata", "site", {"about": [PRODUCT]}),
        ("credential", "code", {"about": [FARM, code_uri(CODE)]}),
        ("credential", "code", {"about": [code_uri(CODE)]}),
        ("credential", "code", {"about": [CODE, FARM]}),
        ("credential", "certificate", {"about": []}),
        ("credential", "star", {"about": []}),
        ("credential", "star", {"about": [LOT]}),
        ("credential", "star", {"about": [FARM]}),
        ("credential", "star", {"about": [PRODUCT, PRODUCT]}),
        ("credential", "star", {"about": [PRODUCT[:-1] + "8"]}),
        ("credential", "authorisation", {"about": []}),
        ("notice", "recall-open", {"about": []}),
        ("stamps", "issue", {"about": [LOT]}),
        ("stamps", "issue", {"actor": "shop"}),
        ("stamps", "activate", {"about": []}),
        ("stamps", "activate", {"about": [LOT, LOT]}),
        ("stamps", "activate", {"prev": []}),
        ("log", "index", {"about": [LOT]}),
        ("log", "index", {"prev": [ID]}),
    ],
)
def test_what_a_record_is_about_follows_from_its_kind(family: str, kind: str, change: Json) -> None:
    """Subjects are those the data name, exactly and in order."""
    assert code_of(valid(family, kind) | change, family) == "statement-shape"


@pytest.mark.parametrize(("family", "kind"), CASES)
def test_a_kind_belongs_to_one_family(family: str, kind: str) -> None:
    """The same record under another family is refused."""
    for other in DATA.keys() - {family}:
        assert code_of(valid(family, kind), other) == "kind-mismatch"


@pytest.mark.parametrize("to", [None, "2026-12-31"])
def test_an_open_end(to: str | None) -> None:
    """A code may be in force without end; a certificate may not."""
    code, certificate = valid("credential", "code"), valid("credential", "certificate")
    code["data"]["to"] = certificate["data"]["to"] = to
    assert code_of(code, "credential") is None
    assert code_of(certificate, "credential") == (None if to else "statement-shape")


@pytest.mark.parametrize(
    ("code", "uri"),
    [
        ("VN-DTOR-0123", "urn:traceledger:v1:code:VN-DTOR-0123"),
        ("a.b_c~d", "urn:traceledger:v1:code:a.b_c~d"),
        ("ĐT 1/2", "urn:traceledger:v1:code:%C4%90T%201%2F2"),
        ("50%", "urn:traceledger:v1:code:50%25"),
        ("²", "urn:traceledger:v1:code:%C2%B2"),
        ("", "urn:traceledger:v1:code:"),
    ],
)
def test_codes_as_uris(code: str, uri: str) -> None:
    """Everything but unreserved ASCII is percent-encoded UTF-8, upper-case hex."""
    assert code_uri(code) == uri


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_two_codes_have_two_uris(one: str, two: str) -> None:
    """Encoding never merges codes, and leaves plain ASCII."""
    assert (code_uri(one) == code_uri(two)) == (one == two)
    assert code_uri(one).isascii()
    assert roll_uri(ROLL) == "urn:traceledger:v1:roll:farm/A-1"


# --- registry statements

REGISTRY: dict[str, Json] = {
    "root": root("r1", "r2"),
    "policy": policy(anchors=[anchor_place()], log_keys=[{"vkey": "x", "until": 5}, {"vkey": "y"}]),
    "org": org("farm", ids={"gs1": "952 953"}, roles=["authority", "certifier", "operator"]),
    "key": actor_key(
        "farm", "farm", acts=["*", "event/*", "event/harvest", "stamp/sign", "log/index"], sites=[FARM]
    ),
    "grant": grant("farm", "clerk", until=5),
    "revoke": revoke(5, kid="A" * 43),
}
_KEYS = [None, [], {}, [1], ["x"], ["A" * 42 + "B"]]
_PLACE = anchor_place()


def _places(**change: Any) -> list[Json]:
    return [_PLACE | change]


def _without(name: str) -> list[Json]:
    return [{key: part for key, part in _PLACE.items() if key != name}]


REGISTRY_WRONG: dict[str, dict[str, list[Any]]] = {
    "root": {"version": _UINT, "threshold": [*_UINT, 0], "keys": [*_KEYS, sorted([pk("a"), pk("b")])[::-1], [pk("a")] * 2, sorted(pk(str(i)) for i in range(17))]},
    "policy": {
        "version": _UINT,
        "log_keys": [None, [], [{}], [{"vkey": 1}], [{"vkey": "x", "until": None}], [{"vkey": "x", "until": -1}], [{"vkey": "x", "x": 1}], ["x"]],
        "witnesses": _TEXT,
        "anchors": [None, {}, [1], *(_without(name) for name in _PLACE), _places(x=1), _places(chain="eip155:0"), _places(chain="eip155:01"), _places(chain="solana:1"), _places(contract="0x" + "C" * 40), _places(contract="0x" + "c" * 39), _places(log_id="c" * 64), _places(signer=None), _places(guardian="")],
        "max_silence": _UINT,
    },
    "org": {"version": _UINT, "org": _ORG, "name": _TEXT, "admins": [*_KEYS, [pk("a")] * 2], "ids": [None, [], {"gs1": 1}], "roles": [None, [], ["admin"], "operator", [1]]},
    "key": {"org": _ORG, "pk": [None, "", "A" * 42, "A" * 42 + "B"], "custody": [None, "", "cloud", 1], "acts": [None, [], ["root"], ["root/root"], ["event"], ["event/"], ["Event/harvest"], ["event/har vest"], ["stamp/*"], ["**"], [1]], "sites": [None, {}, [1], "x"]},
    "grant": {"org": _ORG, "to": [None, "", "A" * 42], "acts": [None, [], ["x"]], "sites": [None, [1]], "until": ["", -1, True, Decimal("1.5")]},
    "revoke": {"target": [None, {}, [], {"kid": "x"}, {"grant": "x"}, {"org": "X"}, {"kid": "A" * 43, "org": "farm"}, {"key": "A" * 43}], "reason": _TEXT, "suspect_from": ["", -1, True]},
}  # fmt: skip


@pytest.mark.parametrize("family", REGISTRY)
def test_each_registry_statement(family: str) -> None:
    """Each is valid once; each member left out, added or broken is refused."""
    full = REGISTRY[family]
    assert code_of(full, family) is None
    assert code_of(full | {"extra": 1}, family) == "statement-shape"
    optional = {"org": {"ids", "roles"}}.get(family, set())
    for name in full:
        short = {key: part for key, part in full.items() if key != name}
        assert code_of(short, family) == (None if name in optional else "statement-shape"), name
    broken = REGISTRY_WRONG[family] | {"v": RECORD_WRONG["v"], "log": RECORD_WRONG["log"]}
    assert broken.keys() == full.keys()
    for name, values in broken.items():
        for value in values:
            assert code_of(full | {name: value}, family) == "statement-shape", (name, value)


@pytest.mark.parametrize("target", [{"kid": "A" * 43}, {"grant": ID}, {"org": "farm"}])
def test_each_target_of_a_revocation(target: dict[str, str]) -> None:
    """A key, a grant or an organisation; exactly one."""
    assert code_of(revoke(**target), "revoke") is None
    assert code_of(revoke(7, **target), "revoke") is None
    assert CHAIN == "eip155:31337"


# --- anything at all


def _pieces() -> Iterator[Any]:
    for family, kind in CASES:
        full = valid(family, kind)
        yield from full.values()
        yield from full["data"].values()
    yield from WRONG


JSON = st.recursive(
    st.sampled_from(list(_pieces())),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["roll", "ranges", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.sampled_from(CASES), st.sampled_from(sorted(RECORD_WRONG)), JSON)
def test_only_errors_of_the_tree_escape(case: tuple[str, str], name: str, value: object) -> None:
    """Any value in any member passes or is refused with a reason code, never a crash."""
    assert code_of(valid(*case) | {name: value}, case[0]) in (None, "statement-shape", "kind-mismatch")


@given(st.sampled_from([case for case in CASES if case[1] not in FREE]), st.data(), JSON)
def test_only_errors_of_the_tree_escape_from_data(
    case: tuple[str, str], data: st.DataObject, value: object
) -> None:
    """The same inside data, where subjects are derived from what stands there."""
    full = valid(*case)
    name = data.draw(st.sampled_from(sorted(full["data"])))
    assert code_of(full | {"data": full["data"] | {name: value}}, case[0]) in (None, "statement-shape")


@given(st.sampled_from(sorted(REGISTRY)), st.data(), JSON)
def test_only_errors_of_the_tree_escape_from_the_registry(
    family: str, data: st.DataObject, value: object
) -> None:
    """The same for statements of the registry."""
    name = data.draw(st.sampled_from(sorted(REGISTRY[family])))
    assert code_of(REGISTRY[family] | {name: value}, family) in (None, "statement-shape")
