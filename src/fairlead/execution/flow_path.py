"""What the path does with kept flows: find out by them where a call's arguments come from, and keep what is read.

What a call reads is durable before it is given away. So whatever is written with it in mind comes after it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.context import Pack
from fairlead.costs.ledger import Action
from fairlead.errors import NotFound
from fairlead.execution.choices import Reply
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.extraction import fitting
from fairlead.execution.flow_step import Step, given_as, step_of
from fairlead.execution.kept_flows import FlowOf
from fairlead.execution.prepare import Decided
from fairlead.execution.tool_asking import ToolRequest
from fairlead.identity.types import Caller
from fairlead.labels import Labels
from fairlead.models.types import ChatRequest, Message, TextPart
from fairlead.policy.tool_rights import UNKNOWN, Sources, ToolAsked
from fairlead.storage.types import NewStep
from fairlead.tools.nesting import is_too_deep
from fairlead.tools.talk import Talk
from fairlead.tools.types import Link, Resource, Text, ToolResult

_USER: Final = frozenset({"user"})
_MESSAGE: Final = frozenset({"message:tool"})
_ATTACHED: Final = frozenset({"message:document"})
_NOWHERE: Final[Sources] = frozenset()
_OUTSIDERS: Final = "message:document"  # what outsiders wrote, whoever published it
_LONGEST: Final = 32 << 10  # letters; what is longer is something that was passed on, and nobody's words
_canonical = msgspec.json.Encoder(order="sorted").encode


async def traced(fairlead: Fairlead, deployment: Deployment, action: Action, request: ToolRequest) -> ToolRequest:
    """The call with its references resolved, and where its arguments come from as far as its flow proves that. Raises
    `BadInput`."""
    if request.flow is None or deployment.flows is None:
        return request
    of = flow_of(action.caller, request.flow)
    said = [_words(each) for each in request.said] if deployment.flows.speaks(action.caller) else []

    def work() -> ToolRequest:
        flow = fairlead.flows.flow(of)
        new = _unknown(flow.steps, said)
        if new:
            fairlead.flows.add(of, new)
            flow = replace(flow, steps=(*flow.steps, *new))
        made = flow.request(request.name, request.arguments)
        return replace(
            request,
            arguments=made.arguments,
            sources=made.sources,
            read=made.read,
            labels=made.labels,
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
        await _add(fairlead, action, name, step_of("put", _NOWHERE, None, given=[given_as(given, UNKNOWN)]))
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
        raise NotFound("the person was erased meanwhile", mend="begin anew")


def put_step(asked: ToolAsked, trusts: Callable[[str], bool]) -> Step | None:
    """What a call puts into a system that is not trusted: it comes back from there as what it is now."""
    if asked.tool.definition.effect == "read":
        return None
    given = [
        given_as(value, asked.sources[name])
        for name, value in asked.arguments.items()
        if not all(map(trusts, asked.sources[name]))
    ]
    given += [given_as(asked.answers, UNKNOWN)] if asked.answers else []
    return step_of("put", _NOWHERE, None, asked.labels, given) if given else None


def read_step(id_: str, asked: ToolAsked, result: ToolResult, labels: Labels, schema: Mapping[str, Any] = {}) -> Step:
    """What a call has read: its data, texts that are data as such, and the addresses of links. Where its data fit a
    declared schema, what leaves no room for words in them comes from there."""
    given = [given_as(value, asked.sources[name]) for name, value in asked.arguments.items()]
    texts = [each.text for each in result.pieces if isinstance(each, Text | Resource) and each.text]
    values = [] if result.structured is None else [result.structured]
    values += [data for data in map(_data, texts) if data not in values]
    values += [text for each in result.pieces if isinstance(each, Link) for text in (each.uri, each.name) if text]
    values += [each.uri for each in result.pieces if isinstance(each, Resource)]
    marks = {_mark(each) for each in (*texts, "\n".join(texts), "".join(texts))}
    if result.structured is not None:
        marks.add(_mark_of(result.structured))
    source = frozenset({f"tool:{asked.tool.name}"})
    if schema and values and (parts := fitting(asked.tool.name, schema, values[0])) is not None:
        given.append(given_as([*parts.open, *values[1:]], source))
        source = frozenset({f"schema:{asked.tool.name}"})
    value = values[0] if len(values) == 1 else values
    return step_of(id_, source, value, labels, given, sorted(marks))


async def extracted(fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided, reply: Reply) -> None:
    """Keep what a reply has taken out of texts, where the task that the request names declares a schema for it."""
    task, flow = decided.task.type, action.arrival.flow
    if deployment.flows is None or flow is None or not task.extracts or decided.asked.request.model != task.name:
        return
    values = [_data(each.text.strip()) for each in reply.choices]
    parts = fitting(task.name, task.extracts, values[0]) if len(values) == 1 else None
    if parts is None:
        return

    def work() -> None:
        of = flow_of(action.caller, flow)
        given = [given_as(list(parts.open), fairlead.flows.flow(of).sources)] if parts.open else []
        source = frozenset({f"schema:{task.name}"})
        fairlead.flows.add(of, [step_of(action.run, source, values[0], decided.asked.labels, given)])

    with action.trace.waiting():
        await asyncio.to_thread(work)


async def heard(fairlead: Fairlead, deployment: Deployment, action: Action, request: ChatRequest, pack: Pack) -> None:
    """Keep what a model is told by an agent that passes its person's words on: those words, what tools have said, and
    the pages that it gets. Of any other agent, what it got from outsiders and from live sources: that must not be taken
    for what came from elsewhere."""
    if deployment.flows is None or action.arrival.flow is None:
        return
    if deployment.flows.speaks(action.caller):
        told = [step for each in request.messages for step in _told(each)]
        told += _packed(pack, all_of_it=True)
    else:
        told = _packed(pack, all_of_it=False)
    if not told:
        return
    of = flow_of(action.caller, action.arrival.flow)

    def work() -> None:
        fairlead.flows.add(of, _unknown(fairlead.flows.flow(of).steps, told))

    with action.trace.waiting():
        await asyncio.to_thread(work)


def _packed(pack: Pack, *, all_of_it: bool) -> list[Step]:
    """The pieces of a pack as what was read: a live one came from the tool that read it."""
    tools = {each.citation: each.tool for each in pack.live}
    steps = []
    for passage, citation in zip(pack.passages, pack.citations, strict=False):
        tool = tools.get(passage.citation)
        if not (all_of_it or tool or not citation.trusted):
            continue
        source = f"tool:{tool}" if tool else f"document:{passage.citation.partition('@')[0]}"
        if not tool and not citation.trusted:
            source = _OUTSIDERS
        value: Any = [passage.text, *_values(passage.text)] if tool else passage.text
        mark = _mark(f"{passage.citation} {passage.text}", b"page")
        steps.append(step_of("page", frozenset({source}), value, pack.labels, (), (mark,)))
    return steps


def _values(text: str) -> list[str]:
    """The values of a live piece one by one, as they were before it was made a text."""
    parts = (part for line in text.splitlines() for part in line.removeprefix("- ").split("; "))
    return [value for part in parts if (value := part.partition(": ")[2] or part)]


class FlowRules(Struct, frozen=True):
    """What a workspace says of flows. `speakers` are the agents whose user messages are the person's own words."""

    speakers: frozenset[str]

    def speaks(self, caller: Caller) -> bool:
        return caller.agent in self.speakers


