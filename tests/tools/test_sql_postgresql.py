"""PostgreSQL as the person: its own row policies hold whatever statement arrives, and a login is nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from tests.certificates import Authority
from tests.orders import GROUP, PERSONS, called, login, mark, opened, orders_on, password, selected
from tests.postgres import Server
from tests.tools.statements import EXPRESSIONS, HOSTILE, HOSTILE_ON_POSTGRES, STATEMENTS, USUAL

from fairlead.clock import SystemClock
from fairlead.errors import BadInput, DeadlineExceeded, FairleadError
from fairlead.tools.failures import NotAuthorised, ResultTooLarge, SystemFailed
from fairlead.tools.settings import QuerySettings, SqlSettings
from fairlead.tools.sql import SqlSystem
from fairlead.tools.sql_statement import Restriction
from fairlead.tools.types import Credential, SystemCall, ToolResult

QUERIES = {
    "all": QuerySettings(sql="SELECT id, owner, amount FROM orders ORDER BY id"),
    "one": QuerySettings(sql="SELECT * FROM orders WHERE id = :id", parameters={"id": {"type": "integer"}}),
    "some": QuerySettings(
        sql="SELECT id FROM orders WHERE id = ANY(:ids) AND amount < :most ORDER BY id -- 100% of them",
        parameters={"ids": {"type": "array", "items": {"type": "integer"}}, "most": {"type": "number"}},
    ),
    "rename": QuerySettings(
        sql="UPDATE orders SET item = :item WHERE id = :id RETURNING id, item",
        parameters={"id": {"type": "integer"}},
        effect="write",
    ),
    "give": QuerySettings(sql="UPDATE orders SET owner = :to RETURNING id", effect="write"),
    "salaries": QuerySettings(sql="SELECT * FROM salaries"),
    "sneaky": QuerySettings(sql="WITH d AS (DELETE FROM orders RETURNING id) SELECT * FROM d"),
    "values": QuerySettings(
        sql="""SELECT 1.10::numeric(9,2) AS n, 'NaN'::numeric AS nan, '2026-11-21 14:00:00+00'::timestamptz AS at,
        '2026-11-21'::date AS d, 'infinity'::date AS never, '0044-03-15 BC'::date AS ides, '1 day 02:00'::interval AS i,
        '\\x00ff'::bytea AS b, ARRAY[1.5, NULL] AS a, '{"k": [1, null]}'::jsonb AS j, NULL AS nothing, true AS t,
        'NaN'::float8 AS f, 9223372036854775807 AS big, '[1,5)'::int4range AS r,
        '6f9619ff-8b86-d011-b42d-00c04fc964ff'::uuid AS u, '10:00'::time AS h, (1, 'x') AS pair"""
    ),
}
TABLES = ["orders", "shops", "own_orders"]


@pytest.fixture(scope="module")
def url(postgres: Server) -> str:
    return orders_on(postgres)


@pytest.fixture
async def orders(url: str) -> AsyncIterator[SqlSystem]:
    system = opened(SqlSettings(url=url, queries=QUERIES, tables=TABLES, most_rows=50))
    yield system
    await system.close()


async def asked(system: SqlSystem, tool: str, by: str = "ada", **arguments: object) -> ToolResult:
    return await called(system, tool, arguments, person=by, credential=login(by))


async def read(system: SqlSystem, sql: str, by: str = "ada", **changed: object) -> ToolResult:
    return await selected(system, sql, person=by, credential=login(by), **changed)


@pytest.mark.parametrize("person", PERSONS)
async def test_everybody_sees_what_is_theirs(orders: SqlSystem, person: str) -> None:
    for found in (await asked(orders, "all", person), await read(orders, "SELECT owner FROM orders", person)):
        assert [row["owner"] for row in found.structured["rows"]] == [person] * 5


async def test_values_come_as_data_that_loses_nothing(orders: SqlSystem) -> None:
    row = (await asked(orders, "values")).structured["rows"][0]
    at = row.pop("at")
    assert at.startswith("2026-11-21T")
    assert at[-3] == ":"
    assert row == {
        "n": "1.10", "nan": "NaN", "d": "2026-11-21", "never": "infinity", "ides": "0044-03-15 BC", "i": "P1DT2H",
        "b": "AP8=", "a": ["1.5", None], "j": {"k": [1, None]}, "nothing": None, "t": True, "f": "NaN",
        "big": 9223372036854775807, "r": "[1,5)", "u": "6f9619ff-8b86-d011-b42d-00c04fc964ff", "h": "10:00:00",
        "pair": ["1", "x"],
    }  # fmt: skip


async def test_arguments_are_values_and_never_sql(orders: SqlSystem) -> None:
    some = await asked(orders, "some", ids=[0, 1, 2, 1000], most=1.5)
    assert some.structured["rows"] == [{"id": 0}]
    changed = await asked(orders, "rename", id=3, item="x'; DROP TABLE orders; --%s")
    assert changed.structured["rows"] == [{"id": 3, "item": "x'; DROP TABLE orders; --%s"}]
    assert (await asked(orders, "rename", id=1001, item="mine now")).structured["changed"] == 0
    for bad in ("a\0b", "\ud800"):
        with pytest.raises(BadInput):
            await asked(orders, "rename", id=3, item=bad)


async def test_what_the_database_forbids_is_final(orders: SqlSystem) -> None:
    with pytest.raises(NotAuthorised) as refused:
        await asked(orders, "salaries")
    assert not refused.value.retryable
    with pytest.raises(NotAuthorised):  # the row policy's own check
        await asked(orders, "give", to="ben")
    assert len((await asked(orders, "all")).structured["rows"]) == 5


async def test_a_query_that_reads_cannot_write(orders: SqlSystem) -> None:
    assert (await asked(orders, "sneaky")).failed
    assert len((await asked(orders, "all")).structured["rows"]) == 5


async def test_hostile_sql_shows_nothing_of_others_even_without_the_parser(orders: SqlSystem) -> None:
    for text in (*HOSTILE, *HOSTILE_ON_POSTGRES):
        try:
            result = await _unparsed(orders, text, "ada", 0.15)
        except FairleadError as error:
            result = ToolResult(structured=str(error) + error.why)
        assert not [other for other in ("ben", "cleo") if f"mark-of-{other}" in str(result)], text
        after = await _unparsed(orders, "SELECT count(*), current_user FROM public.orders", "ada", 20)
        assert after.structured["rows"] == [{"count": 5, "current_user": "ada"}], text


async def _unparsed(system: SqlSystem, text: str, by: str, seconds: float) -> ToolResult:
    definition = (await system.definitions(Credential(), 0))[-1]
    call = SystemCall(
        tool=definition, arguments={}, credential=login(by), person=by, idempotency_key="k",
        deadline=SystemClock().monotonic() + seconds,
    )  # fmt: skip
    result: ToolResult = await system._database.select(text, Restriction("postgres", TABLES), call)
    return result


async def test_what_is_run_means_what_was_written(orders: SqlSystem, url: str) -> None:
    where = url.replace("//", f"//ada:{password('ada').replace(' ', '%20')}@")
    restriction = Restriction("postgres", TABLES)
    with psycopg.connect(where, autocommit=True) as connection:
        for text in (*USUAL, *STATEMENTS, *(f"select {expression}" for expression in EXPRESSIONS)):
            meant = connection.execute(text.encode()).fetchall()
            ours = connection.execute(restriction.restricted(text).encode()).fetchall()
            sort = str if "order by x" not in text else lambda _: ""
            assert sorted(map(str, ours), key=sort) == sorted(map(str, meant), key=sort), text
            assert len((await read(orders, text)).structured["rows"]) == len(meant)


async def test_a_function_that_another_slips_under_a_name_is_not_called(orders: SqlSystem, url: str) -> None:
    where = url.replace("//", f"//ben:{password('ben').replace(' ', '%20')}@")
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("CREATE FUNCTION public.lower(integer) RETURNS text LANGUAGE sql AS $$ SELECT 'taken' $$")
        connection.execute("GRANT EXECUTE ON FUNCTION public.lower(integer) TO PUBLIC")
        found = await read(orders, "SELECT lower(id) FROM orders")
        connection.execute("DROP FUNCTION public.lower(integer)")
    assert found.failed
    assert "taken" not in found.text


async def test_people_at_once_never_see_each_others_rows(orders: SqlSystem) -> None:
    async def some(person: str, number: int) -> None:
        sql = "SELECT owner, mark FROM orders" if number % 2 else f"SELECT owner, mark FROM orders WHERE id > {number}"
        found = await read(orders, sql, person)
        assert {row["owner"] for row in found.structured["rows"]} <= {person}

    await asyncio.gather(*(some(PERSONS[number % 3], number) for number in range(90)))
    assert orders._database.logins.count() <= 12


async def test_a_login_is_of_one_person_and_one_credential(orders: SqlSystem) -> None:
    await read(orders, "SELECT 1")
    wrong = Credential(kind="login", user="ada", secret="guessed")
    with pytest.raises(NotAuthorised) as refused:
        await selected(orders, "SELECT 1", credential=wrong)
    assert "guessed" not in str(refused.value) + refused.value.why
    for nobody in (
        Credential(),
        Credential(kind="login", user="ada"),
        Credential(kind="exchange", secret="t", user="ada"),
    ):
        with pytest.raises(NotAuthorised):
            await selected(orders, "SELECT 1", credential=nobody)


async def test_nothing_is_taken_from_the_environment(
    orders: SqlSystem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"*:*:*:*:{password('ada')}\n")
    passwords.chmod(0o600)
    for name, value in {
        "PGPASSWORD": password("ada"), "PGUSER": "ada", "PGPASSFILE": str(passwords), "PGHOSTADDR": "192.0.2.1",
        "PGOPTIONS": "-c row_security=off", "PGDATABASE": "postgres",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    with pytest.raises(NotAuthorised):
        await selected(orders, "SELECT 1", credential=Credential(kind="login", user="ada", secret="guessed"))
    assert len((await asked(orders, "all")).structured["rows"]) == 5


async def test_a_server_that_asks_for_no_proof_is_not_trusted(orders: SqlSystem, url: str) -> None:
    anybody = Credential(kind="service", user="fairlead", secret="anything")
    with pytest.raises(NotAuthorised, match="anybody"):
        await selected(orders, "SELECT 1", credential=anybody)
    trusting = opened(SqlSettings(url=f"{url}?require_auth=none", tables=TABLES))
    assert (await selected(trusting, "SELECT 1 AS one", credential=anybody)).structured["rows"] == [{"one": 1}]
    await trusting.close()


async def test_rows_and_bytes_are_bounded_before_they_arrive(orders: SqlSystem) -> None:
    many = await read(orders, "SELECT a.id FROM orders a, orders b, orders c")
    assert len(many.structured["rows"]) == 50
    assert many.structured["truncated"]
    with pytest.raises(ResultTooLarge):
        await read(orders, "SELECT * FROM orders a, orders b", most_bytes=600)
    with pytest.raises(ResultTooLarge):
        await _unparsed(orders, "SELECT repeat('x', 20000000)", "ada", 20)
    assert not (await read(orders, "SELECT 1")).failed


async def test_a_statement_that_takes_too_long_ends(orders: SqlSystem) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(DeadlineExceeded):
        await read(orders, endless, deadline=SystemClock().monotonic() + 0.1)
    task = asyncio.ensure_future(read(orders, endless, deadline=SystemClock().monotonic() + 300))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len((await asked(orders, "all")).structured["rows"]) == 5


async def test_a_session_that_the_server_ended_is_not_used_again(orders: SqlSystem, postgres: Server, url: str) -> None:
    await asked(orders, "all")
    with psycopg.connect(postgres.url(url.rpartition("/")[2]), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'ada' AND state = 'idle'"
        )
    assert len((await asked(orders, "all")).structured["rows"]) == 5


async def test_a_write_that_breaks_off_is_told_with_whether_it_may_have_been_done(
    orders: SqlSystem, postgres: Server, url: str
) -> None:
    where = postgres.url(url.rpartition("/")[2])
    with psycopg.connect(where) as holder, psycopg.connect(where, autocommit=True) as connection:
        holder.execute("LOCK TABLE orders")
        task = asyncio.ensure_future(asked(orders, "rename", id=3, item="lost"))
        while not task.done():
            await asyncio.sleep(0.01)
            waiting = "SELECT pid FROM pg_stat_activity WHERE usename = 'ada' AND wait_event_type = 'Lock'"
            if found := connection.execute(waiting).fetchone():
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", found)
                break
        with pytest.raises(SystemFailed) as failed:
            await task
        holder.rollback()
    assert failed.value.charged == "no"
    rows = (await read(orders, "SELECT item FROM orders WHERE id = 3")).structured["rows"]
    assert rows[0]["item"] != "lost"


async def test_a_database_that_is_down_is_a_system_that_fails() -> None:
    down = opened(SqlSettings(url="postgresql://127.0.0.1:1/orders", tables=TABLES))
    with pytest.raises(SystemFailed) as failed:
        await selected(down, "SELECT 1", credential=login("ada"))
    assert failed.value.charged == "no"
    await down.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada@db/orders", "postgresql://ada:word@db/orders", "postgresql://db", "postgresql:///orders",
        "postgresql://db/orders?user=ada", "postgresql://db/orders?host=other", "postgresql://db/orders?options=-c%20x",
        "postgresql://a,b/orders", "postgresql://db:x/orders", "mysql://db/orders", "postgresql://db/a/b",
    ],
)  # fmt: skip
def test_an_address_that_says_more_than_where_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        opened(SqlSettings(url=url, tables=TABLES))
    assert "systems.orders.url" in refused.value.message
    assert "word" not in refused.value.message + refused.value.mend


async def test_a_certificate_logs_in_whom_it_names_and_nobody_else(postgres: Server, url: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server", "127.0.0.1")
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS dora")
        connection.execute(f"CREATE ROLE dora LOGIN IN ROLE {GROUP}, {GROUP}_certified")
    postgres.ask_for_proof(GROUP, tls=(certificate, key, authority.path))
    system = opened(SqlSettings(url=f"{url}?sslmode=verify-full&sslrootcert={authority.path}", tables=TABLES))
    bundle = "".join(path.read_text() for path in authority.issue("dora"))
    mine = Credential(kind="login", user="dora", secret=bundle)
    who = "SELECT count(*) AS many FROM orders"
    assert (await selected(system, who, person="dora", credential=mine)).structured["rows"] == [{"many": 0}]
    with pytest.raises(NotAuthorised):
        await selected(system, who, credential=Credential(kind="login", user="ada", secret=bundle))
    with pytest.raises(NotAuthorised):
        await selected(
            system, who, credential=Credential(kind="login", user="dora", secret="-----BEGIN CERTIFICATE-----")
        )
    stranger = Authority(tmp_path, "another authority")
    forged = "".join(path.read_text() for path in stranger.issue("dora"))
    with pytest.raises((NotAuthorised, SystemFailed)):
        await selected(system, who, credential=Credential(kind="login", user="dora", secret=forged))
    await system.close()


def test_marks_are_of_one_person() -> None:
    assert len({mark(person, number) for person in PERSONS for number in range(5)}) == 15
