# SPDX-License-Identifier: Apache-2.0
"""What is kept beside the log: evidence files, rolls of stamps, scans, attempts to anchor."""

import hashlib
from dataclasses import replace

import pytest

from traceledger.errors import ConflictError, NotFoundError
from traceledger.store import anchors, rolls
from traceledger.store import log as stored
from traceledger.store.anchors import Attempt
from traceledger.store.evidence import EvidenceStore
from traceledger.store.rolls import StoredRoll

ROLL = StoredRoll(
    roll="htx-mau/A-1",
    secret=bytes(range(32)),
    gtin="09521234567899",
    first=100,
    count=3,
    scheme="https",
    host="so.example",
)
SERIALS = ("0123456789AB", "ZZZZZZZZZZZZ", "4GTQJM1GKHZ7")


class TestEvidence:
    """Files by their hash."""

    def test_a_file_comes_back_by_its_hash(self, tmp_path):
        """The bytes are kept under their SHA-256, and the statement's file object names them."""
        store = EvidenceStore(tmp_path / "evidence")
        data = b"phieu kiem nghiem \x00\xff"
        item = store.add(data, name="phiếu.pdf", media_type="application/pdf")
        digest = hashlib.sha256(data).hexdigest()
        assert item == {"name": "phiếu.pdf", "sha256": digest, "size": len(data), "type": "application/pdf"}
        assert store.read(digest) == data
        assert (tmp_path / "evidence" / digest[:2] / digest[2:]).read_bytes() == data

    def test_the_same_file_twice_is_one(self, tmp_path):
        """A second copy under another name writes nothing, and no draft is left behind."""
        store = EvidenceStore(tmp_path)
        store.add(b"x", name="a", media_type="t")
        store.add(b"x", name="b", media_type="t")
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1

    def test_an_unknown_file(self, tmp_path):
        """A hash nobody handed in is not found."""
        with pytest.raises(NotFoundError) as caught:
            EvidenceStore(tmp_path).read("0" * 64)
        assert caught.value.code == "evidence-unknown"


class TestRolls:
    """Rolls with their secrets and serials."""

    def test_a_roll_comes_back(self, database):
        """Roll, serials in the order of their numbers, and each stamp by its serial."""
        with database.write() as connection:
            rolls.add_roll(connection, ROLL, SERIALS)
        with database.read() as connection:
            assert rolls.read_roll(connection, ROLL.roll) == ROLL
            assert rolls.serials(connection, ROLL.roll) == list(SERIALS)
            for number, serial in enumerate(SERIALS, 100):
                assert rolls.find_stamp(connection, serial) == (ROLL, number)
            for unknown, code in (("0" * 12, "stamp-unknown"), ("", "stamp-unknown")):
                with pytest.raises(NotFoundError) as caught:
                    rolls.find_stamp(connection, unknown)
                assert caught.value.code == code

    def test_a_name_is_given_once(self, database):
        """A second roll of the same name is refused and changes nothing."""
        with database.write() as connection:
            rolls.add_roll(connection, ROLL, SERIALS)
        with pytest.raises(ConflictError) as caught, database.write() as connection:
            rolls.add_roll(connection, replace(ROLL, secret=bytes(32)), SERIALS)
        assert caught.value.code == "roll-exists"
        with database.read() as connection:
            assert rolls.read_roll(connection, ROLL.roll) == ROLL

    def test_a_dropped_roll_is_gone(self, database):
        """A roll whose statement was refused leaves neither itself nor its stamps."""
        with database.write() as connection:
            rolls.add_roll(connection, ROLL, SERIALS)
        with database.write() as connection:
            rolls.drop_roll(connection, ROLL.roll)
        with database.read() as connection:
            with pytest.raises(NotFoundError) as caught:
                rolls.read_roll(connection, ROLL.roll)
            assert caught.value.code == "roll-unknown"
            with pytest.raises(NotFoundError):
                rolls.find_stamp(connection, SERIALS[0])

    def test_links(self):
        """A stamp's link carries the lot only where it was known when the roll was issued."""
        assert ROLL.uri(SERIALS[0]) == "https://so.example/01/09521234567899/21/0123456789AB"
        with_lot = replace(ROLL, lot="L1", scheme="http", host="127.0.0.1:8400")
        assert with_lot.uri("S") == "http://127.0.0.1:8400/01/09521234567899/10/L1/21/S"

    def test_a_lot_in_a_link_is_escaped(self):
        """Characters of a lot that mean something in an address are percent-encoded in the link."""
        assert replace(ROLL, lot="A/1%").uri("S").split("/10/")[1] == "A%2F1%25/21/S"

    def test_the_secret_is_not_printed(self):
        """Logging a roll shows its name and numbers, never its secret."""
        assert repr(ROLL) == "StoredRoll(htx-mau/A-1, 100+3)"

    def test_a_roll_the_log_does_not_know(self, database):
        """A roll without its issue statement has no place in the log."""
        with database.write() as connection:
            stored.create_head(connection)
            rolls.add_roll(connection, ROLL, SERIALS)
            with pytest.raises(NotFoundError) as caught:
                rolls.issue_index(connection, ROLL.roll)
        assert caught.value.code == "roll-unknown"


