#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Write docs/spec/example.json and the examples inside the pages of docs/spec, by running the real code.

The log they show is that of `example_world`.  Between `<!-- example: NAME -->` and `<!-- /example -->` a page
holds the block of that name, so a page can never show what the program would not write.

Usage: make_examples.py [--check]
"""

import argparse
import difflib
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from example_world import (
    CHAIN,
    CONTRACT,
    GROWER,
    NAMES,
    ORIGIN,
    ROLL,
    SALT,
    World,
    enrol_all,
    key,
    live,
    observed,
    place,
    prove,
    receipt_of,
    roll_of_stamps,
    seal,
    seed,
    stamp,
)

from traceledger.chain.sender import sign_checkpoint
from traceledger.core.claims import private
from traceledger.core.claims.records import roll_uri
from traceledger.core.judge.bundle import Trust
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.log import anchor, merkle, note
from traceledger.core.log.entry import CHAIN_START, Entry, next_chain
from traceledger.core.sign.canonical import Json, canonical_bytes
from traceledger.core.sign.encoding import b64u_encode
from traceledger.core.sign.evm import to_compact
from traceledger.core.state import stamps
from traceledger.core.state.lineage import subjects_of
from traceledger.keyring import files
from traceledger.ledger.prove import roll_root
from traceledger.store import log as stored
from traceledger.store.database import Database

SPEC = Path(__file__).resolve().parent.parent / "docs" / "spec"
PASSWORD = "hành tím, không phải hành tây"
OLD = 13  # the older tree of the consistency proof
WIDTH = 92


def entry_facts(index: int, entry: Entry) -> Json:
    """Return the facts about one entry a reader can recompute."""
    return {
        "index": index,
        "family": entry.family,
        "kind": entry.kind,
        "id": entry.id,
        "pae_bytes": len(entry.envelope.pae),
        "leaf": entry.leaf.hex(),
        "subjects": list(subjects_of(entry)),
        "entry": entry.to_json(),
    }


def key_file() -> Json:
    """Return the clerk's key file, sealed with fixed salt and nonce."""
    parts = iter([seed("scrypt salt")[:16], seed("nonce")[:12]])
    with mock.patch.object(files.secrets, "token_bytes", lambda size: next(parts)[:size]):
        sealed = files.seal(key("clerk"), custody="device", password=PASSWORD, n=2**14)
    if files.unseal(sealed, lambda: PASSWORD).kid != key("clerk").kid:
        raise SystemExit("make_examples: the key file does not open")
    return sealed


def stamp_facts() -> Json:
    """Return every value of the roll and of stamp 2."""
    roll, serials = roll_of_stamps()
    rows = []
    for at, serial in enumerate(serials, roll.first):
        uri, salt = roll.uri(serial), stamps.stamp_salt(roll.secret, at)
        committed = stamps.commitment(salt, at, uri)
        rows.append(
            {
                "number": at,
                "uri": uri,
                "salt": b64u_encode(salt),
                "commitment": committed.hex(),
                "leaf": stamps.roll_leaf(salt, at, uri).hex(),
                "s": stamps.sign_link(key("stamps"), uri),
            }
        )
    return {
        "roll": ROLL,
        "subject": roll_uri(ROLL),
        "secret": roll.secret.hex(),
        "root": roll_root(roll, serials).hex(),
        "stamps": rows,
    }


def registry_chain(entries: list[Entry]) -> Json:
    """Return r_0, r_1, … over the registry entries."""
    chain, values = CHAIN_START, [CHAIN_START.hex()]
    for entry in entries:
        if entry.is_registry:
            chain = next_chain(chain, entry.leaf)
            values.append(chain.hex())
    return values


def contract_facts(checkpoint: note.Checkpoint) -> Json:
    """Return what the contract is told and says for the first anchor."""
    r, s, v = sign_checkpoint(
        seed("anchor"), log_id=place().log_id, size=checkpoint.size, root=checkpoint.root
    )
    compact = to_compact(r, s, v)
    log = receipt_of(checkpoint).logs[0]
    return {
        "chain": CHAIN,
        "contract": "0x" + CONTRACT.hex(),
        "signer": "0x" + place().signer.hex(),
        "guardian": "0x" + place().guardian.hex(),
        "origin_hash": "0x" + anchor.origin_hash(ORIGIN).hex(),
        "log_id": "0x" + place().log_id.hex(),
        "domain_separator": "0x" + anchor.DOMAIN_SEPARATOR.hex(),
        "type_hash": "0x" + anchor.CHECKPOINT_TYPE.hex(),
        "digest": "0x" + anchor.checkpoint_digest(place().log_id, checkpoint.size, checkpoint.root).hex(),
        "r": "0x" + compact[0].hex(),
        "vs": "0x" + compact[1].hex(),
        "event": {
            "address": "0x" + log.address.hex(),
            "topics": ["0x" + topic.hex() for topic in log.topics],
            "data": "0x" + log.data.hex(),
        },
    }


