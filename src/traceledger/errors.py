# SPDX-License-Identifier: Apache-2.0
"""
The one tree of errors, its branches named after what the caller should do.

Every error carries a stable *code* that CLI, HTTP answers, documentation and test vectors share.  Codes of
evidence that does not hold are the closed list of reason codes in the specification; the others are listed
in `docs/reference/codes.md`, which is generated from this tree and checked.
"""


class TraceledgerError(Exception):
    """
    Root of everything this package raises on purpose.

    Args:
        message: What was expected, what came, and what to do next; never a secret.

        code: Stable machine-readable reason; the class's own where omitted.

        where: The place it concerns, e.g. ``entries[3]`` or ``line 12``.
    """

    code = "error"
    http_status = 500
    exit_code = 70

    def __init__(self, message: str, *, code: str | None = None, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InputError(TraceledgerError):
    """Fix what you sent: it is malformed, too large, or breaks a rule of the format."""

    code = "malformed"
    http_status = 400
    exit_code = 2


class VerificationError(TraceledgerError):
    """The evidence does not hold: a signature, proof, link or state does not check out."""

    code = "unverified"
    http_status = 422
    exit_code = 1


class AccessError(TraceledgerError):
    """Not you, not now: the password or permission does not open this."""

    code = "forbidden"
    http_status = 403
    exit_code = 2


class NotFoundError(TraceledgerError):
    """Nothing by that name is known here."""

    code = "not-found"
    http_status = 404
    exit_code = 3


class ConflictError(TraceledgerError):
    """It exists already, or another step must come before."""

    code = "conflict"
    http_status = 409
    exit_code = 2


class TemporaryError(TraceledgerError):
    """Try again later: a chain, database or peer could not be asked just now."""

    code = "unavailable"
    http_status = 503
    exit_code = 4


class LogIntegrityError(TraceledgerError):
    """
    Stop signing and call the operator: the stored log and what was published do not agree.

    Args:
        index: Log index of the entry concerned, where it is one.
    """

    code = "log-integrity"
    http_status = 500
    exit_code = 70

    def __init__(
        self, message: str, *, code: str | None = None, where: str | None = None, index: int | None = None
    ) -> None:
        super().__init__(message, code=code, where=where)
        self.index = index
