"""Putting back, behind the screening, what was taken out of the request: it is the caller's own.

A model bends a pseudonym as it bends a name: `PERSON_K7Q2`, `Person K7Q2`, `Person\\_K7Q2`, `Person_K7Q2's`. What is
known by its code is put back; what only looks like one stays as it is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, Protocol

from fairlead.policy.detect import spelled_out
from fairlead.policy.holdback import Holdback
from fairlead.policy.patterns import Pattern
from fairlead.policy.pseudonyms import Undo
from fairlead.policy.substitutes import PLACEHOLDER, Redaction

_BEGUN = re.compile(r"\[(?:[A-Z][A-Z0-9_]*)?")  # the beginning of a placeholder
_END: Final = "\x00"
_ESCAPE: Final = re.compile(rb"\\[bfnrt]")  # as JSON writes a line break
_ADDED: Final = re.compile(r"[sS]$|\\{0,2}_[2-9]$")  # the s of a genitive, a number that the model has counted on with
_BETWEEN: Final = r"(?:\\{0,2}[_\- \u00a0])?"
_SPELLING: Final = r"(?:\\{0,2}_[2-9]s?)?"
_CODE: Final = "[a-z][a-z0-9]{3,5}"
_KINDS: Final = {
    "email": r"(?i:user\\{0,2}\.[a-z][a-z0-9]{3,5}@person\.example)",
    "phone": r"(?:\+|00)?999(?:[ ./\-\u00a0]?[0-9]){8}",
    "iban": r"(?i:zz[0-9]{2}(?:[ \-\u00a0]?[0-9]){16})",
}


class Restorer(Protocol):
    """Takes a text piece by piece and gives it out with the caller's own values in it."""

    def feed(self, text: str) -> str:
        """What can be given out by now: the end is held back where it may be the beginning of a name."""

    def close(self) -> str:
        """What was held back, once the text has ended."""


def restorer_of(redaction: Redaction | None, *, quoted: bool = False) -> Restorer | None:
    """In the arguments of a tool call (`quoted`) values are written as the inside of a JSON string."""
    if redaction is None:
        return None
    quoted = quoted or redaction.quoted
    marks = Marks(redaction.placeholders, quoted=quoted) if redaction.placeholders else None
    if redaction.undo is None or not redaction.undo.exact:
        return marks
    names = Names(redaction.undo, quoted=quoted)
    return names if marks is None else Both(names, marks)


class Marks:
    """Puts back what placeholders such as `[EMAIL_1]` stand for."""

    def __init__(self, placeholders: Mapping[str, str], *, quoted: bool = False) -> None:
        self._placeholders = placeholders
        self._quoted = quoted
        self._held = ""

    def feed(self, text: str) -> str:
        """The text with complete placeholders replaced; one that is cut in two waits for its rest."""
        text = self._held + text
        opened = text.rfind("[")
        if opened < 0:
            self._held = ""
            return text
        tail = text[opened:]
        waits = _BEGUN.fullmatch(tail) is not None and any(each.startswith(tail) for each in self._placeholders)
        self._held = tail if waits else ""
        return PLACEHOLDER.sub(self._original, text[:opened] if waits else text)

    def _original(self, found: re.Match[str]) -> str:
        original = self._placeholders.get(found[0])
        if original is None:
            return found[0]
        return json.dumps(original, ensure_ascii=False)[1:-1] if self._quoted else original

    def close(self) -> str:
        """What was held back and became no placeholder: it leaves as it came."""
        return self._held


class Names:
    """Puts back what pseudonyms stand for. What comes out depends on the text alone, not on how it was cut."""

    def __init__(self, undo: Undo, *, quoted: bool = False) -> None:
        self._undo = undo
        self._quoted = quoted
        self._pattern, self._holdback = _looking_for(frozenset(undo.words), frozenset(undo.kinds))
        self._data = b""  # the two bytes that were given out last, and what is held
        self._at = 0

    def feed(self, text: str) -> str:
        """What may leave by now, with the pseudonyms in it replaced. What may yet become one waits for its rest."""
        if self._quoted:
            text = spelled_out(text)
        data = self._data + text.encode("utf-8", "replace")
        return self._given(data, self._holdback.start(data, self._at))

    def close(self) -> str:
        """The rest, as the text ends here: a pseudonym at its very end is one too."""
        data = self._data + _END.encode()
        return self._given(data, len(data) - 1)

    def _given(self, data: bytes, hold: int) -> str:
        """What leaves of it: all before `hold`, and no pseudonym by half."""
        pieces, at = [], self._at
        for low, high, value in self._found(data, hold):
            pieces += [data[at:low].decode(), value]
            at = high
        hold = max(hold, at)
        pieces.append(data[at:hold].decode())
        cut = max(hold - 2, 0)
        self._data, self._at = data[cut:], hold - cut
        return "".join(pieces)

    def _found(self, data: bytes, hold: int) -> Iterator[tuple[int, int, str]]:
        matcher, at = self._pattern.matcher, self._at
        while True:
            spans = matcher.spans(data, at)
            low, high = spans[matcher.value_group]
            if low < 0 or low >= hold:
                return
            value = None
            if not data[max(low - 1, 0) : low].isalnum() or _ESCAPE.fullmatch(data, max(low - 2, 0), low):
                value, high = self._value(data[low:high].decode(), high)
            if value is None:
                at = low + 1
            else:
                yield low, high, json.dumps(value, ensure_ascii=False)[1:-1] if self._quoted else value
                at = high

    def _value(self, written: str, high: int) -> tuple[str | None, int]:
        found, rest = self._undo.value(written), written
        while found is None and (ends := _ADDED.search(rest)) is not None:
            rest = rest[: ends.start()]
            found = self._undo.value(rest)
        if found is not None:
            return found, high - (len(written) - len(rest))
        if "_" in written and any(map(str.isdigit, written)):
            self._undo.strange.add(written)
        return None, high


class Both:
    """Pseudonyms and placeholders: of neither does any stand in what the other puts back."""

    def __init__(self, first: Restorer, second: Restorer) -> None:
        self._first = first
        self._second = second

    def feed(self, text: str) -> str:
        """What may leave by now: the pseudonyms are replaced first, then the placeholders."""
        return self._second.feed(self._first.feed(text))

    def close(self) -> str:
        """What either still holds back; the second gets the rest of the first before it ends."""
        return self._second.feed(self._first.close()) + self._second.close()


@lru_cache(maxsize=64)
def _looking_for(words: frozenset[str], kinds: frozenset[str]) -> tuple[Pattern, Holdback]:
    ways = [_KINDS[each] for each in sorted(kinds) if each != "word"]
    if words:
        longest = sorted(words, key=lambda each: (-len(each), each))
        said = "|".join(_BETWEEN.join(each.split("_")) for each in longest)
        ways.append(f"(?i:(?:{said}){_BETWEEN}{_CODE}{_SPELLING})")
    pattern = Pattern(f"(?P<value>{'|'.join(ways)})[^0-9A-Za-z]")
    return pattern, Holdback([pattern])
