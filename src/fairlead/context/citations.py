"""What is cited, in its forms of text: by the marks that a reply carries, and as records name it."""

import re

from msgspec import Struct

from fairlead.context.types import Citation, Pack

# A mark, or several in one pair of brackets. The length keeps hostile replies linear.
_BRACKETS = re.compile(r"\[([^\[\]]{3,2000})\]")
_BETWEEN = re.compile(r"[,;]\s*")


def citations_in(reply: str, pack: Pack) -> tuple[Citation, ...]:
    """The pack's citations that a reply uses, each item once, in the order of their first use.

    Marks that name nothing in the pack are passed over: a model may invent them, and a caller must not see them as
    sources.
    """
    known: dict[str, Citation] = {}
    for citation in pack.citations:
        known.setdefault(citation.id, citation)
    used: dict[str, Citation] = {}
    for inside in _BRACKETS.findall(reply):
        marks = (inside,) if inside in known else _BETWEEN.split(inside)
        for mark in marks:
            if mark.strip() in known:
                used.setdefault(mark.strip(), known[mark.strip()])
    return tuple(used.values())


class Reference(Struct, frozen=True, order=True):
    """What a record says was put before a model. `section` is the identity of one, "" for the page as a whole."""

    item: str
    version: str = ""
    section: str = ""

    def __str__(self) -> str:
        return self.item + (f"@{self.version}" if self.version else "") + (f"#{self.section}" if self.section else "")


def reference_of(text: str) -> Reference:
    """What records hold, and people type: `item@version#section`, or less. The name of an item may hold an `@`."""
    item, at, rest = text.rpartition("@")
    if not at:
        return Reference(text)
    version, _, section = rest.partition("#")
    return Reference(item, version, section)
