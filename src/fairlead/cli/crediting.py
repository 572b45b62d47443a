"""`fairlead credits`: what may be spent beside the caps: given by whoever runs the deployment, moved by them."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli.compiled import published
from fairlead.cli.known_scopes import require_known
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import balances_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.costs.budgets import EACH, PERIODS, SCOPES, Budgets, scope_name
from fairlead.costs.credits import Credits, Done, Wanted
from fairlead.errors import BadInput
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.storage.balances import Move
    from fairlead.workspace.compile import Workspace as Compiled

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="What may be spent beside the caps: show, allot, transfer, history.",
)
_MOST_REASON = 200  # characters
_SCOPE = "A department's name, or organisation, department/NAME, person/NAME, task/NAME or workflow/NAME."
Amount = Annotated[str, typer.Argument(help="How much, in what `fairlead budget` shows.")]
Period = Annotated[
    str, typer.Option(help="daily, weekly, monthly or total, now. Default: the longest that all sides have.")
]
Reason = Annotated[str, typer.Option(help="Why. Kept in the history.")]
Key = Annotated[str, typer.Option("--key", help="A word for this move: under the same one it is never done twice.")]
New = Annotated[bool, typer.Option("--new", help="Nobody of this department or task type has been seen yet.")]


@contextmanager
def _opened(place: Place) -> Iterator[tuple[Store, "Compiled", Credits]]:
    with closing(open_store(place)) as store:
        compiled = published(place, store)

        def pseudonym(person: str) -> str:
            return open_vault(place, store).subject_for(person).id

        yield store, compiled, Credits(store, SystemClock(), compiled.budgets, pseudonym)


@app.callback()
def _group() -> None:
    """What may be spent beside the caps: show, allot, transfer, history."""


@app.command()
def show(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """Budgets that have more or less than their caps in the current period, and what of it is left."""
    from fairlead.cli.money import standings_of

    with _opened(find(workspace, data_folder)) as (store, compiled, _):
        budgets = compiled.budgets
        found = [each for each in standings_of(budgets, balances_of(store)) if each.extra]
    unit, names = budgets.unit, ("cap", "extra", "left")
    if json:
        rows = [
            {"scope": each.scope, "period": each.period, **{name: unit.exact(getattr(each, name)) for name in names}}
            for each in found
        ]
        json_data({"unit": unit.name, "budgets": rows})
        return
    rows_ = [[each.scope, each.period, *(unit.shown(getattr(each, name)) for name in names)] for each in found]
    table(["budget", "period", *names], rows_, right=names)
    say(f"in {unit.name}")


@app.command()
def allot(
    to: Annotated[str, typer.Argument(metavar="BUDGET", help=_SCOPE)],
    amount: Amount,
    take_back: Annotated[bool, typer.Option("--take-back", help="Take it away again, as far as it is left.")] = False,
    period: Period = "",
    reason: Reason = "",
    key: Key = "",
    new: New = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Give a budget more than its cap for its current period. The caps that it stands under still hold."""
    scope = _scope(to)
    _move(
        find(workspace, data_folder),
        lambda parse: Wanted(
            kind="take_back" if take_back else "allot",
            amount=parse(amount),
            by=f"os:{user()}",
            source=scope if take_back else "",
            target="" if take_back else scope,
            period=_period(period),
            reason=_short(reason),
            id=_id(key),
        ),
        new,
        dry_run,
        json,
    )


