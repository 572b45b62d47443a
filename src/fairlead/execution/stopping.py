"""What a kill switch does to actions: new ones are refused, waiting ones decided anew, those under way end where a stop
says so. Nothing here costs anything while nothing is stopped."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fairlead.costs.ledger import Action
from fairlead.identity.register import NotActive
from fairlead.models.types import Model
from fairlead.policy.stops import Stop, stopped
from fairlead.routing.plan import NOTHING_STOPPED

if TYPE_CHECKING:
    from fairlead.execution.deployment import Deployment, Fairlead


def refuse_stopped(deployment: "Deployment", action: Action) -> None:
    """Raises `Stopped` where the caller, their agent, department or the whole organisation is."""
    assert deployment.stops is not None
    stop = deployment.stops.of_caller(action.caller, action.at)
    if stop is not None:
        raise stopped(stop)


def stopped_models(deployment: "Deployment", models: Mapping[str, Model], at: int) -> Mapping[str, str]:
    """The models that must not be called for now, each with the reason."""
    return NOTHING_STOPPED if deployment.stops is None else deployment.stops.of_models(models, at)


def refuse_stopped_system(deployment: "Deployment", action: Action, name: str) -> None:
    """Raises `Stopped` where the system is."""
    assert deployment.stops is not None
    stop = deployment.stops.of_system(name, action.at)
    if stop is not None:
        raise stopped(stop)


def refuse_ended(fairlead: "Fairlead", action: Action, model: Model | None) -> None:
    """Raises `Stopped` where a stop that has come meanwhile ends what is under way, `NotActive` where the caller is no
    longer active at their provider."""
    fairlead.deployment.authenticator.standing(action.caller)
    stop = _ending(fairlead, action, model)
    if stop is not None:
        raise stopped(stop)


def end_stopped(fairlead: "Fairlead") -> None:
    """End the attempts under way that a stop ends, and those of callers who are no longer active at their provider.
    Each ends at its next turn in the loop, as if its time were over."""
    for action, (sent, timer) in fairlead.under_way.items():
        if not timer.expired() and (_ending(fairlead, action, sent.model) is not None or _has_left(fairlead, action)):
            timer.reschedule(0.0)


def _has_left(fairlead: "Fairlead", action: Action) -> bool:
    try:
        fairlead.deployment.authenticator.standing(action.caller)
    except NotActive:
        return True
    return False


def _ending(fairlead: "Fairlead", action: Action, model: Model | None) -> Stop | None:
    stops, now = fairlead.deployment.stops, fairlead.clock.now()
    if stops is None:
        return None
    found = stops.of_caller(action.caller, now, ending=True)
    if found is None and model is not None:
        found = stops.of_model(model, now, ending=True)
    if found is None and action.tool:
        found = stops.of_system(action.tool.partition(".")[0], now, ending=True)
    return found
