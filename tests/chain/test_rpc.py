# SPDX-License-Identifier: Apache-2.0
"""The reader against endpoints that fail, lie, dawdle or talk nonsense."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evmkit import word
from traceledger.chain.rpc import MAX_ANSWER, Rpc, RpcRefusedError, find_anchored, observe, read_head
from traceledger.core.log.anchor import Head, Observation
from traceledger.errors import InputError, TemporaryError, VerificationError

HASH = "0x" + "ab" * 32
TX = b"\1" * 32
ADDRESS = b"\2" * 20
BLOCK = {"number": "0x5", "hash": HASH, "timestamp": "0x10", "baseFeePerGas": "0x7"}
LOG = {
    "address": "0x" + ADDRESS.hex(),
    "topics": [HASH],
    "data": "0x0102",
    "logIndex": "0x0",
    "transactionHash": HASH,
    "blockNumber": "0x5",
    "blockHash": HASH,
}
RECEIPT = {
    "transactionHash": "0x" + TX.hex(),
    "status": "0x1",
    "blockNumber": "0x5",
    "blockHash": HASH,
    "logs": [LOG],
}
SOUND: dict[str, Any] = {
    "eth_chainId": "0x7a69",
    "eth_getBlockByNumber": BLOCK,
    "eth_getTransactionReceipt": RECEIPT,
    "eth_getTransactionByHash": {},
    "eth_getCode": "0x6001",
    "eth_getBalance": "0x0",
    "eth_getTransactionCount": "0x0",
    "eth_call": "0x",
    "eth_getLogs": [LOG],
}


@contextmanager
def endpoint(answer: Callable[[dict[str, Any]], bytes | None], *, status: int = 200) -> Iterator[str]:
    """Serve *answer* (request to body; None closes the connection) and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = answer(request)
            if body is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def saying(results: dict[str, Any]) -> Callable[[dict[str, Any]], bytes]:
    """Return an answer function that gives each method its result."""

    def answer(request: dict[str, Any]) -> bytes:
        return json.dumps(
            {"jsonrpc": "2.0", "id": request["id"], "result": results[request["method"]]}
        ).encode()

    return answer


def test_sound_answers_are_read() -> None:
    """Each method's answer arrives in its own type."""
    with endpoint(saying(SOUND)) as url:
        rpc = Rpc(url)
        assert rpc.chain_id() == 31337
        block = rpc.block("latest")
        assert block is not None
        assert (block.number, block.hash.hex(), block.time, block.base_fee) == (5, "ab" * 32, 16, 7)
        assert rpc.code(ADDRESS) == b"\x60\x01"
        assert rpc.balance(ADDRESS) == 0
        assert rpc.nonce(ADDRESS) == 0
        assert rpc.knows(TX)
        found = find_anchored(rpc, ADDRESS, TX, 1)
        assert found is not None
        assert (found.tx.hex(), found.block_number, found.log.data) == ("ab" * 32, 5, b"\1\2")
        seen = observe(url, TX)
        assert (seen.finalized, seen.canonical, seen.error) == (5, True, None)
        assert seen.receipt is not None
        assert (seen.receipt.status, seen.receipt.logs[0].address) == (1, ADDRESS)


def test_absence_is_none() -> None:
    """A block, receipt or transaction an endpoint does not know is None, never an error."""
    nothing = SOUND | dict.fromkeys(
        ("eth_getBlockByNumber", "eth_getTransactionReceipt", "eth_getTransactionByHash")
    )
    with endpoint(saying(nothing | {"eth_getLogs": []})) as url:
        rpc = Rpc(url)
        assert rpc.block(7) is None
        assert rpc.receipt(TX) is None
        assert not rpc.knows(TX)
        assert find_anchored(rpc, ADDRESS, TX, 1) is None
        assert observe(url, TX) == Observation(endpoint=rpc.label, chain_id=31337)


