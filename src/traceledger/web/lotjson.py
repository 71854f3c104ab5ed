# SPDX-License-Identifier: Apache-2.0
"""
A lot as JSON: the same facts as the page, for programs, in the names of `core.judge.verdict.view`.

Amounts are exact JSON numbers, or text where a sum is longer than those can be; coordinates are text, because no
binary float ever enters our JSON.
"""

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from traceledger.core.judge.verdict.view import LotView
from traceledger.core.sign.canonical import canonical_bytes, number_text
from traceledger.errors import VerificationError


def lot_json(view: LotView) -> bytes:
    """Canonical JSON of *view*."""
    return canonical_bytes(_plain(view))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return _number(value)
    return str(value) if isinstance(value, float) else value


def _number(value: Decimal) -> int | Decimal | str:
    """A JSON number where one says exactly this; a sum that no double holds stands as text."""
    exact = int(value) if value == value.to_integral_value() else value
    try:
        number_text(exact)
    except VerificationError:
        return f"{value:f}"
    return exact
