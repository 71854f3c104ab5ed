# SPDX-License-Identifier: Apache-2.0
"""
Resolve a scan: from a stamp's link to what is known about the lot behind it.

Every first rendering verifies the lot's own bundle against the pinned trust file, from stored bytes; only
verdicts on single signatures are remembered, by leaf hash.  What the chain says is the worker's last look at
it, told as such: a page never waits for an endpoint.
"""

import hmac
import re
from collections.abc import Callable
from time import time
from typing import Final

from sqlalchemy import Connection

from traceledger.core.claims.digital_link import DigitalLink, format_digital_link
from traceledger.core.claims.identifiers import lot_uri
from traceledger.core.claims.records import roll_uri
from traceledger.core.judge import admission, verdict
from traceledger.core.judge.bundle import Bundle, Trust
from traceledger.core.judge.verdict.view import AnchorView, FindingView, LotView, StampView
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.log.anchor import Observation
from traceledger.core.log.entry import Entry
from traceledger.core.reasons import REASONS
from traceledger.core.sign.envelope import Signature
from traceledger.core.state.registry import check_signature
from traceledger.core.state.stamps import Roll, StampState, fold_rolls, verify_link
from traceledger.errors import LogIntegrityError, NotFoundError, VerificationError
from traceledger.ledger import gates
from traceledger.ledger.prove import Prover
from traceledger.ledger.sequence import Log
from traceledger.printing.label import format_number
from traceledger.store import anchors, rolls
from traceledger.store import log as stored
from traceledger.store.rolls import ScanFacts, StoredRoll

Observe = Callable[[str], list[Observation]]
"""``observe(tx)``: what the deployment's endpoints say of a transaction."""

_VERDICTS: Final = 65_536
_PRINTED: Final = re.compile(r"([A-Z0-9-]{1,16})-([0-9][0-9 ]{0,14})")


