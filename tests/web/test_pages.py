# SPDX-License-Identifier: Apache-2.0
"""What people get: the scan page, the start page, errors in their language, and headers that hold."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from traceledger.core.judge.verdict.view import LotView
from traceledger.errors import LogIntegrityError, TemporaryError
from web.fakes import FakeApp
from web.scenes import scenes
from web.story import FIRST, GTIN, SERIALS, signature

STAMP = f"/01/{GTIN}/21/{SERIALS[0]}"
LOT = f"/01/{GTIN}/10/XCL-2611A"
TAG = re.compile(r"<[^>]+>")


def text(html: str) -> str:
    """What is read aloud of a page."""
    return re.sub(r"\s+", " ", TAG.sub(" ", html)).replace("\N{NO-BREAK SPACE}", " ")


class TestScan:
    def test_first_block_says_what_a_shopper_asks(self, client: FlaskClient) -> None:
        """Product, harvest, producer, record, trace, interval with its tier, number, scans, and the limits."""
        said = text(client.get(f"{STAMP}?s={signature(FIRST)}").text)
        for words in (
            "Xoài cát chu", "Thu hoạch 12/11/2026", "HTX Xoài Bến Mẫu · Đồng Tháp", "Hồ sơ chưa bị sửa từ khi ghi",
            "dấu vết trên chuỗi Ethereum, 23/11 10:00", "Thuốc lần cuối 28/10, cách ly đủ 14 ngày (bên trồng tự khai)",
            "Số trên tem A-000 123 456", "Đã quét 7 lần (người mua trước cũng quét; lo khi đã bán hoặc ở tỉnh khác)",
            "Chứng minh: ai ký, khi nào, chưa sửa.", "Không chứng minh: tem này không phải bản chụp lại.",
            "Kiểm tra lại trên máy tôi", "Báo giả",
        ):  # fmt: skip
            assert words in said

    def test_journey_says_who_when_and_how(self, client: FlaskClient) -> None:
        """Each step tells place, time, time of recording, signer, custody, proxy and tier."""
        said = text(client.get(STAMP).text)
        for words in (
            "Vườn số 3, Đồng Tháp", "Phun thuốc tự khai 28/10/2026 06:15 · ghi vào sổ 13/11/2026 08:00",
            "HTX Xoài Bến Mẫu ký · khóa trên máy người ký · ký thay cho thành viên TV-017", "Giao hàng 1.250,5 kg hai bên ký",
            "Kiểm nghiệm cơ quan, phòng kiểm nghiệm ký", "Kích hoạt tem 3 tem",
            "Bước 2: 200 kg, đính chính 1.250,5 kg bởi HTX Xoài Bến Mẫu, 12/11/2026 09:05, lý do: gõ nhầm số cân",
        ):  # fmt: skip
            assert words in said

    def test_evidence_is_complete(self, client: FlaskClient) -> None:
        """The fold holds every rung, hash, key, the contract, the transaction, the bundle and the command."""
        view = scenes()["unchanged"]
        html = client.get(STAMP).text
        for step in view.steps:
            assert step.id in html
            assert step.leaf in html
            assert f'href="/api/v1/entries/{step.index}"' in html
            assert all(kid in html for kid, _ in step.signed_by)
        assert all(f"<code>{name}" in html for name in view.rungs)
        assert view.anchor is not None
        for words in (
            view.root,
            view.anchor.contract,
            view.anchor.tx,
            "1.234.567",
            "/log/checkpoint",
            "traceledger verify",
        ):
            assert words in html
        assert f'href="/api/v1/bundles/{GTIN}/XCL-2611A?stamp={SERIALS[0]}"' in html

    @pytest.mark.parametrize(
        ("scene", "vi", "en"),
        [
            ("recalled", "Đang thu hồi: nghi dư lượng thuốc", "Recalled: nghi dư lượng thuốc"),
            ("locked", "Tem đã bị khóa: mất một cuộn tem", "Stamp locked: mất một cuộn tem"),
            ("not-activated", "Tem chưa kích hoạt, không dùng để bán", "Stamp not activated: not for sale"),
            ("unknown", "Không có tem này trong sổ", "No such stamp in this ledger"),
            ("altered", "Hồ sơ bị thay đổi tại bước 3", "Record altered at step 3"),
            ("unreadable", "Hồ sơ bị thay đổi tại bước 4", "Record altered at step 4"),
            ("no-data", "Chưa có dữ liệu cho tem này", "No data behind this stamp yet"),
            ("chain-unreachable", "Chưa hỏi được chuỗi khối lúc này", "Chain could not be asked just now"),
            ("anchor-pending", "Đã ký, đang chờ ghi dấu lên chuỗi", "Signed, waiting for the chain"),
            ("test-chain", "Dấu vết trên chuỗi thử (bản trình diễn)", "Trace on a test chain (demo)"),
            ("finding-red", "Điểm cần lưu ý ở bước 2: thu hoạch trước", "Note at step 2: harvested before"),
            ("unchanged", "Hồ sơ chưa bị sửa từ khi ghi", "Record unchanged since recorded"),
            ("copy-suspected", "Tem này có dấu hiệu bị sao chép", "This stamp may have been copied"),
            (
                "opened-before",
                "Mã cào đã mở lúc 22/11/2026 10:00",
                "Scratch code first opened 22 Nov 2026 10:00 (UTC+7)",
            ),
            ("rescan", "Bạn đã mở lúc 25/11 09:00", "You opened it 25 Nov 09:00 (UTC+7)"),
        ],
    )
    def test_every_state_in_its_words(
        self, client: FlaskClient, app: FakeApp, scene: str, vi: str, en: str
    ) -> None:
        """Each state is said in the words of the design, in both languages."""
        app.resolver.scene = scene
        assert vi in text(client.get(STAMP).text)
        assert en in text(client.get(f"{STAMP}?lang=en").text)

    def test_only_the_green_page_carries_a_green_mark(self, client: FlaskClient, app: FakeApp) -> None:
        """The green sign and the word whole appear exactly where the record line is green."""
        for name, view in scenes().items():
            app.resolver.scene = name
            first_block = client.get(STAMP).text.partition('<div class="more">')[0]
            green = view.record.severity == "green"
            assert ("is-green" in first_block) is green, name
            assert ("Nguyên vẹn" in first_block) is green, name

    def test_altered_page_marks_the_step_and_proves_nothing(self, client: FlaskClient, app: FakeApp) -> None:
        """The broken step is named in the journey, and the page claims no proof."""
        app.resolver.scene = "altered"
        html = client.get(STAMP).text
        assert "Bước này không khớp với bằng chứng" in html.partition('id="step-3"')[2].partition("</li>")[0]
        assert "Chứng minh:</b>" not in html.replace("Không chứng minh:</b>", "")

    def test_lapsed_certificate_is_not_shown(self, client: FlaskClient) -> None:
        """A certificate in date is shown; one that has run out is not."""
        html = client.get(STAMP).text
        assert "VG-MAU-001" in html
        assert "VG-CU-000" not in html

    def test_unknown_stamp_is_404_and_grey(self, client: FlaskClient) -> None:
        """A code this ledger does not know is not found, in grey, with what to do."""
        response = client.get(f"/01/{GTIN}/21/000000000000")
        assert response.status_code == 404
        assert "Không có tem này trong sổ" in response.text
        assert "is-red" not in response.text
        assert "is-green" not in response.text

    def test_verdicts_are_never_stored(self, client: FlaskClient) -> None:
        """A verdict belongs to its moment."""
        assert client.get(STAMP).headers["Cache-Control"] == "no-store"

    def test_page_is_light(self, client: FlaskClient, app: FakeApp, root: Path) -> None:
        """Every scene fits in 50 KB with its style sheet, fonts aside."""
        css = len((root / "src/traceledger/web/static/site.css").read_bytes())
        for name in scenes():
            app.resolver.scene = name
            assert len(client.get(STAMP).data) + css < 50_000

    def test_untrusted_text_stays_text(
        self, client: FlaskClient, app: FakeApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Markup in a signed statement is printed, never obeyed."""
        from dataclasses import replace

        view: LotView = replace(
            scenes()["unchanged"], product_name="<script>alert(1)</script>", producer_name='"><b>x'
        )
        monkeypatch.setattr(app.resolver, "stamp", lambda *_: view)
        html = client.get(STAMP).text
        assert "<script" not in html
        assert "&lt;script&gt;" in html


