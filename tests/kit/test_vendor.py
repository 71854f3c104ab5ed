# SPDX-License-Identifier: Apache-2.0
"""What is fetched by recorded hash is refused when a byte of it differs."""

import hashlib
import importlib.util
import io
import json
import tarfile
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def vendor(root: Path) -> ModuleType:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("fetch_vendor", root / "scripts" / "fetch_vendor.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tarball(files: dict[str, bytes]) -> bytes:
    """Return an npm tarball of *files*."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def test_takes_exactly_the_recorded_files(vendor: ModuleType) -> None:
    """A file of the recorded hash comes out under its destination, others stay behind."""
    font = b"a font"
    wanted = [{"from": "a.ttf", "to": "fonts/A.ttf", "sha256": hashlib.sha256(font).hexdigest()}]
    packed = tarball({"a.ttf": font, "postinstall.js": b"evil"})
    assert vendor.extract(packed, wanted, "x@1") == {"fonts/A.ttf": font}


def test_refuses_a_changed_file(vendor: ModuleType) -> None:
    """One other byte, and the whole package is refused."""
    wanted = [{"from": "a.ttf", "to": "fonts/A.ttf", "sha256": hashlib.sha256(b"a font").hexdigest()}]
    with pytest.raises(SystemExit, match="nothing was written"):
        vendor.extract(tarball({"a.ttf": b"a fond"}), wanted, "x@1")


def test_fetched_files_are_in_place_with_their_licences(vendor: ModuleType, root: Path) -> None:
    """Every recorded file is there as recorded, and a licence text lies in each folder."""
    packages = json.loads((root / "scripts" / "vendor.json").read_text(encoding="utf-8"))["packages"]
    assert [vendor.stale(package["files"]) for package in packages] == [[] for _ in packages]
    for package in packages:
        folders = {Path(item["to"]).parent for item in package["files"]}
        for folder in folders:
            assert "SIL OPEN FONT LICENSE" in (root / folder / "OFL.txt").read_text(encoding="utf-8")
