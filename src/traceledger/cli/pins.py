# SPDX-License-Identifier: Apache-2.0
"""Trust files this user has pinned, one per log, found by the log's configured name and nothing a log reports."""

import hashlib
import os
from pathlib import Path

from traceledger.core.judge.bundle import Trust
from traceledger.errors import ConflictError


def pin_folder() -> Path:
    """Return the folder of pinned trust files: TRACELEDGER_TRUST, or the user's configuration folder."""
    if chosen := os.environ.get("TRACELEDGER_TRUST"):
        return Path(chosen)
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "traceledger" / "trust"


def pinned(origin: str) -> Trust | None:
    """Return the pinned trust file for *origin*, or None."""
    path = _path(origin)
    return Trust.parse(path.read_bytes()) if path.exists() else None


def pin(trust: Trust) -> Path:
    """
    Pin *trust* for its log.

    Raises:
        ConflictError: code ``trust-pinned``: another genesis is pinned for that name already.
    """
    path = _path(trust.origin)
    old = pinned(trust.origin)
    if old is not None and old != trust:
        raise ConflictError(
            f"{path} pins {trust.origin} to genesis {old.genesis[:16]}…; remove it first if you are sure",
            code="trust-pinned",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(trust.encode())
    return path


def _path(origin: str) -> Path:
    return pin_folder() / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.json"
