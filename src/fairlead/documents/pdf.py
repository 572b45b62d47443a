"""The words of a PDF file and where they stand. Runs in a process of its own (`bounded.py`): a library in C reads what
strangers have made."""

import ctypes
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from fairlead.documents.aside import is_turned, runs
from fairlead.documents.types import LARGEST, MOST_PAGES, MOST_WORDS, Box, Letter, Page, Unread, Word

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

_MOST_LETTERS: Final = 400_000
_SMALLEST: Final = 2.0  # points: what nobody can read is not read
_APART: Final = 0.22  # of a letter's size: a gap between words
_GUESSED: Final = 0.14  # where the library takes it for one as well
_LONGEST: Final = 200  # letters: what is longer is no word, and rules would look at it for long
_FEW: Final = 12  # words: more are no stamp of a scanner's
_COVERED: Final = 0.5  # of a page, by pictures: it is one
_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD


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
        aslant = any(page.aside for page in pages)
        why = "its text stands aslant" if aslant else "it has no text layer: it is likely a scan"
        return Unread(kind="no_text", why=why, mend=mend)
    return tuple(pages)


def _page(page: Any) -> Page:
    """A page as it is read: turned so that most of its letters stand upright, whatever the file says of it. What runs
    another way (the small print in a margin, a stamp across the page) would tear lines apart, and stands aside."""
    left, bottom, right, top = page.get_cropbox()
    width, height = right - left, top - bottom
    text = page.get_textpage()
    letters = list(_letters(text, left, top))
    angles = Counter(round(each.angle / 90) * 90 % 360 for each in letters if each.box)
    by = -angles.most_common(1)[0][0] % 360 if angles else 0
    aside = runs(each for each in letters if not each.box or is_turned(each.angle, -by))
    own = [
        Letter(each.text, each.box and _turned(each.box, width, height, by), each.angle, each.size)
        for each in letters
        if not each.box or not is_turned(each.angle, -by)
    ]
    if by % 180:
        width, height = height, width
    found = tuple(
        each
        for each in _words(own)
        if each.box[2] > 0 and each.box[3] > 0 and each.box[0] < width and each.box[1] < height
    )
    is_picture = len(found) <= _FEW and _is_picture(page, text, width * height, bare=not found)
    return Page(width, height, found, aside, is_picture)


def _is_picture(page: Any, text: Any, whole: float, *, bare: bool) -> bool:
    """Whether pictures cover a page, of so many points square. On one without words (`bare`) anything drawn counts,
    lines and letters that nothing tells of among it, as words are drawn in lines as well; empty text does not."""
    from pypdfium2 import raw

    sides = [ctypes.c_float() for _ in range(4)]
    covered = 0.0
    for index in range(raw.FPDFPage_CountObjects(page)):
        each = raw.FPDFPage_GetObject(page, index)
        kind = raw.FPDFPageObj_GetType(each)
        if bare and kind != raw.FPDF_PAGEOBJ_TEXT:
            return True
        if kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM) and raw.FPDFPageObj_GetBounds(each, *sides):
            covered += (sides[2].value - sides[0].value) * (sides[3].value - sides[1].value)
    if covered > _COVERED * whole or not bare:
        return covered > _COVERED * whole
    codes = (raw.FPDFText_GetUnicode(text, at) for at in range(min(raw.FPDFText_CountChars(text), _MOST_LETTERS)))
    return not all(0 < code < 0x110000 and chr(code).isspace() for code in codes)


def _turned(box: Box, width: float, height: float, by: int) -> Box:
    x0, y0, x1, y1 = box
    if by == 90:
        return (height - y1, x0, height - y0, x1)
    if by == 180:
        return (width - x1, height - y1, width - x0, height - y0)
    return (y0, width - x1, y1, width - x0) if by == 270 else box


def _letters(text: Any, left: float, top: float) -> Iterator[Letter]:
    """The letters of a page in the order of the file, from its upper left corner, with the spaces between them."""
    from pypdfium2 import raw

    rect, matrix = raw.FS_RECTF(), raw.FS_MATRIX()
    for index in range(min(raw.FPDFText_CountChars(text), _MOST_LETTERS)):
        code = raw.FPDFText_GetUnicode(text, index)
        letter = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
        if letter in "\ufffe\u00ad":
            continue  # a hyphen where a line was broken
        if letter.isspace() or letter in "\u0000\uffff":
            guessed = letter == " " and raw.FPDFText_IsGenerated(text, index) == 1
            yield Letter("" if guessed else " ", None, 0.0)  # the library parts letters that are set apart as well
        elif raw.FPDFText_GetLooseCharBox(text, index, ctypes.byref(rect)):
            box = (rect.left - left, top - rect.top, rect.right - left, top - rect.bottom)
            angle, size = math.degrees(raw.FPDFText_GetCharAngle(text, index)), box[3] - box[1]
            if is_turned(angle, 0.0) and raw.FPDFText_GetMatrix(text, index, ctypes.byref(matrix)):
                size = raw.FPDFText_GetFontSize(text, index) * math.hypot(matrix.c, matrix.d)
            yield Letter(letter, box, angle, size)


def _words(letters: Iterable[Letter]) -> Iterator[Word]:
    word: list[Letter] = []
    guessed = False
    for each in letters:
        if each.box is None:
            guessed = guessed or not each.text
            if each.text and word:
                yield _joined(word)
                word = []
            continue
        if each.box[3] - each.box[1] < _SMALLEST:
            continue
        if word and (len(word) >= _LONGEST or _is_apart(word[-1].box, each.box, _GUESSED if guessed else _APART)):
            yield _joined(word)
            word = []
        word.append(each)
        guessed = False
    if word:
        yield _joined(word)


def _is_apart(one: Box | None, other: Box, gap: float) -> bool:
    assert one is not None
    size = min(one[3] - one[1], other[3] - other[1])
    same_line = abs((one[1] + one[3]) - (other[1] + other[3])) < size
    return not same_line or not -size < other[0] - one[2] < gap * size


def _joined(letters: Sequence[Letter]) -> Word:
    boxes = [each.box for each in letters if each.box]
    box = (
        round(min(each[0] for each in boxes), 1),
        round(min(each[1] for each in boxes), 1),
        round(max(each[2] for each in boxes), 1),
        round(max(each[3] for each in boxes), 1),
    )
    return Word("".join(each.text for each in letters), box, round(max(each[3] - each[1] for each in boxes), 1))
