import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.costs.price_list import LOCAL, decode_rates, encode_rates, resolve_rates
from fairlead.costs.prices import cost
from fairlead.costs.settings import PriceSettings
from fairlead.costs.types import Rate, Tier
from fairlead.errors import BadInput
from fairlead.models.types import Model, Placement, Usage

NOW = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp() * 1000)
CENT = 10**7


def model(remote: str, vendor: str = "", *, kind: str = "cloud", name: str = "m") -> Model:
    placement = msgspec.convert({"kind": kind, "vendor": vendor}, Placement)
    return Model(name=name, endpoint="e", remote=remote, placement=placement)


def prices(**settings: object) -> PriceSettings:
    return msgspec.convert(settings, PriceSettings)


def own(**settings: object) -> Rate:
    return resolve_rates([model("x")], {"m": prices(**settings)}, NOW)["m"]


# Dollars per million tokens as the vendors publish them, times tokens: plain, cached and written input, output.
GOLDEN = [
    # 700,000 x 2.50 + 300,000 x 1.25 + 100,000 x 10
    ("openai", "gpt-4o", Usage(1_000_000, 100_000, 300_000), 312.5),
    # 1,000,000 x 0.15 + 1,000,000 x 0.60
    ("openai", "gpt-4o-mini", Usage(1_000_000, 1_000_000), 75),
    # 500,000 x 2 + 500,000 x 0.50 + 10,000 x 8
    ("openai", "gpt-4.1", Usage(1_000_000, 10_000, 500_000), 133),
    # 200,000 x 1.25 + 800,000 x 0.125 + 50,000 x 10
    ("openai", "gpt-5", Usage(1_000_000, 50_000, 800_000), 85),
    # up to 272,000: 272,000 x 2.50 + 10,000 x 15
    ("openai", "gpt-5.4", Usage(272_000, 10_000), 83),
    # beyond: 200,000 x 5 + 100,000 x 0.50 + 10,000 x 22.50
    ("openai", "gpt-5.4", Usage(300_000, 10_000, 100_000), 127.5),
    # 100,000 x 1 + 400,000 x 0.10 + 100,000 x 1.25 + 20,000 x 5
    ("anthropic", "claude-haiku-4-5-20251001", Usage(600_000, 20_000, 400_000, 100_000), 36.5),
    # 50,000 x 1 + 20,000 x 1.25 + 30,000 x 2, kept for an hour
    ("anthropic", "claude-haiku-4-5-20251001", Usage(100_000, cache_write=50_000, cache_write_1h=30_000), 13.5),
    # 60,000 x 0.30 + 40,000 x 1 of sound
    ("google", "gemini-2.5-flash", Usage(100_000, audio_input=40_000), 5.8),
    # 60,000 x 3 + 100,000 x 0.30 + 40,000 x 3.75 + 10,000 x 15
    ("anthropic", "claude-sonnet-4-5", Usage(200_000, 10_000, 100_000, 40_000), 51),
    # one price for any length since 13 March 2026: 500,000 x 5 + 10,000 x 25
    ("anthropic", "claude-opus-4-6", Usage(500_000, 10_000), 275),
    # beyond 200,000: 300,000 x 2.50 + 10,000 x 15
    ("google", "gemini-2.5-pro", Usage(300_000, 10_000), 90),
    # 100,000 x 0.30 + 900,000 x 0.03 + 20,000 x 2.50
    ("google", "gemini-2.5-flash", Usage(1_000_000, 20_000, 900_000), 10.7),
    # its dearest hour: 1,000,000 x 0.27 + 1,000,000 x 1.10
    ("deepseek", "deepseek-chat", Usage(1_000_000, 1_000_000), 137),
    # no price for cached input is published, so it costs what input costs: 1,000,000 x 2 + 100,000 x 6
    ("mistral", "mistral-large-2411", Usage(1_000_000, 100_000, 900_000), 260),
]


@pytest.mark.parametrize(("vendor", "remote", "usage", "cents"), GOLDEN)
def test_well_known_models_cost_what_their_vendors_publish(
    vendor: str, remote: str, usage: Usage, cents: float
) -> None:
    rate = resolve_rates([model(remote, vendor)], {}, NOW)["m"]
    assert cost(usage, rate) == int(cents * CENT)
    assert rate.version.startswith("genai-prices ")


def test_a_price_that_depends_on_the_hour_is_taken_at_its_dearest_and_says_so() -> None:
    rate = resolve_rates([model("deepseek-chat", "deepseek")], {}, NOW)["m"]
    assert rate.version.endswith("(dearest hour)")


def test_the_moment_of_publishing_decides_which_price_has_begun() -> None:
    before = int(datetime(2026, 3, 12, tzinfo=UTC).timestamp() * 1000)
    opus = model("claude-opus-4-6", "anthropic")
    assert [tier.input for tier in resolve_rates([opus], {}, before)["m"].tiers] == [5_000_000, 10_000_000]
    assert [tier.input for tier in resolve_rates([opus], {}, NOW)["m"].tiers] == [5_000_000]


def test_a_price_for_each_request_is_read_from_the_list() -> None:
    assert resolve_rates([model("sonar", "perplexity")], {}, NOW)["m"].per_request == 12_000_000


@pytest.mark.parametrize(
    "unknown",
    [
        model("no-such-model", "openai"),
        model("gpt-4o", "no-such-vendor"),
        model("gpt-4o", "an openai reseller"),
        model("gpt-4o", ""),
        model("text-embedding-3-small", "openai"),
    ],
)
def test_a_cloud_model_that_the_list_cannot_price_gets_no_rate(unknown: Model) -> None:
    assert resolve_rates([unknown], {}, NOW) == {}