@app.command()
def transfer(
    source: Annotated[str, typer.Argument(metavar="FROM", help=_SCOPE)],
    target: Annotated[str, typer.Argument(metavar="TO", help=_SCOPE)],
    amount: Amount,
    period: Period = "",
    reason: Reason = "",
    key: Key = "",
    new: New = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Move what is left of one budget to another, for their current period. Never more than there is."""
    _move(
        find(workspace, data_folder),
        lambda parse: Wanted(
            kind="transfer",
            amount=parse(amount),
            by=f"os:{user()}",
            source=_scope(source),
            target=_scope(target),
            period=_period(period),
            reason=_short(reason),
            id=_id(key),
        ),
        new,
        dry_run,
        json,
    )


@app.command()
def history(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """What was allotted, taken back, transferred, raised and carried over, by whom and when: the oldest first."""
    from fairlead.storage.balances import moves

    with _opened(find(workspace, data_folder)) as (store, compiled, _):
        found = moves(store)
    unit = compiled.budgets.unit
    if json:
        json_data({"unit": unit.name, "moves": [_plain(each, unit.exact) for each in found]})
        return
    table(
        ["when (UTC)", "what", "from", "to", "amount", "by", "reason", "move"],
        [
            [
                shown(each.at),
                each.kind,
                f"{each.source} {each.source_period}",
                f"{each.target} {each.target_period}",
                unit.shown(each.amount),
                each.by,
                each.reason,
                each.id,
            ]
            for each in found
        ],
        right=["amount"],
    )
    say(f"in {unit.name}")


def _move(
    place: Place, wanted_of: Callable[[Callable[[str], int]], Wanted], new: bool, dry_run: bool, json: bool
) -> None:
    with _opened(place) as (store, compiled, credits):
        budgets = compiled.budgets
        wanted = wanted_of(budgets.unit.parse)
        if wanted.target and not new:
            require_known(compiled, store, wanted.target)
        done = credits.carry_out(wanted, dry_run=dry_run)
    if json:
        left = {scope: budgets.unit.exact(amount) for scope, amount in done.left.items()}
        done_ = {"dry_run": dry_run, "done_before": done.again, "unit": budgets.unit.name, "left": left}
        json_data({**_plain(done.move, budgets.unit.exact), **done_})
        return
    _tell(done, budgets, dry_run)


def _tell(done: Done, budgets: Budgets, dry_run: bool) -> None:
    move, unit = done.move, budgets.unit
    sides = [f"from {move.source} ({move.source_period})"] if move.source else []
    sides += [f"to {move.target} ({move.target_period})"] if move.target else []
    words = "would move" if dry_run else "had moved before" if done.again else "moved"
    say(f"{words} {unit.exact(move.amount)} {unit.name} {' '.join(sides)}  {'' if dry_run else move.id}".rstrip())
    for scope, left in done.left.items():
        say(f"{scope} {'would have' if dry_run else 'has'} {unit.shown(left)} left")


def _plain(move: "Move", exact: Callable[[int], str]) -> dict[str, Any]:
    import msgspec

    return {**msgspec.structs.asdict(move), "amount": exact(move.amount)}


def _scope(text: str) -> str:
    """A scope as people write it, as budgets spell it. Raises `BadInput`."""
    kind, slash, name = text.partition("/")
    if text == "organisation":
        return text
    if EACH in (text, name):
        raise BadInput(
            f"{text!r} is no one budget",
            why="it stands for each that is not named, and each has a budget of its own",
            mend="name one, as in department/sales; fairlead budget lists those that there are",
        )
    if not slash:
        return scope_name("department", text)
    if kind not in SCOPES:
        raise BadInput(
            f"{text!r} is no budget",
            why="budgets are of the organisation, of departments, persons, tasks and workflows",
            mend=f"write organisation, or one of {', '.join(f'{each}/NAME' for each in SCOPES)}",
        )
    return scope_name(kind, name)


def _period(text: str) -> str:
    if text and text not in PERIODS:
        raise BadInput(f"--period is {text!r}", mend=f"choose from {', '.join(PERIODS)}")
    return text


def _short(reason: str) -> str:
    if len(reason) > _MOST_REASON:
        raise BadInput(
            f"--reason has {len(reason)} characters", why=f"{_MOST_REASON} are the most", mend="say it shorter"
        )
    return reason


def _id(key: str) -> str:
    if key and not (key.isascii() and key.isprintable() and " " not in key and len(key) <= 100):
        raise BadInput(f"--key is {key[:100]!r}", why="it names the move", mend="write up to 100 letters and digits")
    return f"key:{key}" if key else ""


def commands() -> dict[str, Any]:
    return {"credits": typer.main.get_command(app)}
