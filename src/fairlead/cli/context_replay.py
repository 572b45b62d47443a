"""`fairlead context replay`: the pack of a past action, made again and compared byte for byte."""

from contextlib import closing
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli.later import built
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import Json, data, json_data, say
from fairlead.cli.place import Data, Workspace, find, secrets
from fairlead.clock import SystemClock


def replay(
    run: Annotated[str, typer.Argument(help="The run; `last` is the latest.")],
    show: Annotated[bool, typer.Option("--show", help="Print the pack's texts too.")] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Make the context that a run was given again: from its snapshot, policies, rights and what was kept of it.

    Status 1 where it is not what it was.
    """
    from fairlead.workspace.replay import replay as replayed  # brings the compiler

    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        told, pack = replayed(store, open_vault(place, store), run, secrets(place.workspace), SystemClock())
    passages = [msgspec.to_builtins(each) for each in (*pack.passages, *pack.voice)]
    if json:
        json_data(msgspec.to_builtins(told) | ({"passages": passages} if show else {}))
    else:
        data(f"{told.run}  {'the same, byte for byte' if told.same else 'NOT the same'}  {told.made or 'nothing'}")
        data(f"  revision {told.revision}, snapshot {told.snapshot}")
        for where, said in ((told.only_then, "then only"), (told.only_now, "now only")):
            for each in where:
                data(f"  {said}: {each}")
        for each in passages if show else ():
            data(f"\n[{each['citation']}] {each['title']}\n{each['text']}")
    if not told.same:
        say(f"the record says {told.recorded}")
        raise typer.Exit(1)


def commands() -> dict[str, Any]:
    return built(replay=replay)
