# SPDX-License-Identifier: Apache-2.0
"""Sheet templates: the shipped ones hold, and each broken one is refused with file and key named."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from traceledger.errors import InputError, NotFoundError
from traceledger.printing import template
from traceledger.printing.geometry import column_box

from .conftest import SHIPPED

BASE = "a4-40x30"


def dump(document: dict[str, Any]) -> bytes:
    """Return *document* as TOML, as far as templates need it."""
    lines: list[str] = []
    scalars = {key: value for key, value in document.items() if not isinstance(value, dict | list)}
    lines += [f"{key} = {_value(value)}" for key, value in scalars.items()]
    for key, value in document.items():
        for table in value if isinstance(value, list) else [value] if isinstance(value, dict) else []:
            lines.append(f"[[{key}]]" if isinstance(value, list) else f"[{key}]")
            lines += [f"{name} = {_value(item)}" for name, item in table.items()]
    return "\n".join(lines).encode()


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else '"' + str(value) + '"'


@pytest.fixture
def document(root: Path) -> dict[str, Any]:
    """Return the parsed file of a shipped template, to break one thing in."""
    return tomllib.loads((root / "stamp_templates" / f"{BASE}.toml").read_text("utf-8"))


def text_of(document: dict[str, Any], field: str) -> dict[str, Any]:
    """Return the table of one text."""
    found: dict[str, Any] = next(text for text in document["text"] if text["field"] == field)
    return found


class TestShipped:
    def test_names(self) -> None:
        """Three sizes are shipped."""
        assert SHIPPED == ("a4-25x35", "a4-40x30", "a4-50x40")

    @pytest.mark.parametrize("name", SHIPPED)
    def test_file_name_is_the_name(self, name: str) -> None:
        """A shipped template is called what its file is called, and its size is in the name."""
        sheet = template.load(name)
        assert sheet.name == name
        assert f"a4-{sheet.grid.cell_width:g}x{sheet.grid.cell_height:g}" == name

    @pytest.mark.parametrize("name", SHIPPED)
    def test_square_is_twenty_millimetres_at_least(self, name: str) -> None:
        """The symbol with its quiet zone has 20 mm, and four modules of quiet zone."""
        qr = template.load(name).qr
        assert qr.side >= 20
        assert qr.quiet_modules >= 4

    def test_readme_names_every_key(self, root: Path, document: dict[str, Any]) -> None:
        """Every table and key of a template is explained beside it."""
        words = (root / "stamp_templates" / "README.md").read_text("utf-8")
        for key, value in document.items():
            tables = value if isinstance(value, list) else [value]
            assert key in words
            for table in tables:
                assert all(f"`{name}`" in words for name in (table if isinstance(table, dict) else ()))

    def test_unchanged_document_is_accepted(self, document: dict[str, Any]) -> None:
        """What the refusals below break one thing of holds as it is."""
        assert template.parse(dump(document), where="x.toml").name == BASE

    def test_loads_a_file_by_path(self, document: dict[str, Any], tmp_path: Path) -> None:
        """A printer's own file is loaded by its path."""
        path = tmp_path / "own.toml"
        path.write_bytes(dump(document | {"name": "own"}))
        assert template.load(path).name == template.load(str(path)).name == "own"


class TestLookup:
    @pytest.mark.parametrize("name", ["a4-99x99", "none.toml", "/nowhere/x.toml"])
    def test_unknown_is_not_found(self, name: str) -> None:
        """A name or path that leads nowhere is not found, and the answer lists what there is."""
        with pytest.raises(NotFoundError, match="a4-40x30"):
            template.load(name)

    @pytest.mark.parametrize("name", ["", "../a4-40x30", "A4-40x30", "a4/40x30", "a4-40x30\n"], ids=ascii)
    def test_odd_name_is_refused(self, name: str) -> None:
        """A name is lower-case words with hyphens, so it cannot climb out of the folder."""
        with pytest.raises(InputError):
            template.load(name)


