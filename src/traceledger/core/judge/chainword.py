# SPDX-License-Identifier: Apache-2.0
"""
What the chain's word is worth: the ANCHORED rung of section 7 of the format specification.

An anchor counts when its receipt succeeded, the contract and log id of the policy emitted it, its block is
canonical and finalized, the checkpoint is a prefix of the head it fixed, and no endpoint says otherwise.
Unreachable is never altered: an endpoint that did not answer, or answers that differ, leave it unchecked, so
that one lying endpoint of two can neither pass nor fail an anchor.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from traceledger.core.judge.bundle import Anchored as AnchorRef
from traceledger.core.log.anchor import Anchored, Observation, Receipt, decode_anchored
from traceledger.core.log.merkle import verify_consistency
from traceledger.core.log.note import Checkpoint
from traceledger.errors import VerificationError

Verdict = tuple[Literal["pass", "fail", "not checked"], str | None, str]
Place = tuple[str, bytes, bytes]
"""(chain, contract address, log id) that the policy names."""


def judge_anchors(
    anchors: Sequence[AnchorRef],
    places: Sequence[Place],
    checkpoint: Checkpoint | None,
    observations: Mapping[int, Sequence[Observation]] | None,
) -> Verdict:
    """
    Return (result, reason, detail) over all *anchors*: one that fails fails all, else one that passes is enough.
    """
    if not anchors:
        return "not checked", "anchor-pending", "no anchor in the bundle yet"
    if checkpoint is None:
        return "not checked", None, ""
    verdicts = [
        _judge(anchor, places, checkpoint, None if observations is None else observations.get(position, ()))
        for position, anchor in enumerate(anchors)
    ]
    for wanted in ("fail", "pass", "not checked"):
        for verdict in verdicts:
            if verdict[0] == wanted:
                return verdict
    raise AssertionError("every verdict is one of three")


def _judge(
    anchor: AnchorRef, places: Sequence[Place], checkpoint: Checkpoint, seen: Sequence[Observation] | None
) -> Verdict:
    listed = {place[1:] for place in places if place[0] == anchor.chain}
    if not listed:
        return "fail", "anchor-unlisted", f"the policy names no contract on {anchor.chain}"
    if not seen:
        return "not checked", "chain-unreachable", f"no endpoint of {anchor.chain} was asked"
    answers = [one for one in seen if one.error is None]
    if not answers:
        return "not checked", "chain-unreachable", f"no endpoint of {anchor.chain} answered"
    first = answers[0]
    if any((one.chain_id, one.receipt) != (first.chain_id, first.receipt) for one in answers):
        return "not checked", "chain-disagree", "the endpoints do not say the same"
    if f"eip155:{first.chain_id}" != anchor.chain:
        return "fail", "chain-id", f"{first.endpoint} serves chain {first.chain_id}, expected {anchor.chain}"
    receipt = first.receipt
    if receipt is None:
        return "not checked", "anchor-pending", f"{first.endpoint} knows no such transaction"
    try:
        fixed = _fixed_head(receipt, anchor, listed)
        _check_prefix(fixed, anchor, checkpoint)
    except VerificationError as error:
        return "fail", error.code, error.message
    if not all(_is_final(one, receipt) for one in answers):
        return "not checked", "anchor-not-final", f"block {receipt.block_number} is not final yet"
    sources = {one.endpoint for one in answers}
    by = "by one source" if len(sources) == 1 else f"by {len(sources)} sources"
    return "pass", None, f"{anchor.chain}, block {receipt.block_number}, size {fixed.size}, {by}"


def _is_final(one: Observation, receipt: Receipt) -> bool:
    return bool(one.canonical) and one.finalized is not None and receipt.block_number <= one.finalized


def _fixed_head(receipt: Receipt, anchor: AnchorRef, listed: set[tuple[bytes, bytes]]) -> Anchored:
    if receipt.status != 1 or anchor.log >= len(receipt.logs):
        raise VerificationError("the transaction failed or has no such event", code="anchor-mismatch")
    log = receipt.logs[anchor.log]
    fixed = decode_anchored(log)
    if (log.address, fixed.log_id) not in listed:
        raise VerificationError("the event is of another contract or log", code="anchor-mismatch")
    return fixed


def _check_prefix(fixed: Anchored, anchor: AnchorRef, checkpoint: Checkpoint) -> None:
    try:
        verify_consistency(
            old_size=checkpoint.size,
            old_root=checkpoint.root,
            new_size=fixed.size,
            new_root=fixed.root,
            proof=anchor.proof,
        )
    except VerificationError as error:
        raise VerificationError(
            f"the checkpoint is not a prefix of the anchored head: {error.message}", code="anchor-mismatch"
        ) from error
