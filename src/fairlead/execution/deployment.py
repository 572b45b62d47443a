"""What a process runs: the live parts, and the compiled revision that it decides under."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.clock import Clock
from fairlead.context import Context
from fairlead.context.sources.live import LiveSource
from fairlead.context.vector_space import VectorSpace
from fairlead.costs.budgets import Budgets
from fairlead.costs.ledger import Action, Ledger
from fairlead.costs.refusals import Refusals
from fairlead.costs.types import Rate
from fairlead.costs.units import Unit
from fairlead.errors import Overloaded
from fairlead.execution.asked_vectors import AskedVectors
from fairlead.execution.first_bytes import FirstBytes
from fairlead.execution.live_answers import LiveAnswers
from fairlead.execution.seconds_seen import SecondsSeen
from fairlead.execution.stickiness import Kept
from fairlead.execution.tokens_seen import TokensSeen
from fairlead.identity import Authenticator, Caller
from fairlead.lanes import LaneRules, Lanes
from fairlead.lanes.allowances import Allowances
from fairlead.lanes.minutes import Minutes
from fairlead.lanes.rate_settings import LimitsSettings
from fairlead.lanes.rates import Rates
from fairlead.models.deployments import Group
from fairlead.models.embedding import NO_EMBEDDERS, Embedders
from fairlead.models.types import Model, ModelDriver
from fairlead.policy import Policy
from fairlead.policy.approvals import ApprovalRules, no_rules
from fairlead.policy.declassification import Rule
from fairlead.policy.stops import Stops, stopped
from fairlead.routing import Health, Preferences
from fairlead.routing.outstanding import Outstanding
from fairlead.routing.pace import Speed
from fairlead.tools.offered import NO_SYSTEMS, Systems

if TYPE_CHECKING:
    from fairlead.context.upkeep.requests import Requests
    from fairlead.execution.aggregating import Releases
    from fairlead.execution.approvals import Approvals
    from fairlead.execution.attempts import Sent
    from fairlead.execution.flow_path import FlowRules
    from fairlead.execution.kept_flows import Flows
    from fairlead.execution.memories import Memories
    from fairlead.execution.pace import PaceSeen
    from fairlead.execution.pins import Pins
    from fairlead.execution.replies_seen import RepliesSeen
    from fairlead.identity.credentials import Credentials
    from fairlead.routing.learned import Predictor
    from fairlead.storage.fleet import Lease
    from fairlead.tasks import TaskTypes
    from fairlead.tools.pins import Finding


_LOOK: Final = 0.02  # seconds between looks at whether a lease was renewed
_LOOKS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """What applies where neither the request nor the task type says otherwise. Seconds and tokens."""

    deadline: float = 120.0
    max_output: int = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A compiled revision, ready to decide. Immutable: an action keeps the one that it started under.

    `models` and `groups` are those that chat. The others stand in `embedders`, so that no request can go astray.
    """

    revision: str
    organisation: str
    currency: str
    unit: Unit
    authenticator: Authenticator
    policy: Policy
    tasks: "TaskTypes"
    context: Context
    models: Mapping[str, Model]
    groups: Mapping[str, Group]
    aliases: Mapping[str, str]
    unavailable: Mapping[str, str]
    drivers: Mapping[str, ModelDriver]
    rates: Mapping[str, Rate]
    budgets: Budgets
    preferences: Preferences
    defaults: Defaults
    keep_payloads: bool = True
    lanes: LaneRules | None = None
    limits: LimitsSettings | None = None
    embedders: Embedders = NO_EMBEDDERS
    stops: Stops | None = None
    systems: Systems = NO_SYSTEMS
    credentials: "Credentials"
    approvals_at: Callable[[int], ApprovalRules] = no_rules  # at a moment: what pages say of who approves may end
    deciding: str = ""  # the digest of what decides over calls of tools, pages apart; "" where nobody knows
    flows: "FlowRules | None" = None
    vectors: VectorSpace | None = None
    live: Mapping[str, LiveSource] = field(default_factory=dict)
    predictor: "Predictor | None" = None
    declassify: Mapping[str, Rule] = field(default_factory=dict)  # by tool: what lowers the class of its result
    speeds: Mapping[str, Speed] | None = None  # of models, as measured on this machine
    kept: Kept | None = None  # where what servers keep of prompts makes calls cheaper
    shares: bool = False  # whether a model has several deployments, or a limit of its own a minute


