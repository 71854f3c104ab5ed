# SPDX-License-Identifier: Apache-2.0
"""``python -m traceledger``: the command line."""

from traceledger.cli.main import main

main()
