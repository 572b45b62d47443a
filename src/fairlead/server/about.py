"""What Fairlead says beside every protocol about how an answer came about. `quoted` is for dry runs."""

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote as quote_name

from msgspec import Struct

from fairlead.costs.told import Judged, Pin, Unkept
from fairlead.costs.units import Unit
from fairlead.execution import Answer, Quote
from fairlead.execution.choosing import asked_for
from fairlead.execution.sufficiency import Required
from fairlead.server.door import left_headers
from fairlead.server.http import Headers
from fairlead.tasks.decisions import Decision, Option


class Cost(Struct, frozen=True):
    """`amount` is a decimal string in `currency`, all attempts together."""

    amount: str
    currency: str
    estimated: bool
    price: str


class CitedItem(Struct, frozen=True, omit_defaults=True):
    """A page that the answer quotes, and what is known of it. Dates are ISO; `as_of` is when a live source was read."""

    id: str
    title: str
    section: str
    owner: str
    verified: str = ""
    review_by: str = ""
    as_of: str = ""
    notes: tuple[str, ...] = ()


class Differing(Struct, frozen=True):
    """Two pieces of the context that say different things of the same: their ids, and the figure that each gives."""

    one: str
    other: str
    said: str
    instead: str


class DroppedModel(Struct, frozen=True):
    """A model that was not asked: the limit that it did not keep to (`by`), and how."""

    model: str
    by: str
    reason: str


class JudgedBy(Struct, frozen=True, omit_defaults=True):
    """A judgement of the reply: the rule, the run of its own that it is, `verdict` passed, failed or unjudged, and the
    decimal string that it cost beside the reply, where known."""

    rule: str
    run: str
    verdict: str
    cost: str = ""


class RequiredNeed(Struct, frozen=True, omit_defaults=True):
    """What the task had to rest on: how it stands (`state`), what follows from that, and the sentence that says it."""

    need: str
    state: str
    follows: str
    said: str = ""


class Work(Struct, frozen=True, omit_defaults=True):
    """The piece of work that the request named: the pages of when it began (ISO time, UTC), and `newer` where others
    have been published since."""

    id: str
    snapshot: str
    since: str
    newer: bool = False


class Expected(Struct, frozen=True, omit_defaults=True):
    """What was expected of a model before it was asked: its score `p`, from 0 to 1, with the interval that holds it
    four times in five, on `seen` outcomes of such work; its `cost` as a decimal string, and its latency in seconds."""

    model: str
    cost: str
    p: float | None = None
    low: float | None = None
    high: float | None = None
    latency: float | None = None
    seen: int = 0


class Chosen(Struct, frozen=True, omit_defaults=True):
    """The choice by an objective: what was expected of each model, the best first. `outside` counts those at the end
    that are outside of a bound, `predictor` is the version of what was learnt, and `explored` says that chance put the
    first one first."""

    objective: str
    expected: tuple[Expected, ...]
    predictor: str = ""
    outside: int = 0
    explored: bool = False


class UnkeptAnswer(Struct, frozen=True, omit_defaults=True):
    """An answer before this one that was not kept: the model, the check that it did not pass and why, and the decimal
    string that it cost, which is a part of the whole."""

    model: str
    check: str
    why: str
    cost: str
    judged: tuple[JudgedBy, ...] = ()


class Route(Struct, frozen=True, omit_defaults=True):
    """Which models were to be asked, in this order, and why these."""

    why: str
    candidates: tuple[str, ...]
    dropped: tuple[DroppedModel, ...] = ()
    chosen: Chosen | None = None


