"""Organisational knowledge: items, immutable versions, snapshots, and the pack that is stitched for one task."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from fairlead.context.kinds import PAGE, PUBLISHED
from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.models.types import Passage


class Item(Struct, frozen=True, kw_only=True):
    """One version of one piece of knowledge, as written in `context/**/*.md`.

    `id` is the path below `context/` without the suffix. `version` is the first 12 hex digits of the SHA-256 of the
    normalised content and front matter. Dates are ISO days, "" where not given.

    `kind` says which `fields` it has (see `kinds`). `status` is draft, review, published or retired; snapshots hold
    published items only. `topics` are words that task types ask for. `trusted` is False for words of outsiders.
    `source`, `origin` and `changed` are given by synchronised sources: the source's name, where in it the text came
    from, and the day on which it says that the text last changed.
    """

    id: str
    version: str
    title: str
    text: str
    owner: str
    audience: frozenset[str]
    data_class: DataClass
    verified: str = ""
    verified_by: str = ""
    review_by: str = ""
    kind: str = PAGE
    status: str = PUBLISHED
    topics: frozenset[str] = frozenset()
    expires: str = ""
    trusted: bool = True
    source: str = ""
    origin: str = ""
    changed: str = ""
    fields: Mapping[str, tuple[str, ...]] = {}


class Citation(Struct, frozen=True):
    """Where a piece came from, as given back to the caller. `id` is `item@version`, of a live one `live/NAME@TIME`.

    `notes` say what a reader must know of it: that it is not trusted, that its time is over, as of when it was read.
    """

    id: str
    title: str
    section: str
    owner: str
    verified: str = ""
    review_by: str = ""
    kind: str = PAGE
    expires: str = ""
    trusted: bool = True
    changed: str = ""
    identity: str = ""  # of the section: the same after moves, renames and reformatting
    as_of: str = ""
    notes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """As records name it: `item@version#identity`."""
        return f"{self.id}#{self.identity}" if self.identity else self.id


LiveState = Literal["met", "missing", "stale", "hidden"]


class LivePiece(Struct, frozen=True, kw_only=True):
    """What a live source gave for one question, under its caller's own rights.

    `state` is "met", "stale" (there is a text, and it is older than may be), "hidden" (this caller may not read it
    without more ado) or "missing" (nothing came: `why` has the code of what was in the way, or "empty"). A source whose
    pattern is not in the question was not asked and has no piece. `tool` is the `system.tool` that was called, `as_of`
    the ISO time for which the text holds.
    """

    name: str
    state: LiveState
    tool: str
    title: str = ""
    text: str = ""
    as_of: str = ""
    why: str = ""
    labels: Labels = NO_LABELS
    trusted: bool = False
    required: bool = False

    @property
    def citation(self) -> str:
        """How it is cited: `live/NAME@TIME`."""
        return f"{_LIVE}{self.name}@{self.as_of}"


_LIVE: Final = "live/"


def is_live(citation: str) -> bool:
    """Whether a record's citation is of a live source: those have a time where pages have a version."""
    return citation.startswith(_LIVE) and ":" in citation


class Difference(Struct, frozen=True):
    """Two pieces of a pack that say different things of the same: their citations, and what each says."""

    one: str
    other: str
    said: str
    instead: str


class Pack(Struct, frozen=True, kw_only=True):
    """What was stitched for one task: permitted, cited, within the token budget. `labels` join the task's.

    The first of `citations` are of the `passages`, one each; behind them are those of the `voice`, which is how the
    organisation wants to be heard. `live` are the live sources that were asked, whatever came of it. `digest` is the
    SHA-256 (hex) of all that a model gets of it: equal digests are equal packs, byte for byte.
    """

    snapshot: str = ""
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    labels: Labels = NO_LABELS
    voice: tuple[Passage, ...] = ()
    differences: tuple[Difference, ...] = ()
    live: tuple[LivePiece, ...] = ()
    digest: str = ""


NO_CONTEXT = Pack()
