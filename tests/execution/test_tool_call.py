"""The path of a tool's call: who may, with which arguments, under which facts; and that all of it is recorded."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.execution.test_stopping import thrown
from tests.world import World, until, world

from fairlead.costs.told import Arrival
from fairlead.errors import BadInput, DeadlineExceeded, Denied, NotFound, Stopped, Upstream, Withheld
from fairlead.execution.approval_question import ApprovalPending
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest
from fairlead.execution.tool_call import call_tool
from fairlead.lanes.rates import TooFast
from fairlead.tools.failures import SystemFailed

BANK = '''
READS = {"balance"}
DONE = []


def balance(account: str) -> dict[str, float | str]:
    """What is in an account."""
    return {"account": account, "amount": 100.0, "note": "card 4111 1111 1111 1111"}


def transfer(account: str, payee: str, amount: float) -> str:
    """Move money."""
    DONE.append((account, payee, amount))
    return f"moved {amount:g} to {payee}; {len(DONE)} so far"


def close(account: str) -> str:
    """Close an account."""
    return "closed"


async def slow(account: str) -> str:
    """Takes its time."""
    import asyncio
    await asyncio.sleep(30)
    return "late"


def broken(account: str) -> str:
    """Fails."""
    raise RuntimeError("secret detail")
'''
POLICIES = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource in System::"bank");
@id("results") permit(principal, action == Action::"release_result", resource);
@id("calls") permit(principal, action == Action::"call_model", resource);
@id("release") permit(principal, action == Action::"release_reply", resource);
@id("no-cards") @redact("payment_card")
forbid(principal, action == Action::"release_result", resource) when { context.categories.contains("payment_card") };
@id("large") @reason("larger transfers are looked at by two") @approval("finance-lead")
forbid(principal, action == Action::"bank.transfer", resource)
when { context.arguments.amount.greaterThan(decimal("50.0")) };
@id("payees") @reason("a payee comes from the person or a trusted system")
forbid(principal, action == Action::"bank.transfer", resource) when { context.untrusted.contains("payee") };
@id("never-close") forbid(principal, action == Action::"bank.close", resource);
"""
CARD = """
about: Accounts of the house.
tools:
  transfer:
    about: Moves money between accounts.
    facts:
      balance: {tool: bank.balance, arguments: {account: $account}, take: amount, type: decimal}
    requires:
      enough:
        that: context.facts.balance.greaterThanOrEqual(context.arguments.amount)
        instead: read the balance first, and ask for no more than that
"""
FILES = {"systems/bank.py": BANK, "systems/bank.yaml": CARD, "policies/main.cedar": POLICIES}
SYSTEMS = {"bank": {"use": "python", "file": "bank.py", "data_class": "confidential", "price": 0.01}}
USER = frozenset({"user"})
DEEP = {"deep": {"use": "python", "file": "deep.py"}}
DEEP_FILES = {
    "systems/deep.py": '''
from typing import Any


def dig(levels: int) -> dict[str, Any]:
    """Dig."""
    data: dict[str, Any] = {}
    for _ in range(levels):
        data = {"a": data}
    return data


def dump(data: dict[str, Any]) -> str:
    """Dump."""
    return "gone"
''',
    "policies/main.cedar": """@id("all") permit(principal, action, resource);""",
}


async def call(w: World, name: str, arguments: dict[str, Any], *, person: str = "kim", **more: Any) -> ToolAnswer:
    request = ToolRequest(name=name, arguments=arguments, **more)
    return await call_tool(w.fairlead, w.caller(person), request, Arrival(door="test"))


def from_user(arguments: dict[str, Any]) -> dict[str, frozenset[str]]:
    return dict.fromkeys(arguments, USER)


async def transfer(w: World, amount: float, **more: Any) -> ToolAnswer:
    arguments = {"account": "A1", "payee": "B2", "amount": amount}
    return await call(w, "bank.transfer", arguments, sources=more.pop("sources", from_user(arguments)), **more)


