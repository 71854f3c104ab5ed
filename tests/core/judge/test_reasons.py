# SPDX-License-Identifier: Apache-2.0
"""Every reason code that verification can give, from the smallest change to a good bundle."""

from collections.abc import Callable

import pytest

from core.judge import cases_logged, cases_signed
from core.judge.cases import TX, Case, Cases, Json, linked, log_of
from core.judge.smallworld import World, judge, reasons
from core.statements import (
    CHAIN,
    ORIGIN,
    lot,
)
from traceledger.core.judge.bundle import Trust
from traceledger.core.log.entry import Entry
from traceledger.core.reasons import REASONS
from traceledger.errors import InputError, VerificationError

CASES: Cases = cases_signed.CASES | cases_logged.CASES


def outcome(world: World, name: str) -> tuple[str, str]:
    """(rung, reason) of the first failure of a case."""
    _, _, make = CASES[name]
    bundle, options = make(world)
    if "trust" not in options and bundle["registry"].get("whole"):
        first = genesis_of(bundle)
        options = {"trust": Trust(origin=ORIGIN, genesis=first), **options}
    report = judge(bundle, **options)
    assert report.exit_code == 1
    assert not report.ok
    assert report.failed is not None
    rung = next(rung for rung, found in report.rungs.items() if found.result == "fail")
    assert report.reason == report.rungs[rung].reason
    return rung, str(report.reason)


def genesis_of(bundle: Json) -> str:
    """Id of the bundle's entry 0, or nothing that exists."""
    try:
        return Entry.from_json(bundle["registry"]["whole"][0]["entry"]).id
    except VerificationError:
        return "0" * 64


@pytest.mark.parametrize("name", CASES)
def test_the_smallest_change_and_its_reason(world: World, name: str) -> None:
    """Each case fails its rung, with its reason, as the first failure."""
    rung, reason, _ = CASES[name]
    assert outcome(world, name) == (rung, reason)


def test_the_good_bundle(world: World) -> None:
    """What the cases start from passes every rung but the chain's."""
    report = world.judge(world.bundle())
    assert reasons(report) == {"ANCHORED": ("not checked", "anchor-pending")}
    assert (report.ok, report.exit_code, report.reason) == (True, 0, None)


UNCHECKED: dict[str, tuple[str, str, Case]] = {
    "trust-missing": ("ORIGIN", "trust-missing", lambda world: (world.bundle(), {"trust": None})),
    "registry-slice": (
        "KEYS",
        "registry-slice",
        lambda world: (world.ledger.bundle(slice_of=range(6), witnesses=["w1", "w2"]), {}),
    ),
    "quorum": ("WITNESSED", "quorum", lambda world: (log_of(), {})),
    "anchor-pending": ("ANCHORED", "anchor-pending", lambda world: (world.bundle(), {})),
    "chain-unreachable": (
        "ANCHORED",
        "chain-unreachable",
        lambda world: (world.bundle() | {"anchors": [{"chain": CHAIN, "tx": TX, "log": 0, "proof": []}]}, {}),
    ),
    "index-missing": ("COMPLETE", "index-missing", lambda world: (log_of(index=False), {})),
    "prev-unknown": ("LINKED", "prev-unknown", lambda world: (linked(lambda ledger: ["a" * 64]), {})),
}


@pytest.mark.parametrize("name", UNCHECKED)
def test_what_could_not_be_checked_says_why(world: World, name: str) -> None:
    """Not checked is no failure; it has a reason of its own, and without ORIGIN and LINKED nothing is ok."""
    rung, reason, make = UNCHECKED[name]
    bundle, options = make(world)
    options = {
        "trust": Trust(
            origin=ORIGIN, genesis=genesis_of(bundle) if "whole" in bundle["registry"] else world.ledger.id(0)
        ),
        **options,
    }
    report = judge(bundle, **options)
    assert report.rungs[rung].result == "not checked"
    assert report.rungs[rung].reason == reason
    assert report.failed is None
    needed = rung in ("ORIGIN", "LINKED")
    assert report.ok != needed
    assert report.exit_code == (4 if needed else 0)


MALFORMED: dict[str, Callable[[World], object]] = {
    "bundle-shape": lambda world: world.bundle() | {"extra": 1},
    "subject-absent": lambda world: world.bundle() | {"subject": lot("L9")},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed(world: World, name: str) -> None:
    """Nothing is judged of what is no bundle."""
    with pytest.raises(InputError) as caught:
        world.judge(MALFORMED[name](world))
    assert caught.value.code == name
    assert caught.value.exit_code == 2


ELSEWHERE = {
    "not-nfc": "asked at admission only",
    "consistency": "between heads: audits, monitors, witnesses; in a bundle it is anchor-mismatch",
    "root-mismatch": "recomputed by audits and at start",
    "tile-mismatch": "recomputed by audits",
    "head-rollback": "monitors and the anchoring worker",
    "head-fork": "monitors and the anchoring worker",
    "registry-void": "audits; in a bundle a void registry entry just has no effect",
    "threshold": "as registry-void",
    "version": "as registry-void",
    "pop-missing": "as registry-void",
    "key-reused": "as registry-void",
    "anchor-not-final": "test_chainword",
    "anchor-mismatch": "test_chainword",
    "chain-disagree": "test_chainword",
    "anchor-ahead": "the anchoring worker",
    "upstream-cut": "test_verify",
    "stamp-signature": "a scan's query, which no bundle has",
}


def test_every_reason_has_a_case() -> None:
    """The closed list is covered: by the table, or by who else gives the reason."""
    covered = {reason for _, reason, _ in CASES.values()} | UNCHECKED.keys() | MALFORMED.keys()
    assert covered | ELSEWHERE.keys() == REASONS.keys()
    assert not covered & ELSEWHERE.keys()


def test_reasons_of_the_table_belong_to_their_rung() -> None:
    """A rung fails for a reason of its own; entry-shape alone shows where decoding stops, in SIGNED."""
    for rung, reason, _ in [*CASES.values(), *UNCHECKED.values()]:
        assert REASONS[reason][0] == rung or reason == "entry-shape"
    for rung, english, vietnamese in REASONS.values():
        assert english.endswith(".")
        assert vietnamese.endswith(".")
        assert rung
