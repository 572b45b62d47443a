"""Where in the text a package's complaint belongs. Packages name the key or the file; here it gets its line.

Packages below do not know files and lines. Their errors begin with, or quote, the key that is wrong
(`budgets.departments.web.daily`, `keys.app.secret`), or name `file:line` where they read the text themselves.
"""

import re
from collections.abc import Iterator

from fairlead.errors import BadInput
from fairlead.workspace.problems import Problem
from fairlead.workspace.yaml_lines import Document, Path

_FILE_LINE = re.compile(r"^(?P<file>[^\s:]+\.[a-z]+):(?P<line>\d+)(?::(?P<column>\d+))?: ?")
_NAMED_FILE = re.compile(r"^(?P<file>[^\s:]+\.(?:md|yaml|cedar)): ?")
_WORD = re.compile(r"[\w*./@|-]+(?:\[\d+\][\w*./@|-]*)*")
_INDEX = re.compile(r"\[(\d+)\]")
_RULE_NUMBER = re.compile(r"\brules: rule (\d+)\b")


def placed(error: BadInput, document: Document, base: Path = (), *, folder: str = "") -> Problem:
    """The problem that `error` reports, at the deepest key that its message names, else at `base`.

    `folder` stands before file names in the message ("context/").
    """
    mend = error.mend
    message = error.message + (f": {error.why}" if error.why else "")
    if found := _FILE_LINE.match(message) or _NAMED_FILE.match(message):
        places = found.groupdict()
        return Problem(
            file=folder + places["file"],
            line=int(places.get("line") or 0),
            column=int(places.get("column") or 0),
            message=message[found.end() :],
            mend=mend,
        )
    named = [path for path in _paths(f"{error.message} {error.subject}", document, base) if len(path) > len(base)]
    return document.problem(max(named, key=len, default=base), message, mend)


def _paths(text: str, document: Document, base: Path) -> Iterator[Path]:
    """Every path of the document that a word of the text spells, from the top or from `base`."""
    for number in _RULE_NUMBER.findall(text):
        yield ("rules", int(number) - 1)
    for word in _WORD.findall(text):
        for start in dict.fromkeys(((), base)):
            yield _deepest(word.strip(".,:;'\"`"), document, start)


def _deepest(word: str, document: Document, base: Path) -> Path:
    """As much of a dotted word as is a path. Keys may hold dots themselves, so longer pieces are tried first."""
    path = base
    pieces = _INDEX.sub(r".\1", word).split(".")
    while pieces:
        for length in range(len(pieces), 0, -1):
            key = ".".join(pieces[:length])
            step = next(
                (one for one in (key, int(key) if key.isdecimal() else key) if document.node((*path, one))), None
            )
            if step is not None:
                path, pieces = (*path, step), pieces[length:]
                break
        else:
            break
    return path
