# SPDX-License-Identifier: Apache-2.0
"""
Evidence files by hash: original documents, photos and reports that statements name.

Losing one loses what a statement points at, not the statement.
"""

import hashlib
import os
from pathlib import Path

from traceledger.core.sign.canonical import Json
from traceledger.errors import NotFoundError


class EvidenceStore:
    """Files in *folder*, each under the first two and the other 62 hex digits of its SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, data: bytes, *, name: str, media_type: str) -> dict[str, Json]:
        """Keep *data* durably; return the ``file`` object a statement carries."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}.tmp")
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        return {"name": name, "sha256": digest, "size": len(data), "type": media_type}

    def read(self, digest: str) -> bytes:
        """Return the file with that SHA-256; raises NotFoundError ``evidence-unknown``."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(f"no evidence file {digest}", code="evidence-unknown") from error

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]
