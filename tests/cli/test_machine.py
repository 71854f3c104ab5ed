# SPDX-License-Identifier: Apache-2.0
"""Where a demonstration listens: for phones in the same network, never for the open internet."""

import socket

import pytest

from traceledger.cli.machine import ANYWHERE, lan_address


class Route:
    """A datagram socket whose machine has one address, or no network at all."""

    def __init__(self, address: str | None) -> None:
        self.address = address

    def __call__(self, *_: object) -> "Route":
        return self

    def __enter__(self) -> "Route":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def connect(self, _: object) -> None:
        """Find the way out, as the kernel does for a datagram that is never sent."""
        if self.address is None:
            raise OSError("network is unreachable")

    def getsockname(self) -> tuple[str, int]:
        """The address of this machine on that way."""
        return (str(self.address), 40_000)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.168.1.20", "192.168.1.20"),
        ("10.0.0.7", "10.0.0.7"),
        ("203.0.114.9", "127.0.0.1"),
        (None, "127.0.0.1"),
    ],
)
def test_a_phone_beside_it_or_nobody(
    monkeypatch: pytest.MonkeyPatch, address: str | None, expected: str
) -> None:
    """A private address is shown to phones; a public one, or none, leaves the pages to this machine."""
    monkeypatch.setattr(socket, "socket", Route(address))
    assert lan_address("") == expected
    assert lan_address(ANYWHERE) == expected
    assert lan_address("192.168.7.7") == "192.168.7.7"
