# SPDX-License-Identifier: Apache-2.0
"""
Every single change of the worked example's bundle is refused or moves a rung.

The one exception, by design: a private part may be withheld.  It is opened for who may read it and its commitment
stands in the log either way, so a bundle without it is a good bundle.
"""

import copy
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from traceledger.core.judge.bundle import Bundle, Trust
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.log.entry import Entry
from traceledger.core.reasons import REASONS
from traceledger.core.sign.envelope import Signature
from traceledger.core.sign.keys import verify as verify_signature
from traceledger.errors import InputError, VerificationError

Json = Any
Steps = tuple[str | int, ...]


@pytest.fixture(scope="module")
def example(shared: Path) -> dict[str, Json]:
    """The example, its numbers as Decimal."""
    return dict(json.loads((shared / "design/example.json").read_text(), parse_float=Decimal))


# --- all single changes of a JSON value


def places(value: Json, at: Steps = ()) -> Iterator[Steps]:
    """Yield where every value stands, the whole first."""
    yield at
    match value:
        case dict():
            for name, part in value.items():
                yield from places(part, (*at, name))
        case list():
            for number, part in enumerate(value):
                yield from places(part, (*at, number))


def changes_of(value: Json, stride: int) -> Iterator[tuple[str, Json]]:
    """Yield other values for one place."""
    for other in (None, True, False, 0, -1, 2**53 - 1, "", "x", [], {}, [None], {"x": None}):
        if type(other) is not type(value) or other != value:
            yield f"is {other!r}", other
    match value:
        case bool():
            yield "not", not value
        case int():
            for number in (value + 1, value - 1, value * 2, value ^ 1, str(value)):
                yield f"is {number!r}", number
        case str():
            yield from text_changes(value, stride)
        case list():
            yield "reversed", value[::-1]
            yield "doubled", value + value
            for at in range(len(value)):
                yield f"without {at}", value[:at] + value[at + 1 :]
                yield f"{at} twice", [*value[: at + 1], *value[at:]]
                if at:
                    swapped = [*value[: at - 1], value[at], value[at - 1], *value[at + 1 :]]
                    yield f"{at - 1} and {at} swapped", swapped
            yield "null behind", [*value, None]
            yield "wrapped", [value]
        case dict():
            yield "one more member", value | {"extra": 1}
            yield "as a list", list(value.values())
            for name in value:
                yield f"without {name}", {key: part for key, part in value.items() if key != name}
                renamed = {(key + "x" if key == name else key): part for key, part in value.items()}
                yield f"{name} renamed", renamed


def text_changes(text: str, stride: int) -> Iterator[tuple[str, str]]:
    """Yield texts near *text*: one character changed, cut, added or moved."""
    for at in [*range(0, len(text), stride), len(text) - 1] if text else []:
        one = text[at]
        flipped = "B" if one == "A" else chr(ord(one) ^ 1) if one.isalnum() else "A"
        yield f"[{at}] changed", text[:at] + flipped + text[at + 1 :]
        yield f"[{at}] cut", text[:at] + text[at + 1 :]
        yield f"[{at}] doubled", text[: at + 1] + text[at:]
        if one.swapcase() != one:
            yield f"[{at}] other case", text[:at] + one.swapcase() + text[at + 1 :]
    yield "space behind", text + " "
    yield "line feed behind", text + "\n"
    yield "space in front", " " + text
    yield "reversed", text[::-1]
    yield "doubled", text + text
    yield "as a list", [text]  # type: ignore[misc]


def changed(value: Json, at: Steps, other: Json) -> Json:
    """Return a copy of *value* with *other* at one place."""
    if not at:
        return other
    made = copy.copy(value)
    made[at[0]] = changed(value[at[0]], at[1:], other)
    return made


def single_changes(bundle: Json, stride: int) -> Iterator[tuple[str, Json]]:
    """Yield every single change of *bundle* that leaves another value."""
    for at in places(bundle):
        here = bundle
        for step in at:
            here = here[step]
        for name, other in changes_of(here, stride):
            if json.dumps(other, default=str) != json.dumps(here, default=str):
                yield f"{'/'.join(map(str, at))} {name}", changed(bundle, at, other)


