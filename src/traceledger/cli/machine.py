# SPDX-License-Identifier: Apache-2.0
"""What a demonstration needs of the machine it runs on: its address, free ports, processes that end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

from traceledger.settings import is_private_host

ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - a phone in the same network must reach a demonstration


def get_page(url: str) -> bytes:
    """Return the page at *url* as a Vietnamese browser gets it; raises OSError."""
    request = Request(url, headers={"Accept": "text/html", "Accept-Language": "vi"})  # noqa: S310 - made here
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        data: bytes = answer.read()
        return data


def program(name: str) -> str:
    """Return how *name* of this installation is called from the current folder."""
    here = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if found and Path(found).parent == here.parent:
        return name
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to stop, and end its group if it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """Return a port nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def is_free(port: int) -> bool:
    """Say whether nobody listens on *port* of this machine."""
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0


def lan_address(host: str) -> str:
    """Return the address under which a phone in the same network finds this machine; nothing is sent to find it."""
    if host and host != ANYWHERE:
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        found = str(probe.getsockname()[0])
    # a machine in the open internet has no phone beside it, and its stamps may not lead to plain http
    return found if is_private_host(found) else "127.0.0.1"
