"""Attempts: one candidate after the other, each with its own intent, hold and settlement, within one deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from fairlead.costs.ledger import Action
from fairlead.errors import DeadlineExceeded, NotRedactable, OverBudget, RateLimited, Upstream
from fairlead.execution.at_cap import passes_over, reservation
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.dropping import leave_out
from fairlead.execution.hedging import Race
from fairlead.execution.outdated import refuse_outdated
from fairlead.execution.pace import note_pace
from fairlead.execution.prepare import Decided
from fairlead.execution.release import Release
from fairlead.execution.sending import ready, taken
from fairlead.execution.stopping import refuse_ended
from fairlead.models.types import Model
from fairlead.routing import Candidate, Dropped, Health, pause_before_retry

Send = Callable[[Candidate, float], Awaitable[None]]  # the deadline is in the clock's monotonic seconds


class Sent(Protocol):
    """What has come of an attempt so far. `started` tells whether a part of it was let out, `model` who was asked."""

    @property
    def started(self) -> bool: ...
    @property
    def model(self) -> Model | None: ...


PATIENCE = 2.0  # seconds for which asking the same model again beats asking the next one


async def attempt(
    fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided, release: Release
) -> Model:
    """Try the candidates for a chat; as `tried` says."""
    send = partial(_once, fairlead, deployment, action, decided, release)
    model = await tried(fairlead, deployment, action, decided, release, send)
    if decided.plan.decision is not None or deployment.speeds is not None or decided.pack.passages:
        with action.step("observe"):
            _noted(fairlead, deployment, action, decided, release, model)
    return model


def _noted(
    fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided, release: Release, model: Model
) -> None:
    """What the attempt has shown of the model, for estimates and choices to come."""
    if decided.plan.decision is not None:
        fairlead.seconds.note(model.name, action.trace.elapsed("call") / 1e9)
    if deployment.speeds is not None:
        took, asked = action.trace.elapsed("call") / 1e9, decided.asked.request
        note_pace(fairlead, deployment, decided.task, model, asked.size, release.usage_so_far(), took)
    if decided.pack.passages:
        fairlead.tokens.note(model.name, decided.asked.request, release.usage_so_far())


async def tried(
    fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided, sent: Sent, send: Send
) -> Model:
    """Try the candidates in order until one answers completely. The first one's hold is already in place.

    One for which the request cannot be redacted is passed over. Raises the last error when none is left, when the
    deadline has come, or when a part of a reply was already let out: nothing else can then continue it. Raises
    `Stopped` where a stop ends what is under way. `send` makes one attempt at a candidate, until a deadline.
    """
    seconds = seconds_left(deployment, action, decided)
    deadline = action.until = fairlead.clock.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds) as timer:
            fairlead.under_way[action] = sent, timer
            return await _each(fairlead, deployment, action, decided, sent, send, deadline)
    except TimeoutError:
        refuse_ended(fairlead, action, sent.model)
        late = DeadlineExceeded(
            f"no complete answer within {_allowed(deployment, action, decided):g} s",
            why=f"{action.waited:.1f} s of them it waited for its turn" if action.waited else "",
            mend="raise the task type's deadline, or `defaults.deadline`, or prefer a faster model",
            charged="part" if sent.started else "unknown",
        )
        if sent.model is not None:
            fairlead.health.failure(sent.model.name, late)
        action.fail(late)
        raise late from None
    finally:
        fairlead.under_way.pop(action, None)
        if action.place is not None:
            action.place.leave()
        if action.load is not None:
            action.load.leave()


def seconds_left(deployment: Deployment, action: Action, decided: Decided) -> float:
    """Until the action is given up: what was declared or asked for, less what it has waited for its place."""
    if action.until:  # a cascade goes on under the deadline that it began with
        return action.until - action.books.clock.monotonic()
    return _allowed(deployment, action, decided) - action.waited


def _allowed(deployment: Deployment, action: Action, decided: Decided) -> float:
    declared = decided.task.type.deadline or deployment.defaults.deadline
    asked = action.arrival.deadline
    return declared if asked is None else min(declared, asked)


async def _each(
    fairlead: Fairlead,
    deployment: Deployment,
    action: Action,
    decided: Decided,
    sent: Sent,
    send: Send,
    deadline: float,
) -> Model:
    health = fairlead.health
    last: Upstream | OverBudget | NotRedactable | None = None
    held = True  # the path has reserved for the first candidate
    for candidate in decided.plan.candidates:
        name, tries = candidate.model.name, 0
        obstacle = _taken_up_at(action, candidate)
        if obstacle is not None:
            last = last or obstacle
            continue
        while health.acquire(name):
            try:
                if not held:
                    await action.reserve(reservation(deployment, action, decided, candidate))
                held, tries = False, tries + 1
                await refuse_outdated(fairlead, deployment, action)
                await send(candidate, deadline)
            except (NotRedactable, OverBudget) as error:
                health.release(name)
                if not _passes_over(deployment, action, candidate, error):
                    raise
                last = last or error
                break
            except Upstream as error:
                last = error
                health.failure(_asked(sent, health, name), error)
                action.fail(error)
                if sent.started:
                    raise
                only = candidate is decided.plan.candidates[-1]
                if not await _asks_again(fairlead, deployment, action, candidate, error, tries, deadline, only=only):
                    break
            except BaseException:
                health.release(name)  # cancelled, withheld or over budget: nothing that speaks against the model
                raise
            else:
                health.success(_asked(sent, health, name))
                return sent.model or candidate.model
        else:
            held = _left_alone(action, health, name, held, tries)
    raise last or Upstream(
        "every permitted model is being left alone after failures", mend="retry in a few seconds", charged="no"
    )


def _passes_over(
    deployment: Deployment, action: Action, candidate: Candidate, error: NotRedactable | OverBudget
) -> bool:
    """Whether the next candidate is asked although this one may not be; the plan then says why it was not."""
    if isinstance(error, OverBudget):
        return passes_over(deployment, action, candidate, error)
    action.fail(error)
    leave_out(action, Dropped(candidate.model.name, "policy", error.message))
    return True


def _taken_up_at(action: Action, candidate: Candidate) -> Upstream | None:
    """Count at this candidate from here on, and nowhere else; or why that cannot be."""
    name = candidate.model.name
    if action.place is not None and not action.place.at(candidate.model.endpoint):
        leave_out(action, Dropped(name, "places", "all places of its endpoint are taken"))
        return Upstream(f"all places of {name} are taken", mend="raise its `concurrency`", subject=name)
    if action.load is not None and (wait := action.load.at(candidate.model, candidate.max_output)):
        said = f"{name} was sent as much as it takes in a minute"
        leave_out(action, Dropped(name, "rate limit", said))
        return RateLimited(said, mend="ask again later", retry_after=wait, subject=name, charged="no")
    return None


def _asked(sent: Sent, health: Health, name: str) -> str:
    """Who has answered, or failed to: the candidate, or one that was asked beside it and has outrun it."""
    if sent.model is None or sent.model.name == name:
        return name
    health.release(name)
    return sent.model.name


def _left_alone(action: Action, health: Health, name: str, held: bool, tries: int) -> bool:
    """A planned candidate is not to be called now, or no more: another call probes it, or it has failed. Nothing is
    held for it any longer."""
    if held:  # its hold is given back with the next commit
        action.fail(Upstream(f"{name} is being left alone", subject=name))
    elif not tries:
        leave_out(action, Dropped(name, "health", health.reason(name) or "another call is finding out about it"))
    return False


async def _asks_again(
    fairlead: Fairlead,
    deployment: Deployment,
    action: Action,
    candidate: Candidate,
    error: Upstream,
    tries: int,
    deadline: float,
    *,
    only: bool,
) -> bool:
    """Whether the same candidate is to be asked once more after it failed; then the pause before that is over."""
    pause = pause_before_retry(error, tries, deployment.preferences.retries, fairlead.clock, deadline)
    if pause is None or (pause > PATIENCE and not only):
        return False
    with action.trace.waiting():
        await asyncio.sleep(pause)
    return action.load is None or not action.load.again(candidate.model, candidate.max_output)


async def _once(
    fairlead: Fairlead,
    deployment: Deployment,
    action: Action,
    decided: Decided,
    release: Release,
    candidate: Candidate,
    deadline: float,
) -> None:
    sent = ready(deployment, action, decided, candidate, deadline, action.load)
    sent.begin(release)
    action.sending(release)
    hedge = decided.task.type.hedge
    with action.step("call"):
        action.trace.note(model=candidate.model.name)
        if hedge is None:
            await action.trace.timed(taken(sent.answer(), release))
        else:
            await action.trace.timed(Race(fairlead, deployment, action, decided, hedge).run(sent, release))
