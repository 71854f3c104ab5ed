# SPDX-License-Identifier: Apache-2.0
"""Importing the chain's heavy libraries where they are needed, without what they do to the process."""

import importlib
import sys
from typing import Any


def load(module: str) -> Any:
    """
    Import *module* when it is needed, and keep the recursion limit.

    Part of them (py_ecc) raises it to 100,000 for the whole process, where a parser sent deep nonsense then ends
    in a stack overflow instead of a RecursionError.
    """
    limit = sys.getrecursionlimit()
    try:
        return importlib.import_module(module)
    finally:
        sys.setrecursionlimit(limit)
