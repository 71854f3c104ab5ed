# SPDX-License-Identifier: Apache-2.0
"""Audits: an honest log holds, and whatever an operator does to history is found by something it does not control."""

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from housekit import (
    COOP,
    LOT,
    OPERATOR,
    ORIGIN,
    PACKER,
    Chained,
    House,
    flag,
    found_house,
    head_of,
    naive_root,
    naive_tile,
    open_house,
)
from ledger.forgery import forge, log_anyway, truncate
from ledger.spoiling import cell, flip, spoil
from traceledger.chain.rpc import observe
from traceledger.core.judge.bundle import Bundle
from traceledger.core.judge.verify import verify_bundle
from traceledger.core.log import note
from traceledger.core.log.entry import Entry
from traceledger.core.log.merkle import root_of
from traceledger.core.log.note import parse_checkpoint, sign_checkpoint
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.core.sign.encoding import b64encode
from traceledger.core.sign.envelope import Envelope, sign_envelope
from traceledger.errors import InputError, LogIntegrityError, NotFoundError, TemporaryError
from traceledger.ledger import enrol
from traceledger.ledger.audit import AuditReport, audit
from traceledger.ledger.index import build_record
from traceledger.ledger.recompute import recompute
from traceledger.store import log as stored
from traceledger.store.source import DatabaseSource, UrlSource
from traceledger.web import create_app


def look(house: House, *, trust: Any = "own", **options: Any) -> AuditReport:
    """Audit the deployment's own database."""
    source = DatabaseSource(house.app.database, house.log.checkpoint)
    return audit(source, trust=house.app.trust if trust == "own" else trust, **options)


def first(report: AuditReport) -> tuple[str, int | None]:
    """Code and index of the first bad place."""
    return report.bad[0].code, report.bad[0].index


def codes(report: AuditReport) -> set[str]:
    """All codes."""
    return {bad.code for bad in report.bad}


@dataclass
class Kept:
    """A deployment on a chain, and what people have kept of it: an old checkpoint, an old bundle, a trust file."""

    chained: Chained
    harvest: int
    checkpoint: str
    bundle: bytes

    @property
    def house(self) -> House:
        return self.chained.house

    @property
    def rpc(self) -> str:
        return self.chained.chain.url


@pytest.fixture
def kept(chained: Chained) -> Kept:
    """A harvest, its care and a notice, anchored finally; checkpoint and bundle taken home."""
    house = chained.house
    harvest = house.submit(house.harvest(kg=1200)).index
    house.submit(house.event(COOP, "care"))
    house.submit(house.note("elsewhere", about=["urn:example:other"]))
    chained.final()
    return Kept(chained, harvest, house.log.checkpoint(), house.app.prover.bundle(LOT))


class TestHonest:
    """Nothing was done to the log."""

    def test_a_clean_log_holds(self, kept):
        """Entries, checkpoint, chain, an old checkpoint and an old bundle's one all agree: exit code 0."""
        old = [kept.checkpoint, Bundle.parse(kept.bundle).checkpoint]
        report = look(kept.house, endpoints=[kept.rpc], old_checkpoints=old)
        assert (report.ok, report.exit_code, report.bad, report.unasked) == (True, 0, [], [])
        assert report.entries == kept.house.size()
        assert len(report.chain) == 1
        value = report.to_json()
        assert value["ok"] is True
        assert value["first_bad"] is None
        assert all(set(f) >= {"code", "severity", "subject", "index", "sum"} for f in value["findings"])

    def test_findings_never_change_the_result(self, kept):
        """Selling more than was harvested is a red finding with its sum, and the log still holds."""
        kept.house.submit(kept.house.event(COOP, "sell", kg=5000, action="DELETE"))
        report = look(kept.house)
        assert report.ok
        red = [f for f in report.findings if f.severity == "red"]
        assert {f.code for f in red} >= {"mass-balance"}
        assert any("5000" in f.sum for f in red)

    def test_the_log_goes_on(self, kept):
        """Old checkpoints and the chain's older head stay heads of a log that has grown."""
        for n in range(5):
            kept.house.submit(kept.house.note(f"more {n}"))
        report = look(kept.house, endpoints=[kept.rpc], old_checkpoints=[kept.checkpoint])
        assert report.exit_code == 0

    def test_without_a_trust_file_nothing_is_said_to_be_good(self, kept):
        """Whose log it is nobody can tell then: exit code 4, never 0."""
        report = look(kept.house, trust=None, endpoints=[kept.rpc])
        assert report.ok
        assert report.exit_code == 4

    def test_an_endpoint_that_does_not_answer(self, kept):
        """A chain that cannot be asked is no fault of the log, and no green either: exit code 4."""
        kept.chained.chain.stop()
        report = look(kept.house, endpoints=[kept.rpc])
        assert (report.ok, report.exit_code) == (True, 4)

    def test_another_chain(self, kept, anvil_factory):
        """An endpoint of a chain the policy does not name is told apart."""
        report = look(kept.house, endpoints=[anvil_factory(chain_id=1).url])
        assert first(report) == ("chain-id", None)

    def test_the_named_chain_without_the_contract(self, kept, anvil_factory):
        """The right chain id without the contract does not pass for the chain."""
        report = look(kept.house, endpoints=[anvil_factory().url])
        assert first(report) == ("contract-missing", None)

    def test_a_checkpoint_that_is_none(self, kept):
        """What the auditor hands in must be a checkpoint: else it is input to fix, not a broken log."""
        with pytest.raises(InputError):
            look(kept.house, old_checkpoints=["no checkpoint"])


