"""Golden prices are reckoned by hand from the published prices, in dollars per million tokens."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.costs.prices import MOST_FOR_A_CALL, cost, rests_on_a_guess, upper_bound
from fairlead.costs.types import Rate, Tier
from fairlead.models.types import Usage

CENT = 10**7
TIERED = Rate(
    "test",
    (Tier(0, 3_000_000, 15_000_000, 300_000, 3_750_000), Tier(200_000, 6_000_000, 22_500_000, 600_000, 7_500_000)),
)

prices = st.integers(0, 10**8)
tokens = st.integers(0, 400_000)


@st.composite
def rates(draw: st.DrawFn) -> Rate:
    starts = [0, *sorted(draw(st.sets(st.integers(1, 300_000), max_size=3)))]
    tiers = tuple(Tier(start, *(draw(prices) for _ in range(7))) for start in starts)
    ways = draw(st.dictionaries(st.sampled_from(["flex", "priority"]), st.integers(0, 30_000)))
    return Rate("drawn", tiers, draw(st.integers(0, 10**9)), ways)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    total = draw(tokens)
    cached = draw(st.integers(0, total))
    written = draw(st.integers(0, total - cached))
    output = draw(tokens)
    return Usage(
        total,
        output,
        cached,
        written,
        cache_write_1h=draw(st.integers(0, written)),
        audio_input=draw(st.integers(0, total)),
        audio_output=draw(st.integers(0, output)),
        tier=draw(st.sampled_from(["", "default", "flex", "priority", "other"])),
    )


def test_cached_and_written_tokens_are_part_of_the_input_and_priced_at_their_own_rates() -> None:
    usage = Usage(input=100_000, output=10_000, cached_input=60_000, cache_write=20_000)
    # 20,000 x 3 + 60,000 x 0.30 + 20,000 x 3.75 + 10,000 x 15, each per million
    assert cost(usage, TIERED) == 30.3 * CENT


def test_reasoning_is_part_of_the_output_and_not_billed_twice() -> None:
    assert cost(Usage(output=1000, reasoning=900), TIERED) == cost(Usage(output=1000), TIERED)


def test_a_request_at_the_tiers_edge_pays_the_lower_tier() -> None:
    assert cost(Usage(input=200_000), TIERED) == 60 * CENT


def test_a_request_beyond_the_tiers_edge_pays_the_higher_tier_for_every_token() -> None:
    assert cost(Usage(input=200_001, output=1_000_000), TIERED) == 200_001 * 6000 + 2250 * CENT


def test_cached_tokens_count_towards_the_tier() -> None:
    assert cost(Usage(input=200_001, cached_input=200_001), TIERED) == 200_001 * 600


def test_a_cost_is_rounded_once_and_half_up() -> None:
    rate = Rate("test", (Tier(0, 500, 499, 0, 0),))
    assert cost(Usage(input=1), rate) == 1
    assert cost(Usage(output=1), rate) == 0
    assert cost(Usage(input=1, output=1), rate) == 1, "999 pico-units are one nano-unit, not two rounded halves"


def test_a_price_for_each_request_is_added_to_an_empty_call() -> None:
    assert cost(Usage(), Rate("test", (Tier(0, 1, 1, 1, 1),), per_request=12_000_000)) == 12_000_000


def test_contradictory_counts_are_billed_at_the_higher_reading() -> None:
    usage = Usage(input=10, cached_input=1000)
    assert cost(usage, TIERED) == 1000 * 300


def test_negative_counts_never_earn_money() -> None:
    assert cost(Usage(input=-5, output=-1000, cached_input=-7, cache_write=-9), TIERED) == 0
    assert cost(Usage(input=100, cached_input=-100), TIERED) == 100 * 3000


def test_an_absurd_count_stays_within_what_can_be_recorded() -> None:
    assert cost(Usage(output=10**40), TIERED) == MOST_FOR_A_CALL < 2**53
    assert upper_bound(10**40, 1, 1, TIERED) == MOST_FOR_A_CALL


@given(rates(), usages(), st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 4))
@example(TIERED, Usage(200_001, 5, 0, 200_001), 0, 0, 1)
def test_no_call_within_its_bounds_costs_more_than_is_held(
    rate: Rate, usage: Usage, spare_input: int, spare_output: int, choices: int
) -> None:
    limit = -(-usage.output // choices) + spare_output
    assert cost(usage, rate) <= upper_bound(usage.input + spare_input, limit, choices, rate)


@given(rates(), st.integers(0, 400_000), tokens)
def test_the_bound_is_reached_by_some_usage_of_a_rate_without_tiers(rate: Rate, size: int, output: int) -> None:
    flat = Rate("flat", tuple(Tier(*msgspec.structs.astuple(tier)[:5]) for tier in rate.tiers[:1]), rate.per_request)
    kinds = (Usage(size, output), Usage(size, output, cached_input=size), Usage(size, output, cache_write=size))
    assert max(cost(usage, flat) for usage in kinds) == upper_bound(size, output, 1, flat)


@given(rates(), usages(), usages())
def test_money_is_never_negative_and_never_a_fraction(rate: Rate, usage: Usage, other: Usage) -> None:
    for one in (usage, other):
        amount = cost(one, rate)
        assert type(amount) is int
        assert amount >= rate.per_request


# Per million tokens: 2 in, 8 out, 0.5 cached, 2.5 written, 4 for an hour, sound 10 in and 20 out; flex is half.
ALL_KINDS = Rate(
    "test",
    (Tier(0, 2_000_000, 8_000_000, 500_000, 2_500_000, 4_000_000, 10_000_000, 20_000_000),),
    service_tiers={"flex": 5_000, "priority": 17_500},
)
FOUR_PRICES = Rate("test", (Tier(0, 2_000_000, 8_000_000, 500_000, 2_500_000),))


@pytest.mark.parametrize(
    ("usage", "micro"),
    [
        # 10 x 2 + 20 x 2.5 + 70 x 4
        (Usage(100, cache_write=90, cache_write_1h=70), 350),
        # 60 x 2 + 40 x 10, and 5 x 8 + 10 x 20
        (Usage(100, 15, audio_input=40, audio_output=10), 760),
        # 10 x 10, and of 90 cached ones 20 of sound, of which only the dear price is known: 70 x 0.5 + 20 x 10
        (Usage(100, cached_input=90, audio_input=30), 335),
        (Usage(100, 10, tier="flex"), 140),
        (Usage(100, 10, tier="priority"), 490),
        (Usage(100, 10, tier="default"), 280),
        (Usage(100, 10, tier="standard"), 280),
    ],
)
def test_every_kind_of_token_and_of_service_has_its_price(usage: Usage, micro: float) -> None:
    assert cost(usage, ALL_KINDS) == micro * 1000
    assert not rests_on_a_guess(usage, ALL_KINDS)


@pytest.mark.parametrize(
    ("usage", "micro"),
    [
        # at the dearest price that there is, 8
        (Usage(100, cache_write=90, cache_write_1h=70), 10 * 2 + 20 * 2.5 + 70 * 8),
        (Usage(100, audio_input=40), 60 * 2 + 40 * 8),
        (Usage(0, 10, audio_output=10), 80),
    ],
)
def test_a_kind_without_a_price_is_billed_at_the_dearest_and_known_for_a_guess(usage: Usage, micro: float) -> None:
    assert cost(usage, FOUR_PRICES) == micro * 1000
    assert rests_on_a_guess(usage, FOUR_PRICES)


def test_a_service_tier_without_a_price_costs_what_the_dearest_known_one_does() -> None:
    other = Usage(100, 10, tier="scale")
    assert cost(other, ALL_KINDS) == 490_000
    assert cost(other, FOUR_PRICES) == 280_000
    assert rests_on_a_guess(other, ALL_KINDS)
    assert rests_on_a_guess(other, FOUR_PRICES)


def test_where_all_is_free_so_is_every_kind() -> None:
    free = Rate("local", (Tier(0, 0, 0, 0, 0),))
    usage = Usage(100, 10, cache_write=10, cache_write_1h=10, audio_input=5, tier="flex")
    assert cost(usage, free) == 0
    assert not rests_on_a_guess(usage, free)


def test_more_sound_than_input_is_billed_as_sound() -> None:
    assert cost(Usage(10, audio_input=30), ALL_KINDS) == 300_000
