"""`fairlead data`: what is known about a person: where it is, holding it, erasing it. The log keeps its proofs."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct
from msgspec.structs import astuple

from fairlead.cli.announcing import announced, wait
from fairlead.cli.forgetting import LeftRun, forget_budgets, forget_by_name, left_runs
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import fleet_of, keys_of, log_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, json_data, say, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.records import record_of
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import BadInput, NotFound
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.erasure import Kept
    from fairlead.storage.types import Entry

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="Find, hold and erase what is known about a person.",
)

What = Annotated[str, typer.Argument(metavar="PERSON|RUN", help="A person, as records' callers are named, or a run.")]


class Remains(Struct, frozen=True):
    """What an erasure leaves, and why."""

    records: str = "records stay in the log under a pseudonym, without what was said: sums and proofs rest on them"
    providers: str = "providers keep what they were sent for as long as they do: fairlead data where shows which"
    grants: str = (
        "what the person has connected ends here, and goes on at its provider: end it there, or before an erasure with "
        "fairlead grants revoke"
    )
    answers: str = "what the person has answered to runs of others stays in these, sealed for whose runs they are"
    backups: str = (
        "backups and databases from before still hold the key: fairlead restore erases anew, a copy by hand does not"
    )


@app.callback()
def _group() -> None:
    """Find, hold and erase what is known about a person."""


@app.command()
def erase(
    person: Annotated[str, typer.Argument(help="The person, as the records' caller was named.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete a person's encryption key and all that was sealed by it: requests, replies, conversations, the name.

    Records stay in the log under a pseudonym, so that sums and proofs hold. This cannot be undone. If the command is
    interrupted, run it again, or let a worker finish it.
    """
    from fairlead.cli.anchors import deliver
    from fairlead.storage.erasure import Kept, kept_of

    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        keys, subject = keys_of(store, person), open_vault(place, store).id_of(person)
        kept, left = Kept(0, 0, 0), list[LeftRun]()
        if subject is not None:
            store.bring_in_order()
            with store.reading() as connection:
                kept, left = kept_of(connection, subject), list(left_runs(connection, subject))
        if dry_run:
            say(f"would erase what is sealed for {person}: {_counted(kept)}{_left(keys)}")
            _say_runs(left, "have these cancelled first, if they are not over, so that what they did is undone")
            return
        confirm(f"Erase everything that is sealed for {person}, for good?", yes)
        _erase(store, person, subject)
        deliver(place, store)  # a backup must not revive them, even if this database is lost tonight
    if json:
        told = {"person": person, "erased": subject is not None, "kept": kept}
        json_data(told | {"keys_left": keys, "runs_left": left, "remains": Remains()})
        return
    erased = f"what was sealed for {person} is erased: {_counted(kept)}"
    say((erased if subject else f"nothing was sealed for {person}") + _left(keys))
    _say_runs(left, "see in its systems what still stands; the log names their calls by the run's id")
    for remains in astuple(Remains()) if subject else ():
        say(f"- {remains}")


def _erase(store: Store, person: str, subject: str | None) -> None:
    from fairlead.storage.erasure import clear_away, erase_subject

    clock, fleet = SystemClock(), fleet_of(store)
    if subject is None:
        with announced(store) as connection:
            forget_by_name(connection, person)
    else:
        begun: list[int] = []

        def announce(connection: "Connection") -> None:
            forget_by_name(connection, person)
            begun.append(fleet.announce(connection))

        entry = deed(clock, "erasure", by=f"os:{user()}", person=subject)

        def last(connection: "Connection") -> "list[Entry]":
            runs = left_runs(connection, subject)
            return [deed(clock, "workflow_erased", by=f"os:{user()}", person=subject, about=each.said) for each in runs]

        erase_subject(store, subject, entry, clock.now(), announce, last)
        wait(fleet, begun[0])  # whoever still has the key in memory drops it
    clear_away(store, clock.now())
    with store.erasing("budget") as connection:
        under_way = forget_budgets(connection, person)  # and what a worker has begun until it knew
    if under_way:
        say(f"warning: calls of {person} are under way, and budgets name them until these end: then run this again")


def _say_runs(left: list[LeftRun], mend: str) -> None:
    """What nobody goes on with, and nobody undoes, once its person is erased."""
    for each in left:
        say(f"warning: the run {each.said}" + (" is not undone" if each.not_undone else " ends in its middle"))
    if left:
        say(f"help: {mend}")


