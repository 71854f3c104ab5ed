# SPDX-License-Identifier: Apache-2.0
"""Sending on a real node: the plain way, and every way a transaction goes astray."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from chain.conftest import ORIGIN, TREE, Station, make_station
from chainkit import kill
from evmkit import ZERO, Key, calldata, tree_head
from traceledger.chain.contract import expect_contract
from traceledger.chain.devchain import CHAIN_ID, DevChain
from traceledger.chain.rpc import Rpc, find_anchored, observe, read_head
from traceledger.chain.sender import FACTORY, Fees, RefusedError, deploy, open_log, sign_checkpoint
from traceledger.core.log.anchor import decode_anchored
from traceledger.core.sign.evm import to_compact
from traceledger.errors import ConflictError, InputError, TemporaryError, TraceledgerError, VerificationError

pytestmark = pytest.mark.chain


def code_of(error: type[TraceledgerError], call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """Return the code of the *error* that *call* raises."""
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    return caught.value.code


# --- deploying and opening


def test_deploying_twice_finds_the_first(station: Station) -> None:
    """Through the factory the contract has one address for everybody, and is deployed once."""
    other = station.another_sender("somebody")
    before = station.rpc.block("latest")
    assert (
        deploy(station.rpc, chain_id=CHAIN_ID, account_key=Key("somebody").secret) == station.sender.contract
    )
    assert station.rpc.block("latest") == before
    other.check()


def test_two_chains_have_the_contract_at_one_address(
    anvil_factory: Callable[..., DevChain], station: Station
) -> None:
    """A chain that begins anew gets the contract where policies say it is, by whoever deploys it."""
    fresh = anvil_factory()
    fresh.fund(Key("other").address)
    assert deploy(fresh.rpc, chain_id=CHAIN_ID, account_key=Key("other").secret) == station.sender.contract


def test_without_the_factory_the_account_deploys(anvil_factory: Callable[..., DevChain]) -> None:
    """On a chain without the factory an ordinary creation is used, and its address is returned."""
    chain = anvil_factory()
    chain.rpc.ask("anvil_setCode", "0x" + FACTORY.hex(), "0x")
    chain.fund(Key("relay").address)
    address = deploy(chain.rpc, chain_id=CHAIN_ID, account_key=Key("relay").secret)
    expect_contract(chain.rpc, address)


def test_opening_twice_sends_once(station: Station) -> None:
    """An open log is left alone."""
    arguments = (station.sender, station.signer.address, station.guardian.address, ORIGIN)
    assert open_log(*arguments, log_id=station.log_id) is None


def test_the_wrong_chain_is_refused(station: Station) -> None:
    """A sender set up for another chain id neither checks out nor signs anything."""
    stray = station.another_sender("stray", chain_id=1)
    assert code_of(VerificationError, stray.check) == "chain-id"
    assert code_of(VerificationError, station.prepare, 5, sender=stray) == "chain-id"
    assert (
        code_of(VerificationError, deploy, station.rpc, chain_id=1, account_key=Key("stray").secret)
        == "chain-id"
    )


def test_an_address_without_the_contract_is_refused(station: Station) -> None:
    """No code, and other code, at the configured address are two clear errors."""
    empty = station.another_sender("a", contract=Key("nobody").address)
    assert code_of(InputError, empty.check) == "contract-missing"
    assert code_of(InputError, empty.head, station.log_id) == "contract-missing"
    other = station.another_sender("b", contract=FACTORY)
    assert code_of(InputError, other.check) == "contract-differs"


@pytest.mark.parametrize("key", [b"", b"\1" * 31, bytes(32), b"\xff" * 32])
def test_bad_keys_are_refused(key: bytes) -> None:
    """A key of the wrong length or out of range is the caller's mistake, and is not repeated in the message."""
    with pytest.raises(InputError) as caught:
        sign_checkpoint(key, log_id=ZERO, size=1, root=ZERO)
    assert key.hex() not in str(caught.value) or not key


# --- anchoring


