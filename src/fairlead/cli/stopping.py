"""`fairlead stop`, `resume` and `stops`: the kill switch. It counts for the next action, on every worker and host."""

from contextlib import closing
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli.announcing import tell
from fairlead.cli.compiled import published
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import fleet_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, settings_of, user
from fairlead.cli.when import moment_ahead, shown
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import BadInput, FairleadError, NotFound, closest
from fairlead.policy.stops import KINDS, Stop, systems_of
from fairlead.storage.fleet import Seen
from fairlead.storage.store import Store
from fairlead.workspace.published import load_keys

stop_app = typer.Typer(**PLAIN)
resume_app = typer.Typer(**PLAIN)
stops_app = typer.Typer(**PLAIN)


def _complete(incomplete: str) -> list[str]:
    return [kind for kind in KINDS if kind.startswith(incomplete)]


What = Annotated[str, typer.Argument(metavar="KIND", help=f"What it is: {', '.join(KINDS)}.", autocompletion=_complete)]
Name = Annotated[
    str,
    typer.Argument(
        help="Its name. A system is one of `systems:`, a vendor or a server's address; the organisation needs none."
    ),
]
_STILL_OUT = 1


@stop_app.command()
def stop(
    kind: What,
    name: Name = "",
    reason: Annotated[
        str, typer.Option("--reason", help="Why. Callers are told, and the log keeps it for good: no names in it.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", help="When it ends by itself: 2h, 3d, or a day.", show_default="resumed")
    ] = "",
    now: Annotated[bool, typer.Option("--now", help="End what is under way too, streams with an error.")] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Stop an agent, a model, a system, a person, a department or the organisation.

    When this returns with status 0, no live worker on any host lets them act any more. Requests get a 403 with the
    reason; where another model may answer, a stopped one is passed over. Status 1: a worker has not answered.
    """
    place, clock = find(workspace, data_folder), SystemClock()
    _require_kind(kind, name)
    if not reason.strip():
        raise BadInput("a stop needs a reason", why="callers and auditors are told", mend='add --reason "…"')
    at = clock.now()
    ends_at = moment_ahead(until, "--until", at) if until else 0
    with closing(open_store(place)) as store:
        _require_known(place, store, kind, name)
        if dry_run:
            say(f"would stop {_named(kind, name)}")
            return
        made = msgspec.convert(
            {"id": "", "kind": kind, "name": name, "reason": reason, "by": f"os:{user()}", "at": at}, Stop
        )
        made = msgspec.structs.replace(made, until=ends_at, ends=now)
        made, epoch, seen = _put(place, store, made)
    _told(made, "stopped", epoch, seen, json)


def _put(place: Place, store: Store, made: Stop) -> tuple[Stop, int, Seen]:
    """Write the stop with its record, and wait for the workers."""
    from fairlead.policy.stop_table import forget_over, put_stop

    clock, fleet = SystemClock(), fleet_of(store)
    person, about = _about(place, store, made.kind, made.name)
    entry = deed(clock, "stop", by=made.by, person=person, about=f"{about}: {made.reason}")
    made = msgspec.structs.replace(made, id=entry.run)
    with store.writing() as connection:
        forget_over(connection, made.at)
        put_stop(connection, made)
        store.database.append(connection, [entry])
        epoch = fleet.announce(connection)
    return made, epoch, fleet.wait_until_seen(epoch)


@resume_app.command()
def resume(
    kind: What,
    name: Name = "",
    reason: Annotated[str, typer.Option("--reason", help="Why. The log keeps it for good: no names in it.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """End every stop of something, whoever or whatever has put it there."""
    from fairlead.policy.stop_table import all_stops, lift_stops

    place, clock = find(workspace, data_folder), SystemClock()
    _require_kind(kind, name)
    with closing(open_store(place)) as store:
        if dry_run:
            with store.reading() as connection:
                known = any((each.kind, each.name) == (kind, name) for each in all_stops(connection))
            say(f"would resume {_named(kind, name)}" if known else f"{_named(kind, name)} is not stopped")
            return
        fleet = fleet_of(store)
        person, about = _about(place, store, kind, name)
        entry = deed(clock, "resume", by=f"os:{user()}", person=person, about=f"{about}: {reason}".removesuffix(": "))
        with store.writing() as connection:
            ended = lift_stops(connection, kind, name)
            store.database.append(connection, [entry])
            epoch = fleet.announce(connection)
        seen = fleet.wait_until_seen(epoch)
    _told(ended[-1], "resumed", epoch, seen, json)


def _told(stop: Stop, what: str, epoch: int, seen: Seen, json: bool) -> None:
    tell(seen)
    if json:
        json_data({**msgspec.structs.asdict(stop), "state": what, "epoch": epoch, **msgspec.structs.asdict(seen)})
    else:
        say(f"{stop.shown} is {what} ({stop.id})")
    if seen.missing:
        raise typer.Exit(_STILL_OUT)


@stops_app.command()
def stops(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """What is stopped, since when, by whom and why."""
    from fairlead.policy.stop_table import all_stops

    now = SystemClock().now()
    with closing(open_store(find(workspace, data_folder))) as store, store.reading() as connection:
        found = [each for each in all_stops(connection) if each.lasts(now)]
    if json:
        json_data(found)
        return
    table(
        ["what", "name", "reason", "by", "since (UTC)", "until (UTC)", "stop"],
        [
            [
                each.kind,
                each.name,
                each.reason,
                f"control {each.control}" if each.control else each.by,
                shown(each.at),
                shown(each.until) if each.until else "resumed",
                each.id,
            ]
            for each in found
        ],
    )


def _named(kind: str, name: str) -> str:
    return "the organisation" if kind == "organisation" else f"the {kind} {name}"


def _require_kind(kind: str, name: str) -> None:
    if kind not in KINDS:
        raise BadInput(f"{kind!r} is nothing that can be stopped", mend=closest(kind, KINDS))
    if bool(name) == (kind == "organisation"):
        need = "needs no name: it is this one" if name else "needs a name"
        raise BadInput(f"{kind} {need}", mend=f'fairlead stop {kind} {"" if name else "NAME "}--reason "…"')


def _require_known(place: Place, store: Store, kind: str, name: str) -> None:
    """A switch for a misspelt name would stop nothing. What tokens may say cannot be known: then a note must do."""
    if kind in ("model", "system"):
        try:
            known = _servers(place, store, kind)
        except FairleadError as error:
            say(f"warning: whether there is a {kind} {name} could not be looked up: {error.message}")
            return
        if name not in known:
            raise NotFound(f"there is no {kind} {name!r}", mend=closest(name, known))
    elif kind != "organisation" and name not in _of_keys(place, store, kind):
        say(f"note: no key names the {kind} {name}; the stop holds for whom a token calls so")


def _servers(place: Place, store: Store, kind: str) -> set[str]:
    workspace = published(place, store)
    models = workspace.models
    if kind == "model":
        return {*models.models, *models.groups}
    return {name for model in models.models.values() for name in systems_of(model)} | workspace.systems.keys()


def _of_keys(place: Place, store: Store, kind: str) -> set[str]:
    declared = settings_of(place.workspace).get("keys")
    entries = declared.items() if isinstance(declared, dict) else ()
    found = {str(entry.get(kind, name if kind == "person" else "")) for name, entry in entries if type(entry) is dict}
    return found | {str(getattr(key, kind)) for key in load_keys(store)}


def _about(place: Place, store: Store, kind: str, name: str) -> tuple[str, str]:
    """Whom the record concerns, and what it calls them: it can never be erased, so a person is a pseudonym."""
    if kind != "person":
        return "", f"{kind} {name}".strip()
    try:
        return open_vault(place, store).subject_for(name).id, kind
    except FairleadError as error:
        say(f"warning: the record does not say which person, the master key is missing: {error.message}")
        return "", kind


def commands() -> dict[str, Any]:
    apps = {"stop": stop_app, "resume": resume_app, "stops": stops_app}
    return {name: typer.main.get_command(app) for name, app in apps.items()}
