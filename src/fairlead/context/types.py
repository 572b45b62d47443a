"""Organisational knowledge: items, immutable versions, snapshots, and the pack that is stitched for one task."""

from collections.abc import Mapping

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
    """Where a passage came from, as given back to the caller."""

    id: str  # item@version
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


class Pack(Struct, frozen=True, kw_only=True):
    """What was stitched for one task: permitted, cited, within the token budget. `labels` join the task's."""

    snapshot: str = ""
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    labels: Labels = NO_LABELS


NO_CONTEXT = Pack()
