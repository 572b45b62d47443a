"""Cuts a page into passages that can be found, cited and quoted on their own.

Follows CommonMark as far as headings and fenced code go (ATX and setext headings, ``` and ~~~ fences); everything else
is paragraphs between blank lines. Each line is looked at a fixed number of times, so hostile pages cost no more than
long ones.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

_TINY = 40  # words: too few to stand alone
_FULL = 220  # words: begin a new section at the next paragraph
_MOST = 300  # words: cut even inside a paragraph
_LONGEST_HEADING = 200  # characters
PATH = " > "


class Section(Struct, frozen=True):
    """A passage of a page: `heading` is the path of headings above it, outermost first, joined by " > "."""

    heading: str
    text: str


class _Part(Struct):
    """A run of text under one heading, before cutting and merging. `own` is the heading's own line as written."""

    path: tuple[str, ...]
    own: str
    lines: list[str]
    words: int = 0


def split(text: str) -> tuple[Section, ...]:
    """The sections of a page's text, in order. Nothing is lost but blank lines; a page without text has none."""
    merged = _merge(part for whole in _parts(text) for part in _cut(whole))
    bodies = ((part, "\n".join(part.lines).strip("\n") or part.own) for part in merged)
    return tuple(Section(PATH.join(part.path), body) for part, body in bodies if body)