class TestDatabase:
    """A hand in the database that has no key."""

    @pytest.mark.parametrize("bit", [0, 300, 4000, 7001])
    def test_a_flipped_bit(self, kept, bit):
        """One bit of a stored entry is named by its index."""
        data = cell(kept.house.folder, f'select entry from entries where "index" = {kept.harvest}')
        spoil(
            kept.house.folder, 'update entries set entry = ? where "index" = ?', flip(data, bit), kept.harvest
        )
        report = look(kept.house, endpoints=[kept.rpc])
        assert report.exit_code == 1
        assert report.bad[0].index == kept.harvest or "root-mismatch" in codes(report)

    def test_two_entries_swapped(self, kept):
        """Two entries in each other's place do not lead to the checkpoint's root."""
        for old, new in ((kept.harvest, -1), (kept.harvest + 1, kept.harvest), (-1, kept.harvest + 1)):
            spoil(kept.house.folder, 'update entries set "index" = ? where "index" = ?', new, old)
        report = look(kept.house, endpoints=[kept.rpc])
        assert report.exit_code == 1
        assert first(report) == ("prev-unknown", kept.harvest)
        assert "root-mismatch" in codes(report)

    @pytest.mark.parametrize("back", [1, 3])
    def test_an_entry_removed(self, kept, back):
        """A row that is gone is named by its index, in the middle and at the end."""
        index = kept.house.size() - back
        spoil(kept.house.folder, 'delete from entries where "index" = ?', index)
        report = look(kept.house.reopen())
        assert ("entry-missing", index) in {(bad.code, bad.index) for bad in report.bad}
        assert report.exit_code == 1

    def test_an_admission_time_set_back(self, kept):
        """A time before the entry's before is named, beside the root that no longer fits."""
        entry = Entry.parse(kept.house.log.entry(kept.harvest))
        changed = Entry.make(entry.envelope, reg=entry.reg, t=entry.t - 86_400)
        spoil(kept.house.folder, 'update entries set entry = ? where "index" = ?', changed.raw, kept.harvest)
        report = look(kept.house)
        assert first(report) == ("adm-time", kept.harvest)
        assert "root-mismatch" in codes(report)

    def test_another_registry_chain(self, kept):
        """An entry that names another registry head is named."""
        entry = Entry.parse(kept.house.log.entry(kept.harvest))
        changed = Entry.make(entry.envelope, reg=(entry.reg[0], bytes(32)), t=entry.t)
        spoil(kept.house.folder, 'update entries set entry = ? where "index" = ?', changed.raw, kept.harvest)
        assert first(look(kept.house)) == ("adm-reg", kept.harvest)

    def test_changed_hashes(self, kept):
        """Leaf hashes that do not lead to the head: no checkpoint can be signed, the entries are replayed anyway."""
        kept.house.submit(kept.house.note("after the anchor"))
        spoil(kept.house.folder, 'update entries set leaf = randomblob(32) where "index" = 5')
        report = look(kept.house.reopen())
        assert first(report) == ("root-mismatch", None)
        assert report.entries == kept.house.size()

    def test_a_kept_checkpoint_exchanged(self, kept):
        """A checkpoint signed by a stranger is refused."""
        old = parse_checkpoint(kept.checkpoint)
        forged = note.sign_checkpoint(ORIGIN, old.size, old.root, kept.house.keys[COOP]).text()
        spoil(kept.house.folder, "update checkpoints set note = ? where size = ?", forged, old.size)
        assert first(look(kept.house.reopen()))[0] == "note-signature"


