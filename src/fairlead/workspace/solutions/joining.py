"""Blocks of YAML put into a text that is there, so that its comments and its order stay.

Texts are joined line by line and then read again: what does not say exactly both is not joined at all.
"""

import re
from typing import Any, Final

from msgspec import Struct

from fairlead.workspace.yaml_lines import Document, parse_yaml

_KEY: Final = re.compile(r"^(?P<key>[A-Za-z0-9_.\"'*-]+):(?P<rest>.*)$")


class _Block(Struct):
    """A key with all lines that belong to it; the first is its own."""

    key: str
    lines: list[str]

    @property
    def is_open(self) -> bool:
        """Whether its content stands below its key."""
        found = _KEY.match(self.lines[0].strip())
        return found is not None and not found["rest"].partition(" #")[0].strip()


def joined(text: bytes, more: bytes) -> bytes | None:
    """`text` with what `more` says as well. None where they speak of the same thing, or where it cannot be told."""
    old, new = _data(text), _data(more)
    if old is None or new is None:
        return None
    wanted = _merged(old, new)
    if wanted is None:
        return None
    if wanted == old:
        return text
    lines = _put(text.decode().splitlines(), more.decode().splitlines())
    made = ("\n".join(lines) + "\n").encode()
    return made if _data(made) == wanted else None


def _data(text: bytes) -> dict[str, Any] | None:
    document = parse_yaml("text", text)
    return document.data if isinstance(document, Document) and isinstance(document.data, dict) else None


def _merged(old: Any, new: Any) -> Any:
    """Both, or None where they differ about something."""
    if isinstance(old, dict) and isinstance(new, dict):
        both = {key: _merged(old[key], new[key]) if key in old else new[key] for key in new}
        return None if any(value is None and key in old for key, value in both.items()) else {**old, **both}
    if isinstance(old, list) and isinstance(new, list):
        return old + [each for each in new if each not in old]
    return old if old == new else None


def _put(old: list[str], new: list[str]) -> list[str]:
    """The lines of a mapping with the blocks of another."""
    result, blocks = list(old), {each.key: each for each in _blocks(old)}
    for block in _blocks(new):
        there = blocks.get(block.key)
        if there is None:
            indent = _indent(old)
            result = [*_stripped(result), *([""] if not indent else []), *_shifted(block.lines, indent)]
        elif there.is_open and block.is_open:
            body, mine = there.lines[1:], block.lines[1:]
            more = _put(body, mine) if _blocks(body) else [*_stripped(body), *_shifted(mine, _indent(body))]
            at = _place_of(result, there.lines)
            result[at : at + len(there.lines)] = [there.lines[0], *more]
            there.lines = [there.lines[0], *more]
    return result


def _blocks(lines: list[str]) -> list[_Block]:
    """The keys at the lowest indentation, each with its lines; nothing where these are no mapping."""
    indent, found = _indent(lines), list[_Block]()
    for line in lines:
        bare = line[indent:] if line[:indent].strip() == "" else line
        key = _KEY.match(bare) if _says(line) and _width(line) == indent else None
        if key is not None and not bare.startswith("- "):
            found.append(_Block(key["key"], [line]))
        elif found:
            found[-1].lines.append(line)
    return found


def _place_of(lines: list[str], part: list[str]) -> int:
    return next(at for at in range(len(lines)) if lines[at : at + len(part)] == part)


def _shifted(lines: list[str], indent: int) -> list[str]:
    """The lines with their least indentation made `indent`."""
    by = indent - _indent(lines)
    return [(" " * by + line if by >= 0 else line[-by:]) if line.strip() else line for line in lines]


def _indent(lines: list[str]) -> int:
    return min((_width(line) for line in lines if _says(line)), default=0)


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _stripped(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]
