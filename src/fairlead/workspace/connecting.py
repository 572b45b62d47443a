"""The connections to systems: kept from one revision to the next where nothing about the system has changed."""

import asyncio
import logging
from collections.abc import Mapping

from fairlead.clock import Clock
from fairlead.net.http import Http
from fairlead.tools.at_once import AtOnce
from fairlead.tools.left_aside import opened_or_aside
from fairlead.tools.offered import NO_SYSTEMS, Systems, offered
from fairlead.tools.systems import System, in_place
from fairlead.tools.types import SystemDriver
from fairlead.workspace.compile import Secrets

log = logging.getLogger("fairlead.systems")


class Connections:
    """Opens the drivers of a revision's systems, and closes those that no revision in force uses."""

    def __init__(self, http: Http, clock: Clock, secrets: Secrets) -> None:
        self._http = http
        self._clock = clock
        self._secrets = secrets
        self._open: dict[str, tuple[System, SystemDriver, AtOnce]] = {}
        self._offered = NO_SYSTEMS
        self._closing: set[asyncio.Task[None]] = set()

    def take_up(self, systems: Mapping[str, System]) -> Systems:
        """The systems with drivers; one that cannot be opened is left aside. What is made of a revision's tools is
        made once, however often something else is published (a key, a stop). What is under way at a driver that is
        replaced may end in its own time."""
        if not systems and not self._open:
            return NO_SYSTEMS
        before, self._open = self._open, {}
        for name, compiled in systems.items():
            system = in_place(compiled, self._secrets)
            known = before.get(name)
            if known is not None and known[0] == system:
                self._open[name] = before.pop(name)
            else:
                places = AtOnce(name, system.settings.at_once, self._clock)
                self._open[name] = system, opened_or_aside(system, self._http, self._clock), places
        for system, driver, _ in before.values():
            closing = asyncio.get_running_loop().create_task(self._close(system, driver, system.settings.timeout))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        drivers = {name: driver for name, (_, driver, _) in self._open.items()}
        if self._offered.systems is not systems or self._offered.drivers != drivers:
            turns = {name: its for name, (_, _, its) in self._open.items()}
            self._offered = offered(systems, drivers, turns)
        return self._offered

    async def close(self) -> None:
        """Close everything, after the last action has ended."""
        closing = list(self._closing)
        for each in closing:
            each.cancel()
        await asyncio.gather(*closing, return_exceptions=True)
        for system, driver, _ in self._open.values():
            await self._close(system, driver, 0)

    async def _close(self, system: System, driver: SystemDriver, after: float) -> None:
        try:
            await asyncio.sleep(after)
        finally:
            try:
                await driver.close()
            except OSError as error:
                log.warning("system %s could not be closed: %s", system.name, error)
