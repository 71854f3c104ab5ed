# SPDX-License-Identifier: Apache-2.0
"""
The closed list of reason codes: verifiers, audits, HTTP answers and vectors share it.

Each code belongs to one rung and has one sentence per language, for pages, reports and the generated
reference.  A code not listed here is never the `reason` of a rung.
"""

from typing import Final

REASONS: Final[dict[str, tuple[str, str, str]]] = {
    # SIGNED
    "too-large": (
        "SIGNED",
        "A part is larger than the format allows.",
        "Một phần lớn hơn mức định dạng cho phép.",
    ),
    "json-syntax": ("SIGNED", "The text is not JSON.", "Văn bản không phải JSON."),
    "json-duplicate": ("SIGNED", "A member name stands twice.", "Một tên trường xuất hiện hai lần."),
    "json-number": ("SIGNED", "A number is not in its only form.", "Một số không ở dạng duy nhất của nó."),
    "json-surrogate": ("SIGNED", "A string holds half a character.", "Một chuỗi chứa nửa ký tự."),
    "json-depth": ("SIGNED", "The JSON is nested too deeply.", "JSON lồng nhau quá sâu."),
    "not-canonical": ("SIGNED", "The JSON is not in its canonical form.", "JSON không ở dạng chuẩn tắc."),
    "not-nfc": ("SIGNED", "Text is not in Unicode NFC.", "Văn bản không ở dạng Unicode NFC."),
    "envelope-shape": (
        "SIGNED",
        "The envelope lacks a part or has one too many.",
        "Phong bì thiếu hoặc thừa phần.",
    ),
    "base64": ("SIGNED", "A value is not canonical base64.", "Một giá trị không phải base64 chuẩn tắc."),
    "payload-type": ("SIGNED", "The payload type is unknown.", "Loại nội dung không được biết."),
    "statement-shape": (
        "SIGNED",
        "The statement lacks a member or has one too many.",
        "Bản khai thiếu hoặc thừa trường.",
    ),
    "context-open": (
        "SIGNED",
        "The event uses names its context does not fix.",
        "Sự kiện dùng tên mà ngữ cảnh không định nghĩa.",
    ),
    "kind-mismatch": (
        "SIGNED",
        "The kind does not fit the type and action.",
        "Loại việc không khớp với kiểu sự kiện.",
    ),
    "wrong-log": ("SIGNED", "The statement was made for another log.", "Bản khai được lập cho một sổ khác."),
    "key-unknown": ("SIGNED", "The signing key is not registered.", "Khóa ký chưa được đăng ký."),
    "signature-form": ("SIGNED", "The signature is malformed.", "Chữ ký sai dạng."),
    "signature-invalid": ("SIGNED", "The signature does not match.", "Chữ ký không khớp."),
    "key-revoked": ("SIGNED", "The signing key was revoked before.", "Khóa ký đã bị thu hồi trước đó."),
    "act-denied": ("SIGNED", "The key may not say this.", "Khóa không được phép khai việc này."),
    "site-denied": (
        "SIGNED",
        "The key may not speak for this place.",
        "Khóa không được phép khai cho nơi này.",
    ),
    "grant-missing": (
        "SIGNED",
        "The organisation did not let this key speak for it.",
        "Đơn vị chưa ủy quyền cho khóa này.",
    ),
    "grant-expired": (
        "SIGNED",
        "The permission to speak for the organisation has run out.",
        "Ủy quyền đã hết hạn.",
    ),
    "statement-repeated": (
        "SIGNED",
        "The same statement stands twice.",
        "Cùng một bản khai xuất hiện hai lần.",
    ),
    "index-position": (
        "SIGNED",
        "The index record is not where it says.",
        "Bản mục lục không đứng ở chỗ nó ghi.",
    ),
    "private-mismatch": (
        "SIGNED",
        "A private part is not the one committed to.",
        "Phần riêng tư không phải phần đã cam kết.",
    ),
    # LINKED
    "prev-order": (
        "LINKED",
        "The steps followed are not listed in order.",
        "Danh sách bước trước không theo thứ tự.",
    ),
    "prev-unknown": (
        "LINKED",
        "A step followed is not shown or does not exist.",
        "Bước trước không có hoặc không được kèm theo.",
    ),
    "prev-unrelated": ("LINKED", "A step followed is about something else.", "Bước trước nói về thứ khác."),
    # LOGGED
    "entry-shape": ("LOGGED", "The entry lacks a part or has one too many.", "Mục sổ thiếu hoặc thừa phần."),
    "note-syntax": ("LOGGED", "The checkpoint is malformed.", "Dấu chốt sổ sai dạng."),
    "note-origin": ("LOGGED", "The checkpoint is of another log.", "Dấu chốt thuộc sổ khác."),
    "note-signature": (
        "LOGGED",
        "The checkpoint is not signed by the log's keys.",
        "Dấu chốt không do khóa của sổ ký.",
    ),
    "inclusion": (
        "LOGGED",
        "An entry is not in the log at its position.",
        "Một mục không nằm trong sổ ở vị trí của nó.",
    ),
    "consistency": (
        "LOGGED",
        "The older log is not a prefix of the newer.",
        "Sổ cũ không phải phần đầu của sổ mới.",
    ),
    "root-mismatch": ("LOGGED", "The entries do not lead to the root.", "Các mục không dẫn tới gốc."),
    "tile-mismatch": ("LOGGED", "A stored tile differs from the entries.", "Một mảnh lưu khác với các mục."),
    "head-rollback": ("LOGGED", "The log became shorter.", "Sổ bị ngắn lại."),
    "head-fork": ("LOGGED", "Two heads of one size differ.", "Hai đầu sổ cùng độ dài nhưng khác nhau."),
    "adm-reg": (
        "LOGGED",
        "An entry was admitted under another registry.",
        "Một mục được nhận theo danh bạ khác.",
    ),
    "adm-time": ("LOGGED", "Recording times fall back.", "Thời điểm ghi bị lùi."),
    # KEYS
    "registry-chain": (
        "KEYS",
        "The registry shown is not the one logged.",
        "Danh bạ kèm theo không phải danh bạ đã ghi.",
    ),
    "registry-void": ("KEYS", "A registry statement breaks a rule.", "Một bản khai danh bạ vi phạm quy tắc."),
    "threshold": ("KEYS", "Too few root keys signed.", "Chưa đủ khóa gốc ký."),
    "version": ("KEYS", "The version does not follow the last.", "Phiên bản không nối tiếp bản trước."),
    "pop-missing": (
        "KEYS",
        "A new key did not sign its own registration.",
        "Khóa mới chưa tự ký khi đăng ký.",
    ),
    "key-reused": ("KEYS", "The key has a role already.", "Khóa đã có vai trò khác."),
    "registry-slice": ("KEYS", "Only a part of the registry is shown.", "Chỉ kèm theo một phần danh bạ."),
    "key-suspect": (
        "KEYS",
        "The signing key was later declared doubtful.",
        "Khóa ký về sau bị tuyên bố là đáng ngờ.",
    ),
    # ORIGIN
    "trust-missing": (
        "ORIGIN",
        "No trust file says which log is meant.",
        "Không có tệp tin cậy cho biết là sổ nào.",
    ),
    "genesis": ("ORIGIN", "The log does not begin as pinned.", "Sổ không bắt đầu như đã ghim."),
    # WITNESSED
    "cosignature": (
        "WITNESSED",
        "A witness's signature does not match.",
        "Chữ ký của bên làm chứng không khớp.",
    ),
    "quorum": (
        "WITNESSED",
        "Too few witnesses, or none asked for.",
        "Chưa đủ bên làm chứng, hoặc không yêu cầu.",
    ),
    # ANCHORED
    "anchor-pending": ("ANCHORED", "Not on the chain yet.", "Chưa ghi lên chuỗi."),
    "anchor-not-final": ("ANCHORED", "On the chain, not final yet.", "Đã lên chuỗi, chưa chung cuộc."),
    "anchor-mismatch": ("ANCHORED", "The chain says something else.", "Chuỗi ghi khác."),
    "anchor-unlisted": (
        "ANCHORED",
        "The policy does not name this chain.",
        "Chính sách không nêu chuỗi này.",
    ),
    "anchor-ahead": ("ANCHORED", "The chain knows a longer log.", "Chuỗi biết một sổ dài hơn."),
    "chain-id": ("ANCHORED", "The endpoint serves another chain.", "Máy chủ phục vụ chuỗi khác."),
    "chain-unreachable": ("ANCHORED", "The chain could not be asked.", "Chưa hỏi được chuỗi."),
    "chain-disagree": ("ANCHORED", "Two endpoints do not say the same.", "Hai máy chủ trả lời khác nhau."),
    # COMPLETE
    "index-missing": ("COMPLETE", "No index record covers it yet.", "Chưa có bản mục lục."),
    "index-record": (
        "COMPLETE",
        "The index record is not the last entry.",
        "Bản mục lục không phải mục cuối.",
    ),
    "index-proof": ("COMPLETE", "A row is not in the index record.", "Một dòng không thuộc bản mục lục."),
    "complete-count": (
        "COMPLETE",
        "The number of steps differs from the index.",
        "Số bước khác với mục lục.",
    ),
    "complete-last": ("COMPLETE", "The last step differs from the index.", "Bước cuối khác với mục lục."),
    "upstream-cut": (
        "COMPLETE",
        "Too many steps upstream to show all.",
        "Quá nhiều bước phía trước để kèm hết.",
    ),
    # LABEL
    "stamp-unknown": ("LABEL", "No such stamp in this ledger.", "Không có tem này trong sổ."),
    "stamp-signature": ("LABEL", "The signature on the stamp does not match.", "Chữ ký trên tem không khớp."),
    "stamp-commitment": ("LABEL", "The stamp is not of this roll.", "Tem không thuộc cuộn này."),
    "stamp-state": ("LABEL", "The stamp is not active for this lot.", "Tem chưa kích hoạt cho lô này."),
    # malformed
    "bundle-shape": (
        "malformed",
        "The bundle lacks a part or has one too many.",
        "Hồ sơ thiếu hoặc thừa phần.",
    ),
    "subject-absent": (
        "malformed",
        "No entry of the bundle is about its subject.",
        "Không mục nào nói về đối tượng của hồ sơ.",
    ),
}
"""Code → (rung, English, Vietnamese)."""
