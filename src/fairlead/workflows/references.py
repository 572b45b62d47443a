"""Whether the expressions of a definition speak of what there is: names, steps that are over by then, keys, types."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from fairlead.errors import closest
from fairlead.workflows.definition import Definition, LoopNode, Step
from fairlead.workflows.expression_errors import BadExpression
from fairlead.workflows.expression_tree import Path as Names
from fairlead.workflows.expression_tree import Use, sure_if
from fairlead.workflows.expressions import Expression, type_problem
from fairlead.workflows.forms import below, lacks, may_lack
from fairlead.workflows.graph import before_each, every_step, lists_of, ordered
from fairlead.workflows.known import Fault, Known, Path
from fairlead.workflows.nodes import Schema
from fairlead.workflows.program import ASKED, FILLED
from fairlead.workflows.templates import pieces_of, texts_in
from fairlead.workflows.types import Typed, given_schema, item_schema, result_schema, variables

_KEYS: Final = ("value", "text", "cost")


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen at a place: names and steps with the schemas of their values; the steps that may have been left
    out; and what is tested to be there."""

    names: Mapping[str, Schema | None]
    steps: Mapping[str, Schema | None] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()
    tested: frozenset[Names] = frozenset()

    def naming(self, **names: Schema | None) -> "Seen":
        """With more names."""
        return replace(self, names={**self.names, **names})

    def testing(self, tested: frozenset[Names]) -> "Seen":
        """With more that is tested to be there."""
        return replace(self, tested=self.tested | tested) if tested else self


