"""`fairlead explain`: what an error code means and what mends it, from the very class that is raised."""

import inspect
from importlib import import_module
from typing import Annotated, Any, Final

import typer

from fairlead.cli.later import PLAIN
from fairlead.cli.output import Json, data, json_data, say, table
from fairlead.errors import FairleadError, NotFound, closest

# Where errors are defined beside the tree in fairlead.errors. A test finds every one that is missing here.
MODULES: Final = (
    "fairlead.errors",
    "fairlead.cli.asking",
    "fairlead.context.upkeep.proposals",
    "fairlead.execution.approval_question",
    "fairlead.execution.cascade",
    "fairlead.execution.insufficient",
    "fairlead.execution.prepare",
    "fairlead.execution.tool_pins",
    "fairlead.identity.consents",
    "fairlead.identity.directory_refusals",
    "fairlead.identity.no_credential",
    "fairlead.identity.people_search",
    "fairlead.identity.register",
    "fairlead.lanes.rates",
    "fairlead.lanes.refusals",
    "fairlead.routing.refusals",
    "fairlead.server.browser",
    "fairlead.server.http",
    "fairlead.server.proxy",
    "fairlead.server.scim.errors",
    "fairlead.storage.store",
    "fairlead.tools.failures",
    "fairlead.workflows.expression_errors",
    "fairlead.workflows.steering",
    "fairlead.workspace.problems",
)
USAGE: Final = "usage"
MISUSE: Final = """The command line itself is wrong: an unknown command or option, or a value that does not fit.

`fairlead COMMAND --help` shows what a command takes. Nothing was done."""

app = typer.Typer(**PLAIN)


def codes() -> dict[str, type[FairleadError]]:
    """Every error by its code."""
    for module in MODULES:
        import_module(module)
    return {error.code: error for error in _below(FairleadError)}


def _below(error: type[FairleadError]) -> list[type[FairleadError]]:
    # What a module keeps to itself is told by the code of what it is a kind of.
    found = [error] if error is not FairleadError and not error.__name__.startswith("_") else []
    for narrower in error.__subclasses__():
        found += [each for each in _below(narrower) if each not in found]
    return found


def meaning(error: type[FairleadError]) -> str:
    """What an error means: the docstring of its class, without its indentation."""
    return inspect.cleandoc(error.__doc__ or "")


def _complete(incomplete: str) -> list[str]:
    return sorted(code for code in codes() if code.startswith(incomplete))


@app.command()
def explain(
    code: Annotated[
        str, typer.Argument(help="A code, such as over_budget. Default: list them.", autocompletion=_complete)
    ] = "",
    json: Json = False,
) -> None:
    """What an error code means and what mends it."""
    known = codes()
    wanted = code.strip("[]").lower()
    if not wanted:
        _list(known, json)
    elif wanted == USAGE:
        data(MISUSE)
    elif wanted not in known:
        raise NotFound(
            f"there is no error code {wanted!r}", mend=closest(wanted, known) or "fairlead explain lists them all"
        )
    elif json:
        error = known[wanted]
        json_data({"code": wanted, "status": error.status, "meaning": meaning(error)})
    else:
        say(f"{wanted}, HTTP status {known[wanted].status}")
        data(meaning(known[wanted]))


def _list(known: dict[str, type[FairleadError]], json: bool) -> None:
    rows = [(code, error.status, meaning(error).partition("\n\n")[0]) for code, error in sorted(known.items())]
    if json:
        json_data([{"code": code, "status": status, "meaning": text} for code, status, text in rows])
        return
    shown = [[code, str(status), " ".join(text.split())] for code, status, text in rows]
    shown.append([USAGE, "", " ".join(MISUSE.partition("\n\n")[0].split())])
    table(["code", "status", "what happened"], shown, right=["status"])


def commands() -> dict[str, Any]:
    return {"explain": typer.main.get_command(app)}
