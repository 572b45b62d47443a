"""Golden rows: what every kind of token of ten well-known models costs, in every tier of the bundled price list.

The list is that of genai-prices 0.2.3, read on 2026-11-21. A new version of it that changes a price is seen here:
compare the row with the vendor's page before it is changed. Kinds that cost what plain input does have no row. The list
has no service tiers (batch, flex, priority): those come from `prices:`.
"""

from decimal import Decimal

import pytest

from fairlead.costs.bundled import BundledPrices
from fairlead.costs.money import NANO
from fairlead.costs.price_list import own_rate
from fairlead.costs.prices import cost
from fairlead.costs.settings import PriceSettings
from fairlead.models.types import Usage

AT = 1_795_219_200_000  # 2026-11-21
# Vendor, model, kind of token, how many of it, USD a million, USD of these. More than 200,000 are the long tier's.
ROWS = [
    ("openai", "gpt-5", "input", 123_457, "1.25", "0.15432125"),
    ("openai", "gpt-5", "output", 123_457, "10", "1.23457"),
    ("openai", "gpt-5", "cached_input", 123_457, "0.125", "0.015432125"),
    ("openai", "gpt-4.1", "input", 123_457, "2", "0.246914"),
    ("openai", "gpt-4.1", "output", 123_457, "8", "0.987656"),
    ("openai", "gpt-4.1", "cached_input", 123_457, "0.5", "0.0617285"),
    ("openai", "gpt-4o-mini", "input", 123_457, "0.15", "0.01851855"),
    ("openai", "gpt-4o-mini", "output", 123_457, "0.6", "0.0740742"),
    ("openai", "gpt-4o-mini", "cached_input", 123_457, "0.075", "0.009259275"),
    ("openai", "gpt-realtime", "input", 123_457, "4", "0.493828"),
    ("openai", "gpt-realtime", "output", 123_457, "16", "1.975312"),
    ("openai", "gpt-realtime", "cached_input", 123_457, "0.4", "0.0493828"),
    ("openai", "gpt-realtime", "audio_input", 123_457, "32", "3.950624"),
    ("openai", "gpt-realtime", "audio_output", 123_457, "64", "7.901248"),
    ("anthropic", "claude-sonnet-4-5", "input", 123_457, "3", "0.370371"),
    ("anthropic", "claude-sonnet-4-5", "output", 123_457, "15", "1.851855"),
    ("anthropic", "claude-sonnet-4-5", "cached_input", 123_457, "0.3", "0.0370371"),
    ("anthropic", "claude-sonnet-4-5", "cache_write", 123_457, "3.75", "0.46296375"),
    ("anthropic", "claude-sonnet-4-5", "cache_write_1h", 123_457, "6", "0.740742"),
    ("anthropic", "claude-sonnet-4-5", "input", 223_457, "6", "1.340742"),
    ("anthropic", "claude-sonnet-4-5", "output", 223_457, "22.5", "5.0277825"),
    ("anthropic", "claude-sonnet-4-5", "cached_input", 223_457, "0.6", "0.1340742"),
    ("anthropic", "claude-sonnet-4-5", "cache_write", 223_457, "7.5", "1.6759275"),
    ("anthropic", "claude-sonnet-4-5", "cache_write_1h", 223_457, "12", "2.681484"),
    ("anthropic", "claude-opus-4-5", "input", 123_457, "5", "0.617285"),
    ("anthropic", "claude-opus-4-5", "output", 123_457, "25", "3.086425"),
    ("anthropic", "claude-opus-4-5", "cached_input", 123_457, "0.5", "0.0617285"),
    ("anthropic", "claude-opus-4-5", "cache_write", 123_457, "6.25", "0.77160625"),
    ("anthropic", "claude-opus-4-5", "cache_write_1h", 123_457, "10", "1.23457"),
    ("anthropic", "claude-haiku-4-5", "input", 123_457, "1", "0.123457"),
    ("anthropic", "claude-haiku-4-5", "output", 123_457, "5", "0.617285"),
    ("anthropic", "claude-haiku-4-5", "cached_input", 123_457, "0.1", "0.0123457"),
    ("anthropic", "claude-haiku-4-5", "cache_write", 123_457, "1.25", "0.15432125"),
    ("anthropic", "claude-haiku-4-5", "cache_write_1h", 123_457, "2", "0.246914"),
    ("google", "gemini-2.5-pro", "input", 123_457, "1.25", "0.15432125"),
    ("google", "gemini-2.5-pro", "output", 123_457, "10", "1.23457"),
    ("google", "gemini-2.5-pro", "cached_input", 123_457, "0.125", "0.015432125"),
    ("google", "gemini-2.5-pro", "input", 223_457, "2.5", "0.5586425"),
    ("google", "gemini-2.5-pro", "output", 223_457, "15", "3.351855"),
    ("google", "gemini-2.5-pro", "cached_input", 223_457, "0.25", "0.05586425"),
    ("google", "gemini-2.5-flash", "input", 123_457, "0.3", "0.0370371"),
    ("google", "gemini-2.5-flash", "output", 123_457, "2.5", "0.3086425"),
    ("google", "gemini-2.5-flash", "cached_input", 123_457, "0.03", "0.00370371"),
    ("google", "gemini-2.5-flash", "audio_input", 123_457, "1", "0.123457"),
    ("x-ai", "grok-4", "input", 123_457, "3", "0.370371"),
    ("x-ai", "grok-4", "output", 123_457, "15", "1.851855"),
    ("x-ai", "grok-4", "cached_input", 123_457, "0.75", "0.09259275"),
]  # fmt: skip


@pytest.fixture(scope="module")
def bundled() -> BundledPrices:
    return BundledPrices()


@pytest.mark.parametrize(("vendor", "model", "kind", "count", "price", "dollars"), ROWS)
def test_every_kind_of_token_in_every_tier_costs_what_the_list_says(
    bundled: BundledPrices, vendor: str, model: str, kind: str, count: int, price: str, dollars: str
) -> None:
    rate = bundled.rate(vendor, model, AT)
    assert rate is not None
    usage, rest = usage_of(kind, count), Decimal(0)
    if kind in ("output", "audio_output") and count > 200_000:  # output is priced by the tier of its input
        usage = Usage(input=200_001, output=count)
        rest = Decimal(next(row[4] for row in ROWS if row[1:4] == (model, "input", count))) * 200_001
    exact = Decimal(price) * count / 10**6
    assert exact == Decimal(dollars), "the row adds up by itself"
    assert Decimal(cost(usage, rate)) / NANO == exact + rest / 10**6


def usage_of(kind: str, count: int) -> Usage:
    """Nothing but tokens of one kind."""
    if kind in ("output", "audio_output"):
        return Usage(output=count, audio_output=count if kind == "audio_output" else 0)
    others = {"cache_write": count} if kind == "cache_write_1h" else {}
    return Usage(input=count, **({kind: count} if kind != "input" else {}), **others)


@pytest.mark.parametrize(
    ("tier", "dollars"), [("", "0.11"), ("batch", "0.055"), ("flex", "0.055"), ("priority", "0.1925")]
)
def test_service_tiers_are_shares_of_the_stated_prices(tier: str, dollars: str) -> None:
    shares = {"batch": 0.5, "flex": 0.5, "priority": 1.75}
    rate = own_rate("prices.m", PriceSettings(input=2, output=8, cached_input=0.5, service_tiers=shares))
    usage = Usage(input=20_000, cached_input=4_000, output=9_500, tier=tier)
    assert Decimal(cost(usage, rate)) / NANO == Decimal(dollars)
