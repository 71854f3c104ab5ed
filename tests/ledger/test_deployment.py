# SPDX-License-Identifier: Apache-2.0
"""Founding a deployment: whole or not at all, never over another, and every process builds the same from it."""

import io
import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from housekit import COOP, FOUNDED, OPERATOR, ORIGIN, found_house, open_house
from traceledger.app import build, create_deployment, key_path, new_key, open_key, set_up_chain
from traceledger.chain.devchain import CHAIN_ID
from traceledger.core.judge.bundle import Trust
from traceledger.core.log.entry import Entry
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import AccessError, ConflictError, InputError, NotFoundError, TraceledgerError
from traceledger.keyring import files
from traceledger.ledger.recompute import recompute
from traceledger.settings import check, load, write


def settings_of(folder, **more):
    """Settings of a demonstration in *folder*."""
    values = {
        "origin": ORIGIN,
        "public_url": "http://127.0.0.1:8400",
        "operator": OPERATOR,
        "password_file": "keys/password",
        "demo": True,
    }
    return check(folder, values | more)


def everything(folder):
    """Every file below *folder*."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_what_founding_makes(tmp_path):
    """Keys, trust file, settings, and four entries: root, policy, operator, and the indexer's key."""
    folder = tmp_path / "so"
    trust = create_deployment(settings_of(folder), operator_name="Nhà vận hành Mẫu")
    app = build(load(folder))
    entries = [Entry.parse(app.sequencer.entry(index)) for index in range(FOUNDED)]
    assert [entry.family for entry in entries] == ["root", "policy", "org", "key"]
    assert app.sequencer.size() == FOUNDED
    assert trust == app.trust == Trust(origin=ORIGIN, genesis=entries[0].id)
    assert json.loads((folder / "trust.json").read_text()) == {
        "v": 1,
        "origin": ORIGIN,
        "genesis": entries[0].id,
    }
    names = "account anchor guardian indexer log log-spare password pepper root van-hanh-mau-admin"
    assert sorted(path.stem for path in (folder / "keys").iterdir()) == names.split()
    assert app.sequencer.registry().voids == []
    recompute(app.database, ORIGIN)
    app.close()


