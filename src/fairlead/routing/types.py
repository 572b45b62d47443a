"""A plan: the permitted candidates in order, and why each of the others was dropped."""

from msgspec import Struct

from fairlead.models.types import Model
from fairlead.tasks.cascades import Check
from fairlead.tasks.decisions import Decision


class Candidate(Struct, frozen=True):
    """A model that may and can do the task. `redact` names the categories to take out before it is sent there,
    `pseudonymise` those of them that leave pseudonyms behind.

    `max_output` is the output limit in tokens that will be sent. `room` is 0 where the input fits for sure, 1 where it
    may not, 2 where the model could only say that the context does not answer.
    """

    model: Model
    redact: frozenset[str]
    max_output: int
    room: int = 0
    pseudonymise: frozenset[str] = frozenset()


class Dropped(Struct, frozen=True):
    """A model that was considered and dropped. `by` is what dropped it: "stopped", "policy", "context", "capability",
    "context length", "unavailable", "price", "health", "too slow", "rate limit", "objective", "cascade", "budget",
    "places", "not asked for"."""

    model: str
    by: str
    reason: str


class Plan(Struct, frozen=True):
    """Candidates best first. `why` says how the order came about, `decision` what it was made from where an objective
    decided. With `checks`, an answer that does not pass them is not kept, and the next candidate is asked."""

    candidates: tuple[Candidate, ...]
    dropped: tuple[Dropped, ...]
    why: str
    decision: Decision | None = None
    checks: tuple[Check, ...] = ()
