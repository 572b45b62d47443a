"""How far the controls have read, what they have counted, and the alarms that are still to be delivered: the tables
`control_state` and `alarm`."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update

from fairlead.controls.windows import State
from fairlead.storage.schema import alarm, control_state, log

_POSITION = ""  # the row that says how far the log was read


class Position(Struct, frozen=True):
    """The last record that was counted, and the log's time there (milliseconds since 1970)."""

    seq: int
    time: int


class Due(Struct, frozen=True):
    """An alarm that has to be delivered. `tries` counts this one too."""

    id: str
    endpoint: str
    body: bytes
    tries: int


def position(connection: Connection) -> Position | None:
    """How far the controls have read, None before the first time."""
    row = connection.execute(select(control_state).where(control_state.c.id == _POSITION)).first()
    return None if row is None else Position(row.seq, row.time)


def log_end(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(log.c.seq), -1))).scalar_one())


def states(connection: Connection) -> dict[str, State]:
    """What each control has counted."""
    rows = connection.execute(select(control_state).where(control_state.c.id != _POSITION))
    return {row.id: msgspec.msgpack.decode(bytes(row.state), type=State) for row in rows}


def keep(connection: Connection, at: Position, counted: Mapping[str, State]) -> None:
    """Put all of it in the place of what was there."""
    connection.execute(delete(control_state))
    rows = [{"id": _POSITION, "seq": at.seq, "time": at.time, "state": b""}]
    rows += [
        {"id": id, "seq": at.seq, "time": at.time, "state": msgspec.msgpack.encode(state)}
        for id, state in counted.items()
    ]
    connection.execute(insert(control_state), rows)


def post(connection: Connection, id: str, endpoint: str, body: bytes, now: int) -> None:
    """Have an alarm delivered, at the latest when somebody serves again."""
    row = {"id": id, "endpoint": endpoint, "body": body, "made_at": now, "tries": 0, "next_at": now, "failure": ""}
    connection.execute(insert(alarm).values(row))


def claim(connection: Connection, now: int, until: int, most: int) -> list[Due]:
    """Alarms whose time has come. Nobody else gets them before `until`."""
    due = select(alarm).where(alarm.c.next_at <= now, alarm.c.next_at > 0).order_by(alarm.c.next_at).limit(most)
    found = [Due(row.id, row.endpoint, bytes(row.body), row.tries + 1) for row in connection.execute(due)]
    for each in found:
        changed = update(alarm).where(alarm.c.id == each.id).values(tries=each.tries, next_at=until)
        connection.execute(changed)
    return found


def delivered(connection: Connection, id: str) -> None:
    connection.execute(delete(alarm).where(alarm.c.id == id))


def failed(connection: Connection, id: str, failure: str, next_at: int) -> None:
    """It is tried again at `next_at`; 0 for never."""
    connection.execute(update(alarm).where(alarm.c.id == id).values(failure=failure, next_at=next_at))


def undelivered(connection: Connection) -> list[tuple[str, str, int, str]]:
    """Alarms that were tried in vain: id, endpoint, tries, why."""
    rows = connection.execute(select(alarm).where(alarm.c.failure != "").order_by(alarm.c.made_at))
    return [(row.id, row.endpoint, row.tries, row.failure) for row in rows]


def any_due(connection: Connection, now: int) -> bool:
    query = select(alarm.c.id).where(alarm.c.next_at <= now, alarm.c.next_at > 0).limit(1)
    return connection.execute(query).first() is not None
