"""Cuts a page into passages that can be found, cited and quoted on their own.

Follows CommonMark as far as headings and fenced code go (ATX and setext headings, ``` and ~~~ fences); everything else
is paragraphs between blank lines. Each line is looked at a fixed number of times, so hostile pages cost no more than
long ones.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from fairlead.context.meaning import hash_of, words_said

_TINY = 40  # words: too few to stand alone
_FULL = 220  # words: begin a new section at the next paragraph
_MOST = 300  # words: cut even inside a paragraph
_LONGEST_HEADING = 200  # characters
PATH = " > "
LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
"""A link or an image; what it is called is its group."""


class Section(Struct, frozen=True):
    """A passage of a page: `heading` is the path of headings above it, outermost first, joined by " > ".

    `meaning` is made of hashes of what it says, in tokens: `(x)` for all that stands under one heading, `(x.y`, `.z`
    and `.w)` for the pieces of what is too long for one section, paragraph by paragraph. `identity.still_says` reads
    it.
    """

    heading: str
    text: str
    meaning: str = ""


class _Part(Struct):
    """A run of text under one heading, before cutting and merging. `own` is the heading's own line as written."""

    path: tuple[str, ...]
    own: str
    lines: list[str]
    words: int = 0
    says: list[str] = []


def split(text: str) -> tuple[Section, ...]:
    """The sections of a page's text, in order. Nothing is lost but blank lines; a page without text has none."""
    merged = _merge(part for whole in _parts(text) for part in _cut(whole))
    bodies = ((part, "\n".join(part.lines).strip("\n") or part.own) for part in merged)
    return tuple(Section(PATH.join(part.path), body, " ".join(part.says)) for part, body in bodies if body)


def headed(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each run of text, whole and as written, with the headings above it, outermost first."""
    return ((part.path, "\n".join(part.lines)) for part in _parts(text))


def first_heading(text: str) -> str:
    """The first heading of a page, "" where it has none."""
    return next((part.path[-1] for part in _parts(text) if part.path), "")


def below_heading(text: str, heading: str) -> str | None:
    """What stands below one heading of a page, that line and all headings below it included; the first where several
    read the same. The heading may be given as in the anchor of a link. None where there is none."""
    wanted = heading.casefold()
    found: list[str] = []
    top: tuple[str, ...] = ()
    for part in _parts(text):
        if not top:
            own = part.path[-1].casefold() if part.path and part.own else ""
            if not own or wanted not in (own, "-".join(re.findall(r"[\w-]+", own))):
                continue
            top = part.path
        elif part.path[: len(top)] != top or (part.path == top and part.own):
            break
        found += [part.own, *part.lines]
    return "\n".join(found).strip("\n") if top else None


def under_headings(text: str) -> Iterator[str]:
    """The texts between a page's headings, as written, in order; of each there may be nothing."""
    return ("\n".join(part.lines) for part in _parts(text))


def _parts(text: str) -> Iterator[_Part]:
    trail: list[tuple[int, str]] = []
    part = _Part((), "", [])
    fence = ""
    for line in text.split("\n"):
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
        elif mark and mark in "=-" and (level := _setext_level(line)) and _is_heading(part):
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
    bare = _ANCHOR.sub("", LINK.sub(r"\1", bare))
    return " ".join(bare.translate(_MARKS).split())[:_LONGEST_HEADING]


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


def _is_heading(part: _Part) -> bool:
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
    """The part in pieces of at most `_MOST` words, cut between paragraphs and items of lists, else after sentences,
    else between words. Where it is cut does not depend on how lines are wrapped."""
    units = list(_units(part.lines))
    pieces = [_Part(part.path, part.own, [])]
    said = [[part.own]]
    for unit in units:
        piece = pieces[-1]
        full = unit.apart and piece.words >= _FULL
        if full or (piece.words and piece.words + unit.words > _MOST):
            piece = _Part(part.path, "", [])
            pieces.append(piece)
            said.append([])
        piece.lines += unit.lines if piece.lines else unit.lines[unit.blank :]
        piece.words += unit.words
        said[-1].append("\n".join(unit.lines))
    if not units and not part.path:
        return
    pieces[0].words = pieces[0].words or 1  # a heading alone: thousands of them must not be gathered into one
    if len(pieces) == 1:
        whole = hash_of(words_said("\n".join([part.own, "", *part.lines])))
        pieces[0].says = [f"({whole})"] if whole else []
    else:
        _chain(pieces, said)
    yield from pieces


def _chain(pieces: list[_Part], said: list[list[str]]) -> None:
    """Tells each piece of a part that is cut what it says, so that all of them in a row tell of the whole part."""
    for number, (piece, texts) in enumerate(zip(pieces, said, strict=True)):
        chain = ".".join(filter(None, (hash_of(words_said(text)) for text in texts)))
        before = "." if number else "("
        after = ")" if number == len(pieces) - 1 else ""
        piece.says = [before + chain + after] if chain else []


class _Unit(Struct):
    """Lines that stand together: a paragraph, an item of a list, a row of a table, a block of code; `blank` lines
    above it are among them. `apart`: there are some."""

    lines: list[str]
    words: int
    blank: int

    @property
    def apart(self) -> bool:
        return self.blank > 0


def _units(lines: Iterable[str]) -> Iterator[_Unit]:
    held: list[str] = []
    blank = 0
    fence = ""
    for line in lines:
        mark = line.lstrip(" ")[:1]
        if fence:
            held.append(line)
            if mark == fence[0] and _closes(line, fence):
                yield from _sized(held, blank)
                held, blank, fence = [], 0, ""
            continue
        fence = _fence(line) if mark and mark in "`~" else ""
        if len(held) > blank and (not mark.strip() or fence or mark == "|" or _LISTED.match(line)):
            yield from _sized(held, blank)
            held, blank = [], 0
        held.append(line)
        blank += not line.strip()
    if len(held) > blank:
        yield from _sized(held, blank)


_LISTED = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_TOKEN = re.compile(r"\S{1,1500}")


def _sized(lines: list[str], blank: int) -> Iterator[_Unit]:
    """The unit, or several where it alone is more than a section may hold."""
    text = "\n".join(lines)
    words = _weight(text)
    if words <= _MOST:
        yield _Unit(lines, words, blank)
        return
    start = size = 0
    for token in _TOKEN.finditer(text):
        weight = max(1, len(token[0]) // 14)
        if size and (size + weight > _MOST or (size >= _FULL and text[token.start() - 2] in ".!?")):
            yield _Unit(text[start : token.start()].rstrip().split("\n"), size, blank)
            start, size, blank = token.start(), 0, 0
        size += weight
    yield _Unit(text[start:].rstrip().split("\n"), size, blank)


def _weight(text: str) -> int:
    """Words, counted so that encoded data, which has few spaces, is not taken for little."""
    tokens = text.split()
    return max(len(tokens), sum(map(len, tokens)) // 14)


def _merge(parts: Iterable[_Part]) -> Iterator[_Part]:
    """Joins a tiny part with its neighbour: an introduction with what it introduces, small siblings with each other."""
    held: _Part | None = None
    for part in parts:
        if held is None:
            held = part
        elif held.words < _TINY and (held.own or not held.path) and part.path[: len(held.path)] == held.path:
            gap = [""] if held.lines else []
            lines = [*held.lines, *gap, *part.lines]
            held = _Part(part.path, part.own or held.own, lines, held.words + part.words, held.says + part.says)
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
    return _Part(held.path[:shared], "", lines, held.words + part.words, held.says + part.says)
