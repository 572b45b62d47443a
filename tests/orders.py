"""An invented database of orders, of each kind: on PostgreSQL with an account for every person and row policies, so
that everybody sees what is theirs, and on SQLite as a file."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from fairlead.clock import Clock, SystemClock
from fairlead.net.http import Http
from fairlead.tools.cards import NO_CARD
from fairlead.tools.settings import SqlSettings
from fairlead.tools.sql import SqlSystem
from fairlead.tools.sql_queries import definitions_of
from fairlead.tools.systems import System, compile_system
from fairlead.tools.types import Credential, SystemCall, ToolResult
from tests.postgres import Server

GROUP = "orders_people"
PERSONS = ("ada", "ben", "cleo")
ROWS_EACH = 5

_SCHEMA = """
CREATE TABLE orders (
    id integer PRIMARY KEY, owner text NOT NULL, item text NOT NULL, amount numeric(12,2) NOT NULL,
    placed date NOT NULL, note text, mark text NOT NULL
);
CREATE TABLE shops (id integer PRIMARY KEY, city text NOT NULL);
CREATE TABLE salaries (person text PRIMARY KEY, mark text NOT NULL);
"""
_RIGHTS = """
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (owner = current_user);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO {group};
GRANT SELECT ON shops TO {group};
CREATE VIEW own_orders WITH (security_barrier) AS SELECT id, item FROM orders WHERE owner = current_user;
GRANT SELECT ON own_orders TO {group};
GRANT CREATE ON SCHEMA public TO {group};
CREATE FUNCTION peek() RETURNS text LANGUAGE sql SECURITY DEFINER AS '
    SELECT string_agg(mark, '','') FROM public.salaries';
REVOKE EXECUTE ON FUNCTION peek() FROM PUBLIC;
"""


def mark(person: str, number: int = 0) -> str:
    """A text that stands in this person's rows and nowhere else."""
    return f"mark-of-{person}-{number}"


def password(person: str) -> str:
    return f"word of {person}"


def login(person: str) -> Credential:
    return Credential(kind="login", user=person, secret=password(person))


def orders_on(
    server: Server,
    persons: tuple[str, ...] = PERSONS,
    rows: int = ROWS_EACH,
    *,
    marks: Callable[[str, int], str] = mark,
    certified: bool = False,
) -> str:
    """A database of its own with accounts for persons, who log in by certificates where that is said. Gives its URL
    without an account."""
    url = server.make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (GROUP,)).fetchone():
            connection.execute(f"CREATE ROLE {GROUP}")
            connection.execute(f"CREATE ROLE {GROUP}_certified")
            server.ask_for_proof(GROUP)
        connection.execute(_SCHEMA)
        for person in persons:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (person,)).fetchone():
                account = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}").format(
                    sql.Identifier(person),
                    password(person),
                    sql.SQL(f"{GROUP}, {GROUP}_certified" if certified else GROUP),
                )
                connection.execute(account)
        _fill(connection, "%s", persons, rows, marks)
        connection.execute(_RIGHTS.format(group=GROUP).encode())
    return f"postgresql://127.0.0.1:{server.port}/{url.rpartition('/')[2]}"


def orders_file(path: Path, persons: tuple[str, ...] = PERSONS, rows: int = ROWS_EACH) -> str:
    """The same rows as a file. Gives its URL."""
    with sqlite3.connect(path) as connection:
        connection.executescript(_SCHEMA + "CREATE VIEW own_orders AS SELECT id, item FROM orders WHERE owner = 'ada';")
        _fill(connection, "?", persons, rows, mark)
    connection.close()
    return f"sqlite:{path}"


def _fill(
    connection: "psycopg.Connection | sqlite3.Connection",
    place: str,
    persons: tuple[str, ...],
    rows: int,
    marks: Callable[[str, int], str],
) -> None:
    cursor = connection.cursor()
    into = f"INSERT INTO orders VALUES ({', '.join([place] * 7)})"
    for index, person in enumerate(persons):
        for number in range(rows):
            note = None if number % 2 else f"note {number} of {person}"
            amount = f"{10 * index + number}.50"
            values = (
                index * 1000 + number,
                person,
                f"item {number}",
                amount,
                "2026-11-21",
                note,
                marks(person, number),
            )
            cursor.execute(into, values)
        cursor.execute(f"INSERT INTO salaries VALUES ({place}, {place})", (person, marks(person, 9)))
    cursor.execute("INSERT INTO shops VALUES (1, 'Ghent'), (2, 'Basel')")


def opened(settings: SqlSettings, clock: Clock | None = None) -> SqlSystem:
    """The system `orders`, as a workspace would open it."""
    clock = clock or SystemClock()
    compiled = compile_system("orders", settings, NO_CARD, definitions_of("orders", settings), {})
    return SqlSystem(compiled, Http(clock), clock)


async def called(system: SqlSystem, tool: str, arguments: dict[str, object], **changed: object) -> ToolResult:
    """A call by Ada, unless it says otherwise."""
    by = {definition.name: definition for definition in await system.definitions(Credential(), 0)}
    given: dict[str, object] = {
        "tool": by[tool],
        "arguments": arguments,
        "credential": Credential(),
        "person": "ada",
        "deadline": SystemClock().monotonic() + 20,
        "idempotency_key": "k",
        **changed,
    }
    return await system.call(SystemCall(**given))  # type: ignore[arg-type]


async def selected(system: SqlSystem, text: str, **changed: object) -> ToolResult:
    return await called(system, "select", {"sql": text}, **changed)


__all__ = [
    "GROUP",
    "PERSONS",
    "ROWS_EACH",
    "Credential",
    "System",
    "called",
    "login",
    "mark",
    "opened",
    "orders_file",
    "orders_on",
    "password",
    "selected",
]
