# SPDX-License-Identifier: Apache-2.0
"""An application in memory over one story: the scenes answer scans, the story's entries answer for the log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from traceledger.core.claims.identifiers import DigitalLink
from traceledger.core.judge.verdict import unknown_view
from traceledger.core.judge.verdict.view import LotView
from traceledger.core.log.merkle import root_of
from traceledger.core.log.tiles import WIDTH, encode_entry_bundle, tile_width
from traceledger.core.sign.canonical import parse
from traceledger.core.sign.envelope import MAX_ENVELOPE, Envelope
from traceledger.errors import InputError, NotFoundError, TraceledgerError, VerificationError
from web import scenes as shown
from web import story as tale


@dataclass(frozen=True)
class FakeSettings:
    """What the pages say of the house."""

    public_url: str = f"https://{tale.HOST}"
    origin: str = tale.ORIGIN
    contact: str = "bao-tem@trace.example"


@dataclass(frozen=True)
class FakeAdmitted:
    """A taken statement."""

    index: int
    id: str
    effect: str = "all"
    repeated: bool = False


@dataclass
class FakeLog:
    """The story's log; takes any envelope whose form is right."""

    story: tale.Story
    taken: dict[str, int] = field(default_factory=dict)

    def submit(self, envelope: bytes, /) -> FakeAdmitted:
        try:
            made = Envelope.from_json(parse(envelope, limit=MAX_ENVELOPE))
        except VerificationError as error:
            raise InputError(error.message, code=error.code) from error
        if made.signatures[0].sig == bytes(64):
            raise VerificationError("the signature does not match", code="signature-invalid")
        repeated = made.id in self.taken
        index = self.taken.setdefault(made.id, self.size() + len(self.taken))
        return FakeAdmitted(index, made.id, repeated=repeated)

    def submit_many(self, envelopes: Sequence[bytes], /) -> list[FakeAdmitted | TraceledgerError]:
        results: list[FakeAdmitted | TraceledgerError] = []
        for envelope in envelopes:
            try:
                results.append(self.submit(envelope))
            except TraceledgerError as error:
                results.append(error)
        return results

    def size(self) -> int:
        return len(self.story.entries)

    def checkpoint(self) -> str:
        return self.story.checkpoint().text()

    def tile(self, level: int, number: int, width: int, /) -> bytes:
        self._need(level, number, width)
        step = 256**level
        start = number * WIDTH
        leaves = [entry.leaf for entry in self.story.entries]
        return b"".join(root_of(leaves[i * step : (i + 1) * step]) for i in range(start, start + width))

    def entry_bundle(self, number: int, width: int, /) -> bytes:
        self._need(0, number, width)
        start = number * WIDTH
        return encode_entry_bundle([entry.raw for entry in self.story.entries[start : start + width]])

    def entry(self, index: int, /) -> bytes:
        if index >= self.size():
            raise NotFoundError(f"the log has {self.size()} entries, none at {index}")
        return self.story.entries[index].raw

    def _need(self, level: int, number: int, width: int) -> None:
        if tile_width(level, number, self.size()) < width:
            raise NotFoundError("the log does not reach that far")


@dataclass
class FakeResolver:
    """Answers with a chosen scene for every known stamp, and remembers who asked."""

    scene: str = "unchanged"
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    failure: Exception | None = None

    def lot(self, subject: str, /) -> LotView:
        if self.failure:
            raise self.failure
        if subject not in (tale.LOT, tale.PRODUCT):
            raise NotFoundError(f"no lot {subject} in this ledger", code="lot-unknown")
        return shown.scenes()["lot"]

    def stamp(self, link: DigitalLink, signature: str | None, client_token: str | None, /) -> LotView:
        if self.failure:
            raise self.failure
        serial = link.get("21") or ""
        self.asked.append((serial, signature, client_token))
        if link.get("01") != tale.GTIN or serial not in tale.SERIALS:
            return unknown_view(f"https://{tale.HOST}/01/{link.primary}/21/{serial}", now=tale.NOW)
        return shown.scenes()[self.scene]

    def alias(self, alias: str, /) -> LotView:
        if alias != "xoai-mau":
            raise NotFoundError(f"no lot by the alias {alias}", code="lot-unknown")
        return shown.scenes()["lot"]


@dataclass
class FakeProver:
    """Bundles of the one lot."""

    story: tale.Story

    def bundle(self, subject: str, stamp: str | None, /) -> bytes:
        if subject != tale.LOT:
            raise NotFoundError(f"no lot {subject} in this ledger", code="lot-unknown")
        return self.story.bundle(stamp=tale.FIRST if stamp else None).encode()


@dataclass
class FakeApp:
    """What `create_app` is given."""

    story: tale.Story = field(default_factory=lambda: tale.mango(tale.registered()))
    settings: FakeSettings = field(default_factory=FakeSettings)
    ok: bool = True
    log: FakeLog = field(init=False)
    resolver: FakeResolver = field(default_factory=FakeResolver)
    prover: FakeProver = field(init=False)

    def __post_init__(self) -> None:
        self.log = FakeLog(self.story)
        self.prover = FakeProver(self.story)

    def health(self) -> dict[str, Any]:
        anchor = {"chain": "eip155:1", "name": "Ethereum", "size": 30, "time": tale.NOW, "final": True}
        return {"ok": self.ok, "size": self.log.size(), "anchor": anchor, "checks": {"log": self.ok}}
