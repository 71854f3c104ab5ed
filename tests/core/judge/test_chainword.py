# SPDX-License-Identifier: Apache-2.0
"""The chain's word: what endpoints said, and what it is worth."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.judge.smallworld import World
from core.ledgerkit import founded
from core.statements import (
    CHAIN,
    CONTRACT,
    LOT,
    ORIGIN,
    address,
    anchor_place,
    policy,
)
from traceledger.core.judge.bundle import Anchored as AnchorRef
from traceledger.core.judge.chainword import judge_anchors
from traceledger.core.judge.report import Report
from traceledger.core.log.anchor import ANCHORED_TOPIC, Observation, Receipt, ReceiptLog, log_id
from traceledger.core.log.note import parse_checkpoint

Json = dict[str, Any]

LOG_ID = log_id(address("anchor"), address("guardian"), ORIGIN)
BLOCK = b"b" * 32
TX = "0x" + "a" * 64


def word(number: int) -> bytes:
    """A 32-byte word."""
    return number.to_bytes(32)


def anchored(size: int, root: bytes, *, seq: int = 1, **change: Any) -> ReceiptLog:
    """The contract's event for a head."""
    made = ReceiptLog(
        address=CONTRACT,
        topics=(ANCHORED_TOPIC, LOG_ID, word(seq)),
        data=word(size) + root + word(0) + bytes(32),
        log_index=4,
    )
    return replace(made, **change)


def receipt(*logs: ReceiptLog, status: int = 1, block: int = 100) -> Receipt:
    """The receipt of a transaction in block *block*."""
    return Receipt(status=status, block_number=block, block_hash=BLOCK, logs=logs)


def said(found: Receipt | None, endpoint: str = "one", **change: Any) -> Observation:
    """What an endpoint of the chain said, everything final."""
    made = Observation(endpoint=endpoint, chain_id=31337, finalized=100, receipt=found, canonical=True)
    return replace(made, **change)


UNREACHABLE = Observation(endpoint="down", error="chain-unreachable")


class Case:
    """The world's bundle with one anchor, and the head that the chain fixed."""

    def __init__(self, world: World, *, later: int = 0) -> None:
        self.world = world
        for _ in range(later):
            world.ledger.say("observe", LOT)
        size = world.ledger.size
        checkpoint = parse_checkpoint(world.ledger.note(size))
        self.log = anchored(size, checkpoint.root)
        self.receipt = receipt(self.log)
        proof = world.ledger.prefix(world.indexed + 1, size)
        self.anchor: Json = {"chain": CHAIN, "tx": TX, "log": 0, "proof": proof}

    def judge(self, *seen: Observation, **anchor: Any) -> tuple[str, str | None]:
        """(result, reason) of the rung."""
        report = self.report(*seen, **anchor)
        return report.rungs["ANCHORED"].result, report.rungs["ANCHORED"].reason

    def report(self, *seen: Observation, **anchor: Any) -> Report:
        """The report where the endpoints said *seen*."""
        bundle = self.world.bundle() | {"anchors": [self.anchor | anchor]}
        return self.world.judge(bundle, observations={0: seen})


@pytest.fixture
def fixed(world: World) -> Case:
    """The bundle's own checkpoint is the anchored head."""
    return Case(world)


def test_one_source(fixed: Case) -> None:
    """One endpoint is enough to pass, and the verdict says it is one."""
    report = fixed.report(said(fixed.receipt))
    assert report.rungs["ANCHORED"].result == "pass"
    assert report.rungs["ANCHORED"].detail == "eip155:31337, block 100, size 10, by one source"
    assert report.exit_code == 0


def test_two_sources(fixed: Case) -> None:
    """Two endpoints that say the same are two sources; the same endpoint twice is one."""
    two = fixed.report(said(fixed.receipt), said(fixed.receipt, "two"))
    assert "by 2 sources" in two.rungs["ANCHORED"].detail
    again = fixed.report(said(fixed.receipt), said(fixed.receipt))
    assert "by one source" in again.rungs["ANCHORED"].detail


@pytest.mark.parametrize("later", [1, 2, 7])
def test_a_later_head_covers_the_checkpoint(world: World, later: int) -> None:
    """The chain may have fixed a longer log, if the checkpoint is proved to be its beginning."""
    case = Case(world, later=later)
    assert case.judge(said(case.receipt)) == ("pass", None)
    assert case.judge(said(case.receipt), proof=case.anchor["proof"][1:]) == ("fail", "anchor-mismatch")
    assert case.judge(said(case.receipt), proof=[]) == ("fail", "anchor-mismatch")


