# SPDX-License-Identifier: Apache-2.0
"""
Tables of bad bundles: name → (rung, reason, how to make it), each one small change away from a good bundle.

What `cases_signed` and `cases_logged` share; `test_reasons` runs them all.
"""

from collections.abc import Callable
from typing import Any

from core.judge.smallworld import World
from core.ledgerkit import Ledger, founded
from core.statements import (
    LOT,
    event,
    lot,
    quantities,
)
from traceledger.core.sign.encoding import b64encode

Json = dict[str, Any]
Case = Callable[[World], tuple[Json, Json]]
"""World → (bundle, options of the judge)."""

Cases = dict[str, tuple[str, str, Case]]
"""Name → (rung, reason, case); a name begins with its reason."""

Maker = Callable[[World], Any]
"""World → bundle, or (bundle, options)."""


def into(cases: Cases) -> Callable[[str, str], Callable[[Maker], Maker]]:
    """Return the decorator ``case(rung, name)`` that registers a maker in *cases*."""

    def case(rung: str, name: str) -> Callable[[Maker], Maker]:
        def register(make: Maker) -> Maker:
            def run(world: World) -> tuple[Json, Json]:
                made = make(world)
                return made if isinstance(made, tuple) else (made, {})

            assert name not in cases
            cases[name] = (rung, name.split(":")[0], run)
            return make

        return register

    return case


def with_entry(world: World, change: Callable[[Json], object]) -> Json:
    """The full bundle with the harvest's entry changed."""
    bundle = world.bundle()
    change(bundle["entries"][0]["entry"])
    return bundle


def log_of(*steps: Callable[[Ledger], object], index: bool = True) -> Json:
    """A bundle of a fresh log in which *steps* happened after the harvest."""
    ledger = founded()
    ledger.say("harvest", LOT)
    for step in steps:
        step(ledger)
    if index:
        ledger.index()
    return ledger.bundle()


def raw(payload: bytes) -> Callable[[Json], object]:
    """A change that puts other bytes into an entry's envelope."""
    return lambda entry: entry["env"].update(payload=b64encode(payload))


def linked(prev: Callable[[Ledger], list[str]], *, of: Json | None = None, only: Any = None) -> Json:
    """A bundle whose last step names *prev*, written as it is."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.say("harvest", lot("L2"))
    statement = event("observe", number=99, quantityList=quantities(LOT), **(of or {}))
    ledger.put(statement | {"tl:prev": prev(ledger)}, "event", "farm")
    ledger.index()
    return ledger.bundle(only=only)


TX = "0x" + "a" * 64
"""A transaction that no endpoint was asked about."""
