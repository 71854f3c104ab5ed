# SPDX-License-Identifier: Apache-2.0
"""A small world that the tests of findings begin with."""

import pytest

from judge.findings_cases import beginning
from kit.world import World


@pytest.fixture
def world() -> World:
    """A log with an operator, an authority, a farm with its product, a shop and a packer."""
    return beginning()
