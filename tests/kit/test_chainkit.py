# SPDX-License-Identifier: Apache-2.0
"""The development chain that other tests stand on behaves as they assume."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chainkit import kill
from traceledger.chain.devchain import DevChain

pytestmark = pytest.mark.chain


def test_finality_follows_two_blocks_behind(anvil_factory: Callable[..., DevChain]) -> None:
    """With one slot an epoch the finalized block is the head less two, and moves only when blocks are mined."""
    node = anvil_factory()
    node.mine(5)
    assert node.rpc.ask("eth_getBlockByNumber", "latest", False)["number"] == hex(5)
    assert node.rpc.ask("eth_getBlockByNumber", "finalized", False)["number"] == hex(3)


def test_clean_end_keeps_the_chain_and_a_kill_does_not_hang(
    anvil_factory: Callable[..., DevChain], tmp_path: Path
) -> None:
    """A node that was stopped comes back on its port with its blocks; one that was killed can be started too."""
    node = anvil_factory(state=tmp_path / "chain.json")
    node.mine(4)
    node.stop()
    again = anvil_factory(state=node.state, port=node.port)
    assert again.rpc.ask("eth_blockNumber") == hex(4)
    kill(again)
    assert not again.is_running
    assert anvil_factory(state=node.state, port=node.port).is_running


def test_node_dies_with_the_test_process(tmp_path: Path) -> None:
    """A node does not outlive the process that started it, even one that was killed."""
    script = (
        "import pathlib, sys; from traceledger.chain.devchain import DevChain; "
        "node = DevChain(pathlib.Path(sys.argv[1])); print(node.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "chain.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        node = int(parent.stdout.readline())
        watch = os.pidfd_open(node)
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
    try:
        ready, _, _ = select.select([watch], [], [], 10)
        assert ready, f"anvil {node} still runs"
    finally:
        os.close(watch)
