"""What stood in something that is not kept: a set that may hold too much and never too little.

It is a Bloom filter over words and numbers. Whatever stands whole in a text has all its words in it, so that a value
of which one word is missing stood nowhere there. The fuller it gets, the more it takes for having stood there.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from fairlead.execution.attested import Leaf, leaf_of, numbers_in, singles, without_dates

SIZE: Final = 1 << 15  # bytes
_BITS: Final = SIZE * 8
_MARKS: Final = 4
_WORD: Final = re.compile(r"\w+")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")

EVERYTHING: Final = b"\xff"
"""The sieve of which nothing is known: everything stood there."""


def sieve_of(values: Iterable[Any], before: Iterable[bytes] = ()) -> bytes:
    """The sieve of all that stands in these values, and in earlier sieves."""
    all_before = 0
    for each in before:
        if each == EVERYTHING:
            return EVERYTHING
        all_before |= int.from_bytes(each, "big")
    found = bytearray(all_before.to_bytes(SIZE, "big"))
    for word in {word for value in values for single in singles(value) for word in _words(single)}:
        for place in _places(word):
            found[place >> 3] |= 1 << (place & 7)
    return bytes(found)


def may_hold(sieve: bytes, leaf: Leaf | None) -> bool:
    """Whether it may have stood there. What says too little to be told apart may have stood anywhere."""
    if sieve == EVERYTHING or leaf is None:
        return True
    if isinstance(leaf, Decimal):
        return _in(sieve, _number(leaf))
    words = _WORD.findall(leaf)
    if not words or _DATE.fullmatch(leaf):  # dates are said in words of their own
        return True
    return all(_in(sieve, word) for word in words)


def may_share(sieve: bytes, leaf: Leaf) -> bool:
    """Whether any part of it may have stood there."""
    if sieve == EVERYTHING or not isinstance(leaf, str):
        return may_hold(sieve, leaf)
    return may_hold(sieve, leaf) or any(_in(sieve, word) for word in _words(leaf))


def _words(single: Any) -> Iterator[str]:
    if isinstance(single, str):
        for text in (single, without_dates(single)):
            yield from _WORD.findall(text)
            yield from map(_number, numbers_in(text))
    elif isinstance(leaf := leaf_of(single), Decimal):
        yield _number(leaf)
        yield str(single)


def _number(of: Decimal) -> str:
    return f"#{of.normalize():f}"


def _in(sieve: bytes, word: str) -> bool:
    return all(sieve[place >> 3] & (1 << (place & 7)) for place in _places(word))


def _places(word: str) -> Iterator[int]:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4 * _MARKS).digest()
    for each in range(0, 4 * _MARKS, 4):
        yield int.from_bytes(digest[each : each + 4], "big") % _BITS
