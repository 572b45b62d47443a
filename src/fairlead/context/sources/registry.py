"""The kinds of sources, a line each. Each driver is imported when a source of its kind is first asked."""

from importlib import import_module
from typing import Final, cast

from fairlead.context.sources.settings import AnySource, DocumentsSource, FolderSource, GitSource, McpSource
from fairlead.context.sources.types import Reach, Source

DRIVERS: Final[dict[type[AnySource], tuple[str, str]]] = {
    FolderSource: ("files", "Folder"),
    DocumentsSource: ("files", "Folder"),
    GitSource: ("git", "GitBranch"),
    McpSource: ("resources", "SystemResources"),
}


def open_source(name: str, settings: AnySource, reach: Reach) -> Source:
    """The driver of a source. Nothing is asked of it yet."""
    module, driver = DRIVERS[type(settings)]
    made = getattr(import_module(f"fairlead.context.sources.{module}"), driver)
    return cast(Source, made(name, settings, reach))
