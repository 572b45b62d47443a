"""Names of firms: where a legal form ends one, what of it is compared, and which domains are made of it."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from fairlead.documents.layout import folded

_FORMS: Final = """
gmbh co kg, gmbh & co kg, gmbh & co, co kg, gmbh, mbh, ag, kg, kgaa, ohg, ug, e k, ek, gbr, e v, ev, eg, ltd, limited,
plc, llp, llc, inc, incorporated, corp, corporation, co, company, pty ltd, pvt ltd, private limited,
s a r l, sarl, s a s, sas, sasu,
eurl, s a, sa, snc, sprl, srl, s r l, s p a, spa, s n c, s a s di, b v, bv, n v, nv, v o f, vof, s
l, sl, s l u, slu, lda, ltda, sp z o o, sp j, sp k, s c, ab, a b, oy, oyj, aps, a s, as, asa, s r o,
sro, spol s r o, bvba, kft, zrt, bt, nyrt, d o o, doo, sia, uab, ou, se, d d, оод,
 еоод, ад, α ε, αε, ε π ε, επε, ικε, ооо
"""
_FORM_TOKENS: Final = sorted(
    {tuple(each.replace("&", " ").split()) for each in _FORMS.split(",")}, key=len, reverse=True
)
_FORM_WORDS: Final = frozenset("".join(each) for each in _FORM_TOKENS)
_JOINING: Final = frozenset(
    ["&", "+", "and", "und", "et", "en", "y", "e", "i", "de", "du", "la", "van", "von", "of", "the", "og", "och", "for"]
)
_BANKS: Final = re.compile(
    r"\b(?:bank\w*|\w*bank|banque|banco|banca|sparkasse\w*|\w*sparkasse|volksbank\w*|caixa|caisse|credit agricole|hsbc"
    r"|barclays)\b"
)
_SHORT: Final = 5
_MOST_WORDS: Final = 60
_LEAST: Final = 4  # letters: fewer are found in too many words


def core_of(name: str) -> tuple[str, ...]:
    """A name's words without its legal form: how names are compared."""
    tokens = tuple(re.findall(r"[^\W_]+", folded(name)))
    for form in _FORM_TOKENS:
        if len(tokens) > len(form) and tokens[-len(form) :] == form:
            return tokens[: -len(form)]
    return tokens


def is_form(text: str) -> bool:
    """Whether a text is a legal form and nothing else."""
    return re.sub(r"[\W_]", "", folded(text)) in _FORM_WORDS


def is_bank(name: str) -> bool:
    """Whether it calls itself a bank: those stand on invoices because they keep the account."""
    return _BANKS.search(folded(name)) is not None


def same_name(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one of two names begins with the other."""
    short, long = sorted((one, other), key=len)
    return long[: len(short)] == short and sum(map(len, short)) >= _LEAST


def is_of_domain(core: tuple[str, ...], stem: str) -> bool:
    """Whether a domain, or what stands before the @ of an address, is made of whole words of the name, the first ones,
    or of its initials."""
    plain = _spelt(re.sub(r"[^a-z0-9]", "", folded(stem)))
    if len(plain) < _LEAST or not core:
        return False
    words = [_spelt(word) for word in core]
    beginnings = ["".join(words[:count]) for count in range(1, len(words) + 1)]
    initials = "".join(word[0] for word in words)
    return (
        plain in beginnings
        or (len(words) > 2 and plain == initials)
        or any(len(each) >= _LEAST and plain.startswith(each) for each in beginnings)
    )


def _spelt(text: str) -> str:
    """Without the letter that stands for an accent: `mueller` is `muller`."""
    return re.sub(r"([aou])e", r"\1", text)


def with_form(text: str) -> str | None:
    """The name that ends with a legal form, None where there is none: the words with capitals before it."""
    words = text.split()
    tokens = [re.sub(r"[^\w]", "", folded(word)) for word in words]
    most = min(len(words), _MOST_WORDS)
    for start in range(1, most):
        for end in range(min(start + 4, most), start, -1):
            joined = "".join(tokens[start:end])
            if (joined in _FORM_WORDS or _is_in_two_languages(words[start:end])) and _is_written_as_form(
                words[start:end]
            ):
                first = start
                while first > 0 and start - first < 6 and _is_part_of_name(words[first - 1], last=first == start):
                    first -= 1
                if start <= _SHORT and words[0][0].isupper() and not any(word[-1] in ":;!?" for word in words[:start]):
                    first = 0  # a name with words in small letters
                while first < start and (not words[first][0].isupper() and not words[first][0].isdigit()):
                    first += 1
                return " ".join(words[first:end]).strip(" ,;:.()") + _point(words[end - 1]) if first < start else None
    return None


def _is_in_two_languages(words: Sequence[str]) -> bool:
    """Whether a word is a legal form and the same in another language, as `SPRL/BVBA`."""
    parts = folded(words[0]).split("/") if len(words) == 1 else []
    return len(parts) > 1 and all(re.sub(r"[^\w]", "", part) in _FORM_WORDS for part in parts)


def _point(word: str) -> str:
    """The point that belongs to a form such as `Inc.`, but not the one that ends a sentence."""
    return "." if word.endswith(".") and folded(word) not in ("gmbh.", "ag.", "ltd.", "ab.", "llc.") else ""


def _is_part_of_name(word: str, *, last: bool) -> bool:
    if word[-1] in ":;!?" or (word[-1] == "," and not last) or "@" in word:
        return False
    return word[0].isupper() or word in _JOINING or (word[0].isdigit() and len(word) < 4)


def _is_written_as_form(words: Sequence[str]) -> bool:
    """Legal forms are written with a capital or with points: `as` and `co` in a sentence are none."""
    return any(letter.isupper() or letter == "." for word in words for letter in word)


def is_like_name(text: str) -> bool:
    """Whether a text could be a name: a few words with capitals, no digits, no sentence."""
    words = text.split()
    return (
        1 <= len(words) <= 6
        and text[-1] not in ":!?,;"
        and not (len(words) > 2 and text.endswith(".") and with_form(text) is None)
        and any(letter.isalpha() for letter in text)
        and not any(letter.isdigit() or letter == ":" for letter in text)
        and all(word[0].isupper() or not word[0].isalpha() or word in _JOINING for word in words)
        and not any(one[-1] in ".," and len(one) > 4 and with_form(text) is None for one, _ in pairwise(words))
    )
