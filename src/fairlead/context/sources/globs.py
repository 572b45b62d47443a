"""Patterns for paths: those that people write in `include`, and those of CODEOWNERS files.

They are matched by RE2, whose time grows with the path alone: a CODEOWNERS file is as trusted as its repository.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

import re2

from fairlead.errors import BadInput


def chosen(include: Iterable[str], exclude: Iterable[str]) -> Callable[[str], bool]:
    """Whether a path is taken: some pattern of `include` matches the whole of it, and none of `exclude`. `*` stays
    within a folder, `**` does not; capitals do not count."""
    wanted, unwanted = [_whole(each) for each in include], [_whole(each) for each in exclude]

    def takes(path: str) -> bool:
        folded = _folded(path)
        return any(one.fullmatch(folded) for one in wanted) and not any(one.fullmatch(folded) for one in unwanted)

    return takes


def owned(pattern: str) -> Callable[[str], bool] | None:
    """Whether a path is covered by a pattern of CODEOWNERS, or None for one that those files do not know (`!`, `[`).

    As in gitignore: a slash at the beginning or in the middle binds it to the top; a folder covers what is below it.
    But `docs/*` covers the files of docs alone.
    """
    if pattern.startswith("!") or "[" in pattern or len(pattern) > 500:
        return None
    bare = pattern.replace("\\#", "#").replace("\\ ", " ")
    anchored = "/" in bare.rstrip("/")
    inner = _translated(bare.strip("/"))
    before = "" if anchored else "(?:.*/)?"
    after = "/.*" if bare.endswith("/") else "" if bare.endswith("/*") else "(?:/.*)?"
    compiled = _compiled(before + inner + after)
    return lambda path: compiled.fullmatch(path) is not None


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


@cache
def _whole(pattern: str) -> "re2._Regexp[str]":
    return _compiled(_translated(_folded(pattern).removeprefix("./")))


def _translated(pattern: str) -> str:
    """The pattern as a regular expression for a path without slashes at its ends."""
    found, at = "", 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            found, at = found + "(?:.*/)?", at + 3
        elif pattern.startswith("**", at):
            found, at = found + ".*", at + 2
        elif pattern[at] == "*":
            found, at = found + "[^/]*", at + 1
        elif pattern[at] == "?":
            found, at = found + "[^/]", at + 1
        else:
            found, at = found + re.escape(pattern[at]), at + 1
    return found


def _compiled(expression: str) -> "re2._Regexp[str]":
    options = re2.Options()
    options.dot_nl = True
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        raise BadInput(f"{expression!r} is no pattern for paths", why=str(error), mend="use *, ** and ?") from None
