"""What is decided on one host counts on another: the part of `python -m evals.hosts` that needs no networks."""

import asyncio
from pathlib import Path

import pytest
from tests.world import again, world

from fairlead.cli.announcing import announced
from fairlead.errors import Unauthenticated
from fairlead.execution import Fairlead
from fairlead.identity.key_table import add_key, revoke_key
from fairlead.identity.keys import Key, new_key
from fairlead.storage.database import Where
from fairlead.storage.store import Store


async def known(fairlead: Fairlead, secret: str) -> str:
    return (await fairlead.current().authenticator.authenticate(f"Bearer {secret}", loopback=False)).person


def made(store: Store, key: Key) -> None:
    with announced(store) as connection:
        add_key(connection, key)


def revoked(store: Store, name: str, at: int) -> None:
    with announced(store) as connection:
        revoke_key(connection, name, at)


@pytest.mark.parametrize("where", ["postgres"], indirect=True)
async def test_a_key_that_was_revoked_on_one_host_is_refused_on_every_other_when_the_command_returns(
    tmp_path: Path, where: Where
) -> None:
    async with world(tmp_path, where=where) as w:
        other = await again(w)
        secret, digest = new_key(w.clock)
        await asyncio.to_thread(made, w.store, Key(name="robin", digest=digest, person="robin"))
        assert [await known(each, secret) for each in (w.fairlead, other.fairlead)] == ["robin", "robin"]
        await asyncio.to_thread(revoked, w.store, "robin", w.clock.now())
        for each in (w.fairlead, other.fairlead):
            with pytest.raises(Unauthenticated, match="revoked"):
                await known(each, secret)
        await other.stop()
