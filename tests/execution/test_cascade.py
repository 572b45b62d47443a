"""Cascades: a cheaper model answers first, and only an answer that passes its checks leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from itertools import product
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from msgspec.structs import replace
from tests.faults.provider import Provider
from tests.world import World, asked, until, world

from fairlead.cli.ask import tell_course
from fairlead.errors import OverBudget, Upstream, Withheld
from fairlead.execution import Answer, quote
from fairlead.execution.cascade import NotKept
from fairlead.execution.quoting import quote_batch
from fairlead.models.types import Chunk, Model
from fairlead.server.quoted import course_body
from fairlead.workspace.routing_audit import Predictors, audited

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = """---
title: Expenses
audience: [everyone]
---
Receipts are handed in within 30 days after the journey. A hotel may cost 140 euro a night without approval.
"""
TRUE = "Receipts are handed in within 30 days after the journey."
FALSE = "Managers may keep seventeen secret gardens behind the hotel."
SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
FORM = {"type": "json_schema", "json_schema": {"name": "bill", "schema": SCHEMA}}
GOOD, BAD = '{"total": 3}', '{"total": "SECRET"}'
THREE = "models: [small, middle, house]"
FILES = {
    "context/expenses.md": PAGE,
    "rules/said.yaml": "words: [{name: gross, never: [blast], tasks: [kind, kinder, strict]}]\n"
    "judge: [{name: fine, model: critic, ask: Is it kind?, at_least: 4, tasks: [kinder]}]",
    "tasks/bill.yaml": f"cascade: {{{THREE}, keep_if: [schema]}}",
    "tasks/once.yaml": f"cascade: {{{THREE}, keep_if: [schema], at_most: 1, otherwise: keep}}",
    "tasks/page.yaml": f"{{context: 500, cascade: {{{THREE}, keep_if: [grounded]}}}}",
    "tasks/sure.yaml": f"{{context: 500, cascade: {{{THREE}, keep_if: [grounded], otherwise: refuse}}}}",
    "tasks/kind.yaml": f"cascade: {{{THREE}, keep_if: [rules]}}",
    "tasks/kinder.yaml": f"cascade: {{{THREE}, keep_if: [schema, rules]}}",
    "tasks/strict.yaml": f"cascade: {{{THREE}, keep_if: [schema, rules]}}",
    "tasks/both.yaml": f"cascade: {{{THREE}, keep_if: [agreement], agreement: {{with: other, on: number}}}}",
    "tasks/calls.yaml": f"cascade: {{{THREE}, keep_if: [tools]}}",
    "tasks/down.yaml": "cascade: {models: [small, broken, house], keep_if: [schema]}",
    "tasks/stuck.yaml": "{deadline: 1, context: 500, cascade: {models: [small, hanging], keep_if: [grounded]}}",
    "tasks/alone.yaml": "{deadline: 1, context: 500, tier: slow, cascade: {keep_if: [grounded]}}",
    "tasks/free.yaml": "{prefer: [house], cascade: {keep_if: [schema]}}",
}
TOOL = {
    "type": "function",
    "function": {"name": "pay", "parameters": {"type": "object", "properties": {"eur": {"type": "integer"}}}},
}


def models(url: str, at_home: tuple[str, ...] = ()) -> dict[str, Any]:
    def model(remote: str) -> dict[str, Any]:
        kind = "on_prem" if remote in at_home else "cloud"
        return {"use": f"openai-compatible/{remote}", "url": f"{url}/v1", "placement": {"kind": kind}}

    own = {name: model(name) for name in ("small", "middle", "house", "other", "critic")}
    return {**own, "broken": model("fault-500"), "hanging": model("fault-hang")}


TIERS = {"tiers": {"slow": ["hanging", "small"]}}
RICH = {"persons": {"kim": {"daily": 1}}}
PRICE = {"small": 1, "middle": 2, "house": 3, "other": 4, "critic": 5, "broken": 6, "hanging": 7}
PRICES = {name: {"input": n, "output": n} for name, n in PRICE.items()}


def at(tmp_path: Any, files: dict[str, str] = FILES, **more: Any) -> Any:
    more = {"routing": TIERS, **more}
    more.setdefault("models", models)
    return world(tmp_path, files, prices={**PRICES, **more.pop("dear", {})}, **more)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def w(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One deployment for all: what a test says of money is about its own runs, or about all of them."""
    async with at(tmp_path_factory.mktemp("cascade"), budgets=RICH) as made:
        yield made


def says(small: Any = GOOD, middle: Any = GOOD, house: Any = GOOD, other: Any = "") -> str:
    return "by model " + json.dumps({"small": small, "middle": middle, "house": house, "other": other})


