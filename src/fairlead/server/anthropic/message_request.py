"""Reads a request of the Messages protocol into the path's form. docs/reference/fields.md says where a field goes."""

from typing import Any, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct

from fairlead.errors import BadInput
from fairlead.models.attached import billable
from fairlead.models.sampling import Handling, Sampling
from fairlead.models.types import (
    ChatRequest,
    FunctionTool,
    JsonSchemaSpec,
    NamedFunction,
    NamedToolChoice,
    ResponseFormat,
    Tool,
)
from fairlead.server.anthropic.blocks import UserTurn
from fairlead.server.anthropic.message_body import (
    AnyChoice,
    CountBody,
    MessagesBody,
    NoChoice,
    ThinkingAdaptive,
    ThinkingDisabled,
    ToolBody,
    ToolChoice,
)
from fairlead.server.anthropic.turns import messages_of
from fairlead.server.reading import decoded


class AskedMessage(Struct, frozen=True):
    """A request in the path's form."""

    request: ChatRequest


B = TypeVar("B", bound=CountBody)
_TIERS: Final = {"auto": "auto", "standard_only": "default"}
_SUMMARIES: Final[dict[str, Literal["auto", "none"]]] = {"summarized": "auto", "omitted": "none"}
_messages = msgspec.json.Decoder(MessagesBody)
_counting = msgspec.json.Decoder(CountBody)


def read_request(body: bytes) -> AskedMessage:
    """Raises `BadInput`."""
    asked = _decoded(_messages, body)
    return AskedMessage(
        _translated(
            asked,
            len(body),
            stream=bool(asked.stream),
            max_output=asked.max_tokens,
            sampling=_sampling(asked),
            handling=_handling(asked),
        )
    )


def read_count(body: bytes) -> ChatRequest:
    """What is to be counted, without what only a reply needs. Raises `BadInput`."""
    return _translated(_decoded(_counting, body), len(body))


def _decoded(decoder: "msgspec.json.Decoder[B]", body: bytes) -> B:
    asked = decoded(decoder, body, "Messages")
    _refuse_inconsistent(asked)
    return asked


def _refuse_inconsistent(asked: CountBody) -> None:
    """What types cannot say, and models' servers would answer with a 500."""
    if asked.tool_choice is not None and not asked.tools:
        raise BadInput(
            "tool_choice needs tools",
            why="the one means nothing without the other",
            mend="give tools, or leave tool_choice out",
        )
    if not any(isinstance(turn, UserTurn) for turn in asked.messages):
        raise BadInput(
            "messages: there is no turn of role user",
            why="nobody asks anything, and models' servers call that wrong",
            mend="ask something; instructions belong into system",
        )


def _translated(asked: CountBody, size: int, **more: Any) -> ChatRequest:
    messages = messages_of(asked.messages, asked.system, asked.cache_control)
    choice = asked.tool_choice
    one = choice is not None and not isinstance(choice, NoChoice) and choice.disable_parallel_tool_use
    return ChatRequest(
        model=asked.model,
        messages=messages,
        size=billable(size, messages),
        tools=[_tool(each) for each in asked.tools] if asked.tools else None,
        tool_choice=_tool_choice(asked),
        parallel_tool_calls=False if one else None,
        response_format=_response_format(asked),
        **more,
    )


def _tool(tool: ToolBody) -> Tool:
    mark = UNSET if tool.cache_control is None else tool.cache_control
    return Tool(FunctionTool(tool.name, tool.description, tool.input_schema, tool.strict), cache_control=mark)


def _tool_choice(asked: CountBody) -> Literal["none", "auto", "required"] | NamedToolChoice | None:
    match asked.tool_choice:
        case None:
            return None
        case ToolChoice(name=name):
            return NamedToolChoice(NamedFunction(name))
        case AnyChoice():
            return "required"
        case NoChoice():
            return "none"
    return "auto"


def _response_format(asked: CountBody) -> ResponseFormat | None:
    form = None if asked.output_config is None else asked.output_config.format
    if form is None:
        return None
    # This protocol promises that the reply matches, which elsewhere must be asked for.
    return ResponseFormat("json_schema", JsonSchemaSpec("reply", schema=form.schema, strict=True))


def _sampling(asked: MessagesBody) -> Sampling:
    sampling = Sampling(
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        stop=asked.stop_sequences or None,
        reasoning_effort=None if asked.output_config is None else asked.output_config.effort,
    )
    return sampling if asked.thinking is None else _thinking(asked, sampling)


def _thinking(asked: MessagesBody, sampling: Sampling) -> Sampling:
    """`adaptive` has no word of its own elsewhere: it is an effort, `high` where none is given, with its summary."""
    thinking = asked.thinking
    if isinstance(thinking, ThinkingDisabled):
        return msgspec.structs.replace(sampling, reasoning_budget=0)
    assert thinking is not None
    summary = None if thinking.display is None else _SUMMARIES[thinking.display]
    if isinstance(thinking, ThinkingAdaptive):
        effort = sampling.reasoning_effort or "high"
        return msgspec.structs.replace(sampling, reasoning_effort=effort, reasoning_summary=summary or "auto")
    return msgspec.structs.replace(sampling, reasoning_budget=thinking.budget_tokens, reasoning_summary=summary)


def _handling(asked: MessagesBody) -> Handling | None:
    user = None if asked.metadata is None else asked.metadata.user_id
    if asked.service_tier is None and user is None:
        return None
    return Handling(service_tier=_TIERS.get(asked.service_tier or ""), user=user)
