# SPDX-License-Identifier: Apache-2.0
"""
Statements that are valid and meant to hurt their readers: extreme numbers and dates, long lists, rings, floods.

Pages, bundles and audits answer in bounded time, never with a 500, and no flood hides an order to stop.
"""

from decimal import Decimal

import pytest

from attacks.kit import PATH, ROLL, judge, look, lot, mix, seen, sell, web
from housekit import COOP, GTIN, LOT, PACKER, as_bytes
from traceledger.core.claims.identifiers import gtin_uri, lot_uri
from traceledger.errors import NotFoundError

BIG = 2**53 - 1
TINY = Decimal("0.000001234567890123")
pytestmark = pytest.mark.timeout(60)  # a reader kept busy for ever, not a speed


def readable(house, path=PATH, subject=LOT):
    """Page, its JSON, linkset, bundle and audit are all there, however long the lists."""
    browser = web(house)
    for answer in (
        browser.get(path),
        browser.get(f"{path}?lang=en"),
        browser.get(f"/api/v1/lots/{path.removeprefix('/01/').replace('/10/', '/')}"),
        browser.get(path, headers={"Accept": "application/linkset+json"}),
    ):
        assert answer.status_code == 200, answer.data[:200]
    assert judge(house.app.prover.bundle(subject), house.app.trust).exit_code in (0, 4)
    assert look(house).ok


def amounts(*quantities, unit="KGM"):
    """Quantity elements about the lot."""
    return [{"epcClass": LOT, "quantity": quantity, "uom": unit} for quantity in quantities]


HARVESTS = {
    "sums no number holds": {"quantityList": amounts(BIG, BIG, Decimal("0.1"), TINY)},
    "nothing": {"quantityList": amounts(0)},
    "less than nothing": {"quantityList": amounts(-BIG)},
    "an unknown unit": {"quantityList": amounts(1, unit="XYZ")},
    "the first year": {"eventTime": "0001-01-01T00:00:00+14:00", "eventTimeZoneOffset": "+14:00"},
    "the last year": {"eventTime": "9999-12-31T23:59:59-12:00", "eventTimeZoneOffset": "-12:00"},
    "a leap second": {"eventTime": "2026-06-30T23:59:60.99961234Z"},
    "coordinates of nowhere": {"readPoint": {"id": "geo:nan,nan"}},
    "a long place": {"readPoint": {"id": "urn:x:" + "a" * 9_000}},
    "a place that is a script": {"readPoint": {"id": "javascript:alert(1)"}},
    "many codes": {"more": {"codes": [f"\u202e{n}" for n in range(300)]}},
}


@pytest.mark.parametrize("name", HARVESTS)
def test_an_odd_harvest(house, name):
    """An odd harvest is shown as it is."""
    members = {**HARVESTS[name]}
    house.submit(house.event(COOP, "harvest", action="ADD", bizStep="commissioning", kg=1, **members))
    house.submit(house.event(COOP, "spray", more={"phi": BIG}))
    readable(house)


def test_a_sum_is_exact(house):
    """What is added up on the page is what was said, to the last place, though no JSON number holds it."""
    house.submit(house.event(COOP, "harvest", action="ADD", quantityList=amounts(BIG, BIG, TINY)))
    value = web(house).get(f"/api/v1/lots/{GTIN}/L1").get_json()
    assert value["amounts"] == [{"uom": "KGM", "value": "18014398509481982.000001234567890123"}]
    assert "18.014.398.509.481.982,000001234567890123" in web(house).get(PATH).get_data(as_text=True)


def test_rings(house):
    """A lot made of itself, and rings over several lots, end where they began."""
    house.submit(house.harvest())
    for output, inputs in (
        (LOT, [LOT]),
        (lot("A"), [lot("B")]),
        (lot("B"), [lot("A"), LOT]),
        (LOT, [lot("B")]),
    ):
        house.submit(mix(house, [output], inputs))
    readable(house)


def test_wide_and_wider(house):
    """Thousands of inputs behind one lot are thousands of names and few entries."""
    names = [lot(f"V{n}") for n in range(30)]
    for n, name in enumerate(names):
        house.log.submit_envelope(mix(house, [name], [lot(f"W{n}-{m}") for m in range(180)]))
    house.log.submit_envelope(mix(house, [LOT], names))
    readable(house)


def test_deeper_than_a_bundle(house):
    """Behind 500 entries a bundle is cut: nothing then passes for complete, and the verdict is not yes."""
    house.submit(house.harvest())
    made = LOT
    for n in range(510):
        house.log.submit_envelope(mix(house, [lot(f"D{n}")], [made]))
        made = lot(f"D{n}")
    report = judge(house.app.prover.bundle(made), house.app.trust)
    assert (report.exit_code, report.rungs["COMPLETE"].result) == (4, "not checked")
    assert web(house).get(made.removeprefix("https://id.gs1.org")).status_code == 200


