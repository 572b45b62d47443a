"""How names are read, in registers and in texts alike: in which letters, and what stands for a letter.

A text is looked at as a *view* of the same length, so that what is found in it stands at the same place in the text.
"""

import html
import re
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

_FILLER: Final = "\u2060"  # joins words, and is seen by nobody
_HIDDEN: Final = "\u00ad\u200b-\u200d\u2060\ufeff"
_MARKS: Final = re.compile(f"[\u0300-\u036f{_HIDDEN}]+")
WORD: Final = re.compile(f"[^\\W_]+(?:[\u0300-\u036f{_HIDDEN}]+[^\\W_]*)*")
"""A word of a name: letters and digits, with their accents and with what nobody sees."""
_PLAIN_WORD: Final = re.compile(r"[^\W_]+")
_ASCII_WORD: Final = re.compile("[a-z0-9]+")
_LETTERS: Final = {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i"}
_LETTER: Final = re.compile(f"[{''.join(_LETTERS)}]")
_TWO_LETTERS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_ESCAPE: Final = re.compile(
    r"\\u[0-9a-fA-F]{4}|\\[nrtbf]"
    r"|%(?:[0-7]|[c-fC-F][0-9a-fA-F]%[89abAB])[0-9a-fA-F](?:%[89abAB][0-9a-fA-F])*"
    r"|&(?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|[a-zA-Z]{2,8});"
)


def plain(text: str) -> str:
    """A text without case, accents and width: what is alike is equal."""
    if text.isascii():
        return text.lower()
    apart = _MARKS.sub("", normalize("NFKD", text)).casefold()
    return _LETTER.sub(lambda letter: _LETTERS[letter[0]], apart)


def words_of(text: str) -> list[str]:
    """The words of a text, plain."""
    return _ASCII_WORD.findall(text.lower()) if text.isascii() else _PLAIN_WORD.findall(plain(text))


def spellings(name: str) -> set[str]:
    """A name, plain, and as those write it who have no umlauts."""
    if name.isascii():
        return {" ".join(_ASCII_WORD.findall(name.lower()))}
    composed = normalize("NFC", name).lower()
    return {" ".join(words_of(name)), " ".join(words_of(composed.translate(_TWO_LETTERS)))}


def view(text: str) -> str:
    """The text with the characters that escapes of JSON, URLs and HTML stand for, in as many characters as before."""
    if "\\" not in text and "%" not in text and "&" not in text:
        return text
    return _ESCAPE.sub(_meant, text)


def _meant(escape: re.Match[str]) -> str:
    said = escape[0]
    if said[0] == "%":
        meant = unquote(said)
    elif said[0] == "&":
        meant = html.unescape(said)
    else:
        code = int(said[2:], 16) if said[1] == "u" else 0x20
        meant = said if 0xD800 <= code <= 0xDFFF else chr(code)
    return meant + _FILLER * (len(said) - len(meant)) if len(meant) <= len(said) else said
