# SPDX-License-Identifier: Apache-2.0
"""
The parts under the findings, each against a slow and obvious twin.
"""

import hashlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.world import LOT, World
from traceledger.core.judge.findings.balance import decimal, plain, whole
from traceledger.core.judge.findings.columns import Digests, Names, Threads
from traceledger.core.judge.findings.past import Past
from traceledger.core.judge.findings.preharvest import Forbidden, PreHarvest
from traceledger.core.judge.findings.rollbook import RollBook
from traceledger.core.log.merkle import leaf_hash, root_of
from traceledger.core.sign.canonical import canonical_bytes, number_text, parse
from traceledger.core.state.lineage import subjects_of
from traceledger.core.state.stamps import fold_rolls

# --- columns


def test_names_number_texts_by_first_appearance() -> None:
    """A text keeps its number; one never met has none."""
    names = Names()
    assert [names.number(text) for text in ("a", "b", "a")] == [0, 1, 0]
    assert (names.find("b"), names.find("c"), len(names), names[1]) == (1, None, 2, "b")


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=300))
def test_digests_are_found_like_in_a_dictionary(rows: list[tuple[int, bool]]) -> None:
    """The first findable row with a digest is found, whatever else hashes near it."""
    table = Digests(width=20, key=16)
    first: dict[bytes, int] = {}
    for number, (value, hidden) in enumerate(rows):
        # few different first bytes, so that slots collide
        digest = bytes([value % 3]) + bytes(7) + value.to_bytes(8, "big")
        row = digest + number.to_bytes(4, "big")
        if hidden:
            table.skip(row)
        else:
            assert table.add(row) == first.get(digest)
            first.setdefault(digest, number)
        assert table[number] == row
    assert len(table) == len(rows)
    for value in range(50):
        digest = bytes([value % 3]) + bytes(7) + value.to_bytes(8, "big")
        assert table.find(digest) == first.get(digest)


def test_digests_grow() -> None:
    """A thousand rows are all found."""
    table = Digests(width=32, key=32)
    rows = [hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(1000)]
    for row in rows:
        assert table.add(row) is None
    assert [table.find(row) for row in rows] == list(range(1000))


@given(st.lists(st.integers(0, 5), max_size=60))
def test_threads_keep_order(keys: list[int]) -> None:
    """Rows of a key come newest or oldest first."""
    threads = Threads()
    assert [threads.add(key) for key in keys] == list(range(len(keys)))
    for key in range(7):
        rows = [row for row, other in enumerate(keys) if other == key]
        assert threads.oldest_first(key) == rows
        assert list(threads.newest_first(key)) == rows[::-1]


# --- quantities

numbers = st.floats(min_value=1e-6, max_value=2**53 - 1).map(lambda value: Decimal(repr(value)))


@given(numbers | st.integers(0, 2**53 - 1))
def test_every_number_of_the_format_is_whole(value: int | Decimal) -> None:
    """Quantities are kept to the last digit and printed as they came."""
    text = number_text(value)
    token = parse(text.encode(), limit=100)
    assert plain(whole(token)) == text
    assert decimal(whole(token)) == token


@given(st.lists(numbers, max_size=5))
def test_sums_are_exact(values: list[Decimal]) -> None:
    """Adding and taking away again leaves nothing."""
    total = sum(map(whole, values))
    for value in values:
        total -= whole(value)
    assert plain(total) == "0"
    assert plain(-whole(Decimal("2.50"))) == "-2.5"


# --- intervals


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 12), st.integers(0, 6), st.booleans()), max_size=20))
def test_intervals_are_those_of_all_pairs(told: list[tuple[bool, int, int, bool]]) -> None:
    """Applications and harvests in any order, some taken back: every pair that breaks an interval is found."""
    site = PreHarvest()
    kept: dict[int, tuple[bool, int, int]] = {}
    forbidden: set[int] = set()  # what was said so far
    for position, (sprayed, day, days, removed) in enumerate(told):
        kept[position] = sprayed, day, days
        found = (
            site.applied(position, "plot", day, days) if sprayed else [site.harvested(position, "plot", day)]
        )
        for one in filter(None, found):
            _check(kept, one)
            assert one.harvest not in forbidden
            forbidden.add(one.harvest)
        if removed:
            del kept[position]
            again = site.leave_out(position, "plot", day)
            for one in again:
                _check(kept, one)
            early = {one.harvest for one in again}
            forbidden = {h for h in forbidden if h in kept and (_forbids(kept, h) or h in early)}
        assert forbidden == {h for h, (s, _, _) in kept.items() if not s and _forbids(kept, h)}
    assert site.harvested(999, "another plot", 5) is None


