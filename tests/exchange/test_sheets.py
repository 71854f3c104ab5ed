# SPDX-License-Identifier: Apache-2.0
"""The field diary: spreadsheets as they come, each doubt told by sheet, row and column."""

import contextlib
import io
import unicodedata
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from traceledger.core.claims.epcis import amounts, check_event, is_nfc, validate_epcis
from traceledger.core.sign.canonical import canonical_bytes
from traceledger.errors import InputError
from traceledger.exchange import xlsx
from traceledger.exchange.diary import DiarySettings, diary_events
from traceledger.exchange.diary_cells import CellError, as_date, as_days, as_kilograms
from traceledger.exchange.diary_template import build_template
from traceledger.exchange.diary_words import CHOICES, HEADERS, SAID, fold, kind_of
from traceledger.exchange.epcis_translate import complete
from traceledger.exchange.sheets import diary_template, read_diary

HEADER = list(HEADERS.values())
HARVEST = [date(2026, 4, 20), "Thu hoạch", "Thửa 3", None, None, None, "XCL-2611A", 1250.5, "TV-012", "nắng"]
SPRAY = ["01/04/2026", "Phun thuốc", "Thửa 3", "Thuốc mẫu 25WP", "20 g/bình", 14, None, None, "TV-012", None]


def book(*rows, title="Nhật ký", change=None) -> bytes:
    """Bytes of a workbook with *rows* from the first row on."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    if change:
        change(workbook)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def with_part(data: bytes, name: str, content: bytes) -> bytes:
    """*data* with one more, or another, part in the archive."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.namelist():
            if part != name:
                target.writestr(part, source.read(part))
        target.writestr(name, content)
    return out.getvalue()


def read(data, **options):
    """A diary read, its totals tested."""
    diary = read_diary(data, **options)
    assert len(diary.rows) + len(diary.refused) == diary.total
    assert {(problem.sheet, problem.row) for problem in diary.problems} == set(diary.refused)
    return diary


def codes(data, **options):
    """(row, column, code) of every problem."""
    return [(problem.row, problem.column, problem.code) for problem in read(data, **options).problems]


# --- reading ------------------------------------------------------------------------------------------


def test_a_plain_diary_is_read_exactly():
    """Dates, kinds, exact kilograms and texts come out as written."""
    spray, harvest = read(book(HEADER, SPRAY, HARVEST)).rows
    assert (spray.day, spray.kind, spray.phi, spray.row) == (date(2026, 4, 1), "spray", 14, 2)
    assert (harvest.day, harvest.kind, harvest.kilograms) == (date(2026, 4, 20), "harvest", Decimal("1250.5"))
    assert (harvest.site, harvest.lot, harvest.member, harvest.note) == (
        "Thửa 3",
        "XCL-2611A",
        "TV-012",
        "nắng",
    )


@pytest.mark.parametrize(
    "spell",
    [
        str.upper,
        str.lower,
        fold,
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: f"  {text.replace(' ', '  ')} :",
    ],
    ids=["upper", "lower", "folded", "nfd", "spaced"],
)
def test_header_spelling_does_not_matter(spell):
    """Case, accents, Unicode form and spaces of headers are all one."""
    assert len(read(book([spell(name) for name in HEADER], HARVEST)).rows) == 1


def test_title_rows_blank_rows_and_column_order_do_not_matter():
    """Merged titles above, blank rows between, columns turned round and an extra column are all borne."""

    def merge(workbook):
        workbook.active.merge_cells("A1:J1")

    turned = [*reversed(HEADER), "Thời tiết"]
    data = book(
        ["NHẬT KÝ 2026"], [], turned, [*reversed(HARVEST), "nắng"], [], [*reversed(SPRAY)], change=merge
    )
    diary = read(data)
    assert [row.kind for row in diary.rows] == ["harvest", "spray"]
    assert [(note.code, note.column) for note in diary.notes] == [("extra", "Thời tiết")]


