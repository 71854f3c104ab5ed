# SPDX-License-Identifier: Apache-2.0
"""
The values a scan shows: plain facts without words, formats or colours of any page.

A `LotView` is everything the consumer page, the lot API and a printed summary may say about one lot or stamp.
Words and layout belong to `web`; which facts become which line is decided in `lines`.  Times of events are
kept as their signer wrote them; times of admission and of scans are Unix seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Severity = Literal["red", "amber", "grey", "green"]
Tier = Literal["own", "both", "authority", "copy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    One of the three truths of a scan, or a further remark to one.

    Attributes:
        kind: ``goods``, ``record`` or ``label``.

        state: One of `lines.GOODS`, `lines.RECORD`, `lines.LABEL`.

        severity: The colour, which page and icon follow.

        args: What the sentence needs: step, reason, chain, times.

        also: Further remarks to the same line, weaker than it or as strong.
    """

    kind: str
    state: str
    severity: Severity
    args: Mapping[str, Any] = field(default_factory=dict)
    also: tuple["Line", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A quantity of a lot; *uom* is a UN/ECE Recommendation 20 code, or None for pieces."""

    value: Decimal
    uom: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """An error declaration against an earlier event: who said so, why, and when (as signed)."""

    by: str
    by_name: str
    reason: str
    time: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """
    One signed statement of a journey.

    Attributes:
        number: Place in the journey, from 1: the N of "altered at step N"; 0 for a stranger's step.

        event_time: As the signer wrote it, ISO 8601.

        recorded_at: Unix seconds of admission.

        signed_by: Pairs of key id and custody (``device``, ``file``, ``custodial``, or ``""`` where unknown).

        on_behalf_of: Member number the signer wrote for, or None.

        geo: Latitude and longitude where the event itself states them.

        diary: What a field diary adds, by name: activity, material, dose, note.

        tier: ``own`` word, ``both`` sides signed, ``authority`` or laboratory, ``copy`` of a paper.
    """

    number: int
    index: int
    id: str
    kind: str
    biz_step: str = ""
    event_time: str = ""
    event_offset: str = ""
    recorded_at: int = 0
    actor: str = ""
    actor_name: str = ""
    signed_by: tuple[tuple[str, str], ...] = ()
    on_behalf_of: str | None = None
    site: str = ""
    site_name: str = ""
    place: str = ""
    geo: tuple[float, float] | None = None
    amounts: tuple[Amount, ...] = ()
    codes: tuple[str, ...] = ()
    phi: int | None = None
    diary: Mapping[str, str] = field(default_factory=dict)
    tier: Tier = "own"
    declared_wrong: Declared | None = None
    stranger: bool = False
    evidence: tuple[Mapping[str, Any], ...] = ()
    statement: Mapping[str, Any] = field(default_factory=dict)
    leaf: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spray:
    """The last application with a pre-harvest interval: its date, the interval, and the days kept."""

    date: str
    phi: int
    days: int | None
    ok: bool
    tier: Tier = "own"
    actor_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampView:
    """
    One printed stamp as the ledger and this house's scan memory know it.

    Attributes:
        state: ``unknown``, ``none``, ``issued``, ``printed``, ``assigned``, ``active``, ``opened``, ``locked``,
            ``void``.

        own_rescan_at: Unix seconds of the last scan by the same browser, or None.

        signature_ok: None where the roll names no key or no signature was asked for.

        copy_suspected: A reason such as ``many-places``, or None.
    """

    number_text: str
    uri: str
    state: str
    roll: str = ""
    number: int | None = None
    scans: int = 0
    first_scan_at: int | None = None
    own_rescan_at: int | None = None
    signature_ok: bool | None = None
    copy_suspected: str | None = None
    opened_at: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RungView:
    """One rung of the verdict: ``pass``, ``fail`` or ``not checked``, with its reason code."""

    result: str
    reason: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallView:
    """An open recall in effect on the lot or its product."""

    index: int
    by: str
    by_name: str
    reason: str
    action: str
    opened_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """A certificate, or a star, in force on the day of the scan."""

    kind: str
    index: int
    scheme: str
    number: str
    holder: str
    holder_name: str
    issuer: str
    issuer_name: str
    start: str
    end: str
    stars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationView:
    """A code's owner letting another use it."""

    index: int
    who: str
    who_name: str
    by: str
    by_name: str
    start: str
    end: str
    in_force: bool
    max_amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """A growing-area or packing code the journey claims, with the record that grants it, where there is one."""

    code: str
    known: bool
    purpose: str = ""
    owner: str = ""
    owner_name: str = ""
    issuer_name: str = ""
    crop: str = ""
    start: str = ""
    end: str | None = None
    in_force: bool = False
    max_amount: Decimal | None = None
    index: int | None = None
    authorisations: tuple[AuthorisationView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionView:
    """An event declared wrong, with the amounts before and, where a corrective event is shown, after."""

    step: int
    index: int
    kind: str
    before: tuple[Amount, ...]
    after: tuple[Amount, ...]
    declared: Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """A place that contributed to the lot."""

    uri: str
    gln: str = ""
    name: str = ""
    place: str = ""
    area_ha: Decimal | None = None
    crop: str = ""
    actors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A finding on the lot, recomputable by anyone; *step* is its place in the journey, or None."""

    code: str
    severity: Severity
    index: int | None = None
    step: int | None = None
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorView:
    """The trace of the checkpoint on a chain; *name* is the chain's name, *is_test* makes green impossible."""

    chain: str
    name: str
    chain_id: int
    contract: str
    tx: str
    block: int | None
    time: int | None
    size: int
    final: bool
    is_test: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LotView:
    """Everything a scan shows about one lot, or about a stamp that leads nowhere."""

    subject: str
    goods: Line
    record: Line
    label: Line
    gtin: str = ""
    lot: str = ""
    product_name: str = ""
    producer: str = ""
    producer_name: str = ""
    place: str = ""
    harvest_from: str = ""
    harvest_date: str = ""
    last_spray: Spray | None = None
    amounts: tuple[Amount, ...] = ()
    stamp: StampView | None = None
    rungs: Mapping[str, RungView] = field(default_factory=dict)
    steps: tuple[StepView, ...] = ()
    stranger_steps: tuple[StepView, ...] = ()
    certificates: tuple[CertificateView, ...] = ()
    codes: tuple[CodeView, ...] = ()
    corrections: tuple[CorrectionView, ...] = ()
    sites: tuple[SiteView, ...] = ()
    recalls: tuple[RecallView, ...] = ()
    findings: tuple[FindingView, ...] = ()
    anchor: AnchorView | None = None
    size: int | None = None
    root: str = ""
    origin: str = ""
    demo: bool = False
    trusted: bool = False
    now: int = 0
