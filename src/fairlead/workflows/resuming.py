"""What has become of the pages that a run was given while it was parked, and what follows from that.

Each step of a run reads the pages that its first action read, so nobody within it would notice. When it goes on, what
its steps were given is compared with what is in force, once: found again on every later walk, and shown with the run.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from fairlead.clock import day_of
from fairlead.context.catalogue import Catalogue
from fairlead.context.citations import Reference, reference_of
from fairlead.context.types import is_live
from fairlead.context.upkeep.drift import Fate
from fairlead.context.upkeep.impact import due_of
from fairlead.context.upkeep.passages import fates
from fairlead.costs.record import decode_record
from fairlead.errors import Unauthenticated
from fairlead.execution import Fairlead
from fairlead.identity.types import Caller
from fairlead.labels import Access
from fairlead.storage.store import Store
from fairlead.storage.workflow_rows import FAULT
from fairlead.workflows.definition import ChangedSettings
from fairlead.workflows.marks import CHANGED, is_mark
from fairlead.workflows.opened import Opened
from fairlead.workflows.recorded import Recorded
from fairlead.workflows.walk import Parked, Place, StepFailed, StepResult, Waiting

_PAGE: Final = "page:"
_ASK: Final = "ask"
Given = dict[Reference, dict[str, int]]
"""What was given, with the places of the steps that were, and when."""


class Change(Struct, frozen=True, kw_only=True):
    """A passage that a step was given, and that is not as it was. `was` and `now` are versions, `now` "" where there is
    none. It `matters` where the passage says something else, or may not be used any more."""

    item: str
    section: str
    was: str
    now: str
    why: Literal["changed", "gone", "moved", "expired", "hidden"]
    matters: bool
    steps: tuple[str, ...]


_KNOWN: Final = msgspec.json.Decoder(Change)  # see runs.py


class Resuming:
    """For one walk. `rule` is what the definition says of it."""

    def __init__(self, fairlead: Fairlead, recorded: Recorded, store: Store, rule: ChangedSettings) -> None:
        self._fairlead = fairlead
        self._recorded = recorded
        self._store = store
        self._rule = rule

    async def look(self, at: Place, caller: Callable[[], Caller]) -> None:
        """Where the run was parked here: what has changed meanwhile, kept. Raises `StepFailed` or `Parked` where that
        matters and the definition does not go on by itself."""
        mark = at.below(CHANGED)
        found = self._recorded.found(mark)
        if found is None:
            if not self._was_parked(at):
                return  # it was passed before this was looked at, or is no wait
            changes = await asyncio.to_thread(self._changes, caller)
            if not changes and self._rule.then == "keep":
                return
            found = await self._recorded.keep(mark, StepResult(value=msgspec.to_builtins(changes)))
        if self._rule.then != "keep" and (grave := [each for each in found.value if each["matters"]]):
            self._follow(at, mark.below(_ASK), grave)

    def _was_parked(self, at: Place) -> bool:
        """Whether the run was parked here before this walk, or may have been: after a fault that is not known."""
        parked = self._recorded.opened.parked_at
        return at.record in parked or any(each.startswith(FAULT) for each in parked)

    def _follow(self, at: Place, asking: Place, grave: list[dict[str, Any]]) -> None:
        items = ", ".join(sorted({each["item"] for each in grave}))
        if self._rule.then == "ask":
            said = self._recorded.found(asking)
            if said is None:
                ask = f"While it waited at {at.text}, pages that it rests on have changed: {items}. Shall it go on?"
                waiting = Waiting(kind="approval", id=asking.text, role=self._rule.role, ask=ask, show=grave)
                raise Parked(((asking, waiting),))
            if said.value.get("approved") is True:
                return
        raise StepFailed(
            "refused",
            f"pages that the run rests on have changed while it waited: {items}",
            at=at.text,
            code="context_changed",
            why="its earlier steps were given what says something else now, or may not be used any more",
            mend="begin a copy from the first step that was given it: fairlead workflow fork RUN --from STEP",
        )

    def _changes(self, caller: Callable[[], Caller]) -> list[Change]:
        """Reads the database."""
        given = given_to(self._recorded.opened, self._store)
        deployment = self._fairlead.current()
        if not given or not deployment.context.snapshot:
            return []
        try:
            may_read = deployment.policy.may_read(caller())
        except Unauthenticated:
            may_read = _nothing
        found = fates(self._store, given, deployment.context.snapshot)
        return list(changes(given, found, deployment.context.catalogue, may_read, self._fairlead.clock.now()))


def given_to(opened: Opened, store: Store) -> Given:
    """The passages that the steps of a run were given so far. Reads the database."""
    from fairlead.storage import outcome_rows as table

    found: Given = {}
    done = [row for row in opened.results.values() if row.status == "done" and not is_mark(row.place)]
    cited: dict[str, set[str]] = {row.action: set() for row in done if row.action}
    store.bring_in_order()
    with store.reading() as connection:
        for action, record in table.records_of_all(connection, cited):
            cited[action].update(each for each in decode_record(record).citations if not is_live(each))
    for row in done:
        pages = {each.removeprefix(_PAGE) for each in _sources(opened, row.place) if each.startswith(_PAGE)}
        for each in pages.union(cited.get(row.action, ())):
            found.setdefault(reference_of(each), {})[row.place] = row.at
    return found


def changes(
    given: Given,
    found: Mapping[Reference, Fate],
    catalogue: Catalogue,
    may_read: Callable[[Access], bool],
    now: int,
) -> Iterator[Change]:
    """What is not as it was, by item. Pure."""
    for reference, steps in sorted(given.items()):
        fate, entry = found.get(reference), catalogue.by_id.get(reference.item)
        why: Literal["changed", "gone", "moved", "expired", "hidden"] | None = None
        if entry is not None and not all(may_read(each) for each in catalogue.rights_of(entry)):
            why = "hidden"
        elif entry is not None and _expired_since(due_of(entry, day_of(now)), min(steps.values())):
            why = "expired"
        elif fate is not None and fate.state != "stands":
            why = fate.state
        elif fate is not None and fate.version not in ("", reference.version):
            why = "moved"
        if why is not None:
            version = entry.version if entry is not None and why != "hidden" else ""
            yield Change(
                item=reference.item, section=reference.section, was=reference.version, now=version, why=why,
                matters=why != "moved", steps=tuple(steps),
            )  # fmt: skip


def _expired_since(due: list[tuple[Any, str]], given_at: int) -> bool:
    return any(why == "expired" and since > day_of(given_at) for why, since in due)


def _sources(opened: Opened, place: str) -> tuple[str, ...]:
    row = opened.results[place]
    return tuple(opened.key.open(place, row.sealed).get("provenance", ()))


def _nothing(access: Access) -> bool:
    """Of somebody who is not known any more."""
    return False


def changes_of(opened: Opened) -> list[dict[str, Any]]:
    """What was found each time that a run went on, for whoever looks at it."""
    ending = f".{CHANGED}"
    return [
        {"at": place.removesuffix(ending), **each}
        for place, row in opened.results.items()
        if place.endswith(ending)
        for each in opened.key.open(place, row.sealed).get("value") or ()
    ]
