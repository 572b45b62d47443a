"""Reads a request of chat completions into the path's form."""

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.models.attached import billable
from fairlead.models.sampling import Sampling
from fairlead.models.types import ChatRequest, Function, JsonSchemaSpec, Message, ResponseFormat, ToolCall
from fairlead.server.openai.chat_body import ChatBody, ChatFormat, ChatMessage, ChatToolCall
from fairlead.server.openai.handling import handling_of
from fairlead.server.reading import decoded, half_said


class AskedChat(Struct, frozen=True):
    """A request in the path's form, and whether a stream of its reply is to close with a usage chunk."""

    request: ChatRequest
    with_usage: bool


_decoder = msgspec.json.Decoder(ChatBody)


def read_request(body: bytes) -> AskedChat:
    """Raises `BadInput`."""
    chat = decoded(_decoder, body, "chat completions")
    _refuse_lone_messages(chat.messages)
    _refuse_half_said(chat)
    options = chat.stream_options
    return AskedChat(_translated(chat, len(body)), bool(options and options.include_usage))


def _refuse_lone_messages(messages: list[ChatMessage]) -> None:
    """Messages that lack what their role needs."""
    for number, message in enumerate(messages):
        if message.content is None and not (message.role == "assistant" and (message.tool_calls or message.refusal)):
            raise BadInput(
                f"messages[{number}].content is missing",
                why="only an assistant's message that calls tools or refuses may have none",
                mend='give a text; "" is one',
                param=f"messages[{number}].content",
            )
        if message.role == "tool" and not message.tool_call_id:
            raise BadInput(
                f"messages[{number}].tool_call_id is missing",
                why="a message of role tool answers a call, and a model may have made several",
                mend="give the id of the call that it answers",
                param=f"messages[{number}].tool_call_id",
            )


def _refuse_half_said(chat: ChatBody) -> None:
    """Fields that mean nothing without another. Some servers answer these with a 500 or, worse, a 200."""
    wanted = chat.response_format
    if wanted is not None and wanted.type == "json_schema" and wanted.json_schema is None:
        raise half_said(
            "response_format", "response_format.json_schema", 'give the schema, or ask for type "json_object"'
        )
    if wanted is not None and wanted.schema is not None and wanted.type != "json_object":
        raise half_said(
            "response_format.schema", 'type "json_object"', "give the schema under json_schema, or say json_object"
        )
    if chat.tool_choice not in (None, "none", "auto") and not chat.tools:
        raise half_said("tool_choice", "tools", "give tools, or leave tool_choice out")
    if chat.top_logprobs is not None and not chat.logprobs:
        raise half_said("top_logprobs", "logprobs: true", "ask for both, or for neither")
    if chat.stream_options is not None and not chat.stream:
        raise half_said("stream_options", "stream: true", "ask for a stream, or leave stream_options out")


def _translated(chat: ChatBody, size: int) -> ChatRequest:
    messages = _messages(chat.messages)
    return ChatRequest(
        model=chat.model,
        messages=messages,
        size=billable(size, messages),
        stream=bool(chat.stream),
        max_output=chat.max_completion_tokens if chat.max_completion_tokens is not None else chat.max_tokens,
        choices=chat.n or 1,
        tools=chat.tools,
        tool_choice=chat.tool_choice,
        parallel_tool_calls=chat.parallel_tool_calls,
        response_format=None if chat.response_format is None else _format(chat.response_format),
        sampling=Sampling(
            temperature=chat.temperature,
            top_p=chat.top_p,
            frequency_penalty=chat.frequency_penalty,
            presence_penalty=chat.presence_penalty,
            seed=chat.seed,
            stop=chat.stop,
            logit_bias=chat.logit_bias,
            logprobs=chat.logprobs,
            top_logprobs=chat.top_logprobs,
            reasoning_effort=chat.reasoning_effort,
            verbosity=chat.verbosity,
        ),
        handling=handling_of(chat),
    )


def _format(given: ChatFormat) -> ResponseFormat:
    """The format in one spelling."""
    if given.schema is not None:
        return ResponseFormat("json_schema", JsonSchemaSpec("reply", schema=given.schema))
    spec = given.json_schema
    if spec is None:
        return ResponseFormat(given.type)
    return ResponseFormat(given.type, JsonSchemaSpec(spec.name, spec.description, spec.schema, spec.strict))


def _messages(given: list[ChatMessage]) -> list[Message]:
    """The messages without what only clients know. Most have nothing of it, and stay as they were decoded."""
    for each in given:
        if each.tool_calls is not None or each.annotations is not None or each.parsed is not None:
            return [_message(each) for each in given]
    return given  # type: ignore[return-value]


def _message(given: ChatMessage) -> Message:
    return Message(
        role=given.role,
        content=given.content,
        name=given.name,
        tool_calls=[_tool_call(each) for each in given.tool_calls] if given.tool_calls else None,
        tool_call_id=given.tool_call_id,
        refusal=given.refusal,
        reasoning_content=given.reasoning_content,
        thoughts=given.thoughts,
        is_error=given.is_error,
    )


def _tool_call(given: ChatToolCall) -> ToolCall:
    return ToolCall(given.id, Function(given.function.name, given.function.arguments), given.type, given.signature)
