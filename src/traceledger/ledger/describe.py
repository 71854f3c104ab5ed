# SPDX-License-Identifier: Apache-2.0
"""
Describe: the words a stamp carries, from the records in the log where the printer gives none.
"""

from dataclasses import dataclass

from traceledger.core.claims.identifiers import gtin_uri
from traceledger.ledger.sequence import Log
from traceledger.store import log as stored
from traceledger.store import rolls


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is printed beside a symbol."""

    product: str
    producer: str
    place: str


def printed_words(log: Log, roll: str, *, product: str, producer: str, place: str) -> Words:
    """
    Return product, producer and place to print on the stamps of *roll*; what is given wins.

    Raises:
        NotFoundError: code ``roll-unknown``.
    """
    with log.database.read() as connection:
        found = rolls.read_roll(connection, roll)
        size = stored.read_head(connection).size
        records = [entry for _, entry in stored.touching(connection, gtin_uri(found.gtin), size)]
    names = [str(entry.statement["data"]["name"]) for entry in records if entry.kind == "product"]
    issuer = log.registry().orgs.get(roll.partition("/")[0])
    return Words(
        product=product or (names[-1] if names else ""),
        producer=producer or (issuer.name if issuer else ""),
        place=place,
    )
