"""The same pages in another hand: what is written otherwise says what it said. Shares no code with what is measured.

Each hand changes one thing about a page and leaves code and raw HTML alone, for there it may change what is said.
"""

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Final

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX: Final = re.compile(r"^(#{1,5}) +(\S.*?)(?: +#+)?$")
_UNDERLINE: Final = re.compile(r"^ {0,3}(=+|-+) *$")
_PLAIN_START: Final = re.compile(r"[A-Za-z]")
_ITEM: Final = re.compile(r"^( *)[-*+] (?=\S)")
_NUMBERED: Final = re.compile(r"^( *)\d{1,3}[.)] (?=\S)")
_RULE: Final = re.compile(r"^ {0,3}([-*_])( *\1){2,} *$")
_STRONG: Final = re.compile(r"(?<![\\*\w])\*\*([^*\n]+)\*\*(?![*\w])")
_SOFT: Final = re.compile(r"(?<![\\*\w])\*(?=\S)([^*\n]+)(?<=\S)\*(?![*\w])")
_TARGET: Final = re.compile(r"\]\(([^()\s]+)\)")
_CELLS: Final = re.compile(r"(?<!\\)\|")
_DELIMITERS: Final = re.compile(r"^ *\|?( *:?-{1,}:? *\|)+( *:?-{1,}:? *)?$")
_WIDTH: Final = 60
MARKS: Final = ("*", "+", "-", "1.")
Block = list[str]
Hand = Callable[[Block], Block]


def written_anew(text: str, hands: Sequence[Hand], *, apart: bool = False, crlf: bool = False) -> str:
    """A page with each of these hands over each block of it. `apart`: with more blank lines."""
    found: list[str] = []
    for block, prose in _blocks(text):
        again = block
        for hand in hands if prose else ():
            again = hand(again)
        found += ["", *again] if apart and prose and again == [""] else again
    return ("\r\n" if crlf else "\n").join(found)


def _blocks(text: str) -> Iterator[tuple[Block, bool]]:
    """The lines between blank ones, and each blank line, with whether it is prose: neither code nor HTML."""
    fence, html, block = "", False, Block()
    for line in text.split("\n"):
        mark = _FENCE.match(line.lstrip())
        if fence:
            block.append(line)
            if mark and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                yield block, False
                fence, block = "", Block()
            continue
        if line.strip() and not mark:
            block.append(line)
            continue
        if block:
            html = any("<" in each or "-->" in each for each in block) or (html and not _ATX.match(block[0]))
            yield block, not html and not any(each.startswith(("    ", "\t", "{")) for each in block[:1])
            block = Block()
        if mark:
            fence, block = mark[1], [line]
        else:
            yield [line], not html
    if block:
        yield block, not fence and not any("<" in each for each in block)


def headed_anew(block: Block) -> Block:
    """Other headings, deeper."""
    if len(block) == 2 and _UNDERLINE.match(block[1]) and _PLAIN_START.match(block[0]):
        return [f"{'##' if '=' in block[1] else '###'} About {block[0].strip()}"]
    return [_ATX.sub(r"#\1 About \2", line) for line in block]


def underlined(block: Block) -> Block:
    """Headings with a line under them instead of signs before them, and the other way about."""
    if len(block) == 2 and _UNDERLINE.match(block[1]) and _PLAIN_START.match(block[0]):
        return [f"{'#' if '=' in block[1] else '##'} {block[0].strip()}"]
    found = _ATX.match(block[0]) if len(block) == 1 else None
    if found and len(found[1]) <= 2 and _PLAIN_START.match(found[2]) and len(found[2]) <= 150:
        return [found[2], ("=" if found[1] == "#" else "-") * len(found[2])]
    return block


def wrapped(block: Block) -> Block:
    """Lines of another length."""
    if not all(_PLAIN_START.match(line) and not line.endswith(("  ", "\\")) for line in block):
        return block
    if any(_CELLS.search(line) for line in block):
        return block
    found = textwrap.wrap(" ".join(block), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return found if found and all(_PLAIN_START.match(line) for line in found) else block


def wrapped_items(block: Block) -> Block:
    """Items of a list on several lines."""
    found = Block()
    for line in block:
        item = _ITEM.match(line) or _NUMBERED.match(line)
        if item is None or _RULE.match(line) or line.endswith(("  ", "\\")) or "|" in line:
            found.append(line)
            continue
        deep = " " * item.end()
        lines = textwrap.wrap(line[item.end() :], _WIDTH - 10, break_long_words=False, break_on_hyphens=False)
        plain = all(_PLAIN_START.match(each) for each in lines[1:])
        found += [item[0] + lines[0], *(deep + each for each in lines[1:])] if plain else [line]
    return found


def marked(mark: str) -> Hand:
    """Another mark before the items of lists."""

    def hand(block: Block) -> Block:
        if not _ITEM.match(block[0]) and not _NUMBERED.match(block[0]):
            return block
        return [
            line if _RULE.match(line) else _NUMBERED.sub(rf"\g<1>{mark} ", _ITEM.sub(rf"\g<1>{mark} ", line))
            for line in block
        ]

    return hand


def emphasised(block: Block) -> Block:
    """Underscores for asterisks."""
    return [line if _RULE.match(line) else _SOFT.sub(r"_\1_", _STRONG.sub(r"__\1__", line)) for line in block]


def linked(block: Block) -> Block:
    """Links that lead elsewhere."""
    return [_TARGET.sub(r"](elsewhere/\1)", line) for line in block]


def tabled(block: Block) -> Block:
    """Tables with other widths and alignments."""
    if len(block) < 2 or not _DELIMITERS.match(block[1]) or any("`" in line for line in block):
        return block
    found = Block()
    for at, line in enumerate(block):
        cells = _CELLS.split(line.strip())
        inner = [f"  {cell.strip():<9} " if at != 1 else " :-----: " for cell in cells]
        if line.strip().startswith("|"):
            inner[0] = ""
        if line.strip().endswith("|"):
            inner[-1] = ""
        found.append("|".join(inner))
    return found


def all_hands(number: int) -> tuple[Hand, ...]:
    """Every hand, for the page of this number: what excludes another alternates."""
    heads = underlined if number % 2 else headed_anew
    return (heads, marked(MARKS[number % len(MARKS)]), emphasised, linked, tabled, wrapped, wrapped_items)


def cut_in_two(text: str) -> list[str]:
    """A page as two pages, cut before a heading of the second depth, where it has one outside code."""
    heads = [found.start() for found in re.finditer(r"(?m)^## ", text) if text[: found.start()].count("```") % 2 == 0]
    middle = heads[len(heads) // 2] if heads else 0
    return [text[:middle], text[middle:]] if middle else [text]
