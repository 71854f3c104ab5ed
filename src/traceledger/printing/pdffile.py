# SPDX-License-Identifier: Apache-2.0
"""
A PDF 1.7 file (ISO 32000-1) written straight through: objects leave as they come, only offsets stay in memory.

Equal calls give equal bytes: no dates, and an identifier that is a hash of what was written.  Knows text, fonts
and pages of no particular document; what is drawn is left to `pdf`.
"""

import hashlib
import zlib
from array import array
from collections.abc import Iterable
from typing import BinaryIO

from traceledger.printing.fonts import INK, Face

_FAN = 64  # pages under one node of the page tree: readers open page 40,000 without walking 39,999


class PdfFile:
    """
    One file being written to *out*, which need not be seekable.

    Args:
        out: Where it goes; the caller opens, closes and, if it matters, renames it.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self._offsets = array("Q", [0])
        self._at = 0
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._root = self.reserve()
        self._node = 0
        self._nodes: list[tuple[int, int]] = []
        self._kids: list[int] = []

    def reserve(self) -> int:
        """Return the number of an object that will be added later."""
        self._offsets.append(0)
        return len(self._offsets) - 1

    def add(self, body: str, *, number: int | None = None) -> int:
        """Write an object and return its number."""
        return self._object(body.encode("ascii"), number)

    def add_stream(self, data: bytes, *, entries: str = "", number: int | None = None) -> int:
        """Write a compressed stream object with further dictionary *entries* and return its number."""
        packed = zlib.compress(data, 5)  # 6 takes twice the time for a tenth of the size
        head = f"<</Filter/FlateDecode/Length {len(packed)}{entries}>>stream\n".encode("ascii")
        return self._object(head + packed + b"\nendstream", number)

    def add_page(self, content: str, *, width_pt: float, height_pt: float, resources: int) -> None:
        """Write one page that draws *content* with the resource dictionary of that number."""
        if not self._kids:
            self._node = self.reserve()
        stream = self.add_stream(content.encode("ascii"))
        box = f"[0 0 {number_text(width_pt)} {number_text(height_pt)}]"
        page = self.add(
            f"<</Type/Page/Parent {self._node} 0 R/MediaBox{box}/TrimBox{box}"
            f"/Resources {resources} 0 R/Contents {stream} 0 R>>"
        )
        self._kids.append(page)
        if len(self._kids) == _FAN:
            self._close_node()

    def finish(self, *, title: str, language: str) -> None:
        """Write page tree, catalog, cross-references and trailer.  Printing at any scale but 100 % is discouraged."""
        if self._kids:
            self._close_node()
        total = sum(count for _, count in self._nodes)
        kids = _references(number for number, _ in self._nodes)
        self.add(f"<</Type/Pages/Count {total}/Kids[{kids}]>>", number=self._root)
        info = self.add(f"<</Title {text_string(title)}/Producer(traceledger)>>")
        catalog = self.add(
            f"<</Type/Catalog/Pages {self._root} 0 R/Lang({language})"
            "/ViewerPreferences<</PrintScaling/None/DisplayDocTitle true>>>>"
        )
        start = self._at
        identifier = self._hash.hexdigest()[:32]
        self._write(f"xref\n0 {len(self._offsets)}\n0000000000 65535 f \n".encode("ascii"))
        for offset in self._offsets[1:]:
            self._write(b"%010d 00000 n \n" % offset)
        self._write(
            f"trailer\n<</Size {len(self._offsets)}/Root {catalog} 0 R/Info {info} 0 R"
            f"/ID[<{identifier}><{identifier}>]>>\nstartxref\n{start}\n%%EOF\n".encode("ascii")
        )

    def add_font(self, face: Face, gids: Iterable[int], *, number: int) -> None:
        """Embed the subset *gids* of *face* as a CID font whose character codes are glyph numbers."""
        used = sorted(gids)
        name, data = face.subset(used)
        file = self.add_stream(data, entries=f"/Length1 {len(data)}")
        descriptor = self.add(
            f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[-200 -300 1400 1250]/ItalicAngle 0"
            f"/Ascent {round(INK[0] * 1000)}/Descent {-round(INK[1] * 1000)}/CapHeight 740/StemV 80"
            f"/FontFile2 {file} 0 R>>"
        )
        widths = " ".join(f"{gid}[{face.advance_1000(gid)}]" for gid in used)
        cid = self.add(
            f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDSystemInfo"
            f"<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor {descriptor} 0 R"
            f"/DW 0/W[{widths}]/CIDToGIDMap/Identity>>"
        )
        unicode_map = self.add_stream(_to_unicode({gid: face.char(gid) for gid in used}).encode("ascii"))
        self.add(
            f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H"
            f"/DescendantFonts[{cid} 0 R]/ToUnicode {unicode_map} 0 R>>",
            number=number,
        )

    def _close_node(self) -> None:
        kids = _references(self._kids)
        self.add(
            f"<</Type/Pages/Parent {self._root} 0 R/Count {len(self._kids)}/Kids[{kids}]>>", number=self._node
        )
        self._nodes.append((self._node, len(self._kids)))
        self._kids = []

    def _object(self, body: bytes, number: int | None) -> int:
        number = self.reserve() if number is None else number
        self._offsets[number] = self._at
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        return number

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._hash.update(data)
        self._at += len(data)


def number_text(value: float) -> str:
    """Return *value* as a PDF number, to a thousandth of a point."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_string(text: str) -> str:
    """Return *text* as a PDF text string in UTF-16."""
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"


def _references(numbers: Iterable[int]) -> str:
    return " ".join(f"{number} 0 R" for number in numbers)


def _to_unicode(chars: dict[int, str]) -> str:
    """Return the CMap that lets readers search and copy the text (ISO 32000-1, 9.10.3)."""
    lines = [f"<{gid:04X}> <{char.encode('utf-16-be').hex().upper()}>" for gid, char in chars.items()]
    blocks = [lines[at : at + 100] for at in range(0, len(lines), 100)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
        "/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{body}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    )
