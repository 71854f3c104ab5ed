# SPDX-License-Identifier: Apache-2.0
"""``traceledger serve`` and ``worker``: the two long-running processes of a deployment."""

import os
from pathlib import Path

import click


@click.command()
@click.option("--host", help="Address to listen on; the setting where omitted.")
@click.option("--port", type=int, help="Port to listen on; the setting where omitted.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Web processes.")
@click.pass_obj
def serve(folder: Path, host: str | None, port: int | None, workers: int) -> None:
    """Serve pages, the API and the log."""
    from granian.constants import Interfaces
    from granian.server import Server

    from traceledger.app import build_from
    from traceledger.ledger.sequence import recompute

    app = build_from(folder)
    recompute(app.database, app.settings.origin)
    app.close()
    os.environ["TRACELEDGER_DIR"] = str(folder.resolve())
    address, number = host or app.settings.host, port or app.settings.port
    click.echo(f"Serving {app.settings.origin} on http://{address}:{number}", err=True)
    Server(
        "traceledger.web.wsgi:from_environment",
        factory=True,
        address=address,
        port=number,
        interface=Interfaces.WSGI,
        workers=workers,
        log_access=False,
        websockets=False,
    ).serve()


@click.command()
@click.pass_obj
def worker(folder: Path) -> None:
    """Anchor the log on the chain and watch anchors until they are final; stop with Ctrl-C or SIGTERM."""
    from traceledger.cli.deployment import opened
    from traceledger.worker import Worker

    with opened(folder) as app:
        click.echo(f"Anchoring {app.settings.origin} on {app.settings.chain}", err=True)
        Worker(app, lambda text: click.echo(text, err=True)).run()
