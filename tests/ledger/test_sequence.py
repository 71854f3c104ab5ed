# SPDX-License-Identifier: Apache-2.0
"""Sequencing: one order for everybody, authority as it stands at each index, and nothing stored of what is refused."""

import hashlib
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event, text

from housekit import COOP, FOUNDED, GTIN, LOT, ORIGIN, PACKER, as_bytes, flag, head_of, naive_root, row_counts
from traceledger.app import build, new_key
from traceledger.core.claims.identifiers import gtin_uri
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import verify_consistency, verify_inclusion
from traceledger.core.log.note import parse_checkpoint, verify_log_signature
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Signature, sign_envelope
from traceledger.errors import (
    InputError,
    LogIntegrityError,
    TemporaryError,
    TraceledgerError,
    VerificationError,
)
from traceledger.ledger.index import build_record
from traceledger.ledger.recompute import recompute
from traceledger.ledger.sequence import Admitted, Log, _Submission
from traceledger.store import log as stored
from traceledger.store.database import Database


def code_of(result) -> str:
    """The code of a refusal, or where the statement stands."""
    return result.code if isinstance(result, TraceledgerError) else f"entry {result.index}"


class TestOrder:
    """Statements get their index in the order in which they are taken."""

    def test_indexes_follow_on(self, house):
        """Each admitted statement gets the next index, and is found there byte for byte."""
        first = house.size()
        envelopes = [house.note(f"note {n}") for n in range(5)]
        for offset, envelope in enumerate(envelopes):
            done = house.log.submit(as_bytes(envelope))
            assert done == Admitted(index=first + offset, id=envelope.id, repeated=False)
            assert Entry.parse(house.log.entry(done.index)).envelope == envelope

    def test_entries_say_when_and_under_which_registry(self, house):
        """Every entry carries the registry chain before it and a time that never falls."""
        house.submit(house.harvest())
        earlier = 0
        registry = (0, bytes(32))
        for raw in house.raw():
            entry = Entry.parse(raw)
            assert entry.reg == registry
            assert entry.t >= earlier
            earlier = entry.t
            if entry.is_registry:
                chain = hashlib.sha256(b"\4" + registry[1] + entry.leaf).digest()
                registry = (registry[0] + 1, chain)

    def test_a_clock_that_falls_back_does_not_show(self, house):
        """A clock set back leaves the admission time where it was."""
        clock = iter([2_000_000_000.9, 1_000_000_000.0, 2_000_000_001.0])
        log = Log(house.app.database, ORIGIN, house.app.key("log"), now=lambda: next(clock))
        indexes = [log.submit_envelope(house.note(f"t{n}")).index for n in range(3)]
        log.close()
        times = [Entry.parse(house.log.entry(index)).t for index in indexes]
        assert times == [2_000_000_000, 2_000_000_000, 2_000_000_001]

    def test_the_checkpoint_covers_what_was_answered(self, house):
        """After an answer the newest checkpoint is over the entry, with the naive root, signed by a policy key."""
        for n in range(4):
            done = house.log.submit_envelope(house.note(f"note {n}"))
            checkpoint = parse_checkpoint(house.log.checkpoint())
            assert checkpoint.size == done.index + 1
            assert checkpoint.root == naive_root(house.leaves())
            keys = house.log.registry().policy.keys_for(checkpoint.size)
            verify_log_signature(checkpoint, keys, [], anchored=False)
            verify_inclusion(
                house.leaves()[done.index],
                index=done.index,
                size=checkpoint.size,
                proof=house.log.inclusion(done.index, checkpoint.size),
                root=checkpoint.root,
            )

    def test_many_submitters_at_once(self, house):
        """32 threads of 20: each index is given once, each answer is covered, and every head extends the last."""
        first = house.size()
        work = [[house.note(f"{thread}/{n}") for n in range(20)] for thread in range(32)]
        seen = []

        def submit(envelopes):
            for envelope in envelopes:
                done = house.log.submit(as_bytes(envelope))
                size, root = head_of(house.log.checkpoint())
                assert size > done.index
                seen.append((done, envelope, size, root))

        with ThreadPoolExecutor(32) as pool:
            list(pool.map(submit, work))
        assert sorted(done.index for done, *_ in seen) == list(range(first, first + 640))
        raw = house.raw()
        for done, envelope, _, _ in seen:
            assert not done.repeated
            assert Entry.parse(raw[done.index]).envelope == envelope
        size, root = head_of(house.log.checkpoint())
        assert (size, root) == (first + 640, naive_root(house.leaves()))
        for old_size, old_root in {(size, root) for *_, size, root in seen}:
            proof = house.log.consistency(old_size, size)
            verify_consistency(
                old_size=old_size, old_root=old_root, new_size=size, new_root=root, proof=proof
            )
        recompute(house.app.database, ORIGIN)

    def test_each_submitter_keeps_its_order(self, house):
        """Statements of one submitter stand in the order in which it sent them, also when sent as one."""
        with ThreadPoolExecutor(8) as pool:
            work = [[as_bytes(house.note(f"{who}-{n}")) for n in range(30)] for who in range(8)]
            for results in pool.map(house.log.submit_many, work):
                indexes = [done.index for done in results]
                assert indexes == sorted(set(indexes))


