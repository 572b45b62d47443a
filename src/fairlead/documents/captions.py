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


@cache
def _by_words(text: str) -> frozenset[str]:
    words = set(re.sub(r"\b(sub|sous|sotto) total", r"\1total", text).split())
    words |= {"subtotal"} if words & {"soustotal", "sottototal"} else set()
    has = {kind for kind, those in _words().items() if words & those}
    if "tax" in has and words & {"number", "no", "nr", "id", "idnr", "reg", "registration", "intracommunautaire"}:
        return frozenset(("other",))
    if "tax" in has and "without" in has:
        return frozenset(("net",))
    if "pay" in has or ("net" in has and words & {"payer", "pagare"}):
        return _NONE if "other" in has and not words & {"total", "amount", "balance"} else frozenset(("total",))
    if "other" in has:
        return frozenset(("other",))
    if "tax" in has and "with" in has:
        return frozenset(("total",)) if has & {"total", "whole", "gross"} else frozenset(("total", "tax"))
    if "gross" in has:
        return frozenset(("total",))
    if "net" in has:
        return frozenset(("net",))
    if "tax" in has:
        return frozenset(("tax",))
    if "total" in has:
        return frozenset(("total",)) if "whole" in has else frozenset(("weak_total",))
    return _NONE
