# SPDX-License-Identifier: Apache-2.0
"""Which lines a scan shows: precedence, and what can never be green."""

import itertools
from dataclasses import replace

import pytest

from traceledger.core.claims.records import roll_uri
from traceledger.core.judge.report import RUNGS
from traceledger.core.judge.verdict import build_view
from traceledger.core.judge.verdict.lines import GOODS, LABEL, RECORD, decide, is_test_chain
from traceledger.core.judge.verdict.view import AnchorView, FindingView, Line, LotView, RecallView, RungView
from traceledger.core.judge.verify import verify_bundle
from web import scenes as shown
from web import story as tale
from web.scenes import FIRST, look, stamp
from web.story import LOT, NOW, mango, registered

GOOD = {name: RungView(result="pass") for name in RUNGS}
ANCHOR = AnchorView(
    chain="eip155:1",
    name="Ethereum",
    chain_id=1,
    contract="0x",
    tx="0x",
    block=1,
    time=NOW,
    size=1,
    final=True,
    is_test=False,
)
RECALL = RecallView(index=9, by="a", by_name="A", reason="r", action="t", opened_at=NOW)
RED = FindingView(code="phi", severity="red", index=3, step=1)
AMBER = FindingView(code="late", severity="amber", index=3, step=1)
VALID = {
    "rungs": GOOD, "stamp": stamp(), "recalls": (), "findings": (), "anchor": ANCHOR, "has_steps": True, "demo": False,
}  # fmt: skip


def lines(**change: object) -> tuple[Line, Line, Line]:
    """The three lines of a valid scan with one thing changed."""
    return decide(**(VALID | change))


def rungs(name: str, result: str, reason: str | None = None) -> dict[str, RungView]:
    """All rungs passing but one."""
    return GOOD | {name: RungView(result=result, reason=reason)}