class TestRepeats:
    """A statement stands in the log once."""

    def test_a_repeat_is_answered_with_the_first_place(self, house):
        """Submitting again, also after a restart, gives the first index and stores nothing."""
        envelope = house.harvest()
        first = house.log.submit(as_bytes(envelope))
        house.log.submit_envelope(house.note("between"))
        before = row_counts(house.app.database)
        assert house.log.submit(as_bytes(envelope)) == replace(first, repeated=True)
        house.reopen()
        assert house.log.submit(as_bytes(envelope)) == replace(first, repeated=True)
        assert row_counts(house.app.database) == before

    def test_a_repeat_in_the_same_group(self, house):
        """Twice in one hand-in is once in the log."""
        data = as_bytes(house.note("twice"))
        first, second, third = house.log.submit_many([data, data, data])
        assert first.index == second.index == third.index == house.size() - 1
        assert [one.repeated for one in (first, second, third)] == [False, True, True]

    def test_a_repeat_from_many_threads(self, house):
        """Sixteen who send the very same at the same time are told one index, and one of them that it is new."""
        data = as_bytes(house.harvest())
        with ThreadPoolExecutor(16) as pool:
            results = list(pool.map(house.log.submit, [data] * 16))
        assert len({done.index for done in results}) == 1
        assert sum(not done.repeated for done in results) == 1

    def test_another_signature_is_no_other_statement(self, house):
        """The id covers the statement, not the signature: a repeat with a broken one is still that repeat."""
        envelope = house.note("once")
        first = house.log.submit(as_bytes(envelope))
        (signature,) = envelope.signatures
        broken = replace(envelope, signatures=(Signature(kid=signature.kid, sig=bytes(64)),))
        before = row_counts(house.app.database)
        try:
            again = house.log.submit(as_bytes(broken))
        except VerificationError as error:
            assert error.code == "signature-form"  # noqa: PT017 - refusing it is as good
        else:
            assert again == replace(first, repeated=True)
        assert row_counts(house.app.database) == before
        assert Entry.parse(house.log.entry(first.index)).envelope == envelope

    def test_a_repeated_registry_statement(self, house):
        """A key registered twice in the same words is registered once."""
        made = new_key(house.app.settings, "may-2")
        envelope = house.key_statement(COOP, made)
        first = house.log.submit(as_bytes(envelope))
        assert house.log.submit(as_bytes(envelope)) == replace(first, repeated=True)


