"""`fairlead context works`, `consistency` and `unpin`: what several agents do together, and whether they know the
same."""

from contextlib import closing
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli.announcing import announced
from fairlead.cli.compiled import snapshot_in_force
from fairlead.cli.context_items import catalogue_in_force
from fairlead.cli.later import built
from fairlead.cli.opening import log_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, data, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.records import record_of
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.context.consistency import Consistency, Step, consistency
from fairlead.costs.record import Record, deed
from fairlead.costs.work import is_work, work_id
from fairlead.errors import BadInput, NotFound
from fairlead.storage.store import Store

Which = Annotated[str, typer.Argument(metavar="WORK", help="Its id (work_…), or its name together with --person.")]
Person = Annotated[str, typer.Option("--person", help="Whose work it is, where WORK is a name.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Their tenant, where tokens name one.")]


def works(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """Pieces of work (x-fairlead-work) that are pinned to the pages they began under, the latest used first."""
    from fairlead.storage import pin_rows as pins

    with closing(open_store(find(workspace, data_folder))) as store:
        live = snapshot_in_force(store)
        with store.reading() as connection:
            found = pins.every(connection)
    if json:
        json_data([{**msgspec.structs.asdict(pin), "newer": pin.snapshot != live} for pin in found])
        return
    table(
        ["work", "since (UTC)", "last used (UTC)", "snapshot", "newer pages in force"],
        [
            [pin.id, shown(pin.pinned_at), shown(pin.used_at), pin.snapshot, "yes" if pin.snapshot != live else "no"]
            for pin in found
        ],
    )


def show(
    work: Which,
    person: Person = "",
    tenant: Tenant = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Whether all agents of one piece of work knew the same, and what of it has changed since.

    Status 1 where something was given in two versions.
    """
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        id_ = _id(place, store, work, person, tenant)
        report = consistency(id_, _steps(store, id_), catalogue_in_force(store))
    if not report.steps:
        raise NotFound(f"no action of {id_} was given any page", mend="fairlead context works")
    if json:
        json_data(msgspec.to_builtins(report))
    else:
        _print(report)
    raise typer.Exit(0 if report.consistent else 1)


def unpin(
    work: Annotated[str, typer.Argument(metavar="[WORK]", help="Its id or name.", show_default=False)] = "",
    person: Person = "",
    tenant: Tenant = "",
    every: Annotated[bool, typer.Option("--all", help="All work: it goes on with what is in force.")] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Let work go on with the pages that are in force now. When this returns, every live worker does so.

    For pages that were taken back for good reason: work that is pinned would go on reading them.
    """
    from fairlead.storage import pin_rows as pins

    if every == bool(work):
        raise BadInput("nothing says which work is meant", mend="name one WORK, or say --all")
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        with store.reading() as connection:
            known = [pin.id for pin in pins.every(connection)]
        ids = known if every else [_id(place, store, work, person, tenant)]
        if missing := [id_ for id_ in ids if id_ not in known]:
            raise NotFound(f"{missing[0]} is pinned to nothing", mend="fairlead context works")
        if dry_run or not ids:
            say(f"would end the pins of {len(ids)} piece(s) of work")
            return
        confirm(f"Let {len(ids)} piece(s) of work go on with the pages in force?", yes)
        entry = deed(SystemClock(), "work_unpinned", by=f"os:{user()}", about="all" if every else ids[0])
        with announced(store) as connection:
            pins.release(connection, ids)
            store.database.append(connection, [entry])
    say(f"{len(ids)} piece(s) of work go on with the pages in force")


def _id(place: Place, store: Store, work: str, person: str, tenant: str) -> str:
    if is_work(work) and not person:
        return work
    if not person:
        raise BadInput(f"{work!r} is a name, and whose work it is was not said", mend="add --person, or give its id")
    subject = open_vault(place, store).id_of(person)
    if subject is None:
        raise NotFound(f"nothing is known of {person}", mend="fairlead context works")
    return work_id(subject, tenant, work)


def _steps(store: Store, id_: str) -> list[Step]:
    """The actions of the work. Reads the log since its pin was made, or all of it where the pin is gone."""
    from fairlead.storage import pin_rows as pins

    with store.reading() as connection:
        pin = pins.one(connection, id_)
    rows = map(record_of, log_of(store).since(0 if pin is None else pin.pinned_at))
    return [_step(record) for record in rows if record.within == id_ and record.kind == "call_model"]


def _step(record: Record) -> Step:
    return Step(
        record.run, record.at, record.agent, record.task, record.outcome, record.snapshot, record.citations
    )  # fmt: skip


def _print(report: Consistency) -> None:
    agents = ", ".join(agent or "the person alone" for agent in report.agents)
    data(f"{report.work}: {report.steps} action(s) with context, by {agents}")
    said = "all knew the same" if report.consistent else "NOT the same for all"
    data(f"  {said}: {', '.join(report.snapshots)}")
    for split in report.splits:
        data(f"  {split.item} was given in {len(split.versions)} versions")
        for version, runs in split.versions.items():
            data(f"    @{version}: {', '.join(runs)}")
    for newer in report.newer:
        now = f"is @{newer.now} now" if newer.now else "is not in force any more"
        data(f"  {newer.item}@{newer.version} {now}")
    for each in report.one_sided:
        lacking = ", ".join(agent or "the person alone" for agent in each.not_given)
        data(f"  {each.item} was not given to {lacking}")


def commands() -> dict[str, Any]:
    return built(works=works, consistency=show, unpin=unpin)
