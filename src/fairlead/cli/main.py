"""`fairlead`: the commands, on one page. Each lives in a module that is imported only when it is called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# name: module below fairlead.cli, what it does (one line; the module's own help says more)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Make a workspace: a folder of text that defines a deployment."),
    "demo": ("demo", "Run a working day of an invented retail company, without keys or servers."),
    "check": ("publishing", "Validate the workspace; every problem with its line and its mend."),
    "apply": ("publishing", "Publish the workspace to all live workers."),
    "serve": ("serve", "Publish the workspace and answer requests."),
    "ask": ("ask", "Ask a running Fairlead a question, as a client would."),
    "estimate": ("ask", "What a question would cost, for every model that may answer it."),
    "doctor": ("doctor", "Look for what is wrong with this installation."),
    "key": ("key", "API keys: add, list, revoke."),
    "policy": ("policy", "Test, show and explain policies."),
    "context": ("context", "Search and list the organisation's context."),
    "models": ("models", "The models of the workspace: where they run, what they cost, whether they answer."),
    "budget": ("money", "Budgets: what is spent, held and left."),
    "spend": ("money", "What was spent, by department, person, task type, model or day."),
    "trace": ("trace", "Draw what happened in a run."),
    "runs": ("trace", "The latest runs."),
    "load": ("trace", "Where Fairlead's own time goes."),
    "audit": ("audit", "Verify, prove and export the audit log."),
    "data": ("data", "Erase what is known about a person."),
    "revisions": ("publishing", "Published revisions and how they differ."),
    "schema": ("schema", "JSON Schemas of the workspace's files, for editors."),
    "migrate": ("doctor", "Bring the state database to this version's schema."),
    "explain": ("explain", "What an error code means and what mends it."),
}


class _Later(TyperCommand):
    """Stands for a command whose module is not imported yet, until it is called."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary, short_help=summary)
        self._module = module

    def load(self) -> Any:
        """The real command: the module's `commands()` gives its commands by name."""
        return import_module(f"fairlead.cli.{self._module}").commands()[self.name]

    def make_context(self, *args: Any, **extra: Any) -> typer.Context:
        context: typer.Context = self.load().make_context(*args, **extra)
        return context


class _Commands(TyperGroup):
    """All commands by name, imported when called."""

    def list_commands(self, ctx: typer.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:
        known = COMMANDS.get(cmd_name)
        return None if known is None else _Later(cmd_name, *known)


app = typer.Typer(name="fairlead", cls=_Commands, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _root() -> None:
    """Fairlead: the right model, the right context, the caller's own rights, a known price, a provable record."""


def main() -> None:
    """Entry point of the `fairlead` command."""
    app()


if __name__ == "__main__":
    main()
