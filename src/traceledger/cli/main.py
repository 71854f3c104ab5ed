# SPDX-License-Identifier: Apache-2.0
"""
The ``traceledger`` command: one file a group, each loaded when it is called.

Exit codes: 0 good · 1 evidence does not hold · 2 fix what you sent · 3 not found · 4 cannot tell ·
70 log integrity.  Data goes to standard output, talk to standard error.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

import click

from traceledger import __version__
from traceledger.cli.output import plain
from traceledger.errors import InputError, TraceledgerError

COMMANDS: Final = {
    "init": ("cli.setup:init", "Start a ledger in a new folder."),
    "demo": ("cli.demo:demo", "Run the whole path on this machine."),
    "serve": ("cli.run:serve", "Serve pages, the API and the log."),
    "worker": ("worker:worker", "Anchor the log and watch anchors."),
    "org": ("cli.registry:org", "Organisations."),
    "key": ("cli.registry:key", "Keys that sign statements."),
    "trust": ("cli.trust:trust", "Show this log's trust file, or pin another log's."),
    "sign": ("cli.statements:sign", "Sign an event or record."),
    "submit": ("cli.statements:submit", "Submit envelopes to the log."),
    "import": ("cli.statements:import_", "Take an EPCIS document or a field diary into the log."),
    "diary": ("cli.statements:diary", "Write the empty field diary."),
    "stamp": ("cli.stamp:stamp", "Rolls of stamps."),
    "anchor": ("cli.anchor:anchor", "Anchor the newest checkpoint."),
    "bundle": ("cli.evidence:bundle", "Write the evidence of a lot or stamp."),
    "verify": ("cli.verify:verify", "Verify a bundle."),
    "audit": ("cli.evidence:audit", "Replay the whole log."),
}
"""Command → (module of the package and the name in it, what it does); the worker is a room of its own."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(f"traceledger.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any of them: help works on the base install too."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])


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
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "traceledger":
            raise
        click.echo(
            f"extra-missing: this command needs {error.name}; pip install 'traceledger[server,chain,print]'",
            err=True,
        )
        sys.exit(2)
    except BrokenPipeError:  # whoever read our output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(InputError(f"{error.filename or 'a file'}: {error.strerror}", code="file"))
    except TraceledgerError as error:
        _fail(error)


def _fail(error: TraceledgerError) -> NoReturn:
    """Say *error* on standard error, with --json on standard output too, and end with its exit code."""
    if "--json" in sys.argv:
        value = {"ok": False, "code": error.code, "message": error.message}
        click.echo(json.dumps(value, ensure_ascii=False))
    click.echo(plain(f"{error.code}: {error}"), err=True)
    sys.exit(error.exit_code)