def test_heads_are_anchored_and_become_final(station: Station) -> None:
    """An anchor is observed pending, mined, and final two blocks later; its event tells the head before."""
    first = station.anchor(7)
    second = station.prepare(11)
    assert observe(station.chain.url, second.tx).receipt is None
    station.sender.wait(station.sender.broadcast(second.raw))
    receipt = station.sender.receipt(second.tx)
    assert receipt is not None
    seen = observe(station.chain.url, second.tx)
    assert (seen.chain_id, seen.receipt, seen.canonical, seen.error) == (CHAIN_ID, receipt, True, None)
    assert seen.finalized is not None
    assert seen.finalized < receipt.block_number
    station.chain.mine(2)
    final = observe(station.chain.url, second.tx)
    assert final.finalized is not None
    assert final.finalized >= receipt.block_number

    (log,) = receipt.logs
    anchored = decode_anchored(log)
    assert log.address == station.sender.contract
    assert (anchored.log_id, anchored.seq, anchored.size, anchored.root) == (
        station.log_id,
        2,
        11,
        tree_head(TREE[:11]),
    )
    assert (anchored.prev_size, anchored.prev_root) == (7, tree_head(TREE[:7]))
    head = station.sender.head(station.log_id)
    assert (head.size, head.root, head.seq) == (11, tree_head(TREE[:11]), 2)
    found = find_anchored(station.rpc, station.sender.contract, station.log_id, 1)
    assert found is not None
    assert found.tx == first.tx
    assert find_anchored(station.rpc, station.sender.contract, station.log_id, 3) is None


def test_a_strangers_relay_is_found(station: Station) -> None:
    """A head carried by another account is the head, and the transaction is found by its number."""
    stranger = station.another_sender("stranger")
    prepared = station.prepare(5, sender=stranger)
    stranger.wait(stranger.broadcast(prepared.raw))
    assert station.sender.head(station.log_id).size == 5
    found = find_anchored(station.rpc, station.sender.contract, station.log_id, 1)
    assert found is not None
    assert found.tx == prepared.tx
    assert observe(station.chain.url, found.tx).canonical is True


def test_what_the_contract_would_refuse_is_not_sent(station: Station) -> None:
    """The endpoint tries each call first; the contract's own word says why it would fail, and no gas is spent."""
    station.anchor(7)
    before = station.sender.nonce()

    def refused(size: int, **options: Any) -> str:
        with pytest.raises(RefusedError) as caught:
            station.prepare(size, **options)
        return caught.value.name

    assert refused(5) == "Stale"
    assert refused(7, root=b"\1" * 32) == "Conflict"
    assert refused(11, root=b"\1" * 32) == "BadProof"
    assert refused(11, signer=Key("thief")) == "BadSignature"
    guardian = station.another_sender("guardian")
    sealing = guardian.build_call(
        guardian.contract,
        calldata("seal", station.log_id, ZERO),
        nonce=guardian.nonce(),
        fees=guardian.fees(),
    )
    guardian.wait(guardian.broadcast(sealing.raw))
    assert refused(11) == "Sealed"
    assert station.sender.head(station.log_id).is_sealed
    assert station.sender.nonce() == before


def test_a_reverted_transaction_is_told(station: Station) -> None:
    """One that was right when built and wrong when mined has a receipt of status 0."""
    late = station.prepare(9)
    stranger = station.another_sender("stranger")
    stranger.wait(stranger.broadcast(station.prepare(7, sender=stranger).raw))
    station.sender.broadcast(late.raw)
    with pytest.raises(RefusedError):
        station.sender.wait(late.tx)
    receipt = station.sender.receipt(late.tx)
    assert receipt is not None
    assert (receipt.status, receipt.logs) == (0, ())


# --- astray


@pytest.fixture
def waiting(station: Station) -> Station:
    """Return a station whose chain mines only when told."""
    station.rpc.ask("evm_setAutomine", False)
    return station


def test_sending_again_is_no_error(waiting: Station) -> None:
    """The same bytes twice are one transaction, whether the first is waiting or mined."""
    prepared = waiting.prepare(5)
    assert waiting.sender.broadcast(prepared.raw) == prepared.tx
    assert waiting.sender.broadcast(prepared.raw) == prepared.tx
    assert waiting.sender.knows(prepared.tx)
    assert waiting.sender.receipt(prepared.tx) is None
    waiting.chain.mine()
    assert waiting.sender.head(waiting.log_id).size == 5
    assert code_of(ConflictError, waiting.sender.broadcast, prepared.raw) == "nonce-too-low"


