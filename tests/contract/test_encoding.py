# SPDX-License-Identifier: Apache-2.0
"""The calldata these tests and the reader write by hand, against web3's codec."""

from typing import Any

import pytest
from web3 import Web3

from evmkit import Key, calldata, leaves
from traceledger.chain.contract import artifact
from traceledger.core.log.anchor import ANCHORED_TOPIC, head_call

A, B = Key("a").address, Key("b").address
H = leaves(8)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("open", [A, B, H[0]]),
        ("anchor", [H[0], 2**64 - 1, H[1], H[2:5], H[5], H[6]]),
        ("anchor", [H[0], 0, H[1], [], H[5], H[6]]),
        ("rotate", [H[0], A]),
        ("seal", [H[0], H[1]]),
        ("reportFork", [H[0], 7, H[1], H[2], H[3], H[4], H[5], H[6]]),
        ("head", [H[0]]),
        ("verify", [1, 2**64 - 1, H[0], H[1], H[2:]]),
    ],
)
def test_calldata(function: str, arguments: list[Any]) -> None:
    """Both encoders write the same bytes for every function."""
    contract = Web3().eth.contract(abi=artifact()["abi"])
    plain = [Web3.to_checksum_address(a) if isinstance(a, bytes) and len(a) == 20 else a for a in arguments]
    assert contract.encode_abi(function, args=plain) == "0x" + calldata(function, *arguments).hex()


def test_the_readers_constants() -> None:
    """The one call and the one event a reader knows are those of the artifact's interface."""
    contract = Web3().eth.contract(abi=artifact()["abi"])
    assert head_call(H[0]).hex() == contract.encode_abi("head", args=[H[0]])[2:]
    assert "0x" + ANCHORED_TOPIC.hex() == contract.events.Anchored().topic
