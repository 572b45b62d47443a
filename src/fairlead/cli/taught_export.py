"""`fairlead examples export`: what people gave in a model's place, given away to learn from."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from fairlead.cli.compiled import published
from fairlead.cli.later import built
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import DryRun, json_text, progress, say
from fairlead.cli.place import Data, Workspace, find, user
from fairlead.cli.taught_asked import Since, Source, Task, which_of
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.labels import DataClass
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.learning.taught import Example
    from fairlead.policy import Policy
    from fairlead.storage.example_rows import Which
    from fairlead.storage.vault import Vault


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
    from fairlead.learning.taught import note_export

    place, highest = find(workspace, data_folder), _class(up_to)
    if form not in ("chat", "task"):
        raise BadInput(f"--as is {form!r}", why="examples are given as `chat` or `task`", mend="--as chat")
    which = msgspec.structs.replace(which_of(task, source, since, highest), accepted=not unaccepted)
    if out is not None and out.exists():
        raise BadInput(f"{out} exists already", why="an export never overwrites", mend="name another file")
    with closing(open_store(place)) as store:
        if dry_run:
            _tell_counts(store, which)
            return
        vault, policy = open_vault(place, store), None if as_said else published(place, store).policy
        count = note_export(store, SystemClock(), which, by=f"os:{user()}", as_said=as_said)
        lines = _lines(_leaving(store, vault, which, policy), count, "task" if form == "task" else "chat")
        if out is None:
            for line in lines:
                print(line)
            return
        written = _written(out, lines)
    say(f"wrote {written} lines to {out}")


def _class(name: str) -> DataClass:
    if name not in DataClass.__members__:
        raise BadInput(f"--up-to is {name!r}", mend=f"one of {', '.join(DataClass.__members__)}")
    return DataClass[name]


def _tell_counts(store: Store, which: "Which") -> None:
    from fairlead.storage.example_rows import counted

    with store.reading() as connection:
        count, passed, every = (
            counted(connection, msgspec.structs.replace(which, **more))
            for more in ({}, {"up_to": None}, {"up_to": None, "accepted": False})
        )
    refused = f"; {every - passed} did not pass a check" if every > passed else ""
    say(f"would give away {count} examples; {passed - count} are of a higher class, and stay{refused}")


def _leaving(store: Store, vault: "Vault", which: "Which", policy: "Policy | None") -> Iterator["Example"]:
    """What leaves: all of it where there is no policy, else without what the policy takes out of requests."""
    from fairlead.learning.exported import redacted
    from fairlead.learning.taught import listed, opened

    every = opened(vault, listed(store, which))
    return every if policy is None else _told(redacted(every, policy))


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
    return built(export=export)
