"""Words as the pieces of a BERT vocabulary: lower case, without accents, the longest known piece first.

Written out rather than taken from a library: it is a page, and the libraries bring a client for model hubs along.
"""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

_LONGEST = 100  # characters of a word that is cut into pieces; a longer one is unknown
_BEGIN, _END, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class Pieces:
    """Turns texts into numbers of pieces. `vocabulary` gives the number of each; continuations begin with `##`."""

    def __init__(self, vocabulary: Mapping[str, int], most: int) -> None:
        """`most` pieces of a text count, the two that frame it included."""
        self._numbers = vocabulary
        self._most = most
        self._begin, self._end = vocabulary[_BEGIN], vocabulary[_END]
        self._unknown = vocabulary[_UNKNOWN]
        self._of_word = lru_cache(maxsize=32_768)(self._cut)

    def numbers(self, text: str) -> list[int]:
        """The framed pieces of a text, at most as many as the model takes."""
        room = self._most - 2
        found: list[int] = []
        for word in words(text[: room * _LONGEST]):
            found += self._of_word(word)
            if len(found) >= room:
                break
        return [self._begin, *found[:room], self._end]

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > _LONGEST:
            return (self._unknown,)
        found: list[int] = []
        at = 0
        while at < len(word):
            end = len(word)
            while (number := self._numbers.get(("##" if at else "") + word[at:end])) is None:
                end -= 1
                if end == at:
                    return (self._unknown,)
            found.append(number)
            at = end
        return tuple(found)


def words(text: str) -> list[str]:
    """Words and single signs, folded."""
    if text.isascii():
        spaced = "".join(_ASCII[ord(char)] for char in text)
    else:
        # One by one: as a whole, a last sigma would become another letter than the vocabulary was made with.
        folded = unicodedata.normalize("NFD", "".join(_spaced(char).lower() for char in text))
        spaced = "".join(
            f" {char} " if _is_sign(char) else char for char in folded if unicodedata.category(char) != "Mn"
        )
    return spaced.split()


@lru_cache(maxsize=4096)
def _spaced(char: str) -> str:
    if char in "\t\n\r" or unicodedata.category(char) == "Zs":
        return " "
    code = ord(char)
    if code in (0, 0xFFFD) or unicodedata.category(char).startswith("C"):
        return ""
    if any(low <= code <= high for low, high in _IDEOGRAPHS):
        return f" {char} "
    return char


@lru_cache(maxsize=4096)
def _is_sign(char: str) -> bool:
    if char.isascii():
        return char.isprintable() and not char.isalnum() and char != " "
    return unicodedata.category(char).startswith("P")


_ASCII = tuple(
    f" {spaced} " if spaced and _is_sign(spaced) else spaced
    for spaced in (_spaced(chr(code)).lower() for code in range(128))
)
