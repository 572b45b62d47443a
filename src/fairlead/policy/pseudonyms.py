"""Pseudonyms: what stands for a value so that a model can go on working with it, and so that its maker learns nothing.

A pseudonym follows from the value under a key that a person's conversation has for itself: the same value is the same
one in each turn, another one elsewhere, and whoever has the pseudonyms has no way back. Nothing is kept: the next turn
makes them anew. Values that differ have different ones, and none is a word that the text had before.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Final, Literal
from unicodedata import normalize

from msgspec import Struct, field

_LETTERS: Final = "ABCDEFGHJKMNPQRTVWXYZ"  # none that is easily read as another
_SIGNS: Final = _LETTERS + "23456789"
_LONGER: Final = 8  # tries after which codes get longer
_TRIES: Final = 64
_ALNUM: Final = re.compile(r"[0-9A-Za-z]+")
_NO_ALNUM: Final = re.compile(r"[^0-9A-Za-z]+")
_WRITTEN: Final = re.compile(
    r"[A-Za-z][0-9A-Za-z_]*?_[0-9A-Za-z]{4,6}(?:_[2-9](?![0-9]))?|user\.[0-9a-z]{4,6}@person\.example|\+999\d{8}|ZZ\d{18}"
)  # as it is written here
_ALIKE: Final = re.compile(r"(?=(USER[0-9A-Z]{4,6}?PERSONEXAMPLE|999[0-9]{8}|ZZ[0-9]{18}))")  # the same, squeezed
_WORDS: Final = {
    "person_name": "Person",
    "guessed_name": "Person",
    "payment_card": "Card",
    "bank_account": "Account",
    "national_id": "ID",
}

Kind = Literal["word", "email", "phone", "iban"]
"""How a pseudonym is written. All but words are taken for what they stand for by whoever parses them, and can be
nobody's: `.example` is reserved, no country has the code 999, and none is called ZZ."""
_KINDS: Final[Mapping[str, Kind]] = {"email": "email", "phone": "phone", "iban": "iban"}


class Entity(Struct, frozen=True):
    """What a value is a spelling of. Equal `key`s of one category are one thing; `part` is the word for what of it the
    value says ("": all of it), `style` how it is written."""

    key: str
    part: str = ""
    style: Literal["", "upper", "lower"] = ""


Identify = Callable[[str, str], Entity | None]
"""Tells of a category and a value what it is a spelling of, where somebody knows more than the value shows."""


def nobody(category: str, value: str) -> Entity | None:
    """For workspaces that know no names."""
    return None


class Pseudonyms:
    """Those of one action. `key` is the conversation's; `counts` are the values by category that the last attempt stood
    for, `strange` what replies held that looks like a pseudonym and is none."""

    __slots__ = ("counts", "identify", "key", "strange")

    def __init__(self, key: bytes, identify: Identify = nobody) -> None:
        self.key = key
        self.identify = identify
        self.counts: dict[str, int] = {}
        self.strange: set[str] = set()


class Undo(Struct, frozen=True):
    """The way back from pseudonyms to values: as they were written, and as a model may have bent them (`folded`).
    `words` and `kinds` are what to look for."""

    exact: dict[str, str] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    kinds: set[Kind] = field(default_factory=set)
    strange: set[str] = field(default_factory=set)

    def value(self, written: str) -> str | None:
        """What a pseudonym stands for, however a model has written it; None where it is nobody's."""
        known = self.exact.get(written)
        return known if known is not None else self.folded.get(fold(written))


