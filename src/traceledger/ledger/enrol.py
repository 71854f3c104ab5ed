# SPDX-License-Identifier: Apache-2.0
"""
Enrolment: statements of the registry, signed by whoever the rule names.  Section 5 of the format specification.
"""

from collections.abc import Mapping, Sequence

from traceledger.core.log.note import VerifierKey
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64u_encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.registry import AnchorPlace, Registry


def root(origin: str, *, version: int, threshold: int, keys: Sequence[SigningKey]) -> Envelope:
    """State the root keys; signed by all of *keys* here, more signatures come from older root keys."""
    publics = sorted(b64u_encode(key.public) for key in keys)
    statement = {"v": 1, "log": origin, "version": version, "threshold": threshold, "keys": publics}
    return sign_envelope(statement, "root", keys)


def policy(
    origin: str,
    *,
    version: int,
    log_keys: Sequence[bytes],
    anchors: Sequence[AnchorPlace],
    witnesses: str,
    max_silence: int,
    root_keys: Sequence[SigningKey],
) -> Envelope:
    """State which note keys, witnesses and chains the log uses."""
    statement: dict[str, Json] = {
        "v": 1,
        "log": origin,
        "version": version,
        "log_keys": [{"vkey": VerifierKey(name=origin, kind=1, public=public).text()} for public in log_keys],
        "witnesses": witnesses,
        "anchors": [
            {
                "chain": place.chain,
                **{
                    name: "0x" + getattr(place, name).hex()
                    for name in ("contract", "log_id", "signer", "guardian")
                },
            }
            for place in anchors
        ],
        "max_silence": max_silence,
    }
    return sign_envelope(statement, "policy", root_keys)


def organisation(
    registry: Registry,
    *,
    org: str,
    name: str,
    admins: Sequence[SigningKey],
    root_keys: Sequence[SigningKey],
    ids: Mapping[str, str] | None = None,
    roles: Sequence[str] = (),
) -> Envelope:
    """Register *org*, or its next version: signed by root and by each admin that is new."""
    old = registry.orgs.get(org)
    statement: dict[str, Json] = {
        "v": 1,
        "log": registry.origin,
        "version": old.version + 1 if old else 1,
        "org": org,
        "name": name,
        "admins": [b64u_encode(admin.public) for admin in admins],
    }
    if ids:
        statement["ids"] = dict(ids)
    if roles:
        statement["roles"] = list(roles)
    fresh = [admin for admin in admins if old is None or admin.kid not in old.admins]
    return sign_envelope(statement, "org", [*root_keys, *fresh])


def actor_key(
    origin: str,
    *,
    org: str,
    key: SigningKey,
    admin: SigningKey,
    custody: str,
    acts: Sequence[str],
    sites: Sequence[str],
) -> Envelope:
    """Register *key* to sign *acts* for *org*: signed by an admin, and by the key as proof of possession."""
    statement: dict[str, Json] = {
        "v": 1,
        "log": origin,
        "org": org,
        "pk": b64u_encode(key.public),
        "custody": custody,
        "acts": list(acts),
        "sites": list(sites),
    }
    return sign_envelope(statement, "key", [admin, key])


def grant(
    origin: str,
    *,
    org: str,
    to: str,
    admin: SigningKey,
    acts: Sequence[str],
    sites: Sequence[str],
    until: int | None,
) -> Envelope:
    """Let the key with id *to* speak for *org* until Unix second *until*."""
    statement: dict[str, Json] = {
        "v": 1,
        "log": origin,
        "org": org,
        "to": to,
        "acts": list(acts),
        "sites": list(sites),
        "until": until,
    }
    return sign_envelope(statement, "grant", [admin])


def revoke(
    origin: str,
    *,
    target: Mapping[str, str],
    reason: str,
    suspect_from: int | None,
    signers: Sequence[SigningKey],
) -> Envelope:
    """Revoke a key, grant or organisation: ``{"kid": …}``, ``{"grant": id}`` or ``{"org": …}``."""
    statement: dict[str, Json] = {
        "v": 1,
        "log": origin,
        "target": dict(target),
        "reason": reason,
        "suspect_from": suspect_from,
    }
    return sign_envelope(statement, "revoke", signers)
