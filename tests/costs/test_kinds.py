"""What a request needs beside text, and whether it has a price."""

import pytest

from fairlead.costs.kinds import Needs, needs_of, unstated
from fairlead.costs.types import Rate, Tier
from fairlead.models.content import AudioPart, CacheControl, ImagePart, ImageUrl, Sound
from fairlead.models.sampling import Handling
from fairlead.models.types import ChatRequest, FunctionTool, Message, Part, TextPart, Tool

HOUR = CacheControl("ephemeral", "1h")
FULL = Rate("v", (Tier(0, 1, 1, 1, 1, 2, 3, 4),), service_tiers={"flex": 5000})
BARE = Rate("v", (Tier(0, 1, 1, 1, 1),))
FREE = Rate("v", (Tier(0, 0, 0, 0, 0),))


def request(*parts: Part, tools: list[Tool] | None = None, tier: str | None = None) -> ChatRequest:
    handling = Handling(service_tier=tier) if tier else None
    messages = [Message("user", "hi"), Message("user", list(parts))]
    return ChatRequest(model="auto", messages=messages, size=9, tools=tools, handling=handling)


@pytest.mark.parametrize(
    ("asked", "needs"),
    [
        (request(TextPart("a")), None),
        (request(ImagePart(ImageUrl("https://a.example/a.png"))), None),
        (request(TextPart("a", cache_control=CacheControl("ephemeral"))), None),
        (request(TextPart("a", cache_control=HOUR)), Needs(hour=True)),
        (request(tools=[Tool(FunctionTool("f"))]), None),
        (request(tools=[Tool(FunctionTool("f"), cache_control=HOUR)]), Needs(hour=True)),
        (request(AudioPart(Sound("AAAA", "wav")), TextPart("b")), Needs(audio=True)),
        (request(tier="auto"), None),
        (request(tier="default"), None),
        (request(tier="flex"), Needs(tier="flex")),
    ],
)
def test_what_a_request_needs_is_seen_before_it_is_sent(asked: ChatRequest, needs: Needs | None) -> None:
    assert needs_of(asked) == needs


@pytest.mark.parametrize(
    ("needs", "named"),
    [(Needs(audio=True), "audio_input"), (Needs(hour=True), "cache_write_1h"), (Needs(tier="flex"), "service_tiers")],
)
def test_what_has_no_price_is_named_unless_all_is_free(needs: Needs, named: str) -> None:
    assert named in unstated(needs, BARE)
    assert unstated(needs, FULL) == ""
    assert unstated(needs, FREE) == ""
