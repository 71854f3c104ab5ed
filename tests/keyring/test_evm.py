# SPDX-License-Identifier: Apache-2.0
"""Keystores of the anchor signer, guardian and relaying account: the format every Ethereum tool reads."""

import json

import pytest
from eth_account import Account

from traceledger.errors import AccessError, ConflictError, InputError, NotFoundError
from traceledger.keyring import evm


@pytest.fixture
def path(tmp_path):
    """Where a keystore is not yet."""
    return tmp_path / "keys" / "anchor.json"


def test_a_keystore_comes_back(path):
    """What was saved opens with its password and has the same address."""
    key = evm.EvmKey.new()
    evm.save(path, key, "mật khẩu", demo=True)
    loaded = evm.load(path, "mật khẩu")
    assert (loaded.secret, loaded.address) == (key.secret, key.address)
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_tool_opens_it(path):
    """The file is Web3 Secret Storage version 3, which eth-account itself opens."""
    key = evm.EvmKey.new()
    evm.save(path, key, "x", demo=True)
    value = json.loads(path.read_text())
    assert value["version"] == 3
    assert bytes(Account.decrypt(value, "x")) == key.secret
    assert bytes.fromhex(value["address"].removeprefix("0x")) == key.address


def test_a_demonstration_opens_quickly_and_nothing_else_does(path):
    """Only a demonstration's keystore is cheap to open."""
    evm.save(path, evm.EvmKey.new(), "x", demo=True)
    cheap = json.loads(path.read_text())["crypto"]["kdfparams"]["n"]
    evm.save(path.with_name("real.json"), evm.EvmKey.new(), "x")
    assert json.loads(path.with_name("real.json").read_text())["crypto"]["kdfparams"]["n"] >= 2**17
    assert cheap == 2**12


def test_a_wrong_password(path):
    """Another password does not open it."""
    evm.save(path, evm.EvmKey.new(), "x", demo=True)
    with pytest.raises(AccessError) as caught:
        evm.load(path, "y")
    assert caught.value.code == "password"


def test_never_overwritten_nor_open_to_others(path):
    """As with key files: one name, one key, its owner's alone."""
    evm.save(path, evm.EvmKey.new(), "x", demo=True)
    with pytest.raises(ConflictError) as caught:
        evm.save(path, evm.EvmKey.new(), "x", demo=True)
    assert caught.value.code == "key-exists"
    path.chmod(0o640)
    with pytest.raises(AccessError) as caught:
        evm.load(path, "x")
    assert caught.value.code == "key-mode"


@pytest.mark.parametrize(
    "data", ["", "{", "[]", "null", "7", "{}", '{"version": 3}', '{"version": 3, "crypto": {}}']
)
def test_what_is_no_keystore(path, data):
    """Anything else in its place is refused as input."""
    path.parent.mkdir()
    path.write_text(data)
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        evm.load(path, "x")
    assert caught.value.code == "key-file"


def test_bytes_that_are_no_text(path):
    """A binary file is refused as input too."""
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        evm.load(path, "x")
    assert caught.value.code == "key-file"


def test_a_missing_keystore(path):
    """No such file is not found."""
    with pytest.raises(NotFoundError) as caught:
        evm.load(path, "x")
    assert caught.value.code == "key-missing"


def test_the_secret_is_not_printed():
    """Logging a key shows its address alone."""
    key = evm.EvmKey(bytes(31) + b"\x01")
    assert repr(key) == "EvmKey(0x7e5f4552091a69125d5dfcb7b8c2659029395bdf)"
