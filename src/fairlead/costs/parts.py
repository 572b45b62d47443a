"""What the price of a call is made up of, kind of token by kind: for bills that list them.

It follows `prices.cost` step by step; a test holds the two together, to the nano-unit.
"""

from msgspec import Struct

from fairlead.costs.kinds import WHOLE, dearest, share, stated
from fairlead.costs.prices import tier_of
from fairlead.costs.types import Rate, Tier
from fairlead.models.types import Usage


class Part(Struct, frozen=True):
    """One kind of thing in a call. `weight` is its price in 1/10000 of a pico-unit, before the call is rounded."""

    kind: str
    quantity: int
    weight: int


def parts_of(usage: Usage, rate: Rate) -> tuple[Part, ...]:
    """The kinds of tokens in a call, each once, and the price of the request itself where it has one."""
    cached, written, output = (max(each, 0) for each in (usage.cached_input, usage.cache_write, usage.output))
    plain = max(usage.input - cached - written, 0)
    tier = tier_of(rate, plain + cached + written)
    counted = {name: [0, 0] for name in ("input", "cached_input", "cache_write", "cache_write_1h", "audio_input")}
    _given(counted, usage, tier, plain, cached, written)
    spoken = min(max(usage.audio_output, 0), output)
    thought = min(max(usage.reasoning, 0), output - spoken)
    said = output - spoken - thought
    counted["output"] = [said, said * tier.output]
    counted["reasoning"] = [thought, thought * tier.output]
    counted["audio_output"] = [spoken, spoken * _price(tier.audio_output, tier)]
    found = [Part(kind, count, sum_ * share(usage, rate)) for kind, (count, sum_) in counted.items() if count]
    if rate.per_request:
        found.append(Part("request", 1, rate.per_request * 1000 * WHOLE))
    return tuple(found)


def _given(counted: dict[str, list[int]], usage: Usage, tier: Tier, plain: int, cached: int, written: int) -> None:
    """Input, and the sound in it: see `prices` for what is taken where nobody says what of it was cached."""
    hour = min(max(usage.cache_write_1h, 0), written)
    heard, price = max(usage.audio_input, 0), _price(tier.audio_input, tier)
    rest = heard
    for kind, count, known in (
        ("input", plain, tier.input),
        ("cached_input", cached, tier.cached_input),
        ("cache_write", written - hour, tier.cache_write),
    ):
        taken = min(rest, count)
        rest -= taken
        counted[kind] = [count - taken, (count - taken) * known]
        counted["audio_input"][0] += taken
        counted["audio_input"][1] += taken * (price if kind == "input" else max(price, known))
    counted["cache_write_1h"] = [hour, hour * _price(tier.cache_write_1h, tier)]
    beyond = max(rest - hour, 0)  # more sound than there was input
    counted["audio_input"][0] += beyond
    counted["audio_input"][1] += beyond * price


def allot(whole: int, weights: list[int]) -> list[int]:
    """Divide an amount by weights so that it adds up exactly: what is left by rounding goes to the largest
    remainders, the first of equals. Without any weight the first takes it all."""
    total = sum(weights)
    if total <= 0:
        return [whole, *(0 for _ in weights[1:])] if weights else []
    shares = [divmod(whole * weight, total) for weight in weights]
    left = whole - sum(each for each, _ in shares)
    order = sorted(range(len(shares)), key=lambda n: (-shares[n][1], n))
    more = set(order[:left])
    return [each + (n in more) for n, (each, _) in enumerate(shares)]


def _price(price: int | None, tier: Tier) -> int:
    known = stated(price, tier)
    return dearest(tier) if known is None else known
