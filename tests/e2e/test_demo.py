# SPDX-License-Identifier: Apache-2.0
"""The demonstration as one command: told, proven, told on, and never losing more than the chain of this machine lost."""

import os
import re
import select
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from clikit import Done, environment, run
from traceledger.core.judge.bundle import Bundle

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(300)]

KEYS = {
    *("ok", "steps", "dir", "database", "origin", "trust", "rpc", "contract"),
    *("bundle", "sheet", "scan_url"),
}


def check(folder: Path | None, home: Path) -> tuple[Done, dict[str, Any]]:
    """Run ``demo --check --json``, in *folder* if one is kept."""
    keep = ["--keep", folder] if folder else []
    done = run("demo", "--check", "--json", *keep, home=home)
    assert done.code == 0, done.err
    return done, done.json


def entries(folder: Path) -> list[bytes]:
    """Every entry of the log in *folder*."""
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        return [raw for (raw,) in connection.execute('select entry from entries order by "index"')]


def test_told_and_proven_three_times_over(tmp_path):
    """
    A first run tells the story and proves it; a second keeps log and contract; after the chain's state is gone a
    third anchors the very same log again, and says so.
    """
    folder, home = tmp_path / "demo", tmp_path / "home"
    _, first = check(folder, home)
    assert first.keys() == KEYS
    assert first["ok"] is True
    assert all(step.keys() == {"name", "ok", "seconds"} and step["ok"] for step in first["steps"])
    assert first["dir"] == str(folder)
    for name in ("trust", "bundle", "sheet"):
        assert Path(first[name]).is_file()
    assert re.fullmatch(r"0x[0-9a-f]{40}", first["contract"])
    assert first["scan_url"].startswith("http://127.0.0.1:")
    told = entries(folder)

    # whoever has the files verifies them without the demonstration; the chain is gone with it
    alone = run("verify", first["bundle"], "--policy", first["trust"], "--json", home=home)
    assert (alone.code, alone.json["ok"]) == (0, True)
    assert (
        run("verify", first["bundle"], "--policy", first["trust"], "--rpc", first["rpc"], home=home).code == 4
    )
    assert run("--dir", folder, "audit", "--rpc", first["rpc"], home=home).code == 4

    again, second = check(folder, home)
    assert "the same log and contract go on" in again.err
    assert second["contract"] == first["contract"]
    assert second["scan_url"] == first["scan_url"]
    assert entries(folder)[: len(told)] == told
    assert not any("lost" in line for line in again.err.splitlines())

    (folder / "anvil.json").unlink()
    (folder / "anvil.last-start.json").unlink(missing_ok=True)
    anew, third = check(folder, home)
    assert "lost the contract" in anew.err
    assert "anchored anew" in anew.err
    assert third["contract"] == first["contract"]
    assert entries(folder)[: len(told)] == told
    worker = (folder / "worker.log").read_text()
    assert "it will be anchored again" in worker
    old = Bundle.parse(Path(first["bundle"]).read_bytes())
    assert old.anchors


def test_without_a_folder_nothing_is_left(tmp_path):
    """Without --keep the check leaves no folder behind, and every path it named is gone."""
    done = run("demo", "--check", "--json", home=tmp_path, TMPDIR=str(tmp_path))
    assert done.code == 0, done.err
    assert not Path(done.json["dir"]).exists()
    assert list(tmp_path.glob("tmp*")) == []


@contextmanager
def running(base: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The demonstration as people start it, read until it told what to try; ended if it still runs."""
    base.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "traceledger", "--dir", base, "demo", "--host", "127.0.0.1", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(base, PYTHONUNBUFFERED="1"),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Everything said until a line with *words*."""
    said = ""
    assert process.stdout is not None
    while words not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


def children(folder: Path) -> set[int]:
    """Process ids of whatever works on *folder*."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(folder).encode() in path.joinpath("cmdline").read_bytes():
                found.add(int(path.name))
    return found


def gone(folder: Path, *, but: int) -> bool:
    """Wait until nothing but *but* works on *folder*; false if something does not go."""
    waiting = children(folder) - {but}
    for pid in waiting:
        with suppress(OSError):
            ended = os.pidfd_open(pid)
            ready, _, _ = select.select([ended], [], [], 30)
            os.close(ended)
            if not ready:
                return False
    return not children(folder) - {but}


def test_killed_and_started_again(tmp_path):
    """Killed outright it leaves no process behind; started again it goes on with the same log and contract."""
    base = tmp_path / "here"
    folder = base / "demo-ledger"
    with running(base, "--port", "0") as process:
        said = read_until(process, "Everything here is fictional")
        link = re.search(r"http://127\.0\.0\.1:\d+/01/\S+", said)
        assert link
        with urlopen(link[0], timeout=30) as answer:
            assert answer.status == 200
        assert len(children(folder)) >= 3
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        assert gone(folder, but=process.pid)
        with pytest.raises(URLError):
            urlopen(link[0], timeout=5)
    told = entries(folder)
    with running(base, "--port", "0") as process:
        said = read_until(process, "Everything here is fictional")
        assert "the same log and contract go on" in said
        assert link[0] in said
        with urlopen(link[0], timeout=30) as answer:
            assert answer.status == 200
        assert entries(folder)[: len(told)] == told
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert "stopping" in rest
        assert process.returncode == 0
    assert gone(folder, but=0)


def test_killed_while_it_tells(tmp_path):
    """Killed in the middle of the story it keeps the half aside, says so, and tells a new one."""
    base = tmp_path / "here"
    with running(base, "--port", "0") as process:
        read_until(process, "organisations and keys")
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    gone(base, but=0)
    with running(base, "--port", "0") as process:
        said = read_until(process, "Everything here is fictional")
        assert "unfinished" in said
    kept = [path.name for path in base.iterdir() if "unfinished" in path.name]
    assert kept == ["demo-ledger-unfinished-1"]


def test_the_attacker_is_seen(tmp_path):
    """What the demonstration invites to: one changed byte in the database, and the page shows red."""
    base = tmp_path / "here"
    with running(base, "--port", "0") as process:
        said = read_until(process, "Everything here is fictional")
        link = re.search(r"http://127\.0\.0\.1:\d+/01/\S+", said)
        assert link

        def page() -> str:
            with urlopen(link[0], timeout=30) as answer:
                text: str = answer.read().decode()
                return text

        good = page()
        assert "chuỗi thử" in good.lower()
        with closing(sqlite3.connect(base / "demo-ledger/ledger.db")) as connection:
            changed = connection.execute(
                "update entries set entry = replace(entry, substr(entry, 300, 8), 'AAAAAAAA') where \"index\" = 40"
            ).rowcount
            connection.commit()
        assert changed == 1
        bad = page()
        assert bad != good
        assert "đã bị sửa" in bad.lower() or "bị thay đổi" in bad.lower()
