# SPDX-License-Identifier: Apache-2.0
"""A thief of the anchor key puts a head on the chain that nobody's log has: poisoned, but nothing old is lost."""

import pytest

from attacks.kit import Sold, judge, look, path_of, seen, web
from housekit import COOP, LOT
from traceledger.app import make_sender, open_evm_key
from traceledger.chain.sender import sign_checkpoint
from traceledger.core.log.merkle import Frontier, consistency_proof, leaf_hash, root_at, root_of
from traceledger.core.sign.evm import to_compact
from traceledger.errors import LogIntegrityError
from traceledger.store import log as stored


@pytest.fixture
def poisoned(sold: Sold) -> Sold:
    """The log's next head is fixed on the chain with an entry that only the thief knows."""
    house, app = sold.house, sold.house.app
    leaves = [*house.leaves(), leaf_hash(b"known to the thief")]
    size, root = len(leaves), root_of(leaves)
    proof = consistency_proof(
        size - 1, size, lambda level, at: root_of(leaves[at << level : (at + 1) << level])
    )
    sender, signer = make_sender(app.settings), open_evm_key(app.settings, "anchor")
    signed = to_compact(*sign_checkpoint(signer.secret, log_id=app.place.log_id, size=size, root=root))
    prepared = sender.build_anchor(
        app.place.log_id,
        size=size,
        root=root,
        proof=proof,
        signature=signed,
        nonce=sender.nonce(),
        fees=sender.fees(above=None),
    )
    sender.broadcast(prepared.raw)
    sold.chained.chain.mine(3)
    assert sender.head(app.place.log_id).size == size
    return sold


def test_the_worker_stops(poisoned):
    """Worker and audit name it at once, before and after the log has grown past the poisoned size."""
    house = poisoned.house
    for code in ("anchor-ahead", "head-fork"):
        with pytest.raises(LogIntegrityError) as caught:
            house.app.anchorer().step()
        assert (caught.value.code, caught.value.exit_code) == (code, 70)
        report = look(house, endpoints=[poisoned.rpc])
        assert [bad.code for bad in report.bad] == [code]
        house.submit(house.event(COOP, "care", "https://id.gs1.org/01/09521234567899/10/L9"))


def test_what_was_anchored_stays_good(poisoned):
    """Old bundles hold and pages of anchored lots say what they said; what comes after waits for an anchor."""
    house = poisoned.house
    assert judge(poisoned.bundle, house.app.trust, poisoned.rpc).exit_code == 0
    assert seen(house).record.state == "test-chain"
    house.submit(house.event(COOP, "care"))
    view = seen(house)
    assert (view.record.state, view.record.severity) == ("anchor-pending", "amber")
    assert web(house).get(path_of(poisoned.links[0])).status_code == 200
    assert judge(house.app.prover.bundle(LOT), house.app.trust, poisoned.rpc).exit_code == 4


def test_the_poison_is_no_anchor_of_ours(poisoned):
    """The log's own head of that size has another root, so its bundle cannot borrow the thief's transaction."""
    house = poisoned.house
    house.submit(house.note("next"))
    with house.app.database.read() as connection:
        size = stored.read_head(connection).size
        own = root_at(size, stored.node_hashes(connection, size))
    tree = Frontier()
    for leaf in house.leaves():
        tree.append(leaf)
    assert own == tree.root()
    assert seen(house).anchor is None
