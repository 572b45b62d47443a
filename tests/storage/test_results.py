"""What runs of workflows have done is kept with its group: once, by who walks the run, and where its write was done."""

import asyncio
from typing import Any

from sqlalchemy import select
from tests.storage.books_of import a_hold, limit
from tests.storage.conftest import OpenJournal

from fairlead.errors import OverBudget
from fairlead.storage.store import Store
from fairlead.storage.types import NewResult, Write
from fairlead.storage.workflow_tables import workflow_definition, workflow_run, workflow_step


def begun(store: Store, *runs: str, owner: str) -> None:
    numbers = dict.fromkeys(("segment", "priority", "made_at", "started_at", "ended_at", "until"), 0)
    texts: dict[str, Any] = dict.fromkeys(("tenant", "department", "parent", "error"), "")
    with store.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO subject (id, lookup, wrapped_key, sealed_name, created_at) VALUES ('s', 'l', '', '', 1)"
        )
        connection.execute(workflow_definition.insert().values(digest="d", name="w", made_at=1, body=b""))
        for run in runs:
            row = {"id": run, "once": run, "workflow": "w", "definition": "d", "subject": "s", "status": "running"}
            more = {"owner": owner, "sealed": b"", "result": b""}
            connection.execute(workflow_run.insert().values(**row, **numbers, **texts, **more))


def done(run: str, place: str, *, owner: str = "me", action: str = "") -> NewResult:
    return NewResult(
        run=run, place=place, owner=owner, at=1, action=action, status="done", cost=0, size=2, sealed=b"\x00x"
    )


async def test_a_result_is_kept_once_and_by_who_walks_the_run(store: Store, open_journal: OpenJournal) -> None:
    begun(store, "r1", "r2", owner="me")
    journal = open_journal("me")
    cap = limit(10)
    waiting = [
        journal.commit(write)
        for write in (
            Write(result=done("r2", "b")),
            Write(result=done("r1", "a", action="first")),
            Write(result=done("r1", "a", action="second")),
            Write(result=done("r1", "b", owner="somebody")),
            Write(result=done("gone", "a")),
            Write(open=a_hold("dear", 99, cap), result=done("r1", "c")),
            Write(open=a_hold("cheap", 1, cap), result=done("r1", "d")),
            Write(),
        )
    ]
    said = []
    for each in waiting:
        try:
            said.append((await each).remembered)
        except OverBudget:
            said.append(None)
    assert said == [True, True, False, False, False, None, True, True]
    assert not (await journal.commit(Write(result=done("r2", "b")))).remembered
    with store.reading() as connection:
        s = workflow_step.c
        kept = [tuple(row) for row in connection.execute(select(s.run, s.place, s.action).order_by(s.run, s.place))]
    assert kept == [("r1", "a", "first"), ("r1", "d", ""), ("r2", "b", "")]


async def test_who_took_the_run_over_while_a_result_was_being_kept_has_it(
    store: Store, open_journal: OpenJournal
) -> None:
    begun(store, "r1", owner="me")
    journal = open_journal("me")
    with store.writing() as connection:
        connection.execute(workflow_run.update().values(owner="another"))
        late = asyncio.ensure_future(journal.commit(Write(result=done("r1", "a"))))
        await asyncio.sleep(0.3)  # it has seen who walked the run before, and waits
        assert not late.done()
    assert not (await late).remembered
