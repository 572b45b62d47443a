"""What one part of a workspace says about another: names that must exist elsewhere. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from fairlead.context.kinds import KINDS
from fairlead.context.sources.settings import SourcesFile
from fairlead.errors import closest
from fairlead.models.declared import ModelSettings
from fairlead.models.settings import Models
from fairlead.policy import Policy, PolicyCase, models_compared
from fairlead.policy.settings import RulesFile, Scope
from fairlead.policy.ways import START
from fairlead.tasks import TaskSettings
from fairlead.tasks.requirements import OnlyModels
from fairlead.tasks.settings import BUILT_IN
from fairlead.tools.systems import System
from fairlead.workspace.defining import FOLDER as WORKFLOWS
from fairlead.workspace.problems import Problem
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.text import ENTRY, POLICY_TESTS, task_name
from fairlead.workspace.yaml_lines import Document, Path


def between(
    settings: WorkspaceSettings,
    rules: Mapping[str, RulesFile | None],
    tasks: Mapping[str, TaskSettings | None],
    cases: Sequence[PolicyCase],
    documents: Mapping[str, Document],
) -> Iterator[Problem]:
    """Every name that one part uses and no other part has, and every name that would mean two things."""
    entry = documents[ENTRY]
    names = {task_name(path) for path in tasks}
    for number, rule in enumerate(settings.rules):
        yield from _unknown(entry, ("rules", number, "tasks"), rule.tasks, names | {BUILT_IN}, "task type")
        if rule.allow is not None:
            yield from _unknown(
                entry, ("rules", number, "allow", "models"), rule.allow.models, settings.models, "model"
            )
    yield from _of_workflows(settings, cases, documents)
    for path, file in rules.items():
        if file is not None:
            yield from _of_rules(documents[path], file, names | {BUILT_IN}, settings.models)
    for number, case in enumerate(cases):
        if case.task and case.task not in names | {BUILT_IN}:
            yield _missing(documents[POLICY_TESTS], ("tests", number, "task"), case.task, names, "task type")
    yield from _of_limits(entry, settings, names)
    yield from _embedding(entry, settings)
    if settings.defaults.task and settings.defaults.task not in names:
        yield _missing(entry, ("defaults", "task"), settings.defaults.task, names, "task type")
    yield from _of_tasks(settings, tasks, documents)
    if not settings.defaults.task and BUILT_IN not in names:
        yield from _built_in_taken(entry, settings)


def _of_limits(entry: Document, settings: WorkspaceSettings, names: set[str]) -> Iterator[Problem]:
    """What budgets, lanes and limits are about. `names` are the task types."""
    kinds, limits = names | {BUILT_IN}, settings.limits
    yield from _unknown_keys(entry, ("budgets", "tasks"), settings.budgets.tasks.keys() - {"*"}, names, "task type")
    yield from _unknown_keys(entry, ("lanes", "tasks"), settings.lanes.tasks.keys(), kinds, "task type")
    yield from _unknown_keys(entry, ("limits", "tasks"), limits.tasks.keys() - {"*"}, kinds, "task type")
    yield from _unknown_keys(entry, ("limits", "models"), limits.models.keys() - {"*"}, settings.models, "model")
    yield from _unknown_keys(entry, ("limits", "systems"), limits.systems.keys() - {"*"}, settings.systems, "system")
    for lane, asked_of in settings.lanes.names.items():
        yield from _unknown(entry, ("lanes", "names", lane, "tasks"), asked_of.tasks, kinds, "task type")


def _of_tasks(
    settings: WorkspaceSettings, tasks: Mapping[str, TaskSettings | None], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """The models that task types name, and task types that are named as a model is."""
    asked = [each for each in settings.models.values() if not isinstance(each, str)]
    aliases = {alias for each in asked for alias in each.aliases}
    for path, task in tasks.items():
        if task is not None:
            yield from _unknown(documents[path], ("prefer",), task.prefer, settings.models, "model")
            yield from _of_requirements(documents[path], task, settings.models)
        if (name := task_name(path)) in settings.models or name in aliases:
            yield Problem(
                file=path,
                message=f"a model is named `{name}` too" if name in settings.models else f"`{name}` is a model's alias",
                mend="callers ask for a model or a task type in one and the same field: rename this file",
            )


def _embedding(entry: Document, settings: WorkspaceSettings) -> Iterator[Problem]:
    """The model that is to embed the pages."""
    name, place = settings.context.embedding_model, ("context", "embeddings")
    giving = [each for each, about in settings.models.items() if not isinstance(about, str) and about.embeddings]
    if settings.context.embeddings in giving and not name:
        said = f"`{settings.context.embeddings}` is a word of this key, and cannot name a model of the workspace"
        yield entry.problem(
            place, said, f"name the model otherwise: models.{settings.context.embeddings} is taken for it"
        )
    if not name or name in giving:
        return
    if name in settings.models:
        mend = f"name a model for embeddings, or declare `models.{name}.embeddings` if it is one"
        yield entry.problem(place, f"`{name}` chats, and gives no embeddings", mend)
    else:
        yield _missing(entry, place, name, (*giving, "local", "none"), "model for embeddings")


def unpriced_embedding(
    settings: WorkspaceSettings, models: Models, rates: Collection[str], document: Document
) -> Iterator[Problem]:
    """The model that is to embed the pages, where nobody has said what it costs: nothing could be reserved for it."""
    name = settings.context.embedding_model
    for each in models.models.values():
        if name and name in (each.name, each.group) and each.name not in rates:
            yield document.problem(
                ("context", "embeddings"),
                f"nobody has said what {each.name} costs, so it cannot embed the pages",
                f"add it under `prices:`, as in {each.name}: {{input: 0.02}} for a million tokens",
            )


def read_live(
    tasks: Mapping[str, TaskSettings | None], sources: SourcesFile | None, documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """Live sources that task types name and nobody has declared."""
    for path, task in tasks.items():
        if task is not None and sources is not None:
            yield from _unknown(documents[path], ("live",), task.live, sources.live, "live source")


def _of_rules(
    document: Document, file: RulesFile, tasks: Collection[str], models: Mapping[str, str | ModelSettings]
) -> Iterator[Problem]:
    """The task types and models that one file of `rules/` names."""
    for kind, rules in _scopes(file).items():
        for number, rule in enumerate(rules):
            yield from _unknown(document, (kind, number, "tasks"), rule.tasks, tasks, "task type")
    chat = [name for name, each in models.items() if isinstance(each, str) or each.embeddings is None]
    for number, judge in enumerate(file.judge):
        if judge.model not in chat:
            yield _missing(document, ("judge", number, "model"), judge.model, chat, "model that chats")


def _of_requirements(
    document: Document, task: TaskSettings, models: Mapping[str, str | ModelSettings]
) -> Iterator[Problem]:
    """The models that a task type's requirements leave it."""
    for number, need in enumerate(task.requires):
        if need.kind and need.kind not in KINDS:
            yield _missing(document, ("requires", number, "kind"), need.kind, KINDS, "kind of page")
        for key in ("otherwise", "missing", "stale", "unverified", "hidden", "contradicted"):
            follows = getattr(need, key)
            if isinstance(follows, OnlyModels):
                yield from _unknown(document, ("requires", number, key, "models"), follows.models, models, "model")


