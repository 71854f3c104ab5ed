# SPDX-License-Identifier: Apache-2.0
"""The small log that bundles are taken from."""

import copy

import pytest

from core.judge.smallworld import World, small_world


@pytest.fixture
def world() -> World:
    """A fresh copy of the one log: harvest, issue, activation, index record."""
    return copy.deepcopy(small_world())
