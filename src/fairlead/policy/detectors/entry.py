"""How a built-in detector is written down, and the few pieces of patterns that several subjects need."""

from collections.abc import Callable

from msgspec import Struct

Check = Callable[[str], int]
"""Takes what a pattern matched and returns how many of its characters, from the start, are valid: 0 for none, fewer
than all where the pattern swallowed some of what follows. The first line of its docstring stands in the reference."""

SEPARATOR = r"[ .\-\u00a0\u00ad\u2007\u2009\u200b\u2010-\u2013\u202f\u2060\ufeff]"
"""Between the digits of one number: space, dot, hyphens and dashes, no-break and thin spaces, what cannot be seen."""


class Entry(Struct, frozen=True):
    """One detector. `finds` says in the reference what it looks for.

    `hint` is a looser pattern, for the first look. `veto` is a pattern of Python's: a match is none where it occurs
    between the match's beginning and its value. One that is not `on` looks only where a workspace asks for it.
    """

    name: str
    category: str
    finds: str
    pattern: str
    check: Check | None = None
    hint: str = ""
    veto: str = ""
    on: bool = True


def named(names: str, value: str, gap: str = r"[^0-9\n]{0,24}?") -> tuple[str, str]:
    """The pattern and the hint of a value that only the words before it give away."""
    words = rf"(?i)\b(?:{names})\b"
    return rf"{words}{gap}\b(?P<value>{value})\b", words
