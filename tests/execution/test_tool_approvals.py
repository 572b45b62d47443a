"""Calls that a person must approve first: each approval is for one very call, and lets it pass once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text as sql
from tests.erased import erase
from tests.execution.test_tool_call import FILES, SYSTEMS, USER, transfer
from tests.world import FixedClock, World, again, world

from fairlead.clock import SystemClock
from fairlead.costs.told import Arrival
from fairlead.errors import BadInput, Denied, NotFound, OverBudget, Refused
from fairlead.execution.approval_question import Approval, ApprovalPending, NotOpen, OwnCall
from fairlead.execution.tool_asking import ToolDecided, ToolRequest, asked_of
from fairlead.execution.tool_call import call_tool
from fairlead.execution.tool_talk import judge_answer
from fairlead.identity.types import Caller
from fairlead.policy.tool_schema import fact_value
from fairlead.tools.talk import Talk
from fairlead.tools.types import Credential

APPROVALS = {"roles": {"finance-lead": {"persons": ["lee"]}}}
ARGUMENTS = {"account": "A1", "payee": "B2", "amount": 75}
SOURCES = dict.fromkeys(ARGUMENTS, USER)


def banking(folder: Path, **more: Any) -> Any:
    return world(folder, FILES, systems=SYSTEMS, **{"approvals": APPROVALS, **more})


async def asked(w: World, amount: float = 75, **more: Any) -> str:
    """The id of the question that a call comes to."""
    with pytest.raises(ApprovalPending) as pending:
        await transfer(w, amount, **more)
    assert pending.value.approval in pending.value.message
    return pending.value.approval


async def answered(w: World, id_: str, person: str = "lee", *, allowed: bool = True, reason: str = "") -> Approval:
    fairlead = w.fairlead
    revision = fairlead.deployment.revision
    return await asyncio.to_thread(fairlead.approvals.answer, id_, w.caller(person), allowed, reason, revision=revision)


async def test_an_approved_call_passes_once(tmp_path: Path) -> None:
    async with banking(tmp_path) as w:
        id_ = await asked(w)
        assert await asked(w) == id_  # the same question, not another
        assert w.count("approval") == 1
        granted = await answered(w, id_, reason="as agreed with B2")
        assert (granted.state, granted.answers[0].reason) == ("granted", "as agreed with B2")
        answer = await transfer(w, 75)
        assert answer.result.text.endswith("1 so far")
        assert answer.approvals == (id_,)
        (record,) = w.records("call_tool", answer.run)
        assert (record.approvals, record.policies) == ((id_,), ("large", "staff"))
        assert await asked(w) != id_
        kinds = [each.kind for each in w.records() if each.kind.startswith("approval")]
        assert kinds == ["approval_asked", "approval_granted", "approval_used", "approval_asked"]
        assert "B2" not in b"".join(w.raw_records()).decode()


async def test_a_call_that_was_cut_off_passes_again_under_its_key_and_no_other_does(tmp_path: Path) -> None:
    async with banking(tmp_path) as w:
        await answered(w, id_ := await asked(w))
        request = ToolRequest(name="bank.transfer", arguments=ARGUMENTS, sources=SOURCES)
        driver, once = w.fairlead.deployment.systems.drivers["bank"], Arrival(door="test", once="wf_1:pay")
        keys: list[str] = []

        class Dies:
            async def call(self, call: Any) -> Any:
                if call.tool.name != "transfer":
                    return await driver.call(call)
                keys.append(call.idempotency_key)
                raise asyncio.CancelledError  # the worker ends in the midst of it

        w.fairlead.deployment.systems.drivers["bank"] = Dies()  # type: ignore[assignment]
        with pytest.raises(asyncio.CancelledError):
            await call_tool(w.fairlead, w.caller(), request, once)
        w.fairlead.deployment.systems.drivers["bank"] = driver
        for other in (Arrival(door="test"), Arrival(door="test", once="wf_1:pay_twice")):
            with pytest.raises(ApprovalPending) as pending:
                await call_tool(w.fairlead, w.caller(), request, other)
            assert pending.value.approval != id_
        again = await call_tool(w.fairlead, w.caller(), request, once)
        assert (again.approvals, keys) == ((id_,), ["wf_1:pay"])


async def test_what_differs_in_anything_is_asked_anew(tmp_path: Path) -> None:
    async with banking(tmp_path) as w:
        id_ = await asked(w)
        await answered(w, id_)
        assert await asked(w, 75.5) != id_
        assert await asked(w, 75, person="lee") != id_
        agent = Caller(person="kim", agent="bot", department="sales", groups=frozenset({"staff"}), credential="key:bot")
        request = ToolRequest(name="bank.transfer", arguments=ARGUMENTS, sources=SOURCES)
        with pytest.raises(ApprovalPending) as pending:
            await call_tool(w.fairlead, agent, request, Arrival(door="test"))
        assert pending.value.approval != id_
        assert (await transfer(w, 75)).approvals == (id_,)


async def test_what_a_system_hears_again_is_part_of_what_is_approved(tmp_path: Path) -> None:
    """The answers to its questions mean nothing without it: the same "yes" to another sum is another call."""
    async with banking(tmp_path) as w:
        yes = {"go on": {"action": "accept"}}
        small = await asked(w, talk=Talk(answers=yes, state="of 10"))
        await answered(w, small)
        assert await asked(w, talk=Talk(answers=yes, state="of 10000")) != small
        assert (await transfer(w, 75, talk=Talk(answers=yes, state="of 10"))).approvals == (small,)


async def test_an_answer_that_others_must_be_asked_about_does_not_go_with_the_approval(tmp_path: Path) -> None:
    cards = """@id("cards-go") @approval("privacy") forbid(principal, action == Action::"bank.transfer", resource)
    when { context.labels.contains("payment_card") };"""
    files = FILES | {"policies/cards.cedar": cards}
    roles = {"roles": {"finance-lead": {"persons": ["lee"]}, "privacy": {"persons": ["max"]}}}
    async with world(tmp_path, files, systems=SYSTEMS, approvals=roles) as w:
        deployment = w.fairlead.deployment
        system, tool = deployment.systems.tool("bank.transfer")
        id_ = await asked(w)
        with pytest.raises(Denied, match="may not go there"):
            async with w.fairlead.ledger.open(w.caller(), Arrival(door="test"), deployment, "call_tool") as action:
                request = ToolRequest(name="bank.transfer", arguments=ARGUMENTS, sources=SOURCES)
                made = await asked_of(deployment, action, tool, request)
                made = replace(made, facts={"balance": fact_value(100.0, "decimal", "balance")})
                decided = ToolDecided(system, made, Credential(), (id_,))
                await judge_answer(deployment, action, decided, {"note": "thank you"})
                await judge_answer(deployment, action, decided, {"note": "4111 1111 1111 1111"})


async def test_policies_count_as_they_are_now_and_a_new_one_asks_for_itself(tmp_path: Path) -> None:
    more = """