async def test_a_permitted_call_is_done_billed_and_recorded(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        answer = await transfer(w, 12.5)
        assert answer.result.text == "moved 12.5 to B2; 1 so far"
        assert answer.cost == 10_000_000
        (record,) = w.records("call_tool", answer.run)
        assert (record.tool, record.outcome, record.cost, record.rights) == (
            "bank.transfer",
            "done",
            10_000_000,
            "none",
        )
        assert record.sources == ("user",)
        assert record.policies == ("staff",)
        (fact,) = [each for each in w.records("call_tool") if each.within == answer.run]
        assert fact.tool == "bank.balance"
        assert not w.holds()


async def test_what_the_policies_say_of_the_arguments_decides(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        with pytest.raises(ApprovalPending, match="finance-lead"):
            await transfer(w, 75)
        with pytest.raises(Denied, match="not permitted") as broken:
            await transfer(w, 101)
        assert broken.value.mend == "read the balance first, and ask for no more than that"
        with pytest.raises(Denied) as untrusted:
            await transfer(w, 5, sources={"payee": frozenset({"tool:mail.read"}), "amount": USER, "account": USER})
        assert "a payee comes from" in untrusted.value.why
        with pytest.raises(Denied):
            await transfer(w, 5, sources={})  # of which nothing is said is not trusted
        with pytest.raises(Denied):
            await call(w, "bank.close", {"account": "A1"})
        with pytest.raises(Denied):
            await call(w, "bank.balance", {"account": "A1"}, person="max")
        outcomes = [each.outcome for each in w.records("call_tool") if each.tool == "bank.transfer"]
        assert outcomes == ["refused"] * 4
        answer = await transfer(w, 1)
        assert answer.result.text.endswith("1 so far")  # none of them was done


async def test_a_result_is_data_of_its_class_and_is_blacked_out(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        answer = await call(w, "bank.balance", {"account": "A1"})
        assert answer.result.structured["note"] == "card [PAYMENT_CARD]"
        assert "4111" not in answer.result.text
        assert answer.labels.data_class.name == "confidential"
        assert answer.source == "tool:bank.balance"


async def test_bad_calls_are_refused_before_anything_is_done(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        with pytest.raises(NotFound, match=r"bank\.transfers"):
            await call(w, "bank.transfers", {})
        with pytest.raises(BadInput, match="amount"):
            await call(w, "bank.transfer", {"account": "A1", "payee": "B2", "amount": "much"})
        with pytest.raises(BadInput, match="payee"):
            await call(w, "bank.transfer", {"account": "A1", "amount": 1})
        with pytest.raises(BadInput, match="larger than policies can judge"):
            await transfer(w, 1e300)
        with pytest.raises(BadInput, match="no argument of this call"):
            await call(w, "bank.balance", {"account": "A1"}, sources={"payee": USER})
        assert {each.outcome for each in w.records("call_tool") if not each.within} == {"refused"}


async def test_a_tool_that_breaks_leaves_a_record_and_no_detail(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        with pytest.raises(Upstream) as broken:
            await call(w, "bank.broken", {"account": "A1"})
        assert "secret" not in str(broken.value) + broken.value.why
        record = w.records("call_tool")[-1]
        assert record.outcome == "failed"
        assert not w.holds()


async def test_without_a_permit_for_results_nothing_is_given(tmp_path: Any) -> None:
    files = FILES | {"policies/main.cedar": POLICIES.replace('@id("results") permit', '@id("results") forbid')}
    async with world(tmp_path, files, systems=SYSTEMS) as w:
        with pytest.raises(Withheld):
            await call(w, "bank.balance", {"account": "A1"})


async def test_a_workspace_without_policies_lets_tools_read_and_not_write(tmp_path: Any) -> None:
    async with world(tmp_path, {"systems/bank.py": BANK}, systems=SYSTEMS) as w:
        answer = await call(w, "bank.balance", {"account": "A1"}, person="max")
        assert answer.result.structured["amount"] == 100.0
        with pytest.raises(Denied):
            await transfer(w, 1)


async def test_tools_are_listed_for_whom_some_call_may_be_permitted(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        deployment = w.fairlead.deployment
        tools = list(deployment.systems.tools.values())
        rights = deployment.policy.tools
        kim = {each.name for each in rights.visible(w.caller("kim"), tools)}
        assert kim == {"bank.balance", "bank.transfer", "bank.broken", "bank.slow"}
        assert rights.visible(w.caller("max"), tools) == []


async def test_a_stopped_system_is_left_alone_and_what_is_under_way_in_it_ends(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        under_way = asyncio.ensure_future(call(w, "bank.slow", {"account": "A1"}))
        await until(lambda: w.fairlead.under_way)
        await thrown(w, "system", "bank", ends=True)
        with pytest.raises(Stopped):
            await under_way
        record = w.records("call_tool")[-1]
        assert (record.outcome, record.flags, record.cost) == ("refused", ("reconcile",), 10_000_000)
        with pytest.raises(Stopped):
            await call(w, "bank.balance", {"account": "A1"})
        assert (await w.ask()).model.name == "small"  # what has nothing to do with it goes on


async def test_a_system_that_takes_too_long_is_given_up_and_the_bill_is_to_be_reconciled(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems={"bank": SYSTEMS["bank"] | {"timeout": 1}}) as w:
        with pytest.raises(DeadlineExceeded, match="did not answer within"):
            await call(w, "bank.slow", {"account": "A1"})
        record = w.records("attempt")[-1]
        assert record.flags == ("failed", "deadline_exceeded", "reconcile")
        assert not w.holds()


@pytest.mark.parametrize(
    "scope", ['action in Action::"call_tool"', 'action in [Action::"bank.transfer", Action::"bank.balance"]']
)
async def test_a_policy_about_many_tools_asks_for_each_of_them(tmp_path: Any, scope: str) -> None:
    asking = f"""
@id("staff") permit(principal, action in Action::"call_tool", resource);
@id("writes") @approval("finance-lead") forbid(principal, {scope}, resource) when {{ resource.effect == "write" }};
"""
    files = {"systems/bank.py": BANK, "policies/main.cedar": asking}
    async with world(
        tmp_path, files, systems=SYSTEMS, approvals={"roles": {"finance-lead": {"persons": ["lee"]}}}
    ) as w:
        with pytest.raises(ApprovalPending):
            await transfer(w, 5)


async def test_as_many_calls_of_a_system_go_on_at_once_as_may(tmp_path: Any) -> None:
    async with world(tmp_path, FILES, systems={"bank": SYSTEMS["bank"] | {"at_once": 1, "timeout": 3}}) as w:
        under_way = asyncio.ensure_future(call(w, "bank.slow", {"account": "A1"}))
        await until(lambda: w.fairlead.under_way)
        with pytest.raises(DeadlineExceeded, match="had no turn"):
            request = ToolRequest(name="bank.balance", arguments={"account": "A1"})
            await call_tool(w.fairlead, w.caller("kim"), request, Arrival(door="test", deadline=0.1))
        assert w.records("attempt")[-1].cost == 0  # nothing was sent
        with pytest.raises(DeadlineExceeded, match="did not answer"):
            await under_way
        assert (await call(w, "bank.balance", {"account": "A1"})).result.structured["amount"] == 100.0


async def test_a_large_result_is_looked_at_beside_the_loop_and_blacked_out(tmp_path: Any) -> None:
    text = BANK.replace('"note": "card 4111 1111 1111 1111"', '"note": "x " * 100_000 + "card 4111 1111 1111 1111"')
    async with world(tmp_path, FILES | {"systems/bank.py": text}, systems=SYSTEMS) as w:
        answer = await call(w, "bank.balance", {"account": "A1"})
        assert answer.result.structured["note"].endswith("card [PAYMENT_CARD]")


async def test_calls_are_limited_and_what_they_read_as_facts_counts_with_them(tmp_path: Any) -> None:
    limits = {"persons": {"kim": {"calls": 2}}, "tools": {"bank.transfer": {"calls": 1}}}
    async with world(tmp_path, FILES, systems=SYSTEMS, limits=limits) as w:
        await transfer(w, 1)
        with pytest.raises(TooFast, match=r"bank\.transfer"):
            await transfer(w, 2)
        await call(w, "bank.balance", {"account": "A1"})
        with pytest.raises(TooFast, match="kim"):
            await call(w, "bank.balance", {"account": "A1"})
        errors = [each.error.code for each in w.records("call_tool") if each.error]
        assert errors == ["rate_limited"] * 2
        assert not w.holds()


@pytest.mark.parametrize("levels", [300, 900])
async def test_what_is_nested_too_deep_neither_goes_out_nor_comes_back(tmp_path: Path, levels: int) -> None:
    async with world(tmp_path, DEEP_FILES, systems=DEEP) as w:
        with pytest.raises(SystemFailed, match="deeper") as failed:
            await call(w, "deep.dig", {"levels": levels})
        assert w.records(run=failed.value.run)[-1].outcome == "failed"
        data: dict[str, Any] = {}
        for _ in range(levels):
            data = {"a": data}
        with pytest.raises(BadInput, match="deeper") as refused:
            await call(w, "deep.dump", {"data": data})
        assert w.records(run=refused.value.run)[-1].outcome == "refused"
        assert (await call(w, "deep.dig", {"levels": 50})).result.structured


@pytest.mark.parametrize("account", ["\ud800", 10**5000, object()], ids=["half", "long", "other"])
async def test_what_is_no_data_is_refused_and_recorded(tmp_path: Path, account: object) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS) as w:
        with pytest.raises(BadInput, match="no data") as refused:
            await call(w, "bank.balance", {"account": account})
        assert w.records(run=refused.value.run)[-1].outcome == "refused"
