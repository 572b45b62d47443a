"""`fairlead examples`: its commands, on one page."""

from typing import Any, Final

import typer

from fairlead.cli.later import PLAIN, group_of

COMMANDS: Final = {
    "list": ("taught_listed", "The examples, the youngest first, without what they say."),
    "show": ("taught_listed", "One example: where it comes from, why it came to a person, and under what."),
    "export": (
        "taught_export",
        "Give examples away to learn from, as JSON Lines: the messages of a chat, and beside them all that is known.",
    ),
    "forget": ("taught_listed", "Delete examples, for good."),
}

app = typer.Typer(
    cls=group_of(COMMANDS),
    **PLAIN,
    no_args_is_help=True,
)


@app.callback()
def _root() -> None:
    """What people gave in a model's place: list, show, export to learn from, forget."""


def commands() -> dict[str, Any]:
    return {"examples": typer.main.get_command(app)}
