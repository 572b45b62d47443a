"""Turns of conversations that are remembered in the very commit that settles them, on a server. As `sqlite_turns`.

The person's row is locked first, as whoever erases them does, so that neither waits for the other in a circle.
"""

from typing import TYPE_CHECKING, Any, Final

from fairlead.storage.types import NewTurn

if TYPE_CHECKING:
    import psycopg

_BEGIN: Final = """
WITH alive AS (SELECT id FROM subject WHERE id = %(subject)s FOR KEY SHARE)
INSERT INTO session (id, subject, tenant, head, made_at, used_at, sealed)
    SELECT %(session)s, alive.id, %(tenant)s, '', %(at)s, %(at)s, %(begins)s FROM alive
    ON CONFLICT (id) DO UPDATE SET head = '', made_at = excluded.made_at, sealed = excluded.sealed
        WHERE session.used_at <= %(since)s AND session.subject = excluded.subject AND session.tenant = excluded.tenant
"""
_TURN: Final = """
WITH alive AS (
    SELECT id FROM subject WHERE id = %(subject)s FOR KEY SHARE
), there AS (
    SELECT session.head FROM session JOIN alive ON session.subject = alive.id
    WHERE session.id = %(session)s AND session.tenant = %(tenant)s FOR UPDATE OF session
), added AS (
    INSERT INTO session_turn (id, subject, tenant, session, previous, made_at, used_at, size, sealed, data_class)
    SELECT %(id)s, alive.id, %(tenant)s, %(session)s, COALESCE((SELECT head FROM there), %(previous)s),
        %(at)s, %(at)s, %(size)s, %(sealed)s, %(data_class)s
    FROM alive WHERE %(session)s::text = '' OR EXISTS (SELECT 1 FROM there)
    ON CONFLICT DO NOTHING RETURNING id
), moved AS (
    UPDATE session SET head = added.id, used_at = %(at)s FROM added WHERE session.id = %(session)s
), touched AS (
    UPDATE session_turn SET used_at = %(at)s FROM added WHERE session_turn.id = ANY(%(used)s::text[])
)
SELECT count(*) FROM added
"""
_IS_THERE: Final = "SELECT count(*) FROM session_turn WHERE id = %s AND subject = %s"


def remember(connection: "psycopg.Connection[Any]", turn: NewTurn) -> bool:
    """Within the transaction that is open. False, and nothing changed, where there is nobody to remember it for."""
    values: dict[str, Any] = {name: getattr(turn, name) for name in turn.__struct_fields__}
    values["used"] = list(turn.used)
    if turn.begins is not None:
        connection.execute(_BEGIN, values)
    return _is_one(connection.execute(_TURN, values))


def is_remembered(connection: "psycopg.Connection[Any]", turn: NewTurn) -> bool:
    """Whether a commit of which no answer came has kept it."""
    return _is_one(connection.execute(_IS_THERE, (turn.id, turn.subject)))


def _is_one(cursor: "psycopg.Cursor[Any]") -> bool:
    row = cursor.fetchone()
    return row is not None and row[0] == 1
