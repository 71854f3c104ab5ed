# SPDX-License-Identifier: Apache-2.0
"""Validity of entries one by one: authority of keys and grants, prev, and what admission asks besides."""

from typing import Any

import pytest

from core.ledgerkit import Ledger, founded
from core.statements import (
    FARM,
    LOT,
    ORIGIN,
    START,
    event,
    grant,
    key,
    lot,
    quantities,
    record,
    revoke,
    signed,
)
from traceledger.core.judge.admission import (
    Authority,
    allows,
    check_admissible,
    check_authority,
    check_entry,
    check_prev,
    check_prev_form,
)
from traceledger.core.log.entry import Entry
from traceledger.core.state.lineage import subjects_of
from traceledger.errors import VerificationError

Json = dict[str, Any]
OTHER_SITE = "https://id.gs1.org/414/9521234000020"


def entry_of(statement: Json, family: str, signer: str, *, t: int = START) -> Entry:
    """A signed statement as an entry."""
    return Entry.make(signed(statement, family, signer), reg=(0, bytes(32)), t=t)


def observe(**more: Any) -> Json:
    """An observation of the lot."""
    return event("observe", quantityList=quantities(LOT), **more)


def code_of(ledger: Ledger, entry: Entry) -> str | None:
    """Return the reason for which the registry's state refuses an entry, or None."""
    try:
        check_authority(entry, ledger.registry)
    except VerificationError as error:
        return error.code
    return None


# --- acts


@pytest.mark.parametrize(
    ("acts", "act", "allowed"),
    [
        (["*"], "event/harvest", True),
        (["event/*"], "event/harvest", True),
        (["event/harvest"], "event/harvest", True),
        (["event/harvest"], "event/pack", False),
        (["notice/*"], "event/harvest", False),
        (["stamp/sign"], "event/harvest", False),
        (["event"], "event/harvest", False),
        (["event/harvests"], "event/harvest", False),
        ([], "event/harvest", False),
        (["stamps/*"], "stamp/sign", False),
        (["*"], "stamp/sign", True),
    ],
)
def test_acts(acts: list[str], act: str, allowed: bool) -> None:
    """An act is allowed by its name, its family's star, or the star."""
    assert allows(tuple(acts), act) == allowed


# --- keys


def test_a_key_speaks_for_its_organisation() -> None:
    """The authority found names the key and no grant."""
    ledger = founded()
    found = check_authority(entry_of(observe(), "event", "farm"), ledger.registry)
    assert found == Authority(key=ledger.registry.keys[key("farm").kid], grant=None)


@pytest.mark.parametrize(
    ("site", "sites", "code"),
    [
        ({"readPoint": {"id": FARM}}, [FARM], None),
        ({"readPoint": {"id": FARM}}, ["*"], None),
        ({"readPoint": {"id": FARM}}, [OTHER_SITE, "*"], None),
        ({"readPoint": {"id": FARM}}, [OTHER_SITE], "site-denied"),
        ({"readPoint": {"id": FARM}}, [], "site-denied"),
        ({"readPoint": {"id": FARM}, "bizLocation": {"id": OTHER_SITE}}, [OTHER_SITE], "site-denied"),
        ({"readPoint": None, "bizLocation": {"id": OTHER_SITE}}, [OTHER_SITE], None),
        ({"readPoint": {"name": "gate"}, "bizLocation": {"id": OTHER_SITE}}, [OTHER_SITE], None),
        ({"readPoint": None}, [FARM], "site-denied"),
        ({"readPoint": None}, ["*"], None),
        ({"readPoint": {"id": "urn:epc:id:sgln:9521234.00001.0"}}, ["urn:epc:id:sgln:9521234.00001.0"], None),
        ({"readPoint": {"id": "urn:epc:id:sgln:9521234.00001.0"}}, [FARM], "site-denied"),
    ],
)
def test_sites(site: Json, sites: list[str], code: str | None) -> None:
    """The read point, else the business location, as written, must be among the key's sites; none needs the star."""
    ledger = founded()
    ledger.enrol("shop", sites=sites)
    statement = {name: part for name, part in (observe(actor="shop") | site).items() if part is not None}
    assert code_of(ledger, entry_of(statement, "event", "shop")) == code


def test_records_have_no_site() -> None:
    """Sites limit events only."""
    ledger = founded()
    ledger.enrol("shop", sites=[])
    assert code_of(ledger, entry_of(record("flag", {}, actor="shop"), "notice", "shop")) is None


