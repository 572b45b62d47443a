"""What a kind of work is routed by: one quantity that is to be as high or as low as can be, within bounds on others."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from fairlead.errors import BadInput

Aim = Literal["quality", "cost", "latency"]
"""Quality is maximised, the other two are minimised."""

_NANO: Final = 1_000_000_000
_PARTS: Final = 10_000  # of a quality of 1


class ObjectiveSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`objective:` of a task type, or of `routing:` for all that say nothing. Bounds are those of one request."""

    maximise: (
        Annotated[Literal["quality"], Meta(description="`quality`: the model that is expected to do it best.")] | None
    ) = None
    minimise: (
        Annotated[
            Literal["cost", "latency"], Meta(description="`cost` or `latency`: the cheapest, or the fastest model.")
        ]
        | None
    ) = None
    cost_at_most: (
        Annotated[
            float,
            Meta(gt=0, le=1_000_000, description="What one request may be expected to cost, in the budgets' currency."),
        ]
        | None
    ) = None
    quality_at_least: (
        Annotated[float, Meta(gt=0, le=1, description="The score, from 0 to 1, that a reply must be expected to have.")]
        | None
    ) = None
    latency_at_most: (
        Annotated[float, Meta(gt=0, le=86_400, description="Seconds within which a reply must be expected.")] | None
    ) = None
    explore: Annotated[
        float,
        Meta(
            ge=0,
            le=0.2,
            description="How often another model within the bounds, that may be as good, is asked instead: "
            "0.02 is one request in fifty. 0, and nothing is left to chance.",
        ),
    ] = 0.0
    floor: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="The share of what the best fixed choice is worth here, below which nothing that is learnt may "
            "come into force by itself.",
        ),
    ] = 0.9
    strict: Annotated[
        bool,
        Meta(
            description="Refuse where no model is within the bounds. Otherwise the nearest to them answers, and the "
            "reply says so."
        ),
    ] = False


class Objective(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An objective as it is decided by and recorded: whole numbers, so that whoever decides again decides alike.

    `cost_at_most` is in nano-units, `latency_at_most` in milliseconds, `quality_at_least` and `floor` in
    ten-thousandths, `explore` in millionths. Fields stand in alphabetical order, as in every part of a record.
    """

    aim: Aim
    cost_at_most: int | None = None
    explore: int = 0
    floor: int = 9_000
    latency_at_most: int | None = None
    quality_at_least: int | None = None
    strict: bool = False


def compile_objective(key: str, settings: ObjectiveSettings) -> Objective:
    """Raises `BadInput` naming the key, where it says nothing that a choice could follow."""
    if (settings.maximise is None) == (settings.minimise is None):
        raise BadInput(
            f"{key} wants one thing to `maximise` or `minimise`",
            why="of two models one can be better and the other cheaper, and only one of them comes first",
            mend="write `maximise: quality`, `minimise: cost` or `minimise: latency`, and bounds on the others",
        )
    aim: Aim = settings.maximise or settings.minimise or "quality"
    others = {
        "cost": settings.cost_at_most,
        "quality": settings.quality_at_least,
        "latency": settings.latency_at_most,
    }
    if aim != "quality" and all(bound is None for what, bound in others.items() if what != aim):
        first, worst = ("cheapest", "bad") if aim == "cost" else ("fastest", "bad or dear")
        other = "latency_at_most" if aim == "cost" else "cost_at_most"
        raise BadInput(
            f"{key}.minimise has no bound beside it",
            why=f"the {first} model would always be taken, however {worst}",
            mend=f"add `quality_at_least` or `{other}`, or name the model under `prefer`",
        )
    if settings.strict and all(bound is None for bound in others.values()):
        raise BadInput(f"{key}.strict has nothing to be strict about", mend="add a bound, or remove `strict`")
    return Objective(
        aim=aim,
        cost_at_most=None if settings.cost_at_most is None else round(settings.cost_at_most * _NANO),
        explore=round(settings.explore * 1_000_000),
        floor=round(settings.floor * _PARTS),
        latency_at_most=None if settings.latency_at_most is None else round(settings.latency_at_most * 1000),
        quality_at_least=None if settings.quality_at_least is None else round(settings.quality_at_least * _PARTS),
        strict=settings.strict,
    )
