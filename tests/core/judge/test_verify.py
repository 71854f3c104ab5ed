# SPDX-License-Identifier: Apache-2.0
"""How the rungs stand to each other, and bundles with less in them: slices, strangers' logs, cuts, upstream lots."""

import json
from typing import Any

import pytest

from core.judge.smallworld import World, judge, reasons, results
from core.ledgerkit import Ledger, founded
from core.statements import (
    LOT,
    ORIGIN,
    ROLL,
    actor_key,
    event,
    grant,
    issue,
    key,
    log_key,
    lot,
    org,
    policy,
    quantities,
    revoke,
    stamp_part,
    witness_line,
)
from traceledger.core.judge.bundle import MAX_CONTENT, Trust
from traceledger.core.judge.report import NEEDED, RUNGS, Report
from traceledger.core.log.entry import Entry
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Signature
from traceledger.core.state.registry import check_signature

Json = dict[str, Any]


def trusted(ledger: Ledger, bundle: Json, **options: Any) -> Report:
    """Judge a bundle against the genesis of its own log."""
    return judge(bundle, **{"trust": Trust(origin=ORIGIN, genesis=ledger.id(0)), **options})


QUIET = {"WITNESSED": "not checked", "ANCHORED": "not checked", "LABEL": "not checked"}
"""What a log without witnesses, chain and stamp leaves open."""


# --- which rung leaves which others


def test_what_does_not_decode_leaves_all_else_open(world: World) -> None:
    """One entry that is no entry fails SIGNED; nothing else is said."""
    for broken in ("entries", "registry", "index"):
        bundle = world.bundle()
        item = {
            "entries": bundle["entries"][1],
            "registry": bundle["registry"]["whole"][2],
            "index": bundle["index"]["item"],
        }[broken]
        item["entry"]["adm"]["t"] = "now"
        report = world.judge(bundle)
        assert reasons(report, ["SIGNED"]) == {"SIGNED": ("fail", "entry-shape")}
        assert report.rungs["SIGNED"].where == item["index"]
        others = {name for name in RUNGS if report.rungs[name].result == "not checked"}
        assert others == set(RUNGS) - {"SIGNED"}
        assert (report.ok, report.exit_code, report.registry) == (False, 1, None)


def test_a_failed_signature_leaves_what_builds_on_it_open(world: World) -> None:
    """LINKED, COMPLETE and LABEL are not checked; the log, its keys and witnesses still are."""
    bundle = world.bundle()
    bundle["private"][0]["value"] = "another"
    report = world.judge(bundle)
    assert results(report) == {
        "SIGNED": "fail",
        "LINKED": "not checked",
        "ANCHORED": "not checked",
        "COMPLETE": "not checked",
        "LABEL": "not checked",
    }
    assert report.rungs["LINKED"].reason is None


def test_each_failure_is_told_and_the_first_named(world: World) -> None:
    """Several broken things fail several rungs; the reason is that of the first in rung order."""
    bundle = world.bundle() | {"checkpoint": world.ledger.note(witnesses=["w1"])}
    bundle["entries"][0]["proof"][0] = b64encode(bytes(32))
    bundle["stamp"]["number"] = 2
    report = world.judge(bundle, trust=Trust(origin=ORIGIN, genesis="a" * 64))
    assert reasons(report) == {
        "LOGGED": ("fail", "inclusion"),
        "ORIGIN": ("fail", "genesis"),
        "WITNESSED": ("fail", "quorum"),
        "ANCHORED": ("not checked", "anchor-pending"),
        "LABEL": ("fail", "stamp-commitment"),
    }
    assert (report.reason, report.exit_code) == ("inclusion", 1)


def test_rungs_are_told_in_order(world: World) -> None:
    """Reports list all nine rungs in one order; four of them must pass."""
    report = world.judge(world.bundle())
    assert tuple(report.rungs) == RUNGS
    assert len(RUNGS) == 9
    assert set(NEEDED) == {"SIGNED", "LINKED", "LOGGED", "ORIGIN"}


# --- trust


def test_without_a_trust_file_nothing_is_ok(world: World) -> None:
    """Everything else may pass, but which log it is nobody said: exit 4, no failure."""
    report = world.judge(world.bundle(), trust=None)
    assert results(report) == {"ORIGIN": "not checked", "ANCHORED": "not checked"}
    assert (report.ok, report.exit_code, report.failed) == (False, 4, None)


