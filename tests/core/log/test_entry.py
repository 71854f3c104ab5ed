# SPDX-License-Identifier: Apache-2.0
"""Log entries: one shape, their limits, and the chain over registry entries."""

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.statements import (
    LOT,
    ORIGIN,
    event,
    key,
    root,
    sealed,
    signed,
)
from traceledger.core.log.entry import CHAIN_START, MAX_ENTRY, Entry, next_chain, parse_head
from traceledger.core.log.merkle import leaf_hash
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Envelope, Signature
from traceledger.errors import VerificationError

Json = dict[str, Any]

ENTRY = Entry.make(signed(event("harvest", epcList=[LOT]), "event", "farm"), reg=(3, b"r" * 32), t=7)


def code_of(raw: bytes) -> str:
    """Return the reason code for which the bytes of an entry are refused."""
    with pytest.raises(VerificationError) as caught:
        Entry.parse(raw)
    return caught.value.code


def test_an_entry_comes_back() -> None:
    """Reading its bytes or its JSON gives the entry."""
    assert Entry.parse(ENTRY.raw) == ENTRY == Entry.from_json(ENTRY.to_json())
    assert ENTRY.leaf == leaf_hash(ENTRY.raw)
    assert (ENTRY.family, ENTRY.kind, ENTRY.actor, ENTRY.is_registry) == ("event", "harvest", "farm", False)
    assert ENTRY.member("prev") == []
    assert ENTRY.member("private") is None


def test_a_registry_entry_names_its_family_as_kind() -> None:
    """Registry statements have no kind; their actor is the organisation, if they name one."""
    entry = Entry.make(signed(root("root"), "root", "root"), reg=(0, CHAIN_START), t=0)
    assert (entry.kind, entry.actor, entry.is_registry) == ("root", "", True)


def test_the_same_statement_has_the_same_id_in_every_entry() -> None:
    """Admission time and registry head belong to the leaf and not to the statement."""
    other = Entry.make(ENTRY.envelope, reg=(4, b"s" * 32), t=8)
    assert other.id == ENTRY.id
    assert other.leaf != ENTRY.leaf


def put(*steps: str | int, to: object) -> Callable[[Json], None]:
    """Return a change that sets what stands at *steps*."""

    def change(value: Any) -> None:
        for step in steps[:-1]:
            value = value[step]
        value[steps[-1]] = to

    return change