class TestScans:
    """The memory of scans."""

    def test_scans_are_counted(self, database):
        """How often, since when, and when last by this very browser."""
        one, two = bytes(16), bytes([1]) * 16
        with database.write() as connection:
            for at, client in ((50, one), (60, two), (70, two), (40, two)):
                rolls.record_scan(connection, "S", at=at, client=client)
        with database.read() as connection:
            facts = rolls.scan_facts(connection, "S", two)
            assert (facts.count, facts.first_at, facts.own_at) == (4, 40, 70)
            assert rolls.scan_facts(connection, "S", None).own_at is None
            assert rolls.scan_facts(connection, "S", bytes([9]) * 16).own_at is None
            none = rolls.scan_facts(connection, "T", one)
            assert (none.count, none.first_at, none.own_at) == (0, None, None)


class TestAttempts:
    """Attempts to anchor."""

    @staticmethod
    def attempt(number: int, **change) -> Attempt:
        values = {
            "chain": "eip155:31337",
            "contract": bytes(20),
            "size": 10 * number,
            "root": bytes([number]) * 32,
            "nonce": number,
            "tx": bytes([number]) * 32,
            "raw": b"raw",
            "max_fee": 10**20,
            "priority_fee": 3,
            "state": "signed",
            "created_at": 1000 + number,
        }
        return Attempt(**values | change)

    def test_an_attempt_comes_back(self, database):
        """Fees above 64 bits, states and blocks survive; the same transaction again takes up its row."""
        with database.write() as connection:
            for number in (1, 2, 3):
                anchors.add(connection, self.attempt(number))
            anchors.add(connection, self.attempt(2, created_at=2000))
            anchors.settle(
                connection, bytes([3]) * 32, "final", block=7, block_hash=bytes(32), block_time=9, log=0
            )
        with database.read() as connection:
            signed = anchors.by_state(connection, "eip155:31337", ["signed"])
            assert signed == [self.attempt(1), self.attempt(2, created_at=2000)]
            assert anchors.by_state(connection, "eip155:1", ["signed"]) == []
            (final,) = anchors.newest_final(connection)
            assert (final.size, final.block, final.max_fee) == (30, 7, 10**20)
            assert anchors.newest(connection) == final

    def test_the_newest_final_per_chain(self, database):
        """Per chain the greatest final size counts, whatever came later."""
        with database.write() as connection:
            anchors.add(connection, self.attempt(1, state="final", size=90))
            anchors.add(connection, self.attempt(2, state="final", size=80))
            anchors.add(connection, self.attempt(3, state="final", chain="eip155:1"))
            anchors.add(connection, self.attempt(4, state="mined", size=200))
        with database.read() as connection:
            found = {one.chain: one.size for one in anchors.newest_final(connection)}
            assert found == {"eip155:31337": 90, "eip155:1": 30}
            assert anchors.newest(connection).size == 200