def test_an_unreadable_checkpoint_without_a_trust_file(world: World) -> None:
    """It fails LOGGED alone: statements are judged by the log that the registry shown is of."""
    report = world.judge(world.bundle() | {"checkpoint": "torn"}, trust=None)
    assert (report.rungs["SIGNED"].result, report.reason, report.exit_code) == ("pass", "note-syntax", 1)
    assert report.rungs["WITNESSED"].result == "not checked"


def test_a_log_of_the_same_name_by_somebody_else(world: World) -> None:
    """All signatures and proofs hold; only the pinned genesis tells."""
    ledger = founded(roots=["root", "another root"])
    ledger.say("harvest", LOT)
    ledger.index()
    report = world.judge(ledger.bundle())
    assert results(report) == {"ORIGIN": "fail"} | QUIET
    assert report.reason == "genesis"


def test_a_trust_file_of_another_log(world: World) -> None:
    """The name is compared in every statement and in the checkpoint."""
    other = Trust(origin="other.example", genesis=world.ledger.id(0))
    report = world.judge(world.bundle(), trust=other)
    assert reasons(report, ["SIGNED", "LOGGED"]) == {
        "SIGNED": ("fail", "wrong-log"),
        "LOGGED": ("fail", "note-origin"),
    }


@pytest.mark.parametrize(
    ("witnesses", "signed", "result"),
    [
        (None, ["w1", "w2"], ("pass", None)),
        (witness_line("w1") + "quorum w1\n", ["w1", "w2"], ("pass", None)),
        (witness_line("w3") + "quorum w3\n", ["w1", "w2"], ("fail", "quorum")),
        (witness_line("mine") + "quorum mine\n", ["w1", "mine"], ("pass", None)),
        (witness_line("w1") + "quorum none\n", ["w1"], ("not checked", "quorum")),
        ("quorum none\n", [], ("not checked", "quorum")),
        ("", [], ("not checked", "quorum")),
    ],
)
def test_a_reader_may_choose_its_own_witnesses(
    world: World, witnesses: str | None, signed: list[str], result: tuple[str, str | None]
) -> None:
    """The trust file's witnesses stand in for the policy's."""
    bundle = world.bundle() | {"checkpoint": world.ledger.note(witnesses=signed)}
    trust = Trust(origin=ORIGIN, genesis=world.ledger.id(0), witnesses=witnesses)
    rung = world.judge(bundle, trust=trust).rungs["WITNESSED"]
    assert (rung.result, rung.reason) == result


def test_a_bad_cosignature_fails_even_where_no_quorum_is_asked() -> None:
    """A line by a named witness that does not verify is a failure, not an absence."""
    ledger = founded(witnesses=witness_line("w1") + "quorum none\n")
    ledger.say("harvest", LOT)
    good = ledger.bundle(witnesses=["w1"])
    assert trusted(ledger, good).rungs["WITNESSED"].result == "not checked"
    assert trusted(ledger, good).rungs["WITNESSED"].detail == "w1.example"
    other = founded(witnesses=witness_line("w1") + "quorum none\n")
    other.say("harvest", lot("L2"))
    line = other.note(witnesses=["w1"]).splitlines()[-1]
    bad = good | {"checkpoint": ledger.note() + line + "\n"}
    assert trusted(ledger, bad).rungs["WITNESSED"].reason == "cosignature"


# --- the registry


def test_a_slice_of_the_registry() -> None:
    """What is relied on suffices for ok; whether the rest says otherwise, KEYS leaves open."""
    ledger = founded()
    ledger.enrol("shop")
    ledger.say("harvest", LOT)
    ledger.index()
    for shown in ([0, 1, 2, 3, 4, 5], range(8)):
        report = trusted(ledger, ledger.bundle(slice_of=shown))
        assert results(report) == {"KEYS": "not checked"} | QUIET
        assert report.rungs["KEYS"].reason == "registry-slice"
        assert (report.ok, report.exit_code) == (True, 0)


