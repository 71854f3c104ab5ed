# SPDX-License-Identifier: Apache-2.0
"""What commands share: printing results, progress, reading files."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def plain(text: str) -> str:
    """
    Return *text* with what steers a terminal or turns the direction of writing made visible.

    Statements and bundles are other people's text: it must not print a verdict over ours.
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def show(value: Any, as_json: bool, text: str) -> None:
    """Print *value* as JSON, or *text*."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str) if as_json else plain(text))


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
