"""What a text says, apart from how it is written: its words in their order, and a hash of them.

White space, wrapping, emphasis, heading depth, list marks, quotes and the targets of links do not count; words,
numbers, signs, units and struck-out text do. Two texts with equal words say the same to a reader.
"""

import hashlib
import re
from collections.abc import Iterable
from html import unescape

COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
"""A comment, which ends with the page where nobody closed it."""

_HASH = 10  # hex digits for a piece of a page: 40 bits
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,2000}>")
_AUTOLINK = re.compile(r"<((?:https?:|mailto:)[^<>\s]{1,2000})>")
_LABEL = r"((?:[^\[\]]|\[[^\[\]]*\])*)"
_LED = r"\((?:[^()\s]|\([^()\s]*\))*(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)"
_LINK = re.compile(rf"!?\[{_LABEL}\](?:{_LED}|\[[^\[\]]*\](?!\())")
_DEFINITION = re.compile(r"^ {0,3}\[(?!\^)[^\[\]]+\]:\s+\S+.*$", re.MULTILINE)
_ANCHOR = re.compile(r"\{#[^{}\n]*\}")
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
_QUOTE = re.compile(r"^(?:[ \t]{0,3}>)+[ \t]?", re.MULTILINE)
_ITEM = re.compile(r"([ \t]*)(\d{1,9}[.)]|[-*+])(?=[ \t])")
_FIRST = ("1.", "1)", "-", "*", "+")  # may stand right below a paragraph
_EMPTY_CELL = re.compile(r"\|[ \t]*(?=\|)")
_MARKED = re.compile(r"[^A-Za-z ,;.\n]")
_STRUCK = re.compile(r"~~")
_EMPHASIS = re.compile(r"\*(?:\*+|(?<![0-9]\*)|(?![0-9]))")  # a single one between digits is a sign
_UNDERLINED = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")  # not within a name
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_EDGE = " \t!\"#&'()*,-./:;=?@[\\]^_`{|}~«»‘’“”„–—…·•"
_JOINT = r"[-/\\,;:.!?\"^()\[\]{}&\u2013\u2014\u201c\u201d\u2026]+"
_BETWEEN = re.compile(rf"(?<=[^\W_]){_JOINT}(?=[^\W\d_])|(?<=[^\W\d_]){_JOINT}(?=[^\W_])")  # not within numbers
_SIGNED = re.compile(r"[-−]\.?\d")
_PLAIN = str.maketrans("\u2019\u2018\u2212\u2013\u2011\u2010\u00a0", "''---- ", "`\u00ad\u200b\u200c\u200d\ufeff")


def words_said(text: str) -> list[str]:
    """The words of a Markdown text that carry what it says, folded to one case."""
    if not _MARKED.search(text):
        return _words(text)
    text = _DEFINITION.sub("", _FENCE.sub("", COMMENT.sub(" ", text)))
    text = _unlisted(_QUOTE.sub("", text))
    text = _LINK.sub(r"\1", _LINK.sub(r"\1", _AUTOLINK.sub(r"\1", text)))  # twice: an image may stand in a link
    text = _ANCHOR.sub(" ", unescape(_TAG.sub(" ", text)))
    text = _STRUCK.sub(" ≠ ", _EMPTY_CELL.sub("| ∅ ", text)).replace("|", " ")
    text = _ESCAPE.sub(r"\1", _UNDERLINED.sub("", _EMPHASIS.sub("", text))).translate(_PLAIN)
    return _words(text)


def hash_of(words: Iterable[str]) -> str:
    """A short hash of words in their order, "" for none."""
    joined = " ".join(words)
    return hashlib.sha256(joined.encode()).hexdigest()[:_HASH] if joined else ""


def _unlisted(text: str) -> str:
    """Without the numbers and plus signs of list items. A number at the beginning of a line is such only where a list
    may stand: below a blank line, in a list, or where it is a one, and not where a paragraph happens to be wrapped."""
    found: list[str] = []
    may, inside = True, -1  # `inside`: how deep the text of the item above stands, -1 where no list is
    for line in text.split("\n"):
        bare = line.lstrip()
        deep = len(line) - len(bare)
        mark = _ITEM.match(line)
        if mark and (may or deep < inside or mark[2] in _FIRST):
            inside, may = mark.end() + 1, True
            found.append(line[mark.end() :])
            continue
        if may and bare and deep < inside:
            inside = -1
        may = not bare or bare[0] == "#" or (may and mark is not None)
        found.append(line)
    return "\n".join(found)


def _words(plain: str) -> list[str]:
    return [word for raw in _BETWEEN.sub(" ", plain).casefold().split() if (word := _word(raw))]


def _word(raw: str) -> str:
    word = raw.strip(_EDGE)
    if len(word) == len(raw):
        return raw
    return "-" + word if word and _SIGNED.match(raw.lstrip("([\"'*_$€£")) else word
