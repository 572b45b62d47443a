"""Which examples a command is about: the options that `fairlead examples` has in common."""

from typing import TYPE_CHECKING, Annotated

import typer

from fairlead.cli.when import moment_ago
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.labels import DataClass

if TYPE_CHECKING:
    from fairlead.storage.example_rows import Which

Task = Annotated[str, typer.Option("--task", help="Those of one task type.")]
Source = Annotated[str, typer.Option("--source", help="Those from `expert`, `approval` or `correction`.")]
Since = Annotated[str, typer.Option("--since", help="Given since: 7d, 12h, or a day.")]


def which_of(task: str, source: str, since: str, up_to: DataClass | None = None, person: str = "") -> "Which":
    """Which examples the options of a command name. Raises `BadInput` for a source or a moment that there is not."""
    from fairlead.storage.example_rows import Which

    if source not in ("", "expert", "approval", "correction"):
        raise BadInput(f"--source is {source!r}", mend="one of expert, approval, correction")
    moment = moment_ago(since, "--since", SystemClock().now()) if since else 0
    return Which(task=task, source=source, subject=person, since=moment, up_to=None if up_to is None else up_to.value)
