# SPDX-License-Identifier: Apache-2.0
"""The committed artifact belongs to the sources beside it; `make check` also recompiles and compares."""

import hashlib
from pathlib import Path

from evmkit import AnchorEvm
from traceledger.chain.contract import artifact, runtime_code


def test_sources_are_those_compiled(root: Path) -> None:
    """The hashes in the artifact are those of the source files, and all source files are named."""
    sources = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in root.glob("contracts/*.sol")
    }
    assert artifact()["sources"] == sources
    assert artifact()["settings"] == {"evmVersion": "paris", "optimizer": {"enabled": True, "runs": 10_000}}
    assert artifact()["compiler"].startswith("0.8.37+")


def test_the_constructor_leaves_the_runtime_code(evm: AnchorEvm) -> None:
    """What is deployed is byte for byte the runtime code by which a reader recognises the contract."""
    # pyrevm pads what it returns with zeros
    assert bytes(evm.evm.get_code(evm.address)).rstrip(b"\0") == runtime_code().rstrip(b"\0")
