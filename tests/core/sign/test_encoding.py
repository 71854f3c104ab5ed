# SPDX-License-Identifier: Apache-2.0
"""Base64 both ways: one text per value, nothing else read."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.sign.encoding import b64decode, b64encode, b64u_decode, b64u_encode
from traceledger.errors import VerificationError


@given(st.binary(max_size=80))
def test_both_alphabets_come_back(data: bytes) -> None:
    """Decoding what was encoded gives the data, and the standard library reads the same."""
    assert b64decode(b64encode(data), size=len(data)) == data == base64.standard_b64decode(b64encode(data))
    assert b64u_decode(b64u_encode(data), size=len(data)) == data
    assert not set("+/=") & set(b64u_encode(data))


@pytest.mark.parametrize(
    "text",
    [
        "AB==",  # bits behind the last byte
        "AAB=",
        "AA",
        "AA=",
        "AA===",
        "A===",
        "=",
        "AAA",
        "AAAA ",
        " AAAA",
        "AA\nAA",
        "AAAA\n",
        "AA-_",
        "AA==AA==",
        "AAAA\0",
        "\uff21AAA",
        "\ud800AAA",
        None,
        5,
        b"AAAA",
        ["AAAA"],
    ],
)
def test_padded_base64_has_one_text(text: object) -> None:
    """Another spelling, alphabet or type is refused with code base64."""
    with pytest.raises(VerificationError) as caught:
        b64decode(text)
    assert caught.value.code == "base64"


@pytest.mark.parametrize(
    "text",
    ["AB", "AAB", "AA==", "AA=", "A", "AA+/", "AAA A", "AA\n", "AAAA!", "\uff21A", "\ud800A", None, 5, b"AA"],
)
def test_unpadded_base64url_has_one_text(text: object) -> None:
    """Another spelling, alphabet or type is refused with code base64."""
    with pytest.raises(VerificationError) as caught:
        b64u_decode(text)
    assert caught.value.code == "base64"


@pytest.mark.parametrize("size", [31, 33, 0])
def test_the_size_the_format_fixes_is_asked_for(size: int) -> None:
    """Well-formed text of another length is refused."""
    for decode, text in ((b64decode, b64encode(bytes(size))), (b64u_decode, b64u_encode(bytes(size)))):
        assert decode(text) == bytes(size)
        with pytest.raises(VerificationError):
            decode(text, size=32)


@given(st.text(max_size=20))
def test_random_text_is_refused_or_is_the_only_spelling(text: str) -> None:
    """No two texts decode to one value."""
    for decode, encode in ((b64decode, b64encode), (b64u_decode, b64u_encode)):
        try:
            data = decode(text)
        except VerificationError:
            continue
        assert encode(data) == text
