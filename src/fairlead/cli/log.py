"""Reading the log of the state database: for reports, traces and proofs. Nothing here writes."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from fairlead.costs.record import Record, decode_record
from fairlead.errors import Broken, NotFound
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from fairlead.audit import Frontier

_PAGE = 2000
SHORTEST_RUN = 4  # characters of a run's name that are taken for a beginning of it


class LogRow(Struct, frozen=True):
    """One row. `seq` is its index in the audit tree, `at` in milliseconds since 1970."""

    seq: int
    run: str
    at: int
    record: bytes
    spans: bytes

    @property
    def read(self) -> Record:
        """The record. Raises `Broken` for bytes that are none: somebody changed the database."""
        try:
            return decode_record(self.record)
        except msgspec.DecodeError as error:
            raise Broken(
                f"record {self.seq} of the log cannot be read",
                why=str(error),
                mend="fairlead audit verify tells what was changed; compare with a backup",
                subject=str(self.seq),
            ) from error


def latest(store: Store, count: int) -> list[LogRow]:
    """The last rows, the newest first."""
    from fairlead.storage.schema import log

    with store.reading() as connection:
        return _rows(connection.execute(log.select().order_by(log.c.seq.desc()).limit(count)).all())


def of_run(store: Store, run: str) -> list[LogRow]:
    """The rows of a run, oldest first; `last` is the latest run that has a trace. The beginning of a name will do.

    Raises `NotFound` where there is no such run, or several.
    """
    from fairlead.storage.schema import log

    with store.reading() as connection:
        name = _last_run(connection) if run == "last" else _full_name(connection, run)
        return _rows(connection.execute(log.select().where(log.c.run == name).order_by(log.c.seq)).all())


def _last_run(connection: "Connection") -> str:
    from sqlalchemy import func, select

    from fairlead.storage.schema import log

    query = select(log.c.run).where(func.length(log.c.spans) > 0).order_by(log.c.seq.desc()).limit(1)
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("there is no run yet", mend='ask something first: fairlead ask "What can you do?"')
    return str(found[0])


def _full_name(connection: "Connection", run: str) -> str:
    from sqlalchemy import select

    from fairlead.storage.schema import log

    if connection.execute(select(log.c.run).where(log.c.run == run).limit(1)).first():
        return run
    begins = log.c.run.startswith(run, autoescape=True) if len(run) >= SHORTEST_RUN else log.c.run == run
    found = connection.execute(select(log.c.run).where(begins).distinct().limit(2)).all()
    if len(found) == 1:
        return str(found[0][0])
    several = f"several runs begin with {run!r}" if found else f"there is no run {run!r}"
    raise NotFound(several, mend="fairlead runs lists the latest")


def since(store: Store, at: int) -> Iterator[LogRow]:
    """The rows from a moment on (milliseconds since 1970), oldest first, without their spans."""
    from fairlead.storage.schema import log

    with store.reading() as connection:
        last = -1
        while True:
            query = log.select().where(log.c.at >= at, log.c.seq > last).order_by(log.c.seq).limit(_PAGE)
            page = _rows(connection.execute(query).all())
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1].seq


class Ledger(Struct, frozen=True):
    """What the audit checks, as of one moment: rows are read on from `connection`."""

    head: "Frontier"
    checkpoints: tuple[str, ...]


def audited(connection: "Connection") -> Ledger:
    """The head and the signed checkpoints, smallest first."""
    from sqlalchemy import select

    from fairlead.audit import Frontier
    from fairlead.storage.schema import checkpoint, tree

    head = connection.execute(select(tree.c.peaks)).first()
    notes = connection.execute(select(checkpoint.c.note).order_by(checkpoint.c.size)).scalars().all()
    return Ledger(Frontier.from_bytes(bytes(head[0])) if head else Frontier(), tuple(notes))


def records(connection: "Connection") -> Iterator[tuple[int, bytes]]:
    """Every record with its index, in order, a page at a time."""
    from sqlalchemy import select

    from fairlead.storage.schema import log

    last = -1
    while True:
        query = select(log.c.seq, log.c.record).where(log.c.seq > last).order_by(log.c.seq).limit(_PAGE)
        page = connection.execute(query).all()
        for seq, record in page:
            yield int(seq), raw(record)
        if len(page) < _PAGE:
            return
        last = int(page[-1][0])


def payload(store: Store, seq: int) -> tuple[str, bytes] | None:
    """The subject and the ciphertext of a row's payload, None where none was kept."""
    from sqlalchemy import select

    from fairlead.storage.schema import payload as kept

    with store.reading() as connection:
        found = connection.execute(select(kept.c.subject, kept.c.ciphertext).where(kept.c.seq == seq)).first()
    return None if found is None else (str(found[0]), bytes(found[1]))


def budgets(store: Store) -> dict[tuple[str, str], tuple[int, int]]:
    """What is held and what is spent, by scope and period, in nano-units."""
    from sqlalchemy import select

    from fairlead.storage.schema import budget

    with store.reading() as connection:
        rows = connection.execute(select(budget.c.scope, budget.c.period, budget.c.held, budget.c.spent)).all()
    return {(scope, period): (held, spent) for scope, period, held, spent in rows}


def raw(stored: bytes | str) -> bytes:
    """What a cell holds. Bytes that somebody has replaced by text are to be checked, not to be stumbled over."""
    return stored.encode() if isinstance(stored, str) else bytes(stored)


def _rows(found: "Iterable[Row[Any]]") -> list[LogRow]:
    return [LogRow(row.seq, row.run, row.at, raw(row.record), raw(row.spans)) for row in found]
