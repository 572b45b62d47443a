"""How an error reaches the person at the terminal: what failed, why, what mends it, and a status for scripts."""

import sys
from typing import Final

import typer

from fairlead.cli.output import one_line, red
from fairlead.errors import BadInput, Broken, FairleadError, Refused, Unauthenticated, Upstream
from fairlead.workspace.problems import InvalidWorkspace

CHECK_FAILED: Final = 1  # a check failed, or the action was refused
WRONG_INPUT: Final = 2
UPSTREAM: Final = 3
BROKEN: Final = 70  # EX_SOFTWARE: a fault of our own

FINDINGS: Final = frozenset({"invalid_workspace"})  # bad input that a check found: 1, as for every failed check


def told(error: Exception) -> int:
    """Say what went wrong to the person at the terminal; returns the status to exit with."""
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        show_usage(error, context.command_path if context else "fairlead")
        return WRONG_INPUT
    if isinstance(error, FairleadError):
        known = error
    else:
        known = unreadable(error) if isinstance(error, OSError) else broken(error)
    show(known)
    return exit_status(known)


def exit_status(error: FairleadError) -> int:
    """The status that scripts see."""
    if isinstance(error, Upstream):
        return UPSTREAM
    if isinstance(error, Refused | Unauthenticated) or error.code in FINDINGS:
        return CHECK_FAILED
    return WRONG_INPUT if isinstance(error, BadInput) else BROKEN


def show(error: FairleadError) -> None:
    """Three lines on the error stream. The cause and the help are left out where there is nothing to say. The problems
    of a workspace stand below each other, as `fairlead check` has them."""
    invalid = error if isinstance(error, InvalidWorkspace) else None
    _line("error:", f"{invalid.counted if invalid else error.message} [{error.code}]")
    for each in invalid.problems if invalid else ():
        print(f"  {one_line(str(each))}", file=sys.stderr)
    where = [f"step {error.step}" if error.step else "", f"run {error.run}" if error.run else ""]
    cause = error.why + "".join(f" ({part})" for part in [", ".join(filter(None, where))] if part)
    _line("cause:", cause.strip())
    _line("help:", error.mend or f"fairlead explain {error.code}")


def show_usage(error: typer.TyperException, command: str) -> None:
    """A mistake on the command line itself, in the same form. A group called without a command shows its help."""
    message = error.format_message()
    if "\n\n" in message:
        print(message, file=sys.stderr)
        return
    _line("error:", f"{' '.join(message.split()).rstrip('.')} [usage]")
    _line("help:", f"{command} --help")


def broken(error: Exception) -> Broken:
    """What nobody foresaw, said in words. The traceback is for `--debug`."""
    return Broken(
        f"Fairlead itself failed: {type(error).__name__}: {error}",
        why="an unforeseen fault, not a mistake of yours",
        mend="run it again as `fairlead --debug …` and report what it prints",
    )


def unreadable(error: OSError) -> BadInput:
    """The machine refused: a permission, a full disk, a missing file."""
    name = f"{error.filename}: " if error.filename else ""
    return BadInput(
        f"{name}{error.strerror or error}", why="the system refused it", mend="fairlead doctor looks for what is wrong"
    )


def _line(head: str, text: str) -> None:
    if text:
        print(f"{red(head, sys.stderr)} {one_line(text)}", file=sys.stderr)
