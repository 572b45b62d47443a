"""What each step of a run took in, and where that came from: definitions say what a step speaks of, and the walk knows
which step that was.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from fairlead.workflows.expressions import Expression
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.matching import Path
from fairlead.workflows.tracing.replaying import Passed, Rerun
from fairlead.workflows.walk import Place

ASKED: Final = {"model": ("prompt", "instructions"), "agent": ("goal", "instructions")}
"""Which texts of a step are put before a model."""


class Spot(Struct, frozen=True):
    """A value in a run: where it is from, and its path there. The place "" is the run's own input."""

    place: str
    path: Path


class Taken(Struct, frozen=True):
    """What an expression took in. `name` is as the definition says it: `steps.look.value.price`."""

    name: str
    value: Any
    spot: Spot


class Dataflow:
    """Of one run."""

    def __init__(self, run: Rerun) -> None:
        self.run = run
        self._tries: dict[Path, list[Met]] = {}  # by the step that they are an attempt of
        self._turns: dict[Path, list[Met]] = {}  # by the attempt of an agent's, or what else they are numbered in
        self._told: dict[Path, list[Met]] = {}  # by the step that it was remembered for
        for each in run.met.values():
            self._sort(each)

    def _sort(self, each: Met) -> None:
        path = each.at.path
        for size, part in enumerate(path):
            if isinstance(part, int) and each.kind in ("turn", "tool"):
                self._turns.setdefault(path[:size], []).append(each)
            elif part == "~memory":
                self._told.setdefault(path[:size], []).append(each)
        if each.kind != "time":
            id, _, number = str(path[-1]).rpartition("~")
            last = id if id and number.isdigit() else path[-1]
            self._tries.setdefault((*path[:-1], last), []).append(each)

    def step_of(self, at: Place) -> Passed | None:
        """The innermost step that a place belongs to."""
        for end in range(len(at.path), 0, -1):
            found = self.run.steps.get(Place(at.run, at.path[:end]).text)
            if found is not None:
                return found
        return None

    def effects(self, passed: Passed) -> list[Met]:
        """What was remembered for a step, what an agent did in its last attempt, and that attempt, in order."""
        tries = self._tries.get(passed.at.path)
        if not tries:
            return []
        return [*self._told.get(passed.at.path, ()), *self.within(tries[-1].at), tries[-1]]

    def within(self, at: Place) -> list[Met]:
        """The turns and calls of an agent's attempt, in order."""
        return self._turns.get(at.path, [])

    def asked(self, passed: Passed) -> list[Taken]:
        """What a step's question to a model took in."""
        keys = ASKED.get(passed.compiled.step.kind, ())
        return self.taken(passed, self._expressions(passed, keys))

    def given(self, passed: Passed, key: str = "arguments", path: Path = ()) -> list[Taken]:
        """What a step's arguments, or one of them, took in."""
        template = passed.compiled.filled.get(key)
        return [] if template is None else self.taken(passed, template.making(path))

    def decided(self, passed: Passed) -> list[Taken]:
        """What the conditions took in by which a step was done: its own, and those of what is around it."""
        found = []
        for end in range(len(passed.at.path), 0, -1):
            around = self.run.steps.get(Place(passed.at.run, passed.at.path[:end]).text)
            if around is not None:
                when = around.compiled.when
                found += self.taken(around, [*around.compiled.cases, *([when] if when is not None else [])])
        return found

    def output(self, path: Path) -> list[Taken]:
        """What the run's output, or what is at a path of it, was made of; nothing where the run gave none."""
        top = [each for each in self.run.steps.values() if len(each.at.path) == 1 and each.result is not None]
        if not top or self.run.end != "done":
            return []
        template = self.run.program.main.output
        if template is not None:
            given = {
                each.compiled.step.id: {"value": each.result.value, "text": each.result.text}
                for each in top
                if each.result is not None
            }
            return self.taken(top[-1], template.making(path), {"steps": given})
        last = next((each for each in top if each.compiled.step.id == self.run.program.main.block.last), None)
        made = self.run.made
        value = at_path(made.get("value") if isinstance(made, Mapping) else None, path)
        return [] if last is None else [Taken("result", value, Spot(last.at.text, ("value", *path)))]

    def _expressions(self, passed: Passed, keys: Iterable[str]) -> Iterator[Expression]:
        for key in keys:
            if (template := passed.compiled.filled.get(key)) is not None:
                yield from template.expressions

    def taken(
        self, passed: Passed, expressions: Iterable[Expression], more: Mapping[str, Any] | None = None
    ) -> list[Taken]:
        """What these expressions took in at a step; `more` are names that they see besides."""
        given = {**passed.scope.given, **(more or {})}
        paths = dict.fromkeys(use.path for each in expressions for use in each.uses if not use.only_tests)
        return [found for path in paths for found in self._resolved(passed, path, given)]

    def _resolved(self, passed: Passed, path: tuple[str, ...], given: Mapping[str, Any]) -> Iterator[Taken]:
        value, depth = _walked(given, path)
        name, spot = ".".join(path[:depth]), self._spot(passed, path[:depth], value)
        if isinstance(spot, Spot):
            yield Taken(name, value, spot)
        else:
            yield from spot

    def _spot(self, passed: Passed, path: tuple[str, ...], value: Any) -> "Spot | list[Taken]":
        root, rest = path[0], path[1:]
        if root in ("value", "text"):
            return Spot(passed.at.text, path)
        if root == "steps" and rest:
            producer = self._nearest(passed.at, rest[0])
            return Spot(producer.text, rest[1:]) if producer is not None else []
        if root == "input":
            around = self._around(passed.at, "subflow")
            return Spot("", ("input", *rest)) if around is None else self.given(around, "input", rest)
        if root in ("item", "index"):
            return self._item(passed, rest) if root == "item" else []
        if root == "previous":
            return self._previous(passed, rest)
        return []

    def _item(self, passed: Passed, rest: Path) -> "Spot | list[Taken]":
        around = self._around(passed.at, "map")
        if around is None:
            return []
        index = passed.at.path[len(around.at.path)]
        lists = self.taken(around, [around.compiled.asked["over"]])
        if len(lists) == 1 and isinstance(lists[0].value, list):
            return Spot(lists[0].spot.place, (*lists[0].spot.path, index, *rest))
        return lists

    def _previous(self, passed: Passed, rest: Path) -> "Spot | list[Taken]":
        around = self._around(passed.at, "loop")
        turn = passed.at.path[len(around.at.path)] if around is not None else 0
        if around is None or not isinstance(turn, int) or not turn:
            return []
        last = around.compiled.blocks["turn"].last
        return Spot(around.at.below(turn - 1, last).text, ("value", *rest))

    def _nearest(self, at: Place, id: str) -> Place | None:
        """The step of this id that is seen from a place: of its own list, or of one around it."""
        for end in range(len(at.path) - 1, -1, -1):
            place = Place(at.run, (*at.path[:end], id))
            if place.text in self.run.steps:
                return place
        return None

    def _around(self, at: Place, kind: str) -> Passed | None:
        for end in range(len(at.path) - 1, 0, -1):
            found = self.run.steps.get(Place(at.run, at.path[:end]).text)
            if found is not None and found.compiled.step.kind == kind:
                return found
            if found is not None and kind != "subflow" and found.compiled.step.kind == "subflow":
                return None
        return None


def _walked(given: Any, path: tuple[str, ...]) -> tuple[Any, int]:
    """The value at a path as far as it leads, and how far that is."""
    value, depth = given, 0
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            break
        value, depth = value[key], depth + 1
    return value, depth


def at_path(value: Any, path: Path) -> Any:
    """What stands at a path of some data, None where it leads nowhere."""
    for key in path:
        if isinstance(value, Mapping):
            value = value.get(str(key))
        elif isinstance(value, list | tuple) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def under(value: Any, key: str) -> Iterator[Any]:
    """The leaves that stand under a key, wherever in some data."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name == key and not isinstance(each, Mapping | list | tuple):
                yield each
            yield from under(each, key)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from under(each, key)
