# SPDX-License-Identifier: Apache-2.0
"""
What a scan shows: one `LotView` built from a bundle, the report over it, and the facts of the scan.

Nothing is verified here: *report* is `verify`'s answer, and only its answer makes a line green or red.  A
bundle that failed is still read as far as it can be, so that a page can name the step where it broke.
The values are in `view`, the three lines are decided in `lines`, the journey is read in `journey`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from traceledger.core.claims.identifiers import gtin_uri, parse_digital_link
from traceledger.core.judge.bundle import Bundle
from traceledger.core.judge.report import Report
from traceledger.core.judge.verdict.directory import Directory, Indexed, day_of, readable, text
from traceledger.core.judge.verdict.journey import (
    Journey,
    contributing_sites,
    created_amounts,
    creator,
    harvests,
    last_spray,
    read_journey,
)
from traceledger.core.judge.verdict.lines import (
    GOODS,
    LABEL,
    RECORD,
    RUNGS,
    TEST_CHAINS,
    decide,
    is_test_chain,
    label_line,
)
from traceledger.core.judge.verdict.view import (
    AnchorView,
    CodeView,
    FindingView,
    Line,
    LotView,
    RungView,
    StampView,
    StepView,
)
from traceledger.core.log.entry import Entry
from traceledger.core.state.registry import Registry
from traceledger.errors import InputError, VerificationError

__all__ = [
    "GOODS",
    "LABEL",
    "RECORD",
    "RUNGS",
    "TEST_CHAINS",
    "AnchorView",
    "FindingView",
    "Line",
    "LotView",
    "RungView",
    "StampView",
    "StepView",
    "altered_view",
    "build_view",
    "decide",
    "is_test_chain",
    "unknown_view",
]

#: "Today" of a dated record: the date in Viet Nam, whatever clock the server keeps.
LOCAL: Final = timezone(timedelta(hours=7))


def build_view(
    bundle: Bundle,
    report: Report,
    *,
    now: int,
    stamp: StampView | None = None,
    anchor: AnchorView | None = None,
    related: Iterable[Indexed] = (),
    findings: Sequence[FindingView] = (),
) -> LotView:
    """
    Build what a scan shows.

    Args:
        bundle: The lot's evidence.

        report: What `verify_bundle` found in it.

        now: Unix seconds of the scan; decides which dated records are in force.

        stamp: The scanned stamp, or None where a lot was asked for.

        anchor: The trace of the bundle's checkpoint on a chain, or None.

        related: Further valid entries with their log index: masterdata, credentials and notices about the lot's
            product, sites and codes, which the bundle itself does not carry.

        findings: Findings on the lot, as `findings` computed them; those of other lots must be left out.
    """
    entries = _decoded(bundle, report)
    registry = report.registry or Registry(origin=bundle.checkpoint.partition("\n")[0])
    directory = Directory.read(registry, [*entries, *related])
    strangers = [f.index for f in findings if f.code == "custody-stranger" and f.index is not None]
    subjects = report.subjects or (bundle.subject,)
    journey = read_journey(entries, directory, lots=subjects, strangers=strangers)
    day = datetime.fromtimestamp(now, UTC).astimezone(LOCAL).date().isoformat()
    placed = tuple(replace(f, step=journey.step_at(f.index)) for f in findings)
    demo = any(entry.member("demo") is True for _, entry in readable(entries))
    rungs = {n: RungView(result=r.result, reason=r.reason, detail=r.detail) for n, r in report.rungs.items()}
    lot_gtin, lot = _gtin_and_lot(bundle.subject)
    if not lot_gtin and stamp is not None:
        # The roll of a stamp that was never activated names no lot, but its link names the product.
        lot_gtin, _ = _gtin_and_lot(stamp.uri)
    product_uri = gtin_uri(lot_gtin) if lot_gtin else ""
    about = [*subjects, product_uri]
    owner, product = directory.product(product_uri)
    recalls = directory.recalls(about, parties={owner, *(step.actor for step in journey.steps)})
    goods, record, label = decide(
        rungs=rungs,
        stamp=stamp,
        recalls=recalls,
        findings=placed,
        anchor=anchor,
        has_steps=bool(journey.steps),
        demo=demo,
        altered_step=_altered_step(report, entries, [item.index for item in bundle.entries], journey),
    )
    sites = contributing_sites(journey, directory)
    gathered = [day_of(step.statement) for step in harvests(journey)]
    size, root = _head(bundle.checkpoint)
    producer = _producer(journey, bundle.subject)
    issuer = stamp.roll.partition("/")[0] if stamp is not None else ""
    covered = [*about, *(site.uri for site in sites)]
    return LotView(
        subject=bundle.subject,
        goods=goods,
        record=record,
        label=label,
        gtin=lot_gtin,
        lot=lot,
        product_name=text(product.get("name")),
        producer=producer.actor if producer else issuer,
        producer_name=producer.actor_name if producer else directory.name(issuer),
        place=producer.place if producer else "",
        harvest_from=min(gathered, default=""),
        harvest_date=max(gathered, default=""),
        last_spray=last_spray(journey),
        amounts=created_amounts(journey, bundle.subject),
        stamp=stamp,
        rungs=rungs,
        steps=journey.steps,
        stranger_steps=journey.strangers,
        certificates=directory.certificates(covered, day=day),
        codes=_codes(journey, directory),
        corrections=journey.corrections,
        sites=sites,
        recalls=recalls,
        findings=placed,
        anchor=anchor,
        size=size,
        root=root,
        origin=bundle.checkpoint.partition("\n")[0],
        demo=demo,
        trusted="ORIGIN" in rungs and rungs["ORIGIN"].result == "pass",
        now=now,
    )


def unknown_view(subject: str, *, stamp: StampView | None = None, now: int = 0) -> LotView:
    """What is shown for a code that this ledger does not know: grey, and proving nothing."""
    goods = Line(kind="goods", state="unknown", severity="grey")
    record = Line(kind="record", state="no-data", severity="grey")
    return LotView(subject=subject, goods=goods, record=record, label=label_line(None), stamp=stamp, now=now)


def altered_view(
    subject: str, *, step: int | None, reason: str, stamp: StampView | None = None, now: int = 0
) -> LotView:
    """What is shown where a stored entry cannot even be read any more: nothing of it, but that it was changed."""
    rungs = {name: RungView(result="not checked") for name in RUNGS}
    rungs["SIGNED"] = RungView(result="fail", reason=reason)
    goods, record, label = decide(
        rungs=rungs,
        stamp=stamp,
        recalls=(),
        findings=(),
        anchor=None,
        has_steps=False,
        demo=False,
        altered_step=step,
    )
    number, lot = _gtin_and_lot(subject)
    return LotView(
        subject=subject,
        goods=goods,
        record=record,
        label=label,
        gtin=number,
        lot=lot,
        stamp=stamp,
        rungs=rungs,
        now=now,
    )


def _decoded(bundle: Bundle, report: Report) -> list[Indexed]:
    """The entries that decode, whether or not one of their neighbours stopped the verification."""
    if len(report.entries) == len(bundle.entries):
        return sorted(report.entries.items())
    found = []
    for item in bundle.entries:
        try:
            found.append((item.index, Entry.from_json(item.entry)))
        except VerificationError:
            continue
    return found


def _altered_step(
    report: Report, entries: Sequence[Indexed], shown: Iterable[int], journey: Journey
) -> int | None:
    """
    The journey step the first failing rung points at; None where it points at no step.

    Args:
        report: The failed report.

        entries: What decodes of the bundle's content.

        shown: Index of every item of the content, readable or not.

        journey: The steps that can be read.
    """
    where = report.failed.where if report.failed else None
    step = journey.step_at(where)
    if where is None or step is not None or where not in shown:
        return step
    if where in (index for index, _ in readable(entries)):
        return None
    # It cannot be read, so it is no step of the journey shown: count to where it would stand.
    return 1 + sum(other.index < where for other in journey.steps)


def _head(checkpoint: str) -> tuple[int | None, str]:
    lines = checkpoint.split("\n")
    if len(lines) < 3 or not lines[1].isdigit():
        return None, ""
    return int(lines[1]), lines[2]


def _gtin_and_lot(subject: str) -> tuple[str, str]:
    try:
        link = parse_digital_link(subject)
    except InputError:
        return "", ""
    return link.get("01") or "", link.get("10") or ""


def _producer(journey: Journey, subject: str) -> StepView | None:
    """The step whose actor stands for the lot: its harvest where all harvests share one actor, else its creator."""
    gathered = harvests(journey)
    if len({step.actor for step in gathered}) == 1:
        return gathered[0]
    return creator(journey, subject) or next(iter(gathered or journey.steps), None)


def _codes(journey: Journey, directory: Directory) -> tuple[CodeView, ...]:
    """Every code the journey claims, as it stood on the day of the first event that claims it."""
    found: dict[str, CodeView] = {}
    for step in journey.steps:
        for code in step.codes:
            if code not in found:
                found[code] = directory.code(code, day=day_of(step.statement))
    return tuple(found.values())
