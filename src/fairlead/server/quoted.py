"""What Fairlead answers in place of a reply on a dry run: what each candidate would cost, and why it is these."""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from fairlead.costs.types import Estimate
from fairlead.costs.units import Unit
from fairlead.execution import Quote
from fairlead.execution.answer import Course
from fairlead.server.about import RequiredNeed, Route, route_of, told_needs


class EstimateBody(Struct, frozen=True):
    """What one model would cost, as decimal strings: between `low` and `high` in four of five cases, `most` is what
    would be held. It rests on `outcomes` replies since a day (ISO, UTC), "" where there were none."""

    model: str
    low: str
    likely: str
    high: str
    most: str
    price: str
    outcomes: int
    since: str


class CourseBody(Struct, frozen=True, omit_defaults=True):
    """What a cascade may come to: from the first answer alone to all that may be asked, as decimal strings."""

    checks: tuple[str, ...]
    models: tuple[str, ...]
    low: str
    high: str
    agreement: str = ""


class QuoteBody(Struct, frozen=True, omit_defaults=True):
    """The whole body of a dry run, by whichever protocol it came."""

    object: str
    run: str
    task: str
    currency: str
    route: Route
    estimates: tuple[EstimateBody, ...]
    revision: str
    required: tuple[RequiredNeed, ...] = ()
    cascade: CourseBody | None = None


def encode_quote(quote: Quote) -> bytes:
    """The body of a dry run: what each candidate would cost, in the order in which they would be tried."""
    return msgspec.json.encode(
        QuoteBody(
            object="fairlead.estimate",
            run=quote.run,
            task=quote.task,
            currency=quote.unit.name,
            route=route_of(quote, tuple(each.model for each in quote.estimates)),
            estimates=tuple(_estimated(each, quote.unit) for each in quote.estimates),
            revision=quote.revision,
            required=told_needs(quote.required),
            cascade=None if quote.course is None else course_body(quote.course, quote.unit),
        )
    )


def _estimated(estimate: Estimate, unit: Unit) -> EstimateBody:
    return EstimateBody(
        model=estimate.model,
        low=unit.exact(estimate.low),
        likely=unit.exact(estimate.likely),
        high=unit.exact(estimate.high),
        most=unit.exact(estimate.most),
        price=estimate.price_version,
        outcomes=estimate.outcomes,
        since=f"{datetime.fromtimestamp(estimate.since / 1000, UTC):%Y-%m-%d}" if estimate.since else "",
    )


def course_body(course: Course, unit: Unit) -> CourseBody:
    """A cascade's course as callers read it."""
    return CourseBody(course.checks, course.models, unit.exact(course.low), unit.exact(course.high), course.other)
