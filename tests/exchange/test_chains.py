# SPDX-License-Identifier: Apache-2.0
"""Supply chains that nobody here wrote: imported whole, counted against an independent short script."""

from pathlib import Path

import pytest

from exchange.short_count import count
from traceledger.core.claims.epcis import check_event, is_nfc, subjects, validate_epcis
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.errors import InputError
from traceledger.exchange.counting import counts
from traceledger.exchange.epcis_json import read_document
from traceledger.exchange.epcis_translate import complete, evidence_of, translate_document

BIOFRESH = "openepcis__biofresh-test-01.json"
BEEF = "gtfbl__beef-leather-events.json"
WHOLE = "gdst__all_wholechain_events.jsonld"
NO_EVENTS = ("fsma204_kde_matrix.json", "masterdata__gs1-vocab-products01.json")
CHAINS = {
    BIOFRESH: 23,
    BEEF: 8,
    WHOLE: 31,
    "gdst__EPCISQUERYDOCUMENT_advanced_17.jsonld": 18,
    "gdst__EPCISQueryDocument_with_masterdata.jsonld": 1,
    "gdst__cap_tool_events.jsonld": 18,
    "gdst__epcisdocument-example01.jsonld": 11,
    "ot__duplicate_eventIDs.jsonld": 2,
}


def read(shared: Path, name: str) -> bytes:
    return (shared / "data/gs1/chains" / name).read_bytes()


def imported(data: bytes, *, report: bool):
    document = read_document(data)
    evidence = [evidence_of("source.json", data, "application/json")]
    result = translate_document(
        document, log="trace.example", actor="htx-ben-mau", evidence=evidence, demo=True, report=report
    )
    assert len(result.taken) + len(result.refused) == document.total
    positions = sorted([*(t.position for t in result.taken), *(r.position for r in result.refused)])
    assert positions == list(range(document.total))
    return document, result


def statements(result):
    return [draft for translation in result.taken for draft in translation.drafts]


def test_every_chain_is_listed(shared):
    """The folder holds the chains listed here and the two files without events, and no others."""
    names = {path.name for path in (shared / "data/gs1/chains").iterdir()}
    assert names == {*CHAINS, *NO_EVENTS}


@pytest.mark.parametrize("name", CHAINS)
def test_a_report_import_takes_every_event(shared, name):
    """Every event becomes signable statements that pass the profile and the standard; totals are the source's."""
    data = read(shared, name)
    document, result = imported(data, report=True)
    assert document.total == CHAINS[name]
    assert result.refused == ()
    for statement in statements(result):
        full = complete(statement, prev=("0" * 64,) * len(subjects(statement)), seen=(10**9, "A" * 43 + "="))
        check_event(full)
        assert validate_epcis(full) == []
        assert is_nfc(full)
        assert len(canonical_bytes(full)) <= 16_384
        assert full["tl:evidence"][0]["size"] == len(data)
        assert full["tl:demo"] is True
    got = counts(statements(result))
    assert (got.events, got.lots, got.edges, got.kilograms) == count(data.decode("utf-8-sig"))


@pytest.mark.parametrize("name", CHAINS)
def test_a_second_import_gives_the_same_statements(shared, name):
    """Importing a file again gives byte for byte the same statements, so a repeat shows as one."""
    first, second = (statements(imported(read(shared, name), report=True)[1]) for _ in range(2))
    assert [canonical_bytes(s) for s in first] == [canonical_bytes(s) for s in second]


@pytest.mark.parametrize("name", NO_EVENTS)
def test_a_file_without_events_is_refused(shared, name):
    """A JSON file that holds no EPCIS events is refused as such."""
    with pytest.raises(InputError) as caught:
        read_document(read(shared, name))
    assert caught.value.code == "epcis-document"


def test_biofresh_is_taken_strictly(shared):
    """BioFresh, valid EPCIS, is taken whole without a report; its 20 lot amounts make 2,409.89 kg."""
    document, result = imported(read(shared, BIOFRESH), report=False)
    assert result.refused == ()
    assert document.problems == ()
    got = counts(statements(result))
    assert (got.events, got.lots, str(got.kilograms.normalize())) == (23, 9, "2409.89")
    notes = [note for taken in result.taken for note in taken.notes]
    assert sum("recordTime" in note for note in notes) == 20
    assert sum("eventID" in note for note in notes) == 23
    assert sum("deviceID" in note and "31 characters" in note for note in notes) == 2


def test_beef_is_a_warning_or_a_refusal(shared):
    """Wrong GLN check digits are refused strictly, event by event, and warned of in a report import."""
    _, strict = imported(read(shared, BEEF), report=False)
    assert len(strict.refused) == 8
    assert {refusal.code for refusal in strict.refused} == {"identifier"}
    assert all("it should be 4" in refusal.message for refusal in strict.refused)
    _, report = imported(read(shared, BEEF), report=True)
    for taken in report.taken:
        assert any("it should be 4" in note for note in taken.notes)
    first = statements(report)[0]
    assert first["bizLocation"] == {"id": "https://id.gs1.org/414/1234567089451"}
    assert subjects(first) == ("https://id.gs1.org/01/10000082345676/10/CATTLE20230101",)


def test_gdst_keeps_its_namespaces(shared):
    """The GDST chain keeps its declared prefixes; names without one stand under the import prefix."""
    _, result = imported(read(shared, WHOLE), report=True)
    declared = {}
    for statement in statements(result):
        declared |= statement["@context"][1]
    assert declared == {
        "tl": "urn:traceledger:v1:",
        "gdst": "https://traceability-dialogue.org/epcis",
        "ext": "urn:traceledger:import:",
    }
    assert all("gdst:productOwner" in statement for statement in statements(result))


def test_master_data_is_read(shared):
    """Elements of the header's vocabularies come out with their attributes."""
    document = read_document(read(shared, BEEF))
    assert len(document.master_data) == 6
    ranch = next(element for element in document.master_data if element.id.endswith("1234567089451"))
    assert ranch.attributes["urn:epcglobal:cbv:mda#name"] == "Ranch #423"


def test_a_repeated_event_id_is_seen(shared):
    """Two events under one id: strictly the second is refused, in a report import it is named."""
    data = read(shared, "ot__duplicate_eventIDs.jsonld")
    _, strict = imported(data, report=False)
    assert [(refusal.position, refusal.code) for refusal in strict.refused] == [(1, "event-id")]
    _, report = imported(data, report=True)
    assert any("eventID is that of event 0" in note for note in report.taken[1].notes)


def test_published_examples_import_without_silent_loss(shared):
    """Every EPCIS example and broken document is taken or refused event by event, never lost."""
    seen = taken = 0
    for folder in ("valid", "invalid"):
        for path in sorted((shared / "data/gs1/epcis" / folder).glob("*.json*")):
            for report in (False, True):
                try:
                    document, result = imported(path.read_bytes(), report=report)
                except InputError as error:
                    assert error.code == "epcis-document", path.name  # noqa: PT017
                    continue
                seen += document.total
                taken += len(result.taken)
    assert seen > 200
    assert taken > 150
