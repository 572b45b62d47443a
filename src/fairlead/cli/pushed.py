"""`fairlead people`: who was pushed by identity providers, who of them is active, and in which groups."""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli.compiled import published
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import Json, data, json_data, table
from fairlead.cli.place import Data, Place, Workspace, find
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import NotFound
from fairlead.identity import Identity, Key
from fairlead.identity.authenticate import Authenticator
from fairlead.identity.directory import Directory, Person
from fairlead.identity.name_digests import NameDigests
from fairlead.identity.people import People
from fairlead.identity.people_search import Either, Equal
from fairlead.identity.register import NotActive, Register
from fairlead.storage.store import Store
from fairlead.workspace.published import load_keys

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="People and groups that identity providers push (`identity.providers[].scim`).",
)
_AT_ONCE = 200


@app.command("list")
def list_(
    provider: Annotated[str, typer.Option("--provider", help="Only those of this provider.")] = "",
    inactive: Annotated[bool, typer.Option("--inactive", help="Only those who may do nothing.")] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Everybody who was pushed, with their groups."""
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        directory = _directory(place, store)
        names = [each for each in published(place, store).identity.pushing if provider in ("", each)]
        if provider and not names:
            raise NotFound(
                f"{provider!r} pushes nobody", why="no provider of that name has `scim`", mend="see identity.providers"
            )
        found = [each for name in names for each in _all(directory, name) if not (inactive and each.fields.active)]
    if json:
        json_data([_plain(each) for each in found])
        return
    table(
        ["provider", "name", "external id", "state", "groups", "changed (UTC)", "id"],
        [
            [
                each.provider,
                each.fields.user_name,
                each.fields.external_id,
                "active" if each.fields.active else "inactive",
                ", ".join(sorted(name for _, name in each.groups)),
                shown(each.changed_at),
                each.id,
            ]
            for each in found
        ],
    )


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A user name, an external id, or the id that the provider was given.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """One person, as their provider pushed them."""
    place = find(workspace, data_folder)
    value = name.partition("|")[2] or name
    same = Either((Equal("username", value), Equal("externalid", value), Equal("id", value)))
    with closing(open_store(place)) as store:
        directory, identity = _directory(place, store), published(place, store).identity
        found = [each for one in identity.pushing for each in directory.search(one, same, 0, _AT_ONCE)[1]]
    if not found:
        raise NotFound(
            f"nobody called {name!r} was pushed",
            why="whoever was not pushed, or was deleted, is refused",
            mend="fairlead people list",
        )
    if json:
        json_data([_plain(each) for each in found])
        return
    for each in found:
        for key, value in _plain(each).items():
            said = ", ".join(value) if isinstance(value, list) else str(value)
            data(f"{key}: {shown(value) if key.endswith('_at') else said}")


def counted(store: Store, provider: str) -> tuple[int, int]:
    """How many people and groups a provider has pushed."""
    from fairlead.storage.people_rows import count_groups, count_persons
    from fairlead.storage.people_tables import person, person_group

    with store.reading() as connection:
        return (
            count_persons(connection, person.c.provider == provider),
            count_groups(connection, person_group.c.provider == provider),
        )


def register_of(place: Place, store: Store, identity: Identity) -> Register | None:
    """What was pushed, as workers see it. None where no provider pushes."""
    return Register(identity.pushing, _people(place, store)) if identity.pushing else None


def authenticator_of(place: Place, store: Store, identity: Identity) -> Authenticator:
    """How people stand, as workers see it. It opens no token."""
    people = _people(place, store) if identity.pushing else None
    return Authenticator(identity, stored=load_keys(store), clock=SystemClock(), people=people)


def _people(place: Place, store: Store) -> People:
    people = People(store, NameDigests(store, open_vault(place, store), SystemClock()))
    people.wanted = True
    people.follow()
    return people


def standing_of(place: Place, store: Store, identity: Identity) -> Callable[[Key], bool]:
    """Tells of a bound key whether it opens anything."""
    from fairlead.identity.types import Caller

    register = register_of(place, store, identity)

    def stands(key: Key) -> bool:
        try:
            return register is not None and bool(register.bound(Caller(person=key.person), key))
        except NotActive:
            return False

    return stands


def _directory(place: Place, store: Store) -> Directory:
    clock, vault = SystemClock(), open_vault(place, store)
    digests = NameDigests(store, vault, clock)
    return Directory(store, vault, clock, digests, People(store, digests), partial(deed, clock))


def _all(directory: Directory, provider: str) -> list[Person]:
    found: list[Person] = []
    while page := directory.search(provider, None, len(found), _AT_ONCE)[1]:
        found += page
    return found


def _plain(person: Person) -> dict[str, Any]:
    """A person as programs see it."""
    return {
        "id": person.id,
        "provider": person.provider,
        **msgspec.structs.asdict(person.fields),
        "groups": sorted(name for _, name in person.groups),
        "made_at": person.made_at,
        "changed_at": person.changed_at,
    }


def commands() -> dict[str, Any]:
    return {"people": typer.main.get_command(app)}
