"""`fairlead controls`: what must stay true of the records, how it stands, and what it would have said of the past."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from fairlead.cli.compiled import in_folder, published
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import Json, data, json_data, say, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.records import record_of
from fairlead.cli.when import moment_ago, shown
from fairlead.clock import SystemClock
from fairlead.controls.compile import Control
from fairlead.controls.course import Course
from fairlead.controls.evaluate import told_of
from fairlead.controls.windows import Group, State, fold, settle, value_of
from fairlead.errors import NotFound, closest
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.controls.alarm_rows import Undelivered
    from fairlead.controls.rows import Position

app = typer.Typer(
    **PLAIN,
    help="Controls: how each stands, with its evidence.",
)


class Standing(Struct, frozen=True):
    """How one group of a control stands. `value` is None where too few records say anything."""

    control: str
    title: str
    severity: str
    group: str
    state: str
    measure: str
    value: float | None
    most: float
    window: str
    since: int
    evaluated_at: int
    record: str
    runs: tuple[str, ...]


@app.callback(invoke_without_command=True)
def controls(ctx: typer.Context, workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """How every control stands: its measure against its threshold, since when, and the runs that are the evidence."""
    if ctx.invoked_subcommand is not None:
        return
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        found, at, failed = _standings(published(place, store).controls.controls, store)
        names = Names(place, store)
    if json:
        unread = {"records": at.unread, "last": at.unread_seq} if at is not None and at.unread else None
        unposted = at.unposted if at is not None else {}
        json_data({"controls": found, "undelivered": failed, "unposted": unposted, "unread": unread})
        return
    _draw(found, names)
    _warn(at, failed)


@app.command()
def show(
    control: Annotated[str, typer.Argument(help="The control: its file's name.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """One control: why it is there, how each of its groups stands, and the evidence."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        known = published(place, store).controls.controls
        if control not in known:
            raise NotFound(f"there is no control {control!r}", mend=closest(control, known))
        found, _, _ = _standings({control: known[control]}, store)
        names = Names(place, store)
    if json:
        json_data({"why": known[control].why, "groups": found})
        return
    data(f"{known[control].title}\n{known[control].why}".strip())
    _draw(found, names)
    for each in found:
        if each.runs:
            data(f"{names.of(each.group) or 'all'}: " + ", ".join(each.runs))


@app.command("test")
def tried(
    last: Annotated[str, typer.Option("--last", help="How much of the past, such as 7d.")] = "7d",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What the controls of this folder would have said of the past. Nothing is alarmed, stopped or recorded."""
    place, now = find(workspace, data_folder), SystemClock().now()
    known = in_folder(place).controls.controls
    states = {id: State(each.digest) for id, each in known.items()}
    with closing(open_store(place)) as store:
        rows = ((row.at, record_of(row)) for row in log_of(store).since(moment_ago(last, "--last", now)))
        time, changes = fold(known.values(), states, 0, rows, now)
        changes += settle(known.values(), states, max(time, now))
        names = Names(place, store)
    if json:
        json_data([{"at": each.at, "kind": each.kind, **told_of(known[each.control], each)} for each in changes])
        return
    table(
        ["when (UTC)", "control", "group", "what", "measure", "most", "runs"],
        [
            [
                shown(each.at),
                each.control,
                names.of(each.group),
                each.kind,
                _figure(known[each.control], each.value),
                _figure(known[each.control], known[each.control].most),
                ", ".join(each.runs[-3:]),
            ]
            for each in changes
        ],
    )


def _standings(known: "Any", store: Store) -> "tuple[list[Standing], Position | None, list[Undelivered]]":
    from fairlead.controls import alarm_rows, rows

    with store.reading() as connection:
        at, states, failed = rows.position(connection), rows.states(connection), alarm_rows.undelivered(connection)
    course = at.course if at is not None else Course(0, 0)
    found = []
    for id, control in known.items():
        state = states.get(id)
        groups = state.groups if state is not None and state.digest == control.digest else {}
        if not groups:
            groups = {"": Group()}
        found += [_standing(control, name, group, course) for name, group in sorted(groups.items())]
    return found, at, failed


def _standing(control: Control, name: str, group: Group, course: Course) -> Standing:
    unit = 10**9 if control.measure == "cost" else 1
    value, breach = value_of(control, group), group.breach
    return Standing(
        control=control.id,
        title=control.title,
        severity=control.severity,
        group=name,
        state="breach" if breach is not None else "well" if value is not None else "too few",
        measure=control.measure,
        value=None if value is None else value / unit,
        most=control.most / unit,
        window=control.window,
        since=course.shown(breach.since) if breach is not None else 0,
        evaluated_at=course.wall,
        record=breach.run if breach is not None else "",
        runs=tuple(run for _, run in group.evidence),
    )


def _figure(control: Control, value: float | None) -> str:
    if value is None:
        return "too few"
    if control.measure == "share":
        return f"{value:.1%}"
    return f"{value / 10**9:.6g}" if control.measure == "cost" else f"{value:.6g}"


def _draw(found: list[Standing], names: Names) -> None:
    table(
        [
            "control",
            "group",
            "state",
            "measure",
            "value",
            "most",
            "window",
            "since (UTC)",
            "evaluated (UTC)",
            "evidence",
        ],
        [
            [
                each.control,
                names.of(each.group) if each.group.startswith("sub") else each.group,
                each.state,
                each.measure,
                "too few" if each.value is None else f"{each.value:.4g}",
                f"{each.most:.4g}",
                each.window,
                shown(each.since) if each.since else "",
                shown(each.evaluated_at),
                each.runs[-1] if each.runs else "",
            ]
            for each in found
        ],
    )


def _warn(at: "Position | None", failed: "list[Undelivered]") -> None:
    if at is not None and at.unread:
        say(f"warning: {at.unread} records could not be read and count in no control, the last of them {at.unread_seq}")
        say("help: fairlead audit verify tells what was changed")
    for control, count in (at.unposted if at is not None else {}).items():
        say(f"warning: {count} alarms of {control} were not posted: too many of them were waiting already")
    for each in failed:
        if each.state != "waiting":
            said = f"{each.alarms} alarms of {each.control} to {each.endpoint}, the first of {shown(each.since)}"
            say(f"warning: not delivered and {each.state}: {said}, after up to {each.tries} tries: {each.why}")


def commands() -> dict[str, Any]:
    return {"controls": typer.main.get_command(app)}
