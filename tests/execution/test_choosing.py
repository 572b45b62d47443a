"""Routing by an objective, down the whole path: what is chosen, what is said of it, and what the record keeps."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from tests.world import World, world

from fairlead.audit import canonical
from fairlead.errors import NoCandidate
from fairlead.lanes.rates import TooFast
from fairlead.routing.exploring import thrown_again
from fairlead.routing.learned import Features, Observation
from fairlead.routing.learned.training import train
from fairlead.routing.objective import again
from fairlead.server.about import about

# `small` costs 2 and 8 a million tokens, `house` 1 and 1.
FILES = {
    "tasks/letter.yaml": "objective: {maximise: quality, cost_at_most: 1}\n",
    "tasks/note.yaml": "objective: {minimise: cost, quality_at_least: 0.6}\n",
    "tasks/sure.yaml": "objective: {maximise: quality, quality_at_least: 0.99, strict: true}\n",
    "tasks/plain.yaml": "prefer: [house]\n",
    "tasks/inside.yaml": "tier: own\nobjective: {maximise: quality}\n",
}


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, FILES, routing={"tiers": {"own": ["house"]}}) as one:
        yield one


def learns(w: World, scores: dict[tuple[str, str], float]) -> str:
    """Twenty outcomes of each kind of work and model."""
    predictor = train(
        Observation(task, Features(), model, score, cost=0.001, latency=1.5, group=str(number))
        for (task, model), score in scores.items()
        for number in range(20)
    )
    w.fairlead.take_up(replace(w.fairlead.deployment, predictor=predictor))
    return predictor.version


async def test_a_kind_of_work_goes_to_the_model_that_does_it_best_and_the_record_says_why(w: World) -> None:
    version = learns(w, {("letter", "small"): 0.5, ("letter", "house"): 0.9})
    answer = await w.ask(model="letter")
    assert answer.candidates == ("house", "small")
    assert "asks for the best quality for at most 1.00 USD" in answer.why
    assert "'house' is expected to score 0.90 (20 such outcomes seen)" in answer.why
    (record,) = w.records("call_model")
    assert record.model == "house"
    decision = record.decision
    assert decision is not None
    assert decision.predictor == version
    assert [(one.model, one.seen, one.latency) for one in decision.candidates] == [
        ("house", 20, 1500),
        ("small", 20, 1500),
    ]
    assert again(decision) == decision
    (raw,) = w.raw_records()
    assert canonical(msgspec.json.decode(raw)) == raw
    told = about(answer).route.chosen
    assert told is not None
    assert told.expected[0].p == (decision.candidates[0].p or 0) / 10_000


async def test_the_cheapest_that_is_good_enough_is_taken(w: World) -> None:
    learns(w, {("note", "small"): 0.9, ("note", "house"): 0.8})
    assert (await w.ask(model="note")).candidates == ("house", "small")
    learns(w, {("note", "small"): 0.9, ("note", "house"): 0.3})
    assert (await w.ask(model="note")).candidates == ("small", "house")


async def test_before_anything_is_learnt_the_declared_order_stands_and_the_reply_says_so(w: World) -> None:
    answer = await w.ask(model="letter")
    assert answer.candidates == ("house", "small"), "as the tiers have it"
    assert "nothing is learnt yet" in answer.why
    again_asked = await w.ask(model="letter")
    assert again_asked.decision is not None
    assert again_asked.decision.candidates[0].latency is not None, "what it took before is expected of it now"


async def test_a_strict_objective_refuses_where_no_model_is_within_the_bounds(w: World) -> None:
    learns(w, {("sure", "small"): 0.5, ("sure", "house"): 0.9})
    with pytest.raises(NoCandidate, match="no model is both permitted and able") as refused:
        await w.ask(model="sure")
    assert "outside of the bounds" in refused.value.why
    assert "strict" in refused.value.mend
    assert w.records("call_model")[0].dropped == (("house", "objective"), ("small", "objective"))


async def test_who_names_a_model_means_it_and_a_kind_of_work_without_objective_costs_nothing(w: World) -> None:
    learns(w, {("plain", "small"): 0.9, ("plain", "house"): 0.1})
    assert (await w.ask(model="small")).candidates == ("small",)
    assert (await w.ask(model="plain")).candidates == ("house", "small")
    assert [record.decision for record in w.records("call_model")] == [None, None]


async def test_a_model_that_was_asked_as_often_as_it_may_be_makes_room_for_another(tmp_path: Path) -> None:
    limits = {"models": {"house": {"requests": 1}}}
    async with world(tmp_path, FILES, routing={"tiers": {"own": ["house"]}}, limits=limits) as w:
        assert (await w.ask(model="letter")).candidates == ("house", "small")
        answer = await w.ask(model="letter")
        assert (answer.candidates, [one.by for one in answer.dropped]) == (("small",), ["rate limit"])
        with pytest.raises(TooFast):
            await w.ask(model="house")


async def test_a_tier_leaves_only_its_models(w: World) -> None:
    learns(w, {("inside", "small"): 0.9, ("inside", "house"): 0.1})
    answer = await w.ask(model="inside")
    assert answer.candidates == ("house",)
    assert [(one.model, one.reason) for one in answer.dropped] == [
        ("small", "task type 'inside' keeps to the tier own")
    ]


async def test_a_share_of_the_requests_tries_another_model_and_the_record_tells_how_likely_that_was(
    tmp_path: Path,
) -> None:
    files = {"tasks/letter.yaml": "objective: {maximise: quality, explore: 0.2}\n"}
    async with world(tmp_path, files) as w:
        for _ in range(12):
            await w.ask(model="letter")
        found = [(record.run, record.model, record.decision) for record in w.records("call_model")]
    assert {decision.propensity for _, _, decision in found if decision} <= {800_000, 200_000}
    for run, model, decision in found:
        assert decision is not None
        assert model == decision.candidates[0].model
        assert thrown_again(decision, run) == decision
