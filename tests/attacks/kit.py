# SPDX-License-Identifier: Apache-2.0
"""What all attackers need: a sold lot on a real chain, verdicts in one line, and a chain endpoint that lies."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from flask.testing import FlaskClient

from housekit import COOP, GTIN, LOT, PLOT, Chained, House
from traceledger.chain.rpc import Rpc, observe
from traceledger.cli.main import cli
from traceledger.core.claims.identifiers import lot_uri
from traceledger.core.judge.bundle import Bundle, Trust
from traceledger.core.judge.findings import gate_of
from traceledger.core.judge.report import Report
from traceledger.core.judge.verdict.view import LotView
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.ledger import activate, compose, issue
from traceledger.ledger.audit import AuditReport, audit
from traceledger.store import rolls
from traceledger.store.source import DatabaseSource
from traceledger.web import create_app

ROLL = f"{COOP}/R-1"
PATH = LOT.removeprefix("https://id.gs1.org")


def lot(name: str) -> str:
    """Subject of the lot called *name*."""
    return lot_uri(GTIN, name)


def sell(house: House, count: int = 4, *, org: str = COOP, subject: str = LOT) -> list[str]:
    """Harvest a lot, issue a roll and activate all its stamps but the last; return the links."""
    house.submit(house.event(org, "harvest", subject, kg=1200, action="ADD", bizStep="commissioning"))
    key, roll_name = house.keys[org], f"{org}/R-1"
    host = house.app.settings.public_url.partition("//")[2]
    issue.issue(
        house.log,
        actor=org,
        name="R-1",
        gtin14=subject.split("/")[4],
        count=count,
        scheme="http",
        host=host,
        key=key,
        demo=True,
    )
    with house.app.database.read() as connection:
        roll = rolls.read_roll(connection, roll_name)
        links = [roll.uri(serial) for serial in rolls.serials(connection, roll_name)]
    activate.activate(
        house.log, house.app.log, roll=roll_name, ranges=[(1, count - 1)], lot=subject, key=key, demo=True
    )
    return links


def mix(house: House, outputs: Sequence[str], inputs: Sequence[str]) -> Envelope:
    """Sign a transformation of *inputs* into *outputs*, a kilogram each."""
    members = {
        "type": "TransformationEvent",
        "eventID": house.event_id(),
        "eventTime": house.time(),
        "eventTimeZoneOffset": "+07:00",
        "inputQuantityList": [{"epcClass": one, "quantity": 1, "uom": "KGM"} for one in inputs],
        "outputQuantityList": [{"epcClass": one, "quantity": 1, "uom": "KGM"} for one in outputs],
        "readPoint": {"id": PLOT},
    }
    statement = compose.event(
        house.app.database, house.log.origin, kind="process", actor=COOP, members=members, demo=True
    )
    return sign_envelope(statement, "event", [house.keys[COOP]])


@dataclass
class Sold:
    """A sold lot, anchored finally, and what people took home of it."""

    chained: Chained
    links: list[str]
    bundle: bytes
    checkpoint: str

    @property
    def house(self) -> House:
        return self.chained.house

    @property
    def rpc(self) -> str:
        return self.chained.chain.url

    @property
    def value(self) -> dict[str, Any]:
        """The bundle as JSON, to change."""
        value: dict[str, Any] = json.loads(self.bundle)
        return value


def web(house: House) -> FlaskClient:
    """A browser at the deployment's pages."""
    return create_app(house.app).test_client()


def path_of(link: str) -> str:
    """The local address of a stamp's link."""
    return "/01/" + link.partition("/01/")[2]


def seen(house: House, subject: str = LOT) -> LotView:
    """What the page of *subject* says."""
    return house.app.resolver.lot(subject)


def judge(bundle: bytes | Mapping[str, Any], trust: Trust | None, *urls: str) -> Report:
    """Verify as `traceledger verify` does."""
    data = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()
    parsed = Bundle.parse(data)
    asked = {
        place: [observe(url, bytes.fromhex(anchor.tx[2:]), timeout=0.5) for url in urls]
        for place, anchor in enumerate(parsed.anchors)
    }
    origin = trust.origin if trust else parsed.checkpoint.partition("\n")[0]
    return verify_bundle(
        parsed, trust=trust, observations=asked if urls else None, gate=gate_of(parsed, origin)
    )


def failed(report: Report) -> tuple[str, str | None] | None:
    """First failing rung and its reason."""
    return next(((n, r.reason) for n, r in report.rungs.items() if r.result == "fail"), None)


def look(house: House, **options: Any) -> AuditReport:
    """Audit the deployment's database as its own operator does."""
    source = DatabaseSource(house.app.database, house.log.checkpoint)
    return audit(source, trust=house.app.trust, **options)


def run(*arguments: str | Path) -> tuple[int, str]:
    """Run the command line; return exit code and output.  What it does not foresee is raised here."""
    done = CliRunner().invoke(cli, [str(one) for one in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


# --- an endpoint that lies

Lie = Callable[[str, list[Any], Any], Any]
"""``lie(method, params, truth)``: what is answered instead; bytes are sent as they are."""


@contextmanager
def liar(truth: str, lie: Lie) -> Iterator[str]:
    """Serve *truth*'s answers, bent by *lie*; yield the address."""
    rpc = Rpc(truth)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            method, params = request["method"], request["params"]
            told = lie(method, params, rpc.ask(method, *params))
            body = told if isinstance(told, bytes) else _answer(told)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        yield url


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve *handler* on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(result: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()
