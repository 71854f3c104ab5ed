# SPDX-License-Identifier: Apache-2.0
"""
The log as files: checkpoint, tiles and entry bundles at the addresses of C2SP tlog-tiles.

A full tile never changes and may be kept for ever; a partial one is fixed too but goes once it is full; the
checkpoint must be asked for again each time.
"""

from typing import Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from traceledger.core.log.tiles import WIDTH, parse_tile_path
from traceledger.errors import InputError
from traceledger.web.headers import IMMUTABLE, NO_CACHE
from traceledger.web.routes import data, described
from traceledger.web.services import services

logfiles = Blueprint("log", __name__, url_prefix="/log")

BYTES: Final = "application/octet-stream"
PROBLEM: Final = ("application/problem+json",)
PARTIAL: Final = "public, max-age=3600"
_LEVELS: Final = tuple("01234567")
_ANSWERS: Final = {
    200: ("The tile's bytes", (BYTES,)),
    400: ("No tile path", PROBLEM),
    404: ("The log does not reach that far", PROBLEM),
}


@logfiles.get("/checkpoint")
@described({200: ("A signed note", ("text/plain",))}, tag="log")
def checkpoint() -> ResponseReturnValue:
    """The newest signed checkpoint, with the cosignatures known so far."""
    return data(services().log.checkpoint(), "text/plain; charset=utf-8", cache=NO_CACHE)


@logfiles.get("/tile/entries/<path:path>")
@described(_ANSWERS, tag="log")
def entries(path: str) -> ResponseReturnValue:
    """A bundle of up to 256 entries, each behind its uint16 length."""
    number, width = parse_tile_path(path)
    return data(services().log.entry_bundle(number, width), BYTES, cache=_cache(width))


@logfiles.get("/tile/<level>/<path:path>")
@described(_ANSWERS, tag="log")
def tile(level: str, path: str) -> ResponseReturnValue:
    """A tile of up to 256 hashes of 32 bytes, at tree level 8 times its own."""
    if level not in _LEVELS:
        raise InputError(f"expected a tile level from 0 to 7, got {level[:20]!r}", code="tile-path")
    number, width = parse_tile_path(path)
    return data(services().log.tile(int(level), number, width), BYTES, cache=_cache(width))


def _cache(width: int) -> str:
    return IMMUTABLE if width == WIDTH else PARTIAL
