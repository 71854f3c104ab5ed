# SPDX-License-Identifier: Apache-2.0
"""Which language a visitor reads: ``?lang=``, else the cookie it left, else Accept-Language, else Vietnamese."""

from typing import Final

from flask import Request, Response

from traceledger.web.words import LANGUAGES, Words, load_words

COOKIE: Final = "lang"
_YEAR: Final = 365 * 24 * 3600


def words_for(request: Request) -> Words:
    """The words of the language *request* asks for."""
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in LANGUAGES:
            return load_words(wish)
    return load_words(request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0])


def remember_language(request: Request, response: Response) -> None:
    """Keep an explicit choice for the next page; it holds the language and nothing else."""
    wish = request.args.get("lang")
    if wish in LANGUAGES and wish != request.cookies.get(COOKIE):
        response.set_cookie(
            COOKIE, wish, max_age=_YEAR, secure=request.is_secure, httponly=True, samesite="Lax"
        )
