"""The rows of outcomes, as learning reads them and the gathering of them writes them. What people say of a run is
written by the journal. All SQL of the cold path, for SQLite and PostgreSQL; each function works within the caller's
transaction."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, or_, select

from fairlead.storage.log import raw
from fairlead.storage.outcome_tables import outcome, outcome_mark
from fairlead.storage.schema import log, payload, subject
from fairlead.storage.types import NewOutcome, Sealed

_MARK: Final = "log"
_PAGE: Final = 1000
_MANY: Final = 400  # runs that one question names


def records_of(connection: Connection, run: str) -> list[bytes]:
    """The records of exactly this run, oldest first."""
    query = select(log.c.record).where(log.c.run == run).order_by(log.c.seq)
    return [raw(each) for each in connection.execute(query).scalars()]


def records_of_all(connection: Connection, runs: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """The records of these runs, each with its run's id, the oldest of each first."""
    ids = list(runs)
    for at in range(0, len(ids), _MANY):
        query = select(log.c.run, log.c.record).where(log.c.run.in_(ids[at : at + _MANY])).order_by(log.c.seq)
        yield from ((run, raw(record)) for run, record in connection.execute(query))


def payload_of(connection: Connection, run: str) -> Sealed | None:
    """What was asked and answered in exactly this run, sealed; None where it is not kept."""
    both = select(payload.c.subject, payload.c.ciphertext).join(log, log.c.seq == payload.c.seq)
    row = connection.execute(both.where(log.c.run == run).order_by(log.c.seq.desc()).limit(1)).first()
    return None if row is None else Sealed(row.subject, raw(row.ciphertext))


def is_alive(connection: Connection, subject_id: str) -> bool:
    """Whether the person was not erased."""
    return connection.execute(select(subject.c.id).where(subject.c.id == subject_id)).first() is not None


def outcome_of(connection: Connection, run: str, by: str) -> NewOutcome | None:
    """What one of those who judge has said of a run last."""
    mine = (outcome.c.run == run) & (outcome.c.by == by)
    row = connection.execute(select(outcome).where(mine)).mappings().first()
    return None if row is None else NewOutcome(**row)


def outcomes_since(connection: Connection, at: int) -> Iterator[NewOutcome]:
    """All from a moment on (milliseconds since 1970), by run."""
    last: tuple[str, str] = ("", "")
    while True:
        after = or_(outcome.c.run > last[0], (outcome.c.run == last[0]) & (outcome.c.by > last[1]))
        query = select(outcome).where(outcome.c.at >= at, after).order_by(outcome.c.run, outcome.c.by).limit(_PAGE)
        page = connection.execute(query).mappings().all()
        yield from (NewOutcome(**row) for row in page)
        if len(page) < _PAGE:
            return
        last = page[-1]["run"], page[-1]["by"]


def keep(connection: Connection, new: Sequence[NewOutcome]) -> None:
    """Keep what was seen; the latest counts. Of the erased nothing is kept."""
    for each in new:
        connection.execute(delete(outcome).where(outcome.c.run == each.run, outcome.c.by == each.by))
        if is_alive(connection, each.subject):
            connection.execute(insert(outcome).values(asdict(each)))


def mark(connection: Connection) -> int:
    """The index of the last row of the log that was read, -1 before the first."""
    found = connection.execute(select(outcome_mark.c.seq).where(outcome_mark.c.id == _MARK)).scalar()
    return -1 if found is None else int(found)


def set_mark(connection: Connection, seq: int) -> None:
    """The log was read up to this row."""
    connection.execute(delete(outcome_mark).where(outcome_mark.c.id == _MARK))
    connection.execute(insert(outcome_mark).values(id=_MARK, seq=seq))


def page_of_log(connection: Connection, after: int, limit: int) -> Sequence[Any]:
    """Rows of the log behind an index, each with what was sealed with it: `seq`, `run`, `at`, `record`, `subject` and
    `ciphertext`, the last two None where nothing was."""
    query = (
        select(log.c.seq, log.c.run, log.c.at, log.c.record, payload.c.subject, payload.c.ciphertext)
        .outerjoin(payload, payload.c.seq == log.c.seq)
        .where(log.c.seq > after)
        .order_by(log.c.seq)
        .limit(limit)
    )
    return connection.execute(query).all()


def is_any_before(connection: Connection, before: int) -> bool:
    """Whether there is an outcome that is older than that."""
    return connection.execute(select(outcome.c.run).where(outcome.c.at < before).limit(1)).first() is not None


def forget_outcomes(connection: Connection, before: int) -> int:
    """Delete those older than that. How many that were."""
    return connection.execute(delete(outcome).where(outcome.c.at < before)).rowcount