TABLE: dict[str, tuple[Any, tuple[str, str | None]]] = {
    "nobody was asked": (lambda c: [], ("not checked", "chain-unreachable")),
    "the endpoint is down": (lambda c: [UNREACHABLE], ("not checked", "chain-unreachable")),
    "both are down": (lambda c: [UNREACHABLE, UNREACHABLE], ("not checked", "chain-unreachable")),
    "one is down": (lambda c: [UNREACHABLE, said(c.receipt)], ("pass", None)),
    "no such transaction": (lambda c: [said(None)], ("not checked", "anchor-pending")),
    "one knows it, one not": (
        lambda c: [said(c.receipt), said(None, "two")],
        ("not checked", "chain-disagree"),
    ),
    "other block": (
        lambda c: [said(c.receipt), said(replace(c.receipt, block_hash=bytes(32)), "two")],
        ("not checked", "chain-disagree"),
    ),
    "one says it failed": (
        lambda c: [said(c.receipt), said(replace(c.receipt, status=0), "two")],
        ("not checked", "chain-disagree"),
    ),
    "one says it failed, first": (
        lambda c: [said(replace(c.receipt, status=0)), said(c.receipt, "two")],
        ("not checked", "chain-disagree"),
    ),
    "one shows another root": (
        lambda c: [said(receipt(anchored(10, bytes(32)))), said(c.receipt, "two")],
        ("not checked", "chain-disagree"),
    ),
    "both say it failed": (
        lambda c: [said(replace(c.receipt, status=0)), said(replace(c.receipt, status=0), "two")],
        ("fail", "anchor-mismatch"),
    ),
    "one is of another chain": (
        lambda c: [said(c.receipt), said(c.receipt, "two", chain_id=1)],
        ("not checked", "chain-disagree"),
    ),
    "wrong chain": (lambda c: [said(c.receipt, chain_id=1)], ("fail", "chain-id")),
    "chain unknown": (lambda c: [said(c.receipt, chain_id=None)], ("fail", "chain-id")),
    "not final": (lambda c: [said(c.receipt, finalized=99)], ("not checked", "anchor-not-final")),
    "nothing final": (lambda c: [said(c.receipt, finalized=None)], ("not checked", "anchor-not-final")),
    "just final": (lambda c: [said(c.receipt, finalized=100)], ("pass", None)),
    "one lags behind": (
        lambda c: [said(c.receipt), said(c.receipt, "two", finalized=99)],
        ("not checked", "anchor-not-final"),
    ),
    "reorganised away": (lambda c: [said(c.receipt, canonical=False)], ("not checked", "anchor-not-final")),
    "canonical unknown": (lambda c: [said(c.receipt, canonical=None)], ("not checked", "anchor-not-final")),
    "reverted": (lambda c: [said(replace(c.receipt, status=0))], ("fail", "anchor-mismatch")),
    "no logs": (lambda c: [said(receipt())], ("fail", "anchor-mismatch")),
}
LOGS: dict[str, Any] = {
    "another contract": lambda log: replace(log, address=bytes(20)),
    "another topic": lambda log: replace(log, topics=(bytes(32), *log.topics[1:])),
    "another log": lambda log: replace(log, topics=(log.topics[0], bytes(32), log.topics[2])),
    "no log id": lambda log: replace(log, topics=log.topics[:2]),
    "one topic more": lambda log: replace(log, topics=(*log.topics, bytes(32))),
    "another root": lambda log: replace(log, data=log.data[:32] + bytes(32) + log.data[64:]),
    "another size": lambda log: replace(log, data=word(11) + log.data[32:]),
    "a shorter log": lambda log: replace(log, data=word(9) + log.data[32:]),
    "size zero": lambda log: replace(log, data=word(0) + log.data[32:]),
    "a size past 64 bits": lambda log: replace(log, data=word(2**64 + 10) + log.data[32:]),
    "a sequence past 64 bits": lambda log: replace(log, topics=(*log.topics[:2], word(2**64))),
    "short data": lambda log: replace(log, data=log.data[:-1]),
    "long data": lambda log: replace(log, data=log.data + bytes(32)),
    "no data": lambda log: replace(log, data=b""),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_endpoints_say(fixed: Case, name: str) -> None:
    """Unreachable, pending, not final and disagreement are never failures, and never passes."""
    seen, wanted = TABLE[name]
    assert fixed.judge(*seen(fixed)) == wanted


@pytest.mark.parametrize("name", LOGS)
def test_an_event_that_is_not_this_head(fixed: Case, name: str) -> None:
    """Another contract, topic, log id, size or root is a mismatch, final or not."""
    wrong = receipt(LOGS[name](fixed.log))
    assert fixed.judge(said(wrong)) == ("fail", "anchor-mismatch")
    assert fixed.judge(said(wrong, finalized=None)) == ("fail", "anchor-mismatch")
    assert fixed.judge(said(wrong), said(fixed.receipt, "two")) == ("not checked", "chain-disagree")


def test_the_log_position_counts(fixed: Case) -> None:
    """The event is the one the bundle names among the receipt's logs."""
    other = replace(fixed.log, address=bytes(20))
    two = receipt(other, fixed.log)
    assert fixed.judge(said(two), log=1) == ("pass", None)
    assert fixed.judge(said(two), log=0) == ("fail", "anchor-mismatch")
    assert fixed.judge(said(two), log=2) == ("fail", "anchor-mismatch")
    assert fixed.judge(said(two), log=2**53 - 1) == ("fail", "anchor-mismatch")


def test_a_chain_the_policy_does_not_name(fixed: Case) -> None:
    """An anchor elsewhere proves nothing, whoever confirms it."""
    here = said(fixed.receipt, chain_id=1)
    assert fixed.judge(here, chain="eip155:1") == ("fail", "anchor-unlisted")
    assert fixed.judge(chain="eip155:1") == ("fail", "anchor-unlisted")


def test_two_contracts_on_one_chain() -> None:
    """A policy may name a chain twice, at a change of contracts; either counts."""
    moved = bytes([0xD0]) * 20
    ledger = founded(anchors=[anchor_place(), anchor_place(contract=moved)])
    assert ledger.registry.policy is not None
    places = [(place.chain, place.contract, place.log_id) for place in ledger.registry.policy.anchors]
    checkpoint = parse_checkpoint(ledger.note())
    ref = AnchorRef(chain=CHAIN, tx=TX, log=0, proof=())
    for contract, wanted in ((CONTRACT, "pass"), (moved, "pass"), (bytes(20), "fail")):
        found = receipt(replace(anchored(6, checkpoint.root), address=contract))
        assert judge_anchors([ref], places, checkpoint, {0: [said(found)]})[0] == wanted


def test_several_anchors(fixed: Case) -> None:
    """One that fails fails all; else one that passes is enough."""
    world = fixed.world
    bundle = world.bundle() | {"anchors": [fixed.anchor, fixed.anchor]}
    good, bad, silent = [said(fixed.receipt)], [said(replace(fixed.receipt, status=0))], [UNREACHABLE]
    for first, second, wanted in (
        (good, good, "pass"),
        (good, silent, "pass"),
        (silent, good, "pass"),
        (silent, silent, "not checked"),
        (good, bad, "fail"),
        (bad, silent, "fail"),
    ):
        report = world.judge(bundle, observations={0: first, 1: second})
        assert report.rungs["ANCHORED"].result == wanted
        assert report.exit_code == {"pass": 0, "not checked": 4, "fail": 1}[wanted]


def test_nobody_was_asked(fixed: Case) -> None:
    """Without endpoints the rung is not checked, which whoever did not ask need not mind."""
    report = fixed.world.judge(fixed.world.bundle() | {"anchors": [fixed.anchor]})
    assert report.rungs["ANCHORED"].reason == "chain-unreachable"
    assert (report.ok, report.exit_code) == (True, 0)


def test_an_unreadable_checkpoint_is_not_the_chains_fault(fixed: Case) -> None:
    """Without a checkpoint there is nothing to compare."""
    bundle = fixed.world.bundle() | {"anchors": [fixed.anchor], "checkpoint": "x"}
    report = fixed.world.judge(bundle, observations={0: [said(fixed.receipt)]})
    assert report.rungs["LOGGED"].reason == "note-syntax"
    assert report.rungs["ANCHORED"].result == "not checked"


def test_a_policy_that_forgets_the_chain(world: World) -> None:
    """The newest policy shown decides which chain counts."""
    case = Case(world)
    world.ledger.put(policy(version=2), "policy", "root")
    world.ledger.say("observe", LOT)
    bundle = world.ledger.bundle() | {"anchors": [case.anchor]}
    report = world.judge(bundle, observations={0: [said(case.receipt)]})
    assert report.rungs["ANCHORED"].reason == "anchor-unlisted"


WORDS = st.builds(
    Observation,
    endpoint=st.sampled_from(["one", "two"]),
    chain_id=st.sampled_from([31337, 1, None]),
    finalized=st.sampled_from([None, 99, 100]),
    receipt=st.none()
    | st.builds(
        Receipt,
        status=st.integers(0, 1),
        block_number=st.just(100),
        block_hash=st.just(BLOCK),
        logs=st.lists(
            st.builds(
                ReceiptLog,
                address=st.sampled_from([CONTRACT, bytes(20)]),
                topics=st.lists(
                    st.sampled_from([ANCHORED_TOPIC, LOG_ID, word(1), word(2**64)]), max_size=4
                ).map(tuple),
                data=st.binary(max_size=130),
                log_index=st.integers(0, 3),
            ),
            max_size=2,
        ).map(tuple),
    ),
    canonical=st.sampled_from([True, False, None]),
    error=st.sampled_from([None, "chain-unreachable"]),
)
REF = AnchorRef(chain=CHAIN, tx=TX, log=0, proof=())
NOTE = parse_checkpoint(founded().note())


@given(st.lists(WORDS, max_size=3))
def test_no_word_makes_a_head_that_was_not_fixed(seen: list[Observation]) -> None:
    """Whatever endpoints say short of this head's event, nothing passes and nothing crashes."""
    result, reason, _ = judge_anchors([REF], [(CHAIN, CONTRACT, LOG_ID)], NOTE, {0: seen})
    assert result != "pass"
    assert reason is not None
