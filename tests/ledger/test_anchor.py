# SPDX-License-Identifier: Apache-2.0
"""Anchoring on a real chain: whatever dies, is dropped, reorganised or relayed by others, the chain's head decides."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from chainkit import kill
from evmkit import subproof
from housekit import Chained, House, move, naive_root
from traceledger.app import open_evm_key
from traceledger.chain.rpc import Rpc, find_anchored, read_head
from traceledger.chain.sender import GAS_OF_AN_ANCHOR, Sender, _encode, sign_checkpoint
from traceledger.core.log.entry import Entry
from traceledger.core.log.note import parse_checkpoint, verify_log_signature
from traceledger.core.sign.evm import to_compact
from traceledger.errors import ConflictError, InputError, LogIntegrityError, TemporaryError, VerificationError
from traceledger.ledger.anchor import LOW_WATER, REPLACE_AFTER_S, Anchorer
from traceledger.ledger.recompute import recompute
from traceledger.store import anchors

pytestmark = pytest.mark.chain

ETHER = 10**18


class Crash(BaseException):
    """The process died here: nothing in the program may catch it."""


class Dying(Sender):
    """A sender whose process dies at the *at*-th call of the method called *where*, before or after it acts."""

    where = ""
    after = False
    at = 1

    def _pass(self, name: str, act: Callable[[], Any]) -> Any:
        if name != self.where:
            return act()
        self.at -= 1
        if self.at == 0 and not self.after:
            raise Crash
        result = act()
        if self.at == 0:
            raise Crash
        return result

    def head(self, log_id: bytes) -> Any:
        return self._pass("head", lambda: super(Dying, self).head(log_id))

    def receipt(self, tx: bytes) -> Any:
        return self._pass("receipt", lambda: super(Dying, self).receipt(tx))

    def nonce(self) -> Any:
        return self._pass("nonce", lambda: super(Dying, self).nonce())

    def build_anchor(self, *args: Any, **kwargs: Any) -> Any:
        return self._pass("build_anchor", lambda: super(Dying, self).build_anchor(*args, **kwargs))

    def broadcast(self, raw: bytes) -> Any:
        return self._pass("broadcast", lambda: super(Dying, self).broadcast(raw))


@dataclass
class Scene:
    """A deployment on a chain, and workers that live and die on it."""

    chained: Chained
    now: float = 1_900_000_000.0

    @property
    def house(self) -> House:
        return self.chained.house

    @property
    def rpc(self) -> Rpc:
        return self.chained.chain.rpc

    def sender(self, name: str = "account") -> Dying:
        """A sender by one of the deployment's accounts."""
        settings = self.house.app.settings
        return Dying(
            Rpc(settings.rpc[0]),
            chain_id=settings.chain_id,
            contract=settings.contract_address,
            account_key=open_evm_key(settings, name).secret,
            fee_ceiling=settings.fee_ceiling_gwei * 10**9,
        )

    def worker(self, sender: Sender | None = None, *, heartbeat: float = 1e9) -> Anchorer:
        """A fresh worker process's anchoring."""
        app = self.house.app
        return Anchorer(
            app.sequencer,
            sender or self.sender(),
            log_id=app.place.log_id,
            signer=open_evm_key(app.settings, "anchor"),
            indexer=app.key("indexer"),
            operator=app.settings.operator,
            chain=app.settings.chain,
            heartbeat=heartbeat,
            demo=True,
            mine=lambda: None,
            now=lambda: self.now,
        )

    def head(self) -> tuple[int, bytes]:
        """Size and root of the chain's head."""
        place = self.house.app.place
        found = read_head(self.rpc, place.contract, place.log_id)
        return found.size, found.root

    def expect_head(self, size: int) -> None:
        """The chain's head is this log's own head of *size*."""
        assert self.head() == (size, naive_root(self.house.leaves()[:size]))

    def states(self) -> list[tuple[int, str]]:
        """Size and state of every attempt, oldest first."""
        every = ["signed", "mined", "final", "replaced", "failed", "lost"]
        with self.house.app.database.read() as connection:
            found = anchors.by_state(connection, self.house.app.settings.chain, every)
        return [(one.size, one.state) for one in found]

    def attempts(self) -> list[anchors.Attempt]:
        """Every attempt under way."""
        with self.house.app.database.read() as connection:
            return anchors.by_state(connection, self.house.app.settings.chain, ["signed", "mined"])

    def finals(self) -> list[anchors.Attempt]:
        """Every final attempt, oldest first."""
        with self.house.app.database.read() as connection:
            return anchors.by_state(connection, self.house.app.settings.chain, ["final"])

    def hold(self) -> None:
        """Let transactions wait until `mine`."""
        self.rpc.ask("evm_setAutomine", False)

    def mine(self, count: int = 1) -> None:
        self.chained.chain.mine(count)

    def grow(self, text: str) -> None:
        """Log one more statement."""
        self.house.log.submit_envelope(self.house.note(text))

    def until_final(self, *, steps: int = 12) -> int:
        """Let a fresh worker go on until the whole log is final on the chain; return the size."""
        worker = self.worker()
        for _ in range(steps):
            state = worker.step()
            if state.settled:
                self.expect_head(state.size)
                return state.size
            self.mine()
        raise AssertionError(f"not final after {steps} steps: {state} {self.states()}")


