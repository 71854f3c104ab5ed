# SPDX-License-Identifier: Apache-2.0
"""
The registry: who may sign what, as a fold over the registry entries of the log.

Section 5 of the format specification, in the order its table gives.  Authority at index *i* is this fold over
the registry entries below *i*; nothing else decides it, least of all a clock.  An entry that breaks a rule is
*void*: it stays in the tree and the chain, changes nothing, and is kept in `Registry.voids` for audits.

State machine: `apply` takes entries in index order, void or not; `admit` refuses what would be void.  Each rule
tests everything before it changes anything.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from traceledger.core.claims import records
from traceledger.core.log.entry import CHAIN_START, Entry, Head, next_chain
from traceledger.core.log.note import VerifierKey, WitnessPolicy
from traceledger.core.sign import keys
from traceledger.core.sign.canonical import Json
from traceledger.core.sign.encoding import b64u_decode
from traceledger.core.sign.envelope import Signature
from traceledger.errors import VerificationError

SignatureCheck = Callable[[Entry, Signature, bytes], None]
"""``check(entry, signature, public key)``: raises VerificationError unless the signature verifies."""

ROOT_ROLE: Final = "root"
ACTOR_ROLE: Final = "actor"


def check_signature(entry: Entry, signature: Signature, public: bytes) -> None:
    """
    Verify one signature over *entry*'s statement.

    Raises:
        VerificationError: code ``signature-form`` or ``signature-invalid``.
    """
    keys.verify(public, signature.sig, entry.envelope.pae)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """When a key, grant or organisation was revoked, and from which index its signatures are doubtful."""

    index: int
    reason: str
    suspect_from: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A registered organisation; *admins* maps key ids to public keys."""

    org: str
    version: int
    name: str
    admins: dict[str, bytes]
    ids: dict[str, str]
    roles: tuple[str, ...]
    index: int
    revoked: Revocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorKey:
    """A key that signs statements for *org*."""

    kid: str
    public: bytes
    org: str
    custody: str
    acts: tuple[str, ...]
    sites: tuple[str, ...]
    index: int
    revoked: Revocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Permission of *org* for key *to* to speak for it until Unix second *until*."""

    id: str
    org: str
    to: str
    acts: tuple[str, ...]
    sites: tuple[str, ...]
    until: int | None
    index: int
    revoked: Revocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorPlace:
    """One chain the policy names: contract, log id, current signer and guardian, as bytes."""

    chain: str
    contract: bytes
    log_id: bytes
    signer: bytes
    guardian: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The newest policy: note keys with the last size each may sign, witnesses, chains, longest silence."""

    version: int
    log_keys: tuple[tuple[VerifierKey, int | None], ...]
    witnesses: WitnessPolicy
    witnesses_text: str
    anchors: tuple[AnchorPlace, ...]
    max_silence: int

    def keys_for(self, size: int) -> list[VerifierKey]:
        """Return the note keys that may sign a checkpoint of *size*."""
        return [key for key, until in self.log_keys if until is None or size <= until]


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKeys:
    """The current root: *threshold* of *keys* (key id to public key) decide."""

    version: int
    threshold: int
    keys: dict[str, bytes]


