"""Revisions as a process takes them up: read, compiled, and given to all of its parts that live longer than one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fairlead.context import Context
from fairlead.context.embedding import embedder_of
from fairlead.context.upkeep.proposals import Proposals
from fairlead.context.upkeep.requests import Requests
from fairlead.context.vector_space import vector_space
from fairlead.controls.watch import Watch
from fairlead.execution import Defaults, Deployment
from fairlead.execution.approvals import Approvals
from fairlead.execution.kept_flows import Flows
from fairlead.execution.memories import Memories
from fairlead.execution.pins import Pins
from fairlead.execution.stickiness import compile_kept
from fairlead.identity import Authenticator, Key
from fairlead.identity.browser import BrowserSessions
from fairlead.identity.credentials import Credentials
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.introspection import Introspections
from fairlead.identity.issuer_keys import IssuerKeyRings
from fairlead.identity.people import People
from fairlead.lanes.rates import compile_limits
from fairlead.learning.examples import Examples
from fairlead.learning.feedback import Feedback
from fairlead.learning.feedback import Rules as FeedbackRules
from fairlead.learning.gathering import Gathering
from fairlead.models.registry import apart, open_drivers
from fairlead.net.http import Http
from fairlead.policy.approvals import ApprovalRules
from fairlead.policy.feedback import FeedbackRights
from fairlead.policy.stops import Stop, compile_stops
from fairlead.routing.learned import Predictor
from fairlead.routing.pace import Speed
from fairlead.storage.retention import compile_retention
from fairlead.storage.sessions import Sessions
from fairlead.storage.store import Store
from fairlead.workflows.asked import InForce, Workflows
from fairlead.workflows.queues import limits_of
from fairlead.workflows.runs import Runs
from fairlead.workspace import speeds
from fairlead.workspace.asking import take_up_approvals
from fairlead.workspace.budgeting import Budgeting
from fairlead.workspace.compile import Workspace, compile_workspace
from fairlead.workspace.connecting import Connections
from fairlead.workspace.custody import Custody
from fairlead.workspace.flowing import compile_flows
from fairlead.workspace.organising import approvals_at
from fairlead.workspace.pages import address_of
from fairlead.workspace.predicting import load_in_force
from fairlead.workspace.published import load_keys, load_revision, load_stops
from fairlead.workspace.surroundings import Surroundings
from fairlead.workspace.upkeeping import Upkeeping, around


@dataclass(frozen=True, kw_only=True, slots=True)
class LastingParts:
    """The parts of a process that each revision in turn comes into force for."""

    http: Http
    rings: IssuerKeyRings
    introspections: Introspections
    people: People
    sessions: Sessions
    signed_in: BrowserSessions
    grants: GrantTokens
    credentials: Credentials
    connections: Connections
    approvals: Approvals
    feedback: Feedback
    examples: Examples
    runs: Runs
    workflows: Workflows
    gathering: Gathering
    flows: Flows
    memories: Memories
    requests: Requests
    proposals: Proposals
    upkeep: Upkeeping
    pins: Pins
    watch: Watch
    custody: Custody
    budgeting: Budgeting


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledRevision:
    """A revision, read and compiled, not yet bound to an event loop. Made in a thread: it takes a while."""

    revision: str
    workspace: Workspace
    keys: tuple[Key, ...]
    stops: tuple[Stop, ...]
    context: Context
    deciding: str  # as `WorkspaceText.deciding`
    approvals: Callable[[int], ApprovalRules]  # at a moment: what pages say of the organisation ends with them
    predictor: Predictor | None = None
    speeds: Mapping[str, Speed] | None = None


def compile_revision(around: Surroundings, revision: str, before: CompiledRevision | None) -> CompiledRevision:
    """Read a published revision, the live keys and the stops, and compile them. Where `before` is the same revision,
    only the rows are read: a kill switch does not wait for a compilation."""
    if before is not None and before.revision == revision:
        return replace(
            before,
            keys=load_keys(around.store),
            stops=load_stops(around.store),
            predictor=load_in_force(around.store, before.workspace, before.predictor),
            speeds=speeds.in_force(around.store.beside, before.workspace, around.machine),
        )
    published = load_revision(around.store, revision, with_pages=False)
    workspace = compile_workspace(
        published.text, around.secrets, now=around.clock.now(), pages_elsewhere=bool(published.snapshot)
    )
    context = _context(around.store, workspace, published.snapshot)
    context.sufficiency(workspace.tasks)  # here, where nobody waits for it
    # Who decides under a revision has its pages in the snapshot alone.
    approvals = approvals_at(context.catalogue.entries, workspace.approvals)
    workspace = replace(workspace, approvals=approvals(around.clock.now()))
    workspace.policy.tools.prepare(tool for system in workspace.systems.values() for tool in system.tools.values())
    return CompiledRevision(
        revision=revision,
        workspace=workspace,
        keys=load_keys(around.store),
        stops=load_stops(around.store),
        context=context,
        deciding=published.text.deciding,
        approvals=approvals,
        predictor=load_in_force(around.store, workspace, before.predictor if before is not None else None),
        speeds=speeds.in_force(around.store.beside, workspace, around.machine),
    )


def _context(store: Store, workspace: Workspace, snapshot: str) -> Context:
    """The pages of a revision, ready to be searched; none where it has no snapshot."""
    if not snapshot:
        return Context()
    space = vector_space(workspace.settings.context, workspace.models.models.values())
    return Context.open(
        store,
        snapshot,
        names_items=workspace.policy.names_items,
        embedder=embedder_of(workspace.settings.context),
        key=space.key if space is not None else "",
    )


class Revisions:
    """Each revision in turn, compiled and with its drivers, and taken up by all that runs beside the path."""

    def __init__(self, around: Surroundings, parts: LastingParts) -> None:
        self._around = around
        self._parts = parts
        self._last: CompiledRevision | None = None

    def compiled(self, revision: str) -> CompiledRevision:
        """Call it in a thread."""
        self._last = compile_revision(self._around, revision, self._last)
        people = self._parts.people
        people.wanted = bool(self._last.workspace.identity.pushing)
        people.follow()
        return self._last

    def deployed(self, compiled: CompiledRevision) -> Deployment:
        """In force for the parts from here on; for requests, once it is taken up."""
        workspace, parts = compiled.workspace, self._parts
        settings = workspace.settings
        parts.sessions.keep = settings.sessions.kept_for(settings.payloads)
        parts.sessions.most_bytes = settings.sessions.most_bytes
        parts.upkeep.under = around(workspace, compiled.context.snapshot, compiled.keys)
        parts.proposals.due = settings.context.upkeep.due
        parts.watch.take_up(workspace.controls, parts.upkeep.others())
        parts.custody.under(settings)
        parts.budgeting.take_up(workspace)
        parts.pins.keep = settings.context.pinned_for
        definitions = {name: bundle.definition for name, bundle in workspace.workflows.items()}
        parts.runs.limits = limits_of(settings.workflows, definitions)
        parts.runs.keep = settings.workflows.kept_for
        _take_up_workflows(parts.workflows, workspace, compiled.revision)
        parts.flows.keep = settings.flows.kept_for(settings.payloads)
        parts.memories.settings, parts.memories.rules = settings.memory, compile_retention(settings.retention)
        credits = parts.budgeting.credits(workspace.budgets)
        take_up_approvals(parts.approvals, workspace, compiled.approvals, credits)
        parts.feedback.take_up(_feedback_rules(workspace))
        parts.examples.take_up(workspace.policy, keep=settings.payloads == "keep")
        parts.gathering.settings, parts.gathering.organisation = settings.outcomes, settings.organisation
        parts.grants.address = address_of(settings)
        parts.signed_in.take_up(workspace.identity, workspace.organisation)
        return _deployment(compiled, self._around, parts)


def _take_up_workflows(workflows: Workflows, workspace: Workspace, revision: str) -> None:
    tools = {
        tool.name: tool.definition.effect for system in workspace.systems.values() for tool in system.tools.values()
    }
    workflows.permits.in_force = workspace.policy, revision
    workflows.in_force = InForce(
        bundles=workspace.workflows,
        people={name: key.person or name for name, key in workspace.settings.keys.items()},
        models=frozenset(workspace.models.models),
        writes=lambda tool: tools.get(tool) != "read",
    )


def _feedback_rules(workspace: Workspace) -> FeedbackRules:
    outcomes = workspace.settings.outcomes
    rights = FeedbackRights(workspace.policy.statements, outcomes.feedback.reviewers)
    return FeedbackRules(outcomes, rights, keep=workspace.settings.payloads == "keep")


def _deployment(compiled: CompiledRevision, around: Surroundings, parts: LastingParts) -> Deployment:
    """A compiled revision with its drivers, ready to decide."""
    workspace = compiled.workspace
    drivers = open_drivers(workspace.models, parts.http, around.clock)
    settings = workspace.settings
    chats, chat_groups, embedders = apart(workspace.models, drivers)
    return Deployment(
        revision=compiled.revision,
        organisation=workspace.organisation,
        currency=settings.budgets.currency,
        unit=workspace.budgets.unit,
        authenticator=Authenticator(
            workspace.identity,
            stored=compiled.keys,
            rings=parts.rings,
            clock=around.clock,
            people=parts.people,
            introspections=parts.introspections,
        ),
        policy=workspace.policy,
        tasks=workspace.tasks,
        context=compiled.context,
        models=chats,
        groups=chat_groups,
        aliases=workspace.models.aliases,
        unavailable=workspace.models.unavailable,
        drivers={name: around.wrap(each) for name, each in drivers.items()} if around.wrap else drivers,
        rates=workspace.rates,
        budgets=workspace.budgets,
        preferences=workspace.preferences,
        defaults=Defaults(deadline=settings.defaults.deadline, max_output=settings.defaults.max_output),
        keep_payloads=settings.payloads == "keep",
        embedders=embedders,
        stops=compile_stops(compiled.stops),
        lanes=workspace.lanes,
        limits=compile_limits(settings.limits),
        systems=parts.connections.take_up(workspace.systems),
        credentials=parts.credentials,
        approvals_at=compiled.approvals,
        deciding=compiled.deciding,
        flows=compile_flows(settings, workspace.policy),
        live=workspace.live,
        declassify=workspace.declassify,
        predictor=compiled.predictor,
        speeds=compiled.speeds,
        kept=compile_kept(chat_groups, chats, workspace.rates, around.master_key),
        shares=any(each.group or each.per_minute for each in workspace.models.models.values()),
        vectors=vector_space(settings.context, workspace.models.models.values()),
    )
