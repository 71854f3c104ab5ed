# SPDX-License-Identifier: Apache-2.0
"""Check digits, canonical spelling and problems of identifiers."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from traceledger.core.claims import identifiers as ids
from traceledger.core.claims.gs1_values import value_problem
from traceledger.errors import InputError

# CBV's own vector for a GTIN-8 whose check digit is wrong; the GS1 syntax engine refuses the same number.
WRONG_IN_VECTORS = {"http://example.de/gtin-8/01/97803111"}


def vectors(shared: Path, name: str) -> list[dict]:
    return json.loads((shared / "data/gs1/digital-link" / name).read_text())


def test_canonical_form_follows_the_cbv_vectors(shared):
    """Every conversion vector holds, but for the one whose check digit is wrong."""
    cases = vectors(shared, "cbv_constrained_uri_vectors.json")
    assert len(cases) == 44
    for case in cases:
        expected = case["normalised"] or case["input"]
        if case["input"] in WRONG_IN_VECTORS:
            expected = case["input"]
            assert ids.problems(case["input"])
        assert ids.canonical(case["input"]) == expected


def test_check_digits_follow_the_vectors(shared):
    """Every check digit vector with an identifier is judged as the GS1 syntax engine judges it."""
    cases = [case for case in vectors(shared, "check_digit_vectors.json") if case["ai"]]
    assert len(cases) > 30
    for case in cases:
        assert (value_problem(case["ai"], case["value"]) is None) == case["valid"], case


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://tem.example/x/01/09521234567899/10/A1?s=sig", "https://id.gs1.org/01/09521234567899/10/A1"),
        ("https://tem.example/01/09521234567899/10/A1/21/S9", "https://id.gs1.org/01/09521234567899/21/S9"),
        ("https://tem.example/01/09521234567899/22/V1", "https://id.gs1.org/01/09521234567899"),
        ("HTTP://a/414/9521234000013/254/K2", "https://id.gs1.org/414/9521234000013/254/K2"),
        ("https://a/01/09521234567899/10/A%2f1", "https://id.gs1.org/01/09521234567899/10/A%2F1"),
        ("urn:epc:id:sgln:9521234.00001.0", "https://id.gs1.org/414/9521234000013"),
        ("urn:epc:id:pgln:9521234.00001", "https://id.gs1.org/417/9521234000013"),
    ],
)
def test_one_identifier_has_one_spelling(uri, expected):
    """Host, stem, scheme, escapes, query and coarser qualifiers do not change the subject."""
    assert ids.canonical(uri) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "urn:uuid:3f0c6f8e-7f0e-4c11-9a41-0a7d1b5f3c01",
        "urn:gdst:example.org:product:lot:class:processor.2u.v1-0122-2022",
        "https://id.gs1.org/01/09521234567898/10/A1",
        "https://id.gs1.org/01/09521234567899/10/",
        "https://id.gs1.org/01/09521234567899/10/A/",
        "https://id.gs1.org/01/09521234567899?10=A1",
        "https://id.gs1.org/01/09521234567899/21/S/10/A",
        "https://id.gs1.org/01/09521234567899/10/Lô",
        "https://id.gs1.org/01/09521234567899/10/ABCDEFGHIJKLMNOPQRSTU",
        "urn:epc:id:sgtin:9521234.0567899.1",
        "urn:epc:id:sgtin:9521234.056789.",
        "urn:epc:class:lgtin:9521234.056789.A/B",
        "urn:epc:idpat:sgtin:9521234.*.*",
        "urn:epc:id:sscc:08600031303.0003",
        "urn:epc:id:nosuch:1.2.3",
    ],
)
def test_what_is_no_identifier_stays_as_it_is(text):
    """A string without canonical form, a wrong check digit included, is its own canonical form."""
    assert ids.canonical(text) == text


def test_a_qualifier_in_the_query_never_merges_lots():
    """A lot wrongly put into the query does not fall back on its product."""
    links = [f"https://a/01/09521234567899?10={lot}" for lot in "AB"]
    assert len({ids.canonical(link) for link in links}) == 2
    assert "https://id.gs1.org/01/09521234567899" not in map(ids.canonical, links)


@given(st.text() | st.from_regex(r"(https?://[a-z.]{1,9}|urn:epc:(id|class|idpat):[a-z]{3,5}:)[!-~]{0,60}"))
@example("https://id.gs1.org/01/09521234567899/10/%25")
@example("https://[::1/01/09521234567899")
@example("http://\u0661/01/09521234567899")
def test_canonical_is_total_and_idempotent(text):
    """No text makes `canonical` or `problems` raise, and a second application changes nothing."""
    once = ids.canonical(text)
    assert ids.canonical(once) == once
    assert all(isinstance(problem, str) for problem in ids.problems(text))


@given(st.from_regex(r"[!%-?A-Z_a-z\"]{1,20}", fullmatch=True))
def test_every_lot_number_survives(lot):
    """Any lot of the GS1 character set comes back out of its URI unchanged."""
    uri = ids.lot_uri("09521234567899", lot)
    assert ids.canonical(uri) == uri
    assert ids.parse_digital_link(uri).get("10") == lot
    assert ids.is_lot(uri)


@given(st.integers(0, 10**13 - 1), st.integers(0, 9))
def test_only_one_check_digit_is_right(body, digit):
    """A GTIN is taken with its check digit and refused with the nine others, naming the right one."""
    text = f"{body:013d}"
    right = ids.check_digit(text)
    if str(digit) == right:
        assert ids.gtin(text + right) == text + right
    else:
        with pytest.raises(InputError, match=f"should be {right}") as caught:
            ids.gtin(f"{text}{digit}")
        assert caught.value.code == "identifier"


@pytest.mark.parametrize(
    ("function", "good", "bad"),
    [
        (ids.gtin, "9521234567899", "952123456789"),
        (ids.gln, "9521234000013", "9521234000010"),
        (ids.gln, "9521234000013", "09521234000013"),
        (ids.sscc, "340123451111111111", "340123451111111112"),
        (ids.gtin, "09521234567899", "0952123456789O"),
        (ids.gtin, "09521234567899", "\u0660" * 14),
    ],
)
def test_numbers_are_refused_when_one_thing_is_wrong(function, good, bad):
    """Wrong length, wrong characters and a wrong check digit are refused; the good twin passes."""
    function(good)
    with pytest.raises(InputError):
        function(bad)


def test_short_gtins_are_padded():
    """A GTIN-8, -12 or -13 becomes 14 digits with the same check digit."""
    assert ids.gtin("9521234567899") == "09521234567899"
    assert ids.gtin("02345673") == "00000002345673"


def test_problems_name_the_right_digit():
    """A wrong check digit is told with the right one; sound and foreign identifiers have no problems."""
    assert "should be 3" in ids.problems("https://id.gs1.org/414/9521234000010")[0]
    assert ids.problems("https://id.gs1.org/414/9521234000013") == []
    assert ids.problems("urn:uuid:1") == []
    assert ids.problems("https://example.org/shop/00/index") == []


def test_leading_zeros_and_exponents_stay_apart():
    """Lots that number-minded software confuses are different subjects (published hash collisions)."""
    for one, other in (
        ("0012345678", "12345678"),
        ("900719925474099301", "900719925474099302"),
        ("12345678901234567", "12345678901234568"),
        ("1E5", "100000"),
        ("1.0", "1"),
    ):
        first, second = (ids.lot_uri("09521234567899", lot) for lot in (one, other))
        assert first != second
        assert {ids.canonical(first), ids.canonical(second)} == {first, second}


def test_a_forged_serial_never_becomes_the_genuine_lot():
    """An item with an unknown serial is its own subject, not the lot that its link names too."""
    lot = "https://id.gs1.org/01/09521234567899/10/LOT01"
    assert ids.canonical(lot + "/21/FORGED") not in (lot, "https://id.gs1.org/01/09521234567899")