def index_facts(rows: list[tuple[str, int, int]]) -> Json:
    """Return the rows of the index record, their leaf hashes and root."""
    leaves = [merkle.leaf_hash(canonical_bytes(list(row))) for row in rows]
    return {
        "rows": [list(row) for row in rows],
        "leaves": [leaf.hex() for leaf in leaves],
        "root": merkle.root_of(leaves).hex(),
    }


def made(world: World) -> dict[str, Any]:
    """Write the log of the example into *world* and return all there is to say about it."""
    enrol_all(world)
    live(world)
    stamp(world)
    checkpoint, bundle = seal(world), prove(world)
    with world.database.read() as connection:
        size = stored.read_head(connection).size
        entries = [Entry.parse(raw) for raw in stored.read_entries(connection, 0, size)]
        rows = stored.subject_rows(connection, size - 1)
        node = stored.node_hashes(connection, size)
        consistency = {
            "old_size": OLD,
            "old_root": merkle.root_at(OLD, node).hex(),
            "new_size": size,
            "new_root": checkpoint.root.hex(),
            "proof": [item.hex() for item in merkle.consistency_proof(OLD, size, node)],
        }
    trust = Trust(origin=ORIGIN, genesis=entries[0].id)
    report = verify_bundle(bundle, trust=trust, observations=observed(receipt_of(checkpoint)))
    return {
        "entries": [entry_facts(index, entry) for index, entry in enumerate(entries)],
        "registry_chain": registry_chain(entries),
        "index": index_facts(rows),
        "checkpoint": checkpoint.text(),
        "consistency": consistency,
        "contract": contract_facts(checkpoint),
        "trust": json.loads(trust.encode()),
        "bundle": bundle.to_json(),
        "expected": {
            "ok": report.ok,
            "exit": report.exit_code,
            "rungs": {name: {"result": r.result, "reason": r.reason} for name, r in report.rungs.items()},
        },
    }