@id("mailed") @reason("the account was read in a mail") @approval("finance-lead")
forbid(principal, action == Action::"bank.transfer", resource) when { context.untrusted.contains("account") };
"""
    files = FILES | {"policies/more.cedar": more}
    async with world(tmp_path, files, systems=SYSTEMS, approvals=APPROVALS) as w:
        await answered(w, id_ := await asked(w))
        with pytest.raises(Denied, match="not permitted"):
            await transfer(w, 75, sources={})  # nobody has said where the payee came from
        mailed = {**SOURCES, "account": frozenset({"tool:mail.read"})}
        assert await asked(w, sources=mailed) != id_
        assert (await transfer(w, 75)).approvals == (id_,)


async def test_nobody_approves_their_own_call_nor_what_is_not_theirs_to_see(tmp_path: Path) -> None:
    roles = {"finance-lead": {"persons": ["lee", "kim"]}}
    async with banking(tmp_path, approvals={"roles": roles}) as w:
        id_ = await asked(w)
        with pytest.raises(OwnCall):
            await answered(w, id_, "kim")
        with pytest.raises(NotFound):
            await answered(w, id_, "max")
        with pytest.raises(NotFound):
            await answered(w, "apr_0")
        bot = Caller(person="lee", agent="bot", credential="key:bot")
        with pytest.raises(NotFound):  # what an agent of lee's may do is not what lee may
            await asyncio.to_thread(
                w.fairlead.approvals.answer, id_, bot, True, "", revision=w.fairlead.deployment.revision
            )
        await asked(w)


async def test_what_was_denied_is_not_asked_again(tmp_path: Path) -> None:
    async with banking(tmp_path) as w:
        id_ = await asked(w)
        assert (await answered(w, id_, allowed=False, reason="wrong account")).state == "denied"
        with pytest.raises(Denied, match=f"not approved .*{id_}"):
            await transfer(w, 75)
        with pytest.raises(NotOpen, match="is denied"):
            await answered(w, id_)
        assert w.count("approval") == 1


async def test_a_quorum_needs_different_people(tmp_path: Path) -> None:
    roles = {"finance-lead": {"persons": ["lee", "max"], "quorum": 2}}
    async with banking(tmp_path, approvals={"roles": roles}) as w:
        id_ = await asked(w)
        assert (await answered(w, id_)).state == "pending"
        with pytest.raises(NotOpen, match="answered"):
            await answered(w, id_)
        await asked(w)
        assert (await answered(w, id_, "max")).state == "granted"
        await transfer(w, 75)


async def test_who_agreed_counts_while_they_still_may_and_settles_it_when_they_say_it_again(tmp_path: Path) -> None:
    roles = {"finance-lead": {"groups": ["leads"], "quorum": 2}}
    async with banking(tmp_path, approvals={"roles": roles}) as w:
        id_, fairlead = await asked(w), w.fairlead
        revision = fairlead.deployment.revision
        lee = w.caller("lee")
        pat = Caller(person="pat", groups=frozenset({"leads"}), credential="token")
        first = await asyncio.to_thread(fairlead.approvals.answer, id_, lee, True, "fine", revision=revision)
        assert first.state == "pending"
        gone = {"lee"}
        as_it_is = fairlead.approvals.standing

        def standing(who: Caller) -> Caller:
            found = as_it_is(who)
            return replace(found, groups=frozenset()) if who.person in gone else found

        fairlead.approvals.standing = standing
        second = await asyncio.to_thread(fairlead.approvals.answer, id_, pat, True, "", revision=revision)
        assert (second.state, [each.reason for each in second.answers]) == ("pending", ["fine", ""])
        with pytest.raises(NotOpen, match="answered"):
            await asyncio.to_thread(fairlead.approvals.answer, id_, pat, True, "", revision=revision)
        gone.clear()
        settled = await asyncio.to_thread(fairlead.approvals.answer, id_, pat, True, "", revision=revision)
        assert settled.state == "granted"
        await transfer(w, 75)


async def test_an_approval_ends_in_time_whether_or_not_anybody_answered(tmp_path: Path) -> None:
    clock = FixedClock(SystemClock().now())
    async with banking(tmp_path, clock=clock) as w:
        await answered(w, granted := await asked(w))
        waits = await asked(w, 76)
        clock.at += 24 * 3_600_000
        with pytest.raises(NotOpen, match="expired"):
            await answered(w, waits)
        assert await asked(w) not in (granted, waits)
        await asyncio.to_thread(w.fairlead.approvals.sweep)
        expired = [each.about.split()[0] for each in w.records("approval_expired")]
        assert sorted(expired) == sorted([granted, waits])
        clock.at += 31 * 24 * 3_600_000
        await asyncio.to_thread(w.fairlead.approvals.sweep)  # ends the last one
        assert w.count("approval") == 1


async def test_of_many_calls_at_once_one_passes(tmp_path: Path) -> None:
    async with banking(tmp_path) as w:
        await answered(w, id_ := await asked(w))
        done = await asyncio.gather(*(transfer(w, 75) for _ in range(8)), return_exceptions=True)
        passed = [each for each in done if not isinstance(each, BaseException)]
        assert [each.approvals for each in passed] == [(id_,)]
        assert all(isinstance(each, ApprovalPending) for each in done if isinstance(each, BaseException))
        assert not w.holds()
        assert len(w.records("approval_used")) == 1


async def test_what_stops_a_call_before_its_system_leaves_the_approval(tmp_path: Path) -> None:
    async with banking(tmp_path, budgets={"persons": {"kim": {"total": 0.025}}}) as w:
        await answered(w, id_ := await asked(w))  # the fact that the decision needs costs 0.01
        with pytest.raises(OverBudget):
            await transfer(w, 75)
        assert w.fairlead.approvals.one(id_).state == "granted"
        assert not w.holds()


async def test_questions_and_answers_survive_a_restart(tmp_path: Path) -> None:
    async with banking(tmp_path) as w:
        id_ = await asked(w)
        await w.running.stop()
        w.running = await again(w)
        assert await asked(w) == id_
        await answered(w, id_)
        await w.running.stop()
        w.running = await again(w)
        assert (await transfer(w, 75)).approvals == (id_,)
        await w.running.stop()
        w.running = await again(w)
        assert await asked(w) != id_


async def test_an_approval_goes_with_whose_call_it_was(tmp_path: Path) -> None:
    async with banking(tmp_path) as w:
        await answered(w, id_ := await asked(w), reason="fine")
        vault = w.fairlead.ledger.vault
        for person, left in (("lee", 1), ("kim", 0)):
            erase(w.store, vault, person)
            assert w.count("approval") == left
            assert w.count("approval_answer") == 0
        with pytest.raises(NotFound):
            w.fairlead.approvals.one(id_)


async def test_people_are_not_buried_under_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.execution.approvals.MOST_WAITING", 2)
    async with banking(tmp_path) as w:
        await asked(w, 71)
        await asked(w, 72)
        with pytest.raises(Refused, match="2 calls of this person wait"):
            await transfer(w, 73)
        assert w.count("approval") == 2


async def test_a_reason_is_short(tmp_path: Path) -> None:
    async with banking(tmp_path) as w:
        with pytest.raises(BadInput, match="1001 characters"):
            await answered(w, await asked(w), reason="x" * 1001)


async def test_a_webhook_is_told_that_something_is_asked_and_not_what(tmp_path: Path) -> None:
    alarms = {"desk": {"url": "http://127.0.0.1:9/", "secret": "env:TEST_KEY", "inside": True, "plain_http": True}}
    async with banking(tmp_path, alarms=alarms, approvals={**APPROVALS, "notify": "desk"}) as w:
        id_ = await asked(w)
        with w.store.reading() as connection:
            (body,) = connection.execute(sql("SELECT body FROM alarm")).scalars()
        assert json.loads(bytes(body))["approval"] == id_
        assert b"B2" not in bytes(body)
        assert b"kim" not in bytes(body)
