"""What the path gives back to a door: the reply, and everything worth saying about how it came about."""

from collections.abc import Callable

from msgspec import Struct

from fairlead.context import Citation, citations_in
from fairlead.context.types import Difference
from fairlead.costs.estimates import estimate
from fairlead.costs.histories import Histories
from fairlead.costs.ledger import Action
from fairlead.costs.told import Checked, Judged, Left, Pin, Unkept
from fairlead.costs.types import Estimate
from fairlead.costs.units import Unit
from fairlead.execution.choices import Reply
from fairlead.execution.deployment import Deployment
from fairlead.execution.prepare import Decided
from fairlead.execution.sufficiency import Required
from fairlead.labels import NO_LABELS, Labels
from fairlead.models.types import Model, Passage
from fairlead.routing import Candidate, Dropped
from fairlead.routing.cascade import other_of, rungs
from fairlead.storage.types import Kept, ScopeLimit
from fairlead.tasks.decisions import Decision


class Answer(Struct, frozen=True, kw_only=True):
    """A settled action. `cost` is in nano-units of money, all attempts together, and told in `unit`. `warned` are the
    rules in warn mode that applied, each with its sentence. `judged` are the judges that the caller may know of; what
    they cost stands beside `cost`, not in it.

    `labels` are those of all that was asked, context included. `remembered` is False where it was to be remembered, and
    the person or the conversation was gone by then. `left` is what remains of limits on how fast may be asked.
    `required` is what the task had to rest on, and how it stands for this caller. `differences` are those between the
    pieces of context that the model had, `passages` these pieces.
    `work` is the piece of work that it is a part of, and `newer` whether other pages are in force than it began under.
    `decision` is what the choice of the model was made from, where an objective decided. `unkept` are answers before
    this one that were not kept, each with what it cost, which is a part of `cost`; `doubts` are the checks that this
    one did not pass, given all the same.
    """

    run: str
    revision: str
    task: str
    model: Model
    reply: Reply
    cost: int
    currency: str
    unit: Unit
    price: str
    why: str
    candidates: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    citations: tuple[Citation, ...]
    redacted: tuple[str, ...]
    warnings: tuple[ScopeLimit, ...]
    warned: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...]
    labels: Labels = NO_LABELS
    remembered: bool = True
    judged: tuple[Judged, ...] = ()
    left: tuple[Left, ...] = ()
    required: tuple[Required, ...] = ()
    work: Pin | None = None
    newer: bool = False
    differences: tuple[Difference, ...] = ()
    passages: tuple[Passage, ...] = ()
    decision: Decision | None = None
    unkept: tuple[Unkept, ...] = ()
    doubts: tuple[Checked, ...] = ()


Remember = Callable[[Answer], Kept]
"""Makes of an answer what is to be kept with its bill: the turn of a conversation, or what a workflow has done."""


class Course(Struct, frozen=True, kw_only=True):
    """What a cascade may come to: `low` if the first answer is kept at once, `high` if all that may be asked are.
    `models` are those, and `other` is who must agree with the first, "" for nobody."""

    checks: tuple[str, ...]
    models: tuple[str, ...]
    other: str
    low: int
    high: int


class Quote(Struct, frozen=True, kw_only=True):
    """What a request would do and cost. `estimates` are in the order in which the candidates would be tried."""

    run: str
    revision: str
    task: str
    currency: str
    unit: Unit
    why: str
    estimates: tuple[Estimate, ...]
    dropped: tuple[Dropped, ...]
    required: tuple[Required, ...] = ()
    decision: Decision | None = None
    course: Course | None = None


def answer_of(deployment: Deployment, action: Action, decided: Decided, model: Model, reply: Reply) -> Answer:
    """The answer of a settled action."""
    plan = decided.plan
    return Answer(
        run=action.run,
        revision=deployment.revision,
        task=decided.task.type.name,
        model=model,
        reply=reply,
        cost=action.cost,
        currency=deployment.currency,
        unit=deployment.unit,
        price=deployment.rates[model.name].version,
        why=plan.why,
        candidates=tuple(candidate.model.name for candidate in plan.candidates),
        dropped=plan.dropped,
        citations=_cited(decided, reply),
        redacted=next(tuple(sorted(c.redact)) for c in plan.candidates if c.model is model),
        warnings=tuple(action.warnings),
        warned=tuple(sorted({(hit.policy, hit.text) for hit in action.hits if hit.mode == "warn"}))
        if action.hits
        else (),
        flags=tuple(action.flags),
        labels=decided.asked.labels,
        remembered=action.remembered,
        judged=tuple(each for each in action.judged if not each.quiet) if action.judged else (),
        left=action.taken.left if action.taken is not None else (),
        required=decided.enough.told,
        work=action.pin,
        newer=action.pin is not None and action.pin.snapshot != deployment.context.snapshot,
        differences=decided.pack.differences,
        passages=decided.pack.passages,
        decision=plan.decision,
        unkept=tuple(action.unkept),
        doubts=tuple(each for each in action.checks if not each.passed) if action.checks else (),
    )


def _cited(decided: Decided, reply: Reply) -> tuple[Citation, ...]:
    if not decided.pack.citations:
        return ()
    return citations_in("\n".join(choice.text for choice in reply.choices), decided.pack)


def quote_of(deployment: Deployment, action: Action, decided: Decided, histories: Histories) -> Quote:
    """What the decided action would cost with each candidate."""
    estimates = tuple([_estimated(deployment, decided, each, histories) for each in decided.plan.candidates])
    return Quote(
        run=action.run,
        revision=deployment.revision,
        task=decided.task.type.name,
        currency=deployment.currency,
        unit=deployment.unit,
        why=decided.plan.why,
        estimates=estimates,
        dropped=decided.plan.dropped,
        required=decided.enough.told,
        decision=decided.plan.decision,
        course=_course(deployment, decided, estimates, histories) if decided.plan.checks else None,
    )


def _estimated(deployment: Deployment, decided: Decided, one: Candidate, histories: Histories) -> Estimate:
    name, request = one.model.name, decided.asked.request
    known = histories.of(decided.task.type.name, name)
    return estimate(name, request.size, one.max_output, request.choices, deployment.rates[name], known)


def _course(
    deployment: Deployment, decided: Decided, estimates: tuple[Estimate, ...], histories: Histories
) -> Course | None:
    cascade = decided.task.type.cascade
    if cascade is None:
        return None
    by_name = {each.model: each for each in estimates}
    asked = [by_name[one.model.name] for one in rungs(decided.plan, cascade)]
    beside = [
        _estimated(deployment, decided, each, histories) for each in other_of(deployment.models, decided.plan, cascade)
    ]
    return Course(
        checks=decided.plan.checks,
        models=tuple(each.model for each in asked),
        other=cascade.other if "agreement" in decided.plan.checks else "",
        low=asked[0].low + sum(each.low for each in beside),
        high=sum(each.high for each in (*asked, *beside)),
    )
