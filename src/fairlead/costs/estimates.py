"""Estimates: what a call, or several together, may cost before any is made. Always an interval, never a bare point.

From the task type's own history where there is one (`histories`), else from what is declared. The cost of the input is
known from its size; what is uncertain is the reply.
"""

from collections.abc import Iterable, Sequence

from fairlead.costs.histories import History
from fairlead.costs.prices import cost, upper_bound
from fairlead.costs.types import BatchEstimate, Estimate, Rate
from fairlead.models.tally import likely_tokens
from fairlead.models.types import Usage


def estimate(
    model: str, size: int, max_output: int, choices: int, rate: Rate, history: History | None = None
) -> Estimate:
    """What a call with `size` bytes of input may cost. `most` is what would be held.

    Without a history the reply lies between nothing and the declared limit, and half of that is likely.
    """
    given, limit = likely_tokens(size), max_output * choices
    most = upper_bound(size, max_output, choices, rate)
    seen = None if history is None else history.one(given)
    if seen is None:
        bounds = declared(model, given, limit, rate)
        return Estimate(model, bounds.low, bounds.likely, min(bounds.high, most), most, rate.version)
    low, likely, high = (
        min(most, _priced(given, min(limit, output * choices), rate)) for output in (seen.low, seen.likely, seen.high)
    )
    return Estimate(model, low, likely, high, most, rate.version, seen.outcomes, seen.since)


def declared(model: str, given: int, limit: int, rate: Rate) -> Estimate:
    """What is known of a call without a history: by the input's tokens and the most of its output."""
    low, likely, high = (_priced(given, output, rate) for output in (0, limit // 2, limit))
    return Estimate(model, low, likely, high, high, rate.version)


def batch(calls: Sequence[tuple[int, int]], history: History, rate: Rate) -> BatchEstimate:
    """What calls of one task type with one model may cost together: of each its tokens of input, and the most of its
    output.

    Not the sum of single intervals: that would be right only if all were long or short at once. The sum's own history
    says how far sums of as many were off. Without one, all may be long at once.
    """
    inputs = sum(_priced(given, 0, rate) for given, _ in calls)
    seen = history.together([given for given, _ in calls])
    if seen is None:
        alone = [estimate("", given * 4, limit, 1, rate, history) for given, limit in calls]
        low, likely, high = (sum(getattr(each, name) for each in alone) for name in ("low", "likely", "high"))
        return BatchEstimate(low, likely, high, 0, 0)
    replies = sum(
        _priced(given, min(limit, round(output)), rate) - _priced(given, 0, rate)
        for (given, limit), output in zip(calls, seen.each, strict=True)
    )
    most = sum(_priced(given, limit, rate) for given, limit in calls)
    return BatchEstimate(
        low=inputs + round(replies * seen.low),
        likely=inputs + replies,
        high=max(inputs + replies, min(most, inputs + round(replies * seen.high))),
        outcomes=seen.outcomes,
        since=seen.since,
    )


def summed(parts: Iterable[BatchEstimate]) -> BatchEstimate:
    """What several kinds of calls cost together: the groups of a batch, or the steps of a workflow, each with as many
    calls as it is expected to make. What makes one long (a busy day, a long document) makes the next one long, so their
    intervals add up; it rests on the least that any of them rests on."""
    known = list(parts)
    low, likely, high = (sum(getattr(each, name) for each in known) for name in ("low", "likely", "high"))
    outcomes = min((each.outcomes for each in known), default=0)
    return BatchEstimate(low, likely, high, outcomes, max((each.since for each in known), default=0) if outcomes else 0)


def _priced(given: int, output: int, rate: Rate) -> int:
    return cost(Usage(input=given, output=output, estimated=True), rate)
