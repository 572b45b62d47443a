"""What one attempt sends to one candidate, and how its reply is taken."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from fairlead.costs.ledger import Action
from fairlead.costs.told import Load
from fairlead.execution.deployment import Deployment
from fairlead.execution.prepare import Decided, Prepared, asked_of, prepare
from fairlead.execution.release import Release
from fairlead.execution.thinking import NewScreen
from fairlead.models.types import Chunk, ModelCall, ModelDriver
from fairlead.routing import Candidate


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that is ready to be sent, and how its reply will be judged."""

    candidate: Candidate
    call: ModelCall
    driver: ModelDriver
    screening: NewScreen | None
    whole: bool
    stops: Sequence[str]

    def begin(self, release: Release) -> None:
        """The reply that is let out is this call's from here on."""
        size = self.call.request.size
        release.begin(self.candidate.model, self.screening, size, whole=self.whole, stops=self.stops)

    def answer(self) -> AsyncGenerator[Chunk]:
        """Send it."""
        return self.driver.answer(self.call)


def ready(
    deployment: Deployment,
    action: Action,
    decided: Decided,
    candidate: Candidate,
    deadline: float,
    load: Load | None,
) -> Ready:
    """The call of the attempt that was reserved last. `load` is what it counts as at a deployment.

    Raises `Withheld` before anything is sent, if no reply at all may be released to this caller.
    """
    prepared = prepare(deployment.policy, decided.asked, candidate)
    screening = _screening(deployment, action, decided, candidate, prepared)
    policy = deployment.policy
    ends = policy.has_endings and not action.arrival.judges
    whole = ends and policy.sees_whole(action.caller, asked_of(action, decided), candidate.model)
    whole = whole or bool(decided.plan.checks)  # its answer may not be kept
    stop = decided.asked.request.sampling.stop or ()
    call = ModelCall(
        model=candidate.model,
        request=prepared.request,
        passages=prepared.passages,
        max_output=candidate.max_output,
        deadline=deadline,
        idempotency_key=action.attempt_id,
        heeds=None if load is None else load.heeds(candidate.model),
    )
    driver = deployment.drivers[candidate.model.endpoint]
    return Ready(candidate, call, driver, screening, whole, (stop,) if isinstance(stop, str) else stop)


async def taken(chunks: AsyncGenerator[Chunk], release: Release) -> None:
    """Let out what comes, as far as it may leave."""
    async with aclosing(chunks):
        async for chunk in chunks:
            await release.push(chunk)


def _screening(
    deployment: Deployment, action: Action, decided: Decided, candidate: Candidate, prepared: Prepared
) -> NewScreen | None:
    """How to screen this candidate's reply; None where no policy judges replies by what they say."""
    policy, caller = deployment.policy, action.caller
    asked = asked_of(action, decided)
    if not policy.screens_replies and prepared.redaction is None:
        action.hits.update(policy.screen(caller, asked, candidate.model).hits)
        return None
    return lambda arguments: policy.screen(caller, asked, candidate.model, prepared.redaction, arguments=arguments)