async def streamed(w: World, content: str, task: str, **fields: Any) -> tuple[str, Answer]:
    """What left before the answer, and the answer."""
    before: list[str] = []

    async def deliver(run: str, model: Model, chunk: Chunk) -> None:
        before.append(chunk.text)

    return "".join(before), await w.ask(content, model=task, deliver=deliver, stream=True, **fields)


def text(answer: Answer) -> str:
    return answer.reply.choices[0].text


def hung(provider: Provider) -> int:
    """How many requests the provider has left hanging."""
    return sum(each.json["model"] == "fault-hang" for each in provider.received)


def adds_up(w: World, answer: Answer) -> bool:
    """What the caller is told is what the log has, of the run and of who was asked whether it agrees."""
    own = [each for each in w.records() if each.run == answer.run]
    beside = [each for each in w.records() if each.judges == answer.run and each.model == "other"]
    return answer.cost == sum(each.cost for each in (*own, *beside)) and not w.holds()


async def test_a_cheap_answer_is_kept_only_if_it_fits_the_schema(w: World) -> None:
    kept = await w.ask(says(), model="bill", response_format=FORM)
    assert (kept.model.name, text(kept), kept.unkept) == ("small", GOOD, ())
    (record,) = w.records(run=kept.run)
    assert (record.checks, record.cost) == ((("schema", "passed", ""),), kept.cost)
    before, answer = await streamed(w, says(small=BAD, middle="no"), "bill", response_format=FORM)
    assert (before, answer.model.name, text(answer)) == ("", "house", GOOD)
    assert "".join(each.text for each in answer.reply.tail) == GOOD
    first, second, last = w.records(run=answer.run)
    assert [(each.kind, each.outcome, each.model) for each in (first, second, last)] == [
        ("attempt", "escalated", "small"),
        ("attempt", "escalated", "middle"),
        ("call_model", "done", "house"),
    ]
    assert (first.flags, first.checks) == (("escalated",), (("schema", "failed", "type"),))
    assert second.checks == (("schema", "failed", "no_json"),)
    assert all(each.cost > 0 for each in (first, second, last))
    assert [(each.model, each.cost) for each in answer.unkept] == [("small", first.cost), ("middle", second.cost)]
    assert "SECRET" not in str(answer.unkept)
    assert adds_up(w, answer)
    assert (await w.ask(says(), model="house", response_format=FORM)).model.name == "house"
    unchecked = await w.ask(says(small="hello", house="hello"), model="bill")
    assert (unchecked.model.name, unchecked.unkept) == ("house", ())


async def test_what_no_model_gets_right_is_refused_or_given_with_a_warning(w: World) -> None:
    with pytest.raises(NotKept, match="bill") as caught:
        await w.ask(says(BAD, BAD, BAD), model="bill", response_format=FORM)
    assert "'house'" in caught.value.why
    assert "SECRET" not in caught.value.why
    assert [each.outcome for each in w.records(run=caught.value.run)] == ["escalated", "escalated", "refused"]
    assert min(each.cost for each in w.records(run=caught.value.run)) > 0
    answer = await w.ask(says(BAD, "no"), model="once", response_format=FORM)
    assert (answer.model.name, text(answer), answer.flags) == ("middle", "no", ("kept_anyway",))
    assert [each.check for each in answer.doubts] == ["schema"]
    assert adds_up(w, answer)


async def test_an_answer_that_rests_on_nothing_gives_way_to_a_dearer_one(w: World) -> None:
    answer = await w.ask(says(FALSE, TRUE), model="page")
    assert (answer.model.name, answer.unkept[0].check.word) == ("middle", "0.00")
    doubted = await w.ask(says(FALSE, FALSE, FALSE), model="page")
    assert (doubted.model.name, doubted.flags) == ("house", ("kept_anyway",))
    assert adds_up(w, doubted)


async def test_that_it_is_not_known_gives_way_to_a_dearer_answer_and_is_given_where_nobody_knows(w: World) -> None:
    unknown = "I don't know. Please ask the store manager."
    answer = await w.ask(says(unknown, TRUE), model="sure")
    assert (answer.model.name, answer.unkept[0].check.word) == ("middle", "declined")
    declined = await w.ask(says(FALSE, FALSE, unknown), model="sure")
    assert (declined.model.name, text(declined), declined.flags) == ("house", unknown, ())
    with pytest.raises(NotKept):
        await w.ask(says(FALSE, FALSE, f"{unknown} {FALSE}"), model="sure")
    assert adds_up(w, declined)


