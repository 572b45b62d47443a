"""Estimates: what a call may cost with each candidate, before any is made."""

from fairlead.costs.prices import cost, upper_bound
from fairlead.costs.types import Estimate, Rate
from fairlead.models.tally import likely_tokens
from fairlead.models.types import Usage


def estimate(model: str, size: int, max_output: int, choices: int, rate: Rate) -> Estimate:
    """`likely` by a plain rule: a token for every four bytes of input, and half of the output limit. `most` is what
    would be held."""
    usage = Usage(input=likely_tokens(size), output=max_output * choices // 2, estimated=True)
    most = upper_bound(size, max_output, choices, rate)
    return Estimate(model, cost(usage, rate), most, rate.version)
