"""Rates of a workspace's models: its own `prices:` first, then the bundled price list, and nothing for the rest.

Worked out when a revision is published, and carried in it: a worker never reads the list, and never meets a new price
in the middle of a revision. The list is the snapshot that came with the installed package; the network is not asked.
"""

from collections.abc import Iterable, Mapping

import msgspec

from fairlead.costs.bundled import BundledPrices
from fairlead.costs.kinds import STANDARD, WHOLE
from fairlead.costs.money import decimal_of, parse_money
from fairlead.costs.settings import PriceSettings, TierSettings
from fairlead.costs.types import Rate, Tier
from fairlead.errors import BadInput
from fairlead.models.types import Model

LOCAL = Rate("local", (Tier(0, 0, 0, 0, 0, 0, 0, 0),))
_PICO_PER_TOKEN = 10**6  # one unit of currency per million tokens is a millionth per token: 10^6 pico-units
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, Rate])


def resolve_rates(
    models: Iterable[Model], overrides: Mapping[str, PriceSettings], now: int, currency: str = "USD"
) -> dict[str, Rate]:
    """The rate of each model that has a price, by the model's name.

    `now` (milliseconds since 1970) decides which of the list's prices have begun; one that begins later counts from
    the next publish on.

    Models on a device or on the organisation's own machines cost nothing unless `prices:` says otherwise. A model in a
    cloud that neither knows is left out, and calls to it are refused. The list is in dollars: with another currency it
    is not used. Raises `BadInput` for a price that is no price, or that no model of the workspace has.
    """
    rates: dict[str, Rate] = {}
    used: set[str] = set()
    bundled: BundledPrices | None = None
    for model in models:
        key = _override_key(model, overrides)
        if key:
            used.add(key)
            rates[model.name] = own_rate(f"prices.{key}", overrides[key], embeds=model.space is not None)
        elif model.placement.kind != "cloud":
            rates[model.name] = LOCAL
        elif currency == "USD" and model.placement.vendor:
            bundled = bundled or BundledPrices()
            rate = bundled.rate(model.placement.vendor, model.remote, now, embeds=model.space is not None)
            if rate is not None:
                rates[model.name] = rate
    for key in overrides:
        if key not in used:
            raise BadInput(
                f"prices.{key} is the price of no model of this workspace",
                why="a price goes under a model's name, or under `vendor/remote model` where that has no price by name",
                mend="correct the name, or remove the price",
                subject=key,
            )
    return rates


def encode_rates(rates: Mapping[str, Rate]) -> bytes:
    """For a revision to carry. Equal rates give equal bytes."""
    return _encoder.encode(dict(sorted(rates.items())))


def decode_rates(data: bytes) -> dict[str, Rate]:
    """The price list of a revision, by model. Raises `msgspec.DecodeError` for what is none."""
    return _decoder.decode(data)


def own_rate(key: str, prices: PriceSettings, *, embeds: bool = False) -> Rate:
    """The rate that an entry of `prices:` states. Raises `BadInput` naming the key."""
    tiers = [_own_tier(key, 0, prices, embeds=embeds)]
    for index, tier in enumerate(prices.tiers):
        if tier.above <= tiers[-1].above:
            raise BadInput(f"{key}.tiers[{index}].above is not above the tier before it", mend="let the tiers ascend")
        tiers.append(_own_tier(f"{key}.tiers[{index}]", tier.above, tier, embeds=embeds))
    return Rate(
        "workspace",
        tuple(tiers),
        parse_money(prices.per_request, f"{key}.per_request"),
        _service_tiers(key, prices),
    )


def _service_tiers(key: str, prices: PriceSettings) -> dict[str, int]:
    for name in sorted(prices.service_tiers):
        if name in STANDARD:
            raise BadInput(f"{key}.service_tiers names {name!r}", why="that is what the plain prices are for",
                           mend="change the prices themselves")  # fmt: skip
    return {name: _share(each, f"{key}.service_tiers.{name}") for name, each in sorted(prices.service_tiers.items())}


def _share(multiple: int | float | str, key: str) -> int:
    share = decimal_of(multiple, key) * WHOLE
    if share != share.to_integral_value() or share > 100 * WHOLE:
        raise BadInput(
            f"{key} is {multiple!r}",
            why="it is a multiple of the plain prices",
            mend="write a number up to 100 with at most four decimal places, such as 0.5",
        )
    return int(share)


def _override_key(model: Model, overrides: Mapping[str, PriceSettings]) -> str:
    """The entry of `prices:` for a model: by its own name before its group's and the vendor's, "" if there is none."""
    for name in (model.name, model.group):
        if name in overrides:
            return name
    vendors = f"{model.placement.vendor}/{model.remote}"
    return vendors if vendors in overrides else ""


def _own_tier(key: str, above: int, prices: PriceSettings | TierSettings, *, embeds: bool) -> Tier:
    if prices.output is msgspec.UNSET and not embeds:
        raise BadInput(
            f"{key}.output is missing",
            why="only a model for embeddings gives nothing but vectors, which cost what their input costs",
            mend="say what a million tokens of its output cost",
        )
    plain = _pico(prices.input, f"{key}.input")

    def or_plain(price: int | float | str | msgspec.UnsetType, name: str) -> int:
        return plain if isinstance(price, msgspec.UnsetType) else _pico(price, f"{key}.{name}")

    def or_none(price: int | float | str | msgspec.UnsetType, name: str) -> int | None:
        return None if isinstance(price, msgspec.UnsetType) else _pico(price, f"{key}.{name}")

    hour = or_none(prices.cache_write_1h, "cache_write_1h")
    return Tier(
        above=above,
        input=plain,
        output=or_none(prices.output, "output") or 0,
        cached_input=or_plain(prices.cached_input, "cached_input"),
        cache_write=or_plain(prices.cache_write, "cache_write"),
        # Who asks nothing more for writing asks nothing more for keeping it longer.
        cache_write_1h=(plain if isinstance(prices.cache_write, msgspec.UnsetType) else None) if hour is None else hour,
        audio_input=or_none(prices.audio_input, "audio_input"),
        audio_output=or_none(prices.audio_output, "audio_output"),
    )


def _pico(price: int | float | str, key: str) -> int:
    pico = decimal_of(price, key) * _PICO_PER_TOKEN
    if pico != pico.to_integral_value():
        raise BadInput(f"{key} is too fine: {price!r}", mend="write at most six decimal places per million tokens")
    if pico > 10**12:
        raise BadInput(
            f"{key} is {price!r} for a million tokens, more than one unit a token",
            why="prices are per million tokens",
            mend="check the unit",
        )
    return int(pico)
