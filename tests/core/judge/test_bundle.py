# SPDX-License-Identifier: Apache-2.0
"""Bundles and trust files as files: strict shape, order, both ways."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.judge.smallworld import World, judge, small_world
from core.statements import (
    LOT,
    ORIGIN,
    witness_line,
)
from traceledger.core.judge.bundle import MAX_CONTENT, Bundle, Trust
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.reasons import REASONS
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.errors import InputError

Json = dict[str, Any]


def code_of(bundle: object) -> str:
    """Return the code for which a bundle's JSON is malformed."""
    with pytest.raises(InputError) as caught:
        Bundle.parse(canonical_bytes(bundle))
    return caught.value.code


def test_a_bundle_comes_back(world: World) -> None:
    """Whole or slice, with or without index, stamp, private parts and anchors."""
    full = world.bundle()
    full["anchors"] = [
        {"chain": "eip155:1", "tx": "0x" + "a" * 64, "log": 3, "proof": full["entries"][0]["proof"]}
    ]
    bare = full | {"index": None, "stamp": None, "private": [], "anchors": []}
    sliced = world.ledger.bundle(slice_of=[0, 1, 4, 5])
    for bundle in (full, bare, sliced):
        data = canonical_bytes(bundle)
        assert Bundle.parse(data).to_json() == bundle
        assert Bundle.parse(data).encode() == data
        assert Bundle.from_json(bundle) == Bundle.parse(data)


def at(*steps: str | int) -> Callable[[Json], Any]:
    """Return a walk to the object at *steps*."""

    def walk(bundle: Json) -> Any:
        value: Any = bundle
        for step in steps:
            value = value[step]
        return value

    return walk


OBJECTS = {
    "bundle": at(),
    "item": at("entries", 0),
    "index": at("index"),
    "index item": at("index", "item"),
    "row": at("index", "subjects", 0),
    "registry": at("registry"),
    "claim": at("registry", "whole", 0),
    "private part": at("private", 0),
    "stamp": at("stamp"),
    "anchor": at("anchors", 0),
}


def full(world: World) -> Json:
    """A bundle with every part."""
    anchor = {"chain": "eip155:1", "tx": "0x" + "a" * 64, "log": 3, "proof": []}
    return world.bundle() | {"anchors": [anchor]}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_are_closed(world: World, name: str) -> None:
    """In each object, a member more or less is refused."""
    bundle = full(world)
    target = OBJECTS[name](bundle)
    for member in list(target):
        broken = copy.deepcopy(bundle)
        del OBJECTS[name](broken)[member]
        assert code_of(broken) == "bundle-shape", member
    broken = copy.deepcopy(bundle)
    OBJECTS[name](broken)["extra"] = None
    assert code_of(broken) == "bundle-shape"


ID = "a" * 64
WRONG: dict[tuple[str, str], list[Any]] = {
    ("bundle", "v"): [0, 2, True, "1", None],
    ("bundle", "subject"): [None, 1, []],
    ("bundle", "checkpoint"): [None, 1, []],
    ("bundle", "entries"): [None, {}, [], "x", [1]],
    ("bundle", "index"): [[], 1, {}],
    ("bundle", "registry"): [
        None,
        [],
        {},
        {"both": []},
        {"whole": []},
        {"slice": []},
        {"whole": None},
        {"slice": {}},
    ],
    ("bundle", "private"): [None, {}, [1]],
    ("bundle", "stamp"): [[], 1, "x", {}],
    ("bundle", "anchors"): [None, {}, [1]],
    ("item", "index"): [-1, None, "1", True],
    ("item", "entry"): [None, [], "x"],
    ("item", "proof"): [None, {}, [1], ["x"], ["A" * 43], ["A" * 44]],
    ("index", "subjects"): [None, {}, [1]],
    ("row", "subject"): [None, 1],
    ("row", "count"): [0, -1, None, "1", True],
    ("row", "last"): [-1, None],
    ("row", "position"): [-1, None],
    ("row", "proof"): [None, ["x"]],
    ("claim", "index"): [-1, None, 6],
    ("claim", "entry"): [None, []],
    ("private part", "index"): [-1, None],
    ("private part", "name"): ["", "Grower", None, 1, "x" * 41],
    ("private part", "salt"): ["", "A" * 21, "A" * 23, "A" * 21 + "B", None, 1],
    ("stamp", "uri"): [None, 1],
    ("stamp", "index"): [-1, None],
    ("stamp", "number"): [-1, None, True],
    ("stamp", "salt"): ["", None],
    ("stamp", "proof"): [None, [None]],
    ("anchor", "chain"): ["", "eip155:0", "eip155:01", "eip155:1 ", None, 1, "EIP155:1"],
    ("anchor", "tx"): ["", "0x", "a" * 64, "0X" + ID, "0x" + ID.upper(), None],
    ("anchor", "log"): [-1, None, "0"],
    ("anchor", "proof"): [None, ["x"]],
}


