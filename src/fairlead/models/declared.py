"""What a workspace may say under `models:` in fairlead.yaml.

models:
  small: openai/gpt-5-mini
  house: {use: openai-compatible/llama-3, url: "http://10.0.0.5:8000/v1", placement: {kind: on_prem}}
"""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from fairlead.models.quirks import Quirks
from fairlead.models.types import Placement

REGION = "^[a-z]{2}(-[a-z]+)+-[0-9]+$"
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Secrets = Callable[[str], str | None]
"""Gives the secret that a reference such as `env:NAME` stands for, or None where there is none."""


class TimeoutSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to wait for an endpoint, in seconds. The action's own deadline comes on top."""

    connect: Annotated[Seconds, Meta(description="For a connection.")] = 5.0
    first_byte: Annotated[Seconds, Meta(description="For the first byte of an answer.")] = 120.0
    idle: Annotated[Seconds, Meta(description="Between two pieces of an answer.")] = 60.0


class CredentialSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the credentials are that sign requests: `env:NAME` or `file:PATH` each, never the text itself."""

    access_key: Annotated[str, Meta(description="Names who signs.")] = "env:AWS_ACCESS_KEY_ID"
    secret_key: Annotated[str, Meta(description="Proves it.")] = "env:AWS_SECRET_ACCESS_KEY"  # noqa: S105
    session_token: Annotated[str, Meta(description="Comes with temporary credentials; may stand for nothing.")] = (
        "env:AWS_SESSION_TOKEN"  # noqa: S105
    )


class EmbeddingSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Makes a model one for embeddings: `POST /v1/embeddings` goes to it, and no chat does."""

    dimensions: (
        Annotated[
            int, Meta(gt=0, le=65_536, description="The length of its vectors. Others in a reply are then an error.")
        ]
        | None
    ) = None
    space: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=100,
                description="Name of the space that its vectors lie in; the model's "
                "own name if left out. Models of one space may stand in for each other.",
            ),
        ]
        | None
    ) = None
    shortens: Annotated[bool, Meta(description="Gives shorter vectors where a caller asks for them.")] = False
    batch: (
        Annotated[
            int,
            Meta(
                gt=0,
                le=100_000,
                description="The most texts that its server takes in one call; more are sent in several calls.",
            ),
        ]
        | None
    ) = None
    near: Annotated[
        float,
        Meta(
            ge=-1,
            le=1,
            description="For `context.embeddings`: how near (cosine) a page without a word of the question must be to "
            "be considered. Above what this model gives to texts that have nothing to do with each other.",
        ),
    ] = 0.25


class DeploymentSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several places at which a model can be reached. What is left out is as the model says, unless this
    deployment is of another kind (another word before the first `/` of `use`)."""

    use: Annotated[str | None, Meta(description="As a model's `use`.")] = None
    key: Annotated[str | None, Meta(description="As a model's `key`.")] = None
    url: Annotated[str | None, Meta(description="As a model's `url`.")] = None
    region: Annotated[str, Meta(pattern=REGION, description="As a model's `region`.")] | None = None
    credentials: Annotated[CredentialSettings | None, Meta(description="As a model's `credentials`.")] = None
    placement: Annotated[Placement | None, Meta(description="As a model's `placement`.")] = None
    concurrency: Annotated[int, Meta(gt=0, description="As a model's `concurrency`.")] | None = None
    requests_per_minute: Annotated[int, Meta(gt=0, description="As a model's `requests_per_minute`.")] | None = None
    tokens_per_minute: Annotated[int, Meta(gt=0, description="As a model's `tokens_per_minute`.")] | None = None
    headers: Annotated[dict[str, str] | None, Meta(description="As a model's `headers`.")] = None
    quirks: Annotated[Quirks | None, Meta(description="As a model's `quirks`.")] = None
    priority: Annotated[
        int, Meta(ge=0, description="Those with the lowest number are used; the others only if these cannot.")
    ] = 0
    weight: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=1e6,
                description="How much of the work it gets among those of equal priority. Default: its `concurrency`, "
                "where all of the model's deployments have one; else 1.",
            ),
        ]
        | None
    ) = None


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model of the workspace, in full. `use` alone can be written as plain text: `small: openai/gpt-5-mini`."""

    use: Annotated[
        str,
        Meta(
            description="`openai/MODEL`, `anthropic/MODEL`, `google/MODEL`, `bedrock/MODEL` (needs `region`), "
            "`ollama/MODEL`, `openai-compatible/MODEL` (needs `url`), `local/extractive`, or `recorded/PATH` for "
            "recorded traffic.",
            examples=["openai/gpt-5-mini", "ollama/llama3.2", "local/extractive"],
        ),
    ]
    key: Annotated[
        str | None,
        Meta(description="Where the key is: `env:NAME` or `file:PATH`. Never the key itself."),
    ] = None
    url: Annotated[str | None, Meta(description="Address of the API, up to and without `/chat/completions`.")] = None
    region: Annotated[str, Meta(pattern=REGION, description="The vendor's region: eu-central-1.")] | None = None
    credentials: Annotated[
        CredentialSettings | None, Meta(description="Who signs requests, where a vendor wants them signed.")
    ] = None
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
    images: Annotated[bool | None, Meta(description="Takes images.")] = None
    files: Annotated[bool | None, Meta(description="Takes documents, such as PDF.")] = None
    audio: Annotated[bool | None, Meta(description="Takes sound.")] = None
    identify: Annotated[
        bool,
        Meta(
            description="Tells the provider who asks, as far as the caller says it: `user`, `safety_identifier` and "
            "`metadata` are passed on. Otherwise they are left out."
        ),
    ] = False
    concurrency: Annotated[int, Meta(gt=0, description="Calls at a time per worker; unlimited if left out.")] | None = (
        None
    )
    requests_per_minute: (
        Annotated[
            int,
            Meta(
                gt=0,
                description="The most requests in any minute, of all workers of a machine together. At its limit it is "
                "passed over.",
            ),
        ]
        | None
    ) = None
    tokens_per_minute: (
        Annotated[
            int,
            Meta(
                gt=0,
                description="As `requests_per_minute`, for tokens: a call counts with its input and the limit of its "
                "output, and once it has ended with what it used.",
            ),
        ]
        | None
    ) = None
    caches_from: Annotated[
        int,
        Meta(
            gt=0,
            description="Tokens from which its server keeps how requests begin. Where cached input is cheaper, longer "
            "requests that begin alike go to the same deployment.",
        ),
    ] = 1024
    headers: Annotated[dict[str, str], Meta(description="Further headers, such as `openai-organization`.")] = {}
    timeouts: TimeoutSettings = TimeoutSettings()
    quirks: Annotated[Quirks | None, Meta(description="What an OpenAI-compatible server does differently.")] = None
    aliases: Annotated[list[str], Meta(description="Further names under which callers may ask for it.")] = []
    embeddings: Annotated[
        EmbeddingSettings | None, Meta(description="Makes it a model for embeddings, which does not chat.")
    ] = None
    deployments: Annotated[
        dict[str, DeploymentSettings],
        Meta(description="Several places at which this one model can be reached, each with a name of its own."),
    ] = {}
