# SPDX-License-Identifier: Apache-2.0
"""
Remembers for a short while what the endpoints said of a transaction, so that pages do not wait for them.
"""

import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from traceledger.chain.rpc import observe
from traceledger.core.log.anchor import Observation

KEEP_S: Final = 60.0
RETRY_S: Final = 5.0
_TIMEOUT_S: Final = 2.0
_MOST: Final = 10_000


class Watch:
    """What several endpoints say of transactions; a good answer is kept a minute, trouble a few seconds."""

    def __init__(self, urls: Sequence[str], *, clock: Callable[[], float] = monotonic) -> None:
        self._urls = tuple(urls)
        self._clock = clock
        self._kept: dict[str, tuple[float, list[Observation]]] = {}
        self._lock = threading.Lock()

    def __call__(self, tx: str) -> list[Observation]:
        """Return one observation per endpoint of transaction *tx* (0x and hex)."""
        kept = self._kept.get(tx)
        if kept is not None and self._clock() < kept[0]:
            return kept[1]
        found = [observe(url, bytes.fromhex(tx[2:]), timeout=_TIMEOUT_S) for url in self._urls]
        good = all(one.error is None and one.receipt is not None for one in found)
        with self._lock:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[tx] = (self._clock() + (KEEP_S if good else RETRY_S), found)
        return found
