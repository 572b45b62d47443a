"""What a workspace says about a kind of work: one file of `tasks/` each, and what they compile to."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.models.types import AUTO
from fairlead.tasks.cascades import CascadeSettings, compile_cascade
from fairlead.tasks.classify import TaskTypes
from fairlead.tasks.hedges import HedgeSettings, compile_hedge
from fairlead.tasks.meaning import Vectors
from fairlead.tasks.objectives import ObjectiveSettings, compile_objective
from fairlead.tasks.requirements import RequirementSettings, compile_requirements
from fairlead.tasks.types import TaskType

BUILT_IN = "chat"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_OF_CONTEXT: Final = {
    "grounded": "a task that may take no context could never be answered from it",
    "answerable": "it is asked of the passages that the task is given",
    "live": "what live sources say takes its place in the context",
}
_MOST_EXAMPLES = 10_000


class TaskSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of `tasks/`. Its name, without `.yaml`, is the task type's."""

    description: Annotated[str, Meta(description="What kind of work this is, for people.")] = ""
    examples: Annotated[
        tuple[str, ...],
        Meta(description="Questions of this kind, from which it is recognised: ten or twenty, in users' own words."),
    ] = ()
    prefer: Annotated[tuple[str, ...], Meta(description="Models in the order they are tried for this work.")] = ()
    tier: Annotated[str, Meta(description="The one tier of `routing.tiers` whose models do this work.")] = ""
    tiers: Annotated[
        tuple[str, ...], Meta(description="As `tier`, for several: the models of the first are tried first.")
    ] = ()
    objective: Annotated[
        ObjectiveSettings | Literal["declared"] | None,
        Meta(
            description="What the choice among the models that may and can do it follows; `declared`: the declared "
            "order. Default: `routing.objective`."
        ),
    ] = None
    cascade: Annotated[
        CascadeSettings | None,
        Meta(
            description="A cheaper model answers first, and its answer is kept only if it passes checks; else the next "
            "one answers. Default: the first that answers is kept."
        ),
    ] = None
    context: Annotated[
        int, Meta(ge=0, le=10_000_000, description="Tokens of organisational knowledge to stitch in; 0 for none.")
    ] = 0
    live: Annotated[
        tuple[str, ...],
        Meta(description="Live sources of context/sources.yaml that are read for it, where the question is theirs."),
    ] = ()
    topics: Annotated[
        tuple[str, ...],
        Meta(description="What it is about: decisions that are precedent for it and the brand's voice join its pack."),
    ] = ()
    voice: Annotated[
        bool, Meta(description="Whether the organisation's voice joins its pack whatever topics that names.")
    ] = False
    grounded: Annotated[
        bool, Meta(description="Refuse where the knowledge has nothing on the question that the caller may read.")
    ] = False
    max_output: Annotated[int, Meta(ge=1, le=10_000_000, description="The most tokens of a reply.")] | None = None
    deadline: (
        Annotated[float, Meta(gt=0, le=86_400, description="Seconds after which the work is given up.")] | None
    ) = None
    hedge: Annotated[
        HedgeSettings | None,
        Meta(
            description="Sends a request whose answer does not begin in time to the next candidate as well; the first "
            "to answer is taken, and both are billed as far as they went. Default: never."
        ),
    ] = None
    instructions: Annotated[str, Meta(description="What the model is told for this work, before the context.")] = ""
    extracts: Annotated[
        dict[str, Any],
        Meta(
            description="A JSON Schema of replies that take data out of texts. What leaves no room for words in it "
            "(choices, bounded numbers, dates, yes and no) comes from `schema:TASK` in a flow, and not from what was "
            "read. For requests that name the type."
        ),
    ] = {}
    answerable: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="Give a caveat where the local checker thinks it less likely than this that the passages hold "
            "the answer: a doubt, and never a reason to refuse. 0 asks nothing.",
        ),
    ] = 0.0
    requires: Annotated[
        tuple[RequirementSettings, ...],
        Meta(
            description="Knowledge that the work must rest on: looked up by what is known of the pages, not by what a "
            "search finds, before a model is chosen."
        ),
    ] = ()


