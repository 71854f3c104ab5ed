#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Write docs/reference/ from the code, so that it cannot lag behind it.

cli.md from the click tree, settings.md from the fields of `Settings`, codes.md from the error tree, the
reason codes and every code literal in the source, http.md from the routes and their docstrings.

Usage: gen_docs.py [--check]
"""

import argparse
import ast
import dataclasses
import difflib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import click

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "reference"
SOURCE = ROOT / "src" / "traceledger"
NOTE = "<!-- Written by scripts/gen_docs.py from the code. Change the code, then run `make docs`. -->"


def cell(text: object) -> str:
    """Return *text* fit for one cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: list[str], rows: list[list[object]]) -> list[str]:
    """Return a Markdown table as lines."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(cell(item) for item in row) + " |" for row in rows]


def first_paragraph(thing: object) -> str:
    """Return the first paragraph of the docstring of *thing*; an undocumented public thing is an error."""
    text = inspect.getdoc(thing)
    if not text:
        raise SystemExit(f"gen_docs: {thing!r} has no docstring")
    return " ".join(text.split("\n\n", 1)[0].split())


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield (path, help text) of *command* and of everything below it, in the order of the help."""
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from commands(
                    child,
                    click.Context(
                        child, info_name=name, parent=context, terminal_width=96, max_content_width=96
                    ),
                )


def cli_page() -> list[str]:
    """Return cli.md: what `--help` says, for every command."""
    from traceledger.cli.main import cli

    lines = ["# Command line", ""]
    context = click.Context(cli, info_name="traceledger", terminal_width=96, max_content_width=96)
    for path, text in commands(cli, context):
        lines += [f"## {path}", "", "```text", text.rstrip(), "```", ""]
    return lines


def default_of(field: dataclasses.Field[Any]) -> str:
    """Return the default of a settings *field* as a reader would write it."""
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return "required"
    return "none" if value in (None, (), "") else f"`{value}`"


def settings_page() -> list[str]:
    """Return settings.md: every field of `Settings`, its type, default and meaning."""
    from traceledger import settings

    rows: list[list[object]] = []
    for field in dataclasses.fields(settings.Settings):
        if "help" not in field.metadata:
            raise SystemExit(f"gen_docs: Settings.{field.name} has no metadata 'help'")
        kind = field.type.__name__ if isinstance(field.type, type) else str(field.type)
        rows.append([f"`{field.name}`", f"`{kind}`", default_of(field), field.metadata["help"]])
    body = (inspect.getdoc(settings) or "").split("\n\n")
    return ["# Settings", "", *body, "", *table(["setting", "type", "default", "meaning"], rows), ""]


def tree(kind: type[Any], depth: int = 0) -> Iterator[tuple[int, type[Any]]]:
    """Yield (depth, class) of *kind* and its subclasses, parents first."""
    yield depth, kind
    for child in sorted(kind.__subclasses__(), key=lambda each: each.__name__):
        yield from tree(child, depth + 1)


