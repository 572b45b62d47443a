"""`fairlead examples list`, `show` and `forget`: what people gave in a model's place, looked at and deleted."""

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from fairlead.cli.later import built
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, data, json_data, json_rows, one_line, say
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.taught_asked import Since, Source, Task, which_of
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.errors import BadInput, NotFound
from fairlead.labels import DataClass
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.storage.types import NewExample

_LINE: Final = "{:<27} {:<10} {:<20} {:<12} {:<19}  {}"
_SHOWN: Final = ("id", "source", "task", "class", "reason", "code", "workflow", "run", "place", "action", "revision")

Id = Annotated[str, typer.Argument(metavar="ID", help="An example, or the beginning of its id.")]


def list_(
    task: Task = "",
    source: Source = "",
    since: Since = "",
    most: Annotated[int, typer.Option("--limit", min=0, help="So many at most.", show_default="all")] = 0,
    after: Annotated[str, typer.Option("--after", metavar="ID", help="Go on behind this one.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """The examples, the youngest first, without what they say."""
    from fairlead.learning.taught import about, listed

    place, count, which = find(workspace, data_folder), 0, which_of(task, source, since)
    with closing(open_store(place)) as store:
        found = islice(listed(store, which, after), most or None)
        if json:
            json_rows(map(about, found))
            return
        for each in found:
            if not count:
                data(_LINE.format("example", "source", "task", "class", "given (UTC)", "why, and where"))
            known, count = DataClass(each.data_class).name, count + 1
            where = f"{each.workflow}.{each.place}" if each.workflow else each.action
            why = f"{each.reason} {each.code}".rstrip()
            where += "" if each.accepted else ", but its answer did not pass the step's check"
            told = _LINE.format(each.id, each.source, each.task or "-", known, shown(each.at), f"{why}: {where}")
            data(one_line(told))
    if not count:
        say("there are none yet: an expert's answer or a correction makes one (docs/how-to/learn-from-experts.md)")


def show(
    id_: Id,
    payload: Annotated[
        bool, typer.Option("--payload", help="Show what was asked and answered; needs the master key.")
    ] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """One example: where it comes from, why it came to a person, and under what."""
    from fairlead.learning.taught import about, one

    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        row = one(store, id_)
        known = _opened(place, store, row) if payload else about(row)
    if json:
        json_data(known)
        return
    for name in _SHOWN:
        if known[name]:
            data(f"{name:<10} {known[name]}")
    by = known.get("person") or known["answered_by"]
    data(f"{'given':<10} {shown(known['at'])} UTC by {by}")
    if not known["accepted"]:
        say("its answer did not pass the check of its step, and is left out of exports")
    if not payload:
        say("--payload shows what was asked and answered")
        return
    for word in ("role", "categories", "untrusted", "citations"):
        if known[word]:
            data(f"{word:<10} {known[word] if word == 'role' else ', '.join(known[word])}")
    for each in known["rejected"]:
        data(f"\nnot taken, of {each['model']}\n{each['content']}")
    for each in known["messages"]:
        data(f"\n{each['role']}\n{each['content']}")


def forget(
    id_: Annotated[str, typer.Argument(metavar="ID", help="An example, or the beginning of its id.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All that the options name.")] = False,
    task: Task = "",
    source: Source = "",
    person: Annotated[str, typer.Option("--person", help="Those of this person's runs, or that they answered.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete examples, for good. What was exported before is elsewhere, and stays there."""
    from fairlead.learning.taught import forget as forgotten
    from fairlead.learning.taught import listed, one

    if bool(id_) == every:
        raise BadInput("say which: an ID, or --all", mend="fairlead examples list shows them")
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        which = which_of(task, source, "", person=_subject(place, store, person))
        named = [one(store, id_)] if id_ else listed(store, which)
        found = [msgspec.structs.replace(each, sealed=b"") for each in named]  # what they say may be long
        if dry_run:
            say(f"would forget {len(found)} examples: {', '.join(each.id for each in found[:20])}")
            return
        confirm(f"Forget {len(found)} examples, for good?", yes)
        gone = forgotten(store, SystemClock(), found, by=f"os:{user()}")
    json_data({"forgotten": gone}) if json else say(f"{gone} examples are forgotten")


def _opened(place: Place, store: Store, row: "NewExample") -> dict[str, Any]:
    """All that an example says, and by whom. Raises `NotFound` where one of its persons was erased meanwhile."""
    from fairlead.learning.taught import opened, whole

    found = next(opened(open_vault(place, store), [row]), None)
    if found is None:
        raise NotFound(f"{row.id} went with one of its persons", mend="fairlead examples list")
    return {**whole(found), "person": found.content.person}


def _subject(place: Place, store: Store, person: str) -> str:
    """The id of a person; one that nobody has for whoever is not known."""
    return (open_vault(place, store).id_of(person) or "-") if person else ""


def commands() -> dict[str, Any]:
    return built(list_=list_, show=show, forget=forget)
