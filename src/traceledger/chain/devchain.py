# SPDX-License-Identifier: Apache-2.0
"""
The development chain of a demo on one machine: an anvil process whose state survives in a file.

It shows how anchoring works and proves nothing, since whoever runs it can rewrite it; pages say so wherever
chain 31337 appears.  On this chain `finalized` trails the newest block by two and nothing is mined without a
transaction, hence `mine`.
"""

import contextlib
import ctypes
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from traceledger.chain.rpc import Rpc
from traceledger.errors import ConflictError, InputError, TemporaryError

CHAIN_ID: Final = 31337
STATE_INTERVAL: Final = 2
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 10.0
_PR_SET_PDEATHSIG: Final = 1


def find_anvil() -> Path:
    """
    Return the anvil program: $TRACELEDGER_ANVIL, else the one in `contracts/node_modules`, else on the PATH.

    Raises:
        InputError: code ``anvil-missing``.
    """
    named = os.environ.get("TRACELEDGER_ANVIL")
    candidates = [Path(named)] if named else [*_installed(), Path(shutil.which("anvil") or "anvil")]
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise InputError(
        "no anvil found: run `npm ci` in contracts/, or set TRACELEDGER_ANVIL to the program",
        code="anvil-missing",
    )


def _installed() -> list[Path]:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    # the program itself: node_modules/.bin/anvil is a script that would be stopped in its stead
    below = Path(
        "contracts",
        "node_modules",
        "@foundry-rs",
        f"anvil-{platform.system().lower()}-{machine}",
        "bin/anvil",
    )
    return [root / below for root in (Path.cwd(), *Path(__file__).resolve().parents)]


class DevChain:
    """
    A running anvil; use it as a context manager, or call `stop`.

    Start it from the main thread: the kernel ends it when the thread that started it ends, so that no
    orphan keeps the port and the state file.

    Args:
        state: File that keeps the chain; made if missing.

        port: TCP port, 0 for a free one.

        host: Address to listen on.

        chain_id: Chain id to serve.

    Raises:
        InputError: code ``anvil-missing``.

        ConflictError: code ``port-taken``.

        TemporaryError: code ``chain-unreachable``: it did not come up; its own words are in the message.
    """

    def __init__(
        self, state: Path, *, port: int = 0, host: str = "127.0.0.1", chain_id: int = CHAIN_ID
    ) -> None:
        self.state = state
        self.port = port or _free_port(host)
        self.url = f"http://{host}:{self.port}"
        self.rpc = Rpc(self.url)
        self.loss = _restore(state)
        """None, or a sentence saying what part of the chain a crash has cost."""
        if not _is_free(host, self.port):
            raise ConflictError(f"port {self.port} of {host} is taken; choose another", code="port-taken")
        command = [
            *(str(find_anvil()), "--silent", "--host", host, "--port", str(self.port)),
            *("--chain-id", str(chain_id), "--slots-in-an-epoch", "1"),
            *("--state", str(state), "--state-interval", str(STATE_INTERVAL)),
        ]
        self._log = state.with_suffix(".log")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={key: value for key, value in os.environ.items() if not key.startswith("ANVIL_")},
                process_group=0,
                preexec_fn=die_with_parent,
            )
        try:
            self._await_answer(chain_id)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Process id of the anvil."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def mine(self, count: int = 1) -> None:
        """Mine *count* empty blocks; two after a transaction make it final."""
        self.rpc.ask("anvil_mine", hex(count))

    def fund(self, address: bytes, wei: int = 10**20) -> None:
        """Give *address* a balance of *wei*."""
        self.rpc.ask("anvil_setBalance", "0x" + address.hex(), hex(wei))

    def stop(self) -> None:
        """Stop the process by SIGTERM, on which it writes its state; by SIGKILL if it does not listen."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def __enter__(self) -> "DevChain":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _await_answer(self, chain_id: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if self._process.poll() is not None:
                words = self._log.read_text("utf-8", "replace").strip().splitlines()
                raise TemporaryError(
                    f"anvil ended with {self._process.returncode}: {' '.join(words)[:300] or 'no words'}",
                    code="chain-unreachable",
                )
            try:
                return self.rpc.expect_chain(chain_id)
            except TemporaryError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.02)


def _restore(state: Path) -> str | None:
    """
    Make sure *state* is missing or whole, and keep a copy of it.

    anvil writes the file in place every two seconds, so a kill may leave half of it; then the copy of the last
    start is used, or a fresh chain.
    """
    state.parent.mkdir(parents=True, exist_ok=True)
    copy, broken = state.with_suffix(".last-start.json"), state.with_suffix(".broken.json")
    if not state.exists():
        return None
    if _is_whole(state):
        partial = copy.with_suffix(".partial")
        shutil.copyfile(state, partial)
        partial.replace(copy)
        return None
    state.replace(broken)
    if _is_whole(copy):
        shutil.copyfile(copy, state)
        return f"the chain's state was cut off by a crash (kept as {broken.name}); it goes on from its last start"
    return f"the chain's state was cut off by a crash (kept as {broken.name}); the chain begins anew"


def _is_whole(state: Path) -> bool:
    try:
        content = json.loads(state.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"block", "accounts", "blocks"} <= content.keys()


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _is_free(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server((host, port)):
        return True
    return False


def die_with_parent() -> None:
    """In the child: ask the kernel for SIGTERM when the parent goes, since `atexit` outlives no signal."""
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
