"""What the path does with kept flows: find out by them where a call's arguments come from, and keep what is read.

What a call reads is durable before it is given away. So whatever is written with it in mind comes after it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.context import Pack
from fairlead.costs.ledger import Action
from fairlead.errors import NotFound
from fairlead.execution.choices import Reply
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.extraction import fitting
from fairlead.execution.flow_reading import NOWHERE, as_data, packed, put_step, read_step, told_by, unknown, words_of
from fairlead.execution.flow_step import Step, given_as, joined, step_of
from fairlead.execution.kept_flows import FlowOf
from fairlead.execution.prepare import Decided
from fairlead.execution.tool_asking import ToolRequest
from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS, Labels
from fairlead.models.types import ChatRequest
from fairlead.policy.tool_rights import UNKNOWN, ToolAsked
from fairlead.storage.types import NewStep
from fairlead.tools.talk import Talk
from fairlead.tools.types import ToolResult

_COMPOSED: Final = ("workflow",)
"""Doors whose messages are put together here, of whatever earlier steps gave: nobody speaks in them."""


async def traced(fairlead: Fairlead, deployment: Deployment, action: Action, request: ToolRequest) -> ToolRequest:
    """The call with its references resolved, and where its arguments come from as far as its flow proves that. Raises
    `BadInput`."""
    if request.flow is None or deployment.flows is None:
        return request
    of = _flow(action, request.flow)
    said = [words_of(each) for each in request.said] if deployment.flows.speaks(action.caller) else []

    def work() -> ToolRequest:
        flow = fairlead.flows.flow(of)
        new = unknown(flow.steps, said)
        if new:
            fairlead.flows.add(of, new)
            flow = replace(flow, steps=(*flow.steps, *new))
        made = flow.request(request.name, request.arguments)
        return replace(
            request,
            arguments=made.arguments,
            sources=made.sources,
            read=made.read,
            labels=request.labels.joined(made.labels),
            links=made.links,
            talk=request.talk and _talk(fairlead, action, request.flow or "", request.talk),
        )

    with action.trace.waiting():
        return await asyncio.to_thread(work)


def _talk(fairlead: Fairlead, action: Action, name: str, talk: Talk) -> Talk:
    """The talk of a call, with what its program answers kept as what is put into the system."""
    inner = talk.ask
    if inner is None:
        return talk

    async def ask(method: str, about: Mapping[str, Any]) -> Any:
        given = await inner(method, about)
        await _add(fairlead, action, name, step_of("put", NOWHERE, None, given=[given_as(given, UNKNOWN)]))
        return given

    return replace(talk, ask=ask)


async def put(
    fairlead: Fairlead, deployment: Deployment, action: Action, request: ToolRequest, asked: ToolAsked
) -> NewStep | None:
    """What is about to be put into a system, for the commit that reserves the call: kept whatever becomes of it."""
    if request.flow is None or deployment.flows is None:
        return None
    step = put_step(asked, deployment.policy.tools.trusts)
    return None if step is None else await _with_the_action(fairlead, action, request.flow, step)


async def read(
    fairlead: Fairlead,
    deployment: Deployment,
    action: Action,
    request: ToolRequest,
    asked: ToolAsked,
    result: ToolResult,
    labels: Labels,
) -> NewStep | None:
    """What a call has read, to be kept in the commit that settles it: before anybody gets it."""
    if request.flow is None or deployment.flows is None or request.unread:
        return None
    system, _, name = asked.tool.name.partition(".")
    schema = deployment.systems.systems[system].card_of(name).extracts
    step = read_step(action.run, asked, result, labels, schema)
    return await _with_the_action(fairlead, action, request.flow, step)


def refuse_forgotten(action: Action) -> None:
    """Raises `NotFound` where what the call puts or reads was to be kept and could not be: nothing is done, and nothing
    given, of which nobody would know later."""
    if not action.remembered:
        raise NotFound("the person was erased meanwhile, or the run goes on elsewhere", mend="begin anew")


async def extracted(fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided, reply: Reply) -> None:
    """Keep what a reply has taken out of texts, where the task that the request names declares a schema for it."""
    task, flow = decided.task.type, action.arrival.flow
    if deployment.flows is None or flow is None or not task.extracts or decided.asked.request.model != task.name:
        return
    values = [as_data(each.text.strip()) for each in reply.choices]
    parts = fitting(task.name, task.extracts, values[0]) if len(values) == 1 else None
    if parts is None:
        return

    def work() -> None:
        of = _flow(action, flow)
        given = [given_as(list(parts.open), fairlead.flows.flow(of).sources)] if parts.open else []
        source = frozenset({f"schema:{task.name}"})
        fairlead.flows.add(of, [step_of(action.run, source, values[0], decided.asked.labels, given)])

    with action.trace.waiting():
        await asyncio.to_thread(work)


async def carried(fairlead: Fairlead, deployment: Deployment, action: Action, request: ChatRequest) -> ChatRequest:
    """The request with the labels that the results in it had when its flow read them: what a model is told keeps the
    class of where it came from."""
    if deployment.flows is None or action.arrival.flow is None:
        return request
    marks = {mark for each in request.messages if each.role == "tool" for step in told_by(each) for mark in step.marks}
    if not marks:
        return request
    of = _flow(action, action.arrival.flow)
    with action.trace.waiting():
        flow = await asyncio.to_thread(fairlead.flows.flow, of)
    labels = joined([each for each in flow.steps if not marks.isdisjoint(each.marks)])
    return request if labels == NO_LABELS else replace(request, labels=request.labels.joined(labels))


async def heard(fairlead: Fairlead, deployment: Deployment, action: Action, request: ChatRequest, pack: Pack) -> None:
    """Keep what a model is told by an agent that passes its person's words on: those words, what tools have said, and
    the pages that it gets. Of any other agent, what it got from outsiders and from live sources: that must not be taken
    for what came from elsewhere."""
    if deployment.flows is None or action.arrival.flow is None:
        return
    if deployment.flows.speaks(action.caller) and action.arrival.door not in _COMPOSED:
        told = [step for each in request.messages for step in told_by(each)]
        told += packed(pack, all_of_it=True)
    else:
        told = packed(pack, all_of_it=False)
    if not told:
        return
    of = _flow(action, action.arrival.flow)

    def work() -> None:
        fairlead.flows.add(of, unknown(fairlead.flows.flow(of).steps, told))

    with action.trace.waiting():
        await asyncio.to_thread(work)


class FlowRules(Struct, frozen=True):
    """What a workspace says of flows. `speakers` are the agents whose user messages are the person's own words."""

    speakers: frozenset[str]

    def speaks(self, caller: Caller) -> bool:
        """Whether what the agent passes on as the user's is taken for the person's own words."""
        return caller.agent in self.speakers


def flow_of(caller: Caller, name: str) -> FlowOf:
    """A caller's flow of this name, kept."""
    return FlowOf(caller.person, caller.tenant, caller.agent, name)


def _flow(action: Action, name: str) -> FlowOf:
    return replace(flow_of(action.caller, name), kept=action.arrival.keep)


async def _with_the_action(fairlead: Fairlead, action: Action, name: str, step: Step) -> NewStep | None:
    """The step, for the action's next commit; None where the flow is so full that it had to be kept by itself."""
    row = fairlead.flows.row(_flow(action, name), step)
    if row is None:
        await _add(fairlead, action, name, step)
    return row


async def _add(fairlead: Fairlead, action: Action, name: str, step: Step) -> None:
    with action.trace.waiting():
        await asyncio.to_thread(fairlead.flows.add, _flow(action, name), [step])
