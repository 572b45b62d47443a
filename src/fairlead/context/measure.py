"""How many tokens a text has at most, by what kind of text it is and by what models have reported of such texts. Pure.

Measured with four tokenizers in use: prose has at most a token for three bytes, source text and tables two for five;
numbers and encoded data up to one a byte, signs of scripts without letters up to three for four bytes.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Literal, get_args

from msgspec import Struct

Script = Literal["prose", "mixed", "dense", "letters", "signs"]
"""Prose in Latin letters; with many figures and marks; hardly words at all; other alphabets; signs for syllables or
words."""

_PLAIN: Final = b" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WIDE: Final = 0.15  # bytes beyond one a character, of all
_MIXED, _DENSE = 0.12, 0.30  # bytes that are neither letters nor blanks, of all
_LONGEST_WORDS: Final = 16  # bytes between two blanks, on average, that words may have
_MARGIN: Final = 1.1  # measured: see evals/RESULTS.md
_LEAST: Final = 0.1
_USUAL: Final[Mapping[Script, float]] = {"prose": 1 / 3, "mixed": 0.4, "dense": 1.0, "letters": 0.5, "signs": 0.8}


class Measure(Struct, frozen=True):
    """How to count for all models that may be asked: the most tokens a byte of each kind of text."""

    prose: float = _USUAL["prose"]
    mixed: float = _USUAL["mixed"]
    dense: float = _USUAL["dense"]
    letters: float = _USUAL["letters"]
    signs: float = _USUAL["signs"]

    def tokens(self, text: str) -> int:
        """At least as many as any of the models will count."""
        script, size = kind_and_size(text)
        rate: float = getattr(self, script)
        return int(size * rate) + 1


USUAL: Final = Measure()


def measure_of(models: Iterable[str], seen: Mapping[tuple[str, Script], float], exact: Mapping[str, float]) -> Measure:
    """For these models at once. `seen` are the greatest rates that they reported, by model and kind of text; `exact`
    those of models that count by a rule which is known."""
    names = tuple(models)
    if not names:
        return USUAL

    def rate(script: Script) -> float:
        return max(exact[name] if name in exact else allowed(script, seen.get((name, script))) for name in names)

    return Measure(*(rate(script) for script in get_args(Script)))


def allowed(script: Script, seen: float | None) -> float:
    """What to reckon with once the greatest rate of many requests is known: a bit more than that, never less, and
    within what any text can have. A text may have more than the whole request that it stands in had."""
    usual = _USUAL[script]
    if seen is None:
        return usual
    return min(1.0, max(seen, min(max(seen * _MARGIN, _LEAST), usual)))


def kind_of(text: str) -> tuple[Script, int]:
    """What kind of text it is, and its bytes."""
    data = text.encode(errors="replace")
    size = len(data) or 1
    if size - len(text) > _WIDE * size:
        return ("letters" if len(text) > 0.45 * size else "signs"), len(data)
    odd = len(data.translate(None, _PLAIN))
    if odd > _DENSE * size or (size > 100 and (data.count(b" ") + data.count(b"\n")) * _LONGEST_WORDS < size):
        return "dense", len(data)
    return ("mixed" if odd > _MIXED * size else "prose"), len(data)


kind_and_size = lru_cache(maxsize=8192)(kind_of)
"""The same, remembered: passages come again."""
