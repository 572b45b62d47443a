"""The rows of browser sessions. All SQL of them, for SQLite and PostgreSQL alike; what is sealed stays sealed.

A session is found by the digest of its cookie, so whoever reads the table can sign in as nobody.
"""

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from fairlead.storage.personal_tables import browser_session as table


class BrowserRow(Struct, frozen=True, kw_only=True):
    """A row. Times in milliseconds since 1970; `ended_at` is 0 while it lasts, `asked_at` is when its provider was
    last asked. `attempt` is the digest of the one attempt to sign in that made it."""

    digest: bytes
    attempt: bytes
    subject: str
    issuer: str
    started_at: int
    seen_at: int
    asked_at: int
    expires_at: int
    ended_at: int
    sealed: bytes


def begin(connection: Connection, row: BrowserRow) -> bool:
    """False, and nothing kept, where the attempt has made a session already."""
    try:
        connection.execute(insert(table).values(asdict(row)))
    except IntegrityError:
        return False
    return True


def one(connection: Connection, digest: bytes) -> BrowserRow | None:
    """A session by the digest of its cookie's secret."""
    row = connection.execute(select(table).where(table.c.digest == digest)).mappings().first()
    if row is None:
        return None
    raw = {name: bytes(row[name]) for name in ("digest", "attempt", "sealed")}
    return BrowserRow(**{**row, **raw})


def seen(connection: Connection, digest: bytes, at: int) -> None:
    """It was used at this moment: never set back to an earlier one."""
    connection.execute(update(table).where(table.c.digest == digest, table.c.seen_at < at).values(seen_at=at))


def take_turn(connection: Connection, row: BrowserRow, at: int) -> bool:
    """Of all who want to ask the provider about a session, one does: a refresh token may be good for one use."""
    mine = (table.c.digest == row.digest) & (table.c.asked_at == row.asked_at) & (table.c.ended_at == 0)
    return connection.execute(update(table).where(mine).values(asked_at=at)).rowcount == 1


def give_turn_back(connection: Connection, row: BrowserRow, at: int) -> None:
    """The provider could not be asked: whoever comes next tries again."""
    mine = (table.c.digest == row.digest) & (table.c.asked_at == at)
    connection.execute(update(table).where(mine).values(asked_at=row.asked_at))


def reseal(connection: Connection, digest: bytes, sealed: bytes) -> bool:
    """False where it has ended meanwhile: then nothing is kept."""
    mine = (table.c.digest == digest) & (table.c.ended_at == 0)
    return connection.execute(update(table).where(mine).values(sealed=sealed)).rowcount == 1


def end(connection: Connection, digest: bytes, at: int) -> bool:
    """Whether it lasted until now. What it held of the person goes at once."""
    mine = (table.c.digest == digest) & (table.c.ended_at == 0)
    return connection.execute(update(table).where(mine).values(ended_at=at, sealed=b"")).rowcount == 1


def end_of_subject(connection: Connection, subject: str, at: int) -> list[str]:
    """End all of somebody's sessions. The issuers of those that lasted until now."""
    mine = (table.c.subject == subject) & (table.c.ended_at == 0)
    issuers = list(connection.execute(select(table.c.issuer).where(mine)).scalars())
    connection.execute(update(table).where(mine).values(ended_at=at, sealed=b""))
    return issuers


def end_every(connection: Connection) -> None:
    """Delete all: whoever was signed in signs in again."""
    connection.execute(delete(table))


def forget(connection: Connection, before: int) -> int:
    """Delete what ended or expired before then. How many that were."""
    return connection.execute(delete(table).where(_over(before))).rowcount


def is_any_over(connection: Connection, before: int) -> bool:
    """Whether `forget` has anything to do."""
    return connection.execute(select(table.c.digest).where(_over(before)).limit(1)).first() is not None


def _over(before: int) -> ColumnElement[bool]:
    return table.c.ended_at.between(1, before) | (table.c.expires_at <= before)
