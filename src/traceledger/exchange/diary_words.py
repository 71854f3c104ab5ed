# SPDX-License-Identifier: Apache-2.0
"""
The words of a Vietnamese field diary: column headers, activities, units, and what is said about a bad cell.

Header and activity are compared without accents, case and punctuation, because diaries are typed on phones.
"""

import re
import unicodedata
from typing import Final

FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "date": (
        *("ngay", "ngay thang", "ngay thang nam", "ngay thuc hien", "ngay lam", "thoi gian", "date"),
        *("ngay gio", "ngay ghi", "thoi gian thuc hien"),
    ),
    "activity": (
        *(
            "cong viec",
            "noi dung cong viec",
            "hoat dong",
            "loai cong viec",
            "noi dung",
            "activity",
            "viec lam",
        ),
        *(
            "hoat dong cong viec",
            "cong viec hoat dong",
            "cong viec thuc hien",
            "noi dung thuc hien",
            "ten cong viec",
        ),
    ),
    "site": (
        *("thua", "ma thua", "thua dat", "thua ruong", "dia diem", "ma dia diem", "thua dia diem", "plot"),
        *("vuon", "ma vuon", "khu vuc", "ao", "ma ao", "thua vuon", "lo dat", "ma thua dia diem"),
        *("ten thua", "so thua", "ten vuon", "ten ao", "vi tri", "noi thuc hien"),
    ),
    "material": (
        *(
            "vat tu",
            "ten vat tu",
            "ten thuoc",
            "ten phan",
            "ten phan thuoc",
            "phan thuoc",
            "ten thuoc phan bon",
        ),
        *("phan bon thuoc bvtv", "vat tu su dung", "ten vat tu su dung", "ten thuoc bvtv", "thuoc bvtv"),
        *("phan bon", "ten phan bon", "loai phan bon", "vat tu phan thuoc"),
    ),
    "dose": ("lieu luong", "lieu dung", "lieu luong su dung", "luong dung", "lieu luong nong do", "dose"),
    "phi": (
        *(
            "phi",
            "phi ngay",
            "thoi gian cach ly",
            "cach ly",
            "so ngay cach ly",
            "tgcl",
            "thoi gian cach ly phi",
        ),
        *("thoi gian cach ly ngay", "thoi gian cach ly phi ngay", "tgcl ngay", "so ngay cach ly phi"),
    ),
    "lot": (
        *("lo", "ma lo", "so lo", "lo hang", "ma lo hang", "ma truy vet", "lot", "lo thu hoach"),
        *("ma so lo", "ma lo thu hoach", "ky hieu lo"),
    ),
    "kg": (
        *("kg", "so kg", "khoi luong", "khoi luong kg", "san luong", "san luong kg", "so luong kg"),
        *("khoi luong thu hoach", "khoi luong thu hoach kg", "san luong thu hoach", "san luong thu hoach kg"),
        *("trong luong", "trong luong kg"),
    ),
    "member": (
        *(
            "nguoi thuc hien",
            "ma so thanh vien",
            "ma thanh vien",
            "thanh vien",
            "ma xa vien",
            "ma so xa vien",
        ),
        *(
            "nguoi thuc hien ma so thanh vien",
            "ma nguoi thuc hien",
            "xa vien",
            "ma ho",
            "ma so ho",
            "ma nong ho",
        ),
    ),
    "note": ("ghi chu", "ghi chu khac", "note"),
}
"""Field → header spellings that mean it, folded by `fold`."""

HEADERS: Final[dict[str, str]] = {
    "date": "Ngày",
    "activity": "Công việc",
    "site": "Thửa / địa điểm",
    "material": "Vật tư",
    "dose": "Liều lượng",
    "phi": "Thời gian cách ly (ngày)",
    "lot": "Mã lô",
    "kg": "Khối lượng (kg)",
    "member": "Người thực hiện (mã số thành viên)",
    "note": "Ghi chú",
}
"""Field → header of our own template."""

UNITS: Final = {"kg": 1, "ki": 1, "ky": 1, "kilogam": 1, "yen": 10, "ta": 100, "tan": 1000}
"""Unit of weight → kilograms: 1 yến = 10 kg, 1 tạ = 100 kg, 1 tấn = 1000 kg."""

# What is picked, pulled or planted.  Names what follows a verb that alone would read two ways without accents:
# "hái" and "hai", "trồng" and "trong", "nhổ" and "nho".
_CROPS: Final = (
    "xoai|buoi|nhan|vai|cam|quyt|oi|thanh long|sau rieng|chom chom|mang cut|chuoi|dua|mit|hanh|toi|ot|ca chua|"
    "dua leo|dua hau|khoai|san|lac|dau|rau|cu|lua|ngo|bap|che|ca phe|tieu|hoa"
)

