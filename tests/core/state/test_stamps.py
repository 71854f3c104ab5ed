# SPDX-License-Identifier: Apache-2.0
"""Stamps: links, commitments, signatures, and the life of a roll against a slow twin that keeps every stamp."""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.statements import (
    GTIN,
    LOT,
    ROLL,
    ROLL_SECRET,
    issue,
    key,
    lot,
    record,
    roll_leaves,
    signed,
    stamp_uri,
    tree,
)
from traceledger.core.judge.findings.rollbook import RollBook
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import inclusion_proof, leaf_hash
from traceledger.core.state.stamps import (
    SERIAL_ALPHABET,
    Roll,
    StampState,
    commitment,
    fold_rolls,
    make_serial,
    open_roll,
    parse_link,
    ranges_of,
    roll_leaf,
    sign_link,
    stamp_salt,
    verify_link,
)
from traceledger.errors import VerificationError

Json = dict[str, Any]

# --- links and serials


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        (f"https://trace.example/01/{GTIN}/21/0123456789AB", ("trace.example", GTIN, None, "0123456789AB")),
        (f"https://a-b.example:8443/01/{GTIN}/10/L%2F1/21/ZYXWVTSRQPNM", ("a-b.example:8443", GTIN, "L%2F1", "ZYXWVTSRQPNM")),
        (f"http://127.0.0.1:5000/01/{GTIN}/21/000000000000", ("127.0.0.1:5000", GTIN, None, "000000000000")),
    ],
)  # fmt: skip
def test_links_are_read(uri: str, parts: tuple[str, str, str | None, str]) -> None:
    """Host, GTIN, lot and serial stand in the link's path."""
    link = parse_link(uri)
    assert (link.host, link.gtin, link.lot, link.serial) == parts
    assert link.uri == uri


GOOD = f"https://trace.example/01/{GTIN}/21/0123456789AB"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        GOOD + "?s=x",
        GOOD + "#x",
        GOOD + "/",
        GOOD + "\n",
        GOOD[:-1],
        GOOD + "C",
        GOOD.replace("https", "ftp"),
        GOOD.replace("trace.example", "Trace.example"),
        GOOD.replace("trace.example", "user@trace.example"),
        GOOD.replace("trace.example", ""),
        GOOD.replace("/01/", "/gtin/"),
        GOOD.replace(GTIN, GTIN[1:]),
        GOOD.replace("/21/", "/22/"),
        GOOD.replace("/21/", "/10//21/"),
        GOOD.replace("/21/", "/10/a/b/21/"),
        GOOD.replace("/21/", f"/10/{'x' * 61}/21/"),
        *(GOOD.replace("0123456789AB", f"{odd}123456789AB") for odd in "IiLlOoUu-*a"),
    ],
)
def test_what_is_no_stamp_link(uri: str) -> None:
    """Another scheme, path, serial length or letter is no stamp of ours."""
    with pytest.raises(VerificationError) as caught:
        parse_link(uri)
    assert caught.value.code == "stamp-unknown"


@given(st.binary(min_size=8, max_size=8))
def test_serials(random: bytes) -> None:
    """Sixty bits of randomness make twelve letters, every bit used once."""
    serial = make_serial(random)
    assert len(serial) == 12
    value = 0
    for letter in serial:
        value = value * 32 + SERIAL_ALPHABET.index(letter)
    assert value == int.from_bytes(random) >> 4
    assert parse_link(f"https://x/01/{GTIN}/21/{serial}").serial == serial


def test_the_alphabet_leaves_out_letters_that_look_alike() -> None:
    """Thirty-two letters without I, L, O and U."""
    assert len(set(SERIAL_ALPHABET)) == 32
    assert not set("ILOU") & set(SERIAL_ALPHABET)


# --- commitments


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**53 - 1), st.text(max_size=30))
def test_commitments(secret: bytes, number: int, uri: str) -> None:
    """Salt, number and link are bound by prefix 03; the roll's leaf is a leaf hash over that."""
    salt = stamp_salt(secret, number)
    assert salt == hmac.new(secret, number.to_bytes(8), hashlib.sha256).digest()[:16]
    made = commitment(salt, number, uri)
    assert made == hashlib.sha256(b"\x03" + salt + number.to_bytes(8) + uri.encode()).digest()
    assert roll_leaf(salt, number, uri) == leaf_hash(made)
    assert commitment(salt, number + 1, uri) != made != commitment(salt, number, uri + "x")


