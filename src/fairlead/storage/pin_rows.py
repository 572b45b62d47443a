"""The rows of pins: which snapshot of the context each piece of work began under. All SQL of them, for both databases.

Each function works within the caller's transaction.
"""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update

from fairlead.storage.context_tables import context_pin


class Pin(Struct, frozen=True):
    """Times in milliseconds since 1970. `snapshot` is "" where there was no context. `id` is never a name."""

    id: str
    snapshot: str
    revision: str
    pinned_at: int
    used_at: int


def one(connection: Connection, id: str) -> Pin | None:
    """The pin of a piece of work by its id."""
    row = connection.execute(select(context_pin).where(context_pin.c.id == id)).one_or_none()
    return None if row is None else Pin(*row)


def every(connection: Connection) -> list[Pin]:
    """All of them, the latest used first."""
    rows = connection.execute(select(context_pin).order_by(context_pin.c.used_at.desc(), context_pin.c.id))
    return [Pin(*row) for row in rows]


def keep(connection: Connection, pin: Pin) -> Pin:
    """Keep it, unless the work is pinned already: what counts is given back. Under the write lock."""
    found = one(connection, pin.id)
    if found is not None:
        return found
    connection.execute(
        insert(context_pin),
        {
            "id": pin.id, "snapshot": pin.snapshot, "revision": pin.revision, "pinned_at": pin.pinned_at,
            "used_at": pin.used_at,
        },
    )  # fmt: skip
    return pin


def used(connection: Connection, id: str, at: int) -> None:
    """Somebody has gone on with it, at this moment: never set back to an earlier one."""
    connection.execute(
        update(context_pin).where((context_pin.c.id == id) & (context_pin.c.used_at < at)).values(used_at=at)
    )


def release(connection: Connection, ids: Sequence[str]) -> int:
    """Let go of these. How many there were."""
    return sum(connection.execute(delete(context_pin).where(context_pin.c.id == id)).rowcount for id in ids)


def is_any_over(connection: Connection, before: int) -> bool:
    """Whether `forget` has anything to do."""
    return (
        connection.execute(select(context_pin.c.id).where(context_pin.c.used_at < before).limit(1)).first() is not None
    )


def forget(connection: Connection, before: int) -> None:
    """Let go of what nobody has gone on with since."""
    connection.execute(delete(context_pin).where(context_pin.c.used_at < before))