def _forbids(kept: dict[int, tuple[bool, int, int]], harvest: int) -> list[int]:
    """The applications that forbid the harvest at that position."""
    day = kept[harvest][1]
    return [position for position, (s, first, days) in kept.items() if s and first <= day < first + days]


def _check(kept: dict[int, tuple[bool, int, int]], found: Forbidden) -> None:
    assert found.application in _forbids(kept, found.harvest)
    assert found.free == kept[found.application][1] + kept[found.application][2]


def test_an_interval_beyond_the_calendar_is_forever() -> None:
    """A huge number of days forbids every harvest, and breaks nothing."""
    site = PreHarvest()
    site.applied(0, "plot", 739_000, 2**53 - 1)
    assert site.harvested(1, "plot", 800_000) == (1, 0, 3_652_059)


# --- rolls

ranges = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 4)), min_size=1, max_size=2).map(
    lambda pairs: _disjoint(pairs)
)
KINDS = ("print", "assign", "activate", "open", "lock", "unlock", "void")


def _disjoint(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, length in sorted(pairs):
        if not found or first > found[-1][1]:
            found.append((first, first + length))
    return found


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["farm", "shop"]), ranges), max_size=12))
def test_stretches_are_in_the_state_of_each_of_their_stamps(told: list[tuple]) -> None:
    """The roll book changes exactly the stamps that the fold of one stamp's life changes."""
    world = World()
    book = RollBook()
    steps = []
    for kind, actor, pairs in [("issue", "farm", []), *told]:
        more = {"assign": {"to": "shop"}, "print": {"job": "0" * 64}}.get(kind, {"reason": "x"})
        match kind:
            case "issue":
                entry = world.issue("farm", "A", first=3, count=10)
            case "activate":
                entry = world.activate(actor, "farm/A", LOT, pairs)
            case "open":
                data = {"roll": "farm/A", "number": pairs[0][0], "place": "VN-49"}
                entry = world.record("stamps", "open", actor, data)
            case _:
                entry = world.step(kind, actor, "farm/A", pairs, **more)
        index = len(world.entries) - 1
        gate = lambda lot, below: below % 5 == 0  # noqa: E731
        if kind == "issue":
            assert book.issue(index, entry)
            assert not book.issue(index, entry)
            steps.append((index, entry))
            continue
        before = [fold_rolls(steps)["farm/A"].state(n, gate) for n in range(3, 13)]
        steps.append((index, entry))
        after = [fold_rolls(steps)["farm/A"].state(n, gate) for n in range(3, 13)]
        changed = sum(one != other for one, other in zip(before, after, strict=True))
        named = 1 if kind == "open" else sum(last - first + 1 for first, last in pairs)
        assert book.step(index, entry, gate) == (changed, named)


def test_a_step_of_an_unknown_roll_changes_nothing() -> None:
    """What was never issued has no stamps."""
    world = World()
    entry = world.step("void", "farm", "farm/B", reason="x")
    assert RollBook().step(2, entry, lambda lot, below: False) == (0, 10)


# --- the past


def test_the_index_root_follows_every_entry() -> None:
    """Row hashes that did not change are kept, and the root is that of all rows each time."""
    world = World()
    past = Past()
    for index in range(40):
        lot = f"https://id.gs1.org/01/09521234567899/10/{hashlib.sha256(bytes([index % 9])).hexdigest()[:6]}"
        entry = world.harvest("farm", lot)
        past.grow(index, entry)
        numbers = [past.subjects.number(name) for name in subjects_of(entry)]
        past.add(index, entry.id, actor=0, subjects=numbers, followed=())
        counts: dict[str, list[int]] = {}
        for place, other in enumerate(world.entries[2:]):
            for name in subjects_of(other):
                counts.setdefault(name, []).append(place)
        rows = [[name, len(places), places[-1]] for name, places in sorted(counts.items())]
        assert past.index_root() == root_of([leaf_hash(canonical_bytes(row)) for row in rows])
        assert past.root(index + 1) == root_of([entry.leaf for entry in world.entries[2:]])


@pytest.mark.parametrize("gap", [1, 2])
def test_a_gap_leaves_no_roots(gap: int) -> None:
    """Roots are known only of a log given whole."""
    world = World()
    past = Past()
    past.grow(0, world.entries[0])
    past.grow(gap, world.entries[1])
    assert past.whole == (gap == 1)
