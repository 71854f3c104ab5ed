# SPDX-License-Identifier: Apache-2.0
"""
Which three lines a scan shows: goods, record, label, three separate truths that are never merged.

Pure decisions over a verification report and the facts of the scan.  Precedence: goods recalled > locked >
not activated > for sale; record altered > no data > chain out of reach > anchor pending > finding > test chain >
unchanged; label copy suspected > opened before > none.  Empty never looks like valid, unreachable never like
altered, and green needs a pinned trust file, a final anchor on a real chain, and no red line beside it.
The values are in `view`; reading a lot out of a bundle is in `verdict`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from traceledger.core.judge.verdict.view import (
    AnchorView,
    FindingView,
    Line,
    RecallView,
    RungView,
    Severity,
    StampView,
)

GOODS: Final = ("recalled", "locked", "not-activated", "unknown", "for-sale", "none")
RECORD: Final = (
    "altered",
    "no-data",
    "chain-unreachable",
    "anchor-pending",
    "finding",
    "test-chain",
    "unchanged",
)
LABEL: Final = ("copy-suspected", "opened-before", "none")

RUNGS: Final = ("SIGNED", "LINKED", "LOGGED", "KEYS", "ORIGIN", "WITNESSED", "ANCHORED", "COMPLETE", "LABEL")

#: Chains whose blocks anyone may remake: the development chain of this machine and public test networks.
TEST_CHAINS: Final = frozenset({1337, 31337, 11155111, 17000, 560048, 80002, 97, 43113, 421614, 84532})

UNREACHABLE: Final = frozenset({"chain-unreachable", "chain-disagree", "chain-id"})
#: Failed rungs that say something about the record without saying that it was altered.
REMARKS: Final[Mapping[str, Severity]] = {"key-suspect": "red", "quorum": "amber"}


class RungLike(Protocol):
    """What a line needs to know of one rung of a report."""

    @property
    def result(self) -> str: ...
    @property
    def reason(self) -> str | None: ...


def is_test_chain(chain: str, *, demo: bool = False) -> bool:
    """Whether a trace on *chain* (CAIP-2, ``eip155:1``) may never be green."""
    number = chain.partition(":")[2]
    return demo or not number.isdigit() or int(number) in TEST_CHAINS


def goods_line(stamp: StampView | None, recalls: Sequence[RecallView]) -> Line:
    """
    What to do with the goods: the strongest order that stands against the lot or the stamp.

    A void stamp counts as locked.  Without a stamp nothing is said about sale.
    """
    if recalls:
        newest = max(recalls, key=lambda recall: recall.index)
        args = {
            "reason": newest.reason,
            "action": newest.action,
            "by": newest.by_name,
            "at": newest.opened_at,
        }
        return Line(kind="goods", state="recalled", severity="red", args=args)
    if stamp is None:
        return Line(kind="goods", state="none", severity="grey")
    if stamp.state in ("locked", "void"):
        args = {"reason": stamp.reason, "void": stamp.state == "void"}
        return Line(kind="goods", state="locked", severity="red", args=args)
    if stamp.state == "unknown":
        return Line(kind="goods", state="unknown", severity="grey")
    if stamp.state in ("active", "opened"):
        return Line(kind="goods", state="for-sale", severity="grey")
    return Line(kind="goods", state="not-activated", severity="amber")


def label_line(stamp: StampView | None) -> Line:
    """What the house's own memory of scans says about the label; it never frightens without a cause."""
    if stamp is None or stamp.state == "unknown":
        return Line(kind="label", state="none", severity="grey")
    counted: dict[str, Any] = {
        "scans": stamp.scans,
        "first_scan_at": stamp.first_scan_at,
        "own_rescan_at": stamp.own_rescan_at,
    }
    if stamp.signature_ok is False:
        args = counted | {"reason": "stamp-signature"}
        return Line(kind="label", state="copy-suspected", severity="amber", args=args)
    if stamp.copy_suspected:
        args = counted | {"reason": stamp.copy_suspected}
        return Line(kind="label", state="copy-suspected", severity="amber", args=args)
    if stamp.opened_at is not None:
        args = counted | {"at": stamp.opened_at}
        return Line(kind="label", state="opened-before", severity="amber", args=args)
    return Line(kind="label", state="none", severity="grey", args=counted)


