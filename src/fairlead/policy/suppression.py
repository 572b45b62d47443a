"""Which groups of a table are left out, so that nobody can reckon one of those that must not be told.

Pure. A group that may not be told is left out, and so are others, so that it does not follow from what everybody may
know beside: the sum of the whole, or with two columns the sum of each row and column. Which others is drawn, so that
knowing how it is done tells nothing.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Literal

Group = tuple[str, ...]
"""The values of the columns that it is grouped by: one or two."""

Draw = Callable[[int], int]
"""A number below another one that nobody can foresee."""

Why = Literal["few", "dominated", "protects"]
_End = tuple[int, str]
_Edges = dict[_End, list[tuple[_End, Group]]]


def left_out(groups: Collection[Group], unfit: Collection[Group], draw: Draw) -> frozenset[Group]:
    """The groups to leave out: those that are `unfit`, and others that protect them.

    At least one of those left out could have been told, and which one is drawn from all: else everybody would know that
    they are all small, and their sum could tell each. And with two columns each stands on a circle of others, as far as
    there is one: else the sums of rows and columns tell it.
    """
    hidden = {group for group in groups if group in unfit}
    fit = sorted(group for group in groups if group not in hidden)
    if hidden and fit:
        hidden.add(fit[draw(len(fit))])
    while more := _circle(groups, hidden, draw):
        hidden |= more
    return frozenset(hidden)


def _circle(groups: Collection[Group], hidden: set[Group], draw: Draw) -> frozenset[Group]:
    """What must be left out too, for one group that sums would tell; empty where no other can protect one."""
    for group in sorted(_reckonable(hidden)):
        corners = sorted(_corners(groups, group, hidden), key=sorted)
        if corners:
            return corners[draw(len(corners))]
        for column in (0, 1):
            line = [other for other in groups if other[column] == group[column]]
            shown = sorted(other for other in line if other not in hidden)
            if shown and len(line) - len(shown) == 1:
                return frozenset({shown[draw(len(shown))]})
    return frozenset()


def _corners(groups: Collection[Group], group: Group, hidden: set[Group]) -> set[frozenset[Group]]:
    """What would have to be left out too for a circle of four through this group, for each circle that there is."""
    row, column = group
    found = set[frozenset[Group]]()
    for other in groups:
        across, down = (row, other[1]), (other[0], column)
        if other[0] != row and other[1] != column and across in groups and down in groups:
            found.add(frozenset({other, across, down} - hidden))
    return found - {frozenset()}


def _reckonable(hidden: set[Group]) -> set[Group]:
    """Those of two columns that follow from the sums of rows and columns: they stand on no circle (they are the bridges
    of the graph whose ends the rows and columns are)."""
    if not hidden or len(next(iter(hidden))) == 1:
        return set()
    edges: _Edges = {}
    for group in sorted(hidden):
        row, column = (0, group[0]), (1, group[1])
        edges.setdefault(row, []).append((column, group))
        edges.setdefault(column, []).append((row, group))
    return _bridges(edges)


def _bridges(edges: _Edges) -> set[Group]:
    """By the order of a walk: an edge is a bridge where nothing below it leads back above it."""
    order: dict[_End, int] = {}
    low: dict[_End, int] = {}
    found = set[Group]()
    for start, first in edges.items():
        if start in order:
            continue
        order[start] = low[start] = len(order)
        walk: list[tuple[_End, Group | None, Iterator[tuple[_End, Group]]]] = [(start, None, iter(first))]
        while walk:
            node, came, others = walk[-1]
            step = next(others, None)
            if step is None:
                walk.pop()
                if walk and came is not None:
                    above = walk[-1][0]
                    low[above] = min(low[above], low[node])
                    if low[node] > order[above]:
                        found.add(came)
            elif step[1] != came:
                other, edge = step
                if other in order:
                    low[node] = min(low[node], order[other])
                else:
                    order[other] = low[other] = len(order)
                    walk.append((other, edge, iter(edges[other])))
    return found
