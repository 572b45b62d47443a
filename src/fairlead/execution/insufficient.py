"""Too little to rest on, said as a person would read it: what is needed, what is wrong with it, and who sees to it."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from fairlead.clock import day_of
from fairlead.context.sufficiency import Standing
from fairlead.errors import Refused
from fairlead.tasks.types import Does, State, Task

_NAMED: Final = 12  # characters of a request's id
_FOLLOWS: Final[Mapping[Does, str]] = {"abstain": "abstain", "ask": "ask the owner", "models": "use other models"}


class InsufficientContext(Refused):
    """What this kind of work must rest on (`requires` in its task type) is missing, too old, unverified, contradicted,
    or not for the caller to read. Nothing was asked of any model and nothing was spent.

    The message names each need and what is wrong with it; where the task type says so, its owner was asked to see to
    it by a day. `fairlead context requests` lists what owners were asked for, `fairlead trace RUN` shows how each need
    stood.
    """

    code = "insufficient_context"
    status = 422


class Asked(Protocol):
    """What an owner was asked for. Times in milliseconds since 1970."""

    @property
    def id(self) -> str: ...
    @property
    def asked_at(self) -> int: ...
    @property
    def due_at(self) -> int: ...
    @property
    def state(self) -> str: ...


def clause(standing: Standing, *, titled: bool = True) -> str:
    """What is wrong with one need, in a clause. Without titles for a reply's own text."""
    if standing.told == "missing":
        return "nothing of the kind is here that you may read"
    if standing.told == "hidden":
        return "it is here, and you may not read it"
    if standing.requirement.live:
        return f"its source {standing.reason or 'answered'}"
    pages = [f"“{page.title}” [{page.id}]" if titled else f"[{page.id}]" for page in standing.pages]
    if standing.told == "contradicted":
        return f"the pages {' and '.join(pages)} {standing.reason}"
    return f"the page {pages[0]} {standing.reason or 'is as it should be'}"


def sentence(standing: Standing, *, titled: bool = True) -> str:
    """How one need stands, for whoever is told."""
    return f"{standing.requirement.name}: {clause(standing, titled=titled)}"


def insufficient(
    task: Task, decided: Sequence[Standing], asked: Mapping[str, Asked | None], *, dry_run: bool
) -> InsufficientContext:
    """The refusal for needs that stand badly, the strictest first. `asked` has, by need, what its owner was asked for,
    None where that could not be written."""
    kind = task.type.name
    wrong = "; on ".join(f"{each.requirement.name}, and {clause(each)}" for each in decided)
    rules = "; ".join(
        f"where {each.requirement.name} is {each.told}, {_FOLLOWS.get(each.outcome.does, each.outcome.does)}"
        for each in decided
    )
    return InsufficientContext(
        f"a {kind} must rest on {wrong}",
        why=f"tasks/{kind}.yaml says: {rules}",
        mend="; ".join(dict.fromkeys(_mend(each, asked, dry_run=dry_run) for each in decided)),
        step="stitch",
        subject=decided[0].requirement.name,
    )


def none_left(task: Task, reasons: Mapping[str, str], asked_for: str) -> InsufficientContext:
    """The refusal where what stands badly leaves only models of which none may or can answer."""
    return InsufficientContext(
        "no model that may do it with what is known can answer",
        why="; ".join(dict.fromkeys(reasons.values())),
        mend=f"ask for `{task.type.name}` and leave the model to Fairlead, or have the owner see to what is required"
        if asked_for != task.type.name
        else "have the owner see to what is required, or permit one of these models",
        step="plan",
        subject=task.type.name,
    )


def owner_of(standing: Standing) -> str:
    """Whom to ask, "" where nobody is known. Of what the caller may not see, whoever the task type names."""
    if standing.told in ("missing", "hidden") or not standing.pages:
        return standing.requirement.owner
    return standing.pages[0].owner or standing.requirement.owner


def _mend(standing: Standing, asked: Mapping[str, Asked | None], *, dry_run: bool) -> str:
    need, owner = standing.requirement.name, owner_of(standing) or "whoever looks after the context"
    if standing.outcome.asks and dry_run:
        return f"{owner} would be asked to see to {need} within {standing.requirement.due} days"
    if need in asked:
        return _told(need, owner, standing, asked[need])
    todo = _TODO[standing.told]
    page = standing.pages[0].id if standing.pages else "PAGE"
    return f"ask {owner} to {todo.format(need=need, page=page)}"


_TODO: Final[Mapping[State, str]] = {
    "missing": "write and publish {need}, or to let you read it",
    "hidden": "let you read {need}",
    "stale": "bring it up to date (`fairlead context verify {page}`)",
    "unverified": "read and verify it (`fairlead context verify {page}`)",
    "contradicted": "say which of the two holds, and to correct the other",
    "met": "keep it so",
}


def _told(need: str, owner: str, standing: Standing, request: Asked | None) -> str:
    if request is None:
        return f"{owner} could not be asked for {need} just now: try again shortly"
    name = request.id[:_NAMED]  # it follows from the need, whatever is there or not
    if standing.told in ("missing", "hidden"):
        # Since when it is open hangs on whom else it was missing for, and that on who may read what.
        return f"{owner} has been asked for {need}, with {standing.requirement.due} days to see to it ({name})"
    since, by = day_of(request.asked_at), day_of(request.due_at)
    if request.state == "dismissed":
        return f"{owner} was asked on {since} to see to {need} ({name}), and will not: ask them why"
    return f"{owner} was asked on {since} to see to {need} by {by} ({name}); ask again then"
