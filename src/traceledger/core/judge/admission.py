# SPDX-License-Identifier: Apache-2.0
"""
Which entries are valid: section 5 of the format specification, for admission, verification and audit alike.

`check_statement` needs the entry alone, `check_authority` the registry before it, `check_prev` what stands
below it; `check_entry` is all that a verifier asks but the last.  Admission asks two things more, which verifiers never do:
text in NFC, and events valid under EPCIS 2.0.1 (`check_admissible`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from traceledger.core.claims import epcis, records
from traceledger.core.log.entry import Entry
from traceledger.core.state.lineage import subjects_of
from traceledger.core.state.registry import ActorKey, Grant, Registry
from traceledger.errors import VerificationError

_ROLES = {
    ("log", "index"): ("operator",),
    ("credential", "code"): ("authority",),
    ("credential", "star"): ("authority",),
    ("credential", "certificate"): ("authority", "certifier"),
}

Lookup = Callable[[str], tuple[int, tuple[str, ...]] | None]
"""``lookup(id)``: (index, subjects) of the valid entry with that statement id, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """What lets an entry be signed: the *key*, and the *grant* where it speaks for another organisation."""

    key: ActorKey
    grant: Grant | None


def check_statement(entry: Entry, origin: str) -> None:
    """
    Check what the statement of an actor key says of itself: shape, kind and log.

    Raises:
        VerificationError: a SIGNED reason code.
    """
    statement = entry.statement
    if entry.family == "event":
        epcis.check_event(statement)
    else:
        records.check_record(statement, entry.family)
    if entry.member("log") != origin:
        raise VerificationError(
            f"expected a statement for {origin}, got {entry.member('log')!r:.80}", code="wrong-log"
        )


def check_authority(entry: Entry, registry: Registry) -> Authority:
    """
    Check that the signer may say this for this organisation, by the registry before the entry.

    Raises:
        VerificationError: code ``key-unknown``, ``key-revoked``, ``grant-missing``, ``grant-expired``,
            ``act-denied`` or ``site-denied``.
    """
    key = registry.signer(entry.envelope.signatures[0].kid)
    if not registry.is_active(key):
        raise VerificationError(
            f"key {key.kid} of {key.org} is revoked; sign with a current key", code="key-revoked"
        )
    act = f"{entry.family}/{entry.kind}"
    grant = None if key.org == entry.actor else _grant_for(entry, key, registry)
    for acts, whose in ((key.acts, "the key"), (grant.acts if grant else ("*",), "the grant")):
        if not allows(acts, act):
            raise VerificationError(
                f"{whose} does not allow {act}; it allows {', '.join(acts)}", code="act-denied"
            )
    roles = _ROLES.get((entry.family, entry.kind))
    if roles is not None and not registry.has_role(entry.actor, *roles):
        raise VerificationError(
            f"{act} is for organisations with role {' or '.join(roles)}", code="act-denied"
        )
    if entry.family == "event":
        site = _site(entry)
        for sites in (key.sites, grant.sites if grant else ("*",)):
            if {"*", site}.isdisjoint(sites):
                raise VerificationError(f"the key or grant is not for site {site}", code="site-denied")
    return Authority(key=key, grant=grant)


def check_entry(entry: Entry, index: int, registry: Registry) -> Authority:
    """
    Check everything a verifier asks of the entry of an actor key at *index* but ``prev`` and repetition.

    Args:
        registry: The registry before the entry; its log and its signature check are used.

    Raises:
        VerificationError: a SIGNED reason code.
    """
    check_statement(entry, registry.origin)
    check_index_position(entry, index)
    authority = check_authority(entry, registry)
    registry.check(entry, entry.envelope.signatures[0], authority.key.public)
    return authority


def check_prev_form(entry: Entry, origin: str) -> list[str]:
    """
    Check that ``prev`` is ascending and distinct; return the ids of this log it names.

    Raises:
        VerificationError: code ``prev-order``.
    """
    refs = entry.member("prev")
    if any(a >= b for a, b in pairwise(refs)):
        raise VerificationError("expected prev ascending, each once", code="prev-order")
    if any(ref.rpartition("/")[0] == origin for ref in refs):
        raise VerificationError("expected entries of this log by their bare id in prev", code="prev-order")
    return [ref for ref in refs if "/" not in ref]


def check_prev(entry: Entry, origin: str, lookup: Lookup) -> None:
    """
    Check that every id ``prev`` names is a valid earlier entry that shares a subject.

    Raises:
        VerificationError: code ``prev-order``, ``prev-unknown`` or ``prev-unrelated``.
    """
    own = check_prev_form(entry, origin)
    subjects = frozenset(subjects_of(entry)) if own else frozenset()
    for ref in own:
        found = lookup(ref)
        if found is None:
            raise VerificationError(
                f"prev names {ref}, which no valid earlier entry has", code="prev-unknown"
            )
        if subjects.isdisjoint(found[1]):
            raise VerificationError(f"prev names {ref}, which shares no subject", code="prev-unrelated")


def check_index_position(entry: Entry, index: int) -> None:
    """
    Check that an index record says its own log index.

    Raises:
        VerificationError: code ``index-position``.
    """
    if entry.family == "log" and entry.statement["data"]["size"] != index:
        raise VerificationError(f"expected an index record of size {index}", code="index-position")


def check_admissible(entry: Entry) -> None:
    """
    Check what only admission asks: NFC text, and an event valid under EPCIS 2.0.1.

    Raises:
        VerificationError: code ``not-nfc`` or ``epcis-invalid``.
    """
    if not epcis.is_nfc(entry.statement):
        raise VerificationError("expected text in Unicode NFC; normalise it before signing", code="not-nfc")
    if entry.family == "event":
        problems = epcis.validate_epcis(entry.statement)
        if problems:
            raise VerificationError(
                "not valid EPCIS 2.0.1: " + "; ".join(f"{p.path}: {p.message}" for p in problems[:5]),
                code="epcis-invalid",
            )


def allows(acts: tuple[str, ...], act: str) -> bool:
    """Say whether *acts* hold *act*, its family's ``<family>/*``, or ``*``."""
    return act in acts or "*" in acts or f"{act.partition('/')[0]}/*" in acts


def _grant_for(entry: Entry, key: ActorKey, registry: Registry) -> Grant:
    """The active grant of the statement's actor to this key that covers the entry; any, if several do."""
    act = f"{entry.family}/{entry.kind}"
    found = [
        grant
        for grant in registry.grants.values()
        if (grant.org, grant.to) == (entry.actor, key.kid)
        and grant.revoked is None
        and (org := registry.orgs.get(grant.org)) is not None
        and org.revoked is None
    ]
    if not found:
        raise VerificationError(
            f"{entry.actor} has granted nothing to a key of {key.org}", code="grant-missing"
        )
    current = [grant for grant in found if grant.until is None or grant.until >= entry.t]
    if not current:
        raise VerificationError(f"the grant of {entry.actor} to this key has run out", code="grant-expired")
    places = {"*", _site(entry)} if entry.family == "event" else None
    fitting = (g for g in current if allows(g.acts, act) and (places is None or places & set(g.sites)))
    return next(fitting, current[0])


def _site(entry: Entry) -> str | None:
    """The event's place as it is written: authority compares spellings, unlike the folds over goods."""
    for name in ("readPoint", "bizLocation"):
        place = entry.statement.get(name)
        if isinstance(place, dict) and isinstance(place.get("id"), str):
            return str(place["id"])
    return None
