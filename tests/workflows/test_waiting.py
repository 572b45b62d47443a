"""What is parked for days goes on as things stand by then: the answer counts once, and so do the policies of now."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.workflows.walking import BANK, INPUT, PAY, PERMITS, PRICE, ROLES, SYSTEMS, Shop, shop
from tests.world import MASTER_KEY, FixedClock, Served, World, again, key_of, secret_of, served

from fairlead.clock import SystemClock
from fairlead.errors import Broken, Denied, NotFound, Unauthenticated
from fairlead.identity.types import Caller
from fairlead.policy.compile import compile_policy
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Away
from fairlead.workflows.definition import Definition
from fairlead.workflows.steering import NotNow
from fairlead.workspace.assemble import assemble
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish
from fairlead.workspace.surroundings import Surroundings

DAY = 86_400
ASK = {"id": "ask", "approval": {"role": "boss", "ask": "Pay ${steps.price.value}?"}, "timeout": "8d"}
NEVER = """@id("never") @reason("nothing is bought any more")
forbid(principal, action == Action::"bank.pay", resource);
"""
NOBODY = '@id("none") @reason("nobody begins it") forbid(principal, action, resource);'


async def test_an_approval_given_after_days_while_nothing_ran_is_paid_once(tmp_path: Path) -> None:
    clock = FixedClock()
    async with shop(tmp_path, PRICE, ASK, PAY, clock=clock) as s:
        run = s.begin()
        assert (await s.walked(run))["status"] == "waiting"
        await s.w.running.stop()
        clock.tick(7 * DAY)
        s.order(run, "approve", "lee", at="ask")  # nothing walks, and nothing follows
        assert (s.shown(run)["status"], s.calls("bank.pay")) == ("accepted", 0)
        s.w.running = await again(s.w)
        later = Shop(s.w)
        assert (await later.walked(run))["status"] == "done"
        assert (later.calls("bank.pay"), later.calls("bank.price")) == (1, 1)
        assert (await later.walked(run))["status"] == "done"
        assert later.calls("bank.pay") == 1
        late = later.begin()
        await later.walked(late)
        clock.tick(9 * DAY)
        assert (await later.walked(late))["failure"]["code"] == "unanswered"


async def test_what_is_said_too_late_counts_no_more_though_nothing_has_run_meanwhile(tmp_path: Path) -> None:
    deny = {"id": "ask", "approval": {"role": "boss", "ask": "Pay?", "unanswered": "deny"}, "timeout": "7d"}
    come = {"id": "come", "wait": {"signal": "come", "default": "nobody came"}, "timeout": "7d"}
    clock = FixedClock()
    both = {"branches": {"asked": [deny], "told": [come]}}
    async with shop(tmp_path, PRICE, {"id": "both", "parallel": both}, PAY, clock=clock) as s:
        early, late = s.begin(), s.begin()
        assert (await s.walked(late))["status"] == "waiting"
        await s.w.running.stop()
        clock.tick(7 * DAY - 0.001)
        assert s.order(early, "approve", "lee", at="both.asked.ask")["settled"]
        clock.tick(0.001)
        assert not list(s.workflows.questions(s.w.caller("lee")))
        with pytest.raises(NotFound, match="asks nothing at"):
            s.order(late, "approve", "lee", at="both.asked.ask")
        with pytest.raises(NotFound, match="waits for no signal"):
            s.order(late, "signal", signal="come")
        s.w.running = await again(s.w)
        later = Shop(s.w)
        assert (await later.walked(late))["failure"]["code"] == "not_approved"
        assert (later.shown(early)["status"], later.calls("bank.pay")) == ("done", 1)


async def test_a_policy_amended_while_a_purchase_is_parked_is_the_one_that_counts(tmp_path: Path) -> None:
    text = msgspec.json.encode(msgspec.convert({"input": INPUT, "steps": [PRICE, ASK, PAY]}, Definition)).decode()
    files = {"systems/bank.py": BANK, "policies/all.cedar": PERMITS, "workflows/buy.yaml": text}
    with served(tmp_path, files, systems=SYSTEMS, approvals=ROLES) as s, httpx.Client(base_url=s.url) as client:
        body = {"input": {"article": "lamp"}}
        headers = {person: {"x-api-key": key_of(person)} for person in ("kim", "lee")}
        run = client.post("/v1/workflows/buy/runs", headers=headers["kim"], json=body).json()["id"]
        async with asyncio.timeout(60):
            walker = await _walker(s)
            assert (await walker.walked(run))["status"] == "waiting"
            (s.folder / "acme" / "policies" / "all.cedar").write_text(PERMITS + NEVER)
            await asyncio.to_thread(_published, s)
            order = {"do": "approve", "at": "ask"}
            answer = client.post(f"/v1/workflows/runs/{run}", headers=headers["lee"], json=order)
            assert answer.json()["settled"]
            await walker.walked(run)
            await walker.w.running.stop()
        found = client.get(f"/v1/workflows/runs/{run}", headers=headers["kim"]).json()
        assert (found["status"], found["failure"]["at"], found["failure"]["code"]) == ("failed", "pay", "denied")
        assert "nothing is bought any more" in found["failure"]["why"]
        assert [each.outcome for each in s.records("call_tool") if each.tool == "bank.pay"] == ["refused"]


async def test_who_agreed_counts_only_while_they_may_still_answer(tmp_path: Path) -> None:
    both = {"id": "ask", "approval": {"role": "clerk", "ask": "Pay?", "quorum": 2}}
    async with shop(tmp_path, PRICE, both, PAY) as s:
        run = s.begin()
        await s.walked(run)
        gone = {"lee"}

        def standing(who: Caller) -> Caller:
            if who.person in gone:
                raise Unauthenticated("the key is gone", mend="")
            return who

        s.workflows.standing = standing
        assert not s.order(run, "approve", "lee", at="ask")["settled"]
        assert not s.order(run, "approve", "max", at="ask")["settled"]
        with pytest.raises(NotNow, match="answered ask already"):
            s.order(run, "approve", "max", at="ask")
        assert (await s.walked(run))["status"] == "waiting"
        gone.clear()  # as is somebody whose process ended between the last answer and what follows from it
        assert s.order(run, "approve", "max", at="ask")["settled"]
        assert (await s.walked(run))["status"] == "done"
        assert s.calls("bank.pay") == 1


async def test_to_try_again_takes_the_right_to_begin(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE) as s:
        run = s.begin(article="stone")
        assert (await s.walked(run))["status"] == "failed"
        before = s.workflows.permits.in_force
        assert before is not None
        s.workflows.permits.in_force = compile_policy({"policies/none.cedar": NOBODY}), "another"
        with pytest.raises(Denied, match="may not begin"):
            s.order(run, "retry")
        assert s.shown(run)["status"] == "failed"
        s.workflows.permits.in_force = before
        s.order(run, "retry")
        assert s.shown(run)["status"] == "accepted"
        (retried,) = s.w.records("workflow_retry")
        assert (retried.revision, retried.policies) == (before[1], ("all",))


async def test_a_database_that_was_away_for_a_moment_keeps_no_run_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, errors = FixedClock(), [Away("locked", mend=""), Broken("damaged", mend="")]
    async with shop(tmp_path, PRICE, ASK, clock=clock) as s:

        def park(*_: Any) -> bool:
            raise errors.pop(0)

        monkeypatch.setattr(s.runs, "park", park)
        for seconds in (5, 300):
            run = s.begin()
            await s.walked(run)
            assert (s.shown(run)["status"], s.runs.one(run).until - clock.now()) == ("waiting", seconds * 1000)


async def _walker(s: Served) -> Shop:
    """A process beside the server, over the same database."""
    around = Surroundings(store=s.store, master_key=MASTER_KEY, secrets=secret_of, clock=SystemClock())
    return Shop(World(s.store, s.provider, await assemble(around), SystemClock(), s.folder))


def _published(s: Served) -> None:
    text, clock = read_folder(s.folder / "acme"), SystemClock()
    publish(s.store, Fleet(s.store, clock), text, lambda _: None, by="test", clock=clock)
