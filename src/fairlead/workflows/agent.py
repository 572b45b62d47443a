"""An agent: a model that calls tools, turn by turn, until what it gives passes the check of its step.

Each turn and each call is an effect of its own, so a run that was cut off goes on with the turn that it was in. Tools
that one reply asks for are called one after the other, unless all of them only read. What does not pass is told to the
agent, which goes on within its turns and its money. What another step gets of it is its typed result, with labels and
sources, and no transcript.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.execution import Answer
from fairlead.models.types import ChatRequest, FunctionTool, Message, Tool, ToolCall
from fairlead.tools.types import Tool as SystemTool
from fairlead.workflows.asking import data_of, first_messages, labels_of, pages_of, request_of
from fairlead.workflows.nodes import AgentNode
from fairlead.workflows.passing import not_passed
from fairlead.workflows.repeating import Repeats
from fairlead.workflows.scope import Halt
from fairlead.workflows.together import together
from fairlead.workflows.walk import Asked, Bounds, Place, StepFailed, StepResult

_AT_ONCE: Final = 8  # tools that only read, of one reply


class Acts(Protocol):
    """The two effects of an agent, each done once at its place."""

    async def turn(self, at: Place, request: ChatRequest, bounds: Bounds, *, grounds: bool) -> StepResult:
        """Ask the model. With `grounds` the texts are kept that its answer may rest on."""

    async def call(self, at: Place, name: str, arguments: Mapping[str, Any], bounds: Bounds) -> StepResult:
        """Call a tool that the model has asked for."""


class Turn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a model said in a turn: text, and the calls that it asks for."""

    text: str
    calls: tuple[ToolCall, ...] = ()


class Wanted(Struct, frozen=True):
    """A call that is to be done."""

    at: Place
    tool: str
    arguments: dict[str, Any]


def turn_of(grounds: bool, answer: Answer) -> StepResult:
    """A settled turn, as it is kept: with the pages that the model had, where a check asks for them."""
    choice = answer.reply.choices[0]
    return StepResult(
        value=msgspec.to_builtins(Turn(text=choice.text, calls=choice.tool_calls)),
        text=choice.text,
        labels=answer.labels,
        provenance=(f"model:{answer.model.name}",),
        run=answer.run,
        cost=answer.cost,
        read=tuple(pages_of(answer)) if grounds else (),
        cut_off=choice.finish == "length",
    )


async def reached(
    acts: Acts, at: Place, node: AgentNode, asked: Asked, bounds: Bounds, tools: Sequence[SystemTool]
) -> StepResult:
    """What the agent came to. Raises `StepFailed`: "check" where its turns are over and what it gave last does not
    pass, "unfinished" where they are over otherwise, or where it calls the same again and again."""
    return await _Agent(acts, at, node, asked, bounds, tools).reach()


