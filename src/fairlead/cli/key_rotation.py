"""`fairlead key rotate-master` and `rotate-signing`: other keys in the place of those that wrap and sign."""

from contextlib import closing
from pathlib import Path
from socket import gethostname

from fairlead.cli.announcing import wait
from fairlead.cli.opening import fleet_of, master_key, open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, data, json_data, say
from fairlead.cli.place import MASTER_KEY, NEW_MASTER_KEY, Data, Place, Workspace, find, key_command, user, variable
from fairlead.cli.sealing import log_name, sign
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import BadInput
from fairlead.storage.fleet import Member
from fairlead.storage.master_key import load_master_key
from fairlead.storage.rotation import replace_given, rotate
from fairlead.storage.store import Store


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


def rotate_signing(
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
    from fairlead.storage.signing_rotation import rotate_signing as rotated

    place, clock = find(workspace, data_folder), SystemClock()
    with closing(open_store(place)) as store:
        vault, name, fleet = open_vault(place, store), log_name(place, store), fleet_of(store)
        if dry_run:
            say(f"would put another key in the place of {vault.verifier_key(name)}")
            return
        confirm("Change the key that signs the log?", yes)
        begun: list[int] = []
        done = rotated(
            store,
            vault,
            name,
            clock,
            entry=lambda note: deed(clock, "signing_key", by=f"os:{user()}", about=note),
            announce=lambda connection: begun.append(fleet.announce(connection)),
        )
        wait(fleet, begun[0])
        sign(place, store)
    to_anchors(place)
    if json:
        json_data(done)
        return
    say(f"from record {done.size} on this key signs, certified by the one before; pin it where the log is checked:")
    data(done.new)


def to_anchors(place: Place) -> None:
    """Brings the anchors up to date, so that what was revoked or replaced just now stays so whatever is restored."""
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
