"""Recorded choices made again: whatever of a record is changed is found, or is said not to be checked."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.world import FixedClock

from fairlead.costs.record import Record
from fairlead.routing.exploring import ventured
from fairlead.routing.foretold import foretold
from fairlead.routing.learned import NO_FEATURES, Features, Observation, Predictor
from fairlead.routing.learned.training import train
from fairlead.routing.objective import choose
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store
from fairlead.tasks.decisions import Decision, Ladder, Option
from fairlead.tasks.objectives import Objective
from fairlead.workspace.predicting import kept_as, put_in_force
from fairlead.workspace.routing_audit import ALWAYS_TAKEN, Predictors, audited

AIM = Objective(aim="quality", cost_at_most=500, explore=300_000)
OPTIONS = [
    Option(model=model, cost=cost, declared=at, latency=900)
    for at, (model, cost) in enumerate({"big": 400, "mid": 300, "small": 100, "dear": 900}.items())
]


def learnt(best: float) -> Predictor:
    scores = {"big": best, "mid": best - 0.05, "small": 0.3, "dear": 0.9}
    return train(
        Observation("letter", Features(), model, float(number < score * 20), group=f"{model}{number}")
        for model, score in scores.items()
        for number in range(20)
    )


RIGHT, OTHER = learnt(0.8), learnt(0.7)


def decided(predictor: Predictor | None = RIGHT, run: str = "run_1") -> Decision:
    options = foretold(predictor, "letter", NO_FEATURES, OPTIONS)
    made = choose(AIM, options, draw="", predictor="" if predictor is None else predictor.version)
    return ventured(made, run)


def record(at: int, **told: object) -> Record:
    told = {"decision": decided(), "attempt": 1, **told}
    decision = told["decision"]
    first = decision.candidates[0].model if isinstance(decision, Decision) else ""
    return msgspec.convert(
        {"v": 1, "kind": "call_model", "run": "run_1", "at": at, "task": "letter", "model": first, **told},
        Record,
        from_attributes=True,
    )


def option(number: int, **changed: object) -> Callable[[Decision], Decision]:
    def made(decision: Decision) -> Decision:
        candidates = list(decision.candidates)
        candidates[number] = replace(candidates[number], **changed)
        return replace(decision, candidates=tuple(candidates))

    return made


def change(**changed: object) -> Callable[[Decision], Decision]:
    return lambda decision: replace(decision, **changed)


DECISIONS = {
    "candidates": lambda decision: replace(decision, candidates=decision.candidates[::-1]),
    "cascade": change(cascade=Ladder(at_most=1)),
    "explored": lambda decision: replace(decision, explored=not decision.explored),
    "novel": change(novel=True),
    "objective": change(objective=replace(AIM, aim="cost")),
    "outside": change(outside=0),
    "predictor": change(predictor=OTHER.version),
    "propensity": change(propensity=1),
}
OF_OPTIONS = {
    "model": option(0, model="stranger"),
    "p": option(2, p=3001),
    "low": option(0, low=1),
    "high": option(0, high=9999),
    "seen": option(1, seen=21),
    "room": option(0, room=2),
    "cost": option(0, cost=501),
}
TAKEN = {"latency", "declared", "tie"}  # what the audit says that it takes as recorded, beside costs within the bounds
ATTEMPTS = {
    "attempt": lambda one: replace(one, attempt=2),
    "attempt before the first": lambda one: replace(one, attempt=0),
    "model": lambda one: replace(one, model="small"),
    "a model that was no candidate": lambda one: replace(one, model="stranger"),
    "task": lambda one: replace(one, task="poem"),
    "at": lambda one: replace(one, at=1),
    "run": lambda one: replace(one, run=next(f"run_{n}" for n in range(99) if decided(run=f"run_{n}") != one.decision)),
}


@pytest.fixture(scope="module")
def known(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Predictors, int]]:
    clock, path = FixedClock(), tmp_path_factory.mktemp("audit") / "state.db"
    path.write_bytes(empty_database.read_bytes())
    with closing(Store.open(path)) as store:
        fleet = Fleet(store, clock)
        for each in (OTHER, RIGHT):
            new = kept_as(each, 1, "test", b"{}")
            put_in_force(store, fleet, clock, each.version, by="test", new=new)
            clock.tick(3600)
        yield Predictors(store), clock.now()


def wrong(known: tuple[Predictors, int], *records: Record) -> list[str]:
    return [why for _, whys in audited(records, known[0]).wrong for why in whys]


def test_an_honest_record_is_made_again(known: tuple[Predictors, int]) -> None:
    assert not wrong(known, record(known[1]))
    assert not wrong(known, record(known[1], decision=decided(None)))
    assert audited([record(known[1])], known[0]).checked == 1


@pytest.mark.parametrize("field", [*DECISIONS, *OF_OPTIONS])
def test_a_changed_decision_is_found(known: tuple[Predictors, int], field: str) -> None:
    made = {**DECISIONS, **OF_OPTIONS}[field](decided())
    assert wrong(known, replace(record(known[1]), decision=made)), field


@pytest.mark.parametrize("field", ATTEMPTS)
def test_a_changed_attempt_is_found(known: tuple[Predictors, int], field: str) -> None:
    assert wrong(known, ATTEMPTS[field](record(known[1]))), field


def test_every_field_of_a_decision_is_checked_or_said_to_be_taken_as_recorded() -> None:
    assert set(DECISIONS) == set(Decision.__struct_fields__)
    assert set(OF_OPTIONS) | TAKEN == set(Option.__struct_fields__)
    assert all(word in ALWAYS_TAKEN for word in ("latencies", "declared", "draw", "costs"))


def test_attempts_follow_the_order_or_the_record_says_why_not(known: tuple[Predictors, int]) -> None:
    at, names = known[1], [one.model for one in decided().candidates]
    failed = record(at, kind="attempt", model=names[0])
    assert not wrong(known, failed, record(at, model=names[1], attempt=2))
    assert not wrong(
        known, failed, record(at, kind="attempt", model=names[0], attempt=2), record(at, model="", attempt=2)
    )
    assert any("nothing says why" in one for one in wrong(known, failed, record(at, model=names[2], attempt=2)))
    skipped = record(at, model=names[2], attempt=2, dropped=((names[1], "health"),))
    assert not wrong(known, failed, skipped)
    assert not wrong(known, record(at, model=names[1], attempt=2, dropped=((names[0], "budget"),)))
    second = replace(failed, model=names[1], dropped=((names[0], "places"),))
    assert any("behind it" in one for one in wrong(known, second, record(at, model=names[0], attempt=2)))
    assert wrong(known, failed, record(at, model=names[1], attempt=2, decision=decided(None))), "one run, one choice"


def test_a_cascade_goes_from_the_cheapest_up_and_the_answer_of_an_earlier_one_may_be_given(
    known: tuple[Predictors, int],
) -> None:
    at, made = known[1], replace(decided(), cascade=Ladder(at_most=2))
    rows = [
        record(at, decision=made, kind="attempt", model=model, attempt=number)
        for number, model in enumerate(("small", "mid"), start=1)
    ]
    assert not wrong(known, *rows, record(at, decision=made, model="big", attempt=3))
    assert not wrong(known, *rows, record(at, decision=made, model="small", attempt=0))
    assert wrong(known, record(at, decision=made, model="mid"))
    assert not wrong(known, record(at, decision=made, model="mid", dropped=(("small", "cascade"),)))
    named = replace(made, cascade=Ladder(at_most=1, models=("mid", "dear")))
    assert not wrong(known, record(at, decision=named, model="mid"))
    assert wrong(known, record(at, decision=named, model="big"))


def test_a_version_that_nobody_kept_or_that_was_changed_is_found(known: tuple[Predictors, int]) -> None:
    gone = replace(decided(), predictor="0123456789abcdef")
    found = wrong(known, record(known[1], decision=gone))
    assert "there is no predictor 0123456789abcdef" in found
    assert "predictor 0123456789abcdef was not in force then" in found
    nameless = replace(decided(), predictor="")
    assert "no predictor is named" in " ".join(wrong(known, record(known[1], decision=nameless)))
