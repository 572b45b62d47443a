"""A document as words with the places where they stand, and what was read out of one."""

from typing import Final

from msgspec import Struct

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in points, from the page's upper left corner as it is read, with its text upright."""

MOST_PAGES: Final = 60
MOST_WORDS: Final = 30_000
LARGEST: Final = 20 << 20
"""Bytes of a file."""


class Word(Struct, frozen=True, array_like=True):
    """What stands between two spaces. `size` of its letters in points."""

    text: str
    box: Box
    size: float


class Letter(Struct, frozen=True):
    """A letter and its place, None for a space; `angle` in degrees clockwise, `size` in points. A space that nobody
    wrote, guessed from a gap, is ""."""

    text: str
    box: Box | None
    angle: float
    size: float = 0.0


class Run(Struct, frozen=True, array_like=True):
    """Text that does not run as most of its page does, such as a stamp across it. `parted` has spaces also where
    letters merely stand apart; `size` of its letters in points."""

    text: str
    parted: str
    size: float


class Page(Struct, frozen=True, array_like=True):
    """A page's words in the order of the file. `width` and `height` in points. `aside` is what runs another way.
    `is_picture` where something is drawn and hardly a word: what it says is not read."""

    width: float
    height: float
    words: tuple[Word, ...]
    aside: tuple[Run, ...] = ()
    is_picture: bool = False


class Unread(Struct, frozen=True, kw_only=True):
    """Why a document cannot be read, and what can be done. `kind` is `no_text`, `encrypted`, `damaged` or
    `too_large`."""

    kind: str
    why: str
    mend: str


class Field(Struct, frozen=True, kw_only=True):
    """A value with its place: `page` from 1, the `box` and the `text` that it was read from.

    `confidence` is from 0 to 1. `doubt` says why a person should look; "" where independent things in the document
    agree.
    """

    value: str | float
    text: str
    page: int
    box: Box
    confidence: float
    doubt: str = ""
