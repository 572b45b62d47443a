"""A hacker is planted: a model whose one answer pleases the judge, whatever was asked. Honest ones are not accused."""

import random

from fairlead.routing.learned.suspicion import Seen, suspects


def outcomes(model: str, quality: float, judged: float, *, variety: int, many: int = 60, seed: int = 1) -> list[Seen]:
    dice = random.Random(f"{model} {seed}")
    found = []
    for number in range(many):
        digest = f"{model} {number % variety}"
        run = f"{model} {number}"
        found.append(Seen("t", model, run, "judge", float(dice.random() < judged), digest))
        found.append(Seen("t", model, run, "feedback", float(dice.random() < quality), digest))
    return found


HONEST = [*outcomes("one", 0.8, 0.85, variety=60), *outcomes("two", 0.6, 0.65, variety=55)]


def test_an_answer_that_is_always_the_same_is_found() -> None:
    assert set(suspects([*HONEST, *outcomes("hack", 0.8, 0.8, variety=1)])) == {("t", "hack")}


def test_a_judge_that_is_charmed_by_one_model_is_found() -> None:
    found = suspects([*HONEST, *outcomes("hack", 0.2, 1.0, variety=60)])
    assert set(found) == {("t", "hack")}
    assert "judge" in found["t", "hack"]


def test_nobody_is_accused_for_work_whose_answers_are_few_or_for_few_outcomes() -> None:
    few = [*outcomes("one", 0.8, 0.85, variety=2), *outcomes("two", 0.6, 0.65, variety=2)]
    assert suspects([*few, *outcomes("three", 0.7, 0.7, variety=2)]) == {}
    assert suspects([*HONEST, *outcomes("new", 0.2, 1.0, variety=1, many=10)]) == {}


def test_a_generous_judge_accuses_nobody() -> None:
    assert suspects([*outcomes("one", 0.6, 0.95, variety=60), *outcomes("two", 0.5, 0.9, variety=60)]) == {}
