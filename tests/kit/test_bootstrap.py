# SPDX-License-Identifier: Apache-2.0
"""The bootstrap script says what a bare machine lacks, and does no more than it was asked."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TOOLS = ("sh", "cat", "dirname", "find", "head", "rm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A clone of the set-up files, and a PATH that has what it is given and nothing else."""

    clone: Path
    bin: Path
    calls: Path

    def program(self, name: str, script: str) -> None:
        """Put a program called *name* on the PATH."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, purpose: str) -> subprocess.CompletedProcess[str]:
        """Run the script of the clone for *purpose*."""
        environment = {"PATH": str(self.bin), "HOME": str(self.clone)}
        command = [str(self.bin / "sh"), "scripts/bootstrap", purpose]
        return subprocess.run(
            command, cwd=self.clone, env=environment, capture_output=True, text=True, check=False
        )

    def called(self) -> list[str]:
        """The calls of apt-get so far."""
        return self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []


@pytest.fixture
def machine(root: Path, tmp_path: Path) -> Machine:
    """A machine of an ordinary user with apt-get and a whole Python 3.11+, without Node and npm."""
    found = Machine(clone=tmp_path / "clone", bin=tmp_path / "bin", calls=tmp_path / "calls")
    found.bin.mkdir()
    shutil.copytree(root / "scripts", found.clone / "scripts")
    for name in TOOLS:
        (found.bin / name).symlink_to(shutil.which(name) or name)
    python = os.path.realpath(sys.executable)
    found.program("python3", f'exec "{python}" "$@"')
    found.program("id", "echo 1000")
    found.program("apt-get", f'echo "$@" >>"{found.calls}"')
    return found


def test_names_what_is_missing_in_one_line_to_paste(machine: Machine) -> None:
    """An ordinary user gets one line on stdout, exit 2, and an untouched clone."""
    done = machine.run("demo")
    assert (
        done.stdout == "sudo apt-get update && sudo apt-get install -y --no-install-recommends nodejs npm\n"
    )
    assert done.returncode == 2
    assert machine.called() == []
    assert sorted(path.name for path in machine.clone.iterdir()) == ["scripts"]


def test_asks_more_for_the_tests_than_for_the_demonstration(machine: Machine) -> None:
    """Browser, PDF renderer and git are asked for by the tests only."""
    words = machine.run("test").stdout.split()
    assert {"chromium", "poppler-utils", "git", "make", "nodejs", "npm"} <= set(words)


def test_a_python_without_ensurepip_needs_the_venv_package(machine: Machine) -> None:
    """Debian's Python without python3-venv is named, not left to fail half-way."""
    python = os.path.realpath(sys.executable)
    machine.program("python3", f'case "$2" in *ensurepip*) exit 1 ;; esac; exec "{python}" "$@"')
    assert machine.run("demo").stdout.split()[-3:] == ["python3-venv", "nodejs", "npm"]


def test_an_old_python_is_not_taken(machine: Machine) -> None:
    """Where the only Python is too old, one is asked for."""
    machine.program("python3", "exit 1")
    assert machine.run("demo").stdout.split()[-4:] == ["python3", "python3-venv", "nodejs", "npm"]


def test_an_old_node_is_not_taken(machine: Machine) -> None:
    """Node below 18 counts as missing."""
    machine.program("node", "echo false")
    machine.program("npm", "exit 0")
    assert machine.run("demo").stdout.split()[-2:] == ["--no-install-recommends", "nodejs"]


def test_root_installs_what_is_missing_and_looks_again(machine: Machine) -> None:
    """Root gets the packages by apt-get; what an installation did not bring is named, and nothing is half made."""
    machine.program("id", "echo 0")
    done = machine.run("demo")
    update, install = machine.called()
    assert update.endswith(" update")
    assert install.endswith(" install -y --no-install-recommends nodejs npm")
    assert done.returncode == 2
    assert "still missing after installing nodejs npm: nodejs npm" in done.stderr
    assert done.stdout == ""
    assert not (machine.clone / ".venv").exists()


def test_other_systems_get_the_names(machine: Machine) -> None:
    """Without apt-get the missing packages are named and nothing is tried."""
    (machine.bin / "apt-get").unlink()
    done = machine.run("demo")
    assert done.returncode == 2
    assert "nodejs npm" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("purpose", ["", "deploy"])
def test_refuses_an_unknown_purpose(machine: Machine, purpose: str) -> None:
    """Only `demo` and `test` are known."""
    done = machine.run(purpose)
    assert done.returncode == 2
    assert done.stderr == "usage: scripts/bootstrap demo|test\n"