@dataclass(slots=True)
class Registry:
    """
    State of the registry after the entries applied so far.

    Attributes:
        origin: The log's name; every statement must carry it.

        size, chain: (n, r_n) over the applied entries, void ones included.

        check: Verifies one signature; a cache of good verdicts by leaf hash may stand in.

        voids: (index, reason code) of entries that broke a rule.
    """

    origin: str
    check: SignatureCheck = check_signature
    size: int = 0
    chain: bytes = CHAIN_START
    root: RootKeys | None = None
    policy: Policy | None = None
    orgs: dict[str, Organisation] = field(default_factory=dict)
    keys: dict[str, ActorKey] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    voids: list[tuple[int, str]] = field(default_factory=list)

    @property
    def head(self) -> Head:
        """(n, r_n): what the next entry's ``adm.reg`` must be."""
        return self.size, self.chain

    def apply(self, index: int, entry: Entry) -> str | None:
        """Apply the registry *entry* at log *index*; return its reason code if it is void."""
        void = None
        try:
            self._decide(index, entry)
        except VerificationError as error:
            void = error.code
            self.voids.append((index, void))
        self._advance(entry)
        return void

    def admit(self, index: int, entry: Entry) -> None:
        """
        Apply *entry*, or refuse it unchanged if it would be void.

        Raises:
            VerificationError: with the reason code; the registry is as before.
        """
        self._decide(index, entry)
        self._advance(entry)

    def _advance(self, entry: Entry) -> None:
        self.size += 1
        self.chain = next_chain(self.chain, entry.leaf)

    def signer(self, kid: str) -> ActorKey:
        """
        Return the actor key *kid*, active or not.

        Raises:
            VerificationError: code ``key-unknown``.
        """
        key = self.keys.get(kid)
        if key is None:
            raise VerificationError(
                f"key {kid} is not registered; register it before signing", code="key-unknown"
            )
        return key

    def is_active(self, key: ActorKey) -> bool:
        """Say whether neither *key* nor its organisation is revoked."""
        return key.revoked is None and self.orgs[key.org].revoked is None

    def has_role(self, org: str, *roles: str) -> bool:
        """Say whether *org* is registered, not revoked, and holds one of *roles*."""
        found = self.orgs.get(org)
        return found is not None and found.revoked is None and any(role in found.roles for role in roles)

    def suspect_from(self, kid: str) -> int | None:
        """Return the index from which signatures by *kid* are doubtful, or None."""
        key = self.keys[kid]
        found = [r.suspect_from for r in (key.revoked, self.orgs[key.org].revoked) if r is not None]
        return min((index for index in found if index is not None), default=None)

    # --- the rules, family by family

    def _decide(self, index: int, entry: Entry) -> None:
        statement = entry.statement
        records.check_registry(statement, entry.family)
        if statement["log"] != self.origin:
            raise VerificationError(f"expected a statement for {self.origin}", code="wrong-log")
        if self.root is None and (entry.family != "root" or index != 0):
            raise VerificationError("expected the genesis root as entry 0", code="registry-void")
        rule = {
            "root": self._root,
            "policy": self._policy,
            "org": self._org,
            "key": self._key,
            "grant": self._grant,
            "revoke": self._revoke,
        }[entry.family]
        rule(index, entry, statement)

    def _root(self, index: int, entry: Entry, statement: dict[str, Json]) -> None:
        old = self.root
        expect_version(statement["version"], 1 if old is None else old.version + 1)
        new = self._named(statement["keys"], ROOT_ROLE)
        signed = self._verified(entry, new | (old.keys if old else {}))
        if len(signed & new.keys()) < statement["threshold"]:
            raise VerificationError("expected a threshold of the new root keys", code="threshold")
        if old is not None and len(signed & old.keys.keys()) < old.threshold:
            raise VerificationError("expected a threshold of the old root keys", code="threshold")
        self.root = RootKeys(version=statement["version"], threshold=statement["threshold"], keys=new)
        self._take(new, ROOT_ROLE)

    def _policy(self, index: int, entry: Entry, statement: dict[str, Json]) -> None:
        expect_version(statement["version"], 1 if self.policy is None else self.policy.version + 1)
        self._by_root(self._verified(entry, self._root_keys()))
        log_keys = []
        for item in statement["log_keys"]:
            key = VerifierKey.parse(item["vkey"])
            if key.name != self.origin or key.kind != 1:
                raise VerificationError(
                    f"expected Ed25519 note keys named {self.origin}", code="registry-void"
                )
            log_keys.append((key, item.get("until")))
        self.policy = Policy(
            version=statement["version"],
            log_keys=tuple(log_keys),
            witnesses=WitnessPolicy.parse(statement["witnesses"]),
            witnesses_text=statement["witnesses"],
            anchors=tuple(
                AnchorPlace(
                    chain=item["chain"],
                    **{
                        name: bytes.fromhex(item[name][2:])
                        for name in ("contract", "log_id", "signer", "guardian")
                    },
                )
                for item in statement["anchors"]
            ),
            max_silence=statement["max_silence"],
        )

    def _org(self, index: int, entry: Entry, statement: dict[str, Json]) -> None:
        name = statement["org"]
        old = self.orgs.get(name)
        expect_version(statement["version"], 1 if old is None else old.version + 1)
        role = f"admin {name}"
        admins = self._named(statement["admins"], role)
        fresh = {kid: pk for kid, pk in admins.items() if old is None or kid not in old.admins}
        signed = self._verified(entry, self._root_keys() | fresh)
        self._by_root(signed)
        if not fresh.keys() <= signed:
            raise VerificationError("expected a signature by each new admin key", code="pop-missing")
        self.orgs[name] = Organisation(
            org=name,
            version=statement["version"],
            name=statement["name"],
            admins=admins,
            ids=statement.get("ids", {}),
            roles=tuple(statement.get("roles", ())),
            index=index,
            revoked=old.revoked if old else None,
        )
        self._take(admins, role)

    def _key(self, index: int, entry: Entry, statement: dict[str, Json]) -> None:
        public = b64u_decode(statement["pk"], size=32)
        kid = keys.kid(public)
        if kid in self.roles:
            raise VerificationError("the key is registered already or has another role", code="key-reused")
        keys.check_public_key(public)
        signed = self._verified(entry, self._managers(statement["org"]) | {kid: public})
        if kid not in signed:
            raise VerificationError(
                "expected the key's own signature as proof of possession", code="pop-missing"
            )
        self._by_manager(statement["org"], signed)
        self.keys[kid] = ActorKey(
            kid=kid,
            public=public,
            org=statement["org"],
            custody=statement["custody"],
            acts=tuple(statement["acts"]),
            sites=tuple(statement["sites"]),
            index=index,
        )
        self.roles[kid] = ACTOR_ROLE

    def _grant(self, index: int, entry: Entry, statement: dict[str, Json]) -> None:
        org = statement["org"]
        signed = self._verified(entry, self._admins(org))
        if not signed:
            raise VerificationError(f"expected a signature by an admin of {org}", code="registry-void")
        self.signer(statement["to"])
        if entry.id in self.grants:
            raise VerificationError("the grant stands in the log already", code="statement-repeated")
        self.grants[entry.id] = Grant(
            id=entry.id,
            org=org,
            to=statement["to"],
            acts=tuple(statement["acts"]),
            sites=tuple(statement["sites"]),
            until=statement["until"],
            index=index,
        )

    def _revoke(self, index: int, entry: Entry, statement: dict[str, Json]) -> None:
        target: dict[str, str] = statement["target"]
        ((sort, name),) = target.items()
        table: dict[str, ActorKey] | dict[str, Grant] | dict[str, Organisation] = {
            "kid": self.keys,
            "grant": self.grants,
            "org": self.orgs,
        }[sort]  # type: ignore[assignment]
        found = table.get(name)
        if found is None:
            raise VerificationError(f"nothing registered by {sort} {name}", code="registry-void")
        self._by_manager(found.org, self._verified(entry, self._managers(found.org)))
        revoked = Revocation(index=index, reason=statement["reason"], suspect_from=statement["suspect_from"])
        if found.revoked is not None:
            known = (found.revoked.suspect_from, revoked.suspect_from)
            earliest = min((i for i in known if i is not None), default=None)
            revoked = replace(found.revoked, suspect_from=earliest)
        table[name] = replace(found, revoked=revoked)  # type: ignore[assignment]

    # --- who signed

    def _verified(self, entry: Entry, named: dict[str, bytes]) -> set[str]:
        """Key ids that signed; every signature must be by a key the rule names and verify."""
        for signature in entry.envelope.signatures:
            public = named.get(signature.kid)
            if public is None:
                raise VerificationError(f"no rule lets key {signature.kid} sign this", code="registry-void")
            self.check(entry, signature, public)
        return {signature.kid for signature in entry.envelope.signatures}

    def _root_keys(self) -> dict[str, bytes]:
        return {} if self.root is None else self.root.keys

    def _by_root(self, signed: set[str]) -> None:
        if self.root is None or len(signed & self.root.keys.keys()) < self.root.threshold:
            raise VerificationError("expected a threshold of the root keys", code="threshold")

    def _admins(self, org: str) -> dict[str, bytes]:
        found = self.orgs.get(org)
        if found is None:
            raise VerificationError(f"organisation {org} is not registered", code="registry-void")
        return {} if found.revoked else found.admins

    def _managers(self, org: str) -> dict[str, bytes]:
        return self._admins(org) | self._root_keys()

    def _by_manager(self, org: str, signed: set[str]) -> None:
        if not signed & self._admins(org).keys():
            self._by_root(signed)

    def _named(self, encoded: list[str], role: str) -> dict[str, bytes]:
        named = {}
        for item in encoded:
            public = b64u_decode(item, size=32)
            keys.check_public_key(public)
            kid = keys.kid(public)
            if self.roles.get(kid, role) != role:
                raise VerificationError(f"key {kid} has another role already", code="key-reused")
            named[kid] = public
        return named

    def _take(self, named: dict[str, bytes], role: str) -> None:
        self.roles.update(dict.fromkeys(named, role))


def expect_version(version: int, wanted: int) -> None:
    """Raise with code ``version`` unless *version* is *wanted*."""
    if version != wanted:
        raise VerificationError(f"expected version {wanted}, got {version}", code="version")
