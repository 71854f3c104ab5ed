# SPDX-License-Identifier: Apache-2.0
"""``traceledger init``: start a ledger in a new folder."""

from pathlib import Path

import click

from traceledger.cli.output import json_option, show


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--origin", help="The log's one name, such as so.example/nhat-ky; it can never change.")
@click.option("--public-url", help="Address printed on stamps, such as https://so.example.")
@click.option(
    "--operator", default="operator", show_default=True, help="Short name of the organisation that runs it."
)
@click.option("--operator-name", default="", help="Its full name.")
@click.option("--database", default="sqlite:///ledger.db", show_default=True, help="SQLAlchemy URL.")
@click.option("--rpc", "urls", multiple=True, help="RPC endpoint of the chain; repeat for a second opinion.")
@click.option("--chain-id", type=int, default=0, help="Chain id those endpoints serve.")
@click.option("--contact", default="", help="Mail address for people who report a stamp.")
@click.option(
    "--password-file", default="", help="File in the folder with the keys' password, made if missing."
)
@click.option(
    "--migrate", is_flag=True, help="Instead bring the database of an existing folder to this version."
)
@json_option
def init(
    folder: Path,
    origin: str | None,
    public_url: str | None,
    operator: str,
    operator_name: str,
    database: str,
    urls: tuple[str, ...],
    chain_id: int,
    contact: str,
    password_file: str,
    migrate: bool,
    as_json: bool,
) -> None:
    """
    Start a ledger in FOLDER: keys, settings, database and the first entries of the log.

    Example: traceledger init so --origin so.example/nhat-ky --public-url https://so.example
    """
    from traceledger.errors import InputError
    from traceledger.settings import check, load
    from traceledger.store.database import Database

    if migrate:
        Database(load(folder).database_url).create()
        show({"ok": True, "dir": str(folder)}, as_json, f"{folder} is at the current schema.")
        return
    if origin is None or public_url is None:
        raise InputError("give --origin and --public-url; see `traceledger init --help`", code="settings")
    settings = check(
        folder.resolve(),
        {
            "origin": origin,
            "public_url": public_url,
            "operator": operator,
            "database": database,
            "rpc": urls,
            "chain_id": chain_id,
            "contact": contact,
            "password_file": password_file,
        },
    )
    from traceledger.app import create_deployment

    trust = create_deployment(settings, operator_name=operator_name or operator)
    text = (
        f"The log {trust.origin} begins with genesis {trust.genesis}.\n"
        f"Keys are in {settings.keys}: back them up; take root.json, guardian.json, log-spare.json "
        f"and {settings.operator}-admin.json offline.\n"
        f"Give {settings.trust_file} to those who will check you.\n"
        f"Next: `traceledger --dir {folder} org add …`, then `serve` and `worker`."
    )
    show({"ok": True, "dir": str(folder), "origin": trust.origin, "genesis": trust.genesis}, as_json, text)
