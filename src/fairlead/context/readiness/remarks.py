"""What speaks against relying on a page, in words. A day that lies ahead says nothing."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from fairlead.context.catalogue import Entry
from fairlead.context.edited import changed_after
from fairlead.context.readiness.facts import Draft, Rate

EXPIRED: Final = "expired"
OVERDUE: Final = "review overdue"
UNVERIFIED: Final = "never verified"
CHANGED: Final = "changed since verified"
OUTSIDERS: Final = "words of outsiders"
OWNERLESS: Final = "no owner"
GONE: Final = "owner has left"
OPEN: Final = "questions open"
WEIGHTY: Final = frozenset({EXPIRED, OVERDUE, UNVERIFIED, CHANGED})
"""Those after which somebody should look at the page again."""


def remarks_of(entry: Entry, today: date, gone: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Of a published page, the gravest first."""
    return tuple(_remarks(entry, today.isoformat(), gone))


def _remarks(entry: Entry, today: str, gone: frozenset[str]) -> Iterator[str]:
    if entry.expires and entry.expires <= today:
        yield EXPIRED
    if entry.review_by and entry.review_by < today:
        yield OVERDUE
    if not entry.verified:
        yield UNVERIFIED
    elif changed_after(entry):
        yield CHANGED
    if not entry.trusted:
        yield OUTSIDERS
    if not entry.owner:
        yield OWNERLESS
    elif entry.owner in gone:
        yield GONE


def draft_remarks(draft: Draft) -> tuple[str, ...]:
    """Of a page that is not published: how far it is."""
    found = [draft.status]
    if draft.questions:
        found.append(OPEN)
    if not draft.owner:
        found.append(OWNERLESS)
    return tuple(found)


def rate_of(entry: Entry, measured: Mapping[str, Rate]) -> Rate | None:
    """How often it changes: as its history says; else as its owner's dates say, from one look to the next."""
    known = measured.get(entry.id)
    if known is not None:
        return known
    if not (entry.verified and entry.review_by > entry.verified):
        return None
    return Rate((date.fromisoformat(entry.review_by) - date.fromisoformat(entry.verified)).days, measured=False)
