"""The composition root: every concrete part of a process is named and put together here, for serving, for the command
line and for tests alike. What is below receives its parts and knows no other."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from fairlead.clock import Clock, new_id
from fairlead.context import Context
from fairlead.controls.watch import Watch
from fairlead.costs.ledger import Ledger
from fairlead.costs.outcomes import orphaned
from fairlead.costs.refusals import Refusals
from fairlead.errors import BadInput
from fairlead.execution import Defaults, Deployment, Fairlead
from fairlead.execution.approvals import Approvals
from fairlead.execution.kept_flows import Flows
from fairlead.identity import Authenticator, Key
from fairlead.identity.browser import BrowserSessions
from fairlead.identity.consents import Consents
from fairlead.identity.credentials import Credentials
from fairlead.identity.directory import Directory
from fairlead.identity.directory_groups import Groups
from fairlead.identity.discovery import Discovery
from fairlead.identity.fetch import fetcher
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.introspection import Introspections
from fairlead.identity.issuer_keys import IssuerKeyRings
from fairlead.identity.people import People
from fairlead.lanes.figures import FOLDER
from fairlead.lanes.rates import compile_limits
from fairlead.models.registry import apart, open_drivers
from fairlead.models.types import ModelDriver
from fairlead.net.http import Http
from fairlead.policy.stops import Stop, compile_stops
from fairlead.routing import Health
from fairlead.storage.checkpoints import log_origin, sign_head
from fairlead.storage.fleet import Fleet, Lease
from fairlead.storage.journal import Journal
from fairlead.storage.recover import recover
from fairlead.storage.sessions import Sessions
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.workspace.asking import take_up_approvals
from fairlead.workspace.compile import Secrets, Workspace, compile_workspace
from fairlead.workspace.connecting import Connections
from fairlead.workspace.custody import Custody
from fairlead.workspace.flowing import compile_flows
from fairlead.workspace.follow import Chore, Follower
from fairlead.workspace.pages import address_of, connecting, signing_in
from fairlead.workspace.parts import Turns
from fairlead.workspace.published import load_keys, load_revision, load_stops
from fairlead.workspace.pushing import pushed_people

_RECOVER_EVERY = 3.0
_SIGN_EVERY = 60.0
_FORGET_EVERY = 60.0
_COUNT_EVERY = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What a process gets from outside. `secrets` gives what `env:NAME` stands for, `master_keys` the keys that may
    have taken the master key's place since. `wrap` puts something around each driver, such as what records it."""

    store: Store
    master_key: bytes
    secrets: Secrets
    clock: Clock
    master_keys: Callable[[], Iterable[bytes]] = tuple
    wrap: Callable[[ModelDriver], ModelDriver] | None = None


class Running:
    """The live parts of one process. `fairlead` answers; the rest is here to be stopped in the right order."""

    def __init__(
        self,
        *,
        fairlead: Fairlead,
        sessions: Sessions,
        signed_in: BrowserSessions,
        journal: Journal,
        http: Http,
        connections: Connections,
        watch: Watch,
        people: tuple[Directory, Groups],
        grants: GrantTokens,
        consents: Consents,
        follower: "Follower[CompiledRevision]",
    ) -> None:
        self.fairlead = fairlead
        self.sessions = sessions
        self.signed_in = signed_in
        self.people = people
        self.grants = grants
        self.consents = consents
        self._journal = journal
        self._http = http
        self._connections = connections
        self._watch = watch
        self._follower = follower

    async def stop(self) -> None:
        """Let go of everything, after the last action has ended."""
        await self._follower.stop()
        await self._watch.close()
        await self._connections.close()
        await self.grants.close()
        await self._http.close()
        await asyncio.to_thread(self._journal.close)
        self.fairlead.deployment.context.close()


