"""The response object of the Responses protocol: complete in shape whatever was asked, and in whatever state."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from fairlead.execution import Answer, ReplyChoice, merged_logprobs
from fairlead.models.types import Usage
from fairlead.server.about import About, about
from fairlead.server.openai.responses_items import encrypted
from fairlead.server.openai.responses_request import (
    AskedResponse,
    FunctionToolBody,
    NamedTool,
    ReasoningConfig,
    TextConfig,
    TextFormat,
)
from fairlead.storage.types import RESPONSE, turn_id

encode = msgspec.json.Encoder().encode
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class TextOut(Struct, frozen=True, tag_field="type", tag="output_text"):
    """A part `output_text` of a message."""

    text: str
    annotations: tuple[()] = ()
    logprobs: tuple[Raw, ...] = ()


class RefusalOut(Struct, frozen=True, tag_field="type", tag="refusal"):
    """A part `refusal` of a message."""

    refusal: str


class MessageOut(Struct, frozen=True, tag_field="type", tag="message"):
    """An item of `output`: what the model says."""

    id: str
    status: str
    content: tuple[TextOut | RefusalOut, ...] = ()
    role: str = "assistant"


class CallOut(Struct, frozen=True, tag_field="type", tag="function_call"):
    """An item of `output`: a function that the model calls."""

    id: str
    status: str
    call_id: str
    name: str
    arguments: str


class SummaryOut(Struct, frozen=True, tag_field="type", tag="summary_text"):
    """A part `summary_text` of an item `reasoning`."""

    text: str


class ReasoningOut(Struct, frozen=True, tag_field="type", tag="reasoning"):
    """An item of `output`: the model's reasoning, as far as it may be shown."""

    id: str
    status: str
    summary: tuple[SummaryOut, ...] = ()
    encrypted_content: str | None = None


ItemOut = MessageOut | CallOut | ReasoningOut


class InputDetails(Struct, frozen=True):
    """Of `usage`: the input's tokens out of a cache, and those that were put into one."""

    cached_tokens: int
    cache_write_tokens: int


class OutputDetails(Struct, frozen=True):
    """Of `usage`: how many of the output's tokens were reasoning."""

    reasoning_tokens: int


class UsageOut(Struct, frozen=True):
    """The `usage` of a response, in tokens."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int


class ErrorOut(Struct, frozen=True):
    """The `error` of a response that failed, with what Fairlead says beside."""

    code: str
    message: str
    fairlead: Any = None


class IncompleteDetails(Struct, frozen=True):
    """Why a response is not whole: `max_output_tokens` or `content_filter`."""

    reason: str


class ConversationOut(Struct, frozen=True):
    """The conversation that a response belongs to."""

    id: str


class ReasoningShown(Struct, frozen=True):
    """The request's `reasoning`, repeated."""

    effort: str | None
    summary: str | None


class ToolShown(Struct, frozen=True):
    """A member of the request's `tools`, repeated."""

    type: str
    name: str
    description: str | None
    parameters: dict[str, Any] | None
    strict: bool


class FormatShown(Struct, frozen=True, omit_defaults=True):
    """The request's `text.format`, repeated."""

    type: str
    name: str | None = None
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class TextShown(Struct, frozen=True):
    """The request's `text`, repeated."""

    format: FormatShown
    verbosity: str


class ResponseOut(Struct, frozen=True, kw_only=True):
    """Fields that were not asked for stand with what is true of them by default."""

    id: str
    object: str = "response"
    created_at: int
    completed_at: int | None = None
    status: str
    background: bool = False
    error: ErrorOut | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    model: str
    output: tuple[ItemOut, ...] = ()
    parallel_tool_calls: bool
    previous_response_id: str | None
    conversation: ConversationOut | None
    prompt_cache_key: str | None
    prompt_cache_retention: str | None
    reasoning: ReasoningShown
    safety_identifier: str | None
    service_tier: str = "default"
    store: bool
    temperature: float
    top_p: float
    frequency_penalty: float
    presence_penalty: float
    top_logprobs: int
    text: TextShown
    tool_choice: str | NamedTool
    tools: tuple[ToolShown, ...]
    truncation: str = "disabled"
    usage: UsageOut | None = None
    user: str | None
    metadata: dict[str, str]
    fairlead: About | None = None


def response_id(run: str) -> str:
    """The id of a run's response: one names the other."""
    return turn_id(RESPONSE, run)


def item_id(kind: str, run: str, number: int = 0) -> str:
    """The id of an item: `kind` is msg, rs or fc."""
    return f"{kind}{run[run.find('_') :]}" + (f"_{number}" if number else "")


