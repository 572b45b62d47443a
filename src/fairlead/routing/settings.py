"""What a workspace says about routing: the `routing:` part of fairlead.yaml, and what it compiles to."""

from collections.abc import Collection
from typing import Annotated

from msgspec import Meta, Struct

from fairlead.errors import BadInput, closest

Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class RetrySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`routing.retries`: asking the same model again after it failed. Each try is held and recorded by itself."""

    tries: Annotated[int, Meta(ge=1, le=10, description="How often one model is asked in all; 1 means no retry.")] = 2
    first_wait: Annotated[Seconds, Meta(description="The longest wait before the first retry; doubles each time.")] = (
        0.5
    )
    longest_wait: Annotated[
        Seconds, Meta(description="No wait is longer. A model that asks for a longer pause is not retried.")
    ] = 8.0


class BreakerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`routing.breaker`: when a failing model is left alone, and for how long."""

    failures: Annotated[int, Meta(ge=1, description="Failures in a row that open the breaker.")] = 5
    share: Annotated[
        float, Meta(gt=0, le=1, description="Share of failed calls within the window that opens the breaker.")
    ] = 0.5
    window: Annotated[Seconds, Meta(description="How far back the share looks, in seconds.")] = 60.0
    least: Annotated[int, Meta(ge=2, description="Calls within the window below which the share says nothing.")] = 20
    cool_down: Annotated[
        Seconds, Meta(description="How long an open breaker waits; doubles with each failed probe.")
    ] = 5.0
    longest_cool_down: Annotated[Seconds, Meta(description="The longest wait, also for a pause a model asks for.")] = (
        300.0
    )


class RoutingSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`routing:` in fairlead.yaml."""

    prefer: Annotated[
        list[str], Meta(description="Models in the order they are tried, after the task type's own `prefer`.")
    ] = []
    fallback: Annotated[
        bool | list[str],
        Meta(
            description="What may answer instead of a model that a request names: false, nothing (a name is meant); "
            "true, every permitted model in the usual order; a list, these models in this order. "
            "Requests for `auto` or for a task type always fall back."
        ),
    ] = False
    retries: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()


class Preferences(Struct, frozen=True, kw_only=True):
    """`routing:` compiled. `fallback` is False, True, or the names of the models that may stand in."""

    prefer: tuple[str, ...] = ()
    fallback: bool | tuple[str, ...] = False
    retries: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()


def compile_routing(settings: RoutingSettings, models: Collection[str]) -> Preferences:
    """Check the names against the workspace's models. Raises `BadInput`."""
    known_models("routing.prefer", settings.prefer, models)
    fallback: bool | tuple[str, ...]
    if isinstance(settings.fallback, bool):
        fallback = settings.fallback
    else:
        known_models("routing.fallback", settings.fallback, models)
        fallback = tuple(settings.fallback)
    if settings.retries.first_wait > settings.retries.longest_wait:
        raise BadInput(
            "routing.retries.first_wait is longer than routing.retries.longest_wait",
            mend="make first_wait the smaller of the two",
        )
    if settings.breaker.cool_down > settings.breaker.longest_cool_down:
        raise BadInput(
            "routing.breaker.cool_down is longer than routing.breaker.longest_cool_down",
            mend="make cool_down the smaller of the two",
        )
    return Preferences(
        prefer=tuple(settings.prefer), fallback=fallback, retries=settings.retries, breaker=settings.breaker
    )


def known_models(key: str, names: Collection[str], models: Collection[str]) -> None:
    """Raise `BadInput` if `names`, found under `key`, repeats a model or holds one that the workspace does not have."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadInput(f"{key} names {name!r} twice", mend="remove one of the two")
        if name not in models:
            raise BadInput(f"{key} names {name!r}, which is no model of this workspace", mend=closest(name, models))
        seen.add(name)
