# SPDX-License-Identifier: Apache-2.0
"""The contract against a model of it, over long random lives of several logs."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from evmkit import ZERO, AnchorEvm, Key, Reverted, leaves, subproof, tree_head, word
from traceledger.core.log.anchor import log_id, origin_hash
from traceledger.core.log.merkle import check_consistency

KEYS = [Key(f"key {n}") for n in range(4)]
# two histories that part after five leaves
TREES = [leaves(24), [*leaves(5), *(bytes([7]) * 32 for _ in range(19))]]
HEADS = [[tree_head(tree[:size]) for size in range(25)] for tree in TREES]
ORIGINS = ["one.example", "two.example"]

key = st.sampled_from(KEYS)
size = st.integers(0, 24)
branch = st.integers(0, 1)


@dataclass
class Model:
    """What one log should look like."""

    signer: bytes
    guardian: bytes
    size: int = 0
    root: bytes = ZERO
    seq: int = 0
    time: int = 0
    is_sealed: bool = False
    successor: bytes = ZERO
    sizes: list[int] = field(default_factory=list)


class Lives(RuleBasedStateMachine):
    """Opens, anchors, rotates, seals and reports, rightly and wrongly; every answer is foretold by the model."""

    ids = Bundle("ids")

    @initialize()
    def deploy(self) -> None:
        self.evm = AnchorEvm()
        self.logs: dict[bytes, Model] = {}

    @rule(target=ids, signer=key, guardian=key, origin=st.sampled_from(ORIGINS))
    def open(self, signer: Key, guardian: Key, origin: str) -> bytes:
        made = self.evm.send("open", signer.address, guardian.address, origin_hash(origin))
        assert made == log_id(signer.address, guardian.address, origin)
        self.logs.setdefault(made, Model(signer.address, guardian.address))
        return made

    @rule(target=ids, name=st.binary(min_size=32, max_size=32))
    def imagine(self, name: bytes) -> bytes:
        return name

    @rule(log=ids, size=size, branch=branch, signer=key, honest=st.booleans(), cut=st.integers(0, 3))
    def anchor(self, log: bytes, size: int, branch: int, signer: Key, honest: bool, cut: int) -> None:
        model = self.logs.get(log)
        if honest and model is not None:
            signer = next(k for k in KEYS if k.address == model.signer)
        last = model.size if model else 0
        proof = subproof(last, TREES[branch][:size]) if 0 < last < size else []
        proof = proof[: len(proof) - cut] if cut < 2 else proof  # mostly whole
        root = HEADS[branch][size]
        self.evm.set_time(self.evm.time + 1)
        expected = self._anchor_answer(model, size, root, proof, signer)
        answer = self._try("anchor", log, size, root, proof, *signer.sign(log, size, root))
        assert answer == expected
        if model is not None and expected == ("", ()) and size > model.size:
            model.size, model.root, model.time = size, root, self.evm.time
            model.seq += 1
            model.sizes.append(size)

    @rule(log=ids, guardian=key, new=st.one_of(key, st.none()))
    def rotate(self, log: bytes, guardian: Key, new: Key | None) -> None:
        model = self.logs.get(log)
        expected = self._guarded_answer(model, guardian)
        if expected == ("", ()) and new is None:
            expected = ("ZeroSigner", ())
        assert self._try("rotate", log, new.address if new else 0, by=guardian.address) == expected
        if model is not None and new is not None and expected == ("", ()):
            model.signer = new.address

    @rule(log=ids, guardian=key, successor=st.binary(min_size=32, max_size=32))
    def seal(self, log: bytes, guardian: Key, successor: bytes) -> None:
        model = self.logs.get(log)
        expected = self._guarded_answer(model, guardian)
        assert self._try("seal", log, successor, by=guardian.address) == expected
        if model is not None and expected == ("", ()):
            model.is_sealed, model.successor = True, successor

    @rule(log=ids, size=size, other=size, signers=st.tuples(key, key))
    def report(self, log: bytes, size: int, other: int, signers: tuple[Key, Key]) -> None:
        model = self.logs.get(log)
        a, b = HEADS[0][size], HEADS[1][other]
        if model is None:
            expected = "Unopened"
        elif a == b:
            expected = "NotAFork"
        else:
            expected = "BadSignature" if any(k.address != model.signer for k in signers) else ""
        signatures = [k.sign(log, size, root) for k, root in zip(signers, (a, b), strict=True)]
        answer = self._try("reportFork", log, size, a, *signatures[0], b, *signatures[1])
        assert answer == (expected, ())

    @invariant()
    def heads_are_foretold(self) -> None:
        for log, model in getattr(self, "logs", {}).items():
            head = self.evm.head(log)
            assert (head.size, head.root, head.time, head.seq) == (
                model.size,
                model.root,
                model.time,
                model.seq,
            )
            assert (head.signer, head.guardian) == (model.signer, model.guardian)
            assert (head.is_sealed, head.successor) == (model.is_sealed, model.successor)
            assert model.sizes == sorted(set(model.sizes))
            assert len(model.sizes) == model.seq

    def _try(self, function: str, *arguments: Any, **options: Any) -> tuple[str, tuple[bytes, ...]]:
        try:
            self.evm.send(function, *arguments, **options)
        except Reverted as error:
            return error.name, error.words
        return "", ()

    def _guarded_answer(self, model: Model | None, guardian: Key) -> tuple[str, tuple[bytes, ...]]:
        if model is None:
            return "Unopened", ()
        if guardian.address != model.guardian:
            return "NotGuardian", ()
        return ("Sealed", (model.successor,)) if model.is_sealed else ("", ())

    def _anchor_answer(
        self, model: Model | None, size: int, root: bytes, proof: list[bytes], signer: Key
    ) -> tuple[str, tuple[bytes, ...]]:
        if model is None:
            return "Unopened", ()
        if model.is_sealed:
            return "Sealed", (model.successor,)
        at = (word(model.size), model.root)
        if size < model.size:
            return "Stale", at
        if size == model.size:
            return ("", ()) if size and root == model.root else ("Conflict", at)
        reason = (
            check_consistency(model.size, size, model.root, root, proof) if model.size else 2 * bool(proof)
        )
        if reason:
            return "BadProof", (word(reason),)
        return ("", ()) if signer.address == model.signer else ("BadSignature", ())


TestLives = Lives.TestCase
TestLives.settings = settings(stateful_step_count=40)