@pytest.mark.parametrize(
    ("shown", "rung", "reason"),
    [
        ([1, 2, 3, 4, 5], "SIGNED", "key-unknown"),
        ([0, 2, 3, 4, 5], "LOGGED", "note-signature"),
        ([0, 1, 2, 3, 4], "SIGNED", "key-unknown"),
        ([0, 1, 2, 3, 5], "SIGNED", "key-unknown"),
        ([0, 1, 4, 5], "SIGNED", "key-unknown"),
    ],
)
def test_a_slice_must_hold_what_is_relied_on(shown: list[int], rung: str, reason: str) -> None:
    """Without root, policy, the farm, its key or the operator, something cannot be held."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.index()
    report = trusted(ledger, ledger.bundle(slice_of=shown))
    assert report.rungs[rung].reason == reason
    assert report.exit_code == 1


def test_each_entry_of_a_slice_is_proved() -> None:
    """A slice has no chain, so each of its entries proves into the checkpoint."""
    ledger = founded()
    ledger.say("harvest", LOT)
    bundle = ledger.bundle(slice_of=range(6))
    for position in range(6):
        broken = json.loads(json.dumps(bundle))
        broken["registry"]["slice"][position]["proof"][0] = b64encode(bytes(32))
        report = trusted(ledger, broken)
        assert (report.reason, report.rungs["LOGGED"].where) == ("inclusion", position)


def test_a_whole_registry_cannot_leave_a_revocation_out() -> None:
    """Every entry repeats count and chain of the registry before it."""
    ledger = founded()
    ledger.say("harvest", LOT)
    at = ledger.put(revoke(0, kid=key("farm").kid), "revoke", "root")
    ledger.index()
    bundle = ledger.bundle()
    assert trusted(ledger, bundle).reason == "key-suspect"
    bundle["registry"]["whole"] = [item for item in bundle["registry"]["whole"] if item["index"] != at]
    assert reasons(trusted(ledger, bundle), ["LOGGED", "KEYS"]) == {
        "LOGGED": ("fail", "adm-reg"),
        "KEYS": ("fail", "registry-chain"),
    }


def test_void_registry_entries_do_no_harm() -> None:
    """They are shown, chained and without effect."""
    ledger = founded()
    ledger.put(revoke(org="farm"), "revoke", "stranger")
    ledger.put(org("farm", version=9), "org", "root")
    ledger.put({"nonsense": True}, "policy", "root")
    ledger.say("harvest", LOT)
    ledger.index()
    report = trusted(ledger, ledger.bundle())
    assert results(report) == QUIET
    assert report.registry is not None
    assert [index for index, _ in report.registry.voids] == [6, 7, 8]


@pytest.mark.parametrize(
    ("mark", "result"),
    [(None, "pass"), (7, "fail"), (6, "fail"), (8, "pass"), (99, "pass"), (0, "fail")],
)
def test_entries_before_the_suspicion_stand(mark: int | None, result: str) -> None:
    """A revocation undoes nothing; only entries from suspect_from on are doubtful."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.say("observe", LOT)
    ledger.put(revoke(mark, kid=key("farm").kid), "revoke", "farm admin")
    ledger.index()
    report = trusted(ledger, ledger.bundle())
    assert report.rungs["KEYS"].result == result
    assert report.rungs["SIGNED"].result == "pass"
    if result == "fail":
        assert report.rungs["KEYS"].where == max(mark or 0, 6)
    assert report.ok == (result == "pass")


def test_another_key_goes_on_after_a_revocation() -> None:
    """The organisation's next key signs where the old one no longer may."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.put(revoke(kid=key("farm").kid), "revoke", "farm admin")
    ledger.put(actor_key("farm", "farm 2"), "key", "farm admin", "farm 2")
    ledger.say("observe", LOT, signer="farm 2")
    ledger.index()
    assert results(trusted(ledger, ledger.bundle())) == QUIET


def test_the_log_key_changes() -> None:
    """The newest policy shown names who may sign the checkpoint."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.put(policy(version=2, log_keys=[{"vkey": log_key("log 2").text()}]), "policy", "root")
    ledger.index()
    assert trusted(ledger, ledger.bundle(log="log 2")).ok
    assert trusted(ledger, ledger.bundle(log="log")).reason == "note-signature"


def test_proxy_entry() -> None:
    """A clerk's key with a grant signs for the farm; all rungs pass."""
    ledger = founded()
    ledger.enrol("clerk")
    ledger.put(grant("farm", "clerk", until=ledger.time + 9), "grant", "farm admin")
    ledger.say("harvest", LOT, signer="clerk")
    ledger.index()
    assert results(trusted(ledger, ledger.bundle())) == QUIET


# --- links


