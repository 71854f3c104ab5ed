# SPDX-License-Identifier: Apache-2.0
"""
Audit: replay a whole log from nothing but its bytes, and name the first place that does not hold.

1. the checkpoint is signed by the newest policy's keys, and the entries lead to its root;
2. every entry is valid by what stands before it, or is named as void;
3. every index record says what the entries say;
4. the chain's head, by each endpoint asked, is a head of this log, and the contract is the policy's;
5. findings, which never change the result.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from traceledger.chain.rpc import Rpc, read_head
from traceledger.core.judge import admission
from traceledger.core.judge.bundle import Trust
from traceledger.core.judge.findings import Finding, Findings
from traceledger.core.log import note
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import EMPTY_ROOT, Frontier
from traceledger.core.state.registry import AnchorPlace, Registry
from traceledger.errors import (
    InputError,
    LogIntegrityError,
    TemporaryError,
    TraceledgerError,
    VerificationError,
)
from traceledger.store.source import LogSource

_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """What does not hold: a reason code, the log index it is at (None for the whole log), and a sentence."""

    code: str
    index: int | None
    message: str


@dataclass(slots=True, kw_only=True)
class AuditReport:
    """
    What an audit found.

    Attributes:
        entries: How many entries were replayed.

        bad: Everything that does not hold, first first.

        unasked: What could not be checked, with why: an endpoint that did not answer, no trust file.

        chain: Per endpoint that answered, one sentence.
    """

    origin: str = ""
    entries: int = 0
    root: bytes = b""
    bad: list[Bad] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Nothing bad was found; says nothing of findings."""
        return not self.bad

    @property
    def exit_code(self) -> int:
        """0 good · 1 evidence does not hold · 4 something asked for could not be checked."""
        return 1 if self.bad else 4 if self.unasked else 0

    def to_json(self) -> dict[str, Any]:
        """Return the report for ``--json``."""
        first = self.bad[0] if self.bad else None
        return {
            "ok": self.ok,
            "entries": self.entries,
            "origin": self.origin,
            "root": self.root.hex(),
            "findings": [
                {"code": f.code, "severity": f.severity, "subject": f.subject, "index": f.index, "sum": f.sum}
                for f in self.findings
            ],
            "first_bad": None if first is None else {"index": first.index, "code": first.code},
            "bad": [{"index": b.index, "code": b.code, "message": b.message} for b in self.bad],
            "chain": self.chain,
            "unasked": self.unasked,
        }