class TestScanMemory:
    def test_client_token_is_random_and_kept(self, client: FlaskClient, app: FakeApp) -> None:
        """The first scan leaves a random token; the second brings it back."""
        client.get(STAMP)
        client.get(STAMP)
        first, second = (token for _, _, token in app.resolver.asked)
        assert first == second
        assert first is not None
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", first)

    def test_cookie_is_first_party_and_closed(self, client: FlaskClient) -> None:
        """No script reads the token and no other site sends it."""
        cookie = client.get(STAMP).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    def test_signature_is_handed_on(self, client: FlaskClient, app: FakeApp) -> None:
        """What stands behind ?s= reaches the resolver as it was printed."""
        client.get(f"{STAMP}?s={signature(FIRST)}")
        assert app.resolver.asked[-1][:2] == (SERIALS[0], signature(FIRST))

    @pytest.mark.parametrize(
        ("method", "path", "headers"),
        [
            ("HEAD", STAMP, {}),
            ("GET", f"{STAMP}?linkType=linkset", {}),
            ("GET", STAMP, {"Sec-Purpose": "prefetch"}),
            ("GET", f"/report?of=https://trace.example{STAMP}", {}),
        ],
    )
    def test_what_is_no_scan_is_not_counted(
        self, client: FlaskClient, app: FakeApp, method: str, path: str, headers: dict
    ) -> None:
        """A HEAD, a linkset, a prefetch and the report page ask without a token."""
        client.open(path, method=method, headers=headers)
        assert [token for _, _, token in app.resolver.asked] == [None]

    def test_lot_page_leaves_no_token(self, client: FlaskClient) -> None:
        """Only stamps are counted."""
        assert "client=" not in client.get(LOT).headers.get("Set-Cookie", "")

    def test_forged_token_is_replaced(self, client: FlaskClient, app: FakeApp) -> None:
        """A cookie of another shape is not taken for a token."""
        client.set_cookie("client", "../../x")
        client.get(STAMP)
        assert app.resolver.asked[-1][2] != "../../x"