def spoiled(house):
    """One valid statement per name, each with one thing wrong; the code it is refused with."""
    good = house.event(COOP, "care")
    (signature,) = good.signatures
    stranger = new_key(house.app.settings, "la")
    flipped = bytes([signature.sig[0] ^ 1, *signature.sig[1:]])
    text = as_bytes(good)
    deep = b"[" * 100 + b"]" * 100
    yield "truncated", text[:-1], "json-syntax"
    yield "empty", b"", "json-syntax"
    yield "no-json", b"\xff\xfe", "json-syntax"
    yield "no-utf-8", text.replace(b"payloadType", b"payload\xffype"), "json-syntax"
    yield "byte-order-mark", b"\xef\xbb\xbf" + text, "json-syntax"
    yield "oversized", text + b" " * 40_000, "too-large"
    yield "deep", b'{"payload":' + deep + b"}", "json-depth"
    yield "duplicate-member", text[:-1] + b',"payload":""}', "json-duplicate"
    yield "no-envelope", b"{}", "envelope-shape"
    yield "a-list", b"[]", "envelope-shape"
    yield "unsigned", as_bytes(replace(good, signatures=())), "envelope-shape"
    yield (
        "flipped-signature",
        as_bytes(replace(good, signatures=(Signature(kid=signature.kid, sig=flipped),))),
        "signature-invalid",
    )
    yield "unknown-key", as_bytes(house.event(COOP, "care", key=stranger)), "key-unknown"
    yield "foreign-actor", as_bytes(house.event(COOP, "care", key=house.keys[PACKER])), "grant-missing"
    yield "wrong-log", as_bytes(house.event(COOP, "care", change={"tl:log": "other.example"})), "wrong-log"
    yield "unlisted-member", as_bytes(house.event(COOP, "care", change={"tl:more": 1})), "context-open"
    yield "wrong-kind", as_bytes(house.event(COOP, "harvest")), "kind-mismatch"
    yield "not-epcis", as_bytes(house.event(COOP, "care", eventTime="yesterday")), "epcis-invalid"
    yield "not-nfc", as_bytes(house.record(COOP, "notice", "flag", [LOT], {"note": "a\u0301"})), "not-nfc"
    yield (
        "role-missing",
        as_bytes(
            house.record(
                COOP,
                "credential",
                "star",
                [gtin_uri(GTIN)],
                {"stars": 5, "decision": "1", "from": "2026-01-01", "to": "2027-01-01"},
            )
        ),
        "act-denied",
    )
    yield (
        "index-by-another",
        as_bytes(flag(ORIGIN, COOP, house.keys[COOP], "x", kind="index")),
        "kind-mismatch",
    )
    yield "prev-unknown", as_bytes(house.event(COOP, "care", change={"tl:prev": ["0" * 64]})), "prev-unknown"
    yield (
        "registry-void",
        as_bytes(sign_envelope({"v": 1, "log": ORIGIN}, "org", [stranger])),
        "statement-shape",
    )
    yield "unknown-family", text.replace(b"traceledger.event", b"traceledger.other"), "payload-type"


SPOILED = [
    "truncated",
    "empty",
    "no-json",
    "no-utf-8",
    "byte-order-mark",
    "oversized",
    "deep",
    "duplicate-member",
    "no-envelope",
    "a-list",
    "unsigned",
    "flipped-signature",
    "unknown-key",
    "foreign-actor",
    "wrong-log",
    "unlisted-member",
    "wrong-kind",
    "not-epcis",
    "not-nfc",
    "role-missing",
    "index-by-another",
    "prev-unknown",
    "registry-void",
    "unknown-family",
]


class TestRefusals:
    """What is refused leaves nothing and blocks nobody."""

    @pytest.mark.parametrize("name", SPOILED)
    def test_nothing_is_stored(self, house, name):
        """Each is refused by its code, no table has a row more, and the next statement gets the next index."""
        data, code = next((data, code) for found, data, code in spoiled(house) if found == name)
        house.log.submit_envelope(house.note("before"))
        before = row_counts(house.app.database)
        with pytest.raises(TraceledgerError) as caught:
            house.log.submit(data)
        assert caught.value.code == code
        assert caught.value.exit_code in (1, 2)
        assert row_counts(house.app.database) == before
        assert house.log.submit_envelope(house.note("after")).index == before["entries"]
        recompute(house.app.database, ORIGIN)

    def test_a_bad_one_blocks_no_other(self, house):
        """Good and bad ones mixed in one hand-in: every good one is taken, in order, without a gap."""
        first = house.size()
        bad = list(spoiled(house))
        mixed = []
        for n, (_, data, _) in enumerate(bad):
            mixed += [as_bytes(house.note(f"good {n}")), data]
        results = house.log.submit_many(mixed)
        assert [done.index for done in results[::2]] == list(range(first, first + len(bad)))
        assert [code_of(one) for one in results[1::2]] == [code for _, _, code in bad]
        assert house.size() == first + len(bad)

    def test_what_does_not_decode_is_the_senders_to_mend(self, house):
        """Bytes that are no envelope are input to fix; an envelope whose evidence fails is not."""
        with pytest.raises(InputError):
            house.log.submit(b"{")
        with pytest.raises(VerificationError):
            house.log.submit(as_bytes(house.event(COOP, "care", change={"tl:prev": ["0" * 64]})))


