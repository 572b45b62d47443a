from typing import Any

import pytest
from tests.workflows.recording import Recording, World, program_of

from fairlead.labels import DataClass, Labels
from fairlead.workflows.interpreter import walked
from fairlead.workflows.walk import Cancelled, Parked, Place, RunFailed, StepFailed, StepResult


def _gives(values: dict[str, Any]) -> Any:
    """A world where these places give these values, or fail with these errors."""

    def doing(at: Place, what: Any) -> StepResult:
        value = values.get(at.record, values.get(at.text, at.text))
        if isinstance(value, Exception):
            raise value
        return value if isinstance(value, StepResult) else StepResult(value=value, text=str(value), cost=10)

    return doing


def _tool(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "tool": {"call": "shop.order", "arguments": {"of": "${input.n}"}}, **more}


async def _run(
    definition: dict[str, Any], values: dict[str, Any], given: dict[str, Any] | None = None, **flows: Any
) -> Any:
    effects = Recording(World(_gives(values)))
    return await walked(program_of(definition, **flows), effects, "run", given or {"n": 1}), effects


async def test_steps_see_what_earlier_ones_gave_and_the_output_is_filled_in() -> None:
    definition = {
        "input": {"properties": {"n": {"type": "number"}, "tax": {"type": "number", "default": 1}}},
        "steps": [_tool("ask"), {"id": "sum", "transform": "${steps.ask.value.price * input.n + input.tax}"}],
        "output": {"total": "${steps.sum.value}", "said": "it is ${steps.sum.value} for ${input.n}"},
    }
    result, _ = await _run(definition, {"ask": {"price": 2.5}}, {"n": 2})
    assert result.value == {"total": 6.0, "said": "it is 6 for 2"}
    assert result.cost == 10


async def test_a_step_left_out_is_not_there_and_a_switch_takes_the_first_case_that_holds() -> None:
    definition = {
        "steps": [
            _tool("maybe", when="input.n > 5"),
            {
                "id": "choose",
                "switch": {
                    "cases": [{"when": "has(steps.maybe)", "steps": [{"id": "a", "transform": "many"}]}],
                    "otherwise": [{"id": "b", "transform": "few"}],
                },
            },
        ]
    }
    assert (await _run(definition, {}))[0].value == "few"
    assert (await _run(definition, {}, {"n": 9}))[0].value == "many"


async def test_a_map_keeps_the_order_of_items_and_refuses_more_than_it_may_have() -> None:
    inner = [{"id": "double", "transform": "${item * 2 + index}"}]
    definition = {"steps": [{"id": "all", "map": {"over": "input.l", "at_most": 3, "at_once": 2, "steps": inner}}]}
    assert (await _run(definition, {}, {"l": [1, 2, 3]}))[0].value == [2, 5, 8]
    with pytest.raises(RunFailed, match="4 items"):
        await _run(definition, {}, {"l": [1, 2, 3, 4]})


async def test_a_loop_ends_when_it_is_good_and_each_turn_sees_the_one_before() -> None:
    turn = [{"id": "more", "transform": "${previous == null ? 1 : previous * 2}"}]
    loop = {"until": "value > input.n", "at_most": 4, "steps": turn}
    assert (await _run({"steps": [{"id": "grow", "loop": loop}]}, {}, {"n": 3}))[0].value == 4
    with pytest.raises(RunFailed) as failed:
        await _run({"steps": [{"id": "grow", "loop": loop}]}, {}, {"n": 99})
    assert failed.value.failure.kind == "unfinished"
    kept = {"steps": [{"id": "grow", "loop": {**loop, "unfinished": "keep"}}]}
    assert (await _run(kept, {}, {"n": 99}))[0].value == 8


async def test_what_was_done_is_undone_in_reverse_where_a_later_step_fails() -> None:
    undo = {"tool": {"call": "shop.cancel", "arguments": {"order": "${steps.%s.value}"}}}
    first, second = (
        _tool(id, compensate={"tool": {**undo["tool"], "arguments": {"order": f"${{steps.{id}.value}}"}}})
        for id in ("first", "second")
    )
    world = World(_gives({"third": StepFailed("unavailable", "away"), "second.~undo": StepFailed("refused", "no")}))
    effects = Recording(world)
    with pytest.raises(RunFailed) as failed:
        await walked(program_of({"steps": [first, second, _tool("third")]}), effects, "run", {"n": 1})
    assert failed.value.undone == ("first",)
    assert failed.value.not_undone == (("second", "no"),)
    assert world.order == ["first", "second", "third", "second.~undo", "first.~undo"]
    assert effects.asked["first.~undo"] == {"order": "first"}


