# SPDX-License-Identifier: Apache-2.0
"""
The ``traceledger`` command: one file a group, each loaded when it is called.

Exit codes: 0 good · 1 evidence does not hold · 2 fix what you sent · 3 not found · 4 cannot tell ·
70 log integrity.  Data goes to standard output, talk to standard error.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from traceledger import __version__
from traceledger.errors import TraceledgerError

COMMANDS: Final = {
    "init": "cli.setup:init",
    "demo": "cli.demo:demo",
    "serve": "cli.run:serve",
    "worker": "worker:worker",
    "org": "cli.registry:org",
    "key": "cli.registry:key",
    "trust": "cli.trust:trust",
    "sign": "cli.statements:sign",
    "submit": "cli.statements:submit",
    "import": "cli.statements:import_",
    "diary": "cli.statements:diary",
    "stamp": "cli.stamp:stamp",
    "anchor": "cli.anchor:anchor",
    "bundle": "cli.evidence:bundle",
    "verify": "cli.verify:verify",
    "audit": "cli.evidence:audit",
}
"""Command → module of the package and the name in it; the worker is a room of its own."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(f"traceledger.{module}"), name)
        return command


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="current folder",
    envvar="TRACELEDGER_DIR",
    help="Folder of the deployment.",
)
@click.version_option(__version__, prog_name="traceledger")
@click.pass_context
def cli(ctx: click.Context, folder: Path) -> None:
    """A ledger of signed events about farm produce, from field to shelf, that nobody can quietly rewrite."""
    ctx.obj = folder


def main() -> None:
    """Run the command line; turn errors of the tree into a sentence and their exit code."""
    try:
        code = cli.main(standalone_mode=False)  # returns the code of ctx.exit, else what the command returned
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except TraceledgerError as error:
        if "--json" in sys.argv:
            click.echo(
                json.dumps({"ok": False, "code": error.code, "message": error.message}, ensure_ascii=False)
            )
        click.echo(f"{error.code}: {error}", err=True)
        sys.exit(error.exit_code)
