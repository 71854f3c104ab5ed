# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: published notes, one form only, log key, anchor signer, witnesses and quorums."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from traceledger.core.log import note
from traceledger.core.log.anchor import checkpoint_digest
from traceledger.core.log.note import (
    COSIGNATURE,
    ED25519,
    MAX_LINES,
    Checkpoint,
    NoteSignature,
    VerifierKey,
    WitnessPolicy,
    anchor_key_id,
    anchor_line,
    check_origin,
    parse_checkpoint,
    sign_checkpoint,
    verify_cosignatures,
    verify_log_signature,
    with_lines,
)
from traceledger.core.sign.encoding import b64decode, b64encode
from traceledger.core.sign.keys import SigningKey, verify
from traceledger.errors import VerificationError

ORIGIN = "log.example/lots"
ROOT = hashlib.sha256(b"root").digest()
KEY = SigningKey(hashlib.sha256(b"log").digest())
VKEY = VerifierKey(name=ORIGIN, kind=ED25519, public=KEY.public)
CHECKPOINT = sign_checkpoint(ORIGIN, 11, ROOT, KEY)
TEXT = CHECKPOINT.text()

LOG_ID = hashlib.sha256(b"log id").digest()
EVM_KEY = PrivateKey(hashlib.sha256(b"anchor").digest())
SIGNER = EVM_KEY.public_key.to_canonical_address()


def anchor_signature(size: int = 11, root: bytes = ROOT, key: PrivateKey = EVM_KEY) -> NoteSignature:
    """Sign a head as the anchor signer does."""
    made = key.sign_msg_hash(checkpoint_digest(LOG_ID, size, root))
    return anchor_line(ORIGIN, SIGNER, r=made.r.to_bytes(32), s=made.s.to_bytes(32), v=made.v + 27)


class Witness:
    """A witness with its key and verifier key."""

    def __init__(self, name: str) -> None:
        self.key = SigningKey(hashlib.sha256(name.encode()).digest())
        self.vkey = VerifierKey(name=f"{name}.example", kind=COSIGNATURE, public=self.key.public)

    def cosign(self, checkpoint: Checkpoint, time: int = 1_795_131_661) -> NoteSignature:
        """Sign as cosignature/v1."""
        message = f"cosignature/v1\ntime {time}\n{checkpoint.body}".encode()
        sig = time.to_bytes(8) + self.key.sign(message)
        return NoteSignature(name=self.vkey.name, key_id=self.vkey.key_id, sig=sig)


WITNESSES = [Witness(f"w{i}") for i in range(4)]


def code_of(text: str) -> str:
    """Return the reason code for which a note is refused."""
    with pytest.raises(VerificationError) as caught:
        parse_checkpoint(text)
    return caught.value.code


def logged(
    checkpoint: Checkpoint = CHECKPOINT,
    keys: tuple[VerifierKey, ...] = (VKEY,),
    anchors: tuple[tuple[bytes, bytes], ...] = (),
    *,
    anchored: bool = False,
) -> str | None:
    """Return the reason code of the log's own lines, or None if they hold."""
    try:
        verify_log_signature(checkpoint, keys, anchors, anchored=anchored)
    except VerificationError as error:
        return error.code
    return None


# --- form


def test_a_checkpoint_comes_back() -> None:
    """Parsing the text of a checkpoint gives the checkpoint."""
    assert parse_checkpoint(TEXT) == CHECKPOINT
    assert TEXT.splitlines()[:4] == [ORIGIN, "11", b64encode(ROOT), ""]
    empty = sign_checkpoint(ORIGIN, 0, ROOT, KEY)
    assert parse_checkpoint(empty.text()) == empty


