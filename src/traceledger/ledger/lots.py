# SPDX-License-Identifier: Apache-2.0
"""
Gather what a lot's evidence rests on: its entries and those upstream, nearest first, up to the bundle's limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from traceledger.core.judge.bundle import MAX_CONTENT
from traceledger.core.log.entry import Entry
from traceledger.core.state.lineage import made_from
from traceledger.store import log as stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """
    What stands below a size about a lot.

    Attributes:
        subjects: The set of the bundle, nearest first.

        entries: By index; at most 500.
    """

    subjects: tuple[str, ...]
    entries: dict[int, Entry]


def gather(connection: Connection, subject: str, size: int, *, also: Iterable[str] = ()) -> Content:
    """
    Return the content of a bundle about *subject* at *size*.

    Args:
        also: Subjects without upstream that belong to the set, such as a roll.
    """
    order = [subject]
    known = {subject, *also}
    entries: dict[int, Entry] = {}
    extra = [*also]
    for position, current in enumerate(order):
        for name in [current, *(extra if position == 0 else [])]:
            for index, entry in stored.touching(connection, name, size):
                if index not in entries and len(entries) >= MAX_CONTENT:
                    return Content(subjects=(*order, *extra), entries=dict(sorted(entries.items())))
                entries[index] = entry
                for source in made_from(entry).get(name, ()):
                    if source not in known:
                        known.add(source)
                        order.append(source)
    return Content(subjects=(*order, *extra), entries=dict(sorted(entries.items())))
