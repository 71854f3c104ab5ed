# SPDX-License-Identifier: Apache-2.0
"""
Bundles and trust files: what a consumer or auditor takes home.  Section 7 of the format specification.

Parsing checks form only, strictly: the shape, ascending indexes used once, and which family may stand where.
Entries are kept as their JSON; `judge.verify` decodes them, because an entry that does not decode is a failed
rung and not a malformed bundle.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from traceledger.core.claims import records
from traceledger.core.log.note import WitnessPolicy, check_origin
from traceledger.core.sign.canonical import Json, canonical_bytes, parse
from traceledger.core.sign.encoding import b64decode, b64encode, b64u_decode, b64u_encode
from traceledger.core.sign.envelope import REGISTRY_FAMILIES
from traceledger.errors import InputError, VerificationError

MAX_BUNDLE: Final = 64 * 1024 * 1024
MAX_CONTENT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An entry at *index* with its inclusion proof into the bundle's checkpoint."""

    index: int
    entry: Json
    proof: tuple[bytes, ...]

    def to_json(self) -> Json:
        """Return the item's JSON object."""
        return {"index": self.index, "entry": self.entry, "proof": _proof_json(self.proof)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the index record: *subject* has *count* entries, the last at *last*, at *position*."""

    subject: str
    count: int
    last: int
    position: int
    proof: tuple[bytes, ...]

    @property
    def data(self) -> bytes:
        """Leaf data of the row: JCS([subject, count, last])."""
        return row_data(self.subject, self.count, self.last)

    def to_json(self) -> Json:
        """Return the row's JSON object."""
        return {
            "subject": self.subject,
            "count": self.count,
            "last": self.last,
            "position": self.position,
            "proof": _proof_json(self.proof),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An opened private part of the entry at *index*."""

    index: int
    name: str
    salt: bytes
    value: Json

    def to_json(self) -> Json:
        """Return its JSON object."""
        return {"index": self.index, "name": self.name, "salt": b64u_encode(self.salt), "value": self.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class StampProof:
    """A stamp's link with what proves it into the roll issued at *index*."""

    uri: str
    index: int
    number: int
    salt: bytes
    proof: tuple[bytes, ...]

    def to_json(self) -> Json:
        """Return its JSON object."""
        return {
            "uri": self.uri,
            "index": self.index,
            "number": self.number,
            "salt": b64u_encode(self.salt),
            "proof": _proof_json(self.proof),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """
    Where the chain fixed a head that covers the checkpoint.

    Attributes:
        chain: ``eip155:<n>``.

        tx: Transaction hash, 0x and lower hex.

        log: Position of the ``Anchored`` event among the receipt's logs.

        proof: Consistency proof from the checkpoint to the anchored head.
    """

    chain: str
    tx: str
    log: int
    proof: tuple[bytes, ...]

    def to_json(self) -> Json:
        """Return its JSON object."""
        return {"chain": self.chain, "tx": self.tx, "log": self.log, "proof": _proof_json(self.proof)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """
    A lot's statements with all that proves them.

    Attributes:
        subject: What it is about.

        checkpoint: Note text into which every item proves.

        entries: The content, ascending by index.

        index_item, rows: The index record just below the checkpoint and its rows, or None and ().

        whole: (index, entry) of every registry entry up to the last one relied on; None with a slice.

        slice: Registry items relied on, proven; None with the whole registry.
    """

    subject: str
    checkpoint: str
    entries: tuple[Item, ...]
    index_item: Item | None = None
    rows: tuple[Row, ...] = ()
    whole: tuple[tuple[int, Json], ...] | None = None
    slice: tuple[Item, ...] | None = None
    private: tuple[Opened, ...] = ()
    stamp: StampProof | None = None
    anchors: tuple[Anchored, ...] = ()

    def to_json(self) -> Json:
        """Return the bundle's JSON object."""
        if self.slice is None:
            whole = self.whole or ()
            registry: Json = {"whole": [{"index": index, "entry": entry} for index, entry in whole]}
        else:
            registry = {"slice": [item.to_json() for item in self.slice]}
        index: Json = None
        if self.index_item is not None:
            index = {"item": self.index_item.to_json(), "subjects": [row.to_json() for row in self.rows]}
        return {
            "v": 1,
            "subject": self.subject,
            "checkpoint": self.checkpoint,
            "entries": [item.to_json() for item in self.entries],
            "index": index,
            "registry": registry,
            "private": [part.to_json() for part in self.private],
            "stamp": None if self.stamp is None else self.stamp.to_json(),
            "anchors": [anchor.to_json() for anchor in self.anchors],
        }

    def encode(self) -> bytes:
        """Return the bundle's canonical bytes."""
        return canonical_bytes(self.to_json())

    @classmethod
    def parse(cls, data: bytes) -> "Bundle":
        """
        Parse a bundle file.

        Raises:
            InputError: code ``bundle-shape``, or the JSON code for what is not strict JSON.
        """
        try:
            return cls.from_json(parse(data, limit=MAX_BUNDLE))
        except VerificationError as error:
            raise InputError(error.message, code=error.code, where=error.where) from error

    @classmethod
    def from_json(cls, value: Json) -> "Bundle":
        """Read a bundle's JSON object; raises InputError ``bundle-shape``."""
        try:
            bundle = cls._read(value)
        except VerificationError as error:
            raise InputError(error.message, code="bundle-shape") from error
        _check_order(bundle)
        return bundle

    @classmethod
    def _read(cls, value: Json) -> "Bundle":
        records.require(value, _BUNDLE, "bundle")
        if not 1 <= len(value["entries"]) <= MAX_CONTENT:
            raise VerificationError(f"expected 1 to {MAX_CONTENT} entries, got {len(value['entries'])}")
        index, registry = value["index"], value["registry"]
        whole = items = None
        if index is not None:
            records.require(index, {"item": _object, "subjects": _list}, "index")
        if isinstance(registry, dict) and "whole" in registry:
            records.require(registry, {"whole": _list}, "registry")
            if not registry["whole"]:
                raise VerificationError("expected at least one registry entry")
            whole = tuple(_claimed(item) for item in registry["whole"])
        else:
            records.require(registry, {"slice": _list}, "registry")
            if not registry["slice"]:
                raise VerificationError("expected at least one registry entry")
            items = tuple(_item(item) for item in registry["slice"])
        return cls(
            subject=value["subject"],
            checkpoint=value["checkpoint"],
            entries=tuple(_item(item) for item in value["entries"]),
            index_item=None if index is None else _item(index["item"]),
            rows=() if index is None else tuple(_row(row) for row in index["subjects"]),
            whole=whole,
            slice=items,
            private=tuple(_opened(part) for part in value["private"]),
            stamp=None if value["stamp"] is None else _stamp(value["stamp"]),
            anchors=tuple(_anchored(anchor) for anchor in value["anchors"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """
    A pinned trust file: what a bundle is judged against.

    Attributes:
        origin: The log's name.

        genesis: Statement id of entry 0, hex.

        witnesses: A tlog-policy of the reader's own, or None for the log's.
    """

    origin: str
    genesis: str
    witnesses: str | None = None

    @classmethod
    def parse(cls, data: bytes) -> "Trust":
        """
        Parse a trust file.

        Raises:
            InputError: code ``trust-file``.
        """
        try:
            value = parse(data, limit=256 * 1024)
            records.require(value, _TRUST, "trust file")
            check_origin(value["origin"])
            WitnessPolicy.parse(value.get("witnesses", ""))
        except VerificationError as error:
            raise InputError(f"not a trust file: {error.message}", code="trust-file") from error
        return cls(origin=value["origin"], genesis=value["genesis"], witnesses=value.get("witnesses"))

    def encode(self) -> bytes:
        """Return the trust file's text, indented for people."""
        value: dict[str, Json] = {"v": 1, "origin": self.origin, "genesis": self.genesis}
        if self.witnesses is not None:
            value["witnesses"] = self.witnesses
        return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def row_data(subject: str, count: int, last: int) -> bytes:
    """Return the leaf data of an index record's row: JCS([subject, count, last])."""
    return canonical_bytes([subject, count, last])


def _object(value: Json) -> bool:
    return isinstance(value, dict)


def _list(value: Json) -> bool:
    return isinstance(value, list)


def _any(value: Json) -> bool:
    return True


def _maybe_object(value: Json) -> bool:
    return value is None or isinstance(value, dict)


def _is_v1(value: Json) -> bool:
    return type(value) is int and value == 1


_BUNDLE: Final[records.Shape] = {
    "v": _is_v1,
    "subject": records.text,
    "checkpoint": records.text,
    "entries": _list,
    "index": _maybe_object,
    "registry": _object,
    "private": _list,
    "stamp": _maybe_object,
    "anchors": _list,
}
_TRUST: Final[records.Shape] = {
    "v": _is_v1,
    "origin": records.text,
    "genesis": records.is_hex64,
    "witnesses?": records.text,
}


def _item(value: Json) -> Item:
    records.require(value, {"index": records.uint, "entry": _object, "proof": _list}, "item")
    return Item(index=value["index"], entry=value["entry"], proof=_proof(value["proof"]))


def _claimed(value: Json) -> tuple[int, Json]:
    records.require(value, {"index": records.uint, "entry": _object}, "registry")
    return value["index"], value["entry"]


def _row(value: Json) -> Row:
    shape = {
        "subject": records.text,
        "count": records.positive,
        "last": records.uint,
        "position": records.uint,
        "proof": _list,
    }
    records.require(value, shape, "row")
    return Row(
        subject=value["subject"],
        count=value["count"],
        last=value["last"],
        position=value["position"],
        proof=_proof(value["proof"]),
    )


def _opened(value: Json) -> Opened:
    shape = {"index": records.uint, "name": records.is_name, "salt": records.text, "value": _any}
    records.require(value, shape, "private")
    return Opened(
        index=value["index"],
        name=value["name"],
        salt=b64u_decode(value["salt"], size=16),
        value=value["value"],
    )


def _stamp(value: Json) -> StampProof:
    shape = {
        "uri": records.text,
        "index": records.uint,
        "number": records.uint,
        "salt": records.text,
        "proof": _list,
    }
    records.require(value, shape, "stamp")
    return StampProof(
        uri=value["uri"],
        index=value["index"],
        number=value["number"],
        salt=b64u_decode(value["salt"], size=16),
        proof=_proof(value["proof"]),
    )


def _anchored(value: Json) -> Anchored:
    shape = {"chain": records.is_chain, "tx": records.is_tx, "log": records.uint, "proof": _list}
    records.require(value, shape, "anchor")
    return Anchored(chain=value["chain"], tx=value["tx"], log=value["log"], proof=_proof(value["proof"]))


def _proof(value: Sequence[Json]) -> tuple[bytes, ...]:
    return tuple(b64decode(item, size=32) for item in value)


def _proof_json(proof: Sequence[bytes]) -> list[str]:
    return [b64encode(item) for item in proof]


def _family(entry: Json) -> str | None:
    """Family an entry's JSON claims, or None where it claims none that exists."""
    envelope = entry.get("env")
    named = envelope.get("payloadType") if isinstance(envelope, dict) else None
    if not isinstance(named, str):
        return None
    return named.removeprefix("application/vnd.traceledger.").removesuffix(".v1+json")


def _check_order(bundle: Bundle) -> None:
    registry = [index for index, _ in bundle.whole or ()] + [item.index for item in bundle.slice or ()]
    content = [item.index for item in bundle.entries]
    everything = registry + content + ([bundle.index_item.index] if bundle.index_item else [])
    if registry != sorted(registry) or content != sorted(content) or len(set(everything)) != len(everything):
        raise InputError("expected indexes ascending, none twice", code="bundle-shape")
    positions = [row.position for row in bundle.rows]
    if positions != sorted(set(positions)):
        raise InputError("expected index rows ascending by position, none twice", code="bundle-shape")
    parts = [(part.index, part.name) for part in bundle.private]
    if len(set(parts)) != len(parts):
        raise InputError("expected each private part once", code="bundle-shape")
    families = [_family(item.entry) for item in bundle.entries]
    if any(family in REGISTRY_FAMILIES for family in families):
        raise InputError("expected no registry statement among the entries", code="bundle-shape")
    registered = [_family(entry) for _, entry in bundle.whole or ()] + [
        _family(i.entry) for i in bundle.slice or ()
    ]
    if any(family is not None and family not in REGISTRY_FAMILIES for family in registered):
        raise InputError("expected registry statements only in registry", code="bundle-shape")
    if bundle.index_item is not None and _family(bundle.index_item.entry) not in ("log", None):
        raise InputError("expected an index record in index", code="bundle-shape")
