# SPDX-License-Identifier: Apache-2.0
"""
``traceledger demo``: the whole path on one machine, for real: a chain, the log, a worker, the pages, a stamp.

The chain is a development chain of this machine, and every record is tagged demo; nothing else is simulated.
"""

import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError

import click

from traceledger.app import App, build, build_from, create_deployment, open_evm_key, set_up_chain
from traceledger.chain.devchain import CHAIN_ID, DevChain, die_with_parent
from traceledger.chain.rpc import Rpc, observe, read_head
from traceledger.cli import attack
from traceledger.cli import story as tale
from traceledger.cli.machine import ANYWHERE, end_process, free_port, get_page, is_free, lan_address, program
from traceledger.core.judge.bundle import Bundle
from traceledger.core.judge.findings import gate_of
from traceledger.core.judge.report import Report
from traceledger.core.judge.verify import verify_bundle
from traceledger.errors import LogIntegrityError, TemporaryError, TraceledgerError, VerificationError
from traceledger.ledger import issue
from traceledger.ledger.audit import audit
from traceledger.ledger.describe import printed_words
from traceledger.ledger.recompute import recompute
from traceledger.ledger.target import find_target
from traceledger.printing.image import label_png, label_svg
from traceledger.printing.pdf import write_sheet
from traceledger.printing.template import load
from traceledger.settings import FILE_NAME, Settings, check, write
from traceledger.settings import load as load_settings
from traceledger.store import anchors
from traceledger.store import log as stored
from traceledger.store.source import DatabaseSource

ORIGIN: Final = "so-thu.example/nhat-ky"
TEMPLATE: Final = "a4-40x30"
_START_S: Final = 60.0
_FINAL_S: Final = 120.0


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8400,
    show_default=True,
    help="Port of the pages; 0 for a free one.",
)
@click.option("--host", default="", help="Address to listen on; all of this machine's where omitted.")
@click.option(
    "--check", "checking", is_flag=True, help="Tell the story in a fresh folder, check everything, and stop."
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --check: folder to use and leave behind.",
)
@click.option("--json", "as_json", is_flag=True, help="With --check: print the result as JSON.")
@click.pass_context
def demo(ctx: click.Context, port: int, host: str, checking: bool, keep: Path | None, as_json: bool) -> None:
    """
    Run the whole path on this machine: one fictional mango lot from plot to a stamp you can scan.

    The folder is demo-ledger below --dir; a second run goes on with the same log and contract.
    """
    if checking:
        ok = _check(keep, as_json=as_json)
        ctx.exit(0 if ok else 1)
    folder = (ctx.obj / "demo-ledger").resolve()
    public = lan_address(host)
    anywhere = public if public == "127.0.0.1" else ANYWHERE
    with ExitStack() as stack:
        _Demo(folder, stack, host=host or anywhere, public=public, port=port, say=_say).run_forever()


