# SPDX-License-Identifier: Apache-2.0
"""``traceledger trust``: show a deployment's trust file, and pin those of others."""

from pathlib import Path

import click

from traceledger.cli.output import json_option, show
from traceledger.cli.pins import pin
from traceledger.core.judge.bundle import Trust


@click.group()
def trust() -> None:
    """Show this log's trust file, or pin another log's."""


@trust.command("show")
@json_option
@click.pass_obj
def show_(folder: Path, as_json: bool) -> None:
    """Print the trust file of this deployment; give it to people by a way that is not this server."""
    from traceledger.app import read_trust
    from traceledger.settings import load

    found = read_trust(load(folder).trust_file)
    value = {"v": 1, "origin": found.origin, "genesis": found.genesis}
    show(value, as_json, found.encode().decode().rstrip())


@trust.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def add(file: Path, as_json: bool) -> None:
    """Pin trust FILE, so that `verify` judges that log's bundles against it."""
    found = Trust.parse(file.read_bytes())
    path = pin(found)
    show(
        {"origin": found.origin, "genesis": found.genesis, "path": str(path)},
        as_json,
        f"{found.origin} is pinned to genesis {found.genesis}\nin {path}.",
    )
