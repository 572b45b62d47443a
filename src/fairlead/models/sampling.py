"""How a reply is to be sampled, and how the provider is to treat the call, as a request says it."""

from typing import Literal

from msgspec import Struct


class Sampling(Struct, frozen=True, omit_defaults=True):
    """Knobs that are passed on as they came.

    Where a wire has no counterpart, its driver refuses with `Rejected` what the reply would otherwise lack, and leaves
    out what only leans on the sampling; the wire's module says which.
    """

    temperature: float | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    top_k: int | None = None
    reasoning_budget: int | None = None  # tokens; where a wire knows only efforts, the nearest one is asked for
    reasoning_summary: Literal["auto", "concise", "detailed", "none"] | None = None


class Handling(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How the provider is to treat the call: nothing in it shapes the reply.

    `user`, `safety_identifier` and `metadata` tell a provider who asks: a driver sends them only to an endpoint that is
    declared to be told (`identify`). `service_tier` is "auto", "default", "flex" or "priority", and changes the price.
    """

    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, str] | None = None
