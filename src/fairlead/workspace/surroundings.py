"""What a process gets from outside: the command line gives it for a real one, tests for theirs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fairlead.clock import Clock
from fairlead.models.types import ModelDriver
from fairlead.storage.store import Store
from fairlead.workspace.compile import Secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """`secrets` gives what `env:NAME` stands for, `master_keys` the keys that may have taken the master key's place
    since, `machine` what this machine is known by ("" where nobody says). Who `serves` also does what lasts beside
    answering, and who `walks` runs of workflows walks so many at once. `wrap` puts something around each driver, such
    as what records it."""

    store: Store
    master_key: bytes
    secrets: Secrets
    clock: Clock
    master_keys: Callable[[], Iterable[bytes]] = tuple
    machine: Callable[[], str] = str
    serves: bool = False
    walks: int = 0
    wrap: Callable[[ModelDriver], ModelDriver] | None = None