def less(index: int):
    """A change of the harvest at *index*: one kilogram less."""

    def change(at: int, statement: dict[str, Any]) -> dict[str, Any] | None:
        if at != index:
            return None
        assert statement["quantityList"][0]["quantity"] == 1200
        statement["quantityList"][0]["quantity"] = 1199
        return statement

    return change


class TestRecomputingOperator:
    """The operator edits one kilogram and rebuilds every hash, tile, head and checkpoint with the real log key."""

    @pytest.fixture
    def alone(self, kept: Kept) -> Kept:
        """The operator alone: the farmer's signature stays as it was."""
        forge(kept.house, less(kept.harvest))
        return kept

    @pytest.fixture
    def colluding(self, kept: Kept) -> Kept:
        """The farmer helps and signs the changed harvest, and all that followed it, anew."""
        forge(kept.house, less(kept.harvest), signers=[kept.house.keys[COOP]])
        return kept

    def test_the_own_start_up_check_passes(self, alone):
        """The database agrees with itself: nothing at home says that anything was done."""
        recompute(alone.house.app.database, ORIGIN)
        assert parse_checkpoint(alone.house.log.checkpoint()).size == parse_checkpoint(alone.checkpoint).size

    def test_alone_the_signature_tells(self, alone):
        """Without the farmer's key the changed harvest is void, and named."""
        assert first(look(alone.house)) == ("signature-invalid", alone.harvest)

    def test_with_the_farmer_the_log_alone_does_not_tell(self, colluding):
        """With the farmer's key every statement is valid: what a log cannot tell about itself, and why it is anchored."""
        recompute(colluding.house.app.database, ORIGIN)
        report = look(colluding.house)
        assert (report.ok, report.bad) == (True, [])

    @pytest.mark.parametrize("who", ["alone", "colluding"])
    def test_the_chain_refuses(self, request, who):
        """The chain's head is not a head of the new history."""
        forged = request.getfixturevalue(who)
        report = look(forged.house, endpoints=[forged.rpc])
        assert "head-fork" in codes(report)
        assert report.exit_code == 1

    @pytest.mark.parametrize("who", ["alone", "colluding"])
    def test_an_old_checkpoint_refuses(self, request, who):
        """A checkpoint somebody kept is not a head of the new history."""
        forged = request.getfixturevalue(who)
        assert "head-fork" in codes(look(forged.house, old_checkpoints=[forged.checkpoint]))

    @pytest.mark.parametrize("who", ["alone", "colluding"])
    def test_an_old_bundle_refuses(self, request, who):
        """So is the checkpoint of a bundle somebody took home."""
        forged = request.getfixturevalue(who)
        old = Bundle.parse(forged.bundle).checkpoint
        assert "head-fork" in codes(look(forged.house, old_checkpoints=[old]))

    def test_a_new_bundle_fails_on_the_chain(self, colluding):
        """A bundle of the new history verifies by itself, and fails as soon as its anchor is asked for."""
        bundle = Bundle.parse(colluding.house.app.prover.bundle(LOT))
        trust = colluding.house.app.trust
        assert verify_bundle(bundle, trust=trust).ok
        seen = [observe(colluding.rpc, bytes.fromhex(anchor.tx[2:])) for anchor in bundle.anchors]
        report = verify_bundle(bundle, trust=trust, observations={0: seen})
        assert (report.ok, report.rungs["ANCHORED"].reason) == (False, "anchor-mismatch")

    def test_the_old_bundle_still_holds(self, colluding):
        """What people took home before stays good, on the very same chain."""
        bundle = Bundle.parse(colluding.bundle)
        seen = [observe(colluding.rpc, bytes.fromhex(anchor.tx[2:])) for anchor in bundle.anchors]
        report = verify_bundle(bundle, trust=colluding.house.app.trust, observations={0: seen})
        assert report.ok
        assert report.rungs["ANCHORED"].result == "pass"

    def test_the_next_anchor_is_refused(self, colluding):
        """The forged log cannot be anchored any more: the worker stops."""
        colluding.house.submit(colluding.house.note("more"))
        with pytest.raises(LogIntegrityError) as caught:
            colluding.house.app.anchorer().step()
        assert caught.value.code == "head-fork"