def code_literals() -> dict[str, set[str]]:
    """Return code -> names of the errors raised with ``code="..."`` anywhere in the source."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            for keyword in node.keywords:
                value = keyword.value
                if keyword.arg == "code" and name.endswith("Error") and isinstance(value, ast.Constant):
                    found.setdefault(str(value.value), set()).add(name)
    return found


def codes_page() -> list[str]:
    """Return codes.md: the error tree, the reason codes of verdicts, and the remaining codes."""
    from traceledger import errors
    from traceledger.core import reasons
    from traceledger.web import errors as web_errors

    classes = [
        (depth, kind) for depth, kind in tree(errors.TraceledgerError) if kind.__module__ == errors.__name__
    ]
    lines = [
        "# Codes",
        "",
        "Every error and every verdict carries a stable code; texts may change, codes do not.",
        "",
    ]
    lines += ["## Errors", ""]
    lines += table(
        ["error", "code", "HTTP", "exit", "what to do"],
        [
            ["&nbsp;&nbsp;" * depth + f"`{kind.__name__}`", f"`{kind.code}`", kind.http_status, kind.exit_code,
             first_paragraph(kind)]
            for depth, kind in classes
        ],
    )  # fmt: skip
    lines += ["", "## Reasons", "", "Why a rung of a verdict failed or was not checked.", ""]
    lines += table(
        ["code", "rung", "in English", "tiếng Việt"],
        [
            [f"`{code}`", rung, english, vietnamese]
            for code, (rung, english, vietnamese) in reasons.REASONS.items()
        ],
    )
    known = {kind.code for _, kind in classes} | set(reasons.REASONS)
    rest = {code: names for code, names in code_literals().items() if code not in known}
    lines += ["", "## Finer codes", "", "Codes that errors carry instead of their class's own.", ""]
    lines += table(
        ["code", "raised as"], [[f"`{code}`", ", ".join(sorted(rest[code]))] for code in sorted(rest)]
    )
    lines += [
        "",
        "## HTTP",
        "",
        "Codes of answers that come from the request itself, before anything is asked.",
        "",
    ]
    lines += table(["code", "HTTP"], [[f"`{code}`", status] for status, code in web_errors.CODES.items()])
    return [*lines, ""]


def http_page() -> list[str]:
    """Return http.md: every route with what its docstring and its description say."""
    from traceledger.web.factory import create_app
    from traceledger.web.routes import described_of

    nowhere = SimpleNamespace(public_url="https://ledger.example", origin="ledger.example/log", contact="")
    app = create_app(cast(Any, SimpleNamespace(settings=nowhere)))
    groups: dict[str, list[str]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        told = described_of(view)
        if told is None:
            continue
        methods = " ".join(sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}))
        lines = groups.setdefault(told.tag, [])
        lines += [f"### {methods} `{rule.rule}`", "", first_paragraph(view), ""]
        if told.takes:
            lines += ["Takes " + " or ".join(f"`{kind}`" for kind in told.takes) + ".", ""]
        if told.query:
            lines += [
                *table(["query", "meaning"], [[f"`{name}`", text] for name, text in told.query.items()]),
                "",
            ]
        lines += table(
            ["status", "meaning", "type"],
            [
                [status, text, " ".join(f"`{kind}`" for kind in kinds)]
                for status, (text, kinds) in sorted(told.answers.items())
            ],
        )
        lines.append("")
    head = ["# HTTP", "", "Errors are `application/problem+json` with a `code` of [codes.md](codes.md)."]
    head += ["The same as OpenAPI 3.1 stands at `/openapi.json`.", ""]
    return head + [line for tag in sorted(groups) for line in [f"## {tag}", "", *groups[tag]]]


PAGES: dict[str, Callable[[], list[str]]] = {
    "cli.md": cli_page,
    "settings.md": settings_page,
    "codes.md": codes_page,
    "http.md": http_page,
}


def main() -> int:
    """Write the pages; with --check print how the written ones differ from the code and exit 1."""
    parser = argparse.ArgumentParser(description="Write docs/reference/ from the code.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; print the difference and exit 1 if any"
    )
    check: bool = parser.parse_args().check
    differs = False
    OUT.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        lines = page()
        wanted = "\n".join([lines[0], "", NOTE, *lines[1:]]).rstrip("\n") + "\n"
        path = OUT / name
        had = path.read_text(encoding="utf-8") if path.exists() else ""
        if had == wanted:
            continue
        differs = True
        if check:
            label = f"docs/reference/{name}"
            diff = difflib.unified_diff(
                had.splitlines(), wanted.splitlines(), label, f"{label} (code)", lineterm="", n=1
            )
            print("\n".join(diff))
        else:
            path.write_text(wanted, encoding="utf-8")
            print(f"gen_docs: wrote docs/reference/{name}")
    if check and differs:
        print("gen_docs: docs/reference lags behind the code: run `make docs`", file=sys.stderr)
    return int(check and differs)


if __name__ == "__main__":
    sys.exit(main())
