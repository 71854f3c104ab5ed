# SPDX-License-Identifier: Apache-2.0
"""
An independent short count of an EPCIS file: plain `json`, nothing of ours imported.

Run as a script it prints events, lots, edges and kilograms of the file named.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path


def count(text):
    """(events, lots, edges, kilograms) of the EPCIS document in *text*."""
    body = json.loads(text, parse_float=Decimal)["epcisBody"]
    events = body["queryResults"]["resultsBody"]["eventList"] if "queryResults" in body else body["eventList"]
    lots, edges, kilograms = set(), set(), Decimal(0)
    for event in events:
        lists = {name: event.get(name) or [] for name in event}

        def named(epcs, quantities, lists=lists):
            return [*lists.get(epcs, []), *(item["epcClass"] for item in lists.get(quantities, []))]

        for name in ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"):
            lots.update(item["epcClass"] for item in lists.get(name, []))
        made = []
        if event["type"] == "TransformationEvent":
            for source in named("inputEPCList", "inputQuantityList"):
                edges.update((source, out) for out in named("outputEPCList", "outputQuantityList"))
            made = lists.get("outputQuantityList", [])
        if event["type"] == "AggregationEvent" and event["action"] == "ADD" and event.get("parentID"):
            edges.update((child, event["parentID"]) for child in named("childEPCs", "childQuantityList"))
        if event["type"] == "ObjectEvent" and event["action"] == "ADD":
            made = lists.get("quantityList", [])
        kilograms += sum(Decimal(item["quantity"]) for item in made if item.get("uom") == "KGM")
    return len(events), len(lots), len(edges), kilograms


if __name__ == "__main__":
    print(*count(Path(sys.argv[1]).read_text("utf-8-sig")))
