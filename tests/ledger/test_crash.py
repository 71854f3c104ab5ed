# SPDX-License-Identifier: Apache-2.0
"""Killing the process that appends, at any moment: what was answered is there, once, and the log is whole."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from housekit import ORIGIN, head_of, naive_root, open_house
from traceledger.core.log.entry import Entry
from traceledger.ledger.recompute import recompute

TESTS = Path(__file__).resolve().parent.parent


def crash(folder: Path, rounds: int) -> None:
    """Kill *rounds* processes that submit to the deployment in *folder*, then judge what they left."""
    done = subprocess.run(
        [sys.executable, TESTS / "ledger/crash_child.py", folder, str(rounds)],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    acknowledged = json.loads(done.stdout.splitlines()[-1])
    assert len(acknowledged) == rounds
    assert all(acknowledged)
    house = open_house(folder)
    entries = [Entry.parse(raw) for raw in house.raw()]
    where = {entry.id: index for index, entry in enumerate(entries)}
    assert len(where) == len(entries)
    for name, index in (pair for one in acknowledged for pair in one):
        assert where[name] == index
    recompute(house.app.database, ORIGIN)
    assert head_of(house.log.checkpoint()) == (len(entries), naive_root([one.leaf for one in entries]))
    done_after = house.submit(house.note("after the crashes"))
    assert done_after.index == len(entries)
    house.close()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_answer_survives_the_kill(founded, tmp_path):
    """Killed while four of its threads submit, 24 times (300 in a soak): each answered index holds its statement, once."""
    shutil.copytree(founded, tmp_path / "so")
    crash(tmp_path / "so", 300 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 24)
