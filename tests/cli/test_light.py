# SPDX-License-Identifier: Apache-2.0
"""The command line without the extras: what an auditor has installed."""

import subprocess
import sys

from traceledger.cli.main import COMMANDS, cli

BLOCKED = ("flask", "sqlalchemy", "web3", "eth_account", "PIL", "granian", "openpyxl")
PROGRAM = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refuse())
from traceledger.cli.main import main
main()
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line where only the base install can be imported."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=60
    )


def test_help_and_verify_need_the_base_install_only() -> None:
    """Help lists every command, and verify runs, without any extra."""
    listed = run("--help")
    assert listed.returncode == 0
    assert all(f"  {name} " in listed.stdout for name in COMMANDS)
    assert run("verify", "--help").returncode == 0


def test_other_commands_say_which_extra_is_missing() -> None:
    """A command of an extra that is not installed says so in one line, without a traceback."""
    refused = run("demo", "--check")
    assert refused.returncode == 2
    assert refused.stderr.startswith("extra-missing: ")
    assert "Traceback" not in refused.stderr


def test_help_says_of_each_command_what_the_command_says() -> None:
    """The list's sentence is made of words of the command's own help."""
    with cli.make_context("traceledger", ["--help"], resilient_parsing=True) as context:
        for name, (_, said) in COMMANDS.items():
            command = cli.get_command(context, name)
            assert command is not None
            first = said.split()[0].strip(".,").lower()
            assert first in (command.help or "").lower()