@pytest.fixture
def scene(chained: Chained) -> Scene:
    """A deployment on its own chain, with one statement to anchor."""
    found = Scene(chained)
    found.grow("first")
    return found


class TestNormal:
    """Nothing goes wrong."""

    def test_a_checkpoint_becomes_final(self, scene):
        """An index record is appended, its checkpoint signed by log key and anchor signer, sent, mined, final."""
        size = scene.house.size()
        worker = scene.worker()
        state = worker.step()
        assert state.sent
        assert (state.size, state.anchored, state.final) == (size + 1, size + 1, 0)
        assert scene.states() == [(size + 1, "mined")]
        scene.mine(2)
        state = worker.step()
        assert state.settled
        assert scene.states() == [(size + 1, "final")]
        scene.expect_head(size + 1)
        record = Entry.parse(scene.house.log.entry(size))
        assert (record.family, record.kind, record.statement["data"]["size"]) == ("log", "index", size)
        checkpoint = parse_checkpoint(scene.house.log.checkpoint())
        policy = scene.house.log.registry().policy
        places = [(place.log_id, place.signer) for place in policy.anchors]
        verify_log_signature(checkpoint, policy.keys_for(checkpoint.size), places, anchored=True)

    def test_nothing_new_is_not_anchored(self, scene):
        """With nothing new no record is appended and nothing is sent."""
        size = scene.until_final()
        before = scene.sender().nonce()
        assert not scene.worker().step().sent
        assert scene.house.size() == size
        assert scene.sender().nonce() == before

    def test_silence_is_broken_by_a_heartbeat(self, scene):
        """When nothing was anchored for as long as the heartbeat, an index record is, though nothing is new."""
        size = scene.until_final()
        quiet = scene.worker(heartbeat=1e9)
        assert not quiet.step().sent
        beating = scene.worker(heartbeat=1)
        assert beating.step().sent
        assert scene.house.size() == size + 1
        scene.expect_head(size + 1)

    def test_each_anchor_extends_the_last(self, scene):
        """Five anchors of a growing log: the contract takes each only with its proof, and each is final in turn."""
        for n in range(5):
            for m in range(n + 1):
                scene.grow(f"{n}/{m}")
            scene.until_final()
        assert [state for _, state in scene.states()] == ["final"] * 5

    def test_not_due_is_only_looked_after(self, scene):
        """A step that may not send follows what is under way and starts nothing."""
        worker = scene.worker()
        size = scene.house.size()
        assert not worker.step(send=False).sent
        assert scene.house.size() == size
        worker.step()
        scene.grow("later")
        scene.mine(2)
        state = worker.step(send=False)
        assert (state.anchored, state.final, state.size) == (size + 1, size + 1, size + 2)


# Where a process dies, what must have happened by then: (method, after it acted, which call)
DEATHS = {
    "before the record": ("nonce", False, 1),
    "before the row": ("build_anchor", False, 1),
    "transaction made, row not written": ("build_anchor", True, 1),
    "row written, not sent": ("broadcast", False, 1),
    "sent": ("broadcast", True, 1),
    "sent, head not read": ("head", False, 2),
    "head read, receipt not": ("receipt", False, 1),
    "receipt read, state not written": ("receipt", True, 1),
}


