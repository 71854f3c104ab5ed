# SPDX-License-Identifier: Apache-2.0
"""The pages in a real browser: what fits, what can be read, what is reached without a mouse or script."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from web.fakes import FakeApp
from web.gallery import ARGUMENTS, OTHERS, SIZES, STAMP
from web.scenes import scenes

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
NAMES = [*scenes(), *OTHERS]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; skipped, and said so, where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium: apt-get install -y chromium")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def show(browser: Browser, site: tuple[str, FakeApp]) -> Iterator[Open]:
    """Return a function that opens a scene or page; whatever the console or the policy complains of fails."""
    base, app = site
    pages: dict[str, Page] = {}
    complaints: list[str] = []

    def started(size: str, scheme: str, **options: object) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        page = context.new_page()
        page.on(
            "console",
            lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # A picture given up because the test went on to the next page is no failure.
        page.on(
            "requestfailed",
            lambda request: None if request.failure == "net::ERR_ABORTED" else complaints.append(request.url),
        )
        return page

    def opened(
        name: str, *, size: str = "phone", scheme: str = "light", lang: str = "vi", **options: object
    ) -> Page:
        kept = f"{size} {scheme} {options}"
        page = pages.get(kept) or pages.setdefault(kept, started(size, scheme, **options))
        app.resolver.scene = name if name in scenes() else "unchanged"
        path = OTHERS.get(name, STAMP if name != "unknown" else STAMP[:-12] + "0" * 12)
        page.goto(f"{base}{path}{'&' if '?' in path else '?'}lang={lang}")
        return page

    yield opened
    for page in pages.values():
        page.context.close()
    # A page that answers 400 or 404 on purpose is reported by the browser as such.
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_first_block_needs_no_scrolling(show: Open, lang: str) -> None:
    """On 360 × 640 product, record, number, limits and both buttons stand on the first screen, in every state."""
    for name in scenes():
        bottom = show(name, lang=lang).evaluate(
            "document.querySelector('.scan').getBoundingClientRect().bottom"
        )
        assert bottom <= 640, f"{name}: {bottom}"


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_nothing_scrolls_sideways(show: Open, width: int) -> None:
    """No page is wider than its screen, evidence open, from a small phone to a desk."""
    for name in NAMES:
        page = show(name)
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


#: Scenes that between them show every colour, sign and section.
VARIED = [
    "altered",
    "finding-amber",
    "test-chain",
    "chain-unreachable",
    "copy-suspected",
    "recalled",
    "unchanged",
    "home",
]


@pytest.mark.parametrize(
    ("size", "scheme", "lang", "names"),
    [
        ("phone", "light", "vi", NAMES),
        ("phone", "dark", "en", VARIED),
        ("desk", "light", "en", VARIED),
        ("desk", "dark", "vi", VARIED),
    ],
    ids=["phone-light", "phone-dark", "desk-light", "desk-dark"],
)
def test_no_barrier_found(show: Open, size: str, scheme: str, lang: str, names: list[str]) -> None:
    """axe-core finds nothing: contrast, names, headings, landmarks and order, with the folds open."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python"
    ).Axe()
    for name in names:
        page = show(name, size=size, scheme=scheme, lang=lang)
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        found = axe.run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def test_works_without_script(show: Open) -> None:
    """With scripts off the page is whole and its evidence can be opened."""
    page = show("unchanged", java_script_enabled=False)
    assert page.get_by_text("Hồ sơ chưa bị sửa từ khi ghi").is_visible()
    assert not page.get_by_text("Băm gốc").is_visible()
    page.get_by_text("Bằng chứng kỹ thuật").click()
    assert page.get_by_text("Băm gốc").is_visible()


def test_reached_by_keyboard(show: Open) -> None:
    """The first stop leads past the header; every link, button and fold can be reached and used."""
    page = show("unchanged")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Tới nội dung"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    stops = []
    for _ in range(20):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent.trim()"))
    for wanted in ("English", "Kiểm tra lại trên máy tôi", "Báo giả", "Bằng chứng kỹ thuật"):
        assert wanted in stops
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("Băm gốc").is_visible()


def test_own_font_is_used(show: Open) -> None:
    """Be Vietnam Pro comes from this server and is what the words are set in, Vietnamese letters included."""
    page = show("unchanged")
    page.evaluate("document.fonts.ready")
    loaded = page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family + f.weight)"
    )
    assert any("Be Vietnam Pro" in face for face in loaded)
    assert page.evaluate("document.fonts.check('16px \"Be Vietnam Pro\"', 'Hồ sơ chưa bị sửa')")


def test_one_tap_to_the_other_language(show: Open) -> None:
    """One tap changes the language of the same page, and back."""
    page = show("unchanged")
    page.get_by_role("link", name="English").click()
    assert page.get_by_text("Record unchanged since recorded").is_visible()
    page.get_by_role("link", name="Tiếng Việt").click()
    assert page.get_by_text("Hồ sơ chưa bị sửa từ khi ghi").is_visible()


def test_a_shopper_finds_the_way(show: Open) -> None:
    """From the scan to the check page, and to whom to tell."""
    page = show("unchanged")
    page.get_by_role("link", name="Kiểm tra lại trên máy tôi").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải hồ sơ kiểm chứng").click()
    assert download.value.suggested_filename.endswith(".bundle.json")
    page.go_back()
    page.get_by_role("link", name="Báo giả").click()
    assert page.get_by_text("A-000 123 456").is_visible()


def test_states_differ_without_colour(show: Open) -> None:
    """Red, amber, grey and green records have different signs: a colour alone says nothing."""
    signs = set()
    for name in ("unchanged", "altered", "finding-amber", "anchor-pending", "chain-unreachable", "no-data"):
        signs.add(show(name).locator(".record svg").first.inner_html())
    assert len(signs) == 6


def test_print(show: Open) -> None:
    """On paper the words stay and the buttons go."""
    page = show("unchanged")
    page.emulate_media(media="print")
    assert page.get_by_text("Hồ sơ chưa bị sửa từ khi ghi").is_visible()
    assert not page.get_by_role("link", name="Báo giả").is_visible()
