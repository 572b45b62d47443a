"""What a call costs: the only place where tokens meet a rate. Estimates, holds, settlements and reports all call it.

Exact integer arithmetic in pico-units (1e-12), rounded once for each call, half up, to nano-units (1e-9).
"""

from fairlead.costs.types import Rate, Tier
from fairlead.models.types import Usage

# A million units of currency for one call. No call costs that; a provider's counter gone wrong must not reach the
# database's or canonical JSON's largest integer, where it would break the record instead of standing out in it.
MOST_FOR_A_CALL = 10**15


def cost(usage: Usage, rate: Rate) -> int:
    """What `usage` costs, in nano-units.

    `usage.input` includes cached and cache-writing tokens, as `Usage` says. The tier is found by all input tokens and
    applies to the whole call, output included. Counts that contradict each other are billed at the higher reading.
    """
    cached, written, output = usage.cached_input, usage.cache_write, usage.output
    plain = usage.input - cached - written
    if plain < 0 or cached < 0 or written < 0 or output < 0:
        cached, written, output = max(cached, 0), max(written, 0), max(output, 0)
        plain = max(usage.input - cached - written, 0)
    tier = _tier(rate, plain + cached + written)
    pico = plain * tier.input + cached * tier.cached_input + written * tier.cache_write + output * tier.output
    return min((pico + 500) // 1000 + rate.per_request, MOST_FOR_A_CALL)


def upper_bound(size: int, max_output: int, choices: int, rate: Rate) -> int:
    """The most that a call can cost, in nano-units: what is held before it.

    `size` bounds the input's tokens (a token is at least one byte), `max_output` those of each of the `choices`. Every
    token is priced at the dearest kind, in the dearest tier that the input can reach; a longer prompt is not always the
    dearer one, so all reachable tiers count. No usage within these bounds costs more.
    """
    dearest_input = dearest_output = 0
    for tier in rate.tiers:
        if tier.above and tier.above >= size:
            break
        dearest_input = max(dearest_input, tier.input, tier.cached_input, tier.cache_write)
        dearest_output = max(dearest_output, tier.output)
    pico = size * dearest_input + max_output * choices * dearest_output
    return min((pico + 500) // 1000 + rate.per_request, MOST_FOR_A_CALL)


def _tier(rate: Rate, tokens: int) -> Tier:
    tiers = rate.tiers
    found = tiers[0]
    for tier in tiers[1:]:
        if tokens <= tier.above:
            break
        found = tier
    return found