class Naming:
    """Gives pseudonyms to the values of one text. `taken` is the text: nothing that stands in it is given away."""

    def __init__(self, pseudonyms: Pseudonyms, taken: str) -> None:
        self.undo = Undo(strange=pseudonyms.strange)
        self._pseudonyms = pseudonyms
        self._taken = frozenset(each.upper() for each in _ALNUM.findall(taken))
        self._alike = frozenset(_ALIKE.findall(fold(taken)))
        self._codes: dict[tuple[str, str], str] = {}
        self._given: set[str] = set()
        self._pseudonyms.counts.clear()

    def name(self, category: str, value: str) -> str | None:
        """The pseudonym of a value, None where none is left."""
        entity = self._pseudonyms.identify(category, value) or entity_of(category, value)
        kind = _KINDS.get(category, "word")
        code = self._code(category, entity.key, kind)
        if code is None:
            return None
        word = entity.part or _word(category)
        written = _styled(f"{word}_{code}", entity.style) if kind == "word" else code
        if kind == "word":
            self.undo.words.add(word)
            written = self._spelling(written, value)
        self.undo.kinds.add(kind)
        self.undo.exact.setdefault(written, value)
        self.undo.folded.setdefault(fold(written), value)
        return written

    def _spelling(self, written: str, value: str) -> str:
        """The pseudonym of this very spelling: where one has another already, with a number behind it."""
        ways = (written, *(f"{written}_{number}" for number in range(2, 10)))
        return next((each for each in ways if self.undo.exact.get(each, value) == value), written)

    def undone(self, text: str) -> str:
        """The text with its values again, where some of it was named before."""
        if not self.undo.exact:
            return text
        return _WRITTEN.sub(lambda found: self.undo.exact.get(found[0], found[0]), text)

    def written_in(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where pseudonyms stand in a part of a text."""
        for found in _WRITTEN.finditer(text, start, end):
            if found[0] in self.undo.exact:
                yield found.span()

    def _code(self, category: str, key: str, kind: Kind) -> str | None:
        known = self._codes.get((category, key))
        if known is not None:
            return known
        for attempt in range(_TRIES):
            code = self._made(category, key, kind, attempt)
            if code is not None and not self._is_taken(code, category, kind):
                self._codes[category, key] = code
                self._given.add(code)
                counts = self._pseudonyms.counts
                counts[category] = counts.get(category, 0) + 1
                return code
        return None

    def _made(self, category: str, key: str, kind: Kind, attempt: int) -> str | None:
        said = f"{category}\0{attempt}\0{key}".encode("utf-8", "surrogatepass")
        number = int.from_bytes(blake2b(said, key=self._pseudonyms.key[:64], digest_size=16).digest(), "big")
        if kind == "phone":
            return f"+999{number % 10**8:08d}"
        if kind == "iban":
            return _iban(number % 10**16)
        code = _code(number, 4 if attempt < _LONGER else 6)
        return f"user.{code.lower()}@person.example" if code and kind == "email" else code

    def _is_taken(self, code: str, category: str, kind: Kind) -> bool:
        if code in self._given:
            return True
        if kind != "word":
            return fold(code) in self._alike
        return code in self._taken or any(fold(f"{each}{code}") in self._taken for each in (_word(category), *PARTS))


PARTS: Final = ("Surname", "Forename", "Firstname", "Initial")
"""The words for parts of a person's name."""


def fold(written: str) -> str:
    """What is left of a pseudonym whatever a model does to it: letters in upper case, and digits."""
    return _NO_ALNUM.sub("", written).upper().lstrip("0")


def entity_of(category: str, value: str) -> Entity:
    """What a value is a spelling of, as far as it shows. Of a category whose spellings are not known, each is its own:
    values that differ must not be taken for one."""
    if category in ("email", "person_name"):
        plain = normalize("NFKC", value)
        key = " ".join(plain.casefold().split())
        return Entity(key, style=style_of(plain) if category == "person_name" else "")
    if category in ("iban", "phone", "payment_card"):
        return Entity(_NO_ALNUM.sub("", normalize("NFKC", value)).upper())
    return Entity(value)


def style_of(value: str) -> Literal["", "upper", "lower"]:
    """How a name is written."""
    return "upper" if value.isupper() and len(value) > 1 else "lower" if value.islower() else ""


def _styled(written: str, style: str) -> str:
    return written.upper() if style == "upper" else written.lower() if style == "lower" else written


def _word(category: str) -> str:
    return _WORDS.get(category) or "_".join(each.capitalize() for each in category.split("_"))


def _code(number: int, length: int) -> str | None:
    """Letters and digits, both: none reads as a word or as a number."""
    number, first = divmod(number, len(_LETTERS))
    signs = [_LETTERS[first]]
    for _ in range(length - 1):
        number, at = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[at])
    code = "".join(signs)
    return None if code.isalpha() else code


def _iban(number: int) -> str:
    """An account number of no country, with check digits that hold."""
    body = f"{number:016d}"
    check = 98 - int(f"{body}353500") % 97
    return f"ZZ{check:02d}{body}"
