"""In which language a contract is written, by its commonest words: rules read English, and say so of all else."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

LANGUAGES: Final[Mapping[str, str]] = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch",
    "pt": "Portuguese", "pl": "Polish", "sv": "Swedish",
}  # fmt: skip
"""Names by code."""
_COMMON: Final = {
    code: words.split()
    for code, words in {
        "en": "the of and to in shall by for any this",
        "de": "der die das und ist nicht mit von den zu",
        "fr": "le la les des et est une pour par du",
        "es": "el los las del y es una por con que",
        "it": "il di che della per con una gli nel non",
        "nl": "het een van en de niet met voor op zijn",
        "pt": "o os do da e uma por com que não",
        "pl": "i w na z do nie się oraz przez jest",
        "sv": "och att det som en av är för inte med",
    }.items()
}
_LOOKED_AT: Final = 40_000  # characters
_FEWEST: Final = 4
_FEWEST_OF_A_SENTENCE: Final = 3


def language_of(text: str) -> str:
    """A code such as `en`, by the commonest words; "" where too few of them are there."""
    counts = _counts(text)
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= _FEWEST else ""


def is_foreign(sentence: str) -> bool:
    """Whether a sentence, of a clause that is English otherwise, is in another language."""
    counts = _counts(sentence)
    english = counts.pop("en")
    return max(counts.values()) >= max(_FEWEST_OF_A_SENTENCE, 2 * english)


def _counts(text: str) -> dict[str, int]:
    seen = Counter(re.findall(r"[^\W\d_]+", text[:_LOOKED_AT].lower()))
    return {code: sum(seen[word] for word in words) for code, words in _COMMON.items()}