class TestLanguage:
    @pytest.mark.parametrize(
        ("query", "cookie", "accept", "lang"),
        [
            ("", None, None, "vi"),
            ("", None, "en-GB,en;q=0.9", "en"),
            ("", None, "ja,en;q=0.5", "en"),
            ("", None, "ja", "vi"),
            ("", "vi", "en", "vi"),
            ("?lang=en", "vi", "vi", "en"),
            ("?lang=xx", None, "en", "en"),
        ],
    )
    def test_choice(
        self, client: FlaskClient, query: str, cookie: str | None, accept: str | None, lang: str
    ) -> None:
        """The address decides, then the cookie, then the browser, then Vietnamese."""
        if cookie:
            client.set_cookie("lang", cookie)
        response = client.get(f"/{query}", headers={"Accept-Language": accept} if accept else {})
        assert f'<html lang="{lang}">' in response.text
        assert response.headers["Content-Language"] == lang

    def test_choice_is_remembered(self, client: FlaskClient) -> None:
        """One tap holds for the next page."""
        client.get("/?lang=en")
        assert '<html lang="en">' in client.get("/").text

    def test_other_language_keeps_the_address(self, client: FlaskClient) -> None:
        """The switch leads to the same stamp with the same signature."""
        assert f'href="{STAMP}?s=abc&amp;lang=en"' in client.get(f"{STAMP}?s=abc").text


