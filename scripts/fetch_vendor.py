#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Fetch from npm, by recorded hash, what `npm ci` alone does not bring: built-in fonts and, on Node 18, anvil.

`scripts/vendor.json` names each npm package, its version, and the files taken out of it with their SHA-256.
A file whose hash differs is refused and nothing is written.  anvil's program comes in a package that asks for
Node 20, though it is a native program that needs none; npm leaves it out on Node 18, and here it is unpacked by
the hash of `contracts/package-lock.json`.  Uses only the standard library and `npm pack`, so that it runs
before any virtual environment exists.

Usage: fetch_vendor.py [--check]
"""

import argparse
import base64
import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "scripts" / "vendor.json"
CONTRACTS = ROOT / "contracts"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of *data* in hex."""
    return hashlib.sha256(data).hexdigest()


def stale(files: list[dict[str, str]]) -> list[str]:
    """Return the destinations in *files* that are missing or differ from their recorded hash."""
    bad = []
    for item in files:
        path = ROOT / item["to"]
        if not path.is_file() or sha256(path.read_bytes()) != item["sha256"]:
            bad.append(item["to"])
    return bad


def pack(name: str, version: str) -> bytes:
    """Return the npm tarball of *name* at *version*."""
    with tempfile.TemporaryDirectory(prefix="vendor-") as folder:
        env = dict(os.environ, npm_config_update_notifier="false", npm_config_fund="false")
        command = [
            "npm",
            "pack",
            "--silent",
            "--ignore-scripts",
            "--pack-destination",
            folder,
            f"{name}@{version}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=folder, check=False)
        found = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or len(found) != 1:
            detail = done.stderr.strip() or done.stdout.strip() or "npm pack made no file"
            raise SystemExit(f"fetch_vendor: cannot fetch {name}@{version}: {detail}")
        return found[0].read_bytes()


def extract(tarball: bytes, files: list[dict[str, str]], label: str) -> dict[str, bytes]:
    """Return destination -> content of *files* out of *tarball*, each checked against its recorded hash."""
    out: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as tar:
        for item in files:
            member = tar.extractfile(f"package/{item['from']}")
            if member is None:
                raise SystemExit(f"fetch_vendor: {label} has no file {item['from']}")
            data = member.read()
            if sha256(data) != item["sha256"]:
                raise SystemExit(
                    f"fetch_vendor: {label}: {item['from']} has SHA-256 {sha256(data)}, expected {item['sha256']}; "
                    "nothing was written"
                )
            out[item["to"]] = data
    return out


def fetch_files(package: dict[str, Any], *, check: bool) -> bool:
    """Bring the files of one *package* of the manifest in place; return False if *check* found one amiss."""
    label = f"{package['name']}@{package['version']}"
    bad = stale(package["files"])
    if bad and check:
        print(f"fetch_vendor: missing or changed: {', '.join(bad)}", file=sys.stderr)
    elif bad:
        for to, data in extract(pack(package["name"], package["version"]), package["files"], label).items():
            write(ROOT / to, data, mode=0o644)
        print(f"fetch_vendor: {label}: {len(package['files'])} files", file=sys.stderr)
    return not (bad and check)


def fetch_anvil(*, check: bool) -> bool:
    """Unpack anvil's program where npm left it out; return False if *check* found it missing."""
    machine = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(
        platform.machine().lower()
    )
    name = f"@foundry-rs/anvil-{platform.system().lower()}-{machine}"
    program = CONTRACTS / "node_modules" / name / "bin" / "anvil"
    if program.is_file():
        return True
    if check:
        print(f"fetch_vendor: missing: {program.relative_to(ROOT)}", file=sys.stderr)
        return False
    lock = json.loads((CONTRACTS / "package-lock.json").read_text(encoding="utf-8"))
    pin = lock["packages"].get(f"node_modules/{name}")
    if pin is None:
        raise SystemExit(
            f"fetch_vendor: there is no anvil for this machine ({name} is not in contracts/package-lock.json)"
        )
    tarball = pack(name, pin["version"])
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode("ascii")
    if integrity != pin["integrity"]:
        raise SystemExit(
            f"fetch_vendor: {name}@{pin['version']} is {integrity}, expected {pin['integrity']}; nothing was written"
        )
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as tar:
        member = tar.extractfile("package/bin/anvil")
        if member is None:
            raise SystemExit(f"fetch_vendor: {name}@{pin['version']} has no file bin/anvil")
        write(program, member.read(), mode=0o755)
    print(f"fetch_vendor: {name}@{pin['version']}: bin/anvil", file=sys.stderr)
    return True


def write(path: Path, data: bytes, *, mode: int) -> None:
    """Write *data* to *path* whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.chmod(mode)
    part.replace(path)


def main() -> int:
    """Bring everything recorded in place; with --check only say what is missing."""
    parser = argparse.ArgumentParser(description="Fetch fonts and anvil from npm by recorded hash.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if a file is missing or differs"
    )
    check: bool = parser.parse_args().check
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    good = [fetch_files(package, check=check) for package in manifest["packages"]]
    good.append(fetch_anvil(check=check))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