class TestAuthority:
    """Authority at an index is the registry below it, within a group as between groups."""

    def test_a_key_registered_and_revoked_within_a_group(self, house):
        """In one hand-in a key speaks after its registration and before its revocation, at no other place."""
        made = new_key(house.app.settings, "may-2")
        notes = [as_bytes(flag(ORIGIN, COOP, made, f"note {n}")) for n in range(3)]
        register = as_bytes(house.key_statement(COOP, made))
        revoke = as_bytes(house.revocation(COOP, made.kid))
        first = house.size()
        results = house.log.submit_many([notes[0], register, notes[1], revoke, notes[2]])
        assert [code_of(one) for one in results] == [
            "key-unknown", f"entry {first}", f"entry {first + 1}", f"entry {first + 2}", "key-revoked",
        ]  # fmt: skip
        with pytest.raises(VerificationError) as caught:
            house.log.submit(notes[0])
        assert caught.value.code == "key-revoked"
        recompute(house.app.database, ORIGIN)

    def test_a_revocation_undoes_nothing(self, house):
        """What a key signed before it was revoked stays, and a repeat of it is still answered."""
        envelope = house.note("before")
        first = house.log.submit(as_bytes(envelope))
        house.log.submit_envelope(house.revocation(COOP, house.keys[COOP].kid))
        assert house.log.submit(as_bytes(envelope)) == replace(first, repeated=True)
        with pytest.raises(VerificationError, match="revoked"):
            house.log.submit(as_bytes(house.note("after")))

    def test_a_registry_statement_refused_changes_nobodys_authority(self, house):
        """A registration by a stranger's admin is refused, and the key stays unknown within that very group."""
        made = new_key(house.app.settings, "may-2")
        from traceledger.ledger import enrol

        forged = enrol.actor_key(
            ORIGIN,
            org=COOP,
            key=made,
            admin=house.app.key(f"{PACKER}-admin"),
            custody="file",
            acts=["*"],
            sites=["*"],
        )
        results = house.log.submit_many([as_bytes(forged), as_bytes(flag(ORIGIN, COOP, made, "x"))])
        assert [code_of(one) for one in results] == ["registry-void", "key-unknown"]

    @pytest.mark.parametrize(
        ("acts", "sites", "code"),
        [
            (["event/harvest"], ["*"], "act-denied"),
            (["event/*"], ["https://id.gs1.org/414/9521234000099"], "site-denied"),
            (["stamps/*"], ["*"], "act-denied"),
        ],
        ids=["other-act", "other-site", "other-family"],
    )
    def test_a_key_speaks_within_its_limits(self, house, acts, sites, code):
        """A key registered for some acts and places is refused for others."""
        made = house.add_key(COOP, "may-2", acts=acts, sites=sites)
        with pytest.raises(VerificationError) as caught:
            house.submit(house.event(COOP, "care", key=made))
        assert caught.value.code == code


