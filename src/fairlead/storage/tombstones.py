"""What must never come to life again: erased subjects and revoked keys, each by a number, without a gap.

They are written in the transaction that erases or revokes. Anchors get a copy, so that a backup from before can be
restored without reviving anybody: see `storage.restoring`. A tombstone holds no name: a subject's id, a key's digest.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, func, insert, select, update

from fairlead.errors import BadInput
from fairlead.storage.custody_tables import tombstone
from fairlead.storage.schema import tree

SUBJECT: Final = "subject"
KEY: Final = "key"


class Tombstone(Struct, frozen=True):
    """`what` is a subject's id, or the digest of a key in hexadecimal. `seq` is the size of the log at that time, and
    `done_at` 0 until all that belonged to it was deleted. Times in milliseconds since 1970."""

    n: int
    kind: str
    what: str
    at: int
    seq: int = 0
    done_at: int = 0


def bury(connection: Connection, kind: str, what: str, at: int, *, done: bool = False) -> Tombstone:
    """Within a writing transaction. What is buried already stays as it is."""
    known = connection.execute(tombstone.select().where(tombstone.c.kind == kind, tombstone.c.what == what)).first()
    if known is not None:
        return Tombstone(*known)
    last = connection.execute(select(func.max(tombstone.c.n))).scalar() or 0
    size = connection.execute(select(tree.c.size)).scalar() or 0
    made = Tombstone(int(last) + 1, kind, what, at, int(size), at if done else 0)
    connection.execute(
        insert(tombstone).values(n=made.n, kind=kind, what=what, at=at, seq=made.seq, done_at=made.done_at)
    )
    return made


def tombstones(connection: Connection, after: int = 0) -> list[Tombstone]:
    """Those with a number above `after`, in order."""
    query = tombstone.select().where(tombstone.c.n > after).order_by(tombstone.c.n)
    return [Tombstone(*row) for row in connection.execute(query)]


def mark_done(connection: Connection, n: int, at: int) -> None:
    """All that belonged to it is deleted."""
    connection.execute(update(tombstone).where(tombstone.c.n == n).values(done_at=at))


_LINE: Final = "{n} {kind} {what} {at}"


def spell(stones: Iterable[Tombstone]) -> Iterator[str]:
    """A line for each, as anchors keep them."""
    return (_LINE.format(n=each.n, kind=each.kind, what=each.what, at=each.at) for each in stones)


def read_line(line: str) -> Tombstone:
    """What `spell` wrote. Raises BadInput."""
    parts = line.split(" ")
    if len(parts) != 4 or parts[1] not in (SUBJECT, KEY) or not (parts[0] + parts[3]).isdecimal():
        raise BadInput(
            f"{line[:80]!r} is no line of a list of tombstones", mend="give the file whole, as it was written"
        )
    return Tombstone(int(parts[0]), parts[1], parts[2], int(parts[3]))
