# SPDX-License-Identifier: Apache-2.0
"""The files that describe the project agree with each other."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from traceledger import errors

REQUIREMENT = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)


def pins(path: Path) -> dict[str, str]:
    """Return name -> version of a requirements file."""
    return dict(REQUIREMENT.findall(path.read_text(encoding="utf-8")))


def names(requirements: list[str]) -> set[str]:
    """Return the package names of *requirements* as pyproject.toml writes them."""
    return {re.split(r"[\[<>=~ ]", item)[0].lower() for item in requirements}


@pytest.fixture(scope="module")
def project(root: Path) -> Any:
    """Return the [project] table."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pages(root: Path) -> Iterator[Path]:
    """Yield every Markdown page that is ours."""
    yield from sorted(root.glob("*.md"))
    yield from sorted(root.glob("docs/**/*.md"))
    yield from sorted(path for path in root.glob("*/*.md") if path.parent.name != "docs")


def broken_links(page: Path) -> list[str]:
    """Return the relative links of *page* that name no file."""
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    return [target for target in targets if "://" not in target and not (page.parent / target).exists()]


def test_links_lead_somewhere(root: Path) -> None:
    """Every relative link of every page names a file that exists."""
    broken = {str(page.relative_to(root)): broken_links(page) for page in pages(root)}
    assert {page: links for page, links in broken.items() if links} == {}


def test_base_installation_is_two_packages(project: Any) -> None:
    """Who verifies needs cryptography and click, nothing else."""
    assert names(project["dependencies"]) == {"cryptography", "click"}


def test_requirements_cover_the_extras_and_agree(project: Any, root: Path) -> None:
    """Each file pins what its extras ask for, at the same version as the others."""
    extras = {name: names(items) for name, items in project["optional-dependencies"].items()}
    base = names(project["dependencies"])
    verify, demo, dev = (pins(root / "requirements" / f"{name}.txt") for name in ("verify", "demo", "dev"))
    assert base <= verify.keys()
    assert base | extras["server"] | extras["chain"] | extras["print"] <= demo.keys()
    assert base.union(*extras.values()) <= dev.keys()
    assert verify.items() <= demo.items() <= dev.items()


@pytest.mark.parametrize("name", ["verify", "demo", "dev"])
def test_requirements_are_hashed_and_name_no_index(root: Path, name: str) -> None:
    """Every pin has a hash, and no address of any index is recorded."""
    text = (root / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z])", text.strip())
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert re.search(r"://|--(extra-)?index|--find-links", text) is None


def test_npm_lock_is_hashed_and_names_no_host(root: Path) -> None:
    """Every npm package has an integrity hash and no recorded address."""
    lock = json.loads((root / "contracts" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [
        name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")
    ] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_commands_of_the_pages_exist(root: Path) -> None:
    """Every `make` target that a page names stands in the Makefile, with a line of help."""
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    named = set()
    for page in pages(root):
        named |= set(re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named - targets == set()


def test_exit_codes_of_the_readme_are_those_of_the_errors(root: Path) -> None:
    """The table of exit codes has each code of the error tree, and 0."""
    rows = re.findall(r"^\| (\d+) \|", (root / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    kinds: list[type[errors.TraceledgerError]] = [errors.TraceledgerError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    assert {int(row) for row in rows} == {0} | {kind.exit_code for kind in kinds}


def test_every_decision_stands_in_the_index(root: Path) -> None:
    """Each decision page is linked from the index of decisions."""
    folder = root / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in sorted(folder.glob("[0-9]*.md")) if f"({page.name})" not in index] == []


def test_every_source_file_names_its_licence(root: Path) -> None:
    """The first lines of every source file carry the licence identifier."""
    files = [path for top in ("src", "tests", "scripts") for path in (root / top).rglob("*.py")]
    assert [
        str(path)
        for path in files
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text("utf-8")[:120]
    ] == []
