"""Which passages a reply rests on, by the marks that it carries."""

import re

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
