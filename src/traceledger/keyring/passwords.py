# SPDX-License-Identifier: Apache-2.0
"""
Where a key file's password comes from: a file, the environment, or a prompt; never an argument, never a log.
"""

import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from traceledger.errors import AccessError
from traceledger.keyring.files import Passwords

ENVIRONMENT: Final = "TRACELEDGER_PASSWORD"


def passwords(password_file: str, environment: Mapping[str, str] = os.environ) -> Passwords:
    """
    Return a function that gives the password of a key file.

    Args:
        password_file: File whose first line is the password, mode 0600; empty for none.

        environment: Looked up for ``TRACELEDGER_PASSWORD`` where there is no file.
    """
    if password_file:
        found = _from_file(Path(password_file))
        return lambda _name: found
    if ENVIRONMENT in environment:
        return lambda _name: environment[ENVIRONMENT]
    return _ask


def choose(password_file: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the password for new key files: as `passwords`, but asked for twice at a prompt."""
    ask = passwords(password_file, environment)
    chosen = ask("of new keys")
    if ask is _ask and getpass.getpass("The same again: ") != chosen:
        raise AccessError("the two passwords differ; nothing was made", code="password")
    return chosen


def _from_file(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise AccessError(f"others may read {path}: run chmod 600 {path}", code="key-mode")
        return path.read_text(encoding="utf-8").split("\n", 1)[0]
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"the password file {path} cannot be read: {error}", code="password") from error


def _ask(name: str) -> str:
    if not sys.stdin.isatty():
        raise AccessError(
            f"no password {name}: set password_file, or {ENVIRONMENT}, or run in a terminal",
            code="password",
        )
    return getpass.getpass(f"Password {name}: ")
