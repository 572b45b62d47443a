"""What a step of a walk can see and spend: values by name, what flows with them, money, time, and whether to go on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from fairlead.labels import NO_LABELS, ClassName, DataClass, Labels
from fairlead.workflows.walk import StepResult

Flowing = tuple[Labels, tuple[str, ...]]
"""The labels of a value, and where it came from."""

_NOTHING: Flowing = (NO_LABELS, ())


class Halt:
    """Whether those who run side by side are to begin nothing new, because one of them has failed."""

    def __init__(self, above: "Halt | None" = None) -> None:
        self._above = above
        self._on = False

    @property
    def on(self) -> bool:
        """Whether anything here, or around it, has failed."""
        return self._on or (self._above is not None and self._above.on)

    def pull(self) -> None:
        """Something here has failed."""
        self._on = True


class Purse:
    """Money for a step and all within it, in nano-units."""

    def __init__(self, most: int | None = None, above: "Purse | None" = None) -> None:
        self._most = most
        self._above = above
        self.spent = 0

    def spend(self, cost: int) -> None:
        """Take a cost out of this purse and of those above it."""
        self.spent += cost
        if self._above is not None:
            self._above.spend(cost)

    @property
    def left(self) -> int | None:
        """What is left here and above, None where nothing limits it."""
        limits = [] if self._most is None else [self._most - self.spent]
        if self._above is not None and (above := self._above.left) is not None:
            limits.append(above)
        return max(0, min(limits)) if limits else None


class Scope(Struct, frozen=True):
    """Where a step stands. `results` are those of the steps that it sees, `names` the other names, `flows` what flows
    with these. `order` is where it comes among all, for undoing in reverse; `undone` whether a step says how."""

    names: Mapping[str, Any]
    purse: Purse
    halt: Halt
    results: Mapping[str, StepResult] = {}
    flows: Mapping[str, Flowing] = {}
    deadline: int | None = None
    data_class: ClassName | None = None
    order: tuple[int, ...] = ()
    undone: bool = False

    @property
    def given(self) -> dict[str, Any]:
        """What its expressions are given."""
        return {**self.names, "steps": _Seen(self.results)}

    def knowing(self, results: Mapping[str, StepResult]) -> "Scope":
        """With the results of more steps."""
        return replace(self, results={**self.results, **results}) if results else self

    def naming(self, flowing: Flowing = _NOTHING, **names: Any) -> "Scope":
        """With more names."""
        return replace(self, names={**self.names, **names}, flows={**self.flows, **dict.fromkeys(names, flowing)})

    def at(self, number: int) -> "Scope":
        """As the step with this number among those of its block."""
        return replace(self, order=(*self.order, number))

    def apart(self) -> "Scope":
        """For what runs beside others, and is halted with them."""
        return replace(self, halt=Halt(self.halt))

    def until(self, deadline: int | None) -> "Scope":
        """Within this time as well."""
        known = [each for each in (self.deadline, deadline) if each is not None]
        return replace(self, deadline=min(known) if known else None)

    def spending(self, budget: float | None) -> "Scope":
        """Within this much money as well."""
        return self if budget is None else replace(self, purse=Purse(round(budget * 1e9), self.purse))

    def classed(self, name: ClassName | None) -> "Scope":
        """Of this data class at least."""
        if name is None or (self.data_class is not None and DataClass[self.data_class] >= DataClass[name]):
            return self
        return replace(self, data_class=name)

    def flowing(self, paths: Iterable[tuple[str, ...]]) -> Flowing:
        """The labels and sources of all that an expression with these names takes in."""
        labels = NO_LABELS if self.data_class is None else Labels(DataClass[self.data_class])
        sources: dict[str, None] = {}
        for path in paths:
            if path[0] == "steps" and len(path) > 1 and path[1] in self.results:
                result = self.results[path[1]]
                flow: Flowing = (result.labels, result.provenance)
            else:
                flow = self.flows.get(path[0], _NOTHING)
            labels = labels.joined(flow[0])
            sources.update(dict.fromkeys(flow[1]))
        return labels, tuple(sources)


class _Seen(Mapping[str, Any]):
    """Results as expressions see them: only what is asked for is put so, since most see many and name a few."""

    def __init__(self, results: Mapping[str, StepResult]) -> None:
        self._results = results

    def __getitem__(self, id: str) -> dict[str, Any]:
        return seen(self._results[id])

    def __contains__(self, id: object) -> bool:
        return id in self._results

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


def seen(result: StepResult) -> dict[str, Any]:
    """A result as expressions see it: `value`, `text`, and `cost` in the workspace's currency."""
    return {"value": result.value, "text": result.text, "cost": result.cost / 1e9}
