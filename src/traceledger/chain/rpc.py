# SPDX-License-Identifier: Apache-2.0
"""
A reader of Ethereum's JSON-RPC over the standard library: what a verifier or auditor needs of a chain.

Everything an endpoint says is somebody's word: answers are bounded in size and time and parsed strictly, and
whatever is not a clean answer becomes a `TemporaryError` with code ``chain-unreachable``, because an endpoint
that cannot be asked proves nothing either way.  State is only ever read at ``latest``; whether something is
final follows from block numbers and hashes.  Sending belongs to `sender`.
"""

import contextlib
import http.client
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from traceledger.core.log.anchor import (
    ANCHORED_TOPIC,
    Head,
    Observation,
    Receipt,
    ReceiptLog,
    decode_head,
    head_call,
)
from traceledger.errors import InputError, TemporaryError, VerificationError

MAX_ANSWER: Final = 8 * 1024 * 1024
MAX_DEPTH: Final = 32
_BRACKET: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|([\[{])|[\]}]', re.DOTALL)
_QUANTITY: Final = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,63})", re.ASCII)


class RpcRefusedError(TemporaryError):
    """The endpoint understood and said no: *rpc_code*, *rpc_message* and *rpc_data* are its words."""

    code = "chain-refused"

    def __init__(self, message: str, *, rpc_code: int, rpc_message: str, rpc_data: str) -> None:
        super().__init__(message)
        self.rpc_code = rpc_code
        self.rpc_message = rpc_message
        self.rpc_data = rpc_data


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block's place: *number*, *hash*, *time* in Unix seconds, *base_fee* in wei per gas (0 if none)."""

    number: int
    hash: bytes
    time: int
    base_fee: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLog:
    """An event record together with the transaction and block it stands in."""

    log: ReceiptLog
    tx: bytes
    block_number: int
    block_hash: bytes


