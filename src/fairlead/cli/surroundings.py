"""What a process that answers gets of the machine it runs on."""

from fairlead.cli.opening import master_key, master_keys
from fairlead.cli.place import Place, secrets
from fairlead.clock import SystemClock
from fairlead.storage.store import Store
from fairlead.workspace.assemble import Surroundings


def surroundings(place: Place, store: Store) -> Surroundings:
    """The state, the secrets and the keys of a place. Raises `BadInput` where there is no master key."""
    return Surroundings(
        store=store,
        master_key=master_key(place),
        master_keys=lambda: master_keys(place),
        secrets=secrets(place.workspace),
        clock=SystemClock(),
    )
