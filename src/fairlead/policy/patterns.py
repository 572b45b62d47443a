"""Patterns in RE2, and for each the pattern of everything that may yet become a match of it.

A pattern is read with Python's own parser and written out again twice, for RE2: once as itself, once as its *prefix
pattern*, which matches every beginning of every match, the empty and the complete one among them. Anchored at the end
of a text it finds the first place from which a match may still be growing. Everything is matched on UTF-8 bytes.

Prefix patterns do not count beyond four: `{1,64}` becomes `+`. Counting would give RE2's automaton a state for every
number of characters, hundreds of microseconds for every chunk of unseen prose. The width of the pattern limits instead
how far back its prefix pattern is believed (see `holdback`).

In JSON a line break is written as two characters, of which the second is a letter: what comes after it would not begin
at a `\\b`. So a boundary at which a pattern begins may also be such an escape; `after_escape` takes it off again.
"""

import re
from collections.abc import Sequence
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import re2

from fairlead.errors import BadInput

WIDEST = 512  # characters; wider matches would hold back too much of a stream
_MEMORY = 64 << 20  # bytes that one automaton may use before RE2 falls back to a slower search
_COUNTED = 4  # repetitions up to which a prefix pattern counts
_ANYWHERE = re2._Anchor.UNANCHORED

Span = tuple[int, int]


class Matcher:
    """A compiled RE2 pattern over bytes.

    Goes under the wrapper of google-re2, which builds a generator and a match object for each search: three times the
    cost, on the path of every chunk.
    """

    __slots__ = ("_match", "value_group")

    def __init__(self, text: str) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        options.log_errors = False
        compiled = re2.compile(text, options)
        self._match = compiled._regexp.Match
        self.value_group = int(compiled.groupindex.get("value", 0))

    def spans(self, data: bytes, start: int) -> list[Span]:
        """The spans of the first match at or after `start` and of its groups; (-1, -1) where there is none."""
        found: list[Span] = self._match(_ANYWHERE, data, start, len(data))
        return found


class Pattern:
    """A pattern as RE2 text (`text`), its prefix pattern (`beginning`) and its greatest width in characters."""

    __slots__ = ("_escapes", "beginning", "bounded", "matcher", "text", "width")

    def __init__(self, source: str) -> None:
        """Raises BadInput where the pattern is not valid, or uses what RE2 or a stream cannot follow."""
        try:
            tree = parser.parse(source, re.ASCII)
        except (re.error, ValueError) as error:
            raise _bad(source, str(error), "correct the regular expression") from None
        least, most = tree.getwidth()
        if not least:
            raise _bad(source, "it matches the empty text", "let it require at least one character")
        flags = "i" if tree.state.flags & re.IGNORECASE else ""
        nodes = _begun(list(tree))
        self.text = f"(?{flags}:{_Writer(source, tree.state).sequence(nodes)})"
        self.beginning = f"(?{flags}:{_Writer(source, tree.state, loose=True).beginning(nodes)})"
        self.width: int = most
        self._escapes = _ESCAPE in self.text
        self.bounded = most < op.MAXREPEAT
        try:
            self.matcher = Matcher(self.text)
        except re2.error as error:
            raise _bad(source, f"RE2 says: {_said(error)}", "correct the pattern or make it smaller") from None

    @property
    def reach(self) -> int:
        """How many characters a match may have, with the escape before it."""
        return self.width + _ESCAPED * self._escapes

    def after_escape(self, data: bytes, low: int) -> int:
        """Where a match that begins at `low` begins without the JSON escape before it."""
        return low + _ESCAPED if self._escapes and data[low : low + 1] == b"\\" else low


def bounded(source: str, owner: str) -> Pattern:
    """A pattern of the workspace's own. Raises BadInput naming `owner` where it is no pattern, or where its width has
    no upper bound or too great a one."""
    try:
        return _bounded(source)
    except BadInput as error:
        raise BadInput(f"{owner}: {error.message}", why=error.why, mend=error.mend) from None


def _bounded(source: str) -> Pattern:
    pattern = Pattern(source)
    if not pattern.bounded:
        raise _bad(source, "it may match without end, and a stream cannot wait for that",
                   "give every repetition an upper bound: {0,40} for *, {1,40} for +")  # fmt: skip
    if pattern.width > WIDEST:
        raise _bad(source, f"it may match {pattern.width} characters; at most {WIDEST} can be held back",
                   "lower the upper bounds of its repetitions")  # fmt: skip
    return pattern


def _bad(source: str, why: str, mend: str) -> BadInput:
    return BadInput(f"pattern {source!r} cannot be used", why=why, mend=mend)


