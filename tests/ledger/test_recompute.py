# SPDX-License-Identifier: Apache-2.0
"""The start-up check: one changed thing in the database, whichever, is found and named before anything is signed."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from housekit import OPERATOR, ORIGIN, House, head_of, open_house
from ledger.spoiling import cell, flip, spoil
from traceledger.core.log import note
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import Frontier, root_at, root_of
from traceledger.errors import LogIntegrityError
from traceledger.ledger.index import build_record
from traceledger.ledger.recompute import recompute
from traceledger.store import log as stored
from traceledger.store.database import Database

AT = 300


@pytest.fixture(scope="session")
def checkpointed(long_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the long log's folder with an index record and its kept checkpoint at the end."""
    folder = tmp_path_factory.mktemp("checkpointed") / "so"
    shutil.copytree(long_folder, folder)
    house = open_house(folder)
    key = house.app.key("indexer")
    done = house.log.submit_built(
        lambda c, size, root: build_record(
            c, size, root, origin=ORIGIN, operator=OPERATOR, key=key, demo=True
        )
    )
    house.submit(house.note("after"))
    with house.app.database.read() as connection:
        size = done.index + 1
        root = root_at(size, stored.node_hashes(connection, size))
    house.log.sign_anchored(size, root, [])
    house.close()
    return folder


@pytest.fixture
def folder(checkpointed: Path, tmp_path: Path) -> Path:
    """Return a copy to spoil."""
    shutil.copytree(checkpointed, tmp_path / "so")
    return tmp_path / "so"


def refused(folder: Path) -> LogIntegrityError:
    """Recompute and return why it was refused."""
    database = Database(f"sqlite:///{folder / 'ledger.db'}")
    try:
        with pytest.raises(LogIntegrityError) as caught:
            recompute(database, ORIGIN)
    finally:
        database.close()
    return caught.value


def test_an_untouched_log_passes(folder):
    """The log as it was written passes, and the registry that comes back is the log's own."""
    house = open_house(folder)
    assert recompute(house.app.database, ORIGIN).head == house.log.registry().head
    house.close()


@pytest.mark.parametrize("column", ["entry", "leaf", "id"])
@pytest.mark.parametrize("index", [0, 5, 11, AT, 601])
def test_a_flipped_bit_in_an_entry_or_its_hashes(folder, column, index):
    """One bit of any entry, leaf hash or id stops the start, naming the entry."""
    data = cell(folder, f'select {column} from entries where "index" = {index}')
    for bit in (0, len(data) * 4, len(data) * 8 - 1):
        spoil(folder, f'update entries set {column} = ? where "index" = ?', flip(data, bit), index)
        found = refused(folder)
        assert found.index == index
        assert found.exit_code == 70
        assert found.code == "root-mismatch" or column == "entry"
    spoil(folder, f'update entries set {column} = ? where "index" = ?', data, index)
    open_house(folder).close()


def swap(folder: Path, first: int, second: int) -> None:
    """Let two entries change places, hashes and all."""
    for old, new in ((first, -1), (second, first), (-1, second)):
        spoil(folder, 'update entries set "index" = ? where "index" = ?', new, old)


