# SPDX-License-Identifier: Apache-2.0
"""What one stamp says."""

import subprocess
import sys
import unicodedata
from typing import Any

import pytest

from traceledger.errors import InputError
from traceledger.printing.label import StampLabel, format_number

VALID: dict[str, Any] = {
    "uri": "https://id.sotem.example/01/09521234567899/21/7K3QX9ZT4M2B",
    "number": 123456,
    "roll": "A",
    "product": "Xoài cát chu",
    "producer": "HTX Xoài Bến Mẫu",
    "place": "Đồng Tháp",
    "host": "id.sotem.example",
}


@pytest.mark.parametrize(
    ("roll", "number", "text"),
    [
        ("A", 123456, "A-000 123 456"),
        ("A-2611", 0, "A-2611-000 000 000"),
        ("B", 1_234_567_890, "B-1 234 567 890"),
        ("B", 2**64 - 1, "B-18 446 744 073 709 551 615"),
    ],
)
def test_number_is_grouped(roll: str, number: int, text: str) -> None:
    """A number has nine digits at least, in threes, behind its roll."""
    assert format_number(roll, number) == text


@pytest.mark.parametrize(
    "change",
    [
        {"uri": ""},
        {"uri": "ftp://id.sotem.example/01/1"},
        {"uri": "https://id.sotem.example/"},
        {"uri": "https://id.sotem.example@evil.example/01/1", "host": "evil.example"},
        {"uri": "https://id.sotem.example.evil.example/01/1"},
        {"uri": "https://[::1/01/1", "host": "[::1"},
        {"uri": "https://[::1]:80/01/1", "host": "["},
        {"uri": "https:///01/1", "host": ""},
        {"host": "sotem.example"},
        {"host": ""},
        {"number": -1},
        {"number": 2**64},
        {"roll": ""},
        {"roll": "A 2611"},
        {"roll": "Đ"},
        {"roll": "A" * 25},
        {"product": "x" * 301},
    ],
    ids=str,
)
def test_refuses(change: dict[str, Any]) -> None:
    """A valid label with one thing broken is refused."""
    with pytest.raises(InputError):
        StampLabel(**(VALID | change))


def test_texts_are_normalised() -> None:
    """Decomposed letters and odd white space make the same label as composed and plain ones."""
    messy = {key: unicodedata.normalize("NFD", VALID[key]) for key in ("product", "producer", "place")}
    messy["product"] = f" {messy['product'].replace(' ', chr(0x3000) + chr(10))} "
    assert StampLabel(**(VALID | messy)) == StampLabel(**VALID)


def test_http_link_counts_as_a_demonstration() -> None:
    """Only a private address may have a plain http link, so its stamp says that it is a demonstration."""
    local = VALID | {
        "uri": "http://192.168.1.7:8080/01/09521234567899/21/7K3QX9ZT4M2B",
        "host": "192.168.1.7:8080",
    }
    assert StampLabel(**local).is_demo
    assert StampLabel(**(VALID | {"demo": True})).is_demo
    assert not StampLabel(**VALID).is_demo


def test_label_needs_no_drawing_library() -> None:
    """Who only formats a number or a label, as the scan page does, loads neither fonts nor pictures nor symbols."""
    probe = (
        "import sys, traceledger.printing.label; "
        "print(sorted(set(sys.modules) & {'fontTools', 'PIL', 'zxingcpp', 'pypdfium2'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
