# SPDX-License-Identifier: Apache-2.0
"""One real `LotView` for every state a scan can show, by name: what the tests look at and the gallery draws."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from traceledger.core.judge.bundle import Bundle
from traceledger.core.judge.verdict import altered_view, build_view, unknown_view
from traceledger.core.judge.verdict.view import AnchorView, FindingView, LotView, StampView
from traceledger.core.judge.verify import verify_bundle
from web import story as tale
from web.story import FIRST, LOT, NOW, Story, mango, registered, stamp_uri

SCANNED = NOW - 3 * 86_400


def stamp(number: int = FIRST, state: str = "active", **changes: object) -> StampView:
    """The stamp a shopper holds."""
    plain = StampView(
        number_text=f"A-{number:011,d}".replace(",", " "),
        uri=stamp_uri(number),
        state=state,
        roll=tale.ROLL,
        number=number,
        scans=7,
        first_scan_at=SCANNED,
        signature_ok=True,
    )
    return replace(plain, **changes)


def anchor(told: Story, *, final: bool = True, name: str = "", time: int | None = None) -> AnchorView:
    """The trace of the newest checkpoint."""
    test = told.chain_id == 31337
    return AnchorView(
        chain=f"eip155:{told.chain_id}",
        name=name or ("thử của máy này" if test else "Ethereum"),
        chain_id=told.chain_id,
        contract=f"0x{tale.CONTRACT.hex()}",
        tx="0x" + "ab" * 32,
        block=1_234_567,
        time=NOW - 2 * 86_400 if time is None else time,
        size=len(told.entries),
        final=final,
        is_test=test,
    )


def look(
    told: Story,
    *,
    stamped: StampView | None,
    final: bool = True,
    chain_error: str | None = None,
    trusted: bool = True,
    findings: tuple[FindingView, ...] = (),
    change: Callable[[Bundle], Bundle] = lambda bundle: bundle,
    anchored: bool = True,
    prove_stamp: bool = True,
) -> LotView:
    """Prove, verify and build, as a scan does."""
    bundle = change(told.bundle(stamp=stamped.number if stamped and prove_stamp else None, anchored=anchored))
    observed = told.observations(final=final, error=chain_error)
    report = verify_bundle(bundle, trust=told.trust() if trusted else None, observations=observed)
    return build_view(
        bundle,
        report,
        now=NOW,
        stamp=stamped,
        anchor=anchor(told, final=final) if anchored else None,
        related=told.related(),
        findings=findings,
    )


def tampered(bundle: Bundle) -> Bundle:
    """The bundle with one digit of the harvest's weight changed, as a dishonest store would."""
    harvest = next(
        n
        for n, item in enumerate(bundle.entries)
        if b"1250.5" in tale.payload(item.entry) and b"harvest" in tale.payload(item.entry)
    )
    items = list(bundle.entries)
    items[harvest] = replace(
        items[harvest], entry=tale.with_payload(items[harvest].entry, b"1250.5", b"1350.5")
    )
    return replace(bundle, entries=tuple(items))


def recalled() -> Story:
    """The lot under a recall by its producer."""
    told = mango(registered())
    data = {"reason": "nghi dư lượng thuốc", "action": "Trả lại nơi mua, gọi 0900 000 000."}
    told.record("notice", "recall-open", "htx-ben-mau", data, about=[LOT])
    return told


def stranger() -> Story:
    """The lot with an event by a shop that never held it."""
    told = mango(registered())
    told.now = NOW - 86_400
    told.event("store", "cua-hang-mau", "2026-11-20T08:00:00+07:00", site=tale.SHED)
    return told


@cache
def scenes() -> dict[str, LotView]:
    """Every scene by name."""
    plain = mango(registered())
    short = mango(registered(), spray="2026-11-05")
    demo = mango(registered(chain_id=31337, demo=True))
    other = stranger()
    late = FindingView(code="late", severity="amber", index=other.touching(LOT)[-1])
    apart = FindingView(code="custody-stranger", severity="amber", index=other.touching(LOT)[-1])
    broken = FindingView(code="phi", severity="red", index=short.touching(LOT)[1])
    return {
        "unchanged": look(mango(registered()), stamped=stamp()),
        "rescan": look(mango(registered()), stamped=stamp(own_rescan_at=NOW - 3600)),
        "lot": look(mango(registered()), stamped=None),
        "recalled": look(recalled(), stamped=stamp()),
        "locked": look(mango(registered()), stamped=stamp(state="locked", reason="mất một cuộn tem")),
        "not-activated": look(mango(registered()), stamped=stamp(FIRST + 3, state="issued", scans=1)),
        "unknown": unknown_view(f"https://{tale.HOST}/01/{tale.GTIN}/21/000000000000", now=NOW),
        "altered": look(mango(registered()), stamped=stamp(), change=tampered),
        "unreadable": altered_view(LOT, step=4, reason="json-syntax", stamp=stamp(), now=NOW),
        "no-data": look(bare_lot(registered()), stamped=stamp(state="issued", scans=1), prove_stamp=False),
        "chain-unreachable": look(plain, stamped=stamp(), chain_error="chain-unreachable"),
        "anchor-pending": look(mango(registered()), stamped=stamp(), anchored=False),
        "test-chain": look(demo, stamped=stamp()),
        "finding-red": look(short, stamped=stamp(), findings=(broken,)),
        "finding-amber": look(other, stamped=stamp(), findings=(late, apart)),
        "untrusted": look(mango(registered()), stamped=stamp(), trusted=False),
        "copy-suspected": look(mango(registered()), stamped=stamp(scans=212, copy_suspected="many-places")),
        "copy-signature": look(mango(registered()), stamped=stamp(signature_ok=False)),
        "opened-before": look(mango(registered()), stamped=stamp(state="opened", opened_at=SCANNED)),
    }  # fmt: skip


def bare_lot(told: Story) -> Story:
    """The lot named in a record, and nothing that ever happened to it."""
    told.record("masterdata", "party", "htx-ben-mau", {}, about=[LOT])
    return told
