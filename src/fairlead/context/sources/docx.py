"""The text of a DOCX file as Markdown: headings, paragraphs, lists, links and tables, in their order.

What a reader of the document sees is taken: text that was deleted or is hidden is not, text whose insertion is tracked
and text in forms is. Runs in a process of its own (`converting.py`).
"""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

from fairlead.context.sources.head import line as head_line
from fairlead.context.sources.reading import Said
from fairlead.context.sources.types import Failure

MOST_UNPACKED: Final = 200_000_000
_MOST_PARTS: Final = 5_000
_MOST_TEXT: Final = 5_000_000
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
# Not what a reader sees, or the same once more for older programs.
_LEFT_OUT: Final = {
    *(f"{_W}{name}" for name in ("del", "moveFrom", "pPr", "rPr", "sectPr", "sdtPr", "instrText", "delText")),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}
_HEADING: Final = re.compile(r"heading ([1-9])")


def read_docx(data: bytes) -> Said | Failure:
    """Raises what python-docx, lxml and zipfile do for a damaged file."""
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return Failure(why="it is encrypted, or of Word before 2007", mend="save it as .docx without a password")
    with zipfile.ZipFile(BytesIO(data)) as parts:
        sizes = [each.file_size for each in parts.infolist()]
    if len(sizes) > _MOST_PARTS or sum(sizes) > MOST_UNPACKED:
        return Failure(
            why=f"it unpacks to {sum(sizes):,} bytes in {len(sizes):,} parts", mend="take out its pictures, or split it"
        )
    from docx import Document

    document = Document(BytesIO(data))
    writing = _Writing(document)
    length, found = 0, []
    for block in writing.blocks(document.element.body):
        length += len(block)
        if length > _MOST_TEXT:
            return Failure(why=f"it has more than {_MOST_TEXT:,} letters", mend="split it")
        found.append(block)
    if not "".join(found).strip():
        return Failure(why="it holds no text", mend="leave it out")
    about = document.core_properties
    title = " ".join(str(about.title or "").split())
    keys = {"title": head_line("title", title[:200])} if title and title.isprintable() else {}
    changed = f"{about.modified:%Y-%m-%d}" if about.modified is not None else ""
    return Said(keys=keys, body=re.sub(r"\n{3,}", "\n\n", "\n".join(found)).strip("\n") + "\n", changed=changed)


class _Writing:
    """Goes through one document. Elements are walked with a stack of our own: a file can nest them as it likes."""

    def __init__(self, document: Any) -> None:
        self._links = {id: part.target_ref for id, part in document.part.rels.items() if part.is_external}
        self._levels = dict(_heading_styles(document))
        self._lists = {
            style.style_id: "1." if "number" in (style.name or "").lower() else "-"
            for style in document.styles
            if (style.name or "").lower().startswith("list")
        }

    def blocks(self, body: Any) -> Iterator[str]:
        """Each paragraph and each table, with what separates it from the one before."""
        was_item = False
        for element in _within(body, (f"{_W}p", f"{_W}tbl")):
            if element.tag == f"{_W}tbl":
                yield "\n" + self._table(element) + "\n"
                was_item = False
                continue
            text = self._text(element).strip()
            if not text:
                continue
            level, mark = self._form(element)
            if level:
                yield f"\n{'#' * level} {' '.join(text.split())}\n"
            else:
                yield mark + text if mark and was_item else "\n" + mark + (text if mark else _plain(text))
            was_item = bool(mark)

    def _form(self, paragraph: Any) -> tuple[int, str]:
        """The level of a heading, 0 for none; and the mark of an item in a list, "" for none."""
        about = paragraph.find(f"{_W}pPr")
        if about is None:
            return 0, ""
        style = about.find(f"{_W}pStyle")
        name = style.get(f"{_W}val", "") if style is not None else ""
        outline = about.find(f"{_W}outlineLvl")
        level = self._levels.get(name, 0)
        if outline is not None and outline.get(f"{_W}val", "").isdigit():
            level = min(int(outline.get(f"{_W}val")) + 1, 6) if int(outline.get(f"{_W}val")) < 9 else 0
        numbered = about.find(f"{_W}numPr")
        if level or (numbered is None and name not in self._lists):
            return level, ""
        depth = numbered.find(f"{_W}ilvl") if numbered is not None else None
        digits = depth.get(f"{_W}val", "0") if depth is not None else "0"
        indent = min(int(digits), 8) if digits.isdigit() else 0
        return 0, "  " * indent + self._lists.get(name, "-") + " "

    def _text(self, paragraph: Any) -> str:
        """What a paragraph reads like, its links as Markdown."""
        found: list[str] = []
        waiting = [paragraph]
        while waiting:
            element = waiting.pop()
            if isinstance(element, str):
                found.append(element)
                continue
            tag = element.tag
            if tag in _LEFT_OUT or (tag == f"{_W}r" and _is_hidden(element)) or (tag == f"{_W}tbl"):
                continue
            if tag == f"{_W}t":
                found.append(element.text or "")
            elif tag in (f"{_W}tab", f"{_W}br", f"{_W}cr"):
                found.append(" " if tag == f"{_W}tab" else "\n")
            elif tag == f"{_W}noBreakHyphen":
                found.append("-")
            if tag == f"{_W}hyperlink" and (target := self._links.get(element.get(f"{_R}id", ""))):
                found.append("[")
                waiting.append(f"]({target.replace(' ', '%20').replace(')', '%29')})")
            waiting += reversed(element)
        return "".join(found)

    def _table(self, table: Any) -> str:
        """As a table of Markdown. What stands in tables within a cell comes as words of that cell."""
        rows = []
        for row in _within(table, (f"{_W}tr",)):
            cells = []
            for cell in _within(row, (f"{_W}tc",)):
                words = (self._text(each) for each in _within(cell, (f"{_W}p",)))
                cells.append(" ".join(" ".join(words).split()).replace("|", "\\|"))
            rows.append(cells)
        width = max(map(len, rows), default=0)
        if not width:
            return ""
        lines = ["| " + " | ".join(cells + [""] * (width - len(cells))) + " |" for cells in rows]
        lines.insert(1, "|" + " --- |" * width)
        return "\n".join(lines)


def _within(element: Any, tags: tuple[str, ...]) -> Iterator[Any]:
    """The nearest elements of these kinds, in their order, however wrapped."""
    waiting = list(reversed(element))
    while waiting:
        each = waiting.pop()
        if each.tag in tags:
            yield each
        elif isinstance(each.tag, str) and each.tag not in _LEFT_OUT:
            waiting += reversed(each)


def _is_hidden(run: Any) -> bool:
    about = run.find(f"{_W}rPr")
    mark = about.find(f"{_W}vanish") if about is not None else None
    return mark is not None and mark.get(f"{_W}val", "1") not in ("0", "false", "off")


def _heading_styles(document: Any) -> Iterator[tuple[str, int]]:
    """Level by style. Word keeps the names of its own styles in English, whatever language it speaks."""
    for style in document.styles:
        name = (style.name or "").lower()
        if found := _HEADING.fullmatch(name):
            yield style.style_id, min(int(found[1]), 6)
        elif name == "title":
            yield style.style_id, 1


def _plain(text: str) -> str:
    """A paragraph that Markdown takes for nothing else."""
    return "\\" + text if text.startswith(("#", ">", "```", "~~~", "===", "---", "- ", "* ", "+ ")) else text
