"""`fairlead`: the commands, on one page. Each lives in a module that is imported only when it is called."""

import os
import sys
from functools import cache
from typing import Annotated, Any, Final

import typer

from fairlead import __version__
from fairlead.cli.later import group_of

_INTERRUPTED: Final = 130  # as shells report a program that Ctrl-C has ended

# name: module below fairlead.cli, what it does (one line; the module's own help says more)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Make a workspace: a folder of text that defines a deployment."),
    "new": ("new", "Start from a template: work that is done already, with sample data, tests and an evaluation."),
    "demo": ("demo", "Run a working day of an invented retail company, without keys or servers."),
    "check": ("publishing", "Validate the workspace; every problem with its line and its mend."),
    "apply": ("publishing", "Publish the workspace to all live workers."),
    "serve": ("serve", "Publish the workspace and answer requests."),
    "record": ("record", "Serve, and keep what one model replies in a file, to be played back."),
    "login": ("login", "Sign in to a Fairlead server with the company's identity provider."),
    "logout": ("login", "Forget a login, and have the provider forget it."),
    "whoami": ("login", "Who a Fairlead server takes you for."),
    "token": ("login", "Print the token of a login, for other programs."),
    "ask": ("ask", "Ask a running Fairlead a question, as a client would."),
    "estimate": ("ask", "What a question would cost, for every model that may answer it."),
    "feedback": ("feedback", "Say how well a run was done."),
    "machine": ("machine", "What this machine can do: cores, memory, GPUs, model servers, measured speeds."),
    "doctor": ("doctor", "Look for what is wrong with this installation."),
    "key": ("key", "API keys: add, list, revoke; and the master key."),
    "people": ("pushed", "People and groups that identity providers push: who is active, and in which groups."),
    "policy": ("policy", "Test, show and explain policies."),
    "declassify": ("declassifying", "The declared ways to a lower class: what they tell, and what they leave out."),
    "names": ("registering", "Registers of names: list, and bring in from systems."),
    "controls": ("watching", "What must stay true of the records: how it stands, with evidence."),
    "stop": ("stopping", "Stop an agent, a model, a person, a department or everything, at once and everywhere."),
    "resume": ("stopping", "Let go on what was stopped."),
    "stops": ("stopping", "What is stopped, by whom and why."),
    "tools": ("tooling", "Tools of systems: list, call, compare, accept."),
    "approvals": ("approving", "Calls that wait for a person: list, show, approve, deny."),
    "grants": ("granting", "What people have connected with accounts of their own: list, show, revoke."),
    "context": ("context", "The organisation's context: bring it in, keep it true, see what is missing, search it."),
    "routing": ("routing", "The choice of models: why, what would be otherwise, what is learnt, proof."),
    "models": ("models", "The models of the workspace: where they run, what they cost, whether they answer."),
    "budget": ("money", "Budgets: what is spent, held and left."),
    "credits": ("crediting", "What may be spent beside the caps: allot, transfer, and who did."),
    "forecast": ("forecasting", "What a period will come to, with an interval, and when a cap is reached."),
    "spend": ("money", "What was spent, by department, person, task type, model or day."),
    "bill": ("billing", "Bills of a period, as tables or as FOCUS 1.2; compared with a provider's own."),
    "value": ("worth", "What work came to against the manual way, and what leaving a vendor would take."),
    "workflow": (
        "workflowing",
        "Workflows: check, draw, price; begin runs, answer what they ask, see what became of them.",
    ),
    "evaluate": ("evaluating", "Run the cases of evaluation/ and see how many come out right, and at what cost."),
    "examples": ("taught", "What people gave in a model's place: list, show, export to learn from, forget."),
    "memory": ("remembered", "What runs and agents remember for later: show it, forget it."),
    "replay": ("replaying", "Go through a recorded run again, and see that it comes out the same."),
    "backtest": ("backtesting", "Recorded work under a changed revision: every decision that would differ."),
    "trace": ("trace", "Draw what happened in a run."),
    "runs": ("trace", "The latest runs."),
    "load": ("trace", "Where Fairlead's own time goes."),
    "queues": ("queues", "Who runs and who waits, lane by lane."),
    "audit": ("audit", "Verify, prove and export the audit log."),
    "data": ("data", "Find, hold and erase what is known about a person."),
    "backup": ("backup", "Copy all state into a folder that proves itself, while workers serve."),
    "restore": ("restore", "Bring a backup back, and nobody who was erased since."),
    "revisions": ("publishing", "Published revisions and how they differ."),
    "schema": ("schema", "JSON Schemas of the workspace's files, for editors."),
    "migrate": ("doctor", "Bring the state database to this version's schema."),
    "migrate-storage": ("moving", "Move state from the SQLite file to a PostgreSQL server, proofs intact."),
    "explain": ("explain", "What an error code means and what mends it."),
}


app = typer.Typer(name="fairlead", cls=group_of(COMMANDS), rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def _root(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,  # read in `run`
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Fairlead: the right model, the right context, the caller's own rights, a known price, a provable record."""
    if version:
        print(f"fairlead {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@cache
def _commands() -> Any:
    return typer.main.get_command(app)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status. What goes wrong is said in words, never as a traceback."""
    try:
        _require_text(arguments)
        status = _commands().main(args=arguments, prog_name="fairlead", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. Nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if "--debug" in arguments:
            raise
        from fairlead.cli.errors import told

        return told(error)


def _require_text(arguments: list[str]) -> None:
    """Bytes that are no text cannot be kept, and so name nothing: better said at once than half way through."""
    for each in arguments:
        if not each.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in each):
            from fairlead.errors import BadInput

            raise BadInput(f"{each!r} is not UTF-8", mend="type it in a terminal that speaks UTF-8")


def main() -> None:
    """Run the command line that this process was given, and end with its status."""
    sys.exit(run(sys.argv[1:]))
