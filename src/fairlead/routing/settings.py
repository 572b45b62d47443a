"""What a workspace says about routing: the `routing:` part of fairlead.yaml, and what it compiles to."""

import re
from collections.abc import Collection, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from fairlead.errors import BadInput, closest
from fairlead.tasks.objectives import Objective, ObjectiveSettings, compile_objective
from fairlead.tasks.types import TaskType

_TIER = re.compile(r"[a-z][a-z0-9_-]{0,62}")

Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class RetrySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`retries`: asking the same model again after it failed. Each try is held and recorded by itself."""

    tries: Annotated[int, Meta(ge=1, le=10, description="How often one model is asked in all; 1 means no retry.")] = 2
    first_wait: Annotated[Seconds, Meta(description="The longest wait before the first retry; doubles each time.")] = (
        0.5
    )
    longest_wait: Annotated[
        Seconds, Meta(description="No wait is longer. A model that asks for a longer pause is not retried.")
    ] = 8.0


class BreakerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`breaker`: when a failing model is left alone, and for how long."""

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


class AimSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`routing:` in fairlead.yaml: what the choice follows where the declared order does not say enough."""

    tiers: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="Models in tiers by name (local, mid, heavyweight, specialised…), each from the one to try "
            "first to the last. The tiers are tried in their order, after `prefer`; a task type may keep to some."
        ),
    ] = {}
    objective: Annotated[
        ObjectiveSettings | None,
        Meta(description="What the choice follows for every task type that says nothing. Default: the declared order."),
    ] = None
    sticky_margin: Annotated[
        float,
        Meta(
            ge=0,
            le=1_000_000,
            description="How many calls more than at the least busy deployment of a model may be under way, in one "
            "worker and at a weight of 1, where a conversation belongs, before a call of it goes elsewhere.",
        ),
    ] = 2.0


class RoutingSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that routing owns of fairlead.yaml: `routing:`, and the keys of it that stand at the top."""

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
    aims: AimSettings = AimSettings()


class Preferences(Struct, frozen=True, kw_only=True):
    """What `RoutingSettings` compile to. `fallback` is False, True, or the names of the models that may stand in.

    `prefer` ends with the models of all tiers, in their order. `objective` is the workspace's own, for task types that
    have none.
    """

    prefer: tuple[str, ...] = ()
    fallback: bool | tuple[str, ...] = False
    retries: RetrySettings = RetrySettings()
    breaker: BreakerSettings = BreakerSettings()
    tiers: Mapping[str, tuple[str, ...]] = {}
    objective: Objective | None = None
    sticky_margin: float = 2.0

    def objective_of(self, task: TaskType) -> Objective | None:
        """What the choice for this kind of work follows; None for the declared order."""
        own = task.objective
        if task.cascade is not None and task.cascade.models and not task.cascade.novel:
            return None  # it says itself in which order they answer
        if own is None:
            return self.objective
        return own if isinstance(own, Objective) else None


def compile_routing(settings: RoutingSettings, models: Collection[str]) -> Preferences:
    """Check the names against the workspace's models. Raises `BadInput`, naming keys as they stand in fairlead.yaml."""
    known_models("prefer", settings.prefer, models)
    fallback: bool | tuple[str, ...]
    if isinstance(settings.fallback, bool):
        fallback = settings.fallback
    else:
        known_models("fallback", settings.fallback, models)
        fallback = tuple(settings.fallback)
    if settings.retries.first_wait > settings.retries.longest_wait:
        raise BadInput(
            "retries.first_wait is longer than retries.longest_wait",
            mend="make first_wait the smaller of the two",
        )
    if settings.breaker.cool_down > settings.breaker.longest_cool_down:
        raise BadInput(
            "breaker.cool_down is longer than breaker.longest_cool_down",
            mend="make cool_down the smaller of the two",
        )
    aims = settings.aims
    _check_tiers(aims.tiers, models)
    stacked = (name for names in aims.tiers.values() for name in names)
    return Preferences(
        prefer=tuple(dict.fromkeys((*settings.prefer, *stacked))),
        fallback=fallback,
        retries=settings.retries,
        breaker=settings.breaker,
        tiers=aims.tiers,
        objective=None if aims.objective is None else compile_objective("routing.objective", aims.objective),
        sticky_margin=aims.sticky_margin,
    )


def _check_tiers(tiers: Mapping[str, Collection[str]], models: Collection[str]) -> None:
    for name, members in tiers.items():
        key = f"routing.tiers.{name}"
        if not _TIER.fullmatch(name):
            raise BadInput(
                f"{key}: this is no fit name for a tier",
                mend="use up to 63 small letters, digits, dashes and underscores, beginning with a letter",
            )
        if not members:
            raise BadInput(f"{key} has no model", mend="name one, or remove the tier")
        known_models(key, members, models)


def known_models(key: str, names: Collection[str], models: Collection[str]) -> None:
    """Raise `BadInput` if `names`, found under `key`, repeats a model or holds one that the workspace does not have."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadInput(f"{key} names {name!r} twice", mend="remove one of the two")
        if name not in models:
            raise BadInput(f"{key} names {name!r}, which is no model of this workspace", mend=closest(name, models))
        seen.add(name)
