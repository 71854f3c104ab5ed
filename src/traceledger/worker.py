# SPDX-License-Identifier: Apache-2.0
"""
The worker: one loop that anchors and looks after what is on its way to finality.

It can be killed at any moment; its next start reads the chain's head and goes on.  Trouble that passes is
waited out with growing pauses; a difference between log and chain ends the process with exit code 70.
"""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

import click

from traceledger.app import App, build_from
from traceledger.errors import TemporaryError
from traceledger.ledger.anchor import Anchorer, AnchorState
from traceledger.ledger.recompute import recompute

POLL_S: Final = 2.0
MAX_PAUSE_S: Final = 60.0


class Worker:
    """
    Args:
        app: The deployment.

        say: Told what happened, a sentence at a time.
    """

    def __init__(self, app: App, say: Callable[[str], None]) -> None:
        self._app = app
        self._say = say
        self._stop = threading.Event()

    def run(self) -> None:
        """
        Work until `stop` or SIGTERM.

        Raises:
            LogIntegrityError: the stored log, or the chain, is not what was signed.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        recompute(self._app.database, self._app.settings.origin)
        pause = POLL_S
        anchorer: Anchorer | None = None
        since_anchor = float(self._app.settings.anchor_every)
        while not self._stop.is_set():
            try:
                anchorer = anchorer or self._app.anchorer()
                due = since_anchor >= self._app.settings.anchor_every
                state = anchorer.step(send=due)
                since_anchor = 0.0 if state.sent or (due and state.settled) else since_anchor
                self._report(state)
                pause = POLL_S
            except TemporaryError as error:
                self._say(f"waiting: {error.message}")
                pause = min(pause * 2, MAX_PAUSE_S)
            self._stop.wait(pause)
            since_anchor += pause

    def stop(self) -> None:
        """End the loop after the step under way."""
        self._stop.set()

    def _report(self, state: AnchorState) -> None:
        if state.said:
            self._say(f"{state.said.strip()} Log {state.size}, chain {state.anchored}, final {state.final}.")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()


@click.command()
@click.pass_obj
def worker(folder: Path) -> None:
    """Anchor the log on the chain and watch anchors until they are final; stop with Ctrl-C or SIGTERM."""
    app = build_from(folder)
    try:
        click.echo(f"Anchoring {app.settings.origin} on {app.settings.chain}", err=True)
        Worker(app, lambda text: click.echo(text, err=True)).run()
    finally:
        app.close()
