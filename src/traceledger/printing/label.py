# SPDX-License-Identifier: Apache-2.0
"""
What one stamp says: its link, its number in clear, and the names a shopper compares.

A label knows nothing of millimetres and needs no drawing library.  Whether the link is signed, live or known is left to the ledger.
"""

import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from traceledger.errors import InputError

TITLE = "TEM TRUY XUẤT NGUỒN GỐC"
DEMO = "BẢN THỬ · DEMO"
PROMPT = "Quét để xem hồ sơ"
MAX_TEXT = 300


def normalise(text: str) -> str:
    """
    Return *text* in NFC with each run of white space as one space.

    Decomposed Vietnamese, as iOS and macOS hand it over, would be drawn with displaced accents.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def format_number(roll: str, number: int) -> str:
    """
    Return *number* as it stands on the stamp, nine digits at least: ``A-000 123 456``.

    Raises:
        InputError: If *number* is not an unsigned 64-bit integer.
    """
    if not 0 <= number < 2**64:
        raise InputError(f"expected a stamp number from 0 to 2^64-1, got {number}", code="label")
    return f"{roll}-" + f"{number:011,d}".replace(",", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class StampLabel:
    """
    One stamp before it is set.  Texts are normalised (NFC, single spaces) at construction.

    Args:
        uri: The printed link, with its ``?s=`` where the roll is signed; ASCII, http or https.

        number: Its number in the roll.

        roll: Prefix of the number as people read it, such as ``A-2611``: 1 to 24 ASCII characters, no space.

        product: Name of the goods; may be empty.

        producer: Who answers for them; may be empty.

        place: Commune and province; may be empty.

        host: The domain in clear; exactly the one the link leads to.

        demo: A demonstration; a link over http counts as one in any case.

    Raises:
        InputError: If the link is not one, *host* is not its host, or a text is too long.
    """

    uri: str
    number: int
    roll: str
    product: str
    producer: str
    place: str
    host: str
    demo: bool = False

    def __post_init__(self) -> None:
        for name in ("roll", "product", "producer", "place", "host"):
            value = normalise(getattr(self, name))
            if len(value) > MAX_TEXT:
                raise InputError(
                    f"expected {name} of {MAX_TEXT} characters at most, got {len(value)}", code="label"
                )
            object.__setattr__(self, name, value)
        if (
            not self.roll.isascii()
            or not self.roll.isprintable()
            or " " in self.roll
            or not 0 < len(self.roll) <= 24
        ):
            raise InputError(
                f"expected a roll of 1 to 24 ASCII characters without space, got {self.roll!r}", code="label"
            )
        try:
            link = urlsplit(self.uri)
            hosts = (link.netloc, link.hostname)
        except ValueError:
            link, hosts = urlsplit(""), ("", None)
        if (
            link.scheme not in ("http", "https")
            or not link.hostname
            or "@" in link.netloc
            or not link.path.strip("/")
        ):
            raise InputError(
                f"expected an http or https link with a path, got {self.uri[:80]!r}", code="label"
            )
        if self.host not in hosts:
            raise InputError(
                f"expected the printed host to be the link's, {link.netloc!r}, got {self.host!r}: "
                "a stamp must not show one address and lead to another",
                code="label",
            )
        format_number(self.roll, self.number)

    @property
    def is_demo(self) -> bool:
        """Whether the stamp must say that it is a demonstration."""
        return self.demo or self.uri.startswith("http:")

    @property
    def number_text(self) -> str:
        """The number as printed."""
        return format_number(self.roll, self.number)
