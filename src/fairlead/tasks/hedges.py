"""Hedged requests, as a task type declares them: a second attempt beside one that is slow to begin."""

from typing import Annotated

from msgspec import Meta, Struct

P95 = "p95"


class HedgeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`hedge:` of a task type: what is done about calls whose answer does not begin in time."""

    after: Annotated[
        Annotated[float, Meta(ge=0, le=86_400)] | Annotated[str, Meta(pattern=r"^(p95|[0-9]{1,5}(\.[0-9]{1,3})?s)$")],
        Meta(
            description="Seconds without a first byte (2, `2s`) after which the same request goes to the next "
            "candidate as well, or `p95`: what nineteen of twenty calls of this kind to the model took lately."
        ),
    ]
    at_most: Annotated[int, Meta(ge=1, le=3, description="How many further attempts a call may have at once.")] = 1
    at_most_share: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="Further attempts for each call of this kind, over time and in each worker: where all servers "
            "are slow, load does not double.",
        ),
    ] = 0.05


class Hedge(Struct, frozen=True):
    """What it compiles to. `after` is in seconds, None for what calls took lately."""

    after: float | None
    at_most: int = 1
    share: float = 0.05


def compile_hedge(settings: HedgeSettings | None) -> Hedge | None:
    """None where nothing is hedged."""
    if settings is None:
        return None
    after = settings.after
    seconds = None if after == P95 else float(after.removesuffix("s")) if isinstance(after, str) else after
    return Hedge(seconds, settings.at_most, settings.at_most_share)
