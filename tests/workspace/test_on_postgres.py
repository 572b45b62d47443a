"""A whole deployment on PostgreSQL: calls are answered, billed and recorded, and hosts follow what is published."""

import asyncio
from pathlib import Path

import pytest
from tests.postgres import Server
from tests.world import MASTER_KEY, again, world

from fairlead.errors import Overloaded
from fairlead.storage.checkpoints import check_log, known_verifier, sign_checked
from fairlead.storage.database import Where
from fairlead.storage.fleet import Fleet
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish

pytestmark = pytest.mark.parametrize("where", ["postgres"], indirect=True)
AMPLE = {"organisation": {"total": 1000}}


async def test_a_call_is_billed_and_recorded_and_its_proof_holds(tmp_path: Path, where: Where) -> None:
    async with world(tmp_path, where=where, budgets=AMPLE) as w:
        answer = await w.ask("say 5")
        (record,) = w.records("call_model")
        assert (record.outcome, record.run) == ("done", answer.run)
        assert w.balance("organisation") == (0, record.cost)
        assert w.holds() == []
        vault = Vault(MASTER_KEY, StoredSubjects(w.store), w.clock)
        sign_checked(w.store, vault, "fairlead/acme", tmp_path / "kept", w.clock.now())
        verifier = known_verifier(w.store, "fairlead/acme")
        assert verifier is not None
        verdict = check_log(w.store, verifier, ())
        assert (verdict.ok, verdict.signed) == (True, verdict.size)


async def test_hosts_hear_of_a_publish_at_once_and_need_not_look(
    tmp_path: Path, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fairlead.workspace.follow._BEAT", 4.0)  # a look would come too late for the lease
    async with world(tmp_path, where=where, budgets=AMPLE) as w:
        other = await again(w)
        first = w.running.fairlead.deployment.revision
        workspace = tmp_path / "acme"
        (workspace / "tasks").mkdir(exist_ok=True)
        (workspace / "tasks" / "more.yaml").write_text("description: another kind of work\n")
        done = await asyncio.to_thread(
            publish, w.store, Fleet(w.store, w.clock), read_folder(workspace), lambda _: None, by="test", clock=w.clock
        )
        assert (len(done.waited_for), done.lapsed, done.missing) == (2, (), ())
        for running in (w.running, other):
            assert running.fairlead.deployment.revision == done.revision != first
        await other.stop()


async def test_while_the_server_is_away_new_work_is_refused_with_503_and_afterwards_all_goes_on(
    tmp_path: Path, where: Where, postgres: Server
) -> None:
    brief = {"journal": {"patience": 0.5}}
    async with world(tmp_path, where=where, budgets=AMPLE, storage=brief) as w:
        await w.ask("say 5")
        await asyncio.to_thread(postgres.halt)
        try:
            with pytest.raises(Overloaded) as refused:
                await w.ask("say 5")
            assert refused.value.status == 503
        finally:
            await asyncio.to_thread(postgres.go_on)
        while True:
            try:
                await w.ask("say 5")
                break
            except Overloaded:
                await asyncio.sleep(0.1)
        done = [record for record in w.records("call_model") if record.outcome == "done"]
        assert len(done) == 2
        assert w.holds() == []
        assert w.balance("organisation") == (0, sum(record.cost for record in w.records()))
