"""Databases as systems of record: declared queries, and, where tables are named, SELECT statements that models write.

PostgreSQL is spoken to by psycopg and statements are parsed by sqlglot (the extra `sql`); both are imported where a
workspace needs them. SQLite comes with Python.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.net.http import Http
from fairlead.tools.settings import SqlSettings
from fairlead.tools.sql_address import SQLITE, check_database
from fairlead.tools.sql_mapping import mapped
from fairlead.tools.sql_queries import SELECT, definitions_of, queries_of
from fairlead.tools.sql_sqlite import SqliteFile
from fairlead.tools.sql_statement import Restriction
from fairlead.tools.systems import System
from fairlead.tools.types import Credential, Definition, SystemCall, ToolResult


class SqlSystem:
    """One database. Arguments reach it as bound values, or as one restricted statement, and never as anything else."""

    def __init__(self, system: System, http: Http, clock: Clock) -> None:
        if not isinstance(system.settings, SqlSettings):
            raise BadInput(f"systems.{system.name} is no database", mend="write `use: sql`")
        check_database(f"systems.{system.name}.url", system.settings.url)
        settings = mapped(system.name, system.settings, system.files)
        self._definitions = definitions_of(system.name, settings)
        self._queries = queries_of(system.name, settings)
        lite = settings.url.startswith(SQLITE)
        self._restriction = Restriction("sqlite" if lite else "postgres", settings.tables, settings.functions)
        if settings.tables:
            self._restriction.restricted("SELECT 1")  # a parser that is missing is told now, not at the first call
        self._database = (
            SqliteFile(system.name, _file(settings.url), settings, clock)
            if lite
            else _postgresql(system.name, settings, clock)
        )

    async def definitions(self, credential: Credential, deadline: float) -> Sequence[Definition]:
        """What the workspace's own text makes of it: the same for everybody."""
        return self._definitions

    async def call(self, call: SystemCall) -> ToolResult:
        """Raises `BadInput` for a statement that is not allowed, before the database hears of it."""
        query = self._queries.get(call.tool.name)
        if query is not None:
            return await self._database.query(query, call)
        if call.tool.name != SELECT or not self._restriction.tables:
            raise BadInput(f"there is no query {call.tool.name!r}", mend="declare it under `queries:`")
        text = call.arguments.get("sql")
        if not isinstance(text, str):
            raise BadInput("select lacks the argument 'sql'", mend="send one SELECT statement", param="sql")
        return await self._database.select(self._restriction.restricted(text), self._restriction, call)

    async def close(self) -> None:
        await self._database.close()


def _postgresql(name: str, settings: SqlSettings, clock: Clock) -> Any:
    import psycopg  # noqa: F401  what is missing is told now, not at the first call

    from fairlead.tools.sql_postgresql import PostgresqlDatabase

    return PostgresqlDatabase(name, settings, clock)


def _file(url: str) -> Path:
    """`sqlite:FILE`, and `sqlite:///FILE` as others write it."""
    path = url.removeprefix(SQLITE)
    return Path(path[2:] if path.startswith("//") else path)
