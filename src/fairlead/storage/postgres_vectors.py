"""Vectors of sections scored by the server itself, where a PostgreSQL database has the extension `vector` (pgvector).

What pgvector scores is a copy, made at publish of the bytes that `context_vector` keeps. It is exact: there is no
approximate index, which looks among hidden sections first and then has few visible ones left. A copy that lacks
anything of a snapshot, or was made of other bytes, is not used at all.
"""

import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fairlead.storage.database import is_postgres
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

_BATCH = 200
EXACT_TO = 5  # decimals: what was added up in another order comes out the same

_EXTENSION = "SELECT installed_version FROM pg_available_extensions WHERE name = 'vector'"
_MAKE_EXTENSION = "CREATE EXTENSION IF NOT EXISTS vector"
_MAKE_TABLE = (
    'CREATE TABLE IF NOT EXISTS context_pgvector (model text COLLATE "C" NOT NULL, section bigint NOT NULL,'
    ' text text COLLATE "C" NOT NULL, vector vector NOT NULL, PRIMARY KEY (model, section))'
)
_THERE = "SELECT to_regclass('context_pgvector') IS NOT NULL"
# What a snapshot has embedded, of which the copy has nothing, or has it of another text.
_LACKING = (
    "FROM context_member m JOIN context_section s ON s.item = m.item AND s.version = m.version"
    " JOIN context_embedded e ON e.section = s.rowid AND e.model = %(model)s"
    " JOIN context_vector v ON v.model = e.model AND v.text = e.text"
    " LEFT JOIN context_pgvector p ON p.model = e.model AND p.section = e.section AND p.text = e.text"
    " WHERE m.snapshot = %(snapshot)s AND p.section IS NULL LIMIT %(most)s"
)
_COPY = (
    "INSERT INTO context_pgvector (model, section, text, vector)"
    " SELECT %s, section, text, vector::vector FROM unnest(%s::bigint[], %s::text[], %s::text[])"
    " AS new (section, text, vector)"
    " ON CONFLICT (model, section) DO UPDATE SET text = excluded.text, vector = excluded.vector"
)
_SOME = (
    "SELECT e.section, e.text, v.vector FROM context_embedded e"
    " JOIN context_vector v ON v.model = e.model AND v.text = e.text"
    " WHERE e.model = %s AND e.section = ANY (%s::bigint[])"
)
# Ties come along, so that whoever knows the order of the text decides them.
_NEAREST = (
    "WITH near AS MATERIALIZED (SELECT section, round((vector <#> %(asked)s::vector) * %(scale)s::float8) AS at"
    " FROM context_pgvector WHERE model = %(model)s AND section = ANY (%(visible)s::bigint[]))"
    " (SELECT section, at FROM near ORDER BY at DESC FETCH FIRST %(most)s ROWS WITH TIES)"
    " UNION ALL SELECT section, at FROM near WHERE section = ANY (%(beside)s::bigint[])"
)


def extension(connection: "Connection") -> str | None:
    """The version of pgvector in this database, "" where the server has it and the database does not, None where there
    is none to have."""
    if connection.dialect.name != "postgresql":
        return None
    row = connection.exec_driver_sql(_EXTENSION).first()
    return None if row is None else str(row[0] or "")


def make(store: Store) -> bool:
    """Makes the extension and the table where they are missing. False where the server has no pgvector, or this account
    may not make it."""
    from sqlalchemy.exc import ProgrammingError

    with store.reading() as connection:
        found = extension(connection)
    if found is None:
        return False
    try:
        with store.writing() as connection:
            if not found:
                connection.exec_driver_sql(_MAKE_EXTENSION)
            connection.exec_driver_sql(_MAKE_TABLE)
    except ProgrammingError:
        return False
    return True


def copy(store: Store, snapshot: str, model: str) -> bool:
    """Brings the copy up to date with a snapshot whose sections were embedded, if there can be one. A crash in between
    loses a batch, which the next publish makes again."""
    if not is_postgres(store.database.shown) or not make(store):
        return False
    about = {"model": model, "snapshot": snapshot, "most": _BATCH}
    while True:
        with store.writing() as connection:
            rows = connection.exec_driver_sql(f"SELECT e.section, e.text, v.vector {_LACKING}", about).all()
            if not rows:
                return True
            _copied(connection, model, rows)


def copy_some(store: Store, model: str, sections: Sequence[int]) -> None:
    """As `copy`, for sections that were embedded just now, where there is a copy."""
    from sqlalchemy.exc import ProgrammingError

    if not is_postgres(store.database.shown):
        return
    with suppress(ProgrammingError), store.writing() as connection:  # who may not write there does without
        if connection.exec_driver_sql(_THERE).scalar():
            _copied(connection, model, connection.exec_driver_sql(_SOME, (model, list(sections))).all())


def _copied(connection: "Connection", model: str, rows: Sequence[Any]) -> None:
    columns = [row[0] for row in rows], [row[1] for row in rows], [_written(bytes(row[2])) for row in rows]
    connection.exec_driver_sql(_COPY, (model, *columns))


def clear(connection: "Connection") -> None:
    """Empties the copy: other sections are about to have these keys. The next publish fills it, and workers score until
    then."""
    if connection.exec_driver_sql(_THERE).scalar():
        connection.exec_driver_sql("TRUNCATE context_pgvector")


def complete(store: Store, snapshot: str, model: str) -> bool:
    """Whether the server can score this snapshot: nothing of it is lacking, and this account may read it."""
    from sqlalchemy.exc import ProgrammingError

    if not is_postgres(store.database.shown):
        return False
    about = {"model": model, "snapshot": snapshot, "most": 1}
    try:
        with store.reading() as connection:
            if not connection.exec_driver_sql(_THERE).scalar():
                return False
            return connection.exec_driver_sql(f"SELECT 1 {_LACKING}", about).first() is None
    except ProgrammingError:
        return False


def array_of(keys: Sequence[int]) -> str:
    """Keys of sections as the server reads them."""
    return f"{{{','.join(map(str, keys))}}}"


def nearest(
    connection: "Connection", model: str, asked: Sequence[float], visible: str, beside: Sequence[int], most: int
) -> dict[int, float]:
    """How near the `most` nearest sections are, those equal to the last of them as well, and those of `beside`, by key:
    of `visible` (see `array_of`) and of nothing else."""
    about: dict[str, Any] = {
        "model": model,
        "asked": str(list(asked)),
        "scale": -(10.0**EXACT_TO),
        "visible": visible,
        "beside": array_of(beside),
        "most": most,
    }
    return {key: at / 10.0**EXACT_TO for key, at in connection.exec_driver_sql(_NEAREST, about)}


def _written(vector: bytes) -> str:
    return str(list(struct.unpack(f"<{len(vector) // 4}f", vector)))