class TestPrev:
    """Which entries a statement may say it follows."""

    @pytest.fixture
    def base(self, house):
        """A harvest, a note about another lot, and a short way to a statement with that prev."""
        harvest = house.submit(house.harvest())
        other = house.submit(house.note("elsewhere", about=["urn:example:other"]))

        def follow(*refs):
            return house.log.submit(as_bytes(house.event(COOP, "care", change={"tl:prev": list(refs)})))

        return harvest.id, other.id, follow

    def test_an_earlier_entry_of_the_same_lot(self, base):
        """The lot's own earlier entry, and any id of another log, may be followed."""
        harvest, _, follow = base
        assert not follow(harvest).repeated
        follow(*sorted([harvest, f"other.example/log/{'0' * 64}"]))

    @pytest.mark.parametrize(
        "name", ["unknown", "unrelated", "unsorted", "twice", "own-log-by-name", "registry"]
    )
    def test_nothing_else(self, house, base, name):
        """An unknown id, one of another subject, a list not ascending, this log spelled out: refused."""
        harvest, other, follow = base
        second = follow(harvest).id
        registry = Entry.parse(house.log.entry(FOUNDED)).id
        refs, code = {
            "unknown": (["f" * 64], "prev-unknown"),
            "unrelated": ([other], "prev-unrelated"),
            "unsorted": (sorted([harvest, second], reverse=True), "prev-order"),
            "twice": ([harvest, harvest], "prev-order"),
            "own-log-by-name": ([f"{ORIGIN}/{harvest}"], "prev-order"),
            "registry": ([registry], "prev-unrelated"),
        }[name]
        with pytest.raises(VerificationError) as caught:
            follow(*refs)
        assert caught.value.code == code

    def test_within_a_group(self, house):
        """A statement may follow one of the same hand-in, unless that one is refused."""
        good = house.harvest()
        bad = house.event(COOP, "harvest")
        next_ = house.event(COOP, "care", change={"tl:prev": [good.id]})
        last = house.event(COOP, "care", change={"tl:prev": [bad.id]})
        early = house.event(COOP, "feed", change={"tl:prev": [next_.id]})
        results = house.log.submit_many([as_bytes(one) for one in (early, good, next_, bad, last)])
        first = results[1].index
        assert [code_of(one) for one in results] == [
            "prev-unknown", f"entry {first}", f"entry {first + 1}", "kind-mismatch", "prev-unknown",
        ]  # fmt: skip


class TestTwoProcesses:
    """Two logs on one database, as two web processes have them."""

    @pytest.fixture
    def other(self, house):
        """A second log with its own connections and its own view of the registry."""
        app = build(house.app.settings)
        yield app.sequencer
        app.close()

    def test_they_never_fork(self, house, other):
        """Interleaved submissions get one order; every checkpoint either of them signs extends the one before."""
        first = house.size()
        logs = [house.log, other]
        heads = []

        def submit(n):
            log = logs[n % 2]
            done = log.submit(as_bytes(house.note(f"note {n}")))
            heads.append(head_of(log.checkpoint()))
            return done.index

        with ThreadPoolExecutor(8) as pool:
            indexes = list(pool.map(submit, range(200)))
        assert sorted(indexes) == list(range(first, first + 200))
        size, root = head_of(other.checkpoint())
        assert (size, root) == head_of(house.log.checkpoint()) == (first + 200, naive_root(house.leaves()))
        for old_size, old_root in set(heads):
            proof = other.consistency(old_size, size)
            verify_consistency(
                old_size=old_size, old_root=old_root, new_size=size, new_root=root, proof=proof
            )
        recompute(house.app.database, ORIGIN)

    def test_neither_uses_stale_authority(self, house, other):
        """What one registers the other knows at once; what one revokes the other refuses at once."""
        made = new_key(house.app.settings, "may-2")
        other.submit_envelope(house.note("so that it has folded the registry"))
        house.log.submit_envelope(house.key_statement(COOP, made))
        other.submit_envelope(flag(ORIGIN, COOP, made, "one"))
        house.log.submit_envelope(house.revocation(COOP, made.kid))
        with pytest.raises(VerificationError) as caught:
            other.submit_envelope(flag(ORIGIN, COOP, made, "two"))
        assert caught.value.code == "key-revoked"
        assert other.registry().head == house.log.registry().head

    def test_both_see_repeats_of_the_other(self, house, other):
        """A statement taken by one process is a repeat for the other."""
        data = as_bytes(house.harvest())
        first = house.log.submit(data)
        assert other.submit(data) == replace(first, repeated=True)


