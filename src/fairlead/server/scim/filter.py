"""SCIM's filters (RFC 7644, section 3.4.2.2), as far as what is kept can be looked for: `eq`, `and`, `or`, brackets."""

import re
from typing import Final

import msgspec

from fairlead.identity.people_search import Both, Either, Equal, NotSearchable, Search

_LONGEST: Final = 4_000
_DEEPEST: Final = 10
_MOST_TERMS: Final = 50
_TOKEN: Final = re.compile(r'\s*(?:([()\[\]])|("(?:[^"\\]|\\.)*")|([^\s()\[\]"]+))')
_SCHEMA: Final = re.compile(r"urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):", re.IGNORECASE)


def read_filter(text: str) -> Search:
    """What a filter asks for. Raises `NotSearchable` naming what is not understood."""
    if len(text) > _LONGEST:
        raise _refused(f"it is longer than {_LONGEST} characters")
    parser = _Parser(_tokens(text))
    found = parser.either(0)
    parser.require_end()
    return found


def _tokens(text: str) -> list[str]:
    tokens, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _refused(f"there is no sense in {text[place : place + 20]!r}")
        tokens.append(match.group(1) or match.group(2) or match.group(3))
        place = match.end()
    return tokens


class _Parser:
    """`or` binds less than `and`. A step for each token: nothing is read twice."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._terms = 0

    def either(self, depth: int, prefix: str = "") -> Search:
        parts = [self._both(depth, prefix)]
        while self._took("or"):
            parts.append(self._both(depth, prefix))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def require_end(self) -> None:
        if self._place < len(self._tokens):
            raise _refused(f"{self._tokens[self._place][:40]!r} stands behind its end")

    def _both(self, depth: int, prefix: str) -> Search:
        parts = [self._one(depth, prefix)]
        while self._took("and"):
            parts.append(self._one(depth, prefix))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _one(self, depth: int, prefix: str) -> Search:
        if depth > _DEEPEST:
            raise _refused(f"its brackets are nested more than {_DEEPEST} deep")
        if self._took("("):
            found = self.either(depth + 1, prefix)
            self._require(")")
            return found
        attribute = prefix + _SCHEMA.sub("", self._next()).lower()
        if not prefix and self._took("["):
            found = self.either(depth + 1, f"{attribute}.")
            self._require("]")
            return found
        operator = self._next()
        if operator.lower() != "eq":
            raise _refused(f"{operator[:40]!r} is not `eq`")
        self._terms += 1
        if self._terms > _MOST_TERMS:
            raise _refused(f"it has more than {_MOST_TERMS} comparisons")
        return Equal(attribute, _value(self._next()))

    def _next(self) -> str:
        if self._place >= len(self._tokens):
            raise _refused("it ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _took(self, word: str) -> bool:
        if self._place < len(self._tokens) and self._tokens[self._place].lower() == word:
            self._place += 1
            return True
        return False

    def _require(self, bracket: str) -> None:
        if not self._took(bracket):
            raise _refused(f"{bracket} is missing")


def _value(token: str) -> str | bool:
    try:
        value = msgspec.json.decode(token if token[0] == '"' else token.lower())
    except (msgspec.DecodeError, UnicodeEncodeError):
        value = None
    if not isinstance(value, str | bool) or (isinstance(value, str) and not value.isprintable()):
        raise _refused(f"{token[:40]!r} is neither a text in quotes, of visible characters, nor true or false")
    return value


def _refused(why: str) -> NotSearchable:
    return NotSearchable(
        "the filter is not understood", why=why, mend='compare with eq, and join with and, or, ( ): userName eq "kim"'
    )