class Resolver:
    """
    Answers scans of one deployment.

    Args:
        trust: The deployment's own pinned trust file.

        chain_name: Name of the chain for people.

        observe: Asks the deployment's endpoints about a transaction; remembered for a while by the caller.

        pepper: Secret that makes browser tokens unlinkable outside this deployment.
    """

    def __init__(
        self,
        log: Log,
        prover: Prover,
        *,
        trust: Trust,
        demo: bool,
        chain_name: str,
        observe: Observe,
        pepper: bytes,
        now: Callable[[], float] = time,
    ) -> None:
        self.log: Final = log
        self.prover: Final = prover
        self._trust = trust
        self._demo = demo
        self._chain_name = chain_name
        self._observe = observe
        self._pepper = pepper
        self._now = now
        self._good: dict[tuple[bytes, bytes], None] = {}

    def lot(self, subject: str) -> LotView:
        """Return what is known about *subject*; raises NotFoundError ``lot-unknown``."""
        with self.log.database.read() as connection:
            return self._view(connection, subject, None, None)

    def alias(self, alias: str) -> LotView:
        """
        Return what is known about the subject with that short name, or about the lot behind a stamp's number as
        printed, such as ``XCC-A-000 000 001``, or as typed: ``xcc-a-1``.

        A number can be read off any stamp, so it leads to the lot and says nothing about a label.

        Raises:
            NotFoundError: code ``lot-unknown``.
        """
        with self.log.database.read() as connection:
            number = _PRINTED.fullmatch(alias.strip().upper())
            if number is None:
                return self._view(connection, stored.subject_by_alias(connection, alias), None, None)
            lots = set()
            for roll in rolls.by_short_name(connection, number[1]):
                state = self._state(connection, roll, int(number[2].replace(" ", "")))
                if state is not None and state.lot is not None:
                    lots.add(state.lot)
            if len(lots) == 1:
                return self._view(connection, lots.pop(), None, None)
        if lots:  # anybody may call a roll what another is called: whose stamp it is only its link says
            raise NotFoundError(
                f"more than one issuer has a stamp {alias}; scan its code", code="number-ambiguous"
            )
        raise NotFoundError(f"no stamp {alias} is activated here", code="lot-unknown")

    def _state(self, connection: Connection, roll: StoredRoll, number: int) -> StampState | None:
        folded = self._folded(connection, roll)
        if folded is None or not folded.first <= number <= folded.last:
            return None
        return self._gated(connection, folded, number)

    def _gated(self, connection: Connection, folded: Roll, number: int) -> StampState:
        try:
            return folded.state(number, gates.gate(connection, self.log.origin, self._check_signature))
        except LogIntegrityError:  # the page of its lot says which entry was changed
            return folded.state(number, _ungated)

    def stamp(self, link: DigitalLink, signature: str | None, client_token: str | None) -> LotView:
        """
        Return what is known about a scanned stamp, and remember the scan.

        Args:
            link: The parsed link; it holds a serial (AI 21).

            signature: Its ``s`` parameter, or None.

            client_token: Random token of the browser; None asks without being counted.
        """
        serial = link.get("21") or ""
        client = None if client_token is None else self._client(client_token)
        try:
            with self.log.database.read() as connection:
                roll, number = rolls.find_stamp(connection, serial)
                if link.get("01") != roll.gtin or link.get("10") not in (None, roll.lot):
                    raise NotFoundError("no such stamp of this product", code="stamp-unknown")
                facts = rolls.scan_facts(connection, serial, client)
                view = self._of_stamp(connection, roll, number, serial, signature, facts)
        except NotFoundError:
            return verdict.unknown_view(format_digital_link(link), now=int(self._now()))
        except LogIntegrityError as error:
            if error.index is None:
                raise
            return verdict.altered_view(
                format_digital_link(link), step=None, reason=_reason(error), now=int(self._now())
            )
        if client is not None:
            with self.log.database.write() as connection:
                rolls.record_scan(connection, serial, at=int(self._now()), client=client)
        return view

    def _of_stamp(
        self,
        connection: Connection,
        roll: StoredRoll,
        number: int,
        serial: str,
        signature: str | None,
        facts: ScanFacts,
    ) -> LotView:
        folded = self._folded(connection, roll)
        if folded is None:
            raise NotFoundError("the log holds no such roll", code="stamp-unknown")
        state = self._gated(connection, folded, number)
        ok = self._link_ok(folded.key, roll.uri(serial), signature)
        stamp = _stamp_view(roll, number, serial, state, ok, facts)
        # An activation without effect still names its lot: a changed entry below it must show as a changed
        # record, never as a stamp without one.
        lot = state.lot or folded.state(number, _ungated).lot
        if lot is not None:
            try:
                return self._view(connection, lot, stamp, serial)
            except NotFoundError:  # the activation itself is an entry about its lot
                return verdict.altered_view(
                    lot, step=None, reason="root-mismatch", stamp=stamp, now=int(self._now())
                )
        subject = lot_uri(roll.gtin, roll.lot) if roll.lot else roll_uri(roll.roll)
        try:
            return self._view(connection, subject, stamp, None)
        except NotFoundError:
            return self._view(connection, roll_uri(roll.roll), stamp, None)

    def _folded(self, connection: Connection, roll: StoredRoll) -> Roll | None:
        size = stored.read_head(connection).size
        steps = stored.touching(connection, roll_uri(roll.roll), size)
        return fold_rolls([(i, e) for i, e in steps if e.family == "stamps"]).get(roll.roll)

    def _link_ok(self, kid: str | None, uri: str, signature: str | None) -> bool | None:
        if kid is None:
            return None
        try:
            key = self.log.registry().signer(kid)
            verify_link(key.public, uri, signature or "")
        except VerificationError:
            return False
        return admission.allows(key.acts, "stamp/sign")

    def _view(
        self, connection: Connection, subject: str, stamp: StampView | None, serial: str | None
    ) -> LotView:
        try:
            return self._verified_view(connection, subject, stamp, serial)
        except LogIntegrityError as error:
            if error.index is None:
                raise
            step = 1 + stored.count_touching(connection, subject, error.index)
            return verdict.altered_view(
                subject, step=step, reason=_reason(error), stamp=stamp, now=int(self._now())
            )

    def _verified_view(
        self, connection: Connection, subject: str, stamp: StampView | None, serial: str | None
    ) -> LotView:
        bundle = self.prover.make(connection, subject, serial=serial)
        now = int(self._now())
        anchor, observations = self._anchor(connection, bundle)
        size = stored.read_head(connection).size
        weighed = gates.weigh(connection, self.log.origin, subject, size, self._check_signature)
        found = weighed.findings
        report = verify_bundle(
            bundle,
            trust=self._trust,
            observations=observations,
            gate=found.gated,
            check_signature=self._check_signature,
        )
        about = {subject, *report.subjects}
        findings = [
            FindingView(code=f.code, severity=f.severity, index=f.index, args=f.args)
            for f in found.found
            if f.index in report.entries or f.subject in about
        ]
        return verdict.build_view(
            bundle,
            report,
            now=now,
            stamp=stamp,
            anchor=anchor,
            related=sorted(weighed.records.items()),
            findings=findings,
        )

    def _anchor(
        self, connection: Connection, bundle: Bundle
    ) -> tuple[AnchorView | None, dict[int, list[Observation]] | None]:
        if not bundle.anchors:
            return None, None
        ref = bundle.anchors[0]
        final = next((a for a in anchors.newest_final(connection) if "0x" + a.tx.hex() == ref.tx), None)
        observations = {0: self._observe(ref.tx)}
        number = int(ref.chain.partition(":")[2])
        view = AnchorView(
            chain=ref.chain,
            name=self._chain_name,
            chain_id=number,
            contract="0x" + final.contract.hex() if final else "",
            tx=ref.tx,
            block=final.block if final else None,
            time=final.block_time if final else None,
            size=final.size if final else 0,
            final=final is not None,
            is_test=verdict.is_test_chain(ref.chain, demo=self._demo),
        )
        return view, observations

    def _check_signature(self, entry: Entry, signature: Signature, public: bytes) -> None:
        # by leaf hash, which covers the signature: a changed byte is another entry and is verified again
        if (entry.leaf, public) not in self._good:
            check_signature(entry, signature, public)
            if len(self._good) >= _VERDICTS:
                self._good.clear()
            self._good[entry.leaf, public] = None

    def _client(self, token: str) -> bytes:
        return hmac.digest(self._pepper, token.encode(), "sha256")[:16]


def _reason(error: LogIntegrityError) -> str:
    """A rung's reason is one of the closed list; what only this database can miss is an entry the root is not of."""
    return error.code if error.code in REASONS else "root-mismatch"


def _ungated(lot: str, index: int) -> bool:
    return False


def _stamp_view(
    roll: StoredRoll, number: int, serial: str, state: StampState, ok: bool | None, facts: ScanFacts
) -> StampView:
    return StampView(
        number_text=format_number(roll.roll.partition("/")[2], number),
        uri=roll.uri(serial),
        state="locked" if state.locked else state.step,
        roll=roll.roll,
        number=number,
        scans=facts.count,
        first_scan_at=facts.first_at,
        own_rescan_at=facts.own_at,
        signature_ok=ok,
        reason=state.reason,
    )
