"""Cost against quality: the best that mixing a few ways of routing reaches, and how much of it there is."""

from collections.abc import Sequence

Point = tuple[float, float]
"""Mean cost and mean quality of a way of routing."""


def hull(points: Sequence[Point]) -> list[Point]:
    """The upper hull of what the points reach, from the cheapest to the best: mixing two of them by chance reaches
    every point on the line between. Quality never falls along it."""
    kept: list[Point] = []
    for cost, quality in sorted(points, key=lambda one: (one[0], -one[1])):
        if kept and quality <= kept[-1][1]:
            continue
        while len(kept) > 1 and _slope(kept[-2], kept[-1]) <= _slope(kept[-2], (cost, quality)):
            kept.pop()
        kept.append((cost, quality))
    return kept


def quality_at(line: Sequence[Point], cost: float) -> float:
    """The quality that a hull reaches at this mean cost; before its first point that point's, after its last that."""
    before = line[0]
    for point in line:
        if point[0] > cost:
            return before[1] + _slope(before, point) * max(0.0, cost - before[0]) if point != before else point[1]
        before = point
    return before[1]


def average_quality(line: Sequence[Point], cheapest: float, dearest: float) -> float:
    """The area under a hull over a range of costs, divided by the range."""
    if dearest <= cheapest:
        return quality_at(line, dearest)
    ends = [cheapest, *(cost for cost, _ in line if cheapest < cost < dearest), dearest]
    heights = [quality_at(line, cost) for cost in ends]
    area = sum(
        (after - before) * (low + high) / 2
        for before, after, low, high in zip(ends, ends[1:], heights, heights[1:], strict=False)
    )
    return area / (dearest - cheapest)


def _slope(before: Point, after: Point) -> float:
    return (after[1] - before[1]) / (after[0] - before[0]) if after[0] > before[0] else float("inf")
