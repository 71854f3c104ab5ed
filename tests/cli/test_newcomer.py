# SPDX-License-Identifier: Apache-2.0
"""What somebody new meets: files as they come, commands as they are copied, an altered record beside the lot."""

import io
import shlex
import sqlite3
import subprocess
import sys

import pytest
from openpyxl import Workbook

from clikit import Main
from housekit import COOP, GTIN, LOT, PLOT, House
from traceledger.cli import attack
from traceledger.core.log.entry import Entry
from traceledger.exchange.diary_words import HEADERS

PLACE = f"Thửa 3={PLOT}"


def diary(*rows: tuple[object, ...]) -> bytes:
    """A field diary with *rows* of date, activity, plot, lot and kilograms."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.append([HEADERS[name] for name in ("date", "activity", "site", "lot", "kg")])
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


class TestImport:
    """``import`` says what became of each row, and may be run again on the mended file."""

    GOOD = ("20/4/2026", "Thu hoạch", "Thửa 3", "L-1", "12,5")
    FUTURE = ("20/4/2062", "Thu hoạch", "Thửa 3", "L-2", 3)

    def test_a_mended_file_is_imported_whole(self, house: House, main: Main) -> None:
        """A bad row is named in Vietnamese; the mended file adds that row only, and says what stood there."""
        path = house.folder / "nhat-ky.xlsx"
        command = ("--dir", house.folder, "import", path, "--key", COOP, "--gtin", GTIN, "--site", PLACE)
        path.write_bytes(diary(self.GOOD, self.FUTURE))
        first = main(*command)
        assert (first.code, first.out.splitlines()[0]) == (2, "1 of 2 taken, 1 not.")
        assert first.err.startswith("Sheet, dòng 3: future: Ngày: ngày 20/04/2062")
        size = house.log.size()
        path.write_bytes(diary(self.GOOD, ("20/4/2026", *self.FUTURE[1:])))
        second = main(*command)
        assert (second.code, house.log.size()) == (0, size + 1)
        assert second.out.startswith("2 of 2 taken, 0 not. 1 statements stood in the log already")

    def test_a_diary_of_a_grower(self, house: House, main: Main) -> None:
        """``--for`` says whose diary the clerk hands in; a name is refused."""
        path = house.folder / "nhat-ky.xlsx"
        path.write_bytes(diary(self.GOOD))
        command = (
            "--dir",
            house.folder,
            "import",
            path,
            "--key",
            COOP,
            "--gtin",
            GTIN,
            "--site",
            PLACE,
            "--for",
        )
        assert main(*command, "Nguyễn Văn A").error == "diary"
        assert main(*command, "TV-007").code == 0
        assert Entry.parse(house.raw()[-1]).statement["tl:for"] == "TV-007"

    def test_notes_that_say_the_same_are_one_line(self, house: House, main: Main) -> None:
        """A hundred events without an id do not flood the terminal."""
        path = house.folder / "su-kien.json"
        event = (
            '{"type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-04-20T06:30:%02d+07:00",'
            '"eventTimeZoneOffset":"+07:00","epcList":["https://id.gs1.org/01/%s/21/S%d"]}'
        )
        path.write_text("[" + ",".join(event % (n % 60, GTIN, n) for n in range(100)) + "]")
        done = main("--dir", house.folder, "import", path, "--key", COOP, "--dry-run")
        assert done.out == "100 of 100 would be taken, 0 not.\n"
        assert "event 1, event 2, event 3 and 97 more: note: eventID" in done.err
        assert len(done.err.splitlines()) < 5

    @pytest.mark.parametrize(
        "data", [b"", b"%PDF-1.7", b"<xml/>", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600]
    )
    def test_a_wrong_file(self, house: House, main: Main, data: bytes) -> None:
        """It is called what it is, in one line, and nothing is stored."""
        path = house.folder / "tep"
        path.write_bytes(data)
        size = house.log.size()
        done = main("--dir", house.folder, "import", path, "--key", COOP)
        assert (done.code, len(done.err.splitlines()), house.log.size()) == (2, 1, size)


class TestBesideTheLot:
    """What a page weighs beside the entries of its lot is held against the tree too."""

    @pytest.mark.parametrize("place", [120, 400])
    def test_an_altered_record_of_the_place(self, house: House, place: int) -> None:
        """One byte of a place's master data, and the lot grown there shows altered, not another place's name."""
        house.submit(house.harvest())
        data = {"gln": PLOT.rpartition("/")[2], "name": "Thửa mẫu", "place": "xã Mẫu"}
        index = house.submit(house.record(COOP, "masterdata", "site", [PLOT], data)).index
        assert house.app.resolver.lot(LOT).record.state != "altered"
        with sqlite3.connect(house.folder / "ledger.db") as database:
            (raw,) = database.execute('select entry from entries where "index" = ?', (index,)).fetchone()
            changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            database.execute('update entries set entry = ? where "index" = ?', (changed, index))
        assert house.app.resolver.lot(LOT).record.state == "altered"

    def test_the_attack_the_demonstration_invites_to(self, house: House) -> None:
        """The printed command runs as it stands, leaves a well-formed entry, and is seen."""
        house.submit(house.harvest(kg=100))
        index = house.size() - 1
        entry = Entry.parse(house.raw()[index])
        path = house.folder / "ledger.db"
        line = attack.command(sys.executable, path, index, entry)
        subprocess.run(shlex.split(line), check=True, timeout=60)
        assert Entry.parse(house.raw()[index]).statement["quantityList"][0]["quantity"] == 900
        assert house.app.resolver.lot(LOT).record.state == "altered"
