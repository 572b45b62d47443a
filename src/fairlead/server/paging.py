"""Which part of a long list a caller asks for: the same words at every door."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput

MOST: Final = 500
"""Of one page."""


class Part(Struct, frozen=True):
    """At most `limit` of a list, behind the one that `after` names; "" for the beginning."""

    limit: int = 200
    after: str = ""


def part(query: Mapping[str, list[str]]) -> Part:
    """`?limit=` and `?after=`. Raises `BadInput`."""
    return Part(number(query, "limit", 1, MOST, Part().limit), query.get("after", [""])[-1])


def number(query: Mapping[str, list[str]], name: str, least: int, most: int, otherwise: int) -> int:
    """A whole number that is asked for. Raises `BadInput` naming what is none."""
    said = query.get(name, [""])[-1]
    if said and not (said.isascii() and said.isdigit() and least <= int(said[:20]) <= most):
        mend = f"give a whole number from {least} to {most}"
        raise BadInput(f"`{name}` is {said[:40]!r}", why="it is no whole number in its range", mend=mend, param=name)
    return int(said) if said else otherwise
