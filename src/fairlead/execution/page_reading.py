"""Pages of the context read whole, by name: for work that must rest on all that they say, and not on passages that a
search finds.

The snapshot is that of the piece of work, rights are those of now, and the log has a record of what was read. No model
is asked and nothing is paid.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import groupby
from typing import Final

from msgspec import Struct

from fairlead.context import Context, Hit, Pack
from fairlead.context.types import Citation
from fairlead.costs.told import Arrival
from fairlead.errors import BadInput, NotFound
from fairlead.execution.deployment import Fairlead
from fairlead.execution.pins import context_of
from fairlead.execution.stopping import refuse_stopped
from fairlead.identity.types import Caller
from fairlead.labels import DataClass, Labels, MayRead

MOST_PAGES: Final = 200
"""Pages that one step reads whole."""
MOST_LETTERS: Final = 2_000_000
"""Letters of all of them together."""


class PageSection(Struct, frozen=True, kw_only=True):
    """A section of a page. `cite` is how it is cited: `item@version#identity`."""

    heading: str
    text: str
    cite: str


class ReadPage(Struct, frozen=True, kw_only=True):
    """A page as its reader may see it."""

    id: str
    version: str
    title: str
    owner: str
    trusted: bool
    expires: str
    sections: tuple[PageSection, ...]


async def read_pages(
    fairlead: Fairlead, caller: Caller, patterns: Sequence[str], arrival: Arrival
) -> tuple[tuple[ReadPage, ...], Labels]:
    """The pages whose names these patterns (`legal/*`) fit, as far as the caller may read them, and their labels.

    Each page once. Raises `NotFound` where a pattern fits none that they may read: there is no telling whether there is
    one; and `BadInput` where they are more than a step can hold.
    """
    deployment = await fairlead.caught_up()
    async with fairlead.ledger.open(caller, arrival, deployment, "read_pages") as action:
        if deployment.stops is not None:
            refuse_stopped(deployment, action)
        with action.step("stitch"):
            context = await context_of(fairlead, deployment, action)
        with action.step("authorize"):
            may_read = deployment.policy.may_read(caller)
            names = list(dict.fromkeys(name for each in patterns for name in _names(context, each, may_read)))
            if len(names) > MOST_PAGES:
                raise _too_much(patterns, f"{len(names):,} pages", f"{MOST_PAGES} are the most that a step reads whole")
        hits = await context.whole(names, may_read)
        if (letters := sum(len(hit.text) for hit in hits)) > MOST_LETTERS:
            raise _too_much(patterns, f"{letters:,} letters", f"{MOST_LETTERS:,} are the most of one step")
        action.pack = Pack(snapshot=context.snapshot, citations=tuple(map(_citation, hits)))
        labels = action.labels = Labels(max((hit.data_class for hit in hits), default=DataClass.public))
        await action.conclude("done")
    return tuple(_page(list(of)) for _, of in groupby(hits, lambda hit: hit.item)), labels


def _too_much(patterns: Sequence[str], size: str, why: str) -> BadInput:
    return BadInput(
        f"the pages {', '.join(patterns)} are {size}",
        why=why,
        mend="name fewer pages in the step, such as contracts/* for contracts; a search finds passages of all of them",
        step="stitch",
    )


def _names(context: Context, pattern: str, may_read: MayRead) -> list[str]:
    catalogue = context.catalogue
    found = [
        entry.id
        for entry in catalogue.entries
        if fnmatchcase(entry.id, pattern) and all(map(may_read, catalogue.rights_of(entry)))
    ]
    if not found:
        raise NotFound(
            f"there is no page {pattern!r} in the context",
            why="nothing of that name is published for whoever asks",
            mend="write it below context/, or say in its front matter who may read it; then `fairlead apply`",
            step="stitch",
            subject=pattern,
        )
    return found


def _citation(hit: Hit) -> Citation:
    return Citation(
        id=f"{hit.item}@{hit.version}",
        title=hit.title,
        section=hit.heading,
        owner=hit.owner,
        trusted=hit.trusted,
        identity=hit.identity,
    )


def _page(hits: list[Hit]) -> ReadPage:
    first = hits[0]
    sections = tuple(PageSection(heading=hit.heading, text=hit.text, cite=_citation(hit).where) for hit in hits)
    return ReadPage(
        id=first.item,
        version=first.version,
        title=first.title,
        owner=first.owner,
        trusted=first.trusted,
        expires=first.expires,
        sections=sections,
    )