async def assemble(around: Surroundings) -> Running:
    """Put a process together under the published revision, and start following what is published after it.

    Call it after any fork, in the loop that will serve. Raises `BadInput` if nothing is published yet, if the master
    key is another, or if this process cannot compile the revision.
    """
    store, clock = around.store, around.clock
    vault = Vault(around.master_key, StoredSubjects(store), clock, anew=around.master_keys)
    await asyncio.to_thread(vault.check)
    worker, fleet = new_id(clock, "worker"), Fleet(store, clock)
    http = Http(clock)
    await http.open()
    sessions = Sessions(store, vault, clock)
    watch = Watch(store, fleet, clock, vault.name_of)
    custody = Custody(store, vault, clock, around.secrets)
    approvals, flows = Approvals(store, vault, clock), Flows(store, vault, clock)
    pushed = pushed_people(store, vault, clock)
    revisions = _Revisions(around, http, vault, sessions, watch, custody, approvals, flows, pushed.people)
    epoch = await asyncio.to_thread(fleet.current)
    if not epoch.revision:
        raise BadInput("nothing has been published yet", mend="publish the workspace: fairlead apply")
    first = await asyncio.to_thread(revisions.compiled, epoch.revision)
    deployment = revisions.deployed(first)
    journal = Journal(store, worker, clock, first.workspace.settings.storage.journal)
    fairlead = _fairlead(journal, vault, clock, approvals, flows, deployment)
    turns = Turns(fairlead, fleet, worker, clock, store.beside / FOLDER)
    sweeps = (approvals.sweep, flows.sweep, revisions.signed_in.sweep)
    follower = Follower(
        fairlead,
        fleet,
        worker,
        epoch,
        compile=revisions.compiled,
        deploy=revisions.deployed,
        forget=_all_of(vault.clear_cache, flows.clear_cache, revisions.grants.forget),
        listen=store.listen,
        people=pushed.people,
        chores=(
            *_chores(around, journal, vault, sessions, custody, sweeps, deployment.organisation),
            *watch.chores(),
            (_COUNT_EVERY, turns),
        ),
    )
    await turns()  # before anybody asks: the others that live already are counted
    await follower.start()
    return Running(
        fairlead=fairlead,
        sessions=sessions,
        signed_in=revisions.signed_in,
        journal=journal,
        http=http,
        connections=revisions.connections,
        watch=watch,
        people=(pushed.directory, pushed.groups),
        grants=revisions.grants,
        consents=Consents(store, vault, clock, revisions.grants),
        follower=follower,
    )


def _all_of(*parts: Callable[[], None]) -> Callable[[], None]:
    def every() -> None:
        for part in parts:
            part()

    return every


class _Revisions:
    """Each revision in turn, compiled and with its drivers, and taken up by all that runs beside the path."""

    def __init__(
        self,
        around: Surroundings,
        http: Http,
        vault: Vault,
        sessions: Sessions,
        watch: Watch,
        custody: Custody,
        approvals: Approvals,
        flows: Flows,
        people: People,
    ) -> None:
        self._around = around
        self._people = people
        self._http = http
        self._rings = IssuerKeyRings(fetcher(http, around.clock), around.clock)
        discovery = Discovery(fetcher(http, around.clock), around.clock)
        self._introspections = Introspections(http, discovery, around.clock, around.secrets)
        self.signed_in = signing_in(around.store, vault, around.clock, http, self._rings, around.secrets)
        self.grants = connecting(around.store, vault, around.clock, http, around.secrets)
        self._sessions = sessions
        self._watch = watch
        self._custody = custody
        self._approvals = approvals
        self._flows = flows
        self._last: CompiledRevision | None = None
        self._credentials = Credentials(http, around.clock, around.secrets, self.grants)
        self.connections = Connections(http, around.clock, around.secrets)

    def compiled(self, revision: str) -> "CompiledRevision":
        """Call it in a thread."""
        self._last = compile_revision(self._around, revision, self._last)
        self._people.wanted = any(each.scim is not None for each in self._last.workspace.identity.providers)
        self._people.follow()
        return self._last

    def deployed(self, compiled: "CompiledRevision") -> Deployment:
        settings = compiled.workspace.settings
        self._sessions.keep = settings.sessions.kept_for(settings.payloads)
        self._sessions.most_bytes = settings.sessions.most_bytes
        self._watch.take_up(compiled.workspace.controls)
        self._custody.under(settings)
        self._flows.keep = settings.flows.kept_for(settings.payloads)
        take_up_approvals(self._approvals, compiled.workspace)
        self.grants.address = address_of(settings)
        self.signed_in.take_up(compiled.workspace.identity, compiled.workspace.organisation)
        around = self._around
        return deploy(
            compiled,
            self._http,
            self._rings,
            around.clock,
            self.connections,
            self._credentials,
            self._people,
            self._introspections,
            around.wrap,
        )


