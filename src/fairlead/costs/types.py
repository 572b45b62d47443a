"""Rates and estimates. Money is int nano-units (1e-9) of the workspace's currency, a token's price int pico-units."""

from msgspec import Struct


class Tier(Struct, frozen=True):
    """Prices of one token in pico-units (1e-12) for requests of more than `above` input tokens. The first tier
    has 0 and always applies.

    Crossing a tier applies its prices to all tokens of the request, as providers do.
    """

    above: int
    input: int
    output: int
    cached_input: int
    cache_write: int


class Rate(Struct, frozen=True):
    """What a model costs. `version` names the price list and is stamped on every record. Tiers ascend by `above`."""

    version: str
    tiers: tuple[Tier, ...]
    per_request: int = 0  # nano-units for each call


class Estimate(Struct, frozen=True):
    """What a call may cost, before it is made. `most` is what would be held, `likely` a guess from the input's size."""

    model: str
    likely: int
    most: int
    price_version: str
