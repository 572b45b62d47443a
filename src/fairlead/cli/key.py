"""`fairlead key`: keys for programs and people, beside what `keys:` of the workspace declares."""

from contextlib import closing
from typing import Annotated, Any

import typer

from fairlead.cli.announcing import announced
from fairlead.cli.key_rotation import rotate_master, rotate_signing, to_anchors
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store
from fairlead.cli.output import DryRun, Json, data, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.when import shown, span
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import FairleadError, NotFound
from fairlead.identity.keys import Key, new_key
from fairlead.workspace.published import load_keys

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="API keys: add, list, revoke; and the master key.",
)

Groups = Annotated[list[str] | None, typer.Option("--group", "-g", help="A group; may be repeated.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="A role; may be repeated.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The key's name: small letters, digits, dots, dashes, underscores.")],
    person: Annotated[str, typer.Option(help="Who acts with it: every action is somebody's.")],
    agent: Annotated[str, typer.Option(help="The program that acts for the person.")] = "",
    department: Annotated[str, typer.Option(help="The person's department.")] = "",
    group: Groups = None,
    role: Roles = None,
    bound_to: Annotated[
        str,
        typer.Option(
            "--bound-to",
            help="A provider with `scim`: the key holds only while its person (NAME|…) is active there, and with those "
            "of its groups that were pushed for them.",
        ),
    ] = "",
    expires: Annotated[str, typer.Option(help="How long it is valid, such as 90d.", show_default="never")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Make a key. It goes to standard output, once; only its digest is kept."""
    from fairlead.identity.key_table import add_key

    place, clock = find(workspace, data_folder), SystemClock()
    secret, digest = new_key(clock)
    now = clock.now()
    key = Key(
        name=name,
        digest=digest,
        person=person,
        agent=agent,
        department=department,
        groups=frozenset(group or ()),
        roles=frozenset(role or ()),
        created_at=now,
        expires_at=now + span(expires, "--expires") if expires else 0,
        created_by=user(),
        bound_to=bound_to,
    )
    if bound_to:
        _require_binding(place, key)
    if dry_run:
        say(f"would add the key {name} for {person}")
        return
    with closing(open_store(place)) as store, announced(store) as connection:
        add_key(connection, key)
    if json:
        json_data({**_shown(key), "key": secret, "digest": f"sha256:{digest.hex()}"})
        return
    say(f"the key {name} for {person}, shown this once; in fairlead.yaml it can be named as sha256:{digest.hex()}")
    data(secret)


@app.command("list")
def list_(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """All keys that were ever made, revoked ones too. Keys declared in fairlead.yaml are not among them."""
    keys = _keys(find(workspace, data_folder))
    if json:
        json_data([_shown(key) for key in keys])
        return
    now = SystemClock().now()
    table(
        ["name", "person", "bound to", "agent", "department", "groups", "roles", "made (UTC)", "until (UTC)", "state"],
        [
            [
                key.name,
                key.person,
                key.bound_to,
                key.agent,
                key.department,
                ", ".join(sorted(key.groups)),
                ", ".join(sorted(key.roles)),
                shown(key.created_at),
                shown(key.expires_at) if key.expires_at else "no end",
                _state(key, now),
            ]
            for key in keys
        ],
    )


def _complete(incomplete: str) -> list[str]:
    try:
        return [key.name for key in _keys(find(None)) if key.name.startswith(incomplete) and not key.revoked_at]
    except FairleadError:
        return []


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The key's name.", autocompletion=_complete)],
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
) -> None:
    """Revoke a key. When this returns, no live worker accepts it any more."""
    from fairlead.identity.key_table import revoke_key

    place = find(workspace, data_folder)
    if dry_run:
        if name not in {key.name for key in _keys(place)}:
            raise NotFound(f"there is no key named {name!r}", mend="fairlead key list")
        say(f"would revoke the key {name}")
        return
    clock = SystemClock()
    with closing(open_store(place)) as store, announced(store) as connection:
        revoke_key(connection, name, clock.now())
        store.database.append(connection, [deed(clock, "key_revoked", by=f"os:{user()}", about=name)])
    to_anchors(place)
    say(f"the key {name} is revoked")


def _require_binding(place: Place, key: Key) -> None:
    from fairlead.cli.compiled import published
    from fairlead.identity.key_settings import require_binding

    with closing(open_store(place)) as store:
        require_binding("--bound-to", key.bound_to, key.person, published(place, store).identity.pushing)


def _keys(place: Place) -> tuple[Key, ...]:
    with closing(open_store(place)) as store:
        return load_keys(store)


def _state(key: Key, now: int) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if 0 < key.expires_at <= now else "valid"


def _shown(key: Key) -> dict[str, Any]:
    """A key as programs see it: everything but its digest."""
    return {
        "name": key.name,
        "person": key.person,
        "agent": key.agent,
        "department": key.department,
        "groups": sorted(key.groups),
        "roles": sorted(key.roles),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "bound_to": key.bound_to,
    }


app.command("rotate-master")(rotate_master)
app.command("rotate-signing")(rotate_signing)


def commands() -> dict[str, Any]:
    return {"key": typer.main.get_command(app)}
