"""What a workspace says about outcomes, how well runs were done: the `outcomes:` part of fairlead.yaml."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from fairlead.errors import BadInput

Seen = Literal["judge", "check", "escalation", "retry", "tool"]
Source = Literal["feedback", "correction", "judge", "check", "escalation", "retry", "tool"]
Weight = Annotated[float, Meta(ge=0, le=10)]

# A person's word counts most. What a model judges, and what only hints at a person's mind, counts less.
WEIGHTS: Final[dict[Source, float]] = {
    "feedback": 1.0,
    "correction": 1.0,
    "judge": 0.5,
    "check": 0.25,
    "escalation": 0.5,
    "retry": 0.25,
    "tool": 0.5,
}


class FeedbackSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`outcomes.feedback`: what people say of runs, at `POST /v1/feedback`."""

    reviewers: Annotated[
        tuple[str, ...],
        Meta(description="Groups whose members may judge anybody's runs. Own runs may be judged anyway."),
    ] = ()
    per_minute: Annotated[
        float, Meta(gt=0, le=100_000, description="How often one person may say something in a minute.")
    ] = 60.0
    caller_share: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="No one person counts for more than this share of what is said of a task type, once several "
            "have said something; 1 bounds nobody.",
        ),
    ] = 0.2


class OutcomesSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`outcomes:` in fairlead.yaml. What people say of runs is always taken; the rest is looked for only where `seen`
    names it, beside the requests."""

    seen: Annotated[
        tuple[Seen, ...],
        Meta(
            description="What else tells how well a run was done. `judge`: rules whose judge passed or failed the "
            "reply; `check`: whether the reply was let out, and fits its schema; `escalation`: another model had to "
            "take over; `retry`: the same person asked the same again; `tool`: the tool that was called next, for the "
            "same piece of work, did it."
        ),
    ] = ()
    weights: Annotated[
        dict[Source, Weight],
        Meta(description="How much one outcome counts, by where it comes from; a person's own word is 1."),
    ] = {}
    retry_within: Annotated[
        float, Meta(gt=0, le=86_400, description="Seconds in which the same question counts as asked again.")
    ] = 600.0
    keep: Annotated[
        float, Meta(gt=0, le=36_500, description="Days for which outcomes are kept, and learning looks back.")
    ] = 365.0
    feedback: FeedbackSettings = FeedbackSettings()

    def weight(self, source: Source) -> float:
        """How much one outcome from there counts."""
        return self.weights.get(source, WEIGHTS[source])


def compile_outcomes(settings: OutcomesSettings) -> OutcomesSettings:
    """The settings, if they make sense. Raises `BadInput`."""
    if len(set(settings.seen)) < len(settings.seen):
        raise BadInput("outcomes.seen names the same twice", mend="remove one of the two")
    unseen = sorted(set(settings.weights) - {"feedback", "correction", *settings.seen})
    if unseen:
        raise BadInput(
            f"outcomes.weights names {unseen[0]!r}, which is not looked for",
            why="a weight of what is not seen would count for nothing",
            mend=f"add {unseen[0]} to outcomes.seen, or remove its weight",
        )
    return settings
