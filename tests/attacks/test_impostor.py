# SPDX-License-Identifier: Apache-2.0
"""Somebody with a log, a chain and a contract of their own, or with parts of true bundles put together anew."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from attacks.kit import ROLL, failed, judge, look, lot, path_of, run, seen, sell, web
from housekit import COOP, LOT, PACKER, Chained, connect, found_house
from traceledger.core.judge.bundle import Bundle
from traceledger.core.sign.encoding import b64encode
from traceledger.errors import InputError
from traceledger.store import rolls

Value = dict[str, Any]


@pytest.fixture
def twin(sold, anvil_factory, tmp_path) -> dict[str, Any]:
    """The same names all over, but other keys, another genesis and another contract: its bundle and its chain."""
    house = found_house(tmp_path / "twin")
    chain = anvil_factory(tmp_path / "twin.json")
    connect(house, chain)
    links = sell(house)
    Chained(house, chain).final()
    found = {
        "bundle": house.app.prover.bundle(LOT, links[0].rpartition("/")[2]),
        "trust": house.app.trust,
        "rpc": chain.url,
        "links": links,
    }
    yield found
    house.close()


def test_a_log_of_the_same_name(sold, twin, tmp_path):
    """Under its own trust file and chain it holds; under the pinned one ORIGIN fails, whichever chain is asked."""
    assert judge(twin["bundle"], twin["trust"], twin["rpc"]).ok
    for urls in ((), (twin["rpc"],), (sold.rpc,)):
        report = judge(twin["bundle"], sold.house.app.trust, *urls)
        assert report.rungs["ORIGIN"].reason == "genesis"
        assert report.exit_code == 1
    (tmp_path / "b").write_bytes(twin["bundle"])
    assert run("verify", tmp_path / "b", "--policy", sold.house.app.settings.trust_file)[0] == 1
    assert judge(twin["bundle"], None).exit_code == 4


PARTS = {
    "checkpoint": ("LOGGED", "note-signature"),
    "registry": ("SIGNED", "key-unknown"),
    "index": ("SIGNED", "key-unknown"),
    "stamp": ("LABEL", "stamp-commitment"),
}


def test_a_part_of_the_twins_bundle(sold, twin):
    """Each part swapped for the twin's breaks the rung it belongs to."""
    for part, wanted in PARTS.items():
        value = sold.value | {part: json.loads(twin["bundle"])[part]}
        assert (part, failed(judge(value, sold.house.app.trust))) == (part, wanted)


def test_the_twins_anchor(sold, twin):
    """An anchor at another contract fails ANCHORED where it is known, and is pending, not green, where it is not."""
    value = sold.value | {"anchors": json.loads(twin["bundle"])["anchors"]}
    trust = sold.house.app.trust
    assert failed(judge(value, trust, twin["rpc"])) == ("ANCHORED", "anchor-mismatch")
    report = judge(value, trust, sold.rpc)
    assert (report.rungs["ANCHORED"].result, report.exit_code) == ("not checked", 4)


def anchor(**change: Any) -> Callable[[Value], None]:
    return lambda value: value["anchors"][0].update(change)


def stamp(**change: Any) -> Callable[[Value], None]:
    return lambda value: value["stamp"].update(change)


def uri(old: str, new: str) -> Callable[[Value], None]:
    def change(value: Value) -> None:
        assert old in value["stamp"]["uri"]
        value["stamp"]["uri"] = value["stamp"]["uri"].replace(old, new)

    return change


def other_row(value: Value) -> None:
    first, second = value["index"]["subjects"][:2]
    first["subject"], second["subject"] = second["subject"], first["subject"]


def exchange(value: Value) -> None:
    *_, first, second = value["registry"]["whole"]
    first["entry"], second["entry"] = second["entry"], first["entry"]


SWAPS: dict[str, tuple[Callable[[Value], None], tuple[str, str]]] = {
    "another chain": (anchor(chain="eip155:1"), ("ANCHORED", "anchor-unlisted")),
    "another event of the transaction": (anchor(log=7), ("ANCHORED", "anchor-mismatch")),
    "a longer head": (anchor(proof=[b64encode(bytes(32))]), ("ANCHORED", "anchor-mismatch")),
    "https for http": (uri("http:", "https:"), ("LABEL", "stamp-commitment")),
    "look-alike host": (uri("127.0.0.1", "127.0.0.l"), ("LABEL", "stamp-commitment")),
    "host in upper case": (uri("http://127", "http://X27"), ("LABEL", "stamp-unknown")),
    "another product": (uri("/01/09521234567899", "/01/09521234567882"), ("LABEL", "stamp-commitment")),
    "a lot in the link": (uri("/21/", "/10/L1/21/"), ("LABEL", "stamp-commitment")),
    "a query behind it": (
        lambda v: v["stamp"].update(uri=v["stamp"]["uri"] + "?x"),
        ("LABEL", "stamp-unknown"),
    ),
    "another number": (stamp(number=2), ("LABEL", "stamp-commitment")),
    "a number off the roll": (stamp(number=2**53 - 1), ("LABEL", "stamp-commitment")),
    "another entry as its issue": (stamp(index=0), ("LABEL", "stamp-unknown")),
    "rows exchanged": (other_row, ("COMPLETE", "index-proof")),
    "one row too many": (
        lambda v: v["index"]["subjects"][0].update(count=9),
        ("COMPLETE", "index-proof"),
    ),
    "a private part nobody committed to": (
        lambda v: v["private"].append(
            {"index": v["entries"][0]["index"], "name": "grower", "salt": "A" * 22, "value": "x"}
        ),
        ("SIGNED", "private-mismatch"),
    ),
    "the newest policy left out": (lambda v: v["registry"]["whole"].pop(), ("LOGGED", "note-signature")),
    "registry entries exchanged": (exchange, ("LOGGED", "adm-reg")),
}