CHANGES: dict[str, tuple[Callable[[Json], object], str]] = {
    "no adm": (lambda v: v.pop("adm"), "entry-shape"),
    "no env": (lambda v: v.pop("env"), "entry-shape"),
    "no v": (lambda v: v.pop("v"), "entry-shape"),
    "one more member": (put("x", to=1), "entry-shape"),
    "v of 2": (put("v", to=2), "entry-shape"),
    "v true": (put("v", to=True), "entry-shape"),
    "v text": (put("v", to="1"), "entry-shape"),
    "adm a list": (put("adm", to=[]), "entry-shape"),
    "no t": (lambda v: v["adm"].pop("t"), "entry-shape"),
    "no reg": (lambda v: v["adm"].pop("reg"), "entry-shape"),
    "one more in adm": (put("adm", "x", to=1), "entry-shape"),
    "t negative": (put("adm", "t", to=-1), "entry-shape"),
    "t text": (put("adm", "t", to="7"), "entry-shape"),
    "t true": (put("adm", "t", to=True), "entry-shape"),
    "reg an object": (put("adm", "reg", to={}), "entry-shape"),
    "reg of one": (put("adm", "reg", to=[3]), "entry-shape"),
    "reg of three": (put("adm", "reg", to=[3, b64encode(bytes(32)), 1]), "entry-shape"),
    "reg with a negative count": (put("adm", "reg", 0, to=-1), "entry-shape"),
    "reg with true": (put("adm", "reg", 0, to=True), "entry-shape"),
    "reg short": (put("adm", "reg", 1, to=b64encode(bytes(31))), "entry-shape"),
    "reg unpadded": (put("adm", "reg", 1, to=b64encode(bytes(32))[:-1]), "entry-shape"),
    "reg null": (put("adm", "reg", 1, to=None), "entry-shape"),
    "env null": (put("env", to=None), "envelope-shape"),
    "payload not base64": (put("env", "payload", to="*"), "base64"),
    "another type": (put("env", "payloadType", to="text/plain"), "payload-type"),
    "a short signature": (put("env", "signatures", 0, "sig", to=""), "signature-form"),
    "an envelope of 33 KiB": (put("env", "payload", to="A" * 33_792), "too-large"),
    "an entry of 64 KiB": (put("env", "payload", to="A" * 65_536), "too-large"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_to_an_entry_is_refused(name: str) -> None:
    """Each change of the shape has its reason code, in bytes and as JSON."""
    change, code = CHANGES[name]
    value = copy.deepcopy(ENTRY.to_json())
    change(value)
    assert code_of(canonical_bytes(value)) == code
    with pytest.raises(VerificationError) as caught:
        Entry.from_json(value)
    assert caught.value.code == code


def test_the_bytes_of_an_entry_are_canonical() -> None:
    """Another layout of the same JSON is another leaf, and refused."""
    assert code_of(ENTRY.raw + b"\n") == "not-canonical"
    assert code_of(ENTRY.raw.replace(b'"t":7', b'"t":7.0')) == "json-number"
    assert code_of(ENTRY.raw.replace(b'"v":1', b'"v":1,"v":1')) == "json-duplicate"
    assert code_of(b"[]") == "entry-shape"
    assert code_of(b"") == "json-syntax"


def test_size_limits_are_tested_at_the_edge() -> None:
    """An entry of 65,535 bytes is looked at, one of 65,536 is not."""
    assert code_of(b" " * MAX_ENTRY) == "json-syntax"
    assert code_of(b" " * (MAX_ENTRY + 1)) == "too-large"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", "json-syntax"),
        (b"{", "json-syntax"),
        (b"[]", "statement-shape"),
        (b"null", "statement-shape"),
        (b"{} ", "not-canonical"),
        (b'{"b":1,"a":1}', "not-canonical"),
        (b'{"a":1,"a":2}', "json-duplicate"),
        (b'{"a":1e3}', "json-number"),
        (b'{"a":"\\ud800"}', "json-surrogate"),
        (b'{"a":"\xff"}', "json-syntax"),
        (b"[" * 33 + b"]" * 33, "json-depth"),
    ],
)
def test_a_statement_is_a_canonical_object(payload: bytes, code: str) -> None:
    """Whatever was signed, a payload that is no canonical JSON object is no statement."""
    entry = Entry.make(sealed(payload, "event", "farm"), reg=(0, CHAIN_START), t=0)
    assert Entry.parse(entry.raw).envelope.payload == payload
    with pytest.raises(VerificationError) as caught:
        entry.statement  # noqa: B018 - reading it is the test
    assert caught.value.code == code


def test_an_entry_too_large_is_not_made() -> None:
    """No entry is built that could not be read."""
    signatures = tuple(Signature(kid=key("a").kid, sig=bytes(64)) for _ in range(1))
    with pytest.raises(VerificationError) as caught:
        Entry.make(Envelope(b"x" * 60_000, "event", signatures), reg=(0, CHAIN_START), t=0)
    assert caught.value.code == "too-large"


def test_the_chain_repeats_every_registry_leaf() -> None:
    """Each link hashes prefix 04, the link before and the leaf; order and omission show."""
    leaves = [hashlib.sha256(bytes([i])).digest() for i in range(3)]
    chain = CHAIN_START
    for leaf in leaves:
        wanted = hashlib.sha256(b"\x04" + chain + leaf).digest()
        chain = next_chain(chain, leaf)
        assert chain == wanted
    assert next_chain(next_chain(CHAIN_START, leaves[1]), leaves[0]) != next_chain(
        next_chain(CHAIN_START, leaves[0]), leaves[1]
    )


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 2**53) | st.text(max_size=50),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
        max_leaves=5,
    ),
    st.sampled_from([("v",), ("adm",), ("adm", "t"), ("adm", "reg"), ("env",), ("env", "signatures")]),
)
def test_only_errors_of_the_tree_escape(part: object, steps: tuple[str, ...]) -> None:
    """Any JSON in any place is refused, or is read as what stands there."""
    value = copy.deepcopy(ENTRY.to_json())
    put(*steps, to=part)(value)
    try:
        entry = Entry.from_json(value)
    except VerificationError:
        return
    assert entry.to_json() == value


def test_heads_are_read_with_the_code_the_caller_gives() -> None:
    """`parse_head` serves entries and others; its reason code is the caller's."""
    assert parse_head([5, b64encode(bytes(32))], code="x") == (5, bytes(32))
    with pytest.raises(VerificationError) as caught:
        parse_head([5, "no"], code="x")
    assert caught.value.code == "x"
    assert ENTRY.statement["tl:log"] == ORIGIN
