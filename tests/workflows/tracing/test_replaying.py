"""A recorded run comes out the same without anybody being asked, and where it does not, that is told with its place."""

from pathlib import Path

from sqlalchemy import text as sql
from tests.workflows.walking import PAY, PRICE, SHIP, Shop, shop

from fairlead.workflows.tracing.replaying import Rerun
from fairlead.workspace.tracing import opened_again

WORD = {"id": "word", "when": "steps.price.value > 10", "approval": {"role": "boss", "ask": "Shall it go on?"}}
BOTH = {"id": "both", "parallel": {"branches": {"a": [PAY], "b": [{"id": "made", "transform": {"x": "${input}"}}]}}}
EACH = {"id": "each", "map": {"over": "[1, 2]", "at_most": 3, "steps": [{"id": "twice", "transform": "${item * 2}"}]}}


async def again(s: Shop, run: str) -> Rerun:
    return await opened_again(s.runs, run)


async def test_runs_come_out_the_same_however_they_ended(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, BOTH, EACH, WORD, {**SHIP, "after": ["word"]}) as s:
        waiting = await s.bought()
        found = await again(s, waiting["id"])
        assert (found.same, found.end, found.waits) == (True, "open", ("word",))
        s.order(waiting["id"], "approve", "lee", at="word")
        done = await s.walked(waiting["id"])
        calls = len(s.w.records("call_tool"))
        found = await again(s, done["id"])
        assert (found.same, found.end, found.steps["each"].result.value) == (True, "done", [2, 4])  # type: ignore[union-attr]
        assert len(s.w.records("call_tool")) == calls, "nothing is called"
        gone = await s.bought(article="rock")
        found = await again(s, gone["id"])
        assert (found.same, found.end, gone["status"]) == (True, "failed", "failed")
        parked = await s.bought()
        s.order(parked["id"], "cancel")
        assert (await s.walked(parked["id"]))["status"] == "cancelled"
        found = await again(s, parked["id"])
        assert (found.same, found.end) == (True, "cancelled")


async def test_what_was_undone_is_undone_again(tmp_path: Path) -> None:
    refund = {"tool": {"call": "bank.refund", "arguments": {"amount": 5}}}
    pay = {"id": "pay", "tool": {"call": "bank.pay", "arguments": {"amount": 5}}, "compensate": refund}
    async with shop(tmp_path, pay, PRICE) as s:
        failed = await s.bought(article="rock")
        assert failed["failure"]["undone"] == ["pay"]
        found = await again(s, failed["id"])
        assert (found.same, found.end) == (True, "failed")
        assert found.met["pay.~undo"].result is not None


async def test_it_is_told_where_a_run_comes_out_otherwise(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, PAY, {"id": "last", "transform": "${steps.pay.text}"}) as s:
        run = (await s.bought())["id"]

        def change(statement: str) -> None:
            with s.w.store.writing() as connection:
                assert connection.execute(sql(statement)).rowcount >= 1

        sealed = "(SELECT sealed FROM workflow_step WHERE place = 'pay')"
        change(f"UPDATE workflow_step SET sealed = {sealed} WHERE place = 'price'")
        found = await again(s, run)
        assert (found.end, [each.at for each in found.differences]) == ("broken off", ["price"])
        assert "does not open" in found.differences[0].what
        change("DELETE FROM workflow_step WHERE place = 'price'")
        assert [(each.at, each.what) for each in (await again(s, run)).differences] == [
            ("price", "nothing is recorded of it")
        ]
        other = (await s.bought())["id"]
        changed = "CAST(replace(CAST(body AS TEXT), 'pay.text', 'pay.text ') AS BLOB)"
        change(f"UPDATE workflow_definition SET body = {changed}")
        assert "its definition was changed" in (await again(s, other)).differences[0].what
