"""Links from page to page, where a page is called otherwise here than at its source."""

import posixpath
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

_LINK: Final = re.compile(r"(?P<before>\]\(<?)(?P<target>[^()<>\s]+)(?P<after>[)>\s])|(?P<code>`+[^`\n]+`+)")
_ELSEWHERE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[/#?]")


def renamed(pages: Mapping[str, str]) -> frozenset[str]:
    """The paths of those pieces whose pages are called otherwise. Without any, no link has to be looked at."""
    return frozenset(path for path, page in pages.items() if page != path)


def relinked(body: str, path: str, pages: Mapping[str, str], others: frozenset[str]) -> str:
    """The text of the piece with this path, with its relative links leading to the same pages as before. `pages` are
    those of all pieces, `others` the `renamed` among them. A link that leads there as it is stays byte for byte."""
    page = pages[path]
    if not others or "](" not in body:
        return body

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if target is None or _ELSEWHERE.match(target):
            return found[0]
        place, mark, rest = re.match(r"([^#?]*)(#|\?|)(.*)", target, re.DOTALL).groups()  # type: ignore[union-attr]
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(place)))
        there = pages.get(meant)
        if (
            there is None
            or (page == path and meant not in others)
            or posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(place))) == there
        ):
            return found[0]
        way = posixpath.relpath(there, posixpath.dirname(page) or ".")
        return found["before"] + quote(way) + mark + rest + found["after"]

    return _LINK.sub(link, body)