def _fairlead(
    journal: Journal, vault: Vault, clock: Clock, approvals: Approvals, flows: Flows, deployment: Deployment
) -> Fairlead:
    return Fairlead(
        ledger=Ledger(journal, vault, clock),
        refusals=Refusals(journal, clock),
        health=Health(clock.monotonic, deployment.preferences.breaker),
        lease=Lease(clock),
        clock=clock,
        approvals=approvals,
        flows=flows,
        deployment=deployment,
    )


def _chores(
    around: Surroundings,
    journal: Journal,
    vault: Vault,
    sessions: Sessions,
    custody: Custody,
    sweeps: tuple[Callable[[], None], ...],
    organisation: str,
) -> tuple[tuple[float, Chore], ...]:
    """What every worker does beside answering, with its period in seconds."""
    store, clock = around.store, around.clock

    async def settle_for_the_dead() -> None:
        await recover(store, journal, lambda hold: orphaned(hold, clock.now()))

    def sign() -> None:
        origin = log_origin(store, organisation)
        sign_head(store, vault, origin, store.beside / "checkpoints", clock.now())
        custody.anchor()

    async def sign_the_head() -> None:
        await asyncio.to_thread(sign)

    async def forget_the_expired() -> None:
        await asyncio.to_thread(custody.clear, sessions)
        for swept in sweeps:
            await asyncio.to_thread(swept)

    return (
        (_RECOVER_EVERY, settle_for_the_dead),
        (_SIGN_EVERY, sign_the_head),
        (_FORGET_EVERY, forget_the_expired),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledRevision:
    """A revision, read and compiled, not yet bound to an event loop. Made in a thread: it takes a while."""

    revision: str
    workspace: Workspace
    keys: tuple[Key, ...]
    stops: tuple[Stop, ...]
    context: Context


def compile_revision(around: Surroundings, revision: str, before: CompiledRevision | None = None) -> CompiledRevision:
    """Read a published revision, the live keys and the stops, and compile them. Where `before` is the same revision,
    only the rows are read: a kill switch does not wait for a compilation."""
    if before is not None and before.revision == revision:
        return replace(before, keys=load_keys(around.store), stops=load_stops(around.store))
    published = load_revision(around.store, revision, with_pages=False)
    workspace = compile_workspace(
        published.text, around.secrets, now=around.clock.now(), pages_elsewhere=bool(published.snapshot)
    )
    context = (
        Context.open(around.store, published.snapshot, names_items=workspace.policy.names_items)
        if published.snapshot
        else Context()
    )
    workspace.policy.tools.prepare(tool for system in workspace.systems.values() for tool in system.tools.values())
    return CompiledRevision(
        revision=revision,
        workspace=workspace,
        keys=load_keys(around.store),
        stops=load_stops(around.store),
        context=context,
    )


def deploy(
    compiled: CompiledRevision,
    http: Http,
    rings: IssuerKeyRings,
    clock: Clock,
    connections: Connections,
    credentials: Credentials,
    people: People,
    introspections: Introspections,
    wrap: Callable[[ModelDriver], ModelDriver] | None = None,
) -> Deployment:
    """A compiled revision with its drivers, ready to decide."""
    workspace = compiled.workspace
    drivers = open_drivers(workspace.models, http, clock)
    settings = workspace.settings
    chats, chat_groups, embedders = apart(workspace.models, drivers)
    return Deployment(
        revision=compiled.revision,
        organisation=workspace.organisation,
        currency=settings.budgets.currency,
        authenticator=Authenticator(
            workspace.identity,
            stored=compiled.keys,
            rings=rings,
            clock=clock,
            people=people,
            introspections=introspections,
        ),
        policy=workspace.policy,
        tasks=workspace.tasks,
        context=compiled.context,
        models=chats,
        groups=chat_groups,
        aliases=workspace.models.aliases,
        unavailable=workspace.models.unavailable,
        drivers={name: wrap(each) for name, each in drivers.items()} if wrap else drivers,
        rates=workspace.rates,
        budgets=workspace.budgets,
        preferences=workspace.preferences,
        defaults=Defaults(deadline=settings.defaults.deadline, max_output=settings.defaults.max_output),
        keep_payloads=settings.payloads == "keep",
        embedders=embedders,
        stops=compile_stops(compiled.stops),
        lanes=workspace.lanes,
        limits=compile_limits(settings.limits),
        systems=connections.take_up(workspace.systems),
        credentials=credentials,
        approvals=workspace.approvals,
        flows=compile_flows(settings, workspace.policy),
    )
