"""All that people and programs ask of workflows, whatever door they come by. Every method reads or writes the database:
call it in a thread."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.errors import BadInput, NotFound, closest
from fairlead.identity.types import Caller
from fairlead.learning.examples import Examples
from fairlead.policy.approvals import ApprovalRules
from fairlead.storage.paging import one_page
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.storage.workflow_rows import ACCEPTED, FAILED, OVER, Run
from fairlead.workflows import told
from fairlead.workflows.beginning import Permits, started
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.fork_refusals import require_meant, require_models, require_rest, require_same
from fairlead.workflows.forking import Fork, planned
from fairlead.workflows.opened import Opened, Started
from fairlead.workflows.people import People, Said
from fairlead.workflows.programs import bundle_of
from fairlead.workflows.queues import Taken
from fairlead.workflows.runs import BELL, Runs
from fairlead.workflows.steering import CopyStart, NotNow, Steering
from fairlead.workflows.taking import taken_places
from fairlead.workflows.waited import Here, Waited


class Page(Struct, frozen=True, kw_only=True):
    """A part of a list: at most `limit` runs that were begun before the run `after`, and `since` then (milliseconds
    since 1970); with `not_undone` those that have left something."""

    workflow: str = ""
    status: tuple[str, ...] = ()
    since: int = 0
    not_undone: bool = False
    after: str = ""
    limit: int = 200


class Order(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to become of a run: `do` says what, and the rest belongs to it. From `start` on belongs to `fork`."""

    do: str
    at: str = ""
    note: str = ""
    signal: str = ""
    value: Any = None
    start: str = field(default="", name="from")
    input: dict[str, Any] | UnsetType = UNSET
    results: dict[str, Any] = field(default_factory=dict, name="set")
    models: dict[str, str] = {}
    current: bool = False
    again: bool = False
    once: str = ""
    dry_run: bool = False

    @property
    def fork(self) -> Fork:
        """What of it is about a copy."""
        return Fork(
            start=self.start, input=self.input, results=self.results, models=self.models, current=self.current,
            again=self.again, once=self.once,
        )  # fmt: skip


def _unknown_writes(tool: str) -> bool:
    """Of a tool of which nothing is known: it may."""
    return True


class InForce(Struct, frozen=True, kw_only=True):
    """What a revision says of workflows: their `bundles` by name, the names of `models`, whether a tool `writes`, and
    which `people` act with the keys of the workspace."""

    bundles: Mapping[str, Bundle] = {}
    people: Mapping[str, str] = {}
    models: frozenset[str] = frozenset()
    writes: Callable[[str], bool] = _unknown_writes


