"""What a process that answers gets of the machine it runs on."""

from collections.abc import Callable

from fairlead.cli.hardware import fingerprint
from fairlead.cli.opening import master_key, master_keys
from fairlead.cli.place import Place, secrets
from fairlead.clock import SystemClock
from fairlead.models.types import ModelDriver
from fairlead.storage.store import Store
from fairlead.workspace.surroundings import Surroundings

Wrap = Callable[[ModelDriver], ModelDriver]


def surroundings(
    place: Place, store: Store, wrap: Wrap | None = None, *, serves: bool = False, walks: int = 0
) -> Surroundings:
    """The state, the secrets and the keys of a place, and what to put around its drivers. Raises `BadInput` where
    there is no master key."""
    return Surroundings(
        store=store,
        master_key=master_key(place),
        master_keys=lambda: master_keys(place),
        secrets=secrets(place.workspace),
        clock=SystemClock(),
        machine=fingerprint,
        serves=serves,
        walks=walks,
        wrap=wrap,
    )