def headed(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each run of text, whole and as written, with the headings above it, outermost first."""
    return ((part.path, "\n".join(part.lines)) for part in _parts(text))


def first_heading(text: str) -> str:
    """The first heading of a page, "" where it has none."""
    return next((part.path[-1] for part in _parts(text) if part.path), "")


def under_headings(text: str) -> Iterator[str]:
    """The texts between a page's headings, as written, in order; of each there may be nothing."""
    return ("\n".join(part.lines) for part in _parts(text))


def _parts(text: str) -> Iterator[_Part]:
    trail: list[tuple[int, str]] = []
    part = _Part((), "", [])
    fence = ""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        mark = line.lstrip(" ")[:1]
        if fence:
            if mark == fence[0] and _closes(line, fence):
                fence = ""
        elif mark == "#" and (level := _atx_level(line)):
            yield part
            part = _open(trail, level, line.strip().lstrip("#"), line.strip())
            continue
        elif mark and mark in "`~":
            fence = _fence(line)
        elif mark and mark in "=-" and (level := _setext_level(line)) and _is_heading(part, lines, at):
            heading = part.lines.pop()
            yield part
            part = _open(trail, level, heading, "#" * level + " " + heading.strip())
            continue
        part.lines.append(line)
    yield part


def _open(trail: list[tuple[int, str]], level: int, heading: str, own: str) -> _Part:
    while trail and trail[-1][0] >= level:
        trail.pop()
    if words := _plain(heading):
        trail.append((level, words))
    return _Part(tuple(heading for _, heading in trail), own if words else "", [])


def _plain(heading: str) -> str:
    """A heading's words: without closing marks, link targets, anchors and emphasis."""
    bare = heading[:1_000].strip()
    if (end := bare.rstrip("#")) != bare and (not end or end[-1] in " \t"):
        bare = end
    bare = _ANCHOR.sub("", _LINK.sub(r"\1", bare))
    return " ".join(bare.translate(_MARKS).split())[:_LONGEST_HEADING]


_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_ANCHOR = re.compile(r"\{#[^{}]*\}\s*$")
_MARKS = str.maketrans("", "", "*`[]")


def _atx_level(line: str) -> int:
    """1 to 6, or 0 for a line that only looks like a heading (`#channel`, indented code)."""
    bare = line.lstrip(" ")
    if len(line) - len(bare) > 3:
        return 0
    level = len(bare) - len(bare.lstrip("#"))
    return level if level <= 6 and bare[level : level + 1] in ("", " ", "\t") else 0


def _setext_level(line: str) -> int:
    bare = line.strip()
    if len(line) - len(line.lstrip(" ")) > 3 or bare.strip(bare[0]):
        return 0
    return 1 if bare[0] == "=" else 2


def _is_heading(part: _Part, lines: list[str], at: int) -> bool:
    """Whether the line above an underline is a one-line paragraph, and no item of a list, quote or table."""
    if not part.lines or not part.lines[-1].strip() or len(part.lines[-1]) > _LONGEST_HEADING:
        return False
    above = part.lines[-1].lstrip()
    alone = len(part.lines) == 1 or not part.lines[-2].strip()
    return alone and above[0] not in "-*+>|`~<" and not (above[0].isdigit() and above.split(" ", 1)[0][-1] in ".)")


def _fence(line: str) -> str:
    """The fence that a line opens, "" if none."""
    bare = line.lstrip(" ")
    run = bare[: len(bare) - len(bare.lstrip(bare[0]))]
    if len(run) < 3 or len(line) - len(bare) > 3 or (run[0] == "`" and "`" in bare[len(run) :]):
        return ""
    return run


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return len(bare) >= len(fence) and not bare.strip(fence[0])


def _cut(part: _Part) -> Iterator[_Part]:
    """The part in pieces of at most `_MOST` words, cut between paragraphs, else between lines, else between words."""
    piece = _Part(part.path, part.own, [])
    fence = ""
    for line in _short_lines(part.lines):
        words = max(line.count(" ") + 1, len(line) // 16) if line else 0  # encoded data has few spaces
        blank = not line.strip()
        fenced = bool(fence)
        mark = line.lstrip(" ")[:1]
        if fence:
            fence = "" if mark == fence[0] and _closes(line, fence) else fence
        elif mark and mark in "`~":
            fence = _fence(line)
        if (blank and not fenced and piece.words >= _FULL) or (piece.words and piece.words + words > _MOST):
            yield _trimmed(piece)
            piece = _Part(part.path, "", [])
        if piece.lines or not blank:
            piece.lines.append(line)
            piece.words += words
    if piece.lines or part.path:
        yield _trimmed(piece)


def _trimmed(part: _Part) -> _Part:
    while part.lines and not part.lines[-1].strip():
        part.lines.pop()
    return part


def _short_lines(lines: Iterable[str]) -> Iterator[str]:
    """The lines, with those of more than `_MOST` words (a whole page on one line) or no spaces at all cut up."""
    for line in lines:
        if len(line) <= 1_500:
            yield line
            continue
        words = line.split(" ")
        piece: list[str] = []
        size = 0
        for word in words:
            for start in range(0, len(word) or 1, 1_500):
                bit = word[start : start + 1_500]
                if piece and (size + len(bit) > 1_500 or len(piece) >= _FULL):
                    yield " ".join(piece)
                    piece, size = [], 0
                piece.append(bit)
                size += len(bit) + 1
        yield " ".join(piece)


def _merge(parts: Iterable[_Part]) -> Iterator[_Part]:
    """Joins a tiny part with its neighbour: an introduction with what it introduces, small siblings with each other."""
    held: _Part | None = None
    for part in parts:
        if held is None:
            held = part
        elif held.words < _TINY and (held.own or not held.path) and part.path[: len(held.path)] == held.path:
            gap = [""] if held.lines else []
            held = _Part(part.path, part.own or held.own, [*held.lines, *gap, *part.lines], held.words + part.words)
        elif part.words < _TINY and (held.words < _TINY or not held.own) and held.words + part.words <= _FULL:
            held = _gathered(held, part)
        else:
            yield held
            held = part
    if held is not None:
        yield held


def _gathered(held: _Part, part: _Part) -> _Part:
    """Two small parts under the headings that they share; their own headings become lines of the text."""
    shared = 0
    while shared < min(len(held.path), len(part.path)) and held.path[shared] == part.path[shared]:
        shared += 1
    # Of those above the first part some may stand nowhere but in its path: an empty heading went into what it heads.
    above = [*held.path[shared:-1], held.own or held.path[-1]] if len(held.path) > shared else []
    between = ["", part.own] if part.own and len(part.path) > shared else [""]
    lines = [*above, *held.lines, *between, *part.lines]
    return _Part(held.path[:shared], "", lines, held.words + part.words)