LINE = TEXT.splitlines()[4]
FORMS = {
    "empty": "",
    "no signatures": "\n".join(TEXT.split("\n")[:3]) + "\n",
    "a blank line and no signatures": "\n".join(TEXT.split("\n")[:3]) + "\n\n",
    "no blank line": TEXT.replace("\n\n", "\n"),
    "two blank lines": TEXT.replace("\n\n", "\n\n\n"),
    "no last line feed": TEXT[:-1],
    "another line feed": TEXT + "\n",
    "carriage returns": TEXT.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + TEXT,
    "space in front": " " + TEXT,
    "an extension line": TEXT.replace("\n\n", "\nextra\n\n"),
    "no root": TEXT.replace(b64encode(ROOT) + "\n", ""),
    "text behind": TEXT + "more\n",
    "no em dash": TEXT.replace("\u2014", "-"),
    "en dash": TEXT.replace("\u2014", "\u2013"),
    "two spaces": TEXT.replace("\u2014 ", "\u2014  "),
    "tab": TEXT.replace("\u2014 ", "\u2014\t"),
    "space behind": TEXT[:-1] + " \n",
    "no name": TEXT.replace(f"\u2014 {ORIGIN}", "\u2014"),
    "plus in the name": TEXT.replace(f"\u2014 {ORIGIN}", "\u2014 a+b"),
    "no-break space in the name": TEXT.replace(f"\u2014 {ORIGIN}", "\u2014 a\u00a0b"),
    "size with a sign": TEXT.replace("\n11\n", "\n+11\n"),
    "size negative": TEXT.replace("\n11\n", "\n-11\n"),
    "size with a leading zero": TEXT.replace("\n11\n", "\n011\n"),
    "size in hex": TEXT.replace("\n11\n", "\n0xb\n"),
    "size with a point": TEXT.replace("\n11\n", "\n11.0\n"),
    "size in other digits": TEXT.replace("\n11\n", "\n\u0661\u0661\n"),
    "size of seventeen digits": TEXT.replace("\n11\n", f"\n{'1' * 17}\n"),
    "size empty": TEXT.replace("\n11\n", "\n\n"),
    "root short": TEXT.replace(b64encode(ROOT), b64encode(ROOT[:-1])),
    "root long": TEXT.replace(b64encode(ROOT), b64encode(ROOT + b"\0")),
    "root unpadded": TEXT.replace(b64encode(ROOT), b64encode(ROOT)[:-1]),
    "root in hex": TEXT.replace(b64encode(ROOT), ROOT.hex()),
    "root empty": TEXT.replace(b64encode(ROOT), ""),
    "signature of a key id only": TEXT.replace(LINE, f"\u2014 {ORIGIN} {b64encode(bytes(4))}"),
    "signature unpadded": TEXT.replace(LINE, LINE.rstrip("=")),
    "signature in the url alphabet": TEXT.replace(LINE, f"\u2014 {ORIGIN} ____-___"),
    "signature empty": TEXT.replace(LINE, f"\u2014 {ORIGIN} "),
    "too many lines": TEXT + (LINE + "\n") * MAX_LINES,
    "too large": TEXT + f"\u2014 w {'A' * 200_000}\n",
    "half a character in a name": TEXT + "\u2014 \ud800\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_another_form_of_a_checkpoint_is_refused(name: str) -> None:
    """Each change of layout is refused: a note has one text."""
    assert code_of(FORMS[name]) in ("note-syntax", "note-origin")
    if name not in ("carriage returns", "byte order mark", "space in front"):
        assert code_of(FORMS[name]) == "note-syntax"


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "Log.example",
        "log example",
        "log+example",
        "lög.example",
        "log.example/",
        "/log",
        "a//b",
        "a" * 201,
        "a\tb",
    ],
)
def test_a_name_that_is_no_origin(origin: str) -> None:
    """Capitals, spaces, plus, other letters, an empty part, or more than 200 bytes make no origin."""
    with pytest.raises(VerificationError) as caught:
        check_origin(origin)
    assert caught.value.code == "note-origin"
    assert code_of(TEXT.replace(ORIGIN, origin)) in ("note-origin", "note-syntax")


@pytest.mark.parametrize(
    "origin", ["a", "trace.example", "localhost:8080/log", "a" * 200, "trace.example/a/b-c_d~e"]
)
def test_a_name_that_is_an_origin(origin: str) -> None:
    """Host and path of lower case ASCII, up to 200 bytes."""
    check_origin(origin)
    assert parse_checkpoint(sign_checkpoint(origin, 1, ROOT, KEY).text()).origin == origin