@contextmanager
def full_disk(house):
    """For a while the database may not grow by a page."""
    engine = house.app.database.engine
    pages = [0]

    @event.listens_for(engine, "connect")
    def limit(connection, _record):
        if pages[0]:
            connection.execute(f"PRAGMA max_page_count={pages[0]}")

    with house.app.database.read() as connection:
        pages[0] = connection.execute(text("PRAGMA page_count")).scalar_one()
    engine.dispose()
    yield
    pages[0] = 0
    engine.dispose()


class TestTrouble:
    """Faults below the log: nothing half-written, no second history, service where it can be given."""

    def test_a_full_disk_stores_nothing(self, house):
        """When the disk is full the whole group is refused as temporary; with room again it is taken."""
        before = row_counts(house.app.database)
        envelopes = [as_bytes(house.note("x" * 9000 + str(n))) for n in range(20)]
        with full_disk(house):
            results = house.log.submit_many(envelopes)
            assert {code_of(one) for one in results} == {"database-unavailable"}
            assert all(isinstance(one, TemporaryError) for one in results)
            assert row_counts(house.app.database) == before
        results = house.log.submit_many(envelopes)
        assert [done.index for done in results] == list(range(before["entries"], before["entries"] + 20))
        recompute(house.app.database, ORIGIN)

    def test_a_locked_database_is_temporary(self, house):
        """While another holds the write lock for too long, submitters are told to come again."""
        engine = house.app.database.engine

        @event.listens_for(engine, "connect")
        def hurry(connection, _record):
            connection.execute("PRAGMA busy_timeout=20")

        engine.dispose()
        other = Database(house.app.settings.database_url)
        with other.write():
            with pytest.raises(TemporaryError) as caught:
                house.log.submit_envelope(house.note("x"))
            assert caught.value.code == "database-unavailable"
            assert house.log.size() == head_of(house.log.checkpoint())[0]
        other.close()
        assert house.log.submit_envelope(house.note("x")).index == house.size() - 1

    def test_a_head_that_fell_back_stops_the_log(self, house, tmp_path):
        """An older copy put in the database's place is noticed at the next append, and nothing is signed any more."""
        house.log.submit_envelope(house.note("one"))
        with (
            closing(sqlite3.connect(house.folder / "ledger.db")) as source,
            closing(sqlite3.connect(tmp_path / "older.db")) as copy,
        ):
            source.backup(copy)
        house.log.submit_envelope(house.note("two"))
        house.app.database.close()
        for name in ("ledger.db-wal", "ledger.db-shm"):
            (house.folder / name).unlink(missing_ok=True)
        shutil.copyfile(tmp_path / "older.db", house.folder / "ledger.db")
        for _ in range(2):
            with pytest.raises(LogIntegrityError) as caught:
                house.log.submit_envelope(house.note("three"))
            assert caught.value.code == "head-rollback"
        assert house.reopen().log.submit_envelope(house.note("three")).index == house.size() - 1

    def test_a_head_that_moved_under_its_lock_is_a_fork(self, house):
        """An append onto a head that is not the stored one any more writes nothing."""
        with house.app.database.read() as connection:
            old = stored.read_head(connection)
        house.log.submit_envelope(house.note("one"))
        entry = Entry.make(house.note("two"), reg=(0, bytes(32)), t=1)
        before = row_counts(house.app.database)
        item = stored.Appended(index=house.size(), entry=entry, subjects=())
        with pytest.raises(LogIntegrityError) as caught, house.app.database.write() as connection:
            stored.append(connection, old, [item])
        assert caught.value.code == "head-fork"
        assert row_counts(house.app.database) == before
        recompute(house.app.database, ORIGIN)

    def test_a_registration_that_was_not_stored_gives_no_authority(self, house):
        """A group that could not be committed leaves no key known, though its registration was folded already."""
        made = new_key(house.app.settings, "may-2")
        with full_disk(house):
            padding = [house.note("x" * 9000 + str(n)) for n in range(20)]
            group = [_Submission(one) for one in (house.key_statement(COOP, made), *padding)]
            house.log._commit(group)
            assert {one.done.exception().code for one in group} == {"database-unavailable"}
        with pytest.raises(VerificationError) as caught:
            house.log.submit_envelope(flag(ORIGIN, COOP, made, "x"))
        assert caught.value.code == "key-unknown"
        recompute(house.app.database, ORIGIN)

    def test_a_process_without_a_key_signs_nothing(self, house):
        """A read-only process serves entries and tiles; a checkpoint it cannot sign is not there."""
        app = build(house.app.settings, sign=False)
        assert app.sequencer.entry(0) == house.log.entry(0)
        with pytest.raises(TraceledgerError) as caught:
            app.sequencer.checkpoint()
        assert caught.value.code == "checkpoint-unknown"
        app.close()

    def test_no_checkpoint_over_changed_hashes(self, house):
        """A process that finds leaf hashes that do not lead to the head signs nothing."""
        house.log.submit_envelope(house.note("one"))
        with house.app.database.write() as connection:
            connection.execute(text('update entries set leaf = randomblob(32) where "index" = 3'))
        fresh = build(house.app.settings)
        with pytest.raises(LogIntegrityError) as caught:
            fresh.sequencer.checkpoint()
        assert caught.value.code == "root-mismatch"
        fresh.close()

    def test_submitting_while_closing_hangs_nobody(self, house):
        """Whoever submits around a close is answered; the log works on after it."""
        stop = threading.Event()

        def close():
            while not stop.is_set():
                house.log.close()

        closer = threading.Thread(target=close)
        closer.start()
        with ThreadPoolExecutor(4) as pool:
            work = [as_bytes(house.note(f"n{n}")) for n in range(100)]
            done = list(pool.map(house.log.submit, work, timeout=60))
        stop.set()
        closer.join()
        assert len({one.index for one in done}) == 100


