"""Which of a model's deployments a call goes to, and what it counts there for as long as it is under way."""

from fairlead.costs.ledger import Action
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.prepare import Decided
from fairlead.models.deployments import ordered
from fairlead.models.tally import likely_tokens
from fairlead.models.types import ChatRequest
from fairlead.policy.types import Rights
from fairlead.routing.outstanding import Arrange, Load


def belonging(action: Action, request: ChatRequest) -> str:
    """What this call has in common with others that should go to the same deployment: a conversation, or the beginning
    that a provider keeps."""
    kept = request.handling.prompt_cache_key if request.handling is not None else None
    return action.arrival.affinity or kept or action.run


def arranging(
    fairlead: Fairlead, deployment: Deployment, action: Action, request: ChatRequest, rights: Rights
) -> Arrange:
    """How this call orders deployments. Where no model has any, nothing is looked at."""
    if not deployment.shares:
        return ordered
    health, unavailable, decisions = fairlead.health, deployment.unavailable, rights.decisions

    def usable(name: str) -> bool:
        decision = decisions.get(name)
        return decision is not None and decision.allowed and name not in unavailable and health.reason(name) is None

    stays = belonging(action, request) != action.run
    return fairlead.outstanding.arrange(usable, deployment.preferences.sticky_margin if stays else None)


def begun(fairlead: Fairlead, decided: Decided) -> Load:
    """The call counts where it is sent first from here on, before anything else is decided."""
    first = decided.plan.candidates[0]
    load = Load(fairlead.outstanding, expected_tokens(decided.asked.request, first.max_output))
    load.at(first.model.name)
    return load


def expected_tokens(request: ChatRequest, output: int) -> int:
    """What a call may come to at its server, which counts so too: its input, and as much output as it may give."""
    return likely_tokens(request.size) + output * request.choices
