# SPDX-License-Identifier: Apache-2.0
"""``traceledger sign``, ``submit`` and ``import``: statements into the log."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import click

from traceledger.cli.deployment import opened
from traceledger.cli.output import json_option, progress, read_file, show


@click.command()
@click.argument("event", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--key", "key_name", required=True, help="Key file in keys/ that signs.")
@click.option("--kind", help="Kind of event (harvest, spray, …), where the file does not say tl:kind.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Envelope to write.",
)
@json_option
@click.pass_obj
def sign(folder: Path, event: str, key_name: str, kind: str | None, output: Path, as_json: bool) -> None:
    """
    Sign EVENT, an EPCIS event or a record in JSON, into an envelope to submit.

    What a statement owes the log (its name, the entries it follows, the head seen) is filled in where the file
    leaves it out.  Example: traceledger sign harvest.json --key an --kind harvest -o harvest.env
    """
    from traceledger.core.judge import admission
    from traceledger.core.log.entry import Entry
    from traceledger.core.sign.envelope import MAX_STATEMENT, sign_envelope
    from traceledger.ledger.statement import family_of, fill_in

    data = read_file(event, MAX_STATEMENT)
    with opened(folder) as app:
        signer = app.key(key_name)
        registry = app.sequencer.registry()
        statement = fill_in(
            app.database,
            app.settings.origin,
            data,
            actor=registry.signer(signer.kid).org,
            kind=kind,
            demo=app.settings.demo,
        )
        envelope = sign_envelope(statement, family_of(statement), [signer])
        draft = Entry.make(envelope, reg=(0, bytes(32)), t=0)
        admission.check_statement(draft, app.settings.origin)
        admission.check_admissible(draft)
        admission.check_authority(draft, registry)
    output.write_text(json.dumps(envelope.to_json()), encoding="utf-8")
    show(
        {"id": envelope.id, "output": str(output)},
        as_json,
        f"Signed {envelope.id}\nin {output}; `submit` it.",
    )


@click.command()
@click.argument(
    "envelopes", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@json_option
@click.pass_context
def submit(ctx: click.Context, envelopes: tuple[Path, ...], as_json: bool) -> None:
    """Submit ENVELOPES to the log; a bad one blocks no other.  Exit code 2 if any was refused."""
    from traceledger.errors import TraceledgerError

    with opened(ctx.obj) as app:
        results = app.log.submit_many([path.read_bytes() for path in envelopes])
    lines: list[dict[str, Any]] = []
    for path, result in zip(envelopes, results, strict=True):
        if isinstance(result, TraceledgerError):
            lines.append({"file": str(path), "code": result.code, "message": result.message})
        else:
            lines.append({"file": str(path), "index": result.index, "id": result.id, "effect": result.effect})
    said = [
        f"{line['file']}: entry {line['index']}"
        if "index" in line
        else f"{line['file']}: {line['code']}: {line['message']}"
        for line in lines
    ]
    show(lines, as_json, "\n".join(said))
    ctx.exit(2 if any("code" in line for line in lines) else 0)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "key_name", help="Key file in keys/ that signs; the setting import_key where omitted.")
@click.option(
    "--report", is_flag=True, help="Mend and warn instead of refusing what is not strictly valid EPCIS."
)
@click.option("--dry-run", is_flag=True, help="Say what would happen; sign and store nothing.")
@click.option("--gtin", help="Diary: GTIN of the product its lots belong to.")
@click.option(
    "--site", "sites", multiple=True, help="Diary: PLOT=https://id.gs1.org/414/… for a plot it names; repeat."
)
@click.option("--default-site", help="Diary: place of rows that name no plot.")
@click.option("--code", "codes", multiple=True, help="Diary: growing-area code claimed by its harvests.")
@click.option("--for", "grower", help="Diary: member number of the grower whose diary it is, such as TV-007.")
@json_option
@click.pass_context
def import_(
    ctx: click.Context,
    file: Path,
    key_name: str | None,
    report: bool,
    dry_run: bool,
    gtin: str | None,
    sites: tuple[str, ...],
    default_site: str | None,
    codes: tuple[str, ...],
    grower: str | None,
    as_json: bool,
) -> None:
    """
    Take FILE into the log: EPCIS 2.0 JSON, or a field diary (.xlsx).

    Exit code 0 if all was taken, 2 if some was not; each refusal is named.  What stands in the log already is not
    added again: mend the file and import the whole of it.
    """
    from traceledger.errors import InputError
    from traceledger.exchange.json_text import MAX_DOCUMENT
    from traceledger.ledger import intake

    data = read_file(str(file), MAX_DOCUMENT)
    places = dict(pair.split("=", 1) for pair in sites if "=" in pair)
    if len(places) != len(sites):
        raise InputError("expected --site PLOT=URI, such as 'Thửa 3=https://id.gs1.org/414/…'", code="diary")
    with opened(ctx.obj) as app, progress("import") as step:
        signer = _importer(app, key_name)
        common: dict[str, Any] = {
            "name": file.name,
            "actor": app.sequencer.registry().signer(signer.kid).org,
            "key": signer,
            "dry_run": dry_run,
            "demo": app.settings.demo,
            "progress": step,
        }
        if intake.is_sheet(data):
            found = intake.take_diary(
                app.sequencer,
                app.evidence,
                data,
                gtin=gtin,
                sites=places,
                default_site=default_site,
                codes=codes,
                grower=grower,
                today=datetime.now(timezone(timedelta(hours=7))).date(),  # a diary's days are Vietnam's
                **common,
            )
        else:
            found = intake.take_epcis(app.sequencer, app.evidence, data, report=report, **common)
    value = {
        "total": found.total,
        "taken": len(found.taken),
        "refused": [vars_of(p) for p in found.refused],
        "notes": [vars_of(p) for p in found.notes],
        "indexes": [i for _, indexes in found.taken for i in indexes],
    }
    for line in _lines(found.notes, found.refused):
        click.echo(line, err=True)
    verb = "would be taken" if dry_run else "taken"
    known = sum(note.code == "repeated" for note in found.notes)
    text = f"{len(found.taken)} of {found.total} {verb}, {len(found.refused)} not."
    if known:
        text += f" {known} statements stood in the log already; they are not added again."
    if found.refused:
        text += "\nMend what is named above and import the whole file again."
    show(value, as_json, text)
    sys.stdout.flush()
    ctx.exit(found.exit_code)


def _importer(app: Any, key_name: str | None) -> Any:
    """The key that signs an import; says how to make one where none was named and none is there."""
    from traceledger.errors import NotFoundError

    name = key_name or app.settings.import_key
    try:
        return app.key(name)
    except NotFoundError as error:
        if key_name is not None:
            raise
        raise NotFoundError(
            f"no key to sign imports with: give --key NAME, or make one: `key new {name}`, then "
            f"`key register {name} --org ORG --act 'event/*' --site '*'`",
            code=error.code,
        ) from error


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("nhat-ky.xlsx"),
    show_default=True,
    help="File to write.",
)
@json_option
def diary(output: Path, as_json: bool) -> None:
    """Write the empty field diary, a spreadsheet with Vietnamese headers to fill in and `import`."""
    from traceledger.exchange.sheets import diary_template

    output.write_bytes(diary_template())
    show({"output": str(output)}, as_json, f"The empty diary is in {output}.")


def _lines(notes: Iterable[Any], refused: Iterable[Any]) -> Iterator[str]:
    """What is told of a file: notes that say the same on one line, then each refusal."""
    places: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        if note.code != "repeated":
            places.setdefault((note.code, note.message), []).append(note.name)
    for (code, message), names in places.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"{', '.join(names[:3])}{more}: {code}: {message}"
    for place in refused:
        yield f"{place.name}: {place.code}: {place.message}"


def vars_of(place: Any) -> dict[str, str]:
    """Return a place as JSON members."""
    return {"where": place.name, "code": place.code, "message": place.message}