@pytest.mark.parametrize(("name", "member"), WRONG)
def test_each_member_broken(world: World, name: str, member: str) -> None:
    """Each wrong value of each member is malformed, and never an exception of another tree."""
    for value in WRONG[name, member]:
        broken = copy.deepcopy(full(world))
        OBJECTS[name](broken)[member] = value
        assert code_of(broken) == "bundle-shape", value


def test_registry_is_whole_or_slice(world: World) -> None:
    """Never both."""
    bundle = world.bundle()
    both = bundle["registry"] | world.ledger.bundle(slice_of=[0])["registry"]
    assert code_of(bundle | {"registry": both}) == "bundle-shape"


ORDERS: dict[str, Callable[[Json], object]] = {
    "entries swapped": lambda b: b["entries"].reverse(),
    "an entry twice": lambda b: b["entries"].insert(0, b["entries"][0]),
    "registry swapped": lambda b: b["registry"]["whole"].reverse(),
    "a registry entry twice": lambda b: b["registry"]["whole"].insert(0, b["registry"]["whole"][0]),
    "an entry at the index of a registry entry": lambda b: b["entries"][0].update(index=5),
    "the index record at the index of an entry": lambda b: b["index"]["item"].update(index=b["entries"][0]["index"]),
    "rows swapped": lambda b: b["index"]["subjects"].reverse(),
    "a row twice": lambda b: b["index"]["subjects"].append(b["index"]["subjects"][-1]),
    "a private part twice": lambda b: b["private"].append(b["private"][0]),
    "a registry statement among the entries": lambda b: b["entries"].append(b["registry"]["whole"].pop() | {"index": 50, "proof": []}),
    "an event in the registry": lambda b: b["registry"]["whole"].append({"index": 50, "entry": b["entries"][0]["entry"]}),
    "an event as index record": lambda b: b["index"]["item"].update(entry=b["entries"][0]["entry"]),
    "an unknown family as index record": lambda b: b["index"]["item"]["entry"]["env"].update(payloadType="application/vnd.traceledger.x.v1+json"),
    "more entries than a bundle holds": lambda b: b.update(entries=[b["entries"][0] | {"index": n} for n in range(20, 21 + MAX_CONTENT)]),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_order_and_place(world: World, name: str) -> None:
    """Indexes ascend, none twice; each family stands where it belongs; 500 entries at most."""
    bundle = copy.deepcopy(world.bundle())
    ORDERS[name](bundle)
    assert code_of(bundle) == "bundle-shape"


def test_sizes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle over the limit is refused before it is parsed."""
    monkeypatch.setattr("traceledger.core.judge.bundle.MAX_BUNDLE", 100)
    assert code_of(world.bundle()) == "too-large"


# --- trust files

TRUST = {"v": 1, "origin": ORIGIN, "genesis": ID}


@pytest.mark.parametrize("witnesses", [None, "", witness_line("w") + "quorum w\n", "# Người làm chứng\n"])
def test_trust_files_come_back(witnesses: str | None) -> None:
    """A trust file is read, and written for people."""
    value = TRUST if witnesses is None else TRUST | {"witnesses": witnesses}
    trust = Trust.parse(json.dumps(value).encode())
    assert (trust.origin, trust.genesis, trust.witnesses) == (ORIGIN, ID, witnesses)
    assert Trust.parse(trust.encode()) == trust
    assert b"\n  " in trust.encode()


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        TRUST | {"v": 2},
        TRUST | {"extra": 1},
        TRUST | {"origin": None},
        TRUST | {"origin": "Log example"},
        TRUST | {"origin": ""},
        TRUST | {"genesis": ID.upper()},
        TRUST | {"genesis": ID[1:]},
        TRUST | {"witnesses": None},
        TRUST | {"witnesses": "quorum nobody"},
        {name: part for name, part in TRUST.items() if name != "genesis"},
        {name: part for name, part in TRUST.items() if name != "origin"},
        {name: part for name, part in TRUST.items() if name != "v"},
    ],
)
def test_what_is_no_trust_file(value: object) -> None:
    """A trust file that could not be judged by is refused when it is read, not in the middle of a verdict."""
    with pytest.raises(InputError) as caught:
        Trust.parse(json.dumps(value).encode())
    assert caught.value.code == "trust-file"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b'{"v":1,"v":1}', b"[" * 99, b" " * 300_000, b'"\\ud800"']
)
def test_bytes_that_are_no_trust_file(data: bytes) -> None:
    """Nor is anything that is not strict JSON."""
    with pytest.raises(InputError) as caught:
        Trust.parse(data)
    assert caught.value.code == "trust-file"


# --- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def _refused_or_judged(data: bytes, world: World) -> None:
    try:
        bundle = Bundle.parse(data)
        report = verify_bundle(bundle, trust=world.trust)
    except InputError as error:
        assert error.code in REASONS  # noqa: PT017
        return
    assert not report.ok or canonical_bytes(bundle.to_json())


@given(JSON)
def test_only_errors_of_the_tree_escape(value: object) -> None:
    """Random JSON is malformed."""
    try:
        Bundle.parse(json.dumps(value).encode())
    except InputError:
        return
    raise AssertionError("random JSON passed for a bundle")


@given(st.data())
def test_only_errors_of_the_tree_escape_from_damaged_files(data: st.DataObject) -> None:
    """A file with bytes changed, cut out or put in is refused or judged, never a crash."""
    world = small_world()
    text = bytearray(canonical_bytes(world.bundle()))
    for _ in range(data.draw(st.integers(1, 4))):
        if not text:
            break
        where = data.draw(st.integers(0, len(text) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "end"])):
            case "flip":
                text[where] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del text[where : where + data.draw(st.integers(1, 40))]
            case "insert":
                text[where:where] = data.draw(
                    st.sampled_from([b"0", b"{}", b"[", b'"', b"null,", b"\\ud800", b"\xff"])
                )
            case "end":
                del text[where + 1 :]
    _refused_or_judged(bytes(text), world)


PLACES = [("subject",), ("checkpoint",), ("entries", 0, "entry"), ("entries", 0, "entry", "env"), ("entries", 0, "entry", "adm"), ("index", "item", "entry"), ("registry", "whole", 2, "entry"), ("private", 0, "value"), ("stamp", "uri"), ("index", "subjects", 0, "subject")]  # fmt: skip


@given(st.sampled_from(PLACES), JSON)
def test_only_errors_of_the_tree_escape_from_any_value(place: tuple[str | int, ...], value: object) -> None:
    """Any JSON in any place that is not fixed by shape."""
    world = small_world()
    bundle = copy.deepcopy(world.bundle())
    at(*place[:-1])(bundle)[place[-1]] = value
    _refused_or_judged(json.dumps(bundle).encode(), world)


def test_a_stamp_link_of_half_a_character(world: World) -> None:
    """A lone surrogate in a link is refused with the file."""
    text = json.dumps(world.bundle()).replace("/21/0", "/10/\\ud800/21/0")
    with pytest.raises(InputError) as caught:
        Bundle.parse(text.encode())
    assert caught.value.code == "json-surrogate"
    assert judge(world.bundle(), trust=world.trust).subjects == (LOT,)
