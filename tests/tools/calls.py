"""Systems to call and calls to make, for the tests of connectors."""

from collections.abc import Mapping
from typing import Any

from fairlead.clock import SystemClock
from fairlead.net.http import Http
from fairlead.tools.cards import NO_CARD
from fairlead.tools.settings import AnySystem
from fairlead.tools.systems import System, compile_system
from fairlead.tools.types import Credential, Definition, SystemCall

CLOCK = SystemClock()
HTTP = Http(CLOCK)  # closed: for systems that need none


def a_system(
    name: str, settings: AnySystem, offered: tuple[Definition, ...], files: Mapping[str, bytes] | None = None
) -> System:
    return compile_system(name, settings, NO_CARD, offered, files or {})


def a_system_call(
    tool: Definition,
    arguments: Mapping[str, Any],
    *,
    seconds: float = 60.0,
    credential: Credential | None = None,
    person: str = "ada",
    most_bytes: int = 1 << 20,
) -> SystemCall:
    return SystemCall(
        tool=tool,
        arguments=arguments,
        credential=credential or Credential(),
        person=person,
        deadline=CLOCK.monotonic() + seconds,
        idempotency_key="run_1.1",
        most_bytes=most_bytes,
    )
