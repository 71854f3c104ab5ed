# SPDX-License-Identifier: Apache-2.0
"""
Submits to a deployment until it is killed, again and again: a program of its own, since what is killed is a process.

``crash_child.py FOLDER ROUNDS``: each round forks a process that submits from four threads and says each index it
was given, and kills it after a number of answers that differs from round to round.  The last line printed is
JSON: per round what was acknowledged, as [statement id, index].
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from housekit import COOP, flag
from traceledger.app import build
from traceledger.core.sign.envelope import Envelope
from traceledger.settings import load

THREADS = 4


def work(folder: Path, number: int, out: int) -> None:
    """Open the deployment anew and submit until killed; one short write an answer, so none is torn."""
    app = build(load(folder))
    key = app.key(COOP)

    def submit(thread: int) -> None:
        count = 0
        while True:
            made: Envelope = flag(app.settings.origin, COOP, key, f"{number}/{thread}/{count}")
            done = app.sequencer.submit_envelope(made)
            os.write(out, f"{done.id} {done.index}\n".encode())
            count += 1

    for thread in range(1, THREADS):
        threading.Thread(target=submit, args=(thread,), daemon=True).start()
    submit(0)


def run(folder: Path, number: int, answers: int) -> list[tuple[str, int]]:
    """Fork one that submits, kill it after *answers*, and return all it acknowledged before it died."""
    back, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(back)
        work(folder, number, out)
    os.close(out)
    said = b""
    while said.count(b"\n") < answers:
        said += os.read(back, 65_536)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(back, 65_536):
        said += more
    os.close(back)
    return [(name, int(index)) for name, index in (line.split() for line in said.decode().splitlines())]


def main() -> None:
    """Run all rounds."""
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    print(json.dumps([run(folder, number, 1 + number * 7 % 30) for number in range(rounds)]))


if __name__ == "__main__":
    main()
