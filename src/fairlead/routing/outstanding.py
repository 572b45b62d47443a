"""Outstanding work: what this process has under way at each deployment, so that the next call goes where least is.

Each process keeps its own; nothing is shared or stored. Calls count, and tokens only between equals: what a call may
come to says less of how long it takes than one would think, and a server has places for calls (`bench/balancing.py`).
Nothing is counted where no model has deployments.
"""

from collections.abc import Callable
from functools import partial

from fairlead.models.deployments import Group, ordered

Arrange = Callable[[Group, str], list[str]]
"""Gives the names of a model's deployments in the order in which to try them, for a key."""


class Outstanding:
    """By the name of a deployment. Not for use by several threads at once."""

    def __init__(self) -> None:
        self.busy: dict[str, tuple[int, int]] = {}

    def arrange(self, usable: Callable[[str], bool], slack: float | None) -> Arrange:
        """How a call orders deployments; with `slack` it keeps to where its key belongs, of those that are usable."""
        return partial(ordered, busy=self.busy, slack=slack, usable=usable)

    def begin(self, name: str, tokens: int) -> None:
        """A call is under way."""
        calls, under_way = self.busy.get(name, (0, 0))
        self.busy[name] = calls + 1, under_way + tokens

    def end(self, name: str, tokens: int) -> None:
        """It is not any more. Called once for each `begin`."""
        calls, under_way = self.busy[name]
        if calls > 1:
            self.busy[name] = calls - 1, under_way - tokens
        else:
            del self.busy[name]
