"""The alarms that are still to be delivered, and those that were given up: the table `alarm`.

Its times are those of a wall clock, which may be wrong when they are written: what is due is due at once, and what
claims to be due later than any pause could have made it, is due as well.
"""

from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from fairlead.storage.schema import alarm

MOST_WAITING: Final = 100
LONGEST_PAUSE: Final = 36_000_000  # milliseconds
_AT_ONCE: Final = 1
_NEVER: Final = 0


class Due(Struct, frozen=True):
    """An alarm that has to be delivered. `tries` counts this one too."""

    id: str
    endpoint: str
    body: bytes
    tries: int


class Undelivered(Struct, frozen=True):
    """Alarms of one control that one webhook has not taken: `state` is "waiting" before the first try, "tried again",
    or "given up". `tries` is the most, `why` what the latest came to; `since` in milliseconds since 1970."""

    control: str
    endpoint: str
    state: str
    alarms: int
    tries: int
    since: int
    why: str


def post(connection: Connection, id: str, control: str, endpoint: str, body: bytes, now: int) -> bool:
    """Have an alarm delivered, at the latest when somebody serves again. False if too many of this control wait."""
    mine = (alarm.c.endpoint == endpoint) & (alarm.c.control == control) & (alarm.c.next_at != _NEVER)
    if connection.execute(select(func.count()).where(mine)).scalar_one() >= MOST_WAITING:
        return False
    row = {"id": id, "control": control, "endpoint": endpoint, "body": body, "made_at": now, "tries": 0}
    connection.execute(insert(alarm).values(**row, next_at=_AT_ONCE, failure=""))
    return True


def endpoints_due(connection: Connection, now: int) -> set[str]:
    """Where anything has to be delivered."""
    return set(connection.execute(select(alarm.c.endpoint).where(_due(now)).distinct()).scalars())


def claim(connection: Connection, endpoint: str, now: int, until: int, most: int) -> list[Due]:
    """Alarms for one webhook whose time has come, of every control in turn; new ones before those that were tried.
    Nobody else gets them before `until`."""
    turn = func.row_number().over(partition_by=alarm.c.control, order_by=(alarm.c.tries, alarm.c.id))
    ready = _due(now) & (alarm.c.endpoint == endpoint)
    rows = connection.execute(select(alarm).where(ready).order_by(turn, alarm.c.tries, alarm.c.id).limit(most))
    found = [Due(row.id, row.endpoint, bytes(row.body), row.tries + 1) for row in rows]
    for each in found:
        changed = update(alarm).where(alarm.c.id == each.id).values(tries=each.tries, next_at=until)
        connection.execute(changed)
    return found


def delivered(connection: Connection, id: str) -> None:
    """Forget an alarm, because whom it is for has it."""
    connection.execute(delete(alarm).where(alarm.c.id == id))


def failed(connection: Connection, id: str, failure: str, next_at: int | None) -> None:
    """It is tried again at `next_at`; None for never."""
    values = {"failure": failure, "next_at": _NEVER if next_at is None else next_at}
    connection.execute(update(alarm).where(alarm.c.id == id).values(**values))


def forget_given_up(connection: Connection, before: int) -> int:
    """Delete what was made before then and given up. Returns how many."""
    return connection.execute(delete(alarm).where(alarm.c.next_at == _NEVER, alarm.c.made_at < before)).rowcount


def undelivered(connection: Connection) -> list[Undelivered]:
    """What was not delivered, by control, webhook and state."""
    found: dict[tuple[str, str, str], Undelivered] = {}
    columns = alarm.c.control, alarm.c.endpoint, alarm.c.next_at, alarm.c.tries, alarm.c.made_at, alarm.c.failure
    for row in connection.execute(select(*columns).order_by(alarm.c.id)):
        state = "given up" if row.next_at == _NEVER else "tried again" if row.failure else "waiting"
        key = row.control, row.endpoint, state
        one = Undelivered(*key, 1, row.tries, row.made_at, row.failure)
        if (before := found.get(key)) is not None:
            tries, since = max(before.tries, row.tries), min(before.since, row.made_at)
            one = Undelivered(*key, before.alarms + 1, tries, since, row.failure)
        found[key] = one
    return list(found.values())


def _due(now: int) -> ColumnElement[bool]:
    return (alarm.c.next_at != _NEVER) & ((alarm.c.next_at <= now) | (alarm.c.next_at > now + LONGEST_PAUSE))
