# SPDX-License-Identifier: Apache-2.0
"""How a route says what it is, so that the OpenAPI document is built from the routes and cannot lag behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Response
from flask.typing import ResponseReturnValue

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """
    What a docstring does not say of a route.

    Attributes:
        answers: Status to (sentence, media types).

        takes: Media types of the request body, none for reads.

        query: Query parameters to their meaning.

        tag: Group in the document.
    """

    answers: Mapping[int, tuple[str, tuple[str, ...]]]
    takes: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    tag: str = "pages"


def described(
    answers: Mapping[int, tuple[str, tuple[str, ...]]],
    *,
    tag: str,
    takes: tuple[str, ...] = (),
    query: Mapping[str, str] | None = None,
) -> Callable[[View], View]:
    """Attach a `Described` to a view."""

    def attach(view: View) -> View:
        view.__described__ = Described(answers=answers, takes=takes, query=query or {}, tag=tag)  # type: ignore[attr-defined]
        return view

    return attach


def described_of(view: Any) -> Described | None:
    """The `Described` of a view, or None for Flask's own."""
    found = getattr(view, "__described__", None)
    return found if isinstance(found, Described) else None


def data(body: bytes | str, content_type: str, *, cache: str, status: int = 200) -> Response:
    """An answer of bytes with its media type and how long it may be kept."""
    response = Response(body, status=status, content_type=content_type)
    response.headers["Cache-Control"] = cache
    return response
