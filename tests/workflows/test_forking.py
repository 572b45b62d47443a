"""Copies of runs: what was done before a step is taken over and never done, nor paid, nor undone by the copy."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.workflows.walking import PAY, PRICE, SHIP, Shop, shop

from fairlead.errors import BadInput, Denied
from fairlead.workflows.steering import NotNow

UNDO = {"compensate": {"tool": {"call": "bank.refund", "arguments": {"amount": "${steps.price.value}"}}}}
ASK = {"id": "ask", "approval": {"role": "boss", "ask": "Pay ${steps.price.value}?"}}
NO_LAMP = """@id("no-pay") forbid(principal, action == Action::"start_workflow", resource == Workflow::"buy")
when { context.copy };"""

LETTERS = """
import asyncio
from pathlib import Path

from fairlead.tools import ToolError


async def post(box: str):
    if Path(box).exists():
        raise ToolError("it was posted")
    Path(box).touch()
    raise asyncio.CancelledError
"""


def at(copy: dict[str, object], key: str) -> list[str]:
    return list(copy["copy"][key])  # type: ignore[index]


async def test_a_failed_run_goes_on_from_the_step_that_failed_with_what_it_was_given(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, PAY, SHIP) as s:
        run = await s.bought(article="lamp")
        assert run["status"] == "done"
        failed = await s.walked(s.begin(article="stone"))
        assert (failed["failure"]["at"], s.calls("bank.price")) == ("price", 2)
        with pytest.raises(BadInput, match="no step 'shp'"):
            s.order(failed["id"], "fork", **{"from": "shp"})
        with pytest.raises(BadInput, match="would fail there too"):
            s.order(failed["id"], "fork", **{"from": "pay"})
        plan = s.order(failed["id"], "fork", set={"price": 7}, dry_run=True)
        assert (at(plan, "kept"), at(plan, "edited")) == ([], ["result price"])
        copy = s.order(failed["id"], "fork", set={"price": 7}, once="mended")
        again = s.order(failed["id"], "fork", set={"price": 7}, once="mended")
        assert (copy["new"], again["new"], again["id"], copy["parent"]) == (True, False, copy["id"], failed["id"])
        with pytest.raises(NotNow, match="'mended' was begun with other edits"):
            s.order(failed["id"], "fork", set={"price": 8}, once="mended")
        mended = await s.walked(copy["id"])
        assert (mended["failure"]["at"], s.calls("bank.pay"), s.calls("bank.price")) == ("ship", 2, 2)
        assert mended["steps"][0]["value"] == 7
        assert s.shown(failed["id"])["status"] == "failed"  # as it was
        (record,) = s.w.records("workflow_forked")
        assert record.about == f"{copy['id']} of {failed['id']} from price; edited: result price"


async def test_what_was_done_is_neither_repeated_nor_paid_nor_undone_by_the_copy(tmp_path: Path) -> None:
    dear = {"id": "word", "model": {"prompt": "Say it.", "model": "small"}}
    async with shop(tmp_path, PRICE, dear, PAY | UNDO, SHIP) as s:
        run = await s.bought()
        first = s.order(run["id"], "fork", **{"from": "ship"}, input={"article": "stone"}, again=True)
        assert at(first, "kept") == ["price", "word", "pay"]
        copy = await s.walked(first["id"])
        assert (copy["status"], copy["cost"], s.calls("bank.pay"), s.calls("bank.refund")) == ("failed", 0, 1, 0)
        assert copy["failure"]["not_undone"][0][0] == "pay"
        assert f"was done by run {run['id']}" in copy["failure"]["not_undone"][0][1]
        assert len(s.w.records("call_model")) == 1
        assert s.order(run["id"], "fork", **{"from": "pay"}, dry_run=True)["copy"]["again"] == [
            {"at": "pay", "does": "tool bank.pay"},
            {"at": "ship", "does": "tool bank.ship"},
        ]
        with pytest.raises(NotNow, match="would do again what was done: pay"):
            s.order(run["id"], "fork", **{"from": "pay"})
        assert (await s.walked(s.order(run["id"], "fork", **{"from": "pay"}, again=True)["id"]))["status"] == "done"
        assert (s.calls("bank.pay"), s.calls("bank.price")) == (2, 1)


async def test_what_was_cut_off_while_it_changed_something_is_not_done_again_unasked(tmp_path: Path) -> None:
    """Nothing says how these are undone; their worker dies when they are done and before anybody knows of it."""
    post = {
        "id": "post",
        "python": {"function": "letters:post", "effect": "write", "arguments": {"box": f"{tmp_path}/box"}},
    }
    async with shop(tmp_path, PRICE, PAY, post, files={"workflows/letters.py": LETTERS}) as s:
        drivers, run = s.w.fairlead.deployment.systems.drivers, s.begin()
        bank = drivers["bank"]

        class Dies:
            async def call(self, call: Any) -> Any:
                done = await bank.call(call)
                if call.tool.name == "pay":
                    raise asyncio.CancelledError
                return done

        drivers["bank"] = Dies()  # type: ignore[index]
        await died(s, run)
        drivers["bank"] = bank  # type: ignore[index]
        assert at(s.order(run, "fork", **{"from": "price"}, dry_run=True), "again") == [
            {"at": "pay", "does": "tool bank.pay"}
        ]
        with pytest.raises(NotNow, match=r"would do again what was done: pay \(tool bank.pay\)"):
            s.order(run, "fork", **{"from": "pay"})
        s.order(run, "resume")
        await died(s, run)
        with pytest.raises(NotNow, match=r"would do again what was done: post \(python letters:post\)"):
            s.order(run, "fork", **{"from": "post"})
        s.order(run, "resume")
        assert (await s.walked(run))["failure"]["message"] == "it was posted"
        with pytest.raises(NotNow, match="would do again"):  # the second try failed, and nobody knows of the first
            s.order(run, "fork", **{"from": "post"})
        assert s.order(run, "fork", **{"from": "post"}, again=True)["new"]


async def died(s: Shop, run: str) -> None:
    """The worker that walks the run dies, others know it, and the run is paused before one takes it up."""
    with pytest.raises(asyncio.CancelledError):
        await s.walked(run)
    assert s.taking.let_go([run]) == 1
    s.order(run, "pause")


async def test_what_was_taken_back_is_not_taken_over(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, PAY | UNDO, SHIP | {"when": "false"}, {"id": "end", "transform": "${1 / 0}"}) as s:
        run = await s.bought()
        assert (run["status"], s.calls("bank.refund")) == ("failed", 1)
        with pytest.raises(NotNow, match="pay was undone") as refused:
            s.order(run["id"], "fork")
        assert "--from pay" in refused.value.mend
        assert s.order(run["id"], "fork", **{"from": "pay"}, dry_run=True)["copy"]["again"] == []


async def test_what_people_agreed_to_is_asked_again_where_it_may_be_something_else(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, ASK, PAY, SHIP) as s:
        id_ = s.begin()
        assert (await s.walked(id_))["status"] == "waiting"
        with pytest.raises(NotNow, match="would go on beside its copy"):
            s.order(id_, "fork", **{"from": "price"})
        s.order(id_, "approve", "lee", at="ask")
        assert (await s.walked(id_))["status"] == "done"
        with pytest.raises(BadInput, match="cannot be given: it is a `approval`"):
            s.order(id_, "fork", set={"ask": {"approved": True}})
        dearer = s.order(id_, "fork", set={"price": 9000}, again=True)
        assert (at(dearer, "kept"), at(dearer, "edited")) == ([], ["result price"])
        assert (await s.walked(dearer["id"]))["waits"][0]["ask"] == "Pay 9000?"
        same = s.order(id_, "fork", **{"from": "ship"}, again=True)
        assert (await s.walked(same["id"]))["status"] == "done"
        other = s.order(id_, "fork", **{"from": "ship"}, input={"article": "stone"}, again=True)
        assert at(other, "asked_again") == ["ask"]
        assert (await s.walked(other["id"]))["status"] == "waiting"


async def test_another_model_and_the_definition_of_now(tmp_path: Path) -> None:
    say = {"id": "say", "model": {"prompt": "Say it.", "model": "small"}}
    async with shop(tmp_path, PRICE, say, {"id": "end", "transform": "${1 / 0}"}) as s:
        run = await s.bought()
        with pytest.raises(BadInput, match="no model 'hous'"):
            s.order(run["id"], "fork", models={"say": "hous"})
        with pytest.raises(BadInput, match="is a `tool`"):
            s.order(run["id"], "fork", models={"price": "house"})
        copy = s.order(run["id"], "fork", models={"say": "house"})
        assert at(copy, "kept") == ["price"]
        await s.walked(copy["id"])
        assert [each.model for each in s.w.records("call_model")] == ["small", "house"]
        mended = _mended(s)
        current = s.order(run["id"], "fork", current=True)
        assert (current["definition"], at(current, "kept")) == (mended, ["price", "say"])
        assert (await s.walked(current["id"]))["output"] == 1


async def test_whoever_may_not_begin_it_may_not_copy_it(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, SHIP, files={"policies/no.cedar": NO_LAMP}) as s:
        run = await s.bought()
        with pytest.raises(Denied, match="kim may not begin buy"):
            s.order(run["id"], "fork", **{"from": "ship"}, again=True)
        (refused,) = s.w.records("start_workflow")
        assert (refused.outcome, refused.policies, refused.about) == ("refused", ("no-pay",), "buy")
        assert s.w.records("workflow_begun")[0].policies == ("all",)


def _mended(s: Shop) -> str:
    """The workflow as if it had been published anew: its last step works."""
    from msgspec.structs import replace

    bundle = s.workflows.bundles["buy"]
    steps = (*bundle.definition.steps[:-1], replace(bundle.definition.steps[-1], transform="${1}"))
    now = replace(bundle, definition=replace(bundle.definition, steps=steps))
    s.workflows.in_force = replace(s.workflows.in_force, bundles={"buy": now})
    return now.digest