@pytest.mark.parametrize("at_height", [None, BLOCK | {"hash": "0x" + "cd" * 32}])
def test_a_receipt_of_an_abandoned_block_is_not_canonical(at_height: dict[str, Any] | None) -> None:
    """If no block, or another one, stands at the receipt's height, the receipt is not of the canonical chain."""

    def answer(request: dict[str, Any]) -> bytes:
        results = SOUND if request["params"][:1] != ["0x5"] else SOUND | {"eth_getBlockByNumber": at_height}
        return saying(results)(request)

    with endpoint(answer) as url:
        seen = observe(url, TX)
    assert seen.receipt is not None
    assert seen.canonical is False


NONSENSE: list[bytes] = [
    b"",
    b"<html>busy</html>",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"{}",
    b'{"jsonrpc":"2.0","id":2,"result":"0x1"}',
    b'{"jsonrpc":"2.0","id":1}',
    b'{"jsonrpc":"2.0","id":1,"result":7}',
    b'{"jsonrpc":"2.0","id":1,"result":"7"}',
    b'{"jsonrpc":"2.0","id":1,"result":"0x"}',
    b'{"jsonrpc":"2.0","id":1,"result":"0x07"}',
    b'{"jsonrpc":"2.0","id":1,"result":"0xG"}',
    b'{"jsonrpc":"2.0","id":1,"result":"0x1' + b"0" * 64 + b'"}',
    b'{"jsonrpc":"2.0","id":1,"result":true}',
    b'{"jsonrpc":"2.0","id":1,"result":{}}',
    b"[" * 100_000,
    b'{"jsonrpc":"2.0","id":1,"x":"\\"]]]]",' + b'"result":' + b"[" * 33 + b"]" * 33 + b"}",
    b'"' + b'\\"' * 1_000_000 + b"[" * 40,
    b" " * (MAX_ANSWER + 1),
]


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: body[:44].decode("ascii", "replace"))
def test_nonsense_is_unreachable(body: bytes) -> None:
    """What is no clean answer proves nothing: temporary, one code, and part of an observation."""
    with endpoint(lambda _: body) as url:
        with pytest.raises(TemporaryError) as caught:
            Rpc(url).chain_id()
        assert caught.value.code == "chain-unreachable"
        assert observe(url, TX) == Observation(endpoint=Rpc(url).label, error="chain-unreachable")


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_other_statuses_are_unreachable(status: int) -> None:
    """Errors and redirections of the web, which is not followed, are no answers."""
    with endpoint(lambda _: b"sorry", status=status) as url, pytest.raises(TemporaryError) as caught:
        Rpc(url).chain_id()
    assert caught.value.code == "chain-unreachable"


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("eth_getBlockByNumber", "0x5"),
        ("eth_getBlockByNumber", BLOCK | {"hash": "0xab"}),
        ("eth_getBlockByNumber", BLOCK | {"number": None}),
        ("eth_getTransactionReceipt", []),
        ("eth_getTransactionReceipt", RECEIPT | {"status": None}),
        ("eth_getTransactionReceipt", RECEIPT | {"transactionHash": HASH}),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": None}),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": [None]}),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": [LOG | {"address": "0x02"}]}),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": [LOG | {"topics": ["0x02"]}]}),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": [LOG | {"topics": None}]}),
        ("eth_getTransactionReceipt", RECEIPT | {"logs": [LOG | {"data": "0102"}]}),
    ],
)
def test_misshapen_answers_are_unreachable(method: str, result: object) -> None:
    """A block or receipt with one member missing or of the wrong shape is no answer."""
    with endpoint(saying(SOUND | {method: result})) as url:
        assert observe(url, TX).error == "chain-unreachable"