class TestTruncatingOperator:
    """The operator cuts the tail off and makes everything agree with it."""

    @pytest.fixture
    def cut(self, kept: Kept) -> Kept:
        """The harvest's care and all after it are gone."""
        truncate(kept.house, kept.harvest + 1)
        return kept

    def test_the_log_alone_does_not_tell(self, cut):
        """The shorter log passes its own check and an audit of itself."""
        recompute(cut.house.app.database, ORIGIN)
        assert look(cut.house).ok

    def test_the_chain_knows_more(self, cut):
        """The chain's head is beyond the log."""
        report = look(cut.house, endpoints=[cut.rpc])
        assert first(report) == ("anchor-ahead", None)

    @pytest.mark.parametrize("what", ["checkpoint", "bundle"])
    def test_what_was_kept_knows_more(self, cut, what):
        """So does a checkpoint, and a bundle, from before."""
        old = cut.checkpoint if what == "checkpoint" else Bundle.parse(cut.bundle).checkpoint
        assert first(look(cut.house, old_checkpoints=[old])) == ("head-rollback", None)

    def test_growing_past_the_cut_is_a_fork(self, cut):
        """Filling the log up again with other entries does not help."""
        while cut.house.size() <= parse_checkpoint(cut.checkpoint).size:
            cut.house.submit(cut.house.note(f"filler {cut.house.size()}"))
        report = look(cut.house, endpoints=[cut.rpc], old_checkpoints=[cut.checkpoint])
        assert codes(report) == {"head-fork"}


class TestImpostor:
    """Somebody runs a log of the same name with keys of their own."""

    @pytest.fixture
    def impostor(self, tmp_path) -> Iterator[House]:
        """A deployment of the same origin, founded by others, with a lot of the same name."""
        house = found_house(tmp_path / "other")
        house.submit(house.harvest(kg=1))
        yield house
        house.close()

    def test_never_good_under_the_pinned_trust_file(self, house, impostor):
        """An audit under the true log's trust file names the first entry; a bundle fails ORIGIN."""
        report = look(impostor, trust=house.app.trust)
        assert first(report) == ("genesis", 0)
        verdict = verify_bundle(Bundle.parse(impostor.app.prover.bundle(LOT)), trust=house.app.trust)
        assert (verdict.ok, verdict.rungs["ORIGIN"].reason, verdict.exit_code) == (False, "genesis", 1)

    def test_not_green_without_one(self, impostor):
        """Without a trust file neither an audit nor a bundle says yes."""
        assert look(impostor, trust=None).exit_code == 4
        verdict = verify_bundle(Bundle.parse(impostor.app.prover.bundle(LOT)), trust=None)
        assert (verdict.ok, verdict.rungs["ORIGIN"].result, verdict.exit_code) == (False, "not checked", 4)

    def test_an_old_checkpoint_of_the_true_log(self, house, impostor):
        """A checkpoint of the true log is no head of the impostor's, even where the size is."""
        old = house.log.checkpoint()
        while impostor.size() < house.size() + 3:
            impostor.submit(impostor.note(f"filler {impostor.size()}"))
        assert "head-fork" in codes(look(impostor, trust=impostor.app.trust, old_checkpoints=[old]))


