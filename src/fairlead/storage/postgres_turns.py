"""Turns of conversations, steps of flows, outcomes and corrections, kept in the very commit of their action, on a
server. What workflows have done is kept by the statement of its group (`postgres_results`).

The person's row is locked first, as whoever erases them does, so that neither waits for the other in a circle.
"""

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import asdict

from fairlead.storage.types import NewTurn, Write

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
_STEP: Final = """
WITH alive AS (SELECT id FROM subject WHERE id = %(subject)s FOR KEY SHARE), added AS (
    INSERT INTO flow_step (id, flow, subject, at, size, sealed)
    SELECT %(id)s, %(flow)s, alive.id, %(at)s, %(size)s, %(sealed)s FROM alive
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT count(*) FROM added
"""
_OUTCOME: Final = """
WITH alive AS (SELECT id FROM subject WHERE id = %(subject)s FOR KEY SHARE), added AS (
    INSERT INTO outcome (run, by, subject, entry, at, source, task, model, score, weight, propensity, digest)
    SELECT %(run)s, %(by)s, alive.id, %(entry)s, %(at)s, %(source)s, %(task)s, %(model)s, %(score)s, %(weight)s,
        %(propensity)s, %(digest)s
    FROM alive
    ON CONFLICT (run, by) DO UPDATE SET entry = excluded.entry, at = excluded.at, source = excluded.source,
        score = excluded.score, weight = excluded.weight
    RETURNING run
)
SELECT count(*) FROM added
"""
_EXAMPLE: Final = """
WITH alive AS (SELECT id FROM subject WHERE id IN (%(subject)s, %(by)s) ORDER BY id FOR KEY SHARE), added AS (
    INSERT INTO example (id, subject, by, tenant, department, source, task, workflow, run, place, action, reason, code,
        revision, snapshot, data_class, at, sealed)
    SELECT %(id)s, alive.id, %(by)s, %(tenant)s, %(department)s, %(source)s, %(task)s, %(workflow)s, %(run)s, %(place)s,
        %(action)s, %(reason)s, %(code)s, %(revision)s, %(snapshot)s, %(data_class)s, %(at)s, %(sealed)s
    FROM alive WHERE alive.id = %(subject)s AND EXISTS (SELECT 1 FROM alive WHERE id = %(by)s)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, data_class = excluded.data_class, sealed = excluded.sealed
    RETURNING id
)
SELECT count(*) FROM added
"""
_EXAMPLE_IS_THERE: Final = "SELECT count(*) FROM example WHERE id = %s AND at = %s"
_STEP_IS_THERE: Final = "SELECT count(*) FROM flow_step WHERE id = %s AND subject = %s"
_OUTCOME_IS_THERE: Final = "SELECT count(*) FROM outcome WHERE run = %s AND by = %s"
_RESULT_IS_THERE: Final = "SELECT count(*) FROM workflow_step WHERE run = %s AND place = %s AND action = %s"
_IS_THERE: Final = "SELECT count(*) FROM session_turn WHERE id = %s AND subject = %s"


def has_any(write: Write) -> bool:
    """Whether there is anything for `remember`."""
    return any(each is not None for each in (write.turn, write.step, write.outcome, write.example))


def remember(connection: "psycopg.Connection[Any]", write: Write) -> bool:
    """Within the transaction that is open. False where there is nobody to remember it for."""
    if write.turn is not None and not _turn(connection, write.turn):
        return False
    if write.outcome is not None and not _is_one(connection.execute(_OUTCOME, asdict(write.outcome))):
        return False
    if write.example is not None and not _is_one(connection.execute(_EXAMPLE, asdict(write.example))):
        return False
    return write.step is None or _is_one(connection.execute(_STEP, asdict(write.step)))


def is_remembered(connection: "psycopg.Connection[Any]", write: Write) -> bool:
    """Whether a commit of which no answer came has kept it."""
    kept = [
        connection.execute(statement, (each.id, each.subject))
        for statement, each in ((_IS_THERE, write.turn), (_STEP_IS_THERE, write.step))
        if each is not None
    ]
    if write.outcome is not None:
        kept.append(connection.execute(_OUTCOME_IS_THERE, (write.outcome.run, write.outcome.by)))
    if write.result is not None:
        done = write.result
        kept.append(connection.execute(_RESULT_IS_THERE, (done.run, done.place, done.action)))
    if write.example is not None:
        kept.append(connection.execute(_EXAMPLE_IS_THERE, (write.example.id, write.example.at)))
    return all(map(_is_one, kept))


def _turn(connection: "psycopg.Connection[Any]", turn: NewTurn) -> bool:
    """False, and nothing changed, where its person or its conversation is gone."""
    values: dict[str, Any] = {name: getattr(turn, name) for name in turn.__struct_fields__}
    values["used"] = list(turn.used)
    if turn.begins is not None:
        connection.execute(_BEGIN, values)
    return _is_one(connection.execute(_TURN, values))


def _is_one(cursor: "psycopg.Cursor[Any]") -> bool:
    row = cursor.fetchone()
    return row is not None and row[0] == 1
