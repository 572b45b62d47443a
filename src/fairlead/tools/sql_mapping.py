"""A mapping: what the words of declared queries are called in one database, so that another database takes another
file and no other query.

`systems/NAME.mapping.yaml` names tables as queries speak of them. A query that reads gets these as common table
expressions; one with `insert: TABLE` is written from it. Nothing here needs a database.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
import yaml
from msgspec import Meta, Struct
from msgspec.structs import replace

from fairlead.errors import BadInput, closest
from fairlead.tools.files import file_of
from fairlead.tools.settings import QuerySettings, SqlSettings
from fairlead.tools.sql_queries import ONCE

Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,62}$")]
Theirs = Annotated[str, Meta(min_length=1, max_length=128)]
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WITH: Final = re.compile(r"^\s*WITH\s+(RECURSIVE\s+)?", re.IGNORECASE)


class Column(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of theirs, or a value that all rows have. `hundredths`: they keep whole cents, the queries speak of
    units."""

    column: Theirs = ""
    value: str | int | float | None = None
    hundredths: bool = False


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of theirs, `SCHEMA.TABLE` or `TABLE`, with their column for each of ours."""

    table: Theirs
    columns: dict[Name, Theirs | Column]
    where: Annotated[str, Meta(max_length=4000, description="Which of its rows count, in their words.")] = ""


class MappingFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`systems/NAME.mapping.yaml`."""

    tables: dict[Name, Table]


def mapped(name: str, settings: SqlSettings, files: Mapping[str, bytes]) -> SqlSettings:
    """The same with its queries in the database's own words. Raises `BadInput` naming the key that is wrong."""
    tables = _tables(name, settings, files)
    queries = {
        each: _query(f"systems.{name}.queries.{each}", query, tables) for each, query in settings.queries.items()
    }
    return replace(settings, queries=queries)


def _tables(name: str, settings: SqlSettings, files: Mapping[str, bytes]) -> Mapping[str, Table]:
    if not settings.mapping:
        return {}
    text = file_of(files, settings.mapping, f"systems.{name}.mapping")
    try:
        found = msgspec.convert(yaml.safe_load(text), MappingFile).tables
    except (msgspec.ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        said = str(error).replace("`$.", "`")
        raise BadInput(f"systems/{settings.mapping}: {said}", mend="see docs/how-to/databases.md") from None
    if settings.url.startswith("sqlite:"):  # where a name of ours would stand for itself otherwise
        found = {
            ours: each if "." in each.table else replace(each, table=f"main.{each.table}")
            for ours, each in found.items()
        }
    for table, each in found.items():
        for column, theirs in each.columns.items():
            if isinstance(theirs, Column) and bool(theirs.column) == (theirs.value is not None):
                where = f"systems/{settings.mapping}: tables.{table}.columns.{column}"
                raise BadInput(
                    f"{where} needs either `column` or `value`", mend="name their column, or the value of all rows"
                )
    return found


def _query(key: str, query: QuerySettings, tables: Mapping[str, Table]) -> QuerySettings:
    if bool(query.sql) == bool(query.insert):
        raise BadInput(
            f"{key} needs either `sql` or `insert`", mend="write the statement, or name the table that gets a row"
        )
    if query.insert:
        return replace(query, sql=_insert(key, query, tables), effect="write")
    spoken = set(_spoken(query.sql)) & tables.keys()
    if not spoken:
        return query
    if query.effect != "read":
        raise BadInput(
            f"{key}: a statement that writes cannot be mapped", mend="write `insert: TABLE`, or their own words"
        )
    return replace(query, sql=_with(query.sql, {table: tables[table] for table in sorted(spoken)}))


def _spoken(sql: str) -> Iterator[str]:
    """The words of a statement, those in quotes and comments aside."""
    yield from re.findall(r"(?<![\w:.])[a-z][a-z0-9_]*", _LITERAL.sub(" ", sql))


def _with(sql: str, tables: Mapping[str, Table]) -> str:
    named = ", ".join(f"{name} AS ({_select(table)})" for name, table in tables.items())
    found = _WITH.match(sql)
    if found is None:
        return f"WITH {named} {sql}"
    return f"WITH {found[1] or ''}{named}, {sql[found.end() :]}"


def _select(table: Table) -> str:
    columns = ", ".join(f"{_read(each)} AS {_quoted(ours)}" for ours, each in table.columns.items())
    where = f" WHERE {table.where}" if table.where else ""
    # Names are the operator's own text, quoted; values come as parameters alone.
    return f"SELECT {columns} FROM {_table(table.table)}{where}"  # noqa: S608


def _read(each: str | Column) -> str:
    if isinstance(each, str):
        return _quoted(each)
    if each.value is not None:
        return _literal(each.value)
    return f"ROUND(CAST({_quoted(each.column)} AS NUMERIC) / 100.0, 2)" if each.hundredths else _quoted(each.column)


def _insert(key: str, query: QuerySettings, tables: Mapping[str, Table]) -> str:
    """One row: a parameter for each column that the query declares; a `value` of the mapping as it stands there."""
    table = tables.get(query.insert)
    if table is None:
        mend = closest(query.insert, tables) or "name the table in the system's `mapping`"
        raise BadInput(f"{key}.insert: the mapping has no table {query.insert!r}", mend=mend)
    pairs: list[tuple[str, str]] = []
    for ours in query.parameters:
        theirs = table.columns.get(ours)
        if theirs is None:
            mend = closest(ours, table.columns) or f"add it to tables.{query.insert}.columns"
            raise BadInput(f"{key}: the mapping has no column {ours!r} of {query.insert}", mend=mend)
        column = theirs if isinstance(theirs, Column) else Column(column=theirs)
        given = f"CAST(ROUND(CAST(:{ours} AS NUMERIC) * 100) AS BIGINT)" if column.hundredths else f":{ours}"
        pairs.append((column.column, given) if column.column else ("", ""))
    once = table.columns.get(ONCE)
    target = once if isinstance(once, str) else once.column if once else ""
    pairs += [(target, f":{ONCE}")] if target else []
    pairs = [pair for pair in pairs if pair[0]]
    columns, values = ", ".join(_quoted(each) for each, _ in pairs), ", ".join(value for _, value in pairs)
    again = f" ON CONFLICT ({_quoted(target)}) DO NOTHING" if target else ""
    return f"INSERT INTO {_table(table.table)} ({columns}) VALUES ({values}){again}"  # noqa: S608


def _table(name: str) -> str:
    return ".".join(_quoted(part) for part in name.split("."))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