class TestRecord:
    def test_green_when_everything_holds(self) -> None:
        """All rungs, a final anchor on a real chain, no finding: unchanged, green and whole."""
        _, record, _ = lines()
        assert (record.state, record.severity, record.args["whole"]) == ("unchanged", "green", True)

    @pytest.mark.parametrize(
        ("change", "state", "severity"),
        [
            ({"rungs": rungs("SIGNED", "fail", "signature-invalid")}, "altered", "red"),
            ({"rungs": rungs("LINKED", "fail", "prev-unknown")}, "altered", "red"),
            ({"rungs": rungs("LOGGED", "fail", "inclusion")}, "altered", "red"),
            ({"rungs": rungs("KEYS", "fail", "registry-chain")}, "altered", "red"),
            ({"rungs": rungs("ORIGIN", "fail", "genesis")}, "altered", "red"),
            ({"rungs": rungs("WITNESSED", "fail", "cosignature")}, "altered", "red"),
            ({"rungs": rungs("ANCHORED", "fail", "anchor-mismatch")}, "altered", "red"),
            ({"rungs": rungs("COMPLETE", "fail", "complete-count")}, "altered", "red"),
            ({"rungs": rungs("KEYS", "fail", "key-suspect")}, "finding", "red"),
            ({"rungs": rungs("WITNESSED", "fail", "quorum")}, "finding", "amber"),
            ({"rungs": rungs("ANCHORED", "fail", "chain-id")}, "chain-unreachable", "grey"),
            ({"rungs": rungs("ANCHORED", "not checked", "chain-unreachable")}, "chain-unreachable", "grey"),
            ({"rungs": rungs("ANCHORED", "not checked", "chain-disagree")}, "chain-unreachable", "grey"),
            ({"rungs": rungs("ANCHORED", "not checked", "anchor-pending")}, "anchor-pending", "amber"),
            ({"rungs": rungs("ANCHORED", "not checked", "anchor-not-final")}, "anchor-pending", "amber"),
            ({"anchor": None}, "anchor-pending", "amber"),
            ({"anchor": replace(ANCHOR, final=False)}, "anchor-pending", "amber"),
            ({"anchor": replace(ANCHOR, is_test=True)}, "test-chain", "amber"),
            ({"anchor": replace(ANCHOR, chain="eip155:31337")}, "test-chain", "amber"),
            ({"demo": True}, "test-chain", "amber"),
            ({"has_steps": False}, "no-data", "grey"),
            ({"findings": (AMBER,)}, "finding", "amber"),
            ({"findings": (AMBER, RED)}, "finding", "red"),
            ({"rungs": rungs("ORIGIN", "not checked", "trust-missing")}, "unchanged", "amber"),
            ({"rungs": rungs("LINKED", "not checked", "prev-unknown")}, "unchanged", "amber"),
            ({"rungs": {}}, "anchor-pending", "amber"),
        ],
    )
    def test_one_thing_changed(self, change: dict, state: str, severity: str) -> None:
        """Each trouble has its own state and colour, and none is green."""
        _, record, _ = lines(**change)
        assert (record.state, record.severity) == (state, severity)

    def test_label_rung_is_no_matter_of_the_record(self) -> None:
        """A stamp that is not of the roll does not make the record altered."""
        assert lines(rungs=rungs("LABEL", "fail", "stamp-state"))[1].state == "unchanged"

    def test_altered_comes_before_everything(self) -> None:
        """An altered record is told whatever else is wrong."""
        for change in ({"has_steps": False}, {"findings": (RED,)}, {"anchor": None}, {"demo": True}):
            assert lines(rungs=rungs("LOGGED", "fail", "inclusion"), **change)[1].state == "altered"

    def test_whole_needs_complete(self) -> None:
        """Without COMPLETE the record is unchanged but never called whole."""
        _, record, _ = lines(rungs=rungs("COMPLETE", "not checked", "index-missing"))
        assert (record.severity, record.args["whole"]) == ("green", False)

    def test_findings_are_told_beside_a_pending_anchor(self) -> None:
        """A weaker state above does not hide a finding below it."""
        _, record, _ = lines(findings=(RED,), anchor=None)
        assert [record.state, *(line.state for line in record.also)] == ["anchor-pending", "finding"]

    def test_test_chain_is_named_beside_a_finding(self) -> None:
        """A finding on a test chain still says that it is a test chain."""
        _, record, _ = lines(findings=(RED,), demo=True)
        assert [record.state, *(line.state for line in record.also)] == ["finding", "test-chain"]

    def test_never_green_beside_red(self) -> None:
        """Over every combination of troubles, green means no red line, ORIGIN and a real, final anchor."""
        origins = [GOOD, rungs("ORIGIN", "not checked", "trust-missing"), rungs("COMPLETE", "not checked")]
        anchors = [ANCHOR, None, replace(ANCHOR, final=False), replace(ANCHOR, is_test=True)]
        stamps = [None, stamp(), stamp(state="locked"), stamp(state="issued"), stamp(signature_ok=False)]
        for given, anchor, held, recalls, found, demo in itertools.product(
            origins, anchors, stamps, [(), (RECALL,)], [(), (RED,), (AMBER,)], [False, True]
        ):
            three = lines(rungs=given, anchor=anchor, stamp=held, recalls=recalls, findings=found, demo=demo)
            green = [line for line in three if line.severity == "green"]
            if green:
                assert green == [three[1]]
                assert anchor == ANCHOR
                assert given["ORIGIN"].result == "pass"
                assert not found
                assert not demo
                assert "red" not in {line.severity for line in three}

    @pytest.mark.parametrize(
        ("chain", "test"),
        [("eip155:1", False), ("eip155:31337", True), ("eip155:11155111", True), ("x", True)],
    )
    def test_chains(self, chain: str, test: bool) -> None:
        """Development and public test chains, and what is no chain, are never more than a trial."""
        assert is_test_chain(chain) is test
        assert is_test_chain(chain, demo=True)


class TestGoodsAndLabel:
    @pytest.mark.parametrize(
        ("held", "recalls", "state", "severity"),
        [
            (stamp(), (RECALL,), "recalled", "red"),
            (stamp(state="locked"), (RECALL,), "recalled", "red"),
            (None, (RECALL,), "recalled", "red"),
            (stamp(state="locked"), (), "locked", "red"),
            (stamp(state="void"), (), "locked", "red"),
            (stamp(state="unknown"), (), "unknown", "grey"),
            (stamp(state="issued"), (), "not-activated", "amber"),
            (stamp(state="printed"), (), "not-activated", "amber"),
            (stamp(state="assigned"), (), "not-activated", "amber"),
            (stamp(state="active"), (), "for-sale", "grey"),
            (stamp(state="opened"), (), "for-sale", "grey"),
            (None, (), "none", "grey"),
        ],
    )
    def test_goods(self, held: object, recalls: tuple, state: str, severity: str) -> None:
        """Recalled before locked before not activated before for sale; no goods line is ever green."""
        goods, _, _ = lines(stamp=held, recalls=recalls)
        assert (goods.state, goods.severity) == (state, severity)

    @pytest.mark.parametrize(
        ("held", "state"),
        [
            (stamp(signature_ok=False), "copy-suspected"),
            (stamp(copy_suspected="many-places", opened_at=NOW), "copy-suspected"),
            (stamp(opened_at=NOW), "opened-before"),
            (stamp(scans=500), "none"),
            (stamp(signature_ok=None), "none"),
            (None, "none"),
        ],
    )
    def test_label(self, held: object, state: str) -> None:
        """A copy before an opening; many scans alone frighten nobody."""
        assert lines(stamp=held)[2].state == state


