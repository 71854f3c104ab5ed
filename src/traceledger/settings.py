# SPDX-License-Identifier: Apache-2.0
"""
Settings of a deployment: one TOML file in its folder, each overridable by an environment variable.

Read once, then passed on; nothing else reads the environment.  No secret has a default, and none stands in
this file: keys are files of their own, their password comes from a prompt, a file or the environment.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from traceledger.core.claims.records import is_org
from traceledger.core.log.note import check_origin
from traceledger.errors import InputError, NotFoundError, VerificationError

FILE_NAME: Final = "traceledger.toml"
ENV_PREFIX: Final = "TRACELEDGER_"
_LEAST: Final = {"chain_id": 0, "anchor_every": 1, "fee_ceiling_gwei": 1, "port": 1}
_MOST: Final = {"chain_id": 2**63 - 1, "anchor_every": 10**9, "fee_ceiling_gwei": 10**9, "port": 65_535}


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment is told; paths are absolute."""

    folder: Path = field(
        metadata=_help("The deployment's folder; not in the file, it is where the file lies.")
    )
    origin: str = field(
        metadata=_help("The log's one name, host[/path], in lower case. It can never change.")
    )
    public_url: str = field(metadata=_help("Address printed on stamps, without a trailing slash."))
    operator: str = field(metadata=_help("Short name of the organisation that runs the log."))
    database: str = field(
        default="sqlite:///ledger.db",
        metadata=_help("SQLAlchemy URL; a relative SQLite path is in the folder."),
    )
    rpc: tuple[str, ...] = field(
        default=(),
        metadata=_help(
            "RPC endpoints of the chain, the sending one first; two or more that agree count as more than one source."
        ),
    )
    chain_id: int = field(default=0, metadata=_help("Chain id the endpoints must serve; 0 means no chain."))
    contract: str = field(default="", metadata=_help("Address of the anchor contract, 0x and 40 hex digits."))
    anchor_every: int = field(
        default=3600, metadata=_help("Seconds between anchors, when there is something new.")
    )
    fee_ceiling_gwei: int = field(
        default=200, metadata=_help("Highest fee per gas the worker ever offers, in gwei.")
    )
    contact: str = field(default="", metadata=_help("Mail address shown to people who report a stamp."))
    password_file: str = field(
        default="",
        metadata=_help(
            "File whose one line opens the key files; mode 0600. Empty: ask, or TRACELEDGER_PASSWORD."
        ),
    )
    import_key: str = field(
        default="import", metadata=_help("Key file in keys/ that signs imports where --key is not given.")
    )
    host: str = field(default="127.0.0.1", metadata=_help("Address the web server listens on."))
    port: int = field(default=8400, metadata=_help("Port the web server listens on."))
    demo: bool = field(
        default=False,
        metadata=_help("Marks a demonstration: its own test chain, and every stamp printed DEMO."),
    )

    @property
    def keys(self) -> Path:
        """Folder of the key files."""
        return self.folder / "keys"

    @property
    def evidence(self) -> Path:
        """Folder of evidence files, by hash."""
        return self.folder / "evidence"

    @property
    def trust_file(self) -> Path:
        """The trust file that others pin."""
        return self.folder / "trust.json"

    @property
    def database_url(self) -> str:
        """The database URL with a relative SQLite path made absolute."""
        prefix = "sqlite:///"
        if self.database.startswith(prefix) and not self.database.startswith(prefix + "/"):
            return prefix + str(self.folder / self.database.removeprefix(prefix))
        return self.database

    @property
    def chain(self) -> str:
        """The chain's CAIP-2 name, ``eip155:<n>``; empty where there is none."""
        return f"eip155:{self.chain_id}" if self.chain_id else ""

    @property
    def contract_address(self) -> bytes:
        """The contract's 20 bytes."""
        return bytes.fromhex(self.contract[2:])

    @property
    def link_scheme(self) -> str:
        """Scheme of printed links, ``http`` or ``https``."""
        return urlsplit(self.public_url).scheme

    @property
    def link_host(self) -> str:
        """Host (and port, if any) of printed links."""
        return urlsplit(self.public_url).netloc


