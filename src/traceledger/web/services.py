# SPDX-License-Identifier: Apache-2.0
"""What the web asks of the application: the use cases it calls, and nothing about how they are built."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flask import current_app

from traceledger.core.claims.identifiers import DigitalLink
from traceledger.core.judge.verdict.view import LotView
from traceledger.errors import TraceledgerError


class Settings(Protocol):
    """
    What pages say about the house.

    Attributes:
        public_url: Scheme and authority printed on stamps, without a trailing slash.

        origin: The log's name.

        contact: Mail address of the operator, or an empty string.
    """

    @property
    def public_url(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def contact(self) -> str: ...


class Admitted(Protocol):
    """Where a statement stands in the log, what it does there, and whether it stood there before."""

    @property
    def index(self) -> int: ...
    @property
    def id(self) -> str: ...
    @property
    def effect(self) -> str: ...
    @property
    def repeated(self) -> bool: ...


class Log(Protocol):
    """The log, to write and to read; reads of what is not there raise `NotFoundError`."""

    def submit(self, envelope: bytes, /) -> Admitted: ...
    def submit_many(self, envelopes: Sequence[bytes], /) -> Sequence[Admitted | TraceledgerError]: ...
    def size(self) -> int: ...
    def checkpoint(self) -> str: ...
    def tile(self, level: int, number: int, width: int, /) -> bytes: ...
    def entry_bundle(self, number: int, width: int, /) -> bytes: ...
    def entry(self, index: int, /) -> bytes: ...


class Resolver(Protocol):
    """
    What a scan shows; unknown lots raise `NotFoundError`, unknown stamps come back as an unknown view.

    A *client_token* of None asks without being counted as a scan.
    """

    def lot(self, subject: str, /) -> LotView: ...
    def stamp(self, link: DigitalLink, signature: str | None, client_token: str | None, /) -> LotView: ...
    def alias(self, alias: str, /) -> LotView: ...


class Prover(Protocol):
    """Evidence to take home; *stamp* is the serial of a stamp to prove along, or None."""

    def bundle(self, subject: str, stamp: str | None, /) -> bytes: ...


class Services(Protocol):
    """The application as the web sees it."""

    @property
    def settings(self) -> Settings: ...
    @property
    def log(self) -> Log: ...
    @property
    def resolver(self) -> Resolver: ...
    @property
    def prover(self) -> Prover: ...
    def health(self) -> Mapping[str, Any]:
        """
        How the service stands.

        Returns:
            ``ok`` (bool), ``size`` (entries in the log), ``anchor`` (None or a mapping with ``chain``, ``name``,
            ``size``, ``time``, ``final``), ``checks`` (name to bool).
        """
        ...


def services() -> Services:
    """The application behind the current request."""
    found: Services = current_app.extensions["traceledger"]
    return found