def begun(asked: AskedResponse, run: str, model: str, created: int) -> ResponseOut:
    """The response before there is any of it. `created` is in seconds since 1970."""
    body = asked.body
    reasoning = body.reasoning or ReasoningConfig()
    return ResponseOut(
        id=response_id(run),
        created_at=created,
        status="in_progress",
        instructions=body.instructions,
        max_output_tokens=body.max_output_tokens,
        max_tool_calls=body.max_tool_calls,
        model=model,
        parallel_tool_calls=body.parallel_tool_calls is not False,
        previous_response_id=body.previous_response_id,
        conversation=ConversationOut(asked.session) if asked.session else None,
        prompt_cache_key=body.prompt_cache_key,
        prompt_cache_retention=body.prompt_cache_retention,
        reasoning=ReasoningShown(reasoning.effort, reasoning.summary or reasoning.generate_summary),
        safety_identifier=body.safety_identifier,
        store=asked.store,
        temperature=_or(body.temperature, 1.0),
        top_p=_or(body.top_p, 1.0),
        frequency_penalty=_or(body.frequency_penalty, 0.0),
        presence_penalty=_or(body.presence_penalty, 0.0),
        top_logprobs=body.top_logprobs or 0,
        text=_text(body.text or TextConfig()),
        tool_choice=body.tool_choice or "auto",
        tools=tuple(_tool(tool) for tool in asked.tools),
        user=body.user,
        metadata=body.metadata or {},
    )


def _or(given: float | None, usual: float) -> float:
    return usual if given is None else given


def _text(given: TextConfig) -> TextShown:
    wanted = given.format or TextFormat("text")
    shown = FormatShown(wanted.type, wanted.name, wanted.description, wanted.schema, wanted.strict)
    return TextShown(shown, given.verbosity or "medium")


def _tool(tool: FunctionToolBody) -> ToolShown:
    return ToolShown("function", tool.name, tool.description, tool.parameters, bool(tool.strict))


def ended(response: ResponseOut, answer: Answer, output: tuple[ItemOut, ...], now: int) -> ResponseOut:
    """The response of a settled action: completed, or incomplete where something cut it."""
    reason = _INCOMPLETE.get(finish_of(answer))
    return msgspec.structs.replace(
        response,
        status="incomplete" if reason else "completed",
        completed_at=None if reason else now,
        incomplete_details=IncompleteDetails(reason) if reason else None,
        output=output,
        usage=usage_out(answer.reply.usage),
        fairlead=about(answer),
    )


def finish_of(answer: Answer) -> str:
    """How the reply ended: see `Chunk.finish`."""
    return answer.reply.choices[0].finish if answer.reply.choices else "stop"


def item_status(answer: Answer) -> str:
    return "incomplete" if finish_of(answer) in _INCOMPLETE else "completed"


def complete(asked: AskedResponse, answer: Answer, created: int, now: int) -> ResponseOut:
    """The response of an action that was not streamed, or as it is kept. Times in seconds since 1970."""
    response = begun(asked, answer.run, answer.model.name, created)
    return ended(response, answer, output_of(asked, answer), now)


def output_of(asked: AskedResponse, answer: Answer) -> tuple[ItemOut, ...]:
    """What the model said: reasoning, then a message, then calls."""
    choice = answer.reply.choices[0] if answer.reply.choices else ReplyChoice(index=0, text="")
    run, status = answer.run, item_status(answer)
    items: list[ItemOut] = []
    if choice.reasoning or choice.thoughts:
        summary = (SummaryOut(choice.reasoning),) if choice.reasoning else ()
        proofs = encrypted(choice.thoughts, choice.reasoning)
        items.append(ReasoningOut(item_id("rs", run), "completed", summary, proofs))
    if choice.text or choice.refusal or not choice.tool_calls:
        content: tuple[TextOut | RefusalOut, ...] = ()
        if choice.text or not choice.refusal:
            logprobs = token_logprobs(merged_logprobs(choice.logprobs)) if asked.with_logprobs else ()
            content = (TextOut(choice.text, (), logprobs),)
        if choice.refusal:
            content = (*content, RefusalOut(choice.refusal))
        items.append(MessageOut(item_id("msg", run), status, content))
    for number, call in enumerate(choice.tool_calls):
        name, arguments = call.function.name, call.function.arguments
        items.append(CallOut(item_id("fc", run, number), status, call.id, name, arguments))
    return tuple(items)


class _Logprobs(Struct):
    content: list[Raw] | None = None


_logprobs = msgspec.json.Decoder(_Logprobs)


def token_logprobs(given: Raw | None) -> tuple[Raw, ...]:
    """The tokens of a `logprobs` object of chat completions: this protocol has them as a list of the same form."""
    return () if given is None else tuple(_logprobs.decode(given).content or ())


def usage_out(usage: Usage) -> UsageOut:
    """Tokens as billed."""
    return UsageOut(
        input_tokens=usage.input,
        input_tokens_details=InputDetails(usage.cached_input, usage.cache_write),
        output_tokens=usage.output,
        output_tokens_details=OutputDetails(usage.reasoning),
        total_tokens=usage.input + usage.output,
    )
