#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Compile the anchor contract and write the artifact that the package ships, or check that it is current.

py-solc-x drives the compiler that `contracts/package.json` pins, through `contracts/tools/solc`; sources are
passed inline, so no path of this machine enters the bytecode.  Needs `npm ci` in `contracts/` first.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACT = ROOT / "src" / "traceledger" / "chain" / "artifacts" / "CheckpointAnchor.json"
SOURCES = ("CheckpointAnchor.sol", "ICheckpointAnchor.sol")
CONTRACT = ("CheckpointAnchor.sol", "CheckpointAnchor")

SETTINGS: dict[str, Any] = {
    # paris has neither PUSH0 nor MCOPY, so the same bytes run on chains that lag behind
    "evmVersion": "paris",
    "optimizer": {"enabled": True, "runs": 10_000},
}


def compile_artifact() -> dict[str, Any]:
    """Compile and return the artifact; exits with the compiler's words if it complains."""
    import solcx

    compiler = CONTRACTS / "tools" / "solc"
    if not (CONTRACTS / "node_modules" / "solc").is_dir():
        sys.exit("the compiler is not installed: run `npm ci` in contracts/")
    sources = {name: (CONTRACTS / name).read_bytes() for name in SOURCES}
    output = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text.decode("utf-8")} for name, text in sources.items()},
            "settings": {
                **SETTINGS,
                "outputSelection": {
                    "*": {"*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "metadata"]}
                },
            },
        },
        solc_binary=compiler,
    )
    if complaints := output.get("errors"):
        sys.exit("\n".join(complaint["formattedMessage"] for complaint in complaints))
    contract = output["contracts"][CONTRACT[0]][CONTRACT[1]]
    return {
        "contract": CONTRACT[1],
        "compiler": json.loads(contract["metadata"])["compiler"]["version"],
        "settings": SETTINGS,
        "sources": {name: hashlib.sha256(text).hexdigest() for name, text in sources.items()},
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "deployedBytecode": "0x" + contract["evm"]["deployedBytecode"]["object"],
    }


def main() -> None:
    """Write the artifact, or with ``--check`` compare it and exit 1 if it is not what the sources give."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0].strip())
    parser.add_argument(
        "--check", action="store_true", help="compare with the committed artifact, write nothing"
    )
    arguments = parser.parse_args()
    text = json.dumps(compile_artifact(), indent=1) + "\n"
    name = ARTIFACT.relative_to(ROOT)
    if not arguments.check:
        ARTIFACT.parent.mkdir(parents=True, exist_ok=True)
        ARTIFACT.write_text(text, encoding="utf-8")
        print(f"wrote {name}")
    elif not ARTIFACT.is_file() or ARTIFACT.read_text(encoding="utf-8") != text:
        sys.exit(f"{name} is not what contracts/ compiles to: run scripts/compile_contracts.py and commit it")
    else:
        print(f"{name} is current")


if __name__ == "__main__":
    main()