class _Agent:
    """One agent at work: what it has cost, and what it knows."""

    def __init__(
        self, acts: Acts, at: Place, node: AgentNode, asked: Asked, bounds: Bounds, tools: Sequence[SystemTool]
    ) -> None:
        self._acts = acts
        self._at = at
        self._node = node
        self._asked = asked
        self._bounds = bounds
        self._tools = {_function(each): each for each in tools}
        self._offered = [_offered(each) for each in tools]
        self._messages = first_messages(asked)
        self._cost = 0
        self._labels = labels_of(bounds)
        self._sources: dict[str, None] = {}
        self._read = dict.fromkeys(asked.read())
        self._repeats = Repeats()

    async def reach(self) -> StepResult:
        wrong, result = "", StepResult()
        for number in range(self._node.at_most):
            place = self._at.below(number)
            request = request_of(self._node, self._messages, self._labels, self._offered)
            asking = self._acts.turn(place, request, self._within(), grounds=self._asked.grounds)
            said = self._heard(await asking)
            turn = msgspec.convert(said.value, Turn)
            if not turn.calls:
                result, wrong = self._given(said, turn)
                if not wrong:
                    return result
                self._messages.append(Message(role="assistant", content=turn.text))
                self._messages.append(Message(role="user", content=f"That does not pass: {wrong}\nMend it."))
                continue
            wrong = ""
            self._messages.append(Message(role="assistant", content=turn.text or None, tool_calls=list(turn.calls)))
            for call, told in zip(turn.calls, await self._called(place, turn.calls), strict=True):
                self._heard(told, told.text)
                self._messages.append(Message(role="tool", content=told.text, tool_call_id=call.id))
        if wrong:
            raise not_passed(self._name, wrong, result)
        turns = self._node.at_most
        raise StepFailed(
            "unfinished", f"the goal was not reached in {turns} turns", at=self._at.text, code="unfinished"
        )

    @property
    def _name(self) -> str:
        return str(self._at.path[-1]).partition("~")[0]

    def _within(self) -> Bounds:
        """What is left for what comes next, and the labels of all that goes into it."""
        left = None if self._bounds.budget is None else max(0, self._bounds.budget - self._cost)
        return replace(self._bounds, budget=left, labels=self._labels)

    def _heard(self, result: StepResult, *texts: str) -> StepResult:
        """Something that the agent knows from now on."""
        self._cost += result.cost
        self._labels = self._labels.joined(result.labels)
        self._sources.update(dict.fromkeys(result.provenance))
        if self._asked.grounds:
            self._read.update(dict.fromkeys((*result.read, *texts)))
        return result

    def _given(self, said: StepResult, turn: Turn) -> tuple[StepResult, str]:
        """What it gives, and what is wrong with that."""
        result = StepResult(
            value=turn.text,
            text=turn.text,
            labels=self._labels,
            provenance=tuple(self._sources),
            run=said.run,
            cost=self._cost,
            read=tuple(self._read),
        )
        if self._node.gives:
            try:
                result = replace(
                    result, value=data_of(self._at, turn.text, said.run, "")
                )  # its turns are kept with their model
            except StepFailed as failed:
                return result, failed.message
        return result, self._asked.judge(result) if self._asked.judge is not None else ""

    async def _called(self, turn: Place, calls: Sequence[ToolCall]) -> Sequence[StepResult]:
        """What the model is told of its calls, in their order."""
        if len(calls) > 1 and all(self._only_reads(call) for call in calls):
            wanted = [self._wanted(turn.below(count), call) for count, call in enumerate(calls)]
            given = await together([partial(self._done, each) for each in wanted], Halt(), _AT_ONCE)
            return [self._noted(*pair) for pair in zip(wanted, given, strict=True)]
        told = []
        for count, call in enumerate(calls):
            one = self._wanted(turn.below(count), call)
            told.append(self._noted(one, await self._done(one)))
        return told

    def _only_reads(self, call: ToolCall) -> bool:
        tool = self._tools.get(call.function.name)
        return tool is None or tool.definition.effect == "read"

    def _wanted(self, at: Place, call: ToolCall) -> Wanted | StepResult:
        """The call that the model asks for, or what it is told in its place."""
        tool = self._tools.get(call.function.name)
        if tool is None:
            return StepResult(text=f"There is no tool {call.function.name!r}.")
        try:
            arguments = msgspec.json.decode(call.function.arguments or "{}", type=dict[str, Any])
        except (ValueError, RecursionError):
            return StepResult(text="The arguments are not a JSON object.")
        enough = self._repeats.refused(at, tool.name, arguments)
        return Wanted(at, tool.name, arguments) if enough is None else StepResult(text=enough)

    async def _done(self, call: Wanted | StepResult) -> StepResult:
        """What the model is told of a call: its result, or what it did wrong. Where a system failed, so does the
        agent."""
        if isinstance(call, StepResult):
            return call
        try:
            result = await self._acts.call(call.at, call.tool, call.arguments, self._within())
        except StepFailed as failed:
            if failed.kind not in ("error", "refused") or failed.in_doubt:
                raise
            said = ("Error:", failed.message, failed.why, failed.mend)
            return StepResult(text=" ".join(each for each in said if each))
        text = result.text or msgspec.json.encode(result.value).decode()
        return StepResult(text=text, labels=result.labels, provenance=result.provenance, cost=result.cost)

    def _noted(self, call: Wanted | StepResult, told: StepResult) -> StepResult:
        if isinstance(call, Wanted):
            self._repeats.gave(call.tool, call.arguments, told.text)
        return told


def _function(tool: SystemTool) -> str:
    """Its name as vendors take names of functions."""
    return tool.name.replace(".", "__")


def _offered(tool: SystemTool) -> Tool:
    definition = tool.definition
    about = FunctionTool(
        name=_function(tool), description=definition.description or definition.title, parameters=dict(definition.input)
    )
    return Tool(function=about)
