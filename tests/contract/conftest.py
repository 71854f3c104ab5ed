# SPDX-License-Identifier: Apache-2.0
"""The contract in a fresh EVM for each test, and a log opened in it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evmkit import AnchorEvm, Key
from traceledger.core.log.anchor import log_id, origin_hash


class OpenLog(NamedTuple):
    """A contract with one open log, and the keys that rule it."""

    evm: AnchorEvm
    id: bytes
    signer: Key
    guardian: Key


@pytest.fixture
def evm() -> AnchorEvm:
    """Return the contract in a fresh EVM."""
    return AnchorEvm()


@pytest.fixture(scope="module")
def verifier() -> AnchorEvm:
    """Return a contract shared by the tests of a file, for calls that keep no state."""
    return AnchorEvm()


@pytest.fixture
def log(evm: AnchorEvm) -> OpenLog:
    """Return a log that is open and has no head yet."""
    signer, guardian = Key("signer"), Key("guardian")
    evm.send("open", signer.address, guardian.address, origin_hash("trace.example"))
    return OpenLog(evm, log_id(signer.address, guardian.address, "trace.example"), signer, guardian)


@pytest.fixture(scope="session")
def example(shared: Path) -> dict[str, Any]:
    """Return the worked example of the format specification."""
    loaded: dict[str, Any] = json.loads((shared / "design" / "example.json").read_text("utf-8"))
    return loaded
