"""Kinds of tokens and of service that have prices of their own, and often none that anybody has stated.

What a request will need is refused where it has no price, as a model without one is. What a provider reports all the
same is billed at the dearest price that is known, and flagged: nothing is ever taken to be cheaper than stated.
"""

from msgspec import Struct

from fairlead.costs.types import Rate, Tier
from fairlead.models.content import AudioPart
from fairlead.models.types import ChatRequest, Usage

STANDARD = frozenset({"", "auto", "default", "standard"})
"""Service tiers that a model's plain prices are for."""
WHOLE = 10_000  # of a price, in `Rate.service_tiers`


class Needs(Struct, frozen=True):
    """What a request uses beside text, if anything."""

    audio: bool = False
    hour: bool = False
    tier: str = ""


def needs_of(request: ChatRequest) -> Needs | None:
    """None for nearly all requests, which is found out at a glance."""
    audio = hour = False
    for message in request.messages:
        if type(message.content) is list:
            for part in message.content:
                audio = audio or type(part) is AudioPart
                hour = hour or (part.cache_control is not None and part.cache_control.ttl == "1h")
    for tool in request.tools or ():
        hour = hour or getattr(tool.cache_control, "ttl", None) == "1h"
    tier = "" if request.handling is None else request.handling.service_tier or ""
    if audio or hour or tier not in STANDARD:
        return Needs(audio, hour, "" if tier in STANDARD else tier)
    return None


def unstated(needs: Needs, rate: Rate) -> str:
    """What of it has no price, as a sentence, "" if all has."""
    if needs.tier and needs.tier not in rate.service_tiers and not all(map(_is_free, rate.tiers)):
        return f"nobody has said what service tier {needs.tier} costs (`service_tiers`)"
    for tier in rate.tiers:
        if needs.audio and stated(tier.audio_input, tier) is None:
            return "nobody has said what sound costs (`audio_input`)"
        if needs.hour and stated(tier.cache_write_1h, tier) is None:
            return "nobody has said what it costs to keep a beginning for an hour (`cache_write_1h`)"
    return ""


def is_plain(usage: Usage) -> bool:
    """Whether the four prices that every rate has are all that it takes."""
    return usage.tier in STANDARD and not (usage.cache_write_1h or usage.audio_input or usage.audio_output)


def is_guessed(usage: Usage, rate: Rate, tier: Tier) -> bool:
    """Whether the bill rests on a price that nobody has stated."""
    if is_plain(usage):
        return False
    return (
        (usage.cache_write_1h > 0 and stated(tier.cache_write_1h, tier) is None)
        or (usage.audio_input > 0 and stated(tier.audio_input, tier) is None)
        or (usage.audio_output > 0 and stated(tier.audio_output, tier) is None)
        or (usage.tier not in STANDARD and usage.tier not in rate.service_tiers and not _is_free(tier))
    )


def stated(price: int | None, tier: Tier) -> int | None:
    """The price of a kind; where all else is free, so is what is not stated."""
    return 0 if price is None and _is_free(tier) else price


def dearest(tier: Tier) -> int:
    """What a token of the dearest kind costs."""
    return max(
        tier.input,
        tier.output,
        tier.cached_input,
        tier.cache_write,
        tier.cache_write_1h or 0,
        tier.audio_input or 0,
        tier.audio_output or 0,
    )


def share(usage: Usage, rate: Rate) -> int:
    """Ten-thousandths of the plain prices that the service reported costs; the dearest known one for an unknown one."""
    if usage.tier in STANDARD:
        return WHOLE
    known = rate.service_tiers.get(usage.tier)
    return dearest_share(rate) if known is None else known


def dearest_share(rate: Rate) -> int:
    """The dearest of the known tiers, in ten-thousandths of the plain prices, and never below these."""
    return max(WHOLE, *rate.service_tiers.values()) if rate.service_tiers else WHOLE


def _is_free(tier: Tier) -> bool:
    return not (tier.input or tier.output or tier.cached_input or tier.cache_write)