def entry_of(kind: str, data: Json, *, actor: str = "farm", about: tuple[str, ...] = ()) -> Entry:
    """A stamps statement as an entry."""
    prev = ["a" * 64] if kind == "activate" else []
    statement = record(kind, data, actor=actor, about=about, prev=prev)
    return Entry.make(signed(statement, "stamps", actor), reg=(0, bytes(32)), t=0)


def roll_of(count: int, first: int = 1, **more: object) -> Roll:
    """A roll issued by the farm at index 10."""
    return open_roll(10, entry_of("issue", issue(count, first=first, **more)))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("first", [0, 1, 100])
def test_each_stamp_is_of_its_roll(count: int, first: int) -> None:
    """Every number proves into the roll's root, and into no other place."""
    roll = roll_of(count, first)
    node = tree(roll_leaves(count, first))
    for number in range(first, first + count):
        proof = inclusion_proof(number - first, count, node)
        case: Json = {"number": number, "salt": stamp_salt(ROLL_SECRET, number), "proof": proof}
        uri = stamp_uri(number)
        roll.check(uri, **case)
        other_host = uri.replace("shop.example", "shop.example.evil")
        changes: list[tuple[str, Json]] = [
            (uri, {"number": number + 1}),
            (uri, {"number": number - 1}),
            (uri, {"number": 2**53 - 1}),
            (uri, {"salt": bytes(16)}),
            (uri, {"proof": [*proof, bytes(32)]}),
            (uri, {"proof": [bytes(32), *proof[1:]]}),
            (stamp_uri(number + 1), {}),
            (other_host, {}),
            (uri.replace(GTIN, "09521234567882"), {}),
            (uri.replace("https", "http"), {}),
            (uri.replace("/21/", "/10/L1/21/"), {}),
        ]
        for link, change in changes:
            with pytest.raises(VerificationError) as caught:
                roll.check(link, **case | change)
            assert caught.value.code == "stamp-commitment", (link, change)


def test_a_number_outside_the_roll_is_no_stamp_of_it() -> None:
    """Numbers below first and above the last are refused before any hash is made."""
    roll = roll_of(3, 5)
    assert roll.last == 7
    for number in (4, 8, 2**70):
        with pytest.raises(VerificationError):
            roll.check(stamp_uri(5), number=number, salt=bytes(16), proof=[])


def test_signatures_on_links() -> None:
    """The roll's key signs each link; another link, key or signature is refused."""
    good = sign_link(key("stamp"), GOOD)
    verify_link(key("stamp").public, GOOD, good)
    cases = [
        (key("other").public, GOOD, good),
        (key("stamp").public, GOOD + "x", good),
        (key("stamp").public, GOOD, good[:-1]),
        (key("stamp").public, GOOD, ""),
        (key("stamp").public, GOOD, good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]),
        (key("stamp").public, GOOD, sign_link(key("stamp"), GOOD + "x")),
        (key("stamp").public, GOOD, good + "="),
    ]
    for public, uri, signature in cases:
        with pytest.raises(VerificationError) as caught:
            verify_link(public, uri, signature)
        assert caught.value.code == "stamp-signature"


def test_a_link_signature_is_no_statement_signature() -> None:
    """What a stamp key signs begins with its own prefix and can never be an envelope's bytes."""
    assert b"traceledger/stamp/v1\n"[:6] != b"DSSEv1"


# --- the life of a stamp


def open_gate(lot: str, index: int) -> bool:
    """No lot is gated."""
    return False


def life(*steps: tuple[Any, ...], gate: Any = open_gate) -> StampState:
    """State of stamp 1 after *steps*: (kind, actor, more data, subject)."""
    roll = roll_of(3)
    for index, (kind, actor, *rest) in enumerate(steps, 11):
        roll.add(index, step(kind, actor, [[1, 2]], *rest))
    return roll.state(1, gate)


def step(kind: str, actor: str, ranges: list[list[int]], to: str = "shop", subject: str = LOT) -> Entry:
    """One step over *ranges*."""
    data: Json = {"roll": ROLL, "ranges": ranges}
    match kind:
        case "open":
            data = {"roll": ROLL, "number": ranges[0][0], "place": "here"}
        case "print":
            data["job"] = "a" * 64
        case "assign":
            data["to"] = to
        case "lock" | "unlock" | "void":
            data["reason"] = f"because of {kind}"
    return entry_of(kind, data, actor=actor, about=(subject,) if kind == "activate" else ())


