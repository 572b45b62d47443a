"""Links from page to page, where a page is called otherwise here than at its source."""

import posixpath
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, unquote

_LINK: Final = re.compile(r"(?P<before>\]\(<?)(?P<target>[^()<>\s]+)(?P<after>[)>\s])|(?P<code>`+[^`\n]+`+)")
_ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/#?]")


def relinked(body: str, path: str, page: str, page_of: Callable[[str], str | None]) -> str:
    """The text with its relative links leading to the same pages as before. `path` is the piece's own, `page` where it
    stands here. A link that leads there as it is stays byte for byte."""

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if target is None or _ELSEWHERE.match(target):
            return found[0]
        place, mark, rest = re.match(r"([^#?]*)(#|\?|)(.*)", target, re.DOTALL).groups()  # type: ignore[union-attr]
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(place)))
        there = page_of(meant)
        if there is None or posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(place))) == there:
            return found[0]
        way = posixpath.relpath(there, posixpath.dirname(page) or ".")
        return found["before"] + quote(way) + mark + rest + found["after"]

    return _LINK.sub(link, body)