def flow_of(caller: Caller, name: str) -> FlowOf:
    return FlowOf(caller.person, caller.tenant, caller.agent, name)


async def _with_the_action(fairlead: Fairlead, action: Action, name: str, step: Step) -> NewStep | None:
    """The step, for the action's next commit; None where the flow is so full that it had to be kept by itself."""
    row = fairlead.flows.row(flow_of(action.caller, name), step)
    if row is None:
        await _add(fairlead, action, name, step)
    return row


async def _add(fairlead: Fairlead, action: Action, name: str, step: Step) -> None:
    with action.trace.waiting():
        await asyncio.to_thread(fairlead.flows.add, flow_of(action.caller, name), [step])


def _unknown(known: "tuple[Step, ...]", told: list[Step]) -> list[Step]:
    """What was not kept before: clients send the whole conversation each time."""
    marks = {mark for each in known for mark in each.marks}
    new = []
    for each in told:
        if marks.isdisjoint(each.marks):
            marks.update(each.marks)
            new.append(each)
    return new


def _told(message: Message) -> Iterator[Step]:
    if message.role == "tool":
        text = _text(message)
        yield step_of("message", _MESSAGE, _data(text), marks=[_mark(text)])
    elif message.role == "user":
        content = message.content
        parts = [TextPart(content)] if isinstance(content, str) else [
            each for each in content or () if isinstance(each, TextPart)
        ]  # fmt: skip
        for part in parts:
            yield (
                _words(part.text)
                if part.title is None
                else step_of("message", _ATTACHED, part.text, marks=[_mark(part.text, b"attached")])
            )


def _words(text: str) -> Step:
    mark = _mark(text, b"said")
    if len(text) > _LONGEST:
        return step_of("message", _ATTACHED, text, marks=[mark])
    return Step(id="said", sources=_USER, value=text, marks=(mark,))


def _text(message: Message) -> str:
    """What a tool's message says. Some clients put the blocks that they got into it, as JSON."""
    content = message.content
    text = content if isinstance(content, str) else "".join(
        each.text for each in content or () if isinstance(each, TextPart)
    )  # fmt: skip
    blocks = _data(text)
    if isinstance(blocks, list) and blocks and all(
        isinstance(each, Mapping) and each.get("type") == "text" and isinstance(each.get("text"), str)
        for each in blocks
    ):  # fmt: skip
        return "\n".join(each["text"] for each in blocks)
    return text


def _data(text: str) -> Any:
    """A text that is data, as data."""
    if text[:1] not in ("{", "["):
        return text
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return text
    return text if is_too_deep(data) else data


def _mark(text: str, kind: bytes = b"result") -> bytes:
    """By what it is known again: the same data whoever wrote it, the same text but for its spaces."""
    data = _data(text)
    if data is not text:
        return _mark_of(data, kind)
    return _digest(kind, " ".join(text.split()))


def _mark_of(data: Any, kind: bytes = b"result") -> bytes:
    try:
        return _digest(kind, _canonical(data).decode())
    except (TypeError, ValueError, OverflowError, RecursionError):
        return _digest(kind, repr(data))


def _digest(kind: bytes, of: str) -> bytes:
    return sha256(kind + b"\x00" + of.encode("utf-8", "surrogatepass")).digest()[:16]
