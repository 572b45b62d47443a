"""Who answers: the permitted and able models in order, and the reason for each that was dropped.

Pure: no clock, no store, no network, so that the command line explains a plan with the code that made it. Nothing here
knows a vendor; what orders the candidates is what the workspace says, and what fits.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Protocol

from fairlead.models.content import AudioPart, FilePart, ImagePart
from fairlead.models.deployments import ordered
from fairlead.models.types import ChatRequest, Model
from fairlead.routing.order import NO_GROUPS, Groups, not_asked_for, order
from fairlead.routing.outstanding import Arrange
from fairlead.routing.settings import Preferences
from fairlead.routing.types import Candidate, Dropped, Plan
from fairlead.tasks.types import Task

# How many bytes of input make a token depends on the language and the tokenizer: dense scripts and code take 3 or
# fewer, English prose 4 to 4.7. Below the first figure a text may not fit; above the second it cannot.
DENSE_BYTES_A_TOKEN = 3.5
SPARSE_BYTES_A_TOKEN = 5.0


NOTHING_STOPPED: Mapping[str, str] = {}
NONE_UNFIT: Mapping[str, str] = {}


class Reason(Protocol):
    """A policy that decided, and its sentence."""

    @property
    def policy(self) -> str: ...
    @property
    def text(self) -> str: ...


class Decision(Protocol):
    """What authorization said about one model: whether it may be asked, and the categories to take out or name in
    what it is told."""

    @property
    def allowed(self) -> bool: ...
    @property
    def redact(self) -> frozenset[str]: ...
    @property
    def pseudonymise(self) -> frozenset[str]: ...
    @property
    def reasons(self) -> Sequence[Reason]: ...


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
    groups: Groups = NO_GROUPS,
    key: str = "",
    arrange: Arrange = ordered,
    unpriced: Callable[[str], str] | None = None,
    stopped: Mapping[str, str] = NOTHING_STOPPED,
    unfit: Mapping[str, str] = NONE_UNFIT,
) -> Plan:
    """Order the models that may answer, best first, and say why each of the others was dropped.

    `models` are all of the workspace's in the order of declaration, `rights` a decision for each that was considered
    (one without a decision is denied). `health` gives None for a healthy model, else why it is left alone. Candidates
    into which the input may not fit come after those into which it does, and those that could only say that the context
    does not answer come last. `groups` are the models with deployments, which `arrange` orders by `key`. `unpriced`
    says of a model that has a price what in this request has none, "" if all has; it is None where the request needs
    nothing special. `stopped` must not be called for now, and `unfit` must not do this with what is known: models with
    the reason. An empty plan is for `why_none` to explain.
    """
    names, why = order(task, request.model, models, preferences, groups, key, arrange)
    attached = _attached(request)
    dense = request.size / DENSE_BYTES_A_TOKEN
    limit = _output_limit(task, request, default_output)
    candidates: list[Candidate] = []
    dropped: list[Dropped] = []
    for name in names:
        model = models.get(name)
        if model is None:
            continue
        decision = rights.get(name)
        if name in stopped or name in unfit or decision is None or not decision.allowed:
            dropped.append(_forbidden(name, decision, stopped, unfit))
            continue
        obstacle = _obstacle(model, request, attached, searched=has_passages or task.type.context > 0)
        if obstacle is None:
            obstacle = _out_of_reach(name, unavailable, rates, unpriced, health)
        if obstacle is not None:
            dropped.append(obstacle)
            continue
        output = min(limit, model.max_output)
        room = 2 if model.quotes_context and not has_passages else _room(model, dense + output)
        candidates.append(Candidate(model, decision.redact, output, room, decision.pseudonymise))
    if len(names) < len(models):
        dropped.extend(not_asked_for(task, request.model, models, groups, names))
    rooms = {one.room for one in candidates}
    if len(rooms) > 1:
        candidates.sort(key=lambda one: one.room)
    if rooms >= {0, 1}:
        why += "; those into which the input may not fit come last"
    return Plan(tuple(candidates), tuple(dropped), why)


def _room(model: Model, tokens: float) -> int:
    return 0 if model.context is None or tokens <= model.context else 1


def _output_limit(task: Task, request: ChatRequest, default_output: int) -> int:
    """The caller's limit, else the task type's, else the default; never more than the task type's."""
    cap = task.type.max_output
    asked = request.max_output
    if asked is None:
        return default_output if cap is None else cap
    return asked if cap is None or asked < cap else cap


def _forbidden(name: str, decision: Decision | None, stopped: Mapping[str, str], unfit: Mapping[str, str]) -> Dropped:
    if name in stopped:
        return Dropped(name, "stopped", stopped[name])
    allowed = decision is not None and decision.allowed
    return Dropped(name, "context", unfit[name]) if allowed else Dropped(name, "policy", _denial(decision))


def _denial(decision: Decision | None) -> str:
    if decision is None:
        return "no decision was made about it"
    return "; ".join(reason.text for reason in decision.reasons) or "no policy permits it"


def _attached(request: ChatRequest) -> set[type]:
    """The kinds of what is attached. Most requests have only texts, which are passed over at a glance."""
    kinds: set[type] = set()
    for message in request.messages:
        if type(message.content) is list:
            kinds.update(map(type, message.content))
    return kinds


def _obstacle(model: Model, request: ChatRequest, attached: set[type], *, searched: bool) -> Dropped | None:
    """What the model cannot do, of what the request needs."""
    unable = _unable(model, request, attached)
    if unable:
        return Dropped(model.name, "capability", unable)
    if model.quotes_context and not searched:
        return Dropped(model.name, "capability", "it answers only from context, and this kind of work takes none")
    context, size = model.context, request.size
    if context is not None and size > context * SPARSE_BYTES_A_TOKEN:
        return Dropped(
            model.name, "context length", f"its context is {context} tokens, and the input is {size} bytes long"
        )
    return None


def _unable(model: Model, request: ChatRequest, attached: set[type]) -> str:
    if request.tools and not model.tools:
        return "it cannot call tools"
    wanted = request.response_format
    if wanted is not None and wanted.type == "json_schema" and not model.json_schema:
        return "it cannot answer by a JSON schema"
    if request.choices > 1 and not model.choices:
        return f"it gives one answer a call, and {request.choices} are asked for"
    return _unreadable(model, attached) if attached else ""


def _unreadable(model: Model, attached: set[type]) -> str:
    """What of the attached it does not take, "" if it takes all."""
    if ImagePart in attached and not model.images:
        return "it takes no images"
    if FilePart in attached and not model.files:
        return "it takes no documents"
    if AudioPart in attached and not model.audio:
        return "it takes no sound"
    return ""


def _out_of_reach(
    name: str,
    unavailable: Mapping[str, str],
    rates: Container[str],
    unpriced: Callable[[str], str] | None,
    health: Callable[[str], str | None],
) -> Dropped | None:
    """Why an able model cannot be called now. Health comes last: a model dropped by it would have answered."""
    missing = unavailable.get(name)
    if missing is not None:
        return Dropped(name, "unavailable", missing)
    if name not in rates:
        return Dropped(name, "price", "nobody has said what it costs")
    if unpriced is not None and (what := unpriced(name)):
        return Dropped(name, "price", what)
    ill = health(name)
    return None if ill is None else Dropped(name, "health", ill)
