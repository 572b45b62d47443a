"""`fairlead memory`: what runs and agents remember for later, shown to whoever runs the deployment, and forgotten."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, data, json_data, json_rows, one_line, say
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.execution.memories import Entry, Memories

_LONGEST: Final = 60  # letters of a value in a list
_LINE: Final = "{:<18} {:<16} {:<20} {:<19} {:<19}  {}"

Person = Annotated[str, typer.Option("--person", help="What this person wrote, or had written for them.")]
Session = Annotated[str, typer.Option("--session", help="What belongs to the conversation of this name.")]
Team = Annotated[str, typer.Option("--team", help="What the members of this group share.")]
Run = Annotated[str, typer.Option("--run", help="What was written in this run, or in the work of this name.")]

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="What runs and agents remember for later: show it, forget it.",
)


@app.callback()
def _group() -> None:
    """What runs and agents remember for later: show it, forget it."""


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="Only what stands under this key.")] = "",
    person: Person = "",
    session: Session = "",
    team: Team = "",
    run: Run = "",
    most: Annotated[int, typer.Option("--limit", min=0, help="So many at most.", show_default="all")] = 0,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What is remembered, by whom it was written, where it came from, and until when, the youngest first. Without an
    option: all of it."""
    from fairlead.execution.memories import plain

    place, count = find(workspace, data_folder), 0
    with closing(open_store(place)) as store:
        found = islice(_wanted(_memories(place, store), key, person, session, team, run), most or None)
        if json:
            json_rows(map(plain, found))
            return
        for each in found:
            if not count:
                data(_LINE.format("scope", "written by", "key", "written (UTC)", "until (UTC)", "value"))
            noted, count = each.noted, count + 1
            written, until = shown(each.made_at), shown(each.expires_at)
            value = f"{_short(noted.value)}  from {', '.join(noted.sources)}"
            data(one_line(_LINE.format(noted.scope, each.person, noted.key, written, until, value)))
    if not count:
        say("nothing is remembered")


@app.command()
def forget(
    key: Annotated[str, typer.Argument(help="What stands under this key.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All that the options name, whatever its key.")] = False,
    person: Person = "",
    session: Session = "",
    team: Team = "",
    run: Run = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete what is remembered, for good. A run that has recalled it before goes on with what it knows."""
    if bool(key) == every:
        raise BadInput("say which: a KEY, or --all", mend="fairlead memory show lists what there is")
    if not any((person, session, team, run)):
        raise BadInput("say whose: --person, --session, --team or --run", mend="fairlead memory show lists them")
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        memories = _memories(place, store)
        found = list(_wanted(memories, key, person, session, team, run))
        if dry_run:
            say(f"would forget {len(found)} entries: {', '.join(each.noted.key for each in found)}")
            return
        confirm(f"Forget {len(found)} entries, for good?", yes)
        gone = memories.delete(found, by=f"os:{user()}")
    json_data({"forgotten": gone}) if json else say(f"{gone} entries are forgotten")


def _memories(place: Place, store: Store) -> "Memories":
    from fairlead.execution.memories import Memories

    return Memories(store, open_vault(place, store), SystemClock())


def _wanted(memories: "Memories", key: str, person: str, session: str, team: str, run: str) -> "Iterator[Entry]":
    """What all of these hold for; an option that is not given holds for everything."""
    kind = "team" if team else "session" if session else ""
    every = memories.about(person) if person else memories.everything(kind)
    return (
        each
        for each in every
        if key in ("", each.noted.key)
        and (not session or each.noted.scope == f"session:{session}")
        and (not team or each.noted.scope == f"team:{team}")
        and (not run or run == each.noted.at or each.noted.at.startswith(f"{run}:"))
    )


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def commands() -> dict[str, Any]:
    return {"memory": typer.main.get_command(app)}
