"""The composition root: every concrete part of a process is named and put together here, for serving, for the command
line and for tests alike. What is below receives its parts and knows no other."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from fairlead.clock import new_id
from fairlead.context.upkeep.proposals import Proposals
from fairlead.context.upkeep.requests import Requests
from fairlead.controls.watch import Watch
from fairlead.costs.ledger import Ledger
from fairlead.costs.outcomes import orphaned
from fairlead.costs.refusals import Refusals
from fairlead.errors import BadInput
from fairlead.execution import Deployment, Fairlead
from fairlead.execution.aggregating import Releases
from fairlead.execution.approvals import Approvals
from fairlead.execution.kept_flows import Flows
from fairlead.execution.memories import Memories
from fairlead.execution.pace import PaceSeen
from fairlead.execution.pins import Pins
from fairlead.execution.replies_seen import RepliesSeen
from fairlead.identity.consents import Consents
from fairlead.identity.credentials import Credentials
from fairlead.identity.directory import Directory
from fairlead.identity.directory_groups import Groups
from fairlead.identity.discovery import Discovery
from fairlead.identity.fetch import fetcher
from fairlead.identity.introspection import Introspections
from fairlead.identity.issuer_keys import IssuerKeyRings
from fairlead.identity.people import People
from fairlead.identity.provider_tokens import ProviderTokens
from fairlead.identity.types import Caller
from fairlead.lanes.figures import FOLDER
from fairlead.lanes.minutes import FOLDER as MINUTES
from fairlead.lanes.minutes import Minutes
from fairlead.learning.examples import Examples
from fairlead.learning.feedback import Feedback
from fairlead.learning.gathering import Gathering
from fairlead.net.http import Http
from fairlead.routing import Health
from fairlead.storage.checkpoints import log_origin, sign_head
from fairlead.storage.fleet import Fleet, Lease
from fairlead.storage.journal import Journal
from fairlead.storage.recover import recover
from fairlead.storage.sessions import Sessions
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.workflows.asked import Workflows
from fairlead.workflows.runs import Runs
from fairlead.workflows.taking import Taking
from fairlead.workflows.unkept import UnkeptRuns
from fairlead.workflows.waited import Waited
from fairlead.workspace.budgeting import Budgeting
from fairlead.workspace.connecting import Connections
from fairlead.workspace.custody import Custody
from fairlead.workspace.follow import Chore, Follower
from fairlead.workspace.page_office import PageOffice
from fairlead.workspace.pages import connecting, signing_in
from fairlead.workspace.parts import Turns
from fairlead.workspace.pushing import pushed_people
from fairlead.workspace.revisions import CompiledRevision, LastingParts, Revisions
from fairlead.workspace.surroundings import Surroundings
from fairlead.workspace.upkeeping import Upkeeping

if TYPE_CHECKING:
    from fairlead.workspace.working import Working

_RECOVER_EVERY = 3.0
_SIGN_EVERY = 60.0
_FORGET_EVERY = 60.0
_COUNT_EVERY = 1.0
_LOOK_EVERY = 15.0
_TELL_EVERY = 60.0
_ALARM_EVERY = 2.0
_EMBED_EVERY = 5.0


class Running:
    """The live parts of one process. `fairlead` answers, the doors use the rest; all is stopped in the right order."""

    def __init__(
        self,
        *,
        fairlead: Fairlead,
        parts: LastingParts,
        people: tuple[Directory, Groups],
        consents: Consents,
        journal: Journal,
        follower: Follower[CompiledRevision],
        working: "Working | None",
    ) -> None:
        self.fairlead = fairlead
        self.sessions = parts.sessions
        self.signed_in = parts.signed_in
        self.people = people
        self.grants = parts.grants
        self.consents = consents
        self.proposals = parts.proposals
        self.feedback = parts.feedback
        self.runs = parts.runs
        self.workflows = parts.workflows
        self._parts = parts
        self._journal = journal
        self._follower = follower
        self._working = working

    async def stop(self) -> None:
        """Let go of everything, after the last action has ended."""
        if self._working is not None:
            await self._working.stop()
        if self.workflows.waited is not None:
            await self.workflows.waited.stop()
        await self._follower.stop()
        await self._parts.requests.settle()
        await self._parts.watch.close()
        await self._parts.connections.close()
        await self.grants.close()
        await self._parts.http.close()
        await asyncio.to_thread(self._journal.close)
        self.fairlead.deployment.context.close()
        self.fairlead.minutes.close()


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
    pushed = pushed_people(store, vault, clock)
    parts = _lasting_parts(around, vault, http, Watch(store, fleet, clock, vault.name_of), pushed.people)
    revisions = Revisions(around, parts)
    epoch = await asyncio.to_thread(fleet.current)
    if not epoch.revision:
        raise BadInput("nothing has been published yet", mend="publish the workspace: fairlead apply")
    first = await asyncio.to_thread(revisions.compiled, epoch.revision)
    deployment = revisions.deployed(first)
    journal = Journal(store, worker, clock, first.workspace.settings.storage.journal)
    fairlead = _fairlead(around, journal, vault, parts, deployment)
    working = _working(around, fairlead, parts, first.workspace.settings.workflows.at_once)
    turns = Turns(fairlead, fleet, worker, clock, store.beside / FOLDER)
    follower = Follower(
        fairlead,
        fleet,
        worker,
        epoch,
        compile=revisions.compiled,
        deploy=revisions.deployed,
        forget=_all_of(vault.clear_cache, parts.flows.clear_cache, parts.grants.forget, parts.pins.forget),
        listen=store.listen,
        people=pushed.people,
        chores=(
            *_chores(around, journal, vault, parts, deployment.organisation, turns),
            (_EMBED_EVERY, PageOffice(fairlead, store, embeds=around.serves)),
            *(working.chores if working is not None else ()),
        ),
    )
    await turns()  # before anybody asks: the others that live already are counted
    await follower.start()
    if working is not None:
        await working.start()
    return Running(
        fairlead=fairlead,
        parts=parts,
        people=(pushed.directory, pushed.groups),
        consents=Consents(store, vault, clock, parts.grants),
        journal=journal,
        follower=follower,
        working=working,
    )


def _working(around: Surroundings, fairlead: Fairlead, parts: LastingParts, at_once: int) -> "Working | None":
    """What walks runs here: those that are kept in memory for whoever waits, and the others where that is wanted."""
    rows = UnkeptRuns(around.store, fairlead.ledger.vault, around.clock)
    taking = Taking(around.store, around.clock, parts.runs, fairlead.ledger.journal.worker)

    def standing(who: Caller) -> Caller:
        return fairlead.current().authenticator.still(who)

    parts.workflows.standing = parts.approvals.standing = standing
    parts.workflows.waited = Waited(fairlead, parts.runs, taking, rows, at_once=at_once)
    if not around.walks:
        return None
    from fairlead.workspace.working import Working  # what only some processes need

    return Working(fairlead, parts.runs, parts.workflows, around.store, at_once=around.walks)


def _lasting_parts(around: Surroundings, vault: Vault, http: Http, watch: Watch, people: People) -> LastingParts:
    store, clock, secrets = around.store, around.clock, around.secrets
    rings = IssuerKeyRings(fetcher(http, clock), clock)
    discovery = Discovery(fetcher(http, clock), clock)
    grants = connecting(store, vault, clock, http, secrets)
    requests, approvals, runs = Requests(store, clock), Approvals(store, vault, clock), Runs(store, vault, clock)
    examples = Examples(store, vault, clock)
    return LastingParts(
        http=http,
        rings=rings,
        introspections=Introspections(http, discovery, clock, secrets),
        people=people,
        sessions=Sessions(store, vault, clock),
        signed_in=signing_in(store, vault, clock, ProviderTokens(http, discovery, rings, clock, secrets)),
        grants=grants,
        credentials=Credentials(http, clock, secrets, grants),
        connections=Connections(http, clock, secrets),
        approvals=approvals,
        feedback=Feedback(store, vault, clock, examples),
        examples=examples,
        runs=runs,
        workflows=Workflows(store, vault, clock, runs, lambda: approvals.rules, examples),
        gathering=Gathering(store, vault, clock),
        flows=Flows(store, vault, clock),
        memories=Memories(store, vault, clock),
        requests=requests,
        proposals=Proposals(store, vault, clock),
        upkeep=Upkeeping(store, clock, requests, people, secrets),
        pins=Pins(store, clock),
        watch=watch,
        custody=Custody(store, vault, clock, secrets),
        budgeting=Budgeting(store, clock, lambda person: vault.subject_for(person).id),
    )


def _all_of(*parts: Callable[[], None]) -> Callable[[], None]:
    def every() -> None:
        for part in parts:
            part()

    return every


def _fairlead(
    around: Surroundings, journal: Journal, vault: Vault, parts: LastingParts, deployment: Deployment
) -> Fairlead:
    clock = around.clock
    return Fairlead(
        ledger=Ledger(journal, vault, clock),
        refusals=Refusals(journal, clock),
        health=Health(clock.monotonic, deployment.preferences.breaker),
        lease=Lease(clock),
        clock=clock,
        approvals=parts.approvals,
        flows=parts.flows,
        requests=parts.requests,
        pins=parts.pins,
        replies=RepliesSeen(around.store, clock),
        pace=PaceSeen(clock.monotonic),
        minutes=Minutes(around.store.beside / MINUTES, clock),
        releases=Releases(around.store, clock),
        memories=parts.memories,
        deployment=deployment,
    )


def _chores(
    around: Surroundings, journal: Journal, vault: Vault, parts: LastingParts, organisation: str, turns: Turns
) -> tuple[tuple[float, Chore], ...]:
    """What every worker does beside answering, with its period in seconds."""
    store, clock, custody = around.store, around.clock, parts.custody

    async def settle_for_the_dead() -> None:
        await recover(store, journal, lambda hold: orphaned(hold, clock.now()))

    def sign() -> None:
        origin = log_origin(store, organisation)
        sign_head(store, vault, origin, store.beside / "checkpoints", clock.now())
        custody.anchor()

    async def sign_the_head() -> None:
        await asyncio.to_thread(sign)

    async def forget_the_expired() -> None:
        others = parts.approvals, parts.flows, parts.signed_in, parts.pins, parts.gathering, parts.runs, parts.memories
        await asyncio.to_thread(custody.clear, parts.sessions, *others)

    return (
        (_RECOVER_EVERY, settle_for_the_dead),
        (_SIGN_EVERY, sign_the_head),
        (_FORGET_EVERY, forget_the_expired),
        *parts.watch.chores(),
        (_TELL_EVERY, parts.upkeep.chore),
        (_TELL_EVERY, parts.budgeting.carry_over),
        (_ALARM_EVERY, parts.budgeting.alarm),
        (_COUNT_EVERY, turns),
        (_LOOK_EVERY, parts.requests.follow),
        (_LOOK_EVERY, parts.gathering.chore),
    )
