"""Chance in a decision: bounded, among equals by what is known, and thrown again from the record alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fairlead.routing.exploring import eligible, thrown_again, ventured
from fairlead.routing.objective import choose
from fairlead.tasks.decisions import Decision, Option
from fairlead.tasks.objectives import Objective

RUNS = [f"run_{number}" for number in range(400)]


def options(*scores: tuple[int, int], cost: int = 10) -> list[Option]:
    return [
        Option(model=f"m{at}", declared=at, cost=cost + at, p=p, low=p - 100, high=high, seen=30)
        for at, (p, high) in enumerate(scores)
    ]


def decided(explore: int, *scores: tuple[int, int], **bounds: int) -> Decision:
    return choose(Objective(aim="quality", explore=explore, **bounds), options(*scores), draw="d")


def test_without_a_share_nothing_is_left_to_chance() -> None:
    decision = decided(0, (9000, 9200), (8900, 9300))
    assert all(ventured(decision, run) == decision for run in RUNS[:20])


def test_only_who_may_be_as_good_and_is_within_the_bounds_is_drawn() -> None:
    decision = decided(200_000, (9000, 9200), (8900, 9300), (7000, 8000), (8950, 9400), cost_at_most=12)
    assert {option.model for option in eligible(decision)} == {"m0", "m1"}  # m2 is worse, m3 is too dear
    firsts = [ventured(decision, run).candidates[0].model for run in RUNS]
    assert set(firsts) == {"m0", "m1"}
    assert 0.12 < firsts.count("m1") / len(firsts) < 0.28


def test_propensities_are_those_of_the_draw() -> None:
    decision = decided(200_000, (9000, 9200), (8900, 9300))
    drawn = [ventured(decision, run) for run in RUNS]
    assert {(each.explored, each.propensity) for each in drawn} == {(False, 800_000), (True, 200_000)}


def test_where_nothing_is_learnt_yet_everybody_may_be_as_good() -> None:
    unknown = [Option(model=f"m{at}", declared=at, cost=at) for at in range(3)]
    assert len(eligible(choose(Objective(aim="quality", explore=20_000), unknown, draw="d"))) == 3


@given(
    st.lists(st.tuples(st.integers(0, 9000), st.integers(9000, 10_000)), min_size=1, max_size=6),
    st.sampled_from(RUNS),
    st.integers(0, 200_000),
)
def test_the_dice_are_thrown_again_from_the_record(scores: list[tuple[int, int]], run: str, share: int) -> None:
    decision = ventured(decided(share, *scores), run)
    assert thrown_again(decision, run) == decision
    if decision.explored:
        forged = replace(decision, propensity=decision.propensity + 1)
        assert thrown_again(forged, run) != forged


@pytest.mark.parametrize("run", RUNS[:8])
def test_renaming_the_models_renames_the_decision_and_nothing_else(run: str) -> None:
    plain = ventured(decided(200_000, (9000, 9200), (8900, 9300), (8800, 9900)), run)
    names = {"m0": "z", "m1": "a", "m2": "k"}
    others = [replace(each, model=names[each.model]) for each in options((9000, 9200), (8900, 9300), (8800, 9900))]
    renamed = ventured(choose(Objective(aim="quality", explore=200_000), others, draw="d"), run)
    assert [names[each.model] for each in plain.candidates] == [each.model for each in renamed.candidates]
