"""Turns of conversations, steps of flows, outcomes, corrections and what workflows have done, kept in the very commit
of their action, in a file.

A person who is gone remembers nothing, and nothing is added to a conversation that was deleted meanwhile. No statement
here fails for that: the rest of the commit, money and record, stands all the same.
"""

import sqlite3
from typing import Any, Final

from msgspec import json
from msgspec.structs import asdict

from fairlead.storage.types import NewExample, NewOutcome, NewResult, NewStep, NewTurn

# A conversation that is only begun by its first turn, or begun anew after it had expired.
_BEGIN: Final = """
INSERT INTO session (id, subject, tenant, head, made_at, used_at, sealed)
    SELECT :session, :subject, :tenant, '', :at, :at, :begins
    WHERE EXISTS (SELECT 1 FROM subject WHERE id = :subject)
    ON CONFLICT (id) DO UPDATE SET head = '', made_at = excluded.made_at, sealed = excluded.sealed
        WHERE session.used_at <= :since AND session.subject = excluded.subject AND session.tenant = excluded.tenant
"""
_TURN: Final = """
INSERT INTO session_turn (id, subject, tenant, session, previous, made_at, used_at, size, sealed, data_class)
    SELECT :id, :subject, :tenant, :session, COALESCE(
            (SELECT head FROM session WHERE id = :session AND subject = :subject AND tenant = :tenant), :previous),
        :at, :at, :size, :sealed, :data_class
    WHERE EXISTS (SELECT 1 FROM subject WHERE id = :subject) AND (:session = '' OR EXISTS (
        SELECT 1 FROM session WHERE id = :session AND subject = :subject AND tenant = :tenant))
    ON CONFLICT DO NOTHING
"""
_HEAD: Final = "UPDATE session SET head = :id, used_at = :at WHERE id = :session"
_STEP: Final = """
INSERT INTO flow_step (id, flow, subject, at, size, sealed)
    SELECT ?, ?, subject.id, ?, ?, ? FROM subject WHERE id = ?
    ON CONFLICT DO NOTHING
"""
_OUTCOME: Final = """
INSERT INTO outcome (run, by, subject, entry, at, source, task, model, score, weight, propensity, digest)
    SELECT :run, :by, subject.id, :entry, :at, :source, :task, :model, :score, :weight, :propensity, :digest
    FROM subject WHERE id = :subject
    ON CONFLICT (run, by) DO UPDATE SET entry = excluded.entry, at = excluded.at, source = excluded.source,
        score = excluded.score, weight = excluded.weight
"""
_RESULT: Final = """
INSERT INTO workflow_step (run, place, at, action, status, cost, size, sealed)
    SELECT id, :place, :at, :action, :status, :cost, :size, :sealed
    FROM workflow_run WHERE id = :run AND owner = :owner
    ON CONFLICT DO NOTHING
"""
_EXAMPLE: Final = """
INSERT INTO example (id, subject, by, tenant, department, source, task, workflow, run, place, action, reason, code,
        revision, snapshot, data_class, at, sealed)
    SELECT :id, subject.id, :by, :tenant, :department, :source, :task, :workflow, :run, :place, :action, :reason, :code,
        :revision, :snapshot, :data_class, :at, :sealed
    FROM subject WHERE id = :subject AND EXISTS (SELECT 1 FROM subject WHERE id = :by)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, data_class = excluded.data_class, sealed = excluded.sealed
"""
_USED: Final = "UPDATE session_turn SET used_at = :at WHERE id IN (SELECT value FROM json_each(:used))"


def remember(connection: sqlite3.Connection, turn: NewTurn) -> bool:
    """Within the transaction that is open. False, and nothing changed, where there is nobody to remember it for."""
    values: dict[str, Any] = {name: getattr(turn, name) for name in turn.__struct_fields__}
    values["used"] = json.encode(turn.used).decode()
    if turn.begins is not None:
        connection.execute(_BEGIN, values)
    if connection.execute(_TURN, values).rowcount != 1:
        return False
    if turn.session:
        connection.execute(_HEAD, values)
    if turn.used:
        connection.execute(_USED, values)
    return True


def keep(connection: sqlite3.Connection, step: NewStep) -> bool:
    """As `remember`, for a step of a flow."""
    values = (step.id, step.flow, step.at, step.size, step.sealed, step.subject)
    return connection.execute(_STEP, values).rowcount == 1


def judge(connection: sqlite3.Connection, outcome: NewOutcome) -> bool:
    """As `remember`, for how well a run was done: the latest of one who judges counts."""
    return connection.execute(_OUTCOME, asdict(outcome)).rowcount == 1


def finish(connection: sqlite3.Connection, result: NewResult) -> bool:
    """As `remember`, for what a run of a workflow has done. False where another walks that run by now."""
    return connection.execute(_RESULT, asdict(result)).rowcount == 1


def teach(connection: sqlite3.Connection, example: NewExample) -> bool:
    """As `remember`, for how something should have been: the latest of one person counts."""
    return connection.execute(_EXAMPLE, asdict(example)).rowcount == 1
