"""What objectives, tiers and cascades say of models and prices that stand elsewhere in the workspace. Pure."""

from collections.abc import Collection, Iterator, Mapping

from fairlead.costs import Rate
from fairlead.costs.money import format_money
from fairlead.costs.prices import cost
from fairlead.errors import closest
from fairlead.models.settings import Models
from fairlead.models.types import Usage
from fairlead.tasks import TaskSettings
from fairlead.tasks.objectives import ObjectiveSettings
from fairlead.workspace import cascading
from fairlead.workspace.problems import Problem
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.text import ENTRY
from fairlead.workspace.yaml_lines import Document, Path

_LEAST = Usage(input=1, output=1)


def between(
    settings: WorkspaceSettings,
    tasks: Mapping[str, TaskSettings | None],
    models: Models | None,
    rates: Mapping[str, Rate] | None,
    documents: Mapping[str, Document],
) -> Iterator[Problem]:
    """What is said of models that there are not, or that could never be chosen. Prices are None where they are wrong
    themselves."""
    yield from _of_tiers(settings, tasks, documents)
    yield from cascading.between(settings, tasks, documents)
    if models is not None and rates is not None:
        yield from _out_of_reach(settings, tasks, models, rates, documents)


def _of_tiers(
    settings: WorkspaceSettings, tasks: Mapping[str, TaskSettings | None], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """Tiers of models that do not chat, tiers that nobody declared, and models preferred of none of a type's tiers."""
    tiers = settings.routing.tiers
    written = settings.models.items()
    embed = {name for name, each in written if not isinstance(each, str) and each.embeddings is not None}
    for tier, names in tiers.items():
        for number, name in enumerate(names):
            if name in embed:
                place: Path = ("routing", "tiers", tier, number)
                mend = "name a model that chats: models for embeddings are asked for by name"
                yield documents[ENTRY].problem(place, f"`{name}` gives embeddings, and does no other work", mend)
    for path, task in tasks.items():
        if task is None:
            continue
        document = documents[path]
        asked: dict[Path, str] = (
            {("tier",): task.tier} if task.tier else {("tiers", at): one for at, one in enumerate(task.tiers)}
        )
        for place, name in asked.items():
            if name not in tiers:
                mend = closest(name, tiers) or "declare it under `routing.tiers` in fairlead.yaml"
                yield document.problem(place, f"there is no tier `{name}` in this workspace", mend)
        if asked and all(name in tiers for name in asked.values()):
            yield from _preferred(document, task, [one for name in asked.values() for one in tiers[name]])


def _preferred(document: Document, task: TaskSettings, within: Collection[str]) -> Iterator[Problem]:
    for number, name in enumerate(task.prefer):
        if name not in within:
            message = f"`{name}` is in none of the tiers that this work keeps to, so it is never preferred"
            yield document.problem(("prefer", number), message, "add it to a tier, or remove it here")


def _out_of_reach(
    settings: WorkspaceSettings,
    tasks: Mapping[str, TaskSettings | None],
    models: Models,
    rates: Mapping[str, Rate],
    documents: Mapping[str, Document],
) -> Iterator[Problem]:
    """Ceilings of cost under which not even a request of one token stays, with any of the models that may do it."""
    chats = {name for name, each in models.models.items() if each.space is None}
    least = {name: cost(_LEAST, rate) for name, rate in rates.items() if name in chats}
    objective = settings.routing.objective
    if objective is not None:
        yield from _above(documents[ENTRY], ("routing", "objective", "cost_at_most"), objective, least, settings)
    for path, task in tasks.items():
        if task is None or not isinstance(task.objective, ObjectiveSettings):
            continue
        tiers = (task.tier,) if task.tier else task.tiers
        named = {one for tier in tiers for one in settings.routing.tiers.get(tier, ())}
        within = {
            name: price for name, price in least.items() if not named or {name, models.models[name].group} & named
        }
        yield from _above(documents[path], ("objective", "cost_at_most"), task.objective, within, settings)


def _above(
    document: Document, place: Path, objective: ObjectiveSettings, least: Mapping[str, int], settings: WorkspaceSettings
) -> Iterator[Problem]:
    bound = objective.cost_at_most
    if bound is None or not least:
        return
    cheapest = min(least, key=lambda name: least[name])
    if least[cheapest] > round(bound * 1e9):
        price = format_money(least[cheapest], settings.budgets.currency)
        yield document.problem(
            place,
            f"no model can stay below it: one token in and one out cost {price} with `{cheapest}`, the cheapest",
            f"raise it above {price}, or add a cheaper model",
        )