@pytest.mark.parametrize(
    ("family", "kind", "role", "code"),
    [
        ("credential", "code", "authority", None),
        ("credential", "code", "certifier", "act-denied"),
        ("credential", "code", "operator", "act-denied"),
        ("credential", "star", "authority", None),
        ("credential", "star", "certifier", "act-denied"),
        ("credential", "certificate", "authority", None),
        ("credential", "certificate", "certifier", None),
        ("credential", "certificate", "operator", "act-denied"),
        ("credential", "authorisation", "operator", None),
        ("credential", "withdrawal", "operator", None),
        ("log", "index", "operator", None),
        ("log", "index", "authority", "act-denied"),
        ("notice", "recall-open", "operator", None),
    ],
)
def test_roles(family: str, kind: str, role: str, code: str | None) -> None:
    """Codes, stars and certificates are an authority's (certificates a certifier's too), index records an operator's."""
    ledger = founded()
    ledger.enrol("office", roles=[role])
    entry = entry_of(record(kind, {}, actor="office"), family, "office")
    assert code_of(ledger, entry) == code
    ledger.put(revoke(org="office"), "revoke", "root")
    assert code_of(ledger, entry) == "key-revoked"


# --- grants


def proxied(**more: Any) -> Ledger:
    """A log in which the farm lets the clerk's key speak for it."""
    ledger = founded()
    ledger.enrol("clerk")
    ledger.put(grant("farm", "clerk", **more), "grant", "farm admin")
    return ledger


def test_a_grant_is_named_by_the_authority_it_gives() -> None:
    """Proxy entry is first class: who signed and by what permission is known."""
    ledger = proxied()
    found = check_authority(entry_of(observe(), "event", "clerk"), ledger.registry)
    assert found.grant is not None
    assert (found.key.org, found.grant.org) == ("clerk", "farm")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, None),
        ({"until": START}, None),
        ({"until": START + 1}, None),
        ({"until": START - 1}, "grant-expired"),
        ({"until": 0}, "grant-expired"),
        ({"acts": ["event/*"]}, None),
        ({"acts": ["event/observe"]}, None),
        ({"acts": ["event/harvest"]}, "act-denied"),
        ({"acts": ["stamps/*"]}, "act-denied"),
        ({"sites": [FARM]}, None),
        ({"sites": []}, "site-denied"),
        ({"sites": [OTHER_SITE]}, "site-denied"),
    ],
)
def test_grants(more: Json, code: str | None) -> None:
    """Until (that second included), acts and sites of the grant all limit; the clock is the log's."""
    assert code_of(proxied(**more), entry_of(observe(), "event", "clerk")) == code


def test_a_grant_does_not_widen_the_key() -> None:
    """What the key itself may not, no grant lets it."""
    ledger = founded()
    ledger.enrol("clerk", acts=["event/harvest"], sites=[OTHER_SITE])
    ledger.put(grant("farm", "clerk"), "grant", "farm admin")
    assert code_of(ledger, entry_of(observe(), "event", "clerk")) == "act-denied"
    harvest = event("harvest", quantityList=quantities(LOT))
    assert code_of(ledger, entry_of(harvest, "event", "clerk")) == "site-denied"


def test_a_grant_has_one_direction_and_one_step() -> None:
    """It lets the key speak for the granter only, and cannot be handed on."""
    ledger = proxied()
    ledger.enrol("temp")
    ledger.put(grant("clerk", "temp"), "grant", "clerk admin")
    assert code_of(ledger, entry_of(observe(actor="clerk"), "event", "farm")) == "grant-missing"
    assert code_of(ledger, entry_of(observe(), "event", "temp")) == "grant-missing"
    assert code_of(ledger, entry_of(observe(actor="clerk"), "event", "temp")) is None


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    "grants",
    [
        [{"acts": ["event/harvest"]}, {"acts": ["event/observe"]}],
        [{"sites": [OTHER_SITE]}, {"sites": [FARM]}],
        [{"until": 5}, {}],
        [{"acts": ["event/harvest"]}, {"sites": [OTHER_SITE]}, {"until": 5}, {"acts": ["*"], "sites": ["*"]}],
    ],
)
def test_of_several_grants_one_that_covers_is_enough(grants: list[Json], order: int) -> None:
    """Whatever their order, the grant that covers the entry counts."""
    ledger = founded()
    ledger.enrol("clerk")
    for more in grants[::order]:
        ledger.put(grant("farm", "clerk", **more), "grant", "farm admin")
    assert code_of(ledger, entry_of(observe(), "event", "clerk")) is None


@pytest.mark.parametrize("order", [1, -1])
def test_an_event_without_a_place_needs_the_grant_for_all_places(order: int) -> None:
    """A grant for one place beside one for all does not hide it."""
    ledger = founded()
    ledger.enrol("clerk")
    for sites in [[FARM], ["*"]][::order]:
        ledger.put(grant("farm", "clerk", sites=sites), "grant", "farm admin")
    statement = observe()
    del statement["readPoint"]
    assert code_of(ledger, entry_of(statement, "event", "clerk")) is None