def record_line(
    rungs: Mapping[str, RungLike],
    *,
    has_steps: bool,
    anchor: AnchorView | None,
    findings: Sequence[FindingView],
    demo: bool,
    altered_step: int | None = None,
) -> Line:
    """
    Whether the record still says what was recorded.

    Args:
        rungs: Results by rung name; an absent rung counts as not checked.

        has_steps: Whether any statement stands behind the scanned thing.

        anchor: The trace of the checkpoint on its chain, or None.

        findings: Findings on the lot, any order.

        demo: Whether any statement is tagged as a demonstration.

        altered_step: The journey step that the report's *where* points at, or None.
    """
    failed = _first_altered(rungs)
    if failed is not None:
        name, reason = failed
        args = {"step": altered_step, "rung": name, "reason": reason}
        return Line(kind="record", state="altered", severity="red", args=args)
    if not has_steps:
        return Line(kind="record", state="no-data", severity="grey")
    remarks = _remarks(rungs, findings)
    traced = _trace_line(rungs, anchor, demo=demo)
    if traced.state in ("chain-unreachable", "anchor-pending"):
        return replace(traced, also=remarks + traced.also)
    if remarks:
        return replace(remarks[0], also=(*remarks[1:], traced))
    return traced


def _first_altered(rungs: Mapping[str, RungLike]) -> tuple[str, str | None] | None:
    # LABEL speaks of the stamp, not of the record: it is told on the goods and label lines.
    for name in RUNGS[:-1]:
        rung = rungs.get(name)
        if rung is None or rung.result != "fail":
            continue
        if rung.reason in REMARKS or (name == "ANCHORED" and rung.reason in UNREACHABLE):
            continue
        return name, rung.reason
    return None


def _passes(rungs: Mapping[str, RungLike], name: str) -> bool:
    rung = rungs.get(name)
    return rung is not None and rung.result == "pass"


def _remarks(rungs: Mapping[str, RungLike], findings: Sequence[FindingView]) -> tuple[Line, ...]:
    lines = []
    for rung in rungs.values():
        if rung.result == "fail" and rung.reason is not None and rung.reason in REMARKS:
            args: dict[str, Any] = {"code": rung.reason, "step": None, "index": None}
            severity = REMARKS[rung.reason]
            lines.append(Line(kind="record", state="finding", severity=severity, args=args))
    for finding in findings:
        args = {"code": finding.code, "step": finding.step, "index": finding.index} | dict(finding.args)
        severity = "red" if finding.severity == "red" else "amber"
        lines.append(Line(kind="record", state="finding", severity=severity, args=args))
    return tuple(sorted(lines, key=lambda line: line.severity != "red"))


def _trace_line(rungs: Mapping[str, RungLike], anchor: AnchorView | None, *, demo: bool) -> Line:
    """The state of the trace on the chain: the whole record line where nothing else is to be said."""
    anchored = rungs.get("ANCHORED")
    args: dict[str, Any] = {}
    if anchor is not None:
        args = {"chain": anchor.name, "chain_id": anchor.chain_id, "at": anchor.time, "block": anchor.block}
    if anchored is not None and anchored.reason in UNREACHABLE:
        return Line(kind="record", state="chain-unreachable", severity="grey", args=args)
    if not _passes(rungs, "ANCHORED") or anchor is None or not anchor.final:
        return Line(kind="record", state="anchor-pending", severity="amber", args=args)
    if anchor.is_test or is_test_chain(anchor.chain, demo=demo):
        return Line(kind="record", state="test-chain", severity="amber", args=args)
    args["whole"] = _passes(rungs, "COMPLETE")
    proven = all(_passes(rungs, name) for name in ("SIGNED", "LINKED", "LOGGED", "ORIGIN"))
    if not proven:
        args["unproven"] = [name for name in RUNGS[:5] if not _passes(rungs, name)]
    return Line(kind="record", state="unchanged", severity="green" if proven else "amber", args=args)


def settle(goods: Line, record: Line, label: Line) -> tuple[Line, Line, Line]:
    """Take green away where a line beside it is red: three truths, but no comfort next to an order to stop."""
    if record.severity == "green" and "red" in (goods.severity, label.severity):
        record = replace(record, severity="grey")
    return goods, record, label


def decide(
    *,
    rungs: Mapping[str, RungView],
    stamp: StampView | None,
    recalls: Sequence[RecallView],
    findings: Sequence[FindingView],
    anchor: AnchorView | None,
    has_steps: bool,
    demo: bool,
    altered_step: int | None = None,
) -> tuple[Line, Line, Line]:
    """The three lines of a scan, in the order they are shown: goods, record, label."""
    record = record_line(
        rungs,
        has_steps=has_steps,
        anchor=anchor,
        findings=findings,
        demo=demo,
        altered_step=altered_step,
    )
    return settle(goods_line(stamp, recalls), record, label_line(stamp))
