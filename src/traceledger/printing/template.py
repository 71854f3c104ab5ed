# SPDX-License-Identifier: Apache-2.0
"""
Sheet templates: one TOML file for a sheet of stamps, in millimetres from the top left.

Read strictly: an unknown, missing or mistyped key is refused with file and key named, and so is a geometry that
would print over a quiet zone, off the page or too small (`geometry`).  What is drawn is left to `layout`.
"""

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

from traceledger.errors import InputError, NotFoundError
from traceledger.printing.fonts import WEIGHTS, Weight
from traceledger.printing.geometry import check
from traceledger.printing.sheet import (
    ALIGNS,
    FIELDS,
    VALIGNS,
    Align,
    Field,
    Grid,
    Marks,
    Note,
    Page,
    QrBox,
    Ruler,
    SheetTemplate,
    TextBox,
    Valign,
)

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_BYTES = 65_536


def names() -> tuple[str, ...]:
    """Return the names of the shipped templates, sorted."""
    return tuple(
        sorted(
            file.name.removesuffix(".toml") for file in _shipped().iterdir() if file.name.endswith(".toml")
        )
    )


def load(name_or_path: str | Path) -> SheetTemplate:
    """
    Return the shipped template of that name, or the one in that ``.toml`` file.

    Raises:
        NotFoundError: If there is none.
        InputError: If it is malformed or its geometry does not hold; names file and key.
    """
    text = str(name_or_path)
    file: Traversable
    if text.endswith(".toml"):
        file = Path(text)
    elif _NAME.fullmatch(text):
        file = _shipped() / f"{text}.toml"
    else:
        raise InputError(
            f"expected a template name or a path ending in .toml, got {text[:80]!r}", code="template"
        )
    if not file.is_file():
        raise NotFoundError(f"no stamp template {text!r}; shipped are {', '.join(names())}", code="template")
    with file.open("rb") as stream:
        data = stream.read(_MAX_BYTES + 1)
    return parse(data, where=file.name)


def parse(data: bytes, *, where: str) -> SheetTemplate:
    """
    Return the template in *data*, the bytes of a TOML file that messages call *where*.

    Raises:
        InputError: If it is malformed or its geometry does not hold; names *where* and key.
    """
    if len(data) > _MAX_BYTES:
        raise InputError(f"expected a template of {_MAX_BYTES} bytes at most", code="template", where=where)
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"expected TOML in UTF-8: {error}", code="template", where=where) from None
    top = _Table(document, where=where, path="")
    top.only("name", "title", "page", "grid", "qr", "text", "marks", "note", "ruler")
    template = SheetTemplate(
        name=top.text("name"),
        title=top.text("title"),
        page=Page(**top.table("page").numbers("width", "height")),
        grid=_grid(top.table("grid")),
        qr=_qr(top.table("qr")),
        texts=tuple(_text_box(table) for table in top.tables("text")),
        marks=Marks(**top.table("marks").numbers("length", "offset", "line_pt")),
        note=Note(**top.table("note").numbers("x", "y", "size_pt")),
        ruler=Ruler(**top.table("ruler").numbers("x", "y", "size_pt")),
    )
    check(template, where=where)
    return template


def _shipped() -> Traversable:
    """Return the folder of shipped templates: in the wheel, else the repository's own."""
    packaged = resources.files("traceledger.printing") / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "stamp_templates"


def _grid(table: "_Table") -> Grid:
    lengths = ("left", "top", "cell_width", "cell_height", "gap_x", "gap_y")
    table.only("columns", "rows", *lengths)
    return Grid(
        columns=table.integer("columns"),
        rows=table.integer("rows"),
        **{key: table.number(key) for key in lengths},
    )


def _qr(table: "_Table") -> QrBox:
    table.only("x", "y", "side", "quiet_modules", "min_module")
    return QrBox(
        quiet_modules=table.integer("quiet_modules"),
        **{key: table.number(key) for key in ("x", "y", "side", "min_module")},
    )


def _text_box(table: "_Table") -> TextBox:
    table.only("field", "x", "y", "valign", "gap", "width", "size_pt", "weight", "align", "max_lines")
    if ("y" in table) == ("gap" in table):
        raise table.refuse("y", "expected exactly one of y and gap")
    if "valign" in table and "y" not in table:
        raise table.refuse("valign", "expected it only beside y: it is for the whole column")
    return TextBox(
        field=cast(Field, table.choice("field", FIELDS)),
        x=table.number("x"),
        width=table.number("width"),
        size_pt=table.number("size_pt"),
        weight=cast(Weight, table.choice("weight", WEIGHTS)),
        align=cast(Align, table.choice("align", ALIGNS)),
        max_lines=table.integer("max_lines"),
        y=table.number("y") if "y" in table else None,
        valign=cast(Valign, table.choice("valign", VALIGNS)) if "valign" in table else "top",
        gap=table.number("gap") if "gap" in table else 0.0,
    )


class _Table:
    """One TOML table being read: every getter refuses what it did not expect, naming file and key."""

    def __init__(self, value: object, *, where: str, path: str) -> None:
        self._where = where
        self._path = path
        if not isinstance(value, dict):
            raise self.refuse("", "expected a table")
        self._values: Mapping[str, object] = value

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def refuse(self, key: str, message: str) -> InputError:
        place = ".".join(part for part in (self._path, key) if part)
        return InputError(message, code="template", where=f"{self._where}: {place}")

    def only(self, *keys: str) -> None:
        for key in self._values:
            if key not in keys:
                raise self.refuse(key, f"unknown key; expected one of {', '.join(keys)}")

    def _value(self, key: str) -> object:
        if key not in self._values:
            raise self.refuse(key, "missing key")
        return self._values[key]

    def table(self, key: str) -> "_Table":
        return _Table(self._value(key), where=self._where, path=key)

    def tables(self, key: str) -> list["_Table"]:
        value = self._value(key)
        if not isinstance(value, list):
            raise self.refuse(key, f"expected [[{key}]] tables")
        return [_Table(item, where=self._where, path=f"{key}[{place}]") for place, item in enumerate(value)]

    def numbers(self, *keys: str) -> dict[str, float]:
        self.only(*keys)
        return {key: self.number(key) for key in keys}

    def number(self, key: str) -> float:
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2000:
            raise self.refuse(key, f"expected a number from 0 to 2000, got {value!r}")
        return float(value)

    def integer(self, key: str) -> int:
        value = self._value(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000:
            raise self.refuse(key, f"expected a whole number from 1 to 1000, got {value!r}")
        return value

    def text(self, key: str) -> str:
        value = self._value(key)
        if not isinstance(value, str) or not 0 < len(value) <= 80 or not value.isprintable():
            raise self.refuse(key, f"expected a text of 1 to 80 characters, got {value!r}")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self._value(key)
        if not isinstance(value, str) or value not in choices:
            raise self.refuse(key, f"expected one of {', '.join(choices)}, got {value!r}")
        return value
