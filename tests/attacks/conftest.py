# SPDX-License-Identifier: Apache-2.0
"""A sold lot for attackers to work on; each test gets a deployment and a chain of its own."""

import pytest

from attacks.kit import Sold, sell
from housekit import LOT, chained, chained_folder, founded, house, new_chained, new_house

__all__ = ["chained", "chained_folder", "founded", "house", "new_chained", "new_house"]


@pytest.fixture
def sold(chained) -> Sold:
    """A lot with activated stamps, anchored finally; bundle and checkpoint taken home."""
    links = sell(chained.house)
    chained.final()
    bundle = chained.house.app.prover.bundle(LOT, links[0].rpartition("/")[2])
    return Sold(chained, links, bundle, chained.house.log.checkpoint())