async def test_a_cancelled_run_is_undone_too() -> None:
    definition = {"steps": [_tool("first", compensate={"python": {"function": "m:undo"}}), _tool("second")]}
    with pytest.raises(Cancelled) as cancelled:
        await _run(definition, {"second": Cancelled()})
    assert cancelled.value.undone == ("first",)


async def test_a_failure_is_tried_again_by_its_kind_and_never_where_it_may_have_been_done() -> None:
    retry = {"attempts": 3, "wait": "2s", "backoff": 3}
    away = {"ask": StepFailed("unavailable", "away"), "ask#2": "there"}
    result, effects = await _run({"steps": [_tool("ask", retry=retry)]}, away)
    assert result.value == "there"
    assert [effects.asked[f"ask.~pause[{n}]"] for n in (1, 2)] == [2, 6]
    for error in (StepFailed("unavailable", "?", in_doubt=True), StepFailed("refused", "no")):
        with pytest.raises(RunFailed):
            await _run({"steps": [_tool("ask", retry=retry)]}, {"ask": error, "ask#1": "there"})


async def test_a_reply_that_does_not_pass_is_asked_again_as_another_question_and_told_why() -> None:
    step = {
        "id": "read",
        "model": {"prompt": "Read it", "gives": {"type": "object", "properties": {"n": {"type": "number"}}}},
        "check": {"rules": [{"that": "value.n > 1.0", "otherwise": "n is too small"}]},
        "retry": {"errors": ["check"]},
    }
    result, effects = await _run({"steps": [step]}, {"read": {"n": 1}, "read~1": {"n": 3}})
    assert result.value == {"n": 3.0}
    assert "n is too small" in effects.asked["read~1"].wrong
    with pytest.raises(RunFailed) as failed:
        await _run({"steps": [step]}, {"read": {"n": "x"}, "read~1": {"n": 0}, "read~2": {"n": 0}})
    assert failed.value.failure.kind == "check"
    no_json = StepFailed("check", "the reply is not JSON", code="no_json", result=StepResult(text="Well, 3!"))
    result, effects = await _run({"steps": [step]}, {"read": no_json, "read~1": {"n": 3}})
    assert (effects.asked["read~1"].wrong, effects.asked["read~1"].before) == ("the reply is not JSON", "Well, 3!")


async def test_what_its_sources_do_not_bear_out_stops_at_the_check() -> None:
    step = {"id": "say", "model": {"prompt": "p"}, "check": {"grounded": "${input.text}"}}
    given = {"text": "The red chair costs 40 euros in every store."}
    assert await _run({"steps": [step]}, {"say": "The red chair costs 40 euros."}, given)
    with pytest.raises(RunFailed, match="not borne out"):
        await _run({"steps": [step]}, {"say": "The red chair costs 99 euros."}, given)


async def test_what_is_to_be_done_where_a_step_fails_sees_the_error() -> None:
    step = _tool("ask", otherwise=[{"id": "note", "transform": "${error.kind}: ${error.message}"}])
    assert (await _run({"steps": [step]}, {"ask": StepFailed("busy", "full")}))[0].value == "busy: full"


async def test_a_run_parks_with_all_that_it_waits_for_and_goes_on_from_there() -> None:
    approve = {"role": "manager", "ask": "Pay ${input.n}?"}
    definition = {
        "steps": [
            _tool("order"),
            {"id": "a", "after": ["order"], "approval": approve, "timeout": "2d"},
            {"id": "b", "after": ["order"], "wait": {"signal": "arrived"}},
            {"id": "c", "after": ["order"], "tool": {"call": "shop.note"}},
            {"id": "end", "after": ["a", "b", "c"], "transform": "${steps.a.value.by[0]} ${steps.b.value}"},
        ]
    }
    world, program = World(_gives({})), program_of(definition)
    with pytest.raises(Parked) as parked:
        await walked(program, Recording(world), "run", {"n": 1})
    waiting = {each.id: each for _, each in parked.value.waiting}
    assert (waiting["a"].ask, waiting["a"].until, waiting["b"].signal) == (
        "Pay 1?",
        1_000_000 + 2 * 86_400_000,
        "arrived",
    )
    assert world.order == ["order", "c"]
    world.answers = {"a": StepResult(value={"approved": True, "by": ["ann"]}), "b": StepResult(value="here")}
    assert (await walked(program, Recording(world), "run", {"n": 1})).value == "ann here"
    assert world.order == ["order", "c"]


