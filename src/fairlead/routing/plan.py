"""Who answers: the permitted and able models in order, and the reason for each that was dropped.

Pure: no clock, no store, no network, so that the command line explains a plan with the code that made it. Nothing here
knows a vendor; what orders the candidates is what the workspace says, and what fits.
"""

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from typing import Protocol

from fairlead.errors import NotFound, closest
from fairlead.models.types import AUTO, ChatRequest, Model
from fairlead.routing.settings import Preferences
from fairlead.routing.types import Candidate, Dropped, Plan
from fairlead.tasks.types import Task

# How many bytes of input make a token depends on the language and the tokenizer: dense scripts and code take 3 or
# fewer, English prose 4 to 4.7. Below the first figure a text may not fit; above the second it cannot.
DENSE_BYTES_A_TOKEN = 3.5
SPARSE_BYTES_A_TOKEN = 5.0


class Reason(Protocol):
    """A policy that decided, and its sentence."""

    @property
    def policy(self) -> str: ...
    @property
    def text(self) -> str: ...


class Decision(Protocol):
    """What authorization said about one model."""

    @property
    def allowed(self) -> bool: ...
    @property
    def redact(self) -> frozenset[str]: ...
    @property
    def reasons(self) -> Sequence[Reason]: ...


def candidates_for(
    asked: str, models: Mapping[str, Model], task_types: Collection[str], preferences: Preferences
) -> Mapping[str, Model]:
    """The models that may answer a request for `asked`: those that have to be authorized. Raises `NotFound`."""
    if asked not in models:
        if asked == AUTO or asked in task_types:
            return models
        raise NotFound(
            f"there is no model {asked!r} here",
            why="`model` is `auto`, the name of a task type, or the name of a model of the workspace",
            mend=closest(asked, (*models, *task_types, AUTO)),
            step="classify",
            subject=asked,
        )
    if preferences.fallback is True:
        return models
    names = dict.fromkeys((asked, *(preferences.fallback or ())))
    return {name: models[name] for name in names if name in models}


def plan(
    task: Task,
    request: ChatRequest,
    models: Mapping[str, Model],
    rights: Mapping[str, Decision],
    *,
    preferences: Preferences,
    rates: Container[str],
    health: Callable[[str], str | None],
    unavailable: Mapping[str, str],
    default_output: int,
    has_passages: bool,
) -> Plan:
    """Order the models that may answer, best first, and say why each of the others was dropped.

    `models` are all of the workspace's in the order of declaration, `rights` a decision for each that was considered
    (one without a decision is denied). `health` gives None for a healthy model, else why it is left alone. Candidates
    into which the input may not fit come after those into which it does, and those that could only say that the context
    does not answer come last. An empty plan is for `why_none` to explain.
    """
    order, why = _order(task, request.model, models, preferences)
    size = request.size
    dense = size / DENSE_BYTES_A_TOKEN
    limit = _output_limit(task, request, default_output)
    roomy: list[Candidate] = []
    tight: list[Candidate] = []
    silent: list[Candidate] = []  # quote context, which was looked for in vain: they can only say so, if no other can
    dropped: list[Dropped] = []
    for name in order:
        model = models.get(name)
        if model is None:
            continue
        decision = rights.get(name)
        if decision is None or not decision.allowed:
            dropped.append(Dropped(name, "policy", _denial(decision)))
            continue
        obstacle = _obstacle(model, request, size, searched=has_passages or task.type.context > 0)
        if obstacle is None:
            obstacle = _out_of_reach(name, unavailable, rates, health)
        if obstacle is not None:
            dropped.append(obstacle)
            continue
        context, output = model.context, min(limit, model.max_output)
        room = roomy if context is None or dense + output <= context else tight
        if model.quotes_context and not has_passages:
            room = silent
        room.append(Candidate(model, decision.redact, output))
    if len(order) < len(models):
        reason = f"the request names {request.model!r}"
        dropped.extend([Dropped(name, "not asked for", reason) for name in models if name not in order])
    if roomy and tight:
        why += "; those into which the input may not fit come last"
    return Plan((*roomy, *tight, *silent), tuple(dropped), why)


def _order(
    task: Task, asked: str, models: Mapping[str, Model], preferences: Preferences
) -> tuple[dict[str, None], str]:
    """Names of the models to consider, first to last, and the sentence that says so."""
    usual = (*task.type.prefer, *preferences.prefer, *models)
    if asked not in models:
        return dict.fromkeys(usual), f"as task type {task.type.name!r} prefers, then the workspace, then as declared"
    fallback = preferences.fallback
    if fallback is False:
        return {asked: None}, f"the request names {asked!r}"
    if fallback is True:
        return dict.fromkeys((asked, *usual)), f"the request names {asked!r}; the others stand in, as `fallback` says"
    return dict.fromkeys((asked, *fallback)), f"the request names {asked!r}; then the models that `fallback` lists"


def _output_limit(task: Task, request: ChatRequest, default_output: int) -> int:
    """The caller's limit, else the task type's, else the default; never more than the task type's."""
    cap = task.type.max_output
    asked = request.max_output
    if asked is None:
        return default_output if cap is None else cap
    return asked if cap is None or asked < cap else cap


def _denial(decision: Decision | None) -> str:
    if decision is None:
        return "no decision was made about it"
    return "; ".join(reason.text for reason in decision.reasons) or "no policy permits it"


def _obstacle(model: Model, request: ChatRequest, size: int, *, searched: bool) -> Dropped | None:
    """What the model cannot do, of what the request needs."""
    if request.tools and not model.tools:
        return Dropped(model.name, "capability", "it cannot call tools")
    wanted = request.response_format
    if wanted is not None and wanted.type == "json_schema" and not model.json_schema:
        return Dropped(model.name, "capability", "it cannot answer by a JSON schema")
    if request.choices > 1 and not model.choices:
        return Dropped(model.name, "capability", f"it gives one answer a call, and {request.choices} are asked for")
    if model.quotes_context and not searched:
        return Dropped(model.name, "capability", "it answers only from context, and this kind of work takes none")
    context = model.context
    if context is not None and size > context * SPARSE_BYTES_A_TOKEN:
        return Dropped(
            model.name, "context length", f"its context is {context} tokens, and the input is {size} bytes long"
        )
    return None


def _out_of_reach(
    name: str, unavailable: Mapping[str, str], rates: Container[str], health: Callable[[str], str | None]
) -> Dropped | None:
    """Why an able model cannot be called now. Health comes last: a model dropped by it would have answered."""
    missing = unavailable.get(name)
    if missing is not None:
        return Dropped(name, "unavailable", missing)
    if name not in rates:
        return Dropped(name, "price", "nobody has said what it costs")
    ill = health(name)
    return None if ill is None else Dropped(name, "health", ill)
