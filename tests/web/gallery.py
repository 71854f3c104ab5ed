# SPDX-License-Identifier: Apache-2.0
"""
Draw every scene as a phone and as a desk would show it: ``PYTHONPATH=tests python -m web.gallery FOLDER [PART OF A NAME ...]``.

For people who change a page: look at the pictures before anyone else does.
"""

import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from traceledger.web import create_app
from web.fakes import FakeApp
from web.scenes import scenes
from web.story import GTIN, SERIALS

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
STAMP = f"/01/{GTIN}/21/{SERIALS[0]}"
SIZES = {"phone": (360, 640), "desk": (1280, 900)}
OTHERS = {"home": "/", "check": f"/check?subject=https://id.gs1.org/01/{GTIN}/10/XCL-2611A", "wrong-link": f"/01/{GTIN[:-1]}0",
          "report": f"/report?of=https://trace.example{STAMP}", "not-found": "/nothing"}  # fmt: skip


class Quiet(WSGIRequestHandler):
    """A request handler that prints nothing."""

    def log(self, *_: object) -> None:
        """Keep the terminal for the results."""


def main(folder: Path, only: set[str]) -> None:
    """Write the pictures into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    app = FakeApp()
    server = make_server("127.0.0.1", 0, create_app(app), threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,
                    device_scale_factor=2 if size == "phone" else 1,
                )
                page = context.new_page()
                for lang in ("vi", "en"):
                    for name in [*scenes(), *OTHERS]:
                        tag = f"{name}-{size}-{scheme}-{lang}"
                        if only and not any(part in tag for part in only):
                            continue
                        app.resolver.scene = name if name in scenes() else "unchanged"
                        path = OTHERS.get(name, STAMP if name != "unknown" else STAMP[:-12] + "0" * 12)
                        page.goto(f"{base}{path}{'&' if '?' in path else '?'}lang={lang}")
                        page.screenshot(path=folder / f"{tag}.png")
                        if name in ("unchanged", "finding-amber") and scheme == "light":
                            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
                            page.screenshot(path=folder / f"{tag}-full.png", full_page=True)
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), set(sys.argv[2:]))