def test_other_sheets_are_named():
    """Every sheet with a diary header is read; one without is named in the notes."""

    def add(workbook):
        second = workbook.create_sheet("Tháng 5")
        for row in (HEADER, HARVEST):
            second.append(row)
        workbook.create_sheet("Chi tiêu").append(["Ngày", "Tiền"])
        workbook.create_sheet("Trống")

    diary = read(book(HEADER, HARVEST, change=add))
    assert [row.sheet for row in diary.rows] == ["Nhật ký", "Tháng 5"]
    assert [(note.sheet, note.code) for note in diary.notes] == [("Chi tiêu", "no-header")]


def test_a_column_in_tonnes_is_not_read_as_kilograms():
    """A unit in the header counts: 1,2 under "Sản lượng (tấn)" is 1,200 kg."""
    header = ["Sản lượng (tấn)" if name == HEADERS["kg"] else name for name in HEADER]
    row = [*HARVEST]
    row[7] = "1,2"
    assert read(book(header, row)).rows[0].kilograms == 1200


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("date", None, "missing"),
        ("date", "31/02/2026", "date"),
        ("date", "4/20/2026", "date"),
        ("date", 46132, "date-number"),
        ("date", True, "kind-of-cell"),
        ("date", date(2027, 1, 1), "future"),
        ("activity", None, "missing"),
        ("activity", "thu hoạc", "activity"),
        ("lot", None, "missing"),
        ("lot", "LÔ 1", "lot"),
        ("lot", "A" * 21, "lot"),
        ("kg", None, "missing"),
        ("kg", "1.250", "two-ways"),
        ("kg", "nhiều", "number"),
        ("kg", 0, "positive"),
        ("kg", -5, "positive"),
        ("kg", 1.23456, "precise"),
        ("kg", "5 bao", "number"),
        ("kg", "#REF!", "error-cell"),
        ("kg", "=A1+1", "formula"),
        ("phi", 7, "phi-elsewhere"),
        ("member", "Nguyễn Văn Mẫu", "member"),
        ("note", "gọi 0901 234 567", "phone"),
        ("note", "+84901234567", "phone"),
        ("note", "CCCD 012345678901", "phone"),
        ("dose", date(2026, 1, 1), "kind-of-cell"),
    ],
)
def test_a_row_with_one_bad_cell_is_refused_there(column, value, code):
    """One bad cell refuses its row, is named by row and column, and says what to write in both languages."""
    row = [*HARVEST]
    assert codes(book(HEADER, row)) == []
    row[list(HEADERS).index(column)] = value
    diary = read(book(HEADER, row, SPRAY), today=date(2026, 12, 31))
    assert [(p.row, p.column, p.code) for p in diary.problems] == [(2, HEADERS[column], code)]
    assert [r.row for r in diary.rows] == [3]
    assert all(text and "{" not in text for text in (diary.problems[0].message, diary.problems[0].english))


def test_spraying_needs_its_interval():
    """A spray row without pre-harvest interval is refused, one with 0 is taken."""
    row = [*SPRAY]
    row[5] = None
    assert codes(book(HEADER, row)) == [(2, HEADERS["phi"], "phi-missing")]
    row[5] = 0
    assert read(book(HEADER, row)).rows[0].phi == 0


def test_all_problems_of_a_row_are_told_at_once():
    """A row with four bad cells names all four."""
    row = ["hôm qua", "bay", None, None, None, None, "LÔ", "x", None, None]
    assert [code for _, _, code in codes(book(HEADER, row))] == ["date", "number", "activity", "lot"]


def test_a_total_row_is_named():
    """A row of totals under the diary is refused by its own reason."""
    assert codes(book(HEADER, HARVEST, [None, "Tổng cộng", None, None, None, None, None, 1250.5])) == [
        (3, None, "total-row")
    ]


def test_cached_formulas_are_values():
    """A formula whose result the file holds is read as that result."""
    data = book(HEADER, HARVEST)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    cached = sheet.replace("<v>1250.5</v>", "<f>1000+250.5</f><v>1250.5</v>")
    assert cached != sheet
    diary = read(with_part(data, "xl/worksheets/sheet1.xml", cached.encode()))
    assert diary.rows[0].kilograms == Decimal("1250.5")


