"""What a request of SCIM asks, and what it is answered; the few rules that people and groups share."""

from typing import Any, Final

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.identity.people_search import Search
from fairlead.identity.settings import Provider
from fairlead.server.http import Headers
from fairlead.server.scim.about import MOST_LISTED
from fairlead.server.scim.errors import error_body
from fairlead.server.scim.filter import read_filter
from fairlead.server.scim.resources import etag

_LARGEST: Final = 1 << 40


class Asked(Struct, frozen=True, kw_only=True):
    """A request of a provider that has shown its token. `id` is "" for all; `body` has plain names."""

    provider: Provider
    method: str
    id: str
    query: dict[str, str]
    body: dict[str, Any]
    match: str | None
    none_match: str | None

    @property
    def search(self) -> Search | None:
        """The filter that was sent, None without one. Raises `NotSearchable`."""
        text = self.query.get("filter")
        return read_filter(text) if text is not None else None

    def page(self) -> tuple[int, int]:
        """From which one on, from 0, and how many at most."""
        start = max(1, _number("startIndex", self.query.get("startIndex"), 1))
        return start - 1, min(MOST_LISTED, max(0, _number("count", self.query.get("count"), MOST_LISTED)))


class Told(Struct, frozen=True):
    """An answer. None is an empty body."""

    body: dict[str, Any] | None
    status: int = 200
    headers: Headers = []


def resource(asked: Asked, shown: dict[str, Any], version: int, *, status: int = 200) -> Told:
    """One resource with its version, or 304 where the client has it."""
    tag = etag(version)
    if asked.method == "GET" and asked.none_match is not None and asked.none_match.strip() in ("*", tag):
        return Told(None, 304, [(b"etag", tag.encode())])
    headers: Headers = [(b"etag", tag.encode())]
    if status == 201 and "meta" in shown:
        headers.append((b"location", shown["meta"]["location"].encode()))
    return Told(shown, status, headers)


class _WrongMethod(BadInput):
    status = 405


def misplaced(method: str, *allowed: str) -> Told:
    """For a method that means nothing there."""
    error = _WrongMethod(
        f"{method} means nothing at this path",
        why="all are read and added to; one is read, replaced, patched and deleted",
        mend=f"use {' or '.join(allowed)}",
    )
    return Told(error_body(error), 405, [(b"allow", ", ".join(allowed).encode())])


def searched(body: dict[str, Any]) -> dict[str, str]:
    """What a search by POST asks for (RFC 7644, section 3.4.3), as a query would."""
    names = {each.lower(): each for each in ("filter", "startIndex", "count", "attributes", "excludedAttributes")}
    found = {names[name]: value for name, value in body.items() if name in names and value is not None}
    return {name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in found.items()}


def _number(name: str, given: str | None, usual: int) -> int:
    if given is None:
        return usual
    digits = given.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 12:
        raise BadInput(f"{name} is {given[:40]!r}", why="it is a number", mend="correct it", param=name)
    return min(int(given), _LARGEST)