class TestOtherPages:
    def test_home_says_how_far_the_log_reaches(self, client: FlaskClient, app: FakeApp) -> None:
        """The start page names the log, its size and the last trace."""
        said = text(client.get("/").text)
        assert f"Số bản ghi {app.log.size()}" in said
        assert "Ethereum, 25/11/2026 10:00, 30 bản ghi" in said

    @pytest.mark.parametrize(
        ("typed", "target"),
        [
            (f"https://trace.example{STAMP}?s=x", f"{STAMP}?s=x"),
            (f"trace.example{STAMP}", STAMP),
            (f"  {LOT} ", LOT),
            ("9521234567899", "/01/09521234567899"),
            ("xoai-mau", "/lots/xoai-mau"),
            ("A-000 123 456", "/lots/A-000%20123%20456"),
            ("", "/"),
        ],
    )
    def test_box_leads_to_the_page(self, client: FlaskClient, typed: str, target: str) -> None:
        """A link, a number and an alias each lead to their page."""
        response = client.get("/find", query_string={"q": typed})
        assert (response.status_code, response.headers["Location"]) == (303, target)

    @pytest.mark.parametrize(
        "typed",
        [
            "https://trace-example.com/01/09521234567899",
            "https://evil.test",
            "//evil.test/x",
            "/\\evil.test",
            "https:/evil.test/x",
        ],
    )
    def test_box_never_leads_away(self, client: FlaskClient, typed: str) -> None:
        """A link of another site is named and not followed."""
        response = client.get("/find", query_string={"q": typed})
        location = response.headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith("//")

    def test_look_alike_site_is_named(self, client: FlaskClient) -> None:
        """A stamp's link of another domain is answered with a warning to compare letter by letter."""
        response = client.get("/find", query_string={"q": "https://trace-example.com/01/09521234567899"})
        assert response.status_code == 404
        assert "trang khác: trace-example.com" in response.text

    def test_check_page_is_honest(self, client: FlaskClient) -> None:
        """It gives bundle and command, and says that it came from the same server."""
        response = client.get(
            "/check", query_string={"subject": f"https://id.gs1.org{LOT}", "stamp": SERIALS[0]}
        )
        assert "cùng một máy chủ" in response.text
        assert f"/api/v1/bundles/{GTIN}/XCL-2611A?stamp={SERIALS[0]}" in response.text
        assert "--policy trust.json" in response.text

    def test_report_page_takes_nothing_from_the_address(self, client: FlaskClient) -> None:
        """Names and numbers come from the ledger; what an address carries is never shown."""
        known = client.get("/report", query_string={"of": f"https://trace.example{STAMP}"}).text
        assert "HTX Xoài Bến Mẫu" in known
        assert "A-000 123 456" in known
        assert "mailto:bao-tem@trace.example" in known
        assert "gọi 0900" not in client.get("/report?of=gọi 0900&name=gọi 0900").text

    def test_alias_page(self, client: FlaskClient) -> None:
        """A lot is found by its alias, an unknown one is not."""
        assert "XCL-2611A" in client.get("/lots/xoai-mau").text
        assert client.get("/lots/khong-co").status_code == 404


class TestErrors:
    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/nothing", 404, "not-found"),
            ("/01/09521234567898", 400, "identifier"),
            (f"/01/{GTIN}/10/KHONG-CO", 404, "lot-unknown"),
            (f"/01/{GTIN}?linkType=gs1:nosuch", 404, "link-type"),
        ],
    )
    def test_friendly_page(self, client: FlaskClient, path: str, status: int, code: str) -> None:
        """A browser gets a page in its language with the code, never a trace."""
        response = client.get(path, headers={"Accept": "text/html"})
        assert response.status_code == status
        assert response.mimetype == "text/html"
        assert f"<code>{code}</code>" in response.text

    def test_temporary_trouble_is_not_alarm(self, client: FlaskClient, app: FakeApp) -> None:
        """What cannot be asked now says try again and that nothing was altered."""
        app.resolver.failure = TemporaryError("the database could not be asked")
        response = client.get(STAMP)
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "30"
        assert "không có nghĩa là hồ sơ bị sửa" in response.text

    def test_unforeseen_error_is_one_page(
        self, client: FlaskClient, app: FakeApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A bug is logged with its trace, shown without it, and the next scan works."""
        app.resolver.failure = RuntimeError("secret /etc/passwd")
        response = client.get(STAMP)
        assert response.status_code == 500
        assert "<code>internal</code>" in response.text
        assert "secret" not in response.text
        assert "secret" in caplog.text
        app.resolver.failure = None
        assert client.get(STAMP).status_code == 200

    def test_integrity_error_is_logged(
        self, client: FlaskClient, app: FakeApp, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A log that does not agree with what was published is an error in the operator's log."""
        app.resolver.failure = LogIntegrityError("entry 7 differs")
        assert client.get(STAMP).status_code == 500
        assert "entry 7 differs" in caplog.text


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/", STAMP, "/nothing", "/api/v1/entries/0", "/log/checkpoint", "/static/site.css"]
    )
    def test_on_every_answer(self, client: FlaskClient, path: str) -> None:
        """No script, no frame, no sniffing, no referrer: on pages, errors, API and files alike."""
        with client.get(path) as response:
            headers = response.headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Strict-Transport-Security"]

    def test_no_inline_script_or_style(self, client: FlaskClient, app: FakeApp) -> None:
        """The pages keep the policy they announce."""
        for name in scenes():
            app.resolver.scene = name
            html = client.get(STAMP).text
            assert "<script" not in html
            assert "style=" not in html
            assert not re.search(r"\son[a-z]+=", html)

    def test_style_sheet_may_be_kept(self, client: FlaskClient) -> None:
        """The sheet is linked by its hash and may be kept for ever."""
        href = re.search(r'href="(/static/site\.css\?v=[0-9a-f]{12})"', client.get("/").text)
        assert href is not None
        with client.get(href[1]) as response:
            assert "immutable" in response.headers["Cache-Control"]