def _said(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


_CATEGORY = {
    op.CATEGORY_DIGIT: "0-9",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\t-\r ",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: "0-9A-Za-z_",
    op.CATEGORY_NOT_WORD: r"\W",
}
_ASSERTION = {op.AT_BOUNDARY: r"\b", op.AT_NON_BOUNDARY: r"\B"}
_SINGLE = (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN)
_BEGIN = "begin"  # a node of our own: a boundary at which a pattern begins
_ESCAPE = r"\\[bfnrt]"
_ESCAPED = 2  # its characters

Node = tuple[Any, Any]


class _Writer:
    """Writes a parsed pattern for RE2, as itself and, when `loose`, as its prefix pattern."""

    def __init__(self, source: str, state: Any, *, loose: bool = False) -> None:
        self._source = source
        self._loose = loose
        self._names = {number: name for name, number in state.groupdict.items()}
        self._any = "(?s:.)" if state.flags & re.DOTALL else r"[^\n]"

    def sequence(self, nodes: Sequence[Node]) -> str:
        return "".join(self._whole(kind, value) for kind, value in nodes)

    def _whole(self, kind: Any, value: Any) -> str:
        if kind in _SINGLE:
            return self._character(kind, value)
        if kind is op.AT and value in _ASSERTION:
            return _ASSERTION[value]
        if kind is _BEGIN:
            return f"(?:{_ASSERTION[value]}|{_ESCAPE})"
        if kind is op.BRANCH:
            return "(?:" + "|".join(self.sequence(each) for each in value[1]) + ")"
        if kind is op.SUBPATTERN:
            group, added, removed, nodes = value
            head = "(?P<value>" if not self._loose and self._names.get(group) == "value" else "(?:"
            return head + _flagged(self.sequence(nodes), added, removed) + ")"
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            least, most, nodes = value
            lazy = "?" if kind is op.MIN_REPEAT else ""
            return f"(?:{self.sequence(nodes)}){self._times(least, most)}{lazy}"
        raise self._unsupported(kind, value)

    def beginning(self, nodes: Sequence[Node]) -> str:
        """Every beginning of a match of the sequence: of its first part, or all of that and a beginning of the rest."""
        rest = ""
        for kind, value in reversed(list(nodes)):
            whole = self._whole(kind, value)
            if kind in _SINGLE or kind is op.AT:
                rest = f"(?:{whole}{rest})?"
            else:
                rest = f"(?:{whole}{rest}|{self._part(kind, value)})"
        return rest

    def _part(self, kind: Any, value: Any) -> str:
        if kind is _BEGIN:
            return r"\\?"
        if kind is op.BRANCH:
            return "(?:" + "|".join(self.beginning(each) for each in value[1]) + ")"
        if kind is op.SUBPATTERN:
            _, added, removed, nodes = value
            return "(?:" + _flagged(self.beginning(nodes), added, removed) + ")"
        _, most, nodes = value  # a repetition: some rounds, and the beginning of one more
        before = most if most is op.MAXREPEAT else most - 1
        return f"(?:{self.sequence(nodes)}){self._times(0, before)}{self.beginning(nodes)}"

    def _times(self, least: int, most: Any) -> str:
        if self._loose and most > _COUNTED:
            return "+" if least else "*"
        if most is op.MAXREPEAT:
            return "*" if least == 0 else "+" if least == 1 else f"{{{least},}}"
        return f"{{{least},{most}}}"

    def _character(self, kind: Any, value: Any) -> str:
        if kind is op.ANY:
            return self._any
        if kind is op.LITERAL:
            return _literal(value)
        if kind is op.NOT_LITERAL:
            return f"[^{_literal(value)}]"
        negated = bool(value) and value[0][0] is op.NEGATE
        items = value[1:] if negated else value
        return ("[^" if negated else "[") + "".join(self._item(*item) for item in items) + "]"

    def _item(self, kind: Any, value: Any) -> str:
        if kind is op.LITERAL:
            return _literal(value)
        if kind is op.RANGE:
            return f"{_literal(value[0])}-{_literal(value[1])}"
        if kind is op.CATEGORY and value in _CATEGORY:
            return _CATEGORY[value]
        raise self._unsupported(kind, value)

    def _unsupported(self, kind: Any, value: Any) -> BadInput:
        if kind is op.AT:
            return _bad(self._source, "a stream has no lines and no ends to anchor at", r"use \b, or match \n itself")
        return _bad(self._source, f"{str(kind).lower().replace('_', ' ')} has no counterpart in RE2",
                    "write it without look-around, back references and possessive repetitions")  # fmt: skip


def _begun(nodes: list[Node]) -> list[Node]:
    """The nodes with every boundary marked at which a match may begin."""
    marked: list[Node] = []
    for at, (kind, value) in enumerate(nodes):
        optional = False
        if kind is op.AT and value in _ASSERTION:
            marked.append((_BEGIN, value))
        elif kind is op.BRANCH:
            marked.append((kind, (value[0], [_begun(list(each)) for each in value[1]])))
        elif kind is op.SUBPATTERN:
            marked.append((kind, (*value[:3], _begun(list(value[3])))))
        else:
            marked.append((kind, value))
            optional = kind in (op.MAX_REPEAT, op.MIN_REPEAT) and not value[0]
        if not optional:
            return [*marked, *nodes[at + 1 :]]
    return marked


def _literal(code: int) -> str:
    character = chr(code)
    return character if character.isascii() and character.isalnum() else f"\\x{{{code:x}}}"


def _flagged(text: str, added: int, removed: int) -> str:
    on = ("i" if added & re.IGNORECASE else "") + ("-i" if removed & re.IGNORECASE else "")
    return f"(?{on}:{text})" if on else text
