# SPDX-License-Identifier: Apache-2.0
"""What people get wrong at the command line: one sentence with a stable code, the right exit code, nothing half-written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from clikit import Done, Main
from housekit import COOP, GTIN, LOT, ORIGIN, PLOT, House, move, row_counts
from traceledger.app import new_key
from traceledger.core.judge.bundle import Trust
from traceledger.core.log.note import parse_checkpoint
from traceledger.settings import write

EVENT = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2026-11-01T08:00:00+07:00",
    "eventTimeZoneOffset": "+07:00",
    "readPoint": {"id": PLOT},
    "quantityList": [{"epcClass": LOT}],
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of files to hand in, good and bad."""
    folder = tmp_path / "files"
    folder.mkdir()
    contents: dict[str, bytes] = {
        "event.json": json.dumps(EVENT).encode(),
        "empty": b"",
        "cut": json.dumps(EVENT).encode()[:-9],
        "binary": b"\xff\xfe\x00\x01",
        "deep": b"[" * 5_000 + b"]" * 5_000,
        "twice": b'{"type":"ObjectEvent","type":"ObjectEvent"}',
        "list": b"[1]",
        "large": b" " * 40_000,
        "no-kind.json": json.dumps(EVENT).encode(),
        "wrong-type.json": json.dumps(EVENT | {"eventTime": 5}).encode(),
        "wrong-check-digit.json": json.dumps(EVENT | {"readPoint": {"id": PLOT[:-1] + "4"}}).encode(),
        "wrong-log.json": json.dumps(
            {
                "v": 1,
                "log": "other.example",
                "actor": COOP,
                "kind": "flag",
                "about": [],
                "prev": [],
                "seen": [0, "A" * 43 + "="],
                "data": {},
            }
        ).encode(),
        "record.json": json.dumps({"kind": "flag", "about": [LOT], "data": {}}).encode(),
        "no-such-kind.json": json.dumps({"kind": "nonsense", "about": [LOT], "data": {}}).encode(),
        "float.json": b'{"kind":"flag","about":[],"data":{"x":1e400}}',
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def refused(house: House, main: Main):
    """
    Return a function that runs a command which must be refused.

    It checks the exit code, the code on standard error, the JSON on standard output, and that log, tables and key
    files are as they were.
    """

    def check(*arguments: object, code: str, exit_code: int) -> Done:
        before = row_counts(house.app.database)
        keys = sorted((house.folder / "keys").iterdir())
        done = main("--dir", house.folder, *arguments)
        assert (done.code, done.error) == (exit_code, code), done.err
        assert "Traceback" not in done.err
        told = main("--dir", house.folder, *arguments, "--json").json
        assert (told["ok"], told["code"]) == (False, code)
        assert told["message"] in done.err
        assert row_counts(house.app.database) == before
        assert sorted((house.folder / "keys").iterdir()) == keys
        return done

    return check


COMMANDS = [
    ["serve"],
    ["worker"],
    ["org", "add", "x", "--title", "x"],
    ["key", "new", "x"],
    ["key", "register", "x", "--org", "x", "--act", "*"],
    ["key", "revoke", "x", "--admin", "x", "--reason", "x"],
    ["trust", "show"],
    ["stamp", "issue", "A", "--key", "x", "--gtin", GTIN, "--count", "1"],
    ["stamp", "sheet", "x/A", "-o", "x.pdf"],
    ["stamp", "activate", "x/A", "--key", "x", "--numbers", "1", "--lot", LOT],
    ["anchor"],
    ["bundle", LOT, "-o", "x"],
    ["audit"],
    ["init", ".", "--migrate"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_no_deployment_here(main, tmp_path, monkeypatch, command):
    """Every command that needs a deployment says that there is none, and how to make one."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    done = main("--dir", tmp_path / "empty", *command)
    assert (done.code, done.error) == (3, "deployment-missing")
    assert "traceledger init" in done.err
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_settings_that_are_wrong(main, tmp_path, monkeypatch, command):
    """A settings file with a mistake is refused by every command, which names the mistake."""
    (tmp_path / "traceledger.toml").write_text('origin = "so.example"\nport = "x"\n')
    monkeypatch.chdir(tmp_path)
    done = main("--dir", tmp_path, *command)
    assert (done.code, done.error) == (2, "settings")


class TestFounding:
    """init."""

    @pytest.mark.parametrize(
        "options",
        [
            [],
            ["--origin", "so.example"],
            ["--origin", "So.example", "--public-url", "https://so.example"],
            ["--origin", "so.example", "--public-url", "http://so.example"],
            ["--origin", "so.example", "--public-url", "https://so.example", "--operator", "Ông A"],
            ["--origin", "so.example", "--public-url", "https://so.example", "--rpc", "x"],
            ["--origin", "so.example", "--public-url", "https://so.example", "--chain-id", "-1"],
        ],
        ids=lambda options: " ".join(options[-2:]),
    )
    def test_bad_options(self, main, tmp_path, options):
        """A wrong option is refused by its setting, and nothing is made."""
        done = main("init", tmp_path / "so", *options)
        assert (done.code, done.error) == (2, "settings")
        assert not (tmp_path / "so").exists()

    def test_a_bad_database(self, main, tmp_path):
        """An address that is no database's is refused, and nothing is made."""
        options = ["--origin", "so.example", "--public-url", "https://so.example", "--database", "x"]
        done = main("init", tmp_path / "so", *options)
        assert (done.code, done.error) == (2, "database-url")
        assert not (tmp_path / "so").exists()

    def test_no_password(self, main, tmp_path):
        """Without a password and without a terminal it says what to set, and nothing is made."""
        done = main("init", tmp_path / "so", "--origin", "so.example", "--public-url", "https://so.example")
        assert (done.code, done.error) == (2, "password")
        assert not (tmp_path / "so").exists()

    def test_a_file_in_the_way(self, main, tmp_path):
        """A file where the folder should be is told, not stumbled over."""
        (tmp_path / "so").write_text("mine")
        options = ["--origin", "so.example", "--public-url", "https://so.example", "--password-file", "p"]
        done = main("init", tmp_path / "so", *options)
        assert (done.code, done.error) == (2, "file")
        assert (tmp_path / "so").read_text() == "mine"


class TestRegistry:
    """org and key."""

    @pytest.mark.parametrize("name", ["A", "x", "", "a b", "../x", "a" * 33, COOP])
    def test_bad_names(self, refused, name):
        """A name that is none, or taken, is refused; no key file of its admin is left."""
        refused("org", "add", name, "--title", "x", code="org-name", exit_code=2)

    def test_a_title_too_long(self, refused):
        """A statement beyond its limit is refused, and the admin's key file made for it is gone."""
        refused("org", "add", "moi", "--title", "x" * 20_000, code="too-large", exit_code=1)

    @pytest.mark.parametrize("name", ["../x", "A", "a b", "", "root.json"])
    def test_bad_key_names(self, refused, name):
        """A key's name is a plain name."""
        refused("key", "new", name, code="key-name", exit_code=2)

    def test_keys_that_are_taken_or_missing(self, refused, house):
        """A name twice, a key nobody made, an organisation nobody registered, a key registered before."""
        refused("key", "new", COOP, code="key-exists", exit_code=2)
        refused("key", "register", "none", "--org", COOP, "--act", "*", code="key-missing", exit_code=3)
        refused("key", "register", COOP, "--org", "none", "--act", "*", code="key-missing", exit_code=3)
        refused("key", "register", COOP, "--org", COOP, "--act", "*", code="key-reused", exit_code=1)
        new_key(house.app.settings, "moi")
        refused(
            "key", "register", "moi", "--org", COOP, "--act", "no act", code="statement-shape", exit_code=1
        )

    def test_revoking_what_is_not_there(self, refused):
        """A key id nobody registered, or that is none, cannot be revoked."""
        for kid, code in (("A" * 43, "registry-void"), ("x", "statement-shape")):
            refused("key", "revoke", kid, "--admin", "root", "--reason", "x", code=code, exit_code=1)


class TestSign:
    """sign."""

    @pytest.mark.parametrize(
        ("name", "code", "exit_code"),
        [
            ("empty", "json-syntax", 2),
            ("cut", "json-syntax", 2),
            ("binary", "json-syntax", 2),
            ("deep", "json-depth", 2),
            ("twice", "json-duplicate", 2),
            ("list", "statement-shape", 2),
            ("large", "too-large", 2),
            ("wrong-type.json", "epcis-invalid", 1),
            ("wrong-check-digit.json", "identifier", 2),
            ("wrong-log.json", "wrong-log", 1),
            ("no-such-kind.json", "kind-mismatch", 2),
            ("float.json", "json-number", 2),
        ],
    )
    def test_bad_files(self, refused, files, tmp_path, name, code, exit_code):
        """Whatever is in the file: a stable code, and no envelope is written."""
        out = tmp_path / "out.env"
        done = refused(
            *("sign", files / name, "--key", COOP, "--kind", "care", "-o", out),
            code=code,
            exit_code=exit_code,
        )
        assert done.err
        assert not out.exists()

    def test_keys(self, refused, house, files, tmp_path):
        """A key nobody made, one nobody registered, a revoked one."""
        out, event = tmp_path / "out.env", files / "event.json"
        common = ("--kind", "care", "-o", out)
        refused("sign", event, "--key", "none", *common, code="key-missing", exit_code=3)
        new_key(house.app.settings, "moi")
        refused("sign", event, "--key", "moi", *common, code="key-unknown", exit_code=1)
        made = house.add_key(COOP, "cu")
        house.log.submit_envelope(house.revocation(COOP, made.kid))
        refused("sign", event, "--key", "cu", *common, code="key-revoked", exit_code=1)
        refused("sign", event, "--key", COOP, "-o", out, code="kind-mismatch", exit_code=2)
        assert not out.exists()

    def test_an_output_that_cannot_be_written(self, refused, files, tmp_path):
        """A folder that is not there is told by its name."""
        done = refused(
            *("sign", files / "event.json", "--key", COOP, "--kind", "care"),
            *("-o", tmp_path / "none/out.env"),
            code="file",
            exit_code=2,
        )
        assert "none" in done.err


class TestSubmit:
    """submit."""

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("empty", "json-syntax"),
            ("cut", "json-syntax"),
            ("binary", "json-syntax"),
            ("deep", "json-depth"),
            ("twice", "json-duplicate"),
            ("large", "too-large"),
            ("list", "envelope-shape"),
            ("event.json", "envelope-shape"),
        ],
    )
    def test_bad_files(self, main, house, files, name, code):
        """Each bad file is named with its code; exit code 2; nothing is stored."""
        before = row_counts(house.app.database)
        done = main("--dir", house.folder, "submit", files / name, "--json")
        assert done.code == 2
        assert done.json == [{"file": str(files / name), "code": code, "message": done.json[0]["message"]}]
        assert row_counts(house.app.database) == before

    def test_the_rest_is_taken(self, main, house, files):
        """A bad file blocks no good one."""
        good = files / "good.env"
        good.write_text(json.dumps(house.note("x").to_json()))
        size = house.size()
        done = main("--dir", house.folder, "submit", files / "cut", good, files / "binary")
        assert done.code == 2
        assert f"{good}: entry {size}" in done.out
        assert house.size() == size + 1


class TestImport:
    """import."""

    @pytest.mark.parametrize("name", ["empty", "cut", "binary", "twice", "deep", "list"])
    def test_bad_files(self, main, house, files, name):
        """A file that is no document, or a document with nothing good in it: exit code 2, nothing stored."""
        before = row_counts(house.app.database)
        done = main("--dir", house.folder, "import", files / name, "--key", COOP)
        assert done.code == 2, done
        assert done.err
        assert row_counts(house.app.database) == before

    def test_options(self, refused, files):
        """A plot without a place, and a key that is not there."""
        refused("import", files / "event.json", "--key", "none", code="key-missing", exit_code=3)
        refused("import", files / "event.json", "--key", COOP, "--site", "x", code="diary", exit_code=2)


class TestStamps:
    """stamp."""

    @pytest.mark.parametrize(
        ("options", "code", "exit_code"),
        [
            (["a", "--gtin", GTIN, "--count", "1"], "roll-name", 2),
            (["A" * 17, "--gtin", GTIN, "--count", "1"], "roll-name", 2),
            (["A", "--gtin", "09521234567890", "--count", "1"], "identifier", 2),
            (["A", "--gtin", "x", "--count", "1"], "identifier", 2),
            (["A", "--gtin", GTIN, "--count", "1", "--lot", "a b"], "identifier", 2),
            (["A", "--gtin", GTIN, "--count", "1", "--stamp-key", "none"], "key-missing", 3),
        ],
        ids=["small letters", "too long", "check digit", "no number", "lot", "no such key"],
    )
    def test_issue(self, refused, options, code, exit_code):
        """A wrong name, check digit, lot or key: refused, and no roll is kept."""
        refused("stamp", "issue", *options, "--key", COOP, code=code, exit_code=exit_code)

    def test_sheet(self, refused, main, house, tmp_path):
        """An unknown roll or template, numbers outside the roll or that are none: refused, no file is left."""
        out = tmp_path / "sheet.pdf"
        refused("stamp", "sheet", f"{COOP}/A", "-o", out, code="roll-unknown", exit_code=3)
        issued = main(
            "--dir", house.folder, "stamp", "issue", "A", "--key", COOP, "--gtin", GTIN, "--count", 3
        )
        assert issued.code == 0
        roll = f"{COOP}/A"
        for options, code in (
            (["--numbers", "1-4"], "stamp-numbers"),
            (["--numbers", "x"], "stamp-numbers"),
            (["--numbers", "3-1"], "stamp-numbers"),
            (["--pages", "x"], "stamp-numbers"),
            (["--stamp-key", COOP], "stamp-key"),
        ):
            refused("stamp", "sheet", roll, "-o", out, *options, code=code, exit_code=2)
        done = main("--dir", house.folder, "stamp", "sheet", roll, "-o", out, "--template", "none")
        assert done.code in (2, 3)
        done = main("--dir", house.folder, "stamp", "sheet", roll, "-o", tmp_path / "none/x.pdf")
        assert (done.code, done.error) == (2, "file")
        assert not out.exists()

    @pytest.mark.parametrize(
        ("options", "code", "exit_code"),
        [
            (["--numbers", "1", "--lot", f"{GTIN}/NONE"], "lot-unknown", 3),
            (["--numbers", "1", "--lot", "09521234567890/L1"], "identifier", 2),
            (["--numbers", "1", "--lot", "urn:none"], "lot-unknown", 3),
            (["--numbers", "x", "--lot", LOT], "stamp-numbers", 2),
            (["--numbers", "", "--lot", LOT], "stamp-numbers", 2),
            (["--numbers", "3-1", "--lot", LOT], "statement-shape", 1),
        ],
        ids=["unknown lot", "check digit", "no lot", "no number", "nothing", "backwards"],
    )
    def test_activate(self, refused, main, house, options, code, exit_code):
        """An unknown or malformed lot, numbers that are none: refused before anything is signed."""
        house.submit(house.harvest())
        main("--dir", house.folder, "stamp", "issue", "A", "--key", COOP, "--gtin", GTIN, "--count", 3)
        refused("stamp", "activate", f"{COOP}/A", "--key", COOP, *options, code=code, exit_code=exit_code)

    def test_activating_an_unknown_roll(self, refused):
        """A roll nobody issued, and a name that is none."""
        common = ("--key", COOP, "--numbers", "1", "--lot", LOT)
        refused("stamp", "activate", f"{COOP}/NONE", *common, code="roll-unknown", exit_code=3)
        refused("stamp", "activate", "NONE", *common, code="roll-name", exit_code=2)


class TestEvidence:
    """bundle, verify, audit, trust."""

    @pytest.mark.parametrize(
        ("what", "code"),
        [
            (f"{GTIN}/NONE", "lot-unknown"),
            ("urn:none", "lot-unknown"),
            ("0" * 12, "stamp-unknown"),
            (f"https://so.example/01/{GTIN}/21/{'0' * 12}", "stamp-unknown"),
        ],
    )
    def test_bundles_of_nothing(self, refused, tmp_path, what, code):
        """A lot or stamp nobody knows is not found, and no file is written."""
        refused("bundle", what, "-o", tmp_path / "x", code=code, exit_code=3)
        assert not (tmp_path / "x").exists()

    @pytest.mark.parametrize("name", ["empty", "cut", "binary", "deep", "twice", "list", "event.json"])
    def test_what_is_no_bundle(self, main, files, name):
        """Anything else than a bundle is malformed: exit code 2, with --json too."""
        done = main("verify", files / name, "--json")
        assert done.code == 2
        assert (done.json["ok"], done.json["code"]) == (False, done.error)

    def test_what_is_no_trust_file(self, main, house, files, tmp_path):
        """A policy that is none is input to fix, for verify, audit and trust add alike."""
        house.submit(house.harvest())
        bundle = tmp_path / "lot.json"
        assert main("--dir", house.folder, "bundle", LOT, "-o", bundle).code == 0
        for name in ("empty", "binary", "event.json", "deep"):
            for command in (
                ["verify", bundle, "--policy", files / name],
                ["--dir", house.folder, "audit", "--policy", files / name],
                ["trust", "add", files / name],
            ):
                assert main(*command).code == 2, (name, command)

    def test_endpoints(self, main, house, tmp_path):
        """An address that is none is refused; one that does not answer leaves the rung unchecked: exit code 4."""
        house.submit(house.harvest())
        bundle, trust = tmp_path / "lot.json", house.folder / "trust.json"
        main("--dir", house.folder, "bundle", LOT, "-o", bundle)
        assert main("verify", bundle, "--policy", trust).code == 0
        assert main("verify", bundle, "--policy", trust, "--rpc", "http://127.0.0.1:9").code == 4
        assert main("--dir", house.folder, "audit", "--rpc", "http://127.0.0.1:9").code == 4
        assert main("--dir", house.folder, "audit", "--rpc", "nonsense").code in (1, 2)

    def test_old_checkpoints(self, main, house, files, tmp_path):
        """A file that is no checkpoint is input to fix; one of another log is evidence against this one."""
        for name in ("empty", "binary", "event.json"):
            done = main("--dir", house.folder, "audit", "--checkpoint", files / name)
            assert done.code == 2, name
            assert main("--dir", house.folder, "audit", "--bundle", files / name).code == 2
        note = house.log.checkpoint()
        (tmp_path / "old").write_text(note)
        assert main("--dir", house.folder, "audit", "--checkpoint", tmp_path / "old").code == 0
        size = parse_checkpoint(note).size
        (tmp_path / "old").write_text(note.replace(f"\n{size}\n", f"\n{size + 5}\n", 1))
        done = main("--dir", house.folder, "audit", "--checkpoint", tmp_path / "old", "--json")
        assert (done.code, done.json["first_bad"]) == (1, {"index": None, "code": "head-rollback"})

    def test_another_genesis_is_not_pinned_over_the_first(self, main, house, tmp_path):
        """A second trust file of the same name is refused: the first one pinned stays."""
        assert main("trust", "add", house.folder / "trust.json").code == 0
        other = tmp_path / "other.json"
        other.write_bytes(Trust(origin=ORIGIN, genesis="0" * 64).encode())
        done = main("trust", "add", other)
        assert (done.code, done.error) == (2, "trust-pinned")
        assert main("trust", "add", house.folder / "trust.json").code == 0

    def test_a_tampered_database(self, main, house):
        """An audit of a changed database names the entry: exit code 1, not a crash."""
        with house.app.database.write() as connection:
            connection.execute(
                text("update entries set entry = replace(entry, 'adm', 'add') where \"index\" = 5")
            )
        done = main("--dir", house.folder, "audit", "--json")
        assert done.code == 1
        assert done.json["first_bad"] == {"index": 5, "code": "entry-shape"}


class TestChain:
    """anchor and worker on a chain that is not as it should be."""

    def test_none_configured(self, refused, house):
        """Without a chain both say what to set."""
        refused("anchor", code="chain-unset", exit_code=2)
        refused("anchor", "--setup", code="chain-unset", exit_code=2)

    @pytest.mark.parametrize("contract", ["x", "0x12", f"0x{'g' * 40}", f"0x{'0' * 41}"], ids=[0, 1, 2, 3])
    def test_a_contract_that_is_no_address(self, chained, main, contract):
        """A contract's address that is none is refused by name."""
        done = main("--dir", chained.house.folder, "anchor", "--setup", "--contract", contract)
        assert (done.code, done.error) == (2, "settings")

    def test_down(self, chained, main):
        """A chain that does not answer: exit code 4, nothing appended."""
        size = chained.house.size()
        chained.chain.stop()
        for options in ([], ["--watch"], ["--setup"]):
            done = main("--dir", chained.house.folder, "anchor", *options)
            assert (done.code, done.error) == (4, "chain-unreachable")
        assert chained.house.size() == size

    def test_another_chain(self, chained, main, anvil_factory):
        """An endpoint that serves another chain id: refused, by anchor and by worker alike."""
        move(chained.house, anvil_factory(chain_id=1))
        for command in (["anchor"], ["anchor", "--setup"], ["worker"]):
            done = main("--dir", chained.house.folder, *command)
            assert (done.code, done.error) == (1, "chain-id"), command

    def test_no_contract(self, chained, main, anvil_factory):
        """A chain without code at the contract's address: refused by both."""
        move(chained.house, anvil_factory())
        for command in (["anchor"], ["worker"]):
            done = main("--dir", chained.house.folder, *command)
            assert (done.code, done.error) == (2, "contract-missing"), command

    def test_not_final_in_time(self, chained, main):
        """A watch that runs out of time says which size is not final: exit code 4."""
        chained.house.submit(chained.house.harvest())
        chained.chain.rpc.ask("evm_setAutomine", False)
        write(replace(chained.house.app.settings, demo=False))
        done = main("--dir", chained.house.folder, "anchor", "--watch", "--timeout", "0")
        assert (done.code, done.error) == (4, "anchor-not-final")
