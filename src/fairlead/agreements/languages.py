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
        "de": "der das und ist nicht mit von zu auf wird",
        "fr": "le la les des et est une pour du dans",
        "es": "el los las del y es una por que se",
        "it": "il di che della una gli nel dei sono delle",
        "nl": "het een en de niet voor op zijn wordt bij",
        "pt": "os da uma por que não dos em ao pela",
        "pl": "na nie się oraz przez jest dla lub od po",
        "sv": "och att det som av är för inte ska till",
    }.items()
}
_MORE: Final = {
    code: frozenset((*_COMMON[code], *words.split()))
    for code, words in {
        "en": "a an are be or not with as on at from if its it may will must that which each all you our us",
        "de": "des dem ein eine einer einem sind werden bei für oder sich nach durch haftet zur zum auch dass",
        "fr": "aux sur que qui ne ou sont sera avec ce cette ses il nous vous leur",
        "es": "sobre será su sus pero este esta como más cuando ser está todos entre",
        "it": "alla nella è questo sarà dal delle ai lo anche entro ogni",
        "nl": "aan dat deze worden zal uit naar ook maar als wij binnen geen deel",
        "pt": "um à será mais sem este esta pelo nas nos seu sua quando",
        "pl": "że jako za przy ze być tego jego oraz przed bez",
        "sv": "ett om från på eller kan skall har vid ej sig inom varje",
    }.items()
}
"""For a single sentence, where ten are too few. Words that are English too (`die`, `do`, `con`) speak for none."""
_LOOKED_AT: Final = 40_000  # characters
_NO_WORDS: Final = re.compile(r"(?<!\S)[^\s@]++@\S*|\b(?:https?:|www\.)\S+|(?<![\w-])\w++(?:-\w++)+")
_FEWEST: Final = 4
_FEWEST_OF_A_SENTENCE: Final = 3


def language_of(text: str) -> str:
    """A code such as `en`, by the commonest words; "" where too few of them are there."""
    counts = _counts(text)
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= _FEWEST else ""


def is_foreign(sentence: str) -> bool:
    """Whether a sentence, of a clause that is English otherwise, is in another language: by how many different words of
    one it has, beside those of English."""
    seen = set(_words(sentence))
    told = {code: len(seen & words) for code, words in _MORE.items()}
    english = told.pop("en")
    return max(told.values()) >= max(_FEWEST_OF_A_SENTENCE, 2 * english)


def _counts(text: str) -> dict[str, int]:
    seen = Counter(_words(text))
    return {code: sum(seen[word] for word in words) for code, words in _COMMON.items()}


def _words(text: str) -> list[str]:
    """Without addresses (`legal@acme.com`), and without hyphenated words, whose parts are words of other languages."""
    return re.findall(r"[^\W\d_]+", _NO_WORDS.sub(" ", text[:_LOOKED_AT].lower()))
