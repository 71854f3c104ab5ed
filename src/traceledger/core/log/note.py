# SPDX-License-Identifier: Apache-2.0
"""
Signed notes, checkpoints, cosignatures and witness policies: C2SP signed-note, tlog-checkpoint,
tlog-cosignature and tlog-policy, in the profile of section 6 of the format specification.

The parser is strict both ways: a note is taken only if formatting it again gives the same bytes.  What an
anchor signer's line (type 0xFF) must sign is `log.anchor`; here it is carried like any other line.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from traceledger.core.log.anchor import checkpoint_digest
from traceledger.core.sign import keys
from traceledger.core.sign.encoding import b64decode, b64encode
from traceledger.core.sign.evm import recover_address
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import VerificationError

MAX_NOTE: Final = 128 * 1024
MAX_LINES: Final = 100
ED25519: Final = 0x01
COSIGNATURE: Final = 0x04
_ANCHOR_TYPE: Final = b"\xffeip712-secp256k1/v1"
_ORIGIN = re.compile(r"[a-z0-9.:-]+(/[a-z0-9._~:@!$&'()*,;=-]+)*")
_POLICY_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """A signature line: the *name* of its key, the 4-byte key id, and the signature's bytes."""

    name: str
    key_id: bytes
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """
    A parsed checkpoint: (origin, size, root) and its signature lines.

    Attributes:
        body: The signed text, three lines, each ending in a line feed.
    """

    origin: str
    size: int
    root: bytes
    signatures: tuple[NoteSignature, ...]

    @property
    def body(self) -> str:
        """The text the log key signs."""
        return checkpoint_body(self.origin, self.size, self.root)

    def text(self) -> str:
        """Return the whole note."""
        lines = (f"\u2014 {s.name} {b64encode(s.key_id + s.sig)}\n" for s in self.signatures)
        return f"{self.body}\n{''.join(lines)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A C2SP verifier key: *name*, type byte and 32-byte Ed25519 *public* key."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of SHA-256(name || LF || type || key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def text(self) -> str:
        """Return the vkey text, ``name+hash+base64``."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """
        Parse a vkey of type Ed25519 (0x01) or cosignature/v1 (0x04).

        Raises:
            VerificationError: code ``note-syntax``.
        """
        parts = text.split("+", 2)
        if len(parts) == 3 and _NAME.fullmatch(parts[0]):
            try:
                data = b64decode(parts[2], size=33)
            except VerificationError:
                data = b""
            if data and data[0] in (ED25519, COSIGNATURE):
                key = cls(name=parts[0], kind=data[0], public=data[1:])
                if key.text() == text:
                    return key
        raise VerificationError(
            f"expected a verifier key name+hash+key, got {text[:120]!r}", code="note-syntax"
        )


def check_origin(origin: str) -> None:
    """
    Check a log's name: host[/path], lower case ASCII, no "+" or space, up to 200 bytes.

    Raises:
        VerificationError: code ``note-origin``.
    """
    if len(origin) > 200 or not _ORIGIN.fullmatch(origin):
        raise VerificationError(
            f"expected a log name like trace.example/log, got {origin[:200]!r}", code="note-origin"
        )


def checkpoint_body(origin: str, size: int, root: bytes) -> str:
    """Return the three signed lines of a checkpoint."""
    return f"{origin}\n{size}\n{b64encode(root)}\n"


def sign_checkpoint(origin: str, size: int, root: bytes, key: SigningKey) -> Checkpoint:
    """Sign (size, root) with the log's note key."""
    body = checkpoint_body(origin, size, root).encode()
    name = VerifierKey(name=origin, kind=ED25519, public=key.public)
    line = NoteSignature(name=origin, key_id=name.key_id, sig=key.sign(body))
    return Checkpoint(origin=origin, size=size, root=root, signatures=(line,))


def anchor_line(origin: str, address: bytes, *, r: bytes, s: bytes, v: int) -> NoteSignature:
    """Return the anchor signer's line: r || s || v under the key id of its 20-byte *address*."""
    return NoteSignature(name=origin, key_id=anchor_key_id(origin, address), sig=r + s + bytes([v]))


def anchor_key_id(origin: str, address: bytes) -> bytes:
    """First 4 bytes of SHA-256(origin || LF || 0xFF || "eip712-secp256k1/v1" || address)."""
    return hashlib.sha256(origin.encode() + b"\n" + _ANCHOR_TYPE + address).digest()[:4]


def with_lines(checkpoint: Checkpoint, lines: Iterable[NoteSignature]) -> Checkpoint:
    """Return *checkpoint* with further signature lines behind its own."""
    return Checkpoint(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root,
        signatures=checkpoint.signatures + tuple(lines),
    )


def parse_checkpoint(text: str) -> Checkpoint:
    """
    Parse a checkpoint note without extension lines.

    Raises:
        VerificationError: code ``note-syntax`` or ``note-origin``.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_NOTE:
        raise _syntax(f"a note up to {MAX_NOTE} bytes")
    body, blank, tail = text.partition("\n\n")
    lines = body.split("\n")
    if not blank or len(lines) != 3:
        raise _syntax("origin, size and root lines, a blank line, then signatures")
    origin, size_text, root_text = lines
    check_origin(origin)
    if not size_text.isascii() or not size_text.isdigit() or len(size_text) > 16:
        raise _syntax("a decimal size")
    try:
        root = b64decode(root_text, size=32)
    except VerificationError as error:
        raise _syntax("a base64 root of 32 bytes") from error
    signatures = _signature_lines(tail)
    checkpoint = Checkpoint(origin=origin, size=int(size_text), root=root, signatures=signatures)
    if checkpoint.text() != text:
        raise _syntax("a note in its only form")
    return checkpoint


def verify_log_signature(
    checkpoint: Checkpoint,
    log_keys: Sequence[VerifierKey],
    anchors: Sequence[tuple[bytes, bytes]],
    *,
    anchored: bool,
) -> None:
    """
    Verify every line under the origin's name.

    Args:
        checkpoint: The parsed checkpoint.

        log_keys: Note keys of the newest policy that may sign this size.

        anchors: (log id, signer address) of each chain the newest policy names.

        anchored: Whether the last entry is an index record, so that every anchor signer must have signed.

    Raises:
        VerificationError: code ``note-signature``.
    """
    by_id = {key.key_id: key for key in log_keys}
    signers = {anchor_key_id(checkpoint.origin, signer): (log_id, signer) for log_id, signer in anchors}
    seen: set[bytes] = set()
    by_log_key = False
    for line in checkpoint.signatures:
        if line.name != checkpoint.origin:
            continue
        if line.key_id in seen:
            raise _bad_signature("each key once")
        seen.add(line.key_id)
        if key := by_id.get(line.key_id):
            try:
                keys.verify(key.public, line.sig, checkpoint.body.encode())
            except VerificationError as error:
                raise _bad_signature("a signature by the log key") from error
            by_log_key = True
        elif pair := signers.get(line.key_id):
            _verify_anchor_line(checkpoint, line, *pair)
        else:
            raise _bad_signature("lines under the log's name by keys of its newest policy only")
    if not by_log_key:
        raise _bad_signature("a line by a log key of the newest policy")
    if anchored and not signers.keys() <= seen:
        raise _bad_signature("a line by every anchor signer, since the last entry is an index record")


def _verify_anchor_line(checkpoint: Checkpoint, line: NoteSignature, log_id: bytes, signer: bytes) -> None:
    digest = checkpoint_digest(log_id, checkpoint.size, checkpoint.root)
    if len(line.sig) != 65:
        raise _bad_signature("65 bytes r, s, v")
    try:
        address = recover_address(digest, r=line.sig[:32], s=line.sig[32:64], v=line.sig[64])
    except VerificationError as error:
        raise _bad_signature("a recoverable secp256k1 signature with low s") from error
    if address != signer:
        raise _bad_signature("a signature by the anchor signer of the policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPolicy:
    """A parsed tlog-policy: witnesses by name, groups (k, members), and the quorum's name or None."""

    witnesses: dict[str, VerifierKey]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    quorum: str | None

    @classmethod
    def parse(cls, text: str) -> "WitnessPolicy":
        """
        Parse ``witness``, ``group`` and ``quorum`` lines of a C2SP tlog-policy.

        A witness key stands in it once and a name in one group at most, so that nobody counts twice.  Exactly
        one quorum line is asked for; a text without any line is short for ``quorum none``.

        Raises:
            VerificationError: code ``note-syntax``.
        """
        witnesses: dict[str, VerifierKey] = {}
        groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        quorum: str | None = None
        decided = False
        members_of_any: set[str] = set()
        if _POLICY_CONTROL.search(text):
            raise _syntax("a policy without control characters")
        for line in text.split("\n"):
            words = [word for word in re.split("[ \t]+", line) if word]
            known = witnesses.keys() | groups.keys()
            match words:
                case []:
                    continue
                case [comment, *_] if comment.startswith("#"):
                    continue
                case ["witness", name, vkey, *rest] if (
                    name not in known and name != "none" and len(rest) <= 1
                ):
                    key = VerifierKey.parse(vkey)
                    if key.kind != COSIGNATURE or any(key.public == k.public for k in witnesses.values()):
                        raise _syntax("a cosignature/v1 key for each witness, no two alike")
                    witnesses[name] = key
                case ["group", name, need, *members] if name not in known and name != "none" and members:
                    fresh = set(members) - members_of_any
                    if not fresh <= known or len(fresh) != len(members):
                        raise _syntax(f"members of group {name} to be named before it, in no other group")
                    members_of_any |= fresh
                    groups[name] = (_threshold(need, len(members)), tuple(members))
                case ["quorum", name] if not decided and (name == "none" or name in known):
                    quorum = None if name == "none" else name
                    decided = True
                case _:
                    raise _syntax(f"witness, group and quorum lines, got {line[:80]!r}")
        if witnesses and not decided:
            raise _syntax("a quorum line")
        return cls(witnesses=witnesses, groups=groups, quorum=quorum)

    def met_by(self, present: set[str]) -> bool:
        """Say whether the witnesses named in *present* fulfil the quorum; True where there is none."""
        holding = {name for name in self.witnesses if name in present}
        for name, (need, members) in self.groups.items():  # in the order of the text: members come first
            if len(holding.intersection(members)) >= need:
                holding.add(name)
        return self.quorum is None or self.quorum in holding


def verify_cosignatures(checkpoint: Checkpoint, policy: WitnessPolicy) -> set[str]:
    """
    Return the policy names of the witnesses whose cosignature/v1 is on *checkpoint*.

    Raises:
        VerificationError: code ``cosignature``: a line by a witness of the policy does not verify.
    """
    present: set[str] = set()
    by_id = {(key.name, key.key_id): name for name, key in policy.witnesses.items()}
    for line in checkpoint.signatures:
        name = by_id.get((line.name, line.key_id))
        if name is None:
            continue
        message = f"cosignature/v1\ntime {int.from_bytes(line.sig[:8])}\n{checkpoint.body}".encode()
        try:
            keys.verify(policy.witnesses[name].public, line.sig[8:], message)
        except VerificationError as error:
            raise VerificationError(
                f"the cosignature of witness {name} does not verify", code="cosignature"
            ) from error
        present.add(name)
    return present


def _threshold(text: str, count: int) -> int:
    if text == "all":
        return count
    if text == "any":
        return 1
    if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= count and len(text) <= 4:
        return int(text)
    raise _syntax(f"a group threshold from 1 to {count}, any or all")


def _signature_lines(tail: str) -> tuple[NoteSignature, ...]:
    lines = tail.split("\n")
    if lines.pop() != "" or not 1 <= len(lines) <= MAX_LINES:
        raise _syntax(f"1 to {MAX_LINES} signature lines, each ending in a line feed")
    found = []
    for line in lines:
        words = line.split(" ")
        if len(words) != 3 or words[0] != "\u2014" or not _NAME.fullmatch(words[1]):
            raise _syntax("an em dash, a key name and a signature")
        try:
            data = b64decode(words[2])
        except VerificationError as error:
            raise _syntax("a base64 signature") from error
        if len(data) < 5:
            raise _syntax("a key id and a signature")
        found.append(NoteSignature(name=words[1], key_id=data[:4], sig=data[4:]))
    return tuple(found)


def _syntax(expected: str) -> VerificationError:
    return VerificationError(f"expected {expected}", code="note-syntax")


def _bad_signature(expected: str) -> VerificationError:
    return VerificationError(f"expected {expected}", code="note-signature")