def build() -> dict[str, Any]:
    """Return the whole example."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/example.db")
        database.create()
        with database.write() as connection:
            stored.create_head(connection)
        world = World.of(database)
        facts = made(world)
        world.log.close()
        database.close()
    return {
        "note": "Fictional. Seeds: SHA-256 of 'so.example/nhat-ky example: <name>'. No chain was run: the "
        "transaction is invented, its event is what the contract emits. Written by scripts/make_examples.py.",
        "origin": ORIGIN,
        "keys": {
            name: {"seed": seed(name).hex(), "public": b64u_encode(key(name).public), "kid": key(name).kid}
            for name in NAMES
        },
        "private": {
            "name": "grower",
            "salt": b64u_encode(SALT),
            "value": GROWER,
            "commitment": private.commitment(SALT, GROWER),
        },
        "stamps": stamp_facts(),
        "key_file": {"password": PASSWORD, "file": key_file()},
        **facts,
    }


# --- the blocks of the pages


def plain(value: Json) -> str:
    """Return *value* as JSON for people: short arrays and objects on one line."""

    def write(part: Json, indent: int) -> str:
        flat = json.dumps(part, ensure_ascii=False, default=float)
        if not isinstance(part, dict | list) or not part or len(flat) + indent <= WIDTH:
            return flat
        pad = " " * (indent + 2)
        if isinstance(part, dict):
            inner = [f"{pad}{json.dumps(k)}: {write(v, indent + 2)}" for k, v in part.items()]
            return "{\n" + ",\n".join(inner) + "\n" + " " * indent + "}"
        return "[\n" + ",\n".join(pad + write(v, indent + 2) for v in part) + "\n" + " " * indent + "]"

    return write(value, 0)


def shortened(value: Json) -> Json:
    """Return *value* with long strings cut by an ellipsis and each entry replaced by its name."""
    if isinstance(value, dict):
        if value.keys() == {"adm", "env", "v"}:
            return f"<entry of {value['env']['payloadType'].split('.')[2]}>"
        return {name: shortened(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shortened(part) for part in value]
    return value[:28] + "…" if isinstance(value, str) and len(value) > 64 else value


def statement_of(example: dict[str, Any], kind: str, at: int = 0) -> Json:
    """Return the statement of the *at*-th entry of *kind*."""
    found = [item for item in example["entries"] if item["kind"] == kind]
    return Entry.from_json(found[at]["entry"]).statement


def blocks(example: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (name, language, text) of every block a page may hold."""
    for kind in ("root", "policy", "org", "key", "grant", "revoke"):
        yield f"statement-{kind}", "json", plain(statement_of(example, kind))
    for kind in ("site", "product", "code", "harvest", "process", "issue", "activate", "index"):
        yield f"statement-{kind}", "json", plain(statement_of(example, kind))
    harvest = next(item for item in example["entries"] if item["kind"] == "harvest")
    entry = Entry.from_json(harvest["entry"])
    yield "canonical", "text", entry.envelope.payload.decode()[:420] + "…"
    yield "entry", "json", plain({**harvest["entry"], "env": shortened(harvest["entry"]["env"])})
    kind, payload = entry.envelope.payload_type, entry.envelope.payload
    head = f"DSSEv1 {len(kind)} {kind} {len(payload)} "
    if not entry.envelope.pae.startswith(head.encode()):
        raise SystemExit("make_examples: the PAE begins otherwise")
    yield (
        "entry-facts",
        "text",
        "\n".join(
            [
                f"index        {harvest['index']}",
                f'PAE begins   {head}{{"@context":…',
                f"payload      {len(entry.envelope.payload)} bytes, PAE {len(entry.envelope.pae)}, entry {len(entry.raw)}",
                f"keyid        {entry.envelope.signatures[0].kid}",
                f"id           {entry.id}",
                f"leaf hash    {entry.leaf.hex()}",
                f"adm.reg      [{entry.reg[0]}, r_{entry.reg[0]}]   r_{entry.reg[0]} = {entry.reg[1].hex()}",
            ]
        ),
    )
    yield (
        "subjects",
        "text",
        "\n".join(
            f"{item['index']:>2}  {item['family'] + '/' + item['kind'] if item['family'] != item['kind'] else item['kind']:20}  "
            + ("\n" + " " * 26).join(item["subjects"] or ["-"])
            for item in example["entries"]
        ),
    )
    yield (
        "registry-chain",
        "text",
        "\n".join(f"r_{number:<2} {value}" for number, value in enumerate(example["registry_chain"])),
    )
    yield "private", "json", plain(example["private"])
    yield (
        "index-rows",
        "text",
        "\n".join(
            [
                f"{json.dumps(row, separators=(',', ':'))}\n    leaf {leaf}"
                for row, leaf in zip(example["index"]["rows"], example["index"]["leaves"], strict=True)
            ]
            + [f"root     {example['index']['root']}"]
        ),
    )
    yield "checkpoint", "text", example["checkpoint"].rstrip("\n")
    yield "consistency", "json", plain(example["consistency"])
    yield "contract", "json", plain(example["contract"])
    yield "bundle", "json", plain(shortened(example["bundle"]))
    yield "trust", "json", plain(example["trust"])
    roll = dict(example["stamps"])
    roll["stamps"] = [roll["stamps"][1]]
    yield "stamp", "json", plain(roll)
    yield "key-file", "json", plain(example["key_file"]["file"])
    yield "key-file-password", "text", example["key_file"]["password"]
    rungs = example["expected"]["rungs"]
    yield "rungs", "text", "\n".join(f"{name:10} {rung['result']}" for name, rung in rungs.items())


MARK = re.compile(r"(<!-- example: ([a-z-]+) -->\n).*?(<!-- /example -->)", re.DOTALL)


def filled(page: str, texts: dict[str, tuple[str, str]], name: str) -> str:
    """Return *page* with every marked block renewed."""

    def block(match: re.Match[str]) -> str:
        if match[2] not in texts:
            raise SystemExit(f"make_examples: {name} asks for an example {match[2]!r} that does not exist")
        language, text = texts[match[2]]
        return f"{match[1]}```{language}\n{text}\n```\n{match[3]}"

    return MARK.sub(block, page)


def main() -> int:
    """Write example.json and the blocks; with --check print how the written ones differ and exit 1."""
    parser = argparse.ArgumentParser(description="Write the examples of docs/spec.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if anything differs")
    check: bool = parser.parse_args().check
    example = build()
    texts = {name: (language, text) for name, language, text in blocks(example)}
    wanted = {SPEC / "example.json": json.dumps(example, ensure_ascii=False, indent=1, default=float) + "\n"}
    for page in sorted(SPEC.glob("*.md")):
        wanted[page] = filled(page.read_text(encoding="utf-8"), texts, page.name)
    differs = False
    for path, text in wanted.items():
        had = path.read_text(encoding="utf-8") if path.exists() else ""
        if had == text:
            continue
        differs = True
        label = f"docs/spec/{path.name}"
        if check:
            lines = (had.splitlines(), text.splitlines(), label, f"{label} (code)")
            print("\n".join(list(difflib.unified_diff(*lines, lineterm="", n=1))[:40]))
        else:
            path.write_text(text, encoding="utf-8")
            print(f"make_examples: wrote {label}")
    if check and differs:
        print("make_examples: docs/spec lags behind the code: run `make docs`", file=sys.stderr)
    return int(check and differs)


if __name__ == "__main__":
    sys.exit(main())
