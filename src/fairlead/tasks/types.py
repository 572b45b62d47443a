"""Task types: declared kinds of work, the unit of required context, routing, cost and checks."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from msgspec import Struct

from fairlead.labels import Labels
from fairlead.tasks.cascades import Cascade
from fairlead.tasks.hedges import Hedge
from fairlead.tasks.objectives import Objective

State = Literal["missing", "hidden", "contradicted", "stale", "unverified", "met"]
"""How required knowledge stands, from worst to best: of several pages for one need the best decides."""
STATES: Final[tuple[State, ...]] = get_args(State)
RANK: Final = {state: number for number, state in enumerate(STATES)}
"""A state's place among them: the greater, the better."""

Does = Literal["proceed", "caveat", "caveat_and_ask", "models", "ask", "abstain"]
"""What follows, from the mildest to the strictest: of several needs the strictest decides."""
MILD_TO_STRICT: Final[tuple[Does, ...]] = get_args(Does)


class Outcome(Struct, frozen=True):
    """What follows where a need is in some state. `models` are those that may go on all the same."""

    does: Does
    models: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether the owner is asked."""
        return self.does in ("ask", "caveat_and_ask")

    @property
    def refuses(self) -> bool:
        """Whether the work is not done at all."""
        return self.does in ("ask", "abstain")

    @property
    def cautions(self) -> bool:
        """Whether model and caller are told."""
        return self.does in ("caveat", "caveat_and_ask")


class Requirement(Struct, frozen=True, kw_only=True):
    """Knowledge that a kind of work must rest on: one page of this `kind`, with all of these `topics`, or this very
    `item`; or an answer of the source `live`.

    `fresh` is in days, None for any age. `due` is how many days an owner has, `owner` whom to ask where no page has
    one. With `tell_hidden` callers hear that there is something which they may not read.
    """

    name: str
    kind: str = ""
    topics: frozenset[str] = frozenset()
    item: str = ""
    live: str = ""
    fresh: int | None = None
    verified: bool = False
    outcomes: Mapping[State, Outcome]
    due: int = 7
    owner: str = ""
    tell_hidden: bool = False


class TaskType(Struct, frozen=True, kw_only=True):
    """A declared kind of work, checked. Times are in seconds, limits in tokens.

    `examples` teach the classification. `prefer` orders the permitted models, best first; `tiers`
    leaves only those of some tiers. `objective` is what the choice among them follows, None for the workspace's own;
    with a `cascade` a cheaper one answers first, where its answer can be checked.
    `context` is the token budget of the context pack, 0 for none; with `grounded` the task is refused when the pack is
    empty, and below the likelihood `answerable` that the pack holds the answer there is a caveat. `extracts` is
    the JSON Schema of replies that take data out of texts. `requires` is what it must rest on, whatever was found.
    `live` names live sources, in the order in which they stand in the pack; `topics` and `voice` say which decisions
    and which of the organisation's voice join it. `hedge` says when a call is sent to another candidate as well.
    """

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    objective: Objective | Literal["declared"] | None = None
    cascade: Cascade | None = None
    context: int = 0
    grounded: bool = False
    answerable: float = 0.0
    max_output: int | None = None
    deadline: float | None = None
    instructions: str = ""
    extracts: Mapping[str, Any] = {}
    requires: tuple[Requirement, ...] = ()
    live: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    voice: bool = False
    hedge: Hedge | None = None


class Task(Struct, frozen=True, kw_only=True):
    """What a request turned out to be. `type` is the declared type, or the workspace's default one when classification
    abstained (`abstained`). `labels` are what detectors found in the request, `question` the last thing asked."""

    type: TaskType
    labels: Labels
    question: str
    abstained: bool = False
    confidence: float = 0.0
