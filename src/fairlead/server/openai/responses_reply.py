"""The response object as it is filled: complete in shape whatever was asked, and in whatever state."""

import msgspec
from msgspec import Raw, Struct

from fairlead.execution import Answer, ReplyChoice, merged_logprobs
from fairlead.models.types import Usage
from fairlead.server.about import about
from fairlead.server.openai.responses_items import encrypted
from fairlead.server.openai.responses_object import (
    CallOut,
    ConversationOut,
    FormatShown,
    IncompleteDetails,
    InputDetails,
    ItemOut,
    MessageOut,
    OutputDetails,
    ReasoningOut,
    ReasoningShown,
    RefusalOut,
    ResponseOut,
    SummaryOut,
    TextOut,
    TextShown,
    ToolShown,
    UsageOut,
)
from fairlead.server.openai.responses_request import (
    AskedResponse,
    FunctionToolBody,
    ReasoningConfig,
    TextConfig,
    TextFormat,
)
from fairlead.storage.types import RESPONSE, turn_id

encode = msgspec.json.Encoder().encode
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


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
    """The status of an item of a settled action: cut where its reply was."""
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