class _Demo:
    """One demonstration: its folder, its processes, and what it tells."""

    def __init__(
        self, folder: Path, stack: ExitStack, *, host: str, public: str, port: int, say: Callable[[str], None]
    ) -> None:
        self.folder = folder
        self.stack = stack
        self.host = host
        self.public = public
        self.say = say
        self._set_aside_unfinished()
        self.port = port or self._known_port() or free_port()
        self.steps: list[dict[str, Any]] = []
        self.processes: dict[str, tuple[list[str], subprocess.Popen[bytes]]] = {}

    # --- the parts

    def step(self, name: str, act: Callable[[], Any]) -> Any:
        """Run one step, tell it, and remember how it went."""
        began = time.monotonic()
        try:
            result = act()
        except BaseException:
            self.steps.append({"name": name, "ok": False, "seconds": round(time.monotonic() - began, 3)})
            self.say(f"  ✖ {name}")
            raise
        self.steps.append({"name": name, "ok": True, "seconds": round(time.monotonic() - began, 3)})
        self.say(f"  ✔ {name}")
        return result

    def start(self) -> App:
        """Start the chain, make the ledger where there is none, and put it on the chain."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.chain = self.step("chain of this machine", self._start_chain)
        if not (self.folder / FILE_NAME).exists():
            self.step("ledger: keys, database, genesis", self._create)
        settings = self._at_this_address(load_settings(self.folder))
        app = build(settings)
        self.stack.callback(app.close)
        self.step("log recomputed from its entries", lambda: self._recompute(app))
        self.step("contract", lambda: self._contract(app))
        return build_from(self.folder)

    def _set_aside_unfinished(self) -> None:
        """A run that was killed before its story was told leaves half of one: keep that aside, and begin anew."""
        if not (self.folder / "keys").exists() or tale.is_told_in(self.folder):
            return
        names = (self.folder.with_name(f"{self.folder.name}-unfinished-{number}") for number in count(1))
        aside = next(path for path in names if not path.exists())
        self.folder.rename(aside)
        self.say(
            f"  ! an earlier run ended before its story was told; it is kept as {aside.name}, unfinished"
        )

    def _known_port(self) -> int:
        """The port of the last run if it is free, for the links on the stamps name it; else 0."""
        if not (self.folder / FILE_NAME).exists():
            return 0
        known = load_settings(self.folder).port
        return known if is_free(known) else 0

    def _start_chain(self) -> DevChain:
        chain = self.stack.enter_context(DevChain(self.folder / "anvil.json", port=self._chain_port()))
        if chain.loss:
            self.say(f"  ! {chain.loss}")
        return chain

    def _chain_port(self) -> int:
        """The port of the last run, if it is free: a bundle names no port, but settings do."""
        if (self.folder / FILE_NAME).exists():
            known = load_settings(self.folder).rpc[0].rpartition(":")[2]
            if known.isdigit() and is_free(int(known)):
                return int(known)
        return free_port()

    def _create(self) -> None:
        settings = check(
            self.folder,
            {
                "origin": ORIGIN,
                "public_url": f"http://{self.public}:{self.port}",
                "operator": "nha-van-hanh-mau",
                "rpc": [self.chain.url],
                "chain_id": CHAIN_ID,
                "password_file": "keys/password",
                "import_key": tale.INTAKE.org,
                "demo": True,
                "anchor_every": 5,
                "host": self.host,
                "port": self.port,
            },
        )
        create_deployment(settings, operator_name="Nhà vận hành Mẫu (bản thử)")

    def _at_this_address(self, settings: Settings) -> Settings:
        settings = replace(settings, rpc=(self.chain.url,), host=self.host, port=self.port)
        write(settings)
        if settings.public_url != f"http://{self.public}:{self.port}":
            self.say(
                f"  ! the stamps carry {settings.public_url}; the pages are at {self.public}:{self.port}"
            )
        return settings

    def _recompute(self, app: App) -> None:
        try:
            recompute(app.database, app.settings.origin)
        except LogIntegrityError as error:
            raise LogIntegrityError(
                f"{error.message}; this log cannot go on. Remove {self.folder} to begin a new demonstration",
                code=error.code,
                index=error.index,
            ) from error

    def _contract(self, app: App) -> None:
        address = open_evm_key(app.settings, "account").address
        if Rpc(self.chain.url).balance(address) < 10**18:
            self.chain.fund(address)
        before = app.settings.contract
        missing = bool(before) and not Rpc(self.chain.url).code(app.settings.contract_address)
        settings = set_up_chain(app)
        if missing:
            self.say(
                "  ! the chain of this machine had lost the contract; it is there again, and the log is anchored anew"
            )
        elif before and before != settings.contract:
            self.say(f"  ! the contract moved from {before} to {settings.contract}")

    def tell(self, app: App) -> None:
        """Tell the story, once per folder."""
        if tale.told(app):
            self.say("  · the story stands in the log already; the same log and contract go on")
            return
        tale.start(app).tell(self.step)

    def start_processes(self) -> None:
        """Start worker and web server, as a deployment runs them."""
        self._process("worker", ["worker"])
        self._process("web", ["serve", "--workers", "1", "--host", self.host, "--port", str(self.port)])
        self.step("web server answers", self._await_web)

    def _process(self, name: str, arguments: list[str]) -> None:
        log = self.stack.enter_context((self.folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-m", "traceledger", "--dir", str(self.folder), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            preexec_fn=die_with_parent,  # killed outright, this process can end nobody any more
        )
        self.processes[name] = (arguments, process)
        self.stack.callback(end_process, process)

    def _await_web(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                get_page(f"http://127.0.0.1:{self.port}/healthz")
            except (URLError, OSError) as error:
                if time.monotonic() > deadline or self.processes["web"][1].poll() is not None:
                    raise TemporaryError(
                        f"the web server did not come up; see {self.folder / 'web.log'}",
                        code="web-unreachable",
                    ) from error
                time.sleep(0.1)
            else:
                return

    def await_final(self, app: App) -> int:
        """Wait until the chain itself holds the whole log, finally; return the size."""
        place = app.place
        deadline = time.monotonic() + _FINAL_S
        while True:
            with app.database.read() as connection:
                size = stored.read_head(connection).size
                final = max((a.size for a in anchors.newest_final(connection)), default=0)
            if final == size == read_head(Rpc(self.chain.url), place.contract, place.log_id).size:
                return size
            if time.monotonic() > deadline:
                raise TemporaryError(
                    f"size {size} is not final, {final} is; see worker.log", code="anchor-not-final"
                )
            time.sleep(0.2)

    def print_stamps(self, app: App) -> Path:
        """Make the sheet, and one stamp as PNG and SVG."""
        roll = f"{tale.COOPERATIVE.org}/{tale.ROLL}"
        layout = load(TEMPLATE)
        words = printed_words(app.sequencer, roll, product="", producer="", place=tale.COOPERATIVE.place)
        labels = issue.labels(app.sequencer, roll, demo=True, words=words)
        path = self.folder / "stamps.pdf"
        sheet = BytesIO()
        write_sheet(sheet, labels, layout)
        path.write_bytes(sheet.getvalue())
        (self.folder / "stamp-1.png").write_bytes(label_png(labels[0], layout))
        (self.folder / "stamp-1.svg").write_text(label_svg(labels[0], layout), encoding="utf-8")
        self.links = [label.uri for label in labels]
        return path

    def lot(self, app: App) -> str:
        """The lot behind stamp 1."""
        subject, _ = find_target(app.sequencer, self.links[0])
        return subject

    # --- the two ways to run

    def run_forever(self) -> None:
        """Run until Ctrl-C, telling what to try."""
        self.say(f"traceledger demo in {self.folder}")
        app = self.start()
        self.stack.callback(app.close)
        self.tell(app)
        self.step("sheet of stamps", lambda: self.print_stamps(app))
        self.start_processes()
        self.step("anchored and final", lambda: self.await_final(app))
        bundle = self.folder / "lot.bundle.json"
        bundle.write_bytes(app.prover.bundle(self.lot(app), self.links[0].rpartition("/")[2]))
        self._page(app, bundle)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        while not stop.wait(1):
            self._supervise(app)
        self.say("stopping")

    def _supervise(self, app: App) -> None:
        """Start again what died: the chain from its state file, worker and web from the database."""
        if not self.chain.is_running:
            self.say("  ! the chain died; starting it again from its state")
            port = self.chain.port
            self.chain = self.stack.enter_context(DevChain(self.folder / "anvil.json", port=port))
            if self.chain.loss:
                self.say(f"  ! {self.chain.loss}")
            self._contract(app)
        for name, (arguments, process) in list(self.processes.items()):
            if process.poll() == LogIntegrityError.exit_code:
                self.say(f"  ! {name} stopped: the log's integrity is broken, see {name}.log")
                del self.processes[name]
            elif process.poll() is not None:
                self.say(f"  ! {name} ended with {process.returncode}; starting it again, see {name}.log")
                self._process(name, arguments)

    def _attack(self, app: App) -> str:
        with app.database.read() as connection:
            size = stored.read_head(connection).size
            steps = stored.touching(connection, self.lot(app), size)
        index, entry = next((i, e) for i, e in steps if attack.AMOUNT.search(e.envelope.payload))
        return attack.command(program("python"), self.folder / "ledger.db", index, entry)

    def _page(self, app: App, bundle: Path) -> None:
        base = f"http://{self.public}:{self.port}"
        path = self.links[0].partition("/01/")[2]
        us = program("traceledger")
        local = self.public.startswith("127.")
        nowhere = " (not now: these pages answer this machine only)" if local else ""
        self.say(
            f"""
