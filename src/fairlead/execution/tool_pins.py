"""Whether a tool is still what a person accepted: a system that now says something else of it is not called."""

import asyncio
from collections.abc import Mapping
from typing import Final

from fairlead.costs.ledger import Action
from fairlead.errors import DeadlineExceeded, Refused
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.tool_asking import ToolDecided
from fairlead.execution.tool_credentials import renewed_credential
from fairlead.tools.failures import CredentialRefused
from fairlead.tools.pins import Finding, findings, readable
from fairlead.tools.settings import McpSettings
from fairlead.tools.systems import System
from fairlead.tools.types import Credential

_FRESH: Final = 30.0  # seconds for which what a system said of its tools counts
_MOST: Final = 10_000
_SHOWN: Final = 12  # lines of a difference


class Quarantined(Refused):
    """The system now describes this tool otherwise than the description that a person accepted, or has it no more.

    A description can be changed to mislead agents, so nothing is called until somebody has looked: `fairlead tools
    pins` shows what differs, `fairlead tools accept SYSTEM` takes it on, and a publish puts it in force.
    """

    code = "quarantined"


async def refuse_changed(fairlead: Fairlead, deployment: Deployment, action: Action, decided: ToolDecided) -> None:
    """Raises `Quarantined`, or `Upstream` where the system cannot be asked. What the workspace itself defines cannot
    change unseen and is not looked at. It reaches the system, so it comes after the call has been reserved."""
    system, asked = decided.system, decided.asked
    if not isinstance(system.settings, McpSettings) or asked.tool.definition.kind == "method":
        return
    found = await _found(fairlead, deployment, action, system, decided.credential)
    finding = found.get(asked.tool.definition.name)
    if finding is not None and finding.kind in ("changed", "gone"):
        raise Quarantined(
            f"{asked.tool.name} is not what was accepted",
            why="; ".join(line.strip() for line in readable(finding)[:_SHOWN]),
            mend=f"have it looked at: fairlead tools pins, then fairlead tools accept {system.name}",
            subject=asked.tool.name,
        )


async def _found(
    fairlead: Fairlead, deployment: Deployment, action: Action, system: System, credential: Credential
) -> Mapping[str, Finding]:
    driver, now = deployment.systems.drivers[system.name], fairlead.clock.monotonic()
    # By person: a server may show each another list, and nobody's list may vouch for another's.
    key = (system.name, id(driver), action.caller.person)
    known = fairlead.offered.get(key)
    if known is not None and now < known[0]:
        return known[1]
    seconds = system.settings.timeout
    try:
        async with asyncio.timeout(seconds):
            try:
                offered = await driver.definitions(credential, now + seconds)
            except CredentialRefused:
                renewed = await renewed_credential(deployment, action, system, credential, now + seconds)
                if renewed is None:
                    raise
                offered = await driver.definitions(renewed, now + seconds)
            found = findings(system, offered)
    except TimeoutError:
        raise DeadlineExceeded(
            f"{system.name} did not say within {seconds:g} s what its tools are",
            why="nothing is called whose definition was not looked at",
            mend="try again; if it lasts, look at the system, or raise its `timeout`",
            subject=system.name,
        ) from None
    if len(fairlead.offered) >= _MOST:
        fairlead.offered.clear()
    fairlead.offered[key] = now + _FRESH, found
    return found
