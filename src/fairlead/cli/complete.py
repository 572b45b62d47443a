"""Names that the shell can complete: cheap to find, and nothing at all where they cannot be found."""

from fairlead.cli.place import find, settings_of
from fairlead.errors import FairleadError
from fairlead.storage.run_names import latest_runs


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
        return latest_runs(find(None).database)
    except FairleadError:
        return []
