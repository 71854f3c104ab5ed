# SPDX-License-Identifier: Apache-2.0
"""
Which lots, products, places and rolls an entry touches, and which lots were made from which.

Section 3 of the format specification: *subjects*, *created by*, and the set of a bundle (section 7).
"""

from collections.abc import Callable, Iterable, Mapping

from traceledger.core.claims import epcis, identifiers, records
from traceledger.core.log.entry import Entry


def subjects_of(entry: Entry) -> tuple[str, ...]:
    """
    Return the subjects *entry* touches, sorted, each once.

    Registry entries touch none; neither does an entry whose statement has no well-formed list of them, so this
    can be asked of entries whose shape was not checked.

    Raises:
        VerificationError: the payload is not the JCS form of a JSON object.
    """
    if entry.is_registry:
        return ()
    if entry.family == "event":
        return tuple(sorted(set(epcis.subjects(entry.statement))))
    statement = entry.statement
    try:
        found = {identifiers.canonical(item) for item in statement["about"]}
        if entry.family == "stamps" and entry.kind != "open":
            found.add(records.roll_uri(statement["data"]["roll"]))
    except (KeyError, TypeError):
        return ()
    return tuple(sorted(found))


def made_from(entry: Entry) -> Mapping[str, tuple[str, ...]]:
    """
    Return what each subject the entry makes was made from: the inputs of a transformation, the children of
    an aggregation.  Empty for all other entries.
    """
    return epcis.inputs_of(entry.statement) if entry.family == "event" else {}


def upstream(subject: str, touching: Callable[[str], Iterable[Entry]]) -> list[str]:
    """
    Return *subject* and every subject it was made from, repeatedly, nearest first, each once.

    Args:
        subject: Where to start.

        touching: Gives the valid entries that touch a subject.
    """
    order = [subject]
    known = {subject}
    made: dict[str, Mapping[str, tuple[str, ...]]] = {}  # an entry with many inputs is met once for each
    for current in order:  # grows while it is walked: breadth first
        for entry in touching(current):
            if entry.id not in made:
                made[entry.id] = made_from(entry)
            for source in made[entry.id].get(current, ()):
                if source not in known:
                    known.add(source)
                    order.append(source)
    return order