@given(st.integers(0, len(TEXT) - 1), st.characters(exclude_categories=["Cs"]))
def test_every_character_of_a_checkpoint_counts(at: int, character: str) -> None:
    """One character changed is refused by the parser or by the signature."""
    changed = TEXT[:at] + character + TEXT[at + 1 :]
    try:
        parsed = parse_checkpoint(changed)
    except VerificationError:
        return
    assert parsed.text() == changed
    if changed != TEXT:
        foreign = parsed.origin != ORIGIN or parsed.signatures[0].name != parsed.origin
        assert foreign or logged(parsed) == "note-signature"


@given(st.text(max_size=60) | st.lists(st.sampled_from([ORIGIN, "11", b64encode(ROOT), "", LINE, "\u2014", "\n", " "])).map("\n".join))  # fmt: skip
def test_only_errors_of_the_tree_escape(text: str) -> None:
    """Random text is refused, or is the only text of what it says."""
    try:
        parsed = parse_checkpoint(text)
    except VerificationError:
        return
    assert parsed.text() == text


# --- the log's lines


def test_the_log_key_signs_the_three_lines() -> None:
    """The line of the log key verifies over origin, size and root."""
    assert logged() is None
    verify(KEY.public, CHECKPOINT.signatures[0].sig, CHECKPOINT.body.encode())


OTHER = SigningKey(hashlib.sha256(b"another").digest())


@pytest.mark.parametrize(
    "changed",
    [
        sign_checkpoint(ORIGIN, 11, ROOT, OTHER),
        with_lines(CHECKPOINT, sign_checkpoint(ORIGIN, 11, ROOT, OTHER).signatures),
        with_lines(CHECKPOINT, CHECKPOINT.signatures),
        with_lines(CHECKPOINT, [anchor_signature()]),
        with_lines(CHECKPOINT, [NoteSignature(name=ORIGIN, key_id=bytes(4), sig=bytes(64))]),
        Checkpoint(origin=ORIGIN, size=12, root=ROOT, signatures=CHECKPOINT.signatures),
        Checkpoint(origin=ORIGIN, size=11, root=LOG_ID, signatures=CHECKPOINT.signatures),
        Checkpoint(origin="other.example", size=11, root=ROOT, signatures=CHECKPOINT.signatures),
        Checkpoint(origin=ORIGIN, size=11, root=ROOT, signatures=(WITNESSES[0].cosign(CHECKPOINT),)),
        Checkpoint(
            origin=ORIGIN,
            size=11,
            root=ROOT,
            signatures=(NoteSignature(name=ORIGIN, key_id=VKEY.key_id, sig=CHECKPOINT.signatures[0].sig[:-1]),),
        ),
    ],
    ids=[
        "by another key", "a second line by another key", "the same line twice", "an anchor line without policy",
        "an unknown key id", "another size", "another root", "another origin", "witness only", "a short signature",
    ],
)  # fmt: skip
def test_lines_under_the_name_of_the_log_must_all_hold(changed: Checkpoint) -> None:
    """Only keys of the policy may sign under the log's name, each once, and at least one log key must."""
    assert logged(changed) == "note-signature"


def test_an_unknown_witness_is_ignored() -> None:
    """Lines under other names do not matter to the log's signature."""
    assert logged(with_lines(CHECKPOINT, [WITNESSES[0].cosign(CHECKPOINT)])) is None


def test_two_log_keys_may_sign_at_a_change_of_keys() -> None:
    """Both keys of the policy, or either, may sign; none may not."""
    two = VerifierKey(name=ORIGIN, kind=ED25519, public=OTHER.public)
    second = sign_checkpoint(ORIGIN, 11, ROOT, OTHER)
    assert logged(with_lines(CHECKPOINT, second.signatures), (VKEY, two)) is None
    assert logged(second, (VKEY, two)) is None
    assert logged(CHECKPOINT, ()) == "note-signature"


