"""The kinds of items, and the structure that each of them has beside its text.

A kind's fields are keys of the front matter. They are read only where the page is of that kind, so that a page may go
on carrying what other tools call `parent` or `from`.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

Form = Literal["name", "names", "day", "count"]


class KindField(Struct, frozen=True):
    """One field of a kind: how it is written, whether it must be there, and what it means, in words for people."""

    form: Form
    says: str
    needed: bool = False


PAGE: Final = "page"

KINDS: Final[Mapping[str, Mapping[str, KindField]]] = {
    PAGE: {},
    "process": {
        "steps": KindField("names", "its steps, in their order"),
        "inputs": KindField("names", "what must be there before it begins"),
    },
    "policy": {"applies_to": KindField("names", "whom or what it binds")},
    "term": {
        "synonyms": KindField("names", "words that mean the same"),
        "avoid": KindField("names", "words that are not to be used for it"),
    },
    "unit": {
        "parent": KindField("name", "the unit above it"),
        "head": KindField("name", "the person who leads it"),
        "members": KindField("names", "persons who belong to it"),
    },
    "role": {
        "holders": KindField("names", "persons who have it"),
        "manager": KindField("name", "the person to whom its holders report"),
    },
    "flow": {
        "covers": KindField("names", "the tools or topics that it is about", needed=True),
        "approvers": KindField("names", "the roles that must agree", needed=True),
        "quorum": KindField("count", "how many persons of each role must agree"),
    },
    "decision": {
        "decided": KindField("day", "the day of the decision", needed=True),
        "by": KindField("names", "who decided", needed=True),
        "precedent_for": KindField("names", "topics that later decisions follow it in"),
    },
    "dependency": {
        "from": KindField("name", "the function that depends", needed=True),
        "to": KindField("name", "the function that it depends on", needed=True),
        "needs": KindField("names", "what it needs from there"),
    },
    "voice": {
        "say": KindField("names", "words and phrases to use"),
        "avoid": KindField("names", "words and phrases not to use"),
    },
}

CONTRADICTS: Final = "contradicts"
OF_EVERY_KIND: Final[Mapping[str, KindField]] = {
    CONTRADICTS: KindField("names", "pages that say otherwise, by their names, until it is settled which holds"),
}

STATUSES: Final = ("draft", "review", "published", "retired")
PUBLISHED: Final = "published"
