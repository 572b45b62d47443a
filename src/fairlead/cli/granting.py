"""`fairlead grants`: what people have connected with accounts of their own, and ending it."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, Any

import typer

from fairlead.cli.compiled import published
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, data, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, secrets, user
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import BadInput
from fairlead.identity.grants import EVERY_AGENT, Grant, Grants, plain
from fairlead.storage.store import Store

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="What people have connected with accounts of their own: list, show, revoke.",
)
Person = Annotated[str, typer.Option("--person", help="Only this person's.")]
OneSystem = Annotated[str, typer.Option("--system", help="Only those at this system.")]


@app.callback()
def _group() -> None:
    """What people have connected with accounts of their own: list, show, revoke."""


@contextmanager
def _opened(place: Place) -> Iterator[tuple[Grants, Store]]:
    with closing(open_store(place)) as store:
        yield Grants(store, open_vault(place, store), SystemClock(), deed), store


@app.command("list")
def list_(
    person: Person = "",
    system: OneSystem = "",
    every: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What is connected: whose, which system, which agents may use it, and since when. There are no tokens in it."""
    with _opened(find(workspace, data_folder)) as (grants, _):
        found = [each for each in grants.all(person, system) if every or each.state == "active"]
    if json:
        json_data([plain(each) for each in found])
        return
    table(
        ["grant", "person", "system", "agents", "state", "since (UTC)"],
        [[each.id, each.person, each.system, agents(each), each.state, shown(each.made_at)] for each in found],
    )


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The grant's id.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """One of them: what it lets be done, and why it has ended."""
    with _opened(find(workspace, data_folder)) as (grants, _):
        found = grants.one(id_)
    if json:
        json_data(plain(found))
        return
    data(f"{found.id}  {found.state}" + (f": {found.reason}" if found.reason else ""))
    data(f"{found.person} at {found.system}, since {shown(found.made_at)} UTC")
    data(f"  agents: {agents(found)}")
    data(f"  scopes: {', '.join(found.scopes) or 'as the provider gives them'}")
    if found.ended_at:
        data(f"  ended: {shown(found.ended_at)} UTC")
    elif found.expires_at:
        renewed = "and is renewed" if found.renews else "and cannot be renewed"
        data(f"  its token ends {shown(found.expires_at)} UTC {renewed}")


@app.command()
def revoke(
    id_: Annotated[str, typer.Argument(metavar="[ID]", help="The grant's id.", show_default=False)] = "",
    person: Person = "",
    system: OneSystem = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """End grants: one, all of a person, or all at a system.

    When this returns, no live worker uses them any more. The provider is then asked to end them as well; what it did
    not end is told.
    """
    if not (id_ or person or system):
        raise BadInput("nothing says which grants are meant", mend="name an ID, --person or --system")
    place = find(workspace, data_folder)
    with _opened(place) as (grants, store):
        named = [grants.one(id_)] if id_ else grants.all(person, system)
        found = [each for each in named if each.state == "active"]
        if dry_run or not found:
            say(f"would revoke {_counted(found)}" if found else "nothing of that is connected")
            return
        confirm(f"Revoke {_counted(found)}?", yes)
        told = asyncio.run(_ended(place, store, grants, found))
    if json:
        json_data([{"id": each.id, "provider": left or "ended"} for each, left in told])
        return
    for each, left in told:
        say(f"{each.id} is revoked" + (f"; the provider still has it: {left}" if left else ", at the provider too"))


async def _ended(place: Place, store: Store, grants: Grants, found: list[Grant]) -> list[tuple[Grant, str]]:
    from fairlead.identity.grant_server import GrantServer
    from fairlead.identity.grant_tokens import GrantTokens
    from fairlead.net.http import Http

    clock, systems = SystemClock(), published(place, store).systems
    async with Http(clock) as http:
        tokens = GrantTokens(grants, GrantServer(http, clock, secrets(place.workspace)), clock)
        told = []
        for each in found:
            system = systems.get(each.system)
            settings = None if system is None else system.settings.credential.grant
            left = await tokens.disconnect(each, "operator", f"os:{user()}", settings)
            if left is not None:
                told.append((each, left))
    return told


def agents(grant: Grant) -> str:
    """Who may use it, in words."""
    if EVERY_AGENT in grant.agents:
        return "all"
    return ", ".join(each or "none, the person alone" for each in grant.agents)


def _counted(found: list[Grant]) -> str:
    people = len({each.person for each in found})
    return f"{len(found)} grant{'s' if len(found) != 1 else ''} of {people} {'people' if people != 1 else 'person'}"


def commands() -> dict[str, Any]:
    return {"grants": typer.main.get_command(app)}