@pytest.fixture
def flooded(house):
    """A sold lot that a stranger has filled with more notices than a bundle holds."""
    links = sell(house)
    notes = [as_bytes(house.note(f"n{n}", org=PACKER)) for n in range(520)]
    house.log.submit_many(notes)
    return house, links


def test_a_flood_does_not_hide_a_recall(flooded):
    """An order to stop is seen on lot and stamp, however many notices stand before it."""
    house, links = flooded
    house.submit(house.record(COOP, "notice", "recall-open", [LOT], {"reason": "r", "action": "a"}))
    assert (seen(house).goods.state, seen(house).goods.severity) == ("recalled", "red")
    page = web(house).get("/01/" + links[0].partition("/01/")[2]).get_data(as_text=True)
    assert "is-red" in page


def test_a_flood_does_not_open_a_gate(flooded):
    """What is sold beyond the harvest stays red behind a flood, and stamps for it take no effect."""
    house, _ = flooded
    house.submit(house.event(COOP, "sell", kg=5000, action="DELETE"))
    assert "mass-balance" in {finding.code for finding in seen(house).findings}
    late = house.record(COOP, "stamps", "activate", [LOT], {"roll": ROLL, "ranges": [[4, 4]]})
    assert house.submit(late).effect == "none"


def test_ranges_without_end(house):
    """A step may name a thousand stretches, again and again; its effect is told as fast as the first."""
    sell(house, count=4)
    data = {"gtin": GTIN, "host": "127.0.0.1:8400", "first": 1, "count": BIG - 1, "root": "A" * 43 + "="}
    house.submit(house.record(COOP, "stamps", "issue", [], data | {"roll": f"{COOP}/BIG"}))
    for n in range(6):
        more = {"roll": f"{COOP}/BIG", "ranges": [[i, i] for i in range(1, 2_000, 2)], "reason": "x"}
        done = house.submit(house.record(COOP, "stamps", ("lock", "unlock")[n % 2], [], more))
        assert done.effect == "all"


def test_activations_of_a_blocked_lot(house):
    """Trying again and again to activate a recalled lot costs its readers no more than trying once."""
    links = sell(house)
    house.submit(house.record(COOP, "notice", "recall-open", [LOT], {"reason": "r", "action": "a"}))
    for n in range(40):
        data = {"roll": ROLL, "ranges": [[4, 4 + n]]}
        house.log.submit_envelope(house.record(COOP, "stamps", "activate", [LOT], data))
    assert web(house).get("/01/" + links[3].partition("/01/")[2]).status_code == 200


def test_a_stranger_stays_apart(house):
    """A stranger's hundred events on a lot are shown apart, gate nothing, and are no step of its journey."""
    house.submit(house.harvest())
    house.log.submit_many([as_bytes(house.event(PACKER, "observe")) for _ in range(100)])
    view = seen(house)
    assert {step.actor for step in view.steps} == {COOP}
    assert len(view.stranger_steps) == 100
    readable(house)


def test_a_squatter_on_a_product_number(house):
    """Who records a product first does not own it where the root registered the number's prefix for another."""
    squatted = "09529999000019"
    product = gtin_uri(squatted)
    house.enrol("chu-so", ids={"gs1": "952 9529999"})
    data = {"gtin": squatted, "name": "giả", "net": 1, "uom": "KGM"}
    house.submit(house.record(PACKER, "masterdata", "product", [product], data))
    taken = lot_uri(squatted, "X")
    house.submit(house.event("chu-so", "harvest", taken, kg=5, action="ADD"))
    house.submit(house.record(PACKER, "notice", "recall-open", [product], {"reason": "giả", "action": "x"}))
    assert seen(house, taken).goods.state != "recalled"
    house.submit(house.record("chu-so", "masterdata", "product", [product], data | {"name": "thật"}))
    house.submit(house.record("chu-so", "notice", "recall-open", [product], {"reason": "r", "action": "a"}))
    view = seen(house, taken)
    assert (view.product_name, view.goods.args["reason"]) == ("thật", "r")


def test_a_squatter_on_a_roll_name(house):
    """A number as printed leads to a lot only while one issuer has it; then nobody's lot is shown for another's."""
    sell(house)
    number = "R-1-000 000 001"
    assert house.app.resolver.alias(number).subject == LOT
    sell(house, org=PACKER, subject=lot_uri("09521234002024", "khac"))
    with pytest.raises(NotFoundError) as caught:
        house.app.resolver.alias(number)
    assert caught.value.code == "number-ambiguous"
    assert web(house).get("/lots/R-1-000%20000%20001").status_code == 404
