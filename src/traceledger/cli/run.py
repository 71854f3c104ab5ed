# SPDX-License-Identifier: Apache-2.0
"""``traceledger serve``: the web process of a deployment."""

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
    from traceledger.ledger.recompute import recompute

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
        blocking_threads=64,
        workers_kill_timeout=5,
    ).serve()