def test_the_anchor_line_is_required_where_the_last_entry_is_an_index_record() -> None:
    """With an index record every anchor signer of the policy must have signed the same head."""
    places = ((LOG_ID, SIGNER),)
    signed = with_lines(CHECKPOINT, [anchor_signature()])
    assert logged(CHECKPOINT, anchors=places) is None
    assert logged(CHECKPOINT, anchors=places, anchored=True) == "note-signature"
    assert logged(signed, anchors=places, anchored=True) is None
    assert logged(signed, anchors=places) is None


def _altered_anchor_lines() -> dict[str, NoteSignature]:
    line = anchor_signature()
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = order - int.from_bytes(line.sig[32:64])
    other_v = bytes([27 + 28 - line.sig[64]])
    parts = {
        "of another size": anchor_signature(size=12).sig,
        "of another root": anchor_signature(root=LOG_ID).sig,
        "by another key": anchor_signature(key=PrivateKey(bytes([7]) * 32)).sig,
        "high s": line.sig[:32] + high.to_bytes(32) + other_v,
        "other parity": line.sig[:64] + other_v,
        "v of 0 and 1": line.sig[:64] + bytes([line.sig[64] - 27]),
        "short": line.sig[:-1],
        "long": line.sig + b"\0",
        "zeros": bytes(64) + b"\x1b",
    }
    return {name: NoteSignature(name=ORIGIN, key_id=line.key_id, sig=sig) for name, sig in parts.items()}


@pytest.mark.parametrize("name", _altered_anchor_lines())
def test_an_anchor_line_that_does_not_hold(name: str) -> None:
    """Any other signature under the signer's key id is refused, whether it is required or not."""
    checkpoint = with_lines(CHECKPOINT, [_altered_anchor_lines()[name]])
    for anchored in (True, False):
        assert logged(checkpoint, anchors=((LOG_ID, SIGNER),), anchored=anchored) == "note-signature"


def test_key_ids() -> None:
    """Key ids are the first four bytes of the hash over name, type and key."""
    body = ORIGIN.encode() + b"\n"
    assert VKEY.key_id == hashlib.sha256(body + b"\x01" + KEY.public).digest()[:4]
    wanted = hashlib.sha256(body + b"\xffeip712-secp256k1/v1" + SIGNER).digest()[:4]
    assert anchor_key_id(ORIGIN, SIGNER) == wanted
    assert VerifierKey.parse(VKEY.text()) == VKEY


# --- published notes


def test_published_examples(shared: Path) -> None:
    """The worked examples of signed-note, tlog-checkpoint and tlog-cosignature are read as published."""
    examples = json.loads((shared / "data/vectors/c2sp-spec-examples/examples.json").read_text())
    published = examples["checkpoint"]
    parsed = parse_checkpoint(published["note"])
    assert parsed.origin == published["origin_line"]
    assert parsed.size == published["size"]
    assert parsed.root == b64decode(published["root_b64"])
    text, _, tail = examples["signed_note"]["note"].partition("\n\n")
    key = VerifierKey.parse(examples["signed_note"]["vkey"])
    (line,) = note._signature_lines(tail)
    assert (line.name, line.key_id) == (key.name, key.key_id)
    verify(key.public, line.sig, text.encode() + b"\n")
    (line,) = note._signature_lines(examples["cosignature"]["line"])
    assert int.from_bytes(line.sig[:8]) == examples["cosignature"]["timestamp"]
    assert len(line.sig) == 8 + 64


def _go_vectors(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "data/vectors/go-sumdb-note/vectors.json").read_text()))


def test_published_signature_blocks(shared: Path) -> None:
    """Blocks that Go reads are read, those it calls malformed are not, and the same lines verify."""
    for case in _go_vectors(shared)["open"]:
        message = base64.b64decode(case["msg_b64"])
        text, _, tail = message.decode("utf-8", "replace").partition("\n\n")
        checkpoint = f"{ORIGIN}\n11\n{b64encode(ROOT)}\n\n{tail}"
        malformed = "malformed" in case["expect"]
        if malformed and tail.startswith("\u2014 PeterNeumann") and tail.count("\n") == 1:
            continue  # malformed in its text, which a checkpoint has none of
        if malformed:
            assert code_of(checkpoint) == "note-syntax", case["desc"]
            continue
        known = {(key.name, key.key_id): key for key in map(VerifierKey.parse, case["vkeys"])}
        held, broken = set(), False
        for line in parse_checkpoint(checkpoint).signatures:
            if key := known.get((line.name, line.key_id)):
                try:
                    verify(key.public, line.sig, text.encode() + b"\n")
                    held.add(key.name)
                except VerificationError:
                    broken = True
        assert broken == case["expect"].startswith("reject"), case["desc"]
        if case["expect"] in ("ok", "unverified"):
            assert held == set(case["verified"]), case["desc"]