REMOVED = object()
BROKEN: list[tuple[str, Any, str]] = [
    ("colour", "red", "colour"),
    ("name", REMOVED, "name"),
    ("name", "", "name"),
    ("title", 7, "title"),
    ("page", 7, "page"),
    ("text", 7, "text"),
    ("page.depth", 1, "page.depth"),
    ("page.width", REMOVED, "page.width"),
    ("page.width", True, "page.width"),
    ("page.width", "210", "page.width"),
    ("page.width", float("nan"), "page.width"),
    ("page.width", float("inf"), "page.width"),
    ("page.width", -210, "page.width"),
    ("grid.columns", 4.0, "grid.columns"),
    ("grid.columns", 0, "grid.columns"),
    ("grid.columns", 5, "grid.columns"),
    ("grid.rows", 9, "grid.rows"),
    ("grid.cell_width", 0, "grid.cell_width"),
    ("grid.left", 6, "marks.length"),
    ("qr.side", 40, "qr.side"),
    ("qr.x", 30, "qr.side"),
    ("qr.quiet_modules", 3, "qr.quiet_modules"),
    ("qr.min_module", 0.32, "qr.min_module"),
    ("qr.side", 22.5, "text"),
    ("@title.field", "slogan", "text[0].field"),
    ("@title.weight", "black", "text[0].weight"),
    ("@title.align", "justify", "text[0].align"),
    ("@title.max_lines", 0, "text[0].max_lines"),
    ("@title.max_lines", 1, "text[0].width"),
    ("@title.size_pt", 4.9, "text[0].size_pt"),
    ("@title.size_pt", 41, "text[0].size_pt"),
    ("@title.y", REMOVED, "text[0].y"),
    ("@title.gap", 1, "text[0].y"),
    ("@title.y", 0.7, "text (title"),
    ("@title.width", 12, "text[0].width"),
    ("@title.valign", "centre", "text[0].valign"),
    ("@product.valign", "top", "text[1].valign"),
    ("@product.size_pt", 9, "text"),
    ("@prompt.width", 10, "text[4].width"),
    ("@prompt.field", "place", "text"),
    ("@number.field", "prompt", "text"),
    ("@number.y", 21, "text (number, host)"),
    ("@number.x", 0.5, "text (number, host)"),
    ("@host.width", 38, "text (number, host)"),
    ("@host.size_pt", 9, "text (number, host)"),
    ("marks.offset", 0.1, "marks.offset"),
    ("marks.line_pt", 2, "marks.line_pt"),
    ("marks.length", 20, "marks.length"),
    ("note.size_pt", 4, "note.size_pt"),
    ("note.y", 2, "note.y"),
    ("note.y", 11, "note.y"),
    ("ruler.y", 296, "ruler.y"),
    ("ruler.y", 283, "ruler.y"),
    ("ruler.x", 60, "ruler.y"),
    ("ruler.size_pt", 13, "ruler.size_pt"),
]


@pytest.mark.parametrize(
    ("path", "value", "key"),
    BROKEN,
    ids=[f"{path}={'removed' if value is REMOVED else value}" for path, value, _ in BROKEN],
)
def test_refuses(path: str, value: Any, key: str, document: dict[str, Any]) -> None:
    """A valid template with one thing broken is refused, the message naming file and key."""
    *steps, last = path.split(".")
    table: dict[str, Any] = document
    for step in steps:
        table = text_of(document, step[1:]) if step.startswith("@") else table[step]
    if value is REMOVED:
        del table[last]
    else:
        table[last] = value
    with pytest.raises(InputError) as caught:
        template.parse(dump(document), where="x.toml")
    assert caught.value.code == "template"
    assert str(caught.value).startswith(f"x.toml: {key}")


def test_title_must_open_a_column(document: dict[str, Any]) -> None:
    """A title that follows another text is refused: the demonstration bar would push what is below."""
    title, *others = document["text"]
    title = {key: value for key, value in title.items() if key not in ("y", "valign")} | {"gap": 0}
    document["text"] = [*others[-2:], title]
    with pytest.raises(InputError, match="opens a column"):
        template.parse(dump(document), where="x.toml")


def test_ruler_over_note_is_refused(document: dict[str, Any]) -> None:
    """Ruler and note may share a margin but not a place."""
    document["ruler"]["y"] = 8
    with pytest.raises(InputError, match="clear of the note"):
        template.parse(dump(document), where="x.toml")


@pytest.mark.parametrize("data", [b"\xff", b"name = ", b"# " + b"x" * 70_000], ids=["latin", "cut", "large"])
def test_refuses_what_is_no_small_toml(data: bytes) -> None:
    """Bytes that are not UTF-8, not TOML, or too many are refused."""
    with pytest.raises(InputError, match=r"^x\.toml: "):
        template.parse(data, where="x.toml")


@pytest.mark.parametrize("name", SHIPPED)
def test_columns_stay_off_the_square(name: str) -> None:
    """In shipped templates no text, at its fullest, shares a point with the symbol and its quiet zone."""
    sheet = template.load(name)
    qr = sheet.qr
    for column in sheet.columns:
        box = column_box(column)
        assert (
            box.left >= qr.x + qr.side
            or box.right <= qr.x
            or box.top >= qr.y + qr.side - 1e-6
            or box.bottom <= qr.y + 1e-6
        )
