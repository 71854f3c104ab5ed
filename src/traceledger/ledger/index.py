# SPDX-License-Identifier: Apache-2.0
"""
Index records: a commitment to how many entries each subject has, so that a cut tail shows.  Section 4 of the
format specification.
"""

from bisect import bisect_left

from sqlalchemy import Connection

from traceledger.core.judge.bundle import Row, row_data
from traceledger.core.log.merkle import inclusion_proof, leaf_hash, node_hash, root_of
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.store import log as stored


class SubjectIndex:
    """The rows of one index record with the hashes above them, for proofs."""

    def __init__(self, rows: list[tuple[str, int, int]]) -> None:
        self.rows = rows
        self._keys = [row[0].encode() for row in rows]
        self._levels = [[leaf_hash(row_data(*row)) for row in rows]]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])

    @property
    def root(self) -> bytes:
        """RFC 6962 root over the rows."""
        return root_of(self._levels[0])

    def row(self, subject: str) -> Row | None:
        """Return the proven row of *subject*, or None if it has no entry."""
        position = bisect_left(self._keys, subject.encode())
        if position == len(self.rows) or self.rows[position][0] != subject:
            return None
        _, count, last = self.rows[position]
        proof = inclusion_proof(position, len(self.rows), lambda level, index: self._levels[level][index])
        return Row(subject=subject, count=count, last=last, position=position, proof=tuple(proof))


def build_record(
    connection: Connection, size: int, root: bytes, *, origin: str, operator: str, key: SigningKey, demo: bool
) -> Envelope:
    """Build the index record that will stand at index *size* on the head (*size*, *root*)."""
    index = SubjectIndex(stored.subject_rows(connection, size))
    statement: dict[str, Json] = {
        "v": 1,
        "log": origin,
        "actor": operator,
        "kind": "index",
        "about": [],
        "prev": [],
        "seen": [size, b64encode(root)],
        "data": {"size": size, "subjects": len(index.rows), "root": b64encode(index.root)},
    }
    if demo:
        statement["demo"] = True
    return sign_envelope(statement, "log", [key])


class IndexCache:
    """The subject index used last; another size is built from the database when it is asked for."""

    def __init__(self) -> None:
        self._kept: tuple[int, SubjectIndex] | None = None

    def at(self, connection: Connection, size: int) -> SubjectIndex:
        """Return the subject index over the entries below *size*."""
        kept = self._kept
        if kept is None or kept[0] != size:
            kept = (size, SubjectIndex(stored.subject_rows(connection, size)))
            self._kept = kept
        return kept[1]
