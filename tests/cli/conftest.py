# SPDX-License-Identifier: Apache-2.0
"""The command line, and deployments for it to work on."""

from clikit import main
from housekit import chained, chained_folder, founded, house, new_chained, new_house

__all__ = ["chained", "chained_folder", "founded", "house", "main", "new_chained", "new_house"]