def test_a_published_note_is_signed_the_same(shared: Path) -> None:
    """The published signer makes the published signature."""
    vectors = _go_vectors(shared)
    seed = b64decode(vectors["signer"].split("+", 4)[4])[1:]
    vkey = VerifierKey.parse(vectors["vkeys"][0])
    key = SigningKey(seed)
    assert key.public == vkey.public
    line = f"\u2014 {vkey.name} {b64encode(vkey.key_id + key.sign(vectors['text'].encode()))}\n"
    assert vectors["text"] + "\n" + line == vectors["expected_signed_note"]


def test_published_bad_verifier_keys(shared: Path) -> None:
    """Every published bad key, proper substring and incremented byte is refused."""
    vectors = _go_vectors(shared)
    good = vectors["vkeys"][0]
    assert VerifierKey.parse(good).text() == good
    bad = set(vectors["bad_vkeys"])
    bad |= {good[i:j] for i in range(len(good)) for j in range(i + 1, len(good) + 1)} - {good}
    bad |= {good[:i] + chr(ord(good[i]) + 1) + good[i + 1 :] for i in range(len(good))}
    for text in [*sorted(bad), "", "++", "a++", "\ud800+00000000+AA==", good + "\n", good.upper()]:
        with pytest.raises(VerificationError) as caught:
            VerifierKey.parse(text)
        assert caught.value.code == "note-syntax"


# --- witnesses


def policy(*lines: str) -> WitnessPolicy:
    """Parse a policy that names the four witnesses and goes on with *lines*."""
    named = [f"witness w{i} {witness.vkey.text()}" for i, witness in enumerate(WITNESSES)]
    return WitnessPolicy.parse("\n".join([*named, *lines]))


def test_cosignatures_are_counted_by_witness() -> None:
    """Each witness of the policy that signed is present; strangers are not."""
    stranger = Witness("stranger")
    lines = [WITNESSES[0].cosign(CHECKPOINT), stranger.cosign(CHECKPOINT), WITNESSES[2].cosign(CHECKPOINT, 5)]
    assert verify_cosignatures(with_lines(CHECKPOINT, lines), policy("quorum none")) == {"w0", "w2"}
    assert verify_cosignatures(CHECKPOINT, policy("quorum none")) == set()


def test_twice_the_same_witness_is_one() -> None:
    """Two cosignatures of one witness, at different times, do not make two witnesses."""
    lines = [WITNESSES[0].cosign(CHECKPOINT, time) for time in (5, 6)]
    assert verify_cosignatures(with_lines(CHECKPOINT, lines), policy("quorum none")) == {"w0"}


@pytest.mark.parametrize("at", [0, 7, 8, 39, 71])
def test_a_changed_cosignature_is_an_error(at: int) -> None:
    """Neither time nor signature of a witness can be changed; it is a failure, not an absence."""
    line = WITNESSES[0].cosign(CHECKPOINT)
    sig = bytearray(line.sig)
    sig[at] ^= 1
    for changed in (bytes(sig), line.sig[:-1], line.sig + b"\0", line.sig[:5]):
        bad = NoteSignature(name=line.name, key_id=line.key_id, sig=changed)
        with pytest.raises(VerificationError) as caught:
            verify_cosignatures(with_lines(CHECKPOINT, [bad]), policy("quorum none"))
        assert caught.value.code == "cosignature"


def test_a_cosignature_of_another_head() -> None:
    """A cosignature moved from another checkpoint fails."""
    other = sign_checkpoint(ORIGIN, 12, ROOT, KEY)
    with pytest.raises(VerificationError):
        verify_cosignatures(with_lines(CHECKPOINT, [WITNESSES[0].cosign(other)]), policy("quorum none"))


