"""Cascades: where an answer can be checked, a cheaper model answers first, and a dearer one if that does not pass."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, get_args

from msgspec import Meta, Struct, field

from fairlead.errors import BadInput

Check = Literal["schema", "tools", "grounded", "agreement", "rules"]
CHECKS: Final[tuple[Check, ...]] = get_args(Check)
"""In the order in which they are made: what costs nothing comes first."""

Likeness = Literal["text", "number", "json"]

_SHARE: Final = 0.8


class AgreementSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`agreement:` of a cascade: a second cheap model is asked at the same time, as a run of its own."""

    other: Annotated[
        str, Meta(min_length=1, description="The model that is asked beside the first one. Its answer is never given.")
    ] = field(name="with")
    on: Annotated[
        Likeness,
        Meta(
            description="What must be equal: `text`, but for case and blanks; `number`, the last one that each gives; "
            "`json`, whatever the order of its keys."
        ),
    ] = "text"


class CascadeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`cascade:` of a task type."""

    keep_if: Annotated[
        tuple[Check, ...],
        Meta(
            min_length=1,
            description="What an answer must pass to be kept, all of it. `schema`: it fits the JSON Schema that the "
            "request asks for, or the task type's `extracts`. `tools`: its calls are of the request's tools, with "
            "arguments that fit them, and the last tools that were called did not fail. `grounded`: enough of it rests "
            "on the context. `agreement`: another model says the same. `rules`: no rule keeps it back.",
        ),
    ]
    models: Annotated[
        tuple[str, ...],
        Meta(
            description="The models in the order in which they answer, the cheapest first; no others do this work. "
            "Default: those of the plan, what is expected to cost less than the one that would be chosen before it."
        ),
    ] = ()
    at_most: Annotated[int, Meta(ge=1, le=10, description="How often the next model may be asked.")] = 2
    agreement: Annotated[
        AgreementSettings | None, Meta(description="For `agreement`: who else is asked, and what must be equal.")
    ] = None
    share: (
        Annotated[
            float,
            Meta(gt=0, le=1, description="For `grounded`: which share of what it says must rest on the context. 0.8."),
        ]
        | None
    ) = None
    otherwise: Annotated[
        Literal["refuse", "keep"] | None,
        Meta(
            description="Where no answer passes, or the next one cannot be had (budget, deadline, its server): "
            "`refuse`, or `keep` the last answer with a warning. Default: refuse what fails `schema` or `tools`, keep "
            "what fails `grounded` or `agreement`. What a rule keeps back never leaves."
        ),
    ] = None
    when: Annotated[
        Literal["always", "novel"],
        Meta(
            description="`novel`: only for requests that are like none that routing has learnt from; all others go to "
            "the model that the objective chooses."
        ),
    ] = "always"


class Cascade(Struct, frozen=True, kw_only=True):
    """A cascade, checked. `checks` are in the order in which they are made. `other` is the model that must agree on
    `likeness`, `keeps` the checks that an answer may fail and still be given, where nothing better is to be had."""

    checks: tuple[Check, ...]
    models: tuple[str, ...] = ()
    at_most: int = 2
    other: str = ""
    likeness: Likeness = "text"
    share: float = _SHARE
    keeps: frozenset[Check] = frozenset()
    novel: bool = False


def compile_cascade(key: str, settings: CascadeSettings, *, context: int, has_objective: bool) -> Cascade:
    """Raises `BadInput` naming the key, where it says what cannot be meant. `context` are the task type's tokens of it,
    `has_objective` tells whether it has an objective of its own."""
    wanted = settings.keep_if
    if len(set(wanted)) < len(wanted):
        raise BadInput(f"{key}.keep_if names a check twice", mend="remove one of the two")
    _check_models(key, settings, has_objective)
    _check_agreement(key, settings)
    if "grounded" in wanted and not context:
        raise BadInput(
            f"{key}.keep_if: `grounded` needs `context`",
            why="an answer is held against the context that the task is given",
            mend="set `context` to a number of tokens, for example 2000",
        )
    if settings.share is not None and "grounded" not in wanted:
        raise BadInput(
            f"{key}.share is for `grounded`, which `keep_if` does not name", mend="add it, or remove `share`"
        )
    kept: Sequence[Check] = {"refuse": (), "keep": CHECKS, None: ("grounded", "agreement")}[settings.otherwise]
    return Cascade(
        checks=tuple(each for each in CHECKS if each in wanted),
        models=settings.models,
        at_most=settings.at_most,
        other=settings.agreement.other if settings.agreement is not None else "",
        likeness=settings.agreement.on if settings.agreement is not None else "text",
        share=settings.share or _SHARE,
        keeps=frozenset(kept) - {"rules"},
        novel=settings.when == "novel",
    )


def _check_models(key: str, settings: CascadeSettings, has_objective: bool) -> None:
    names = settings.models
    for place, name in enumerate(names):
        if name in names[:place]:
            raise BadInput(f"{key}.models names {name!r} twice", mend="remove one of the two")
    if len(names) == 1:
        raise BadInput(
            f"{key}.models has one model, and there is none to go on to",
            mend="name a dearer one behind it, or leave `models` out",
        )
    if names and has_objective and settings.when == "always":
        raise BadInput(
            f"{key}.models and `objective` both say in which order models answer",
            mend="leave `models` out, remove `objective`, or say `when: novel`",
        )


def _check_agreement(key: str, settings: CascadeSettings) -> None:
    asked = settings.agreement
    if (asked is not None) != ("agreement" in settings.keep_if):
        raise BadInput(
            f"{key}.agreement and `agreement` in `keep_if` belong together",
            mend="write keep_if: [agreement] and agreement: {with: MODEL}, or neither",
        )
    if asked is not None and asked.other in settings.models:
        raise BadInput(
            f"{key}.agreement.with names {asked.other!r}, which answers in this cascade itself",
            why="that a model agrees with itself says nothing",
            mend="name another cheap model",
        )
