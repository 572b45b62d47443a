"""What cascades say of models, objectives and rules that stand elsewhere in the workspace. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fairlead.costs.prices import cost
from fairlead.errors import closest
from fairlead.models.types import Usage
from fairlead.tasks import TaskSettings
from fairlead.tasks.cascades import CascadeSettings
from fairlead.tasks.objectives import ObjectiveSettings
from fairlead.workspace.problems import Problem
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.yaml_lines import Document, Path

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace

_USUAL: Final = Usage(input=3, output=1)  # of chats, about


def between(
    settings: WorkspaceSettings, tasks: Mapping[str, TaskSettings | None], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """Models that there are not, or that do not chat, or that the work does not keep to; and a cascade for novel
    requests where nothing could tell that they are."""
    for path, task in tasks.items():
        if task is None or task.cascade is None:
            continue
        document, cascade = documents[path], task.cascade
        tiers = (task.tier,) if task.tier else task.tiers
        within = {name for tier in tiers for name in settings.routing.tiers.get(tier, ())}
        for place, name in _named(cascade).items():
            yield from _no_such(document, place, name, settings)
            if within and name in settings.models and name not in within and place[1] == "models":
                message = f"`{name}` is in none of the tiers that this work keeps to, so it never answers"
                yield document.problem(place, message, "add it to a tier, or remove it here")
        aims = isinstance(task.objective, ObjectiveSettings) or (
            task.objective is None and settings.routing.objective is not None
        )
        if cascade.when == "novel" and not aims:
            message = "nothing can tell that a request is novel here: this work has no `objective`"
            yield document.problem(("cascade", "when"), message, "declare one, or leave `when` out")


def _named(cascade: CascadeSettings) -> dict[Path, str]:
    found: dict[Path, str] = {("cascade", "models", at): name for at, name in enumerate(cascade.models)}
    if cascade.agreement is not None:
        found["cascade", "agreement", "with"] = cascade.agreement.other
    return found


def _no_such(document: Document, place: Path, name: str, settings: WorkspaceSettings) -> Iterator[Problem]:
    about = settings.models.get(name)
    if about is None:
        mend = closest(name, settings.models) or "there is no model yet"
        yield document.problem(place, f"there is no model `{name}` in this workspace", mend)
    elif not isinstance(about, str) and about.embeddings is not None:
        mend = "name a model that chats: models for embeddings are asked for by name"
        yield document.problem(place, f"`{name}` gives embeddings, and does no other work", mend)


def remarks(workspace: Workspace) -> Iterator[str]:
    """What is allowed and may not be meant: checks that can seldom be made, and a cheaper model behind a dearer one."""
    policy = workspace.policy
    for name, task in workspace.tasks.types.items():
        if (cascade := task.cascade) is None:
            continue
        if "schema" in cascade.checks and not task.extracts:
            yield (
                f"tasks/{name}.yaml: cascade.keep_if names `schema`, and the task type has no `extracts`: it is "
                "checked only where a request asks for JSON (`response_format`)"
            )
        if "rules" in cascade.checks and not (policy.screens_replies or policy.has_endings):
            yield f"tasks/{name}.yaml: cascade.keep_if names `rules`, and no rule looks at replies: it is never checked"
        yield from _dearer_first(workspace, name, cascade.models)


def _dearer_first(workspace: Workspace, task: str, models: Collection[str]) -> Iterator[str]:
    prices: dict[str, int] = {}
    for model in workspace.models.models.values():
        rate = workspace.rates.get(model.name)
        if rate is not None:
            prices.setdefault(model.group or model.name, cost(_USUAL, rate))
    for first, second in pairwise(name for name in models if name in prices):
        if prices[first] > prices[second]:
            yield f"tasks/{task}.yaml: cascade.models has {first!r} before {second!r}, which costs less"
