"""From the text of a workspace to what a deployment decides with. All problems are found, not only the first."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import msgspec

from fairlead.context import ContextSettings, Item, read_item
from fairlead.context.items import includes_of
from fairlead.context.sources.live import LiveSource
from fairlead.context.sources.settings import SourcesFile
from fairlead.context.upkeep.settings import require_sound
from fairlead.controls import Controls, ControlSettings, compile_controls
from fairlead.costs import Budgets, Rate, compile_budgets, decode_rates, resolve_rates
from fairlead.errors import BadInput
from fairlead.identity import Identity, IdentitySettings, compile_identity
from fairlead.identity.settings import missing_secrets
from fairlead.lanes import LaneRules, compile_lanes
from fairlead.learning.settings import compile_outcomes
from fairlead.models.settings import Models, compile_models
from fairlead.policy import Policy, PolicyCase, RulesFile, compile_policy
from fairlead.policy.approvals import ApprovalRules, compile_approvals
from fairlead.policy.declassification import Rule
from fairlead.routing import Preferences, compile_routing
from fairlead.tasks import TaskSettings, TaskTypes
from fairlead.tools.systems import System
from fairlead.workflows.bundle import Bundle
from fairlead.workspace import aiming, crossings, money_named, organising, remarks
from fairlead.workspace.anchoring import compile_anchors
from fairlead.workspace.connected import compiled_declassify, compiled_live, compiled_sources, compiled_systems
from fairlead.workspace.defining import FOLDER as WORKFLOWS
from fairlead.workspace.defining import compiled_workflows
from fairlead.workspace.findings import Findings
from fairlead.workspace.kinds_of_work import compiled_tasks
from fairlead.workspace.listening import networks
from fairlead.workspace.places import of_page, placed
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.settings import PolicyTestsFile, WorkspaceSettings
from fairlead.workspace.text import ENTRY, POLICY_TESTS, PRICES, WorkspaceText, task_name

Secrets = Callable[[str], str | None]
"""Gives the secret that a reference such as `env:NAME` stands for, or None where there is none."""


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
    declassify: Mapping[str, Rule]
    approvals: ApprovalRules
    workflows: Mapping[str, Bundle]
    warnings: tuple[str, ...] = ()

    @property
    def organisation(self) -> str:
        """The name of the organisation, as fairlead.yaml says."""
        return self.settings.organisation


def compile_workspace(text: WorkspaceText, secrets: Secrets, *, now: int, pages_elsewhere: bool = False) -> Workspace:
    """The workspace that `text` describes. Raises `InvalidWorkspace` with every problem in it.

    A text that was published carries its price list; any other is priced by the list in force at `now` (milliseconds
    since 1970), which takes a moment. A secret that is missing is a warning: the text is right, this machine lacks it.
    With `pages_elsewhere` there is a context though the text comes without its pages.
    """
    findings = Findings(text)
    workspace = _Compiling(findings, secrets, now, pages_elsewhere).workspace()
    if workspace is None or findings.problems:
        raise InvalidWorkspace(findings.problems)
    return workspace


class _Compiling:
    """One compilation, part by part."""

    def __init__(self, findings: Findings, secrets: Secrets, now: int, pages_elsewhere: bool) -> None:
        self._found = findings
        self._pages_elsewhere = pages_elsewhere
        self._secrets = secrets
        self._now = now
        self._missing: list[str] = []

    def workspace(self) -> Workspace | None:
        """The workspace, or None if there are problems."""
        found = self._found
        settings = found.read(ENTRY, WorkspaceSettings)
        rules = found.below("rules", RulesFile)
        cases = found.read(POLICY_TESTS, PolicyTestsFile) if POLICY_TESTS in found.text.files else PolicyTestsFile()
        types = found.below("tasks", TaskSettings)
        watched = found.below("controls", ControlSettings)
        items = self._items(settings.context if settings else ContextSettings())
        if settings is None:
            return None
        models = found.each(lambda some: compile_models(some, self._secrets), settings.models, ("models",))
        identity = self._identity(settings)
        budgets = found.tried(lambda: compile_budgets(settings.budgets, settings.alarms), ("budgets",))
        preferences = found.tried(lambda: compile_routing(settings.routes, settings.models))
        controls = self._controls(settings, watched)
        declassify, systems = compiled_declassify(found, rules, compiled_systems(found, settings))
        sources = compiled_sources(found, settings)
        live = compiled_live(found, sources, systems)
        approvals = self._approvals(settings, items)
        policy = self._policy(settings, rules, systems or {})
        workflows = self._workflows(settings, systems, types)
        tasks = compiled_tasks(found, settings, types, has_pages=bool(items) or self._pages_elsewhere)
        rates = self._rates(settings, models)
        self._listening(settings)
        found.problems += crossings.between(settings, rules, types, cases.tests if cases else (), found.documents)
        found.problems += self._named(settings, types, models, rates, systems, sources)
        if policy:
            found.problems += crossings.labelled(policy, rules, found.documents)
            found.problems += crossings.never_met(policy, models) if models else ()
        if controls is None or systems is None or live is None or approvals is None or workflows is None:
            return None
        if rates is None or not (models and identity and budgets and preferences and policy and tasks and cases):
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
            declassify=declassify,
            approvals=approvals,
            workflows=workflows,
            lanes=found.tried(lambda: compile_lanes(settings.lanes, _slots_of(models)), ("lanes",)),
        )
        return replace(workspace, warnings=(*found.text.warnings, *self._missing, *remarks.about(workspace, self._now)))

    def _named(
        self,
        settings: WorkspaceSettings,
        types: Mapping[str, TaskSettings | None],
        models: Models | None,
        rates: Mapping[str, Rate] | None,
        systems: Mapping[str, System] | None,
        sources: SourcesFile | None,
    ) -> Iterator[Problem]:
        yield from crossings.read_live(types, sources, self._found.documents)
        yield from aiming.between(settings, types, models, rates, self._found.documents)
        yield from money_named.between(settings, types, models, systems, self._found.documents)

    def _items(self, defaults: ContextSettings) -> tuple[Item, ...]:
        found = []
        pages = {path.removeprefix("context/"): content for path, content in self._found.text.below("context", ".md")}
        includes = includes_of(pages, defaults)
        for path, content in pages.items():
            try:
                found.append(read_item(path, content, defaults, includes))
            except BadInput as error:
                self._found.problems.append(of_page(path, error))
        return tuple(found)

    def _workflows(
        self,
        settings: WorkspaceSettings,
        systems: Mapping[str, System] | None,
        types: Mapping[str, TaskSettings | None],
    ) -> Mapping[str, Bundle] | None:
        if systems is None:
            return None
        bundles, remarked = compiled_workflows(self._found, settings, systems, frozenset(map(task_name, types)))
        self._missing += remarked
        return bundles

    def _approvals(self, settings: WorkspaceSettings, items: tuple[Item, ...]) -> ApprovalRules | None:
        rules = self._found.tried(lambda: compile_approvals(settings.approvals, settings.alarms))
        wrong = list(organising.problems_of(items, rules)) if rules else []
        self._found.problems += wrong
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
        declared = self._found.each(lambda some: compile_identity(IdentitySettings(), some, reveal), unbound, ("keys",))
        if declared is None:
            return None
        return self._found.tried(lambda: compile_identity(settings.identity, keys, reveal), ("identity",))

    def _listening(self, settings: WorkspaceSettings) -> None:
        if settings.server.proxy:
            trusted = settings.server.proxy.trusted
            self._found.tried(lambda: networks(trusted))
        self._found.tried(lambda: compile_anchors(settings.audit.anchors))
        self._found.tried(lambda: compile_outcomes(settings.outcomes))

    def _policy(
        self, settings: WorkspaceSettings, rules: Mapping[str, RulesFile | None], systems: Mapping[str, System]
    ) -> Policy | None:
        sources = {}
        for path, content in self._found.text.below("policies", ".cedar"):
            try:
                sources[path] = content.decode("utf-8")
            except UnicodeDecodeError:
                self._found.problems.append(Problem(file=path, message="not UTF-8 text", mend="save the file as UTF-8"))
        files = {path: file for path, file in rules.items() if file is not None}
        has_workflows = any(self._found.text.below(WORKFLOWS, ".yaml"))
        if len(files) < len(rules):
            return None  # policies may rest on what could not be read
        return self._found.tried(
            lambda: compile_policy(
                sources, settings.rules, files, systems, _lists(self._found.text), workflows=has_workflows
            ),
            ("rules",),
            others=files,
        )

    def _controls(self, settings: WorkspaceSettings, files: Mapping[str, ControlSettings | None]) -> Controls | None:
        self._found.tried(lambda: require_sound(settings.context.upkeep, settings.alarms))
        alarms = self._found.each(lambda some: compile_controls({}, some, self._secrets), settings.alarms, ())
        self._missing += [
            f"alarms.{name} calls nobody on this machine: {alarm.secret} is not set"
            for name, alarm in settings.alarms.items()
            if not self._secrets(alarm.secret)
        ]
        if alarms is None:
            return None
        before = len(self._found.problems)
        sound = {path: one for path, one in files.items() if one is not None}
        for path, one in sound.items():
            try:
                compile_controls({task_name(path): one}, settings.alarms, self._secrets)
            except BadInput as error:
                said = error.message.removeprefix(f"{task_name(path)}.")
                about = BadInput(said, why=error.why, mend=error.mend)
                self._found.problems.append(placed(about, self._found.documents[path]))
        if len(self._found.problems) > before or len(sound) < len(files):
            return None
        named = {task_name(path): one for path, one in sound.items()}
        return compile_controls(named, settings.alarms, self._secrets)

    def _rates(self, settings: WorkspaceSettings, models: Models | None) -> Mapping[str, Rate] | None:
        if models is None:
            return None
        if PRICES in self._found.text.files:
            return decode_rates(self._found.text.files[PRICES])
        currency = settings.budgets.currency
        every = models.models.values()
        rates = self._found.tried(lambda: resolve_rates(every, settings.prices, self._now, currency), ("prices",))
        if rates is not None:
            self._found.problems += crossings.unpriced_embedding(settings, models, rates, self._found.documents[ENTRY])
        return rates


def _lists(text: WorkspaceText) -> dict[str, bytes]:
    """The files of `rules/` that hold names."""
    return {path: content for ending in (".csv", ".txt") for path, content in text.below("rules", ending)}


def _slots_of(models: Models) -> dict[str, int]:
    """The most calls at once to each endpoint that has such a limit."""
    endpoints = models.endpoints.items()
    return {name: endpoint.concurrency for name, endpoint in endpoints if endpoint.concurrency is not None}
