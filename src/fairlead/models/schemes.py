"""The kinds of endpoint that a workspace can name, and what is true of all models behind each."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from fairlead.models.quirks import Quirks


class Scheme(Struct, frozen=True, kw_only=True):
    """What is true of all models behind one `use:` prefix unless a model says otherwise."""

    url: str | None = None
    key: str | None = None
    vendor: str = ""
    tools: bool = True
    json_schema: bool = True
    choices: bool = True
    images: bool = True
    files: bool = True
    audio: bool = False
    quotes_context: bool = False
    signed: bool = False  # every request, with credentials for a region, unless there is a key
    has_quirks: bool = False
    batch: int = 0  # texts that are embedded in one call unless a model says otherwise; 0 where nothing is embedded
    quirks: Quirks = Quirks()
    remote: bool = True


FULL = Quirks(
    max_tokens_field="max_completion_tokens", developer_role=True, image_urls=True, cache_keys=True, service_tiers=True
)
SCHEMES: Final[Mapping[str, Scheme]] = {
    "openai": Scheme(
        url="https://api.openai.com/v1",
        key="env:OPENAI_API_KEY",
        vendor="openai",
        quirks=FULL,
        has_quirks=True,
        audio=True,
        batch=2048,
    ),
    "anthropic": Scheme(
        url="https://api.anthropic.com/v1", key="env:ANTHROPIC_API_KEY", vendor="anthropic", choices=False
    ),
    "google": Scheme(
        url="https://generativelanguage.googleapis.com/v1beta",
        key="env:GEMINI_API_KEY",
        vendor="google",
        audio=True,
        batch=100,
    ),
    "bedrock": Scheme(
        url="https://bedrock-runtime.REGION.amazonaws.com",
        vendor="aws",
        choices=False,
        audio=True,
        signed=True,
        batch=1,
    ),
    "ollama": Scheme(url="http://127.0.0.1:11434", choices=False, files=False, batch=512),
    "openai-compatible": Scheme(has_quirks=True, audio=True, batch=2048),
    "local": Scheme(
        remote=False, vendor="local", tools=False, json_schema=False, images=False, files=False, quotes_context=True
    ),
    "recorded": Scheme(remote=False, vendor="recorded", quirks=FULL, audio=True),
}
