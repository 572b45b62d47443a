"""What a run makes stays within bounds, however it is made; and what only reckons lets others have their turn."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from tests.workflows.recording import Recording, World, program_of
from tests.workflows.test_recorded import recorded

from fairlead.storage.types import NewResult
from fairlead.workflows import interpreter, room
from fairlead.workflows.expression_errors import BadExpression
from fairlead.workflows.expressions import Expression
from fairlead.workflows.interpreter import walked
from fairlead.workflows.templates import Template
from fairlead.workflows.walk import Place, RunFailed, StepFailed, StepResult


async def failure(*steps: dict[str, Any], given: Any = None) -> str:
    effects = Recording(World(lambda at, what: StepResult(value="x" * 1000)))
    with pytest.raises(RunFailed) as told:
        await walked(program_of({"steps": steps}), effects, "run", given or {})
    return told.value.failure.code


def loop(more: str, **also: Any) -> dict[str, Any]:
    turn = {"id": "turn", "transform": more}
    return {"id": "grow", "loop": {"at_most": 60, "until": "index > 58", "steps": [turn], **also}}


@pytest.mark.parametrize(
    "step",
    [
        loop("${index == 0 ? 'x' : previous + previous}"),
        loop("${index == 0 ? '' : previous}x${index == 0 ? '' : previous}"),
        loop("x", gives="${index == 0 ? 'x' : previous + previous}"),
        loop("${index == 0 ? [1, 1] : [previous, previous]}"),
    ],
)
async def test_what_doubles_in_every_turn_ends_as_a_failure_of_its_step(step: dict[str, Any]) -> None:
    assert await failure(step) == "too_large"


async def test_what_items_or_branches_give_has_a_bound_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_GATHERED", 5000)
    asks = {"id": "ask", "tool": {"call": "shop.ask"}}
    each = {"over": "[1, 2, 3, 4, 5]", "at_most": 9, "steps": [asks]}
    assert await failure({"id": "all", "map": each}) == "too_large"
    branches = {name: [asks] for name in "abcde"}
    assert await failure({"id": "all", "parallel": {"branches": branches}}) == "too_large"


def test_what_is_made_of_many_values_is_reckoned_before_it_is_made() -> None:
    text = "x" * (8 << 20)
    with pytest.raises(BadExpression, match="too much"):
        Expression(" + ".join(["value"] * 9)).value({"value": text})
    with pytest.raises(BadExpression, match="too much"):
        Template({str(number): "${value}" for number in range(9)}, Expression).filled({"value": text})
    assert Expression(" + ".join(["value"] * 9)).value({"value": "ab"}) == "ab" * 9


async def test_a_walk_that_only_reckons_lets_others_go_on_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_MOST_STEPS", 500)
    turns = 0

    async def beside() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(beside())
    endless = {"id": "on", "loop": {"at_most": 10_000, "until": "false", "steps": [{"id": "n", "transform": "x"}]}}
    assert await failure(endless) == "too_many_steps"
    other.cancel()
    assert turns > 5


@pytest.mark.parametrize("unkept", [False, True])
def test_a_result_and_all_results_of_a_run_have_a_bound_and_the_failure_is_kept(
    monkeypatch: pytest.MonkeyPatch, unkept: bool
) -> None:
    monkeypatch.setattr("fairlead.workflows.recorded.LONGEST_RESULT", 2000)
    monkeypatch.setattr("fairlead.workflows.recorded.MOST_KEPT", 5000)
    memory: Any = recorded([])
    memory.opened.run.unkept = unkept
    memory.opened.key = SimpleNamespace(seal=lambda place, value: b"")

    def row(opened: Any, worker: str, place: str, result: StepResult) -> NewResult:
        size = 0 if unkept else len(result.text)
        return NewResult(run="r", place=place, owner="", at=1, action="", status="", cost=0, size=size, sealed=b"")

    memory._runs = SimpleNamespace(row=row)
    with pytest.raises(StepFailed, match="it gives"):
        memory.row(Place("r", ("long",)), StepResult(text="x" * 3000))
    for number in range(3):
        memory.row(Place("r", ("step", number)), StepResult(text="x" * 1500))
    at = Place("r", ("last",))
    with pytest.raises(StepFailed, match="together") as told:
        memory.row(at, StepResult(text="x" * 1500), writes=True)
    assert told.value.in_doubt
    assert memory.failure_row(at, told.value).status == "failed"
    assert memory.knows(at)


def test_an_expression_is_given_no_more_values_than_the_walker_has_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.workflows.expressions.MOST_VALUES", 100)
    passes = Expression("input.lines")
    assert passes.value({"input": {"lines": [{}] * 90}}) == [{}] * 90
    assert passes.value({"input": {"lines": "a,b" * 200}}) == "a,b" * 200
    with pytest.raises(BadExpression, match="more than 100 values"):
        passes.value({"input": {"lines": [{}] * 110}})
