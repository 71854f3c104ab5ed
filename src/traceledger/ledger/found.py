# SPDX-License-Identifier: Apache-2.0
"""
Found a log: its genesis root, its policy, the operator's organisation and the key that makes index records.

This is the one place that starts a log.  Everything else refuses to run without one, so a mistyped path can
never begin a second history.
"""

from dataclasses import dataclass
from typing import Final

from traceledger.core.judge.bundle import Trust
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.registry import AnchorPlace
from traceledger.errors import ConflictError
from traceledger.ledger import enrol
from traceledger.ledger.sequence import Log
from traceledger.store import log as stored
from traceledger.store.database import Database

MAX_SILENCE_S: Final = 86_400
NO_WITNESSES: Final = "quorum none\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundingKeys:
    """The Ed25519 keys a log begins with; two note keys, of which the second stays offline."""

    root: SigningKey
    log: SigningKey
    log_spare: SigningKey
    operator_admin: SigningKey
    indexer: SigningKey


def found(
    database: Database,
    *,
    origin: str,
    operator: str,
    operator_name: str,
    keys: FoundingKeys,
    anchors: list[AnchorPlace],
    max_silence: int = MAX_SILENCE_S,
) -> Trust:
    """
    Create the tables and write the first entries.

    Returns:
        The trust file that everybody else pins.

    Raises:
        ConflictError: code ``log-exists``.
    """
    database.create()
    with database.write() as connection:
        if stored.has_head(connection):
            raise ConflictError("this database holds a log already", code="log-exists")
        stored.create_head(connection)
    log = Log(database, origin, keys.log)
    try:
        genesis = log.submit_envelope(enrol.root(origin, version=1, threshold=1, keys=[keys.root]))
        log.submit_envelope(
            enrol.policy(
                origin,
                version=1,
                log_keys=[keys.log.public, keys.log_spare.public],
                anchors=anchors,
                witnesses=NO_WITNESSES,
                max_silence=max_silence,
                root_keys=[keys.root],
            )
        )
        log.submit_envelope(
            enrol.organisation(
                log.registry(),
                org=operator,
                name=operator_name,
                admins=[keys.operator_admin],
                root_keys=[keys.root],
                roles=["operator"],
            )
        )
        log.submit_envelope(
            enrol.actor_key(
                origin,
                org=operator,
                key=keys.indexer,
                admin=keys.operator_admin,
                custody="file",
                acts=["log/index"],
                sites=[],
            )
        )
    finally:
        log.close()
    return Trust(origin=origin, genesis=genesis.id)


def name_chain(log: Log, place: AnchorPlace, *, root_key: SigningKey) -> None:
    """State in the policy that *place* is where this log is anchored, unless it says so already."""
    policy = log.registry().policy
    if policy is None:
        raise ConflictError("the log has no policy to extend", code="policy-missing")
    if place in policy.anchors:
        return
    others = [old for old in policy.anchors if old.chain != place.chain]
    log.submit_envelope(
        enrol.policy(
            log.origin,
            version=policy.version + 1,
            log_keys=[key.public for key, _ in policy.log_keys],
            anchors=[*others, place],
            witnesses=policy.witnesses_text,
            max_silence=policy.max_silence,
            root_keys=[root_key],
        )
    )
