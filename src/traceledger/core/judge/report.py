# SPDX-License-Identifier: Apache-2.0
"""
What verification reports: rungs, each pass, fail or not checked with a reason code, and what they add up to.

Section 7 of the format specification; `verify` climbs them.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from traceledger.core.log.entry import Entry
from traceledger.core.log.note import Checkpoint
from traceledger.core.state.registry import Registry
from traceledger.core.state.stamps import StampState

Result = Literal["pass", "fail", "not checked"]
RUNGS: Final = (
    "SIGNED",
    "LINKED",
    "LOGGED",
    "KEYS",
    "ORIGIN",
    "WITNESSED",
    "ANCHORED",
    "COMPLETE",
    "LABEL",
)
NEEDED: Final = ("SIGNED", "LINKED", "LOGGED", "ORIGIN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """
    One rung of the verdict.

    Attributes:
        reason: Code of what failed or why it was not checked; None on a pass, and where an earlier failure
            left nothing to say.

        detail: One sentence for people; what passed, by whose word.

        where: Log index of the entry concerned.
    """

    result: Result
    reason: str | None = None
    detail: str = ""
    where: int | None = None


NOT_CHECKED: Final = Rung(result="not checked")


@dataclass(slots=True, kw_only=True)
class Report:
    """
    What verification found.

    Attributes:
        rungs: By name, in rung order.

        entries: Decoded content entries by index; what the pages show.

        subjects: The set the bundle is about, nearest first.

        registry: Fold over all registry entries shown; None if something did not decode.

        stamp: State of the bundle's stamp by the statements shown.
    """

    rungs: dict[str, Rung] = field(default_factory=dict)
    entries: dict[int, Entry] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()
    registry: Registry | None = None
    checkpoint: Checkpoint | None = None
    stamp: StampState | None = None
    asked: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """No rung fails, and SIGNED, LINKED, LOGGED and ORIGIN pass."""
        failed = any(rung.result == "fail" for rung in self.rungs.values())
        return not failed and all(self.rungs[name].result == "pass" for name in NEEDED)

    @property
    def failed(self) -> Rung | None:
        """First failing rung in rung order."""
        return next((rung for rung in self.rungs.values() if rung.result == "fail"), None)

    @property
    def reason(self) -> str | None:
        """First failing code in rung order; without one, why ok is false."""
        if self.failed is not None:
            return self.failed.reason
        return (
            None if self.ok else next(self.rungs[n].reason for n in NEEDED if self.rungs[n].result != "pass")
        )

    @property
    def exit_code(self) -> int:
        """0 ok · 1 a rung fails · 4 none fails, but ok is false or a rung asked for was not checked."""
        if self.failed is not None:
            return 1
        return 0 if self.ok and all(self.rungs[name].result == "pass" for name in self.asked) else 4
