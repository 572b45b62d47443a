"""A definition, compiled once for all its runs: expressions, templates, schemas, and the order of steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import msgspec

from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.expressions import Expression
from fairlead.workflows.forms import Form
from fairlead.workflows.graph import before_each, is_straight, lists_of, ordered
from fairlead.workflows.graph import follows_of as follows_in
from fairlead.workflows.grounds import SOURCES
from fairlead.workflows.nodes import CompensationSettings
from fairlead.workflows.templates import Template

FILLED: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("prompt", "instructions", "memory"),
    "agent": ("goal", "instructions", "memory"),
    "tool": ("arguments",),
    "python": ("arguments",),
    "subflow": ("input",),
    "approval": ("ask", "show"),
    "wait": ("until",),
    "map": ("gives",),
    "loop": ("gives",),
}
"""Which keys of each kind are text, or JSON, with expressions in it."""

ASKED: Final[Mapping[str, tuple[str, ...]]] = {"map": ("over",), "loop": ("until",)}
"""Which keys of each kind are expressions."""


@dataclass(frozen=True, slots=True)
class Block:
    """Steps that stand in one list, each after all that it follows."""

    steps: tuple["Compiled", ...]
    straight: bool

    @property
    def last(self) -> str:
        """The step whose value is the list's: the last as written."""
        return max(self.steps, key=lambda each: each.number).step.id


@dataclass(frozen=True)
class Compiled:
    """A step. `sees` are the steps of its list that are over when it begins; `number` is its place as written."""

    step: Step
    number: int
    rank: int
    follows: tuple[str, ...]
    sees: frozenset[str]
    when: Expression | None
    filled: Mapping[str, Template]
    asked: Mapping[str, Expression]
    cases: tuple[Expression, ...]
    blocks: Mapping[str, Block]
    gives: Form | None
    checks: Form | None
    rules: tuple[tuple[Expression, str], ...]
    grounded: Template | None
    grounds: bool
    undo: Template | None
    agree: Mapping[str, Expression] = field(default_factory=dict)
    resolves: Template | None = None

    @cached_property
    def kind(self) -> str:
        return self.step.kind

    @cached_property
    def node(self) -> Any:
        """What its kind says of it."""
        return getattr(self.step, self.kind)

    @cached_property
    def uses(self) -> tuple[tuple[str, ...], ...]:
        """The paths of all names that it speaks of itself, for what flows into it."""
        templates = [*self.filled.values(), *filter(None, (self.grounded, self.undo, self.resolves))]
        expressions = [*self.asked.values(), *self.cases, *(each for one in templates for each in one.expressions)]
        paths = (use.path for expression in expressions for use in expression.uses if not use.only_tests)
        return tuple(dict.fromkeys(paths))


@dataclass(frozen=True, slots=True)
class Flow:
    """A definition, compiled."""

    name: str
    definition: Definition
    input: Form
    block: Block
    output: Template | None


class Program:
    """A bundle, compiled: what the interpreter walks. Expressions that say the same are compiled once."""

    def __init__(self, bundle: Bundle) -> None:
        """Raises `BadInput` where an expression or a schema is none, which `checks.py` tells with its line."""
        self.bundle = bundle
        self.digest = bundle.digest
        self._known: dict[str, Expression] = {}
        self.flows = {name: self._flow(name, bundle.of(name)) for name in (bundle.name, *bundle.subflows)}
        self.main = self.flows[bundle.name]

    def _expression(self, text: str) -> Expression:
        if text not in self._known:
            self._known[text] = Expression(text)
        return self._known[text]

    def _template(self, value: Any) -> Template:
        return Template(value, self._expression)

    def _flow(self, name: str, definition: Definition) -> Flow:
        schema = {"type": "object", **definition.input}
        output = None if definition.output is None else self._template(definition.output)
        return Flow(name, definition, Form(schema, "input"), self._block(definition.steps), output)

    def _block(self, steps: Sequence[Step]) -> Block:
        follows, sees = follows_in(steps), before_each(steps)
        numbers = {step.id: number for number, step in enumerate(steps)}
        compiled = tuple(
            self._step(step, (numbers[step.id], rank), follows[step.id], sees[step.id])
            for rank, step in enumerate(ordered(steps))
        )
        return Block(compiled, is_straight(steps))

    def _step(self, step: Step, place: tuple[int, int], follows: tuple[str, ...], sees: frozenset[str]) -> Compiled:
        node, check = getattr(step, step.kind), step.check
        agree = step.parallel.agree if step.parallel is not None else None
        schema = getattr(node, "gives", None) if step.kind in ("model", "agent", "wait") else None
        if step.tool is not None:
            schema = self.bundle.results.get(step.tool.call)
        return Compiled(
            step=step,
            number=place[0],
            rank=place[1],
            follows=follows,
            sees=sees,
            when=self._expression(step.when) if step.when else None,
            filled=self._filled(step.kind, node),
            asked={key: self._expression(getattr(node, key)) for key in ASKED.get(step.kind, ())},
            cases=tuple(self._expression(case.when) for case in (step.switch.cases if step.switch else ())),
            blocks={name: self._block(inner) for name, _, inner in lists_of(step)},
            gives=Form(schema, "gives") if schema else None,
            checks=Form(check.schema, "check.schema") if check and check.schema else None,
            rules=tuple((self._expression(rule.that), rule.otherwise) for rule in (check.rules if check else ())),
            grounded=self._template(check.grounded) if check and check.grounded not in ("", SOURCES) else None,
            grounds=check is not None and check.grounded == SOURCES,
            undo=self._undo(step.compensate),
            agree={}
            if agree is None
            else {
                key: self._expression(text) for key, text in (("compare", agree.compare), ("rule", agree.rule)) if text
            },
            resolves=self._template([agree.model.prompt, agree.model.instructions]) if agree and agree.model else None,
        )

    def _filled(self, kind: str, node: Any) -> dict[str, Template]:
        if kind == "transform":
            return {"transform": self._template(node)}
        keys = [key for key in FILLED.get(kind, ()) if getattr(node, key) not in (None, "", (), msgspec.UNSET)]
        return {key: self._template(getattr(node, key)) for key in keys}

    def _undo(self, settings: CompensationSettings | None) -> Template | None:
        if settings is None:
            return None
        node = settings.does
        return self._template(getattr(node, "arguments", None) or getattr(node, "input", {}))
