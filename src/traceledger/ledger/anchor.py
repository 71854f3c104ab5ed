# SPDX-License-Identifier: Apache-2.0
"""
Anchoring: put checkpoints on the chain, watch them until they are final, and believe the chain.

One step at a time, each safe to repeat after any crash.  The chain's head is the truth: rows about attempts
are hints.  At most one nonce is in flight; a replacement carries the newest checkpoint.

1. the chain is the one named, and the contract lives there;
2. its head is ours: not beyond our log, and with our root at its size; anything else stops the service;
3. attempts under way are settled by their receipts: mined, final, or lost in a reorganisation;
4. with nothing in flight and something new, an index record is appended, the checkpoint signed by log key and
   anchor signer, the attempt's row written, and only then the transaction sent;
5. what is in flight too long is replaced, both fees 15 % up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Final

from traceledger.chain.rpc import find_anchored
from traceledger.chain.sender import Fees, Prepared, RefusedError, Sender, sign_checkpoint
from traceledger.core.log import note
from traceledger.core.log.anchor import Head, Receipt, decode_anchored
from traceledger.core.log.merkle import consistency_proof, root_at
from traceledger.core.sign.evm import to_compact
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import ConflictError, LogIntegrityError, TemporaryError, VerificationError
from traceledger.keyring.evm import EvmKey
from traceledger.ledger.index import build_record
from traceledger.ledger.recompute import recompute
from traceledger.ledger.sequence import Log
from traceledger.store import anchors
from traceledger.store import log as stored
from traceledger.store.anchors import Attempt

REPLACE_AFTER_S: Final = 120
LOW_WATER: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorState:
    """
    Where anchoring stands after a step.

    Attributes:
        size: Entries in the log.

        anchored: Size of the chain's head.

        final: Greatest size that is final.

        sent: Whether the step offered a checkpoint.

        said: What the step did, one sentence; empty if there was nothing to do.
    """

    size: int
    anchored: int
    final: int
    sent: bool = False
    said: str = ""

    @property
    def settled(self) -> bool:
        """Whether the whole log is anchored, and finally."""
        return self.size == self.anchored == self.final


class Anchorer:
    """
    The anchoring of one log on one chain.

    Args:
        log: The log.

        sender: The relaying account.

        log_id: The log's 32-byte id at the contract.

        signer: Key that signs checkpoints for the contract.

        indexer, operator: Key and organisation that make index records.

        chain: CAIP-2 name.

        heartbeat: Seconds of silence after which an index record is anchored though nothing new was logged.

        demo: Marks index records as of a demonstration.

        mine: Called after a transaction was sent, on a development chain that makes no block by itself.
    """

    def __init__(
        self,
        log: Log,
        sender: Sender,
        *,
        log_id: bytes,
        signer: EvmKey,
        indexer: SigningKey,
        operator: str,
        chain: str,
        heartbeat: float,
        demo: bool = False,
        mine: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time,
    ) -> None:
        self.log: Final = log
        self.sender: Final = sender
        self.log_id: Final = log_id
        self.chain: Final = chain
        self._signer = signer
        self._indexer = indexer
        self._operator = operator
        self._heartbeat = heartbeat
        self._demo = demo
        self._mine = mine
        self._now = now

    def step(self, *, send: bool = True) -> AnchorState:
        """
        Do what is due now.

        Args:
            send: Whether to offer a new checkpoint if there is one; what is under way is looked after always,
                sent again where the endpoint lost it, and replaced when it takes too long.

        Raises:
            TemporaryError: the chain could not be asked, or fees are above the ceiling; nothing is lost.
            LogIntegrityError: code ``anchor-ahead`` or ``head-fork``: stop, and call a human.
            VerificationError, InputError: ``chain-id``, ``contract-missing``: the configuration is of another
                chain.
        """
        self.sender.check()
        head = self.sender.head(self.log_id)
        self._compare(head)
        said = self._settle(head)
        sent = self._offer(head, new=send)
        if send or sent:
            head = self.sender.head(self.log_id)
            said += sent + self._settle(head)
        with self.log.database.read() as connection:
            final = anchors.final_size(connection, self.chain)
            size = stored.read_head(connection).size
        return AnchorState(size=size, anchored=head.size, final=final, sent=bool(sent), said=said)

    # --- (2) the head is ours

    def _compare(self, head: Head) -> None:
        if not head.is_open:
            raise ConflictError(
                "the log is not open at the contract: run `traceledger anchor --setup`", code="log-unopened"
            )
        if head.is_sealed:
            raise LogIntegrityError(
                f"the log is sealed; its successor is 0x{head.successor.hex()}", code="anchor-mismatch"
            )
        with self.log.database.read() as connection:
            size = stored.read_head(connection).size
            if head.size > size:
                raise LogIntegrityError(
                    f"the chain knows {head.size} entries, this log has {size}: the log was cut, or its key stolen",
                    code="anchor-ahead",
                )
            if head.size and root_at(head.size, stored.node_hashes(connection, head.size)) != head.root:
                raise LogIntegrityError(
                    f"the chain's head of size {head.size} is not a head of this log", code="head-fork"
                )

    # --- (3) attempts under way

    def _settle(self, head: Head) -> str:
        with self.log.database.read() as connection:
            open_attempts = anchors.by_state(connection, self.chain, ["signed", "mined"])
            gone = anchors.final_above(connection, self.chain, head.size)
        said = ""
        for attempt in gone:
            self._move(attempt, "lost")
            said = f"the chain lost its head of size {attempt.size}; it will be anchored again. "
        for attempt in open_attempts:
            said += self._look_after(attempt, head)
        self._adopt(head)
        return said

    def _look_after(self, attempt: Attempt, head: Head) -> str:
        receipt = self.sender.receipt(attempt.tx)
        if receipt is None:
            if attempt.state == "mined":
                # its block left the chain; the transaction may come back, and ours can be sent again
                self._move(attempt, "signed" if attempt.raw else "lost")
                return f"the block of size {attempt.size} left the chain. "
            if head.size >= attempt.size or self.sender.nonce() > attempt.nonce:
                self._move(attempt, "replaced")
            return ""
        if receipt.status != 1:
            self._move(attempt, "failed")
            return f"the transaction for size {attempt.size} reverted. "
        position = self._position(receipt, attempt)
        if position is None:
            self._move(attempt, "failed")
            return ""
        final = self.sender.rpc.block("finalized")
        block = self.sender.rpc.block(receipt.block_number)
        if block is None or block.hash != receipt.block_hash:
            return ""
        settled = final is not None and receipt.block_number <= final.number
        state = "final" if settled else "mined"
        with self.log.database.write() as connection:
            anchors.settle(
                connection,
                attempt.tx,
                state,
                block=receipt.block_number,
                block_hash=receipt.block_hash,
                block_time=block.time,
                log=position,
            )
        return (
            f"size {attempt.size} is {state} in block {receipt.block_number}. "
            if state != attempt.state
            else ""
        )

    def _adopt(self, head: Head) -> None:
        """Take over an anchor that somebody else relayed, or whose row a crash kept from being written."""
        if head.seq == 0:
            return
        with self.log.database.read() as connection:
            if anchors.has_head(connection, self.chain, head.size, head.root):
                return
        found = find_anchored(self.sender.rpc, self.sender.contract, self.log_id, head.seq)
        if found is None:
            return
        attempt = Attempt(
            chain=self.chain,
            contract=self.sender.contract,
            size=head.size,
            root=head.root,
            nonce=0,
            tx=found.tx,
            raw=b"",
            max_fee=0,
            priority_fee=0,
            state="signed",
            created_at=int(self._now()),
        )
        with self.log.database.write() as connection:
            anchors.add(connection, attempt)
        self._look_after(attempt, head)

    def _move(self, attempt: Attempt, state: str) -> None:
        with self.log.database.write() as connection:
            anchors.settle(connection, attempt.tx, state)

    # --- (4) and (5): offer the newest checkpoint

    def _offer(self, head: Head, *, new: bool) -> str:
        with self.log.database.read() as connection:
            signed = anchors.by_state(connection, self.chain, ["signed"])
            size = stored.read_head(connection).size
        # only what has the account's next nonce can be mined; after a reorganisation others may wait behind it
        nonce = self.sender.nonce()
        flying = [attempt for attempt in signed if attempt.raw and attempt.nonce == nonce]
        if flying and self._now() - flying[-1].created_at < REPLACE_AFTER_S:
            for attempt in {one.nonce: one for one in signed if one.raw and one.nonce >= nonce}.values():
                self._rebroadcast(attempt)
            return ""
        silent = size == head.size
        if not (flying or new) or (silent and self._now() - head.time < self._heartbeat):
            return ""
        recompute(self.log.database, self.log.origin)
        checkpoint = self._checkpoint(fresh=silent)
        above = Fees(max_fee=flying[-1].max_fee, priority_fee=flying[-1].priority_fee) if flying else None
        prepared = self._prepare(head, checkpoint, nonce, above)
        if prepared is None:
            return ""
        with self.log.database.write() as connection:
            anchors.add(
                connection,
                Attempt(
                    chain=self.chain,
                    contract=self.sender.contract,
                    size=checkpoint.size,
                    root=checkpoint.root,
                    nonce=prepared.nonce,
                    tx=prepared.tx,
                    raw=prepared.raw,
                    max_fee=prepared.fees.max_fee,
                    priority_fee=prepared.fees.priority_fee,
                    state="signed",
                    created_at=int(self._now()),
                ),
            )
        self._broadcast(prepared.raw)
        return f"sent size {checkpoint.size}. {self._money(prepared.fees)}"

    def _money(self, fees: Fees) -> str:
        """A warning in anchors, not in wei, while there is still time to send the account money."""
        left = self.sender.anchors_left(fees)
        if left >= LOW_WATER:
            return ""
        return (
            f"The account 0x{self.sender.address.hex()} pays for about {left} more anchors: send it money. "
        )

    def _rebroadcast(self, attempt: Attempt) -> None:
        if not self.sender.knows(attempt.tx):
            self._broadcast(attempt.raw)

    def _broadcast(self, raw: bytes) -> None:
        try:
            self.sender.broadcast(raw)
        except ConflictError:
            return  # mined already, or outbid: the next step reads receipts and head
        self._mine()

    def _prepare(
        self, head: Head, checkpoint: note.Checkpoint, nonce: int, above: Fees | None
    ) -> Prepared | None:
        with self.log.database.read() as connection:
            proof = (
                consistency_proof(head.size, checkpoint.size, stored.node_hashes(connection, checkpoint.size))
                if head.size
                else []
            )
        signature = to_compact(
            *sign_checkpoint(
                self._signer.secret, log_id=self.log_id, size=checkpoint.size, root=checkpoint.root
            )
        )
        try:
            return self.sender.build_anchor(
                self.log_id,
                size=checkpoint.size,
                root=checkpoint.root,
                proof=proof,
                signature=signature,
                nonce=nonce,
                fees=self.sender.fees(above=above),
            )
        except RefusedError as error:
            if error.name in ("Stale", "Conflict", "BadProof"):
                return None  # the head moved in between; the next step compares it again
            raise LogIntegrityError(
                f"the contract refuses our checkpoint: {error}", code="anchor-mismatch"
            ) from error

    def _checkpoint(self, *, fresh: bool) -> note.Checkpoint:
        """
        The signed checkpoint that ends in an index record; appends the record if the log grew since the last.

        Args:
            fresh: Append one in any case: nothing happened for long, and an index record is the heartbeat too.
        """
        for _ in range(5):
            with self.log.database.read() as connection:
                head = stored.read_head(connection)
                kept = stored.read_checkpoint(connection, head.size)
                at = head.size - 1
                last = stored.decode_entry(at, stored.read_entry(connection, at)) if head.size else None
            if kept is not None and not fresh:
                return note.parse_checkpoint(kept)  # of this root: `recompute` compared it
            if last is not None and last.family == "log" and not fresh:
                return self._sign(head.size, head.root)
            try:
                record = self.log.submit_built(
                    lambda connection, size, root: build_record(
                        connection,
                        size,
                        root,
                        origin=self.log.origin,
                        operator=self._operator,
                        key=self._indexer,
                        demo=self._demo,
                    )
                )
            except TemporaryError:
                continue
            with self.log.database.read() as connection:
                size = record.index + 1
                return self._sign(size, root_at(size, stored.node_hashes(connection, size)))
        raise TemporaryError("the log grows too fast to place an index record; trying again", code="busy")

    def _sign(self, size: int, root: bytes) -> note.Checkpoint:
        r, s, v = sign_checkpoint(self._signer.secret, log_id=self.log_id, size=size, root=root)
        line = note.anchor_line(self.log.origin, self._signer.address, r=r, s=s, v=v)
        return self.log.sign_anchored(size, root, [line])

    def _position(self, receipt: Receipt, attempt: Attempt) -> int | None:
        """Position among the receipt's logs of the event that fixed the attempt's head."""
        for position, log in enumerate(receipt.logs):
            if log.address != self.sender.contract:
                continue
            try:
                fixed = decode_anchored(log)
            except VerificationError:
                continue
            if (fixed.log_id, fixed.size, fixed.root) == (self.log_id, attempt.size, attempt.root):
                return position
        return None
