"""Evaluating controls from the log, all the time and each record once.

One process of a deployment does it at a time. How far it has read, what it has counted, the breaches' records, the
stops and the alarms are written in one transaction, and only if nobody else has read on meanwhile: so a crash anywhere,
and even two at once, count nothing twice and lose nothing.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from fairlead.clock import Clock, new_id
from fairlead.controls.compile import NO_CONTROLS, Control, Controls
from fairlead.controls.course import Course, advanced, begun
from fairlead.controls.windows import Change, State, fold, settle
from fairlead.costs.record import Record, decode_record, deed
from fairlead.errors import FairleadError
from fairlead.policy.stops import Stop
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.controls.rows import Position
    from fairlead.storage.types import Entry

log = logging.getLogger("fairlead.controls")

_PAGE: Final = 2000
_TOLD: Final = 15_000  # milliseconds after which it is written how far the time has gone on
_OFFICE: Final = "controls"


class Evaluator:
    """Blocking: call it in a thread. `controls` are those of the revision in force; `name_of` gives the name behind a
    subject id, for stops of persons."""

    def __init__(self, store: Store, fleet: Fleet, clock: Clock, name_of: Callable[[str], str | None]) -> None:
        self.controls: Controls = NO_CONTROLS
        self._store = store
        self._fleet = fleet
        self._clock = clock
        self._name_of = name_of

    def run(self) -> int:
        """Read on to the end of the log, if it is this process's turn. Returns how many records were counted."""
        if not self.controls.controls:
            return 0
        with self._store.database.elected(_OFFICE) as mine:
            if not mine:
                return 0
            self._store.bring_in_order()
            counted = 0
            while (page := self._pass()) > 0:
                counted += page
                if page < _PAGE:
                    break
            return counted

    def _pass(self) -> int:
        from fairlead.controls import rows as table

        with self._store.reading() as connection:
            start, states = table.position(connection), table.states(connection)
            read = [] if start is None else list(_rows(connection, start.seq))
            end = table.log_end(connection)
        era, wall, count = self._clock.era(), self._clock.now(), int(self._clock.monotonic() * 1000)
        if start is None:  # controls count from when there are any
            at = table.Position(end, begun(era, wall, count))
            self._write(None, at, {id: State(c.digest) for id, c in self._all().items()}, [])
            return 0
        course = advanced(start.course, era, wall, count)
        if course.waits(era):
            self._begin_trial(start, course)
            return 0
        counted = {id: _fitting(states.get(id), control) for id, control in self._all().items()}
        every, ahead = tuple(self._all().values()), wall - course.time
        known = ((at - ahead, record) for _, at, record in read if record is not None)
        time, changes = fold(every, counted, start.course.time, known, course.time)
        if len(read) < _PAGE:
            time = course.time
            changes += settle(every, counted, time)
        at = _position(start, read, replace(course, time=time, wall=time + ahead))
        if read or changes:
            self._write(start, at, counted, changes)
        elif time - start.course.time >= _TOLD:
            self._move(start, at)
        return len(read)

    def _begin_trial(self, start: "Position", course: Course) -> None:
        if course != start.course:
            log.warning(
                "controls: this machine's clock tells of a long pause; they go on when it has been watched a while"
            )
            self._move(start, replace(start, course=course))

    def _move(self, start: "Position", at: "Position") -> None:
        from fairlead.controls import rows as table

        with self._store.writing() as connection:
            if table.position(connection) == start:
                table.move(connection, at)

    def _all(self) -> dict[str, Control]:
        return dict(self.controls.controls)

    def _write(
        self, start: "Position | None", at: "Position", counted: dict[str, State], changes: list[Change]
    ) -> None:
        from fairlead.controls import rows as table

        stopping, unposted = False, Counter(at.unposted)
        with self._store.writing() as connection:
            if table.position(connection) != start:
                return  # somebody else has read on: it is theirs
            for change in changes:
                entry = self._recorded(connection, change, counted)
                unposted[change.control] += self._alarm(connection, change, at.course.shown(change.at), entry.run)
                stopping = self._stop(connection, change) or stopping
            table.keep(connection, replace(at, unposted=dict(+unposted)), counted)
            if stopping:
                self._fleet.announce(connection)

    def _recorded(self, connection: "Connection", change: Change, counted: dict[str, State]) -> "Entry":
        control = self.controls.controls[change.control]
        person = change.group if control.by == "person" else ""
        about = msgspec.json.encode(told_of(control, change), order="sorted").decode()
        entry = deed(self._clock, change.kind, by=f"control:{control.id}", person=person, about=about)
        self._store.database.append(connection, [entry])
        log.warning("control %s: %s, measure %s", control.id, change.kind, change.value)
        breach = counted[control.id].groups[change.group].breach if change.kind == "breach" else None
        if breach is not None:
            breach.run = entry.run
        return entry

    def _alarm(self, connection: "Connection", change: Change, when: int, run: str) -> int:
        """Post the alarms. Returns how many could not be, since too many wait."""
        from fairlead.controls.alarm_rows import post

        control, now = self.controls.controls[change.control], self._clock.now()
        told = {**told_of(control, change), "record": run}
        body = msgspec.json.encode({"type": f"control.{change.kind}", "timestamp": when, "data": told})
        left = [
            name
            for name in control.on_breach.alarm
            if not post(connection, new_id(self._clock, "msg"), control.id, name, body, now)
        ]
        if left:
            log.error("control %s: too many of its alarms wait; %s is not told of %s", control.id, left, run)
        return len(left)

    def _stop(self, connection: "Connection", change: Change) -> bool:
        """Stop whom the control stops. True if something was."""
        from fairlead.policy.stop_table import put_stop

        control = self.controls.controls[change.control]
        kind = control.on_breach.stop
        if kind is None or change.kind != "breach":
            return False
        person = change.group if kind == "person" else ""
        name = "" if kind == "organisation" else self._person(person) if person else change.group
        if name is None:
            log.error("control %s cannot stop a person whose name is erased or cannot be read: %s", control.id, person)
            return False
        by, now = f"control:{control.id}", self._clock.now()
        about = f"{kind} {'' if person else name}".strip()
        entry = deed(self._clock, "stop", by=by, person=person, about=f"{about}: control {control.id}")
        self._store.database.append(connection, [entry])
        until = now + control.stop_for if control.stop_for else 0
        reason = f"control {control.id}: {control.title}"
        put_stop(
            connection,
            Stop(id=entry.run, kind=kind, name=name, reason=reason, by=by, at=now, until=until, control=control.id),
        )
        return True

    def _person(self, subject: str) -> str | None:
        try:
            return self._name_of(subject)
        except FairleadError as error:  # a name that cannot be read keeps no breach from being recorded and told
            log.error("whose name %s is cannot be read: %s (%s)", subject, error, error.why)
            return None


