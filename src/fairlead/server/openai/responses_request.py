"""What a client of the Responses protocol may send. An unknown field is refused by name rather than dropped in silence.

What only repeats that Fairlead keeps nothing back, runs no hosted tool and works in the foreground is understood.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.models.attached import billable
from fairlead.models.sampling import Sampling
from fairlead.models.types import (
    ChatRequest,
    FunctionTool,
    JsonSchemaSpec,
    Message,
    NamedFunction,
    NamedToolChoice,
    ResponseFormat,
    Tool,
)
from fairlead.server.openai.chat_body import Name, Penalty, Tokens
from fairlead.server.openai.handling import handling_of
from fairlead.server.openai.responses_items import messages_of, turns
from fairlead.server.reading import decoded, half_said

_Id = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,128}$")]
_Key = Annotated[str, Meta(max_length=64)]
_Value = Annotated[str, Meta(max_length=512)]
Metadata = Annotated[dict[_Key, _Value], Meta(max_length=16)]


class FunctionToolBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A member of `tools` (Responses API of the OpenAI API, v1): functions of the client's own alone."""

    name: Name
    type: Literal["function"] = "function"
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class NamedTool(Struct, frozen=True, forbid_unknown_fields=True):
    """A `tool_choice` that names one function."""

    type: Literal["function"]
    name: Name


