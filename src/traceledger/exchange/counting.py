# SPDX-License-Identifier: Apache-2.0
"""
Totals of a set of event statements, by which an import is held against its source.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from traceledger.core.claims.epcis import amounts, inputs_of
from traceledger.core.claims.identifiers import canonical

_CLASS_LISTS: Final = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """
    What a set of events adds up to.

    Attributes:
        events: Distinct events; the parts of one that was split count as several.

        lots: Distinct lots and classes, canonical: all that stand in a quantity list.

        edges: Distinct pairs (made from, made): transformation input → output, aggregation child → parent.

        kilograms: Sum of KGM made by ObjectEvents ADD and as outputs of transformations.
    """

    events: int
    lots: int
    edges: int
    kilograms: Decimal


def counts(statements: Iterable[dict[str, Any]]) -> Counts:
    """Count *statements*, event statements of any shape."""
    events, kilograms = 0, Decimal(0)
    lots: set[str] = set()
    edges: set[tuple[str, str]] = set()
    for statement in statements:
        events += 1
        for name in _CLASS_LISTS:
            items = statement.get(name)
            lots |= {
                canonical(item["epcClass"])
                for item in (items if isinstance(items, list) else ())
                if isinstance(item, dict) and isinstance(item.get("epcClass"), str)
            }
        edges |= {(source, made) for made, sources in inputs_of(statement).items() for source in sources}
        making = {"output"} if statement.get("type") == "TransformationEvent" else set()
        if statement.get("type") == "ObjectEvent" and statement.get("action") == "ADD":
            making = {"object"}
        kilograms += sum(
            (a.quantity for a in amounts(statement) if a.role in making and a.uom == "KGM"), start=Decimal(0)
        )
    return Counts(events=events, lots=len(lots), edges=len(edges), kilograms=kilograms)