TILE = "select hashes from tiles where level = 0 and number = 1"
HEAD = "select {} from head"
SPOILED: dict[str, tuple[Callable[[Path], None], str, int | None]] = {
    "entry-as-other-text": (
        lambda f: spoil(f, "update entries set entry = replace(entry, 'adm', 'add') where \"index\" = 20"),
        "entry-shape",
        20,
    ),
    "entry-as-a-number": (
        lambda f: spoil(f, 'update entries set entry = 7 where "index" = 20'),
        "entry-shape",
        20,
    ),
    "leaf-as-text": (
        lambda f: spoil(f, "update entries set leaf = 'x' where \"index\" = 20"),
        "root-mismatch",
        20,
    ),
    "tile-bit": (
        lambda f: spoil(f, "update tiles set hashes = ? where number = 1", flip(cell(f, TILE), 77)),
        "tile-mismatch",
        511,
    ),
    "tile-cut": (
        lambda f: spoil(f, "update tiles set hashes = ? where number = 1", cell(f, TILE)[:-32]),
        "tile-mismatch",
        511,
    ),
    "tile-removed": (lambda f: spoil(f, "delete from tiles where number = 0"), "tile-mismatch", 255),
    "tile-too-early": (
        lambda f: spoil(f, "insert into tiles values (0, 2, ?)", bytes(32 * 256)),
        "tile-mismatch",
        None,
    ),
    "tile-of-a-level-not-reached": (
        lambda f: spoil(f, "insert into tiles values (1, 0, ?)", bytes(32 * 256)),
        "tile-mismatch",
        None,
    ),
    "head-root": (
        lambda f: spoil(f, "update head set root = ?", flip(cell(f, HEAD.format("root")), 9)),
        "root-mismatch",
        None,
    ),
    "head-frontier": (
        lambda f: spoil(f, "update head set frontier = ?", flip(cell(f, HEAD.format("frontier")), 9)),
        "root-mismatch",
        None,
    ),
    "head-size-down": (lambda f: spoil(f, "update head set size = size - 1"), "root-mismatch", None),
    "head-size-up": (lambda f: spoil(f, "update head set size = size + 1"), "root-mismatch", None),
    "head-time": (lambda f: spoil(f, "update head set t = t + 1"), "root-mismatch", None),
    "last-entry-removed": (
        lambda f: spoil(f, 'delete from entries where "index" = 601'),
        "root-mismatch",
        None,
    ),
    "entry-removed": (
        lambda f: spoil(f, 'delete from entries where "index" = ?', AT),
        "root-mismatch",
        AT,
    ),
    "registry-entry-removed": (
        lambda f: spoil(f, 'delete from entries where "index" = 6'),
        "root-mismatch",
        6,
    ),
    "entry-added": (
        lambda f: spoil(
            f,
            'insert into entries select 700, randomblob(32), leaf, registry, event, entry from entries where "index" = 20',
        ),
        "root-mismatch",
        None,
    ),
    "entries-swapped": (lambda f: swap(f, AT, AT + 1), "tile-mismatch", 511),
    "last-entries-swapped": (lambda f: swap(f, 598, 599), "root-mismatch", None),
    "registry-entries-swapped": (lambda f: swap(f, 5, 6), "adm-reg", 5),
    "marked-as-registry": (
        lambda f: spoil(f, 'update entries set registry = 1 where "index" = ?', AT),
        "root-mismatch",
        AT,
    ),
    "not-marked-as-registry": (
        lambda f: spoil(f, 'update entries set registry = 0 where "index" = 6'),
        "root-mismatch",
        6,
    ),
    "subject-hidden": (
        lambda f: spoil(f, 'delete from touches where "index" = ?', AT),
        "subjects-mismatch",
        AT,
    ),
    "subject-added": (
        lambda f: spoil(f, "insert into touches select id, 12 from subjects where subject not like '%L1'"),
        "subjects-mismatch",
        12,
    ),
    "subject-renamed": (
        lambda f: spoil(f, "update subjects set subject = subject || '0' where subject like '%L1'"),
        "subjects-mismatch",
        11,
    ),
    "event-id-hidden": (
        lambda f: spoil(f, "update entries set event = null where event is not null"),
        "root-mismatch",
        11,
    ),
    "event-id-added": (
        lambda f: spoil(f, 'update entries set event = id where "index" = ?', AT),
        "root-mismatch",
        AT,
    ),
    "checkpoint-changed": (
        lambda f: spoil(f, "update checkpoints set note = replace(note, '601', '600')"),
        "root-mismatch",
        None,
    ),
    "checkpoint-cut": (
        lambda f: spoil(f, "update checkpoints set note = substr(note, 1, 20)"),
        "root-mismatch",
        None,
    ),
    "checkpoint-above": (
        lambda f: spoil(f, "update checkpoints set size = size + 100"),
        "root-mismatch",
        None,
    ),
    "head-removed": (lambda f: spoil(f, "delete from head"), "head-missing", None),
}


@pytest.mark.parametrize("name", SPOILED)
def test_one_changed_thing(folder, name):
    """Whatever is changed, the start is refused with the code that says where to look."""
    act, code, index = SPOILED[name]
    act(folder)
    found = refused(folder)
    assert found.code == code
    if index is not None:
        assert found.index == index


def test_a_checkpoint_of_another_root(folder):
    """A kept checkpoint with a root this log never had is found even if the log key signed it."""
    house = open_house(folder)
    forged = note.sign_checkpoint(ORIGIN, 601, bytes(32), house.app.key("log")).text()
    house.close()
    spoil(folder, "update checkpoints set note = ?", forged)
    assert refused(folder).code == "root-mismatch"


def test_a_log_rewritten_with_its_keys_agrees_with_itself(folder):
    """The start-up check finds faults, not a thorough forger: an entry changed with everything above it passes."""
    house = open_house(folder)
    rewrite(house, 601)
    house.close()
    house = open_house(folder)
    recompute(house.app.database, ORIGIN)
    house.close()


def rewrite(house: House, index: int) -> None:
    """Change the admission time of the last entry, and everything derived from it."""
    raw = house.raw()
    last = Entry.parse(raw[index])
    changed = Entry.make(last.envelope, reg=last.reg, t=last.t + 1)
    tree = Frontier()
    for leaf in [*(Entry.parse(one).leaf for one in raw[:index]), changed.leaf]:
        tree.append(leaf)
    folder = house.folder
    spoil(
        folder,
        'update entries set entry = ?, leaf = ? where "index" = ?',
        changed.raw,
        changed.leaf,
        index,
    )
    spoil(
        folder,
        "update head set root = ?, frontier = ?, t = ?",
        tree.root(),
        b"".join(tree.hashes),
        changed.t,
    )


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["worker"]], ids=["serve", "worker"])
def test_the_service_does_not_start(folder, command):
    """`serve` and `worker` end with code 70 and the reason on standard error, and sign nothing."""
    spoil(folder, "update head set t = t + 1")
    done = subprocess.run(
        [sys.executable, "-m", "traceledger", "--dir", folder, *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 70
    assert done.stderr.splitlines()[-1].startswith("root-mismatch: ")
    assert "Traceback" not in done.stderr


def test_a_running_log_keeps_to_its_head(folder):
    """A change made under a running log never gets into what it signs: the frontier it extends is its own."""
    house = open_house(folder)
    size, _ = head_of(house.log.checkpoint())
    leaves = house.leaves()
    spoil(folder, 'update entries set leaf = randomblob(32) where "index" = 20')
    done = house.log.submit_envelope(house.note("next"))
    assert done.index == size
    last = Entry.parse(house.log.entry(done.index)).leaf
    assert head_of(house.log.checkpoint()) == (size + 1, root_of([*leaves, last]))
    house.close()
