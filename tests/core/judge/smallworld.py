# SPDX-License-Identifier: Apache-2.0
"""One small log with everything in it, and a judge over its bundles."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.ledgerkit import Ledger, founded
from core.statements import (
    LOT,
    ORIGIN,
    ROLL,
    anchor_place,
    issue,
    stamp_part,
    witness_line,
)
from traceledger.core.claims.private import commitment
from traceledger.core.judge.bundle import Bundle, Trust
from traceledger.core.judge.report import Report
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.reasons import REASONS
from traceledger.core.sign.encoding import b64u_encode

Json = dict[str, Any]

SALT = bytes(16)
GROWER = {"name": "Nguyễn Văn Mẫu"}


@dataclass
class World:
    """A log and the indexes of what happened in it."""

    ledger: Ledger
    harvest: int
    issued: int
    activated: int
    indexed: int

    @property
    def trust(self) -> Trust:
        """The trust file that pins the log."""
        return Trust(origin=ORIGIN, genesis=self.ledger.id(0))

    def bundle(self) -> Json:
        """The full bundle of the lot, stamp and private part in it."""
        stamp = stamp_part(self.issued)
        made = self.ledger.bundle(stamp=stamp, size=self.indexed + 1, witnesses=["w1", "w2"])
        part = {"index": self.harvest, "name": "grower", "salt": b64u_encode(SALT), "value": GROWER}
        return {**made, "private": [part]}

    def judge(self, bundle: object, **options: Any) -> Report:
        """Verify a bundle's JSON against this log's trust file."""
        return judge(bundle, **{"trust": self.trust, **options})


def judge(bundle: object, **options: Any) -> Report:
    """Parse and verify; every reason given must be on the closed list."""
    report = verify_bundle(Bundle.parse(json.dumps(bundle, default=float).encode()), **options)
    for rung in report.rungs.values():
        assert rung.reason is None or rung.reason in REASONS
        assert rung.result != "pass" or rung.reason is None
        assert rung.result != "fail" or rung.reason is not None
    return report


WITNESSES = witness_line("w1") + witness_line("w2") + witness_line("w3") + "group g 2 w1 w2 w3\nquorum g\n"


@cache
def small_world() -> World:
    """The log, made once; copy it before changing it."""
    ledger = founded(witnesses=WITNESSES, anchors=[anchor_place()])
    private = {"grower": commitment(SALT, GROWER)}
    harvest = ledger.say("harvest", LOT, **{"tl:private": private})
    issued = ledger.state("stamps", "issue", issue())
    activated = ledger.state("stamps", "activate", {"roll": ROLL, "ranges": [[1, 2]]}, about=[LOT])
    return World(ledger, harvest, issued, activated, ledger.index())


def results(report: Report) -> Json:
    """Rung → result, for those that do not pass."""
    return {name: rung.result for name, rung in report.rungs.items() if rung.result != "pass"}


def reasons(report: Report, names: Iterable[str] = ()) -> Json:
    """Rung → (result, reason), for those that do not pass."""
    shown = names or report.rungs
    return {
        name: (report.rungs[name].result, report.rungs[name].reason)
        for name in shown
        if report.rungs[name].result != "pass"
    }