def load(folder: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """
    Read the settings of the deployment in *folder*.

    Raises:
        NotFoundError: code ``deployment-missing``.
        InputError: code ``settings``, naming the setting.
    """
    path = folder / FILE_NAME
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(
            f"no ledger in {folder}: run `traceledger init {folder} --origin … --public-url …`, or give --dir",
            code="deployment-missing",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}", code="settings") from error
    known = {f.name: f for f in fields(Settings) if f.name != "folder"}
    for name in values:
        if name not in known:
            raise InputError(f"{path} has no setting {name!r}; there are {', '.join(known)}", code="settings")
    for name in known:
        if (text := environment.get(ENV_PREFIX + name.upper())) is not None:
            values[name] = _from_text(name, text)
    return check(folder.resolve(), values)


def check(folder: Path, values: Mapping[str, Any]) -> Settings:
    """
    Build settings from plain *values*, refusing wrong types, names and addresses.

    Raises:
        InputError: code ``settings``.
    """
    for name in ("origin", "public_url", "operator"):
        if name not in values:
            raise InputError(f"the setting {name!r} is missing", code="settings")
    for name, value in values.items():
        _check_value(name, value)
    chosen: dict[str, Any] = {k: tuple(v) if k == "rpc" else v for k, v in values.items()}
    settings = Settings(folder=folder, **chosen)
    try:
        check_origin(settings.origin)
    except VerificationError as error:
        raise InputError(f"origin: {error.message}", code="settings") from error
    check_public_url(settings.public_url)
    if not is_org(settings.operator):
        raise InputError(
            f"operator: expected a-z, 0-9 and -, 2 to 32 characters, got {settings.operator!r}",
            code="settings",
        )
    if settings.contract:
        parse_address(settings.contract)
    for url in settings.rpc:
        if _parts(url) is None:
            raise InputError(f"rpc: expected http://host:port or https://host, got {url!r}", code="settings")
    return settings


def _check_value(name: str, value: Any) -> None:
    """Check the type of one setting, and for numbers their range."""
    wanted: dict[str, Any] = {"rpc": (list, tuple), "demo": bool} | dict.fromkeys(_LEAST, int)
    if not isinstance(value, wanted.get(name, str)) or (isinstance(value, bool) and name != "demo"):
        raise InputError(f"the setting {name!r} has the wrong type: {value!r}", code="settings")
    if name in _LEAST and not _LEAST[name] <= value <= _MOST[name]:
        raise InputError(
            f"{name}: expected a number from {_LEAST[name]} to {_MOST[name]}, got {value}", code="settings"
        )
    for text in value if name == "rpc" else [value]:
        if name == "rpc" and not isinstance(text, str):
            raise InputError(f"the setting {name!r} has the wrong type: {value!r}", code="settings")
        if isinstance(text, str) and any(ord(character) < 32 or ord(character) == 127 for character in text):
            raise InputError(f"{name}: control characters are not allowed: {text!r}", code="settings")


def check_public_url(url: str) -> None:
    """
    Check the address that stamps carry: https, or http for this machine and private addresses only.

    Raises:
        InputError: code ``settings``.
    """
    parts = _parts(url)
    if parts is None or url != f"{parts.scheme}://{parts.netloc}".lower() or "@" in url:
        raise InputError(f"public_url: expected https://host in lower case, got {url!r}", code="settings")
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_private_host(host):
        raise InputError(
            f"public_url: plain http is for private addresses; use https for {host}", code="settings"
        )


def _parts(url: str) -> SplitResult | None:
    """Parts of an http or https address with a host, None for anything else."""
    try:
        parts = urlsplit(url)
        named = parts.hostname and not parts.netloc.endswith(":")
        good = parts.scheme in ("http", "https") and named and parts.port != 0
    except ValueError:
        return None
    return parts if good and url.isascii() and " " not in url else None


def is_private_host(host: str) -> bool:
    """Say whether *host* is this machine or a private address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def write(settings: Settings) -> None:
    """Write the settings file of a new deployment."""
    lines = ["# Settings of this ledger; docs/reference/settings.md explains each.\n"]
    for f in fields(Settings):
        value = getattr(settings, f.name)
        if f.name != "folder" and value != f.default:
            lines.append(f"{f.name} = {_toml(value)}\n")
    draft = settings.folder / f"{FILE_NAME}.tmp"
    draft.write_text("".join(lines), encoding="utf-8")
    draft.replace(settings.folder / FILE_NAME)


def _toml(value: str | int | bool | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _from_text(name: str, text: str) -> Any:
    if name == "rpc":
        return [part for part in text.split(",") if part]
    if name == "demo":
        known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if text.lower() not in known:
            raise InputError(f"{ENV_PREFIX}DEMO: expected true or false, got {text!r}", code="settings")
        return known[text.lower()]
    if name in _LEAST:
        try:
            return int(text)
        except ValueError as error:
            raise InputError(
                f"{ENV_PREFIX}{name.upper()}: expected a number, got {text!r}", code="settings"
            ) from error
    return text


def parse_address(text: str) -> bytes:
    """
    Read a contract's address.

    Raises:
        InputError: code ``settings``.
    """
    if not re.fullmatch(r"0x[0-9a-f]{40}", text):
        raise InputError(f"contract: expected 0x and 40 hex digits, got {text!r}", code="settings")
    return bytes.fromhex(text[2:])