class References:
    """Of one definition."""

    def __init__(self, definition: Definition, known: Known) -> None:
        self._definition = definition
        self._known = known
        self._ids = {step.id for _, step in every_step(definition.steps)}
        self._compiled: dict[str, Expression | BadExpression] = {}

    def faults(self) -> Iterator[Fault]:
        """All that is wrong."""
        definition = self._definition
        top = Seen({"input": given_schema(definition.input), "run": None})
        seen = yield from self._list(definition.steps, ("steps",), top)
        if definition.output is not None:
            yield from self._template(definition.output, ("output",), seen)

    def _list(self, steps: Sequence[Step], path: Path, seen: Seen) -> Generator[Fault, None, Seen]:
        """Check a list of steps; what can be seen after it."""
        before, numbers = before_each(steps), {step.id: number for number, step in enumerate(steps)}
        gives: dict[str, Schema | None] = {}
        for step in ordered(steps):
            mine = {id: gives[id] for id in before[step.id]}
            unsure = {each.id for each in steps if each.when and each.id in mine}
            inside = replace(seen, steps={**seen.steps, **mine}, unsure=seen.unsure | unsure)
            gives[step.id] = yield from self._step(step, (*path, numbers[step.id]), inside)
        return replace(
            seen, steps={**seen.steps, **gives}, unsure=seen.unsure | {each.id for each in steps if each.when}
        )

    def _step(self, step: Step, path: Path, seen: Seen) -> Generator[Fault, None, Schema | None]:
        """Check a step; the schema of its value."""
        if step.when:
            yield from self._expression(step.when, (*path, "when"), seen, "bool")
            seen = seen.testing(self._sure(step.when))
        if len(step.kinds) != 1:
            return None
        gives = yield from self._inner(step, path, seen)
        if step.otherwise:
            yield from self._list(step.otherwise, (*path, "otherwise"), seen.naming(error=None))
        yield from self._check(step, path, seen, gives)
        if step.compensate is not None:
            after = replace(seen, steps={**seen.steps, step.id: gives})
            for key, node in (("tool", step.compensate.tool), ("python", step.compensate.python)):
                if node is not None:
                    yield from self._template(node.arguments, (*path, "compensate", key, "arguments"), after)
            if step.compensate.subflow is not None:
                yield from self._template(
                    step.compensate.subflow.input, (*path, "compensate", "subflow", "input"), after
                )
        return None if step.otherwise else gives

    def _inner(self, step: Step, path: Path, seen: Seen) -> Generator[Fault, None, Schema | None]:
        """The kind's own texts, and the lists within it; the schema of what the step gives."""
        kind, node = step.kind, getattr(step, step.kind)
        ends, last = seen, None
        if kind == "transform":
            yield from self._template(node, (*path, kind), seen)
        for key in ASKED.get(kind, ()) if kind == "map" else ():
            yield from self._expression(getattr(node, key), (*path, kind, key), seen, "list")
        for name, keys, steps in lists_of(step):
            if name == "failed":
                continue
            inside = yield from self._entering(step, name, (*path, *keys), seen)
            ends = yield from self._list(steps, (*path, *keys), inside)
            last = ends.steps.get(steps[-1].id)
        if step.loop is not None:
            after = ends.naming(value=last if step.loop.gives is None else None, text={"type": "string"})
            yield from self._expression(step.loop.until, (*path, kind, "until"), after, "bool")
            yield from self._endless(step.loop, (*path, kind, "until"))
        for key in FILLED.get(kind, ()):
            if isinstance(value := getattr(node, key), str | dict | list | tuple):
                yield from self._template(value, (*path, kind, key), ends if kind in ("map", "loop") else seen)
        if step.parallel is not None and step.parallel.agree is not None:
            yield from self._agree(step, path, seen)
        return result_schema(step, last, self._known)

    def _endless(self, loop: LoopNode, path: Path) -> Iterator[Fault]:
        """A condition that no turn can change."""
        found, own = self._expressed(loop.until), {step.id for step in loop.steps}
        if isinstance(found, BadExpression):
            return
        roots = {use.path[0] for use in found.uses}
        if not roots & {"value", "text", "previous", "index"} and not found.steps & own:
            message = "the loop ends after its first turn or never: no turn changes what `until` speaks of"
            yield Fault(path=path, message=message, mend="speak of `value`, `index`, or `steps.ID` of a step within")

    def _entering(self, step: Step, name: str, path: Path, seen: Seen) -> Generator[Fault, None, Seen]:
        """What the steps within a step see besides."""
        index: Schema = {"type": "integer"}
        if step.map is not None:
            return seen.naming(item=item_schema(self._expressed(step.map.over), partial(_schema_at, seen)), index=index)
        if step.loop is not None:
            return seen.naming(previous=None, index=index)
        if step.switch is not None:
            for number, case in enumerate(step.switch.cases):
                if name in (f"case {number + 1}", "otherwise"):
                    holds = name != "otherwise"
                    seen = seen.testing(self._sure(case.when, holds=holds))
                if name == f"case {number + 1}":
                    yield from self._expression(case.when, (*path[:-1], "when"), seen, "bool")
        return seen

    def _check(self, step: Step, path: Path, seen: Seen, gives: Schema | None) -> Iterator[Fault]:
        if step.check is None:
            return
        result = seen.naming(value=step.check.schema or gives, text={"type": "string"})
        for number, rule in enumerate(step.check.rules):
            yield from self._expression(rule.that, (*path, "check", "rules", number, "that"), result, "bool")
        if step.check.grounded:
            yield from self._template(step.check.grounded, (*path, "check", "grounded"), seen)

    def _agree(self, step: Step, path: Path, seen: Seen) -> Iterator[Fault]:
        assert step.parallel is not None
        agree, path = step.parallel.agree, (*path, "parallel", "agree")
        assert agree is not None
        yield from self._expression(agree.compare, (*path, "compare"), seen.naming(value=None))
        if agree.rule:
            yield from self._expression(agree.rule, (*path, "rule"), seen.naming(values=None))
        if agree.model is not None:
            for key in ("prompt", "instructions"):
                yield from self._template(getattr(agree.model, key), (*path, "model", key), seen.naming(values=None))

    def _template(self, value: Any, path: Path, seen: Seen) -> Iterator[Fault]:
        for keys, text in texts_in(value):
            try:
                pieces = [piece for is_one, piece in pieces_of(text) if is_one]
            except BadExpression as wrong:
                yield Fault(path=(*path, *keys), message=wrong.message, mend=wrong.mend)
                continue
            for piece in pieces:
                yield from self._expression(piece, (*path, *keys), seen)

    def _expression(self, text: str, path: Path, seen: Seen, wanted: str = "") -> Iterator[Fault]:
        found = self._expressed(text)
        if isinstance(found, BadExpression):
            mend = "this is an expression by itself: leave out `${` and `}`" if "${" in text else found.mend
            yield Fault(path=path, message=found.message, mend=mend)
            return
        wrong = [fault for use in found.uses for fault in self._use(use, path, text, seen)]
        yield from {fault.message: fault for fault in wrong}.values()
        if any(not fault.remark for fault in wrong):
            return
        typed = Typed(found, {name: partial(_schema_at, seen) for name in seen.names}, partial(_schema_at, seen))
        problem = type_problem(text, variables(typed, seen.names), wanted)
        if problem is not None:
            yield Fault(path=path, message=problem.message, mend=problem.mend)

    def _use(self, use: Use, path: Path, text: str, seen: Seen) -> Iterator[Fault]:
        root, tested = use.path[0], use.tested | seen.tested
        if root == "steps":
            yield from self._step_use(use, path, text, seen)
        elif root not in seen.names:
            mend = closest(root, (*seen.names, "steps"))
            yield Fault(path=path, message=f"there is no `{root}` here: {text[:200]}", mend=mend)
        else:
            yield from _keys(use, (root,), seen.names[root], tested, path)

    def _step_use(self, use: Use, path: Path, text: str, seen: Seen) -> Iterator[Fault]:
        if len(use.path) == 1:
            yield Fault(path=path, message=f"`steps` needs the id of one: {text[:200]}", mend="write steps.ID.value")
            return
        id, tested = use.path[1], use.tested | seen.tested
        if id not in self._ids:
            yield Fault(path=path, message=f"there is no step `{id}`", mend=closest(id, self._ids))
        elif id not in seen.steps:
            yield Fault(
                path=path,
                message=f"the step `{id}` is not sure to be over here: it comes later, at the same time, or within "
                "another step",
                mend=f"name it in `after`, or use what the step around it gives: `{id}` is seen only in its own list",
            )
        elif id in seen.unsure and not use.only_tests and ("steps", id) not in tested:
            yield Fault(
                path=path,
                message=f"the step `{id}` may have been left out: it has a `when`",
                mend=f"test it: has(steps.{id}) ? steps.{id}.value : …",
            )
        elif len(use.path) > 2 and use.path[2] not in _KEYS:
            yield Fault(
                path=path,
                message=f"a step has no `{use.path[2]}`, only `value`, `text` and `cost`: {text[:200]}",
                mend=f"write steps.{id}.value.{use.path[2]}",
            )
        elif use.path[2:3] == ("value",):
            yield from _keys(use, use.path[:3], seen.steps[id], tested, path)

    def _expressed(self, text: str) -> Expression | BadExpression:
        if text not in self._compiled:
            try:
                self._compiled[text] = Expression(text)
            except BadExpression as wrong:
                self._compiled[text] = wrong
        return self._compiled[text]

    def _sure(self, text: str, *, holds: bool = True) -> frozenset[Names]:
        found = self._expressed(text)
        return frozenset() if isinstance(found, BadExpression) else sure_if(found.tree, holds=holds)


