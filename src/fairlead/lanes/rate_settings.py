"""What a workspace says about how fast callers may ask: the `limits:` part of fairlead.yaml."""

from typing import Annotated

from msgspec import Meta, Struct

PerMinute = Annotated[float, Meta(gt=0, le=1e12)]


class RequestRateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much in a minute, all workers together. A minute's worth may come at once; after that as it comes back."""

    requests: Annotated[PerMinute, Meta(description="Requests to models a minute.")] | None = None
    tokens: (
        Annotated[
            PerMinute,
            Meta(
                description="Tokens a minute, in and out. The most that a request may take counts until it has ended."
            ),
        ]
        | None
    ) = None


class RateSettings(RequestRateSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much somebody may ask for in a minute, of models and of systems."""

    calls: Annotated[PerMinute, Meta(description="Calls of tools a minute.")] | None = None


class CallRateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a system may be called in a minute, by all together."""

    calls: Annotated[PerMinute, Meta(description="Calls of tools a minute.")]


class LimitsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`limits:` in fairlead.yaml. A request counts against every limit that it falls under, and one that passes any is
    refused with 429 and the time to come back. `*` gives each one that is not named a limit of its own."""

    persons: Annotated[dict[str, RateSettings], Meta(description="Limits by person.")] = {}
    agents: Annotated[dict[str, RateSettings], Meta(description="Limits by the program that acts for somebody.")] = {}
    keys: Annotated[dict[str, RateSettings], Meta(description="Limits by the name of the key that was shown.")] = {}
    departments: Annotated[dict[str, RateSettings], Meta(description="Limits by department.")] = {}
    tasks: Annotated[dict[str, RequestRateSettings], Meta(description="Limits by task type.")] = {}
    models: Annotated[
        dict[str, RequestRateSettings],
        Meta(description="Limits by the model that is tried first, all its deployments together."),
    ] = {}
    systems: Annotated[dict[str, CallRateSettings], Meta(description="Limits by system, all its tools together.")] = {}
    tools: Annotated[dict[str, CallRateSettings], Meta(description="Limits by tool, as `system.tool`.")] = {}
