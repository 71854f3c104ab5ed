# SPDX-License-Identifier: Apache-2.0
"""
The vectors of docs/spec/findings.json: what other programs are given is what ours computes, from bytes alone.
"""

import json

import pytest

from judge.findings_cases import CASES, FILE, FIRST, Case, beginning, vectors
from traceledger.core.judge.findings import findings_of
from traceledger.core.log.entry import Entry


def test_the_file_is_what_the_cases_make() -> None:
    """Nothing in the file was made by hand; write it anew after a change, see findings_cases."""
    assert json.loads(FILE.read_text()) == vectors()
    assert len(beginning().entries) == FIRST


@pytest.mark.parametrize("name", [one.name for one in CASES])
def test_a_vector_gives_its_findings_and_gates(name: str) -> None:
    """Parsed from the file, each log gives the findings and gates written beside it."""
    vector = json.loads(FILE.read_text())
    (one,) = [one for one in vector["cases"] if one["name"] == name]
    raws = [*vector["beginning"], *one["entries"]]
    entries = [(index, Entry.parse(raw.encode())) for index, raw in enumerate(raws)]
    findings = findings_of(entries, vector["origin"])
    found = sorted((f.index, f.code) for f in findings.found)
    assert found == [(item["index"], item["code"]) for item in one["findings"]]
    for gate in one["gates"]:
        assert findings.gated(gate["lot"], gate["below"]) == gate["gated"], gate


def test_each_vector_says_what_it_shows() -> None:
    """Every case has a name of its own and a sentence."""
    assert len({one.name for one in CASES}) == len(CASES)
    assert all(isinstance(one, Case) and one.build.__doc__ for one in CASES)
