# SPDX-License-Identifier: Apache-2.0
"""A whole session at the command line, each command a process of its own: from an empty folder to an audit."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from chainkit import kill
from clikit import Done, environment, run
from housekit import COOP, GTIN, LOT, PLOT, flag
from traceledger.chain.devchain import CHAIN_ID
from traceledger.core.judge.report import RUNGS
from traceledger.core.sign.keys import SigningKey

pytestmark = [pytest.mark.chain, pytest.mark.timeout(240)]

PRODUCT = {
    "kind": "product",
    "about": [f"https://id.gs1.org/01/{GTIN}"],
    "data": {"gtin": GTIN, "name": "Xoài mẫu", "crop": "xoài", "net": 1, "uom": "KGM"},
}
HARVEST = {
    "type": "ObjectEvent",
    "action": "ADD",
    "eventTime": "2026-11-01T08:00:00+07:00",
    "eventTimeZoneOffset": "+07:00",
    "bizStep": "commissioning",
    "readPoint": {"id": PLOT},
    "quantityList": [{"epcClass": LOT, "quantity": 120.5, "uom": "KGM"}],
}


@pytest.mark.slow
def test_from_nothing_to_an_audit(tmp_path, anvil_factory):
    """init, org, key, sign, submit, import, stamps, anchor, bundle, verify, audit: each does its part and says so."""
    so, home = tmp_path / "so", tmp_path / "home"
    chain = anvil_factory(tmp_path / "chain.json")
    chain.rpc.ask("evm_setIntervalMining", 1)

    def do(*arguments: object, code: int = 0, **options) -> Done:
        done = run("--dir", so, *arguments, home=home, **options)
        assert done.code == code, f"{arguments}: {done.out}{done.err}"
        return done

    # --- found
    made = run(
        *("init", so, "--origin", "so.example/nhat-ky", "--public-url", "http://127.0.0.1:8400"),
        *("--operator", "van-hanh", "--operator-name", "Nhà vận hành", "--password-file", "keys/password"),
        *("--rpc", chain.url, "--chain-id", CHAIN_ID, "--json"),
        home=home,
    )
    assert made.code == 0, made.err
    assert made.json.keys() == {"ok", "dir", "origin", "genesis"}
    again = run("init", so, "--origin", "x.example", "--public-url", "https://x.example", home=home)
    assert (again.code, again.error) == (2, "deployment-exists")
    assert do("init", so, "--migrate", "--json").json["ok"] is True
    shown = do("trust", "show", "--json").json
    assert shown == {"v": 1, "origin": "so.example/nhat-ky", "genesis": made.json["genesis"]}

    # --- who may say what
    org = do("org", "add", COOP, "--title", "HTX Xoài Bến Mẫu", "--gs1", "9521234", "--json").json
    assert org.keys() == {"org", "index", "admin"}
    assert do("org", "add", COOP, "--title", "x", code=2).error == "org-name"
    key = do("key", "new", "an", "--json").json
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", key["kid"])
    assert do("key", "new", "an", code=2).error == "key-exists"
    registered = do("key", "register", "an", "--org", COOP, "--act", "*", "--site", "*", "--json").json
    assert registered == {"name": "an", "index": org["index"] + 1}
    do("key", "new", "binh")
    do("key", "register", "binh", "--org", COOP, "--act", "event/care", "--site", PLOT)

    # --- statements
    (tmp_path / "product.json").write_text(json.dumps(PRODUCT))
    (tmp_path / "harvest.json").write_text(json.dumps(HARVEST))
    signed = do(
        "sign", tmp_path / "product.json", "--key", "an", "-o", tmp_path / "product.env", "--json"
    ).json
    assert signed.keys() == {"id", "output"}
    do(
        "sign",
        "-",
        "--key",
        "an",
        "--kind",
        "harvest",
        "-o",
        tmp_path / "harvest.env",
        stdin=json.dumps(HARVEST).encode(),
    )
    (line, other) = do("submit", tmp_path / "product.env", tmp_path / "harvest.env", "--json").json
    assert line == {
        "file": str(tmp_path / "product.env"),
        "index": line["index"],
        "id": signed["id"],
        "effect": "all",
    }
    assert other["index"] == line["index"] + 1
    (tmp_path / "bad.env").write_text("{")
    mixed = do("submit", tmp_path / "bad.env", tmp_path / "product.env", "--json", code=2).json
    assert (mixed[0]["code"], mixed[1]["index"]) == ("json-syntax", line["index"])
    refused = do(
        "sign", tmp_path / "harvest.json", "--key", "binh", "--kind", "harvest", "-o", tmp_path / "x", code=1
    )
    assert refused.error == "act-denied"

    # --- a file kept elsewhere
    document = tmp_path / "events.json"
    document.write_text(
        json.dumps(document_of(HARVEST | {"eventID": "urn:uuid:11111111-2222-4333-8444-555555555555"}))
    )
    rehearsed = do("import", document, "--key", "an", "--dry-run", "--json").json
    assert rehearsed.keys() == {"total", "taken", "refused", "notes", "indexes"}
    assert (rehearsed["total"], rehearsed["taken"], rehearsed["indexes"]) == (1, 1, [])
    taken = do("import", document, "--key", "an", "--json").json
    assert taken["indexes"] == [other["index"] + 1]
    assert do("import", document, "--key", "an", "--json").json["indexes"] == taken["indexes"]
    worse = tmp_path / "worse.json"
    worse.write_text(json.dumps(document_of(HARVEST, {"type": "ObjectEvent"})))
    some = do("import", worse, "--key", "an", "--json", code=2)
    assert (some.json["taken"], [one["where"] for one in some.json["refused"]]) == (1, ["event 2"])
    assert some.err.count("event 2") == 1
    do("diary", "-o", tmp_path / "nhat-ky.xlsx")
    assert do("import", tmp_path / "nhat-ky.xlsx", "--key", "an", "--gtin", GTIN, "--json").json["total"] == 0

    # --- stamps
    issued = do("stamp", "issue", "A-1", "--key", "an", "--gtin", GTIN, "--count", 20, "--json").json
    assert (issued["roll"], issued["count"]) == (f"{COOP}/A-1", 20)
    roll = f"{COOP}/A-1"
    sheet = do(
        "stamp", "sheet", roll, "-o", tmp_path / "sheet.pdf", "--place", "Cao Lãnh", "--check", "--json"
    ).json
    assert (sheet["stamps"], sheet["checked"]["result"], sheet["checked"]["checked"]) == (20, "pass", 20)
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    do("stamp", "sheet", roll, "-o", tmp_path / "one", "--png", "--numbers", "3-3")
    assert len(list((tmp_path / "one").glob("*.png"))) == 1
    bound = do(
        "stamp", "activate", roll, "--key", "an", "--numbers", "1-5,8", "--lot", f"{GTIN}/L1", "--json"
    ).json
    assert (bound["roll"], bound["effect"]) == (roll, "all")

    # --- the chain
    assert do("anchor", code=2).error == "chain-unset"
    assert do("anchor", "--setup", code=4).error == "funds-low"
    account = json.loads((so / "keys/account.json").read_text())["address"].removeprefix("0x")
    chain.fund(bytes.fromhex(account))
    opened = do("anchor", "--setup", "--json").json
    assert opened["chain"] == f"eip155:{CHAIN_ID}"
    state = do("anchor", "--watch", "--timeout", 60, "--json").json
    assert state["size"] == state["anchored"] == state["final"]

    # --- evidence
    bundle = tmp_path / "lot.bundle.json"
    told = do("bundle", f"{GTIN}/L1", "-o", bundle, "--json").json
    assert (told["subject"], told["stamp"], told["bytes"]) == (LOT, None, bundle.stat().st_size)
    trust = so / "trust.json"
    good = run("verify", bundle, "--policy", trust, "--rpc", chain.url, "--json", home=home)
    assert (good.code, good.json["ok"], good.json["reason"], good.json["where"]) == (0, True, None, None)
    assert list(good.json["rungs"]) == list(RUNGS)
    assert all({"result", "reason"} <= rung.keys() for rung in good.json["rungs"].values())
    untold = run("verify", bundle, "--json", home=home)
    assert (untold.code, untold.json["ok"], untold.json["reason"]) == (4, False, "trust-missing")
    assert run("trust", "add", trust, home=home).code == 0
    assert run("verify", bundle, home=home).code == 0
    value = json.loads(bundle.read_text())
    value["entries"][0]["entry"]["adm"]["t"] += 1
    (tmp_path / "tampered.json").write_text(json.dumps(value))
    tampered = run("verify", tmp_path / "tampered.json", "--json", home=home)
    assert (tampered.code, tampered.json["ok"], tampered.json["reason"]) == (1, False, "inclusion")
    assert tampered.json["where"] == value["entries"][0]["index"]
    (tmp_path / "garbage.json").write_bytes(b"\xff garbage")
    garbage = run("verify", tmp_path / "garbage.json", "--json", home=home)
    assert (garbage.code, garbage.json["ok"]) == (2, False)

    # --- the whole log
    report = do("audit", "--json", "--bundle", bundle)
    assert report.json["ok"] is True
    assert report.json.keys() >= {"ok", "entries", "findings", "first_bad"}
    assert report.json["entries"] == state["size"]
    assert all(f.keys() == {"code", "severity", "subject", "index", "sum"} for f in report.json["findings"])
    assert "The log holds." in do("audit").out

    # --- revoked
    index = do("key", "revoke", key["kid"], "--admin", f"{COOP}-admin", "--reason", "mất máy", "--json").json[
        "index"
    ]
    assert index == state["size"]
    assert (
        do(
            "sign",
            tmp_path / "harvest.json",
            "--key",
            "an",
            "--kind",
            "harvest",
            "-o",
            tmp_path / "x",
            code=1,
        ).error
        == "key-revoked"
    )
    assert not (tmp_path / "x").exists()
    kill(chain)
    assert do("anchor", code=4).error == "chain-unreachable"
    assert do("audit", "--json", code=4).json["ok"] is True


def document_of(*events: dict) -> dict:
    """An EPCIS document."""
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-01T08:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def get(url: str, data: bytes | None = None, kind: str = "") -> tuple[int, bytes]:
    """Status and body of an answer."""
    headers = {"Content-Type": kind} if kind else {}
    try:
        with urlopen(Request(url, data, headers), timeout=20) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


class TestService:
    """`serve` and `worker` as the two processes of a deployment."""

    @pytest.fixture
    def serving(self, chained, tmp_path):
        """A deployment served by one web process; its address and itself."""
        port = free_port()
        arguments = ("serve", "--workers", "1", "--port", port)
        with started(chained.house.folder, *arguments, home=tmp_path) as process:
            base = f"http://127.0.0.1:{port}"
            await_answer(process, f"{base}/healthz")
            yield chained, base
        assert process.returncode in (0, -15)

    def test_bad_input_leaves_it_alive(self, serving):
        """Whatever is sent, each answer is a problem with a stable code, nothing is stored, and the next good one is taken."""
        chained, base = serving
        house = chained.house
        size = house.size()
        good = json.dumps(house.note("good").to_json()).encode()
        entries, one, many = f"{base}/api/v1/entries", "application/json", "application/x-ndjson"
        cases = [
            (good[:-5], one, 400, "json-syntax"),
            (b"", one, 400, "empty"),
            (b"\xff\xfe\x00", one, 400, "json-syntax"),
            (b"[" * 20_000, one, 400, "json-depth"),
            (b" " * 40_000, one, 413, "too-large"),
            (good[:-1] + b',"payload":""}', one, 400, "json-duplicate"),
            (b"[]", one, 400, "envelope-shape"),
            (good, "text/plain", 415, "media-type"),
            (good.replace(b'"sig": "A', b'"sig": "B').replace(b'"sig": "', b'"sig": "AA', 1), one, 400, None),
        ]
        for data, kind, status, code in cases:
            found, body = get(entries, data, kind)
            assert found == status, body
            assert code is None or json.loads(body)["code"] == code
        revoked = house.add_key(COOP, "cu")
        house.log.submit_envelope(house.revocation(COOP, revoked.kid))
        stranger = SigningKey(bytes(range(32)))
        lines = [
            flag(house.log.origin, COOP, stranger, "x"),
            flag(house.log.origin, COOP, revoked, "x"),
            flag("other.example", COOP, house.keys[COOP], "x"),
            house.note("between"),
        ]
        body = b"\n".join([*(json.dumps(e.to_json()).encode() for e in lines), b"{", b""])
        status, answer = get(entries, body, many)
        assert status == 200
        said = [json.loads(line) for line in answer.splitlines()]
        assert [line.get("code") for line in said] == [
            "key-unknown",
            "key-revoked",
            "wrong-log",
            None,
            "json-syntax",
        ]
        status, answer = get(entries, good, one)
        assert (status, json.loads(answer)["index"]) == (201, size + 3)
        assert get(entries, good, one)[0] == 200
        for path, status, code in (
            ("/api/v1/entries/99999", 404, "entry-unknown"),
            ("/api/v1/entries/x", 400, "index"),
            (f"/api/v1/lots/{GTIN}/NONE", 404, "lot-unknown"),
            ("/api/v1/lots/09521234567890/L1", 400, "identifier"),
            (f"/api/v1/bundles/{GTIN}/NONE", 404, "lot-unknown"),
            ("/log/tile/0/x", 400, "tile-path"),
            ("/log/tile/0/999", 404, "tile-unknown"),
        ):
            found, body = get(base + path)
            assert (found, json.loads(body)["code"]) == (status, code), path
        for link in (f"/01/{GTIN}/21/000000000000", "/01/123/21/x", "/01/09521234567890/10/L1"):
            assert get(base + link)[0] in (200, 400, 404)
        assert get(f"{base}/healthz")[0] == 200
        assert house.size() == size + 4

    def test_an_audit_over_the_network(self, serving, tmp_path):
        """A stranger with the trust file audits the served log; without one it cannot tell."""
        chained, base = serving
        trust = chained.house.folder / "trust.json"
        home = tmp_path / "home"
        told = run("audit", "--url", base, "--policy", trust, "--rpc", chained.chain.url, "--json", home=home)
        assert (told.code, told.json["ok"], told.json["entries"]) == (0, True, chained.house.size())
        assert run("audit", "--url", base, home=home).code == 4
        run("trust", "add", trust, home=home)
        assert run("audit", "--url", base, home=home).code == 0
        assert run("audit", "--url", "http://127.0.0.1:9", home=home).code == 4
        assert run("audit", "--url", "ftp://x", home=home).code == 2

    def test_the_worker_anchors_and_stops(self, chained, tmp_path):
        """`worker` anchors what is new until it is told to stop, and says what it does on standard error."""
        house = chained.house
        house.submit(house.harvest())
        with started(house.folder, "worker", home=tmp_path) as process:
            read_until(process, "is mined", "is final")
        assert process.returncode == 0
        assert chained.final() == house.size()

    def test_the_worker_waits_for_a_chain_that_is_down(self, chained, tmp_path, anvil_factory):
        """Started while the chain is down it waits, and goes on when the chain comes."""
        house, node = chained.house, chained.chain
        house.submit(house.harvest())
        node.stop()
        with started(house.folder, "worker", home=tmp_path) as process:
            read_until(process, "waiting: ")
            chained.chain = anvil_factory(node.state, port=node.port)
            read_until(process, "is mined", "is final")
        assert process.returncode == 0


@contextmanager
def started(folder: Path, *arguments: object, home: Path) -> Iterator[subprocess.Popen[str]]:
    """A long-running command, told to stop at the end, and waited for; killed if it does not listen."""
    process = subprocess.Popen(
        [sys.executable, "-m", "traceledger", "--dir", folder, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home),
        process_group=0,
    )
    try:
        yield process
        process.terminate()
        process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def read_until(process: subprocess.Popen[str], *words: str) -> None:
    """Read what the command says until one of *words* is in it."""
    assert process.stderr is not None
    said = ""
    while not any(word in said for word in words):
        line = process.stderr.readline()
        assert line, said
        said += line


def await_answer(process: subprocess.Popen[str], url: str) -> None:
    """Ask until the service answers; fail as soon as it has ended."""
    while True:
        with suppress(OSError):
            if get(url)[0] == 200:
                return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"ended with {process.wait(0.1)}")


def test_help_names_every_command(tmp_path):
    """Every command of the list has a page of help, and an unknown one is refused."""
    from traceledger.cli.main import COMMANDS

    listed = run("--help", home=tmp_path).out
    assert all(name in listed for name in COMMANDS)
    assert run("nonsense", home=tmp_path).code == 2
    assert run("--version", home=tmp_path).out.startswith("traceledger")


def test_a_reader_that_has_enough(house, tmp_path):
    """`audit | head -1`: a closed pipe ends the command quietly."""
    script = 'exec 3>&1; "$@" | :'
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "traceledger", "--dir", house.folder, "audit"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment(tmp_path))
    assert b"Traceback" not in done.stderr
    assert done.stderr == b""
