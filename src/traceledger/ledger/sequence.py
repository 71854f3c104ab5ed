# SPDX-License-Identifier: Apache-2.0
"""
Sequencing: give admitted statements their index, in one order, durably, and sign what came of it.

One committing thread per process takes whatever submissions wait and appends them in one transaction; the head
row's lock orders processes.  The order of writes is the design:

1. before the lock: form, EPCIS and signatures (what needs no authority, and costs most);
2. under the lock: authority by the registry as it stands at that index, ``prev``, repeats; then entries,
   subjects, full tiles and head in one transaction;
3. after the commit: the checkpoint is signed, and only then is anybody answered.

A crash before the commit leaves nothing; after it, the entry is in the log and a repeat of the submission is
answered with its index.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import time
from typing import Final

from sqlalchemy import Connection

from traceledger.core.judge import admission
from traceledger.core.log import note
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import consistency_proof, inclusion_proof, root_at
from traceledger.core.log.tiles import WIDTH, encode_entry_bundle, tile_width
from traceledger.core.sign.canonical import parse
from traceledger.core.sign.envelope import MAX_ENVELOPE, Envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.lineage import subjects_of
from traceledger.core.state.registry import Registry
from traceledger.errors import (
    InputError,
    LogIntegrityError,
    NotFoundError,
    TemporaryError,
    TraceledgerError,
    VerificationError,
)
from traceledger.store import log as stored
from traceledger.store.database import Database

MAX_GROUP: Final = 1_000
MAX_WAITING: Final = 20_000
_STOP: Final = None

Builder = Callable[[Connection, int, bytes], Envelope]
"""``build(connection, size, root)``: an envelope that depends on the head it will stand on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Where a statement stands: *index*, statement *id*, and whether it stood there before."""

    index: int
    id: str
    repeated: bool


@dataclass(slots=True)
class _Submission:
    envelope: Envelope | None
    build: Builder | None = None
    verified_by: bytes | None = None
    done: "Future[Admitted]" = field(default_factory=Future)


class Log:
    """
    The log of one deployment: admits, sequences, serves and signs.

    Args:
        database: Where it is stored.

        origin: Its one name.

        key: Note key that signs checkpoints; None serves what is stored and signs nothing.

        now: Gives Unix seconds.
    """

    def __init__(
        self, database: Database, origin: str, key: SigningKey | None, *, now: Callable[[], float] = time
    ) -> None:
        note.check_origin(origin)
        self.database: Final = database
        self.origin: Final = origin
        self._key = key
        self.now: Final = now
        self._waiting: queue.Queue[_Submission | None] = queue.Queue(MAX_WAITING)
        self._registry = Registry(origin)
        self._known = 0  # log size up to which `_registry` is folded
        self._note: tuple[int, str] | None = None
        self._broken: LogIntegrityError | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    # --- writing

    def submit(self, envelope: bytes) -> Admitted:
        """
        Admit one envelope, given as its JSON; return once it is durable and covered by a signed checkpoint.

        Raises:
            TraceledgerError: why it was refused; nothing is stored then.
        """
        return self._wait(self._prepare(envelope))

    def submit_many(self, envelopes: Sequence[bytes]) -> list[Admitted | TraceledgerError]:
        """Admit each of *envelopes* in order; a bad one blocks no other."""
        submissions: list[_Submission | TraceledgerError] = []
        for envelope in envelopes:
            try:
                submissions.append(self._prepare(envelope))
            except TraceledgerError as error:
                submissions.append(error)
        for one in submissions:
            if isinstance(one, _Submission):
                try:
                    self._enqueue(one)
                except TraceledgerError as error:
                    one.done.set_exception(error)
        results: list[Admitted | TraceledgerError] = []
        for one in submissions:
            try:
                results.append(one.done.result() if isinstance(one, _Submission) else one)
            except TraceledgerError as error:
                results.append(error)
        return results

    def submit_envelope(self, envelope: Envelope) -> Admitted:
        """Admit an envelope made by this program."""
        return self._wait(self._check(envelope))

    def submit_built(self, build: Builder) -> Admitted:
        """Admit what *build* makes of the head under its lock: the index record needs to know its own place."""
        return self._wait(_Submission(None, build))

    def rehearse(self, envelope: Envelope) -> None:
        """
        Raise what submitting *envelope* would be refused for, as far as it can be told now; stores nothing.

        Raises:
            TraceledgerError: as `submit`, but for ``prev`` and what changes until then.
        """
        self._check(envelope)
        draft = Entry.make(envelope, reg=(0, bytes(32)), t=int(self.now()))
        if not draft.is_registry:
            registry = self.registry()
            key = admission.check_authority(draft, registry).key
            registry.check(draft, envelope.signatures[0], key.public)

    def close(self) -> None:
        """Let the committing thread finish what waits, and end it."""
        with self._lock:
            if self._thread is not None:
                self._waiting.put(_STOP)
                self._thread.join()
                self._thread = None

    def _prepare(self, data: bytes) -> _Submission:
        try:
            envelope = Envelope.from_json(parse(data, limit=MAX_ENVELOPE))
        except VerificationError as error:  # nobody signed this form: it is the sender's to mend
            raise InputError(error.message, code=error.code) from error
        return self._check(envelope)

    def _check(self, envelope: Envelope) -> _Submission:
        """Everything that needs no lock: form, EPCIS, and the signature if the key is known already."""
        draft = Entry.make(envelope, reg=(0, bytes(32)), t=0)
        submission = _Submission(envelope)
        draft.statement  # noqa: B018 - decoding is the test
        if not draft.is_registry:
            admission.check_statement(draft, self.origin)
            admission.check_admissible(draft)
            admission.check_prev_form(draft, self.origin)
            key = self._registry.keys.get(envelope.signatures[0].kid)
            if key is not None:
                self._registry.check(draft, envelope.signatures[0], key.public)
                submission.verified_by = key.public
        return submission

    def _wait(self, submission: _Submission) -> Admitted:
        self._enqueue(submission)
        return submission.done.result()

    def _enqueue(self, submission: _Submission) -> None:
        try:
            self._waiting.put(submission, timeout=5)
        except queue.Full as error:
            raise TemporaryError(
                "too many statements are waiting; send again in a moment", code="busy"
            ) from error
        # after the put: what slips in behind a `close` finds nobody, and starts the thread again
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not _STOP:
            group = [first]
            stop = False
            while len(group) < MAX_GROUP and not self._waiting.empty():
                following = self._waiting.get_nowait()
                if following is _STOP:
                    stop = True
                    break
                group.append(following)
            self._commit(group)
            if stop:
                return

    def _commit(self, group: list[_Submission]) -> None:
        results: dict[int, Admitted | TraceledgerError] = {}
        try:
            if self._broken is not None:
                raise self._broken
            with self.database.write() as connection:
                head = stored.read_head(connection, lock=True)
                self._catch_up(connection, head.size)
                items = _Group(self, self._registry, connection, head).admit(group, results)
                new = stored.append(connection, head, items) if items else head
            self._known = new.size
            self._sign(new, items)
        except BaseException as error:
            self._forget()
            failure = self._failure(error)
            for submission in group:
                submission.done.set_exception(failure)
            return
        for position, submission in enumerate(group):
            result = results[position]
            if isinstance(result, TraceledgerError):
                submission.done.set_exception(result)
            else:
                submission.done.set_result(result)

    def _failure(self, error: BaseException) -> TraceledgerError:
        if isinstance(error, LogIntegrityError):
            self._broken = error
        if isinstance(error, TraceledgerError):
            return error
        # whether the commit reached the disk is not known: a repeat finds out, at no risk
        return TemporaryError(
            f"could not be stored ({type(error).__name__}); send it again", code="not-stored"
        )

    def _catch_up(self, connection: Connection, size: int) -> None:
        if size < self._known:
            raise LogIntegrityError(f"the log shrank from {self._known} to {size}", code="head-rollback")
        for index, entry in stored.read_registry(connection, self._known):
            self._registry.apply(index, entry)
        self._known = size

    def _forget(self) -> None:
        self._registry = Registry(self.origin)
        self._known = 0

    def _sign(self, head: stored.StoredHead, items: Sequence[stored.Appended]) -> None:
        # A checkpoint that ends in an index record needs the anchor signer's line too: the worker publishes it
        if self._key is not None and items and items[-1].entry.family != "log":
            signed = note.sign_checkpoint(self.origin, head.size, head.root, self._key)
            self._note = (head.size, signed.text())

    # --- reading

    def registry(self) -> Registry:
        """Return the registry as of now.  It is shared: read it, never change it."""
        with self.database.read() as connection:
            size = stored.read_head(connection).size
            if size == self._known:
                return self._registry
            registry = Registry(self.origin)
            for index, entry in stored.read_registry(connection, 0):
                registry.apply(index, entry)
            return registry

    def size(self) -> int:
        """Return the number of entries."""
        with self.database.read() as connection:
            return stored.read_head(connection).size

    def checkpoint(self) -> str:
        """
        Return the newest checkpoint note.

        Raises:
            NotFoundError: code ``checkpoint-unknown``: the log is empty, or this process has no key to sign.
        """
        with self.database.read() as connection:
            return self.checkpoint_at(connection, stored.read_head(connection).size)

    def checkpoint_at(self, connection: Connection, size: int) -> str:
        """Return the note at *size*, or just below it where the last entry is an index record not signed yet."""
        kept = stored.read_checkpoint(connection, size)
        if kept is not None:
            return kept
        if self._note is not None and self._note[0] == size:
            return self._note[1]
        if size == 0 or self._key is None:
            raise NotFoundError("there is no checkpoint yet", code="checkpoint-unknown")
        head = stored.read_head(connection)
        if head.size and root_at(head.size, stored.node_hashes(connection, head.size)) != head.root:
            # never sign what a hand in the database made of the log
            raise LogIntegrityError("the stored hashes do not lead to the head", code="root-mismatch")
        if stored.decode_entry(size - 1, stored.read_entry(connection, size - 1)).family == "log":
            return self.checkpoint_at(connection, size - 1)
        root = root_at(size, stored.node_hashes(connection, size))
        text = note.sign_checkpoint(self.origin, size, root, self._key).text()
        self._note = (size, text)
        return text

    def sign_anchored(self, size: int, root: bytes, lines: Sequence[note.NoteSignature]) -> note.Checkpoint:
        """Sign the checkpoint that ends in an index record, with the anchor signers' *lines*, and keep it."""
        if self._key is None:
            raise LogIntegrityError("no log key to sign with", code="key-missing")
        checkpoint = note.with_lines(note.sign_checkpoint(self.origin, size, root, self._key), lines)
        with self.database.write() as connection:
            stored.save_checkpoint(connection, size, checkpoint.text())
        return checkpoint

    def entry(self, index: int) -> bytes:
        """Return the bytes of entry *index*; raises NotFoundError."""
        with self.database.read() as connection:
            return stored.read_entry(connection, index)

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Return the first *width* hashes of a tile; raises NotFoundError."""
        with self.database.read() as connection:
            size = stored.read_head(connection).size
            if not 0 < width <= tile_width(level, number, size):
                raise NotFoundError(
                    f"the log has no tile {level}/{number} of width {width}", code="tile-unknown"
                )
            return b"".join(stored.read_tile(connection, level, number, width))

    def entry_bundle(self, number: int, width: int) -> bytes:
        """Return the entry bundle with the first *width* entries of level-0 tile *number*."""
        with self.database.read() as connection:
            entries = stored.read_entries(connection, number * WIDTH, number * WIDTH + width)
        if len(entries) != width:
            raise NotFoundError(f"the log has no entry bundle {number} of width {width}", code="tile-unknown")
        return encode_entry_bundle(entries)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the inclusion proof of entry *index* in the tree of *size*."""
        with self.database.read() as connection:
            return inclusion_proof(index, size, stored.node_hashes(connection, size))

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Return the consistency proof from *old_size* to *new_size*."""
        with self.database.read() as connection:
            return consistency_proof(old_size, new_size, stored.node_hashes(connection, new_size))


class _Group:
    """One group of submissions under the head's lock."""

    def __init__(self, log: Log, registry: Registry, connection: Connection, head: stored.StoredHead) -> None:
        self.log = log
        self.registry = registry
        self.connection = connection
        self.head = head
        self.t = max(int(log.now()), head.t)
        self.items: list[stored.Appended] = []
        self.here: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.indexes: dict[str, int] = {}
        self.subjects: dict[int, tuple[str, ...]] = {}

    def admit(
        self, group: Sequence[_Submission], results: dict[int, Admitted | TraceledgerError]
    ) -> list[stored.Appended]:
        self._look_up(group)
        # what depends on the head under the lock comes before what moves it
        for position, submission in sorted(enumerate(group), key=lambda pair: pair[1].build is None):
            try:
                results[position] = self._one(submission)
            except TraceledgerError as error:
                results[position] = error
        return self.items

    def _look_up(self, group: Sequence[_Submission]) -> None:
        ids: set[str] = set()
        for submission in group:
            if submission.envelope is not None:
                ids.add(submission.envelope.id)
                draft = Entry.make(submission.envelope, reg=(0, bytes(32)), t=0)
                if not draft.is_registry:
                    ids.update(ref for ref in draft.member("prev") if "/" not in ref)
        self.indexes = stored.find_ids(self.connection, sorted(ids))
        self.subjects = stored.subjects_at(self.connection, sorted(set(self.indexes.values())))

    def _one(self, submission: _Submission) -> Admitted:
        envelope = submission.envelope
        index = self.head.size + len(self.items)
        if envelope is None:
            if self.items or submission.build is None:
                raise TemporaryError("the head moved; build it again", code="busy")
            envelope = submission.build(self.connection, index, self.head.root)
        if envelope.id in self.indexes:
            return Admitted(index=self.indexes[envelope.id], id=envelope.id, repeated=True)
        entry = Entry.make(envelope, reg=self.registry.head, t=self.t)
        subjects = self._check(index, entry, submission)
        self.items.append(stored.Appended(index=index, entry=entry, subjects=subjects))
        self.here[envelope.id] = (index, subjects)
        self.indexes[envelope.id] = index
        return Admitted(index=index, id=envelope.id, repeated=False)

    def _check(self, index: int, entry: Entry, submission: _Submission) -> tuple[str, ...]:
        registry = self.registry
        if entry.is_registry:
            registry.admit(index, entry)
            return ()
        admission.check_index_position(entry, index)
        authority = admission.check_authority(entry, registry)
        if submission.verified_by != authority.key.public:
            registry.check(entry, entry.envelope.signatures[0], authority.key.public)
        admission.check_prev(entry, self.log.origin, self._prev)
        return subjects_of(entry)

    def _prev(self, ref: str) -> tuple[int, tuple[str, ...]] | None:
        if ref in self.here:
            return self.here[ref]
        index = self.indexes.get(ref)
        return None if index is None else (index, self.subjects.get(index, ()))
