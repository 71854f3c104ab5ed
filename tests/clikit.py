# SPDX-License-Identifier: Apache-2.0
"""The command line as people use it: a process of its own, or the same entry point called in this one."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Done:
    """What became of a command: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line of JSON on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def error(self) -> str:
        """The stable code that begins the last line on standard error."""
        return self.err.strip().splitlines()[-1].partition(":")[0]


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment without what would steer a deployment, and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRACELEDGER_")}
    kept |= (
        {"TRACELEDGER_SHARED": os.environ["TRACELEDGER_SHARED"]} if "TRACELEDGER_SHARED" in os.environ else {}
    )
    return kept | {"XDG_CONFIG_HOME": str(home), "HOME": str(home)} | more


def run(
    *arguments: object, home: Path, stdin: bytes | None = None, cwd: Path | None = None, **env: str
) -> Done:
    """Run ``traceledger`` as a process; whatever happens, no traceback may show."""
    done = subprocess.run(
        [sys.executable, "-m", "traceledger", *map(str, arguments)],
        input=stdin if stdin is not None else b"",
        capture_output=True,
        timeout=120,
        check=False,
        cwd=cwd,
        env=environment(home, **env),
    )
    result = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in result.err + result.out, result.err
    return result


Main = Callable[..., Done]


@pytest.fixture
def main(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Main:
    """Return a function that runs the command line's own entry point in this process, for tables of many cases."""
    from traceledger.cli.main import main as entry

    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    for name in [name for name in os.environ if name.startswith("TRACELEDGER_")]:
        if name != "TRACELEDGER_SHARED":
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))

    def call(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["traceledger", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            entry()
        said = capsys.readouterr()
        code = caught.value.code
        return Done(code if isinstance(code, int) else 0, said.out, said.err)

    return call
