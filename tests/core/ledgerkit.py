# SPDX-License-Identifier: Apache-2.0
"""
A small log in memory that signs whatever it is told to, valid or not.

Keys are made from names.  Nothing is admitted or refused here: every statement becomes an entry, so tests can
log what an honest operator would not.  Bundles are built by plain loops over the entries, apart from the code
under test.
"""

from collections.abc import Callable, Iterable
from typing import Any

from core.statements import (
    LOT,
    ORIGIN,
    ROLL_URI,
    START,
    Json,
    actor_key,
    address,
    event,
    evm_key,
    key,
    org,
    policy,
    quantities,
    record,
    root,
    signed,
    tree,
    witness_key,
)
from traceledger.core.log.anchor import checkpoint_digest
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from traceledger.core.log.note import (
    NoteSignature,
    anchor_line,
    sign_checkpoint,
    with_lines,
)
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Envelope
from traceledger.core.state.lineage import made_from, subjects_of
from traceledger.core.state.registry import Registry


class Ledger:
    """Entries of one log, in order, with what is needed to prove them."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.registry = Registry(ORIGIN)
        self.time = START

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.entries)

    def id(self, index: int) -> str:
        """Statement id of the entry at *index*."""
        return self.entries[index].id

    def append(
        self, envelope: Envelope, *, t: int | None = None, reg: tuple[int, bytes] | None = None
    ) -> int:
        """Log *envelope* and return its index; *t* and *reg* may be wrong."""
        self.time += 1
        entry = Entry.make(
            envelope, reg=self.registry.head if reg is None else reg, t=self.time if t is None else t
        )
        self.entries.append(entry)
        if entry.is_registry:
            self.registry.apply(self.size - 1, entry)
        return self.size - 1

    def put(self, statement: object, family: str, *names: str, t: int | None = None) -> int:
        """Sign and log *statement*."""
        return self.append(signed(statement, family, *names), t=t)

    def enrol(
        self,
        name: str,
        *,
        roles: Iterable[str] = (),
        acts: Iterable[str] = ("*",),
        sites: Iterable[str] = ("*",),
    ) -> None:
        """Register the organisation *name* with a key of the same name."""
        more = {"roles": list(roles)} if roles else {}
        self.put(org(name, **more), "org", "root", f"{name} admin")
        self.put(actor_key(name, name, acts=acts, sites=sites), "key", f"{name} admin", name)

    def say(
        self,
        kind: str,
        *uris: str,
        actor: str = "farm",
        signer: str | None = None,
        link: bool = True,
        **more: object,
    ) -> int:
        """Log an event on *uris* that follows the newest entry of each; return its index."""
        place = "childQuantityList" if kind in ("pack", "unpack") else "quantityList"
        lists = {} if kind == "process" else {place: quantities(*uris)}
        statement = event(kind, actor=actor, number=self.size, **{**lists, **more})
        return self.append_linked(statement, "event", signer or actor, link=link)

    def state(
        self,
        family: str,
        kind: str,
        data: Json,
        *,
        about: Iterable[str] = (),
        actor: str = "farm",
        signer: str | None = None,
        link: bool = True,
        **more: object,
    ) -> int:
        """Log a record that follows the newest entry of each subject; return its index."""
        return self.append_linked(
            record(kind, data, actor=actor, about=about, **more), family, signer or actor, link=link
        )

    def append_linked(self, statement: Json, family: str, signer: str, *, link: bool) -> int:
        """Log *statement* with prev filled in, unless *link* is false."""
        name = "tl:prev" if family == "event" else "prev"
        if link and not statement[name]:
            draft = Entry.make(signed(statement, family, signer), reg=(0, bytes(32)), t=0)
            newest = [self.touching(subject)[-1:] for subject in subjects_of(draft)]
            statement = statement | {name: sorted({self.id(index) for found in newest for index in found})}
        return self.put(statement, family, signer)

    def touching(self, subject: str) -> list[int]:
        """Indexes of the entries that touch *subject*."""
        return [index for index, entry in enumerate(self.entries) if subject in subjects_of(entry)]

    def index(
        self,
        *,
        signer: str = "operator",
        size: int | None = None,
        drop: Callable[[str], bool] = lambda subject: False,
    ) -> int:
        """Log an index record; *size* may be wrong, and *drop* leaves subjects out."""
        rows = [row for row in self.rows(self.size) if not drop(row[0])]
        leaves = [leaf_hash(canonical_bytes(list(row))) for row in rows]
        data = {
            "size": self.size if size is None else size,
            "subjects": len(rows),
            "root": b64encode(root_of(leaves)),
        }
        seen = [self.size, b64encode(root_of([entry.leaf for entry in self.entries]))]
        statement = record("index", data, actor="operator") | {"seen": seen}
        return self.put(statement, "log", signer)

    def rows(self, size: int) -> list[tuple[str, int, int]]:
        """(subject, count, last) below *size*, by UTF-8 bytes."""
        found: dict[str, list[int]] = {}
        for index, entry in enumerate(self.entries[:size]):
            for subject in subjects_of(entry):
                found.setdefault(subject, []).append(index)
        return sorted(((s, len(i), i[-1]) for s, i in found.items()), key=lambda row: row[0].encode())

    # --- proofs

    def leaves(self, size: int | None = None) -> list[bytes]:
        """Leaf hashes of the first *size* entries."""
        return [entry.leaf for entry in self.entries[:size]]

    def proof(self, index: int, size: int) -> list[str]:
        """Inclusion proof of *index* in the tree of *size*."""
        return [b64encode(h) for h in inclusion_proof(index, size, tree(self.leaves(size)))]

    def prefix(self, old: int, new: int) -> list[str]:
        """Consistency proof between two sizes."""
        return [b64encode(h) for h in consistency_proof(old, new, tree(self.leaves(new)))]

    def note(
        self,
        size: int | None = None,
        *,
        log: str = "log",
        witnesses: Iterable[str] = (),
        anchored: bool | None = None,
    ) -> str:
        """The checkpoint of *size* with the lines of log key, anchor signer and witnesses."""
        size = self.size if size is None else size
        root_hash = root_of(self.leaves(size))
        checkpoint = sign_checkpoint(ORIGIN, size, root_hash, key(log))
        lines = []
        anchors = self.registry.policy.anchors if self.registry.policy else ()
        if anchored if anchored is not None else anchors and self.entries[size - 1].family == "log":
            made = evm_key("anchor").sign_msg_hash(checkpoint_digest(anchors[0].log_id, size, root_hash))
            lines.append(
                anchor_line(
                    ORIGIN, address("anchor"), r=made.r.to_bytes(32), s=made.s.to_bytes(32), v=made.v + 27
                )
            )
        for name in witnesses:
            message = f"cosignature/v1\ntime {self.time}\n{checkpoint.body}".encode()
            sig = self.time.to_bytes(8) + key(name).sign(message)
            lines.append(NoteSignature(name=f"{name}.example", key_id=witness_key(name).key_id, sig=sig))
        return with_lines(checkpoint, lines).text()

    def item(self, index: int, size: int) -> Json:
        """An entry with its proof."""
        return {"index": index, "entry": self.entries[index].to_json(), "proof": self.proof(index, size)}

    def bundle(
        self,
        subject: str = LOT,
        *,
        size: int | None = None,
        stamp: Json | None = None,
        only: Iterable[int] | None = None,
        slice_of: Iterable[int] | None = None,
        **note: Any,
    ) -> Json:
        """
        A bundle about *subject* below *size*.

        Args:
            only: Content indexes; all that touch the set where None.

            slice_of: Registry indexes for a slice; None shows the whole registry.
        """
        size = self.size if size is None else size
        wanted = self.set_of(subject) + ([ROLL_URI] if stamp else [])
        last = self.entries[size - 1]
        indexed = last.family == "log"
        below = size - 1 if indexed else size
        content = (
            sorted({i for s in wanted for i in self.touching(s) if i < below})
            if only is None
            else sorted(only)
        )
        relied = self.entries[size - 1] if indexed else self.entries[content[-1]]
        registry = [i for i, entry in enumerate(self.entries) if entry.is_registry][: relied.reg[0]]
        return {
            "v": 1,
            "subject": subject,
            "checkpoint": self.note(size, **note),
            "entries": [self.item(i, size) for i in content],
            "index": {"item": self.item(size - 1, size), "subjects": self.shown_rows(size - 1, wanted)}
            if indexed
            else None,
            "registry": {"whole": [{"index": i, "entry": self.entries[i].to_json()} for i in registry]}
            if slice_of is None
            else {"slice": [self.item(i, size) for i in slice_of]},
            "private": [],
            "stamp": stamp,
            "anchors": [],
        }

    def set_of(self, subject: str) -> list[str]:
        """The subject and all it was made from."""
        found = [subject]
        for current in found:
            for index in self.touching(current):
                found += [
                    source
                    for source in made_from(self.entries[index]).get(current, ())
                    if source not in found
                ]
        return found

    def shown_rows(self, size: int, wanted: Iterable[str]) -> list[Json]:
        """Rows of the index record at *size* for the subjects *wanted*."""
        rows = self.rows(size)
        leaves = [leaf_hash(canonical_bytes(list(row))) for row in rows]
        return [
            {
                "subject": subject,
                "count": count,
                "last": last,
                "position": position,
                "proof": [b64encode(h) for h in inclusion_proof(position, len(rows), tree(leaves))],
            }
            for position, (subject, count, last) in enumerate(rows)
            if subject in set(wanted)
        ]


def founded(
    *, witnesses: str = "", anchors: Iterable[Json] = (), threshold: int = 1, roots: Iterable[str] = ("root",)
) -> Ledger:
    """A log with root, policy, an operator and a farm: entries 0 to 5."""
    ledger = Ledger()
    ledger.put(root(*roots, threshold=threshold), "root", *roots)
    ledger.put(policy(witnesses=witnesses, anchors=list(anchors)), "policy", *roots)
    ledger.enrol("operator", roles=["operator"], acts=["log/index"], sites=[])
    ledger.enrol("farm")
    return ledger