async def test_what_a_rule_keeps_back_escalates_and_the_last_answer_is_ruled_as_ever(w: World) -> None:
    before, answer = await streamed(w, says("a blast", "a calm day"), "kind")
    assert (before, answer.model.name, text(answer)) == ("", "middle", "a calm day")
    assert answer.unkept[0].check.word == "gross"
    assert adds_up(w, answer)
    with pytest.raises(Withheld, match="gross") as caught:
        await w.ask(says("a blast", "a blast", "a blast"), model="kind")
    last = w.records(run=caught.value.run)[-1]
    assert (last.outcome, last.model, last.policies) == ("refused", "house", ("gross",))
    with pytest.raises(Withheld, match="fine") as caught:  # the judge gives 3 of everything
        await w.ask(says(BAD), model="kinder", response_format=FORM)
    attempts = w.records(run=caught.value.run)
    assert [[one for one, *_ in each.judged] for each in attempts] == [[], ["fine"], ["fine"]]


async def test_two_cheap_models_that_agree_are_believed(w: World) -> None:
    answer = await w.ask(says("It is 1,200.", other="So 1200.0!"), model="both")
    assert (answer.model.name, [each.verdict for each in answer.judged]) == ("small", ["passed"])
    (theirs,) = w.records(run=answer.judged[0].run)
    assert (theirs.judges, theirs.model, theirs.task, theirs.door) == (answer.run, "other", "both", "judge")
    assert theirs.cost > 0
    assert adds_up(w, answer)
    other = await w.ask(says("It is 1,200.", "I think 7.", other="So 12."), model="both")
    assert (other.model.name, other.unkept[0].check.word) == ("middle", "differs")
    assert adds_up(w, other)


async def test_calls_of_tools_must_fit_and_tools_that_failed_pass_a_model_over(w: World) -> None:
    wrong, right = ["pay", {"eur": "many"}], ["pay", {"eur": 3}]
    answer = await w.ask(says(wrong, ["steal", {}], right), model="calls", tools=[TOOL])
    assert [each.check.word for each in answer.unkept] == ["type", "unknown_tool"]
    assert answer.model.name == "house"
    call = {"id": "c", "type": "function", "function": {"name": "pay", "arguments": '{"eur": 3}'}}
    round_ = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "Error: no such account"},
    ]
    conversation = [{"role": "user", "content": "pay it"}]
    for rounds, name in ((0, "small"), (1, "middle"), (2, "house"), (5, "house")):
        answer = await w.ask(model="calls", tools=[TOOL], messages=[*conversation, *round_ * rounds])
        assert answer.model.name == name
    assert ("small", "cascade") in w.records(run=answer.run)[0].dropped


async def test_a_budget_that_cannot_pay_for_the_next_model_refuses_or_keeps_what_there_is(tmp_path) -> None:
    dear = {name: {"input": 1, "output": 900_000} for name in ("middle", "house", "other")}
    async with at(tmp_path, dear=dear, budgets={"persons": {"kim": {"daily": 1}}}) as w:
        with pytest.raises(OverBudget) as caught:
            await w.ask(says(BAD), model="bill", response_format=FORM)
        assert "'small' was not kept" in caught.value.why
        attempt, run = w.records(run=caught.value.run)
        assert (attempt.outcome, run.outcome, run.cost) == ("escalated", "refused", 0)
        before, answer = await streamed(w, says(FALSE), "page")
        assert (before, text(answer), answer.flags) == ("", FALSE, ("kept_anyway", "over_budget"))
        attempt, run = w.records(run=answer.run)
        assert (attempt.model, run.model, run.outcome, run.cost, run.usage) == ("small", "small", "done", 0, None)
        assert run.checks == (("grounded", "failed", "0.00"),)
        assert attempt.cost > 0
        assert adds_up(w, answer)
        alone = await w.ask(says("7", "7", other="7"), model="both")
        assert (alone.model.name, alone.doubts[0].word, alone.flags[0]) == ("small", "over_budget", "kept_anyway")
        assert adds_up(w, alone)
        assert w.balance("person/kim")[0] == 0


async def test_an_answer_is_kept_where_the_next_models_must_not_see_the_request(tmp_path) -> None:
    rules = [{"redact": ["email"], "for": "cloud"}]
    at_home = partial(models, at_home=("small",))
    async with at(tmp_path, models=at_home, rules=rules, budgets=RICH) as w:
        kept = await w.ask(says(FALSE), model="page", stop=["zoe@firm.example"])
        assert (kept.model.name, text(kept), kept.flags) == ("small", FALSE, ("kept_anyway", "not_redactable"))
        assert {each.json["model"] for each in w.provider.received} == {"small"}
        assert adds_up(w, kept)