class TextFormat(Struct, frozen=True, forbid_unknown_fields=True):
    """`name`, `schema` and the rest belong to type json_schema."""

    type: Literal["text", "json_object", "json_schema"]
    name: Name | None = None
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class TextConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The `text` of a request: the form of the answer, and how long it may be."""

    format: TextFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ReasoningConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The `reasoning` of a request. `generate_summary` is the older name of `summary`."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed", "none"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class StreamOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """The `stream_options` of a request."""

    include_obfuscation: bool | None = None


class ConversationId(Struct, frozen=True, forbid_unknown_fields=True):
    """The `conversation` of a request in its longer form."""

    id: _Id


class ResponseBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/responses`. `user`, `metadata` and `safety_identifier` reach only an endpoint that is
    declared to be told who asks."""

    model: Name
    input: str | Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=4096)] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_output_tokens: Tokens | None = None
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    tools: Annotated[list[msgspec.Raw], Meta(max_length=512)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: ReasoningConfig | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    include: (
        list[Literal["reasoning.encrypted_content", "message.output_text.logprobs", "message.input_image.image_url"]]
        | None
    ) = None
    metadata: Metadata | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    service_tier: Literal["auto", "default"] | None = None
    truncation: Literal["disabled"] | None = None
    background: Literal[False] | None = None
    store: bool | None = None
    previous_response_id: _Id | None = None
    conversation: _Id | ConversationId | None = None


class AskedResponse(Struct, frozen=True, kw_only=True):
    """A request in the path's form, and what the reply repeats of it.

    `messages` are what this request itself adds to the conversation, before they are joined to turns. `session` and
    `previous` name what it goes on with, "" for nothing.
    """

    request: ChatRequest
    body: ResponseBody
    messages: list[Message]
    tools: list[FunctionToolBody]
    store: bool = True

    @property
    def session(self) -> str:
        """The id of the conversation that it goes on with, however it was written."""
        given = self.body.conversation
        return given.id if isinstance(given, ConversationId) else given or ""

    @property
    def previous(self) -> str:
        """The id of the response that it goes on from."""
        return self.body.previous_response_id or ""

    @property
    def with_logprobs(self) -> bool:
        return bool(self.request.sampling.logprobs)


_decoder = msgspec.json.Decoder(ResponseBody)
_tool_decoder = msgspec.json.Decoder(FunctionToolBody)


class _Kind(Struct, frozen=True):
    type: str


_kind = msgspec.json.Decoder(_Kind)


def read_request(body: bytes) -> AskedResponse:
    """Raises `BadInput`."""
    asked = decoded(_decoder, body, "Responses")
    tools = [_tool(raw, number) for number, raw in enumerate(asked.tools or ())]
    _refuse_inconsistent(asked, tools)
    given = asked.input
    messages = [Message("user", given)] if isinstance(given, str) else messages_of(given or [])
    return AskedResponse(
        request=_translated(asked, messages, tools, len(body)),
        body=asked,
        messages=messages,
        tools=tools,
        store=asked.store is not False,
    )


def _tool(raw: msgspec.Raw, number: int) -> FunctionToolBody:
    place = f"tools[{number}]"
    kind = decoded(_kind, raw, "Responses", place=place).type
    if kind == "function":
        return decoded(_tool_decoder, raw, "Responses", place=place)
    raise BadInput(
        f"{place}: there is no tool {kind!r} here",
        why="hosted tools run at a vendor with the deployment's rights, not the caller's",
        mend='give functions (type "function"), which the client itself runs',
        param=place,
    )


def _refuse_inconsistent(asked: ResponseBody, tools: list[FunctionToolBody]) -> None:
    """What types cannot say."""
    if asked.input is None and asked.previous_response_id is None and asked.conversation is None:
        raise BadInput(
            "input is missing",
            why="there is no conversation that this goes on with, so nobody asks anything",
            mend="give a text, or a list of items",
            param="input",
        )
    if asked.previous_response_id is not None and asked.conversation is not None:
        raise BadInput(
            "previous_response_id and conversation are both given",
            why="each of them says what this goes on with",
            mend="give one of them",
            param="conversation",
        )
    if asked.conversation is not None and asked.store is False:
        raise BadInput(
            "conversation is given with store: false",
            why="a conversation keeps what is said in it",
            mend="leave out store, or send the whole conversation as input",
            param="store",
        )
    wanted = asked.text.format if asked.text else None
    if wanted is not None and wanted.type == "json_schema" and (wanted.schema is None or wanted.name is None):
        mend = 'give both, or ask for type "json_object"'
        raise half_said("text.format", "the fields name and schema", mend, "text.format: type json_schema")
    if asked.tool_choice not in (None, "none", "auto") and not tools:
        raise half_said("tool_choice", "tools", "give tools, or leave it out")
    if asked.stream_options is not None and not asked.stream:
        raise half_said("stream_options", "stream: true", "ask for a stream, or leave it out")


def with_history(asked: AskedResponse, history: list[Message], size: int) -> AskedResponse:
    """The request with the conversation before it, whose size is in bytes."""
    request = asked.request
    system = request.messages[:1] if asked.body.instructions else []
    messages = [*system, *turns([*history, *asked.messages])]
    return msgspec.structs.replace(
        asked, request=msgspec.structs.replace(request, messages=messages, size=request.size + billable(size, history))
    )


def _translated(asked: ResponseBody, messages: list[Message], tools: list[FunctionToolBody], size: int) -> ChatRequest:
    system = [Message("system", asked.instructions)] if asked.instructions else []
    choice = asked.tool_choice
    return ChatRequest(
        model=asked.model,
        messages=[*system, *turns(messages)],
        size=billable(size, messages),
        stream=bool(asked.stream),
        max_output=asked.max_output_tokens,
        tools=[Tool(FunctionTool(t.name, t.description, t.parameters, t.strict)) for t in tools] or None,
        tool_choice=NamedToolChoice(NamedFunction(choice.name)) if isinstance(choice, NamedTool) else choice,
        parallel_tool_calls=asked.parallel_tool_calls,
        response_format=_format(asked.text),
        sampling=_sampling(asked),
        handling=handling_of(asked),
    )


def _format(text: TextConfig | None) -> ResponseFormat | None:
    wanted = text.format if text else None
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object" or wanted.name is None:
        return ResponseFormat("json_object")
    return ResponseFormat("json_schema", JsonSchemaSpec(wanted.name, wanted.description, wanted.schema, wanted.strict))


def _sampling(asked: ResponseBody) -> Sampling:
    reasoning = asked.reasoning or ReasoningConfig()
    logprobs = bool(asked.top_logprobs) or "message.output_text.logprobs" in (asked.include or ())
    return Sampling(
        temperature=asked.temperature,
        top_p=asked.top_p,
        frequency_penalty=asked.frequency_penalty,
        presence_penalty=asked.presence_penalty,
        logprobs=logprobs or None,
        top_logprobs=asked.top_logprobs if logprobs else None,
        reasoning_effort=reasoning.effort,
        reasoning_summary=reasoning.summary or reasoning.generate_summary,
        verbosity=asked.text.verbosity if asked.text else None,
    )
