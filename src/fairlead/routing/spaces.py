"""Who embeds: the permitted and able models of one space, in order. Vectors of two spaces cannot be compared, so one
that fails is never replaced by one of another space, not even where the request leaves the choice to the workspace.
"""

from collections.abc import Callable, Container, Mapping

from msgspec.structs import replace

from fairlead.models.deployments import ordered
from fairlead.models.embedding import Embedders
from fairlead.models.types import ChatRequest, Model
from fairlead.routing.order import order
from fairlead.routing.outstanding import Arrange
from fairlead.routing.plan import NOTHING_STOPPED, Decision, plan
from fairlead.routing.settings import Preferences
from fairlead.routing.types import Dropped, Plan
from fairlead.tasks.types import Task


def plan_embedding(
    task: Task,
    request: ChatRequest,
    embedders: Embedders,
    rights: Mapping[str, Decision],
    *,
    dimensions: int | None,
    preferences: Preferences,
    rates: Container[str],
    health: Callable[[str], str | None],
    unavailable: Mapping[str, str],
    key: str = "",
    arrange: Arrange = ordered,
    stopped: Mapping[str, str] = NOTHING_STOPPED,
) -> Plan:
    """As `plan`, for models that give embeddings. `request` has the texts as messages, and the size of the longest.

    The first model in order decides the space, whether or not it can answer now: `auto` means the same space as long as
    the workspace stays as it is. `dimensions` is the length of vector that is asked for, None for the model's own.
    """
    if task.type.tiers:  # those are of models that chat
        task = replace(task, type=replace(task.type, tiers=()))
    models = embedders.models
    names, why = order(task, request.model, models, preferences, embedders.groups, key, arrange)
    first = next((models[name].space for name in names if name in models), None)
    usable: dict[str, Model] = {}
    dropped: list[Dropped] = []
    for name, model in models.items():
        if name not in names:
            dropped.append(Dropped(name, "not asked for", f"the request names {request.model!r}"))
        elif first is not None and model.space is not None and model.space.name != first.name:
            other = f"its vectors cannot be compared with those of space {first.name!r}, which is asked for"
            dropped.append(Dropped(name, "not asked for", other))
        elif unfit := _unfit(model, dimensions):
            dropped.append(Dropped(name, "capability", unfit))
        else:
            usable[name] = model
    made = plan(
        task,
        request,
        usable,
        rights,
        preferences=preferences,
        rates=rates,
        health=health,
        unavailable=unavailable,
        default_output=0,
        has_passages=False,
        groups=embedders.groups,
        key=key,
        arrange=arrange,
        stopped=stopped,
    )
    return Plan(made.candidates, (*dropped, *made.dropped), why)


def _unfit(model: Model, dimensions: int | None) -> str:
    """Why a model cannot give vectors of this length, "" if it can, or if nobody knows."""
    space = model.space
    if dimensions is None or space is None or dimensions == space.dimensions:
        return ""
    if not space.shortens:
        own = f"have {space.dimensions} numbers" if space.dimensions is not None else "have one length"
        return f"its vectors {own}, and nobody has said that it gives others (`embeddings.shortens`)"
    if space.dimensions is not None and dimensions > space.dimensions:
        return f"its vectors have {space.dimensions} numbers, and {dimensions} are asked for"
    return ""
