# SPDX-License-Identifier: Apache-2.0
"""Where a password comes from: a file, the environment, a prompt; in that order, and from nowhere else."""

import getpass
import io
import sys

import pytest

from traceledger.errors import AccessError
from traceledger.keyring.passwords import ENVIRONMENT, choose, passwords


@pytest.fixture
def file(tmp_path):
    """A password file of two lines."""
    path = tmp_path / "password"
    path.write_text("mật khẩu\nsecond line\n", encoding="utf-8")
    path.chmod(0o600)
    return path


class Terminal(io.StringIO):
    """Standard input that somebody sits at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch):
    """What is typed at prompts, in order; returns the list of prompts shown."""
    prompts = []

    def start(*answers):
        rest = iter(answers)
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(getpass, "getpass", lambda prompt: prompts.append(prompt) or next(rest))
        return prompts

    return start


def test_the_first_line_of_a_file(file):
    """A password file gives its first line, without the line's end, for every key."""
    ask = passwords(str(file), {ENVIRONMENT: "other"})
    assert ask("an") == ask("binh") == "mật khẩu"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_others_may_read(file, mode):
    """A password file open to others is refused."""
    file.chmod(mode)
    with pytest.raises(AccessError, match="chmod 600") as caught:
        passwords(str(file))
    assert caught.value.code == "key-mode"


def test_a_missing_file(tmp_path):
    """A password file that is configured and not there is refused: nothing else is tried."""
    with pytest.raises(AccessError) as caught:
        passwords(str(tmp_path / "none"), {ENVIRONMENT: "x"})
    assert caught.value.code == "password"


def test_a_file_that_is_no_text(file):
    """A binary file in its place is refused, not a crash."""
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(AccessError) as caught:
        passwords(str(file))
    assert caught.value.code == "password"


def test_the_environment():
    """Without a file the environment is asked."""
    assert passwords("", {ENVIRONMENT: "x"})("an") == "x"
    assert passwords("", {ENVIRONMENT: ""})("an") == ""


def test_a_prompt(typed):
    """Without both somebody at the terminal is asked, by the key's name."""
    prompts = typed("x")
    assert passwords("", {})("an") == "x"
    assert "an" in prompts[0]


def test_nobody_there(monkeypatch):
    """Without a terminal nothing is asked, and the refusal says what to set."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(AccessError, match=ENVIRONMENT) as caught:
        passwords("", {})("an")
    assert caught.value.code == "password"


def test_a_new_password_is_typed_twice(typed):
    """For new keys a typed password is asked for once more; two different ones make nothing."""
    prompts = typed("x", "x", "x", "y")
    assert choose("", {}) == "x"
    assert len(prompts) == 2
    with pytest.raises(AccessError, match="differ") as caught:
        choose("", {})
    assert caught.value.code == "password"


def test_a_new_password_from_a_file_or_the_environment(file, typed):
    """Nobody is asked where it is configured."""
    prompts = typed()
    assert choose(str(file), {}) == "mật khẩu"
    assert choose("", {ENVIRONMENT: "x"}) == "x"
    assert prompts == []