def _counted(kept: "Kept") -> str:
    return (
        f"{kept.payloads} payloads, {kept.sessions} conversations, {kept.turns} turns of them, "
        f"{kept.memories} memories, {kept.examples} examples"
    )


def _left(keys: tuple[str, ...]) -> str:
    return f"; keys that still carry the name: {', '.join(keys)} (fairlead key revoke NAME)" if keys else ""


@app.command()
def where(what: What, workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """Every place at which a person's or a run's data is, for how long, and to which providers it went."""
    from fairlead.cli.whereabouts import whereabouts

    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        kind, name, subject = _target(place, store, what)
    found = whereabouts(place, what, kind, name, subject)
    if json:
        json_data(found)
        return
    table(
        ["where", "what", "how many", "until (UTC)", "why"],
        [[each.place, each.what, str(each.count), each.until, each.why] for each in found.kept],
        right=["how many"],
    )
    if found.providers:
        print()
        table(
            ["sent to", "runs where", "vendor", "region", "what it keeps", "calls", "last (UTC)"],
            [
                [each.model, each.placement, each.vendor, each.region, each.retention, str(each.runs), shown(each.last)]
                for each in found.providers
            ],
            right=["calls"],
        )
    for each in found.held:
        say(f"held since {shown(each.at)}: {each.kind} {each.what}: {each.reason}")


@app.command()
def hold(
    what: What,
    reason: Annotated[str, typer.Option("--reason", help="Why: it is shown to whoever wants to erase.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
) -> None:
    """Keep a person's or a run's data from being erased, by retention or on demand, until it is released."""
    from fairlead.storage.legal_holds import LegalHold, place_hold

    place, clock = find(workspace, data_folder), SystemClock()
    if not reason.strip():
        raise BadInput("a hold needs a reason", why="whoever wants to erase is shown it", mend='add --reason "…"')
    with closing(open_store(place)) as store:
        kind, name, subject = _target(place, store, what)
        if dry_run:
            say(f"would hold the data of {kind} {what}")
            return
        made = LegalHold(kind, name, subject, clock.now(), user(), reason)
        with store.writing() as connection:
            place_hold(connection, made)
            entry = deed(clock, "legal_hold", by=f"os:{user()}", person=subject, about=f"{kind} {name}")
            store.database.append(connection, [entry])
    say(f"the data of {kind} {what} is held until: fairlead data release {what}")


@app.command()
def release(what: What, workspace: Workspace = None, data_folder: Data = None, dry_run: DryRun = False) -> None:
    """End a hold. What retention has passed over meanwhile is deleted at its next turn."""
    from fairlead.storage.legal_holds import release_hold

    place, clock = find(workspace, data_folder), SystemClock()
    with closing(open_store(place)) as store:
        kind, name, subject = _target(place, store, what)
        if dry_run:
            say(f"would release the data of {kind} {what}")
            return
        with store.writing() as connection:
            release_hold(connection, kind, name)
            entry = deed(clock, "legal_release", by=f"os:{user()}", person=subject, about=f"{kind} {name}")
            store.database.append(connection, [entry])
    say(f"the data of {kind} {what} is held no more")


@app.command()
def holds(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """What must not be erased for now, and why."""
    from fairlead.storage.legal_holds import legal_holds

    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        with store.reading() as connection:
            found = legal_holds(connection)
        if json:
            json_data(found)
            return
        names = Names(place, store)
        rows = [
            [
                each.kind,
                names.of(each.what) if each.kind == "person" else each.what,
                shown(each.at),
                each.placed_by,
                each.reason,
            ]
            for each in found
        ]
    table(["what", "whose or which", "since (UTC)", "placed by", "reason"], rows)


def _target(place: Place, store: Store, what: str) -> tuple[str, str, str]:
    """What a word on the command line names: person or run, its id, and whose data it is. Raises `NotFound`."""
    from fairlead.storage.legal_holds import PERSON, RUN

    subject = open_vault(place, store).id_of(what)
    if subject is not None:
        return PERSON, subject, subject
    try:
        rows = log_of(store).of_run(what)
    except NotFound:
        raise NotFound(
            f"nothing is kept for a person {what!r}, and there is no such run",
            mend="name the person as keys and tokens do, or a run as `fairlead runs` shows it",
        ) from None
    return RUN, rows[-1].run, record_of(rows[-1]).person


def commands() -> dict[str, Any]:
    return {"data": typer.main.get_command(app)}
