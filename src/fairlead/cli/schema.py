"""`fairlead schema`: JSON Schemas of the workspace's files, for editors."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.later import PLAIN
from fairlead.cli.output import data, say
from fairlead.errors import NotFound, closest
from fairlead.workspace.schemas import FILES, json_schemas, write_schemas

app = typer.Typer(**PLAIN)


def _complete(incomplete: str) -> list[str]:
    return [_short(name) for name in FILES if name.startswith(incomplete)]


@app.command()
def schema(
    name: Annotated[
        str, typer.Argument(help="One schema; default: list them.", show_default=False, autocompletion=_complete)
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write all of them into this folder.")
    ] = None,
) -> None:
    """JSON Schemas of every file of a workspace, made from the very types that read them."""
    if out is not None:
        for path in write_schemas(out):
            data(str(path))
        return
    if not name:
        for file, (what, _) in FILES.items():
            data(f"{_short(file)}  {what}")
        say("fairlead schema NAME prints one, --out DIR writes them all")
        return
    texts = {_short(file): text for file, text in json_schemas().items()}
    if (text := texts.get(name.removesuffix(".schema.json"))) is None:
        raise NotFound(f"there is no schema {name!r}", mend=closest(name, texts))
    print(text.decode(), end="")


def _short(file: str) -> str:
    return file.removesuffix(".schema.json")


def commands() -> dict[str, Any]:
    return {"schema": typer.main.get_command(app)}