class About(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The `fairlead` object of a reply: beside the protocol, so that no client is disturbed."""

    run: str
    model: str
    placement: str
    task: str
    cost: Cost
    route: Route
    revision: str
    citations: tuple[CitedItem, ...] = ()
    redacted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    judged: tuple[JudgedBy, ...] = ()
    required: tuple[RequiredNeed, ...] = ()
    work: Work | None = None
    differing: tuple[Differing, ...] = ()
    unkept: tuple[UnkeptAnswer, ...] = ()


def about(answer: Answer) -> About:
    """The `fairlead` object of an answer."""
    return About(
        run=answer.run,
        model=answer.model.name,
        placement=answer.model.placement.kind,
        task=answer.task,
        cost=Cost(answer.unit.exact(answer.cost), answer.unit.name, answer.reply.usage.estimated, answer.price),
        route=route_of(answer, answer.candidates),
        revision=answer.revision,
        citations=tuple(
            CitedItem(c.id, c.title, c.section, c.owner, c.verified, c.review_by, c.as_of, c.notes)
            for c in answer.citations
        ),
        redacted=answer.redacted,
        warnings=(
            *(f"budget {w.scope} has passed {w.shares[-1]}% for {w.period}" for w in answer.warnings),
            *(f"rule {rule}: {said}" for rule, said in answer.warned),
            *(f"this answer does not pass {doubt.check}: {doubt.said}" for doubt in answer.doubts),
        ),
        flags=answer.flags,
        judged=_judged(answer.judged, answer.unit) if answer.judged else (),
        required=told_needs(answer.required) if answer.required else (),
        work=None if answer.work is None else _work(answer.work, answer.newer),
        differing=tuple(Differing(d.one, d.other, d.said, d.instead) for d in answer.differences),
        unkept=tuple(_unkept(each, answer.unit) for each in answer.unkept) if answer.unkept else (),
    )


def _unkept(one: Unkept, unit: Unit) -> UnkeptAnswer:
    return UnkeptAnswer(one.model, one.check.check, one.check.said, unit.exact(one.cost), _judged(one.judged, unit))


def _judged(judged: Iterable[Judged], unit: Unit) -> tuple[JudgedBy, ...]:
    return tuple(
        JudgedBy(j.rule, j.run, j.verdict, "" if j.cost is None else unit.exact(j.cost)) for j in judged if not j.quiet
    )


def route_of(told: Answer | Quote, candidates: tuple[str, ...]) -> Route:
    """The way to the candidates as callers read it: why these, which were dropped, and how the first was chosen."""
    return Route(
        told.why,
        candidates,
        tuple(DroppedModel(d.model, d.by, d.reason) for d in told.dropped),
        None if told.decision is None else chosen_by(told.decision, told.currency, told.unit),
    )


def chosen_by(decision: Decision, currency: str, unit: Unit) -> Chosen:
    """A decision as callers read it: an objective as it is declared, costs as bills are told."""
    return Chosen(
        objective=asked_for(decision.objective, currency),
        expected=tuple(_expected(option, unit) for option in decision.candidates),
        predictor=decision.predictor,
        outside=decision.outside,
        explored=decision.explored,
    )


def _expected(option: Option, unit: Unit) -> Expected:
    def part(number: int | None, whole: int) -> float | None:
        return None if number is None else number / whole

    return Expected(
        model=option.model,
        cost=unit.exact(option.cost),
        p=part(option.p, 10_000),
        low=part(option.low, 10_000),
        high=part(option.high, 10_000),
        latency=part(option.latency, 1000),
        seen=option.seen,
    )


def told_needs(needs: Iterable[Required]) -> tuple[RequiredNeed, ...]:
    """What the task had to rest on, as callers read it."""
    return tuple(RequiredNeed(each.need, each.state, each.follows, each.said) for each in needs)


def _work(pin: Pin, newer: bool) -> Work:
    since = datetime.fromtimestamp(pin.pinned_at / 1000, UTC).isoformat(timespec="seconds")
    return Work(pin.id, pin.snapshot, since, newer)


def headers(answer: Answer) -> Headers:
    """The headers of a complete reply."""
    found = [(b"x-fairlead-run", answer.run.encode())]
    for left in answer.left:
        found += left_headers(left)
    if answer.warned or answer.doubts:
        said = [*(rule for rule, _ in answer.warned), *(f"cascade:{doubt.check}" for doubt in answer.doubts)]
        names = ", ".join(dict.fromkeys(quote_name(each, safe=" :") for each in said))
        found.append((b"x-fairlead-warnings", names.encode()))
    if answer.required:
        cautions = [each for each in answer.required if each.said]
        if cautions:
            told = ", ".join(f"{quote_name(each.need, safe=' ')}={each.state}" for each in cautions)
            found.append((b"x-fairlead-caveats", told.encode()))
    return found
