"""What a workspace says about models: `models:` in fairlead.yaml, and what it compiles to.

models:
  small: openai/gpt-5-mini
  house: {use: openai-compatible/llama-3, url: "http://10.0.0.5:8000/v1", placement: {kind: on_prem}}
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.models.addresses import Address, checked_address
from fairlead.models.http import Patience, header_value
from fairlead.models.types import AUTO, Model, Placement

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Secrets = Callable[[str], str | None]
"""Gives the secret that a reference such as `env:NAME` stands for, or None where there is none."""


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
        bool, Meta(description="Is sent the attempt's id as `idempotency-key` and `x-request-id`.")
    ] = True
    key_header: Annotated[
        str, Meta(pattern="^[a-z0-9-]+$", description="The header for the key; `authorization` sends `Bearer KEY`.")
    ] = "authorization"

    @property
    def plain_messages(self) -> bool:
        """Whether messages can be sent just as they are."""
        return self.developer_role and self.content_parts and self.null_content and self.system_role == "system"


class TimeoutSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to wait for an endpoint, in seconds. The action's own deadline comes on top."""

    connect: Annotated[Seconds, Meta(description="For a connection.")] = 5.0
    first_byte: Annotated[Seconds, Meta(description="For the first byte of an answer.")] = 120.0
    idle: Annotated[Seconds, Meta(description="Between two pieces of an answer.")] = 60.0


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model of the workspace, in full. `use` alone can be written as plain text: `small: openai/gpt-5-mini`."""

    use: Annotated[
        str,
        Meta(
            description="`openai/MODEL`, `anthropic/MODEL`, `ollama/MODEL`, `openai-compatible/MODEL` (needs `url`), "
            "`local/extractive`, or `recorded/PATH` for recorded traffic.",
            examples=["openai/gpt-5-mini", "ollama/llama3.2", "local/extractive"],
        ),
    ]
    key: Annotated[
        str | None,
        Meta(description="Where the key is: `env:NAME` or `file:PATH`. Never the key itself."),
    ] = None
    url: Annotated[str | None, Meta(description="Address of the API, up to and without `/chat/completions`.")] = None
    plain_http: Annotated[
        bool, Meta(description="Allows `http://` to another machine: data and key then travel unencrypted.")
    ] = False
    placement: Annotated[
        Placement | None, Meta(description="Where it runs and what happens to data there: policies read this.")
    ] = None
    context: Annotated[int, Meta(gt=0, description="Context length in tokens, where known.")] | None = None
    max_output: Annotated[int, Meta(gt=0, description="The most output tokens it can give.")] | None = None
    tools: Annotated[bool | None, Meta(description="Can call tools.")] = None
    json_schema: Annotated[bool | None, Meta(description="Can answer by a JSON Schema.")] = None
    concurrency: Annotated[int, Meta(gt=0, description="Calls at a time per worker; unlimited if left out.")] | None = (
        None
    )
    headers: Annotated[dict[str, str], Meta(description="Further headers, such as `openai-organization`.")] = {}
    timeouts: TimeoutSettings = TimeoutSettings()
    quirks: Annotated[Quirks | None, Meta(description="What an OpenAI-compatible server does differently.")] = None


class Secret:
    """A text that shows itself only when asked to."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. For the header that needs it, and nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class EndpointSettings(Struct, frozen=True, kw_only=True):
    """One driver instance. Models with equal settings share it, and with it their connections."""

    name: str
    scheme: str
    url: str = ""
    key: Secret | None = None
    patience: Patience = Patience()
    quirks: Quirks = Quirks()
    concurrency: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    identify: bool = False


class Models(Struct, frozen=True, kw_only=True):
    """The models of a workspace. `unavailable` tells why a model cannot be used now; it is a reason, not an error."""

    models: Mapping[str, Model]
    endpoints: Mapping[str, EndpointSettings]
    unavailable: Mapping[str, str]


class _Scheme(Struct, frozen=True, kw_only=True):
    """What is true of all models behind one `use:` prefix unless a model says otherwise."""

    url: str | None = None
    key: str | None = None
    vendor: str = ""
    tools: bool = True
    json_schema: bool = True
    choices: bool = True
    quotes_context: bool = False
    quirks: Quirks = Quirks()
    remote: bool = True


_FULL = Quirks(
    max_tokens_field="max_completion_tokens", developer_role=True, image_urls=True, cache_keys=True, service_tiers=True
)
_SCHEMES: Mapping[str, _Scheme] = {
    "openai": _Scheme(url="https://api.openai.com/v1", key="env:OPENAI_API_KEY", vendor="openai", quirks=_FULL),
    "anthropic": _Scheme(
        url="https://api.anthropic.com/v1", key="env:ANTHROPIC_API_KEY", vendor="anthropic", choices=False
    ),
    "ollama": _Scheme(url="http://127.0.0.1:11434", choices=False),
    "openai-compatible": _Scheme(),
    "local": _Scheme(remote=False, vendor="local", tools=False, json_schema=False, quotes_context=True),
    "recorded": _Scheme(remote=False, vendor="recorded", quirks=_FULL),
}


