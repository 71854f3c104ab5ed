# SPDX-License-Identifier: Apache-2.0
"""
What all tests share: third-party data found by environment, development chains, Hypothesis profiles.

Third-party vectors are read in place and never copied into this repository: `TRACELEDGER_SHARED` names their
folder, `../shared` beside the clone by default.  Tests that need them are skipped, and say so, where it is absent.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from chainkit import anvil, anvil_factory

__all__ = ["anvil", "anvil_factory"]

ROOT = Path(__file__).resolve().parent.parent

# The same examples each time, so that a failure is the change's and not the dice's.  No deadline: cores are shared.
settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# On CI deterministic too; at a developer's desk a soak explores.
settings.register_profile(
    "soak", settings.get_profile("default"), max_examples=1000, derandomize="CI" in os.environ
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


# The in-process EVM has no wheel for Python 3.13; the tests on anvil run everywhere.
collect_ignore = [] if find_spec("pyrevm") else ["contract"]


def pytest_report_header() -> list[str]:
    """Say at the top what this run cannot cover."""
    missing = [f"not run: tests/{name}, pyrevm is not installed" for name in collect_ignore]
    if shared_folder() is None:
        missing.append("third-party data is absent: tests that need it are skipped")
    return missing


def shared_folder() -> Path | None:
    """Return the folder of third-party data, or None where there is none."""
    folder = Path(os.environ.get("TRACELEDGER_SHARED") or ROOT.parent / "shared")
    return folder.resolve() if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of third-party data; skip the test where it is absent."""
    folder = shared_folder()
    if folder is None:
        pytest.skip("third-party data is absent: set TRACELEDGER_SHARED to its folder (default ../shared)")
    return folder


@pytest.fixture(scope="session")
def shared_or_skip(shared: Path) -> Path:
    """The same as `shared`, for tests that want to say in their signature that they may be skipped."""
    return shared
