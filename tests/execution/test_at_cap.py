"""What is declared for a call that does not fit: a cheaper model, or somebody is asked to raise the budget."""

import asyncio
import re
from pathlib import Path

import pytest
from tests.world import world

from fairlead.errors import OverBudget
from fairlead.execution.approval_question import OwnCall
from fairlead.identity.types import Caller
from fairlead.storage.balances import balances, moves

ROOM = "0.005"  # for an answer of `house`, and none of `small`


async def test_a_cheaper_candidate_that_fits_is_used_and_the_reply_says_so(tmp_path: Path) -> None:
    budget = {"organisation": {"total": ROOM, "at_cap": "cheaper"}}
    async with world(tmp_path, budgets=budget, prefer=["small", "house"]) as w:
        answer = await w.ask("say 2", model="auto")
        assert (answer.model.name, answer.flags) == ("house", ("cheaper",))
        assert [(each.model, each.by) for each in answer.dropped] == [("small", "budget")]
        assert ("small", "budget") in w.records()[-1].dropped
        with pytest.raises(OverBudget):
            await w.ask("say 2", model="small")


async def test_whoever_is_named_raises_the_budget_once_for_all_who_wait(tmp_path: Path) -> None:
    budget = {
        "organisation": {"total": ROOM, "at_cap": "ask", "ask": {"role": "lead", "raise_by": 1}},
    }
    lee = Caller(person="lee", groups=frozenset({"leads"}))
    async with world(tmp_path, budgets=budget, approvals={"roles": {"lead": {"persons": ["lee", "kim"]}}}) as w:
        asked = set()
        for _ in range(2):
            with pytest.raises(OverBudget) as refused:
                await w.ask("say 2", model="small")
            asked |= set(re.findall("apr_[A-Z0-9a-z]+", refused.value.why))
        (id_,) = asked
        approvals, revision = w.fairlead.approvals, w.fairlead.deployment.revision
        with pytest.raises(OwnCall):  # kim's own call does not fit
            await asyncio.to_thread(lambda: approvals.answer(id_, w.caller("kim"), True, "", revision=revision))
        await asyncio.to_thread(lambda: approvals.answer(id_, lee, True, "go on", revision=revision))
        assert (await w.ask("say 2", model="small")).model.name == "small"
        assert balances(w.store)["organisation", "all"].extra == 10**9
        (move,) = moves(w.store)
        assert (move.kind, move.by) == ("raise", f"approval:{id_}")
        assert [each.state for each in approvals.all()] == ["used"]
