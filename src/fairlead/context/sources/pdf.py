"""The text of a PDF file as Markdown: headings by its bookmarks, else by the size of letters.

A PDF says where letters stand and not what they are, so this is an estimate; words and their order are its own. Runs in
a process of its own (`converting.py`), since files of strangers can be made to take time and memory without end.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from fairlead.context.sources.head import line as head_line
from fairlead.context.sources.reading import Said
from fairlead.context.sources.types import Failure

if TYPE_CHECKING:
    from pypdf import PdfReader

MOST_PAGES: Final = 2_000
_MOST_TEXT: Final = 5_000_000
_LONGEST_HEADING: Final = 120
_LARGER: Final = 1.12  # than most of the text: then a short line is a heading
_SPACED: Final = 1.45  # times the usual distance of lines: then a paragraph begins
_NUMBER: Final = re.compile(r"\d+")
_BULLET: Final = re.compile(r"^[•●▪◦‣·–]\s+")


class _Line(Struct):
    """A line as it stands on its page. `size` of its letters and `y` of its foot, in points; `page` from 0."""

    text: str
    size: float
    y: float
    page: int


def read_pdf(data: bytes) -> Said | Failure:
    """Raises what pypdf does for a damaged file."""
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        return Failure(why="it is encrypted with a password", mend="save a copy without one")
    pages = len(reader.pages)
    if pages > MOST_PAGES:
        return Failure(why=f"it has {pages:,} pages, and {MOST_PAGES:,} are the most", mend="split it")
    lines: list[_Line] = []
    length = 0
    for number in range(pages):
        found = _lines(reader, number)
        length += sum(len(each.text) + 1 for each in found)
        if length > _MOST_TEXT:
            return Failure(why=f"it has more than {_MOST_TEXT:,} letters", mend="split it")
        lines += found
    if not any(each.text.strip() for each in lines):
        return Failure(
            why=f"none of its {pages} page{'s' if pages != 1 else ''} holds any text: it is likely a scan",
            mend="recognise its text (OCR) first, and save that",
        )
    title = _title(reader)
    body = "\n".join(_written(_without_margins(lines, pages), _bookmarks(reader))) + "\n"
    keys = {"title": head_line("title", title)} if title else {}
    return Said(keys=keys, body=body, changed=_changed(reader))


def _lines(reader: "PdfReader", number: int) -> list[_Line]:
    found: list[_Line] = []
    current = _Line("", 0.0, 0.0, number)

    def visit(text: str, cm: Any, tm: Any, font: Any, size: float) -> None:
        nonlocal current
        scale = abs(tm[3] or tm[0]) * abs(cm[3] or cm[0] or 1.0)
        for piece in text.splitlines(keepends=True):
            words = piece.rstrip("\r\n")
            if words.strip():
                current.text += words
                current.size = max(current.size, round(float(size or 0) * (scale or 1.0), 1))
                current.y = tm[5] * (cm[3] or 1.0) + cm[5]
            if piece != words:
                found.append(current)
                current = _Line("", 0.0, 0.0, number)

    reader.pages[number].extract_text(visitor_text=visit)
    found.append(current)
    return [each for each in found if each.text.strip()]


def _without_margins(lines: list[_Line], pages: int) -> list[_Line]:
    """The lines without those that open or close most pages alike, numbers aside."""
    if pages < 4:
        return lines
    edges: Counter[str] = Counter()
    ends: dict[int, list[_Line]] = {}
    for each in lines:
        ends.setdefault(each.page, []).append(each)
    marginal = {id(each) for its in ends.values() for each in (its[0], its[-1])}
    edges.update(_shape(each) for each in lines if id(each) in marginal)
    return [each for each in lines if id(each) not in marginal or edges[_shape(each)] * 2 <= pages]


def _shape(line: _Line) -> str:
    return _NUMBER.sub("0", line.text.strip())


def _written(lines: list[_Line], bookmarks: Mapping[int, list[tuple[str, int]]]) -> Iterator[str]:
    """The lines as Markdown."""
    sizes: Counter[float] = Counter()
    for each in lines:
        sizes[each.size] += len(each.text)
    usual = sizes.most_common(1)[0][0]
    larger = sorted({size for size in sizes if size > usual * _LARGER}, reverse=True)[:3]
    gaps = Counter(round(a.y - b.y) for a, b in pairwise(lines) if a.page == b.page and a.y > b.y)
    gap = gaps.most_common(1)[0][0] if gaps else 0
    left = {page: list(marks) for page, marks in bookmarks.items()}
    before: _Line | None = None
    for each in lines:
        text = " ".join(each.text.split())
        level = _level(text, each, left, larger, bool(bookmarks))
        apart = before is None or (before.page == each.page and gap and before.y - each.y > gap * _SPACED)
        if level:
            yield f"\n{'#' * level} {text}\n"
        else:
            if apart and before is not None:
                yield ""
            yield _plain(text)
        before = each


def _level(text: str, line: _Line, left: dict[int, list[tuple[str, int]]], larger: list[float], is_marked: bool) -> int:
    for mark in left.get(line.page, ()):
        if mark[0].casefold() == text.casefold():
            left[line.page].remove(mark)
            return mark[1]
    if is_marked or len(text) > _LONGEST_HEADING or line.size not in larger or text[-1] in ".,;:":
        return 0
    return larger.index(line.size) + 1


def _plain(text: str) -> str:
    """A line of text that Markdown takes for nothing else."""
    text = _BULLET.sub("- ", text)
    return "\\" + text if text.startswith(("#", ">", "```", "~~~", "===", "---")) else text


def _bookmarks(reader: "PdfReader") -> Mapping[int, list[tuple[str, int]]]:
    """Title and level of each bookmark by its page. Without recursion: a file can nest them as it likes."""
    found: dict[int, list[tuple[str, int]]] = {}
    waiting: list[tuple[Any, int]] = [(reader.outline, 1)]
    while waiting:
        node, level = waiting.pop()
        if isinstance(node, list):
            waiting += [(each, level + 1 if isinstance(each, list) else level) for each in reversed(node)]
        elif getattr(node, "title", None):
            page = reader.get_destination_page_number(node)
            if page is not None:
                found.setdefault(page, []).append((" ".join(str(node.title).split()), min(level, 6)))
    return found


def _title(reader: "PdfReader") -> str:
    title = reader.metadata.title if reader.metadata is not None else None
    text = " ".join(str(title or "").split())
    # Many programs put the name of a file there.
    return "" if not text.isprintable() or re.search(r"\.\w{2,4}$", text) else text[:200]


def _changed(reader: "PdfReader") -> str:
    about = reader.metadata
    try:
        day = (about.modification_date or about.creation_date) if about is not None else None
    except (ValueError, TypeError):
        return ""
    return f"{day:%Y-%m-%d}" if day is not None and day.year >= 1970 else ""
