"""Which of a model's deployments a call goes to, what it counts there for as long as it is under way, and which of them
were sent as much as they take in a minute. Where no model has deployments or such limits, nothing is looked at."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.stickiness import shared_beginning
from fairlead.lanes.allowances import Need
from fairlead.lanes.minutes import Sent
from fairlead.lanes.refusals import AtLimit
from fairlead.models.allowance import Allowance, Kind
from fairlead.models.deployments import ordered
from fairlead.models.tally import likely_tokens
from fairlead.models.types import ChatRequest, Model
from fairlead.policy.types import Rights
from fairlead.routing import Candidate, Dropped, Plan
from fairlead.routing.outstanding import Arrange


def belonging(action: Action, request: ChatRequest) -> str:
    """What this call says that it has in common with others that should go to the same place: a conversation, or the
    beginning that a provider keeps."""
    kept = request.handling.prompt_cache_key if request.handling is not None else None
    return action.arrival.affinity or kept or action.run


def arranging(
    fairlead: Fairlead, deployment: Deployment, action: Action, request: ChatRequest, rights: Rights
) -> tuple[str, Arrange]:
    """By which key this call orders deployments, and how."""
    key = belonging(action, request)
    if not deployment.shares:
        return key, ordered
    if deployment.kept is not None and key == action.run:
        key = shared_beginning(deployment.kept, request) or key
    health, unavailable, decisions = fairlead.health, deployment.unavailable, rights.decisions

    def usable(name: str) -> bool:
        decision = decisions.get(name)
        return decision is not None and decision.allowed and name not in unavailable and health.reason(name) is None

    slack = deployment.preferences.sticky_margin if key != action.run else None
    return key, fairlead.outstanding.arrange(usable, slack)


def need_of(model: Model, request: ChatRequest, output: int) -> Need:
    """What a call may come to at its server: its input, and as much output as it may give. Texts to embed go in as many
    calls as the server wants."""
    batch = model.space.batch if model.space is not None else 0
    calls = -(-len(request.messages) // batch) if batch else 1
    return Need(calls, likely_tokens(request.size), output * request.choices)


def pause_of(fairlead: Fairlead, candidate: Candidate, request: ChatRequest) -> float:
    """Seconds until the candidate may be sent such a call, by its declared limits and by what its server said."""
    model = candidate.model
    need = need_of(model, request, candidate.max_output)
    wait = fairlead.allowances.wait(model.name, need)
    if model.per_minute is not None:
        wait = max(wait, fairlead.minutes.wait(model.name, model.per_minute, need.requests, need.tokens))
    return wait


def within_minutes(fairlead: Fairlead, action: Action, made: Plan, request: ChatRequest) -> Plan:
    """Without the candidates that were sent as much as they take in a minute, where another one is left. Where none
    is, all of them, the one first that can be asked the soonest. Raises `AtLimit` where all servers ask for a pause."""
    if not made.candidates:
        _refuse_paused(fairlead, action, made)
    waits = [pause_of(fairlead, one, request) for one in made.candidates]
    if not any(waits):
        return made
    pairs = list(zip(made.candidates, waits, strict=True))
    if all(waits):
        soonest = min(pairs, key=lambda pair: pair[1])[0]
        return replace(made, candidates=(soonest, *(one for one in made.candidates if one is not soonest)))
    dropped = tuple(
        Dropped(one.model.name, "rate limit", f"it was sent as much as it takes in a minute, for {wait:.0f} s more")
        for one, wait in pairs
        if wait
    )
    return replace(made, candidates=tuple(one for one, wait in pairs if not wait), dropped=(*made.dropped, *dropped))


def _refuse_paused(fairlead: Fairlead, action: Action, made: Plan) -> None:
    """Raises `AtLimit` where nothing is left of a plan only because servers asked for a pause."""
    ill = [each.model for each in made.dropped if each.by == "health"]
    pauses = [(fairlead.health.pause(name), name) for name in ill]
    known = [(pause, name) for pause, name in pauses if pause is not None]
    if known and len(known) == len(ill):
        action.plan = made
        pause, name = min(known)
        raise AtLimit(name, pause)


class Load:
    """What one action has under way: at one deployment at a time. To be left once; leaving again does nothing."""

    __slots__ = ("_before", "_fairlead", "_name", "_request", "_sent", "_tokens")

    def __init__(self, fairlead: Fairlead, request: ChatRequest) -> None:
        self._fairlead = fairlead
        self._request = request
        self._name = ""
        self._tokens = 0
        self._sent: Sent | None = None
        self._before: Mapping[Kind, int] = {}

    def at(self, model: Model, output: int) -> float:
        """Be under way there from now on, and nowhere else: 0. Or for how many seconds that has to wait."""
        return 0.0 if model.name == self._name else self.again(model, output)

    def again(self, model: Model, output: int) -> float:
        """As `at`, for one more request to where it is already."""
        name, fairlead, limit = model.name, self._fairlead, model.per_minute
        need = need_of(model, self._request, output)
        wait = fairlead.allowances.wait(name, need)
        if wait:
            return wait
        if limit is not None:
            taken = fairlead.minutes.take(name, limit, need.requests, need.tokens)
            if not isinstance(taken, Sent):
                return taken
            self._sent = taken
        else:
            self._sent = None
        self.leave()
        self._before = fairlead.allowances.send(name, need)
        fairlead.outstanding.begin(name, need.tokens)
        self._name, self._tokens = name, need.tokens
        return 0.0

    def heeds(self, model: Model) -> Callable[[tuple[Allowance, ...]], None]:
        """What is to be told of what the server says of its limits, in its answer to this attempt."""
        name, before, fairlead = model.name, self._before, self._fairlead
        return lambda said: fairlead.allowances.heed(name, said, before)

    def used(self, tokens: int) -> None:
        """The last attempt has ended, and came to so many."""
        if self._sent is not None:
            self._fairlead.minutes.correct(self._sent, tokens)
            self._sent = None

    def leave(self) -> None:
        """Nothing of it is under way any more."""
        if self._name:
            self._fairlead.outstanding.end(self._name, self._tokens)
            self._name = ""
