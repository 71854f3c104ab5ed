# SPDX-License-Identifier: Apache-2.0
"""
The committed artifact of the anchor contract: its code, its interface and the names of its refusals.

The file is made by `scripts/compile_contracts.py` and compared in CI; nothing is compiled at run time.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from traceledger.chain.rpc import Rpc
from traceledger.core.sign.evm import keccak256
from traceledger.errors import InputError

ARTIFACT: Final = "artifacts/CheckpointAnchor.json"


@cache
def artifact() -> dict[str, Any]:
    """Return the artifact: abi, bytecode, deployedBytecode, compiler, settings and hashes of the sources."""
    loaded: dict[str, Any] = json.loads((files("traceledger.chain") / ARTIFACT).read_text(encoding="utf-8"))
    return loaded


def creation_code() -> bytes:
    """Return the bytes that create the contract; it takes no constructor arguments."""
    return bytes.fromhex(artifact()["bytecode"][2:])


def runtime_code() -> bytes:
    """Return the bytes a deployed contract has: the same on every chain, for it has no immutables."""
    return bytes.fromhex(artifact()["deployedBytecode"][2:])


@cache
def refusals() -> dict[bytes, str]:
    """Return the names of the contract's custom errors by selector."""
    errors = (item for item in artifact()["abi"] if item["type"] == "error")
    return {_selector(item): item["name"] for item in errors}


def _selector(item: dict[str, Any]) -> bytes:
    types = ",".join(argument["type"] for argument in item["inputs"])
    return keccak256(f"{item['name']}({types})".encode("ascii"))[:4]


def expect_contract(rpc: Rpc, address: bytes) -> None:
    """
    Check that the anchor contract, byte for byte, lives at *address*.

    Raises:
        InputError: code ``contract-missing`` or ``contract-differs``.
    """
    code = rpc.code(address)
    where = f"0x{address.hex()} on the chain of {rpc.label}"
    if not code:
        raise InputError(f"expected the anchor contract at {where}, found no code", code="contract-missing")
    if code != runtime_code():
        raise InputError(
            f"expected the anchor contract at {where}, found other code", code="contract-differs"
        )
