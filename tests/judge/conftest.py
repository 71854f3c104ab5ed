# SPDX-License-Identifier: Apache-2.0
"""A small world that the tests of findings begin with."""

import pytest

from kit.world import World


@pytest.fixture
def world() -> World:
    """A log with an operator, an authority, a farm with its product, a shop and a packer."""
    world = World()
    world.org("operator", roles=["operator"])
    world.org("office", roles=["authority"])
    world.org("farm")
    world.org("shop")
    world.org("packer")
    world.product("farm")
    return world
