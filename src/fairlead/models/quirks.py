"""What an OpenAI-compatible endpoint does differently: declared in the workspace, obeyed by the driver."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Quirks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an OpenAI-compatible endpoint does differently."""

    max_tokens_field: Annotated[
        Literal["max_completion_tokens", "max_tokens"], Meta(description="The field that limits the output.")
    ] = "max_tokens"
    stream_usage: Annotated[bool, Meta(description="Takes `stream_options: {include_usage: true}`.")] = True
    developer_role: Annotated[bool, Meta(description="Knows the role `developer`; if not, `system` is sent.")] = False
    system_role: Annotated[
        Literal["system", "developer", "user"], Meta(description="The role under which system messages are sent.")
    ] = "system"
    content_parts: Annotated[bool, Meta(description="Takes content as a list of parts; if not, text is sent.")] = True
    image_urls: Annotated[
        bool,
        Meta(
            description="Fetches images by address. A server in your own network could then be made to fetch from it."
        ),
    ] = False
    null_content: Annotated[bool, Meta(description='Takes messages without content; if not, `""` is sent.')] = True
    schema_form: Annotated[
        Literal["json_schema", "json_object"],
        Meta(description="Where it takes a JSON Schema; `json_object`: as `schema` beside that type."),
    ] = "json_schema"
    choices: Annotated[bool, Meta(description="Gives more than one choice when asked (`n`).")] = True
    logprobs: Annotated[bool, Meta(description="Gives logprobs when asked.")] = True
    tool_choice: Annotated[
        bool, Meta(description="Honours `tool_choice`; if not, a forced call is refused, and `none` sends no tools.")
    ] = True
    parallel_tool_calls: Annotated[
        bool, Meta(description="Takes `parallel_tool_calls`; if not, asking for one call at a time is refused.")
    ] = True
    top_k: Annotated[bool, Meta(description="Takes `top_k`; if not, it is left out.")] = False
    cache_keys: Annotated[bool, Meta(description="Takes `prompt_cache_key`; if not, it is left out.")] = False
    cache_marks: Annotated[bool, Meta(description="Reads `cache_control` in content; if not, it is left out.")] = False
    service_tiers: Annotated[
        bool, Meta(description="Takes `service_tier`; if not, any but the usual one is refused.")
    ] = False
    reasoning_field: Annotated[
        Literal["reasoning_content", "reasoning"] | None,
        Meta(description="The field in which it takes earlier reasoning back. Both are read in replies."),
    ] = None
    idempotency: Annotated[
        bool,
        Meta(
            description="Is sent the attempt's id as `idempotency-key` and `x-request-id`. Servers that want a UUID "
            "there answer 400 without a reason."
        ),
    ] = True
    key_header: Annotated[
        str, Meta(pattern="^[a-z0-9-]+$", description="The header for the key; `authorization` sends `Bearer KEY`.")
    ] = "authorization"
