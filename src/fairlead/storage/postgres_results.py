"""What runs of workflows have done, kept by the very statement that writes its group: one round trip, which commits by
itself.

The run's row is looked at only after the group was decided, and what another has made of it meanwhile counts: a row
that is locked is read again as it stands then.
"""

from collections.abc import Sequence
from typing import Any, Final

from fairlead.storage.types import Write

_KEEP: Final = """
WITH said AS MATERIALIZED ({write}), given AS (
    SELECT * FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[],
        %b::bigint[], %b::bigint[], %b::bytea[])
        AS each(number, run, place, owner, at, action, status, cost, size, sealed)
), mine AS (
    SELECT given.* FROM said
        JOIN given ON said.outcomes[given.number] = 0
        JOIN workflow_run ON workflow_run.id = given.run AND workflow_run.owner = given.owner
    ORDER BY given.run, given.place, given.number FOR SHARE OF workflow_run
), added AS (
    INSERT INTO workflow_step (run, place, at, action, status, cost, size, sealed)
    SELECT run, place, at, action, status, cost, size, sealed FROM mine
    ON CONFLICT DO NOTHING RETURNING run, place
), kept AS (
    SELECT min(mine.number) AS number FROM mine JOIN added USING (run, place) GROUP BY mine.run, mine.place
)
SELECT outcomes, refusers, lefts, warned, ARRAY(SELECT number FROM kept) FROM said
"""


def keeping(write: str) -> str:
    """The statement that calls `fairlead_write`, extended: it gives also the numbers, from 1, of those kept."""
    return _KEEP.format(write=write)


def flat(writes: Sequence[Write]) -> tuple[list[Any], ...] | None:
    """The further arguments of that statement, None where no write of the group has a result."""
    rows = [
        (number, done.run, done.place, done.owner, done.at, done.action, done.status, done.cost, done.size, done.sealed)
        for number, write in enumerate(writes, 1)
        if (done := write.result) is not None
    ]
    return tuple(map(list, zip(*rows, strict=True))) if rows else None
