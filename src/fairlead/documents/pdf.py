"""The words of a PDF file and where they stand. Runs in a process of its own (`bounded.py`): a library in C reads what
strangers have made."""

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from fairlead.documents.types import LARGEST, MOST_PAGES, MOST_WORDS, Box, Page, Unread, Word

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_MOST_LETTERS: Final = 400_000
_SMALLEST: Final = 2.0  # points: what nobody can read is not read
_APART: Final = 0.22  # of a letter's size: a gap between words
_GUESSED: Final = 0.14  # where the library takes it for one as well
_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD

_Letter = tuple[str, float, float, float, float, float]  # text, left, top, right, bottom, size


def pages_of(data: bytes) -> tuple[Page, ...] | Unread:
    """The pages with their words."""
    import pypdfium2
    from pypdfium2 import PdfiumError

    if len(data) > LARGEST:
        return Unread(kind="too_large", why=f"it has more than {LARGEST >> 20} MiB", mend="split it")
    try:
        document = pypdfium2.PdfDocument(data)
    except PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD or "password" in str(error).lower():
            return Unread(kind="encrypted", why="it is encrypted with a password", mend="save a copy without one")
        return Unread(kind="damaged", why="it is no PDF file, or damaged", mend="ask for it anew")
    try:
        return _read(document)
    except PdfiumError as error:
        return Unread(kind="damaged", why=f"a page of it is damaged: {error}", mend="ask for it anew")


def _read(document: "PdfDocument") -> tuple[Page, ...] | Unread:
    if len(document) > MOST_PAGES:
        why = f"it has {len(document):,} pages, and {MOST_PAGES} are the most"
        return Unread(kind="too_large", why=why, mend="split it")
    pages, count = [], 0
    for number in range(len(document)):
        page = _page(document[number])
        count += len(page.words)
        if count > MOST_WORDS:
            return Unread(kind="too_large", why=f"it has more than {MOST_WORDS:,} words", mend="split it")
        pages.append(page)
    if not count:
        mend = "recognise its text (OCR) first, or have a person read it"
        return Unread(kind="no_text", why="it has no text layer: it is likely a scan", mend=mend)
    return tuple(pages)


def _page(page: Any) -> Page:
    left, bottom, right, top = page.get_cropbox()
    width, height, turned = right - left, top - bottom, page.get_rotation()
    found = tuple(
        Word(text, _turned(box, width, height, turned), size)
        for text, box, size in _words(page.get_textpage(), left, top)
        if box[2] > 0 and box[3] > 0 and box[0] < width and box[1] < height
    )
    return Page(height, width, found) if turned in (90, 270) else Page(width, height, found)


def _turned(box: Box, width: float, height: float, by: int) -> Box:
    x0, y0, x1, y1 = box
    if by == 90:
        return (height - y1, x0, height - y0, x1)
    if by == 180:
        return (width - x1, height - y1, width - x0, height - y0)
    return (y0, width - x1, y1, width - x0) if by == 270 else box


def _words(text: Any, left: float, top: float) -> Iterator[tuple[str, Box, float]]:
    from pypdfium2 import raw

    letters: list[_Letter] = []
    guessed = False
    rect = raw.FS_RECTF()
    for index in range(min(raw.FPDFText_CountChars(text), _MOST_LETTERS)):
        code = raw.FPDFText_GetUnicode(text, index)
        letter = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
        if letter == " " and raw.FPDFText_IsGenerated(text, index) == 1:
            guessed = True  # by the library, which parts letters that are set apart as well
            continue
        if letter.isspace() or letter in "\u0000\ufffe\uffff\u00ad":
            if letters and letter not in "\ufffe\u00ad":
                yield _joined(letters)
                letters = []
            continue
        if not raw.FPDFText_GetLooseCharBox(text, index, ctypes.byref(rect)):
            continue
        size = abs(rect.top - rect.bottom)
        if size < _SMALLEST:
            continue
        found = (letter, rect.left - left, top - rect.top, rect.right - left, top - rect.bottom, size)
        if letters and _is_apart(letters[-1], found, _GUESSED if guessed else _APART):
            yield _joined(letters)
            letters = []
        letters.append(found)
        guessed = False
    if letters:
        yield _joined(letters)


def _is_apart(one: _Letter, other: _Letter, gap: float) -> bool:
    size = min(one[5], other[5])
    same_line = abs((one[2] + one[4]) - (other[2] + other[4])) < size
    return not same_line or not -size < other[1] - one[3] < gap * size


def _joined(letters: list[_Letter]) -> tuple[str, Box, float]:
    text = "".join(letter[0] for letter in letters)
    box = (
        round(min(letter[1] for letter in letters), 1),
        round(min(letter[2] for letter in letters), 1),
        round(max(letter[3] for letter in letters), 1),
        round(max(letter[4] for letter in letters), 1),
    )
    return text, box, round(max(letter[5] for letter in letters), 1)
