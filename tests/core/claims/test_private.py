# SPDX-License-Identifier: Apache-2.0
"""Private parts: a commitment hides and binds; value and salt open it."""

import hashlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.claims.private import check, commitment
from traceledger.core.sign.encoding import b64u_encode
from traceledger.errors import VerificationError

SALT = bytes(range(16))
VALUE = {"name": "Nguyễn Văn Mẫu", "size": [1, Decimal("2.5"), None]}


def code_of(committed: object, **change: object) -> str:
    """Return the reason code for which an opened part is refused."""
    case = {"name": "grower", "salt": SALT, "value": VALUE} | change
    with pytest.raises(VerificationError) as caught:
        check(committed, **case)  # type: ignore[arg-type]
    return caught.value.code


def test_what_was_committed_opens() -> None:
    """Prefix 02, salt and canonical value are hashed; the same name, salt and value open it."""
    text = '{"name":"Nguyễn Văn Mẫu","size":[1,2.5,null]}'
    made = commitment(SALT, VALUE)
    assert made == b64u_encode(hashlib.sha256(b"\x02" + SALT + text.encode()).digest())
    check({"grower": made, "phone": "x"}, name="grower", salt=SALT, value=VALUE)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "growers"},
        {"salt": bytes(16)},
        {"value": None},
        {"value": {}},
        {"value": {**VALUE, "size": [1, Decimal("2.5")]}},
    ],
)
def test_another_name_salt_or_value_does_not_open(change: dict[str, object]) -> None:
    """Each part changed alone is refused."""
    assert code_of({"grower": commitment(SALT, VALUE)}, **change) == "private-mismatch"


@pytest.mark.parametrize("committed", [None, {}, [], "x", {"grower": None}, {"grower": 5}, {"phone": "x"}])
def test_without_a_commitment_nothing_opens(committed: object) -> None:
    """A statement without the private member, or of another shape, commits to nothing."""
    assert code_of(committed) == "private-mismatch"


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_salt_has_sixteen_bytes(size: int) -> None:
    """Another length is refused, so the border between salt and value is fixed."""
    with pytest.raises(VerificationError) as caught:
        commitment(bytes(size), VALUE)
    assert caught.value.code == "private-mismatch"


@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
    st.text(max_size=5),
    st.text(max_size=5),
)
def test_one_commitment_has_one_opening(one: bytes, two: bytes, text: str, other: str) -> None:
    """Equal commitments come from equal salts and values."""
    try:
        same = commitment(one, text) == commitment(two, other)
    except VerificationError:
        assert any("\ud800" <= char <= "\udfff" for char in text + other)
        return
    assert same == ((one, text) == (two, other))
