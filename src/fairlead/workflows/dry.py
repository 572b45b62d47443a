"""Walking a workflow without doing anything: effects that give what was said they give, or placeholders of their shape.

Nothing is asked, called, written or paid. Waits are over at once, approvals are given.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from fairlead.workflows.nodes import AgentNode, ApprovalNode, ModelNode, PythonNode, Schema, ToolNode, WaitNode
from fairlead.workflows.templates import as_text
from fairlead.workflows.walk import Asked, Bounds, Place, State, StepResult, Waiting

_MOMENT: Final = 1_767_225_600_000  # the first of January 2026: some moment, always the same


class Happened(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An effect that would have been done: where, what kind, and with what."""

    at: str
    kind: str
    what: Any = None
    given: Any = None
    placeholder: bool = False


class Dry:
    """Effects that do nothing. `said` are values by step id, or by place: what these steps give. `results` are the
    schemas of tools' results, `shapes` those that checks want of python steps, by step id."""

    def __init__(
        self, said: Mapping[str, Any], results: Mapping[str, Schema], shapes: Mapping[str, Schema] | None = None
    ) -> None:
        self._said = said
        self._results = results
        self._shapes = shapes or {}
        self.happened: list[Happened] = []
        self.states: list[tuple[str, State]] = []
        self.used: set[str] = set()

    async def model(self, at: Place, node: ModelNode, asked: Asked, bounds: Bounds) -> StepResult:
        """What was said it gives, or a placeholder of the shape that it declares, else a text."""
        return self._gives(at, "model", node.gives or {"type": "string"}, asked.prompt)

    async def agent(self, at: Place, node: AgentNode, asked: Asked, bounds: Bounds) -> StepResult:
        """As a model's step: no turn is taken and no tool called."""
        return self._gives(at, "agent", node.gives or {"type": "string"}, asked.prompt)

    async def tool(self, at: Place, node: ToolNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        """What was said it gives, or a placeholder of what the tool's schema promises. Nothing is called."""
        return self._gives(at, "tool", self._results.get(node.call, {}), {node.call: arguments})

    async def python(self, at: Place, node: PythonNode, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        """What was said it gives, or a placeholder of the shape that its check wants. The function is not run."""
        return self._gives(at, "python", self._shapes.get(_step_of(at), {}), {node.function: arguments})

    async def answer(self, at: Place, node: ApprovalNode | WaitNode | None, waiting: Waiting) -> StepResult:
        """Agreed to at once, by `dry-run`, where nothing else was said; a signal gets a placeholder, and no time goes
        by."""
        if waiting.kind == "approval":
            schema: Schema = {
                "const": {"approved": True, "by": ["dry-run"], "note": "", "answer": placeholder(waiting.answer)}
            }
        else:
            schema = waiting.answer if waiting.kind != "time" else {"const": None}
        return self._gives(at, waiting.kind, schema, waiting.ask or waiting.signal or None)

    async def not_accepted(self, at: Place) -> None:
        """Nothing of it is kept."""

    async def now(self, at: Place) -> int:
        """The same moment always."""
        return _MOMENT

    async def pause(self, at: Place, seconds: float) -> None:
        """No time goes by."""

    def begun(self, at: Place) -> bool:
        """Never: a dry run is walked once."""
        return False

    def noted(self, at: Place, state: State, result: StepResult | None = None) -> None:
        """Keeps what each place has come to, in order, in `states`."""
        self.states.append((at.text, state))

    def _gives(self, at: Place, kind: str, schema: Schema, what: Any) -> StepResult:
        step = _step_of(at)
        known = next((key for key in (at.text, step) if key in self._said), None)
        value = placeholder(schema) if known is None else self._said[known]
        if known is not None:
            self.used.add(known)
        self.happened.append(Happened(at=at.text, kind=kind, what=what, given=value, placeholder=known is None))
        return StepResult(value=value, text=as_text(value))


def _step_of(at: Place) -> str:
    return next((str(part) for part in reversed(at.path) if isinstance(part, str)), "").partition("~")[0]


def placeholder(schema: Any) -> Any:
    """A small value of this shape, always the same."""
    if not isinstance(schema, Mapping) or not schema:
        return "…"
    known = next((schema[word] for word in ("const", "default") if word in schema), None)
    if known is not None or schema.get("enum"):
        return schema["enum"][0] if known is None else known
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        return {key: placeholder(each) for key, each in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [placeholder(schema.get("items"))] * max(1, schema.get("minItems", 1))
    return _number(schema, kind) if kind in ("number", "integer") else _text(schema, str(kind))


def _number(schema: Mapping[str, Any], kind: str) -> float | int:
    least = max(schema.get("minimum", 1), schema.get("exclusiveMinimum", -1) + 1)
    least = min(least, schema.get("maximum", least))
    return float(least) if kind == "number" else int(least)


def _text(schema: Mapping[str, Any], kind: str) -> Any:
    if kind in ("boolean", "null") or "const" in schema:
        return True if kind == "boolean" else None
    known = {"date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z", "email": "someone@example.com"}
    return known.get(str(schema.get("format")), "…" * max(1, schema.get("minLength", 1)))
