"""Labels: what on an invoice names the value beside it. `labels.yaml` has them by kind, in all languages at once."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import yaml
from msgspec import Struct

from fairlead.documents.layout import Cell

KINDS: Final = (
    "number",
    "heading",
    "weak_number",
    "date",
    "weak_date",
    "due",
    "order",
    "total",
    "weak_total",
    "net",
    "tax",
    "other",
    "buyer",
    "seller",
    "column",
)

_ENDS: Final = ":.#=)/,;°º]'’"
_BEGINS: Final = ("/", "(", "[", "'", "’", ":", "|")
_OWN: Final = frozenset(("number", "weak_number", "date", "weak_date"))
"""What may be another document's: a word beside the label tells, as in `original invoice number`."""
_ANOTHER: Final = "another"
_REACH: Final = 3  # words after a label in which such a word counts


class Label(Struct, frozen=True):
    """A label in a cell: what it may name, its words, and what stands after it in the cell up to the next label.

    `rest` are the words after it; `at` is the number of its first word.
    """

    kinds: frozenset[str]
    said: str
    cell: Cell
    at: int
    rest: tuple[str, ...]
    rest_from: int


@cache
def _known() -> Mapping[tuple[str, ...], frozenset[str]]:
    """The kinds of each label, by its words."""
    text = files(__package__).joinpath("labels.yaml").read_text("utf-8")
    found: dict[tuple[str, ...], frozenset[str]] = {}
    for kind, said in yaml.safe_load(text).items():
        if kind == _ANOTHER:
            continue
        for label in said.split("|"):
            if words := tuple(label.split()):
                found[words] = found.get(words, frozenset()) | {kind}
    return found


@cache
def _others() -> frozenset[str]:
    """The words that make a label another document's."""
    said = yaml.safe_load(files(__package__).joinpath("labels.yaml").read_text("utf-8"))[_ANOTHER]
    return frozenset(said.split())


def known_label(words: tuple[str, ...]) -> frozenset[str]:
    """The kinds of a label that is just these words, folded; none for what is no label."""
    return _known().get(words, frozenset())


@cache
def _longest() -> int:
    return max(map(len, _known()))


def labels_of(cell: Cell) -> list[Label]:
    """The labels of a cell from left to right. The longest at a place counts, and none within another."""
    spans = list(_spans(cell))
    found = []
    for number, (start, end, kinds) in enumerate(spans):
        until = next((s for s, _, _ in spans[number + 1 :] if s >= end), len(cell.tokens))
        words = tuple(token for token, _, _ in cell.tokens[start:end])
        rest, rest_from = _rest(cell, end, until)
        anothers = kinds & _OWN and _is_anothers(cell, start, end)
        label = Label(
            frozenset(("other",)) if anothers else kinds, " ".join(words), cell, cell.tokens[start][1], rest, rest_from
        )
        found.append(label)
    return found


def _is_anothers(cell: Cell, start: int, end: int) -> bool:
    """Whether a label speaks of another document than this one: a word right before it or soon after it says so."""
    beside = [token for token, _, _ in cell.tokens[max(0, start - 1) : start]]
    for token, _, _ in cell.tokens[end : end + _REACH]:
        if any(letter.isdigit() for letter in token):
            break
        beside.append(token)
    return not _others().isdisjoint(beside)


def _spans(cell: Cell) -> Iterator[tuple[int, int, frozenset[str]]]:
    known, tokens, at = _known(), cell.tokens, 0
    while at < len(tokens):
        for length in range(min(_longest(), len(tokens) - at), 0, -1):
            kinds = known.get(tuple(token for token, _, _ in tokens[at : at + length]))
            if kinds is not None and _stands_alone(cell, at, at + length):
                yield at, at + length, kinds
                at += length
                break
        else:
            at += 1


def _stands_alone(cell: Cell, start: int, end: int) -> bool:
    """Whether a label begins with a word and ends with one, or before a colon and the like: within a number it is
    none."""
    _, word, letter = cell.tokens[end - 1]
    begins = start == 0 or cell.tokens[start - 1][1] != cell.tokens[start][1] or cell.tokens[start - 1][0] == "no"
    after = cell.words[word].text[letter:]
    ends = not after or (after[0] in _ENDS and not (after[0] in "/," and after[1:2].isdigit()))
    return ends and (begins or _follows_sign(cell, start))


def _follows_sign(cell: Cell, start: int) -> bool:
    """Whether a slash or a bracket stands before it in its word, as in `Date/Datum`."""
    token, word, end = cell.tokens[start]
    before = cell.words[word].text[: end - len(token)]
    return before[-1:] in _BEGINS


def _rest(cell: Cell, end: int, until: int) -> tuple[tuple[str, ...], int]:
    """The words after a label, the end of its own last word among them, and the number of the first of these."""
    _, word, letter = cell.tokens[end - 1]
    last = cell.tokens[until][1] if until < len(cell.tokens) else len(cell.words)
    end_of_own = None  # up to the next label of the same word, as in `Number/Date`
    if until < len(cell.tokens) and cell.tokens[until][1] == word:
        end_of_own = cell.tokens[until][2] - len(cell.tokens[until][0])
    own = cell.words[word].text[letter:end_of_own].strip(":.#º°№= ")
    words = [own] if own and any(each.isalnum() for each in own) else []
    rest = [each.text for each in cell.words[word + 1 : max(last, word + 1)]]
    while rest and not any(each.isalnum() for each in rest[0]):
        rest, word = rest[1:], word + 1
    return (*words, *rest), word if words else word + 1
