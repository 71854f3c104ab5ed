# SPDX-License-Identifier: Apache-2.0
"""
What an anchor costs, in gas: real transactions on a development chain, as their receipts say.

Subject: `anchor` with signature and proof, growth 100, mean of 60 tree sizes drawn around the one named.  Bound: the
same call without the proof, made by setting the stored size to zero beforehand while every other stored word stays
as it is, so that the contract does the same bookkeeping and signature check and skips the proof only.  Before each
anchor the head it starts from is written into the contract's storage, which saves sending it.

Trees of a billion entries cost nothing here: where all leaves are alike, the hash of a perfect subtree depends on
its level only.  Run as a program it writes the table of `contracts/README.md`, or with `--check` compares it.
"""

import hashlib
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account

from traceledger.chain.contract import creation_code
from traceledger.chain.devchain import DevChain
from traceledger.core.log.anchor import checkpoint_digest, log_id, origin_hash
from traceledger.core.log.merkle import consistency_proof, node_hash, root_at
from traceledger.core.sign.evm import keccak256, to_compact

SIZES = (10**3, 10**6, 10**9)
GROWTH = 100
ANCHORS = 60
TOLERANCE = 0.02
README = Path(__file__).resolve().parent.parent / "contracts" / "README.md"
MARKS = ("<!-- gas table: python benchmarks/gas.py -->", "<!-- end of gas table -->")

