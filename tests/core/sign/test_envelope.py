# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes: bytes as in a second library, one shape, one order, nothing more."""

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as SecureSystemsEnvelope

from traceledger.core.sign.encoding import b64decode, b64encode
from traceledger.core.sign.envelope import (
    ACTOR_FAMILIES,
    FAMILIES,
    MAX_STATEMENT,
    REGISTRY_FAMILIES,
    Envelope,
    pae,
    payload_type,
    sign_envelope,
)
from traceledger.core.sign.keys import SigningKey, verify
from traceledger.errors import VerificationError

KEYS = [SigningKey(hashlib.sha256(bytes([i])).digest()) for i in range(17)]
ONE = sign_envelope({"a": 1}, "event", KEYS[:1])
TWO = sign_envelope({"a": 1}, "root", KEYS[:3])

Json = dict[str, Any]


def code_of(value: object) -> str:
    """Return the reason code for which *value* is refused as an envelope."""
    with pytest.raises(VerificationError) as caught:
        Envelope.from_json(value)
    return caught.value.code


@given(st.sampled_from(FAMILIES), st.binary(max_size=200))
def test_pae_is_that_of_a_second_library(family: str, payload: bytes) -> None:
    """The signed bytes are those that `securesystemslib` computes."""
    other = SecureSystemsEnvelope(payload, payload_type(family), {})
    assert pae(payload_type(family), payload) == other.pae()
    made = Envelope(payload, family, ONE.signatures)
    assert made.pae == other.pae()
    assert made.id == hashlib.sha256(other.pae()).hexdigest()


def test_pae_counts_bytes() -> None:
    """Lengths are those of the UTF-8 bytes, in decimal."""
    payload = "Xoài".encode()
    assert pae("t", payload) == b"DSSEv1 1 t 5 Xo\xc3\xa0i"


def test_an_envelope_comes_back() -> None:
    """Reading the JSON of an envelope gives the envelope."""
    for made in (ONE, TWO):
        assert Envelope.from_json(made.to_json()) == made
    verify(KEYS[0].public, ONE.signatures[0].sig, ONE.pae)


def test_the_id_covers_neither_signature_nor_key() -> None:
    """The same statement by another key has the same id; in another family it has another."""
    assert sign_envelope({"a": 1}, "event", KEYS[5:6]).id == ONE.id
    assert sign_envelope({"a": 1}, "notice", KEYS[:1]).id != ONE.id


def test_signatures_are_written_in_order_of_key_ids() -> None:
    """Whatever the order of the keys, one envelope is made."""
    assert sign_envelope({"a": 1}, "root", KEYS[2::-1]) == TWO
    kids = [signature.kid for signature in TWO.signatures]
    assert kids == sorted(kids)


def without(*names: str) -> Callable[[Json], None]:
    """Return a change that deletes members."""

    def change(value: Json) -> None:
        for name in names:
            del value[name]

    return change


def put(**members: object) -> Callable[[Json], None]:
    """Return a change that sets members."""
    return lambda value: value.update(members)


def put_in_signature(**members: object) -> Callable[[Json], None]:
    """Return a change that sets members of the first signature."""
    return lambda value: value["signatures"][0].update(members)


