"""Asking systems what they offer now, all at once and not for long."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from fairlead.clock import SystemClock
from fairlead.errors import FairleadError
from fairlead.identity import Caller
from fairlead.identity.credentials import Credentials
from fairlead.net.http import Http
from fairlead.tools.registry import open_system
from fairlead.tools.settings import System
from fairlead.tools.types import Definition

PATIENCE: Final = 10.0  # seconds: a program has to be started for some


class Offer(Struct, frozen=True):
    """What one system offers. `failure` says why it did not answer, "" where it did."""

    definitions: tuple[Definition, ...] = ()
    failure: str = ""


def offers(systems: Mapping[str, System], person: str, reveal: Callable[[str], str | None]) -> dict[str, Offer]:
    """What each system offers, to this person as far as it knows them by an account of the workspace's."""
    return asyncio.run(_offers(systems, Caller(person=person), reveal)) if systems else {}


async def _offers(
    systems: Mapping[str, System], caller: Caller, reveal: Callable[[str], str | None]
) -> dict[str, Offer]:
    clock = SystemClock()
    http = Http(clock)
    await http.open()
    try:
        credentials = Credentials(http, clock, reveal)
        asked = (_offer(system, credentials, caller, http, clock) for system in systems.values())
        return dict(zip(systems, await asyncio.gather(*asked), strict=True))
    finally:
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
