"""`fairlead key`: keys for programs and people, beside what `keys:` of the workspace declares."""

from contextlib import closing
from pathlib import Path
from socket import gethostname
from typing import Annotated, Any

import typer

from fairlead.cli.announcing import announced, wait
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import fleet_of, master_key, open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, data, json_data, say, table
from fairlead.cli.place import MASTER_KEY, NEW_MASTER_KEY, Data, Place, Workspace, find, key_command, user, variable
from fairlead.cli.sealing import log_name, sign
from fairlead.cli.when import shown, span
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import BadInput, FairleadError, NotFound
from fairlead.identity.keys import Key, new_key
from fairlead.storage.fleet import Member
from fairlead.storage.master_key import load_master_key
from fairlead.storage.rotation import replace_given, rotate
from fairlead.storage.store import Store
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
    _to_anchors(place)
    say(f"the key {name} is revoked")


@app.command("rotate-master")
def rotate_master(
    workspace: Workspace = None, data_folder: Data = None, dry_run: DryRun = False, yes: Yes = False
) -> None:
    """Change the master key, which wraps the keys of all persons. Workers go on serving; nothing is sealed anew.

    The old key file stays beside the new one: backups from before open with it alone. If the command is interrupted,
    run it again. Where the master key comes from the environment, stop the workers and give the new one as
    FAIRLEAD_NEW_MASTER_KEY.
    """
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        given = variable(MASTER_KEY) is not None or bool(key_command(place))
        if not given:
            _require_one_machine(store)
        new = _new_master_key(place, store) if given else b""
        vault, name = open_vault(place, store, new), log_name(place, store)
        if dry_run:
            say("would wrap every key by " + ("the new master key" if given else f"a new one in {place.key_file}"))
            return
        confirm("Change the master key?", yes)
        if given:
            count = replace_given(vault, name, new)
            say(f"{count} keys are wrapped anew; start the workers with the new master key in its place")
            return
        done = rotate(place.key_file, vault, name, SystemClock())
    say(f"{done.keys} keys are wrapped anew, and {place.key_file} holds the new master key: back it up now")
    say(f"the old one is kept in {done.old}: delete it once no backup from before is needed")


@app.command("rotate-signing")
def rotate_signing_(
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Change the key that signs the log. The old key certifies the new one in the log; workers go on serving.

    What the old key has signed stays verifiable, and whoever has pinned it is led to the new one. The old private key
    is deleted.
    """
    from fairlead.storage.signing_rotation import rotate_signing

    place, clock = find(workspace, data_folder), SystemClock()
    with closing(open_store(place)) as store:
        vault, name, fleet = open_vault(place, store), log_name(place, store), fleet_of(store)
        if dry_run:
            say(f"would put another key in the place of {vault.verifier_key(name)}")
            return
        confirm("Change the key that signs the log?", yes)
        begun: list[int] = []
        done = rotate_signing(
            store,
            vault,
            name,
            clock,
            entry=lambda note: deed(clock, "signing_key", by=f"os:{user()}", about=note),
            announce=lambda connection: begun.append(fleet.announce(connection)),
        )
        wait(fleet, begun[0])
        sign(place, store)
    _to_anchors(place)
    if json:
        json_data(done)
        return
    say(f"from record {done.size} on this key signs, certified by the one before; pin it where the log is checked:")
    data(done.new)


def _to_anchors(place: Place) -> None:
    from fairlead.cli.anchors import deliver

    with closing(open_store(place)) as store:
        deliver(place, store)


def _serving(store: Store) -> list[Member]:
    now = SystemClock().now()
    return [member for member in fleet_of(store).members() if member.lease_until >= now]


def _require_one_machine(store: Store) -> None:
    """Workers find a new key in the key file of this machine. Those on another would be left with the old one."""
    elsewhere = sorted({member.host for member in _serving(store)} - {gethostname()})
    if elsewhere:
        raise BadInput(
            f"workers serve on other machines too: {', '.join(elsewhere)}",
            why="they would not see the new key file, and could open nothing",
            mend="stop them, run this again, and copy the new key file to their machines before they start",
        )


def _new_master_key(place: Place, store: Store) -> bytes:
    """The key that is to follow the one of the environment, or of a program, which no running worker can read anew."""
    serving = _serving(store)
    if serving:
        raise BadInput(
            f"{len(serving)} worker(s) serve with a master key that is given to them",
            why="they could open nothing once it is changed, and cannot be given another",
            mend=f"stop them, then run this again; or keep the key in a file, without {MASTER_KEY}",
        )
    new = load_master_key(variable(NEW_MASTER_KEY) or "", Path())
    if new == master_key(place):
        raise BadInput(
            "the new master key is the old one", mend=f"put another into {NEW_MASTER_KEY}: openssl rand -base64 32"
        )
    return new


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


def commands() -> dict[str, Any]:
    return {"key": typer.main.get_command(app)}
