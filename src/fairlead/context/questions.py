"""What a page still has to answer: its questions without an answer, and values that nobody has confirmed.

A starter page is written as questions. Each is a heading, so that whoever asks it later finds the answer under it; the
line `Not answered yet.` stands where the answer belongs, and after values of the front matter that are only proposed.
"""

import re
from collections.abc import Iterator
from typing import Final

from fairlead.context.meaning import COMMENT
from fairlead.context.sections import headed

UNANSWERED: Final = "Not answered yet."

_MARK: Final = re.compile(r"[\s*_>~()\[\]-]*not answered yet[\s*_.!)\]]*", re.IGNORECASE)
_PROPOSED: Final = re.compile(r"\s*([\w-]+)\s*:.*\s#[\s#]*not answered yet[\s.]*$", re.IGNORECASE)
_FRONT_LINES: Final = 200


def unanswered(page: str) -> tuple[str, ...]:
    """What is open in a page's whole text, front matter included, each in words for people, in the page's order."""
    lines = page.replace("\r\n", "\n").lstrip("\ufeff").split("\n")
    end = _front_end(lines)
    return (*_proposed(lines[1:end]), *dict.fromkeys(_asked("\n".join(lines[end + 1 if end else 0 :]))))


def _front_end(lines: list[str]) -> int:
    """The line that closes the front matter, 0 where there is none."""
    if lines[0].rstrip() != "---":
        return 0
    return next((at for at, line in enumerate(lines[1:_FRONT_LINES], 1) if line.rstrip() in ("---", "...")), 0)


def _proposed(front: list[str]) -> Iterator[str]:
    for line in front:
        if found := _PROPOSED.match(line):
            yield f"`{found[1]}` in the front matter"


def _asked(body: str) -> Iterator[str]:
    """The headings under which nothing stands but the mark, and questions under which nothing stands at all."""
    runs = [(path, COMMENT.sub("", text)) for path, text in headed(body)]
    below = [path for path, _ in runs[1:]] + [()]
    for (path, text), following in zip(runs, below, strict=True):
        heading = path[-1] if path else "the page's beginning"
        marked = any(_MARK.fullmatch(line) for line in text.split("\n"))
        is_parent = len(following) > len(path) and following[: len(path)] == path
        if marked or (heading.endswith("?") and not text.strip() and not is_parent):
            yield heading