class TestVoid:
    """Entries that a colluding operator logged though they are void."""

    def void(self, house: House, name: str) -> tuple[Envelope, str]:
        """A void statement and the code it is void by."""
        good = house.event(COOP, "care")
        stranger = house.app.key("root")
        other = house.add_key(COOP, "may-2", acts=["event/harvest"])
        broken = Envelope(good.payload, "event", tuple(house.note("x").signatures))
        return {
            "bad-signature": (broken, "signature-invalid"),
            "unknown-key": (flag(ORIGIN, COOP, stranger, "x"), "key-unknown"),
            "act-denied": (house.event(COOP, "care", key=other), "act-denied"),
            "foreign-actor": (flag(ORIGIN, COOP, house.keys[PACKER], "x"), "grant-missing"),
            "wrong-log": (flag("other.example", COOP, house.keys[COOP], "x"), "wrong-log"),
            "prev-unknown": (house.event(COOP, "care", change={"tl:prev": ["0" * 64]}), "prev-unknown"),
            "by-nobodys-admin": (
                enrol.revoke(
                    ORIGIN,
                    target={"kid": house.keys[COOP].kid},
                    reason="x",
                    suspect_from=0,
                    signers=[house.app.key(f"{PACKER}-admin")],
                ),
                "registry-void",
            ),
        }[name]

    @pytest.mark.parametrize(
        "name",
        [
            "bad-signature",
            "unknown-key",
            "act-denied",
            "foreign-actor",
            "wrong-log",
            "prev-unknown",
            "by-nobodys-admin",
        ],
    )
    def test_it_is_named_and_changes_nothing(self, house, name):
        """The audit names the void entry by index and code; nothing else is bad, and later entries are judged rightly."""
        house.submit(house.harvest())
        envelope, code = self.void(house, name)
        (index,) = log_anyway(house, [envelope])
        house.submit(house.note("after"))
        report = look(house)
        assert [(bad.code, bad.index) for bad in report.bad] == [(code, index)]

    def test_a_statement_twice(self, house):
        """The same statement logged a second time is void at its second place."""
        index = house.submit(house.note("again")).index
        house.submit(house.note("between"))

        class Twice:
            """A source that serves one entry a second time, under a checkpoint over all of it."""

            def __init__(self) -> None:
                self.raw = [*house.raw(), house.raw()[index]]
                leaves = [Entry.parse(one).leaf for one in self.raw]
                self.note = sign_checkpoint(ORIGIN, len(leaves), root_of(leaves), house.app.key("log"))

            def checkpoint(self) -> str:
                return self.note.text()

            def size(self) -> int:
                return len(self.raw)

            def entries(self, size: int) -> Iterator[bytes]:
                return iter(self.raw[:size])

        report = audit(Twice(), trust=house.app.trust)
        assert [(bad.code, bad.index) for bad in report.bad] == [("statement-repeated", house.size())]

    def test_what_leans_on_a_void_entry_is_void(self, house):
        """A statement that follows a void one follows nothing."""
        house.submit(house.harvest())
        void, code = self.void(house, "bad-signature")
        follower = house.event(COOP, "feed", change={"tl:prev": [void.id]})
        first_, second = log_anyway(house, [void, follower])
        report = look(house)
        assert [(bad.code, bad.index) for bad in report.bad] == [(code, first_), ("prev-unknown", second)]

    def test_a_key_that_was_never_registered_speaks_for_nobody(self, house):
        """A void registration gives no authority to what the key signs next."""
        made = house.keys[PACKER]
        stranger = house.app.key("log-spare")
        forged = enrol.actor_key(
            ORIGIN, org=COOP, key=stranger, admin=made, custody="file", acts=["*"], sites=["*"]
        )
        first_, second = log_anyway(house, [forged, flag(ORIGIN, COOP, stranger, "x")])
        assert [(bad.code, bad.index) for bad in look(house).bad] == [
            ("registry-void", first_),
            ("key-unknown", second),
        ]

    @pytest.mark.parametrize("what", ["root", "subjects", "seen"])
    def test_a_wrong_index_record(self, house, what):
        """An index record that miscounts is named as the operator's, with a red finding."""
        house.submit(house.harvest())
        with house.app.database.read() as connection:
            head = stored.read_head(connection)
            record = build_record(
                connection,
                head.size,
                head.root,
                origin=ORIGIN,
                operator=OPERATOR,
                key=house.app.key("indexer"),
                demo=True,
            )
        statement = json.loads(record.payload, parse_float=Decimal)
        if what == "seen":
            statement["seen"] = [head.size, b64encode(bytes(32))]
        else:
            statement["data"][what] = b64encode(bytes(32)) if what == "root" else 99
        assert canonical_bytes(statement) != record.payload
        (index,) = log_anyway(house, [sign_envelope(statement, "log", [house.app.key("indexer")])])
        house.submit(house.note("after"))
        report = look(house)
        assert ("index-record", index) in {(bad.code, bad.index) for bad in report.bad}
        (finding,) = (f for f in report.findings if f.code == "index-wrong")
        assert (finding.severity, finding.index) == ("red", index)


class Quiet(WSGIRequestHandler):
    """A request handler that prints nothing."""

    def log(self, *_: object) -> None:
        """Keep the terminal for the results."""


@pytest.fixture
def serve() -> Iterator[Any]:
    """Return a function that serves a WSGI application on this machine and returns its address."""
    running = []

    def start(application: Any) -> str:
        server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


