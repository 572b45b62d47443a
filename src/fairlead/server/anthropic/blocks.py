"""The turns of a conversation and their content blocks, as clients of the Messages protocol send them.

Kinds that are not here have no meaning at this door and are refused by their name: what lies at a vendor under a handle
(`file`, `container_upload`), and what only the vendor's own tools produce.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fairlead.models.content import Base64, CacheControl

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Url = Annotated[str, Meta(min_length=1)]


class TextBlock(Struct, frozen=True, tag_field="type", tag="text", forbid_unknown_fields=True):
    """`citations` come from replies that are sent back; they repeat what the documents say."""

    text: str
    cache_control: CacheControl | None = None
    citations: list[dict[str, Any]] | None = None


class ImageData(Struct, frozen=True, tag_field="type", tag="base64", forbid_unknown_fields=True):
    """An image's `source` in base64."""

    data: Base64
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]


class Address(Struct, frozen=True, tag_field="type", tag="url", forbid_unknown_fields=True):
    """The `source` of an image or document as an address, which the provider itself fetches."""

    url: Url


class ImageBlock(Struct, frozen=True, tag_field="type", tag="image", forbid_unknown_fields=True):
    """A block `image`."""

    source: ImageData | Address
    cache_control: CacheControl | None = None


class DocumentData(Struct, frozen=True, tag_field="type", tag="base64", forbid_unknown_fields=True):
    """A document's `source` in base64."""

    data: Base64
    media_type: Literal["application/pdf"]


class DocumentText(Struct, frozen=True, tag_field="type", tag="text", forbid_unknown_fields=True):
    """A document's `source` as plain text."""

    data: str
    media_type: Literal["text/plain"]


class CitationsOff(Struct, frozen=True, forbid_unknown_fields=True):
    """Citations by the model itself. No other protocol has them, and a reply without what was asked for is none."""

    enabled: Literal[False] = False


class DocumentBlock(Struct, frozen=True, tag_field="type", tag="document", forbid_unknown_fields=True):
    """`context` is refused: it has no counterpart, and belongs into a text block."""

    source: DocumentData | DocumentText | Address
    title: Annotated[str, Meta(max_length=500)] | None = None
    context: None = None
    citations: CitationsOff | None = None
    cache_control: CacheControl | None = None


class ToolResultBlock(Struct, frozen=True, tag_field="type", tag="tool_result", forbid_unknown_fields=True):
    """A block `tool_result`: what a tool of the client's own gave."""

    tool_use_id: Name
    content: str | list[TextBlock | ImageBlock | DocumentBlock] | None = None
    is_error: bool | None = None
    cache_control: CacheControl | None = None


class DirectCaller(Struct, frozen=True, forbid_unknown_fields=True):
    """Who called a tool: the model itself, and no code of the vendor's."""

    type: Literal["direct"]


class ToolUseBlock(Struct, frozen=True, tag_field="type", tag="tool_use", forbid_unknown_fields=True):
    """`cache_control` is left out: a tool call has no such mark in other protocols, and only the price leans on it."""

    id: Name
    name: Name
    input: dict[str, Any]
    cache_control: CacheControl | None = None
    caller: DirectCaller | None = None


class ThinkingBlock(Struct, frozen=True, tag_field="type", tag="thinking", forbid_unknown_fields=True):
    """A block `thinking`. `signature` is the vendor's proof that its model wrote it."""

    thinking: str
    signature: str


class RedactedThinkingBlock(Struct, frozen=True, tag_field="type", tag="redacted_thinking", forbid_unknown_fields=True):
    """A block `redacted_thinking`, which only the vendor can read."""

    data: Annotated[str, Meta(min_length=1)]


UserBlock = TextBlock | ImageBlock | DocumentBlock | ToolResultBlock
AssistantBlock = TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock


class UserTurn(Struct, frozen=True, tag_field="role", tag="user", forbid_unknown_fields=True):
    """A member of `messages` in which the user speaks."""

    content: str | Annotated[list[UserBlock], Meta(min_length=1)]


class AssistantTurn(Struct, frozen=True, tag_field="role", tag="assistant", forbid_unknown_fields=True):
    """A member of `messages` in which the model speaks."""

    content: str | list[AssistantBlock]


class SystemTurn(Struct, frozen=True, tag_field="role", tag="system", forbid_unknown_fields=True):
    """Instructions that come in the middle. They are joined to the system prompt where a model knows only that."""

    content: str | Annotated[list[TextBlock], Meta(min_length=1)]


Turn = UserTurn | AssistantTurn | SystemTurn
