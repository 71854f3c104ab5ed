# SPDX-License-Identifier: Apache-2.0
"""
Gather what a lot's evidence rests on: its entries and those upstream, nearest first, all or up to a limit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from traceledger.core.log.entry import Entry
from traceledger.core.state.lineage import made_from
from traceledger.store import log as stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """
    What stands below a size about a lot.

    Attributes:
        subjects: The set of the bundle, nearest first.

        entries: By index.
    """

    subjects: tuple[str, ...]
    entries: dict[int, Entry]


def gather(
    connection: Connection, subject: str, size: int, *, also: Iterable[str] = (), most: int | None = None
) -> Content:
    """
    Return what stands about *subject* and what it was made from at *size*, nearest first.

    Args:
        also: Subjects without upstream that belong to the set, such as a roll.

        most: Greatest number of entries, for a bundle; None for all.  Whoever decides about goods asks for all:
            anybody may fill a lot with notices, and what comes behind them could be its recall.
    """
    extra = [*also]
    order = [subject]
    known = {subject, *extra}
    entries: dict[int, Entry] = {}
    made: dict[int, Mapping[str, tuple[str, ...]]] = {}  # an entry with many inputs is met once for each
    level = [subject, *extra]
    while level:
        touched = stored.touching_each(connection, level, size)
        fresh = [*dict.fromkeys(i for name in level for i in touched[name] if i not in entries)]
        taken = fresh if most is None else fresh[: most - len(entries)]
        read = stored.read_at(connection, taken)
        made |= {index: made_from(entry) for index, entry in read.items()}
        entries |= read
        above = (made[i].get(name, ()) for name in level for i in touched[name] if i in entries)
        level = [*dict.fromkeys(source for sources in above for source in sources if source not in known)]
        known.update(level)
        order += level
        if len(taken) < len(fresh):
            break
    return Content(subjects=(*order, *extra), entries=dict(sorted(entries.items())))
