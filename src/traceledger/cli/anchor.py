# SPDX-License-Identifier: Apache-2.0
"""``traceledger anchor``: put the log on the chain once, by hand, or until it is final."""

import time
from pathlib import Path

import click

from traceledger.cli.deployment import opened
from traceledger.cli.output import json_option, show


@click.command()
@click.option(
    "--setup", is_flag=True, help="Deploy or take the contract, open the log there, state it in the policy."
)
@click.option("--contract", help="With --setup: address of a contract that is there already.")
@click.option("--watch", is_flag=True, help="Go on until everything is anchored and final.")
@click.option(
    "--timeout",
    type=float,
    default=600.0,
    show_default=True,
    help="With --watch: give up after so many seconds.",
)
@json_option
@click.pass_obj
def anchor(
    folder: Path, setup: bool, contract: str | None, watch: bool, timeout: float, as_json: bool
) -> None:
    """
    Anchor the newest checkpoint, unless the worker did.

    With --setup, first: the account in keys/account.json must have money on the chain.
    """
    from traceledger.app import build, set_up_chain
    from traceledger.errors import TemporaryError
    from traceledger.settings import parse_address

    with opened(folder) as app:
        if setup:
            address = parse_address(contract.lower()) if contract else None
            settings = set_up_chain(app, contract=address)
            show(
                {"ok": True, "chain": settings.chain, "contract": settings.contract},
                as_json,
                f"The log is open at {settings.contract} on {settings.chain}.",
            )
            return
        anchorer = build(app.settings).anchorer()
        deadline = time.monotonic() + timeout
        state = anchorer.step()
        while watch and not state.settled:
            if time.monotonic() > deadline:
                raise TemporaryError(
                    f"size {state.size} is not final after {timeout:g} s", code="anchor-not-final"
                )
            time.sleep(1)
            state = anchorer.step(send=state.anchored < state.size)
        show(
            {"ok": True, "size": state.size, "anchored": state.anchored, "final": state.final},
            as_json,
            f"Log {state.size}, on the chain {state.anchored}, final {state.final}.",
        )
