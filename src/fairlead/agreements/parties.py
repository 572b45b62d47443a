"""Which words of a contract speak of the organisation, and which of the other side."""

import re
from typing import Final

from msgspec import Struct

_OURS: Final = ("customer", "client", "buyer", "purchaser", "licensee", "merchant", "retailer", "company", "subscriber")
_THEIRS: Final = (
    "supplier", "provider", "vendor", "seller", "contractor", "consultant", "licensor", "adviser", "advisor",
    "manufacturer", "processor", "carrier",
)  # fmt: skip
_BOTH: Final = re.compile(
    r"\b(?:each|either|neither|both)\s+(?:party|parties|of us|sides?)\b|\bthe parties\b|\bmutual", re.I
)
_CALLED: Final = r"\s*(?:the |hereinafter |hereafter |herein |referred to |called |as )*"
_BETWEEN: Final = r"(?:(?!\band (?!wales|registered|having))[^()\"“\n:;]|\([^()\"“\n]*\d[^()\"“\n]*\)){0,200}"
_NO_NAMES: Final = frozenset({"contract", "contracts", "demo", "review", "test", "work", "workspace"})


class Parties(Struct, frozen=True):
    """`ours` and `theirs` are names and roles in small letters."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]

    def who(self, text: str) -> str:
        """Of whom a text speaks: `both`, `ours`, `theirs`, or "" where it says neither. The first that is named."""
        if _BOTH.search(text):
            return "both"
        places = {side: _first(text, names) for side, names in (("ours", self.ours), ("theirs", self.theirs))}
        found = {side: place for side, place in places.items() if place is not None}
        return min(found, key=lambda side: found[side]) if found else ""


def _first(text: str, names: tuple[str, ...]) -> int | None:
    places = [found.start() for name in names if (found := re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE))]
    return min(places, default=None)


def _names(organisation: str) -> bool:
    """Whether a contract can be searched for it: the name of a folder (`new`, `demo`) is a word of any text."""
    return len(organisation) > 3 and organisation.lower() not in _NO_NAMES


def parties_of(text: str, organisation: str) -> Parties:
    """Of what stands before the first clause, mostly: `Acme Ltd ("the Buyer")`, `Buyer: Acme Ltd`."""
    head, name = (
        re.sub(r"(?<!\n)\n(?!\n)", " ", text[:3000].replace("*", "")),
        re.escape(organisation) if _names(organisation) else "(?!)",
    )
    role = r"(?P<role>[A-Z][A-Za-z]{2,20})"
    called = rf"{_CALLED}[\"“]?{role}"
    opened = rf"(?:\({_CALLED}[\"“]?|{_CALLED}[\"“])"
    after = re.search(rf"\b{name}\b{_BETWEEN}{opened}{role}(?:[\"”]|\s*\))", head, re.IGNORECASE)
    before = re.search(rf"(?!Parties|Between|And\b){role}\s*:\s*{name}", head)
    found = after or before
    ours = {*(_OURS if found is None else (found["role"].lower(),)), "you", "your"}
    if _names(organisation):
        ours.add(organisation.lower())
    if found is not None and found["role"].lower() in _OURS:
        ours |= set(_OURS) - {"company"}
    others = {each["role"].lower() for each in re.finditer(rf"[(\"“]{called}[\"”)]", head)}
    theirs = {*_THEIRS, *others, "we", "us", "our"} - ours - {"agreement", "service", "fees"}
    return Parties(tuple(sorted(ours)), tuple(sorted(theirs)))
