"""What a model is asked and what it answers, in one form that belongs to no vendor.

Doors translate their protocol into `ChatRequest`; drivers translate `ModelCall` into theirs and yield `Chunk`s.
A driver knows requests and replies. It never sees a policy, a price, a caller or the store.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Any, Literal, Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from fairlead.labels import NO_LABELS, Labels
from fairlead.models.allowance import Allowance
from fairlead.models.content import AudioPart, CacheControl, FilePart, ImagePart, Thought
from fairlead.models.sampling import Handling, Sampling
from fairlead.models.space import Space

AUTO = "auto"
"""What a request names in place of a model when the request itself is to decide."""


class Function(Struct, frozen=True, forbid_unknown_fields=True):
    """The name of a function and its arguments, as the JSON text that the model wrote (maybe invalid or empty)."""

    name: str
    arguments: str = ""


class ToolCall(Struct, frozen=True):
    """`signature` proves to the vendor that its model made the call: see `Thought`."""

    id: str
    function: Function
    type: Literal["function"] = "function"
    signature: str | UnsetType = UNSET


class TextPart(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="text", forbid_unknown_fields=True):
    """Text. With a `title` it is a document that the caller attached."""

    text: str
    title: str | None = None
    cache_control: CacheControl | None = None


Part = TextPart | ImagePart | FilePart | AudioPart


class Message(Struct, frozen=True, omit_defaults=True):
    """One turn. `content` is text, parts, or None where the turn only calls tools.

    Of an assistant's turn, `thoughts` is the reasoning with the vendor's proofs, and `reasoning_content` the same as
    mere text, where that is all that is left of it. `is_error` says of a tool's turn that the tool failed.
    """

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    thoughts: list[Thought] | None = None
    is_error: bool | None = None


class FunctionTool(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A function that the model may ask for. `parameters` is a JSON Schema; with `strict` the provider holds the
    model to it."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Struct, frozen=True, forbid_unknown_fields=True):
    """A tool that the caller offers to the model, as in chat completions. `cache_control` is a mark that its provider
    may keep the request up to here."""

    function: FunctionTool
    type: Literal["function"] = "function"
    cache_control: CacheControl | UnsetType = UNSET


class JsonSchemaSpec(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The shape that a reply shall have. `schema` is a JSON Schema; with `strict` the provider holds the model to
    it."""

    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class ResponseFormat(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The `response_format` of chat completions: `json_schema` belongs to the type of that name alone."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaSpec | None = None


class NamedFunction(Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class NamedToolChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """This one tool has to be called."""

    function: NamedFunction
    type: Literal["function"] = "function"


class ChatRequest(Struct, frozen=True, kw_only=True):
    """What the caller wants, whatever door it came in by.

    `model` is `AUTO`, the name of a task type, or the name of a model of the workspace. `max_output` is in tokens and
    None where the caller set no limit (Fairlead then sets one). `size` is the number of bytes of input that a model
    could be billed for at one token a byte: an upper bound. `labels` are known of the messages beside what detectors
    find in them: those of the context that remembered answers were made from.
    """

    model: str
    messages: list[Message]
    size: int
    stream: bool = False
    max_output: int | None = None
    choices: int = 1
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    sampling: Sampling = Sampling()
    handling: Handling | None = None
    labels: Labels = NO_LABELS

    @property
    def reply_schema(self) -> dict[str, Any] | None:
        """The JSON Schema that a reply has to fit, None where the caller gave none."""
        form = self.response_format
        return form.json_schema.schema if form is not None and form.json_schema is not None else None


class Placement(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a model runs, and what happens to data there."""

    kind: Literal["device", "on_prem", "cloud"]
    region: str = ""
    vendor: str = ""
    retention_days: int | None = None


class PerMinute(Struct, frozen=True):
    """The most that a server is sent in a minute; None where that is not limited."""

    requests: int | None = None
    tokens: int | None = None


class Model(Struct, frozen=True, kw_only=True):
    """A model of the workspace, ready to be called. `name` is the workspace's, `remote` the vendor's own.

    `endpoint` names the driver instance that reaches it (see `registry.open_drivers`). `context` and `max_output` are
    in tokens; `context` is None where unknown.
    """

    name: str
    endpoint: str
    remote: str
    placement: Placement
    context: int | None = None
    max_output: int = 4096
    tools: bool = True
    json_schema: bool = True
    choices: bool = True  # gives several answers in one call (`n` of chat completions)
    images: bool = True  # each of these three: takes them as input
    files: bool = True
    audio: bool = True
    group: str = ""  # the model that this is a deployment of: see `deployments`
    per_minute: PerMinute | None = None
    caches_from: int = 1024  # tokens from which its server may keep the beginning of a request
    quotes_context: bool = False  # answers only from passages: useless without a context pack
    space: Space | None = None  # of the vectors that it gives; None for all models that chat


class Passage(Struct, frozen=True):
    """A cited piece of context, for drivers that quote. `citation` is `item@version`."""

    citation: str
    title: str
    text: str


class Usage(Struct, frozen=True):
    """Tokens as billed. `input` includes `cached_input`, `cache_write` and `audio_input`; `output` includes `reasoning`
    and `audio_output`; `cache_write` includes `cache_write_1h`, what is kept for an hour and costs more.

    `estimated` marks counts that Fairlead made itself because the provider reported none. `tier` is the service tier
    that the provider says it used, where it says so.
    """

    input: int = 0
    output: int = 0
    cached_input: int = 0
    cache_write: int = 0
    reasoning: int = 0
    estimated: bool = False
    cache_write_1h: int = 0
    audio_input: int = 0
    audio_output: int = 0
    tier: str = ""


NO_USAGE = Usage(0, 0)


class ToolCallDelta(Struct, frozen=True, omit_defaults=True):
    """A piece of a tool call. `id`, `name` and `signature` come with the first piece, `arguments` may come in many."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    signature: str = ""


class Chunk(Struct, frozen=True, omit_defaults=True):
    """A piece of a reply: all of it, where the provider does not stream.

    `logprobs` is the raw JSON of the choice's `logprobs` object. `usage` comes at most once, with or after the last
    piece. `finish` is "stop", "length", "tool_calls" or "content_filter". `thought` has no text: it ends the reasoning
    that came since the last one and proves it, or is a sealed one. `stop` is the stop sequence that was met, "" where a
    provider says only that one was.
    """

    text: str = ""
    index: int = 0
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    logprobs: msgspec.Raw | None = None
    finish: str | None = None
    usage: Usage | None = None
    thought: Thought | None = None
    stop: str | None = None


class ModelCall(Struct, frozen=True, kw_only=True):
    """One attempt at one model. `request` has been redacted for its placement and carries the rendered context.

    `max_output` is always sent. `deadline` is in the clock's monotonic seconds. `idempotency_key` is the attempt's id.
    `heeds` is told what the server says of how much more it takes; None where nobody wants to know.
    """

    model: Model
    request: ChatRequest
    passages: tuple[Passage, ...]
    max_output: int
    deadline: float
    idempotency_key: str
    heeds: Callable[[tuple[Allowance, ...]], None] | None = None


class ModelDriver(Protocol):
    """Carries calls to one endpoint."""

    def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """Yield the reply's pieces. Raises `Upstream` (before the first piece: fall back freely; after it: `CutOff`).

        Ends normally only if the reply is complete: a body that stops without a finish reason is `CutOff`.
        Closing the iterator early closes the connection, so that the provider stops working.
        """

    async def probe(self) -> list[str]:
        """Names of the models that the endpoint offers now. Raises `Upstream`. Used by `doctor` and discovery."""
