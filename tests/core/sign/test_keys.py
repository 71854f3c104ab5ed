# SPDX-License-Identifier: Apache-2.0
"""Strict Ed25519: published vectors, a second library, and encodings that libraries disagree about."""

import hashlib
import json
from pathlib import Path

import nacl.exceptions
import nacl.signing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.sign.encoding import b64u_encode
from traceledger.core.sign.keys import SigningKey, check_public_key, kid, verify
from traceledger.errors import VerificationError

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
KEY = SigningKey(hashlib.sha256(b"a key").digest())
MESSAGE = b"one lot"
SIG = KEY.sign(MESSAGE)

D = -121665 * pow(121666, P - 2, P) % P


def _root(square: int) -> int | None:
    """A square root modulo P, or None."""
    for factor in (1, pow(2, (P - 1) // 4, P)):
        root = pow(square, (P + 3) // 8, P) * factor % P
        if root * root % P == square % P:
            return root
    return None


def _order_eight() -> list[int]:
    """Ordinates of the points of order 8: doubling gives y = 0, so d y^4 + 2 y^2 - 1 = 0."""
    found: set[int] = set()
    for sign in (1, -1):
        square = (-1 + sign * (_root(1 + D) or 0)) * pow(D, P - 2, P) % P
        if (y := _root(square)) is not None:
            found |= {y, P - y}
    return sorted(found)


# All encodings of points whose order divides 8, canonical or not, either sign bit
SMALL_ORDER = [
    (y | sign << 255).to_bytes(32, "little")
    for base in (0, 1, P - 1, *_order_eight())
    for y in (base, base + P)
    if y < 2**255
    for sign in (0, 1)
]
NOT_CANONICAL = [(P + i).to_bytes(32, "little") for i in range(19)]


def refusal(public: bytes, sig: bytes, message: bytes) -> str | None:
    """Return the reason code of the refusal, or None if the signature is accepted."""
    try:
        verify(public, sig, message)
    except VerificationError as error:
        return error.code
    return None


def second_opinion(public: bytes, sig: bytes, message: bytes) -> bool:
    """Say whether libsodium accepts the signature."""
    try:
        nacl.signing.VerifyKey(public).verify(message, sig)
    except (nacl.exceptions.BadSignatureError, nacl.exceptions.CryptoError, ValueError, TypeError):
        return False
    return True


def test_wycheproof(shared: Path) -> None:
    """All 151 published cases end as published, and as in libsodium."""
    path = shared / "data/vectors/c2sp-wycheproof/testvectors_v1/ed25519_test.json"
    document = json.loads(path.read_text())
    cases = 0
    for group in document["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for test in group["tests"]:
            cases += 1
            sig, message = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
            accepted = refusal(public, sig, message) is None
            assert accepted == (test["result"] == "valid"), (test["tcId"], test["comment"])
            assert accepted == second_opinion(public, sig, message), test["tcId"]
    assert cases == document["numberOfTests"] == 151


def test_rfc8032_vectors() -> None:
    """Tests 1 and 3 of RFC 8032 section 7.1 are reproduced."""
    for seed, public, message, sig in (
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                "d25bf5f0595bbe24655141438e7a100b"
            ),
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            (
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
                "4a7c15e9716ed28dc027beceea1ec40a"
            ),
        ),
    ):
        key = SigningKey(bytes.fromhex(seed))
        assert key.public.hex() == public
        assert key.sign(bytes.fromhex(message)).hex() == sig
        verify(key.public, bytes.fromhex(sig), bytes.fromhex(message))


def test_a_key_signs_what_it_verifies() -> None:
    """A signature holds for its key and message, and the key knows its seed and id."""
    verify(KEY.public, SIG, MESSAGE)
    assert second_opinion(KEY.public, SIG, MESSAGE)
    assert SigningKey(KEY.seed()).public == KEY.public
    assert KEY.kid == kid(KEY.public) == b64u_encode(hashlib.sha256(b"\x01" + KEY.public).digest())
    assert len(KEY.kid) == 43


def test_a_key_does_not_show_its_secret() -> None:
    """The text of a key names its id only."""
    assert KEY.seed().hex() not in repr(KEY)
    assert KEY.kid in repr(KEY)


@pytest.mark.parametrize(
    ("public", "sig", "message", "code"),
    [
        (KEY.public, SIG, b"another lot", "signature-invalid"),
        (SigningKey(bytes(32)).public, SIG, MESSAGE, "signature-invalid"),
        (KEY.public, SIG[:-1], MESSAGE, "signature-form"),
        (KEY.public, SIG + b"\0", MESSAGE, "signature-form"),
        (KEY.public, b"", MESSAGE, "signature-form"),
        (KEY.public[:-1], SIG, MESSAGE, "signature-form"),
        (KEY.public + b"\0", SIG, MESSAGE, "signature-form"),
        (b"", SIG, MESSAGE, "signature-form"),
        (KEY.public, SIG[:32] + ORDER.to_bytes(32, "little"), MESSAGE, "signature-form"),
        (KEY.public, SIG[:32] + b"\xff" * 32, MESSAGE, "signature-form"),
    ],
)
def test_what_is_no_signature_of_this_key(public: bytes, sig: bytes, message: bytes, code: str) -> None:
    """Each part changed is refused, malformed apart from wrong."""
    assert refusal(public, sig, message) == code
    assert not second_opinion(public, sig, message)


def test_a_second_signature_cannot_be_made_of_one() -> None:
    """S plus the group order names the same number; it is refused."""
    s = int.from_bytes(SIG[32:], "little")
    other = SIG[:32] + (s + ORDER).to_bytes(32, "little")
    assert refusal(KEY.public, other, MESSAGE) == "signature-form"


@pytest.mark.parametrize("point", sorted({*SMALL_ORDER, *NOT_CANONICAL}), ids=bytes.hex)
def test_small_order_and_non_canonical_points_are_refused(point: bytes) -> None:
    """Neither as key nor as R; a small-order key would accept one signature for every message."""
    assert len(_order_eight()) == 2
    assert refusal(point, SIG, MESSAGE) == "signature-form"
    assert refusal(KEY.public, point + SIG[32:], MESSAGE) == "signature-form"
    assert refusal(point, point + bytes(32), MESSAGE) == "signature-form"
    with pytest.raises(VerificationError) as caught:
        check_public_key(point)
    assert caught.value.code == "signature-form"


def test_the_signature_of_nobody() -> None:
    """With the neutral point as key and R and S = 0 the equation holds for every message; still refused."""
    neutral = (1).to_bytes(32, "little")
    assert refusal(neutral, neutral + bytes(32), MESSAGE) == "signature-form"
    assert refusal(neutral, neutral + bytes(32), b"anything else") == "signature-form"


def test_only_points_of_the_curve_can_be_registered() -> None:
    """Half of all strings encode no point: none of them is a key, and libsodium agrees about all."""
    taken = 0
    for number in range(200):
        encoded = hashlib.sha256(number.to_bytes(2)).digest()
        try:
            check_public_key(encoded)
        except VerificationError:
            on_curve = False
        else:
            on_curve = True
            taken += 1
        assert on_curve == _on_curve(encoded)
    assert 60 < taken < 140
    for number in range(40):
        check_public_key(SigningKey(hashlib.sha256(bytes([number])).digest()).public)


def _on_curve(encoded: bytes) -> bool:
    """Recover x as RFC 8032 section 5.1.3 writes it down, and put it into the curve's equation."""
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y >= P:
        return False
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x + u) % P == 0:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (-x * x + y * y - 1 - D * x * x * y * y) % P == 0


@given(st.integers(0, 511))
def test_no_bit_of_a_signature_is_free(bit: int) -> None:
    """Every single flipped bit is refused, here and in libsodium."""
    changed = bytearray(SIG)
    changed[bit // 8] ^= 1 << bit % 8
    assert refusal(KEY.public, bytes(changed), MESSAGE) is not None
    assert not second_opinion(KEY.public, bytes(changed), MESSAGE)


@given(st.binary(max_size=70), st.binary(max_size=70), st.binary(max_size=20))
def test_only_errors_of_the_tree_escape(public: bytes, sig: bytes, message: bytes) -> None:
    """Random keys and signatures are refused, never a crash."""
    assert refusal(public, sig, message) in ("signature-form", "signature-invalid")
    assert refusal(public.ljust(32, b"\0")[:32], sig.ljust(64, b"\0")[:64], message) is not None
