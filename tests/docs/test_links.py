# SPDX-License-Identifier: Apache-2.0
"""The pages of docs lead somewhere: files, headings, pictures, and from the index to every page."""

import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    """Return the relative links and pictures of *page*, code blocks left out."""
    found = LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return [link for link in found if "://" not in link and not link.startswith("mailto:")]


def headings(page: Path) -> set[str]:
    """Return the fragments that *page* has: its headings as GitHub spells them."""
    found = re.findall(r"^#+ +(.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    plain = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", unicodedata.normalize("NFC", text)).lower() for text in found)
    return {re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-") for text in plain}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_resolve(page: Path) -> None:
    """Every relative link of the page names a file or folder of the repository, and a heading if it says so."""
    broken = []
    for link in links(page):
        name, _, fragment = link.partition("#")
        target = (page.parent / unquote(name)).resolve() if name else page
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (fragment and target.suffix == ".md" and fragment not in headings(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_reached() -> None:
    """From the README and the indexes of docs, links lead to every page but the template of decisions."""
    seen: set[Path] = set()
    pending = [ROOT / "README.md", ROOT / "docs" / "README.md"]
    while pending:
        page = pending.pop()
        if page in seen or not page.exists() or page.suffix != ".md":
            continue
        seen.add(page)
        pending += [(page.parent / unquote(link.partition("#")[0])).resolve() for link in links(page)]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in seen] == []


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "img").glob("*.svg")), ids=lambda path: path.name)
def test_drawings_have_words(picture: Path) -> None:
    """Every drawing is well-formed and says in words what it shows."""
    root = ElementTree.fromstring(picture.read_text(encoding="utf-8"))
    words = {child.tag.rpartition("}")[2]: child.text for child in root}
    assert words.get("title")
    assert words.get("desc")


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_words_stay_honest(page: Path) -> None:
    """No page calls goods genuine or anything compliant, in either language."""
    text = page.read_text(encoding="utf-8").lower()
    assert re.findall(r"\bcompliant\b|\bgenuine\b|hàng thật|đạt chuẩn", text) == []
