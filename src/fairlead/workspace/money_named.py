"""Names that reports about money use, and other parts of the workspace have: `forecast:`, `value:`, `bills:`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from fairlead.errors import closest
from fairlead.tasks.settings import BUILT_IN
from fairlead.tools.settings import SqlSettings
from fairlead.tools.systems import System
from fairlead.workspace.problems import Problem
from fairlead.workspace.text import ENTRY, task_name
from fairlead.workspace.yaml_lines import Document

if TYPE_CHECKING:
    from fairlead.models.settings import Models
    from fairlead.workspace.compile import Workspace
    from fairlead.workspace.settings import WorkspaceSettings

DRIVERS: Final = "drivers"  # the folder
_KINDS: Final = ("department", "task", "model")


def between(
    settings: WorkspaceSettings,
    tasks: Collection[str],
    models: Models | None,
    systems: Mapping[str, System] | None,
    documents: Mapping[str, Document],
) -> Iterator[Problem]:
    """What can mean nothing: drivers of scopes that there are not, or that lie elsewhere, and exports without sense.
    `tasks` are the files of task types."""
    entry = documents[ENTRY]
    names = {"task": {*map(task_name, tasks), BUILT_IN}, "model": set(models.models) if models else None}
    for scope, driver in settings.forecast.drivers.items():
        yield from _scope(scope, names, entry)
        if bool(driver.file) == bool(driver.query):
            said = "a driver is either in a `file` or what a `query` gives"
            yield entry.problem(("forecast", "drivers", scope), said, f"write {{file: {DRIVERS}/orders.csv}}")
        elif driver.file and not _is_in_drivers(driver.file):
            said = f"{driver.file!r} does not lie in the folder {DRIVERS}"
            yield entry.problem(("forecast", "drivers", scope, "file"), said, f"keep it there: {DRIVERS}/orders.csv")
        elif driver.query and systems is not None:
            yield from _query(scope, driver.query, systems, entry)
    for name, provider in settings.bills.providers.items():
        for column in ("time", "model", "id"):
            if "+" in getattr(provider.columns, column):
                place = ("bills", "providers", name, "columns", column)
                yield entry.problem(place, "is one column: only numbers can be a sum", "name one column")


def about(workspace: Workspace, departments: Collection[str]) -> Iterator[str]:
    """What is allowed, since the log may know what the workspace no longer has, and may still be a slip."""
    tasks = {*workspace.tasks.types, BUILT_IN}
    for name in workspace.settings.value.baselines:
        if name not in tasks and not name.startswith("workflow/"):
            yield f"value.baselines.{name} is of no task type here: {closest(name, tasks)}"
    for scope in workspace.settings.forecast.drivers:
        kind, _, name = scope.partition("/")
        if kind == "department" and name not in departments and _is_like(name, departments):
            yield f"forecast.drivers.{scope}: {closest(name, departments)}"
    yield from _providers(workspace)


def _scope(scope: str, names: dict[str, set[str] | None], entry: Document) -> Iterator[Problem]:
    place, (kind, _, name) = ("forecast", "drivers", scope), scope.partition("/")
    if scope == "organisation":
        return
    if kind not in _KINDS or not name:
        mend = "write organisation, or one of " + ", ".join(f"{each}/NAME" for each in _KINDS)
        yield entry.problem(place, f"{scope!r} is nothing whose spending is forecast", mend)
        return
    known = names.get(kind)
    if known is not None and name not in known:
        what = "task type" if kind == "task" else kind
        yield entry.problem(place, f"there is no {what} `{name}` in this workspace", closest(name, known))


def _query(scope: str, name: str, systems: Mapping[str, System], entry: Document) -> Iterator[Problem]:
    """A query that is to give a driver's numbers is declared, only reads, and asks for nothing."""
    place = ("forecast", "drivers", scope, "query")
    bases = {each: system.settings for each, system in systems.items() if isinstance(system.settings, SqlSettings)}
    queries = {f"{each}.{query}": said for each, base in bases.items() for query, said in base.queries.items()}
    query = queries.get(name)
    if query is None:
        mend = closest(name, queries) or "declare it under `queries:` of a system with `use: sql`"
        yield entry.problem(place, f"there is no declared query `{name}` in this workspace", mend)
        return
    if query.effect != "read":
        yield entry.problem(place, f"`{name}` may change something", "name a query that only reads")
    system, _, own = name.partition(".")
    tool = systems[system].tools.get(own)
    if tool is not None and (asked := tool.definition.input.get("required")):
        said = f"`{name}` asks for {asked[0]!r}, and nobody is there to say it"
        yield entry.problem(place, said, "give the parameter a `default`, or declare a query without it")


def _is_in_drivers(file: str) -> bool:
    path = PurePosixPath(file)
    return path.parts[:1] == (DRIVERS,) and ".." not in path.parts and len(path.parts) > 1


def _providers(workspace: Workspace) -> Iterator[str]:
    models = workspace.models.models
    vendors = {model.placement.vendor for model in models.values()} - {""}
    for name, provider in workspace.settings.bills.providers.items():
        place = f"bills.providers.{name}"
        for theirs, ours in provider.models.items():
            if ours not in models:
                yield f"{place}.models.{theirs}: there is no model `{ours}` here: {closest(ours, models)}"
        if provider.vendor and provider.vendor not in vendors:
            yield f"{place}.vendor: no model is served by `{provider.vendor}`: {closest(provider.vendor, vendors)}"


def _is_like(name: str, known: Collection[str]) -> bool:
    return closest(name, known).startswith("did you mean")
