"""What an objective makes of what is expected of each model: the same order, whatever their names."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fairlead.routing.objective import again, choose, excess
from fairlead.tasks.decisions import Decision, Option
from fairlead.tasks.objectives import Objective

BEST = Objective(aim="quality")
CHEAPEST_GOOD = Objective(aim="cost", quality_at_least=8000)


def option(model: str, p: int | None = None, cost: int = 100, **known: Any) -> Option:
    return Option(model=model, p=p, cost=cost, **known)


def order(objective: Objective, *options: Option, draw: str = "") -> list[str]:
    return [each.model for each in choose(objective, options, draw=draw).candidates]


def test_quality_within_a_ceiling_of_cost() -> None:
    options = option("big", 9000, 900), option("mid", 8000, 300), option("small", 6000, 100)
    assert order(BEST, *options) == ["big", "mid", "small"]
    found = choose(Objective(aim="quality", cost_at_most=300), options)
    assert [each.model for each in found.candidates] == ["mid", "small", "big"]
    assert found.outside == 1, "the dear one stays as a fallback, after all that are within the bound"


def test_cost_above_a_floor_of_quality() -> None:
    options = option("big", 9000, 900), option("mid", 8000, 300), option("small", 7999, 100)
    assert order(CHEAPEST_GOOD, *options) == ["mid", "big", "small"]


def test_the_fastest_that_is_good_enough() -> None:
    aim = Objective(aim="latency", quality_at_least=8000)
    options = option("a", 9000, latency=900), option("b", 8500, latency=300), option("c", 5000, latency=10)
    assert order(aim, *options, option("d", 9000)) == ["b", "a", "d", "c"], "not knowing is never fast"


def test_where_no_model_is_within_the_bounds_the_nearest_comes_first() -> None:
    options = option("far", 2000), option("near", 7900), option("middle", 5000)
    found = choose(CHEAPEST_GOOD, options)
    assert [each.model for each in found.candidates] == ["near", "middle", "far"]
    assert found.outside == 3


def test_what_may_not_fit_comes_after_what_fits_whatever_is_expected_of_it() -> None:
    assert order(BEST, option("tight", 9000, room=1), option("roomy", 100)) == ["roomy", "tight"]


@pytest.mark.parametrize("objective", [BEST, CHEAPEST_GOOD, Objective(aim="latency", quality_at_least=1)])
def test_without_predictions_quality_is_as_declared(objective: Objective) -> None:
    options = option("first", declared=0, cost=900), option("second", declared=1, cost=1)
    assert order(objective, *options) == ["first", "second"]


def test_without_predictions_cost_goes_by_the_price_list() -> None:
    aim = Objective(aim="cost", latency_at_most=1000)
    options = option("dear", declared=0, cost=900), option("cheap", declared=1, cost=1), option("slow", latency=2000)
    assert order(aim, *options) == ["cheap", "dear", "slow"]


def test_those_alike_in_all_take_turns_over_many_draws() -> None:
    firsts = [order(BEST, option("a", 5000), option("b", 5000), draw=str(n))[0] for n in range(200)]
    assert 60 < firsts.count("a") < 140
    assert order(BEST, option("a", 5000), option("b", 5000), draw="x") == order(
        BEST, option("a", 5000), option("b", 5000), draw="x"
    )


some = settings(max_examples=30)
aims = st.builds(
    Objective,
    aim=st.sampled_from(["quality", "cost", "latency"]),
    cost_at_most=st.none() | st.integers(1, 5),
    latency_at_most=st.none() | st.integers(1, 5),
    quality_at_least=st.none() | st.integers(1, 5),
)
known = st.booleans().flatmap(
    lambda learnt: st.lists(
        st.builds(
            Option,
            model=st.just(""),
            p=st.integers(0, 5) if learnt else st.none(),
            cost=st.integers(0, 5),
            latency=st.none() | st.integers(0, 5),
            room=st.integers(0, 2),
        ),
        min_size=1,
        max_size=6,
    )
)


def named(options: list[Option], names: list[int]) -> list[Option]:
    return [
        replace(one, model=f"m{name}", declared=at) for at, (one, name) in enumerate(zip(options, names, strict=True))
    ]


@some
@given(aims, known, st.randoms(use_true_random=False), st.text(max_size=3))
def test_renaming_renames_the_decision_and_changes_nothing_else(
    objective: Objective, options: list[Option], random: Any, draw: str
) -> None:
    names = list(range(len(options)))
    other = random.sample(names, len(names))
    one = choose(objective, named(options, names), draw=draw)
    two = choose(objective, named(options, other), draw=draw)
    places = {f"m{name}": f"m{new}" for name, new in zip(names, other, strict=True)}
    assert [places[each.model] for each in one.candidates] == [each.model for each in two.candidates]


@some
@given(aims, known, st.randoms(use_true_random=False), st.text(max_size=3))
def test_a_recorded_decision_is_made_again_from_itself_in_any_order(
    objective: Objective, options: list[Option], random: Any, draw: str
) -> None:
    made = choose(objective, named(options, list(range(len(options)))), draw=draw)
    shuffled = random.sample(made.candidates, len(made.candidates))
    assert again(replace(made, candidates=tuple(shuffled), outside=0)) == made
    inside = [excess(objective, one) == 0 for one in made.candidates if one.room == made.candidates[0].room]
    assert inside == sorted(inside, reverse=True)


def test_what_chance_put_first_stays_first() -> None:
    greedy = choose(BEST, [option("a", 9000), option("b", 8000), option("c", 7000)])
    drawn = Decision(candidates=(*greedy.candidates[2:], *greedy.candidates[:2]), objective=BEST, explored=True)
    assert again(drawn) == drawn
    assert again(replace(drawn, explored=False)).candidates == greedy.candidates