def test_a_replacement_carries_the_newest_checkpoint(waiting: Station) -> None:
    """At the same nonce, 15 % dearer, a larger head takes the place of a waiting one; the old one is gone."""
    old = waiting.prepare(5)
    waiting.sender.broadcast(old.raw)
    fees = waiting.sender.fees(above=old.fees)
    assert fees.max_fee * 100 >= old.fees.max_fee * 115
    assert fees.priority_fee * 100 >= old.fees.priority_fee * 115
    new = waiting.prepare(9, nonce=old.nonce, fees=fees)
    waiting.sender.broadcast(new.raw)
    waiting.chain.mine()
    assert waiting.sender.head(waiting.log_id).size == 9
    assert waiting.sender.receipt(old.tx) is None
    assert not waiting.sender.knows(old.tx)
    receipt = waiting.sender.receipt(new.tx)
    assert receipt is not None
    assert receipt.status == 1


def test_a_replacement_that_is_not_dearer_is_refused(waiting: Station) -> None:
    """Below the node's ten per cent, the first transaction stays and the caller is told to bump more."""
    old = waiting.prepare(5)
    waiting.sender.broadcast(old.raw)
    new = waiting.prepare(9, nonce=old.nonce, fees=old.fees)
    assert code_of(ConflictError, waiting.sender.broadcast, new.raw) == "fee-too-low"
    waiting.chain.mine()
    assert waiting.sender.head(waiting.log_id).size == 5


def test_a_dropped_transaction_is_missed_and_sent_again(waiting: Station) -> None:
    """When the node forgot it, it is neither known nor mined, and the stored bytes can be sent again."""
    prepared = waiting.prepare(5)
    waiting.sender.broadcast(prepared.raw)
    waiting.rpc.ask("anvil_dropTransaction", "0x" + prepared.tx.hex())
    assert not waiting.sender.knows(prepared.tx)
    waiting.chain.mine()
    assert waiting.sender.head(waiting.log_id).size == 0
    assert waiting.sender.nonce() == prepared.nonce
    waiting.sender.broadcast(prepared.raw)
    waiting.chain.mine()
    assert waiting.sender.head(waiting.log_id).size == 5


def test_a_reorganisation_takes_anchors_back(station: Station) -> None:
    """After a reorganisation the receipt is gone, the head is the older one, and the same bytes anchor again."""
    station.anchor(7)
    lost = station.anchor(11)
    station.rpc.ask("anvil_reorg", 1, [])
    assert station.sender.receipt(lost.tx) is None
    assert observe(station.chain.url, lost.tx).receipt is None
    assert station.sender.head(station.log_id).size == 7
    assert find_anchored(station.rpc, station.sender.contract, station.log_id, 2) is None
    station.sender.wait(station.sender.broadcast(lost.raw))
    assert station.sender.head(station.log_id).size == 11


def test_a_crashed_chain_is_unreachable_and_comes_back(anvil_factory: Callable[..., DevChain]) -> None:
    """While the node is down nothing is concluded; restarted from its state it has what it had."""
    station = make_station(anvil_factory())
    station.anchor(7)
    prepared = station.prepare(11)
    station.chain.stop()
    for call in (station.sender.check, station.sender.nonce, station.sender.fees):
        assert code_of(TemporaryError, call) == "chain-unreachable"
    assert code_of(TemporaryError, station.sender.broadcast, prepared.raw) == "chain-unreachable"
    assert observe(station.chain.url, prepared.tx).error == "chain-unreachable"
    anvil_factory(station.chain.state, port=station.chain.port)
    station.sender.check()
    assert station.sender.head(station.log_id).size == 7
    station.sender.wait(station.sender.broadcast(prepared.raw))
    assert station.sender.head(station.log_id).size == 11