def compile_tasks(
    settings: Mapping[str, TaskSettings], *, default: str = "", context: int = 0, encoder: Vectors | None = None
) -> TaskTypes:
    """Check the types and learn from their examples. `settings` are by name.

    `default` names the type of what is recognised as none. Without it, that is the type `chat`: the declared one, or a
    built-in plain one with `context` tokens of context. With an `encoder` requests are recognised by their meaning.
    Raises `BadInput` naming the key, which begins with the type.
    """
    types = {name: _type(name, one) for name, one in sorted(settings.items())}
    _check_examples(types)
    if default and default not in types:
        raise BadInput(
            f"defaults.task: there is no task type {default!r}",
            mend="there are: " + (", ".join(types) or "none"),
        )
    fallback = types.get(default or BUILT_IN) or TaskType(
        name=BUILT_IN, description="Anything that is not a declared kind of work.", context=context
    )
    return TaskTypes(types.values(), fallback, encoder)


def _type(name: str, settings: TaskSettings) -> TaskType:
    _require_fit(name, settings)
    aim = settings.objective
    return TaskType(
        name=name,
        description=settings.description,
        examples=settings.examples,
        prefer=settings.prefer,
        tiers=(settings.tier,) if settings.tier else settings.tiers,
        objective=compile_objective(f"{name}.objective", aim) if isinstance(aim, ObjectiveSettings) else aim,
        cascade=None
        if settings.cascade is None
        else compile_cascade(
            f"{name}.cascade",
            settings.cascade,
            context=settings.context,
            has_objective=isinstance(aim, ObjectiveSettings),
        ),
        context=settings.context,
        grounded=settings.grounded,
        answerable=settings.answerable,
        live=settings.live,
        topics=settings.topics,
        voice=settings.voice,
        max_output=settings.max_output,
        deadline=settings.deadline,
        hedge=compile_hedge(settings.hedge),
        instructions=settings.instructions,
        extracts=settings.extracts,
        requires=compile_requirements(name, settings.requires, settings.context, settings.live),
    )


def _require_fit(name: str, settings: TaskSettings) -> None:
    """Raises `BadInput` for what cannot be together in one task type, or for a name that it cannot have."""
    if not _NAME.fullmatch(name) or name == AUTO:
        raise BadInput(
            f"{name}: this is no fit name for a task type",
            why=f"callers ask for it in place of a model, as they ask for `{AUTO}` to let the request decide",
            mend="use up to 63 small letters, digits, dashes and underscores, beginning with a letter",
        )
    for key, why in _OF_CONTEXT.items():
        if getattr(settings, key) and not settings.context:
            raise BadInput(
                f"{name}.{key} needs {name}.context",
                why=why,
                mend="set `context` to a number of tokens, for example 2000",
            )
    if settings.tier and settings.tiers:
        raise BadInput(f"{name}.tier and {name}.tiers say the same thing twice", mend="keep `tiers`")


def _check_examples(types: Mapping[str, TaskType]) -> None:
    owners: dict[str, str] = {}
    for name, type_ in types.items():
        for number, example in enumerate(type_.examples):
            key = f"{name}.examples[{number}]"
            words = " ".join(example.lower().split())
            if not any(character.isalnum() for character in words):
                raise BadInput(f"{key} holds no word", mend="write a question as a user would, or remove it")
            owner = owners.setdefault(words, name)
            if owner != name:
                raise BadInput(
                    f"{key} is also an example of {owner!r}",
                    why="one question cannot teach two kinds of work",
                    mend="keep it where it belongs",
                )
    if sum(len(type_.examples) for type_ in types.values()) > _MOST_EXAMPLES:
        raise BadInput(f"there are more than {_MOST_EXAMPLES} examples", mend="twenty of each type are plenty")