F = "farm"


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ((), "issued"),
        ((("print", F),), "printed"),
        ((("assign", F),), "assigned"),
        ((("activate", F),), "active"),
        ((("print", F), ("assign", F), ("activate", F)), "active"),
        ((("activate", F), ("open", F)), "opened"),
        ((("open", F),), "issued"),
        ((("print", F), ("print", F)), "printed"),
        ((("assign", F), ("print", F)), "assigned"),
        ((("activate", F), ("print", F)), "active"),
        ((("activate", F), ("assign", F)), "active"),
        ((("activate", F), ("open", F), ("open", F)), "opened"),
        ((("activate", F), ("open", F), ("activate", F)), "opened"),
        ((("void", F),), "void"),
        ((("activate", F), ("void", F)), "void"),
        ((("activate", F), ("open", F), ("void", F)), "void"),
        ((("void", F), ("activate", F)), "void"),
        ((("void", F), ("print", F), ("assign", F), ("unlock", F)), "void"),
        ((("lock", F), ("activate", F)), "issued"),
        ((("lock", F), ("unlock", F), ("activate", F)), "active"),
        ((("activate", F), ("lock", F), ("open", F)), "active"),
        ((("activate", F), ("lock", F), ("unlock", F), ("open", F)), "opened"),
        ((("lock", F), ("print", F), ("assign", F)), "assigned"),
        ((("print", "thief"),), "issued"),
        ((("activate", "thief"),), "issued"),
        ((("assign", "thief", "thief"), ("activate", "thief")), "issued"),
        ((("void", "thief"),), "issued"),
        ((("activate", F), ("open", "thief")), "active"),
        ((("activate", "shop"),), "issued"),
        ((("assign", F, "shop"), ("activate", "shop")), "active"),
        ((("assign", F, "shop"), ("activate", F)), "active"),
        ((("assign", F, "shop"), ("assign", "shop", "stall"), ("activate", "shop")), "assigned"),
        ((("assign", F, "shop"), ("assign", "shop", "stall"), ("activate", "stall")), "active"),
        ((("assign", F, "shop"), ("assign", F, "stall"), ("activate", F)), "active"),
    ],
)
def test_steps(steps: tuple[tuple[Any, ...], ...], state: str) -> None:
    """Each step leads where the table says, or has no effect."""
    assert life(*steps).step == state


def test_locks_toggle() -> None:
    """A lock holds until it is taken off, says why, and a second one changes nothing."""
    assert not life(("lock", F), ("unlock", F)).locked
    assert life(("lock", F), ("unlock", F), ("lock", F)).locked
    twice = life(("lock", F), ("lock", F))
    assert (twice.locked, twice.reason, twice.since) == (True, "because of lock", 11)
    assert life(("unlock", F)).since == 10
    assert life(("lock", F), ("unlock", "thief")).locked


def test_what_a_state_says() -> None:
    """Lot, holder, reason and the index since when."""
    active = life(("assign", F, "shop"), ("activate", "shop"))
    assert (active.lot, active.holder, active.since) == (LOT, "shop", 12)
    gone = life(("void", F), ("lock", F))
    assert (gone.reason, gone.since, gone.locked) == ("because of void", 11, False)


def test_an_activation_is_for_the_canonical_lot() -> None:
    """Another spelling of the lot is the same lot."""
    other = LOT.replace("https://id.gs1.org", "https://shop.example")
    assert life(("activate", F, "", other)).lot == LOT


def test_a_stamp_is_activated_once() -> None:
    """A second activation, for another lot, leaves the first."""
    assert life(("activate", F, "", LOT), ("activate", F, "", lot("L2"))).lot == LOT


def test_a_gated_lot_cannot_be_activated() -> None:
    """The gate is asked with the lot and the index of the activation; a refusal has no effect and no memory."""
    asked: list[tuple[str, int]] = []

    def gate(subject: str, index: int) -> bool:
        asked.append((subject, index))
        return index < 12

    state = life(("activate", F), ("activate", F), gate=gate)
    assert asked == [(LOT, 11), (LOT, 12)]
    assert (state.step, state.since) == ("active", 12)


def test_rolls_of_a_log() -> None:
    """A roll is issued once; steps before the issue, or on an unknown roll, have no effect."""
    early = step("activate", F, [[1, 1]])
    first = entry_of("issue", issue(3))
    second = entry_of("issue", issue(8))
    late = step("activate", F, [[2, 2]])
    rolls = fold_rolls([(1, early), (2, first), (3, second), (4, late)])
    (roll,) = rolls.values()
    assert (roll.index, roll.count, roll.indexes) == (2, 3, [4])
    assert [roll.state(n, open_gate).step for n in (1, 2, 3)] == ["issued", "active", "issued"]
    assert fold_rolls([(1, early)]) == {}


