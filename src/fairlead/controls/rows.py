"""How far the controls have read and what they have counted: the table `control_state`."""

import logging
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update

from fairlead.controls.course import Course
from fairlead.controls.windows import State
from fairlead.storage.schema import control_state
from fairlead.storage.schema import log as log_table

log = logging.getLogger("fairlead.controls")

_POSITION = ""  # the row that says how far the log was read


class Position(Struct, frozen=True):
    """The last record that was counted, and the log's time there. `unread` counts records that could not be decoded
    and were left out; the last of them is `unread_seq`. `unposted` counts alarms by control that were not posted since
    too many of it waited."""

    seq: int
    course: Course
    unread: int = 0
    unread_seq: int = -1
    unposted: Mapping[str, int] = {}


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
    """The place of the log's last record, -1 for an empty log."""
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
