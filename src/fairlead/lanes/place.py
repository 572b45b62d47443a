"""A place: what an action has taken of what is limited, or what it waits for."""

import asyncio
from typing import TYPE_CHECKING

from fairlead.lanes.shares import Branch
from fairlead.lanes.slots import Slots

if TYPE_CHECKING:
    from fairlead.lanes.turns import Lanes


class Place:
    """A place, or the wait for one. `endpoint` is where it has a slot, of those that it may call; "" for nowhere.

    To be left once; leaving again does nothing.
    """

    __slots__ = (
        "arrived", "began", "branch", "endpoint", "endpoints", "expected", "granted", "kept", "lane", "lanes", "needs",
        "number", "seen", "slots",
    )  # fmt: skip

    def __init__(self, lanes: "Lanes", lane: str, branch: Branch, slots: tuple[Slots, ...], task: str) -> None:
        self.lanes = lanes
        self.lane = lane
        self.branch = branch
        self.slots = slots  # all of them are needed
        self.endpoints: dict[str, Slots] = {}  # one of them is needed, if there are any
        self.needs: tuple[str, tuple[str, ...]] = (task, ())
        self.number = 0
        self.arrived = 0.0
        self.began: float | None = None
        self.expected = 0.0
        self.endpoint = ""
        self.kept: list[Slots] = []  # slots that it already has while it waits for others
        self.seen: list[int] | None = None
        self.granted: asyncio.Future[None] | None = None

    def can_start(self) -> bool:
        """Whether everything that it needs is free."""
        kept = self.kept
        if not all(slots.free or slots in kept for slots in self.slots):
            return False
        return not self.endpoints or bool(self.endpoint) or any(slots.free for slots in self.endpoints.values())

    def keep_what_is_free(self) -> None:
        """Take what is free of what it needs, before it can start."""
        for slots in self.slots:
            if slots.free and slots not in self.kept:
                slots.take()
                self.kept.append(slots)
        if not self.endpoint:
            for name, slots in self.endpoints.items():
                if slots.free:
                    slots.take()
                    self.endpoint = name
                    return

    def give_back(self) -> None:
        """Give back every slot that it has."""
        for slots in self.kept:
            slots.give_back()
        self.kept = []
        if self.endpoint:
            self.endpoints[self.endpoint].give_back()
            self.endpoint = ""

    def at(self, endpoint: str) -> bool:
        """Call another endpoint from now on; False if all its places are taken. Nobody waits for one while holding
        another, or two could wait for each other."""
        if endpoint == self.endpoint:
            return True
        slots = self.lanes.slots_at(endpoint)
        if slots is not None and not slots.free:
            return False
        if self.endpoint:
            self.endpoints[self.endpoint].give_back()
            self.endpoint = ""
        if slots is not None:
            slots.take()
            self.endpoint, self.endpoints[endpoint] = endpoint, slots
        self.lanes.pass_on()
        return True

    def leave(self) -> None:
        """Let the next one have the place."""
        if self.began is not None:
            self.lanes.end(self)


def by_arrival(place: Place) -> int:
    """For sorting: who came first."""
    return place.number
