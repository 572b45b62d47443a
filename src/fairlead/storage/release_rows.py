"""The rows of what was told of groups of people. All SQL of them, each within its caller's transaction."""

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select

from fairlead.storage.log import raw
from fairlead.storage.release_tables import released


class KeptRelease(Struct, frozen=True, kw_only=True):
    """What was told. `at` in milliseconds since 1970, `content` is JSON."""

    source: str
    since: str
    until: str
    rule: str
    digest: str
    at: int
    groups: int
    suppressed: int
    content: bytes


def overlapping(connection: Connection, source: str, since: str, until: str) -> list[KeptRelease]:
    """What was told of a source and of any of these days."""
    query = select(released).where(released.c.source == source, released.c.since < until, released.c.until > since)
    return [_row(dict(each)) for each in connection.execute(query.order_by(released.c.since)).mappings()]


def keep(connection: Connection, new: KeptRelease) -> None:
    """Keep a table, before anybody gets it."""
    connection.execute(insert(released).values(asdict(new)))


def every(connection: Connection, rule: str) -> list[KeptRelease]:
    """All that one rule has told, the newest first."""
    query = select(released).where(released.c.rule == rule).order_by(released.c.since.desc())
    return [_row(dict(each)) for each in connection.execute(query).mappings()]


def forget(connection: Connection, until: str) -> None:
    """Delete what is about days before this one."""
    connection.execute(delete(released).where(released.c.until < until))


def _row(row: dict[str, object]) -> KeptRelease:
    return KeptRelease(**{**row, "content": raw(row["content"])})  # type: ignore[arg-type]
