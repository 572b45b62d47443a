"""What a client of the Messages protocol may send. An unknown field is refused by name rather than dropped in silence.

Fields that can only be null here have no counterpart: a container, a place of inference (policies decide that), tools
that run at the vendor.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fairlead.models.content import CacheControl
from fairlead.server.anthropic.blocks import Name, TextBlock, Turn

_Tokens = Annotated[int, Meta(ge=1, le=10_000_000)]
_Display = Literal["summarized", "omitted"]


class ToolBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A tool of the client's own. `eager_input_streaming` changes only how finely arguments are cut."""

    name: Name
    input_schema: dict[str, Any]
    type: Literal["custom"] | None = None
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None
    eager_input_streaming: bool | None = None
    defer_loading: Literal[False] | None = None
    allowed_callers: list[Literal["direct"]] | None = None


class AutoChoice(Struct, frozen=True, tag_field="type", tag="auto", forbid_unknown_fields=True):
    """`tool_choice`: the model may call tools."""

    disable_parallel_tool_use: bool | None = None


class AnyChoice(Struct, frozen=True, tag_field="type", tag="any", forbid_unknown_fields=True):
    """`tool_choice`: it must call one of them."""

    disable_parallel_tool_use: bool | None = None


class ToolChoice(Struct, frozen=True, tag_field="type", tag="tool", forbid_unknown_fields=True):
    """`tool_choice`: it must call this one."""

    name: Name
    disable_parallel_tool_use: bool | None = None


class NoChoice(Struct, frozen=True, tag_field="type", tag="none", forbid_unknown_fields=True):
    """`tool_choice`: it may call none."""


class ThinkingEnabled(Struct, frozen=True, tag_field="type", tag="enabled", forbid_unknown_fields=True):
    """How small a budget may be differs between models: a model's own server refuses one that is."""

    budget_tokens: _Tokens
    display: _Display | None = None


class ThinkingAdaptive(Struct, frozen=True, tag_field="type", tag="adaptive", forbid_unknown_fields=True):
    """`thinking`: the model itself decides how much."""

    display: _Display | None = None


class ThinkingDisabled(Struct, frozen=True, tag_field="type", tag="disabled", forbid_unknown_fields=True):
    """`thinking`: none."""


class OutputFormat(Struct, frozen=True, forbid_unknown_fields=True):
    """The form of the answer: a JSON Schema."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The `output_config` of a request."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: OutputFormat | None = None


class Metadata(Struct, frozen=True, forbid_unknown_fields=True):
    """The `metadata` of a request."""

    user_id: Annotated[str, Meta(max_length=512)] | None = None


class CountBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/messages/count_tokens`: what of a request counts as input."""

    model: Name
    messages: Annotated[list[Turn], Meta(min_length=1, max_length=100_000)]
    system: str | list[TextBlock] | None = None
    tools: Annotated[list[ToolBody], Meta(max_length=512)] | None = None
    tool_choice: AutoChoice | AnyChoice | ToolChoice | NoChoice | None = None
    thinking: ThinkingEnabled | ThinkingAdaptive | ThinkingDisabled | None = None
    output_config: OutputConfig | None = None
    cache_control: CacheControl | None = None
    speed: Literal["standard"] | None = None


class MessagesBody(CountBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/messages`. `metadata` reaches only an endpoint that is declared to be told who asks."""

    max_tokens: _Tokens
    stream: bool | None = None
    stop_sequences: Annotated[list[Annotated[str, Meta(min_length=1, max_length=1024)]], Meta(max_length=16)] | None = (
        None
    )
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    metadata: Metadata | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    container: None = None
    diagnostics: None = None
    inference_geo: None = None
