# SPDX-License-Identifier: Apache-2.0
"""Development chains with the contract deployed and a log opened, and what tests anchor in it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evmkit import Key, leaves, subproof, tree_head
from traceledger.chain.devchain import CHAIN_ID, DevChain
from traceledger.chain.rpc import Rpc
from traceledger.chain.sender import Fees, Prepared, Sender, deploy, open_log, sign_checkpoint
from traceledger.core.log.anchor import log_id
from traceledger.core.sign.evm import to_compact

ORIGIN = "trace.example"
TREE = leaves(40)
ETHER = 10**18


@dataclass
class Station:
    """A chain with the contract, one open log, and a relaying account with money."""

    chain: DevChain
    rpc: Rpc
    sender: Sender
    signer: Key
    guardian: Key
    log_id: bytes

    def prepare(
        self,
        size: int,
        *,
        nonce: int | None = None,
        fees: Fees | None = None,
        sender: Sender | None = None,
        signer: Key | None = None,
        root: bytes | None = None,
    ) -> Prepared:
        """Prepare the anchor of the first *size* leaves of `TREE` from the chain's head."""
        sender = sender or self.sender
        root = tree_head(TREE[:size]) if root is None else root
        last = sender.head(self.log_id).size
        proof = subproof(last, TREE[:size]) if 0 < last < size else []
        secret = (signer or self.signer).secret
        return sender.build_anchor(
            self.log_id,
            size=size,
            root=root,
            proof=proof,
            signature=to_compact(*sign_checkpoint(secret, log_id=self.log_id, size=size, root=root)),
            nonce=sender.nonce() if nonce is None else nonce,
            fees=fees or sender.fees(),
        )

    def anchor(self, size: int) -> Prepared:
        """Anchor *size* leaves and wait for the block."""
        prepared = self.prepare(size)
        self.sender.wait(self.sender.broadcast(prepared.raw))
        return prepared

    def another_sender(self, name: str, *, wei: int = ETHER, **options: Any) -> Sender:
        """Return a sender by an account of its own with *wei*."""
        key = Key(name)
        self.chain.fund(key.address, wei)
        options = {"chain_id": self.sender.chain_id, "contract": self.sender.contract} | options
        return Sender(self.rpc, account_key=key.secret, **options)


@pytest.fixture
def station(anvil_factory: Callable[..., DevChain]) -> Station:
    """Return a fresh chain, ready for the first anchor."""
    return make_station(anvil_factory())


def make_station(chain: DevChain) -> Station:
    """Deploy the contract on *chain*, where it is not yet, and open a log."""
    relay, signer, guardian = Key("relay"), Key("signer"), Key("guardian")
    chain.fund(relay.address, 100 * ETHER)
    contract = deploy(chain.rpc, chain_id=CHAIN_ID, account_key=relay.secret)
    sender = Sender(chain.rpc, chain_id=CHAIN_ID, contract=contract, account_key=relay.secret)
    log = log_id(signer.address, guardian.address, ORIGIN)
    open_log(sender, signer.address, guardian.address, ORIGIN, log_id=log)
    return Station(chain, chain.rpc, sender, signer, guardian, log)


@pytest.fixture(scope="session")
def example(shared: Path) -> dict[str, Any]:
    """Return the worked example of the format specification."""
    loaded: dict[str, Any] = json.loads((shared / "design" / "example.json").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="session")
def example_key() -> bytes:
    """Return the anchor signer's secret key of the worked example."""
    return hashlib.sha256(b"traceledger example anchor").digest()
