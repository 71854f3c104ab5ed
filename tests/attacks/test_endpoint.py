# SPDX-License-Identifier: Apache-2.0
"""
An RPC endpoint that lies, contradicts another, or wastes time: never green by it, never "altered" for silence.
"""

import json
import time
from http.server import BaseHTTPRequestHandler

import pytest

from attacks.kit import failed, judge, liar, look, run, serving
from traceledger.chain.rpc import observe
from traceledger.chain.watch import Watch

TX = "eth_getTransactionReceipt"
BLOCK = "eth_getBlockByNumber"


def only(wanted, answer):
    """A lie about one method; *answer* is the lie or makes it of the truth."""

    def lie(method, params, truth):
        if method != wanted:
            return truth
        return answer(params, truth) if callable(answer) else answer

    return lie


def higher(params, truth):
    """A receipt said to stand in a block that is not its own."""
    return truth | {"blockHash": "0x" + "11" * 32}


def still(params, truth):
    """Finality that never moves."""
    return truth | {"number": "0x0"} if params[0] == "finalized" else truth


def bent(params, truth):
    """An event that fixes another root."""
    log = truth["logs"][0]
    return truth | {"logs": [log | {"data": log["data"][:66] + "00" * 32 + log["data"][130:]}]}


LIES = {
    "no such transaction": (only(TX, None), "anchor-pending"),
    "the receipt of another transaction": (
        only(TX, lambda p, t: t | {"transactionHash": "0x" + "22" * 32}),
        "chain-unreachable",
    ),
    "a block that left the chain": (only(TX, higher), "anchor-not-final"),
    "no block at that height": (
        only(BLOCK, lambda p, t: t if p[0] == "finalized" else None),
        "anchor-not-final",
    ),
    "finality stands still": (only(BLOCK, still), "anchor-not-final"),
    "finality unknown": (only(BLOCK, lambda p, t: None if p[0] == "finalized" else t), "anchor-not-final"),
    "deep JSON": (only(TX, b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 100_000), "chain-unreachable"),
    "huge JSON": (only(TX, b'{"id":1,"result":"' + b"0" * 9_000_000 + b'"}'), "chain-unreachable"),
    "a number without end": (
        only("eth_chainId", b'{"id":1,"result":' + b"9" * 9_000 + b"}"),
        "chain-unreachable",
    ),
    "not JSON": (only("eth_chainId", b"<html>"), "chain-unreachable"),
    "an answer to another question": (
        only("eth_chainId", b'{"id":2,"result":"0x7a69"}'),
        "chain-unreachable",
    ),
    "an error": (only(TX, b'{"id":1,"error":{"code":-32000,"message":"\\u001b[2J"}}'), "chain-unreachable"),
}


def test_alone(sold):
    """One lying endpoint leaves ANCHORED unchecked with its reason: exit code 4, neither good nor altered."""
    for name, (lie, reason) in LIES.items():
        with liar(sold.rpc, lie) as url:
            report = judge(sold.bundle, sold.house.app.trust, url)
        rung = report.rungs["ANCHORED"]
        assert (name, rung.result, rung.reason) == (name, "not checked", reason)
        assert (name, report.exit_code) == (name, 4)


def test_beside_an_honest_one(sold):
    """What a liar says beside an honest endpoint is a disagreement: it can neither pass nor fail the anchor."""
    for lie in (
        only("eth_chainId", "0x1"),
        only(TX, bent),
        only(TX, None),
        only(TX, lambda p, t: t | {"status": "0x0"}),
    ):
        with liar(sold.rpc, lie) as url:
            for urls in ((url, sold.rpc), (sold.rpc, url)):
                rung = judge(sold.bundle, sold.house.app.trust, *urls).rungs["ANCHORED"]
                assert (rung.result, rung.reason) == ("not checked", "chain-disagree")


def test_a_mismatch_by_the_only_source(sold):
    """What the only source contradicts outright fails, and is told by its own code."""
    for lie, code in ((only("eth_chainId", "0x1"), "chain-id"), (only(TX, bent), "anchor-mismatch")):
        with liar(sold.rpc, lie) as url:
            assert failed(judge(sold.bundle, sold.house.app.trust, url)) == ("ANCHORED", code)


def test_a_page_behind_a_wrong_chain(sold):
    """A page whose endpoint serves another chain says that the chain is out of reach, not that the record changed."""
    with liar(sold.rpc, only("eth_chainId", "0x1")) as url:
        sold.house.app.resolver._observe = Watch([url])
        record = sold.house.app.resolver.lot(json.loads(sold.bundle)["subject"]).record
    assert (record.state, record.severity) == ("chain-unreachable", "grey")


class Dripping(BaseHTTPRequestHandler):
    """An endpoint that never ends: one byte of its header now and then."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.02)
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        """Keep the terminal for the results."""


class Silent(Dripping):
    """An endpoint that takes the question and says nothing."""

    def do_POST(self):
        time.sleep(1)
        self.close_connection = True


@pytest.mark.timeout(20)
@pytest.mark.parametrize("handler", [Dripping, Silent])
def test_wasted_time_is_bounded(handler):
    """However an endpoint spends its time, an answer is waited for no longer than the time-out."""
    with serving(handler) as url:
        seen = observe(url, bytes(32), timeout=0.3)
    assert seen.error == "chain-unreachable"


def test_an_audit_does_not_take_its_word(sold):
    """An audit asks each endpoint on its own: a lying one is named, an unreachable one leaves exit code 4."""
    with liar(sold.rpc, only("eth_chainId", "0x1")) as url:
        report = look(sold.house, endpoints=[sold.rpc, url])
        assert [bad.code for bad in report.bad] == ["chain-id"]
    report = look(sold.house, endpoints=["http://127.0.0.1:1"])
    assert (report.bad, report.exit_code) == ([], 4)


def test_the_words_of_an_endpoint_do_not_steer_the_terminal(sold, tmp_path):
    """Text of others is printed with its control characters made visible."""
    value = sold.value | {"subject": "\x1b[2J\u202eThe record holds."}
    value["entries"][0]["entry"] = {}
    (tmp_path / "b").write_text(json.dumps(value))
    code, said = run("verify", tmp_path / "b", "--policy", sold.house.app.settings.trust_file)
    assert code == 1
    assert "\x1b" not in said
    assert "\u202e" not in said