def audit(
    source: LogSource,
    *,
    trust: Trust | None,
    endpoints: Sequence[str] = (),
    old_checkpoints: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> AuditReport:
    """
    Replay the log behind *source*.

    Args:
        trust: The pinned trust file; without it the log's own name is taken, and the report says that nothing
            tells whose log it is.

        endpoints: RPC endpoints of the chain to compare with.

        old_checkpoints: Notes seen before, e.g. from older bundles; each must be a head of this log.

        progress: Called now and then with (entries done, size).

    Raises:
        InputError: one of *old_checkpoints* is none.
        TemporaryError, NotFoundError: the source does not answer, or has no log.
    """
    old = [_parse_old(text) for text in old_checkpoints]
    replay = _Replay(source, trust, progress)
    report = replay.report
    if trust is None:
        report.unasked.append("no trust file: nothing tells that this is the log you mean")
    try:
        replay.run(old)
    except LogIntegrityError as error:
        report.bad.append(Bad(code=error.code, index=error.index, message=error.message))
    except (VerificationError, InputError) as error:
        report.bad.append(Bad(code=error.code, index=None, message=error.message))
    for url in endpoints:
        replay.compare_chain(url)
    return report


def _parse_old(text: str) -> note.Checkpoint:
    try:
        return note.parse_checkpoint(text)
    except VerificationError as error:
        raise InputError(f"a checkpoint seen before is none: {error.message}", code=error.code) from error


class _Replay:
    def __init__(self, source: LogSource, trust: Trust | None, progress: Callable[[int, int], None]) -> None:
        self.source = source
        self.trust = trust
        self.progress = progress
        self.report = AuditReport()
        self.tree = Frontier()
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self.registry = Registry("")
        self.findings = Findings("")
        self.last: Entry | None = None

    def run(self, old: list[note.Checkpoint]) -> None:
        try:
            checkpoint = note.parse_checkpoint(self.source.checkpoint())
        except LogIntegrityError:
            # nothing can be signed over what is stored: replay it all the same, to name the first broken place
            self.replay(self.trust.origin if self.trust else "", self.source.size(), set())
            raise
        origin = self.trust.origin if self.trust else checkpoint.origin
        if checkpoint.origin != origin:
            self._bad("note-origin", None, f"expected {origin}, the log calls itself {checkpoint.origin}")
        if not self.replay(origin, checkpoint.size, {one.size for one in old}):
            return
        self._check_head(checkpoint, self.last)
        for one in old:
            if one.origin != origin or self.roots.get(one.size) != one.root:
                code = "head-rollback" if one.size > self.tree.size else "head-fork"
                self._bad(code, None, f"a checkpoint of size {one.size} seen before is no head of this log")
        for finding in self.report.findings:
            if finding.code == "index-wrong":
                self._bad("index-record", finding.index, f"index record: {finding.sum}")

    def replay(self, origin: str, size: int, wanted: set[int]) -> bool:
        """Judge the first *size* entries; say whether all of them decode."""
        self.report.origin = origin
        self.registry = Registry(origin)
        self.findings = findings = Findings(origin)
        earlier = 0
        for index, raw in enumerate(self.source.entries(size)):
            entry = self._entry(index, raw)
            if entry is None:
                return False
            if entry.t < earlier:
                self._bad("adm-time", index, "the admission time falls back")
            earlier = max(earlier, entry.t)
            if entry.reg != self.registry.head:
                self._bad("adm-reg", index, "the entry names another registry head")
            valid = self._judge(index, entry)
            findings.apply(index, entry, self.registry, valid)
            self.tree.append(entry.leaf)
            if self.tree.size in wanted or entry.family == "log":
                self.roots[self.tree.size] = self.tree.root()
            self.last = entry
            if index % _EVERY == 0:
                self.progress(index, size)
        self.progress(size, size)
        self.report.entries = self.tree.size
        self.report.root = self.tree.root()
        self.report.findings = findings.found
        self.roots[self.tree.size] = self.report.root
        return True

    def _entry(self, index: int, raw: bytes) -> Entry | None:
        try:
            entry = Entry.parse(raw)
            entry.statement  # noqa: B018 - decoding is the test
        except VerificationError as error:
            self._bad(error.code, index, error.message)
            self.report.entries = index
            return None
        return entry

    def _judge(self, index: int, entry: Entry) -> bool:
        if index == 0 and self.trust is not None and entry.id != self.trust.genesis:
            self._bad("genesis", 0, "the log does not begin with the pinned genesis")
        if entry.is_registry:
            void = self.registry.apply(index, entry)
            if void is not None:
                self._bad(void, index, f"a {entry.family} statement breaks a rule and is void")
            return void is None
        try:
            if self.findings.lookup(entry.id) is not None:
                raise VerificationError("the statement stands in the log already", code="statement-repeated")
            admission.check_entry(entry, index, self.registry)
            admission.check_prev(entry, self.registry.origin, self.findings.lookup)
        except VerificationError as error:
            self._bad(error.code, index, f"void: {error.message}")
            return False
        return True

    def _check_head(self, checkpoint: note.Checkpoint, last: Entry | None) -> None:
        if (self.tree.size, self.tree.root()) != (checkpoint.size, checkpoint.root):
            self._bad("root-mismatch", None, "the entries do not lead to the checkpoint's root")
        policy = self.registry.policy
        if policy is None:
            self._bad("note-signature", None, "the log has no policy, so no log key")
            return
        try:
            note.verify_log_signature(
                checkpoint,
                policy.keys_for(checkpoint.size),
                [(place.log_id, place.signer) for place in policy.anchors],
                anchored=last is not None and last.family == "log",
            )
        except VerificationError as error:
            self._bad(error.code, None, error.message)

    def compare_chain(self, url: str) -> None:
        """Compare the contract's head at one endpoint with this log."""
        policy = self.registry.policy
        places = policy.anchors if policy else ()
        try:
            rpc = Rpc(url)
            chain = f"eip155:{rpc.chain_id()}"
            place = next((p for p in places if p.chain == chain), None)
            if place is None:
                self._bad("chain-id", None, f"{rpc.label} serves {chain}, which the policy does not name")
                return
            self._compare_head(rpc, place)
        except TemporaryError as error:
            self.report.unasked.append(error.message)
        except TraceledgerError as error:
            self._bad(error.code, None, error.message)

    def _compare_head(self, rpc: Rpc, place: AnchorPlace) -> None:
        head = read_head(rpc, place.contract, place.log_id)
        if head.size > self.tree.size:
            self._bad(
                "anchor-ahead", None, f"the chain knows {head.size} entries, the log has {self.tree.size}"
            )
            return
        if head.size == 0:
            self.report.chain.append(f"{rpc.label}: {place.chain} holds no head of this log yet")
            return
        root = self.roots.get(head.size)
        if root is None:
            root = self._root_of_first(head.size)
        if root != head.root:
            self._bad("head-fork", None, f"the chain's head of size {head.size} is not a head of this log")
            return
        self.report.chain.append(f"{rpc.label}: {place.chain} holds this log's head of size {head.size}")

    def _root_of_first(self, size: int) -> bytes:
        tree = Frontier()
        for raw in self.source.entries(size):
            tree.append(Entry.parse(raw).leaf)
        return tree.root()

    def _bad(self, code: str, index: int | None, message: str) -> None:
        self.report.bad.append(Bad(code=code, index=index, message=message))