def test_nothing_is_open_to_others(tmp_path):
    """The folder, its keys and every secret in it are for their owner alone."""
    folder = tmp_path / "so"
    create_deployment(settings_of(folder), operator_name="x")
    for path in (folder, folder / "keys", *(folder / "keys").iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_two_deployments_share_nothing(tmp_path):
    """Each founding draws its own keys: two logs of one name are two logs."""
    trusts = [create_deployment(settings_of(tmp_path / name), operator_name="x") for name in ("a", "b")]
    assert trusts[0].genesis != trusts[1].genesis


def test_never_over_another(tmp_path):
    """A folder that holds a ledger is refused and left as it is."""
    folder = tmp_path / "so"
    create_deployment(settings_of(folder), operator_name="x")
    before = {name: (folder / name).read_bytes() for name in ("trust.json", "keys/root.json", "ledger.db")}
    with pytest.raises(ConflictError) as caught:
        create_deployment(settings_of(folder), operator_name="x")
    assert caught.value.code == "deployment-exists"
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_never_over_another_log(tmp_path):
    """A database that holds a log is refused and kept, even where the folder's settings are gone."""
    folder = tmp_path / "so"
    create_deployment(settings_of(folder), operator_name="x")
    (folder / "traceledger.toml").unlink()
    for path in (folder / "keys").iterdir():
        path.unlink()
    (folder / "trust.json").unlink()
    with pytest.raises(ConflictError) as caught:
        create_deployment(settings_of(folder), operator_name="x")
    assert caught.value.code == "log-exists"
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        assert connection.execute("select size from head").fetchone() == (FOUNDED,)
    assert everything(folder) == ["keys", "ledger.db"]


class TestUnfinished:
    """A founding that cannot be finished leaves nothing, and can be repeated."""

    @pytest.mark.parametrize("there", [False, True], ids=["new folder", "folder of others"])
    def test_no_password(self, tmp_path, monkeypatch, there):
        """Without a password nothing is made; with one the same founding works."""
        import sys

        monkeypatch.setattr(sys, "stdin", io.StringIO())
        monkeypatch.delenv("TRACELEDGER_PASSWORD", raising=False)
        folder = tmp_path / "so"
        if there:
            folder.mkdir()
            (folder / "notes.txt").write_text("mine")
        settings = settings_of(folder, password_file="", demo=False)
        with pytest.raises(AccessError) as caught:
            create_deployment(settings, operator_name="x")
        assert caught.value.code == "password"
        assert everything(tmp_path) == (["so", "so/notes.txt"] if there else [])
        if not there:
            return
        monkeypatch.setenv("TRACELEDGER_PASSWORD", "x")
        create_deployment(settings, operator_name="x")
        app = build(load(folder))
        assert app.sequencer.size() == FOUNDED
        assert json.loads((folder / "keys/root.json").read_text())["cipher"] is not None
        app.close()

    @pytest.mark.parametrize("name", ["root", "anchor", "pepper", "log-spare"])
    def test_a_key_that_is_there_already(self, tmp_path, name):
        """A key somebody put there is never overwritten; nothing else is left, and the key stays."""
        folder = tmp_path / "so"
        (folder / "keys").mkdir(parents=True)
        mine = folder / "keys" / (name if name == "pepper" else f"{name}.json")
        mine.write_text("mine")
        with pytest.raises(ConflictError) as caught:
            create_deployment(settings_of(folder), operator_name="x")
        assert caught.value.code == "key-exists"
        assert everything(folder) == ["keys", f"keys/{mine.name}"]
        assert mine.read_text() == "mine"

    def test_a_database_that_cannot_be_made(self, tmp_path):
        """A path nothing can be written at: no keys are left behind."""
        folder = tmp_path / "so"
        settings = settings_of(folder, database="sqlite:///none/ledger.db")
        with pytest.raises(TraceledgerError) as caught:
            create_deployment(settings, operator_name="x")
        assert caught.value.code == "database-unavailable"
        assert everything(tmp_path) == []

    def test_a_name_the_registry_refuses(self, tmp_path):
        """A name of the operator too long for a statement is refused, and nothing is left."""
        with pytest.raises(TraceledgerError):
            create_deployment(settings_of(tmp_path / "so"), operator_name="x" * 20_000)
        assert everything(tmp_path) == []


class TestBuilding:
    """Opening a deployment."""

    @pytest.mark.parametrize(
        ("name", "code"),
        [("keys/log.json", "key-missing"), ("trust.json", "trust-missing"), ("keys/pepper", "key-missing")],
    )
    def test_a_part_missing(self, founded, tmp_path, name, code):
        """Without one of its parts it is refused, and the refusal names the part."""
        shutil.copytree(founded, tmp_path / "so")
        (tmp_path / "so" / name).unlink()
        with pytest.raises(NotFoundError) as caught:
            build(load(tmp_path / "so"))
        assert caught.value.code == code
        assert name.rpartition("/")[2] in caught.value.message

    def test_a_missing_database(self, founded, tmp_path):
        """Without its database it is refused; no empty one is made in its place."""
        shutil.copytree(founded, tmp_path / "so")
        (tmp_path / "so/ledger.db").unlink()
        with pytest.raises(ConflictError) as caught:
            build(load(tmp_path / "so"))
        assert caught.value.code == "database-schema"
        assert not (tmp_path / "so/ledger.db").exists()

    def test_the_wrong_password(self, founded, tmp_path):
        """A sealed log key does not open with another password."""
        shutil.copytree(founded, tmp_path / "so")
        path = tmp_path / "so/keys/log.json"
        path.unlink()
        key = SigningKey(bytes(32))
        files.save(path, files.seal(key, custody="file", password="another", n=2**14))
        with pytest.raises(AccessError) as caught:
            build(load(tmp_path / "so"))
        assert caught.value.code == "password"

    def test_a_second_opening_is_the_same(self, house):
        """Two openings serve the same log."""
        app = build(load(house.folder), sign=False)
        assert app.sequencer.entry(3) == house.log.entry(3)
        assert app.health()["size"] == house.size()
        app.close()

    @pytest.mark.parametrize("name", ["../x", "a/b", "", "A", ".hidden", "a.json", "x" * 65])
    def test_key_names(self, house, name):
        """A key's name is a plain name: no path leads out of the folder of keys."""
        for act in (key_path, open_key, new_key):
            with pytest.raises(InputError) as caught:
                act(house.app.settings, name)
            assert caught.value.code == "key-name"


class TestChainSetup:
    """Putting the log on its chain."""

    def test_the_policy_names_the_place(self, chained):
        """After the set-up the policy names chain, contract, log id, signer and guardian, and the settings the contract."""
        settings, place = chained.house.app.settings, chained.house.app.place
        assert place.chain == settings.chain == f"eip155:{CHAIN_ID}"
        assert settings.contract == "0x" + place.contract.hex()
        assert chained.house.log.registry().policy.version == 2

    def test_once_more_changes_nothing(self, chained):
        """A second set-up finds the same contract and log, and writes no second policy."""
        size = chained.house.size()
        before = chained.house.app.settings
        assert set_up_chain(chained.house.app) == before
        assert chained.house.size() == size

    def test_no_chain_configured(self, house):
        """Without endpoint or chain id it is refused, and nothing is written."""
        size = house.size()
        for act in (lambda: set_up_chain(house.app), house.app.anchorer):
            with pytest.raises(ConflictError) as caught:
                act()
            assert caught.value.code == "chain-unset"
        assert house.size() == size

    def test_the_chain_down(self, house):
        """A chain that does not answer: temporary, and the policy stays as it was."""
        from traceledger.errors import TemporaryError

        size = house.size()
        settings = check(
            house.folder, vars_of(house.app.settings) | {"rpc": ["http://127.0.0.1:9"], "chain_id": 1}
        )
        write(settings)
        house.reopen()
        with pytest.raises(TemporaryError):
            set_up_chain(house.app)
        assert house.size() == size
        assert load(house.folder).contract == ""

    def test_the_environment_is_not_written(self, chained, monkeypatch):
        """An endpoint that only the environment names, with its secret, never gets into the settings file."""
        file = chained.house.folder / "traceledger.toml"
        secret = chained.chain.url.replace("://", "://user:secret@")
        monkeypatch.setenv("TRACELEDGER_RPC", secret)
        monkeypatch.setenv("TRACELEDGER_CONTACT", "hidden@so.example")
        chained.house.reopen()
        assert chained.house.app.settings.rpc == (secret,)
        set_up_chain(chained.house.app)
        assert "secret" not in file.read_text()
        assert "hidden" not in file.read_text()

    def test_another_signer(self, chained):
        """An anchor key that is not the one the policy names is refused before anything is signed."""
        keys = chained.house.folder / "keys"
        (keys / "anchor.json").write_bytes((keys / "guardian.json").read_bytes())
        with pytest.raises(ConflictError) as caught:
            chained.house.app.anchorer()
        assert caught.value.code == "signer-mismatch"


def vars_of(settings):
    """Settings as plain values."""
    return {name: getattr(settings, name) for name in settings.__slots__ if name != "folder"}


def test_the_helpers_open_what_they_found(tmp_path):
    """A founded house opens again with the keys of its actors."""
    house = found_house(tmp_path / "so")
    house.close()
    again = open_house(tmp_path / "so")
    assert again.submit(again.harvest()).effect == "all"
    assert again.keys[COOP].kid == house.keys[COOP].kid
    again.close()
