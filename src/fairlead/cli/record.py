"""`fairlead record`: real traffic of one model, kept in a file that the `recorded` driver plays back."""

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli import complete
from fairlead.cli.later import PLAIN
from fairlead.cli.listening import listening, serving_of, url_of
from fairlead.cli.output import Yes, confirm, say
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.serve import in_force, run
from fairlead.errors import BadInput, NotFound, closest
from fairlead.models.recorded import Recorder
from fairlead.models.types import Chunk, ModelCall, ModelDriver

app = typer.Typer(**PLAIN)


class OneModel:
    """A driver that hands everything through and records the calls to one model, by the workspace's name for it."""

    def __init__(self, driver: ModelDriver, model: str, file: Path) -> None:
        self._driver = driver
        self._model = model
        self._recorder = Recorder(driver, file)

    async def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """See `ModelDriver.answer`."""
        driver = self._recorder if call.model.name == self._model else self._driver
        async with aclosing(driver.answer(call)) as pieces:
            async for chunk in pieces:
                yield chunk

    async def probe(self) -> list[str]:
        """See `ModelDriver.probe`."""
        return await self._driver.probe()


@app.command()
def record(
    model: Annotated[str, typer.Argument(help="A model of the workspace.", autocompletion=complete.models)],
    file: Annotated[Path, typer.Argument(help="Where to keep the replies. What is there already stays.")],
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 for any free one.")] = 0,
    workspace: Workspace = None,
    data_folder: Data = None,
    yes: Yes = False,
) -> None:
    """Serve what is published on this machine, and keep the replies of one model until stopped.

    Everything else is as with `fairlead serve`: who asks is known, policies decide, budgets are held, calls are billed
    and recorded in the log. The file holds replies in plain text and no questions; `fairlead data erase` does not reach
    it. `use: recorded/FILE` in fairlead.yaml makes a model that gives the same replies to the same requests.
    """
    place = find(workspace, data_folder)
    compiled, revision = in_force(place, no_apply=True)
    models = compiled.models.models
    if model not in models:
        raise NotFound(f"there is no model {model!r} in revision {revision}", mend=closest(model, models))
    if model in compiled.models.unavailable:
        raise BadInput(
            f"model {model} is left out on this machine: {compiled.models.unavailable[model]}", mend="fairlead models"
        )
    confirm(f"Keep the replies of {model} in plain text in {file}?", yes)
    cassette = file.absolute()
    os.close(os.open(cassette, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))  # what cannot be written is told now
    sock = listening("127.0.0.1", port)
    say(f"revision {revision}; replies of {model} go to {cassette}, and come back with `use: recorded/{cassette}`")
    say(f"answering at {url_of(sock)}/v1")
    near = msgspec.structs.replace(compiled.settings.server, tls=None, proxy=None)  # for this machine only
    serving, synchronous = serving_of(place, near, 1), compiled.settings.storage.journal.synchronous
    raise typer.Exit(run(place, sock, serving, synchronous, lambda one: OneModel(one, model, cassette)))


def commands() -> dict[str, Any]:
    return {"record": typer.main.get_command(app)}