def test_a_chain_that_lost_everything_takes_the_head_again(anvil_factory: Callable[..., DevChain]) -> None:
    """On a chain begun anew the contract has the same address, the log the same id, and any head can be first."""
    station = make_station(anvil_factory())
    station.anchor(7)
    station.anchor(11)
    kill(station.chain)
    station.chain.state.unlink(missing_ok=True)
    anew = make_station(anvil_factory(station.chain.state, port=station.chain.port))
    assert (anew.sender.contract, anew.log_id) == (station.sender.contract, station.log_id)
    assert anew.sender.head(anew.log_id).seq == 0
    anew.anchor(11)
    assert anew.sender.head(anew.log_id).root == tree_head(TREE[:11])


# --- money


def test_an_account_without_money_is_told(station: Station) -> None:
    """The message asks for money; nothing is sent."""
    poor = station.another_sender("poor", wei=0)
    assert code_of(TemporaryError, lambda: poor.broadcast(station.prepare(5, sender=poor).raw)) == "funds-low"
    assert station.sender.head(station.log_id).size == 0


def test_the_balance_is_told_in_anchors(station: Station) -> None:
    """Twice the money is twice the anchors; dear gas makes them fewer."""
    sender = station.another_sender("rich", wei=90_000 * 10**9 * 100)
    fees = Fees(max_fee=10**9, priority_fee=10**9)
    assert sender.anchors_left(fees) == 100
    assert sender.anchors_left(Fees(max_fee=10**10, priority_fee=10**9)) == 10
    station.anchor(7)
    station.anchor(11)


def test_fees_follow_the_chain_up_to_the_ceiling(station: Station) -> None:
    """Twice the base fee is offered while the ceiling allows; then the ceiling; above it nothing is sent."""
    station.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
    station.chain.mine()
    block = station.rpc.block("latest")
    assert block is not None
    free = station.sender.fees()
    assert free.max_fee == 2 * block.base_fee + free.priority_fee
    tight = station.another_sender("tight", fee_ceiling=60 * 10**9)
    assert tight.fees() == Fees(max_fee=60 * 10**9, priority_fee=free.priority_fee)
    low = station.another_sender("low", fee_ceiling=20 * 10**9)
    assert code_of(TemporaryError, low.fees) == "fees-high"
    assert code_of(TemporaryError, tight.fees, above=Fees(max_fee=59 * 10**9, priority_fee=1)) == "fees-high"


def test_bumped_fees_are_rounded_up() -> None:
    """15 % of a small number is still more than ten."""
    assert Fees(max_fee=1, priority_fee=0).bumped() == Fees(max_fee=2, priority_fee=0)
    assert Fees(max_fee=100, priority_fee=10).bumped() == Fees(max_fee=115, priority_fee=12)


# --- weight


@pytest.mark.parametrize("module", ["rpc", "contract", "sender", "devchain"])
def test_importing_is_light(module: str) -> None:
    """No module here loads web3 or eth-account until something is signed or encoded."""
    program = f"import sys, traceledger.chain.{module}; print({{'web3', 'eth_account', 'coincurve'}} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_heavy_libraries_leave_the_recursion_limit() -> None:
    """Signing does not raise the limit that protects every parser of the process."""
    program = (
        "import sys\n"
        "limit = sys.getrecursionlimit()\n"
        "from traceledger.chain.sender import address_of_key\n"
        "address_of_key(bytes([1] * 32))\n"
        "print(sys.getrecursionlimit() - limit)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "0\n"


def test_reader_and_sender_agree_on_signatures(station: Station) -> None:
    """A signature made with one head's data is what the contract at the chain accepts (read by the plain reader)."""
    root = tree_head(TREE[:3])
    r, s, v = sign_checkpoint(station.signer.secret, log_id=station.log_id, size=3, root=root)
    assert to_compact(r, s, v) == station.signer.sign(station.log_id, 3, root)
    station.anchor(3)
    assert read_head(Rpc(station.chain.url), station.sender.contract, station.log_id).root == root


def test_the_sender_keeps_its_key_to_itself(station: Station) -> None:
    """Neither the object's text nor its public attributes show the secret key."""
    shown = repr(station.sender) + "".join(
        str(v) for k, v in vars(station.sender).items() if not k.startswith("_")
    )
    assert Key("relay").secret.hex() not in shown