# --- cells --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.250,5", "1250.5"),
        ("1,250.5", "1250.5"),
        ("1250,5", "1250.5"),
        ("1250.5", "1250.5"),
        ("1 250,5", "1250.5"),
        ("1.250.000", "1250000"),
        ("12,5 kg", "12.5"),
        ("0,250", "0.25"),
        ("0.250", "0.25"),
        ("1250", "1250"),
        ("1,2 tấn", "1200"),
        ("3 tạ", "300"),
        ("2 yến", "20"),
        ("+5", "5"),
        (0.1 + 0.2, "0.3"),
        (1251, "1251"),
    ],
)
def test_weights_are_read_exactly(text, expected):
    """Decimal comma, decimal point, thousands and Vietnamese units give the exact weight."""
    assert as_kilograms(text) == Decimal(expected)


@pytest.mark.parametrize("text", ["1.250", "1,250", "999.999"])
def test_weights_that_read_two_ways_are_not_guessed(text):
    """One mark before three digits could be either; both readings are told."""
    with pytest.raises(CellError) as caught:
        as_kilograms(text)
    assert caught.value.code == "two-ways"


@pytest.mark.parametrize(
    "text", ["", "1..2", "1,2,3", "1.2.3", "1 2", "12.34,5", "1,2.3", "٣", "1e3", "--5", ",5", "5 lít"]
)
def test_what_is_no_weight_is_refused(text):
    """Texts that no reader would agree on are refused."""
    with pytest.raises(CellError):
        as_kilograms(text)


@pytest.mark.parametrize(
    "text",
    [
        "25/11/2026",
        "25-11-2026",
        "25.11.26",
        "2026-11-25",
        "25 / 11 / 2026",
        "ngày 25 tháng 11 năm 2026",
        "Ngày 25 tháng 11 năm 2026",
        datetime.fromisoformat("2026-11-25T06:30"),
        date(2026, 11, 25),
    ],
)
def test_dates_are_read_day_first(text):
    """All usual spellings of a day mean that day."""
    assert as_date(text) == date(2026, 11, 25)


@pytest.mark.parametrize(("value", "expected"), [(7, 7), (8.0, 8), ("9", 9), ("7 ngày", 7), (0, 0)])
def test_days_are_whole(value, expected):
    """A number of days may have its word behind it."""
    assert as_days(value) == expected


@pytest.mark.parametrize("value", [7.5, -1, "-7", "7 tuần", 10**6, float("inf"), float("nan"), "bảy"])
def test_what_is_no_number_of_days_is_refused(value):
    """Fractions, negatives, weeks and words are refused."""
    with pytest.raises(CellError):
        as_days(value)


@pytest.mark.parametrize(
    ("activity", "kind"),
    [
        *(("Thu hoạch đợt 1", "harvest"), ("HÁI TRÁI", "harvest"), ("gặt lúa", "harvest")),
        *(("Phun thuốc trừ rầy", "spray"), ("xịt sâu", "spray"), ("Phun phân bón lá", "fertilise")),
        *(("Bón phân gốc", "fertilise"), ("bon phan", "fertilise"), ("Tưới nước", "care")),
        *(("Tỉa cành, tạo tán", "care"), ("Bao trái", "care"), ("Xử lý ra hoa (KNO3)", "care")),
        *(("Cày đất", "care"), ("Cấy lúa", "plant"), ("Gieo sạ", "plant"), ("Trồng mới", "plant")),
        *(("Thả giống tôm", "stock"), ("Cho ăn", "feed"), ("Dùng thuốc cho tôm", "treat-animal")),
        *(
            ("Theo dõi sâu bệnh", "observe"),
            ("Nhập vật tư", "input"),
            ("Mua phân bón", "input"),
            ("Bán", "sell"),
        ),
        *(("thu hoạc", None), ("họp", None), ("", None), ("bàn giao", None), ("trong vườn", None)),
    ],
)
def test_activities_are_recognised(activity, kind):
    """What people call their work gives the kind of event; what is not known is not guessed."""
    assert kind_of(activity) == kind


def test_every_choice_of_the_template_is_recognised():
    """Each activity offered in the list has a kind."""
    assert all(kind_of(choice) for choice in CHOICES)


