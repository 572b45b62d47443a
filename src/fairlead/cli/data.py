"""`fairlead data`: erasing what is known about a person. The audit log keeps its proofs and loses what was said."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from fairlead.cli.announcing import announced
from fairlead.cli.output import DryRun, Json, Yes, confirm, json_data, say
from fairlead.cli.place import Data, Workspace, find, open_store, open_vault

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.store import Store

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


class Known(Struct, frozen=True):
    """Where a person's name still stands in plain text, besides what is sealed."""

    keys: tuple[str, ...]
    budgets: int


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
        known = _known(store, person)
        if dry_run:
            say(f"would erase what is sealed for {person}" + _remains(known))
            return
        confirm(f"Erase everything that is sealed for {person}, for good?", yes)
        erased = open_vault(place, store).erase(person)
        with announced(store) as connection:  # whoever still has the key in memory drops it
            _forget_budgets(connection, person)
    if json:
        json_data({"person": person, "erased": erased, "keys_left": known.keys})
        return
    done = f"what was sealed for {person} is erased" if erased else f"nothing was sealed for {person}"
    say(done + _remains(known))


def _remains(known: Known) -> str:
    if not known.keys:
        return ""
    return f"; keys that still carry the name: {', '.join(known.keys)} (fairlead key revoke NAME)"


def _known(store: "Store", person: str) -> Known:
    from sqlalchemy import func, select

    from fairlead.costs.budgets import scope_name
    from fairlead.storage.schema import api_key, budget

    with store.reading() as connection:
        keys = connection.execute(select(api_key.c.name).where(api_key.c.person == person)).scalars().all()
        of_person = budget.c.scope == scope_name("person", person)
        budgets = connection.execute(select(func.count()).select_from(budget).where(of_person)).scalar()
    return Known(tuple(keys), int(budgets or 0))


def _forget_budgets(connection: "Connection", person: str) -> None:
    """Past periods' rows carry the name and cap nothing any more. Today's stay: a budget must not begin anew."""
    from sqlalchemy import delete

    from fairlead.clock import SystemClock
    from fairlead.costs.budgets import periods_of, scope_name
    from fairlead.storage.schema import budget

    current = list(periods_of(SystemClock().now()).values())
    past = (budget.c.scope == scope_name("person", person)) & budget.c.period.not_in(current) & (budget.c.held == 0)
    connection.execute(delete(budget).where(past))


def commands() -> dict[str, Any]:
    return {"data": typer.main.get_command(app)}
