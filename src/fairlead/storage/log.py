"""Reading the log: for reports, traces and proofs. Nothing here writes, and nothing here knows what a record says.

The journal appends to it. This loads SQLAlchemy, so whoever also does without the log imports it when it is needed.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Connection, Row, func, select

from fairlead.audit import Frontier
from fairlead.errors import NotFound
from fairlead.storage.schema import checkpoint, log, payload, tree
from fairlead.storage.store import Store

SHORTEST_RUN: Final = 4  # characters of a run's name that are taken for a beginning of it
_PAGE: Final = 2000


class LogRow(Struct, frozen=True):
    """One row. `seq` is its index in the audit tree, `at` in milliseconds since 1970."""

    seq: int
    run: str
    at: int
    record: bytes
    spans: bytes


class KeptPayload(Struct, frozen=True):
    """What was sealed with a record: whose key opens it, and the ciphertext."""

    seq: int
    subject: str
    ciphertext: bytes


class Moment:
    """The log as it stood when the reading began: what is appended meanwhile is not seen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def head(self) -> Frontier:
        """The head of the tree as the journal keeps it; whether it follows from the records is the audit's question."""
        peaks = self._connection.execute(select(tree.c.peaks)).scalar()
        return Frontier() if peaks is None else Frontier.from_bytes(raw(peaks))

    def checkpoints(self) -> tuple[str, ...]:
        """The signed checkpoints, smallest first."""
        return tuple(self._connection.execute(select(checkpoint.c.note).order_by(checkpoint.c.size)).scalars())

    def last_signed(self) -> tuple[int, int] | None:
        """How many records the largest checkpoint covers, and when it was signed; None before the first."""
        newest = select(checkpoint.c.size, checkpoint.c.at).order_by(checkpoint.c.size.desc()).limit(1)
        found = self._connection.execute(newest).first()
        return None if found is None else (found.size, found.at)

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Every record with its index, in order, a page at a time."""
        last = -1
        while True:
            query = select(log.c.seq, log.c.record).where(log.c.seq > last).order_by(log.c.seq).limit(_PAGE)
            page = self._connection.execute(query).all()
            for seq, record in page:
                yield int(seq), raw(record)
            if len(page) < _PAGE:
                return
            last = int(page[-1][0])

    def payloads(self) -> Iterator[tuple[KeptPayload, bytes]]:
        """Every payload that is still kept, with the record that it belongs to."""
        both = select(payload, log.c.record).join(log, log.c.seq == payload.c.seq).order_by(payload.c.seq)
        for seq, subject, ciphertext, record in self._connection.execute(both).yield_per(500):
            yield KeptPayload(seq, subject, raw(ciphertext)), raw(record)


class Log:
    """The rows of the log. Each call sees the log as it stands then."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @contextmanager
    def at_one_moment(self) -> Iterator[Moment]:
        """Several questions to one and the same state of the log, as its check needs."""
        with self._reading() as connection:
            yield Moment(connection)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._store.bring_in_order()
        with self._store.reading() as connection:
            yield connection

    def latest(self, count: int) -> list[LogRow]:
        """The last rows, the newest first."""
        with self._reading() as connection:
            return _rows(connection.execute(log.select().order_by(log.c.seq.desc()).limit(count)).all())

    def of_run(self, run: str) -> list[LogRow]:
        """The rows of a run, oldest first; `last` is the latest run that has a trace. The beginning of a name will do.

        Raises `NotFound` where there is no such run, or several.
        """
        with self._reading() as connection:
            name = _last_run(connection) if run == "last" else _full_name(connection, run)
            return _rows(connection.execute(log.select().where(log.c.run == name).order_by(log.c.seq)).all())

    def since(self, at: int) -> Generator[LogRow, None, None]:
        """The rows from a moment on (milliseconds since 1970), oldest first."""
        with self._reading() as connection:
            last = -1
            while True:
                query = log.select().where(log.c.at >= at, log.c.seq > last).order_by(log.c.seq).limit(_PAGE)
                page = _rows(connection.execute(query).all())
                yield from page
                if len(page) < _PAGE:
                    return
                last = page[-1].seq

    def with_payloads(self, at: int) -> Generator[tuple[bytes, KeptPayload | None], None, None]:
        """The records from a moment on, oldest first, each with what was sealed with it."""
        both = select(log.c.seq, log.c.record, payload.c.subject, payload.c.ciphertext).join(
            payload, log.c.seq == payload.c.seq, isouter=True
        )
        with self._reading() as connection:
            last = -1
            while True:
                query = both.where(log.c.at >= at, log.c.seq > last).order_by(log.c.seq).limit(_PAGE)
                page = connection.execute(query).all()
                for seq, record, subject, ciphertext in page:
                    kept = None if ciphertext is None else KeptPayload(seq, subject, raw(ciphertext))
                    yield raw(record), kept
                if len(page) < _PAGE:
                    return
                last = page[-1].seq

    def deeds(self) -> list[LogRow]:
        """What was done to the deployment itself, oldest first: see `costs.record.deed`."""
        with self._reading() as connection:
            deeds = log.select().where(log.c.run.startswith("deed_", autoescape=True)).order_by(log.c.seq)
            return _rows(connection.execute(deeds).all())

    def newest_after(self, seq: int, most: int) -> list[tuple[int, bytes]]:
        """The newest records, at most so many, of those after an index: each with its own, oldest first."""
        with self._reading() as connection:
            query = select(log.c.seq, log.c.record).where(log.c.seq > seq).order_by(log.c.seq.desc()).limit(most)
            return [(int(at), raw(record)) for at, record in reversed(connection.execute(query).all())]

    def payload(self, seq: int) -> KeptPayload | None:
        """What was sealed with a record, None where nothing was kept."""
        with self._reading() as connection:
            found = connection.execute(payload.select().where(payload.c.seq == seq)).first()
        return None if found is None else KeptPayload(found.seq, found.subject, raw(found.ciphertext))


def raw(stored: bytes | str) -> bytes:
    """What a cell holds. Bytes that somebody has replaced by text are to be checked, not to be stumbled over."""
    return stored.encode() if isinstance(stored, str) else bytes(stored)


def _last_run(connection: Connection) -> str:
    query = select(log.c.run).where(func.length(log.c.spans) > 0).order_by(log.c.seq.desc()).limit(1)
    found = connection.execute(query).first()
    if found is None:
        raise NotFound("there is no run yet", mend='ask something first: fairlead ask "What can you do?"')
    return str(found[0])


def _full_name(connection: Connection, run: str) -> str:
    if connection.execute(select(log.c.run).where(log.c.run == run).limit(1)).first():
        return run
    begins = log.c.run.startswith(run, autoescape=True) if len(run) >= SHORTEST_RUN else log.c.run == run
    found = connection.execute(select(log.c.run).where(begins).distinct().limit(2)).all()
    if len(found) == 1:
        return str(found[0][0])
    several = f"several runs begin with {run!r}" if found else f"there is no run {run!r}"
    raise NotFound(several, mend="fairlead runs lists the latest")


def _rows(found: Iterable[Row[Any]]) -> list[LogRow]:
    return [LogRow(row.seq, row.run, row.at, raw(row.record), raw(row.spans)) for row in found]