# --- judging


class Remembered:
    """Signature checks with a memory, as the same signatures are seen thousands of times."""

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, bytes, bytes], VerificationError | None] = {}

    def __call__(self, entry: Entry, signature: Signature, public: bytes) -> None:
        """Verify as the default does."""
        case = (entry.envelope.pae, signature.sig, public)
        if case not in self.known:
            try:
                verify_signature(public, signature.sig, entry.envelope.pae)
                self.known[case] = None
            except VerificationError as error:
                self.known[case] = error
        error = self.known[case]
        if error is not None:
            raise VerificationError(error.message, code=error.code)


class Judge:
    """Judges changed bundles against the example's trust file."""

    def __init__(self, example: dict[str, Json]) -> None:
        self.trust = Trust.parse(json.dumps(example["trust"]).encode())
        self.check = Remembered()
        self.expected = example["expected"]["rungs"]

    def moved(self, bundle: Json) -> str | None:
        """Return what became of a bundle: the refusal's code, or the rungs that moved; None if nothing did."""
        try:
            parsed = Bundle.parse(json.dumps(bundle, default=float).encode())
            report = verify_bundle(parsed, trust=self.trust, check_signature=self.check)
        except InputError as error:
            assert error.code in REASONS, error  # noqa: PT017
            return error.code
        for rung in report.rungs.values():
            assert rung.result != "fail" or rung.reason in REASONS
            assert rung.reason is None or rung.reason in REASONS
        now = {name: rung.result for name, rung in report.rungs.items()}
        names = [name for name in now if now[name] != self.expected[name]]
        assert report.exit_code == (1 if report.failed else 0 if report.ok else 4)
        return " ".join(names) or None


def _unmoved(example: dict[str, Json], stride: int) -> tuple[int, list[str]]:
    judge = Judge(example)
    assert judge.moved(example["bundle"]) is None
    count, unmoved = 0, []
    for name, other in single_changes(example["bundle"], stride):
        count += 1
        if judge.moved(other) is None:
            unmoved.append(name)
    return count, unmoved


ALLOWED = {"private is []", "private without 0"}


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_every_single_change_moves_a_rung(example: dict[str, Json]) -> None:
    """
    Of several thousand changes only the two that withhold the private part leave every rung as it was.

    Strings are changed at every 37th character and their last; under the soak profile at each.
    """
    soak = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
    count, unmoved = _unmoved(example, stride=1 if soak else 37)
    assert set(unmoved) == ALLOWED
    assert count > (35_000 if soak else 4_000)


def test_a_change_of_layout_is_no_change(example: dict[str, Json]) -> None:
    """Member order and space in the bundle file do not matter: it is read strictly but need not be canonical."""
    judge = Judge(example)
    turned = {name: example["bundle"][name] for name in reversed(example["bundle"])}
    for layout in (
        json.dumps(turned, indent=3, default=float),
        json.dumps(turned, ensure_ascii=False, default=float),
    ):
        report = verify_bundle(Bundle.parse(layout.encode()), trust=judge.trust)
        assert report.ok


@pytest.mark.parametrize(
    "name", ["json-duplicate", "json-number", "json-syntax", "json-surrogate", "json-depth"]
)
def test_text_that_is_not_strict_json_is_malformed(example: dict[str, Json], name: str) -> None:
    """What parsers disagree about is refused before anything is judged."""
    text = json.dumps(example["bundle"], default=float)
    broken = {
        "json-duplicate": text.replace('"v": 1', '"v": 1, "v": 1', 1),
        "json-number": text.replace('"v": 1', '"v": 1.0', 1),
        "json-syntax": text + "}",
        "json-surrogate": text.replace("0900000000", "\\ud800"),
        "json-depth": text.replace('"0900000000"', "[" * 40 + "]" * 40),
    }[name]
    assert broken != text
    with pytest.raises(InputError) as caught:
        Bundle.parse(broken.encode())
    assert caught.value.code == name
