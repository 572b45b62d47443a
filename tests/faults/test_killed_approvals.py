"""A worker that is killed between the use of an approval and its call: never made twice on one approval, and
the log says what is known of it."""

import asyncio
import importlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.world import MASTER_KEY, World, again, secret_of, until, world

from fairlead.clock import SystemClock
from fairlead.costs.told import Arrival
from fairlead.execution.approval_question import ApprovalPending
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest
from fairlead.execution.tool_call import call_tool
from fairlead.storage.store import Store
from fairlead.workspace.assemble import assemble
from fairlead.workspace.surroundings import Surroundings

BANK = '''
import os
import signal
from pathlib import Path

LEDGER = Path({ledger!r})


def pay(payee: str, amount: float) -> str:
    """Pay."""
    with LEDGER.open("a") as ledger:
        ledger.write(f"{{amount:g}}\\n")
        ledger.flush()
        os.fsync(ledger.fileno())
    if LEDGER.with_suffix(".kill").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return "paid"
'''
POLICIES = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
@id("calls") permit(principal, action == Action::"call_model", resource);
@id("release") permit(principal, action == Action::"release_reply", resource);
@id("pays") @approval("lead") forbid(principal, action == Action::"bank.pay", resource);
"""
# What dies where, whether the approval is used up by then, and how often the bank had paid.
PLACES: tuple[tuple[int, str, bool, bool, int], ...] = (
    (1, "fairlead.execution.approvals.Approvals.use", False, False, 0),
    (2, "fairlead.execution.approvals.Approvals.use", True, True, 0),
    (3, "", False, True, 1),
    (4, "fairlead.costs.ledger.Action.settle", False, True, 1),
)


def test_an_approval_is_used_up_or_still_there_and_its_call_never_made_twice(tmp_path: Path) -> None:
    ledger = tmp_path / "paid"
    ledger.touch()
    w, granted = asyncio.run(_all_granted(tmp_path, ledger))
    for amount, at, after, used, _ in PLACES:
        kill = ledger.with_suffix(".kill")
        if not at:
            kill.touch()
        _killed(at, after, lambda amount=amount: asyncio.run(_another(w, amount)))  # type: ignore[misc]
        kill.unlink(missing_ok=True)
        assert _state(w, granted[amount]) == ("used" if used else "granted")
    assert _paid(ledger) == [amount for amount, *_, paid in PLACES if paid]
    asyncio.run(_looked_after(w, ledger, granted))


async def _all_granted(folder: Path, ledger: Path) -> tuple[World, dict[int, str]]:
    files = {"systems/bank.py": BANK.format(ledger=str(ledger)), "policies/main.cedar": POLICIES}
    systems = {"bank": {"use": "python", "file": "bank.py", "price": 0.5}}
    roles = {"roles": {"lead": {"persons": ["lee"]}}}
    async with world(folder, files, systems=systems, approvals=roles) as w:
        return w, {amount: await _granted(w, amount) for amount, *_ in PLACES}


async def _looked_after(w: World, ledger: Path, granted: dict[int, str]) -> None:
    """What the next worker finds, and what becomes of the same calls."""
    w.running = running = await again(w)
    try:
        await until(lambda: not w.holds())
        for amount, _, _, used, paid in PLACES:
            orphans = [each for each in w.records("call_tool") if each.approvals == (granted[amount],)]
            assert [(each.outcome, each.flags) for each in orphans] == [("orphaned", ("orphaned", "reconcile"))]
            assert orphans[0].cost == 500_000_000
            if used:
                with pytest.raises(ApprovalPending) as anew:  # whoever looks after it decides anew
                    await _pay(w, amount)
                assert anew.value.approval != granted[amount]
                (said,) = [each for each in w.records("approval_used") if each.about.startswith(granted[amount])]
                assert said.about.endswith(orphans[0].run)
            else:
                assert (await _pay(w, amount)).approvals == (granted[amount],)
            assert _paid(ledger).count(amount) == (paid or not used)
    finally:
        await running.stop()


async def _pay(w: World, amount: float) -> ToolAnswer:
    request = ToolRequest(name="bank.pay", arguments={"payee": "B2", "amount": amount})
    return await call_tool(w.fairlead, w.caller("kim"), request, Arrival(door="test"))


async def _granted(w: World, amount: float) -> str:
    with pytest.raises(ApprovalPending) as pending:
        await _pay(w, amount)
    fairlead, id_ = w.fairlead, pending.value.approval
    revision = fairlead.deployment.revision
    await asyncio.to_thread(fairlead.approvals.answer, id_, w.caller("lee"), True, "", revision=revision)
    return id_


async def _another(w: World, amount: float) -> None:
    """A worker of its own, which makes the call."""
    store = Store.open(w.store.path, synchronous="normal")
    w.running = await assemble(Surroundings(store=store, master_key=MASTER_KEY, secrets=secret_of, clock=SystemClock()))
    await _pay(w, amount)


def _killed(at: str, after: bool, work: Callable[[], Any]) -> None:
    """Do it in a process of its own, which is killed as it enters (or leaves) a method."""
    child = os.fork()
    if child == 0:
        if at:
            module, kind, name = at.rsplit(".", 2)
            owner = getattr(importlib.import_module(module), kind)
            real = getattr(owner, name)

            def dies(*given: Any, **named: Any) -> Any:
                done = real(*given, **named) if after else None
                os.kill(os.getpid(), signal.SIGKILL)
                return done

            setattr(owner, name, dies)
        try:
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"it never came to {at or 'the bank'}"


def _state(w: World, id_: str) -> str:
    from fairlead.storage.approval_rows import one

    with w.store.reading() as connection:
        row = one(connection, id_)
    assert row is not None
    return row.state


def _paid(ledger: Path) -> list[float]:
    return [float(line) for line in ledger.read_text().split()]
