"""Asking systems what they offer now, all at once and not for long."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Final

from msgspec import Struct

from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.place import Place, secrets
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import FairleadError
from fairlead.identity import Caller
from fairlead.identity.credentials import Credentials
from fairlead.identity.grant_server import GrantServer
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.grants import Grants
from fairlead.net.http import Http
from fairlead.storage.database import database_at
from fairlead.tools.registry import open_system
from fairlead.tools.systems import System
from fairlead.tools.types import Definition

PATIENCE: Final = 10.0  # seconds: a program has to be started for some


class Offer(Struct, frozen=True):
    """What one system offers. `failure` says why it did not answer, "" where it did."""

    definitions: tuple[Definition, ...] = ()
    failure: str = ""


def offers(place: Place, systems: Mapping[str, System], person: str) -> dict[str, Offer]:
    """What each system offers to this person, as far as it knows them by an account of the workspace's, or by what they
    have connected."""
    if not systems:
        return {}
    reveal, caller = secrets(place.workspace), Caller(person=person)
    with ExitStack() as stack:
        connected = any(each.settings.credential.grant is not None for each in systems.values())
        grants = _grants(place, stack) if connected and database_at(place.database).exists() else None
        return asyncio.run(_offers(systems, caller, reveal, grants))


def _grants(place: Place, stack: ExitStack) -> Grants:
    store = stack.enter_context(closing(open_store(place)))
    return Grants(store, open_vault(place, store), SystemClock(), deed)


async def _offers(
    systems: Mapping[str, System], caller: Caller, reveal: Callable[[str], str | None], grants: Grants | None
) -> dict[str, Offer]:
    clock = SystemClock()
    http = Http(clock)
    await http.open()
    tokens = None if grants is None else GrantTokens(grants, GrantServer(http, clock, reveal), clock)
    try:
        credentials = Credentials(http, clock, reveal, tokens)
        asked = (_offer(system, credentials, caller, http, clock) for system in systems.values())
        return dict(zip(systems, await asyncio.gather(*asked), strict=True))
    finally:
        if tokens is not None:
            await tokens.close()
        await http.close()


async def _offer(system: System, credentials: Credentials, caller: Caller, http: Http, clock: SystemClock) -> Offer:
    deadline = clock.monotonic() + PATIENCE
    try:
        driver = open_system(system, http, clock)
        try:
            async with asyncio.timeout(PATIENCE):
                credential = await credentials.of(caller, "", system, deadline)
                found: Sequence[Definition] = await driver.definitions(credential, deadline)
        finally:
            await driver.close()
    except TimeoutError:
        return Offer(failure=f"no answer within {PATIENCE:g} s")
    except FairleadError as error:
        return Offer(failure=f"{error.message}: {error.why}".removesuffix(": "))
    return Offer(tuple(found))