def test_one_thing_swapped(sold):
    """One thing swapped in a good bundle fails one named rung, and the exit code says so."""
    for name, (change, wanted) in SWAPS.items():
        value = sold.value
        change(value)
        report = judge(value, sold.house.app.trust, sold.rpc)
        rung = report.rungs[wanted[0]]
        assert (name, rung.result, rung.reason) == (name, "fail", wanted[1])
        assert (name, report.ok, report.exit_code) == (name, False, 1)


def test_a_subject_in_another_spelling(sold):
    """A bundle is about a subject in its one form or about nothing: malformed, exit code 2."""
    with pytest.raises(InputError) as caught:
        judge(sold.value | {"subject": LOT + "/"}, sold.house.app.trust)
    assert (caught.value.code, caught.value.exit_code) == ("subject-absent", 2)


def test_the_bundle_nobody_touched(sold):
    """The same bundle unchanged holds: what fails above fails for its swap."""
    report = judge(sold.bundle, sold.house.app.trust, sold.rpc)
    assert (report.ok, report.exit_code) == (True, 0)
    assert {name for name, rung in report.rungs.items() if rung.result != "pass"} == {"WITNESSED"}


def test_a_slice_that_hides_a_revocation(sold):
    """A part of the registry may hide what came after: KEYS then says that it was not checked, and never passes."""
    house = sold.house
    house.log.submit_envelope(house.revocation(COOP, house.keys[COOP].kid, suspect_from=0))
    sold.chained.final()
    whole = json.loads(house.app.prover.bundle(LOT))
    assert failed(judge(whole, house.app.trust)) == ("KEYS", "key-suspect")
    value = dict(whole)
    size = Bundle.from_json(whole).checkpoint.split("\n")[1]
    kept = [
        item
        for item in whole["registry"]["whole"]
        if item["entry"]["env"]["payloadType"].count("revoke") == 0
    ]
    value["registry"] = {
        "slice": [
            item | {"proof": [b64encode(h) for h in house.log.inclusion(item["index"], int(size))]}
            for item in kept
        ]
    }
    report = judge(value, house.app.trust)
    assert (report.rungs["KEYS"].result, report.rungs["KEYS"].reason) == ("not checked", "registry-slice")
    value["registry"] = {"whole": kept}
    assert not judge(value, house.app.trust).ok


def test_a_roll_issued_twice(sold):
    """A second issue of a roll changes nothing: the first one's stamps stay good, and the audit names the second."""
    house = sold.house
    with house.app.database.read() as connection:
        roll = rolls.read_roll(connection, ROLL)
    data = {"roll": ROLL, "gtin": roll.gtin, "host": "nha-ke-trom.example", "first": 1, "count": 4}
    done = house.submit(house.record(COOP, "stamps", "issue", [], data | {"root": b64encode(bytes(32))}))
    assert done.effect == "none"
    assert "stamp-step" in {finding.code for finding in look(house).findings if finding.index == done.index}
    assert "not-activated" not in web(house).get(path_of(sold.links[0])).get_data(as_text=True)
    assert (
        judge(house.app.prover.bundle(LOT, sold.links[0].rpartition("/")[2]), house.app.trust)
        .rungs["LABEL"]
        .result
        == "pass"
    )


def test_stamps_for_a_blocked_lot(sold):
    """An activation signed around our tools for a recalled lot has no effect, for the page and the verifier alike."""
    house = sold.house
    house.submit(house.record(COOP, "notice", "recall-open", [LOT], {"reason": "r", "action": "a"}))
    data = {"roll": ROLL, "ranges": [[4, 4]]}
    assert house.submit(house.record(COOP, "stamps", "activate", [LOT], data)).effect == "none"
    view = seen(house)
    assert (view.goods.state, view.goods.severity) == ("recalled", "red")
    report = judge(house.app.prover.bundle(LOT, sold.links[3].rpartition("/")[2]), house.app.trust)
    assert failed(report) == ("LABEL", "stamp-state")


def test_somebody_elses_stamps(sold):
    """Neither a stranger's activation nor a stranger's lock touches a roll."""
    house = sold.house
    for kind, more in (("activate", {}), ("lock", {"reason": "x"}), ("void", {"reason": "x"})):
        about = [lot("khac")] if kind == "activate" else []
        if about:
            house.submit(house.event(PACKER, "harvest", about[0], kg=1, action="ADD"))
        sent = house.record(PACKER, "stamps", kind, about, {"roll": ROLL, "ranges": [[1, 4]], **more})
        assert house.submit(sent).effect == "none"
    assert house.app.resolver.lot(LOT).goods.state != "locked"
