# SPDX-License-Identifier: Apache-2.0
"""Labels, sheets and a decoder for the tests of printing."""

import io
import random
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from traceledger.printing import pdf, template
from traceledger.printing.label import StampLabel
from traceledger.printing.sheet import SheetTemplate

HOST = "qr.htxsotem.example"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SHIPPED = template.names()

# As long as names get: nothing here may be printed over anything else.
LONG = {
    "product": "Xoài cát Hòa Lộc sấy dẻo không đường đóng gói hút chân không loại đặc biệt xuất khẩu Ẵ Ễ Ộ Ự",
    "producer": "Liên hiệp Hợp tác xã Nông nghiệp Dịch vụ Thương mại Sản xuất Xoài Bến Mẫu Mỹ Xương Bình Hàng Trung",
    "place": "Ấp Mỹ Thới, xã Mỹ Xương, huyện Cao Lãnh cũ, tỉnh Đồng Tháp, Việt Nam, vùng nguyên liệu số 12",
}


@pytest.fixture
def make_labels() -> Callable[..., list[StampLabel]]:
    """Return a function making *count* labels of one roll; links of 61 characters, 150 when signed."""

    def make(
        count: int, *, signed: bool = False, seed: int = 1, first: int = 1, **changes: Any
    ) -> list[StampLabel]:
        dice = random.Random(seed)
        labels = []
        for number in range(first, first + count):
            uri = f"https://{HOST}/01/09521234567899/21/{''.join(dice.choices(CROCKFORD, k=12))}"
            if signed:
                uri += f"?s={''.join(dice.choices(BASE64URL, k=86))}"
            values: dict[str, Any] = {
                "uri": uri,
                "number": number,
                "roll": "A-2611",
                "product": "Xoài cát chu",
                "producer": "HTX Xoài Bến Mẫu",
                "place": "Mỹ Xương, Đồng Tháp",
                "host": HOST,
            }
            labels.append(StampLabel(**(values | changes)))
        return labels

    return make


@pytest.fixture
def make_sheet() -> Callable[..., bytes]:
    """Return a function writing labels as a PDF and giving its bytes."""

    def make(labels: Any, sheet: SheetTemplate, **options: Any) -> bytes:
        out = io.BytesIO()
        pdf.write_sheet(out, labels, sheet, **options)
        return out.getvalue()

    return make


@pytest.fixture(scope="session")
def read_qr() -> Callable[[Image.Image], list[str]]:
    """Return a function giving what zbar, which made none of the symbols, reads in a picture."""
    zbar = pytest.importorskip(
        "pyzbar.pyzbar", reason="zbar is absent: install libzbar0", exc_type=ImportError
    )

    def read(picture: Image.Image) -> list[str]:
        return [found.data.decode() for found in zbar.decode(picture, symbols=[zbar.ZBarSymbol.QRCODE])]

    return read


@pytest.fixture
def render() -> Callable[..., Image.Image]:
    """Return a function giving one page of a PDF as a grey picture."""
    pdfium = pytest.importorskip("pypdfium2", reason="pypdfium2 is absent")

    def draw(data: bytes, *, page: int = 0, dpi: int = 300) -> Image.Image:
        with pdfium.PdfDocument(data) as document:
            picture: Image.Image = document[page].render(scale=dpi / 72, grayscale=True).to_pil()
            return picture.copy()

    return draw


def cell_of(picture: Image.Image, sheet: SheetTemplate, slot: int, *, dpi: int = 300) -> Image.Image:
    """Return cell number *slot* cut out of the picture of a page."""
    x, y = sheet.grid.cell(slot)
    corners = (x, y, x + sheet.grid.cell_width, y + sheet.grid.cell_height)
    left, top, right, bottom = (round(mm * dpi / 25.4) for mm in corners)
    return picture.crop((left, top, right, bottom))


def page_contents(data: bytes) -> list[bytes]:
    """Return the content stream of each page, found by a reading of the file that shares nothing with the writer."""
    return [
        zlib.decompress(_object(data, int(number))[1]) for number in re.findall(rb"/Contents (\d+) 0 R", data)
    ]


def _object(data: bytes, number: int) -> tuple[bytes, bytes]:
    match = re.search(rb"\n%d 0 obj\n<<(.*?)>>stream\n(.*?)\nendstream\nendobj\n" % number, data, re.DOTALL)
    assert match is not None
    return match[1], match[2]


def operators(content: bytes) -> Iterator[tuple[str, list[str]]]:
    """Yield each operator of a content stream with its operands."""
    operands: list[str] = []
    for token in content.decode("ascii").split():
        if re.fullmatch(r"[A-Za-z*]+", token):
            yield token, operands
            operands = []
        else:
            operands.append(token)
