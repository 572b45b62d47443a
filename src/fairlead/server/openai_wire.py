"""The chat-completions protocol: the shapes that clients send and get, and their translation to the path's own.

Everything a client may send is declared here; an unknown field is refused by name rather than dropped in silence.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from fairlead.costs.money import exact_money
from fairlead.costs.types import Estimate
from fairlead.errors import BadInput, FairleadError
from fairlead.execution import Answer, Quote, Reply, ReplyChoice, merged_logprobs
from fairlead.models.types import (
    ChatRequest,
    Chunk,
    Message,
    Model,
    NamedToolChoice,
    ResponseFormat,
    Sampling,
    Tool,
    ToolCall,
    Usage,
)

_Tokens = Annotated[int, Meta(ge=1, le=10_000_000)]
_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Name = Annotated[str, Meta(min_length=1, max_length=256)]


class StreamOptions(Struct, frozen=True, forbid_unknown_fields=True):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/chat/completions`. `user`, `metadata`, `safety_identifier` and the cache keys are accepted
    and not passed on: they would tell a provider who asks."""

    model: _Name
    messages: Annotated[list[Message], Meta(min_length=1, max_length=4096)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: _Tokens | None = None
    max_completion_tokens: _Tokens | None = None
    n: Annotated[int, Meta(ge=1, le=16)] | None = None
    tools: Annotated[list[Tool], Meta(min_length=1, max_length=512)] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: Annotated[str, Meta(max_length=1024)] | Annotated[list[str], Meta(max_length=16)] | None = None
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    store: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    modalities: list[Literal["text"]] | None = None


_decoder = msgspec.json.Decoder(ChatBody)
_encoder = msgspec.json.Encoder()


def read_request(body: bytes) -> tuple[ChatRequest, bool]:
    """The request in the path's form, and whether a stream is to close with a usage chunk. Raises `BadInput`."""
    try:
        chat = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            f"the request is not valid: {error}",
            why="it does not match the chat completions protocol",
            mend="see docs/reference/doors.md for the fields that are understood",
        ) from None
    _refuse_inconsistent(chat)
    options = chat.stream_options
    return _translated(chat, len(body)), bool(options and options.include_usage)


def _refuse_inconsistent(chat: ChatBody) -> None:
    """What types cannot say, and upstream servers would answer with a 500 or, worse, a 200."""
    for number, message in enumerate(chat.messages):
        if message.role == "tool" and not message.tool_call_id:
            raise BadInput(f"messages[{number}]: a message of role tool needs tool_call_id")
        if message.content is None and not (message.role == "assistant" and (message.tool_calls or message.refusal)):
            raise BadInput(f"messages[{number}]: content is missing")
    wanted = chat.response_format
    if wanted is not None and wanted.type == "json_schema" and wanted.json_schema is None:
        raise BadInput("response_format: type json_schema needs the field json_schema")
    if chat.tool_choice not in (None, "none", "auto") and not chat.tools:
        raise BadInput("tool_choice is given but there are no tools")
    if chat.top_logprobs is not None and not chat.logprobs:
        raise BadInput("top_logprobs needs logprobs: true")
    if chat.stream_options is not None and not chat.stream:
        raise BadInput("stream_options needs stream: true")


def _translated(chat: ChatBody, size: int) -> ChatRequest:
    return ChatRequest(
        model=chat.model,
        messages=chat.messages,
        size=size,
        stream=bool(chat.stream),
        max_output=chat.max_completion_tokens if chat.max_completion_tokens is not None else chat.max_tokens,
        choices=chat.n or 1,
        tools=chat.tools,
        tool_choice=chat.tool_choice,
        parallel_tool_calls=chat.parallel_tool_calls,
        response_format=chat.response_format,
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
    )


# ---- replies ----------------------------------------------------------------------------------------------------


class Cost(Struct, frozen=True):
    """`amount` is a decimal string in `currency`, all attempts together."""

    amount: str
    currency: str
    estimated: bool
    price: str


class CitedItem(Struct, frozen=True, omit_defaults=True):
    id: str
    title: str
    section: str
    owner: str
    verified: str = ""
    review_by: str = ""


