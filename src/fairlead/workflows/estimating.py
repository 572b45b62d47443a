"""What a whole run may cost: from the least that its definition allows to the most, before any of it is done.

Bounds follow from the definition alone: a map has no item or as many as it may, a loop one turn or all of them, a
switch its cheapest or its dearest case. What is likely is the cost of a walk with a given input (`dry.py`).
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Step
from fairlead.workflows.graph import lists_of


class Price(Struct, frozen=True):
    """What one call of a step costs, in nano-units: between `low` and `high`, most often `likely`."""

    low: int
    likely: int
    high: int


class Between(Struct, frozen=True):
    """From the least to the most, in nano-units."""

    least: int
    most: int

    def __add__(self, other: "Between") -> "Between":
        return Between(self.least + other.least, self.most + other.most)

    def times(self, least: int, most: int) -> "Between":
        """Of what is done at least and at most so many times."""
        return Between(self.least * least, self.most * most)


NOTHING = Between(0, 0)
PriceOf = Callable[[str, Step], Price]
"""What one call costs, by the name of the definition and the step."""


def whole_run(bundle: Bundle, price_of: PriceOf) -> tuple[Between, Mapping[str, Between]]:
    """What a run may cost, and each step of the definition itself with all within it and all its repetitions."""
    each: dict[str, Between] = {}

    def of_list(flow: str, steps: Sequence[Step]) -> Between:
        total = NOTHING
        for step in steps:
            found = of_step(flow, step)
            if flow == bundle.name:
                each[step.id] = found
            total += found
        return total

    def of_step(flow: str, step: Step) -> Between:
        inner = {name: of_list(flow, steps) for name, _, steps in lists_of(step)}
        failed = inner.pop("failed", NOTHING)
        found = _kind(step, list(inner.values()), lambda: price_of(flow, step))
        if step.subflow is not None:
            name = step.subflow.workflow
            found = of_list(name, bundle.of(name).steps)
        if step.retry is not None:
            found = found.times(1, step.retry.attempts)
        return Between(0 if step.when else found.least, found.most + failed.most)

    total = of_list(bundle.name, bundle.definition.steps)
    return total, each


def _kind(step: Step, inner: Sequence[Between], price: Callable[[], Price]) -> Between:
    """What the kind of a step makes of one call, or of the lists within it."""
    if step.map is not None:
        return inner[0].times(0, step.map.at_most)
    if step.loop is not None:
        return inner[0].times(1, step.loop.at_most)
    if step.switch is not None:
        least = min(each.least for each in inner) if step.switch.otherwise else 0
        return Between(least, max(each.most for each in inner))
    if step.parallel is not None:
        total = sum(inner, NOTHING)
        agree = step.parallel.agree
        return total if agree is None or agree.model is None else Between(total.least, total.most + price().high)
    if step.kind in ("model", "agent", "tool"):
        one = price()
        return Between(one.low, one.high * (step.agent.at_most if step.agent is not None else 1))
    return NOTHING
