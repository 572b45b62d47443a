"""Numbers that spending follows, read where they lie: files of the folder `drivers`, and declared queries, which are
called as tools, by the governed path, under the rights of who asks."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from fairlead.cli.place import Place
from fairlead.costs.forecasting.drivers import numbers_in, numbers_of
from fairlead.costs.report_settings import DriverSettings
from fairlead.errors import BadInput, FairleadError
from fairlead.storage.store import Store
from fairlead.tools.settings import SqlSettings
from fairlead.workspace.money_named import DRIVERS

if TYPE_CHECKING:
    from fairlead.execution import Fairlead
    from fairlead.identity import Caller
    from fairlead.workspace.compile import Workspace

_MOST: Final = 5_000_000  # bytes


class Numbers(Struct, frozen=True):
    """A driver's number by day (counted since 1970), or why there are none now."""

    name: str
    by_day: Mapping[int, float] = {}
    lacking: str = ""


def drivers_of(
    place: Place, store: Store, declared: Mapping[str, DriverSettings], scopes: Collection[str], key: str
) -> dict[str, Numbers]:
    """By scope, for those of `scopes` that have one. `key` is whose rights queries are read under."""
    wanted = {scope: driver for scope, driver in declared.items() if scope in scopes}
    found = {scope: in_file(place, driver.file) for scope, driver in wanted.items() if driver.file}
    asked = {scope: driver for scope, driver in wanted.items() if driver.query}
    if asked:
        found |= asyncio.run(_queried(place, store, asked, key))
    return found


def in_file(place: Place, name: str) -> Numbers:
    """What a file of the folder `drivers` says."""
    folder, file = (place.workspace / DRIVERS).resolve(), (place.workspace / name).resolve()
    try:
        if not file.is_relative_to(folder):
            return Numbers(name, lacking=f"it lies outside of {DRIVERS}/")
        if file.stat().st_size > _MOST:
            return Numbers(name, lacking=f"it has more than {_MOST:,} bytes")
        return Numbers(name, numbers_in(file.read_text("utf-8"), name))
    except (OSError, UnicodeDecodeError) as error:
        return Numbers(name, lacking=str(getattr(error, "strerror", "") or error))
    except BadInput as error:
        return Numbers(name, lacking=_why(error))


def remarks(place: Place, workspace: "Workspace") -> Iterator[str]:
    """What would go wrong with the drivers if somebody asked for a forecast now, as far as no database is asked."""
    for scope, driver in workspace.settings.forecast.drivers.items():
        key = f"forecast.drivers.{scope}"
        if driver.file and (lacking := in_file(place, driver.file).lacking):
            yield f"{key}: {driver.file} cannot be read: {lacking}"
        if driver.query:
            yield from (f"{key}: {said}" for said in _of_columns(workspace, driver))


def _of_columns(workspace: "Workspace", driver: DriverSettings) -> Iterator[str]:
    from fairlead.tools.sql_columns import columns_of

    system, _, query = driver.query.partition(".")
    settings = workspace.systems[system].settings
    columns = columns_of(settings, query) if isinstance(settings, SqlSettings) else None
    for name, column in (("day", driver.day), ("number", driver.number)):
        if columns is not None and column not in columns:
            yield f"{driver.query} has no column {column!r} ({name}): it has {', '.join(columns)}"


async def _queried(place: Place, store: Store, asked: Mapping[str, DriverSettings], key: str) -> dict[str, Numbers]:
    from fairlead.cli.acting import caller_of
    from fairlead.cli.surroundings import surroundings
    from fairlead.workspace.assemble import assemble

    try:
        running = await assemble(surroundings(place, store))
    except FairleadError as error:
        return {scope: Numbers(driver.name, lacking=_why(error)) for scope, driver in asked.items()}
    try:
        fairlead = running.fairlead
        caller = await caller_of(fairlead, key)
        return {scope: await _answered(fairlead, caller, driver) for scope, driver in asked.items()}
    except FairleadError as error:
        return {scope: Numbers(driver.name, lacking=_why(error)) for scope, driver in asked.items()}
    finally:
        await running.stop()


async def _answered(fairlead: "Fairlead", caller: "Caller", driver: DriverSettings) -> Numbers:
    from fairlead.costs.told import Arrival
    from fairlead.execution.tool_asking import ToolRequest
    from fairlead.execution.tool_call import call_tool

    try:
        answer = await call_tool(fairlead, caller, ToolRequest(name=driver.query, arguments={}), Arrival(door="cli"))
        if answer.result.failed:
            raise BadInput(answer.result.text)
        return Numbers(driver.name, numbers_of(_rows(answer.result.structured), driver.day, driver.number, driver.name))
    except FairleadError as error:
        return Numbers(driver.name, lacking=_why(error))


def _rows(data: Any) -> list[dict[str, Any]]:
    """The rows of a query's result. Raises `BadInput` where some of them are missing: a part of a driver is none."""
    rows = data.get("rows") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise BadInput("its result is no table", mend="name a declared query: its result has rows")
    if data.get("truncated"):
        raise BadInput("it has more rows than `most_rows` of its system lets through", mend="ask for fewer days")
    return rows


def _why(error: FairleadError) -> str:
    return ": ".join(part for part in (error.message, error.why) if part)[:300]
