# SPDX-License-Identifier: Apache-2.0
"""
Intake: take a file that somebody kept elsewhere, an EPCIS document or a field diary, into the log.

The original bytes are kept as evidence and named, by hash, in every statement made of them.  Each event
follows the newest entries of what it touches, those of the same file included.  Taken and refused add up to
what stood in the file, whatever happens.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from traceledger.core.claims import epcis
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import LogIntegrityError, TraceledgerError
from traceledger.exchange.diary import DiarySettings, diary_events
from traceledger.exchange.epcis_json import read_document
from traceledger.exchange.epcis_translate import complete, evidence_of, translate_document
from traceledger.exchange.sheets import ROW, DiaryProblem, read_diary
from traceledger.exchange.xlsx import OLD_WORKBOOK
from traceledger.ledger import compose
from traceledger.ledger.sequence import Log
from traceledger.store import log as stored
from traceledger.store.evidence import EvidenceStore

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JSON: Final = "application/ld+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stood in the file, for people: ``event 3`` or ``Nhật ký, dòng 7``."""

    name: str
    code: str
    message: str


@dataclass(slots=True, kw_only=True)
class IntakeReport:
    """
    What became of a file.

    Attributes:
        total: Events or rows in it; always ``len(taken) + len(refused)``.

        taken: Per event or row, the log indexes of the statements made of it (several where a long list was
            split; empty on a dry run).

        refused: What was not taken, each named with its reason.

        notes: What was changed or is doubtful, without refusing.

        statements: The statements, in order.
    """

    total: int = 0
    taken: list[tuple[str, list[int]]] = field(default_factory=list)
    refused: list[Place] = field(default_factory=list)
    notes: list[Place] = field(default_factory=list)
    statements: list[dict[str, Json]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 all taken · 2 some not."""
        return 2 if self.refused else 0


def is_sheet(data: bytes) -> bool:
    """Say whether *data* is a zip container, as every .xlsx file is, or an old or locked workbook."""
    return data.startswith((b"PK\x03\x04", OLD_WORKBOOK))


def take_epcis(
    log: Log,
    evidence: EvidenceStore,
    data: bytes,
    *,
    name: str,
    actor: str,
    key: SigningKey,
    report: bool = False,
    dry_run: bool = False,
    demo: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> IntakeReport:
    """
    Take an EPCIS 2.0 JSON document.

    Args:
        report: Mend and warn instead of refusing what is not strictly valid.

        dry_run: Translate, sign and check each, then throw it away: nothing is stored.

    Raises:
        InputError: the file as a whole is no EPCIS document.
    """
    document = read_document(data)
    item = _evidence(evidence, data, name=name, media_type=JSON, keep=not dry_run)
    translated = translate_document(
        document, log=log.origin, actor=actor, evidence=[item], demo=demo, report=report
    )
    found = IntakeReport(total=len(translated.taken) + len(translated.refused))
    found.notes += [Place(name="document", code="note", message=text) for text in translated.problems]
    for refusal in translated.refused:
        found.refused.append(
            Place(name=f"event {refusal.position + 1}", code=refusal.code, message=refusal.message)
        )
    drafts = []
    for one in translated.taken:
        place = f"event {one.position + 1}"
        found.notes += [Place(name=place, code="note", message=text) for text in one.notes]
        drafts.append((place, one.drafts))
    _submit(log, key, drafts, found, dry_run=dry_run, progress=progress)
    return found


def take_diary(
    log: Log,
    evidence: EvidenceStore,
    data: bytes,
    *,
    name: str,
    actor: str,
    key: SigningKey,
    gtin: str | None,
    sites: Mapping[str, str],
    default_site: str | None,
    codes: Sequence[str] = (),
    grower: str | None = None,
    today: date | None = None,
    dry_run: bool = False,
    demo: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> IntakeReport:
    """
    Take a field diary (.xlsx); arguments as for `DiarySettings`, `read_diary` and `take_epcis`.

    Raises:
        InputError: the file as a whole is no diary.
    """
    diary = read_diary(data, today=today)
    item = _evidence(evidence, data, name=name, media_type=XLSX, keep=not dry_run)
    settings = DiarySettings(
        log=log.origin,
        actor=actor,
        gtin=gtin,
        sites=sites,
        default_site=default_site,
        codes=codes,
        evidence=[item],
        grower=grower,
        demo=demo,
    )
    events = diary_events(diary.rows, settings=settings)
    found = IntakeReport(total=diary.total)
    found.refused += _by_row([*diary.problems, *events.problems])
    found.notes += [Place(name=n.sheet, code=n.code, message=n.message) for n in diary.notes]
    drafts = [(f"{row.sheet}, {ROW} {row.row}", (draft,)) for row, draft in events.taken]
    _submit(log, key, drafts, found, dry_run=dry_run, progress=progress)
    return found


def _by_row(problems: Sequence[DiaryProblem]) -> list[Place]:
    """One place a row, in the file's order, by the code of its first problem, with all of them in its message."""
    rows: dict[tuple[str, int | None], list[DiaryProblem]] = {}
    for problem in problems:
        rows.setdefault((problem.sheet, problem.row), []).append(problem)
    sheets = list(dict.fromkeys(sheet for sheet, _ in rows))
    return [
        Place(
            name=sheet if row is None else f"{sheet}, {ROW} {row}",
            code=found[0].code,
            message="; ".join(f"{one.column}: {one.message}" if one.column else one.message for one in found),
        )
        for (sheet, row), found in sorted(
            rows.items(), key=lambda item: (sheets.index(item[0][0]), item[0][1] or 0)
        )
    ]


def _evidence(store: EvidenceStore, data: bytes, *, name: str, media_type: str, keep: bool) -> dict[str, Any]:
    name = unicodedata.normalize("NFC", name)  # some file systems keep names decomposed
    return store.add(data, name=name, media_type=media_type) if keep else evidence_of(name, data, media_type)


def _submit(
    log: Log,
    key: SigningKey,
    drafts: Iterable[tuple[str, Sequence[dict[str, Any]]]],
    found: IntakeReport,
    *,
    dry_run: bool,
    progress: Callable[[int, int], None],
) -> None:
    size, root = compose.head_seen(log.database)
    newest: dict[str, str] = {}
    for place, parts in drafts:
        indexes: list[int] = []
        try:
            for draft in parts:
                known = _known(log, draft)
                if known is not None:
                    indexes.append(known)
                    found.notes.append(
                        Place(
                            name=place,
                            code="repeated",
                            message=f"stands in the log already, at entry {known}",
                        )
                    )
                    continue
                subjects = epcis.subjects(draft)
                unknown = [subject for subject in subjects if subject not in newest]
                with log.database.read() as connection:
                    newest |= stored.newest_ids(connection, unknown)
                prev = [newest[subject] for subject in subjects if subject in newest]
                statement = complete(draft, prev=prev, seen=(size, b64encode(root)))
                envelope = sign_envelope(statement, "event", [key])
                if dry_run:
                    log.rehearse(envelope)
                else:
                    indexes.append(log.submit_envelope(envelope).index)
                    newest |= dict.fromkeys(subjects, envelope.id)
                found.statements.append(statement)
        except LogIntegrityError:
            raise
        except TraceledgerError as error:
            before = f"; its first parts stand at {', '.join(map(str, indexes))}" if indexes else ""
            found.refused.append(Place(name=place, code=error.code, message=error.message + before))
            continue
        found.taken.append((place, indexes))
        progress(len(found.taken), found.total)


def _known(log: Log, draft: dict[str, Any]) -> int | None:
    """Index of the entry that says the same of the same event, so that a file taken twice is taken once."""
    with log.database.read() as connection:
        earlier = stored.find_event(connection, draft["tl:actor"], draft)
    for index, entry in earlier:
        old = {name: value for name, value in entry.statement.items() if not name.startswith("tl:")}
        if old == {name: value for name, value in draft.items() if not name.startswith("tl:")}:
            return index
    return None
