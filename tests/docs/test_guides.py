# SPDX-License-Identifier: Apache-2.0
"""The commands of the guides exist, and those marked to be run tell one story that works from end to end."""

import os
import re
import shlex
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import click
import pytest

from traceledger.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.rglob("*.md"))
STORY = ("operator.md", "producer.md", "printer.md", "auditor.md")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
RUN = re.compile(r"<!-- run -->\n```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"<!-- file: (\S+) -->\n```json\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"(?:^|[/\s])traceledger\s+(.*)$")


def commands(page: Path) -> list[list[str]]:
    """Return the arguments of each call of `traceledger` in the shell blocks of *page*."""
    lines = [line for block in SHELL.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()]
    found = [COMMAND.search(line) for line in lines]
    return [shlex.split(match[1]) for match in found if match]


def parse(args: list[str]) -> None:
    """Parse *args* as the command line would, down to the last command; run nothing."""
    command: click.Command = cli
    context = click.Context(cli, info_name="traceledger")
    while isinstance(command, click.Group):
        found = command.get_command(context, args[0])
        assert found is not None, f"no command {args[0]}"
        command, args = found, args[1:]
    params = {name for param in command.params for name in param.opts}
    options = {arg.split("=")[0] for arg in args if arg.startswith("-") and len(arg) > 1}
    assert options <= params | {"--help"}, f"{command.name} has no {options - params}"
    needed = {param.opts[0] for param in command.params if param.required and isinstance(param, click.Option)}
    spelled = {name for param in command.params if options & set(param.opts) for name in param.opts}
    assert needed <= spelled, f"{command.name} needs {needed - spelled}"


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(GUIDE)) for page in PAGES])
def test_commands_exist(page: Path) -> None:
    """Every command shown exists, with every option shown and none missing that it needs."""
    for args in commands(page):
        parse(args)


def test_translation_shows_the_same_commands() -> None:
    """The Vietnamese page for producers shows no command the English pages do not show."""
    english = [args[:2] for name in STORY for args in commands(GUIDE / name)]
    assert [args for args in commands(GUIDE / "vi" / "producer.md") if args[:2] not in english] == []


def diary() -> bytes:
    """Return the template of the field diary with the two rows that the page shows."""
    from openpyxl import load_workbook

    from traceledger.exchange.sheets import diary_template

    text = (GUIDE / "producer.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split("|") for line in text.splitlines() if re.match(r"\| \d+/\d+/\d+ \|", line)]
    assert len(rows) == 2
    book = load_workbook(BytesIO(diary_template()))
    for number, row in enumerate(rows, 4):
        for column, value in enumerate(row, 1):
            book["Nhật ký"].cell(row=number, column=column, value=value.strip() or None)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.timeout(300)
def test_story_runs(tmp_path: Path) -> None:
    """Founding, enrolling, recording, printing and checking, as the guides show it, succeeds line by line."""
    pytest.importorskip("granian")
    pages = [(GUIDE / name).read_text(encoding="utf-8") for name in STORY]
    for page in pages:
        for name, content in FILE.findall(page):
            (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "nhat-ky.xlsx").write_bytes(diary())
    script = "set -euxo pipefail\n" + "".join(block for page in pages for block in RUN.findall(page))
    bin_folder = Path(sys.executable).parent
    environment = {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "error::ResourceWarning",
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The record holds." in done.stdout
    assert "The log holds." in done.stdout
    assert "effect: all" in done.stdout
    assert (tmp_path / "tem.pdf").read_bytes().startswith(b"%PDF")