class TestView:
    def test_scenes_show_every_state(self) -> None:
        """Goods, record and label are seen in every state they have."""
        views = shown.scenes().values()
        assert {view.goods.state for view in views} == set(GOODS)
        assert {view.record.state for view in views} == set(RECORD)
        assert {view.label.state for view in views} == set(LABEL)

    def test_story_of_the_lot(self) -> None:
        """The view tells product, producer, harvest, interval, code, certificate in date and correction."""
        view = shown.scenes()["unchanged"]
        assert (view.product_name, view.producer_name, view.place) == (
            "Xoài cát chu",
            "HTX Xoài Bến Mẫu",
            "Đồng Tháp",
        )
        assert (view.harvest_from, view.harvest_date) == ("2026-11-12", "2026-11-12")
        assert view.last_spray is not None
        assert (view.last_spray.date, view.last_spray.days, view.last_spray.ok) == ("2026-10-28", 15, True)
        assert [(str(a.value), a.uom) for a in view.amounts] == [("1250.5", "KGM")]
        assert [c.number for c in view.certificates] == ["VG-MAU-001"]
        assert [(c.code, c.in_force, c.owner, len(c.authorisations)) for c in view.codes] == [
            (tale.CODE, True, "htx-ben-mau", 1)
        ]
        assert [(c.step, str(c.before[0].value), str(c.after[0].value)) for c in view.corrections] == [
            (2, "200", "1250.5")
        ]
        assert [step.number for step in view.steps] == list(range(1, len(view.steps) + 1))
        assert {step.kind: step.tier for step in view.steps} == {
            "spray": "own", "harvest": "own", "dispatch": "both", "receive": "both", "treat": "own",
            "test": "authority", "activate": "own",
        }  # fmt: skip
        assert view.steps[0].on_behalf_of == "TV-017"
        assert view.steps[0].signed_by == ((tale.key("htx-ben-mau").kid, "device"),)

    def test_altered_names_the_step(self) -> None:
        """A changed byte in a stored statement is told with the number of its step."""
        record = shown.scenes()["altered"].record
        assert (record.state, record.args["step"], record.args["reason"]) == (
            "altered",
            3,
            "signature-invalid",
        )

    def test_undecodable_entry_still_gives_a_page(self) -> None:
        """An entry that cannot be read is counted to the place where it would stand; the rest is shown."""

        def broken(bundle: object) -> object:
            entries = list(bundle.entries)
            entries[1] = replace(entries[1], entry=tale.with_payload(entries[1].entry, b"{", b"["))
            return replace(bundle, entries=tuple(entries))

        view = look(mango(registered()), stamped=stamp(), change=broken)
        assert (view.record.state, view.record.args["step"]) == ("altered", 2)
        assert view.steps

    def test_strangers_stand_apart(self) -> None:
        """The event of one who never held the lot is no step of the journey."""
        view = shown.scenes()["finding-amber"]
        assert [step.actor for step in view.stranger_steps] == ["cua-hang-mau"]
        assert "cua-hang-mau" not in {step.actor for step in view.steps}

    @pytest.mark.parametrize(
        ("opener", "closer", "recalled"),
        [
            ("htx-ben-mau", None, True),
            ("chi-cuc-mau", None, True),
            ("cua-hang-mau", None, False),
            ("htx-ben-mau", "htx-ben-mau", False),
            ("htx-ben-mau", "chi-cuc-mau", False),
            ("htx-ben-mau", "cua-hang-mau", True),
        ],
    )
    def test_recalls_in_effect(self, opener: str, closer: str | None, recalled: bool) -> None:
        """Creators, holders, owners and authorities recall; the opener or an authority ends it; nobody else."""
        told = mango(registered())
        opened = told.record(
            "notice", "recall-open", opener, {"reason": "r", "action": "t"}, about=[tale.PRODUCT]
        )
        if closer:
            told.record(
                "notice",
                "recall-close",
                closer,
                {"recall": opened.id, "reason": "xong"},
                about=[tale.PRODUCT],
            )
        view = look(told, stamped=stamp())
        assert (view.goods.state == "recalled") is recalled

    def test_short_interval_is_told(self) -> None:
        """A harvest before the interval's end names the days that were kept."""
        spray = shown.scenes()["finding-red"].last_spray
        assert spray is not None
        assert (spray.phi, spray.days, spray.ok) == (14, 7, False)

    def test_withdrawn_certificate_is_not_shown(self) -> None:
        """A certificate its certifier withdrew is gone; one withdrawn by a stranger stays."""
        for actor, left in (("phong-thu-mau", 0), ("cua-hang-mau", 1)):
            told = mango(registered())
            number = next(e for e in told.entries if e.kind == "certificate")
            told.record(
                "credential",
                "withdrawal",
                actor,
                {"record": number.id, "reason": "thu hồi"},
                about=[tale.PLOT],
            )
            assert len(look(told, stamped=stamp()).certificates) == left

    def test_declaration_by_another_changes_nothing(self) -> None:
        """Only the actor of an event can declare it wrong."""
        told = mango(registered(), correct=False)
        harvest = next(e for e in told.entries if e.kind == "harvest")
        statement = dict(harvest.statement) | {
            "errorDeclaration": {"declarationTime": "2026-11-13T09:05:00+07:00", "reason": "x"},
            "tl:actor": "cua-hang-mau", "tl:prev": [harvest.id], "tl:seen": told.head(),
        }  # fmt: skip
        told.put(statement, "event", "cua-hang-mau")
        view = look(told, stamped=stamp())
        assert view.corrections == ()
        assert all(step.declared_wrong is None for step in view.steps)

    def test_worked_example(self, shared: object) -> None:
        """The published example is read with the organisation, day and kilograms it was written with."""
        import json

        from traceledger.core.judge.bundle import Bundle, Trust

        data = json.loads((shared / "design" / "example.json").read_text(encoding="utf-8"))
        bundle = Bundle.parse(json.dumps(data["bundle"]).encode())
        report = verify_bundle(bundle, trust=Trust.parse(json.dumps(data["trust"]).encode()))
        view = build_view(bundle, report, now=NOW)
        assert (view.producer_name, view.harvest_date, view.lot) == (
            "HTX Xoài Bến Mẫu",
            "2026-11-20",
            "XCL-2611A",
        )
        assert (view.size, view.origin, view.trusted, view.demo) == (11, "trace.example", True, True)
        assert view.record.state == "anchor-pending"

    def test_empty_is_not_valid(self) -> None:
        """A lot nothing happened to shows no data, in grey, whatever holds of the log."""
        view: LotView = shown.scenes()["no-data"]
        assert (view.record.state, view.record.severity, view.steps) == ("no-data", "grey", ())

    def test_unpinned_log_is_never_green(self) -> None:
        """Without a trust file the same record loses its green."""
        view = shown.scenes()["untrusted"]
        assert (view.trusted, view.record.severity, view.record.args["unproven"]) == (
            False,
            "amber",
            ["ORIGIN"],
        )

    def test_roll_without_a_lot(self) -> None:
        """A stamp of a roll that names no lot shows product and issuer, and no step of other stamps."""
        told = mango(registered())
        held = stamp(FIRST + 3, state="issued")
        bundle = told.bundle(roll_uri(tale.ROLL))
        report = verify_bundle(bundle, trust=told.trust(), observations=told.observations())
        view = build_view(
            bundle, report, now=NOW, stamp=held, anchor=shown.anchor(told), related=told.related()
        )
        assert (view.product_name, view.producer_name, view.steps) == ("Xoài cát chu", "HTX Xoài Bến Mẫu", ())
        assert (view.goods.state, view.record.state) == ("not-activated", "no-data")

    def test_number_of_a_stamp_never_activated(self) -> None:
        """A stamp outside the activated range is not for sale, though its lot is sound."""
        view = shown.scenes()["not-activated"]
        assert view.stamp is not None
        assert (view.stamp.number, view.goods.state, view.subject) == (FIRST + 3, "not-activated", LOT)
