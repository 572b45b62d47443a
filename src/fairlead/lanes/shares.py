"""Shares: a tree of lanes, departments and callers, and who of those that wait has had the least for its share.

Start-time fair queueing at each level. A branch's `tag` is the time for which its places were held, over its share; one
that comes back after having waited for nothing begins where the others are, and gains nothing by having been away.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from fairlead.lanes.place import Place


class Branch:
    """A lane, a department in it, or a caller in that. Only callers have `queues`: places by what they need."""

    __slots__ = ("children", "name", "parent", "queues", "running", "share", "tag", "virtual", "waiting")

    def __init__(self, name: Hashable = "", share: float = 1.0, parent: Self | None = None) -> None:
        self.name = name
        self.share = share
        self.parent = parent
        self.children: dict[Hashable, Self] = {}
        self.queues: dict[Hashable, deque[Place]] = {}
        self.tag = 0.0
        self.virtual = 0.0  # where the branches below are: the tag of the last that was taken
        self.waiting = 0
        self.running = 0

    def child(self, name: Hashable, share: float = 1.0) -> Self:
        """The branch of this name, grown if there is none."""
        found = self.children.get(name)
        if found is None:
            found = self.children[name] = type(self)(name, share, self)
            found.tag = self.virtual
        found.share = share
        return found

    def in_turn(self) -> "Iterator[Self]":
        """The branches below in which somebody waits, the one with the least for its share first."""
        return iter(sorted((each for each in self.children.values() if each.waiting), key=_by_tag))

    def heads(self) -> "list[Place]":
        """Of a caller: the first of each queue, in the order of arrival."""
        return sorted((queue[0] for queue in self.queues.values()), key=_by_arrival)

    def add(self, place: "Place") -> None:
        """Of a caller: one more waits."""
        self.queues.setdefault(place.needs, deque()).append(place)
        for branch in self.upwards():
            branch.waiting += 1

    def remove(self, place: "Place") -> None:
        """Of a caller: one waits no more."""
        queue = self.queues[place.needs]
        queue.remove(place)
        if not queue:
            del self.queues[place.needs]
        for branch in self.upwards():
            branch.waiting -= 1

    def begin(self, expected: float) -> None:
        """Of a caller: one of it was taken, and is expected to hold its place for so many seconds."""
        for branch in self.upwards():
            branch.running += 1
            if branch.parent is not None:
                if not branch.waiting:
                    branch.tag = max(branch.tag, branch.parent.virtual)
                branch.parent.virtual = max(branch.parent.virtual, branch.tag)
                branch.tag += expected / branch.share

    def end(self, expected: float, held: float) -> None:
        """Of a caller: one of it has held its place for so many seconds."""
        for branch in self.upwards():
            branch.running -= 1
            branch.tag += (held - expected) / branch.share

    def arrive(self) -> None:
        """Of a caller, before it is added: who did not wait before begins where the others are."""
        for branch in self.upwards():
            if branch.parent is not None and not branch.waiting:
                branch.tag = max(branch.tag, branch.parent.virtual)

    def forget(self) -> None:
        """Of a caller: drop what nothing waits or runs in, once it has no more than the others or nobody waits."""
        for branch in self.upwards():
            above = branch.parent
            if above is None or branch.waiting or branch.running:
                return
            if not above.waiting:
                above.children = {name: each for name, each in above.children.items() if each.waiting or each.running}
            elif branch.tag <= above.virtual:
                above.children.pop(branch.name, None)

    def upwards(self) -> "Iterator[Branch]":
        """This branch and those above it, the trunk last."""
        branch: Branch | None = self
        while branch is not None:
            yield branch
            branch = branch.parent


def _by_tag(branch: Branch) -> float:
    return branch.tag


def _by_arrival(place: "Place") -> int:
    return place.number