_SIGNER = Account.from_key(hashlib.sha256(b"gas benchmark signer").digest())
_ADDRESS = bytes.fromhex(_SIGNER.address[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gas:
    """Gas of anchors around one tree size: *subject* with proof, *bound* without; *hashes* in a mean proof."""

    size: int
    subject: tuple[int, ...]
    bound: tuple[int, ...]
    hashes: float

    @property
    def mean(self) -> float:
        """Mean gas with proof."""
        return statistics.fmean(self.subject)

    @property
    def mean_bound(self) -> float:
        """Mean gas without."""
        return statistics.fmean(self.bound)


class Bench:
    """A development chain with the contract and one open log; *gas* is what the last transaction cost."""

    def __init__(self, chain: DevChain) -> None:
        self._rpc = chain.rpc
        self._relay = chain.rpc.ask("eth_accounts")[0]
        receipt = self._send(None, creation_code())
        self._contract = receipt["contractAddress"]
        self.deploy_gas = self.gas
        self._log = log_id(_ADDRESS, _ADDRESS, "gas.example")
        self._call("open(address,address,bytes32)", _ADDRESS, _ADDRESS, origin_hash("gas.example"))
        self.open_gas = self.gas
        self.anchor(1000, [])
        self.first_gas = self.gas

    def measure(self, size: int, *, growth: int = GROWTH, anchors: int = ANCHORS) -> Gas:
        """Anchor *anchors* times from sizes between half and twice *size*, each time *growth* entries further."""
        draw = random.Random(size)  # noqa: S311
        starts = [draw.randrange(max(1, size // 2), 2 * size) for _ in range(anchors)]
        subject, bound, hashes = [], [], []
        for start in starts:
            proof = consistency_proof(start, start + growth, _node)
            hashes.append(len(proof))
            self.put_head(start, root_at(start, _node))
            self.anchor(start + growth, proof)
            subject.append(self.gas)
            self.put_head(0, root_at(start, _node))
            self.anchor(start + growth, [])
            bound.append(self.gas)
        return Gas(size=size, subject=tuple(subject), bound=tuple(bound), hashes=statistics.fmean(hashes))

    def worst(self, size: int) -> int:
        """Return the gas of the dearest anchor known near *size*: from 2^k - 1 to twice that."""
        start = (1 << size.bit_length() - 1) - 1
        self.put_head(start, root_at(start, _node))
        self.anchor(2 * start, consistency_proof(start, 2 * start, _node))
        return self.gas

    def anchor(self, size: int, proof: list[bytes]) -> None:
        """Anchor the tree of *size* like leaves."""
        root = root_at(size, _node)
        signed = _SIGNER.unsafe_sign_hash(checkpoint_digest(self._log, size, root))
        r, vs = to_compact(signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"), signed.v)
        words = (self._log, size.to_bytes(32, "big"), root, (32 * 6).to_bytes(32, "big"), r, vs)
        tail = (len(proof).to_bytes(32, "big"), *proof)
        self._call("anchor(bytes32,uint64,bytes32,bytes32[],bytes32,bytes32)", *words, *tail)

    def put_head(self, size: int, root: bytes) -> None:
        """Write a head, number 1000 of the log, into the contract's storage."""
        first = int.from_bytes(keccak256(self._log + bytes(32)), "big")
        packed = size | 1_795_000_000 << 64 | 1000 << 128
        for slot, word in ((first, root), (first + 1, packed.to_bytes(32, "big"))):
            self._rpc.ask("anvil_setStorageAt", self._contract, f"0x{slot:064x}", "0x" + word.hex())

    def _call(self, function: str, *words: bytes) -> None:
        data = keccak256(function.encode("ascii"))[:4] + b"".join(word.rjust(32, b"\0") for word in words)
        self._send(self._contract, data)

    def _send(self, to: str | None, data: bytes) -> Any:
        call = {"from": self._relay, "data": "0x" + data.hex(), "gas": hex(5_000_000)} | (
            {"to": to} if to else {}
        )
        tx = self._rpc.ask("eth_sendTransaction", call)
        while (receipt := self._rpc.ask("eth_getTransactionReceipt", tx)) is None:
            time.sleep(0.002)  # mined at once, but not before the answer
        if receipt["status"] != "0x1":
            raise RuntimeError("the transaction to measure reverted")
        self.gas = int(receipt["gasUsed"], 16)
        return receipt


_LEVELS = [hashlib.sha256(b"\0").digest()]
for _ in range(63):
    _LEVELS.append(node_hash(_LEVELS[-1], _LEVELS[-1]))


def _node(level: int, index: int) -> bytes:
    del index
    return _LEVELS[level]


def table() -> str:
    """Return the table of `contracts/README.md`."""
    rows = [
        "| entries | proof hashes, mean | gas with proof: mean | p95 | max | same call without proof | worst case |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory() as folder, DevChain(Path(folder, "chain.json")) as chain:
        bench = Bench(chain)
        for size in SIZES:
            gas = bench.measure(size)
            costs = sorted(gas.subject)
            rows.append(
                f"| {size:,} | {gas.hashes:.1f} | {gas.mean:,.0f} | {costs[len(costs) * 95 // 100 - 1]:,} "
                f"| {costs[-1]:,} | {gas.mean_bound:,.0f} | {bench.worst(size):,} |"
            )
    once = f"deployment {bench.deploy_gas:,}, `open` {bench.open_gas:,}, first anchor {bench.first_gas:,}."
    return "\n".join([*rows, "", f"Once: {once}"])


def main() -> None:
    """Write the table, or with ``--check`` exit 1 if a number in it is off by more than `TOLERANCE`."""
    before, found, after = _parts(README.read_text("utf-8"))
    fresh = table()
    if "--check" not in sys.argv[1:]:
        README.write_text(f"{before}{MARKS[0]}\n{fresh}\n{MARKS[1]}{after}", encoding="utf-8")
    elif not agree(found, fresh):
        sys.exit(f"{README.name}: the gas table is out of date, run python benchmarks/gas.py")


def agree(old: str, new: str) -> bool:
    """Return whether two tables have the same words and numbers within `TOLERANCE` of each other."""
    pairs = list(zip(old.split(), new.split(), strict=False))
    return len(old.split()) == len(new.split()) and all(_close(one, two) for one, two in pairs)


def committed() -> str:
    """Return the table as `contracts/README.md` has it."""
    return _parts(README.read_text("utf-8"))[1]


def _parts(text: str) -> tuple[str, str, str]:
    before, _, rest = text.partition(MARKS[0])
    found, _, after = rest.partition(MARKS[1])
    return before, found.strip("\n"), after


def _close(one: str, two: str) -> bool:
    try:
        numbers = [float(word.strip(".,").replace(",", "")) for word in (one, two)]
    except ValueError:
        return one == two
    return abs(numbers[0] - numbers[1]) <= TOLERANCE * abs(numbers[1])


if __name__ == "__main__":
    main()
