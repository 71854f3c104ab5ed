# SPDX-License-Identifier: Apache-2.0
"""``traceledger bundle`` and ``audit``: evidence to take home, and the whole log replayed."""

from pathlib import Path
from typing import Any

import click

from traceledger.cli.deployment import opened
from traceledger.cli.output import json_option, progress, show


@click.command()
@click.argument("what")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
@json_option
@click.pass_obj
def bundle(folder: Path, what: str, output: Path, as_json: bool) -> None:
    """
    Write the evidence of WHAT: a lot (GS1 Digital Link or GTIN/LOT), or a stamp's link or serial.

    Anybody can check it with `verify` and a trust file, without this server.
    """
    from traceledger.ledger.target import find_target

    with opened(folder) as app:
        subject, serial = find_target(app.sequencer, what)
        data = app.prover.bundle(subject, serial)
    output.write_bytes(data)
    show(
        {"subject": subject, "stamp": serial, "bytes": len(data), "output": str(output)},
        as_json,
        f"{subject}\n{len(data)} bytes in {output}.",
    )


@click.command()
@click.option("--url", help="Audit the log served there instead of this deployment's database.")
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust file to judge against.",
)
@click.option(
    "--rpc", "urls", multiple=True, help="Endpoint of the chain to compare with; the settings' where omitted."
)
@click.option(
    "--checkpoint",
    "notes",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Checkpoint seen before; must be a head of this log.",
)
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Bundle seen before; its checkpoint must be a head of this log.",
)
@json_option
@click.pass_context
def audit(
    ctx: click.Context,
    url: str | None,
    policy: Path | None,
    urls: tuple[str, ...],
    notes: tuple[Path, ...],
    bundles: tuple[Path, ...],
    as_json: bool,
) -> None:
    """
    Replay the whole log and name the first place that does not hold.

    Findings (sums that do not add up, codes without authorisation, …) are listed and never change the exit
    code.  Exit code 0: it holds. 1: it does not. 4: an endpoint did not answer.
    """
    from traceledger.cli.pins import pinned
    from traceledger.core.judge.bundle import Bundle, Trust
    from traceledger.core.log.note import parse_checkpoint
    from traceledger.ledger.audit import AuditReport
    from traceledger.ledger.audit import audit as replay
    from traceledger.store.source import DatabaseSource, LogSource, UrlSource

    old = [path.read_bytes().decode("utf-8", "replace") for path in notes]  # what is no text is no checkpoint
    old += [Bundle.parse(path.read_bytes()).checkpoint for path in bundles]
    trust = Trust.parse(policy.read_bytes()) if policy else None

    def run(source: LogSource, judge: Trust | None, endpoints: tuple[str, ...]) -> AuditReport:
        with progress("audit") as step:
            return replay(source, trust=judge, endpoints=endpoints, old_checkpoints=old, progress=step)

    if url:
        source = UrlSource(url)
        judge = trust or pinned(parse_checkpoint(source.checkpoint()).origin)
        report = run(source, judge, urls)
    else:
        with opened(ctx.obj) as app:
            here = DatabaseSource(app.database, app.sequencer.checkpoint)
            report = run(here, trust or app.trust, urls or app.settings.rpc)
    show(report.to_json(), as_json, _text(report))
    ctx.exit(report.exit_code)


def _text(report: Any) -> str:
    lines = [f"{report.entries} entries of {report.origin}, root {report.root.hex()}"]
    lines += [
        f"✖ {bad.code}{'' if bad.index is None else f' at entry {bad.index}'}: {bad.message}"
        for bad in report.bad
    ]
    lines += [
        f"! {finding.code} ({finding.severity}) at entry {finding.index}: {finding.subject} {finding.sum}"
        for finding in report.findings
    ]
    lines += [f"✔ {line}" for line in report.chain]
    lines += [f"? {line}" for line in report.unasked]
    holds = "The log holds as far as it could be compared." if report.unasked else "The log holds."
    lines.append(holds if report.ok else "The log does not hold.")
    return "\n".join(lines)
