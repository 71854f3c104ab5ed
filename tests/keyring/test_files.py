# SPDX-License-Identifier: Apache-2.0
"""Key files on disk: written once, for their owner alone, and opened by their password alone."""

import json
import os
import unicodedata

import pytest

from traceledger.core.sign.encoding import b64u_encode
from traceledger.core.sign.keys import SigningKey
from traceledger.errors import AccessError, ConflictError, InputError, NotFoundError, TraceledgerError
from traceledger.keyring import files

KEY = SigningKey(bytes(range(32)))
QUICK = 2**14


@pytest.fixture
def path(tmp_path):
    """Where a key file is not yet, in a folder that is not there either."""
    return tmp_path / "keys" / "an.json"


def sealed(password: str = "mật khẩu") -> dict:
    """The key, sealed cheaply."""
    return files.seal(KEY, custody="file", password=password, n=QUICK)


def test_a_sealed_key_comes_back(path):
    """What was saved opens with the password, asked for by the file's name, and is the same key."""
    asked = []
    files.save(path, sealed())
    loaded = files.load(path, lambda name: asked.append(name) or "mật khẩu")
    assert asked == ["an"]
    assert loaded.public == KEY.public
    assert loaded.sign(b"x") == KEY.sign(b"x")


def test_an_open_key_asks_for_nothing(path):
    """An unsealed key file, for demonstrations, opens without a password."""
    files.save(path, files.seal(KEY, custody="device", password=None))

    def never(_name):
        raise AssertionError

    assert files.load(path, never).kid == KEY.kid
    assert files.read(path)["custody"] == "device"


def test_only_the_owner_may_read(path):
    """File and folder are made for the owner alone, whatever the umask."""
    old = os.umask(0)
    try:
        files.save(path, sealed())
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_others_may_read_is_refused(path, mode):
    """A key file open to a group or to all is refused before its password is asked for."""
    files.save(path, sealed())
    path.chmod(mode)
    with pytest.raises(AccessError, match="chmod 600") as caught:
        files.load(path, lambda name: pytest.fail("asked"))
    assert caught.value.code == "key-mode"


@pytest.mark.parametrize("password", ["", "mat khau", "mật khẩu ", "MẬT KHẨU"])
def test_a_wrong_password(path, password):
    """Another password does not open it, and the refusal names neither key nor password."""
    files.save(path, sealed())
    with pytest.raises(AccessError) as caught:
        files.load(path, lambda name: password)
    assert caught.value.code == "password"
    assert password not in str(caught.value) or not password


def test_the_password_is_compared_composed(path):
    """Typed on another keyboard, decomposed, it is the same password."""
    files.save(path, sealed())
    decomposed = unicodedata.normalize("NFD", "mật khẩu")
    assert decomposed != "mật khẩu"
    assert files.load(path, lambda name: decomposed).kid == KEY.kid


def test_a_key_is_never_overwritten(path):
    """A second key under the same name is refused, and the first stays."""
    files.save(path, sealed())
    before = path.read_bytes()
    with pytest.raises(ConflictError) as caught:
        files.save(path, files.seal(SigningKey(bytes(32)), custody="file", password=None))
    assert caught.value.code == "key-exists"
    assert path.read_bytes() == before


def test_a_missing_key(path):
    """No such file is not found."""
    with pytest.raises(NotFoundError) as caught:
        files.load(path, lambda name: "")
    assert caught.value.code == "key-missing"


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"v":1}', b"x" * 20_000, b"[" * 5_000, b'{"v":1,"v":1}'],
    ids=["empty", "cut", "list", "null", "no-text", "members-missing", "large", "deep", "member-twice"],
)
def test_what_is_no_key_file(path, data):
    """Anything else in a key file's place is refused as input, by one code."""
    path.parent.mkdir()
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        files.load(path, lambda name: "")
    assert caught.value.code == "key-file"


@pytest.mark.parametrize("member", ["v", "alg", "kid", "public", "custody", "kdf", "cipher", "secret"])
@pytest.mark.parametrize("change", ["removed", "null", "number"])
def test_one_member_changed(path, member, change):
    """A key file with one member missing or of another type never opens."""
    value = sealed()
    if change == "removed":
        del value[member]
    else:
        value[member] = None if change == "null" else 7
    files.save(path, value)
    with pytest.raises(TraceledgerError) as caught:
        files.load(path, lambda name: "mật khẩu")
    assert caught.value.code in ("key-file", "password")


@pytest.mark.parametrize(
    ("member", "other"),
    [("custody", "device"), ("kid", SigningKey(bytes(32)).kid), ("public", "A" * 43)],
)
def test_public_members_cannot_be_exchanged(path, member, other):
    """What stands in the open is bound to the sealed secret: another custody or name does not open."""
    files.save(path, sealed() | {member: other})
    with pytest.raises(TraceledgerError) as caught:
        files.load(path, lambda name: "mật khẩu")
    assert caught.value.code in ("key-file", "password")


@pytest.mark.parametrize("n", [2**13, 2**21, 2**14 + 1, 0, -1, True])
def test_costs_out_of_range(path, n):
    """A cost that opens too quickly, or would take the memory, is refused before it is paid."""
    value = sealed()
    value["kdf"] |= {"n": n}
    files.save(path, value)
    with pytest.raises(InputError) as caught:
        files.load(path, lambda name: "mật khẩu")
    assert caught.value.code == "key-file"


def test_the_secret_is_sealed(path):
    """The seed stands nowhere in a sealed file, and two sealings share no salt, nonce or secret."""
    files.save(path, sealed())
    assert b64u_encode(KEY.seed()) not in path.read_text()
    one, two = sealed(), sealed()
    assert one["secret"] != two["secret"]
    assert one["kdf"]["salt"] != two["kdf"]["salt"]
    assert json.loads(path.read_text())["cipher"]["name"] == "chacha20-poly1305"


def test_a_large_file_is_not_read_whole(path):
    """A file beyond the limit is refused, not loaded."""
    path.parent.mkdir()
    path.write_bytes(b" " * 10_000_000)
    path.chmod(0o600)
    with pytest.raises(InputError):
        files.read(path)