class Rpc:
    """
    One endpoint.

    Args:
        url: ``http`` or ``https``; a key in its path or user part never appears in messages.

        timeout: Seconds to wait for each connection and each read.

    Raises:
        InputError: *url* is not such an address.
    """

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not url.isascii() or host is None or parts.scheme not in ("http", "https") or " " in url:
            raise InputError("expected an RPC address such as http://127.0.0.1:8545")
        self.url = url
        self.timeout = timeout
        self._tls = parts.scheme == "https"
        self._host, self._port = host, port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.label = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
        """The endpoint's name in reports: scheme, host and port only."""

    def ask(self, method: str, *params: Any) -> Any:
        """
        Call *method* and return its result.

        Raises:
            RpcRefusedError: the endpoint answered with an error.

            TemporaryError: code ``chain-unreachable``: no answer, or none that makes sense.
        """
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode("ascii")
        try:
            answer = _parse(self._exchange(request))
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(f"{method}: {type(error).__name__}") from error
        except ValueError as error:
            raise self._unreachable(f"{method} was answered with something else than plain JSON") from error
        if not isinstance(answer, dict) or answer.get("id") != 1:
            raise self._unreachable(f"{method} was answered with something else than JSON-RPC")
        if answer.get("error") is not None:
            raise self._refused(method, answer["error"])
        if "result" not in answer:
            raise self._unreachable(f"{method} was answered without a result")
        return answer["result"]

    def chain_id(self) -> int:
        """Return the chain id (EIP-155) the endpoint serves."""
        return self._quantity(self.ask("eth_chainId"))

    def expect_chain(self, chain_id: int) -> None:
        """
        Check that the endpoint serves *chain_id*.

        Raises:
            VerificationError: code ``chain-id``.
        """
        found = self.chain_id()
        if found != chain_id:
            raise VerificationError(
                f"expected chain {chain_id}, {self.label} serves {found}", code="chain-id"
            )

    def block(self, tag: int | str) -> Block | None:
        """Return the block at height *tag*, or ``latest`` or ``finalized``; None if there is none."""
        name = hex(tag) if isinstance(tag, int) else tag
        found = self.ask("eth_getBlockByNumber", name, False)
        if found is None:
            return None
        block = self._object(found)
        base_fee = block.get("baseFeePerGas")
        return Block(
            number=self._quantity(block.get("number")),
            hash=self._data(block.get("hash"), 32),
            time=self._quantity(block.get("timestamp")),
            base_fee=0 if base_fee is None else self._quantity(base_fee),
        )

    def receipt(self, tx: bytes) -> Receipt | None:
        """Return the receipt of transaction hash *tx*, or None while it is in no block the endpoint knows."""
        found = self.ask("eth_getTransactionReceipt", "0x" + tx.hex())
        if found is None:
            return None
        receipt = self._object(found)
        if self._data(receipt.get("transactionHash"), 32) != tx:
            raise self._unreachable("a receipt of another transaction")
        logs = receipt.get("logs")
        if not isinstance(logs, list):
            raise self._unreachable("a receipt without logs")
        return Receipt(
            status=self._quantity(receipt.get("status")),
            block_number=self._quantity(receipt.get("blockNumber")),
            block_hash=self._data(receipt.get("blockHash"), 32),
            logs=tuple(self._log(log) for log in logs),
        )

    def knows(self, tx: bytes) -> bool:
        """Return whether the endpoint has transaction hash *tx*, mined or waiting."""
        return self.ask("eth_getTransactionByHash", "0x" + tx.hex()) is not None

    def code(self, address: bytes) -> bytes:
        """Return the code at *address*, empty where there is none."""
        return self._data(self.ask("eth_getCode", "0x" + address.hex(), "latest"))

    def balance(self, address: bytes) -> int:
        """Return the balance of *address* in wei."""
        return self._quantity(self.ask("eth_getBalance", "0x" + address.hex(), "latest"))

    def nonce(self, address: bytes) -> int:
        """Return the number of transactions of *address* in blocks: the next free nonce if none is waiting."""
        return self._quantity(self.ask("eth_getTransactionCount", "0x" + address.hex(), "latest"))

    def call(self, address: bytes, data: bytes) -> bytes:
        """Return what a call of *address* with *data* answers at the latest block."""
        return self._data(
            self.ask("eth_call", {"to": "0x" + address.hex(), "data": "0x" + data.hex()}, "latest")
        )

    def logs(
        self, address: bytes, topics: Sequence[bytes], *, first: int, last: int | None = None
    ) -> tuple[FoundLog, ...]:
        """Return the event records of *address* that begin with *topics*, in blocks *first* to *last* (newest)."""
        query = {
            "address": "0x" + address.hex(),
            "topics": ["0x" + topic.hex() for topic in topics],
            "fromBlock": hex(first),
            "toBlock": "latest" if last is None else hex(last),
        }
        found = self.ask("eth_getLogs", query)
        if not isinstance(found, list):
            raise self._unreachable("eth_getLogs was answered without a list")
        return tuple(
            FoundLog(
                log=self._log(log),
                tx=self._data(self._object(log).get("transactionHash"), 32),
                block_number=self._quantity(log.get("blockNumber")),
                block_hash=self._data(log.get("blockHash"), 32),
            )
            for log in found
        )

    def _exchange(self, request: bytes) -> bytes:
        connection: http.client.HTTPConnection
        watch: threading.Timer | None = None
        if self._tls:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self.timeout, context=ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self.timeout)
        try:
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            connection.connect()
            deadline = time.monotonic() + self.timeout
            # the time-out bounds one read; an endpoint that drips must end too, its header lines as well
            watch = threading.Timer(self.timeout, _cut, [connection.sock])
            watch.daemon = True
            watch.start()
            connection.request("POST", self._target, request, headers)
            body = bytearray()
            with connection.getresponse() as response:
                while chunk := response.read1(65536):
                    body += chunk
                    if len(body) > MAX_ANSWER:
                        raise self._unreachable(f"an answer above {MAX_ANSWER} bytes")
                    if time.monotonic() > deadline:
                        raise TimeoutError
            if time.monotonic() > deadline:  # cut off, and not the end it looks like
                raise TimeoutError
            return bytes(body)
        finally:
            if watch is not None:
                watch.cancel()
            connection.close()

    def _unreachable(self, what: str) -> TemporaryError:
        return TemporaryError(f"{self.label} could not be asked: {what}", code="chain-unreachable")

    def _refused(self, method: str, error: object) -> RpcRefusedError:
        words = error if isinstance(error, Mapping) else {}
        number, text, data = words.get("code"), words.get("message"), words.get("data")
        text = text if isinstance(text, str) else "no reason given"
        return RpcRefusedError(
            f"{self.label} refused {method}: {text[:200]!a}",
            rpc_code=number if isinstance(number, int) else 0,
            rpc_message=text,
            rpc_data=data if isinstance(data, str) else "",
        )

    def _object(self, value: object) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._unreachable("an answer that is no object")
        return value

    def _quantity(self, value: object) -> int:
        if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
            raise self._unreachable("an answer that is no 0x number")
        return int(value, 16)

    def _data(self, value: object, size: int | None = None) -> bytes:
        try:
            data = bytes.fromhex(value[2:]) if isinstance(value, str) and value.startswith("0x") else None
        except ValueError:
            data = None
        if data is None or (size is not None and len(data) != size):
            raise self._unreachable("an answer that is no 0x text of the right length")
        return data

    def _log(self, value: object) -> ReceiptLog:
        log = self._object(value)
        topics = log.get("topics")
        if not isinstance(topics, list):
            raise self._unreachable("an event record without topics")
        return ReceiptLog(
            address=self._data(log.get("address"), 20),
            topics=tuple(self._data(topic, 32) for topic in topics),
            data=self._data(log.get("data")),
            log_index=self._quantity(log.get("logIndex")),
        )


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _parse(body: bytes) -> Any:
    """Parse JSON nested at most `MAX_DEPTH`: the recursion limit, which libraries raise, is no protection."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        depth = 0
        for found in _BRACKET.finditer(body):
            if found[0][0] != 0x22:
                depth += 1 if found[1] else -1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
    return json.loads(body)


def read_head(rpc: Rpc, contract: bytes, log_id: bytes) -> Head:
    """
    Return what *contract* says at the latest block of log *log_id*.

    Raises:
        InputError: code ``contract-missing``: no code at that address of this chain.

        VerificationError: code ``anchor-mismatch``: another contract lives there.
    """
    answer = rpc.call(contract, head_call(log_id))
    if not answer and not rpc.code(contract):
        raise InputError(
            f"expected the anchor contract at 0x{contract.hex()}, chain of {rpc.label} has no code there",
            code="contract-missing",
        )
    return decode_head(answer)


def find_anchored(rpc: Rpc, contract: bytes, log_id: bytes, seq: int, *, first: int = 0) -> FoundLog | None:
    """Return the ``Anchored`` event number *seq* of a log, looking from block *first* on, or None."""
    topics = (ANCHORED_TOPIC, log_id, seq.to_bytes(32, "big"))
    found = rpc.logs(contract, topics, first=first)
    return found[0] if found else None


def observe(url: str, tx: bytes, *, timeout: float = 10.0) -> Observation:
    """
    Ask the endpoint at *url* about transaction hash *tx*; trouble there is part of the answer, no exception.

    Raises:
        InputError: *url* is no RPC address.
    """
    rpc = Rpc(url, timeout=timeout)
    chain_id, finalized = None, None
    try:
        chain_id = rpc.chain_id()
        # read before the receipt: what is final now is still final when the canonical hash is compared
        final = rpc.block("finalized")
        finalized = final.number if final else None
        receipt = rpc.receipt(tx)
        block = rpc.block(receipt.block_number) if receipt else None
    except TemporaryError:
        return Observation(
            endpoint=rpc.label, chain_id=chain_id, finalized=finalized, error="chain-unreachable"
        )
    return Observation(
        endpoint=rpc.label,
        chain_id=chain_id,
        finalized=finalized,
        receipt=receipt,
        canonical=None if receipt is None else block is not None and block.hash == receipt.block_hash,
    )