class DroppedModel(Struct, frozen=True):
    model: str
    by: str
    reason: str


class Route(Struct, frozen=True, omit_defaults=True):
    why: str
    candidates: tuple[str, ...]
    dropped: tuple[DroppedModel, ...] = ()


class About(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The `fairlead` object of a reply: beside the protocol, so that no client is disturbed."""

    run: str
    model: str
    placement: str
    task: str
    cost: Cost
    route: Route
    revision: str
    citations: tuple[CitedItem, ...] = ()
    redacted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


class TokenDetails(Struct, frozen=True, omit_defaults=True):
    cached_tokens: int = 0


class OutputDetails(Struct, frozen=True, omit_defaults=True):
    reasoning_tokens: int = 0


class UsageBody(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: TokenDetails
    completion_tokens_details: OutputDetails


class ReplyMessage(Struct, frozen=True, omit_defaults=True):
    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None


class ChoiceBody(Struct, frozen=True):
    index: int
    message: ReplyMessage
    finish_reason: str
    logprobs: msgspec.Raw | None


class Completion(Struct, frozen=True):
    id: str
    object: str
    created: int
    model: str
    choices: list[ChoiceBody]
    usage: UsageBody
    fairlead: About


def encode_reply(answer: Answer, created: int) -> bytes:
    """The body of a complete (not streamed) reply. `created` is in seconds since 1970."""
    reply: Reply = answer.reply
    return _encoder.encode(
        Completion(
            id=f"chatcmpl-{answer.run}",
            object="chat.completion",
            created=created,
            model=answer.model.name,
            choices=[_choice(choice) for choice in reply.choices],
            usage=_usage(reply.usage),
            fairlead=_about(answer),
        )
    )


def _choice(choice: ReplyChoice) -> ChoiceBody:
    content = choice.text if choice.text or not (choice.tool_calls or choice.refusal) else None
    message = ReplyMessage(
        role="assistant",
        content=content,
        refusal=choice.refusal or None,
        reasoning_content=choice.reasoning or None,
        tool_calls=choice.tool_calls or None,
    )
    return ChoiceBody(choice.index, message, choice.finish, merged_logprobs(choice.logprobs))


def _usage(usage: Usage) -> UsageBody:
    return UsageBody(
        prompt_tokens=usage.input,
        completion_tokens=usage.output,
        total_tokens=usage.input + usage.output,
        prompt_tokens_details=TokenDetails(usage.cached_input),
        completion_tokens_details=OutputDetails(usage.reasoning),
    )


def _about(answer: Answer) -> About:
    return About(
        run=answer.run,
        model=answer.model.name,
        placement=answer.model.placement.kind,
        task=answer.task,
        cost=Cost(exact_money(answer.cost), answer.currency, answer.reply.usage.estimated, answer.price),
        route=Route(
            answer.why, answer.candidates, tuple(DroppedModel(d.model, d.by, d.reason) for d in answer.dropped)
        ),
        revision=answer.revision,
        citations=tuple(
            CitedItem(c.id, c.title, c.section, c.owner, c.verified, c.review_by) for c in answer.citations
        ),
        redacted=answer.redacted,
        warnings=tuple(f"budget {w.scope} has passed its warning threshold for {w.period}" for w in answer.warnings),
        flags=answer.flags,
    )


class EstimateBody(Struct, frozen=True):
    model: str
    likely: str
    most: str
    price: str


class QuoteBody(Struct, frozen=True):
    object: str
    run: str
    task: str
    currency: str
    route: Route
    estimates: tuple[EstimateBody, ...]
    revision: str


def encode_quote(quote: Quote) -> bytes:
    """The body of a dry run: what each candidate would cost, in the order in which they would be tried."""
    estimates: tuple[Estimate, ...] = quote.estimates
    return _encoder.encode(
        QuoteBody(
            object="fairlead.estimate",
            run=quote.run,
            task=quote.task,
            currency=quote.currency,
            route=Route(
                quote.why,
                tuple(e.model for e in estimates),
                tuple(DroppedModel(d.model, d.by, d.reason) for d in quote.dropped),
            ),
            estimates=tuple(
                EstimateBody(e.model, exact_money(e.likely), exact_money(e.most), e.price_version) for e in estimates
            ),
            revision=quote.revision,
        )
    )


# ---- streams ----------------------------------------------------------------------------------------------------


class FunctionDelta(Struct, frozen=True, omit_defaults=True):
    name: str | None = None
    arguments: str | None = None


class CallDelta(Struct, frozen=True, omit_defaults=True):
    index: int
    function: FunctionDelta
    id: str | None = None
    type: str | None = None


class Delta(Struct, frozen=True, omit_defaults=True):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: tuple[CallDelta, ...] | None = None


class ChoiceDelta(Struct, frozen=True):
    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: msgspec.Raw | None


class ChunkEncoder:
    """Encodes the events of one stream. The part that never changes is made once."""

    def __init__(self, run: str, model: Model, created: int) -> None:
        head = {"id": f"chatcmpl-{run}", "object": "chat.completion.chunk", "created": created, "model": model.name}
        self._head = b"data: " + _encoder.encode(head)[:-1]
        self._text = self._head + b',"choices":[{"index":0,"delta":{"content":'
        self._seen: set[int] = set()

    def event(self, chunk: Chunk, tail: bytes = b"") -> bytes:
        """One event. `tail` is further JSON members, such as the `fairlead` object of the last one."""
        index = chunk.index
        if index == 0 and 0 in self._seen and not tail and chunk == Chunk(text=chunk.text):
            return self._text + _encoder.encode(chunk.text) + b'},"finish_reason":null,"logprobs":null}]}\n\n'
        first = index not in self._seen
        self._seen.add(index)
        delta = Delta(
            role="assistant" if first else None,
            content=chunk.text if chunk.text or (first and not chunk.tool_calls) else None,
            reasoning_content=chunk.reasoning or None,
            refusal=chunk.refusal or None,
            tool_calls=tuple(
                CallDelta(c.index, FunctionDelta(c.name, c.arguments), c.id, "function" if c.id else None)
                for c in chunk.tool_calls
            )
            or None,
        )
        choice = ChoiceDelta(index, delta, chunk.finish, chunk.logprobs)
        return self._head + b',"choices":[' + _encoder.encode(choice) + b"]" + tail + b"}\n\n"

    def end(self, answer: Answer, with_usage: bool) -> bytes:
        """The tail, whatever comes with the bill, and the end mark."""
        about = b',"fairlead":' + _encoder.encode(_about(answer))
        tail = answer.reply.tail
        events = [self.event(chunk) for chunk in tail[:-1]]
        events += [self.event(chunk, b"" if with_usage else about) for chunk in tail[-1:]]
        if with_usage:
            usage = _encoder.encode(_usage(answer.reply.usage))
            events.append(self._head + b',"choices":[],"usage":' + usage + about + b"}\n\n")
        return b"".join(events) + b"data: [DONE]\n\n"


# ---- errors -----------------------------------------------------------------------------------------------------

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "insufficient_quota",
}


class ErrorDetails(Struct, frozen=True, omit_defaults=True):
    step: str = ""
    why: str = ""
    help: str = ""
    run: str = ""


class ErrorBody(Struct, frozen=True):
    message: str
    type: str
    param: str | None
    code: str
    fairlead: ErrorDetails


def encode_error(error: FairleadError) -> bytes:
    """An error in the protocol's own form, with what failed, why and what mends it beside."""
    body: dict[str, Any] = {
        "error": ErrorBody(
            message=error.message,
            type=_TYPES.get(error.status, "server_error"),
            param=None,
            code=error.code,
            fairlead=ErrorDetails(error.step, error.why, error.mend, error.run),
        )
    }
    return _encoder.encode(body)


class ModelEntry(Struct, frozen=True):
    id: str
    object: str
    created: int
    owned_by: str


def encode_models(names: list[tuple[str, str]]) -> bytes:
    """The body of `GET /v1/models`: names with who owns them."""
    entries = [ModelEntry(name, "model", 0, owner) for name, owner in names]
    return _encoder.encode({"object": "list", "data": entries})


def encode_model(name: str, owner: str) -> bytes:
    """The body of `GET /v1/models/{name}`."""
    return _encoder.encode(ModelEntry(name, "model", 0, owner))
