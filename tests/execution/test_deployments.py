"""A model with several deployments, down the whole path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.world import FixedClock, World, until, world

from fairlead.costs.told import Arrival
from fairlead.errors import Denied, RateLimited, Upstream
from fairlead.execution import call_model, visible_models
from fairlead.lanes.refusals import AtLimit
from fairlead.models.sampling import Handling
from fairlead.models.types import ChatRequest, Message
from fairlead.workspace.parts import standing_of
from fairlead.workspace.problems import InvalidWorkspace


def models(url: str) -> dict[str, Any]:
    return {
        "fast": {
            "use": "openai-compatible/tiny",
            "url": f"{url}/v1",
            "aliases": ["quick"],
            "deployments": {
                "east": {"placement": {"kind": "cloud", "region": "eu"}},
                "west": {"placement": {"kind": "cloud", "region": "us"}},
                "spare": {"placement": {"kind": "on_prem"}, "priority": 1},
            },
        }
    }


PRICES = {"fast": {"input": 2, "output": 8}}


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, models=models, prices=PRICES) as one:
        yield one


async def sent(
    w: World, affinity: str = "", model: str = "fast", kept: str | None = None
) -> tuple[str, tuple[str, ...]]:
    handling = Handling(prompt_cache_key=kept) if kept else None
    request = ChatRequest(model=model, messages=[Message("user", "hello")], size=5, handling=handling)
    answer = await call_model(w.fairlead, w.caller(), request, Arrival(door="test", affinity=affinity))
    return answer.model.name, answer.candidates


async def test_calls_are_spread_over_equals_and_each_is_recorded_and_billed_by_its_deployment(w: World) -> None:
    used = {(await sent(w))[0] for _ in range(24)}
    assert used == {"fast/east", "fast/west"}
    assert {record.model for record in w.records("call_model")} == used
    assert all(record.cost for record in w.records("call_model"))


async def test_a_conversation_stays_where_it_is(w: World) -> None:
    for affinity, kept in (("talk_7", None), ("", "manual")):
        assert len({await sent(w, affinity, kept=kept) for _ in range(6)}) == 1


async def test_calls_that_come_at_once_go_where_least_is_under_way_and_leave_nothing_behind(w: World) -> None:
    w.provider.always = "held"
    asked = [asyncio.create_task(sent(w)) for _ in range(8)]
    await until(lambda: len(w.provider.received) == 8)
    assert {name: calls for name, (calls, _) in w.fairlead.outstanding.busy.items()} == {"fast/east": 4, "fast/west": 4}
    asked.pop().cancel()  # its client has left
    w.provider.released.set()
    answered = [name for name, _ in await asyncio.gather(*asked)]
    assert sorted([answered.count("fast/east"), answered.count("fast/west")]) == [3, 4]
    await until(lambda: not w.fairlead.outstanding.busy)


async def test_a_conversation_goes_elsewhere_only_where_its_own_place_is_too_busy(w: World) -> None:
    home, _ = await sent(w, "talk_7")
    for _ in range(2):
        w.fairlead.outstanding.begin(home, 10)
    assert (await sent(w, "talk_7"))[0] == home
    w.fairlead.outstanding.begin(home, 10)
    assert (await sent(w, "talk_7"))[0] != home
    assert w.fairlead.outstanding.busy == {home: (3, 30)}


async def test_an_alias_means_the_model(w: World) -> None:
    assert await sent(w, "talk", "quick") == await sent(w, "talk", "fast") == await sent(w, "talk", "auto")


async def test_a_deployment_that_fails_is_left_alone_and_the_next_answers(w: World) -> None:
    first, candidates = await sent(w, "talk")
    for _ in range(w.fairlead.health.settings.failures):
        w.fairlead.health.failure(first, Upstream("down"))
    assert await sent(w, "talk") == (candidates[1], candidates[1:])


async def test_callers_see_the_model_its_deployments_and_its_aliases(w: World) -> None:
    names = [name for name, _ in visible_models(w.fairlead.deployment, w.caller(), "openai.chat")]
    assert names[2:] == ["fast", "quick", "fast/east", "fast/west", "fast/spare"]


@pytest.mark.parametrize(
    ("rules", "policies", "left"),
    [
        ([{"allow": {"groups": ["staff"], "models": ["fast"]}}], "", {"fast/east", "fast/west", "fast/spare"}),
        (
            [],
            'forbid(principal, action, resource in Model::"fast") when { resource.region == "us" };',
            {"fast/east", "fast/spare"},
        ),
        ([], 'forbid(principal, action, resource == Model::"fast/east");', {"fast/west", "fast/spare"}),
        ([], 'forbid(principal, action == Action::"call_model", resource in Model::"fast");', set()),
    ],
)
async def test_policies_speak_of_the_model_or_of_one_deployment(
    tmp_path: Path, rules: list[Any], policies: str, left: set[str]
) -> None:
    permits = "permit(principal, action, resource);\n" if policies else ""
    files = {"policies/main.cedar": permits + policies} if policies else {}
    async with world(tmp_path, files, models=models, prices=PRICES, rules=rules) as w:
        if not left:
            with pytest.raises(Denied):
                await sent(w)
        else:
            assert set((await sent(w))[1]) == left


async def test_a_policy_that_can_never_be_met_is_no_policy(tmp_path: Path) -> None:
    files = {
        "policies/main.cedar": """permit(principal, action, resource);