def two_lots(**more: Any) -> Ledger:
    """Harvests of two lots, and a step on both that follows both."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.say("harvest", lot("L2"))
    ledger.say("observe", LOT, lot("L2"), **more)
    ledger.index()
    return ledger


def test_a_step_on_two_lots_may_follow_what_only_the_other_shows() -> None:
    """Its absent predecessor is passed over, because it also touches a lot outside the set."""
    ledger = two_lots()
    assert len(ledger.entries[8].member("prev")) == 2
    report = trusted(ledger, ledger.bundle())
    assert list(report.entries) == [6, 8]
    assert results(report) == QUIET


def test_an_absent_step_of_this_lot_alone_leaves_links_open() -> None:
    """Where the step touches nothing else, what it follows should be there."""
    ledger = founded()
    for kind in ("harvest", "observe", "observe"):
        ledger.say(kind, LOT)
    report = trusted(ledger, ledger.bundle(only=[6, 8]))
    assert report.rungs["LINKED"].result == "not checked"
    assert (report.rungs["LINKED"].reason, report.rungs["LINKED"].where) == ("prev-unknown", 8)
    assert (report.ok, report.exit_code) == (False, 4)


def test_the_roll_counts_as_inside_only_with_its_stamp() -> None:
    """An activation follows lot and roll; without the stamp the issue is passed over, with it it is missed."""
    ledger = founded()
    ledger.say("harvest", LOT)
    at = ledger.state("stamps", "issue", issue())
    ledger.state("stamps", "activate", {"roll": ROLL, "ranges": [[1, 1]]}, about=[LOT])
    ledger.index()
    assert results(trusted(ledger, ledger.bundle())) == QUIET
    whole = ledger.bundle(stamp=stamp_part(at))
    assert trusted(ledger, whole).ok
    whole["entries"] = [item for item in whole["entries"] if item["index"] != at]
    report = trusted(ledger, whole)
    assert report.rungs["LABEL"].reason == "stamp-unknown"


def test_steps_of_other_logs_are_never_checked() -> None:
    """A foreign id is a lead for people."""
    ledger = founded()
    ledger.say("harvest", LOT, **{"tl:prev": [f"other.example/{'a' * 64}"]})
    ledger.index()
    assert results(trusted(ledger, ledger.bundle())) == QUIET


# --- completeness and upstream


def made() -> Ledger:
    """Two lots processed into a third, which is packed on a pallet."""
    ledger = founded()
    ledger.say("harvest", lot("A"))
    ledger.say("harvest", lot("B"))
    inputs, outputs = quantities(lot("A"), lot("B")), quantities(lot("C"))
    ledger.say("process", inputQuantityList=inputs, outputQuantityList=outputs)
    ledger.say("pack", lot("C"), parentID=PALLET)
    ledger.say("observe", lot("D"))
    ledger.say("dispatch", epcList=[PALLET])
    ledger.index()
    return ledger


PALLET = "https://id.gs1.org/00/095212345000000018"


def test_the_set_reaches_through_packing_and_processing() -> None:
    """A pallet's bundle holds the harvests of what was processed into what is on it, and nothing else."""
    ledger = made()
    bundle = ledger.bundle(PALLET)
    report = trusted(ledger, bundle)
    assert list(report.entries) == [6, 7, 8, 9, 11]
    assert list(report.subjects) == [PALLET, lot("C"), lot("A"), lot("B")]
    assert results(report) == QUIET


@pytest.mark.parametrize("missing", [6, 7, 11])
def test_a_step_left_out_upstream_shows(missing: int) -> None:
    """Each subject of the set is counted."""
    ledger = made()
    bundle = ledger.bundle(PALLET)
    bundle["entries"] = [item for item in bundle["entries"] if item["index"] != missing]
    report = trusted(ledger, bundle)
    assert report.rungs["COMPLETE"].reason == "complete-count"
    assert not report.ok


@pytest.mark.parametrize("subject", [PALLET, lot("A"), lot("C")])
def test_a_row_left_out_leaves_it_open(subject: str) -> None:
    """Without a row nobody can say whether a subject is complete."""
    ledger = made()
    bundle = ledger.bundle(PALLET)
    rows = bundle["index"]["subjects"]
    bundle["index"]["subjects"] = [row for row in rows if row["subject"] != subject]
    report = trusted(ledger, bundle)
    assert (report.rungs["COMPLETE"].result, report.rungs["COMPLETE"].reason) == (
        "not checked",
        "index-missing",
    )
    assert report.ok