def test_grants_end() -> None:
    """A revoked grant, key, granter or keeper of the key ends what the grant gave."""
    for target, signer, code in (
        ("grant", "farm admin", "grant-missing"),
        ("kid", "clerk admin", "key-revoked"),
        ("org", "root", "grant-missing"),
        ("clerk", "root", "key-revoked"),
    ):
        ledger = proxied()
        grant_id = ledger.id(ledger.size - 1)
        named = {"grant": grant_id, "kid": key("clerk").kid, "org": "farm", "clerk": "clerk"}[target]
        sort = "org" if target == "clerk" else target
        ledger.put(revoke(**{sort: named}), "revoke", signer)
        assert ledger.registry.voids == []
        assert code_of(ledger, entry_of(observe(), "event", "clerk")) == code


# --- the whole entry


def test_an_entry_is_checked_for_shape_place_authority_and_signature() -> None:
    """Each is asked once, the cheap before the costly."""
    ledger = founded()
    good = entry_of(observe(), "event", "farm")
    assert check_entry(good, 6, ledger.registry).grant is None
    for entry, code in (
        (entry_of(observe() | {"tl:prev": 1}, "event", "farm"), "statement-shape"),
        (entry_of(observe() | {"tl:log": "x.example"}, "event", "farm"), "wrong-log"),
        (entry_of(observe(), "event", "stranger"), "key-unknown"),
        (entry_of(record("wish", {}), "notice", "farm"), "kind-mismatch"),
    ):
        with pytest.raises(VerificationError) as caught:
            check_entry(entry, 6, ledger.registry)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("size", "index", "good"), [(6, 6, True), (5, 6, False), (7, 6, False), (0, 6, False)]
)
def test_an_index_record_says_where_it_stands(size: int, index: int, good: bool) -> None:
    """Its size is its own index in the log."""
    ledger = founded()
    ledger.index(size=size)
    try:
        check_entry(ledger.entries[6], index, ledger.registry)
    except VerificationError as error:
        assert (good, error.code) == (False, "index-position")  # noqa: PT017
    else:
        assert good


# --- prev


def prev_code(refs: list[str], ledger: Ledger) -> str | None:
    """Return the reason for which an observation with these refs is refused."""
    entry = entry_of(observe() | {"tl:prev": refs}, "event", "farm")
    known = {ledger.id(i): (i, subjects_of(ledger.entries[i])) for i in range(6, ledger.size)}
    try:
        check_prev(entry, ORIGIN, known.get)
    except VerificationError as error:
        return error.code
    return None


def test_prev() -> None:
    """Ascending, distinct, known here, sharing a subject; other logs' entries are never looked up."""
    ledger = founded()
    same, other, also = (ledger.say("harvest", lot(n), link=False) for n in ("L1", "L2", "L1"))
    ids = {i: ledger.id(i) for i in (same, other, also)}
    both = sorted([ids[same], ids[also]])
    far = f"other.example/{'a' * 64}"
    assert prev_code([], ledger) is None
    assert prev_code([ids[same]], ledger) is None
    assert prev_code(both, ledger) is None
    assert prev_code(sorted([*both, far]), ledger) is None
    assert prev_code([far, f"other.example/sub/{'b' * 64}"], ledger) is None
    assert prev_code(both[::-1], ledger) == "prev-order"
    assert prev_code([ids[same]] * 2, ledger) == "prev-order"
    assert prev_code([f"{ORIGIN}/{ids[same]}"], ledger) == "prev-order"
    assert prev_code(["f" * 64], ledger) == "prev-unknown"
    assert prev_code([ledger.id(0)], ledger) == "prev-unknown"
    assert prev_code([ids[other]], ledger) == "prev-unrelated"
    assert prev_code(sorted([ids[same], ids[other]]), ledger) == "prev-unrelated"


def test_prev_of_this_log_alone_is_returned() -> None:
    """Foreign refs are passed over."""
    refs = sorted(["a" * 64, f"other.example/{'a' * 64}"])
    assert check_prev_form(entry_of(observe() | {"tl:prev": refs}, "event", "farm"), ORIGIN) == ["a" * 64]


# --- what only admission asks


def test_admission_asks_for_nfc_and_epcis() -> None:
    """A verifier takes both; admission refuses them."""
    ledger = founded()
    good = observe() | {"bizStep": "inspecting"}
    decomposed = record("flag", {"text": "Xoa\u0300i"}, about=[LOT])
    no_time = {name: part for name, part in good.items() if name != "eventTime"}
    check_admissible(entry_of(good, "event", "farm"))
    check_admissible(entry_of(record("flag", {"text": "Xo\u00e0i"}), "notice", "farm"))
    for statement, family, code in ((decomposed, "notice", "not-nfc"), (no_time, "event", "epcis-invalid")):
        entry = entry_of(statement, family, "farm")
        check_entry(entry, 6, ledger.registry)
        with pytest.raises(VerificationError) as caught:
            check_admissible(entry)
        assert caught.value.code == code
