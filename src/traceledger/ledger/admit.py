# SPDX-License-Identifier: Apache-2.0
"""
Admit: take envelopes in, and say where they stand and what they change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from traceledger.core.sign.envelope import Envelope
from traceledger.errors import TraceledgerError
from traceledger.ledger import gates
from traceledger.ledger.sequence import Admitted, Log
from traceledger.store import log as stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What became of a statement.

    Attributes:
        effect: ``all``, ``some`` or ``none``: how much of what it says takes effect; a step of a stamp that is
            not allowed, or for a gated lot, is kept as evidence and has none.
    """

    index: int
    id: str
    repeated: bool
    effect: str


class Intake:
    """The log as those see it who submit to it and read it."""

    def __init__(self, log: Log) -> None:
        self._log: Final = log
        self.size = log.size
        self.checkpoint = log.checkpoint
        self.tile = log.tile
        self.entry_bundle = log.entry_bundle
        self.entry = log.entry

    def submit(self, envelope: bytes) -> Outcome:
        """Admit one envelope, given as JSON bytes; errors as `Log.submit`."""
        return self._outcome(self._log.submit(envelope))

    def submit_envelope(self, envelope: Envelope) -> Outcome:
        """Admit an envelope made here."""
        return self._outcome(self._log.submit_envelope(envelope))

    def submit_many(self, envelopes: Sequence[bytes]) -> list[Outcome | TraceledgerError]:
        """Admit each of *envelopes* in order; a bad one blocks no other."""
        results = self._log.submit_many(envelopes)
        return [one if isinstance(one, TraceledgerError) else self._outcome(one) for one in results]

    def _outcome(self, admitted: Admitted) -> Outcome:
        with self._log.database.read() as connection:
            entry = stored.decode_entry(admitted.index, stored.read_entry(connection, admitted.index))
            effect = gates.effect(connection, self._log.origin, admitted.index, entry)
        return Outcome(index=admitted.index, id=admitted.id, repeated=admitted.repeated, effect=effect)
