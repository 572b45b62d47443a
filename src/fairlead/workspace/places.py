"""Where in the text a package's complaint belongs. Packages name the key or the file; here it gets its line.

Packages below do not know files and lines. Their errors begin with, or quote, the key that is wrong
(`budgets.departments.web.daily`, `keys.app.secret`), or name `file:line` where they read the text themselves.
"""

import re
from collections.abc import Iterator, Mapping

from fairlead.errors import BadInput
from fairlead.workspace.problems import Problem
from fairlead.workspace.yaml_lines import Document, Node, Path

_FILE_LINE = re.compile(r"^(?P<file>[^\s:]+\.[a-z]+):(?P<line>\d+)(?::(?P<column>\d+))?: ?")
_NAMED_FILE = re.compile(r"^(?P<file>[^\s:]+\.(?:md|yaml|cedar)): ?")
_WORD = re.compile(r"[\w*./@|-]+(?:\[\d+\][\w*./@|-]*)*")
_INDEX = re.compile(r"\[(\d+)\]")
_RULE_NUMBER = re.compile(r"\brules: rule (\d+)\b")
_QUOTED = re.compile(r"'([^']+)'|`([^`]+)`")


def placed(
    error: BadInput,
    document: Document,
    base: Path = (),
    *,
    folder: str = "",
    others: Mapping[str, Document] | None = None,
) -> Problem:
    """The problem that `error` reports: at `file:line` where its message says so, else at the deepest key that it
    names, or at the value that it quotes; else at `base`.

    `folder` stands before file names in the message ("context/"). `others` are documents that it may speak of as well.
    """
    message = error.message + (f": {error.why}" if error.why else "")
    if found := _FILE_LINE.match(message):
        line, column = int(found["line"]), int(found["column"] or 0)
        said = message[found.end() :]
        return Problem(file=folder + found["file"], line=line, column=column, message=said, mend=error.mend)
    if found := _NAMED_FILE.match(message):
        file, message = folder + found["file"], message[found.end() :]
        named = (others or {}).get(file)
        line, column = (named and _place(named, message, ())) or (0, 0)
        return Problem(file=file, line=line, column=column, message=message, mend=error.mend)
    for other, start in ((document, base), *((each, ()) for each in (others or {}).values())):
        if place := _place(other, message, start):
            return Problem(file=other.file, line=place[0], column=place[1], message=message, mend=error.mend)
    return document.problem(base, message, error.mend)


def of_page(path: str, error: BadInput) -> Problem:
    """The problem that `error` reports of a page, by its path in the context. Its name may hold anything, blanks."""
    message = error.message.removeprefix(f"{path}:").strip()
    line, _, said = message.partition(":")
    place, said = (int(line), said.strip()) if line.isdigit() else (0, message)
    return Problem(
        file="context/" + path, line=place, message=said + (f": {error.why}" if error.why else ""), mend=error.mend
    )


def _place(document: Document, message: str, base: Path) -> tuple[int, int] | None:
    """Where the document has what the message names or quotes; None if it has nothing of it below `base`."""
    named = [path for path in _paths(message, document, base) if len(path) > len(base)]
    path = max(named, key=len, default=base)
    node = document.node(path)
    quoted = (_value_place(node, one or other) for one, other in _QUOTED.findall(message)) if node else ()
    return next(filter(None, quoted), document.place(path) if named else None)


def _value_place(node: Node, text: str) -> tuple[int, int] | None:
    """Where a value, or a key, that reads like this stands at or below a node."""
    if not node.children:
        return (node.line, node.column) if str(node.data) == text else None
    if text in node.keys:
        return node.keys[text]
    places = (_value_place(child, text) for child in node.children.values())
    return next((place for place in places if place), None)


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
        step, length = _step(pieces, document, path)
        if step is None:
            break
        path, pieces = (*path, step), pieces[length:]
    return path


def _step(pieces: list[str], document: Document, path: Path) -> tuple[str | int | None, int]:
    for length in range(len(pieces), 0, -1):
        key = ".".join(pieces[:length])
        for step in (key, int(key)) if key.isdecimal() else (key,):
            if document.node((*path, step)):
                return step, length
    return None, 0
