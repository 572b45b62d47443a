"""The stops in force, in the table `stop`. Whoever writes here raises the epoch in the same transaction: a worker that
has not seen it decides nothing, so a stop counts everywhere once the workers have acknowledged it."""

import msgspec
from sqlalchemy import Connection, delete, insert, select

from fairlead.errors import BadInput, NotFound
from fairlead.policy.stops import Stop
from fairlead.storage.schema import stop as table

_NAMES = {"by": "placed_by"}


def put_stop(connection: Connection, stop: Stop) -> None:
    """Put it into force, in the place of one that the same hand or control had put on the same."""
    same = (table.c.kind == stop.kind) & (table.c.name == stop.name) & (table.c.control == stop.control)
    connection.execute(delete(table).where(same))
    row = {_NAMES.get(name, name): value for name, value in msgspec.structs.asdict(stop).items()}
    connection.execute(insert(table).values(row))


def lift_stops(connection: Connection, kind: str, name: str) -> tuple[Stop, ...]:
    """End all stops of one thing, by whomever. Raises `NotFound` where it is not stopped."""
    found = tuple(each for each in all_stops(connection) if (each.kind, each.name) == (kind, name))
    if not found:
        shown = kind if kind == "organisation" else f"{kind} {name}"
        raise NotFound(f"{shown} is not stopped", mend="fairlead stops lists what is")
    connection.execute(delete(table).where(table.c.kind == kind, table.c.name == name))
    return found


def all_stops(connection: Connection) -> tuple[Stop, ...]:
    """Every stop, the oldest first; those whose time is over too, until `forget_over` has taken them away."""
    rows = connection.execute(select(table).order_by(table.c.at, table.c.id)).mappings()
    back = {column: name for name, column in _NAMES.items()}
    return tuple(Stop(**{back.get(name, name): value for name, value in row.items()}) for row in rows)


def forget_over(connection: Connection, now: int) -> None:
    """Take away the stops that had ended by themselves before `now`."""
    connection.execute(delete(table).where(table.c.until > 0, table.c.until <= now))


def forget_person(connection: Connection, name: str, now: int) -> None:
    """Whoever is erased is named by no stop. Raises `BadInput` while one is in force: it would end with the name, and
    whether they may act again is not for an erasure to decide."""
    mine = (table.c.kind == "person") & (table.c.name == name)
    for each in all_stops(connection):
        if (each.kind, each.name) == ("person", name) and each.lasts(now):
            raise BadInput(
                f"the person {name} is stopped, and the stop names them",
                why="without its name a stop holds nobody, so the erasure would let them act again",
                mend=f"fairlead key revoke their keys, fairlead resume person {name}, then erase",
            )
    connection.execute(delete(table).where(mine))
