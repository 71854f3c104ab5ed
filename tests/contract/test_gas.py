# SPDX-License-Identifier: Apache-2.0
"""What anchors cost, and that the table people read says so."""

from pathlib import Path

import pytest
from benchmarks import gas

from traceledger.chain.devchain import DevChain


@pytest.mark.chain
def test_the_committed_table_is_current() -> None:
    """The table of the contract's README is what a fresh measurement gives, within the tolerance."""
    assert gas.agree(gas.committed(), gas.table())


@pytest.mark.chain
def test_an_anchor_at_a_billion_entries_stays_below_its_budget(tmp_path: Path) -> None:
    """The mean anchor at 1e9 entries, growth 100, signature and proof included, costs at most 75,000 gas."""
    with DevChain(tmp_path / "chain.json") as chain:
        measured = gas.Bench(chain).measure(10**9)
    assert measured.mean <= 75_000
    assert measured.mean_bound < measured.mean


def test_tables_that_differ_do_not_agree() -> None:
    """A changed word, a number off by more than the tolerance, or a missing row is noticed."""
    table = "| 1,000 | 10.2 | 57,052 |"
    assert gas.agree(table, "| 1,000 | 10.2 | 57,100 |")
    assert not gas.agree(table, "| 1,000 | 10.2 | 59,052 |")
    assert not gas.agree(table, "| 1,000 | 10.2 |")
    assert not gas.agree(table, "| 1,000 | ten | 57,052 |")