forbid(principal, action, resource == Model::"fast");"""
    }
    with pytest.raises(InvalidWorkspace) as caught:
        async with world(tmp_path, files, models=models, prices=PRICES):
            pass
    assert "policies/main.cedar:2" in caught.value.message
    assert 'resource in Model::"fast"' in caught.value.message


def limited(url: str, **limits: int) -> dict[str, Any]:
    found = models(url)
    for name in ("east", "west"):
        found["fast"]["deployments"][name] |= limits
    del found["fast"]["deployments"]["spare"]
    return found


@asynccontextmanager
async def standing(tmp_path: Path, **limits: int) -> AsyncIterator[tuple[World, FixedClock]]:
    clock = FixedClock()
    async with world(tmp_path, models=lambda url: limited(url, **limits), prices=PRICES, clock=clock) as w:
        yield w, clock


def later(w: World, clock: FixedClock, seconds: float) -> None:
    clock.tick(seconds)
    w.fairlead.lease.extend(clock.monotonic())


async def test_a_deployment_at_its_limit_is_passed_over_and_where_all_are_it_is_said_when(tmp_path: Path) -> None:
    async with standing(tmp_path, requests_per_minute=2) as (w, clock):
        used = [(await sent(w, "talk"))[0] for _ in range(4)]
        assert used == [used[0]] * 2 + [used[2]] * 2
        assert used[2] != used[0], "a conversation goes elsewhere before its deployment is asked too often"
        with pytest.raises(AtLimit) as caught:
            await sent(w)
        assert caught.value.status == 429
        assert 60 <= caught.value.retry_after <= 61
        assert len(w.provider.received) == 4
        assert w.holds() == []
        assert [(each.requests, each.under_way, each.ill) for each in standing_of(w.fairlead)] == [(0, 0, "")] * 2
        later(w, clock, caught.value.retry_after)
        assert (await sent(w, "talk"))[0] == used[0]


async def test_where_room_comes_soon_it_is_waited_for(tmp_path: Path) -> None:
    async with standing(tmp_path, requests_per_minute=1) as (w, clock):
        await sent(w)
        await sent(w)
        later(w, clock, 60.95)
        asked = asyncio.create_task(sent(w))
        await asyncio.sleep(0)
        later(w, clock, 0.6)
        await asked
        assert len(w.provider.received) == 3


async def test_tokens_count_by_what_a_call_used_once_it_has_ended(tmp_path: Path) -> None:
    async with standing(tmp_path, tokens_per_minute=1100) as (w, _):
        for _ in range(6):  # each may come to 1,026 and comes to a few
            await sent(w)
        assert len(w.provider.received) == 6


async def test_what_a_server_says_of_its_limits_is_heeded(tmp_path: Path) -> None:
    async with standing(tmp_path) as (w, clock):
        w.provider.headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}
        first, second = [(await sent(w))[0] for _ in range(2)]
        assert first != second
        with pytest.raises(AtLimit) as caught:
            await sent(w)
        assert caught.value.retry_after == 90
        later(w, clock, 90)
        await sent(w)


async def test_where_all_servers_ask_for_a_pause_nobody_is_asked_and_it_is_said_when(tmp_path: Path) -> None:
    async with standing(tmp_path) as (w, _):
        w.provider.next = ["429-seconds", "429-seconds"]
        with pytest.raises(RateLimited):
            await sent(w)
        with pytest.raises(AtLimit) as caught:
            await sent(w)
        assert caught.value.retry_after == 7
        assert len(w.provider.received) == 2


@pytest.mark.parametrize(
    ("cached", "long", "who", "places"),
    [(0.2, 5000, "", 1), (0.2, 3000, "", 2), (0.2, 5000, "kim", 1), (2, 5000, "kim", 2)],
)
async def test_what_a_server_may_have_kept_goes_where_it_was_kept_if_that_pays(
    tmp_path: Path, cached: float, long: int, who: str, places: int
) -> None:
    prices = {"fast": {"input": 2, "output": 8, "cached_input": cached}}
    async with world(tmp_path, models=models, prices=prices, clock=FixedClock()) as w:
        used = set()
        for number in range(8):
            begins = str(number) if who else "x"  # instructions differ, who asks does not
            messages = [Message("system", begins * long), Message("user", f"question {number}")]
            request = ChatRequest(
                model="fast", messages=messages, size=long + 10, handling=Handling(user=who) if who else None
            )
            used.add((await call_model(w.fairlead, w.caller(), request, Arrival(door="test"))).model.name)
        assert len(used) == places
