# SPDX-License-Identifier: Apache-2.0
"""Write the field diary template that the package ships."""

from pathlib import Path

from traceledger.exchange.diary_template import build_template

TARGET = Path(__file__).parent.parent / "src/traceledger/exchange/templates/nhat-ky.xlsx"

if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(build_template())
