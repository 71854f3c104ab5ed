# SPDX-License-Identifier: Apache-2.0
"""
What the demonstration invites people to do to its log: say ten times the weight, in the database, behind everybody's back.
"""

import re
from pathlib import Path
from typing import Final

from traceledger.core.log.entry import Entry
from traceledger.core.sign.encoding import b64encode

AMOUNT: Final = re.compile(rb'"quantity":([0-9])')


def command(python: str, database: Path, index: int, entry: Entry) -> str:
    """
    Return a shell command that changes one digit of the amount stated in *entry*, which must state one.

    Args:
        python: How to call Python.

        database: The log's SQLite file.

        index: Index of *entry*.
    """
    payload = entry.envelope.payload
    digit = AMOUNT.search(payload)
    if digit is None:
        raise ValueError("the entry states no amount")
    other = b"8" if digit[1] == b"9" else b"9"
    old, new = b64encode(payload), b64encode(payload[: digit.start(1)] + other + payload[digit.end(1) :])
    differing = [at for at, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    first, last = differing[0], differing[-1]
    start = entry.raw.index(old.encode()) + first
    letters = ", ".join(str(ord(letter)) for letter in new[first : last + 1])
    end = start + last - first + 2  # SQL counts from 1
    change = (
        f"entry = substr(entry, 1, {start}) || char({letters}) || substr(entry, {end}) where rowid = {index}"
    )
    steps = f'd = sqlite3.connect("{database}"); d.execute("update entries set {change}"); d.commit()'  # noqa: S608 - for people to read
    return f"{python} -c 'import sqlite3; {steps}'"