def test_ranges() -> None:
    """A step names ranges, opening names one number."""
    assert ranges_of({"ranges": [[1, 2], [5, 5]]}) == [(1, 2), (5, 5)]
    assert ranges_of({"number": 7}) == [(7, 7)]


# --- the twin: every stamp kept by itself, every step looked up in a table

_NEXT = {
    ("print", "issued"): "printed",
    **{("assign", state): "assigned" for state in ("issued", "printed", "assigned")},
    **{("activate", state): "active" for state in ("issued", "printed", "assigned")},
    ("open", "active"): "opened",
    **{("void", state): "void" for state in ("issued", "printed", "assigned", "active", "opened")},
}


class Twin:
    """One dict per stamp."""

    def __init__(self, numbers: range) -> None:
        self.stamps = {n: {"step": "issued", "locked": False, "holder": F, "lot": None} for n in numbers}

    def take(self, entry: Entry, gated: bool) -> tuple[int, int]:
        """Apply a step to each number it names; return how many changed, of how many."""
        kind, data = entry.kind, entry.statement["data"]
        named = [n for a, b in ranges_of(data) for n in range(a, b + 1)]
        return sum(self._one(kind, entry, data, number, gated) for number in named), len(named)

    def _one(self, kind: str, entry: Entry, data: Json, number: int, gated: bool) -> bool:
        stamp = self.stamps.get(number)
        if stamp is None or entry.actor not in (F, stamp["holder"]) or stamp["step"] == "void":
            return False
        if kind in ("lock", "unlock"):
            if stamp["locked"] == (kind == "lock"):
                return False
            stamp["locked"] = kind == "lock"
            return True
        after = _NEXT.get((kind, str(stamp["step"])))
        if (
            after is None
            or (kind in ("activate", "open") and stamp["locked"])
            or (kind == "activate" and gated)
        ):
            return False
        stamp["step"] = after
        if kind == "assign":
            stamp["holder"] = data["to"]
        if kind == "activate":
            stamp["lot"] = entry.statement["about"][0]
        return True


KINDS = ["print", "assign", "activate", "open", "lock", "unlock", "void"]
ORGS = [F, "shop", "stall"]


@st.composite
def ranges(draw: st.DrawFn) -> list[list[int]]:
    """Ascending, disjoint ranges that may reach outside the roll."""
    edges = sorted(draw(st.sets(st.integers(0, 24), min_size=2, max_size=6)))
    return [edges[at : at + 2] for at in range(0, len(edges) // 2 * 2, 2)]


STEPS = st.tuples(st.sampled_from(KINDS), st.sampled_from(ORGS), ranges(), st.sampled_from(ORGS), st.sampled_from(["L1", "L2", "bad"]))  # fmt: skip


@given(st.lists(STEPS, max_size=12), st.integers(1, 20))
def test_a_roll_is_its_stamps(steps: list[tuple[str, str, list[list[int]], str, str]], count: int) -> None:
    """States and effects told from ranges are those of stamps kept one by one."""

    def gate(subject: str, index: int) -> bool:
        return subject == lot("bad") and index % 2 == 0

    issued = entry_of("issue", {**issue(1), "first": 3, "count": count})
    roll, book = open_roll(10, issued), RollBook()
    assert book.issue(10, issued)
    twin = Twin(range(3, 3 + count))
    for index, (kind, actor, spans, to, number) in enumerate(steps, 11):
        entry = step(kind, actor, spans, to, lot(number))
        assert book.step(index, entry, gate) == twin.take(entry, gate(lot(number), index))
        roll.add(index, entry)
        for n, stamp in twin.stamps.items():
            state = roll.state(n, gate)
            assert (state.step, state.locked, state.holder, state.lot) == (
                *(stamp[k] for k in ("step", "locked", "holder", "lot")),
            )


def test_effects_of_a_large_roll_need_no_loop_over_its_stamps() -> None:
    """A roll of a hundred million stamps answers at once."""
    book = RollBook()
    book.issue(10, entry_of("issue", {**issue(1), "first": 1, "count": 10**8}))
    for index in range(11, 60):
        entry = step("activate", F, [[index * 1000, index * 1000 + 999]])
        assert book.step(index, entry, open_gate) == (1000, 1000)
    assert book.step(99, step("activate", F, [[11_000, 12_999]]), open_gate) == (0, 2000)
    assert book.step(99, step("activate", F, [[10**9, 10**9 + 1]]), open_gate) == (0, 2)
    assert book.step(99, step("activate", F, [[10**8, 10**8 + 1]]), open_gate) == (1, 2)
    assert book.step(99, step("activate", F, [[1, 10**8]]), open_gate) == (10**8 - 49_000 - 1, 10**8)
