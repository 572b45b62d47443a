"""How far the controls have read, what they have counted, and the alarms that are still to be delivered: the tables
`control_state` and `alarm`."""

import logging
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update

from fairlead.controls.course import Course
from fairlead.controls.windows import State
from fairlead.storage.schema import alarm, control_state
from fairlead.storage.schema import log as log_table

log = logging.getLogger("fairlead.controls")

_POSITION = ""  # the row that says how far the log was read


class Position(Struct, frozen=True):
    """The last record that was counted, and the log's time there. `unread` counts records that could not be decoded
    and were left out; the last of them is `unread_seq`."""

    seq: int
    course: Course
    unread: int = 0
    unread_seq: int = -1


class Due(Struct, frozen=True):
    """An alarm that has to be delivered. `tries` counts this one too."""

    id: str
    endpoint: str
    body: bytes
    tries: int


def position(connection: Connection) -> Position | None:
    """How far the controls have read, None before the first time."""
    row = connection.execute(select(control_state).where(control_state.c.id == _POSITION)).first()
    if row is None:
        return None
    try:
        return msgspec.msgpack.decode(bytes(row.state), type=Position)
    except msgspec.DecodeError:  # of an earlier version, or damaged: the columns say enough to go on
        return Position(row.seq, Course(row.time, row.time))


def log_end(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(log_table.c.seq), -1))).scalar_one())


def states(connection: Connection) -> dict[str, State]:
    """What each control has counted. One whose sums cannot be read begins anew, and keeps nobody else waiting."""
    rows = connection.execute(select(control_state).where(control_state.c.id != _POSITION))
    found = {}
    for row in rows:
        try:
            found[row.id] = msgspec.msgpack.decode(bytes(row.state), type=State)
        except msgspec.DecodeError as error:
            log.error("control %s: what it had counted cannot be read, so it begins anew: %s", row.id, error)
    return found


def keep(connection: Connection, at: Position, counted: Mapping[str, State]) -> None:
    """Put all of it in the place of what was there."""
    connection.execute(delete(control_state))
    rows = [_row(at)]
    rows += [
        {"id": id, "seq": at.seq, "time": at.course.time, "state": msgspec.msgpack.encode(state)}
        for id, state in counted.items()
    ]
    connection.execute(insert(control_state), rows)


def move(connection: Connection, at: Position) -> None:
    """Only the time has gone on."""
    connection.execute(update(control_state).where(control_state.c.id == _POSITION).values(_row(at)))


def _row(at: Position) -> dict[str, object]:
    return {"id": _POSITION, "seq": at.seq, "time": at.course.time, "state": msgspec.msgpack.encode(at)}


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
