"""What providers push: the parts of a process that take it, and that follow what others have taken."""

from functools import partial
from typing import NamedTuple

from fairlead.clock import Clock
from fairlead.costs.record import deed
from fairlead.identity.directory import Directory
from fairlead.identity.directory_groups import Groups
from fairlead.identity.name_digests import NameDigests
from fairlead.identity.people import People
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault


class Pushed(NamedTuple):
    """`people` is what requests are answered by, the others write."""

    people: People
    directory: Directory
    groups: Groups


def pushed_people(store: Store, vault: Vault, clock: Clock) -> Pushed:
    """All that knows pushed people, over one set of digests."""
    digests = NameDigests(store, vault, clock)
    people, record = People(store, digests), partial(deed, clock)
    return Pushed(
        people,
        Directory(store, vault, clock, digests, people, record),
        Groups(store, clock, digests, people, record),
    )