class Fairlead:
    """The live whole of one process. `deployment` is replaced when a new revision is published."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        refusals: Refusals,
        health: Health,
        lease: "Lease",
        clock: Clock,
        approvals: "Approvals",
        flows: "Flows",
        requests: "Requests",
        pins: "Pins",
        replies: "RepliesSeen",
        pace: "PaceSeen",
        minutes: Minutes,
        releases: "Releases",
        memories: "Memories",
        deployment: Deployment,
    ) -> None:
        self.ledger = ledger
        self.refusals = refusals
        self.health = health
        self.lease = lease
        self.clock = clock
        self.approvals = approvals
        self.flows = flows
        self.requests = requests
        self.pins = pins
        self.replies = replies
        self.pace = pace
        self.releases = releases
        self.memories = memories
        self.deployment = deployment
        # The attempts under way, for stops that end them.
        self.under_way: dict[Action, tuple[Sent, asyncio.Timeout]] = {}
        self.lanes = Lanes(clock.monotonic, deployment.lanes)
        # What systems last said of their tools, by system, driver and person, and until when that counts.
        self.offered: dict[tuple[str, int, str], tuple[float, Mapping[str, Finding]]] = {}
        self.outstanding = Outstanding()
        self.allowances = Allowances(clock.monotonic)
        self.minutes = minutes
        self.rates = Rates(clock.monotonic, deployment.limits)
        self.live = LiveAnswers(clock.monotonic)
        self.asked = AskedVectors()
        self.tokens = TokensSeen()
        self.seconds = SecondsSeen()
        self.first_bytes = FirstBytes()
        self._news = asyncio.Event()
        self._waited_in_vain = False

    def take_up(self, deployment: Deployment) -> Deployment:
        """Decide under another from here on. Gives the one before."""
        before, self.deployment = self.deployment, deployment
        self.live.forget()
        self.asked.forget()
        self._news.set()
        self._news = asyncio.Event()
        return before

    def decides_under(self, deployment: Deployment) -> bool:
        """Whether these are the revision's pages and policies by which this worker decides. Whatever thread asks."""
        return self.deployment.revision == deployment.revision

    async def news(self) -> None:
        """Wait until another deployment is taken up."""
        await self._news.wait()

    async def caught_up(self) -> Deployment:
        """As `current`, but a lease that has lapsed is waited for, two seconds at most. Where the whole machine or the
        database stood still, it is renewed at once after that, and whoever asked just then need not be refused. Once
        somebody has waited in vain, nobody else waits until it is held again."""
        if self.lease.valid():
            self._waited_in_vain = False
        elif self.lease.lapsed() and not self._waited_in_vain:
            for _ in range(_LOOKS):
                await asyncio.sleep(_LOOK)
                if self.lease.valid():
                    break
            else:
                self._waited_in_vain = True
        return self.current()

    def current(self) -> Deployment:
        """The deployment to decide under now. Raises `Overloaded` while this worker may be behind the published one."""
        if not self.lease.valid():
            raise Overloaded(
                "this worker has lost touch with the shared state and decides nothing until it has caught up",
                why="its lease lapsed: the database could not be written for five seconds",
                mend="retry; if it lasts, run `fairlead doctor`",
            )
        return self.deployment

    def current_for(self, caller: Caller) -> Deployment:
        """As `current`, for what somebody may have without an action: lists, and what is remembered of their own.
        Raises `Stopped` where they are: whoever holds a leaked key reads nothing with it either."""
        deployment = self.current()
        if deployment.stops is not None:
            stop = deployment.stops.of_caller(caller, self.clock.now())
            if stop is not None:
                raise stopped(stop)
        return deployment
