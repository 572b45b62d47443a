"""Budgets' rows beside the journal: reading what is held and spent, moving what may be spent from one to another, and
forgetting it with the person whose budget it was.

Only the journal holds and spends. `extra`, what may be spent beside the cap, is changed here alone, under the rows'
locks, so that whoever reserves meanwhile comes before it or after it. The caps are in the workspace, not here.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, func, insert, select, text, update

from fairlead.storage.group import Key
from fairlead.storage.schema import budget, budget_move
from fairlead.storage.store import Store

NOBODY: Final = ("", "")
_BEGIN: Final = "INSERT INTO budget (scope, period, held, spent) VALUES (:scope, :period, 0, 0) ON CONFLICT DO NOTHING"
USER: Final = "os:"  # before the name of who runs a command
FORGOTTEN: Final = "person/"  # in place of the scope of a person who was erased


class Standing(Struct, frozen=True):
    """What is held by calls under way and what is spent, in nano-units, and what may be spent beside the cap. The rest
    is as in the table."""

    held: int = 0
    spent: int = 0
    extra: int = 0
    passed: int = 0
    alerted: int = 0
    closed_at: int = 0


class Move(Struct, frozen=True, kw_only=True):
    """What was moved once, in nano-units: from `source` to `target`, each with its period; "" for no budget. `kind` is
    "allot", "take_back", "transfer", "raise" or "carry"."""

    id: str
    at: int
    kind: str
    source: str
    source_period: str
    target: str
    target_period: str
    amount: int
    by: str
    reason: str

    @property
    def says(self) -> tuple[str, str, str, str, str, int]:
        """What it does, whoever did it and when."""
        return self.kind, self.source, self.source_period, self.target, self.target_period, self.amount


_COLUMNS = [budget.c[name] for name in Standing.__struct_fields__]


def balances(store: Store) -> dict[Key, Standing]:
    """Every budget that was ever held against, by scope and period."""
    with store.reading() as connection:
        rows = connection.execute(select(budget.c.scope, budget.c.period, *_COLUMNS)).all()
    return {(scope, period): Standing(*rest) for scope, period, *rest in rows}


def locked(connection: Connection, keys: Iterable[Key]) -> dict[Key, Standing]:
    """These budgets, as nobody changes them before the transaction ends. Rows that there were not are begun.

    Locks are taken in the order in which the journal takes them.
    """
    found, wanted = {}, sorted(set(keys) - {NOBODY})
    begin(connection, wanted)
    for scope, period in wanted:
        mine = (budget.c.scope == scope) & (budget.c.period == period)
        found[scope, period] = Standing(*connection.execute(select(*_COLUMNS).where(mine).with_for_update()).one())
    return found


def add(connection: Connection, move: Move) -> None:
    """Move it, and keep that it was. The rows are locked, and whether there is enough is for the caller to see to."""
    sides = (move.source, move.source_period, -move.amount), (move.target, move.target_period, move.amount)
    for scope, period, amount in sides:
        mine = (budget.c.scope == scope) & (budget.c.period == period)
        connection.execute(update(budget).where(mine).values(extra=budget.c.extra + amount))
    connection.execute(insert(budget_move).values(asdict(move)))


def note(connection: Connection, key: Key, **values: int) -> None:
    """Set columns that the journal does not: `closed_at` and `alerted`."""
    mine = (budget.c.scope == key[0]) & (budget.c.period == key[1])
    connection.execute(update(budget).where(mine).values(values))


def moved(connection: Connection, id_: str) -> Move | None:
    """What was moved under an id."""
    row = connection.execute(select(budget_move).where(budget_move.c.id == id_)).mappings().first()
    return None if row is None else Move(**row)


def moves(store: Store) -> list[Move]:
    """All that was ever moved, the oldest first."""
    with store.reading() as connection:
        rows = connection.execute(select(budget_move).order_by(budget_move.c.at, budget_move.c.id)).mappings().all()
    return [Move(**row) for row in rows]


def unalarmed(connection: Connection) -> dict[Key, Standing]:
    """Budgets of which somebody is still to be alarmed."""
    query = select(budget.c.scope, budget.c.period, *_COLUMNS).where(budget.c.passed > budget.c.alerted)
    return {(scope, period): Standing(*rest) for scope, period, *rest in connection.execute(query)}


def last_periods(connection: Connection, current: Mapping[int, str]) -> dict[Key, Standing]:
    """Of each scope and kind of period, the last one that has a row and is over. `current` are the periods of now, by
    their length, which tells their kind."""
    found: dict[Key, Standing] = {}
    for length, period in current.items():
        old = (func.length(budget.c.period) == length) & (budget.c.period < period)
        last = select(budget.c.scope, func.max(budget.c.period).label("period")).where(old).group_by(budget.c.scope)
        ended = last.subquery()
        query = select(budget.c.scope, budget.c.period, *_COLUMNS).join(
            ended, (ended.c.scope == budget.c.scope) & (ended.c.period == budget.c.period)
        )
        found |= {(scope, name): Standing(*rest) for scope, name, *rest in connection.execute(query)}
    return found


def begin(connection: Connection, keys: Iterable[Key]) -> None:
    """Rows for budgets that nobody has spent of yet."""
    for scope, period in sorted(keys):
        connection.execute(text(_BEGIN), {"scope": scope, "period": period})


def forget_balances(connection: Connection, scope: str) -> int:
    """Delete the rows of a scope, and return how many are left: those against which a call under way holds money, which
    is still to be settled. What was moved stays, without the name and without what was written about it."""
    mine = budget.c.scope == scope
    connection.execute(delete(budget).where(mine, budget.c.held == 0))
    for side in (budget_move.c.source, budget_move.c.target):
        connection.execute(update(budget_move).where(side == scope).values({side.name: FORGOTTEN, "reason": ""}))
    return int(connection.execute(select(func.count()).select_from(budget).where(mine)).scalar() or 0)


def forget_mover(connection: Connection, person: str) -> None:
    """Take a person's name out of what others' budgets were moved for: as who did it, and the reasons that they wrote
    or that have their name in them."""
    by, reason = budget_move.c.by, budget_move.c.reason
    mine = by == f"{USER}{person}"
    connection.execute(update(budget_move).where(mine).values(by=USER, reason=""))
    for id_, said in connection.execute(select(budget_move.c.id, reason).where(reason != "")).all():
        if _names(said, person):
            connection.execute(update(budget_move).where(budget_move.c.id == id_).values(reason=""))


def _names(text: str, person: str) -> bool:
    """Whether the name stands in the text by itself, however it is spelled."""
    return re.search(rf"(?<!\w){re.escape(person.casefold())}(?!\w)", text.casefold()) is not None
