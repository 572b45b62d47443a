"""What is proposed for a page, made of what somebody wishes: the same at the command line and at the door.

Whoever may read a page may propose, and to everybody else it is as if the page was not there. Whose words they are is
for the caller of this to know: the door proves it, the command line believes whoever runs it. Everything here reads the
database: call it in a thread.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from msgspec import DecodeError, Struct
from msgspec.structs import replace

from fairlead.context.citations import reference_of
from fairlead.context.snapshots import access_of, stored_item
from fairlead.context.types import Item
from fairlead.context.upkeep.proposals import Edit, Proposals
from fairlead.costs.record import Record, decode_record
from fairlead.errors import BadInput, NotFound
from fairlead.execution.deployment import Deployment
from fairlead.identity import Caller
from fairlead.policy import Policy
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.storage.request_rows import RequestRow, State

_MARK: Final = "\ufeff"  # with which some editors begin a file
STATES: Final[tuple["State", ...]] = ("open", "done", "dismissed")
_SHOWN: Final = 80  # characters of what somebody sent that an error repeats


class Wish(Struct, frozen=True, kw_only=True):
    """What somebody wants a page to say: `whole` is all of it, or `text` stands in the place of the words `instead`.
    `run` is the answer that was wrong."""

    item: str
    instead: str | None = None
    text: str | None = None
    whole: str | None = None
    reason: str = ""
    run: str = ""


class Pages(Struct, frozen=True):
    """The published pages, as the policies in force let somebody read them."""

    store: Store
    snapshot: str
    policy: Policy

    def readable(self, name: str, caller: Caller) -> Item | None:
        """The page as it is published; None where it is not, or not for them."""
        version = _version(self.store, self.snapshot, name)
        item = stored_item(self.store, name, version) if version else None
        return item if _may_read(self.policy, caller, item) else None


def edit_of(pages: Pages, caller: Caller, wish: Wish, answers: Iterable[Record] | None) -> tuple[Item, Edit]:
    """The page, and what is proposed for it. `answers` are the records of the run that the wish names, None where it
    names none. Raises `NotFound`, `BadInput`."""
    page = pages.readable(wish.item, caller)
    if page is None:
        raise NotFound(
            f"there is no published page {wish.item[:_SHOWN]!r} that {caller.person} may read",
            mend="name a page as citations do, without its version; at the command line --as says who proposes",
            subject=wish.item[:_SHOWN],
        )
    if answers is not None:
        _require_cited(wish.run, answers, page)
    wanted = _wanted(page, wish)
    return page, Edit(
        item=page.id,
        version=page.version,
        read=page.text,
        wanted=wanted,
        reason=wish.reason,
        run=wish.run,
        tenant=caller.tenant,
    )


def own_answers(store: Store, run: str, caller: Caller, subject: str) -> list[Record]:
    """The records of a run of this person's own. Raises `NotFound` for every other, as for one that never was."""
    from fairlead.storage.log import Log

    try:
        rows = [row.record for row in Log(store).of_run(run) if row.run == run]
        found = [each for each in map(decode_record, rows) if (each.person, each.tenant) == (subject, caller.tenant)]
    except (NotFound, DecodeError):
        found = []
    if not found or not subject:
        raise NotFound(
            f"there is no answer {run[:_SHOWN]!r} to {caller.person}",
            mend="name the run of the reply, as it stands in x-fairlead-run, or leave it out",
            subject=run[:_SHOWN],
        )
    return found


class Seen(Struct, frozen=True):
    """A proposal as a caller may see it: one of their `own`, or one that is theirs to decide, or both. `readable` tells
    whether they may read its page today and, once it is opened, the version that it was made for."""

    row: "RequestRow"
    own: bool
    decides: bool
    readable: bool


