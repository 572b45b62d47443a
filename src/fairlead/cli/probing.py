"""Asking models' endpoints whether they answer, all at once and not for long."""

import asyncio

from fairlead.clock import SystemClock
from fairlead.errors import BadInput, Upstream
from fairlead.models.registry import open_driver
from fairlead.models.types import ModelDriver
from fairlead.net.http import Http
from fairlead.workspace.compile import Workspace

PATIENCE = 1.0  # seconds


def probed(compiled: Workspace, *, only_local: bool) -> dict[str, str]:
    """What is wrong with each endpoint that was asked, "" for one that answers, by the endpoint's name.

    With `only_local` nothing that leaves the house is asked: a check should not tell a vendor that it was made.
    """
    names = {
        model.endpoint
        for model in compiled.models.models.values()
        if model.name not in compiled.models.unavailable and not (only_local and model.placement.kind == "cloud")
    }
    return asyncio.run(_probe(compiled, names)) if names else {}


async def _probe(compiled: Workspace, names: set[str]) -> dict[str, str]:
    clock = SystemClock()
    http = Http(clock)
    await http.open()
    try:
        drivers = {}
        answers = {}
        for name in sorted(names):
            try:
                drivers[name] = open_driver(compiled.models.endpoints[name], http, clock)
            except BadInput as error:
                answers[name] = error.message
        said = await asyncio.gather(*(_answer(driver) for driver in drivers.values()))
        return answers | dict(zip(drivers, said, strict=True))
    finally:
        await http.close()


async def _answer(driver: ModelDriver) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await driver.probe()
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except Upstream as error:
        return error.message + (f": {error.why}" if error.why else "")
    return ""
