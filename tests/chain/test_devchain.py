# SPDX-License-Identifier: Apache-2.0
"""The development chain: what it keeps, what a crash costs, and that it leaves no orphan."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chainkit import kill
from evmkit import Key
from traceledger.chain.devchain import STATE_INTERVAL, DevChain, find_anvil
from traceledger.errors import ConflictError, InputError, TemporaryError

pytestmark = pytest.mark.chain


def height(chain: DevChain) -> int:
    """Return the number of the newest block."""
    block = chain.rpc.block("latest")
    assert block is not None
    return block.number


def until(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait until *condition* holds; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def test_blocks_survive_a_clean_end(tmp_path: Path) -> None:
    """What was mined and given before `stop` is there at the next start, and nothing was lost."""
    state = tmp_path / "new folder" / "chain.json"
    with DevChain(state) as chain:
        assert chain.loss is None
        chain.mine(5)
        chain.fund(Key("a").address, 7)
        finalized = chain.rpc.block("finalized")
        assert finalized is not None
        assert (height(chain), finalized.number) == (5, 3)
    assert not chain.is_running
    with DevChain(state) as chain:
        assert chain.loss is None
        assert (height(chain), chain.rpc.balance(Key("a").address)) == (5, 7)


def test_a_kill_costs_at_most_the_last_seconds(tmp_path: Path) -> None:
    """After SIGKILL the chain is what the state file had at its last writing."""
    state = tmp_path / "chain.json"
    chain = DevChain(state)
    chain.mine(3)
    until(lambda: state.exists() and _written_height(state) == 3, seconds=STATE_INTERVAL + 20)
    kill(chain)
    with DevChain(state) as chain:
        assert (chain.loss, height(chain)) == (None, 3)


def _written_height(state: Path) -> int:
    try:
        return int(json.loads(state.read_bytes())["block"]["number"], 16)
    except ValueError:
        return -1  # being written


@pytest.mark.parametrize("keep", [0, 1, 500])
def test_half_a_state_is_set_aside(tmp_path: Path, keep: int) -> None:
    """A state file cut off by a crash gives way to the copy of the last start, and that is said."""
    state = tmp_path / "chain.json"
    with DevChain(state) as chain:
        chain.mine(4)
    with DevChain(state) as chain:
        chain.mine(2)
    cut = state.read_bytes()[:keep]
    state.write_bytes(cut)
    with DevChain(state) as chain:
        assert chain.loss is not None
        assert "from its last start" in chain.loss
        assert height(chain) == 4
    assert (tmp_path / "chain.broken.json").read_bytes() == cut


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"block": {}}', b"\xff"])
def test_without_a_copy_the_chain_begins_anew(tmp_path: Path, content: bytes) -> None:
    """A first state file that is no state gives way to an empty chain, and that is said."""
    state = tmp_path / "chain.json"
    state.write_bytes(content)
    with DevChain(state) as chain:
        assert chain.loss is not None
        assert "begins anew" in chain.loss
        assert height(chain) == 0


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A second chain on one port is refused, and the first goes on."""
    with DevChain(tmp_path / "one.json") as chain:
        with pytest.raises(ConflictError) as caught:
            DevChain(tmp_path / "two.json", port=chain.port)
        assert caught.value.code == "port-taken"
        assert chain.is_running


def test_a_missing_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the named program is not there, the message says what to do."""
    monkeypatch.setenv("TRACELEDGER_ANVIL", str(tmp_path / "anvil"))
    with pytest.raises(InputError, match="npm ci") as caught:
        DevChain(tmp_path / "chain.json")
    assert caught.value.code == "anvil-missing"


def test_a_program_that_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the program ends at once, its own words are in the message."""
    fake = tmp_path / "anvil"
    fake.write_text("#!/bin/sh\necho no chain today >&2\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("TRACELEDGER_ANVIL", str(fake))
    with pytest.raises(TemporaryError, match="ended with 3: no chain today") as caught:
        DevChain(tmp_path / "chain.json")
    assert caught.value.code == "chain-unreachable"


def test_the_environment_does_not_steer_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of anvil in the environment do not reach it."""
    monkeypatch.setenv("ANVIL_IP_ADDR", "203.0.113.1")
    monkeypatch.delenv("TRACELEDGER_ANVIL", raising=False)
    with DevChain(tmp_path / "chain.json") as chain:
        assert chain.rpc.chain_id() == 31337
    assert find_anvil().name == "anvil"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_it_dies_with_its_parent_and_keeps_its_state(tmp_path: Path) -> None:
    """When the program that started it is killed, the chain ends too and writes its state."""
    state = tmp_path / "chain.json"
    program = (
        "import sys, time, pathlib\n"
        "from traceledger.chain.devchain import DevChain\n"
        "chain = DevChain(pathlib.Path(sys.argv[1]))\n"
        "chain.mine(4)\n"
        "print(chain.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(state)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: not _is_alive(pid))
    with DevChain(state) as chain:
        assert (chain.loss, height(chain)) == (None, 4)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a container's first process may not collect the dead
    return " Z " not in Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
