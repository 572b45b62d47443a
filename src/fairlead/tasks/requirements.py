"""What a kind of work must rest on: `requires` of a task type, and what follows where it is not so."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from fairlead.errors import BadInput
from fairlead.tasks.types import STATES, Outcome, Requirement, State

Choice = Literal["proceed", "caveat", "caveat_and_ask", "ask", "abstain"]
_MOST: Final = 32
_MOST_NAME: Final = 80


class OnlyModels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Go on with these models alone."""

    models: Annotated[
        tuple[str, ...], Meta(min_length=1, description="Models that may do the work all the same; no other may.")
    ]


_Follows = Annotated[
    Choice | OnlyModels,
    Meta(
        description="`proceed`; `caveat` (go on, and tell model and caller); `caveat_and_ask` (the same, and ask the "
        "owner); `{models: [...]}` (go on with these alone); `ask` (refuse, and ask the owner); `abstain` (refuse)."
    ),
]


def _in_state(says: str) -> Meta:
    return Meta(description=f"What follows where {says}. Default: `otherwise`.")


class RequirementSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Knowledge without which the work cannot be relied upon. What it names must all be true of one page."""

    need: Annotated[
        str, Meta(min_length=1, max_length=_MOST_NAME, description="What is needed, in a few words; callers read it.")
    ]
    kind: Annotated[str, Meta(description="The kind of page, such as `policy` or `process`.")] = ""
    topics: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...], Meta(description="Topics that the page must have, all of them.")
    ] = ()
    item: Annotated[str, Meta(description="One page and no other: its name below `context/`, without `.md`.")] = ""
    live: Annotated[str, Meta(description="A live source (`live:` of context/sources.yaml) that must answer.")] = ""
    fresh: (
        Annotated[int, Meta(ge=1, le=36_500, description="Days since it was verified or changed, at most.")] | None
    ) = None
    verified: Annotated[bool, Meta(description="Somebody must have verified it since it last changed.")] = False
    otherwise: _Follows = "abstain"
    missing: Annotated[_Follows, _in_state("there is nothing of the kind")] | UnsetType = UNSET
    stale: Annotated[_Follows, _in_state("it has expired or is older than `fresh`")] | UnsetType = UNSET
    unverified: Annotated[_Follows, _in_state("nobody has verified it as it stands")] | UnsetType = UNSET
    hidden: Annotated[_Follows, _in_state("it is there and not for the caller; needs `tell_hidden`")] | UnsetType = (
        UNSET
    )
    contradicted: Annotated[_Follows, _in_state("two pages disagree about it")] | UnsetType = UNSET
    due: Annotated[int, Meta(ge=1, le=365, description="Days that the owner has, once asked.")] = 7
    owner: Annotated[str, Meta(description="Whom to ask where there is no page, or none with an owner.")] = ""
    tell_hidden: Annotated[
        bool,
        Meta(
            description="Callers who may not read it are told that it is there. Without it they hear what they would "
            "hear if there were none."
        ),
    ] = False


def compile_requirements(
    task: str, settings: Sequence[RequirementSettings], context: int, live: Collection[str]
) -> tuple[Requirement, ...]:
    """Check what a task type requires. `live` are the sources that it reads. Raises `BadInput` naming the key, which
    begins with the type."""
    if not settings:
        return ()
    if not context:
        raise BadInput(
            f"{task}.requires needs {task}.context",
            why="what is required is put before the model, and this work takes no context",
            mend="set `context` to a number of tokens, for example 2000",
        )
    if len(settings) > _MOST:
        raise BadInput(f"{task}.requires has more than {_MOST} entries", mend="ask for what the work cannot do without")
    found: dict[str, Requirement] = {}
    for number, each in enumerate(settings):
        key = f"{task}.requires[{number}]"
        for error in _faults(key, each):
            raise error
        if each.live and each.live not in live:
            raise BadInput(
                f"{key}.live: {task} does not read the source {each.live!r}",
                mend=f"add it to `live` of the task type: live: [{', '.join((*live, each.live))}]",
            )
        if each.need in found:
            raise BadInput(f"{key}.need: {each.need!r} stands above already", mend="give each need a name of its own")
        found[each.need] = _requirement(each)
    return tuple(found.values())


def _faults(key: str, settings: RequirementSettings) -> Iterator[BadInput]:
    if not settings.need.isprintable() or settings.need != settings.need.strip():
        yield BadInput(f"{key}.need must be a few words on one line", mend="for example `refund rules`")
    if not (settings.kind or settings.topics or settings.item or settings.live):
        yield BadInput(
            f"{key} does not say what is needed",
            why=f"{settings.need!r} is its name for people, and no page is looked for by it",
            mend="add `kind`, `topics`, `item` or `live`",
        )
    if settings.live and (settings.kind or settings.topics or settings.item or settings.verified or settings.fresh):
        yield BadInput(
            f"{key}.live stands alone",
            why="a live source is no page: how old its answers may be is said where it is declared",
            mend="leave out kind, topics, item, fresh and verified, or write a requirement of their own for them",
        )
    if settings.item.endswith(".md"):
        yield BadInput(f"{key}.item: a page's name has no suffix", mend=f"write `{settings.item[:-3]}`")
    if settings.hidden is not UNSET and not settings.tell_hidden:
        yield BadInput(
            f"{key}.hidden needs {key}.tell_hidden",
            why="whoever is treated otherwise than where there is no page, knows that there is one",
            mend="add `tell_hidden: true`, or say under `missing` what follows in both cases",
        )
    if not settings.owner and any(outcomes_of(settings)[state].asks for state in ("missing", "hidden")):
        yield BadInput(
            f"{key}.owner is missing",
            why="where there is no page, its owner cannot be asked",
            mend="add `owner: TEAM`, or let `missing` be `abstain`",
        )


def outcomes_of(settings: RequirementSettings) -> Mapping[State, Outcome]:
    """What follows in each state. What is not told of is as if there were none."""
    said: dict[State, _Said] = {
        "missing": settings.missing,
        "stale": settings.stale,
        "unverified": settings.unverified,
        "hidden": settings.hidden if settings.tell_hidden else settings.missing,
        "contradicted": settings.contradicted,
    }
    follows: dict[State, Outcome] = {
        state: _outcome(settings.otherwise if each is UNSET else each) for state, each in said.items()
    }
    return {"met": Outcome("proceed"), **{state: follows[state] for state in STATES if state in follows}}


_Said = Choice | OnlyModels | UnsetType


def _outcome(said: "_Said") -> Outcome:
    assert said is not UNSET
    return Outcome("models", said.models) if isinstance(said, OnlyModels) else Outcome(said)


def _requirement(settings: RequirementSettings) -> Requirement:
    return Requirement(
        name=settings.need,
        kind=settings.kind,
        topics=frozenset(topic.strip().casefold() for topic in settings.topics),
        item=settings.item,
        live=settings.live,
        fresh=settings.fresh,
        verified=settings.verified,
        outcomes=outcomes_of(settings),
        due=settings.due,
        owner=settings.owner,
        tell_hidden=settings.tell_hidden,
    )