def compile_models(settings: Mapping[str, str | ModelSettings], secrets: Secrets) -> Models:
    """Check and compile `models:`. Raises `BadInput` naming the key.

    A key reference that stands for nothing is no error: the text is right and only this machine lacks the key. The
    model is then `unavailable`, and routing says so.
    """
    models: dict[str, Model] = {}
    endpoints: dict[str, EndpointSettings] = {}
    unavailable: dict[str, str] = {}
    for name, given in settings.items():
        asked = ModelSettings(use=given) if isinstance(given, str) else given
        scheme_name, defaults, remote = _scheme(name, asked)
        key, missing = _key(name, asked.key or defaults.key, secrets)
        if missing:
            unavailable[name] = missing
        address = _address(name, asked, defaults)
        waits = asked.timeouts
        endpoint = EndpointSettings(
            name=scheme_name
            if address is None or address.url == defaults.url
            else f"{scheme_name}@{address.authority}",
            scheme=scheme_name,
            # A recording is its own endpoint: its path takes the address's place.
            url=remote if address is None else address.url,
            key=key,
            patience=Patience(connect=waits.connect, first_byte=waits.first_byte, idle=waits.idle),
            quirks=asked.quirks or defaults.quirks,
            concurrency=asked.concurrency,
            headers=tuple(sorted(_headers(name, asked.headers))),
        )
        models[name] = Model(
            name=_model_name(name),
            endpoint=_shared(endpoints, endpoint),
            remote=remote,
            placement=asked.placement or _placement(defaults, address),
            context=asked.context,
            max_output=asked.max_output or 4096,
            tools=defaults.tools if asked.tools is None else asked.tools,
            json_schema=defaults.json_schema if asked.json_schema is None else asked.json_schema,
            choices=defaults.choices and endpoint.quirks.choices,
            quotes_context=defaults.quotes_context,
        )
    return Models(models=models, endpoints=endpoints, unavailable=unavailable)


def _model_name(name: str) -> str:
    if not name or name == AUTO or not name.isascii() or not name.isprintable() or " " in name or len(name) > 100:
        raise BadInput(
            f"models.{name} is not a name that a model can have",
            why="`auto` stands for any model; other names are up to 100 visible ASCII characters without spaces",
            mend="choose another name",
        )
    return name


def _scheme(name: str, asked: ModelSettings) -> tuple[str, _Scheme, str]:
    scheme, _, remote = asked.use.partition("/")
    known = _SCHEMES.get(scheme)
    if known is None or not remote:
        raise BadInput(
            f"models.{name}: `{asked.use}` does not say what to use",
            why=f"it starts with none of {', '.join(f'{each}/' for each in _SCHEMES)} or names no model",
            mend=f"write for example `{name}: openai/gpt-5-mini`, or use `openai-compatible/MODEL` with a `url`",
        )
    if scheme == "local" and remote != "extractive":
        raise BadInput(f"models.{name}: `{asked.use}` does not exist", mend="the one local model is `local/extractive`")
    if not known.remote and (asked.url or asked.key):
        raise BadInput(f"models.{name} needs no `url` and no `key`", mend="leave them out")
    if asked.quirks is not None and scheme not in ("openai", "openai-compatible"):
        raise BadInput(f"models.{name}.quirks applies to OpenAI-compatible endpoints only", mend="leave `quirks` out")
    return scheme, known, remote


def _key(name: str, reference: str | None, secrets: Secrets) -> tuple[Secret | None, str]:
    """The key, and why it is missing."""
    if reference is None:
        return None, ""
    kind, _, where = reference.partition(":")
    if kind not in ("env", "file") or not where:
        raise BadInput(
            f"models.{name}.key must be a reference, not a key",
            why="the workspace's text is kept in git and shown to people",
            mend="put the key into an environment variable and write `key: env:NAME`, or `key: file:PATH`",
        )
    text = (secrets(reference) or "").strip()
    if not text:
        return None, f"no key: {where} is not set" if kind == "env" else f"no key: {where} is missing or empty"
    return Secret(header_value(text, name=f"the key of models.{name} ({reference})")), ""


def _address(name: str, asked: ModelSettings, defaults: _Scheme) -> Address | None:
    if not defaults.remote:
        return None
    url = asked.url or defaults.url
    if url is None:
        raise BadInput(
            f"models.{name} needs a `url`",
            why="`openai-compatible` can be any server",
            mend="write for example `url: http://127.0.0.1:8000/v1`",
        )
    at_home = asked.placement is not None and asked.placement.kind in ("on_prem", "device")
    return checked_address(url, key=f"models.{name}.url", at_home=at_home, plain_http=asked.plain_http)


def _placement(defaults: _Scheme, address: Address | None) -> Placement:
    """Where a model runs if nobody said so: on this machine only if its address is; else the worst is assumed."""
    if address is None:
        return Placement(kind="device", vendor=defaults.vendor, retention_days=0)
    if address.is_loopback:
        return Placement(kind="device", vendor=defaults.vendor or "self-hosted", retention_days=0)
    return Placement(kind="cloud", vendor=defaults.vendor or address.host)


def _headers(name: str, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    for header, value in headers.items():
        where = f"models.{name}.headers.{header}"
        if not header.replace("-", "").isalnum() or not header.isascii():
            raise BadInput(f"{where} is not a header's name", mend="use letters, digits and hyphens")
        if header.lower() in _OWN_HEADERS:
            raise BadInput(f"{where} cannot be set", why="Fairlead sets it", mend="leave it out; give keys by `key:`")
        header_value(value, name=where)
    return [(header.lower(), value) for header, value in headers.items()]


_OWN_HEADERS = frozenset(
    (
        "authorization", "api-key", "x-api-key", "host", "content-length", "transfer-encoding", "connection",
        "content-type", "accept-encoding", "idempotency-key", "x-request-id", "cookie", "expect", "te", "upgrade",
    )
)  # fmt: skip


def _shared(endpoints: dict[str, EndpointSettings], wanted: EndpointSettings) -> str:
    """The name of an endpoint with these settings; a new one gets a number if its plain name is taken."""
    number, name = 1, wanted.name
    while (present := endpoints.get(name)) is not None:
        if msgspec.structs.replace(present, name=wanted.name) == wanted:
            return name
        number += 1
        name = f"{wanted.name}#{number}"
    endpoints[name] = msgspec.structs.replace(wanted, name=name)
    return name
