# SPDX-License-Identifier: Apache-2.0
"""Settings: every bad value is refused by its name, the environment overrides, and what is written reads back."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from traceledger.errors import InputError, NotFoundError
from traceledger.settings import FILE_NAME, Settings, check, load, write

LEAST = {"origin": "so.example/nhat-ky", "public_url": "https://so.example", "operator": "van-hanh"}


@pytest.fixture
def folder(tmp_path):
    """A folder with the shortest settings file there is."""
    lines = [f'{name} = "{value}"' for name, value in LEAST.items()]
    (tmp_path / FILE_NAME).write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def refused(values) -> str:
    """The refusal of *values*, which must be by code ``settings``."""
    with pytest.raises(InputError) as caught:
        check("/so", values)
    assert caught.value.code == "settings"
    return caught.value.message


def test_the_least_that_is_needed(folder):
    """Three settings are enough; the rest have defaults, and none of them is a secret."""
    settings = load(folder, {})
    assert settings.folder == folder.resolve()
    assert (settings.chain_id, settings.rpc, settings.demo, settings.port) == (0, (), False, 8400)
    assert settings.database_url == f"sqlite:///{folder.resolve()}/ledger.db"
    assert settings.chain == ""
    assert settings.keys == folder.resolve() / "keys"


@pytest.mark.parametrize("name", LEAST)
def test_one_of_the_three_missing(folder, name):
    """Each of the three must be there, and the refusal names it."""
    message = refused({other: value for other, value in LEAST.items() if other != name})
    assert repr(name) in message


BAD = {
    "origin": [7, "", "So.example", "so example", "a+b", "x" * 201, "so.example\n"],
    "public_url": [
        7,
        "",
        "so.example",
        "ftp://so.example",
        "https://",
        "https://SO.example",
        "https://so.example/",
        "https://so.example/path",
        "https://so.example?x",
        "https://so.example#x",
        "https://user@so.example",
        "https://so.example:99999",
        "https://so.example:0",
        "https://so.example:",
        "https://so .example",
        "https://[::1",
        "https://sổ.example",
        "http://so.example",
        "http://8.8.8.8",
    ],
    "operator": [7, "", "A", "VAN-HANH", "vận-hành", "a" * 33, "-a"],
    "database": [7, True, "sqlite:///a\nb"],
    "rpc": [
        "http://127.0.0.1:1",
        7,
        [7],
        ["x"],
        ["ftp://x"],
        ["http://"],
        ["http://[::1"],
        ["http://a:b"],
        [""],
    ],
    "chain_id": ["1", -1, 1.5, True, 2**63],
    "contract": [7, "0x", "0x" + "0" * 39, "0x" + "G" * 40, "0X" + "0" * 40, "0x" + "A" * 40, "0" * 42],
    "anchor_every": ["1", 0, -1, 1.5, 10**10],
    "fee_ceiling_gwei": ["1", 0, -1, True],
    "contact": [7, "a\nb"],
    "password_file": [7, "a\x00"],
    "import_key": [7, "a\x00"],
    "host": [7, "a\x1b"],
    "port": ["1", 0, -1, 65_536, True],
    "demo": ["true", 1, 0],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_value_is_refused_by_name(name, value):
    """Wrong type, range or form: refused, and the message names the setting."""
    assert name in refused(LEAST | {name: value})


def test_every_setting_has_bad_values_here():
    """A new setting needs its bad values in the table above."""
    assert BAD.keys() == {f.name for f in fields(Settings)} - {"folder"}


@pytest.mark.parametrize(
    "url",
    [
        "https://so.example",
        "https://so.example:8443",
        "http://localhost:8400",
        "http://127.0.0.1:8400",
        "http://192.168.1.20",
        "http://10.0.0.1",
        "http://172.16.0.1:80",
        "http://[::1]:8400",
    ],
)
def test_addresses_that_stamps_may_carry(url):
    """https anywhere; plain http on this machine and in private networks only."""
    assert check("/so", LEAST | {"public_url": url}).public_url == url


def test_a_setting_nobody_knows(folder):
    """A misspelt setting is refused, not passed over."""
    (folder / FILE_NAME).write_text('orign = "x"\n')
    with pytest.raises(InputError, match="orign") as caught:
        load(folder, {})
    assert caught.value.code == "settings"


@pytest.mark.parametrize("data", [b"origin", b"a = 1\na = 2", b"\xff", b'origin = "'])
def test_a_file_that_is_no_toml(folder, data):
    """A file that does not parse is refused by its path."""
    (folder / FILE_NAME).write_bytes(data)
    with pytest.raises(InputError, match=FILE_NAME) as caught:
        load(folder, {})
    assert caught.value.code == "settings"


def test_no_deployment_here(tmp_path):
    """A folder without settings is no deployment, and the refusal says how to make one."""
    with pytest.raises(NotFoundError, match="traceledger init") as caught:
        load(tmp_path, {})
    assert caught.value.code == "deployment-missing"


def test_the_environment_overrides(folder):
    """Each setting has its variable; lists are separated by commas, truth is true or false."""
    environment = {
        "TRACELEDGER_RPC": "http://127.0.0.1:1,http://127.0.0.1:2",
        "TRACELEDGER_CHAIN_ID": "31337",
        "TRACELEDGER_DEMO": "True",
        "TRACELEDGER_PORT": "9000",
        "TRACELEDGER_DATABASE": "postgresql+psycopg://x@/so",
        "TRACELEDGER_OPERATOR": "khac",
        "TRACELEDGER_PASSWORD": "not a setting",
        "OPERATOR": "not ours",
    }
    settings = load(folder, environment)
    assert settings.rpc == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert (settings.chain_id, settings.chain, settings.demo, settings.port) == (
        31337,
        "eip155:31337",
        True,
        9000,
    )
    assert settings.database_url == "postgresql+psycopg://x@/so"
    assert settings.operator == "khac"
    assert load(folder, {"TRACELEDGER_DEMO": "no"}).demo is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", ""),
        ("PORT", "70000"),
        ("DEMO", "maybe"),
        ("DEMO", ""),
        ("OPERATOR", "X"),
        ("RPC", "x"),
    ],
)
def test_a_bad_override_is_refused_by_name(folder, name, value):
    """The environment is checked as the file is."""
    with pytest.raises(InputError) as caught:
        load(folder, {f"TRACELEDGER_{name}": value})
    assert caught.value.code == "settings"
    assert name.lower() in caught.value.message.lower()


def test_what_is_written_reads_back(tmp_path):
    """Quotes, backslashes, Vietnamese, lists and truth values survive; what is a default is not written."""
    settings = check(
        tmp_path.resolve(),
        LEAST
        | {
            "contact": 'Nguyễn "Mẫu" <a\\b@so.example>',
            "rpc": ["http://127.0.0.1:1", "https://rpc.example/key"],
            "chain_id": 31337,
            "contract": "0x" + "ab" * 20,
            "demo": True,
        },
    )
    write(settings)
    assert load(tmp_path, {}) == settings
    text = (tmp_path / FILE_NAME).read_text(encoding="utf-8")
    assert "port" not in text
    assert not list(tmp_path.glob("*.tmp"))
    changed = replace(settings, port=9000)
    write(changed)
    assert load(tmp_path, {}) == changed


def test_links_of_stamps():
    """Scheme and authority of printed links come from the public address."""
    settings = check("/so", LEAST | {"public_url": "http://192.168.1.20:8400"})
    assert (settings.link_scheme, settings.link_host) == ("http", "192.168.1.20:8400")
    assert check("/so", LEAST | {"contract": "0x" + "ab" * 20}).contract_address == b"\xab" * 20


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("sqlite:///ledger.db", "sqlite:////so/ledger.db"),
        ("sqlite:////var/ledger.db", "sqlite:////var/ledger.db"),
        ("postgresql+psycopg://x@/so", "postgresql+psycopg://x@/so"),
    ],
)
def test_where_the_database_is(given, wanted):
    """A relative SQLite path is in the deployment's folder, everything else is as given."""
    assert check(Path("/so"), LEAST | {"database": given}).database_url == wanted
