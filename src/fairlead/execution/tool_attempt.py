"""Carrying out a call that was decided: by what the system knows the caller, what it is held at, and the call."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from functools import partial

import msgspec

from fairlead.costs.ledger import Action
from fairlead.costs.told import Hit, ToolReservation
from fairlead.errors import BadInput, DeadlineExceeded, Overloaded, Rejected, Unauthenticated, Upstream
from fairlead.execution.aggregating import taken_down
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.outdated import refuse_outdated
from fairlead.execution.remembering import remembered
from fairlead.execution.stopping import refuse_ended
from fairlead.execution.tool_approvals import use_approvals
from fairlead.execution.tool_asking import ToolDecided, digest_of
from fairlead.execution.tool_credentials import renewed_credential
from fairlead.execution.tool_facts import DOOR as FACTS
from fairlead.execution.tool_pins import refuse_changed
from fairlead.execution.tool_release import without_credential, without_secret
from fairlead.execution.tool_talk import governed
from fairlead.models.types import NO_USAGE, Model, Usage
from fairlead.tools.failures import CredentialRefused, SystemFailed
from fairlead.tools.memory import MEMORY
from fairlead.tools.nesting import MOST_LEVELS, is_too_deep
from fairlead.tools.types import SystemCall, Tool, ToolResult


class _Sent:
    """What has come of the call so far."""

    started = False
    model: Model | None = None

    def __init__(self) -> None:
        self.result: ToolResult | None = None

    def usage_so_far(self) -> Usage:
        return NO_USAGE

    def hits(self) -> Iterable[Hit]:
        return ()

    def reply_text(self) -> str:
        return self.result.text if self.result is not None else ""


def count_call(fairlead: Fairlead, action: Action, tool: Tool) -> None:
    """Count the call against the limits on how often may be called. What it reads as facts counts with it. Raises
    `TooFast`."""
    if fairlead.rates.limits is not None and action.arrival.door != FACTS:
        fairlead.rates.take_call(action.caller, tool.system, tool.name)


def reservation(deployment: Deployment, action: Action, decided: ToolDecided) -> ToolReservation:
    """What the call is held at, and what its record says."""
    asked, settings = decided.asked, decided.system.settings
    assert action.task is not None
    return ToolReservation(
        tool=asked.tool.name,
        # A digest of few possible arguments tells them: where nothing may be kept, there is none.
        arguments=digest_of(asked.tool.name, asked.arguments, asked.answers, asked.state)
        if action.arrival.keep
        else "",
        definition=asked.tool.digest,
        rights=decided.credential.kind,
        sources=tuple(sorted(frozenset().union(*asked.sources.values()))) if asked.sources else (),
        approvals=decided.approvals,
        price=int(Decimal(str(settings.price)) * 10**9),
        limits=deployment.budgets.limits_for(action.caller, action.task.type.name, action.at, action.arrival.workflow),
    )


async def attempted(fairlead: Fairlead, deployment: Deployment, action: Action, decided: ToolDecided) -> ToolResult:
    """The call, once: what may have changed something is never repeated. It waits for its turn at the system, looks
    whether the tool is still what was accepted, and uses up what it rests on, before the tool is reached. Raises
    `Upstream`, `Quarantined`, `ApprovalPending`, `Overloaded`."""
    settings, asked = decided.system.settings, decided.asked
    declared = action.arrival.deadline
    seconds = settings.timeout if declared is None else min(settings.timeout, declared)
    sent = _Sent()
    call = SystemCall(
        tool=asked.tool.definition,
        arguments=asked.arguments,
        credential=decided.credential,
        person=action.caller.person,
        deadline=fairlead.clock.monotonic() + seconds,
        idempotency_key=action.arrival.once or action.attempt_id,
        most_bytes=settings.most_bytes,
        talk=governed(deployment, action, decided, decided.talk) if decided.talk is not None else None,
    )
    timer, due = asyncio.timeout(None), None
    try:
        async with deployment.systems.places[decided.system.name].turn(call):
            await refuse_changed(fairlead, deployment, action, decided)
            await refuse_outdated(fairlead, deployment, action)  # while no approval is used up yet
            await use_approvals(fairlead, action, decided)
            await refuse_outdated(fairlead, deployment, action)
            action.sending(sent)
            with action.step("call"):
                action.trace.note(tool=asked.tool.name)
                async with asyncio.timeout(call.deadline - fairlead.clock.monotonic()) as timer:
                    due = timer.when()
                    fairlead.under_way[action] = sent, timer
                    ask = partial(_called, fairlead, deployment, action, decided)
                    rule = deployment.declassify.get(asked.tool.name)
                    result = await (ask(call) if rule is None else taken_down(fairlead, action, rule, call, ask))
                    sent.result = result
    except TimeoutError:
        if timer.when() != due:  # a stop has moved it: the end is its doing
            action.flags.append("reconcile")
            refuse_ended(fairlead, action, None)
        late = _too_late(asked.tool.name, seconds)
        action.fail(late)
        raise late from None
    except Upstream as error:
        action.fail(error)
        raise
    except BadInput as error:  # the connector cannot send such arguments, and has sent nothing
        action.fail(Rejected(error.message, why=error.why, subject=asked.tool.name, retryable=False, charged="no"))
        raise
    finally:
        fairlead.under_way.pop(action, None)
    return result


def _too_late(tool: str, seconds: float) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"{tool} did not answer within {seconds:g} s",
        why="whether it was done is not known",
        mend="look in the system before calling again, or raise the system's `timeout`",
        subject=tool,
        charged="unknown",
    )


async def _called(
    fairlead: Fairlead, deployment: Deployment, action: Action, decided: ToolDecided, call: SystemCall
) -> ToolResult:
    """The driver's call. Where the system did not know the credential, and so did nothing, and there is another of the
    same person's, once more with that: a token can end before its time. What it says then is final."""
    if decided.system.name == MEMORY:
        return await remembered(fairlead, deployment, action, decided.asked)
    driver, credential = deployment.systems.drivers[decided.system.name], call.credential
    try:
        try:
            result = await driver.call(call)
        except CredentialRefused as error:
            without_secret(error, credential.secret)
            renewed = await renewed_credential(deployment, action, decided.system, credential, call.deadline)
            if renewed is None:
                raise
            try:
                await refuse_outdated(fairlead, deployment, action)
            except (Overloaded, Unauthenticated):  # nothing was done, and nothing is charged
                raise error from None
            action.flags.append("renewed")
            credential = renewed
            talk = governed(deployment, action, msgspec.structs.replace(decided, credential=renewed), decided.talk)
            result = await driver.call(msgspec.structs.replace(call, credential=renewed, talk=talk))
        _refuse_too_deep(decided, result)
    except (Upstream, BadInput) as error:
        without_secret(error, credential.secret)
        raise
    return without_credential(action, credential, result)


def _refuse_too_deep(decided: ToolDecided, result: ToolResult) -> None:
    """Raises `SystemFailed` for data that cannot be looked through, and so may not leave."""
    asked = result.questions.asked if result.questions is not None else None
    if is_too_deep(result.structured) or is_too_deep(asked):
        raise SystemFailed(
            f"{decided.asked.tool.name} gave back data nested deeper than {MOST_LEVELS} levels",
            why="what nobody can look through does not leave",
            mend="look in the system whether it was done; ask for less of it, or for flatter data",
            subject=decided.asked.tool.name,
            retryable=False,
            charged="unknown",
        )
