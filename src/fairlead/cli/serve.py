"""`fairlead serve`: publish the workspace and answer requests."""

import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Struct

from fairlead.cli.aside import aside
from fairlead.cli.compiled import published, require_published
from fairlead.cli.init import first_question, ready_curl, show_first_key
from fairlead.cli.later import PLAIN
from fairlead.cli.listening import LOUD, listening, require_protection, serving_of, url_of
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import bold, say
from fairlead.cli.place import Data, Place, Workspace, find
from fairlead.cli.publishing import Folder, publish_text, report
from fairlead.cli.setting_up import set_up
from fairlead.cli.surroundings import Wrap, surroundings
from fairlead.cli.undumped import leave_no_dump
from fairlead.cli.walking import walk_until_told
from fairlead.costs.settings import BudgetSettings
from fairlead.server.serve import Serving
from fairlead.server.serve import serve as answer
from fairlead.storage.store import Store
from fairlead.telemetry.logging import start_logging
from fairlead.workspace.assemble import Running, assemble
from fairlead.workspace.compile import Workspace as Compiled
from fairlead.workspace.load import read_folder
from fairlead.workspace.page_standing import AT_A_GLANCE, page_standing
from fairlead.workspace.published import snapshot_of
from fairlead.workspace.settings import ServerSettings

app = typer.Typer(**PLAIN)


@app.command()
def serve(
    folder: Folder = None,
    host: Annotated[str, typer.Option(help="Address to listen on.", show_default="server.host")] = "",
    port: Annotated[
        int, typer.Option(min=-1, max=65_535, help="Port; 0 for any free one.", show_default="server.port")
    ] = -1,
    workers: Annotated[int, typer.Option(min=0, max=256, help="Processes.", show_default="server.workers")] = 0,
    no_apply: Annotated[
        bool, typer.Option("--no-apply", help="Serve what is published; leave the folder aside.")
    ] = False,
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="Listen for other machines without TLS: keys and text can be read.")
    ] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
) -> None:
    """Publish the workspace if it has changed, and answer requests until stopped.

    The first time, it makes the data folder with database, master key and a first API key (printed once).
    """
    place = find(folder or workspace, data_folder)
    ready = msgspec.msgpack.decode(aside(lambda: msgspec.msgpack.encode(_prepare(place, no_apply))), type=_Ready)
    server = ready.server
    serving = serving_of(place, server, workers or server.workers)
    sock = listening(host or server.host, server.port if port < 0 else port)
    if not plain_http:
        require_protection(sock, server)
    if plain_http and not (serving.tls or serving.proxy):
        say(bold(LOUD.format(sock.getsockname()[0]), sys.stderr))
    _greet(place, ready, url_of(sock, serving.tls is not None))
    raise typer.Exit(run(place, sock, serving, ready.synchronous, walks=ready.walks))


class _Ready(Struct, frozen=True):
    """What a process that serves must know before it has read the revision itself."""

    organisation: str
    revision: str
    server: ServerSettings
    synchronous: str
    anonymous: bool
    switched_off: list[str]
    walks: int


def _prepare(place: Place, no_apply: bool) -> _Ready:
    """Make what is missing and publish. Pages are read and indexed, and migrations loaded, in a process that ends:
    the ones that serve stay small."""
    show_first_key(set_up(place))
    compiled, revision = in_force(place, no_apply)
    settings = compiled.settings
    return _Ready(
        organisation=compiled.organisation,
        revision=revision,
        server=settings.server,
        synchronous=settings.storage.journal.synchronous,
        anonymous=settings.identity.anonymous.allow,
        switched_off=[*_switched_off(compiled)],
        walks=settings.workflows.at_once if compiled.workflows else 0,
    )


def in_force(place: Place, no_apply: bool) -> tuple[Compiled, str]:
    """Publish, unless told not to; then what is in force. Nothing stays open: workers are forked after this."""
    with closing(open_store(place)) as store:
        open_vault(place, store)  # a wrong master key is told before anything is published under it
        if not no_apply:
            report(publish_text(place, store, read_folder(place.workspace)))
        compiled, revision = published(place, store), require_published(store)
        standing = page_standing(store, snapshot_of(store, revision), compiled, AT_A_GLANCE)
        if standing is not None:
            say(standing.said)
        return compiled, revision


def _greet(place: Place, ready: _Ready, url: str) -> None:
    say(f"{ready.organisation}: revision {ready.revision}, state in {place.shown}")
    for line in ready.switched_off:
        say(f"  {line}")
    say(f"answering at {url}/v1  (try it:)")
    say(ready_curl(url, first_question(place.workspace), with_key=not ready.anonymous))


def _switched_off(compiled: Compiled) -> Iterator[str]:
    """What a person should know does not protect or serve them, because the workspace leaves it out."""
    settings = compiled.settings
    if not any(each.where.startswith("policies/") for each in compiled.policy.statements):
        yield "no Cedar policies: " + (
            "only the lean rules decide" if settings.rules else "every caller may ask every model"
        )
    budgets = settings.budgets
    some = budgets.departments or budgets.persons or budgets.tasks or budgets.workflows
    if not some and budgets.organisation == BudgetSettings():
        yield "no budgets: nothing caps what is spent"
    if not compiled.items:
        yield "no context: answers come from the models alone"
    if settings.payloads == "none":
        yield "payloads none: what is asked and answered is never kept, so traces show no text"
    if settings.identity.anonymous.allow:
        yield "anonymous: programs on this machine need no key"
    for name, why in compiled.models.unavailable.items():
        yield f"model {name} is left out: {why}"


def run(
    place: Place, sock: socket.socket, serving: Serving, synchronous: str, wrap: Wrap | None = None, walks: int = 0
) -> int:
    """Answer until stopped, and return the exit status. `wrap` puts something around each model's driver. A process
    beside the workers `walks` so many runs of workflows at once."""
    start_logging(sys.stderr, style="console" if sys.stderr.isatty() else "json")
    leave_no_dump()

    async def start() -> Running:
        store = Store.open(place.database, synchronous=synchronous, beside=place.beside)
        return await assemble(surroundings(place, store, wrap, serves=True))

    def walk() -> int:
        sock.close()
        return walk_until_told(place, synchronous, walks)

    return answer(sock, start, serving, [walk] if walks else ())


def commands() -> dict[str, Any]:
    return {"serve": typer.main.get_command(app)}
