"""The response object of the Responses protocol (OpenAI API, v1), and the parts that it is made of."""

from typing import Any

from msgspec import Raw, Struct

from fairlead.server.about import About
from fairlead.server.openai.responses_request import NamedTool


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
