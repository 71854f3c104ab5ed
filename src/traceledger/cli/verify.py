# SPDX-License-Identifier: Apache-2.0
"""
``traceledger verify``: judge a bundle with nothing but this program, a trust file, and endpoints you choose.

Needs the base install only.
"""

import json
from pathlib import Path

import click

from traceledger.chain.rpc import observe
from traceledger.cli.output import json_option, plain, read_file
from traceledger.cli.pins import pinned
from traceledger.core.judge.bundle import MAX_BUNDLE, Bundle, Trust
from traceledger.core.judge.findings import gate_of
from traceledger.core.judge.report import Report
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.log.anchor import Observation
from traceledger.core.log.note import parse_checkpoint
from traceledger.core.reasons import REASONS
from traceledger.errors import InputError, VerificationError

_SIGNS = {"pass": "✔", "fail": "✖", "not checked": "?"}


@click.command()
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust file to judge against; without it the one pinned by `trust add` for that log is used.",
)
@click.option(
    "--rpc", "urls", multiple=True, help="Endpoint of the chain to ask; give two of different owners."
)
@json_option
@click.pass_context
def verify(
    ctx: click.Context, bundle: str, policy: Path | None, urls: tuple[str, ...], as_json: bool
) -> None:
    """
    Verify BUNDLE, a file made by `bundle` or downloaded from a page.

    Exit code 0: it holds. 1: some of it does not. 4: nothing fails, but not all was checked.
    2: it is no bundle.
    """
    parsed = Bundle.parse(read_file(bundle, MAX_BUNDLE))
    trust = Trust.parse(policy.read_bytes()) if policy else pinned(_origin(parsed))
    report = verify_bundle(
        parsed,
        trust=trust,
        observations=_observe(parsed, urls) if urls else None,
        gate=gate_of(parsed, trust.origin if trust else _origin(parsed)),
    )
    if as_json:
        click.echo(json.dumps(report_json(report), ensure_ascii=False))
    else:
        _print(parsed, report)
    ctx.exit(report.exit_code)


def report_json(report: Report) -> dict[str, object]:
    """Return the report as ``--json`` prints it."""
    return {
        "ok": report.ok,
        "rungs": {
            name: {"result": rung.result, "reason": rung.reason, "detail": rung.detail, "where": rung.where}
            for name, rung in report.rungs.items()
        },
        "reason": report.reason,
        "where": report.failed.where if report.failed else None,
    }


def _observe(bundle: Bundle, urls: tuple[str, ...]) -> dict[int, list[Observation]]:
    return {
        position: [observe(url, bytes.fromhex(anchor.tx[2:])) for url in urls]
        for position, anchor in enumerate(bundle.anchors)
    }


def _origin(bundle: Bundle) -> str:
    try:
        return parse_checkpoint(bundle.checkpoint).origin
    except VerificationError as error:
        raise InputError(
            f"the bundle's checkpoint cannot be read: {error.message}", code=error.code
        ) from error


def _print(bundle: Bundle, report: Report) -> None:
    click.echo(plain(bundle.subject) + "\n")
    for name, rung in report.rungs.items():
        words = REASONS[rung.reason][1] if rung.reason in REASONS else ""
        where = f" (entry {rung.where})" if rung.where is not None else ""
        line = f"{_SIGNS[rung.result]} {name:<10} {rung.result:<12} {words} {rung.detail}{where}"
        click.echo(plain(line.rstrip()))
    verdict = (
        "holds" if report.ok else "does not hold" if report.failed else "cannot be told: not all was checked"
    )
    click.echo(f"\nThe record {verdict}.")
    if report.ok and report.rungs["COMPLETE"].result != "pass":
        click.echo("A step may be missing from it, a recall for instance: COMPLETE was not checked.")
    click.echo("It says who signed what and that nothing was changed since, not that it is true,")
    click.echo("and not that the label in your hand is no copy.")
