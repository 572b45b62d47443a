"""Changing what every live worker must notice: it counts once each of them has seen it, or its lease has lapsed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairlead.cli.opening import fleet_of
from fairlead.cli.output import say
from fairlead.storage.fleet import Fleet, Seen
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection


@contextmanager
def announced(store: Store) -> "Iterator[Connection]":
    """A transaction that all live workers learn of. When the block is left, nobody decides by what was before."""
    fleet = fleet_of(store)
    with store.writing() as connection:
        yield connection
        epoch = fleet.announce(connection)
    wait(fleet, epoch)


def wait(fleet: Fleet, epoch: int) -> None:
    """Wait for the workers that live, and say which did not answer."""
    tell(fleet.wait_until_seen(epoch))


def tell(seen: Seen) -> None:
    """Say which workers do not decide by the new state, and what that means."""
    for worker in seen.lapsed:
        say(f"warning: {worker} did not answer; its lease has lapsed, so it refuses until it has caught up")
    for worker in seen.missing:
        say(f"warning: {worker} still decides by the old state; stop it, and see fairlead doctor")