def labelled(
    policy: Policy, rules: Mapping[str, RulesFile | None], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """Rules for requests with a category that nothing finds: they would never hold."""
    for path, file in rules.items():
        for kind, scopes in _scopes(file).items() if file is not None else ():
            for number, rule in enumerate(scopes):
                place = (kind, number, "labels")
                yield from _unknown(documents[path], place, rule.labels, policy.categories, "category")


def _scopes(file: RulesFile) -> Mapping[str, tuple[Scope, ...]]:
    return {"words": file.words, "require": file.require, "grounding": file.grounding, "judge": file.judge}


def limited_tools(settings: WorkspaceSettings, systems: Mapping[str, System], document: Document) -> Iterator[Problem]:
    """Tools that `limits:` names and no system has. Those of a system of which nothing is accepted yet may come."""
    names = settings.limits.tools.keys() - {"*"}
    known = {tool.name for system in systems.values() for tool in system.tools.values()}
    coming = {each for each in names if (of := systems.get(each.partition(".")[0])) is not None and not of.tools}
    yield from _unknown_keys(document, ("limits", "tools"), names - coming, known, "tool")


def never_met(policy: Policy, models: Models) -> Iterator[Problem]:
    """Policies that compare with a model that has deployments: only these are ever asked about, so none would hold."""
    for statement in policy.statements:
        for name in sorted(models_compared(statement) & models.groups.keys()):
            file, _, line = statement.where.rpartition(":")
            yield Problem(
                file=file,
                line=int(line),
                message=f"`{name}` has deployments, and no call goes to a model that is exactly `{name}`",
                mend=f'write resource in Model::"{name}", or name a deployment: Model::"{name}/…"',
            )


def _built_in_taken(entry: Document, settings: WorkspaceSettings) -> Iterator[Problem]:
    """Models and aliases with the name of the task type that there is where no other is declared the usual one."""
    places: list[Path] = [("models", name) for name in settings.models if name == BUILT_IN]
    for name, model in settings.models.items():
        aliases = () if isinstance(model, str) else model.aliases
        places += [("models", name, "aliases", at) for at, alias in enumerate(aliases) if alias == BUILT_IN]
    for place in places:
        yield entry.problem(
            place,
            f"`{BUILT_IN}` is the task type that is built in, and cannot name a model too",
            "callers ask for a model or a task type in one and the same field: name the model otherwise, or declare "
            "the usual task type under `defaults.task`",
        )


def _of_workflows(
    settings: WorkspaceSettings, cases: Sequence[PolicyCase], documents: Mapping[str, Document]
) -> Iterator[Problem]:
    """Workflows that budgets, rules and tests name, and that there are not."""
    workflows = {task_name(path) for path in documents if path.startswith(f"{WORKFLOWS}/")}
    capped = settings.budgets.workflows.keys() - {"*"}
    yield from _unknown_keys(documents[ENTRY], ("budgets", "workflows"), capped, workflows, "workflow")
    for number, rule in enumerate(settings.rules):
        if rule.start is not None:
            named = rule.start.workflows
            yield from _unknown(documents[ENTRY], ("rules", number, "start", "workflows"), named, workflows, "workflow")
    for number, case in enumerate(cases):
        if case.action == START and case.workflow not in workflows:
            path = ("tests", number, "workflow")
            yield _missing(documents[POLICY_TESTS], path, case.workflow, workflows, "workflow")


def _unknown(
    document: Document, path: Path, names: Collection[str], known: Collection[str], kind: str
) -> Iterator[Problem]:
    for number, name in enumerate(names):
        if name not in known:
            yield _missing(document, (*path, number), name, known, kind)


def _unknown_keys(
    document: Document, path: Path, names: Collection[str], known: Collection[str], kind: str
) -> Iterator[Problem]:
    for name in sorted(names):
        if name not in known:
            yield _missing(document, (*path, name), name, known, kind)


def _missing(document: Document, path: Path, name: str, known: Collection[str], kind: str) -> Problem:
    mend = closest(name, known) or f"there is no {kind} yet"
    return document.problem(path, f"there is no {kind} `{name}` in this workspace", mend)