def told_of(control: Control, change: Change) -> dict[str, object]:
    """A change in ids and figures, for records and alarms: no text and no name stands in it but the workspace's own."""
    unit = 10**9 if control.measure == "cost" else 1
    return {
        "control": control.id,
        "severity": control.severity,
        "measure": control.measure,
        "by": control.by,
        "group": change.group,
        "window": control.window,
        "value": f"{change.value / unit:.6g}",
        "most": f"{control.most / unit:.6g}",
        "runs": change.runs,
    }


def _fitting(state: State | None, control: Control) -> State:
    """What was counted, unless the control counts something else now."""
    return state if state is not None and state.digest == control.digest else State(control.digest)


_Read = tuple[int, int, Record | None]


def _rows(connection: "Connection", after: int) -> Iterator[_Read]:
    """Place, time and record of what comes next; None for a record that cannot be decoded, so that it stops nobody."""
    from sqlalchemy import select

    from fairlead.storage.schema import log as table

    query = select(table.c.seq, table.c.at, table.c.record).where(table.c.seq > after)
    for row in connection.execute(query.order_by(table.c.seq).limit(_PAGE)):
        try:
            record = decode_record(bytes(row.record))
        except msgspec.DecodeError as error:
            log.error("controls leave record %d out, which cannot be read: %s", row.seq, error)
            record = None
        yield row.seq, row.at, record


def _position(start: "Position", read: list[_Read], course: Course) -> "Position":
    unread = [seq for seq, _, record in read if record is None]
    return replace(
        start,
        seq=read[-1][0] if read else start.seq,
        course=course,
        unread=start.unread + len(unread),
        unread_seq=unread[-1] if unread else start.unread_seq,
    )
