# SPDX-License-Identifier: Apache-2.0
"""The strict Digital Link parser against GS1's syntax engine, and its own round trip."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.claims import identifiers as ids
from traceledger.core.claims.gs1_values import KEYS
from traceledger.errors import InputError


def verdict(uri: str) -> str | None:
    """Canonical path of *uri*, or None where it is refused."""
    try:
        link = ids.parse_digital_link(uri)
    except InputError as error:
        return None if error.code == "identifier" else error.code
    return ids.format_digital_link(
        ids.DigitalLink(primary_ai=link.primary_ai, primary=link.primary, qualifiers=link.qualifiers)
    )


def load(shared: Path, name: str) -> list[dict]:
    return json.loads((shared / "data/gs1/digital-link" / name).read_text())


@pytest.mark.parametrize(
    ("name", "count"), [("gs1_engine_parse_vectors", 50), ("observed_uris", 67), ("mutated_uris", 183)]
)
def test_agrees_with_the_gs1_syntax_engine(shared, name, count):
    """Every vector without a leniency option gets the engine's verdict and canonical path."""
    cases = [case for case in load(shared, f"{name}.json") if not case.get("options")]
    assert len(cases) == count
    for case in cases:
        expected = case.get("full_check", case)
        canonical = (expected["canonical"] or "").partition("?")[0] if expected["ok"] else None
        assert verdict(case["uri"]) == canonical, case


def test_path_orders_are_those_of_the_standard(shared):
    """Of all path sequences published, those of keys read here and no others of theirs are taken."""
    values = {
        "01": "09521234567899",
        "00": "340123451111111111",
        "253": "4012345000054",
        "255": "4012345000054",
    }
    values |= {"401": "4012345AB", "402": "40123452223334442", "414": "9521234000013", "417": "9521234000013"}
    values |= {"8003": "04012345000221", "8004": "4012345A", "8006": "040123451111180102", "8010": "4012345A"}
    values |= {"8017": "401234500000067657", "8018": "401234500000067657", "7040": "1ABC", "8011": "12"}
    published = {tuple(path) for path in load(shared, "valid_path_sequences.json") if path[0] in KEYS}
    assert len(published) > 30
    for path in published:
        assert verdict("https://a/" + "/".join(f"{ai}/{values.get(ai, '12')}" for ai in path)), path
        turned = (path[0], *reversed(path[1:]))
        if turned not in published:
            assert not verdict("https://a/" + "/".join(f"{ai}/{values.get(ai, '12')}" for ai in turned)), (
                turned
            )


VALID = "https://tem.example/vi/01/09521234567899/10/XCL-2611A/21/7K3MQ9X2VD4H?s=abc&17=261231"


def test_a_stamp_link_is_taken_apart():
    """All parts of a stamp's link come back decoded and in order."""
    link = ids.parse_digital_link(VALID)
    assert (link.origin, link.stem, link.primary_ai, link.primary) == (
        "https://tem.example",
        "/vi",
        "01",
        "09521234567899",
    )
    assert link.qualifiers == (("10", "XCL-2611A"), ("21", "7K3MQ9X2VD4H"))
    assert link.query == (("s", "abc"), ("17", "261231"))
    assert ids.format_digital_link(link) == VALID


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://", "ftp://"),
        ("https://", "Https://"),
        ("tem.example", ""),
        ("tem.example", "tem$example"),
        ("tem.example", "a@tem.example"),
        ("tem.example", "[::g]"),
        ("09521234567899", "9521234567899"),
        ("09521234567899", "09521234567898"),
        ("09521234567899", "O9521234567899"),
        ("/01/", "/gtin/"),
        ("/10/XCL-2611A", "/10/"),
        ("/10/XCL-2611A", "/10/XCL 2611A"),
        ("/10/XCL-2611A", "/10/XCL%002611A"),
        ("/10/XCL-2611A", "/10/X%C3%B4"),
        ("/10/XCL-2611A", "/10/" + "X" * 21),
        ("/10/XCL-2611A", "/17/261231"),
        ("/10/XCL-2611A", "/10/A/10/B"),
        ("/21/7K3MQ9X2VD4H", "/21/7K3MQ9X2VD4H/"),
        ("/10/XCL-2611A/21/7K3MQ9X2VD4H", "/21/7K3MQ9X2VD4H/10/XCL-2611A"),
        ("17=261231", "17=261331"),
        ("17=261231", "17=261231&17=261231"),
        ("17=261231", "10=XCL"),
        ("17=261231", "9999=1"),
        ("17=261231", "01=09521234567899"),
        ("17=261231", "17="),
        ("17=261231", "414=9521234000010"),
    ],
)
def test_refuses_a_link_with_one_thing_broken(old, new):
    """The valid link with one part replaced is refused."""
    assert old in VALID
    assert verdict(VALID) is not None
    assert verdict(VALID.replace(old, new, 1)) is None


@given(
    st.from_regex(r"[!%-?A-Z_a-z\"]{1,20}", fullmatch=True),
    st.from_regex(r"[!%-?A-Z_a-z\"]{1,20}", fullmatch=True),
    st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=3),
)
def test_format_then_parse_gives_the_same_link(lot, serial, extra):
    """What is formatted is parsed back to equal parts, whatever characters they hold."""
    query = tuple(
        (f"x{''.join(c for c in k if c.isascii())}", "".join(c for c in v if c.isascii())) for k, v in extra
    )
    link = ids.DigitalLink(
        primary_ai="01",
        primary="09521234567899",
        qualifiers=(("10", lot), ("21", serial)),
        query=query,
        origin="https://tem.example:8443",
        stem="/a/b",
    )
    assert ids.parse_digital_link(ids.format_digital_link(link)) == link


@given(st.text(max_size=80))
def test_never_raises_anything_else(text):
    """Any text is parsed or refused with an identifier error."""
    verdict(text)
    verdict(f"https://a/01/09521234567899/10/{text}")