def test_silence_ends_at_the_timeout() -> None:
    """An endpoint that accepts and never answers, or that nobody listens at, is unreachable."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert observe(f"http://127.0.0.1:{port}", TX, timeout=0.2).error == "chain-unreachable"
    assert observe(f"http://127.0.0.1:{port}", TX, timeout=0.2).error == "chain-unreachable"
    with endpoint(lambda _: None) as url:
        assert observe(url, TX).error == "chain-unreachable"


def test_dripping_ends_at_the_timeout() -> None:
    """An endpoint that sends a byte now and then, each well within the time-out, does not hold a reader for ever."""
    stop = threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while not stop.wait(0.02):
                    self.wfile.write(b" ")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            seen = observe(f"http://127.0.0.1:{server.server_port}", TX, timeout=0.3)
        finally:
            stop.set()
            server.shutdown()
            thread.join()
    assert seen.error == "chain-unreachable"


def test_refusals_keep_the_endpoints_words() -> None:
    """An error answer is told apart from silence; its words are bounded and escaped in the message."""
    words = {"code": -32000, "message": "nonce\ntoo low" + "!" * 1000, "data": "0x01"}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": words}).encode()
    with endpoint(lambda _: body) as url, pytest.raises(RpcRefusedError) as caught:
        Rpc(url).chain_id()
    error = caught.value
    assert (error.rpc_code, error.rpc_message, error.rpc_data) == (-32000, words["message"], "0x01")
    assert error.code == "chain-refused"
    assert "\n" not in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize("error", [{}, {"code": "x", "message": 7, "data": {}}, "no", 5])
def test_misshapen_refusals_are_refusals(error: object) -> None:
    """An error answer of any shape is a refusal without words."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()
    with endpoint(lambda _: body) as url, pytest.raises(RpcRefusedError) as caught:
        Rpc(url).chain_id()
    assert (caught.value.rpc_code, caught.value.rpc_data) == (0, "")


def test_the_chain_id_is_compared() -> None:
    """Another chain than expected is evidence that does not hold, and both ids are named."""
    with endpoint(saying(SOUND)) as url:
        Rpc(url).expect_chain(31337)
        with pytest.raises(VerificationError, match=r"expected chain 1, .* serves 31337") as caught:
            Rpc(url).expect_chain(1)
    assert caught.value.code == "chain-id"


def test_the_contract_is_missed_or_mistaken() -> None:
    """No answer and no code is a missing contract; an answer that is no head comes from another one."""
    with endpoint(saying(SOUND | {"eth_getCode": "0x"})) as url, pytest.raises(InputError) as missing:
        read_head(Rpc(url), ADDRESS, TX)
    assert missing.value.code == "contract-missing"
    with endpoint(saying(SOUND)) as url, pytest.raises(VerificationError) as mistaken:
        read_head(Rpc(url), ADDRESS, TX)
    assert mistaken.value.code == "anchor-mismatch"


@given(
    numbers=st.tuples(*[st.integers(0, 2**64 - 1)] * 3),
    words=st.tuples(*[st.binary(min_size=32, max_size=32)] * 2),
    accounts=st.tuples(*[st.binary(min_size=20, max_size=20)] * 2),
    sealed=st.booleans(),
)
def test_heads_are_decoded(
    numbers: tuple[int, ...], words: tuple[bytes, ...], accounts: tuple[bytes, ...], sealed: bool
) -> None:
    """Each word of the contract's answer lands in its place."""
    size, time, seq = numbers
    parts = (word(size), words[0], word(time), word(seq), word(accounts[0]), word(accounts[1]))
    data = b"".join((*parts, word(int(sealed)), words[1]))
    with endpoint(saying(SOUND | {"eth_call": "0x" + data.hex()})) as url:
        assert read_head(Rpc(url), ADDRESS, TX) == Head(
            size=size,
            root=words[0],
            time=time,
            seq=seq,
            signer=accounts[0],
            guardian=accounts[1],
            is_sealed=sealed,
            successor=words[1],
        )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8545",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "http://",
        "http://a:port",
        "http://a b",
        "http://ü",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Only http and https addresses are endpoints; anything else is the caller's mistake."""
    with pytest.raises(InputError):
        Rpc(url)


def test_secrets_of_an_address_stay_out_of_reports() -> None:
    """Password and key of an endpoint's address are in no label and no message."""
    rpc = Rpc("http://user:hunter2@127.0.0.1:9/v2/apikey?token=tok3n", timeout=0.2)
    assert rpc.label == "http://127.0.0.1:9"
    with pytest.raises(TemporaryError) as caught:
        rpc.chain_id()
    assert not any(secret in str(caught.value) for secret in ("hunter2", "apikey", "tok3n"))
