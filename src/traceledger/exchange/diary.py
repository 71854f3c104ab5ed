# SPDX-License-Identifier: Apache-2.0
"""
Rows of a field diary as event statements of ours.

A row names its plot by the grower's own short name, so the caller says which place that is; a lot needs the
product's GTIN.  Details that EPCIS has no member for stand under the prefix `diary`.  A diary knows days, not
hours: noon is written, and said to be a day.
"""

import json
import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from traceledger.core.claims.epcis import DIARY_IRI, EVENT_KINDS, TL_IRI, validate_epcis
from traceledger.core.claims.epcis_schema import is_uri
from traceledger.core.claims.epcis_terms import CONTEXT_URL
from traceledger.core.claims.identifiers import canonical, gln_uri, gtin, lot_uri, problems
from traceledger.errors import InputError
from traceledger.exchange.diary_words import fold
from traceledger.exchange.sheets import MEMBER, DiaryProblem, DiaryRow, problem_at

_IDS: Final = uuid.uuid5(uuid.NAMESPACE_URL, DIARY_IRI)

_BIZ_STEPS: Final = {
    **dict.fromkeys(("harvest", "plant", "stock"), "commissioning"),
    "input": "receiving",
    "observe": "inspecting",
    "sell": "retail_selling",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DiarySettings:
    """
    What a diary does not say of itself.

    Attributes:
        log: Origin of our log.

        actor: Short name of the organisation that signs.

        gtin: GTIN of the product the lots belong to; None if the diary names no lot.

        sites: Plot as written in the diary → GLN or URI of the place; compared without accents and case.

        default_site: Place of rows that name no plot.

        offset: Time zone of the diary's days.

        codes: Growing-area codes claimed on each harvest.

        evidence: ``tl:evidence`` items, the spreadsheet at least.

        grower: Member number for whom a clerk signs, if somebody else's diary (``tl:for``).

        demo: True to tag the statements as demonstration data.
    """

    log: str
    actor: str
    gtin: str | None = None
    sites: Mapping[str, str] = field(default_factory=dict)
    default_site: str | None = None
    offset: str = "+07:00"
    codes: Sequence[str] = ()
    evidence: Sequence[dict[str, Any]] = ()
    grower: str | None = None
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryEvents:
    """Drafts of the rows *taken*, in order, without ``tl:prev`` and ``tl:seen``; *problems* of the others."""

    taken: tuple[tuple[DiaryRow, dict[str, Any]], ...]
    problems: tuple[DiaryProblem, ...]


def diary_events(rows: Sequence[DiaryRow], *, settings: DiarySettings) -> DiaryEvents:
    """
    Make an event statement of each row.

    Args:
        rows: As read by `sheets.read_diary`.

        settings: See `DiarySettings`.

    Returns:
        Drafts, to be completed by `epcis_translate.complete`, and one problem for each row refused.

    Raises:
        InputError: *settings* themselves are wrong: GTIN, place of a plot, or a name in the place of a number.
    """
    settings = _checked(settings)
    places = {fold(name): uri for name, uri in settings.sites.items()}
    taken: list[tuple[DiaryRow, dict[str, Any]]] = []
    problems: list[DiaryProblem] = []
    equal: Counter[str] = Counter()
    for row in rows:
        try:
            site = _site(row, settings, places)
            what = _what(row, settings)
        except _RowError as error:
            problems.append(error.at(row))
            continue
        draft = _draft(row, settings, site=site, what=what)
        text = json.dumps(draft, sort_keys=True, default=str)
        draft["eventID"] = f"urn:uuid:{uuid.uuid5(_IDS, f'{text}#{equal[text]}')}"
        equal[text] += 1
        found = validate_epcis(draft)
        if found:
            raise InputError(
                f"settings make no valid event: {found[0].path} {found[0].message}", code="diary"
            )
        draft |= {"tl:evidence": list(settings.evidence)} if settings.evidence else {}
        taken.append((row, draft))
    return DiaryEvents(taken=tuple(taken), problems=tuple(problems))


def _checked(settings: DiarySettings) -> DiarySettings:
    """*settings* with every place as a URI; raises InputError for a wrong one, before any row is looked at."""
    if settings.gtin is not None:
        gtin(settings.gtin)
    if settings.grower is not None and not MEMBER.fullmatch(settings.grower):
        message = f"expected a member number such as TV-007, got {settings.grower[:20]!r}: this ledger cannot forget"
        raise InputError(message, code="diary")
    default = settings.default_site and _place(settings.default_site, "the default place")
    sites = {name: _place(text, f"plot {name[:40]!r}") for name, text in settings.sites.items()}
    return replace(settings, sites=sites, default_site=default)


def _place(text: str, whose: str) -> str:
    """URI of a place given as GLN or URI."""
    digits = text.replace(" ", "")
    if digits.isascii() and digits.isdigit() and len(digits) == 13:
        return gln_uri(digits)
    uri = canonical(text.strip())
    found = problems(uri) or ([] if is_uri(uri) else ["no URI"])
    if found:
        message = (
            f"{whose}: {uri[:80]!r}: {found[0]}; expected a GLN of 13 digits or https://id.gs1.org/414/…"
        )
        raise InputError(message, code="diary")
    return uri


class _RowError(Exception):
    def __init__(self, column: str, code: str, **said: Any) -> None:
        super().__init__(code)
        self._column, self._code, self._said = column, code, said

    def at(self, row: DiaryRow) -> DiaryProblem:
        return problem_at(row.sheet, row.row, self._column, self._code, **self._said)


def _site(row: DiaryRow, settings: DiarySettings, places: dict[str, str]) -> str | None:
    if row.site is None:
        return settings.default_site
    known = places.get(fold(row.site))
    if known:
        return known
    if re.fullmatch(r"[0-9 ]{13,}", row.site) or canonical(row.site).startswith("https://id.gs1.org/414/"):
        try:
            return _place(row.site, "")
        except InputError as error:
            raise _RowError("site", "gln", got=error.message.removeprefix(": ")) from None
    raise _RowError("site", "site", got=row.site[:40], choices=", ".join(settings.sites) or "–")


def _what(row: DiaryRow, settings: DiarySettings) -> dict[str, Any]:
    """The goods of the event: the lot where the row names one, else none."""
    if row.lot is None or row.kind == "input":
        return {"epcList": []}
    if settings.gtin is None:
        raise _RowError("lot", "product")
    element: dict[str, Any] = {"epcClass": lot_uri(settings.gtin, row.lot)}
    if row.kilograms is not None and row.kind in ("harvest", "sell"):
        element |= {"quantity": _number(row.kilograms), "uom": "KGM"}
    return {"quantityList": [element]}


def _number(value: Decimal) -> int | Decimal:
    return int(value) if value == value.to_integral_value() else value.normalize()


def _draft(
    row: DiaryRow, settings: DiarySettings, *, site: str | None, what: dict[str, Any]
) -> dict[str, Any]:
    kind, action = EVENT_KINDS[row.kind] or ("ObjectEvent", "OBSERVE")
    draft: dict[str, Any] = {
        "@context": [CONTEXT_URL, {"tl": TL_IRI, "diary": DIARY_IRI}],
        "type": kind,
        "action": action,
        "eventTime": f"{row.day.isoformat()}T12:00:00{settings.offset}",
        "eventTimeZoneOffset": settings.offset,
        "bizStep": _BIZ_STEPS.get(row.kind, "other"),
        **what,
        "diary:precision": "day",
        "diary:activity": row.activity,
        "tl:log": settings.log,
        "tl:actor": settings.actor,
        "tl:kind": row.kind,
    }
    if site:
        draft["readPoint"] = {"id": site}
    if row.kind == "harvest":
        draft["disposition"] = "active"
        if settings.codes:
            draft["tl:codes"] = list(settings.codes)
    details = {"material": row.material, "dose": row.dose, "member": row.member, "note": row.note}
    draft |= {f"diary:{name}": value for name, value in details.items() if value is not None}
    stated = any("quantity" in element for element in what.get("quantityList", ()))
    if row.kilograms is not None and not stated:
        draft["diary:kilograms"] = _number(row.kilograms)
    if row.lot is not None and row.kind == "input":
        draft["diary:lot"] = row.lot
    if row.phi is not None:
        draft["tl:phi"] = row.phi
    if settings.grower:
        draft["tl:for"] = settings.grower
    if settings.demo:
        draft["tl:demo"] = True
    return draft