class TestBuilt:
    """Statements that must know their own place: index records."""

    def build(self, house):
        return lambda connection, size, root: build_record(
            connection,
            size,
            root,
            origin=ORIGIN,
            operator=house.app.settings.operator,
            key=house.app.key("indexer"),
            demo=True,
        )

    def test_it_is_built_for_the_place_it_gets(self, house):
        """An index record names its own index and the head just below it, whatever else is being submitted."""
        with ThreadPoolExecutor(4) as pool:
            others = [pool.submit(house.log.submit_envelope, house.note(f"n{n}")) for n in range(40)]
            done = None
            while done is None:
                try:
                    done = house.log.submit_built(self.build(house))
                except TemporaryError as error:
                    assert error.code == "busy"  # noqa: PT017 - another one was built for the same head
            for other in others:
                other.result()
        record = Entry.parse(house.log.entry(done.index)).statement
        assert record["data"]["size"] == done.index
        assert record["seen"] == [done.index, b64encode(naive_root(house.leaves()[: done.index]))]

    def test_it_comes_before_what_waits_beside_it(self, house):
        """In a group with others it is placed first, on the very head it was built for; a second one must come again."""
        size = house.size()
        builds = [_Submission(None, self.build(house)) for _ in range(2)]
        note = _Submission(house.note("beside"))
        house.log._commit([note, *builds])
        assert builds[0].done.result().index == size
        assert note.done.result().index == size + 1
        with pytest.raises(TemporaryError) as caught:
            builds[1].done.result()
        assert caught.value.code == "busy"
        recompute(house.app.database, ORIGIN)

    def test_it_is_refused_at_another_place(self, house):
        """A record made for one place and submitted at another is refused."""
        with house.app.database.read() as connection:
            head = stored.read_head(connection)
            record = self.build(house)(connection, head.size + 5, head.root)
        with pytest.raises(VerificationError) as caught:
            house.log.submit(as_bytes(record))
        assert caught.value.code == "index-position"

    def test_its_checkpoint_waits_for_the_anchor_signer(self, house):
        """No checkpoint that ends in an index record goes out before the anchor signer's line is on it."""
        before = house.log.checkpoint()
        done = house.log.submit_built(self.build(house))
        assert head_of(house.log.checkpoint()) == head_of(before)
        house.log.submit_envelope(house.note("next"))
        assert head_of(house.log.checkpoint())[0] == done.index + 2