@pytest.mark.parametrize(
    ("lines", "present", "met"),
    [
        (("quorum none",), "", True),
        (("quorum w0",), "", False),
        (("quorum w0",), "0", True),
        (("quorum w0",), "123", False),
        (("group g any w0 w1", "quorum g"), "", False),
        (("group g any w0 w1", "quorum g"), "1", True),
        (("group g all w0 w1", "quorum g"), "1", False),
        (("group g all w0 w1", "quorum g"), "01", True),
        (("group g 2 w0 w1 w2", "quorum g"), "02", True),
        (("group g 2 w0 w1 w2", "quorum g"), "03", False),
        (("group a any w0 w1", "group b all w2 w3", "group g all a b", "quorum g"), "123", True),
        (("group a any w0 w1", "group b all w2 w3", "group g all a b", "quorum g"), "012", False),
        (("group a any w0 w1", "group b all w2 w3", "group g 1 a b", "quorum g"), "0", True),
        (("# a comment", "", "   ", "\tquorum\tw3\t"), "3", True),
        (("quorum w0", "group later all w1"), "0", True),
    ],
)
def test_quorums(lines: tuple[str, ...], present: str, met: bool) -> None:
    """A quorum is a witness or a group of k; groups may hold groups."""
    assert policy(*lines).met_by({f"w{i}" for i in present}) == met


def test_a_deep_policy_is_decided_without_recursion() -> None:
    """Thousands of groups in groups are no way to crash a verifier."""
    lines = ["group g0 all w0 w1"] + [f"group g{i} any g{i - 1}" for i in range(1, 3000)]
    deep = policy(*lines, "quorum g2999")
    assert deep.met_by({"w0", "w1"})
    assert not deep.met_by({"w0"})


def test_nobody_counts_twice() -> None:
    """One key under two names, or one name in two groups, would be two witnesses; both are refused."""
    other = VerifierKey(name="another.example", kind=COSIGNATURE, public=WITNESSES[0].key.public)
    for lines in (
        (f"witness again {other.text()}", "group g 2 w0 again", "quorum g"),
        ("group a any w0 w1", "group b any w0 w2", "group g all a b", "quorum g"),
        ("group a any w0 w1", "group g all w0 a", "quorum g"),
    ):
        with pytest.raises(VerificationError) as caught:
            policy(*lines)
        assert caught.value.code == "note-syntax"


def test_a_text_without_lines_asks_for_no_witness() -> None:
    """Short for quorum none; a policy that names witnesses must say how many are enough."""
    for text in ("", "\n", "# nobody\n", "quorum none\n"):
        assert WitnessPolicy.parse(text).met_by(set())
    with pytest.raises(VerificationError):
        policy()


@pytest.mark.parametrize(
    "line",
    [
        "witness",
        "witness x",
        "witness x notakey",
        f"witness none {WITNESSES[0].vkey.text()}",
        f"witness w0 {WITNESSES[1].vkey.text()}",
        f"witness x {VKEY.text()}",
        f"witness x {WITNESSES[0].vkey.text()} https://a b",
        "group",
        "group g",
        "group g any",
        "group g 1",
        "group g 0 w0",
        "group g 3 w0 w1",
        "group g -1 w0",
        "group g +1 w0",
        "group g x w0",
        "group g 99999 w0",
        "group g \u0661 w0",
        "group g any nobody",
        "group g any g",
        "group g any w0 w0",
        "group none any w0",
        "group w0 any w1",
        "quorum",
        "quorum nobody",
        "quorum w0 w1",
        "quorum w0\nquorum w0",
        "quorum none\nquorum w0",
        "log something",
        "quorum\u00a0w0",
        "quorum w0\r",
        "quorum w0\x0c",
        "# a bell \x07",
        "Witness x y",
    ],
)
def test_a_policy_line_that_is_none(line: str) -> None:
    """Every other line is refused."""
    with pytest.raises(VerificationError) as caught:
        policy(line)
    assert caught.value.code == "note-syntax"
