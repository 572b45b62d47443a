"""Estimates: what a call, or several together, may cost before any is made. Always an interval, never a bare point.

From the task type's own history where there is one (`histories`), else from what is declared. The cost of the input is
known from its size; what is uncertain is the reply.
"""

from collections.abc import Sequence

from fairlead.costs.histories import History
from fairlead.costs.prices import cost, upper_bound
from fairlead.costs.types import BatchEstimate, Estimate, Rate
from fairlead.models.tally import likely_tokens
from fairlead.models.types import Usage


def estimate(model: str, size: int, max_output: int, choices: int, rate: Rate, history: History) -> Estimate:
    """What a call with `size` bytes of input may cost. `most` is what would be held.

    Without a history the reply lies between nothing and the declared limit, and half of that is likely.
    """
    given, limit = likely_tokens(size), max_output * choices
    most = upper_bound(size, max_output, choices, rate)
    seen = history.one(given)
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


def batch(given: Sequence[int], limit: int, history: History, rate: Rate) -> BatchEstimate:
    """What calls of one task type with one model may cost together, by each one's tokens of input.

    Not the sum of single intervals: that would be right only if all were long or short at once. The sum's own history
    says how far sums of as many were off. Without one, all may be long at once.
    """
    inputs = sum(_priced(each, 0, rate) for each in given)
    seen = history.together(given)
    if seen is None:
        alone = [estimate("", each * 4, limit, 1, rate, history) for each in given]
        low, likely, high = (sum(getattr(each, name) for each in alone) for name in ("low", "likely", "high"))
        return BatchEstimate(low, likely, high, 0, 0)
    replies = sum(
        _priced(each, min(limit, round(output)), rate) - _priced(each, 0, rate)
        for each, output in zip(given, seen.each, strict=True)
    )
    most = sum(_priced(each, limit, rate) for each in given)
    return BatchEstimate(
        low=inputs + round(replies * seen.low),
        likely=inputs + replies,
        high=max(inputs + replies, min(most, inputs + round(replies * seen.high))),
        outcomes=seen.outcomes,
        since=seen.since,
    )


def _priced(given: int, output: int, rate: Rate) -> int:
    return cost(Usage(input=given, output=output, estimated=True), rate)
