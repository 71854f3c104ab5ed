# SPDX-License-Identifier: Apache-2.0
"""What commands share: printing results, progress, reading files."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def show(value: Any, as_json: bool, text: str) -> None:
    """Print *value* as JSON, or *text*."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str) if as_json else text)


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int, int], None]]:
    """
    Show a bar with rate and time left on a terminal, nothing elsewhere.

    The function handed out takes (done, total).
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=total or 0, label=label, file=sys.stderr) as bar:

        def step(done: int, whole: int) -> None:
            bar.length = whole
            bar.update(done - bar.pos)

        yield step


def read_file(path: str, limit: int) -> bytes:
    """Read a file, or standard input for ``-``, up to one byte above *limit*."""
    if path == "-":
        return sys.stdin.buffer.read(limit + 1)
    with Path(path).open("rb") as file:
        return file.read(limit + 1)