ACTIVITIES: Final[tuple[tuple[str, str], ...]] = (
    (
        "harvest",
        (
            r"(thu (hoach|hai)|hai (trai|qua)|thu trai|gat( lua)?|thu (tom|hau|ca)"
            rf"|hai ({_CROPS})|nho (hanh|toi|lac|rau|khoai|san|cu)|cat (hanh|rau|lua))\b.*"
        ),
    ),
    ("input", r"(nhap|mua) (vat tu|phan|thuoc|giong|thuc an)\b.*"),
    ("treat-animal", r"(dung|tron|cho uong) (thuoc|men|khoang|hoa chat)\b.*|tri benh\b.*"),
    (
        "fertilise",
        r"bon( (phan|lot|thuc|goc|la|dam|lan|kali|voi|npk|huu co)\b.*)?|(phun|tuoi|u|rai) phan\b.*",
    ),
    ("spray", r"(phun|xit)\b.*|xu ly thuoc\b.*"),
    ("stock", r"tha (giong|tom|ca|hau|nuoi)\b.*|treo day giong\b.*"),
    # before planting: "cày đất" and "cấy" fold to the same first word
    ("care", r"(kich thich|tao tan|thay nuoc|phoi day|cai tao ao|boc trai|dat bon|cay dat|bua|xoi)\b.*"),
    (
        "plant",
        (
            r"(gieo|uom (giong|hat|cay)|xuong giong|sa lua)\b.*"
            rf"|trong( (moi|lai|dam|xen|cay|giong|{_CROPS})\b.*)?|cay( (lua|ma|giong)\b.*)?"
        ),
    ),
    ("feed", r"cho (an|(tom|ca|cua|hau|ga|vit|heo|lon|bo|de) an)\b.*"),
    ("observe", r"(theo doi|quan sat|kiem tra|tham (vuon|dong)|dat bay)\b.*"),
    ("sell", r"(xuat )?ban( (hang|le|trai|cho)\b.*)?"),
    (
        "care",
        (
            r"(cham soc|tuoi|bom nuoc|tia|cat tia|tao hinh|lam co|cat co|don co|diet co|nho co|phat co|lam dat"
            r"|len luong|vun (goc|luong)|bao trai|ve sinh|xu ly (ra hoa|dat|paclo))\b.*"
        ),
    ),
)
"""Kind of event and the folded activity that means it; the first that matches counts."""

CHOICES: Final = ("Thu hoạch", "Phun thuốc", "Bón phân", "Chăm sóc", "Tưới", "Tỉa cành", "Bao trái", "Theo dõi", "Gieo trồng", "Thả giống", "Cho ăn", "Nhập vật tư", "Bán")  # fmt: skip
"""Activities offered in the template's list."""

