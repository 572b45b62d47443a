"""`fairlead data`: erasing what is known about a person. The audit log keeps its proofs and loses what was said."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli.announcing import announced
from fairlead.cli.opening import keys_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, Yes, confirm, json_data, say
from fairlead.cli.place import Data, Workspace, find
from fairlead.clock import SystemClock
from fairlead.costs.budgets import periods_of, scope_name

if TYPE_CHECKING:
    from sqlalchemy import Connection

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Erase what is known about a person.",
)


@app.callback()
def _group() -> None:
    """Erase what is known about a person."""


@app.command()
def erase(
    person: Annotated[str, typer.Argument(help="The person, as the records' caller was named.")],
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete a person's encryption key: their requests, replies and name can never be read again.

    Records stay in the log under a pseudonym, so that sums and proofs hold. This cannot be undone.
    """
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        keys = keys_of(store, person)
        if dry_run:
            say(f"would erase what is sealed for {person}" + _remains(keys))
            return
        confirm(f"Erase everything that is sealed for {person}, for good?", yes)
        erased = open_vault(place, store).erase(person)
        with announced(store) as connection:  # whoever still has the key in memory drops it
            _forget_budgets(connection, person)
    if json:
        json_data({"person": person, "erased": erased, "keys_left": keys})
        return
    done = f"what was sealed for {person} is erased" if erased else f"nothing was sealed for {person}"
    say(done + _remains(keys))


def _remains(keys: tuple[str, ...]) -> str:
    return f"; keys that still carry the name: {', '.join(keys)} (fairlead key revoke NAME)" if keys else ""


def _forget_budgets(connection: "Connection", person: str) -> None:
    """Past periods' rows carry the name and cap nothing any more. Today's stay: a budget must not begin anew."""
    from fairlead.storage.balances import forget_balances

    today = periods_of(SystemClock().now()).values()
    forget_balances(connection, scope_name("person", person), keep=tuple(today))


def commands() -> dict[str, Any]:
    return {"data": typer.main.get_command(app)}
