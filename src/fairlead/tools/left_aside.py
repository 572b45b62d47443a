"""A system that could not be opened is left aside: all others answer, and each call to it says why it does not."""

import logging
from collections.abc import Sequence
from typing import NoReturn

from fairlead.clock import Clock
from fairlead.errors import FairleadError
from fairlead.net.http import Http
from fairlead.tools.failures import SystemFailed
from fairlead.tools.registry import open_system
from fairlead.tools.systems import System
from fairlead.tools.types import Credential, Definition, SystemCall, SystemDriver, ToolResult

log = logging.getLogger("fairlead.systems")


class LeftAside:
    """Stands where the driver would. Nothing is sent by it."""

    def __init__(self, name: str, why: str, mend: str) -> None:
        self._name = name
        self._why = why
        self._mend = mend

    async def definitions(self, credential: Credential, deadline: float) -> Sequence[Definition]:
        """Raises what was in the way when the system was to be opened."""
        self._fail()

    async def call(self, call: SystemCall) -> ToolResult:
        """Raises what was in the way when the system was to be opened."""
        self._fail()

    def _fail(self) -> NoReturn:
        raise SystemFailed(
            f"{self._name} could not be opened on this machine",
            why=self._why,
            mend=self._mend,
            subject=self._name,
            retryable=False,
            charged="no",
        )

    async def close(self) -> None:
        """Nothing is open."""


def opened_or_aside(system: System, http: Http, clock: Clock) -> SystemDriver:
    """The driver for one system, or, where it cannot be opened, what says so at every call. The log says it once."""
    try:
        return open_system(system, http, clock)
    except FairleadError as error:
        why, mend = f"{error.message}: {error.why}".removesuffix(": "), error.mend
    except Exception as error:  # of whatever connector: one system ends no other, and no server
        log.error("system %s could not be opened", system.name, exc_info=error)
        why, mend = f"its connector failed with {type(error).__name__}", "the server's log has the whole error"
    log.error("system %s is left aside: %s; %s", system.name, why, mend)
    return LeftAside(system.name, why, mend)
