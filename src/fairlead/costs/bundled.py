"""The bundled public price list (the `genai-prices` package), read once while a revision is published.

Its data takes 10 MB and a third of a second to import, which is why it is imported here, late, and nowhere else.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from importlib.metadata import version
from typing import Any

from fairlead.costs.types import Rate, Tier

_PICO_PER_TOKEN = 10**6  # a dollar per million tokens is 10^6 pico-dollars per token
_NANO_PER_CALL = 10**6  # a dollar per thousand requests is 10^6 nano-dollars per request

# One entry of the list: a price, or prices by tier, by the list's own keys. Its types are not ours to name.
_Prices = Any


class BundledPrices:
    """The standard prices of public models. Cheaper ways to be served (batch, flex) are never assumed."""

    def __init__(self) -> None:
        from genai_prices.data import providers

        self._providers = providers
        self._vendors = {provider.id: provider for provider in providers}
        self._version = f"genai-prices {version('genai-prices')}"

    def rate(self, vendor: str, remote: str, now: int, *, embeds: bool = False) -> Rate | None:
        """What `vendor` asks for its model `remote` at `now` (milliseconds since 1970), None if the list cannot tell.

        A price that depends on the time of day is taken at its dearest hour, and the version says so. The list finds a
        model by names and aliases, some of them prefixes: a dated variant gets the price of its family.
        """
        provider = self._vendors.get(vendor.lower())
        model = provider.find_model(remote, all_providers=self._providers) if provider else None
        if model is None:
            return None
        prices = _in_force(model.prices, datetime.fromtimestamp(now / 1000, UTC))
        tiers = []
        for start in sorted({0}.union(*(_starts(price) for price in prices))):
            alternatives = [tier for price in prices if (tier := _tier(price, start, embeds=embeds))]
            if len(alternatives) < len(prices):
                return None  # nothing is asked per token, as for speech or embeddings: no price of a chat
            tiers.append(_dearest(alternatives))
        per_call = max(_rounded_up(_at(price, "requests_kcount", 0) or Decimal(0), _NANO_PER_CALL) for price in prices)
        note = " (dearest hour)" if len(prices) > 1 else ""
        return Rate(self._version + note, tuple(tiers), per_call)


def _in_force(prices: Any, moment: datetime) -> list[_Prices]:
    """The prices that may apply on this day: one, or several where they change with the hour.

    The last entry whose condition holds wins. What stands after the last entry in force by its date, and depends on the
    hour, may win at some hour of the day.
    """
    if not isinstance(prices, list):
        return [prices]
    from genai_prices.types import TimeOfDateConstraint

    current = 0  # if no condition holds, the list means its first entry
    for index, entry in enumerate(prices):
        constraint = entry.constraint
        if constraint is None or (not isinstance(constraint, TimeOfDateConstraint) and constraint.active(moment)):
            current = index
    later = [entry.prices for entry in prices[current + 1 :] if isinstance(entry.constraint, TimeOfDateConstraint)]
    return [prices[current].prices, *later]


def _tier(prices: _Prices, start: int, *, embeds: bool) -> Tier | None:
    """The prices of requests with more than `start` tokens, None if a token's price is not stated."""
    plain, output = _at(prices, "input_mtok", start), _at(prices, "output_mtok", start)
    if embeds and output is None:
        output = Decimal(0)  # vectors are no tokens
    if plain is None or output is None:
        return None
    reasoning = _at(prices, "output_reasoning_mtok", start)
    cached, written = _at(prices, "cache_read_mtok", start), _at(prices, "cache_write_mtok", start)
    hour, heard = _at(prices, "cache_write_1h_mtok", start), _at(prices, "input_audio_mtok", start)
    return Tier(
        above=start,
        input=_rounded_up(plain, _PICO_PER_TOKEN),
        output=_rounded_up(output if reasoning is None else max(output, reasoning), _PICO_PER_TOKEN),
        cached_input=_rounded_up(plain if cached is None else cached, _PICO_PER_TOKEN),
        cache_write=_rounded_up(plain if written is None else written, _PICO_PER_TOKEN),
        # Who asks nothing for writing asks nothing for keeping it longer; who asks something asks more for an hour.
        cache_write_1h=_pico(plain if hour is None and written is None else hour),
        # By the list's own rule sound costs what text does, unless it says otherwise.
        audio_input=_pico(plain if heard is None else heard),
        audio_output=_pico(_at(prices, "output_audio_mtok", start)),
    )


def _pico(price: Decimal | None) -> int | None:
    return None if price is None else _rounded_up(price, _PICO_PER_TOKEN)


def _dearest(tiers: Iterable[Tier]) -> Tier:
    """Each price at its highest."""
    tiers = list(tiers)
    return Tier(
        above=tiers[0].above,
        input=max(tier.input for tier in tiers),
        output=max(tier.output for tier in tiers),
        cached_input=max(tier.cached_input for tier in tiers),
        cache_write=max(tier.cache_write for tier in tiers),
        cache_write_1h=_highest(tier.cache_write_1h for tier in tiers),
        audio_input=_highest(tier.audio_input for tier in tiers),
        audio_output=_highest(tier.audio_output for tier in tiers),
    )


def _highest(prices: Iterable[int | None]) -> int | None:
    """None where one of them is not known."""
    known = list(prices)
    return None if None in known else max(price or 0 for price in known)


def _starts(prices: _Prices) -> set[int]:
    """The token counts beyond which a tier of these prices begins."""
    return {tier.start for price in vars(prices).values() for tier in getattr(price, "tiers", ())}


def _at(prices: _Prices, key: str, start: int) -> Decimal | None:
    """The price under `key` for requests of more than `start` tokens."""
    price = vars(prices).get(key)
    if price is None or isinstance(price, Decimal):
        return price
    found: Decimal = price.base
    for tier in price.tiers:
        if tier.start <= start:
            found = tier.price
    return found


def _rounded_up(price: Decimal, scale: int) -> int:
    """Whole units; what the list states more finely is never taken cheaper than it is."""
    return int((price * scale).to_integral_value(ROUND_CEILING))