Try this
  1  Scan: print {self.folder / "stamps.pdf"} at 100 % (or show it on the screen) and scan
     a stamp with a phone in the same network{nowhere}. Or open
       {base}/01/{path}
  2  A stamp that was never activated: number {tale.STAMPS}
       {self.links[-1]}
  3  Check without this server:
       {us} verify {bundle} --policy {app.settings.trust_file} --rpc {self.chain.url}
  4  Replay the whole log:
       {us} --dir {self.folder} audit
  5  Stop with Ctrl-C; run it again: the same log, the same contract.
  6  Be the attacker: change one byte of an entry in the database, reload the page, audit again.
       {self._attack(app)}
     No part starts on such a log again; remove {self.folder} to begin anew.

Everything here is fictional and on a test chain: pages say so, and nothing turns green.
"""
        )

    def check(self) -> dict[str, Any]:
        """Tell the story, then prove it; return what `--json` prints."""
        value: dict[str, Any] = {"ok": False, "steps": self.steps, "dir": str(self.folder)}
        app = self.start()
        self.stack.callback(app.close)
        value |= {
            "database": app.settings.database_url,
            "origin": app.settings.origin,
            "trust": str(app.settings.trust_file),
            "rpc": self.chain.url,
            "contract": app.settings.contract,
        }
        self.tell(app)
        value["sheet"] = str(self.step("sheet of stamps", lambda: self.print_stamps(app)))
        value["scan_url"] = self.links[0]
        self.start_processes()
        self.step("anchored and final", lambda: self.await_final(app))
        value["bundle"] = str(self.step("bundle", lambda: self._bundle(app)))
        self.step("verified against the pinned trust file", lambda: self._verify(app, Path(value["bundle"])))
        self.step("audit of log and chain", lambda: self._audit(app))
        self.step("scan of stamp 1", lambda: self._scan(self.links[0], "chuỗi thử"))
        self.step(
            f"scan of stamp {tale.STAMPS}, not activated",
            lambda: self._scan(self.links[-1], "chưa kích hoạt"),
        )
        value["ok"] = True
        return value

    def _bundle(self, app: App) -> Path:
        path = self.folder / "lot.bundle.json"
        path.write_bytes(app.prover.bundle(self.lot(app), self.links[0].rpartition("/")[2]))
        return path

    def _verify(self, app: App, path: Path) -> Report:
        bundle = Bundle.parse(path.read_bytes())
        seen = {i: [observe(self.chain.url, bytes.fromhex(a.tx[2:]))] for i, a in enumerate(bundle.anchors)}
        report = verify_bundle(
            bundle, trust=app.trust, observations=seen, gate=gate_of(bundle, app.trust.origin)
        )
        wanted = {name for name in report.rungs if name != "WITNESSED"}
        short = [f"{n}: {report.rungs[n].reason}" for n in wanted if report.rungs[n].result != "pass"]
        if not report.ok or short:
            raise VerificationError(
                f"the bundle does not hold: {', '.join(short)}", code=report.reason or "unverified"
            )
        return report

    def _audit(self, app: App) -> None:
        source = DatabaseSource(app.database, app.sequencer.checkpoint)
        report = audit(source, trust=app.trust, endpoints=[self.chain.url])
        if report.exit_code:
            raise VerificationError(f"the audit found {report.bad or report.unasked}", code="audit")

    def _scan(self, link: str, words: str) -> None:
        path = link.partition("://")[2].partition("/")[2]
        try:
            page = get_page(f"http://127.0.0.1:{self.port}/{path}").decode()
        except OSError as error:
            raise VerificationError(f"the page of {link} does not open: {error}", code="scan") from error
        if words not in page.lower():
            raise VerificationError(f"the page of {link} does not say {words!r}", code="scan")


def _check(keep: Path | None, *, as_json: bool) -> bool:
    say = (lambda text: click.echo(text, err=True)) if as_json else _say
    with ExitStack() as stack:
        folder = keep.resolve() if keep else Path(stack.enter_context(tempfile.TemporaryDirectory())) / "demo"
        run = _Demo(folder, stack, host="127.0.0.1", public="127.0.0.1", port=0, say=say)
        try:
            value = run.check()
        except TraceledgerError as error:
            value = {
                "ok": False,
                "steps": run.steps,
                "dir": str(folder),
                "code": error.code,
                "message": str(error),
            }
            say(f"{error.code}: {error}")
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False))
    else:
        say("Everything holds." if value["ok"] else "It does not hold.")
    return bool(value["ok"])


def _say(text: str) -> None:
    click.echo(text)
