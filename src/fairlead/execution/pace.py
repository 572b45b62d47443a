"""Which candidates can answer in time on this machine: by their measured speed, and by how they did lately.

Where nothing was measured, nothing of this is called.
"""

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Final

from fairlead.costs.ledger import Action
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.models.types import ChatRequest, Model, Usage
from fairlead.routing import Candidate, Plan
from fairlead.routing.pace import Need, within
from fairlead.tasks.types import Task

_ENOUGH: Final = 5  # replies from which what was seen counts more than what was measured
_KEPT: Final = 20
_LASTS: Final = 600.0  # seconds after which a machine that was busy then may be idle again
_MOST_PAIRS: Final = 500


class PaceSeen:
    """How replies of measured models came lately, in this worker: how much longer than by their speed, and how long
    they were by kind of work. Forgotten ten minutes after the last: who was left out for it gets another chance."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._factors: dict[str, tuple[float, deque[float]]] = {}
        self._outputs: dict[tuple[str, str], deque[int]] = {}

    def note(self, task: str, model: str, output: int, factor: float) -> None:
        """A complete reply of so many tokens took `factor` times what its speed says."""
        now = self._monotonic()
        at, seen = self._factors.get(model, (now, deque[float](maxlen=_KEPT)))
        if now - at > _LASTS:
            seen.clear()
        seen.append(factor)
        self._factors[model] = now, seen
        if len(self._outputs) >= _MOST_PAIRS and (task, model) not in self._outputs:
            self._outputs.pop(next(iter(self._outputs)))
        self._outputs.setdefault((task, model), deque(maxlen=_KEPT)).append(output)

    def factor(self, model: str) -> float:
        """How much longer it takes than was measured; 1 where too little is known."""
        at, seen = self._factors.get(model, (0.0, ()))
        return median(seen) if len(seen) >= _ENOUGH and self._monotonic() - at <= _LASTS else 1.0

    def output(self, task: str, model: str) -> float | None:
        """Tokens of a usual reply to this kind of work, None where too little is known."""
        seen = self._outputs.get((task, model), ())
        return median(seen) if len(seen) >= _ENOUGH else None


def needed(
    fairlead: Fairlead, deployment: Deployment, task: Task, request: ChatRequest, candidate: Candidate
) -> Need | None:
    """What a candidate is expected to take; None where its speed was not measured.

    A reply is expected to be as long as those before it. Before there are enough, it is as long as the caller or the
    task type lets it be, and half of a limit that nobody has set.
    """
    name = candidate.model.name
    speed = (deployment.speeds or {}).get(name)
    if speed is None:
        return None
    limit = candidate.max_output * request.choices
    usual = fairlead.pace.output(task.type.name, name)
    said = request.max_output is not None or task.type.max_output is not None
    output = min(limit, usual) if usual is not None else limit if said else limit / 2
    factor = fairlead.pace.factor(name)
    return Need(speed.seconds(request.size, output) * factor, speed.decode / factor)


def in_time(
    fairlead: Fairlead, deployment: Deployment, action: Action, task: Task, request: ChatRequest, made: Plan
) -> Plan:
    """The plan without the candidates that would not be done by the deadline, nor within the latency that a strict
    objective asks for."""
    needs = {}
    for one in made.candidates:
        need = needed(fairlead, deployment, task, request, one)
        if need is not None:
            needs[one.model.name] = need
    return within(made, needs, _limit(deployment, action, task)) if needs else made


def _limit(deployment: Deployment, action: Action, task: Task) -> float:
    limit, asked = task.type.deadline or deployment.defaults.deadline, action.arrival.deadline
    if asked is not None:
        limit = min(limit, asked)
    objective = deployment.preferences.objective_of(task.type)
    if objective is not None and objective.strict and objective.latency_at_most is not None:
        limit = min(limit, objective.latency_at_most / 1000)
    return limit


def note_pace(
    fairlead: Fairlead, deployment: Deployment, task: Task, model: Model, size: int, usage: Usage, seconds: float
) -> None:
    """A measured model has answered completely, to an input of `size` bytes."""
    speed = (deployment.speeds or {}).get(model.name)
    if speed is not None and usage.output:
        fairlead.pace.note(task.type.name, model.name, usage.output, seconds / speed.seconds(size, usage.output))
