# SPDX-License-Identifier: Apache-2.0
"""
Build everything in one place: settings in, use cases out.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from traceledger.chain.rpc import Rpc
from traceledger.chain.sender import Sender, deploy, open_log
from traceledger.chain.watch import Watch
from traceledger.core.judge.bundle import Trust
from traceledger.core.judge.verdict.lines import is_test_chain
from traceledger.core.log.anchor import log_id
from traceledger.core.sign.keys import SigningKey
from traceledger.core.state.registry import AnchorPlace, Policy
from traceledger.errors import ConflictError, InputError, NotFoundError
from traceledger.keyring import evm, files
from traceledger.keyring.passwords import choose, passwords
from traceledger.ledger.admit import Intake
from traceledger.ledger.anchor import Anchorer
from traceledger.ledger.found import FoundingKeys, found, name_chain
from traceledger.ledger.prove import Prover
from traceledger.ledger.resolve import Resolver
from traceledger.ledger.sequence import Log
from traceledger.settings import FILE_NAME, Settings, load, write
from traceledger.store import anchors
from traceledger.store.database import Database
from traceledger.store.evidence import EvidenceStore

CHAIN_NAMES: Final = {
    "eip155:1": "Ethereum",
    "eip155:10": "OP Mainnet",
    "eip155:137": "Polygon",
    "eip155:8453": "Base",
    "eip155:42161": "Arbitrum One",
    "eip155:11155111": "Sepolia",
    "eip155:31337": "anvil",
}
MINED_AFTER_ANCHOR: Final = 3
_KEY_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class App:
    """
    The use cases of one deployment.

    Attributes:
        settings: What it was told.

        database: Its database.

        log: Sequencing and reading; *intake* admits and says the effect.

        prover, resolver: Bundles, and what a scan shows.

        evidence: Files by hash.

        trust: The deployment's own pinned trust file.
    """

    settings: Settings
    database: Database
    sequencer: Log
    log: Intake
    prover: Prover
    resolver: Resolver
    evidence: EvidenceStore
    trust: Trust

    def key(self, name: str) -> SigningKey:
        """Open the Ed25519 key file called *name*."""
        return open_key(self.settings, name)

    def health(self) -> Mapping[str, Any]:
        """Return how the service stands: entries, newest anchor, and what was checked."""
        with self.database.read() as connection:
            newest = anchors.newest(connection)
        chain = None
        if newest is not None:
            chain = {
                "chain": newest.chain,
                "name": chain_name(newest.chain),
                "size": newest.size,
                "time": newest.block_time,
                "final": newest.state == "final",
                "is_test": is_test_chain(newest.chain, demo=self.settings.demo),
            }
        return {"ok": True, "size": self.log.size(), "anchor": chain, "checks": {"database": True}}

    @property
    def policy(self) -> Policy:
        """
        The log's newest policy.

        Raises:
            ConflictError: code ``policy-missing``.
        """
        policy = self.sequencer.registry().policy
        if policy is None:
            raise ConflictError("the log has no policy", code="policy-missing")
        return policy

    @cached_property
    def place(self) -> AnchorPlace:
        """
        The policy's place on the configured chain.

        Raises:
            ConflictError: code ``chain-unset``: no chain is configured, or the policy names none yet.
        """
        for place in self.policy.anchors:
            if place.chain == self.settings.chain and place.contract == self.settings.contract_address:
                return place
        raise ConflictError(
            "the policy names no contract on the configured chain: run `traceledger anchor --setup`",
            code="chain-unset",
        )

    def anchorer(self) -> Anchorer:
        """Build the anchoring use case, with its keys; only the worker and `anchor` need it."""
        settings, place = self.settings, self.place
        sender = make_sender(settings)
        signer = open_evm_key(settings, "anchor")
        if signer.address != place.signer:
            raise ConflictError("keys/anchor.json is not the signer the policy names", code="signer-mismatch")

        def mine() -> None:
            sender.rpc.ask("anvil_mine", hex(MINED_AFTER_ANCHOR))

        return Anchorer(
            self.sequencer,
            sender,
            log_id=place.log_id,
            signer=signer,
            indexer=self.key("indexer"),
            operator=settings.operator,
            chain=settings.chain,
            heartbeat=self.policy.max_silence / 2,
            demo=settings.demo,
            mine=mine if settings.demo else lambda: None,
        )

    def close(self) -> None:
        """End the committing thread and close the database."""
        self.sequencer.close()
        self.database.close()


def build(settings: Settings, *, sign: bool = True) -> App:
    """
    Build the use cases of the deployment that *settings* describe.

    Args:
        sign: Whether this process signs checkpoints and so needs the log key; a read-only one does not.

    Raises:
        ConflictError: code ``database-schema``.
        NotFoundError, AccessError, InputError: a key or the trust file is missing or does not open.
    """
    database = Database(settings.database_url)
    database.check_revision()
    trust = read_trust(settings.trust_file)
    log = Log(database, settings.origin, open_key(settings, "log") if sign else None)
    prover = Prover(log)
    return App(
        settings=settings,
        database=database,
        sequencer=log,
        log=Intake(log),
        prover=prover,
        resolver=Resolver(
            log,
            prover,
            trust=trust,
            demo=settings.demo,
            chain_name=chain_name(settings.chain),
            observe=Watch(settings.rpc),
            pepper=_pepper(settings),
        ),
        evidence=EvidenceStore(settings.evidence),
        trust=trust,
    )


def build_from(folder: Path, *, sign: bool = True) -> App:
    """Load the settings in *folder* and build its use cases."""
    return build(load(folder), sign=sign)


def make_sender(settings: Settings) -> Sender:
    """
    Build the relaying account's sender.

    Raises:
        ConflictError: code ``chain-unset``: no endpoint or chain id is configured.
    """
    if not settings.rpc or not settings.chain_id:
        raise ConflictError(
            "no chain is configured: set rpc and chain_id in traceledger.toml", code="chain-unset"
        )
    account = open_evm_key(settings, "account")
    return Sender(
        Rpc(settings.rpc[0]),
        chain_id=settings.chain_id,
        contract=settings.contract_address,
        account_key=account.secret,
        fee_ceiling=settings.fee_ceiling_gwei * 10**9,
    )


def open_key(settings: Settings, name: str) -> SigningKey:
    """Open the Ed25519 key file *name* of the deployment."""
    return files.load(key_path(settings, name), passwords(_password_file(settings)))


def open_evm_key(settings: Settings, name: str) -> evm.EvmKey:
    """Open the secp256k1 key file *name* of the deployment."""
    return evm.load(settings.keys / f"{name}.json", passwords(_password_file(settings))(name))


def read_trust(path: Path) -> Trust:
    """Read a trust file; raises NotFoundError ``trust-missing`` or InputError ``trust-file``."""
    try:
        return Trust.parse(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError(f"no trust file {path}", code="trust-missing") from error


def chain_name(chain: str) -> str:
    """Return the name people know *chain* by."""
    return CHAIN_NAMES.get(chain, chain)


def _password_file(settings: Settings) -> str:
    if not settings.password_file:
        return ""
    return str(settings.folder / settings.password_file)


def _pepper(settings: Settings) -> bytes:
    """A secret outside the database that makes browser tokens unlinkable; made on first use."""
    path = settings.keys / "pepper"
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except FileNotFoundError as error:
        raise NotFoundError(
            f"no file {path}: it is made by `traceledger init`", code="key-missing"
        ) from error


def create_deployment(settings: Settings, *, operator_name: str) -> Trust:
    """
    Make the folder, keys, database and first entries of a new ledger.

    The log's tables are written last, so a folder without a trust file is one that was never finished.

    Raises:
        ConflictError: code ``deployment-exists``.
    """
    if (settings.folder / FILE_NAME).exists():
        raise ConflictError(f"{settings.folder} holds a ledger already", code="deployment-exists")
    database = Database(settings.database_url)
    with _all_or_nothing(settings, database):
        return _create(settings, database, operator_name)


@contextmanager
def _all_or_nothing(settings: Settings, database: Database) -> Iterator[None]:
    """Remove what was made of a new deployment where the rest cannot be made."""
    folders = [folder for folder in (settings.keys, settings.folder) if not folder.exists()]
    made = [settings.trust_file, settings.folder / FILE_NAME]
    made += [Path(f"{file}{end}") for file in [database.file] if file for end in ("", "-wal", "-shm")]
    kept = {path for path in [*settings.keys.glob("*"), *made] if path.exists()}
    try:
        yield
    except BaseException:
        for path in {*settings.keys.glob("*"), *made} - kept:
            path.unlink(missing_ok=True)
        for folder in folders:
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def _create(settings: Settings, database: Database, operator_name: str) -> Trust:
    settings.folder.mkdir(parents=True, exist_ok=True)
    settings.folder.chmod(0o700)  # the database holds the rolls' secrets and private parts
    settings.keys.mkdir(mode=0o700, exist_ok=True)
    if settings.password_file and not (settings.folder / settings.password_file).exists():
        files.write_secret(
            settings.folder / settings.password_file, secrets.token_urlsafe(24).encode() + b"\n"
        )
    password = choose(_password_file(settings))
    files.write_secret(settings.keys / "pepper", secrets.token_bytes(32))
    keys = FoundingKeys(
        root=new_key(settings, "root", password=password),
        log=new_key(settings, "log", password=password),
        log_spare=new_key(settings, "log-spare", password=password),
        operator_admin=new_key(settings, f"{settings.operator}-admin", password=password),
        indexer=new_key(settings, "indexer", password=password),
    )
    for name in ("anchor", "guardian", "account"):
        evm.save(settings.keys / f"{name}.json", evm.EvmKey.new(), password, demo=settings.demo)
    try:
        trust = found(
            database,
            origin=settings.origin,
            operator=settings.operator,
            operator_name=operator_name,
            keys=keys,
            anchors=[],
        )
    finally:
        database.close()
    settings.trust_file.write_bytes(trust.encode())
    write(settings)
    return trust


def new_key(
    settings: Settings, name: str, *, custody: str = "file", password: str | None = None
) -> SigningKey:
    """
    Make an Ed25519 key and keep it as key file *name*; sealed, but in a demonstration.

    Args:
        password: What seals it; the settings', or asked for, where omitted.

    Raises:
        InputError: code ``key-name``.
        ConflictError: code ``key-exists``.
    """
    path = key_path(settings, name)
    if path.exists():  # before anybody is asked for a password
        raise ConflictError(f"{path} exists; choose another name", code="key-exists")
    key = SigningKey(secrets.token_bytes(32))
    if settings.demo:
        password = None
    elif password is None:
        password = choose(_password_file(settings))
    files.save(path, files.seal(key, custody=custody, password=password))
    return key


def key_path(settings: Settings, name: str) -> Path:
    """Return where key file *name* is kept; raises InputError ``key-name``."""
    if not _KEY_NAME.fullmatch(name):
        raise InputError(f"expected a key name of a-z, 0-9, - and _, got {name!r}", code="key-name")
    return settings.keys / f"{name}.json"


def set_up_chain(app: App, *, contract: bytes | None = None) -> Settings:
    """
    Put the log on the configured chain: deploy the contract unless one is given, open the log there, and state
    both in the log's policy.  Each step is skipped where it is done already.

    Returns:
        The settings, with the contract's address; written to the folder.

    Raises:
        TemporaryError: the chain does not answer, or the account has no money.
    """
    settings = app.settings
    account = open_evm_key(settings, "account")
    if not settings.rpc or not settings.chain_id:
        raise ConflictError(
            "no chain is configured: set rpc and chain_id in traceledger.toml", code="chain-unset"
        )
    rpc = Rpc(settings.rpc[0])
    address = contract or deploy(rpc, chain_id=settings.chain_id, account_key=account.secret)
    settings = replace(settings, contract="0x" + address.hex())
    sender = make_sender(settings)
    sender.check()
    signer, guardian = open_evm_key(settings, "anchor"), open_evm_key(settings, "guardian")
    identity = log_id(signer.address, guardian.address, settings.origin)
    open_log(sender, signer.address, guardian.address, settings.origin, log_id=identity)
    name_chain(
        app.sequencer,
        AnchorPlace(
            chain=settings.chain,
            contract=address,
            log_id=identity,
            signer=signer.address,
            guardian=guardian.address,
        ),
        root_key=app.key("root"),
    )
    # not what the environment overrides: that may hold an endpoint's secret
    write(replace(load(settings.folder, {}), contract=settings.contract))
    return settings
