"""Rates and estimates. Money is int nano-units (1e-9) of the workspace's currency, a token's price int pico-units."""

from collections.abc import Mapping

from msgspec import Struct


class Tier(Struct, frozen=True):
    """Prices of one token in pico-units (1e-12) for requests of more than `above` input tokens. The first tier
    has 0 and always applies.

    Crossing a tier applies its prices to all tokens of the request, as providers do. The last three are None where
    nobody has stated them: see `kinds`.
    """

    above: int
    input: int
    output: int
    cached_input: int
    cache_write: int
    cache_write_1h: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None


class Rate(Struct, frozen=True):
    """What a model costs. `version` names the price list and is stamped on every record. Tiers ascend by `above`.

    `service_tiers` has what being served in another way (flex, priority) costs, in ten-thousandths of these prices.
    """

    version: str
    tiers: tuple[Tier, ...]
    per_request: int = 0  # nano-units for each call
    service_tiers: Mapping[str, int] = {}


class Estimate(Struct, frozen=True):
    """What a call may cost, before it is made: between `low` and `high` in four of five cases; `most` is what would be
    held. It rests on `outcomes` replies since a moment (milliseconds since 1970). Without any, `low` and `high` are
    what is declared: no output, and the most."""

    model: str
    low: int
    likely: int
    high: int
    most: int
    price_version: str
    outcomes: int = 0
    since: int = 0


class BatchEstimate(Struct, frozen=True):
    """What calls may cost together; as `Estimate`. Without `outcomes` of sums it is the sum of single estimates, which
    is too wide."""

    low: int
    likely: int
    high: int
    outcomes: int
    since: int
