"""A SQLite file as a system: reads cannot write, and SQLite itself refuses what the parser should have."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.orders import called, mark, opened, orders_file, selected
from tests.tools.statements import EXPRESSIONS_OF_SQLITE, HOSTILE

from fairlead.clock import SystemClock
from fairlead.errors import BadInput, DeadlineExceeded
from fairlead.tools.failures import ResultTooLarge, SystemFailed
from fairlead.tools.settings import QuerySettings, SqlSettings
from fairlead.tools.sql import SqlSystem
from fairlead.tools.sql_statement import Restriction
from fairlead.tools.types import Credential, SystemCall

QUERIES = {
    "mine": QuerySettings(sql="SELECT id, item, amount, note FROM orders WHERE owner = :person ORDER BY id"),
    "of": QuerySettings(sql="SELECT id FROM orders WHERE item = :item OR ':item' = :item; "),
    "rename": QuerySettings(
        sql="UPDATE orders SET item = :item WHERE id = :id RETURNING id, item",
        parameters={"id": {"type": "integer"}},
        effect="write",
    ),
    "sneaky": QuerySettings(sql="DELETE FROM orders"),
    "attach": QuerySettings(sql="ATTACH 'x.db' AS x", effect="write"),
    "settings": QuerySettings(sql="PRAGMA writable_schema = ON", effect="write"),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("orders") / "orders.db"
    orders_file(path)
    return path


@pytest.fixture
async def file(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "a file?.db"))


@pytest.fixture
async def orders(file: Path) -> AsyncIterator[SqlSystem]:
    system = opened(SqlSettings(url=f"sqlite:{file}", queries=QUERIES, tables=["orders", "own_orders"], most_rows=20))
    yield system
    await system.close()


async def test_a_declared_query_binds_its_values_and_who_calls(orders: SqlSystem) -> None:
    mine = await called(orders, "mine", {}, person="ben")
    assert [row["id"] for row in mine.structured["rows"]] == [1000, 1001, 1002, 1003, 1004]
    assert mine.structured["rows"][1] == {"id": 1001, "item": "item 1", "amount": 11.5, "note": None}
    assert "1001 | item 1 | 11.5 | NULL" in mine.text
    assert (await called(orders, "of", {"item": "' OR 1 = 1 --"})).structured["rows"] == []


async def test_who_calls_is_no_argument(orders: SqlSystem) -> None:
    with pytest.raises(BadInput):
        await called(orders, "mine", {"person": "ada"}, person="ben")


async def test_a_write_changes_what_it_says_and_tells_it(orders: SqlSystem) -> None:
    done = await called(orders, "rename", {"id": 1, "item": "'; DROP TABLE orders; --"})
    assert done.structured["changed"] == 1
    assert done.structured["rows"] == [{"id": 1, "item": "'; DROP TABLE orders; --"}]
    seen = await selected(orders, "SELECT item FROM orders WHERE id = 1")
    assert seen.structured["rows"] == [{"item": "'; DROP TABLE orders; --"}]


@pytest.mark.parametrize("tool", ["sneaky", "attach", "settings"])
async def test_a_query_does_no_more_than_it_declares(orders: SqlSystem, tool: str, file: Path) -> None:
    assert (await called(orders, tool, {})).failed
    assert len((await called(orders, "mine", {})).structured["rows"]) == 5
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("text", HOSTILE)
async def test_sqlite_itself_refuses_what_the_parser_should_have(orders: SqlSystem, text: str) -> None:
    """As if there were no parser: whatever runs shows nothing of other tables and changes nothing."""
    restriction = Restriction("sqlite", ["orders", "own_orders"])
    definition = (await orders.definitions(Credential(), 0))[-1]
    call = SystemCall(
        tool=definition, arguments={}, credential=Credential(), person="ada", idempotency_key="k",
        deadline=SystemClock().monotonic() + 60,
    )  # fmt: skip
    try:
        result = await orders._database.select(text, restriction, call)
    except BadInput:
        return
    assert mark("ben", 9) not in str(result)
    assert "CREATE TABLE" not in str(result)
    assert len((await called(orders, "mine", {})).structured["rows"]) == 5


async def test_a_view_shows_what_lies_under_it_and_nothing_else_does(orders: SqlSystem) -> None:
    assert len((await selected(orders, "SELECT item FROM own_orders")).structured["rows"]) == 5
    narrow = opened(SqlSettings(url=orders_url(orders), tables=["own_orders"]))
    assert len((await selected(narrow, "SELECT item FROM own_orders")).structured["rows"]) == 5
    with pytest.raises(BadInput):
        await selected(narrow, "SELECT item FROM orders")
    await narrow.close()


def orders_url(system: SqlSystem) -> str:
    return f"sqlite:{system._database._path}"


async def test_rows_and_bytes_are_bounded(orders: SqlSystem) -> None:
    many = await selected(orders, "SELECT a.id FROM orders a, orders b")
    assert len(many.structured["rows"]) == 20
    assert many.structured["truncated"]
    assert "only the first 20 rows" in many.text
    with pytest.raises(ResultTooLarge):
        await selected(orders, "SELECT * FROM orders a, orders b", most_bytes=500)


async def test_two_columns_of_one_name_are_told_apart(orders: SqlSystem) -> None:
    found = await selected(orders, "SELECT a.id, b.id FROM orders a, orders b LIMIT 1")
    assert found.structured["rows"] == [{"id": 0, "id_2": 0}]


async def test_a_statement_without_end_ends_at_its_deadline(orders: SqlSystem) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(DeadlineExceeded):
        await selected(orders, endless, deadline=SystemClock().monotonic() + 0.1)


async def test_a_call_that_is_given_up_leaves_no_statement_behind(orders: SqlSystem) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    task = asyncio.ensure_future(selected(orders, endless, deadline=SystemClock().monotonic() + 300))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(orders._database._threads.shutdown)  # waits for every thread


async def test_errors_of_the_database_are_answers(orders: SqlSystem) -> None:
    found = await selected(orders, "SELECT nothing.at_all FROM orders")
    assert found.failed
    assert "no such column" in found.text


async def test_a_file_that_is_not_there_is_a_system_that_fails(tmp_path: Path) -> None:
    gone = opened(SqlSettings(url=f"sqlite:{tmp_path}/gone.db", queries=QUERIES))
    with pytest.raises(SystemFailed):
        await called(gone, "mine", {})
    with pytest.raises(SystemFailed):
        await called(gone, "rename", {"id": 1, "item": "x"})
    assert not list(tmp_path.iterdir())
    await gone.close()


async def test_a_locked_file_is_a_system_that_fails_and_nothing_is_done(file: Path, orders: SqlSystem) -> None:
    with sqlite3.connect(file) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SystemFailed) as failed:
            await called(orders, "rename", {"id": 1, "item": "x"}, deadline=SystemClock().monotonic() + 1.0)
        assert failed.value.charged == "no"
    other.close()


@pytest.mark.parametrize("value", [1 << 70, -(1 << 63) - 1])
async def test_a_number_that_does_not_fit_is_refused(orders: SqlSystem, value: int) -> None:
    with pytest.raises(BadInput):
        await called(orders, "rename", {"id": value, "item": "x"})


def test_what_is_run_means_what_was_written() -> None:
    restriction = Restriction("sqlite", [])
    connection = sqlite3.connect(":memory:")
    for expression in EXPRESSIONS_OF_SQLITE:
        meant = connection.execute(f"select {expression}").fetchall()
        assert connection.execute(restriction.restricted(f"select {expression}")).fetchall() == meant, expression
    connection.close()