def seen_by(deployment: Deployment, proposals: Proposals, caller: Caller, states: "Collection[State]") -> list[Seen]:
    """The proposals that concern a caller: their own, and those for pages that name them, or a department, group or
    role of theirs, as their owner, as far as they may read these."""
    subject, names = proposals.subject(caller.person), _names_of(caller)
    catalogue, may = deployment.context.catalogue, deployment.policy.may_read(caller)

    def seen(row: "RequestRow", own: bool) -> Seen:
        entry = catalogue.by_id.get(row.item)
        readable = entry is not None and all(map(may, catalogue.rights_of(entry)))
        return Seen(row, own, readable and entry is not None and entry.owner in names, readable)

    tenant = caller.tenant
    found = [seen(row, of == subject and proposals.is_in(row, tenant)) for row, of in proposals.listed(states)]
    return [each for each in found if each.own or each.decides]


def shown_to(deployment: Deployment, proposals: Proposals, caller: Caller, id_: str) -> tuple[Seen, Edit]:
    """One of those, with what it says. Raises `NotFound` for every other, as for one that never was."""
    for each in seen_by(deployment, proposals, caller, STATES):
        if each.row.id == id_:
            edit = proposals.of(id_)
            then = stored_item(proposals.store, edit.item, edit.version)
            return replace(each, readable=each.readable and _may_read(deployment.policy, caller, then)), edit
    raise NotFound(
        f"there is no proposal {id_[:_SHOWN]!r} for {caller.person}",
        mend="GET /v1/context/proposals?state=all lists those that there are",
        subject=id_[:_SHOWN],
    )


def plain(seen: Seen) -> dict[str, Any]:
    """A proposal as JSON shows it in lists. Times in milliseconds since 1970, 0 for never."""
    row = seen.row
    return {
        "id": row.id,
        "object": "fairlead.proposal",
        "state": row.state,
        "item": row.item,
        "version": row.cause.partition(" ")[0],
        "owner": row.owner,
        "own": seen.own,
        "decides": seen.decides,
        "asked_at": row.asked_at,
        "due_at": row.due_at,
        "ended_at": row.ended_at,
    }


def _may_read(policy: Policy, caller: Caller, item: Item | None) -> bool:
    return item is not None and policy.may_read(caller)(access_of(item, names_items=policy.names_items))


def _names_of(caller: Caller) -> frozenset[str]:
    """By which names pages may call the caller their owner."""
    return (caller.groups | caller.roles | {caller.person, caller.department}) - {""}


def _version(store: Store, snapshot: str, name: str) -> str:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_member as member

    query = select(member.c.version).where(member.c.snapshot == snapshot, member.c.item == name)
    with store.reading() as connection:
        return str(connection.execute(query).scalar() or "")


def _require_cited(run: str, answers: Iterable[Record], page: Item) -> None:
    cited = {reference_of(text).item for record in answers for text in record.citations}
    if page.id not in cited:
        raise BadInput(
            f"the answer {run[:_SHOWN]} does not rest on {page.id}",
            why=f"it cites {', '.join(sorted(cited)) or 'nothing'}",
            mend="name the page that was wrong, or leave the answer out",
            param="run",
        )


def _wanted(page: Item, wish: Wish) -> str:
    if wish.whole is not None and wish.text is None and wish.instead is None:
        return wish.whole.removeprefix(_MARK).replace("\r\n", "\n").strip("\n") + "\n"
    if wish.whole is not None or wish.text is None or not wish.instead:
        raise BadInput(
            "it is not said what the page should say",
            why="a proposal is the whole page, or words and what should stand in their place",
            mend="give one of the two: the whole text, or the old words and the new ones",
            param="instead" if wish.whole is None else "whole",
        )
    times = page.text.count(wish.instead)
    if times != 1:
        raise BadInput(
            f"{wish.instead[:_SHOWN]!r} stands {times} times in {page.id}",
            why="it must be clear which words are meant",
            mend="give words that stand there once, exactly as they are written",
            param="instead",
        )
    return page.text.replace(wish.instead, wish.text)
