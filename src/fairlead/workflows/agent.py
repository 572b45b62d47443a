"""An agent: a model that calls tools, turn by turn, until it reaches its goal.

Each turn and each call is an effect of its own, so a run that was cut off goes on with the turn that it was in. Tools
that one reply asks for are called one after the other. What another step gets of an agent is its typed result, and no
transcript.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from fairlead.execution import Answer
from fairlead.models.types import ChatRequest, FunctionTool, Message, Tool, ToolCall
from fairlead.tools.types import Tool as SystemTool
from fairlead.workflows.asking import data_of, first_messages, labels_of, request_of
from fairlead.workflows.nodes import AgentNode
from fairlead.workflows.walk import Asked, Bounds, Place, StepFailed, StepResult


class Acts(Protocol):
    """The two effects of an agent, each done once at its place."""

    async def turn(self, at: Place, request: ChatRequest, bounds: Bounds) -> StepResult: ...

    async def call(self, at: Place, name: str, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult: ...


class Turn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model said in a turn: text, and the calls that it asks for."""

    text: str
    calls: tuple[ToolCall, ...] = ()


def turn_of(answer: Answer) -> StepResult:
    """A settled turn, as it is kept."""
    choice = answer.reply.choices[0]
    return StepResult(
        value=msgspec.to_builtins(Turn(text=choice.text, calls=choice.tool_calls)),
        text=choice.text,
        labels=answer.labels,
        provenance=(f"model:{answer.model.name}",),
        run=answer.run,
        cost=answer.cost,
    )


async def reached(
    acts: Acts, at: Place, node: AgentNode, asked: Asked, bounds: Bounds, tools: Sequence[SystemTool]
) -> StepResult:
    """What the agent came to. Raises `StepFailed` ("unfinished") where its turns are over."""
    names = {_function(each): each.name for each in tools}
    offered = [_offered(each) for each in tools]
    messages, cost, labels = first_messages(node, asked), 0, labels_of(bounds)
    for number in range(node.at_most):
        turn = at.below(number)
        result = await acts.turn(turn, request_of(node, messages, labels, offered), bounds)
        said = msgspec.convert(result.value, Turn)
        cost, labels = cost + result.cost, labels.joined(result.labels)
        if not said.calls:
            value = data_of(at, said.text, result.run) if node.gives else said.text
            return StepResult(
                value=value, text=said.text, labels=labels, provenance=result.provenance, run=result.run, cost=cost
            )
        messages.append(Message(role="assistant", content=said.text or None, tool_calls=list(said.calls)))
        for count, call in enumerate(said.calls):
            told = await _called(acts, turn.below(count), names, call, bounds)
            cost, labels = cost + told.cost, labels.joined(told.labels)
            messages.append(Message(role="tool", content=told.text, tool_call_id=call.id))
    raise StepFailed("unfinished", f"the goal was not reached in {node.at_most} turns", at=at.text, code="unfinished")


async def _called(acts: Acts, at: Place, names: Mapping[str, str], call: ToolCall, bounds: Bounds) -> StepResult:
    """What the model is told of a call: its result, or what it did wrong. Where a system failed, so does the agent."""
    name = names.get(call.function.name)
    if name is None:
        return StepResult(text=f"There is no tool {call.function.name!r}.")
    try:
        arguments = msgspec.json.decode(call.function.arguments or "{}", type=dict[str, Any])
    except (ValueError, RecursionError):
        return StepResult(text="The arguments are not a JSON object.")
    try:
        result = await acts.call(at, name, arguments, bounds)
    except StepFailed as failed:
        if failed.kind not in ("error", "refused") or failed.in_doubt:
            raise
        return StepResult(text=" ".join(each for each in ("Error:", failed.message, failed.why, failed.mend) if each))
    text = result.text or msgspec.json.encode(result.value).decode()
    return StepResult(text=text, labels=result.labels, cost=result.cost)


def _function(tool: SystemTool) -> str:
    """Its name as vendors take names of functions."""
    return tool.name.replace(".", "__")


def _offered(tool: SystemTool) -> Tool:
    definition = tool.definition
    about = FunctionTool(
        name=_function(tool), description=definition.description or definition.title, parameters=dict(definition.input)
    )
    return Tool(function=about)