class Workflows:
    """The workflows of a deployment and their runs. `in_force` and `permits.in_force` are replaced when another
    revision comes into force. `standing` tells how somebody who answered earlier stands by now, where that is known; it
    raises for who is gone."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        runs: Runs,
        rules: Callable[[], ApprovalRules],
        examples: Examples,
    ) -> None:
        self.in_force = InForce()
        self._store = store
        self.standing: Callable[[Caller], Caller] = _as_they_stood
        self.permits = Permits(store, vault, clock)
        self.waited: Waited | None = None  # where runs can be kept in memory: in processes that answer
        self._runs = runs
        self._steering = Steering(store, vault, clock)
        self._people = People(store, runs, clock, rules, examples, self._standing)
        self._orders: Mapping[str, Callable[[Opened, Caller, Order], None]] = {
            "cancel": lambda opened, who, order: self._steering.cancel(opened.run, who.credential),
            "pause": lambda opened, who, order: self._steering.pause(opened.run, who.credential),
            "resume": lambda opened, who, order: self._steering.resume(opened.run, who.credential),
            "retry": self._retry,
            "signal": self._signal,
        }

    @property
    def bundles(self) -> Mapping[str, Bundle]:
        """The workflows by name."""
        return self.in_force.bundles

    def begin(self, who: Caller, name: str, given: Any, *, once: str, door: str) -> dict[str, Any]:
        """Begin a run, or find the one begun under this name before. Raises `NotFound`, `Denied`, `BadInput` where
        that one has other input."""
        what = self._permitted(who, name, given, once, door)
        if self.waits(name):
            raise BadInput(
                f"{name} is kept in memory only, and begun for whoever waits for it",
                mend="begin it at `POST /v1/workflows/NAME/runs`, or by `fairlead workflow run`",
                subject=name,
            )
        run, new = self._runs.begin(who, what)
        if not new and self._runs.open(run.id).begun.input != what.input:
            raise BadInput(
                f"{once!r} was begun with other input, as {run.id}",
                why="the same `once` of the same person begins a workflow one time only",
                mend="give another start another name",
                param="once",
            )
        self._store.ring(BELL)
        return {**told.brief(run), "new": new}

    def waits(self, name: str) -> bool:
        """Whether runs of this workflow are kept in memory only, and told whoever waits for them."""
        bundle = self.bundles.get(name)
        return bundle is not None and bundle.definition.secrecy == "memory"

    async def begin_waited(
        self, who: Caller, name: str, given: Any, *, once: str, door: str
    ) -> tuple[dict[str, Any], Here | None]:
        """Begin a run that is kept in memory only. Unlike all others, it is not for threads. None in place of the run
        where it was begun before and this process does not have it."""
        assert self.waited is not None, "doors answer where there is one"
        what = await asyncio.to_thread(self._permitted, who, name, given, once, door)
        run, here = await self.waited.begin(who, what)
        return told.brief(run), here

    def _permitted(self, who: Caller, name: str, given: Any, once: str, door: str) -> Started:
        """Raises `NotFound`, `BadInput`, `Denied`."""
        what = started(self.bundles, name, given, once=once, door=door)
        return replace(what, decided=self.permits.decided(who, self.bundles[name], door))

    def shown(self, id_: str, who: Caller | None) -> dict[str, Any]:
        """A run, to whoever began it, or to whoever runs the deployment (None). Raises `NotFound`."""
        run = self._runs.one(id_, who)
        if run.unkept and self.waited is not None:
            return self.waited.told(run)
        return told.whole(self._runs, self._runs.open(id_))

    def pictured(self, id_: str, who: Caller | None, format: str) -> dict[str, Any]:
        """A run as a picture, and how far it is with each step. Raises `NotFound`, `BadInput`."""
        from fairlead.workflows.tracing.pictured import pictured  # it walks runs, which doors do not need otherwise

        run = self._runs.one(id_, who)
        if run.unkept:
            why = "its workflow says `secrecy: memory`, so nothing is written of what it does"
            raise BadInput(f"run {id_} cannot be drawn", why=why, mend=f"fairlead workflow status {id_}", subject=id_)
        return pictured(self._runs, run.id, format)

    def listed(self, who: Caller | None, page: Page) -> dict[str, Any]:
        """The youngest first. Raises `NotFound` where there is no run that `page.after` names."""
        every = self._runs.all(
            who, workflow=page.workflow, status=page.status, since=page.since, not_undone=page.not_undone,
            after=page.after,
        )  # fmt: skip
        (shown, more), taken = one_page(every, page.limit), None
        if any(run.status == ACCEPTED for run in shown):
            taken = taken_places(self._store, self._runs.limits)
        data = [told.brief(run, _queued(run, taken)) for run in shown]
        return {"object": "list", "data": data, "has_more": more}

    def questions(self, who: Caller) -> Iterator[dict[str, Any]]:
        """What waits for this person's answer."""
        return map(told.question, self._people.asked(who))

    def carry_out(self, id_: str, who: Caller, order: Order) -> dict[str, Any]:
        """Do to a run of one's own what is asked for. To answer is for others. Raises `NotFound`, `NotNow`, `OwnCall`,
        `BadInput`, `Denied`."""
        if order.do in ("approve", "deny"):
            said = Said(allowed=order.do == "approve", note=order.note, value=order.value)
            settled = self._people.answer(id_, order.at, who, said)
            self._store.ring(BELL)
            return {"run": id_, "at": order.at, "settled": settled}
        if order.do == "fork":
            self._runs.one(id_, who)
            return self._forked(self._runs.open(id_), who, order)
        does = self._orders.get(order.do)
        if does is None:
            mend = closest(order.do, (*self._orders, "approve", "deny", "fork"))
            raise BadInput(
                f"`do` is {order.do!r}", why="nothing of the kind can be done to a run", mend=mend, param="do"
            )
        run = self._runs.one(id_, who)
        if run.unkept and order.do == "cancel":
            self._steering.cancel(run, who.credential)
        else:
            does(self._runs.open(id_), who, order)
        self._store.ring(BELL)
        return told.brief(self._runs.one(id_))

    def _forked(self, opened: Opened, who: Caller, order: Order) -> dict[str, Any]:
        """A copy that goes on from a step, or what it would come to. It is begun for whose run it is, by the agent that
        began that: another one may not do more through it than it may by itself."""
        fork = order.fork
        if who.agent != opened.begun.caller.agent:
            why = "a copy goes on with what the agent has read, and with its rights"
            mend = "have the same agent ask for the copy, or begin a run of your own"
            raise NotNow(f"run {opened.run.id} is that of another agent of yours", why=why, mend=mend)
        if opened.run.unkept:
            why = "its workflow says `secrecy: memory`, so nothing of it is kept that a copy could take over"
            raise NotNow(f"run {opened.run.id} cannot be copied", why=why, mend="begin it anew")
        require_models(fork.models, self.in_force.models)
        bundle = self._bundle(opened, fork)
        failed_at = self._failed_at(opened)
        plan = planned(opened, bundle, fork, who.person, failed_at=failed_at, writes=self.in_force.writes)
        if order.dry_run:
            return told.plan(opened, plan)
        require_rest(opened, OVER)
        require_meant(plan, fork)
        decided = self.permits.decided(who, plan.bundle, opened.begun.door, copy=True)
        start = CopyStart(caller=who, by=who.credential, decided=decided)
        run, new = self._steering.fork(opened, plan, fork, start)
        if not new:
            require_same(self._runs.open(run.id), fork)
        self._store.ring(BELL)
        return {**told.brief(run), "new": new, **told.plan(opened, plan)}

    def _bundle(self, opened: Opened, fork: Fork) -> Bundle:
        """The definition that the run began with, or the one of its workflow that is in force."""
        if not fork.current:
            return bundle_of(opened.definition)
        name = opened.run.workflow
        if name not in self.bundles:
            mend = closest(name, self.bundles) or "leave `current` out"
            raise NotFound(f"there is no workflow {name!r} any more", mend=mend, subject=name)
        return self.bundles[name]

    def _failed_at(self, opened: Opened) -> str:
        result = self._runs.result(opened) if opened.run.status == FAILED else None
        return str(result.get("at", "")) if isinstance(result, dict) else ""

    def _standing(self, who: Caller) -> Caller:
        return self.standing(who)

    def _retry(self, opened: Opened, who: Caller, order: Order) -> None:
        """To try again is to begin what is left of it: whose run it is must be permitted to begin one."""
        theirs = who if who.person == opened.begun.caller.person else opened.begun.caller
        decided = self.permits.decided(theirs, bundle_of(opened.definition), opened.begun.door)
        self._steering.retry(opened, who.credential, decided)

    def _signal(self, opened: Opened, who: Caller, order: Order) -> None:
        if not order.signal:
            raise BadInput("`signal` is missing", mend="name the signal that a step waits for", param="signal")
        self._people.signal(opened, order.signal, order.value, who.credential)


def _queued(run: Run, taken: Taken | None) -> str:
    """Why a run is not walked yet, where a limit says so."""
    if taken is None or run.status != ACCEPTED:
        return ""
    return taken.why((run.workflow, run.department))


def _as_they_stood(who: Caller) -> Caller:
    """Where nothing is known of how somebody stands by now."""
    return who