TYPE = "application/vnd.traceledger.event.v1+json"
CHANGES: dict[str, tuple[Callable[[Json], object], str]] = {
    "no payload": (without("payload"), "envelope-shape"),
    "no type": (without("payloadType"), "envelope-shape"),
    "no signatures": (without("signatures"), "envelope-shape"),
    "one more member": (put(extra=1), "envelope-shape"),
    "signatures not a list": (put(signatures={}), "envelope-shape"),
    "an empty list": (put(signatures=[]), "envelope-shape"),
    "a signature that is text": (put(signatures=["x"]), "envelope-shape"),
    "an actor's statement signed twice": (put(signatures=TWO.to_json()["signatures"]), "envelope-shape"),
    "no keyid": (lambda v: v["signatures"][0].pop("keyid"), "envelope-shape"),
    "no sig": (lambda v: v["signatures"][0].pop("sig"), "envelope-shape"),
    "one more member in a signature": (put_in_signature(cert="x"), "envelope-shape"),
    "keyid a number": (put_in_signature(keyid=5), "envelope-shape"),
    "keyid short": (put_in_signature(keyid="AAAA"), "base64"),
    "keyid padded": (put_in_signature(keyid=KEYS[0].kid + "="), "base64"),
    "keyid with stray bits": (put_in_signature(keyid="A" * 42 + "B"), "base64"),
    "sig in the url alphabet": (put_in_signature(sig="-" * 86 + "=="), "signature-form"),
    "sig a number": (put_in_signature(sig=5), "signature-form"),
    "sig short": (put_in_signature(sig=b64encode(bytes(63))), "signature-form"),
    "sig long": (put_in_signature(sig=b64encode(bytes(65))), "signature-form"),
    "payload a number": (put(payload=5), "base64"),
    "payload unpadded": (put(payload="e30"), "base64"),
    "payload with a line feed": (put(payload="e30=\n"), "base64"),
    "payload in the url alphabet": (put(payload="_-__"), "base64"),
    "payload too large": (put(payload=b64encode(bytes(MAX_STATEMENT + 1))), "too-large"),
    "type of another maker": (put(payloadType="application/vnd.in-toto+json"), "payload-type"),
    "type of an unknown family": (put(payloadType=TYPE.replace("event", "events")), "payload-type"),
    "type of version 2": (put(payloadType=TYPE.replace("v1", "v2")), "payload-type"),
    "type in capitals": (put(payloadType=TYPE.upper()), "payload-type"),
    "type with a line feed": (put(payloadType=TYPE + "\n"), "payload-type"),
    "type a list": (put(payloadType=[TYPE]), "payload-type"),
    "type null": (put(payloadType=None), "payload-type"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_change_to_an_envelope_is_refused(name: str) -> None:
    """Each change of the shape has its own reason code."""
    change, code = CHANGES[name]
    value = copy.deepcopy(ONE.to_json())
    change(value)
    assert code_of(value) == code


@pytest.mark.parametrize("value", [None, 1, "x", [], [ONE.to_json()], {}])
def test_what_is_no_object_is_no_envelope(value: object) -> None:
    """Anything but an object with the three members is refused."""
    assert code_of(value) == "envelope-shape"


def test_registry_statements_carry_up_to_sixteen_signatures() -> None:
    """Sixteen are read, seventeen are not."""
    sixteen = sign_envelope({"a": 1}, "root", KEYS[:16])
    assert Envelope.from_json(sixteen.to_json()) == sixteen
    assert code_of(sign_envelope({"a": 1}, "root", KEYS).to_json()) == "envelope-shape"


@pytest.mark.parametrize("family", FAMILIES)
def test_how_many_may_sign_depends_on_the_family(family: str) -> None:
    """Only registry statements are signed by several keys."""
    value = {**TWO.to_json(), "payloadType": payload_type(family)}
    if family in REGISTRY_FAMILIES:
        assert Envelope.from_json(value).family == family
    else:
        assert family in ACTOR_FAMILIES
        assert code_of(value) == "envelope-shape"


def test_order_and_repetition_of_signatures() -> None:
    """Signatures out of order, or twice by one key, are refused."""
    value = TWO.to_json()
    signatures = value["signatures"]
    assert code_of({**value, "signatures": signatures[::-1]}) == "envelope-shape"
    assert code_of({**value, "signatures": [signatures[0], *signatures]}) == "envelope-shape"


def test_the_largest_statement_is_signed_and_read() -> None:
    """A statement of 16,384 bytes fits; one byte more is refused by writer and reader."""
    text = "x" * (MAX_STATEMENT - 8)
    made = sign_envelope({"a": text}, "event", KEYS[:1])
    assert len(made.payload) == MAX_STATEMENT
    assert Envelope.from_json(made.to_json()) == made
    with pytest.raises(VerificationError) as caught:
        sign_envelope({"a": text + "x"}, "event", KEYS[:1])
    assert caught.value.code == "too-large"


@given(st.integers(0, 10_000))
def test_every_flipped_payload_bit_breaks_the_signature(bit: int) -> None:
    """The signature covers each bit of the payload."""
    payload = bytearray(ONE.payload)
    payload[bit // 8 % len(payload)] ^= 1 << bit % 8
    value = {**ONE.to_json(), "payload": b64encode(bytes(payload))}
    changed = Envelope.from_json(value)
    assert changed.id != ONE.id
    with pytest.raises(VerificationError):
        verify(KEYS[0].public, changed.signatures[0].sig, changed.pae)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from(["payload", "payloadType", "signatures", "keyid", "sig"]))
def test_only_errors_of_the_tree_escape(part: object, name: str) -> None:
    """Any JSON in any place is refused, or is read as what stands there."""
    value = copy.deepcopy(ONE.to_json())
    (value["signatures"][0] if name in ("keyid", "sig") else value)[name] = part
    try:
        made = Envelope.from_json(value)
    except VerificationError:
        return
    assert made.to_json() == value
    assert made.payload == b64decode(value["payload"])
