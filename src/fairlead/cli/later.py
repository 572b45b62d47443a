"""Commands that are imported only when they are called: a group knows of each its module and what it does."""

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

Table = Mapping[str, tuple[str, str]]
"""Commands by name: the module below fairlead.cli, and what it does (one line; the module's own help says more)."""

PLAIN: Final[dict[str, Any]] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}
"""How every `typer.Typer` of the command line is made: help as it is written, and errors told in one place."""

_SENTENCE: Final = re.compile(r"(?<=[.]) (?=[A-Z])")


class Later(TyperCommand):
    """Stands for a command whose module is not imported yet, until it is called."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary, short_help=summary)
        self._module = module
        self._loaded: Any = None

    def load(self) -> Any:
        """The real command: the module's `commands()` gives its commands by name."""
        if self._loaded is None:
            self._loaded = import_module(f"fairlead.cli.{self._module}").commands()[self.name]
            for each in getattr(self._loaded, "commands", {}).values():
                each.short_help = each.short_help or _summary(each.help or "")
        return self._loaded

    def make_context(self, *args: Any, **extra: Any) -> typer.Context:
        context: typer.Context = self.load().make_context(*args, **extra)
        return context


def _summary(help: str) -> str:
    """The first sentence of a command's help, whole: the list of a group's commands would cut it at the end of a
    line."""
    return _SENTENCE.split(" ".join(help.split("\n\n", maxsplit=1)[0].split()), 1)[0].rstrip(".") + "."


def group_of(table: Table) -> type[TyperGroup]:
    """A group with these commands, for `typer.Typer(cls=…)`."""

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = {name: Later(name, *known) for name, known in table.items()}

    return Group


def built(**functions: Any) -> dict[str, Any]:
    """What `commands()` of a module gives: each function as the command of its name, `list_` as `list`."""
    found = {}
    for name, function in functions.items():
        app = typer.Typer(**PLAIN)
        app.command(name.rstrip("_"))(function)
        found[name.rstrip("_")] = typer.main.get_command(app)
    return found


def commands_of(app: typer.Typer) -> dict[str, Any]:
    """What `commands()` of a module gives that has an app of its own."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return dict(group.commands)
