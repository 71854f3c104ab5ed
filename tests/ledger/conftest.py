# SPDX-License-Identifier: Apache-2.0
"""Deployments on disk for the use cases to work on."""

import shutil
from pathlib import Path

import pytest

from housekit import (
    as_bytes,
    chained,
    chained_folder,
    founded,
    house,
    new_chained,
    new_house,
    open_house,
)

__all__ = ["chained", "chained_folder", "founded", "house", "new_chained", "new_house"]


@pytest.fixture(scope="session")
def long_folder(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a deployment whose log has 600 entries: two full tiles and a part."""
    folder = tmp_path_factory.mktemp("long") / "so"
    shutil.copytree(founded, folder)
    house = open_house(folder)
    house.submit(house.harvest())
    envelopes = [house.note(f"note {n}") for n in range(600 - house.size())]
    house.log.submit_many([as_bytes(one) for one in envelopes])
    house.close()
    return folder