def test_a_tail_cut_off_shows() -> None:
    """The operator that hides the newest steps must also hide the index record."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.say("observe", LOT)
    ledger.index()
    cut = ledger.bundle(only=[6])
    assert trusted(ledger, cut).reason == "complete-count"
    report = trusted(ledger, cut | {"index": None})
    assert report.rungs["COMPLETE"].reason == "index-missing"
    assert report.ok


def test_the_index_record_stands_last() -> None:
    """One that is older than the checkpoint says nothing of what came since."""
    ledger = founded()
    ledger.say("harvest", LOT)
    at = ledger.index()
    ledger.say("observe", LOT)
    bundle = ledger.bundle(only=[6])
    bundle["index"] = {"item": ledger.item(at, ledger.size), "subjects": ledger.shown_rows(at, [LOT])}
    assert trusted(ledger, bundle).reason == "index-record"


def test_an_index_record_without_the_lot() -> None:
    """An operator that leaves a lot out cannot show a row for it; any other row fails its proof."""
    ledger = founded()
    ledger.say("harvest", LOT)
    ledger.say("harvest", lot("L2"))
    ledger.index(drop=lambda subject: subject == LOT)
    bundle = ledger.bundle()
    assert trusted(ledger, bundle).reason == "index-proof"
    bundle["index"]["subjects"] = []
    assert trusted(ledger, bundle).rungs["COMPLETE"].reason == "index-missing"


def crowded(count: int) -> Ledger:
    """A lot with *count* steps."""
    ledger = founded()
    for number in range(count):
        ledger.put(event("observe", number=number, quantityList=quantities(LOT)), "event", "farm")
    ledger.index()
    return ledger


def test_a_lot_with_more_steps_than_a_bundle_holds() -> None:
    """Five hundred are shown; that more exist is said, and is no failure."""
    ledger = crowded(MAX_CONTENT + 3)
    newest = range(9, 9 + MAX_CONTENT)
    report = trusted(ledger, ledger.bundle(only=newest), check_signature=accept_all)
    assert results(report) == {"COMPLETE": "not checked"} | QUIET
    assert report.rungs["COMPLETE"].reason == "upstream-cut"
    assert report.ok
    fewer = trusted(ledger, ledger.bundle(only=newest[1:]), check_signature=accept_all)
    assert fewer.rungs["COMPLETE"].reason == "complete-count"


def accept_all(entry: Entry, signature: Signature, public: bytes) -> None:
    """Take every signature as verified before; what a cache does."""


def test_the_signature_check_can_be_remembered(world: World) -> None:
    """A cache is asked for each signature of registry, content and index record, with the right key."""
    asked: list[tuple[str, str]] = []

    def remember(entry: Entry, signature: Signature, public: bytes) -> None:
        asked.append((entry.id, signature.kid))
        check_signature(entry, signature, public)

    assert world.judge(world.bundle(), check_signature=remember).ok
    assert len(asked) == sum(len(entry.envelope.signatures) for entry in world.ledger.entries)


# --- stamps


def test_an_opened_stamp_still_belongs_to_its_lot(world: World) -> None:
    """LABEL says nothing of openings, which the set does not even hold."""
    ledger = world.ledger
    ledger.state("stamps", "open", {"roll": ROLL, "number": 1, "place": "here"})
    ledger.index()
    bundle = ledger.bundle(stamp=stamp_part(world.issued), witnesses=["w1", "w2"])
    report = world.judge(bundle)
    assert report.rungs["LABEL"].result == "pass"
    assert report.stamp is not None
    assert report.stamp.step == "active"


def test_a_second_issue_of_a_roll_has_no_effect(world: World) -> None:
    """The stamp is judged by the first; a bundle that points to the second is of no roll."""
    again = world.ledger.state("stamps", "issue", issue(2))
    world.ledger.index()
    good = world.ledger.bundle(stamp=stamp_part(world.issued), witnesses=["w1", "w2"])
    assert world.judge(good).rungs["LABEL"].result == "pass"
    bad = world.ledger.bundle(stamp=stamp_part(again, count=2), witnesses=["w1", "w2"])
    assert world.judge(bad).rungs["LABEL"].reason == "stamp-unknown"


def test_an_upstream_lot_does_not_lend_its_stamps() -> None:
    """A stamp activated for the harvest is not active for what was made of it."""
    ledger = founded()
    ledger.say("harvest", LOT)
    at = ledger.state("stamps", "issue", issue())
    ledger.state("stamps", "activate", {"roll": ROLL, "ranges": [[1, 1]]}, about=[LOT])
    ledger.say("process", inputQuantityList=quantities(LOT), outputQuantityList=quantities(lot("L2")))
    ledger.index()
    report = trusted(ledger, ledger.bundle(lot("L2"), stamp=stamp_part(at)))
    assert report.reason == "stamp-state"
    assert results(report) == {"LABEL": "fail"} | {k: v for k, v in QUIET.items() if k != "LABEL"}
