"""`fairlead examples`: what people gave in a model's place, to be looked at, exported to learn from, and forgotten."""

import os
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
import typer

from fairlead.cli.compiled import published
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import (
    DryRun,
    Json,
    Yes,
    confirm,
    data,
    json_data,
    json_line,
    json_text,
    one_line,
    progress,
    say,
)
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.when import moment_ago, shown
from fairlead.clock import SystemClock
from fairlead.errors import BadInput, NotFound
from fairlead.labels import DataClass
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.learning.taught import Example
    from fairlead.storage.example_rows import Which
    from fairlead.storage.types import NewExample

_LINE: Final = "{:<27} {:<10} {:<20} {:<12} {:<19}  {}"
_SHOWN: Final = ("id", "source", "task", "class", "reason", "code", "workflow", "run", "place", "action", "revision")

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="What people gave in a model's place: list, show, export to learn from, forget.",
)

Task = Annotated[str, typer.Option("--task", help="Those of one task type.")]
Source = Annotated[str, typer.Option("--source", help="Those from `expert`, `approval` or `correction`.")]
Since = Annotated[str, typer.Option("--since", help="Given since: 7d, 12h, or a day.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="An example, or the beginning of its id.")]


@app.callback()
def _group() -> None:
    """What people gave in a model's place: list, show, export to learn from, forget."""


@app.command("list")
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
    """The examples, the youngest first, without what they say. With --json a line of JSON for each."""
    from fairlead.learning.taught import about, listed

    place, count, which = find(workspace, data_folder), 0, _which(task, source, since)
    with closing(open_store(place)) as store:
        for each in islice(listed(store, which, after), most or None):
            if json:
                json_line(about(each))
                continue
            if not count:
                data(_LINE.format("example", "source", "task", "class", "given (UTC)", "why, and where"))
            known, count = DataClass(each.data_class).name, count + 1
            where = f"{each.workflow}.{each.place}" if each.workflow else each.action
            why = f"{each.reason} {each.code}".rstrip()
            where += "" if each.accepted else ", but its answer did not pass the step's check"
            told = _LINE.format(each.id, each.source, each.task or "-", known, shown(each.at), f"{why}: {where}")
            data(one_line(told))
    if not json and not count:
        say("there are none yet: an expert's answer or a correction makes one (docs/how-to/learn-from-experts.md)")


@app.command()
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


@app.command()
def export(
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write. It must not exist.", show_default="standard output")
    ] = None,
    up_to: Annotated[
        str, typer.Option("--up-to", metavar="CLASS", help="The highest data class that may leave.")
    ] = "internal",
    form: Annotated[
        str, typer.Option("--as", metavar="FORM", help="`chat` to fine-tune on, `task` for `examples:` of a task type.")
    ] = "chat",
    task: Task = "",
    source: Source = "",
    since: Since = "",
    unaccepted: Annotated[
        bool, typer.Option("--unaccepted", help="Answers too that did not pass the check of their step.")
    ] = False,
    as_said: Annotated[
        bool, typer.Option("--as-said", help="With all that policies take out of requests. The log tells it.")
    ] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
) -> None:
    """Give examples away to learn from, as JSON Lines: the messages of a chat, and beside them all that is known.

    Needs the master key; the log says how many were given away, by whom and up to which class. People stand in it by
    pseudonymous ids. What any policy has taken out of requests is taken out of texts, with marks such as [IBAN_1] in
    its place; classes above `internal` leave only where --up-to says so.

    Examples:

        fairlead examples export --task invoice --out invoice.jsonl

        fairlead examples export --task invoice --as task --since 30d
    """
    from fairlead.learning.exported import redacted
    from fairlead.learning.taught import listed, note_export, opened

    place, highest = find(workspace, data_folder), _class(up_to)
    if form not in ("chat", "task"):
        raise BadInput(f"--as is {form!r}", why="examples are given as `chat` or `task`", mend="--as chat")
    which = msgspec.structs.replace(_which(task, source, since, highest), accepted=not unaccepted)
    if out is not None and out.exists():
        raise BadInput(f"{out} exists already", why="an export never overwrites", mend="name another file")
    with closing(open_store(place)) as store:
        if dry_run:
            _tell_counts(store, which)
            return
        vault, policy = open_vault(place, store), None if as_said else published(place, store).policy
        count = note_export(store, SystemClock(), which, by=f"os:{user()}", as_said=as_said)
        every = opened(vault, listed(store, which))
        leaves = every if policy is None else _told(redacted(every, policy))
        lines = _lines(leaves, count, "task" if form == "task" else "chat")
        if out is None:
            for line in lines:
                print(line)
            return
        written = _written(out, lines)
    say(f"wrote {written} lines to {out}")


@app.command()
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
        which = _which(task, source, "", person=_subject(place, store, person))
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


def _which(task: str, source: str, since: str, up_to: DataClass | None = None, person: str = "") -> "Which":
    from fairlead.storage.example_rows import Which

    if source not in ("", "expert", "approval", "correction"):
        raise BadInput(f"--source is {source!r}", mend="one of expert, approval, correction")
    moment = moment_ago(since, "--since", SystemClock().now()) if since else 0
    return Which(task=task, source=source, subject=person, since=moment, up_to=None if up_to is None else up_to.value)


def _class(name: str) -> DataClass:
    if name not in DataClass.__members__:
        raise BadInput(f"--up-to is {name!r}", mend=f"one of {', '.join(DataClass.__members__)}")
    return DataClass[name]


def _subject(place: Place, store: Store, person: str) -> str:
    """The id of a person; one that nobody has for whoever is not known."""
    return (open_vault(place, store).id_of(person) or "-") if person else ""


def _tell_counts(store: Store, which: "Which") -> None:
    from fairlead.storage.example_rows import counted

    with store.reading() as connection:
        count, passed, every = (
            counted(connection, msgspec.structs.replace(which, **more))
            for more in ({}, {"up_to": None}, {"up_to": None, "accepted": False})
        )
    refused = f"; {every - passed} did not pass a check" if every > passed else ""
    say(f"would give away {count} examples; {passed - count} are of a higher class, and stay{refused}")


def _told(examples: Iterator["Example | None"]) -> Iterator["Example"]:
    """Those out of which everything could be taken that must be, and at last how many stay."""
    stay = 0
    for each in examples:
        if each is None:
            stay += 1
        else:
            yield each
    if stay:
        say(f"{stay} examples stay: what policies take out of requests cannot be taken out of them (--as-said)")


def _lines(every: Iterator["Example"], count: int, form: Literal["chat", "task"]) -> Iterator[str]:
    """The export, line by line, with a bar that grows."""
    from fairlead.learning.taught import whole

    with progress("export", count) as done:
        if form == "task":
            yield "examples:"
        for each in every:
            if form == "chat":
                yield json_text(whole(each))
            elif question := _question(each):
                yield f"  - {json_text(question)}"  # a JSON string is one of YAML
            done()


def _question(example: "Example") -> str:
    """What was asked, as the task type of such questions is recognised by it."""
    asked = [text for role, text in example.content.messages if role == "user"]
    return " ".join(asked[-1].split()) if asked else ""


def _written(out: Path, lines: Iterator[str]) -> int:
    """Write a file that is there in whole or not at all, and that its owner alone reads. How many lines it has."""
    draft, count = out.with_name(f".{out.name}.part"), 0
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            for line in lines:
                file.write(f"{line}\n")
                count += 1
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, out)  # unlike a rename, it fails where somebody has made it meanwhile
    finally:
        draft.unlink(missing_ok=True)
    return count


def commands() -> dict[str, Any]:
    return {"examples": typer.main.get_command(app)}
