"""The mend for a word that nobody knows."""

import difflib
from collections.abc import Iterable
from typing import Final

_MOST_SHOWN: Final = 16  # names in a mend


def closest(word: str, known: Iterable[str]) -> str:
    """A mend that names the known word most like this one, or lists the known ones; "" if there are none."""
    words = sorted(known)
    like = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if like:
        return f"did you mean `{like[0]}`?"
    if not words:
        return ""
    shown = ", ".join(f"`{name}`" for name in words[:_MOST_SHOWN])
    return f"known here: {shown}" + (", …" if len(words) > _MOST_SHOWN else "")
