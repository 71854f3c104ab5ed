# SPDX-License-Identifier: Apache-2.0
"""
Member names of foreign events brought under the closed context of our statements.

Every name keeps its meaning: prefixes are declared again, prefixes that clash with a term of EPCIS are renamed,
names that are IRIs get a prefix.  A name without any namespace has no meaning to keep: it is refused, or, in a
report import, put under the prefix `ext` and named in the notes.
"""

import re
from typing import Any, Final
from urllib.parse import quote

from traceledger.core.claims.epcis import TL_IRI
from traceledger.core.claims.epcis_profile import iri_problem, prefix_problem
from traceledger.core.claims.epcis_terms import PREFIXES, TERMS
from traceledger.errors import InputError
from traceledger.exchange.epcis_json import Context, is_ours

EXT_PREFIX: Final = "ext"
EXT_IRI: Final = "urn:traceledger:import:"
"""Namespace of members that came without one."""

_KEYWORDS: Final = {"@id": "id", "@type": "type"}
_CURIE = re.compile(r"([A-Za-z][A-Za-z0-9._-]*):(?!//)(\S+)")
_OPEN: Final = {PREFIXES[name]: name for name in ("cbvmda", "gs1", "rdfs")}


class Names:
    """
    Renames the members of one event; `declared` then holds the prefixes its context needs.

    Args:
        context: What the event's document declares.

        report: True to put names without a namespace under `EXT_PREFIX`, False to refuse them.
    """

    def __init__(self, context: Context, *, report: bool) -> None:
        self._context = context
        self._report = report
        self._taken: dict[str, str] = {}  # IRI of a namespace → prefix given to it
        self.declared: dict[str, str] = {}
        self.notes: list[str] = []

    def convert(self, value: Any, path: str, *, allowed: frozenset[str] | None) -> Any:
        """
        *value* with all its member names pinned.

        Args:
            value: Part of an event.

            path: Where it stands.

            allowed: Bare names that EPCIS lets stand here; None where any term may.

        Raises:
            InputError: a name that cannot be kept.
        """
        if isinstance(value, list):
            return [self.convert(part, f"{path}[{i}]", allowed=allowed) for i, part in enumerate(value)]
        if not isinstance(value, dict):
            if isinstance(value, str):
                self._keep_value_prefix(value)
            return value
        members: dict[str, Any] = {}
        for name, part in value.items():
            inner = f"{path}.{name}" if path else name
            new = self._member(name, inner, allowed)
            if new in members:
                raise InputError(f"two members would both be called {new}", code="context-open", where=inner)
            # Inside ilmd EPCIS takes prefixed names only; deeper inside an extension any term is bound.
            members[new] = self.convert(
                part, inner, allowed=frozenset() if new == "ilmd" and not path else None
            )
        return members

    def _member(self, name: str, path: str, allowed: frozenset[str] | None) -> str:
        if is_ours(name, self._context):
            message = (
                "a foreign event may not bring tl: members; submit our own statements as signed envelopes"
            )
            raise InputError(message, code="context-open", where=path)
        plain = _KEYWORDS.get(name, name)
        if plain in TERMS and (allowed is None or plain in allowed):
            return plain
        if name not in TERMS and name in self._context.prefixes:
            return self._iri(self._context.prefixes[name], path, name)
        match = _CURIE.fullmatch(name)
        if match:
            return self._curie(match[1], match[2], path)
        if "://" in name:
            return self._iri(name, path, name)
        return self._bare(name, path)

    def _curie(self, prefix: str, local: str, path: str) -> str:
        iri = self._context.prefixes.get(prefix) or PREFIXES.get(prefix)
        if iri is None:
            # An undeclared prefix is the scheme of an absolute IRI; "p": "p:" says exactly that.
            if prefix_problem(prefix, f"{prefix}:") is None:
                return f"{self._declare(prefix, f'{prefix}:')}:{local}"
            return self._iri(f"{prefix}:{local}", path, f"{prefix}:{local}")
        if iri in _OPEN:
            return f"{_OPEN[iri]}:{local}"
        if iri_problem(iri) is None:
            return f"{self._declare(prefix, iri)}:{local}"
        if iri == PREFIXES["epcis"] and local in TERMS:
            return local
        return self._bare(f"{prefix}:{local}", path)

    def _iri(self, iri: str, path: str, name: str) -> str:
        for closed, prefix in _OPEN.items():
            if iri.startswith(closed) and len(iri) > len(closed):
                return f"{prefix}:{iri[len(closed) :]}"
        cut = max(iri.rfind(c) for c in "#/:") + 1
        space, local = iri[:cut], iri[cut:]
        if local and iri_problem(space) is None:
            return f"{self._declare('ns', space)}:{quote(local, safe='')}"
        return self._bare(name, path)

    def _declare(self, wish: str, iri: str) -> str:
        """The prefix that stands for *iri*, as near to *wish* as the rules and earlier prefixes let it."""
        if iri in self._taken:
            return self._taken[iri]
        prefix, number = wish, 1
        while prefix == EXT_PREFIX or prefix in self.declared or prefix_problem(prefix, iri) is not None:
            number += 1
            prefix = f"{wish}{number}"
        if prefix != wish:
            self.notes.append(f"prefix {wish} is now {prefix}, for {iri}")
        self.declared[prefix] = iri
        self._taken[iri] = prefix
        return prefix

    def _bare(self, name: str, path: str) -> str:
        if not self._report:
            message = f"member {name[:80]!r} has no namespace of its own, so its meaning is not fixed"
            raise InputError(
                f"{message}; give it a prefix, or import with a report", code="context-open", where=path
            )
        self.declared[EXT_PREFIX] = EXT_IRI
        new = f"{EXT_PREFIX}:{quote(name, safe='')}"
        self.notes.append(f"{path}: no namespace; kept as {new}")
        return new

    def _keep_value_prefix(self, value: str) -> None:
        """Declare a prefix that a value such as ``gdst:landing`` uses, so that it can still be expanded."""
        match = _CURIE.fullmatch(value)
        iri = self._context.prefixes.get(match[1]) if match else None
        if match and iri and iri != TL_IRI and iri not in PREFIXES.values() and self._fits(match[1], iri):
            self._declare(match[1], iri)

    def _fits(self, prefix: str, iri: str) -> bool:
        free = self.declared.get(prefix, iri) == iri and prefix != EXT_PREFIX
        return free and prefix_problem(prefix, iri) is None
