"""What another predictor would have been worth: estimated rightly, never from what nobody has tried, and never from
what a judge alone says."""

import random
from collections.abc import Callable

import pytest

from fairlead.routing.learned.off_policy import Logged, estimate, gain, verdict
from fairlead.routing.learned.types import Features

TRUE = {"a": 0.6, "b": 0.8}
CHANCES = {"a": 0.9, "b": 0.1}


def always(name: str) -> Callable[[Logged], str]:
    return lambda _: name


def logged(
    many: int, *, seed: int = 1, chances: dict[str, float] = CHANCES, confirms: bool = True, task: str = "t"
) -> list[Logged]:
    dice = random.Random(seed)
    found = []
    for _ in range(many):
        model = "b" if dice.random() < chances.get("b", 0) else "a"
        score = float(dice.random() < TRUE[model])
        told = score if confirms else (float(dice.random() < 0.3) if model == "b" else score)
        found.append(Logged(task=task, features=Features(), model=model, chances=chances, score=score, confirmed=told))
    return found


@pytest.mark.parametrize("wrong", [0.0, 0.5, 1.0])
def test_the_value_is_found_whatever_is_expected(wrong: float) -> None:
    for name, value in TRUE.items():
        found = estimate(logged(4000), always(name), lambda *_: wrong)
        assert found.low < value < found.high
        assert abs(found.weighted - value) < 0.06


def test_what_could_not_be_tried_is_worth_nothing() -> None:
    found = estimate(logged(200, chances={"a": 1.0}), always("b"), lambda *_: 1.0)
    assert (found.value, found.unknown, found.matched) == (0, 1, 0)


def test_the_better_one_replaces_once_there_is_evidence() -> None:
    def decide(many: int) -> bool:
        return verdict(logged(many), always("b"), always("a"), always("a"), lambda *_: 0.5, {"t": 0.9}).replaces

    assert (decide(50), decide(4000)) == (False, True)


def test_the_worse_one_never_replaces() -> None:
    for seed in range(20):
        said = verdict(
            logged(600, seed=seed, chances={"a": 0.1, "b": 0.9}), always("a"), always("b"), always("b"),
            lambda *_: 0.5, {},
        )  # fmt: skip
        assert not said.replaces


def test_a_gain_that_only_a_judge_sees_does_not_count() -> None:
    said = verdict(logged(4000, confirms=False), always("b"), always("a"), always("a"), lambda *_: 0.5, {})
    assert not said.replaces
    assert "judge" in said.why


def test_no_task_type_may_fall_below_its_floor() -> None:
    chances = {"a": 0.5, "b": 0.5}
    worse = [
        Logged(
            task="precious", features=Features(), model=one.model, chances=chances,
            score=float(one.model == "a"), confirmed=float(one.model == "a"),
        )
        for one in logged(400, chances=chances, seed=3)
    ]  # fmt: skip
    both = [*logged(4000, chances=chances), *worse]
    free = verdict(both, always("b"), always("a"), always("a"), lambda *_: 0.5, {})
    held = verdict(both, always("b"), always("a"), always("a"), lambda *_: 0.5, {"precious": 0.9})
    assert (free.replaces, held.replaces) == (True, False)
    assert "precious" in held.why


def test_those_who_decide_alike_differ_by_nothing() -> None:
    found = gain(logged(100), always("a"), always("a"), lambda *_: 0.5)
    assert (found.value, found.low, found.matched) == (0, 0, 0)