class TestUrl:
    """Auditing a log over the network, from its tiles and entry bundles alone."""

    def test_the_same_as_from_the_database(self, long_folder, tmp_path, serve):
        """600 entries over HTTP give the very report the database gives."""
        shutil.copytree(long_folder, tmp_path / "long")
        house = open_house(tmp_path / "long")
        url = serve(create_app(house.app))
        report = audit(UrlSource(url), trust=house.app.trust)
        assert report.entries == 600
        assert report.to_json() == look(house).to_json()
        assert UrlSource(url + "/").size() == 600
        house.close()

    def test_tiles_as_c2sp_names_them(self, long_folder, tmp_path):
        """Full and partial tiles of two levels, and entry bundles, at the paths of tlog-tiles: the naive tree's."""
        shutil.copytree(long_folder, tmp_path / "long")
        house = open_house(tmp_path / "long")
        client = create_app(house.app).test_client()
        leaves, raw = house.leaves(), house.raw()
        for path, hashes in {
            "0/000": leaves[:256],
            "0/001": leaves[256:512],
            "0/002.p/88": leaves[512:600],
            "0/002.p/3": leaves[512:515],
            "0/000.p/7": leaves[:7],
            "1/000.p/2": naive_tile(leaves, 1, 0, 2),
            "1/000.p/1": naive_tile(leaves, 1, 0, 1),
        }.items():
            answer = client.get(f"/log/tile/{path}")
            assert (answer.status_code, answer.data) == (200, b"".join(hashes)), path
        for path, entries in {
            "000": raw[:256],
            "001": raw[256:512],
            "002.p/88": raw[512:],
            "002.p/1": raw[512:513],
        }.items():
            answer = client.get(f"/log/tile/entries/{path}")
            assert answer.data == b"".join(len(one).to_bytes(2) + one for one in entries)
        for path in ("0/002", "0/002.p/89", "0/003", "1/000", "1/001.p/1", "2/000.p/1", "entries/002"):
            assert client.get(f"/log/tile/{path}").status_code == 404, path
        for path in ("0/2", "0/000.p/256", "0/000.p/0", "0/x00", "8/000", "00/000", "entries/0"):
            assert client.get(f"/log/tile/{path}").status_code == 400, path
        size, root = head_of(client.get("/log/checkpoint").get_data(as_text=True))
        assert (size, root) == (600, naive_root(leaves))
        house.close()

    def test_a_void_entry_over_the_network(self, house, serve):
        """The stranger sees what the operator's own audit sees."""
        envelope = Envelope(house.event(COOP, "care").payload, "event", tuple(house.note("x").signatures))
        log_anyway(house, [envelope])
        report = audit(UrlSource(serve(create_app(house.app))), trust=house.app.trust)
        assert report.to_json() == look(house).to_json()
        assert first(report)[0] == "signature-invalid"

    def test_entries_that_do_not_fit_the_checkpoint(self, house, serve):
        """A server whose entries are not those of its checkpoint does not pass."""
        real = create_app(house.app)

        def lying(environ, start_response):
            body = b"".join(real(environ, start_response))
            return [
                body.replace(b'"v":1}', b'"v":1}') if "entries" not in environ["PATH_INFO"] else twist(body)
            ]

        def twist(body: bytes) -> bytes:
            at = body.rindex(b'"t":') + 6
            return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]

        report = audit(UrlSource(serve(lying)), trust=house.app.trust)
        assert report.exit_code == 1
        assert "root-mismatch" in codes(report)

    def test_a_bundle_cut_short(self, house, serve):
        """An entry bundle that ends early is told as such."""
        real = create_app(house.app)

        def short(environ, start_response):
            body = b"".join(
                real(
                    environ,
                    lambda status, headers: start_response(
                        status, [h for h in headers if h[0].lower() != "content-length"]
                    ),
                )
            )
            return [body[:-3]] if "entries" in environ["PATH_INFO"] else [body]

        report = audit(UrlSource(serve(short)), trust=house.app.trust)
        assert first(report)[0] == "tile-mismatch"

    def test_a_server_in_trouble(self, house, serve):
        """Nothing there, an error, or nobody at all: not found, or come again; never a verdict."""

        def broken(environ, start_response):
            start_response("502 Bad Gateway", [])
            return [b""]

        def empty(environ, start_response):
            start_response("404 Not Found", [])
            return [b""]

        for source, sort in (
            (UrlSource(serve(broken)), TemporaryError),
            (UrlSource(serve(empty)), NotFoundError),
            (UrlSource("http://127.0.0.1:9"), TemporaryError),
        ):
            with pytest.raises(sort):
                audit(source, trust=house.app.trust)
        with pytest.raises(InputError):
            UrlSource("file:///etc")

    def test_a_checkpoint_that_is_none(self, house, serve):
        """A server that answers with something else than a checkpoint does not pass."""

        def other(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/html")])
            return [b"<html>welcome</html>"]

        report = audit(UrlSource(serve(other)), trust=house.app.trust)
        assert first(report)[0].startswith("note-")
        assert report.exit_code == 1
