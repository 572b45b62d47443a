"""From the text of a workspace to what a deployment decides with. All problems are found, not only the first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from fairlead.context import ContextSettings, Item, read_item
from fairlead.context.items import includes_of
from fairlead.context.sources.live import LiveSource, compile_live
from fairlead.context.sources.settings import SourcesFile, compile_sources
from fairlead.context.upkeep.settings import require_sound
from fairlead.controls import Controls, ControlSettings, compile_controls
from fairlead.costs import Budgets, Rate, compile_budgets, decode_rates, resolve_rates
from fairlead.errors import BadInput
from fairlead.execution.extraction import check_schema
from fairlead.identity import Identity, IdentitySettings, compile_identity
from fairlead.identity.settings import missing_secrets
from fairlead.lanes import LaneRules, compile_lanes
from fairlead.learning.settings import compile_outcomes
from fairlead.models.settings import Models, compile_models
from fairlead.policy import CaseResult, Policy, PolicyCase, RulesFile, compile_policy, run_policy_tests
from fairlead.policy.approvals import ApprovalRules, compile_approvals
from fairlead.routing import Preferences, compile_routing
from fairlead.tasks import TaskSettings, TaskTypes, compile_tasks
from fairlead.tasks.meaning import InstalledEncoder
from fairlead.tools.cards import SystemCard
from fairlead.tools.settings import System
from fairlead.workspace import aiming, crossings, organising, remarks
from fairlead.workspace.anchoring import compile_anchors
from fairlead.workspace.listening import networks
from fairlead.workspace.places import of_page, placed
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.settings import PolicyTestsFile, WorkspaceSettings
from fairlead.workspace.systems import card_path, files_of, one_system, refuse_unreadable
from fairlead.workspace.systems import crossings as crossings_of_systems
from fairlead.workspace.text import ENTRY, POLICY_TESTS, PRICES, SOURCES, WorkspaceText, task_name
from fairlead.workspace.typed import read
from fairlead.workspace.yaml_lines import Document, Node, Path, parse_yaml

Secrets = Callable[[str], str | None]
"""Gives the secret that a reference such as `env:NAME` stands for, or None where there is none."""

_Part = TypeVar("_Part")
_File = TypeVar("_File", bound=msgspec.Struct)
_USUAL_CONTEXT: Final = 1500  # tokens, where a workspace has pages and says nothing
_NO_ENTRY: Final = Document(ENTRY, Node({}, 1, 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """A workspace, compiled: every package's part, checked by itself and against the others.

    `rates` are by model name; a model in a cloud that has none is refused. `warnings` are for people, each with its
    file and line where it has one.
    """

    settings: WorkspaceSettings
    models: Models
    policy: Policy
    policy_cases: tuple[PolicyCase, ...]
    tasks: TaskTypes
    items: tuple[Item, ...]
    sources: SourcesFile
    rates: Mapping[str, Rate]
    budgets: Budgets
    identity: Identity
    preferences: Preferences
    controls: Controls
    lanes: LaneRules | None
    systems: Mapping[str, System]
    live: Mapping[str, LiveSource]
    approvals: ApprovalRules
    warnings: tuple[str, ...]

    @property
    def organisation(self) -> str:
        return self.settings.organisation


def compile_workspace(text: WorkspaceText, secrets: Secrets, *, now: int, pages_elsewhere: bool = False) -> Workspace:
    """The workspace that `text` describes. Raises `InvalidWorkspace` with every problem in it.

    A text that was published carries its price list; any other is priced by the list in force at `now` (milliseconds
    since 1970), which takes a moment. A secret that is missing is a warning: the text is right, this machine lacks it.
    With `pages_elsewhere` there is a context though the text comes without its pages.
    """
    compiling = _Compiling(text, secrets, now, pages_elsewhere)
    workspace = compiling.workspace()
    if workspace is None or compiling.problems:
        raise InvalidWorkspace(compiling.problems)
    return workspace


def policy_results(workspace: Workspace) -> list[CaseResult]:
    """How the cases of `policies/tests.yaml` come out."""
    return run_policy_tests(workspace.policy, workspace.policy_cases, workspace.models.models)


def require_policy_tests(workspace: Workspace, text: WorkspaceText) -> None:
    """Raise `InvalidWorkspace` with every case of `policies/tests.yaml` that comes out otherwise than expected."""
    document = parse_yaml(POLICY_TESTS, text.files.get(POLICY_TESTS, b""))
    assert isinstance(document, Document)
    failed = [
        document.problem(("tests", number), f"policy test {result.name!r}: {result.said}")
        for number, result in enumerate(policy_results(workspace))
        if not result.passed
    ]
    if failed:
        raise InvalidWorkspace(failed)


class _Compiling:
    """One compilation: what is wrong gathers in `problems`, and what is sound goes on being checked."""

    def __init__(self, text: WorkspaceText, secrets: Secrets, now: int, pages_elsewhere: bool) -> None:
        self._text = text
        self._pages_elsewhere = pages_elsewhere
        self._secrets = secrets
        self._now = now
        self._documents: dict[str, Document] = {}
        self._missing: list[str] = []
        self.problems: list[Problem] = []

    def workspace(self) -> Workspace | None:
        """The workspace, or None if there are problems."""
        settings = self._read(ENTRY, WorkspaceSettings)
        rules = {path: self._read(path, RulesFile) for path, _ in self._text.below("rules", ".yaml")}
        cases = self._read(POLICY_TESTS, PolicyTestsFile) if POLICY_TESTS in self._text.files else PolicyTestsFile()
        types = {path: self._read(path, TaskSettings) for path, _ in self._text.below("tasks", ".yaml")}
        watched = {path: self._read(path, ControlSettings) for path, _ in self._text.below("controls", ".yaml")}
        items = self._items(settings.context if settings else ContextSettings())
        if settings is None:
            return None
        models = self._each(lambda some: compile_models(some, self._secrets), settings.models, ("models",))
        identity = self._identity(settings)
        budgets = self._try(lambda: compile_budgets(settings.budgets, settings.alarms), ("budgets",))
        preferences = self._try(lambda: _routing(settings))
        controls = self._controls(settings, watched)
        systems = self._systems(settings)
        sources = self._sources(settings)
        live = self._live(sources, systems)
        approvals = self._approvals(settings, items)
        policy = self._policy(settings, rules, systems or {})
        tasks = self._tasks(settings, types, has_pages=bool(items) or self._pages_elsewhere)
        rates = self._rates(settings, models)
        self._listening(settings)
        self.problems += crossings.between(settings, rules, types, cases.tests if cases else (), self._documents)
        self.problems += crossings.read_live(types, sources, self._documents)
        self.problems += aiming.between(settings, types, models, rates, self._documents)
        if policy:
            self.problems += crossings.labelled(policy, rules, self._documents)
            self.problems += crossings.never_met(policy, models) if models else ()
        if (
            controls is None
            or systems is None
            or live is None
            or approvals is None
            or not (models and identity and budgets and preferences and policy and tasks and cases)
            or rates is None
        ):
            return None
        workspace = Workspace(
            settings=settings,
            models=models,
            policy=policy,
            policy_cases=tuple(cases.tests),
            tasks=tasks,
            items=items,
            sources=sources or SourcesFile(),
            rates=rates,
            budgets=budgets,
            identity=identity,
            preferences=preferences,
            controls=controls,
            systems=systems,
            live=live,
            approvals=approvals,
            lanes=self._try(lambda: compile_lanes(settings.lanes, _slots_of(models)), ("lanes",)),
            warnings=(),
        )
        return replace(workspace, warnings=(*self._text.warnings, *self._missing, *remarks.about(workspace, self._now)))

    def _read(self, path: str, kind: type[_File]) -> _File | None:
        """The settings in one YAML file, None if anything is wrong with it."""
        document = parse_yaml(path, self._text.files.get(path, b""))
        if isinstance(document, Problem):
            self.problems.append(document)
            return None
        self._documents[path] = document
        return read(document, kind, self.problems)

    def _try(
        self, make: Callable[[], _Part], base: Path = (), *, folder: str = "", others: Iterable[str] = ()
    ) -> _Part | None:
        """What `make` gives, None if it raises `BadInput`. That error is about fairlead.yaml, or one of `others`."""
        try:
            return make()
        except BadInput as error:
            entry = self._documents.get(ENTRY, _NO_ENTRY)
            documents = {path: self._documents[path] for path in others}
            self.problems.append(placed(error, entry, base, folder=folder, others=documents))
            return None

    def _each(self, make: Callable[[Mapping[str, Any]], _Part], entries: Mapping[str, Any], base: Path) -> _Part | None:
        """What `make` gives for all entries. Packages stop at the first fault: asked one by one, they tell them all."""
        before = len(self.problems)
        for name, entry in entries.items():
            self._try(partial(make, {name: entry}), (*base, name))
        return self._try(partial(make, entries), base) if len(self.problems) == before else None

    def _items(self, defaults: ContextSettings) -> tuple[Item, ...]:
        found = []
        pages = {path.removeprefix("context/"): content for path, content in self._text.below("context", ".md")}
        includes = includes_of(pages, defaults)
        for path, content in pages.items():
            try:
                found.append(read_item(path, content, defaults, includes))
            except BadInput as error:
                self.problems.append(of_page("context/", path, error))
        return tuple(found)

    def _approvals(self, settings: WorkspaceSettings, items: tuple[Item, ...]) -> ApprovalRules | None:
        rules = self._try(lambda: compile_approvals(settings.approvals, settings.alarms))
        wrong = list(organising.problems_of(items, rules)) if rules else []
        self.problems += wrong
        return rules if rules is None or wrong else organising.approvals_of(items, rules, self._now)

    def _identity(self, settings: WorkspaceSettings) -> Identity | None:
        keys = {}
        for name, key in settings.keys.items():
            if key.secret.startswith("env:") and not self._secrets(key.secret):
                variable = key.secret.removeprefix("env:")
                self._missing.append(f"keys.{name} is left out on this machine: {variable} is not set")
            else:
                keys[name] = key.named(name)

        def reveal(reference: str) -> str:
            return self._secrets(reference) or ""

        self._missing += missing_secrets(settings.identity, reveal)
        unbound = {name: msgspec.structs.replace(key, bound_to="") for name, key in keys.items()}
        declared = self._each(lambda some: compile_identity(IdentitySettings(), some, reveal), unbound, ("keys",))
        if declared is None:
            return None
        return self._try(lambda: compile_identity(settings.identity, keys, reveal), ("identity",))

    def _systems(self, settings: WorkspaceSettings) -> Mapping[str, System] | None:
        files, found, cards = files_of(self._text.files), {}, {}
        before = len(self.problems)
        for name, each in settings.systems.items():
            path = card_path(name)
            card = self._read(path, SystemCard) if path in files else None
            if path in files and card is None:
                continue
            if card is not None:
                cards[path] = card
            system = self._try(partial(one_system, name, each, card, files), ("systems", name))
            if system is not None:
                found[name] = system
        for path, one in cards.items():
            for tool, said in one.tools.items():
                check = partial(check_schema, f"tools.{tool}.extracts", said.extracts)
                self._checked(path, check)
        for error in crossings_of_systems(found):
            self._try(partial(_raise, error), ("systems",))
        self.problems += crossings.limited_tools(settings, found, self._documents[ENTRY])
        return found if len(self.problems) == before else None

    def _sources(self, settings: WorkspaceSettings) -> SourcesFile | None:
        file = self._read(SOURCES, SourcesFile) if SOURCES in self._text.files else SourcesFile()
        systems = {name: "resources" in getattr(each, "offers", ()) for name, each in settings.systems.items()}
        for name, each in file.sources.items() if file else ():
            one = SourcesFile(sources={name: each})
            self._checked(SOURCES, partial(compile_sources, one, systems))
        return file

    def _live(
        self, sources: SourcesFile | None, systems: Mapping[str, System] | None
    ) -> Mapping[str, LiveSource] | None:
        """The live sources, each with a tool that there is and that only reads."""
        if sources is None or systems is None:
            return None
        before = len(self.problems)
        found: dict[str, LiveSource] = {}
        for name, each in sources.live.items():
            try:
                found.update(compile_live({name: each}))
                refuse_unreadable(f"live.{name}", each.tool, systems)
            except BadInput as error:
                self.problems.append(placed(error, self._documents[SOURCES]))
        return found if len(self.problems) == before else None

    def _listening(self, settings: WorkspaceSettings) -> None:
        if settings.server.proxy:
            trusted = settings.server.proxy.trusted
            self._try(lambda: networks(trusted))
        self._try(lambda: compile_anchors(settings.audit.anchors))
        self._try(lambda: compile_outcomes(settings.outcomes))

    def _checked(self, path: str, check: Callable[[], object]) -> None:
        """Note what it raises at its place in that file."""
        try:
            check()
        except BadInput as error:
            self.problems.append(placed(error, self._documents[path]))

    def _policy(
        self, settings: WorkspaceSettings, rules: Mapping[str, RulesFile | None], systems: Mapping[str, System]
    ) -> Policy | None:
        sources = {}
        for path, content in self._text.below("policies", ".cedar"):
            try:
                sources[path] = content.decode("utf-8")
            except UnicodeDecodeError:
                self.problems.append(Problem(file=path, message="not UTF-8 text", mend="save the file as UTF-8"))
        files = {path: file for path, file in rules.items() if file is not None}
        if len(files) < len(rules):
            return None  # policies may rest on what could not be read
        return self._try(lambda: compile_policy(sources, settings.rules, files, systems), ("rules",), others=files)

    def _controls(self, settings: WorkspaceSettings, files: Mapping[str, ControlSettings | None]) -> Controls | None:
        self._try(lambda: require_sound(settings.context.upkeep, settings.alarms))
        alarms = self._each(lambda some: compile_controls({}, some, self._secrets), settings.alarms, ())
        self._missing += [
            f"alarms.{name} calls nobody on this machine: {alarm.secret} is not set"
            for name, alarm in settings.alarms.items()
            if not self._secrets(alarm.secret)
        ]
        if alarms is None:
            return None
        before = len(self.problems)
        sound = {path: one for path, one in files.items() if one is not None}
        for path, one in sound.items():
            try:
                compile_controls({task_name(path): one}, settings.alarms, self._secrets)
            except BadInput as error:
                said = error.message.removeprefix(f"{task_name(path)}.")
                about = BadInput(said, why=error.why, mend=error.mend)
                self.problems.append(placed(about, self._documents[path]))
        if len(self.problems) > before or len(sound) < len(files):
            return None
        named = {task_name(path): one for path, one in sound.items()}
        return compile_controls(named, settings.alarms, self._secrets)

    def _rates(self, settings: WorkspaceSettings, models: Models | None) -> Mapping[str, Rate] | None:
        if models is None:
            return None
        if PRICES in self._text.files:
            return decode_rates(self._text.files[PRICES])
        currency = settings.budgets.currency
        every = models.models.values()
        rates = self._try(lambda: resolve_rates(every, settings.prices, self._now, currency), ("prices",))
        if rates is not None:
            self.problems += crossings.unpriced_embedding(settings, models, rates, self._documents[ENTRY])
        return rates

    def _tasks(
        self, settings: WorkspaceSettings, types: Mapping[str, TaskSettings | None], *, has_pages: bool
    ) -> TaskTypes | None:
        sound = {task_name(path): one for path, one in types.items() if one is not None}
        for name, one in sound.items():
            self._task_types({name: one})
            self._checked(f"tasks/{name}.yaml", partial(check_schema, "extracts", one.extracts))
        if self.problems or len(sound) < len(types):
            return None
        default = settings.defaults.task if settings.defaults.task in sound else ""
        context = settings.defaults.context
        if context is None:
            context = _USUAL_CONTEXT if has_pages else 0
        encoder = None
        if settings.defaults.recognise == "meaning":
            encoder = self._try(InstalledEncoder)
            if encoder is None:
                return None
        return self._task_types(sound, default, context, encoder)

    def _task_types(
        self,
        types: Mapping[str, TaskSettings],
        default: str = "",
        context: int = 0,
        encoder: InstalledEncoder | None = None,
    ) -> TaskTypes | None:
        try:
            return compile_tasks(types, default=default, context=context, encoder=encoder)
        except BadInput as error:
            # The message begins with the type's name, which is the file's.
            name = max((one for one in types if error.message.startswith((f"{one}.", f"{one}:"))), key=len)
            said = error.message.removeprefix(f"{name}:").replace(f"{name}.", "").strip()
            about = BadInput(said, why=error.why, mend=error.mend)
            self.problems.append(placed(about, self._documents[f"tasks/{name}.yaml"]))
            return None


def _raise(error: BadInput) -> None:
    raise error


def _slots_of(models: Models) -> dict[str, int]:
    """The most calls at once to each endpoint that has such a limit."""
    endpoints = models.endpoints.items()
    return {name: endpoint.concurrency for name, endpoint in endpoints if endpoint.concurrency is not None}


def _routing(settings: WorkspaceSettings) -> Preferences:
    try:
        return compile_routing(settings.routes, settings.models)
    except BadInput as error:
        if error.message.startswith(("routing.tiers", "routing.objective")):
            raise
        # The other keys of routing stand at the top of fairlead.yaml.
        raise BadInput(error.message.replace("routing.", ""), why=error.why, mend=error.mend) from error