def test_every_sentence_exists_in_both_languages():
    """Every code has two different sentences that ask for the same words."""
    for vietnamese, english in SAID.values():
        assert vietnamese != english
        names = [
            {part.split("}")[0].split("!")[0] for part in text.split("{")[1:]}
            for text in (vietnamese, english)
        ]
        assert names[0] == names[1]


# --- files --------------------------------------------------------------------------------------------

GOOD = book(HEADER, HARVEST)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "sheet"),
        (b"PK\x03\x04nothing", "sheet"),
        (GOOD[: len(GOOD) // 2], "sheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "sheet"),
        (with_part(GOOD, "xl/vbaProject.bin", b"x"), "sheet"),
        (with_part(GOOD, "xl/macrosheets/sheet1.xml", b"<x/>"), "sheet"),
        (with_part(GOOD, "xl/sharedStrings.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "sheet"),
        (with_part(GOOD, "xl/sharedStrings.xml", "<!DOCTYPE a><a/>".encode("utf-16")), "sheet"),
        (with_part(GOOD, "xl/workbook.xml", b"<not-a-workbook/>"), "diary"),
        (with_part(GOOD, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row><c"), "sheet"),
        (with_part(GOOD, "big.xml", b" " * (xlsx.MAX_UNPACKED + 1)), "too-large"),
        (b"PK" + b"\0" * xlsx.MAX_FILE, "too-large"),
        (book(["Tên", "Tiền"], ["a", 1]), "diary"),
        (book([*HEADER, "Ngày tháng"], HARVEST), "diary"),
    ],
)
def test_a_bad_file_is_refused_with_a_code(data, code):
    """A file with one thing broken, or a trap in it, is refused as a whole before it can do harm."""
    with pytest.raises(InputError) as caught:
        read_diary(data)
    assert caught.value.code == code


def test_too_many_rows_are_refused():
    """A sheet that goes on below the limit is refused, not cut off."""

    def far(workbook):
        workbook.active.cell(row=xlsx.MAX_ROWS + 1, column=1, value="x")

    with pytest.raises(InputError, match="below row"):
        read_diary(book(HEADER, HARVEST, change=far))
    read_diary(book(HEADER, HARVEST, change=lambda w: w.active.cell(row=xlsx.MAX_ROWS, column=3, value="x")))


@pytest.mark.parametrize("row", [xlsx.MAX_ROWS + 2, 1_048_576])
def test_a_row_far_below_is_not_lost(row):
    """One cell far below blank rows is not passed over in silence."""
    with pytest.raises(InputError, match="below row"):
        read_diary(book(HEADER, HARVEST, change=lambda w: w.active.cell(row=row, column=1, value="x")))


@given(st.binary(max_size=300), st.integers(0, len(GOOD) - 1))
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
def test_readers_never_raise_outside_the_tree(junk, at):
    """Any bytes, and a good file with bytes overwritten anywhere, are read or refused with an input error."""
    for data in (junk, GOOD[:at] + junk + GOOD[at + len(junk) :]):
        with contextlib.suppress(InputError):
            read_diary(data)


CELLS = st.none() | st.text(max_size=12) | st.integers() | st.floats() | st.booleans() | st.dates()
XML_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)


@given(
    st.lists(st.lists(XML_TEXT | st.none() | st.integers(-9, 10**6) | st.dates(), max_size=10), max_size=4)
)
@settings(max_examples=100)
def test_any_cells_are_taken_or_refused(rows):
    """Whatever stands in the cells, taken plus refused is what stood there, and each refusal is explained."""
    rows = [[None if isinstance(c, str) and c.startswith("=") else c for c in row] for row in rows]
    diary = read(book(HEADER, *rows))
    assert diary.total == sum(any(c is not None and str(c).strip() for c in row) for row in rows)


@given(CELLS)
def test_cell_readers_never_raise_outside(value):
    """Any cell value is read or refused as a cell."""
    for reader in (as_date, as_days, as_kilograms):
        with contextlib.suppress(CellError):
            reader(value)


# --- template -----------------------------------------------------------------------------------------


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_shipped_template_is_the_built_one():
    """The template in the package has the parts its generator makes, twice the same."""
    assert parts(build_template()) == parts(diary_template())
    assert build_template() == build_template()


def test_the_template_filled_in_is_read():
    """The template as shipped holds no rows; filled in, its rows are read."""
    diary = read(diary_template())
    assert (diary.total, [note.sheet for note in diary.notes]) == (0, ["Hướng dẫn"])
    workbook = load_workbook(io.BytesIO(diary_template()))
    for number, row in enumerate((SPRAY, HARVEST), start=4):
        for column, value in enumerate(row, start=1):
            workbook["Nhật ký"].cell(row=number, column=column, value=value)
    stream = io.BytesIO()
    workbook.save(stream)
    assert [row.kind for row in read(stream.getvalue()).rows] == ["spray", "harvest"]


def test_the_guide_explains_every_column():
    """The second sheet has a row for each column, with an example."""
    guide = load_workbook(io.BytesIO(diary_template()))["Hướng dẫn"]
    rows = [[cell.value for cell in row] for row in guide.iter_rows(min_row=2)]
    assert [row[0] for row in rows] == HEADER
    assert all(all(row) for row in rows)


# --- events -------------------------------------------------------------------------------------------

SETTINGS = DiarySettings(
    log="trace.example",
    actor="htx-ben-mau",
    gtin="09521234567899",
    sites={"Thửa 3": "https://id.gs1.org/414/9521234000013"},
    codes=("VN-ĐTOR-0001",),
    evidence=({"name": "nhat-ky.xlsx", "sha256": "0" * 64, "size": 1, "type": "application/vnd.ms-excel"},),
    grower="TV-012",
    demo=True,
)


def events(*rows, settings=SETTINGS):
    """Drafts of *rows*, each checked against profile and standard."""
    made = diary_events(read(book(HEADER, *rows)).rows, settings=settings)
    assert len(made.taken) + len(made.problems) == len(rows)
    for _, draft in made.taken:
        full = complete(draft, prev=(), seen=(0, "A" * 43 + "="))
        check_event(full)
        assert validate_epcis(full, strict=True) == []
        assert is_nfc(full)
        canonical_bytes(full)
    return made


def test_every_kind_makes_a_valid_event():
    """Each activity of the template becomes an event that passes profile and standard."""
    rows = []
    for choice in CHOICES:
        row = [*HARVEST]
        row[1], row[3], row[4] = choice, "Vật tư mẫu", "1 kg"
        row[5] = 14 if kind_of(choice) in ("spray", "fertilise") else None
        rows.append(row)
    made = events(*rows)
    assert made.problems == ()
    assert len({draft["tl:kind"] for _, draft in made.taken}) == 10


def test_a_harvest_makes_a_lot():
    """A harvest row makes its lot with exact kilograms at its plot, claims the codes and names the grower."""
    ((_, draft),) = events(HARVEST).taken
    (amount,) = amounts(draft)
    assert (amount.subject, amount.quantity, amount.uom) == (
        "https://id.gs1.org/01/09521234567899/10/XCL-2611A",
        Decimal("1250.5"),
        "KGM",
    )
    assert draft["readPoint"] == {"id": "https://id.gs1.org/414/9521234000013"}
    assert (draft["tl:codes"], draft["tl:for"], draft["tl:demo"]) == (["VN-ĐTOR-0001"], "TV-012", True)
    assert draft["eventTime"] == "2026-04-20T12:00:00+07:00"
    assert draft["diary:precision"] == "day"


def test_a_spray_carries_its_interval_and_no_invented_goods():
    """A spray row without lot names no goods, has its interval and keeps material and dose."""
    ((_, draft),) = events(SPRAY).taken
    assert (draft["epcList"], draft["tl:phi"]) == ([], 14)
    assert (draft["diary:material"], draft["diary:dose"]) == ("Thuốc mẫu 25WP", "20 g/bình")


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("thua 3", "9521234000013"),
        ("9521234000020", "9521234000020"),
        ("https://id.gs1.org/414/9521234000020", "9521234000020"),
    ],
)
def test_plots_are_found(site, expected):
    """A plot is found by its name without accents, by GLN, or by its link."""
    row = [*HARVEST]
    row[2] = site
    ((_, draft),) = events(row).taken
    assert draft["readPoint"]["id"].endswith(expected)


@pytest.mark.parametrize(("site", "code"), [("Thửa 9", "site"), ("9521234000010", "gln")])
def test_an_unknown_plot_is_a_problem_of_its_row(site, code):
    """A plot nobody declared, or a wrong GLN, refuses the row and names the column."""
    row = [*HARVEST]
    row[2] = site
    made = events(row, SPRAY)
    assert [(problem.row, problem.column, problem.code) for problem in made.problems] == [
        (2, HEADERS["site"], code)
    ]
    assert len(made.taken) == 1


def test_a_lot_needs_a_product():
    """Without a GTIN a row that names a lot is refused, one that names none is taken."""
    bare = DiarySettings(log="trace.example", actor="htx-ben-mau", sites=SETTINGS.sites)
    made = events(HARVEST, SPRAY, settings=bare)
    assert [problem.code for problem in made.problems] == ["product"]


def test_reading_again_makes_the_same_events():
    """The same rows make the same ids, equal rows different ones, and a row put in between changes no other."""
    first = [draft["eventID"] for _, draft in events(SPRAY, HARVEST, HARVEST).taken]
    second = [draft["eventID"] for _, draft in events(SPRAY, [*SPRAY[:9], "mới"], HARVEST, HARVEST).taken]
    assert len(set(first)) == 3
    assert first == [second[0], *second[2:]]


# --- as clerks make them ------------------------------------------------------------------------------


def changed(function):
    """A change of the first sheet, for `book`."""
    return lambda workbook: function(workbook.active)


def test_hidden_rows_and_sheets_are_told():
    """What the clerk did not see is not recorded: a hidden row is refused, a hidden sheet named and passed over."""

    def hide(workbook):
        workbook.active.row_dimensions[3].hidden = True
        second = workbook.create_sheet("Nháp")
        second.sheet_state = "hidden"
        for row in (HEADER, HARVEST):
            second.append(row)

    data = book(HEADER, SPRAY, HARVEST, change=hide)
    assert codes(data) == [(3, None, "hidden-row")]
    assert [(note.sheet, note.code) for note in read(data).notes] == [("Nháp", "hidden-sheet")]


def test_a_cell_merged_downwards_counts_for_each_row():
    """Day, plot and lot written once over several rows are theirs all."""
    second = [None, "Thu hoạch", None, None, None, None, None, "12,5", None, None]

    def merge(sheet):
        for span in ("A2:A3", "C2:C3", "G2:G3", "I2:I3"):
            sheet.merge_cells(span)

    rows = read(book(HEADER, HARVEST, second, change=changed(merge))).rows
    assert [(row.day, row.site, row.lot, row.member) for row in rows] == [
        (date(2026, 4, 20), "Thửa 3", "XCL-2611A", "TV-012")
    ] * 2
    assert [row.kilograms for row in rows] == [Decimal("1250.5"), Decimal("12.5")]


def test_a_weight_merged_over_rows_is_not_shared_out():
    """One weight over several rows is refused in each; over blank rows it belongs to the one that is filled."""
    second = [date(2026, 4, 21), "Thu hoạch", "Thửa 3", None, None, None, "XCL-2611B", None, None, None]
    merge = changed(lambda sheet: sheet.merge_cells("H2:H3"))
    weight = HEADERS["kg"]
    assert codes(book(HEADER, HARVEST, second, change=merge)) == [
        (2, weight, "merged"),
        (3, weight, "merged"),
    ]
    assert codes(book(HEADER, HARVEST, change=merge)) == []


def test_a_header_repeated_on_each_page_is_no_row():
    """The header printed again further down is neither taken nor refused."""
    assert read(book(HEADER, HARVEST, HEADER, SPRAY)).total == 2


def test_a_dash_is_an_empty_cell():
    """A dash means nothing, not a plot, a lot or a person of that name; a row of dashes is blank."""
    watering = ["20/4/2026", "Tưới", "-", "–", "-", "-", "—", "-", "-", "-"]
    (row,) = read(book(HEADER, watering, ["-"] * 10)).rows
    assert (row.site, row.material, row.lot, row.kilograms, row.member) == (None,) * 5


def test_a_long_cell_is_a_problem_of_its_row():
    """A text beyond the limit refuses its row only."""
    assert codes(book(HEADER, [*HARVEST[:9], "x" * 3000], SPRAY)) == [(2, HEADERS["note"], "long")]


@pytest.mark.parametrize("part", ["xl/printerSettings/printerSettings1.bin", "xl/media/image1.png"])
def test_what_a_printed_workbook_carries_is_no_program(part):
    """Printer settings and pictures do not make a workbook dangerous."""
    assert read(with_part(GOOD, part, b"\0" * 100)).total == 1


@pytest.mark.parametrize(
    "part", ["xl/activeX/activeX1.bin", "xl/embeddings/oleObject1.bin", "xl/workbook.bin"]
)
def test_embedded_programs_are_refused(part):
    """Controls, embedded objects and binary workbooks are."""
    with pytest.raises(InputError, match=r"\.xlsx"):
        read_diary(with_part(GOOD, part, b"x"))


def test_another_zip_file_is_called_that():
    """A Word document under the name of a workbook is told what it is, not how the program failed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(InputError, match="docx"):
        read_diary(stream.getvalue())


@pytest.mark.parametrize("value", ["05/03/0026", date(1900, 1, 5), "1/1/99"])
def test_a_date_before_our_time_is_a_slip(value):
    """A year before 2000 was mistyped, or is a small number in a cell of dates; 99 is not 1999."""
    today = date(2026, 11, 25)
    found = codes(book(HEADER, [value, *HARVEST[1:]]), today=today)
    assert found in ([(2, HEADERS["date"], "past")], [(2, HEADERS["date"], "future")])


@pytest.mark.parametrize(
    "text", ["5/3/2026 06:30", "5/3/2026 6:30:00", "2026-03-05T06:30:00", "2026-03-05 00:00:00"]
)
def test_a_time_behind_the_date_is_passed_over(text):
    """As other programs write them; the diary knows days."""
    assert as_date(text) == date(2026, 3, 5)


@pytest.mark.parametrize(
    "header",
    [
        *("Hoạt động / công việc", "Công việc thực hiện", "Nội dung công việc"),
        *("Tên thửa", "Mã số lô", "Sản lượng thu hoạch (kg)", "Mã hộ", "Thời gian cách ly PHI (ngày)"),
    ],
)
def test_headers_of_other_diaries_are_known(header):
    """Spellings seen in cooperatives' own books."""
    from traceledger.exchange.diary_words import FIELDS

    assert any(fold(header) in spellings for spellings in FIELDS.values())


@pytest.mark.parametrize(
    ("activity", "kind"),
    [
        *(("Thu hái", "harvest"), ("Hái xoài", "harvest"), ("Nhổ hành", "harvest"), ("Cắt lúa", "harvest")),
        *(("Nhổ cỏ", "care"), ("Cắt tỉa cành", "care"), ("Lên luống", "care"), ("Diệt cỏ", "care")),
        *(("Bơm nước", "care"), ("Vun gốc", "care"), ("Rải phân", "fertilise"), ("Trồng hành", "plant")),
        *(("Ươm giống", "plant"), ("Cho tôm ăn", "feed"), ("Xuất bán", "sell"), ("Hai người làm cỏ", None)),
        *(("Trong vườn", None), ("Cắt cỏ", "care"), ("Nho", None), ("Rửa hành", None)),
    ],
)
def test_more_activities(activity, kind):
    """What growers of shallots, mango, rice and shrimp write; what reads two ways is not guessed."""
    assert kind_of(activity) == kind


@pytest.mark.parametrize(
    "options",
    [
        {"sites": {"Thửa 3": "abc"}},
        {"sites": {"Thửa 3": "https://id.gs1.org/414/9521234001005"}},
        {"default_site": "9521234001005"},
        {"gtin": "123"},
        {"grower": "Nguyễn Văn A"},
    ],
)
def test_wrong_settings_are_refused_before_any_row(options):
    """A place by a wrong number, a product that is none, a person's name: whatever the rows say."""
    with pytest.raises(InputError):
        diary_events((), settings=DiarySettings(log="so.example/a", actor="htx-mau", **options))
