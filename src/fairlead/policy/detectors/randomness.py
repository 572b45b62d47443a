"""Telling what a machine drew or a person chose as a secret from words, names, paths and the samples of handbooks."""

import itertools
import math
import re
from collections import Counter


def entropy(text: str) -> float:
    """Shannon's entropy of the characters, in bits each."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def turns(text: str) -> int:
    """How often letter and digit, or small letter and capital, follow each other directly.

    A capital before small letters is a word's own and does not count. What a machine drew turns at every second or
    third character; words, versions and paths hardly ever do.
    """
    return len(_TURN.findall(text))


_TURN = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[a-z])(?=[A-Z])")


def is_drawn(text: str) -> bool:
    """Whether letters and digits alternate as no name, version or path has them: three turns or more, or two and
    letters that nobody could pronounce."""
    found = turns(text)
    return found >= max(3, len(text) // 12) or (found == 2 and _UNSPEAKABLE.search(text) is not None)


_UNSPEAKABLE = re.compile(r"(?i)[bcdfghjklmnpqrstvwxz]{4}")


def is_counted(text: str) -> bool:
    """Whether a fifth of it or more is written by counting up, four steps or more at a time: 12345, abcdef."""
    low, run, total = text.lower(), 1, 0
    for before, after in itertools.pairwise(low):
        run = run + 1 if ord(after) - ord(before) == 1 else 1
        total += 4 if run == 4 else run > 4
    return total * 5 >= len(text)


def is_stand_in(text: str) -> bool:
    """Whether it stands for a secret that the reader should put there: `your_key`, `$TOKEN`, `<secret>`, `xxxx`."""
    return _STAND_IN.search(text) is not None or is_counted(text)


_STAND_IN = re.compile(
    r"(?i)example|placeholder|change_?me|redacted|dummy|your[_-]|x{4}|\*\*\*|\.\.\.|^\$|^%|^\{|^<|^\[|environ|getenv|process\.env"
    r"|^(?:none|null|true|false|string|undefined)\b|\($"
)


def random_token(text: str) -> int:
    """letters and digits mixed as a machine draws them, little repeated, no sample"""
    if len(text) < 10 or entropy(text) < min(3.0, math.log2(len(text)) * 0.7):
        return 0
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return len(text) if mixed and is_drawn(text) and not is_stand_in(text) else 0


def assigned_token(text: str) -> int:
    """letters and digits mixed as a machine draws them, or 16 digits or more; little repeated, no sample"""
    if text.isdigit():
        return len(text) if len(text) >= 16 and entropy(text) >= 2.2 and not is_stand_in(text) else 0
    return random_token(text)


def spoken_token(text: str) -> int:
    """14 characters or more, as for an assigned token, and not in small pieces"""
    kept = text.rstrip(".-~/")
    whole = max(map(len, re.findall("[A-Za-z0-9]+", text)), default=0) >= 8
    return len(kept) if whole and len(kept) >= 14 and assigned_token(kept) else 0


def issued(text: str) -> int:
    """no words, not repeated, not counted up, no sample"""
    drawn = turns(text) >= 2 or not any(c.islower() for c in text)
    return len(text) if drawn and entropy(text) >= 2.2 and not is_stand_in(text) else 0


def issued_random(text: str) -> int:
    """no words, not repeated, not counted up, no sample, and digits among the letters"""
    return issued(text) if any(c.isdigit() for c in text) and turns(text) >= 3 else 0


def issued_letters(text: str) -> int:
    """small and capital letters mixed, not repeated, no sample"""
    return len(text) if turns(text) >= 3 and entropy(text) >= 3 and not is_stand_in(text) else 0


def password(text: str) -> int:
    """two kinds of small letters, capitals, digits and signs; no stand-in such as `changeme`"""
    kinds = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9_.-]"))
    return len(text) if kinds >= 2 and entropy(text) >= 2.0 and not is_stand_in(text) else 0


def bare_password(text: str) -> int:
    """as a password, with a digit or a sign: without quotes, a name in a program looks like anything else"""
    return password(text) if _NO_NAME.search(text) and not _QUALIFIED_NAME.search(text) else 0


_NO_NAME = re.compile(r"[0-9]|[^A-Za-z0-9_.:/\\-]")
_QUALIFIED_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+$|::|->")


def encoded_password(text: str) -> int:
    """8 characters or more, as a password"""
    return password(text) if len(text) >= 8 else 0


def spoken_password(text: str) -> int:
    """as a password, with letters and a digit: after `is` a sentence may go on with any word"""
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return password(text.rstrip(".,;:!?)")) if mixed else 0


def header_value(text: str) -> int:
    """letters and a digit, no variable, no stand-in: what stands there is sent as a key, however it looks"""
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return len(text) if mixed and entropy(text) >= 1.0 and not is_stand_in(text) else 0


def url_password(text: str) -> int:
    """no variable, no stand-in, none of the words for it"""
    return len(text) if text.lower() not in _WORDS and not is_stand_in(text) else 0


_WORDS = frozenset(["pass", "passwd", "password", "pwd", "secret", "token", "user", "username"])


def key_block(text: str) -> int:
    """24 letters and digits of a key or more"""
    return len(text) if sum(c.isalnum() for c in text) >= 24 + len("BEGINPRIVATEKEY" + "ENDPRIVATEKEY") else 0


def secret_map(text: str) -> int:
    """a line whose value is Base64 of 8 characters or more, no stand-in"""
    values = (each for each in _VALUE.findall(text) if not is_stand_in(each))
    return len(text) if any(turns(value) >= 2 or value.endswith("=") for value in values) else 0


_VALUE = re.compile(r"[:=]\s*[\"']?([A-Za-z0-9+/]{8,}={0,2})")