SAID: Final[dict[str, tuple[str, str]]] = {
    "missing": ("thiếu {what}; hãy ghi vào ô này", "{what} is missing; fill in this cell"),
    "hidden-row": (
        "dòng này đang bị ẩn hoặc bị lọc; hãy cho hiện rồi nhập lại, hoặc xóa dòng",
        "this row is hidden or filtered out; show it and import again, or delete it",
    ),
    "hidden-sheet": (
        "trang này đang bị ẩn nên được bỏ qua; hãy cho hiện rồi nhập lại nếu cần ghi",
        "this sheet is hidden and was passed over; show it and import again if it is to be recorded",
    ),
    "merged": (
        "ô gộp cho nhiều dòng; hãy bỏ gộp và ghi số riêng cho từng dòng",
        "one cell merged over several rows; take it apart and write each row's own number",
    ),
    "long": (
        "ô dài quá 2000 ký tự; hãy rút gọn",
        "the cell holds more than 2000 characters; shorten it",
    ),
    "past": ("ngày {got} trước năm 2000; hãy sửa lại", "the date {got} is before 2000; correct it"),
    "date": (
        "“{got}” không phải ngày; hãy ghi ngày/tháng/năm, ví dụ 25/11/2026",
        "{got!r} is no date; write day/month/year, e.g. 25/11/2026",
    ),
    "date-number": (
        "ô ngày chứa số {got}; hãy định dạng ô là Ngày hoặc ghi chữ như 25/11/2026",
        "the date cell holds the number {got}; format it as a date or write 25/11/2026",
    ),
    "future": ("ngày {got} ở sau hôm nay; hãy sửa lại", "the date {got} is after today; correct it"),
    "activity": (
        "không nhận ra công việc “{got}”; hãy ghi một trong: {choices}",
        "activity {got!r} is not known; write one of: {choices}",
    ),
    "number": (
        "“{got}” không phải số; hãy ghi số, ví dụ 1250,5",
        "{got!r} is no number; write digits, e.g. 1250,5",
    ),
    "two-ways": (
        "“{got}” đọc được hai cách ({one} hoặc {other}); hãy ghi không có dấu ngăn hàng nghìn",
        "{got!r} reads two ways ({one} or {other}); write it without a thousands mark",
    ),
    "positive": ("số phải lớn hơn 0, ô ghi {got}", "expected more than 0, got {got}"),
    "precise": (
        "{got} có quá nhiều số lẻ; hãy ghi tối đa 3 số lẻ (gam)",
        "{got} has too many decimals; at most 3",
    ),
    "days": (
        "“{got}” không phải số ngày; hãy ghi số nguyên, ví dụ 7",
        "{got!r} is no number of days; write e.g. 7",
    ),
    "phi-missing": (
        "phun thuốc cần thời gian cách ly; hãy ghi số ngày trên nhãn, 0 nếu nhãn ghi không cần",
        "spraying needs the pre-harvest interval; write the days on the label, 0 if it asks for none",
    ),
    "phi-elsewhere": (
        "thời gian cách ly chỉ ghi cho phun thuốc và bón phân; hãy xóa ô này",
        "a pre-harvest interval belongs to spraying and fertilising only; clear this cell",
    ),
    "lot": (
        "mã lô “{got}” có ký tự lạ hoặc dài quá 20; chỉ dùng chữ không dấu, số và . _ -",
        "lot {got!r} has odd characters or more than 20; use plain letters, digits and . _ -",
    ),
    "member": (
        "hãy ghi mã số thành viên (ví dụ TV-012), không ghi họ tên: sổ này không xóa được",
        "write the member number (e.g. TV-012), not a name: this ledger cannot forget",
    ),
    "phone": (
        "có số điện thoại hoặc số giấy tờ; hãy xóa: sổ này không xóa được",
        "holds a phone or identity number; remove it: this ledger cannot forget",
    ),
    "formula": (
        "ô là công thức chưa có kết quả; hãy mở tệp, tính lại và lưu, hoặc ghi giá trị",
        "the cell is a formula without result; recalculate and save, or write the value",
    ),
    "kind-of-cell": ("ô chứa {got}; hãy ghi chữ", "the cell holds {got}; write text"),
    "error-cell": ("ô báo lỗi {got}; hãy ghi giá trị", "the cell shows the error {got}; write the value"),
    "site": (
        "không biết thửa “{got}”; thửa đã khai: {choices}; hãy ghi GLN 13 số, hoặc khai thửa (lệnh import: --site)",
        "plot {got!r} is not known; known: {choices}; write a GLN of 13 digits, or name the plot (import: --site)",
    ),
    "gln": ("GLN sai: {got}", "wrong GLN: {got}"),
    "product": (
        "chưa khai mã sản phẩm (GTIN) nên không ghi được lô; hãy chọn sản phẩm trước (lệnh import: --gtin)",
        "no product (GTIN) is set, so no lot can be written; choose the product first (import: --gtin)",
    ),
    "total-row": (
        "dòng tổng cộng không phải một công việc; hãy xóa dòng này",
        "a total is no activity; remove this row",
    ),
    "extra": (
        "cột {got} không có trong mẫu và không được ghi vào sổ",
        "column {got} is not in the template and is not recorded",
    ),
    "no-diary": (
        (
            "không trang nào có dòng tiêu đề của nhật ký: cần ít nhất 3 cột, trong đó có Ngày và Công việc; "
            "xem mẫu nhat-ky.xlsx"
        ),
        (
            "no sheet has the header row of a diary: 3 columns at least, Ngày and Công việc among them; "
            "see the template nhat-ky.xlsx"
        ),
    ),
    "no-header": (
        "trang này không có dòng tiêu đề của nhật ký nên được bỏ qua",
        "this sheet has no header row of a diary and was passed over",
    ),
    "twice": (
        "cột “{got}” xuất hiện hai lần; hãy giữ một cột",
        "column {got!r} stands there twice; keep one",
    ),
}
"""Code → sentence in Vietnamese and English."""


def fold(text: str) -> str:
    """
    *text* without accents, case, punctuation and doubled spaces.

    Example:
        >>> fold("Người  thực hiện (Mã số)")
        'nguoi thuc hien ma so'
    """
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def kind_of(activity: str) -> str | None:
    """Kind of event that an *activity* as written means, or None."""
    folded = fold(activity)
    for kind, pattern in ACTIVITIES:
        if re.fullmatch(pattern, folded):
            return kind
    return None