async def test_a_model_that_is_down_is_passed_and_a_deadline_is_that_of_all_attempts(w: World) -> None:
    answer = await w.ask(says(BAD), model="down", response_format=FORM)
    assert answer.model.name == "house"
    assert [each.outcome for each in w.records(run=answer.run)] == ["escalated", "failed", "done"]
    kept = await w.ask(says(FALSE), model="stuck")
    assert (kept.model.name, kept.flags) == ("small", ("kept_anyway", "deadline_exceeded"))
    assert adds_up(w, kept)
    w.provider.always = "500"
    with pytest.raises(Upstream):
        await w.ask(says(), model="bill", response_format=FORM)
    w.provider.always = ""
    assert not w.holds()


async def test_a_client_that_leaves_pays_for_what_ran(w: World) -> None:
    before = hung(w.provider)
    asking = asyncio.ensure_future(w.ask(says(FALSE), model="stuck"))
    await until(lambda: hung(w.provider) > before)
    asking.cancel()
    await asyncio.wait([asking])
    attempt, run = w.records()[-2:]
    assert (attempt.outcome, run.outcome, run.model) == ("escalated", "abandoned", "hanging")
    assert not w.holds()
    assert w.balance("person/kim") == (0, sum(each.cost for each in w.records()))


async def test_an_auditor_makes_the_choice_again_also_where_an_earlier_answer_was_given_in_the_end(tmp_path) -> None:
    usual = {**TIERS, "objective": {"maximise": "quality", "cost_at_most": 1, "explore": 0.2}}
    async with at(tmp_path, routing=usual) as w:
        answer = await w.ask(says(BAD), model="free", response_format=FORM)
        assert (answer.candidates[:2], answer.model.name) == (("small", "middle"), "middle")
        kept = await w.ask(says(FALSE), model="alone")
        assert (kept.model.name, kept.flags) == ("small", ("kept_anyway", "deadline_exceeded"))
        last = w.records(run=kept.run)[-1]
        assert (last.attempt, last.held, last.cost) == (0, 0, 0)
        assert all(each.decision and each.decision.cascade for each in w.records())
        found = audited(w.records(), Predictors(w.store))
        assert (found.checked, found.wrong) == (5, ())


async def test_an_estimate_goes_from_the_first_answer_alone_to_all_that_may_be_asked(w: World, capsys) -> None:
    request, arrival = asked(says("7"), model="both", max_tokens=100)
    arrival = replace(arrival, dry_run=True)
    made = await quote(w.fairlead, w.caller(), request, arrival)
    course, per_token = made.course, PRICE["other"] * 1000
    assert course is not None
    assert (course.models, course.other) == (("small", "middle", "house"), "other")
    given = made.estimates[0].low  # at one unit a million: the input alone
    assert course.low == given + given // 1000 * per_token
    assert course.high == sum(each.high for each in made.estimates) + given // 1000 * per_token + 100 * per_token
    both = await quote_batch(w.fairlead, w.caller(), [request, request], arrival)
    assert [(part.model, part.requests, part.estimate.low > 0) for part in both.parts] == [
        ("small", 2, True),
        ("middle", 2, False),
        ("house", 2, False),
        ("other", 2, True),
    ]
    assert both.whole.high == 2 * course.high
    tell_course(msgspec.to_builtins(course_body(course, made.unit)), "EUR")
    assert "small, then middle, then house" in capsys.readouterr().err
    assert not w.holds()


async def test_without_a_list_those_answer_first_who_cost_less_than_the_one_that_is_preferred(w: World) -> None:
    answer = await w.ask(says(BAD, BAD), model="free", response_format=FORM)
    assert answer.candidates[:3] == ("small", "middle", "house")
    assert answer.model.name == "house"


async def test_whatever_the_checks_say_one_answer_leaves_and_its_price_is_that_of_all_attempts(w: World) -> None:
    ruled = '{"total": 1, "note": "blast"}'
    for number, case in enumerate(product((GOOD, BAD, ruled), repeat=3)):
        left: list[str] = []

        async def deliver(run: str, model: Model, chunk: Chunk, left: list[str] = left) -> None:
            left.append(chunk.text)

        door: dict[str, Any] = {"deliver": deliver, "stream": True} if number % 2 else {}
        try:
            answer = await w.ask(says(*case), model="strict", response_format=FORM, **door)
        except Withheld:
            assert case[-1] == ruled
            assert GOOD not in case
        except NotKept:
            assert case[-1] == BAD
            assert GOOD not in case
        else:
            assert (text(answer), len(answer.unkept)) == (GOOD, case.index(GOOD))
            assert adds_up(w, answer)
        assert not left
    assert not w.holds()
    assert w.balance("person/kim") == (0, sum(each.cost for each in w.records()))
