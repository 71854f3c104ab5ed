# SPDX-License-Identifier: Apache-2.0
"""
The operator, with every key and the database: recomputes, truncates, backdates, logs what is void.

What an audit of the forged log alone can and cannot say is in `ledger/test_audit`; here it is the command line and
the page of the forger's own server that must not say yes.
"""

import json
from decimal import Decimal

import pytest

from attacks.kit import PATH, Sold, failed, judge, look, run, seen, web
from housekit import COOP, LOT, PACKER
from ledger.forgery import forge, log_anyway, truncate
from traceledger.core.log.entry import LAST_MOMENT, Entry, moment_of
from traceledger.errors import LogIntegrityError
from traceledger.ledger.recompute import recompute
from traceledger.store import log as stored


def lighter(index, statement):
    """One kilogram less in the harvest."""
    if statement.get("tl:kind") == "harvest":
        statement["quantityList"][0]["quantity"] -= 1
        return statement
    return None


@pytest.fixture(params=["alone", "colluding"])
def forged(sold: Sold, request) -> Sold:
    """The harvest changed, everything rebuilt and signed by log, anchor and indexer; by the farmer if colluding."""
    signers = [sold.house.keys[COOP]] if request.param == "colluding" else []
    forge(sold.house, lighter, signers=signers)
    return sold


def test_a_kilogram_changed(forged, tmp_path):
    """The forger's own start-up check passes; audit, old checkpoint, old bundle, new bundle and page do not."""
    house = forged.house
    recompute(house.app.database, house.log.origin)
    (tmp_path / "note").write_text(forged.checkpoint)
    (tmp_path / "old").write_bytes(forged.bundle)
    (tmp_path / "new").write_bytes(house.app.prover.bundle(LOT))
    trust = house.app.settings.trust_file
    assert run("--dir", house.folder, "audit")[0] == 1  # asks the chain of the settings
    for kept in (("--checkpoint", tmp_path / "note"), ("--bundle", tmp_path / "old")):
        assert run("--dir", house.folder, "audit", *kept)[0] == 1
    assert run("verify", tmp_path / "new", "--policy", trust, "--rpc", forged.rpc)[0] == 1
    code, said = run("verify", tmp_path / "old", "--policy", trust, "--rpc", forged.rpc)
    assert (code, "The record holds." in said) == (0, True)
    view = seen(house)
    assert (view.record.state, view.record.severity) == ("altered", "red")
    with pytest.raises(LogIntegrityError):
        house.app.anchorer().step()


def test_cut_below_the_anchor(sold):
    """A shorter log shows nothing green: the page waits for an anchor, audit and worker see the chain ahead."""
    house = sold.house
    truncate(house, house.size() - 2)
    assert [bad.code for bad in look(house, endpoints=[sold.rpc]).bad] == ["anchor-ahead"]
    assert [bad.code for bad in look(house, old_checkpoints=[sold.checkpoint]).bad] == ["head-rollback"]
    assert seen(house).record.state == "anchor-pending"
    with pytest.raises(LogIntegrityError) as caught:
        house.app.anchorer().step()
    assert (caught.value.code, caught.value.exit_code) == ("anchor-ahead", 70)


def test_the_last_step_left_out_of_a_bundle(sold):
    """A bundle without the lot's last entry, under the index record that counts it, fails COMPLETE."""
    value = sold.value
    value["entries"].pop()
    value["stamp"] = None
    assert failed(judge(value, sold.house.app.trust)) == ("COMPLETE", "complete-count")


def test_an_older_index_record_under_a_newer_checkpoint(sold):
    """The index record taken home does not prove into the checkpoint that counts one step more."""
    house = sold.house
    house.submit(house.event(COOP, "care"))
    sold.chained.final()
    value = json.loads(house.app.prover.bundle(LOT))
    value["index"] = sold.value["index"]
    assert failed(judge(value, house.app.trust)) == ("LOGGED", "inclusion")


@pytest.mark.parametrize("t", [2**53 - 1, LAST_MOMENT + 86_400 * 3])
def test_an_admission_time_beyond_the_calendar(house, t):
    """Time may be any number; audit, page and verifier tell it as the end of the calendar and do not stumble."""
    index = house.submit(house.harvest()).index
    with house.app.database.write() as connection:
        head = stored.read_head(connection, lock=True)
        items = []
        for n, envelope in enumerate((house.note("late", org=PACKER), house.note("later"))):
            entry = Entry.make(envelope, reg=house.log.registry().head, t=t)
            items.append(stored.Appended(index=head.size + n, entry=entry, subjects=(LOT,)))
        stored.append(connection, head, items)
    house.reopen()
    house.submit(house.record(COOP, "notice", "recall-open", [LOT], {"reason": "r", "action": "a"}))
    assert look(house).ok
    assert index < head.size
    assert web(house).get(PATH).status_code == 200
    assert judge(house.app.prover.bundle(LOT), house.app.trust).ok
    assert moment_of(t).year == 9999


def test_void_statements_change_no_page_to_green(house):
    """What admission would refuse, logged anyway, is named by the audit and never adds a good word to the page."""
    house.submit(house.harvest(kg=100))
    stolen = house.event(PACKER, "sell", kg=90, action="DELETE", key=house.keys[COOP])
    (index,) = log_anyway(house, [stolen])
    assert [(bad.code, bad.index) for bad in look(house).bad] == [("grant-missing", index)]
    assert seen(house).record.severity != "green"
    assert not judge(house.app.prover.bundle(LOT), house.app.trust).ok


def test_negative_amounts_hide_nothing(house):
    """Selling less than nothing gives nothing back: what is sold beyond the harvest stays a red finding."""
    house.submit(house.harvest(kg=100))
    house.submit(house.event(COOP, "sell", kg=Decimal(-1000), action="DELETE"))
    house.submit(house.event(COOP, "sell", kg=900, action="DELETE"))
    assert {"mass-balance", "holder-negative"} <= {finding.code for finding in look(house).findings}
