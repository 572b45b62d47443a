"""Captions: what stands beside an amount, told by the words in it, so that a caption need not be known as a whole."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

from fairlead.documents.labels import known_label

_MOST_WORDS: Final = 9  # more is a sentence
_NONE: Final[frozenset[str]] = frozenset()
_REGISTERED: Final = frozenset(("number", "no", "nr", "id", "idnr", "reg", "registration", "intracommunautaire"))
"""With a word for a tax: the number under which somebody pays it."""
_OWED: Final = frozenset(("total", "amount", "balance"))
_SUMS: Final = frozenset(("total", "weak_total", "net", "tax"))


@cache
def _words() -> Mapping[str, frozenset[str]]:
    text = files(__package__).joinpath("captions.yaml").read_text("utf-8")
    return {kind: frozenset(said.split()) for kind, said in yaml.safe_load(text).items()}


def kinds_of(tokens: Sequence[str]) -> frozenset[str]:
    """What a caption names: `total`, `weak_total`, `net`, `tax`, or `other` for an amount that is none of them.

    Empty where it names nothing. A caption that may be two things has both.
    """
    said = [token for token in tokens if not token.isdigit()]
    if not said or len(said) > _MOST_WORDS:
        return _NONE
    if found := known_label(tuple(said)) & (_SUMS | {"other"}):
        return frozenset(("other",)) if "other" in found else found
    return _by_words(" ".join(said))


def tells_of_payment(tokens: Sequence[str]) -> bool:
    """Whether a caption names what was paid before."""
    return len(tokens) <= _MOST_WORDS and not _words()["paid"].isdisjoint(tokens)


def tells_of_rounding(tokens: Sequence[str]) -> bool:
    """Whether a caption names what a sum was rounded by."""
    return len(tokens) <= _MOST_WORDS and not _words()["rounded"].isdisjoint(tokens)


@cache
def _by_words(text: str) -> frozenset[str]:
    words = set(re.sub(r"\b(sub|sous|sotto) total", "subtotal", text).split())
    has = {kind for kind, those in _words().items() if words & those}
    taxed, pays = "tax" in has, "pay" in has or ("net" in has and bool(words & {"payer", "pagare"}))
    whole = bool(has & {"total", "whole", "gross"})
    rules = (
        (taxed and bool(words & _REGISTERED), ("other",)),
        (taxed and "without" in has, ("net",)),
        (pays and "other" in has and not words & _OWED, ()),
        (pays, ("total",)),
        ("other" in has, ("other",)),
        (taxed and "with" in has, ("total",) if whole else ("total", "tax")),
        ("gross" in has, ("total",)),
        ("net" in has, ("net",)),
        (taxed, ("tax",)),
        ("total" in has, ("total",) if "whole" in has else ("weak_total",)),
    )
    return frozenset(next((kinds for holds, kinds in rules if holds), ()))
