"""Names that the shell can complete: cheap to find, and nothing at all where they cannot be found."""

import sqlite3
from contextlib import closing

from fairlead.cli.place import find, settings_of
from fairlead.errors import FairleadError


def models(incomplete: str) -> list[str]:
    """Models of the workspace by name, and `auto`."""
    return [name for name in ("auto", *_section("models")) if name.startswith(incomplete)]


def tasks(incomplete: str) -> list[str]:
    """Task types of the workspace."""
    try:
        folder = find(None).workspace / "tasks"
    except FairleadError:
        return []
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem.startswith(incomplete))


def runs(incomplete: str) -> list[str]:
    """The latest runs, and `last`."""
    return [name for name in ("last", *_latest_runs()) if name.startswith(incomplete)]


def _section(name: str) -> list[str]:
    try:
        found = settings_of(find(None).workspace).get(name)
    except (FairleadError, OSError):
        return []
    return list(found) if isinstance(found, dict) else []


def _latest_runs() -> list[str]:
    try:
        database = find(None).database
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=0.2)) as connection:
            rows = connection.execute("SELECT run FROM log ORDER BY seq DESC LIMIT 40").fetchall()
    except (FairleadError, sqlite3.Error, ValueError):
        return []
    return list(dict.fromkeys(run for (run,) in rows))
