"""Turns: one process's places, who has them, and who waits. For one event loop; nothing is shared or stored.

A place is given to who has had the least for its share and can start: whatever of it is free, is used. Who needs two
things that are each taken as soon as they come free would wait for ever; so once places of both have changed hands
often enough, one such at a time is kept what comes free.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from fairlead.identity.types import Caller
from fairlead.lanes.place import Place, by_arrival
from fairlead.lanes.refusals import LaneFull, WaitedTooLong
from fairlead.lanes.rules import LaneRules
from fairlead.lanes.shares import Branch
from fairlead.lanes.slots import Slots, divided

_PASSED: Final = 8  # hand-overs of each thing that one needs, after which it is kept what comes free
_WEIGHT: Final = 0.1  # of the newest in the mean of how long places are held
_LONGEST_RETRY: Final = 60.0  # seconds


class Lanes:
    """The places of one process, under `rules`; None where nothing limits anything. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float], rules: LaneRules | None = None) -> None:
        self._clock = clock
        self.rules: LaneRules | None = None
        self.workers, self.rank = 1, 0
        self.refused: dict[str, int] = {}
        self._slots: dict[tuple[str, str], Slots] = {}
        self._trunk = Branch()
        self._held: dict[str, float] = {}  # for how many seconds the actions of a lane hold their places, on average
        self._number = 0
        self._claimant: Place | None = None
        self.take_up(rules)

    def take_up(self, rules: LaneRules | None, workers: int | None = None, rank: int | None = None) -> None:
        """Go on under these rules, as the `rank`-th of so many workers. What runs keeps its places."""
        self.rules = rules
        self.workers = workers or self.workers
        self.rank = self.rank if rank is None else rank
        for (kind, name), slots in self._slots.items():
            slots.limit = self._limit(kind, name)
        self.pass_on()

    def place(self, caller: Caller, task: str, endpoints: tuple[str, ...] = ()) -> Place | None:
        """A place for an action of this caller and task type that calls one of `endpoints`; None where none is needed.

        If nobody has to be waited for, it has begun; else the next thing to do is to wait for it (`turn`).
        """
        if self.rules is None:
            return None
        place = self._place(self.rules, caller, task, endpoints)
        if place.can_start():  # whoever waits needs something that is not free
            self._begin(place)
        return place

    async def turn(self, place: Place, seconds: float) -> None:
        """Wait for a place that has not begun, for at most so many seconds. Who is cancelled leaves no trace.

        Raises `LaneFull` or `WaitedTooLong`.
        """
        rules = self.rules
        assert rules is not None
        self._queue(rules, place)
        loop = asyncio.get_running_loop()
        place.granted = loop.create_future()
        patience = min(seconds, rules.lanes[place.lane].wait)
        timer = loop.call_later(patience, self._give_up, place, patience)
        try:
            await place.granted
        except BaseException:
            self._withdraw(place)
            raise
        finally:
            timer.cancel()

    def slots_at(self, endpoint: str) -> Slots | None:
        """The places of an endpoint, None if it has no limit."""
        if self.rules is None or endpoint not in self.rules.slots:
            return None
        return self._slots_of("endpoint", endpoint)

    def pass_on(self) -> None:
        """Give what is free to those who wait, in turn."""
        while True:
            claimant = self._claimant
            if claimant is not None:
                claimant.keep_what_is_free()
            place = claimant if claimant is not None and claimant.can_start() else self._next(self._trunk)
            if place is None:
                return
            self._withdraw(place, keep=True)
            self._begin(place)
            assert place.granted is not None
            if not place.granted.done():  # else its task was cancelled and gives the place back when it runs again
                place.granted.set_result(None)

    def end(self, place: Place) -> None:
        """A place has come free."""
        assert place.began is not None
        held, place.began = self._clock() - place.began, None
        mean = self._held.get(place.lane, held)
        self._held[place.lane] = mean + (held - mean) * _WEIGHT
        place.give_back()
        place.branch.end(place.expected, held)
        place.branch.forget()
        if self._trunk.waiting:
            self.pass_on()

    def waiting(self) -> list[Place]:
        """Everybody who waits, in the order of arrival. For people who look."""
        callers = [
            c for lane in self._trunk.children.values() for d in lane.children.values() for c in d.children.values()
        ]
        places = [place for caller in callers for queue in caller.queues.values() for place in queue]
        return sorted(places, key=by_arrival)

    def running(self, lane: str) -> int:
        """How many of a lane run."""
        branch = self._trunk.children.get(lane)
        return branch.running if branch is not None else 0

    def places(self, lane: str) -> int | None:
        """How many of a lane may run in this process; None for any number."""
        return self._limit("lane", lane)

    def _place(self, rules: LaneRules, caller: Caller, task: str, endpoints: tuple[str, ...]) -> Place:
        lane = rules.lane_of(task)
        department = rules.department(caller.department)
        named = self._trunk.child(lane, rules.lanes[lane].share)
        branch = named.child(caller.department, department.share).child((caller.person, caller.agent))
        needed = []
        if rules.running is not None:
            needed.append(self._slots_of("all", ""))
        if rules.lanes[lane].running is not None:
            needed.append(self._slots_of("lane", lane))
        if department.running is not None:
            needed.append(self._slots_of("department", caller.department))
        if task in rules.tasks:
            needed.append(self._slots_of("task", task))
        place = Place(self, lane, branch, tuple(needed), task)
        if any(endpoint in rules.slots for endpoint in endpoints):
            place.endpoints = {name: self._slots_of("endpoint", name) for name in endpoints}
            place.needs = (task, endpoints)
        place.expected = self._held.get(lane, 1.0)
        return place

    def _slots_of(self, kind: str, name: str) -> Slots:
        found = self._slots.get((kind, name))
        if found is None:
            found = self._slots[kind, name] = Slots(self._limit(kind, name))
        return found

    def _limit(self, kind: str, name: str) -> int | None:
        rules = self.rules
        if rules is None:
            return None
        if kind == "endpoint":
            return rules.slots.get(name)  # is of each worker as it is
        if kind == "all":
            limit = rules.running
        elif kind == "lane":
            limit = rules.lanes[name].running if name in rules.lanes else None
        elif kind == "department":
            limit = rules.department(name).running
        else:
            limit = rules.tasks.get(name)
        return divided(limit, self.workers, self.rank)

    def _begin(self, place: Place) -> None:
        place.keep_what_is_free()
        place.began = self._clock()
        place.branch.begin(place.expected)

    def _queue(self, rules: LaneRules, place: Place) -> None:
        self._number += 1
        place.number, place.arrived = self._number, self._clock()
        place.branch.arrive()
        place.branch.add(place)
        lane = self._trunk.children[place.lane]
        if lane.waiting > (divided(rules.lanes[place.lane].waiting, self.workers, self.rank) or 1):
            self._make_room(place, lane)

    def _make_room(self, place: Place, lane: Branch) -> None:
        """Refuse the newest of who has most waiting for its share, so that nobody fills the queue for the others."""
        own = place.branch.parent
        department = max(lane.children.values(), key=lambda each: (_crowding(each), each is own))
        caller = max(department.children.values(), key=lambda each: (each.waiting, each is place.branch))
        newest = max((queue[-1] for queue in caller.queues.values()), key=by_arrival)
        self._withdraw(newest)
        if newest.granted is None:
            raise self._full(place)
        if not newest.granted.done():
            newest.granted.set_exception(self._full(newest))

    def _full(self, place: Place) -> LaneFull:
        self.refused[place.lane] = self.refused.get(place.lane, 0) + 1
        return LaneFull(place.lane, self._retry_after(place.lane))

    def _give_up(self, place: Place, waited: float) -> None:
        if place.granted is not None and not place.granted.done():
            self.refused[place.lane] = self.refused.get(place.lane, 0) + 1
            self._withdraw(place)
            place.granted.set_exception(WaitedTooLong(place.lane, waited, self._retry_after(place.lane)))

    def _retry_after(self, name: str) -> float:
        """When half of those who wait are likely to have started."""
        lane = self._trunk.children.get(name)
        waiting, running = (lane.waiting, lane.running) if lane is not None else (0, 0)
        return min(_LONGEST_RETRY, max(1.0, self._held.get(name, 1.0) * waiting / 2 / max(1, running)))

    def _withdraw(self, place: Place, *, keep: bool = False) -> None:
        """One waits no more. What it was given in the same moment, or was kept for it, is for the next."""
        if place.began is not None and not keep:
            self.end(place)
            return
        waits = place in place.branch.queues.get(place.needs, ())
        if waits:
            place.branch.remove(place)
        if self._claimant is place:
            self._claimant = None
        if not keep:
            place.give_back()
            place.branch.forget()
            if waits and self._trunk.waiting:
                self.pass_on()

    def _next(self, branch: Branch) -> Place | None:
        """Who is taken next: the first in turn who can start."""
        for each in branch.in_turn():
            if branch is self._trunk and not self._has_room(each):
                continue
            if each.queues:
                for place in each.heads():
                    if place.can_start():
                        return place
                    self._passed_over(place)
            elif (found := self._next(each)) is not None:
                return found
        return None

    def _has_room(self, lane: Branch) -> bool:
        """Whether to look into a lane at all: it may have very many waiting."""
        every, own = self._slots.get(("all", "")), self._slots.get(("lane", str(lane.name)))
        return (every is None or every.free) and (own is None or own.free)

    def _passed_over(self, place: Place) -> None:
        """Keep for one at a time what comes free, once everything it needs has changed hands often enough."""
        if self._claimant is not None:
            return
        granted = [slots.granted for slots in place.slots]
        if place.endpoints:
            granted.append(sum(slots.granted for slots in place.endpoints.values()))
        if place.seen is None:
            place.seen = granted
        elif len(granted) > 1 and all(now - then >= _PASSED for now, then in zip(granted, place.seen, strict=True)):
            self._claimant = place
            place.keep_what_is_free()


def _crowding(branch: Branch) -> float:
    return branch.waiting / branch.share
