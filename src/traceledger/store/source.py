# SPDX-License-Identifier: Apache-2.0
"""
Where an audit reads a log from: the database, or a URL that serves tlog-tiles.

A source is not trusted for anything: the audit recomputes all of it.
"""

import http.client
from collections.abc import Callable, Iterator
from typing import Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from traceledger.core.log.note import parse_checkpoint
from traceledger.core.log.tiles import WIDTH, decode_entry_bundle, tile_path
from traceledger.errors import InputError, NotFoundError, TemporaryError
from traceledger.store import log as stored
from traceledger.store.database import Database

_MAX_CHECKPOINT: Final = 128 * 1024
_MAX_BUNDLE: Final = WIDTH * 65_537
_TIMEOUT_S: Final = 30


class LogSource(Protocol):
    """A log to read."""

    def checkpoint(self) -> str:
        """Return the newest checkpoint note."""

    def size(self) -> int:
        """Return how many entries it says it has, where no checkpoint tells."""

    def entries(self, size: int) -> Iterator[bytes]:
        """Yield the first *size* entries in order."""


class DatabaseSource:
    """The log in this deployment's database; *note* signs or finds its newest checkpoint."""

    def __init__(self, database: Database, note: Callable[[], str]) -> None:
        self._database = database
        self._note = note

    def checkpoint(self) -> str:
        """
        Return the newest checkpoint note.

        Raises:
            LogIntegrityError: what is stored does not lead to the head, so none can be signed.
        """
        return self._note()

    def size(self) -> int:
        """Return the head's size."""
        with self._database.read() as connection:
            return stored.read_head(connection).size

    def entries(self, size: int) -> Iterator[bytes]:
        """
        Yield the first *size* entries in order.

        Raises:
            LogIntegrityError: code ``entry-missing``, with the index of the first that is not there.
        """
        at = 0
        with self._database.read() as connection:
            for index, raw, _ in stored.scan_entries(connection, size):
                if index != at:
                    break
                yield raw
                at += 1
            if at < size:
                raise stored.missing_entry(connection, size)


class UrlSource:
    """A log served as C2SP tlog-tiles under *url*, the address in front of ``/log/…``."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise InputError(f"expected http or https, got {url!r}", code="log-url")
        self._base = url.rstrip("/") + "/log"

    def checkpoint(self) -> str:
        """Return the newest checkpoint note."""
        return self._get("/checkpoint", _MAX_CHECKPOINT).decode("utf-8", "replace")

    def size(self) -> int:
        """Return the size its checkpoint states."""
        return parse_checkpoint(self.checkpoint()).size

    def entries(self, size: int) -> Iterator[bytes]:
        """Yield the first *size* entries in order."""
        for number in range(-(-size // WIDTH)):
            width = min(WIDTH, size - number * WIDTH)
            found = decode_entry_bundle(self._get(f"/tile/entries/{tile_path(number, width)}", _MAX_BUNDLE))
            if len(found) != width:
                raise InputError(
                    f"expected {width} entries in bundle {number}, got {len(found)}", code="tile-mismatch"
                )
            yield from found

    def _get(self, path: str, limit: int) -> bytes:
        try:
            with urlopen(Request(self._base + path), timeout=_TIMEOUT_S) as answer:  # noqa: S310 - checked above
                data: bytes = answer.read(limit + 1)
        except HTTPError as error:
            error.close()
            if error.code == 404:
                raise NotFoundError(f"{self._base}{path} is not there", code="tile-unknown") from error
            raise TemporaryError(
                f"{self._base}{path} answered {error.code}", code="log-unreachable"
            ) from error
        except (TimeoutError, URLError, OSError, http.client.HTTPException) as error:
            raise TemporaryError(f"{self._base} does not answer: {error}", code="log-unreachable") from error
        if len(data) > limit:
            raise InputError(f"{self._base}{path} is larger than {limit} bytes", code="too-large")
        return data
