# SPDX-License-Identifier: Apache-2.0
"""Development chains for tests: real anvil nodes, each with a state file of its own, all ended with the session."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from traceledger.chain.devchain import DevChain


def kill(node: DevChain) -> None:
    """Kill *node* as a power cut would: what it had not written to its state file is lost."""
    if node.is_running:
        os.kill(node.pid, signal.SIGKILL)
    node.stop()


@pytest.fixture(scope="session")
def anvil_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., DevChain]]:
    """
    Return a function that starts a node: ``anvil_factory(state=None, **arguments of DevChain)``.

    Start it again after `kill` or `stop` by its own `state` and `port`.
    """
    nodes: list[DevChain] = []

    def start(state: Path | None = None, **arguments: Any) -> DevChain:
        node = DevChain(state or tmp_path_factory.mktemp("anvil") / "chain.json", **arguments)
        nodes.append(node)
        return node

    yield start
    for node in nodes:
        kill(node)


@pytest.fixture(scope="session")
def anvil(anvil_factory: Callable[..., DevChain]) -> DevChain:
    """Return one node for the whole session; a test that needs an untouched chain takes `anvil_factory`."""
    return anvil_factory()