class TestDeaths:
    """The worker dies at every point of the way; the next one goes on from what the chain says."""

    @pytest.mark.parametrize("held", [False, True], ids=["mined at once", "waiting"])
    @pytest.mark.parametrize("name", DEATHS)
    def test_a_death_costs_nothing(self, scene, name, held):
        """After a death anywhere the next worker brings everything to finality, with one nonce at most in flight."""
        method, after, at = DEATHS[name]
        dying = scene.sender()
        dying.where, dying.after, dying.at = method, after, at
        before = dying.nonce() if method != "nonce" else scene.sender().nonce()
        if held:
            scene.hold()
        with pytest.raises(Crash):
            scene.worker(dying).step()
        assert len({one.nonce for one in scene.attempts()}) <= 1
        scene.house.reopen()
        size = scene.until_final()
        assert scene.sender().nonce() <= before + 2
        assert scene.states()[-1] == (size, "final")
        assert len([1 for _, state in scene.states() if state == "final"]) >= 1
        recompute(scene.house.app.database, scene.house.log.origin)

    def test_dying_again_and_again(self, scene):
        """A worker that dies at the k-th call of anything, for k = 1, 2, 3 …, wastes at most one anchor a life."""
        sizes = []
        for k, method in enumerate(["nonce", "build_anchor", "broadcast", "head", "receipt"] * 3):
            dying = scene.sender()
            dying.where, dying.after, dying.at = method, k % 2 == 0, 1 + k % 3
            with suppress(Crash):
                scene.worker(dying).step()
            scene.grow(f"life {k}")
            sizes.append(scene.head()[0])
        assert sizes == sorted(sizes)
        scene.until_final()

    def test_anvil_dies_too(self, scene, anvil_factory):
        """The chain is killed with the anchor on it before its state was written: it is anchored again."""
        scene.until_final()
        kept = scene.chained.chain
        kill(kept)
        scene.chained.chain = anvil_factory(kept.state, port=kept.port)
        lost = scene.head()[0] == 0
        scene.grow("more")
        scene.house.reopen()
        size = scene.until_final()
        assert scene.states()[-1] == (size, "final")
        assert lost == ("lost" in dict(map(reversed, scene.states())))


