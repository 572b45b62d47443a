"""PDF files made for tests and evaluations: text at places, in Helvetica, with letters of European languages."""

import math
import unicodedata
import zlib
from collections.abc import Iterable
from typing import NamedTuple

A4 = (595.0, 842.0)
LETTER = (612.0, 792.0)

_ASCII = """
278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278
278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722
667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556
556 333 500 278 556 500 722 500 500 500 334 260 334 584
"""
_WIDTHS = {chr(32 + at): int(width) for at, width in enumerate(_ASCII.split())}
_MARKS = {
    "ACUTE": "acute",
    "GRAVE": "grave",
    "CIRCUMFLEX": "circumflex",
    "DIAERESIS": "dieresis",
    "TILDE": "tilde",
    "CEDILLA": "cedilla",
    "RING ABOVE": "ring",
    "OGONEK": "ogonek",
    "CARON": "caron",
    "STROKE": "slash",
    "DOUBLE ACUTE": "hungarumlaut",
    "DOT ABOVE": "dotaccent",
}
_NAMES = {
    "€": "Euro",
    "£": "sterling",
    "ß": "germandbls",
    "°": "degree",
    "·": "periodcentered",
    "–": "endash",
    "—": "emdash",
    "•": "bullet",
    "º": "ordmasculine",
    "ª": "ordfeminine",
    "’": "quoteright",
    "æ": "ae",
    "Æ": "AE",
    "ı": "dotlessi",
    "¥": "yen",
    "\u00a0": "space",
}


class Text(NamedTuple):
    """A text on a page: `x` and `y` of its baseline's left end in points from the upper left corner, turned by so many
    degrees against the clock."""

    x: float
    y: float
    text: str
    size: float = 9.0
    bold: bool = False
    turn: float = 0.0


def width(text: str, size: float = 9.0) -> float:
    """How wide a text is, in points."""
    return sum(_WIDTHS.get(_plain(letter), 556) for letter in text) * size / 1000


def right(x: float, y: float, text: str, size: float = 9.0, bold: bool = False) -> Text:
    """A text that ends at `x`."""
    return Text(x - width(text, size), y, text, size, bold)


def pdf(
    pages: Iterable[Iterable[Text]], paper: tuple[float, float] = A4, image: bool = False, scans: Iterable[int] = ()
) -> bytes:
    """A PDF file. With `image`, pages hold a grey picture and no text: what a scan is. `scans` are the numbers of pages
    that hold one under their text."""
    drawn = [list(page) for page in pages]
    codes = _codes({letter for page in drawn for each in page for letter in each.text})
    contents = [_picture() if image else _drawn(page, paper[1], codes) for page in drawn]
    for number in scans:
        contents[number - 1] = _picture() + b"\n" + contents[number - 1]
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    first = 5
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(contents)))
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode())
    differences = " ".join(f"{code} /{_glyph(letter)}" for letter, code in codes.items() if code > 127)
    encoding = f"<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [{differences}] >>"
    for font in ("Helvetica", "Helvetica-Bold"):
        letters = {code: letter for letter, code in codes.items()}
        widths = " ".join(
            str(_WIDTHS.get(_plain(letters[code]), 556) if code in letters else 0) for code in range(32, 256)
        )
        said = f"/FirstChar 32 /LastChar 255 /Widths [{widths}]"
        objects.append(f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} {said} /Encoding {encoding} >>".encode())
    for number, content in enumerate(contents):
        box = f"[0 0 {paper[0]:g} {paper[1]:g}]"
        resources = "<< /Font << /F1 3 0 R /F2 4 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources {resources} "
            f"/Contents {first + 2 * number + 1} 0 R >>".encode()
        )
        packed = zlib.compress(content, 9)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
        objects.append(head + packed + b"\nendstream")
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n".encode() + each + b"\nendobj\n"
    start = len(made)
    made += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    made += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    made += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(made)


def _codes(letters: set[str]) -> dict[str, int]:
    """The byte of each letter: ASCII is itself, all others get one of the upper half."""
    others = sorted(letter for letter in letters if ord(letter) > 126)
    assert len(others) < 120
    return {letter: ord(letter) for letter in letters if ord(letter) <= 126} | {
        letter: 130 + number for number, letter in enumerate(others)
    }


def _glyph(letter: str) -> str:
    if letter in _NAMES:
        return _NAMES[letter]
    name = unicodedata.name(letter)
    _, _, rest = name.partition("LETTER ")
    base, _, mark = rest.partition(" WITH ")
    return (base if "CAPITAL" in name else base.lower()) + _MARKS[mark]


def _drawn(page: list[Text], height: float, codes: dict[str, int]) -> bytes:
    lines = []
    for each in page:
        data = bytes(codes[letter] for letter in each.text).hex()
        cos, sin = math.cos(math.radians(each.turn)), math.sin(math.radians(each.turn))
        at = f"{cos:.4f} {sin:.4f} {-sin:.4f} {cos:.4f} {each.x:.2f} {height - each.y:.2f}"
        lines.append(f"BT /F{2 if each.bold else 1} {each.size:g} Tf {at} Tm <{data}> Tj ET")
    return "\n".join(lines).encode()


def _picture() -> bytes:
    return b"q 500 0 0 700 50 70 cm BI /W 8 /H 8 /CS /G /BPC 8 /F /AHx ID " + b"e0" * 64 + b"> EI Q"


def _plain(letter: str) -> str:
    return unicodedata.normalize("NFD", letter)[0]
