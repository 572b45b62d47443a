"""What is wrong with a definition, found before it is published: every fault with its place and its mend."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fairlead.errors import BadInput, closest
from fairlead.tools.memory import read_scope
from fairlead.workflows.bounds import bound_faults
from fairlead.workflows.definition import KINDS, Definition, Step
from fairlead.workflows.graph import circle_of, every_step, lists_of, recursion_of, subflows_of
from fairlead.workflows.grounds import SOURCES
from fairlead.workflows.known import Fault, Known, KnownFunction, Path
from fairlead.workflows.nodes import PythonNode, SubflowNode, ToolNode
from fairlead.workflows.recalling import RECALL
from fairlead.workflows.references import References
from fairlead.workflows.schedules import schedule_faults
from fairlead.workflows.schema_faults import schema_faults
from fairlead.workflows.secrecy import secrecy_faults

MOST_STEPS: Final = 2000
_REPEATABLE: Final = ("agent", "model", "tool", "python")
_MANAGER: Final = "manager"
_PAGES: Final = "pages"


def faults_of(name: str, definition: Definition, known: Known) -> list[Fault]:
    """All that is wrong with a workflow, and what may be meant, in the order of its text where that is known."""
    shape = [*_shape(definition)]
    found = [
        *shape,
        *schema_faults(definition),
        *_names(definition, known),
        *_uses_itself(name, definition, known),
    ]
    if not any(not fault.remark for fault in shape):
        found += [
            *bound_faults(definition),
            *_ungrounded(definition),
            *secrecy_faults(definition, known),
            *References(definition, known).faults(),
        ]
    return found


def _shape(definition: Definition) -> Iterator[Fault]:
    """Ids, kinds, order: what must be right before anything else can be told."""
    places: dict[str, Path] = {}
    every = list(every_step(definition.steps))
    if len(every) > MOST_STEPS:
        yield Fault(path=("steps",), message=f"it has {len(every)} steps; {MOST_STEPS} may be", mend="use subflows")
        return
    for path, step in every:
        if step.id in places:
            yield Fault(
                path=(*path, "id"), message=f"a step `{step.id}` stands twice", mend="an id is used once in a file"
            )
        places[step.id] = path
        yield from _kind(path, step)
    yield from _order(definition.steps, ("steps",))
    for path, step in every:
        for _, keys, inner in lists_of(step):
            yield from _order(inner, (*path, *keys))


def _kind(path: Path, step: Step) -> Iterator[Fault]:
    if not step.kinds:
        mend = f"add one of {', '.join(f'`{kind}:`' for kind in KINDS)}"
        yield Fault(path=path, message=f"the step `{step.id}` does nothing: it has no kind", mend=mend)
    elif len(step.kinds) > 1:
        both = " and ".join(f"`{kind}`" for kind in step.kinds)
        yield Fault(
            path=(*path, step.kinds[1]), message=f"`{step.id}` has {both}", mend="a step has one kind: make two"
        )
    elif step.retry is not None and step.kind not in _REPEATABLE:
        mend = f"say `retry` of the steps within, or of {', '.join(_REPEATABLE)}"
        yield Fault(path=(*path, "retry"), message=f"a `{step.kind}` is not tried again as a whole", mend=mend)


def _order(steps: Sequence[Step], path: Path) -> Iterator[Fault]:
    ids = {step.id for step in steps}
    for number, step in enumerate(steps):
        for place, each in enumerate(step.after or ()):
            if each not in ids:
                message = f"`{step.id}` is to follow `{each}`, which is not in the same list"
                yield Fault(path=(*path, number, "after", place), message=message, mend=closest(each, ids - {step.id}))
    circle = circle_of(steps) if len(ids) == len(steps) else ()
    if circle:
        number = next(number for number, step in enumerate(steps) if step.id == circle[0])
        shown = " → ".join((*circle, circle[0]))
        yield Fault(path=(*path, number), message=f"these steps wait for each other: {shown}", mend="break the circle")


def _names(definition: Definition, known: Known) -> Iterator[Fault]:
    for path, step in every_step(definition.steps):
        for kind in step.kinds:
            yield from _of_node((*path, kind), getattr(step, kind), known)
        if step.compensate is not None:
            yield from _compensation((*path, "compensate"), step, known)
        if step.parallel is not None and step.parallel.agree is not None:
            agree, at = step.parallel.agree, (*path, "parallel", "agree")
            if sum(map(bool, (agree.rule, agree.model, agree.role))) != 1:
                mend = "say exactly one of `rule`, `model` and `role`"
                yield Fault(path=at, message="nobody, or more than one, is to decide where branches differ", mend=mend)
            if agree.model is not None:
                yield from _of_node((*at, "model"), agree.model, known)
            if agree.role:
                yield from _role((*at, "role"), agree.role, known)
    if definition.queue and definition.queue not in known.queues:
        mend = closest(definition.queue, known.queues) or "declare it: `workflows.queues` in fairlead.yaml"
        yield Fault(path=("queue",), message=f"there is no queue `{definition.queue}`", mend=mend)
    yield from schedule_faults(definition, known)
    if (definition.changed.then == "ask") != bool(definition.changed.role):
        message = "who is asked is said by a role, and by nothing else"
        yield Fault(path=("changed",), message=message, mend="write `changed: {then: ask, role: …}`")
    elif definition.changed.role:
        yield from _role(("changed", "role"), definition.changed.role, known)


def _of_node(path: Path, node: Any, known: Known) -> Iterator[Fault]:
    """The names that one kind uses."""
    if task := getattr(node, "task", ""):
        yield from _missing((*path, "task"), task, known.tasks, "task type")
    if model := getattr(node, "model", ""):
        yield from _missing((*path, "model"), model, known.models, "model that chats")
    if getattr(node, "task", "") and getattr(node, "model", ""):
        message = "it names a task type and a model: one request goes by one of them"
        yield Fault(path=(*path, "model"), message=message, mend="keep `task`, and let that prefer the model")
    for number, tool in enumerate(getattr(node, "tools", ())):
        yield from _tool((*path, "tools", number), tool, known)
    for number, scope in enumerate(getattr(node, "memory", ())):
        yield from _memory((*path, "memory", number), scope, known)
    if role := getattr(node, "role", ""):
        yield from _role((*path, "role"), role, known)
    if (expert := getattr(node, "expert", None)) is not None:
        yield from _role((*path, "expert", "role"), expert.role, known)
    if (escalate := getattr(node, "escalate", None)) is not None:
        yield from _role((*path, "escalate", "to"), escalate.to, known)
    if isinstance(node, ToolNode):
        yield from _call(path, node, known)
    elif isinstance(node, PythonNode):
        yield from _function(path, node, known)
    elif isinstance(node, SubflowNode):
        yield from _subflow(path, node, known)


def _missing(path: Path, name: str, names: frozenset[str], kind: str) -> Iterator[Fault]:
    if name not in names:
        mend = closest(name, names) or f"there is no {kind} yet"
        yield Fault(path=path, message=f"there is no {kind} `{name}` in this workspace", mend=mend)


def _role(path: Path, role: str, known: Known) -> Iterator[Fault]:
    if role not in known.roles and role != _MANAGER:
        message = f"nobody here is known to have the role `{role}`"
        mend = "add it to `approvals.roles`, unless tokens of an identity provider name it"
        yield Fault(path=path, message=message, mend=mend, remark=True)


def _tool(path: Path, name: str, known: Known) -> Iterator[Fault]:
    if name in known.tools or name.partition(".")[0] in known.opening:
        return
    mend = closest(name, known.tools) or "declare its system under `systems:`"
    yield Fault(path=path, message=f"there is no tool `{name}` in this workspace", mend=mend)


def _memory(path: Path, scope: str, known: Known) -> Iterator[Fault]:
    if RECALL not in known.tools:
        message = "nothing is remembered in this workspace"
        yield Fault(path=path, message=message, mend="declare `memory: {}` in fairlead.yaml")
    elif "${" not in scope:
        try:
            read_scope(scope)
        except BadInput as error:
            yield Fault(path=path, message=error.message, mend=error.mend)


def _ungrounded(definition: Definition) -> Iterator[Fault]:
    for path, step in every_step(definition.steps):
        if step.check is not None and step.check.grounded == SOURCES and step.kind not in ("model", "agent"):
            message = f"`{step.id}` is no model or agent: of what it was made from nothing is known here"
            mend = "name the text that must bear it out, such as `${steps.read.text}`"
            yield Fault(path=(*path, "check", "grounded"), message=message, mend=mend)


def _call(path: Path, node: ToolNode, known: Known) -> Iterator[Fault]:
    yield from _tool((*path, "call"), node.call, known)
    if (tool := known.tools.get(node.call)) is not None:
        yield from _arguments((*path, "arguments"), node.arguments, tool.input, node.call)


def _arguments(path: Path, given: Mapping[str, Any], schema: Mapping[str, Any], of: str) -> Iterator[Fault]:
    """Arguments that must be there, and those that are not taken."""
    takes, needs = schema.get("properties", {}), schema.get("required", ())
    for name in sorted(set(needs) - given.keys()):
        yield Fault(path=path, message=f"`{of}` needs `{name}`", mend=f"add `{name}:` to what it is given")
    if schema.get("additionalProperties") is False or (takes and "additionalProperties" not in schema):
        for name in sorted(given.keys() - set(takes)):
            yield Fault(path=(*path, name), message=f"`{of}` does not take `{name}`", mend=closest(name, takes))


def _function(path: Path, node: PythonNode, known: Known) -> Iterator[Fault]:
    module, _, name = node.function.partition(":")
    if module not in known.functions:
        mend = closest(module, known.functions) or f"write it: workflows/{module}.py"
        yield Fault(path=(*path, "function"), message=f"there is no file workflows/{module}.py", mend=mend)
        return
    function: KnownFunction | None = known.functions[module].get(name)
    if function is None:
        mend = closest(name, known.functions[module])
        yield Fault(path=(*path, "function"), message=f"workflows/{module}.py has no function `{name}`", mend=mend)
        return
    schema = {"properties": dict.fromkeys(function.takes), "required": sorted(function.needs),
              "additionalProperties": function.anything}  # fmt: skip
    given = {**node.arguments, **({_PAGES: None} if node.pages else {})}
    yield from _arguments((*path, "arguments"), given, schema, node.function)
    if node.pages and _PAGES in node.arguments:
        yield Fault(path=(*path, "arguments", _PAGES), message="it is given `pages` twice", mend="keep one of them")


def _subflow(path: Path, node: SubflowNode, known: Known) -> Iterator[Fault]:
    yield from _missing((*path, "workflow"), node.workflow, frozenset(known.workflows), "workflow")
    if (inner := known.workflows.get(node.workflow)) is not None:
        yield from _arguments((*path, "input"), node.input, inner.input, node.workflow)


def _compensation(path: Path, step: Step, known: Known) -> Iterator[Fault]:
    settings = step.compensate
    assert settings is not None
    given = {key: getattr(settings, key) for key in ("tool", "python", "subflow") if getattr(settings, key) is not None}
    if len(given) != 1:
        mend = "say exactly one of `tool`, `python` and `subflow`"
        yield Fault(path=path, message=f"it is not clear what undoes `{step.id}`", mend=mend)
    for key, node in given.items():
        yield from _of_node((*path, key), node, known)
    if len(step.kinds) == 1 and not _changes(step, known):
        mend = "leave `compensate` out, or put it to the step that changes something"
        yield Fault(path=path, message=f"`{step.id}` changes nothing that could be undone", mend=mend)


def _changes(step: Step, known: Known) -> bool:
    """Whether a step may change anything outside the run."""
    if step.tool is not None:
        tool = known.tools.get(step.tool.call)
        return tool is None or tool.writes
    if step.python is not None:
        return step.python.effect == "write"
    if step.agent is not None:
        return any(tool not in known.tools or known.tools[tool].writes for tool in step.agent.tools)
    if step.subflow is not None:
        return True
    return any(_changes(inner, known) for _, _, steps in lists_of(step) for inner in steps)


def _uses_itself(name: str, definition: Definition, known: Known) -> Iterator[Fault]:
    uses = {each: subflows_of(other.steps) for each, other in known.workflows.items()} | {
        name: subflows_of(definition.steps)
    }
    circle = recursion_of(uses, name)
    if not circle:
        return
    for path, step in every_step(definition.steps):
        if step.subflow is not None and step.subflow.workflow in (*circle, name):
            shown = " → ".join(circle if circle[0] == name else (name, *circle))
            message = f"the workflow uses itself: {shown}"
            yield Fault(path=(*path, "subflow", "workflow"), message=message, mend="use a `loop`, which is bounded")
            return
