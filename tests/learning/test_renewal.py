"""What was newly learnt decides by itself only where records and outcomes of people say that it is better."""

import random

from fairlead.costs.record import Record
from fairlead.learning.renewal import chances, may_decide
from fairlead.learning.trust import trusted
from fairlead.routing.exploring import ventured
from fairlead.routing.learned import Features, Observation, Predictor
from fairlead.routing.learned.off_policy import Verdict
from fairlead.routing.learned.training import train
from fairlead.routing.objective import choose
from fairlead.storage.types import NewOutcome
from fairlead.tasks.decisions import Option
from fairlead.tasks.objectives import Objective

TRUE = {"old": 0.6, "new": 0.9}


def believes(scores: dict[str, float]) -> Predictor:
    return train(
        Observation("t", Features(), model, score, group=str(at)) for model, score in scores.items() for at in range(30)
    )


NOW, NEW = believes({"old": 0.7, "new": 0.65}), believes({"old": 0.6, "new": 0.9})


def history(
    many: int, *, explore: int = 200_000, source: str = "feedback", true: dict[str, float] = TRUE
) -> tuple[list[Record], list[NewOutcome]]:
    """What was recorded while `NOW` decided."""
    dice, records, outcomes = random.Random(1), [], []
    expected = NOW.predict("t", Features(), ["old", "new"])
    options = [
        Option(model=one.model, declared=at, cost=1, p=round(one.p * 10_000), low=0, high=9_000, seen=30)
        for at, one in enumerate(expected)
    ]
    decision = choose(Objective(aim="quality", explore=explore), options)
    for at in range(many):
        run = f"run_{at}"
        made = ventured(decision, run)
        model = made.candidates[0].model
        records.append(
            Record(v=1, kind="call_model", run=run, at=at, outcome="done", task="t", model=model, decision=made)
        )
        outcomes.append(
            NewOutcome(
                run=run, by=f"p{at % 40}", subject="s", entry=run, at=at, source=source, task="t", model=model,
                score=10_000 * (dice.random() < true[model]), weight=1000, digest=str(at),
            )
        )  # fmt: skip
    return records, outcomes


def asked(many: int, new: Predictor = NEW, **more: object) -> Verdict:
    records, outcomes = history(many, **more)  # type: ignore[arg-type]
    return may_decide(new, NOW, records, trusted(outcomes, 0.2).outcomes, {})


def test_it_takes_over_once_exploration_has_shown_that_it_is_better() -> None:
    assert not asked(100).replaces
    assert asked(700).replaces


def test_it_does_not_where_nobody_has_tried_or_only_a_judge_says_so_or_it_is_worse() -> None:
    assert "only 0 decisions" in asked(200, explore=0).why
    assert "judge" in asked(700, source="judge").why
    assert not asked(300, true={"old": 0.9, "new": 0.6}).replaces


def test_who_decides_alike_need_not_be_replaced() -> None:
    assert not asked(200, NOW).replaces


def test_chances_are_those_of_the_record() -> None:
    records, _ = history(200)
    for record in records:
        assert record.decision is not None
        found = chances(record.decision)
        assert abs(sum(found.values()) - 1) < 1e-5
        assert round(found[record.model] * 1_000_000) == record.decision.propensity
