"""What owners are asked for, which of it they are told now, and what is late. Pure.

Owners get few requests: those that matter most, a few a week; the rest waits in the order of its weight. Nothing is
retired here, and no page is changed: everything is a request to a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.context.catalogue import Catalogue, Entry
from fairlead.context.upkeep.impact import SEVERITY, Affected, weight_of
from fairlead.context.upkeep.owners import Owners, vacant
from fairlead.context.upkeep.requests import Kind, Need
from fairlead.context.upkeep.settings import UpkeepSettings

if TYPE_CHECKING:
    from fairlead.storage.request_rows import RequestRow

WEEK: Final = 7 * 86_400_000
FOUND: Final = ("expired", "review", "outdated", "changed", "vacancy")
"""The kinds of needs that upkeep finds by itself, and takes back once they are over."""
_LISTED: Final = 8  # pages that are named in one request
_AFTER: Final = {"changed": 0, "vacancy": WEEK, "expired": WEEK, "review": WEEK, "outdated": WEEK}


class Digest(Struct, frozen=True):
    """What one owner is told at once. `to` is who is told: the owner, or who is above them (`late`)."""

    owner: str
    to: str
    rows: "tuple[RequestRow, ...]"
    late: bool = False


def needs_of(
    found: Sequence[Affected],
    catalogue: Catalogue,
    owners: Owners,
    settings: UpkeepSettings,
    suggested: Mapping[str, str],
) -> list[Need]:
    """What is to be asked for. `found` is what is the matter with pages, those nobody cited among them; `suggested`
    gives the days on which pages without a `review_by` are due, where that is over."""
    needs = [_need(each, settings) for each in found]
    known = {need.item for need in needs if need.kind in ("review", "expired")}
    traffic = {each.item: each.answers for each in found}
    for item, day in suggested.items():
        entry = catalogue.by_id.get(item)
        if entry is not None and item not in known:
            words = f"due for review since {day}, going by how often it has changed"
            needs.append(_about(entry, "review", f"~{day}", words, traffic.get(item, 0), settings))
    return [*needs, *_vacancies(catalogue, owners, settings)]


def _need(found: Affected, settings: UpkeepSettings) -> Need:
    kind: Kind = "changed" if found.why in ("changed", "gone") else found.why  # type: ignore[assignment]
    words = {
        "changed": f"{found.answers} answers rest on what it said before: see whether somebody must be told",
        "gone": f"{found.answers} answers rest on what is gone: see whether somebody must be told",
        "expired": f"expired on {found.since}: renew or retire it",
        "outdated": f"changed on {found.since}, after it was verified: verify it anew",
        "review": f"was due for review on {found.since}",
    }[found.why]
    return Need(
        kind=kind,
        item=found.item,
        cause=(found.now or "gone") if kind == "changed" else found.since,
        owner=found.owner or settings.lead,
        words=words,
        weight=found.weight,
        due=settings.due,
    )


def _about(entry: Entry, kind: Kind, cause: str, words: str, answers: int, settings: UpkeepSettings) -> Need:
    return Need(
        kind=kind,
        item=entry.id,
        cause=cause,
        owner=entry.owner or settings.lead,
        words=words,
        weight=weight_of(kind, answers),
        due=settings.due,
    )


def _vacancies(catalogue: Catalogue, owners: Owners, settings: UpkeepSettings) -> Iterable[Need]:
    """One request for each owner who is gone, with all of their pages."""
    for owner, entries in sorted(vacant(catalogue, owners).items()):
        if not owner and not owners.telling:
            continue
        named = ", ".join(entry.id for entry in entries[:_LISTED])
        more = f" and {len(entries) - _LISTED} more" if len(entries) > _LISTED else ""
        about = f"{owner} is not here (any more)" if owner else "nobody owns them"
        yield Need(
            kind="vacancy",
            need=owner,
            owner=owners.above(owner, settings.lead) if owner else settings.lead,
            words=f"{about}: name another owner of {named}{more}",
            weight=SEVERITY["expired"] * 10 * len(entries),
            due=settings.due,
        )


def back_after(kind: str) -> int:
    """How long what was seen to rests before it is asked for anew, though it is still so; 0 for ever: what has changed
    under answers is another need with each version."""
    return _AFTER.get(kind, 0)


def to_tell(rows: "Iterable[RequestRow]", now: int, settings: UpkeepSettings) -> list[Digest]:
    """The digests that are due: for each owner the weightiest of what they do not know yet, as many as they may still
    get this week. `rows` are the open ones and those that ended, in any order."""
    every: dict[str, int] = {}
    new: dict[str, list[RequestRow]] = {}
    for row in rows:
        owner = row.owner or settings.lead
        # In the days to come too: the clock was put back. What is further off was told by a clock that was wrong, and
        # must not keep its owner from being told for as long.
        if now - WEEK < row.told_at <= now + WEEK:
            every[owner] = every.get(owner, 0) + 1
        if row.state == "open" and not row.told_at:
            new.setdefault(owner, []).append(row)
    found = []
    for owner, waiting in sorted(new.items()):
        room = settings.most - every.get(owner, 0)
        ranked = sorted(waiting, key=lambda row: (-row.weight, row.asked_at, row.id))
        if room > 0:
            found.append(Digest(owner, owner, tuple(ranked[:room])))
    return found


def to_escalate(rows: "Iterable[RequestRow]", now: int, owners: Owners, settings: UpkeepSettings) -> list[Digest]:
    """What its owner was told of and has let pass, once: for who is above them, one digest each."""
    late: dict[tuple[str, str], list[RequestRow]] = {}
    for row in rows:
        if row.state == "open" and row.told_at and not row.escalated_at and row.due_at < now:
            late.setdefault((row.owner, owners.above(row.owner, settings.lead)), []).append(row)
    return [Digest(owner, to, tuple(each), late=True) for (owner, to), each in sorted(late.items())]