@pytest.mark.parametrize("kind", ["device", "on_prem"])
def test_own_machines_cost_nothing_unless_the_workspace_says_so(kind: str) -> None:
    local = model("llama", kind=kind)
    assert resolve_rates([local], {}, NOW) == {"m": LOCAL}
    assert resolve_rates([local], {"m": prices(input="0.1", output=0.1)}, NOW)["m"].version == "workspace"


def test_the_workspaces_own_price_comes_before_the_list_and_its_name_before_the_vendors() -> None:
    overrides = {"openai/gpt-4o": prices(input=1, output=1), "special": prices(input=2, output=2)}
    models = [model("gpt-4o", "openai", name="plain"), model("gpt-4o", "openai", name="special")]
    rates = resolve_rates(models, overrides, NOW)
    assert [rates[name].tiers[0].input for name in ("plain", "special")] == [1_000_000, 2_000_000]


def test_another_currency_than_the_lists_takes_no_price_from_it() -> None:
    assert resolve_rates([model("gpt-4o", "openai")], {}, NOW, "EUR") == {}


def test_numbers_and_strings_are_taken_exactly_as_written() -> None:
    assert own(input=0.1, output="0.000001").tiers == (Tier(0, 100_000, 1, 100_000, 100_000, 100_000),)


def test_a_price_left_out_is_the_price_of_input() -> None:
    tier = own(input=1, output=2, cache_write="1.25").tiers[0]
    assert (tier.cached_input, tier.cache_write) == (1_000_000, 1_250_000)


def test_tiers_and_a_price_for_each_request_can_be_stated() -> None:
    rate = own(
        input=1, output=2, per_request="0.01", tiers=[{"above": 128_000, "input": 2, "output": 4, "cached_input": 1}]
    )
    assert rate.tiers[1] == Tier(128_000, 2_000_000, 4_000_000, 1_000_000, 2_000_000, 2_000_000)
    assert rate.per_request == 10_000_000


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"input": -1, "output": 1}, "prices.m.input"),
        ({"input": float("nan"), "output": 1}, "prices.m.input"),
        ({"input": "cheap", "output": 1}, "prices.m.input"),
        ({"input": 1, "output": "0.0000001"}, "prices.m.output"),
        ({"input": 1, "output": 2_000_000}, "prices.m.output"),
        ({"input": 1, "output": 1, "per_request": "1e-12"}, "prices.m.per_request"),
        (
            {
                "input": 1,
                "output": 1,
                "tiers": [{"above": 9, "input": 1, "output": 1}, {"above": 9, "input": 1, "output": 1}],
            },
            "prices.m.tiers[1].above",
        ),
        ({"input": 1, "output": 1, "tiers": [{"above": 9, "input": "x", "output": 1}]}, "prices.m.tiers[0].input"),
    ],
)
def test_a_price_that_is_none_is_refused_by_its_key(settings: dict[str, object], key: str) -> None:
    with pytest.raises(BadInput) as caught:
        own(**settings)
    assert key in caught.value.message
    assert caught.value.mend


def test_a_price_of_no_model_is_refused_because_it_is_a_typing_error() -> None:
    with pytest.raises(BadInput, match="gpt-4p"):
        resolve_rates([model("gpt-4o", "openai")], {"gpt-4p": prices(input=1, output=1)}, NOW)


tiers = st.builds(Tier, *[st.integers(0, 10**12)] * 5)
rates = st.dictionaries(
    st.text(), st.builds(Rate, st.text(), st.lists(tiers, min_size=1).map(tuple), st.integers(0, 10**15))
)


@given(rates)
def test_a_revision_carries_rates_unchanged(carried: dict[str, Rate]) -> None:
    assert decode_rates(encode_rates(carried)) == carried
    assert encode_rates(dict(reversed(carried.items()))) == encode_rates(carried)


def test_pricing_a_call_does_not_load_the_list() -> None:
    code = (
        "import sys; from fairlead.costs.price_list import decode_rates; import fairlead.costs.prices;"
        "decode_rates(b'{}'); print('genai_prices' in sys.modules)"
    )
    fresh = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert fresh.stdout.strip() == "False"


def test_prices_of_further_kinds_are_read_and_kept_in_a_revision() -> None:
    rate = own(
        input=1,
        output=2,
        cache_write_1h=3,
        audio_input=4,
        audio_output="5.5",
        service_tiers={"flex": 0.5, "fast": "2.25"},
    )
    assert rate.tiers == (Tier(0, 10**6, 2 * 10**6, 10**6, 10**6, 3 * 10**6, 4 * 10**6, 5_500_000),)
    assert rate.service_tiers == {"fast": 22_500, "flex": 5_000}
    assert decode_rates(encode_rates({"m": rate})) == {"m": rate}


def test_rates_of_revisions_from_before_there_were_further_kinds_still_read() -> None:
    tier = b'{"above":0,"input":1,"output":2,"cached_input":1,"cache_write":1}'
    old = b'{"m":{"version":"v","tiers":[' + tier + b'],"per_request":0}}'
    assert decode_rates(old) == {"m": Rate("v", (Tier(0, 1, 2, 1, 1),))}


@pytest.mark.parametrize(
    ("tiers", "said"),
    [({"flex": -1}, "flex"), ({"flex": 0.33333}, "flex"), ({"flex": 101}, "flex"), ({"default": 1}, "default")],
)
def test_a_share_that_is_none_is_refused(tiers: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        own(input=1, output=2, service_tiers=tiers)


def test_an_hour_in_the_cache_has_no_price_where_only_writing_has_one() -> None:
    assert own(input=1, output=2, cache_write=3).tiers[0].cache_write_1h is None
    assert own(input=1, output=2).tiers[0].cache_write_1h == 10**6
