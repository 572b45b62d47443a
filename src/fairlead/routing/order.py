"""Which models may answer a request, and in which order they are tried. A model with deployments stands for each."""

from collections.abc import Collection, Container, Iterable, Mapping

from fairlead.errors import NotFound, closest
from fairlead.models.deployments import Group, ordered
from fairlead.models.types import AUTO, Model
from fairlead.routing.outstanding import Arrange
from fairlead.routing.settings import Preferences
from fairlead.routing.types import Dropped
from fairlead.tasks.types import Task

Groups = Mapping[str, Group]
NO_GROUPS: Groups = {}


def candidates_for(
    asked: str,
    models: Mapping[str, Model],
    task_types: Collection[str],
    preferences: Preferences,
    groups: Groups = NO_GROUPS,
    others: Collection[str] = (),
) -> Mapping[str, Model]:
    """The models that may answer a request for `asked`: those that have to be authorized. Raises `NotFound`.

    `others` are the names of models that are of another kind: they are not there for this request.
    """
    if asked not in models and asked not in groups:
        if asked == AUTO or asked in task_types:
            return models
        if asked in others:
            raise NotFound(
                f"model {asked!r} is not for requests of this kind",
                why="a model either chats or gives embeddings, as `models:` declares it",
                mend="ask for another model, or send the request to the door of its kind",
                step="classify",
                subject=asked,
                param="model",
            )
        raise NotFound(
            f"there is no model {asked!r} here",
            why="`model` is `auto`, the name of a task type, or the name of a model of the workspace",
            mend=closest(asked, dict.fromkeys((*groups, *models, *task_types, AUTO))),
            step="classify",
            subject=asked,
            param="model",
        )
    if preferences.fallback is True:
        return models
    names: Iterable[str] = dict.fromkeys((asked, *(preferences.fallback or ())))
    if groups:
        names = [each for name in names for each in _members(name, groups)]
    return {name: models[name] for name in names if name in models}


def order(
    task: Task,
    asked: str,
    models: Mapping[str, Model],
    preferences: Preferences,
    groups: Groups,
    key: str,
    arrange: Arrange = ordered,
) -> tuple[dict[str, None], str]:
    """Names of the models to consider, first to last, and the sentence that says so.

    The deployments of a model follow each other as `arrange` orders them for the key.
    """
    named = asked in models or asked in groups
    fallback = preferences.fallback
    if named and fallback is not True:
        names: tuple[str, ...] = (asked, *(fallback or ()))
        stands_in = "; then the models that `fallback` lists" if fallback else ""
        why = f"the request names {asked!r}{stands_in}"
    else:
        if task.type.tiers and not named:
            names, why = _of_tiers(task, preferences)
        else:
            names = (*task.type.prefer, *preferences.prefer, *_declared(models, groups))
            why = f"as task type {task.type.name!r} prefers, then the workspace, then as declared"
        if named:
            names = (asked, *names)
            why = f"the request names {asked!r}; the others stand in, as `fallback` says"
    if not groups:
        return dict.fromkeys(names), why
    if asked in groups:
        why += "; its deployments by priority, equals by what they have under way for their weight"
    expanded: dict[str, None] = {}
    for name in dict.fromkeys(names):
        group = groups.get(name)
        expanded.update(dict.fromkeys([name] if group is None else arrange(group, key)))
    return expanded, why


def _of_tiers(task: Task, preferences: Preferences) -> tuple[tuple[str, ...], str]:
    """The models of a task type's tiers and no others, those first that it prefers."""
    tiers = task.type.tiers
    within = tuple(name for tier in tiers for name in preferences.tiers.get(tier, ()))
    first = tuple(name for name in task.type.prefer if name in within)
    return (*first, *within), f"task type {task.type.name!r} keeps to {_tiers_said(tiers)}, in their order"


def _tiers_said(tiers: tuple[str, ...]) -> str:
    return ("the tier " if len(tiers) == 1 else "the tiers ") + ", ".join(tiers)


def not_asked_for(
    task: Task, asked: str, models: Mapping[str, Model], groups: Groups, names: Container[str]
) -> list[Dropped]:
    """The models that are not in the order at all, and why."""
    named = asked in models or asked in groups
    keeps = f"task type {task.type.name!r} keeps to {_tiers_said(task.type.tiers)}"
    reason = keeps if task.type.tiers and not named else f"the request names {asked!r}"
    return [Dropped(name, "not asked for", reason) for name in models if name not in names]


def _members(name: str, groups: Groups) -> Iterable[str]:
    group = groups.get(name)
    return (name,) if group is None else (member.name for member in group.members)


def _declared(models: Mapping[str, Model], groups: Groups) -> Iterable[str]:
    return dict.fromkeys([model.group or name for name, model in models.items()]) if groups else models
