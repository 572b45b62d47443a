"""Credits: what may be spent beside the caps. It is allotted, taken back, transferred, raised and carried over.

Each is one transaction with its record, under the locks of the budgets that it touches: whoever reserves meanwhile
comes before it or after it, and nothing that is held or spent is ever given away. None is done twice under one id.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.costs.budgets import PERIODS, PERSON, Budgets, Cap, kind_of, named_in, next_period, periods_of, scope_told
from fairlead.costs.record import deed
from fairlead.errors import BadInput, Refused
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.balances import Move, Standing
    from fairlead.storage.types import Entry

_MOST: Final = 2**62
_DEEDS: Final = {
    "allot": "credits_allotted",
    "take_back": "credits_taken_back",
    "transfer": "credits_transferred",
    "raise": "budget_raised",
    "carry": "budget_carried",
}

Pseudonym = Callable[[str], str]
"""Gives the subject id of a person: no name may stand in the log."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What somebody wants moved, in nano-units of money. Scopes are spelled by `scope_name`; of "allot" and "raise"
    there is no source, of "take_back" no target. `period` is a kind of period, "" for the longest that there is, or the
    period itself. `id` is what tells a repetition, "" for one that is never repeated."""

    kind: Literal["allot", "take_back", "transfer", "raise"]
    amount: int
    by: str
    source: str = ""
    target: str = ""
    period: str = ""
    reason: str = ""
    id: str = ""


class Done(Struct, frozen=True):
    """What was moved. `left` is what new work may reserve, by scope, as the move left it; `again` says that it had
    been done before."""

    move: "Move"
    left: dict[str, int]
    again: bool = False


class Credits:
    """Under the budgets of one revision. Blocking: call it in a thread."""

    def __init__(self, store: Store, clock: Clock, budgets: Budgets, pseudonym: Pseudonym) -> None:
        self._store = store
        self.clock = clock
        self._budgets = budgets
        self._pseudonym = pseudonym

    def carry_out(self, wanted: Wanted, *, dry_run: bool = False) -> Done:
        """Raises `BadInput` where there is no such budget, or the id means another move; `Refused` where the source has
        not enough left. A dry run raises the same and moves nothing."""
        if dry_run:
            with self._store.reading() as connection:
                return self._planned(connection, wanted, self._standings)
        for scope in (wanted.source, wanted.target):
            # Whoever is not known yet becomes known before the transaction, not in it.
            scope_told(scope, self._pseudonym)
        with self._store.writing() as connection:
            return self.within(connection, wanted)

    def within(self, connection: "Connection", wanted: Wanted) -> Done:
        """As `carry_out`, in a writing transaction of the caller's."""
        from fairlead.storage.balances import add, locked

        done = self._planned(connection, wanted, locked)
        if not done.again:
            add(connection, done.move)
            self._store.database.append(connection, [self._deed(done.move)])
        return done

    def _planned(
        self,
        connection: "Connection",
        wanted: Wanted,
        standings: "Callable[[Connection, list[tuple[str, str]]], dict[tuple[str, str], Standing]]",
    ) -> Done:
        from fairlead.storage.balances import Move, moved

        if wanted.amount <= 0:
            raise BadInput("nothing is to be moved", mend="name an amount above 0")
        if wanted.source == wanted.target:
            raise BadInput(f"{wanted.source} and {wanted.target} are one budget", mend="name two")
        before = moved(connection, wanted.id) if wanted.id else None
        if before is not None:
            return _same(wanted, before)
        period = self._period(wanted)
        move = Move(
            id=wanted.id or new_id(self.clock, "mov"), at=self.clock.now(), kind=wanted.kind,
            source=wanted.source, source_period=period if wanted.source else "",
            target=wanted.target, target_period=period if wanted.target else "",
            amount=wanted.amount, by=wanted.by, reason=wanted.reason,
        )  # fmt: skip
        scopes = [scope for scope in (wanted.source, wanted.target) if scope]
        found = standings(connection, [(scope, period) for scope in scopes])
        left = {scope: self._left(scope, period, found[scope, period]) for scope in scopes}
        if wanted.source:
            self._require(move, left[wanted.source])
            left[wanted.source] -= wanted.amount
        if wanted.target:
            if found[wanted.target, period].extra + wanted.amount > _MOST:
                raise BadInput(f"{wanted.target} would have more than can be counted", mend="allot less")
            left[wanted.target] += wanted.amount
        return Done(move, left)

    def _standings(self, connection: "Connection", keys: list[tuple[str, str]]) -> "dict[tuple[str, str], Standing]":
        from fairlead.storage.balances import Standing, balances

        known = balances(self._store)
        return {key: known.get(key, Standing()) for key in keys}

    def _period(self, wanted: Wanted) -> str:
        """The period in which all sides have a budget. Raises `BadInput`."""
        scopes = [scope for scope in (wanted.source, wanted.target) if scope]
        kinds = [{cap.kind for cap in self._budgets.caps_of(scope)} for scope in scopes]
        common = set.intersection(*kinds)
        asked = wanted.period if wanted.period in PERIODS else kind_of(wanted.period) if wanted.period else ""
        for kind in (asked,) if asked else reversed(PERIODS):
            if kind in common:
                return wanted.period if wanted.period not in ("", kind) else periods_of(self.clock.now())[kind]
        what = f"{asked} budget" if asked else "budget of the same kind of period" if len(scopes) > 1 else "budget"
        raise BadInput(
            f"{' and '.join(scopes)} {'have' if len(scopes) > 1 else 'has'} no {what}",
            why="what has no cap may be spent already, and has no use for more",
            mend="declare it under `budgets:` and run `fairlead apply`; `fairlead budget` lists those that there are",
        )

    def _left(self, scope: str, period: str, standing: "Standing") -> int:
        cap = self._budgets.cap_on(scope, period)
        return (cap.cap if cap else 0) + standing.extra - standing.held - standing.spent

    def _require(self, move: "Move", left: int) -> None:
        unit = self._budgets.unit
        if move.amount > left:
            raise Refused(
                f"{move.source} has {unit.exact(max(0, left))} {unit.name} left in {move.source_period}, "
                f"and {unit.exact(move.amount)} are to be moved",
                why="what is spent, or held by calls under way, is never given away",
                mend="move less, or wait until calls under way have ended",
                subject=move.source,
            )

    def _deed(self, move: "Move") -> "Entry":
        unit = self._budgets.unit
        sides = [
            f"{word} {scope_told(scope, self._pseudonym)} {period}"
            for word, scope, period in (
                ("from", move.source, move.source_period),
                ("to", move.target, move.target_period),
            )
            if scope
        ]
        about = f"{move.id}: {unit.exact(move.amount)} {unit.name} {' '.join(sides)}"
        persons = [scope for scope in (move.target, move.source) if scope.startswith(PERSON)]
        person = self._pseudonym(named_in(persons[0])) if persons else ""
        return deed(self.clock, _DEEDS[move.kind], by=move.by, about=about, person=person)

    def carry(self, scope: str, period: str, cap: Cap, current: str) -> int:
        """Have what was left of a period that is over go on to the next one, and from there to the current one. It
        leaves the old one, so that nobody whose clock is behind spends it there. Once: returns how much arrived."""
        from fairlead.storage.balances import Move, add, locked, note

        assert cap.rollover is not None
        now, chain = self.clock.now(), [period]
        while chain[-1] < current:
            chain.append(next_period(chain[-1]))
        with self._store.writing() as connection:
            found = locked(connection, [(scope, each) for each in chain])
            if found[scope, period].closed_at:
                return 0
            arrived = 0
            for old, new in pairwise(chain):
                arrived = cap.rollover.of(self._left(scope, old, found[scope, old]) + arrived)
                if arrived:
                    move = Move(
                        id=new_id(self.clock, "mov"), at=now, kind="carry", source=scope, source_period=old,
                        target=scope, target_period=new, amount=arrived, by="fairlead", reason="",
                    )  # fmt: skip
                    add(connection, move)
                    if not scope.startswith(PERSON):
                        self._store.database.append(connection, [self._deed(move)])
                note(connection, (scope, old), closed_at=now)
        return arrived


def _same(wanted: Wanted, before: "Move") -> Done:
    asked = (wanted.kind, wanted.source, wanted.target, wanted.amount)
    if asked != (before.kind, before.source, before.target, before.amount):
        raise BadInput(
            f"{wanted.id} was another move",
            why="an id stands for one move, so that it can be asked for again without being done again",
            mend="give this one another --key; fairlead credits history shows what was moved",
        )
    return Done(before, {}, again=True)
