# SPDX-License-Identifier: Apache-2.0
"""
Headers every answer carries: no script anywhere, nothing framed, nothing sniffed, no address passed on.

The pages need no script and no inline style, so the policy can forbid both.  The referrer is withheld because
the link on a stamp may carry its signature.  What the log and the lots say is public, so any origin may read it.
"""

from typing import Final

from flask import Response

POLICY: Final = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

IMMUTABLE: Final = "public, max-age=31536000, immutable"
NO_STORE: Final = "no-store"
NO_CACHE: Final = "no-cache"


def add_security_headers(response: Response, *, https: bool) -> Response:
    """Add the headers common to all answers; *https* says whether the public address is one."""
    headers = response.headers
    headers["Content-Security-Policy"] = POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
    headers["Access-Control-Expose-Headers"] = "Link, Location, Retry-After"
    if https:
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Strict-Transport-Security"] = "max-age=31536000"
    headers.setdefault("Cache-Control", NO_STORE)
    return response