def _schema_at(seen: Seen, path: Names) -> Schema | None:
    """The schema of what a path leads to, None where nothing is known of it."""
    schema: Schema | None
    if path[0] == "steps":
        if len(path) < 3 or path[1] not in seen.steps:
            return None
        schema, rest = (
            {"value": seen.steps[path[1]], "text": {"type": "string"}, "cost": {"type": "number"}}.get(path[2]),
            path[3:],
        )
    else:
        schema, rest = seen.names.get(path[0]), path[1:]
    for key in rest:
        schema = below(schema, key)
    return schema


def _keys(use: Use, start: Names, schema: Schema | None, tested: frozenset[Names], path: Path) -> Iterator[Fault]:
    """Keys that a schema says are not there, or may not be."""
    for at in range(len(start), len(use.path)):
        key, name = use.path[at], ".".join(use.path[: at + 1])
        if lacks(schema, key):
            keys = (schema or {}).get("properties", {})
            yield Fault(path=path, message=f"there is no `{name}`", mend=closest(key, keys))
            return
        last_test = use.only_tests and at == len(use.path) - 1
        if may_lack(schema, key) and use.path[: at + 1] not in tested and not last_test:
            yield Fault(
                path=path,
                message=f"`{name}` may be missing: its schema does not require it",
                mend=f"test it, has({name}) ? … : …, require it, or give it a default",
                remark=True,
            )
        schema = below(schema, key)
