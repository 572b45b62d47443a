"""Words as search and quoting compare them: folded, without stop words, cut to a stem.

The same code reads the question, the index and the passages, so that none of them can disagree about what a word is.
"""

import re
import unicodedata
from functools import lru_cache

# Words that carry no subject. Question words are here because what they ask for is never written beside the answer.
STOP_WORDS = frozenset(
    """
    a about after all also am an and any are as at be because been before being both but by can could did do does doing
    done during each few for from further had has have having he her here hers him his how i if in into is it its itself
    just let many may me might more most much must my no nor not of off often on once only or other our ours out over
    own please same shall she should so some such than that the their theirs them then there these they this those
    through to too under until up upon us very was we were what when where whether which while who whom whose why will
    with would you your yours s t d ll re ve don isn doesn aren
    """.split()  # noqa: SIM905 a paragraph of words reads better than a list of strings
)
_WORD = re.compile(r"[^\W_]+")
# Scripts written without spaces: each character counts as a word.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_BEYOND = re.compile(r"[^\x00-\x7f]")  # few in most texts, and only they can be accents
_LONGEST = 40


def stems(text: str) -> list[str]:
    """The stems of all words of a text, in order, stop words left out."""
    return [stem for word in words(text) if (stem := stem_of(word))]


def words(text: str) -> list[str]:
    """The words of a text in lower case and without accents."""
    if not text.isascii():
        folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
        text = _UNSPACED.sub(r" \g<0> ", _BEYOND.sub(_without_accent, folded))
    return _WORD.findall(text.lower())


def _without_accent(found: re.Match[str]) -> str:
    return "" if unicodedata.combining(found[0]) else found[0]


@lru_cache(maxsize=65_536)
def stem_of(word: str) -> str:
    """The stem of a folded word, "" for a stop word. English endings only; other languages are merely folded."""
    if word in STOP_WORDS:
        return ""
    word = word[:_LONGEST]
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    return _without_e(_without_suffix(_without_plural(word)))


def _without_plural(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_suffix(word: str) -> str:
    for suffix, instead in _SUFFIXES:
        if word.endswith(suffix):
            root = word[: -len(suffix)]
            if len(root) < 3 or not _VOWEL.search(root):
                continue
            doubled = not instead and root[-1] == root[-2] and root[-1] not in "lsz"
            return (root[:-1] if doubled else root) + instead
    return word


_VOWEL = re.compile("[aeiouy]")
_SUFFIXES = (
    ("iness", "iness"),  # business is not busy
    ("ational", "ate"),
    ("ization", "ize"),
    ("ation", "ate"),
    ("ement", "e"),
    ("ness", ""),
    ("ment", ""),
    ("tion", "t"),
    ("sion", "s"),
    ("able", ""),
    ("ible", ""),
    ("ally", ""),
    ("ing", ""),
    ("ied", "y"),
    ("ed", ""),
    ("er", ""),
    ("ly", ""),
)


def _without_e(word: str) -> str:
    if word.endswith("e") and len(word) > 3:
        return word[:-1]
    if word.endswith("y") and len(word) > 3:
        return word[:-1] + "i"
    return word
