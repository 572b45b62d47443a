"""A page that pulls the text of another in: a line `!include path.md`, or `!include path.md#Heading`, by itself.

What is pulled in is read with the rights of the page that does it. So a page may take in only what everybody who reads
it may read anyway; anything else would be a leak, and is refused. It holds no longer than what it takes in: a page that
is retired cannot be included, and the first of all these pages to expire ends the time of the whole.
"""

import re
from collections.abc import Callable, Mapping
from posixpath import dirname, join, normpath

from msgspec import Struct

from fairlead.context.front_keys import FrontMatter, bad
from fairlead.context.kinds import PUBLISHED
from fairlead.context.sections import below_heading
from fairlead.errors import BadInput, closest

_LINE = re.compile(r"!include[ \t]+(\S[^\n]*?)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_DEEPEST = 8
_MOST_CHARACTERS = 5_000_000  # of one page
_MOST_INCLUDED = 64 << 20  # of all pages together
EVERYONE = "everyone"


class Source(Struct, frozen=True):
    """A page as it lies in its file, with the line on which its text begins."""

    front: FrontMatter
    body: str
    line: int


class Includes:
    """The pages of one folder, by their paths below `context/`. `read` reads one, and raises `BadInput`."""

    def __init__(self, paths: Mapping[str, bytes], read: Callable[[str], Source]) -> None:
        self._paths = paths
        self._read = read
        self._done: dict[str, str] = {}
        self._expires: dict[str, str] = {}
        self._included = 0

    def expanded(self, path: str, page: Source) -> tuple[str, str]:
        """The text of a page with all that it includes, and the ISO day on which the first of it expires, "" for none.
        Raises `BadInput` naming file and line."""
        return self._expanded(path, page, (path,)), self._expires[path]

    def _expanded(self, path: str, page: Source, chain: tuple[str, ...]) -> str:
        self._expires[path] = page.front.expires
        if "!include" not in page.body:
            return page.body
        found: list[str] = []
        fence, size = "", 0
        for number, line in enumerate(page.body.split("\n"), page.line):
            mark = _FENCE.match(line)
            if mark and (not fence or mark[1].startswith(fence)):
                fence = "" if fence else mark[1]
            wanted = None if fence else _LINE.fullmatch(line)
            text = self._wanted(path, page, number, wanted[1], chain) if wanted else line
            size += len(text) + 1
            if size > _MOST_CHARACTERS:
                raise bad(
                    path,
                    number,
                    "the page is too long with what it includes",
                    why=f"it has more than {_MOST_CHARACTERS:,} characters",
                    mend="include less",
                )
            found.append(text)
        return "\n".join(found)

    def _wanted(self, path: str, page: Source, line: int, wanted: str, chain: tuple[str, ...]) -> str:
        name, _, heading = wanted.partition("#")
        target = self._target(path, line, name)
        if target in chain:
            circle = " -> ".join((*chain[chain.index(target) :], target))
            raise bad(path, line, f"the page includes itself: {circle}", mend="take one of these includes out")
        if len(chain) > _DEEPEST:
            raise bad(path, line, f"includes are nested deeper than {_DEEPEST}: {' -> '.join(chain)}", mend="nest less")
        other = self._read(target)
        _refuse_leak(path, page.front, line, target, other.front)
        if target not in self._done:
            self._done[target] = self._expanded(target, other, (*chain, target)).strip("\n")
        text = self._done[target]
        self._expires[path] = min(filter(None, (self._expires[path], self._expires[target])), default="")
        if heading:
            part = below_heading(text, heading.strip())
            if part is None:
                raise bad(
                    path, line, f"there is no heading {heading.strip()!r} in {target}", mend="name one that is there"
                )
            text = part
        self._included += len(text)
        if self._included > _MOST_INCLUDED:
            raise bad(path, line, "the pages include too much", why="more than 64 MiB in all", mend="include less")
        return text

    def _target(self, path: str, line: int, name: str) -> str:
        beside = normpath(join(dirname(path), name.strip()))
        for target in (beside, normpath(name.strip().lstrip("/"))):
            if target in self._paths:
                return target
        raise bad(
            path,
            line,
            f"there is no page {name.strip()!r} to include",
            why="a path counts from the page's own folder, or from context/",
            mend=closest(beside, self._paths) or "name a page below context/",
        )


def _refuse_leak(path: str, front: FrontMatter, line: int, target: str, other: FrontMatter) -> None:
    why = ""
    if other.data_class > front.data_class:
        why = f"{target} is {other.data_class.name}, and {path} only {front.data_class.name}"
    elif EVERYONE not in other.audience and not front.audience <= other.audience:
        more = ", ".join(sorted(front.audience - other.audience))
        why = f"{target} is for {', '.join(sorted(other.audience))} alone, and {path} also for {more}"
    elif other.status != PUBLISHED and front.status == PUBLISHED:
        why = f"{target} is not published: its status is {other.status}"
    elif front.trusted and not other.trusted:
        why = f"{target} holds words that are not trusted, and {path} is trusted"
    if why:
        raise BadInput(
            f"{path}:{line}: {target} cannot be included here",
            why=why,
            mend="give both pages the same readers, class and trust, or link to it instead",
            subject=path,
        )
