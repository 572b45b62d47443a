"""Who shares a deployment shares no content, no rights and no money; and deployments on one server share nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.databases import Lent
from tests.doors.test_matrix import Door, every_door, streamed_and_not
from tests.world import Served, served, world

from fairlead.errors import FairleadError
from fairlead.storage.fleet import Fleet
from fairlead.storage.postgres import PostgresDatabase
from fairlead.storage.postgres_locks import SessionLocks
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish

POLICIES = """
@id("anybody") @reason("staff may ask")
permit (principal, action == Action::"call_model", resource);
@id("replies") @reason("replies may leave")
permit (principal, action == Action::"release_reply", resource);
@id("finance-only") @reason("the house model is finance's")
forbid (principal, action == Action::"call_model", resource == Model::"house")
unless { principal in Department::"finance" };
"""
BUDGETS = {"organisation": {"total": 1000}, "departments": {"sales": {"total": 0.0002}}}


@pytest.fixture
def s(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, {"policies/main.cedar": POLICIES}, budgets=BUDGETS) as s:
        yield s


@every_door
@streamed_and_not
def test_the_same_question_of_two_persons_is_two_actions(s: Served, door: Door, streamed: bool) -> None:
    lee = door(s, "lee", "say 3", streamed, model="small")
    again = door(s, "lee", "say 3", streamed, model="small")
    assert lee.run != again.run
    assert len(s.provider.received) == 2
    assert [each.person for each in s.records("call_model")] == [s.records("call_model")[0].person] * 2


@every_door
@streamed_and_not
def test_what_was_decided_for_one_department_does_not_count_for_another(s: Served, door: Door, streamed: bool) -> None:
    for _ in range(2):
        assert door(s, "lee", "say 3", streamed, model="house").error == ""
        assert door(s, "kim", "say 3", streamed, model="house").error == "denied"


@every_door
@streamed_and_not
def test_a_budget_that_one_department_has_spent_leaves_the_others_theirs(s: Served, door: Door, streamed: bool) -> None:
    errors = {door(s, "kim", "say 20", streamed, model="small").error for _ in range(12)}
    assert "over_budget" in errors
    assert door(s, "lee", "say 3", streamed, model="small").error == ""


def test_nobody_reads_at_a_door_what_another_person_has(s: Served) -> None:
    made = httpx.post(f"{s.url}/v1/responses", headers=s.auth("lee"), json={"model": "small", "input": "say 2"}).json()
    talk = httpx.post(f"{s.url}/v1/conversations", headers=s.auth("lee"), json={}).json()
    for path in (f"/v1/responses/{made['id']}", f"/v1/conversations/{talk['id']}"):
        unknown = path[:-4] + "0000"
        for method in ("GET", "DELETE"):
            mine, none = (httpx.request(method, s.url + each, headers=s.auth("kim")) for each in (path, unknown))
            assert mine.status_code == none.status_code == 404
        assert httpx.get(s.url + path, headers=s.auth("lee")).status_code == 200
    for field in ({"previous_response_id": made["id"]}, {"conversation": talk["id"]}):
        asked = {"model": "small", "input": "what did I say?", **field}
        assert httpx.post(f"{s.url}/v1/responses", headers=s.auth("kim"), json=asked).status_code == 404


@pytest.fixture
def two(lent: Lent) -> Iterator[tuple[str, str]]:
    """Two deployments' databases on one server."""
    urls = lent.lend(), lent.lend()
    yield urls
    for url in urls:
        lent.take_back(url)


async def test_deployments_on_one_server_hear_and_decide_nothing_of_each_other(
    tmp_path: Path, two: tuple[str, str]
) -> None:
    ours, theirs = two
    async with world(tmp_path / "ours", where=ours) as w, world(tmp_path / "theirs", where=theirs) as other:
        await w.ask("say 2")
        assert (w.count("arrived") + w.count("log") > 0, other.records("call_model")) == (True, [])
        before = other.fairlead.deployment.revision
        with psycopg.connect(theirs, autocommit=True) as listening:
            listening.execute("LISTEN fairlead")
            folder = tmp_path / "ours" / "acme"
            (folder / "tasks").mkdir(exist_ok=True)
            (folder / "tasks" / "more.yaml").write_text("description: another kind of work\n")
            done = await asyncio.to_thread(
                publish, w.store, Fleet(w.store, w.clock), read_folder(folder), lambda _: None, by="test", clock=w.clock
            )
            assert [*listening.notifies(timeout=0.2)] == []
        assert len(done.waited_for) == 1
        assert other.fairlead.deployment.revision == before
        assert (await other.ask("say 2")).run


def test_locks_of_the_same_name_in_two_databases_are_two_locks(two: tuple[str, str]) -> None:
    ours, theirs = (PostgresDatabase(url) for url in two)
    with ours.elected("recovery") as here, theirs.elected("recovery") as there, ours.elected("recovery") as again:
        assert (here, there, again) == (True, True, False)
    lives = SessionLocks(ours, grace=0.0).seize("one-worker", 0.0)
    assert lives is not None
    dead = SessionLocks(theirs, grace=0.0).seize("one-worker", 0.0)
    assert dead is not None
    for lock in (lives, dead):
        lock.release()


def test_a_deployment_does_not_take_up_another_ones_database(tmp_path: Path, two: tuple[str, str]) -> None:
    async def used() -> None:
        async with world(tmp_path, where=two[0]) as w:
            await w.ask("say 2")
            stranger = Vault(bytes(32), StoredSubjects(w.store), w.clock)
            with pytest.raises(FairleadError, match="master key"):
                stranger.check()

    asyncio.run(used())