class TestTransactions:
    """What becomes of a transaction between here and a block."""

    def test_a_dropped_one_is_sent_again(self, scene):
        """A transaction that the endpoint forgot is sent again, the same bytes, also when nothing new is due."""
        scene.hold()
        worker = scene.worker()
        worker.step()
        (attempt,) = scene.attempts()
        scene.rpc.ask("anvil_dropTransaction", "0x" + attempt.tx.hex())
        assert not scene.rpc.knows(attempt.tx)
        worker.step(send=False)
        assert scene.rpc.knows(attempt.tx)
        scene.mine(3)
        worker.step(send=False)
        assert scene.states() == [(attempt.size, "final")]

    def test_one_too_slow_is_replaced_by_the_newest(self, scene):
        """After the time-out the same nonce carries the newest checkpoint, both fees at least 15 % up."""
        scene.hold()
        worker = scene.worker()
        worker.step()
        (first,) = scene.attempts()
        scene.grow("meanwhile")
        scene.now += REPLACE_AFTER_S - 1
        worker.step()
        assert len(scene.attempts()) == 1
        scene.now += 2
        worker.step(send=False)
        old, new = scene.attempts()
        assert old == first
        assert new.nonce == first.nonce
        assert new.size == first.size + 2
        assert new.max_fee * 100 >= first.max_fee * 115
        assert new.priority_fee * 100 >= first.priority_fee * 115
        scene.mine(3)
        worker.step(send=False)
        assert scene.states() == [(first.size, "replaced"), (new.size, "final")]
        scene.expect_head(new.size)

    def test_the_replaced_one_may_still_win(self, scene):
        """If the first is mined after all, it counts, and what the replacement carried is anchored next."""
        scene.hold()
        worker = scene.worker()
        worker.step()
        (first,) = scene.attempts()
        scene.grow("meanwhile")
        scene.now += REPLACE_AFTER_S + 1
        worker.step()
        _, new = scene.attempts()
        scene.rpc.ask("anvil_dropTransaction", "0x" + new.tx.hex())
        scene.rpc.ask("eth_sendRawTransaction", "0x" + first.raw.hex())
        scene.mine(1)
        worker.step(send=False)
        assert scene.states() == [(first.size, "mined"), (new.size, "replaced")]
        assert scene.until_final() >= new.size

    def test_fees_above_the_ceiling_wait(self, scene):
        """A ceiling below the next block's price refuses as temporary, and nothing is in flight."""
        sender = scene.sender()
        sender.fee_ceiling = 1
        with pytest.raises(TemporaryError) as caught:
            scene.worker(sender).step()
        assert caught.value.code == "fees-high"
        assert scene.states() == []
        scene.until_final()

    def test_an_account_that_runs_low_is_named(self, scene):
        """While an account still pays for a few anchors, the worker says which one needs money, and for how many."""
        sender = scene.sender()
        scene.chained.chain.fund(sender.address, GAS_OF_AN_ANCHOR * sender.fees().max_fee * (LOW_WATER // 2))
        said = scene.worker(sender).step().said
        assert f"0x{sender.address.hex()} pays for about" in said

    def test_an_empty_account_waits(self, scene):
        """An account without money refuses as temporary and says what to do; with money it goes on."""
        address = "0x" + scene.sender().address.hex()
        scene.rpc.ask("anvil_setBalance", address, "0x0")
        with pytest.raises(TemporaryError) as caught:
            scene.worker().step()
        assert caught.value.code == "funds-low"
        scene.rpc.ask("anvil_setBalance", address, hex(ETHER))
        scene.until_final()


class TestReorganisations:
    """Blocks leave the chain."""

    @pytest.mark.parametrize("due", [True, False], ids=["new anchors due", "nothing due"])
    def test_an_anchor_whose_block_left_is_anchored_again(self, scene, due):
        """A mined anchor that a reorganisation took is sent again and becomes final."""
        worker = scene.worker()
        worker.step()
        (attempt,) = scene.attempts()
        assert attempt.state == "mined"
        scene.rpc.ask("anvil_reorg", 1, [])
        assert scene.head()[0] == 0
        worker.step(send=due)
        scene.mine(3)
        state = worker.step(send=due)
        assert (state.anchored, state.final) == (attempt.size, attempt.size)
        assert scene.states() == [(attempt.size, "final")]

    def test_two_anchors_whose_blocks_left(self, scene):
        """Two anchors taken at once do not block each other: the log is anchored again, in order."""
        worker = scene.worker()
        worker.step()
        scene.grow("more")
        worker.step()
        assert [state for _, state in scene.states()] == ["mined", "mined"]
        scene.rpc.ask("anvil_reorg", 2, [])
        assert scene.head()[0] == 0
        scene.until_final()

    def test_one_that_waits_behind_a_gap(self, scene):
        """An attempt whose nonce is ahead of the account's cannot be mined: the log is anchored at once, before it."""
        worker = scene.worker()
        worker.step()
        scene.grow("more")
        worker.step()
        scene.rpc.ask("anvil_reorg", 2, [])
        with scene.house.app.database.write() as connection:
            connection.execute(text("delete from attempts where nonce = (select min(nonce) from attempts)"))
        state = worker.step()
        assert state.sent
        assert state.anchored == state.size
        assert scene.attempts()[-1].nonce < scene.attempts()[0].nonce or len(scene.attempts()) == 1
        scene.until_final()

    def test_a_final_one_that_left_anyway(self, scene):
        """Even a final anchor may be lost with the machine of a test chain; it is said, and anchored anew."""
        size = scene.until_final()
        (found,) = scene.finals()
        scene.rpc.ask("anvil_reorg", scene.rpc.block("latest").number - found.block + 1, [])
        state = scene.worker().step(send=False)
        assert f"lost its head of size {size}" in state.said
        assert scene.states()[-1][1] == "lost"
        assert scene.until_final() >= size


class TestOthers:
    """Somebody else uses the contract."""

    def relay(self, scene: Scene, size: int, *, root: bytes | None = None, proof: Any = None) -> None:
        """Let a stranger's account anchor the log's own head of *size* with the log's own signature."""
        house, place = scene.house, scene.house.app.place
        leaves = house.leaves()
        root = naive_root(leaves[:size]) if root is None else root
        last = scene.head()[0]
        if proof is None:
            proof = house.log.consistency(last, size) if last else []
        secret = open_evm_key(house.app.settings, "anchor").secret
        r, s, v = sign_checkpoint(secret, log_id=place.log_id, size=size, root=root)
        stranger = scene.sender("guardian")
        scene.chained.chain.fund(stranger.address)
        prepared = stranger.build_anchor(
            place.log_id,
            size=size,
            root=root,
            proof=proof,
            signature=to_compact(r, s, v),
            nonce=stranger.nonce(),
            fees=stranger.fees(),
        )
        stranger.wait(stranger.broadcast(prepared.raw))

    def test_our_checkpoint_relayed_by_a_stranger_is_adopted(self, scene):
        """A head of ours that another account anchored is taken over, with the stranger's transaction."""
        dying = scene.sender()
        dying.where = "build_anchor"
        with pytest.raises(Crash):
            scene.worker(dying).step()
        size = scene.house.size()
        self.relay(scene, size)
        scene.mine(2)
        state = scene.worker().step()
        assert state.settled
        assert not state.sent
        assert scene.states() == [(size, "final")]
        place = scene.house.app.place
        found = find_anchored(scene.rpc, place.contract, place.log_id, 1)
        with scene.house.app.database.read() as connection:
            (final,) = anchors.newest_final(connection)
        assert final.tx == found.tx
        assert final.log is not None

    def test_a_stranger_overtakes_our_transaction(self, scene):
        """While ours waits a stranger anchors the same head: ours changes nothing, and finality follows theirs."""
        scene.hold()
        worker = scene.worker()
        worker.step()
        (attempt,) = scene.attempts()
        scene.rpc.ask("anvil_dropTransaction", "0x" + attempt.tx.hex())
        scene.rpc.ask("evm_setAutomine", True)
        self.relay(scene, attempt.size)
        worker.step(send=False)
        assert scene.states()[0] == (attempt.size, "replaced")
        assert scene.until_final() == attempt.size

    def test_an_adopted_anchor_whose_block_left(self, scene):
        """An adopted anchor that a reorganisation took is lost; then the log anchors for itself."""
        dying = scene.sender()
        dying.where = "build_anchor"
        with pytest.raises(Crash):
            scene.worker(dying).step()
        self.relay(scene, scene.house.size())
        scene.worker().step()
        assert [state for _, state in scene.states()] == ["mined"]
        scene.rpc.ask("anvil_reorg", 1, [])
        scene.until_final()
        assert {state for _, state in scene.states()} == {"lost", "final"}

    def test_a_head_beyond_the_log_stops_the_service(self, scene):
        """A head larger than the log, signed with the anchor key, is a stolen key or a cut log: stop."""
        size = scene.until_final()
        leaves = [*scene.house.leaves(), bytes(32)]
        self.relay(scene, size + 1, root=naive_root(leaves), proof=subproof(size, leaves))
        with pytest.raises(LogIntegrityError) as caught:
            scene.worker().step()
        assert caught.value.code == "anchor-ahead"
        before = scene.house.size()
        with pytest.raises(LogIntegrityError):
            scene.worker().step(send=False)
        assert scene.house.size() == before

    def test_the_worker_ends_with_70(self, scene):
        """`worker` ends with exit code 70, the code on standard error, and no traceback."""
        size = scene.until_final()
        leaves = [*scene.house.leaves(), bytes(32)]
        self.relay(scene, size + 1, root=naive_root(leaves), proof=subproof(size, leaves))
        done = subprocess.run(
            [sys.executable, "-m", "traceledger", "--dir", scene.house.folder, "worker"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 70
        assert done.stderr.splitlines()[-1].startswith("anchor-ahead: ")
        assert "Traceback" not in done.stderr

    def test_a_head_of_another_history_stops_the_service(self, scene):
        """A head within the log's size but of other entries is a fork: stop, and anchor nothing."""
        size = scene.until_final()
        leaves = [*scene.house.leaves(), bytes(32)]
        self.relay(scene, size + 1, root=naive_root(leaves), proof=subproof(size, leaves))
        scene.grow("one")
        scene.grow("two")
        with pytest.raises(LogIntegrityError) as caught:
            scene.worker().step()
        assert caught.value.code == "head-fork"

    def test_a_sealed_log_stops_the_service(self, scene):
        """After the guardian sealed the log nothing is anchored, and the message names the successor."""
        scene.until_final()
        guardian, place = scene.sender("guardian"), scene.house.app.place
        scene.chained.chain.fund(guardian.address)
        data = _encode("seal", [place.log_id, bytes([7]) * 32])
        prepared = guardian.build_call(place.contract, data, nonce=guardian.nonce(), fees=guardian.fees())
        guardian.wait(guardian.broadcast(prepared.raw))
        scene.grow("more")
        with pytest.raises(LogIntegrityError, match="07" * 32) as caught:
            scene.worker().step()
        assert caught.value.code == "anchor-mismatch"


class TestConfiguration:
    """The chain is not the one that was meant, or not there."""

    def test_a_chain_that_is_down(self, scene, anvil_factory):
        """While the chain is down anchoring is temporary trouble and the log takes statements; then it catches up."""
        node = scene.chained.chain
        node.stop()
        for _ in range(2):
            with pytest.raises(TemporaryError) as caught:
                scene.worker().step()
            assert caught.value.code == "chain-unreachable"
            scene.grow(f"meanwhile {scene.house.size()}")
        assert scene.states() == []
        scene.chained.chain = anvil_factory(node.state, port=node.port)
        scene.until_final()

    @pytest.mark.parametrize("where", ["nonce", "build_anchor", "broadcast", "receipt"])
    def test_a_chain_that_goes_down_midway(self, scene, anvil_factory, where):
        """The chain dies in the middle of a step: temporary trouble, and the next chain's head decides."""
        node = scene.chained.chain
        sender = scene.sender()
        act = getattr(sender, where)

        def stop_first(*args, **kwargs):
            node.stop()
            return act(*args, **kwargs)

        setattr(sender, where, stop_first)
        with pytest.raises(TemporaryError) as caught:
            scene.worker(sender).step()
        assert caught.value.code == "chain-unreachable"
        scene.grow("meanwhile")
        scene.chained.chain = anvil_factory(node.state, port=node.port)
        scene.until_final()

    def test_another_chain_id(self, scene, anvil_factory):
        """An endpoint that serves another chain is refused before anything is signed for it."""
        other = anvil_factory(chain_id=1)
        move(scene.house, other)
        size = scene.house.size()
        with pytest.raises(VerificationError) as caught:
            scene.worker().step()
        assert caught.value.code == "chain-id"
        assert scene.house.size() == size

    def test_no_contract_at_the_address(self, scene, anvil_factory):
        """A chain without code at the contract's address is refused."""
        other = anvil_factory()
        move(scene.house, other)
        with pytest.raises(InputError) as caught:
            scene.worker().step()
        assert caught.value.code == "contract-missing"

    def test_another_contract_at_the_address(self, scene):
        """Other code at the contract's address is refused, whatever it answers."""
        address = "0x" + scene.house.app.place.contract.hex()
        scene.rpc.ask("anvil_setCode", address, "0x60006000f3")
        with pytest.raises(InputError) as caught:
            scene.worker().step()
        assert caught.value.code == "contract-differs"

    def test_a_log_nobody_opened(self, scene):
        """A log id that was never opened at the contract is refused with the command that opens it."""
        place = scene.house.app.place
        worker = scene.worker()
        closed = Anchorer(
            worker.log,
            worker.sender,
            log_id=bytes([place.log_id[0] ^ 1, *place.log_id[1:]]),
            signer=open_evm_key(scene.house.app.settings, "anchor"),
            indexer=scene.house.app.key("indexer"),
            operator="x",
            chain=worker.chain,
            heartbeat=1e9,
        )
        with pytest.raises(ConflictError, match="anchor --setup") as caught:
            closed.step()
        assert caught.value.code == "log-unopened"

    def test_a_tampered_database_is_not_anchored(self, scene):
        """Before each anchor the head is recomputed: a changed entry stops the worker before it signs."""
        with scene.house.app.database.write() as connection:
            connection.execute(text("update entries set entry = entry || x'20' where \"index\" = 3"))
        with pytest.raises(LogIntegrityError):
            scene.worker().step()
        assert scene.head()[0] == 0
        assert scene.states() == []