async def test_a_denied_approval_fails_the_step_and_silence_has_its_default() -> None:
    step = {"id": "a", "approval": {"role": "r", "ask": "?", "unanswered": "approve"}, "timeout": "1d"}
    world = World(_gives({}))
    with pytest.raises(Parked):
        await walked(program_of({"steps": [step]}), Recording(world), "run", {})
    world.time += 2 * 86_400_000
    assert (await walked(program_of({"steps": [step]}), Recording(world), "run", {})).value["approved"] is True
    world.answers["a"] = StepResult(value={"approved": False, "by": ["bob"], "note": "too dear"})
    with pytest.raises(RunFailed, match="bob"):
        await walked(program_of({"steps": [step]}), Recording(world), "run", {})


async def test_a_person_answers_where_no_model_may() -> None:
    step = {"id": "read", "model": {"prompt": "Read ${input.n}", "expert": {"role": "clerk"}}}
    world = World(_gives({"read": StepFailed("refused", "no model may")}))
    with pytest.raises(Parked) as parked:
        await walked(program_of({"steps": [step]}), Recording(world), "run", {"n": 7})
    ((_, waiting),) = parked.value.waiting
    assert (waiting.kind, waiting.role, waiting.ask) == ("question", "clerk", "Read 7")
    world.answers[waiting.id] = StepResult(value="by hand")
    assert (await walked(program_of({"steps": [step]}), Recording(world), "run", {"n": 7})).value == "by hand"


async def test_branches_that_differ_are_decided_as_declared() -> None:
    branches = {"a": [_tool("x")], "b": [_tool("y")]}
    values = {"p.a.x": {"total": 1}, "p.b.y": {"total": 2}}

    def with_rule(**how: Any) -> dict[str, Any]:
        return {"steps": [{"id": "p", "parallel": {"branches": branches, "agree": {"compare": "value.total", **how}}}]}

    assert (await _run(with_rule(rule="values.b"), values))[0].value == {"total": 2}
    by_model, effects = await _run(with_rule(model={"prompt": "Which? ${values.a.total}"}), values)
    assert by_model.value == "p.~resolve"
    assert effects.asked["p.~resolve"].prompt == "Which? 1"
    assert (await _run(with_rule(rule="values.b"), {**values, "p.b.y": {"total": 1}}))[0].value == {"total": 1}


async def test_labels_and_sources_flow_with_values_and_never_fall() -> None:
    secret = StepResult(value=1, labels=Labels(DataClass.restricted), provenance=("hr.salaries",))
    inner = [_tool("send", tool={"call": "a.b", "arguments": {"x": "${item}"}})]
    definition = {
        "class": "internal",
        "steps": [_tool("pay"), {"id": "m", "map": {"over": "[steps.pay.value]", "at_most": 2, "steps": inner}}],
    }
    result, effects = await _run(definition, {"pay": secret, "m[0].send": "sent"})
    assert effects.bounds["pay"].labels.data_class == DataClass.internal
    assert effects.bounds["m[0].send"].labels.data_class == DataClass.restricted
    assert result.labels.data_class == DataClass.restricted
    assert result.provenance == ("hr.salaries",)


async def test_money_and_time_are_handed_down_to_every_effect() -> None:
    definition = {"budget": 1.0, "timeout": "1h", "steps": [_tool("a"), _tool("b", budget=0.5, timeout="30s")]}
    _, effects = await _run(definition, {})
    assert (effects.bounds["a"].budget, effects.bounds["a"].deadline) == (1_000_000_000, 1_000_000 + 3_600_000)
    assert (effects.bounds["b"].budget, effects.bounds["b"].timeout) == (500_000_000, 30)


async def test_a_subflow_has_its_own_input_and_its_compensations_join_the_run() -> None:
    inner = {
        "input": {"required": ["k"]},
        "steps": [_tool("pay", tool={"call": "s.p"}, compensate={"tool": {"call": "s.u"}})],
    }
    step = {"id": "sub", "subflow": {"workflow": "inner", "input": {"k": "${input.n}"}}}
    assert (await _run({"steps": [step]}, {}, inner=inner))[0].value == "sub.pay"
    with pytest.raises(RunFailed) as failed:
        await _run({"steps": [step, _tool("bad")]}, {"bad": StepFailed("error", "x")}, inner=inner)
    assert failed.value.undone == ("sub.pay",)
    with pytest.raises(RunFailed, match="input of inner"):
        await _run({"steps": [{**step, "subflow": {"workflow": "inner"}}]}, {}, inner=inner)
