"""What a call costs: the only place where tokens meet a rate. Estimates, holds, settlements and reports all call it.

Exact integer arithmetic in pico-units (1e-12), rounded once for each call, half up, to nano-units (1e-9).
"""

from fairlead.costs.kinds import WHOLE, dearest, dearest_share, is_guessed, is_plain, share, stated
from fairlead.costs.types import Rate, Tier
from fairlead.models.types import Usage

# A million units of currency for one call. No call costs that; a provider's counter gone wrong must not reach the
# database's or canonical JSON's largest integer, where it would break the record instead of standing out in it.
MOST_FOR_A_CALL = 10**15


def cost(usage: Usage, rate: Rate) -> int:
    """What `usage` costs, in nano-units.

    `usage.input` includes cached and cache-writing tokens, as `Usage` says. The tier is found by all input tokens and
    applies to the whole call, output included. Counts that contradict each other are billed at the higher reading, and
    kinds without a price at the dearest there is.
    """
    cached, written, output = usage.cached_input, usage.cache_write, usage.output
    plain = usage.input - cached - written
    if plain < 0 or cached < 0 or written < 0 or output < 0:
        cached, written, output = max(cached, 0), max(written, 0), max(output, 0)
        plain = max(usage.input - cached - written, 0)
    tier = tier_of(rate, plain + cached + written)
    pico = plain * tier.input + cached * tier.cached_input + written * tier.cache_write + output * tier.output
    if not is_plain(usage):
        pico += _surcharge(usage, tier, (plain, cached, written), output)
        pico = -(-pico * share(usage, rate) // WHOLE)
    return min((pico + 500) // 1000 + rate.per_request, MOST_FOR_A_CALL)


def rests_on_a_guess(usage: Usage, rate: Rate) -> bool:
    """Whether something in it has no stated price, so that `cost` took the dearest."""
    return is_guessed(usage, rate, tier_of(rate, max(usage.input, 0)))


def _surcharge(usage: Usage, tier: Tier, given: tuple[int, int, int], output: int) -> int:
    """What tokens of further kinds cost beyond what their place in the input or the output does, in pico-units.

    Of sound it is not said how much of it was read from a cache or written to one. As much as fits is taken for plain,
    and no price for less than sound costs is known for the rest.
    """
    plain, cached, written = given
    highest = dearest(tier)
    hour = min(max(usage.cache_write_1h, 0), written)
    extra = hour * (_or(stated(tier.cache_write_1h, tier), highest) - tier.cache_write)
    price, heard = _or(stated(tier.audio_input, tier), highest), max(usage.audio_input, 0)
    taken = min(heard, plain)
    extra += taken * (price - tier.input)
    heard -= taken
    for count, known in ((cached, tier.cached_input), (written - hour, tier.cache_write)):
        taken = min(heard, count)
        extra += taken * max(price - known, 0)
        heard -= taken
    extra += max(heard - hour, 0) * price  # more sound than there was input
    spoken = min(max(usage.audio_output, 0), output)
    return extra + spoken * (_or(stated(tier.audio_output, tier), highest) - tier.output)


def _or(price: int | None, highest: int) -> int:
    return highest if price is None else price


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
        dearest_input = max(
            dearest_input,
            tier.input,
            tier.cached_input,
            tier.cache_write,
            tier.cache_write_1h or 0,
            tier.audio_input or 0,
        )
        dearest_output = max(dearest_output, tier.output, tier.audio_output or 0)
    pico = size * dearest_input + max_output * choices * dearest_output
    if rate.service_tiers:
        pico = -(-pico * dearest_share(rate) // WHOLE)
    return min((pico + 500) // 1000 + rate.per_request, MOST_FOR_A_CALL)


def tier_of(rate: Rate, tokens: int) -> Tier:
    """The prices for a request of so many input tokens."""
    tiers = rate.tiers
    found = tiers[0]
    for tier in tiers[1:]:
        if tokens <= tier.above:
            break
        found = tier
    return found
